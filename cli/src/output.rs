//! Where words go: results to stdout, everything else to stderr.

use std::io::{self, ErrorKind, Write};

/// Standard output, line by line.
///
/// Its reader may leave at any time: what becomes of the messages does not depend on anybody reading
/// about it, so a closed pipe swallows the rest without an error.
#[derive(Debug, Default)]
pub struct Output {
    /// What was not written yet.
    pending: Vec<u8>,
    /// The reader has left.
    left: bool,
    /// Nothing can be written here, so that it goes to stderr.
    full: bool,
    /// Where nothing can be written, what was to be told goes to stderr instead.
    must_tell: bool,
    /// It is JSON, whose strings may hold what a service wrote.
    json: bool,
}

impl Output {
    /// For a command whose messages are on their way whatever happens here: a full disk then changes
    /// neither its exit status nor stops the messages that follow.
    pub fn must_tell(&mut self) {
        self.must_tell = true;
    }

    /// What is told from here on is JSON.
    pub fn json(&mut self) {
        self.json = true;
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if bytes.ends_with(b"\n") {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        if self.left {
            return Ok(());
        }
        if self.json
            && let Ok(text) = std::str::from_utf8(&pending)
        {
            pending = escaped_json(text).into_bytes();
        }
        if !self.full {
            let mut stdout = io::stdout().lock();
            match stdout.write_all(&pending).and_then(|()| stdout.flush()) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                    self.left = true;
                    return Ok(());
                }
                Err(error) if !self.must_tell => return Err(error),
                Err(error) => {
                    self.full = true;
                    diagnose(&format!("hongyan: cannot write: {error}; what was to be told is:"));
                }
            }
        }
        // There is nobody left to tell if that fails.
        let _ = io::stderr().lock().write_all(&pending);
        Ok(())
    }
}

/// Writes a line to stderr; there is nobody to tell if that fails.
pub fn diagnose(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", shown(line));
}

/// "1 message", "2 messages".
pub fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// True for what would let a service write on the terminal, or turn the order of what stands there.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// The text without what would let a service write on the terminal; its lines stay lines.
pub fn shown(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// The text as one line: a service cannot begin one of its own.
pub fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_unsafe(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// The same JSON, with every character escaped that [`shown`] would escape.
fn escaped_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        match is_unsafe(c) {
            // All of them are in the basic plane, and stand within strings.
            true if c != '\n' => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => shown.push(c),
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
        assert_eq!(line("a\n\u{202e}b\u{2066}\u{2028}"), "a\\n\\u{202e}b\\u{2066}\\u{2028}");
        let family = "👨\u{200d}👩\u{200d}👧 \u{fe0f}";
        assert_eq!(line(family), family, "an emoji is one");
    }

    #[test]
    fn json_stays_the_same_json() {
        let text = "x\u{9b}\u{202e}\u{feff}鸿\u{7f}";
        let json = serde_json::Value::from(text).to_string();
        let shown = escaped_json(&json);
        assert_eq!(shown, "\"x\\u009b\\u202e\\ufeff鸿\\u007f\"");
        assert_eq!(serde_json::from_str::<String>(&shown).ok().as_deref(), Some(text));
    }
}
