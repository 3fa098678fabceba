//! A reply of a mail server: its code, and its text.

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

use crate::net::{Failure, Way};
use crate::service::wire::transcript::{Fate, Stage};

/// The longest line that is read; RFC 5321 allows 512 bytes.
const MAX_LINE: usize = 4096;
/// The most lines of a reply: no server has as many extensions.
const MAX_LINES: usize = 256;
/// The most of a text that is kept, in bytes.
const MAX_TEXT: usize = 1024;

/// A reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Its code, of three digits.
    pub code: u16,
    /// Its lines, without the code.
    pub lines: Vec<String>,
}

impl Reply {
    /// True if it says yes.
    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// True if its text says this with an enhanced code, at its beginning.
    pub fn has_enhanced(&self, code: &str) -> bool {
        let first = self.lines.first().and_then(|line| line.split(' ').next());
        first.is_some_and(|first| first.get(1..) == code.get(1..) && first.len() == code.len())
    }

    /// What it says of a recipient.
    pub fn fate(&self, to: Stage) -> Fate {
        let mut text = self.lines.join(" ");
        let end = (0..=text.len().min(MAX_TEXT)).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        Fate { to, code: Some(self.code), text }
    }
}

/// Reads one reply, however many lines it has.
pub async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Reply, Failure> {
    let (mut code, mut lines) = (None, Vec::new());
    loop {
        let line = line(stream).await?;
        let (own, is_last, text) = parts(&line).ok_or_else(|| no_reply(&line))?;
        if code.is_some_and(|code| code != own) {
            return Err(protocol("the lines of a reply have different codes"));
        }
        code = Some(own);
        lines.push(text);
        if is_last {
            return Ok(Reply { code: own, lines });
        }
        if lines.len() == MAX_LINES {
            return Err(protocol("a reply has no end"));
        }
    }
}

/// Code, whether the line is the last one, and text.
fn parts(line: &[u8]) -> Option<(u16, bool, String)> {
    let digits = line.get(..3)?;
    if !(b'2'..=b'5').contains(&digits[0]) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let is_last = match line.get(3) {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    let text = String::from_utf8_lossy(line.get(4..).unwrap_or_default());
    let text = text.replace(|c: char| c.is_control(), " ");
    Some((code, is_last, text.trim().to_owned()))
}

/// A line, without its end.
async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    loop {
        let room = stream.fill_buf().await.map_err(|e| Failure::of_mail(&e))?;
        if room.is_empty() {
            let words = "the connection was lost: the server closed it".to_owned();
            return Err(Failure { way: Way::Network, words });
        }
        let end = room.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(room.len(), |end| end + 1);
        line.extend_from_slice(&room[..taken]);
        stream.consume(taken);
        if line.len() > MAX_LINE {
            return Err(protocol("a line of a reply has no end"));
        }
        if end.is_some() {
            while line.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
                line.pop();
            }
            return Ok(line);
        }
    }
}

fn no_reply(line: &[u8]) -> Failure {
    let line = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
    protocol(&format!("this is no reply of SMTP: {line:?}"))
}

/// What comes from the server is not SMTP.
pub fn protocol(words: &str) -> Failure {
    Failure { way: Way::Protocol, words: words.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Result<Reply, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(read(&mut text.as_bytes()))
    }

    #[test]
    fn replies_of_one_and_of_many_lines_are_read() {
        let one = reply("250 2.1.5 ok\r\n").expect("a reply");
        assert_eq!((one.code, &*one.lines), (250, &["2.1.5 ok".to_owned()][..]));
        let many = reply("250-mx\r\n250-SIZE 1000\n250 PIPELINING\r\n").expect("a reply");
        assert_eq!(many.lines, ["mx", "SIZE 1000", "PIPELINING"]);
        assert_eq!(reply("354\r\n").expect("a reply").code, 354);
    }

    #[test]
    fn an_enhanced_code_is_found_at_the_beginning_only() {
        let says = |text: &str| reply(text).expect("a reply").has_enhanced("4.5.3");
        assert!(says("452 4.5.3 too many\r\n"));
        assert!(says("552 5.5.3 too many\r\n"), "old servers say it with 552");
        assert!(!says("452 4.5.30 no\r\n"));
        assert!(!says("452 see 4.5.3\r\n"));
    }

    #[test]
    fn what_is_no_reply_is_refused_within_bounds() {
        for text in ["hello\r\n", "99 x\r\n", "250_x\r\n", "250-a\r\n251 b\r\n", "25\r\n", "\r\n"] {
            assert_eq!(reply(text).expect_err(text).way, Way::Protocol, "{text:?}");
        }
        let endless = "x".repeat(100_000);
        assert_eq!(reply(&format!("250 {endless}")).expect_err("endless").way, Way::Protocol);
        let lines = "250-x\r\n".repeat(MAX_LINES + 1);
        assert_eq!(reply(&lines).expect_err("endless").way, Way::Protocol);
        assert_eq!(reply("250-x\r\n").expect_err("cut").way, Way::Network);
        let fate = reply(&format!("250 {}\r\n", "é".repeat(1500))).expect("long").fate(Stage::Rcpt);
        assert!(fate.text.len() <= MAX_TEXT && !fate.text.is_empty());
    }
}
