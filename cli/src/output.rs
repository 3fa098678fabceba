//! Where words go: results to stdout, everything else to stderr.

use std::io::{self, ErrorKind, Write};

/// Standard output, which its reader may leave at any time.
///
/// What becomes of the messages does not depend on anybody reading about it, so a closed pipe
/// swallows the rest without an error.
#[derive(Debug, Default)]
pub struct Output {
    left: bool,
}

impl Output {
    fn unless_left<T: Default>(&mut self, done: io::Result<T>, otherwise: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.left = true;
                Ok(otherwise)
            }
            done => done,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left {
            return Ok(bytes.len());
        }
        let written = io::stdout().lock().write(bytes);
        self.unless_left(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.left {
            return Ok(());
        }
        let flushed = io::stdout().lock().flush();
        self.unless_left(flushed, ())
    }
}

/// Writes a line to stderr; there is nobody to tell if that fails.
pub fn diagnose(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", shown(line));
}

/// The text without control characters, which would let a service write on the terminal.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push(c),
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_cannot_write_on_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\r\u{9b}c 鸿雁\n"), "a\\u{1b}[2Jb\\r\\u{9b}c 鸿雁\n");
    }
}
