//! The text of a mail as it goes over the wire: dots at the beginning of a line are doubled, and files are
//! written in base64 piece by piece.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::service::api::Mail;

/// The bytes of a file in one line of base64.
const OF_A_LINE: usize = 57;
/// How many lines are encoded at once.
const LINES: usize = 128;

/// How long the mail is as its server counts it, in bytes.
pub fn size(mail: &Mail) -> u64 {
    let encoded = |length: usize| {
        let (lines, rest) = (length / OF_A_LINE, length % OF_A_LINE);
        let last = if rest > 0 { rest.div_ceil(3) * 4 + 2 } else { 0 };
        lines * 78 + last
    };
    let files = mail.files.iter().map(|file| encoded(file.bytes.len()) + file.behind.len());
    (mail.text.len() + files.sum::<usize>()) as u64
}

/// Writes a mail, without the dot that ends it.
pub async fn write(stream: &mut (impl AsyncWrite + Unpin), mail: &Mail) -> std::io::Result<()> {
    stuffed(stream, &mail.text).await?;
    let mut lines = String::new();
    for file in &mail.files {
        for bytes in file.bytes.chunks(OF_A_LINE * LINES) {
            lines.clear();
            for line in bytes.chunks(OF_A_LINE) {
                STANDARD.encode_string(line, &mut lines);
                lines.push_str("\r\n");
            }
            // No line of base64 begins with a dot.
            stream.write_all(lines.as_bytes()).await?;
        }
        stuffed(stream, &file.behind).await?;
    }
    Ok(())
}

/// Writes lines, and a second dot before each that begins with one.
async fn stuffed(stream: &mut (impl AsyncWrite + Unpin), text: &[u8]) -> std::io::Result<()> {
    let mut written = 0;
    for at in 0..text.len() {
        if text[at] == b'.' && (at == 0 || text[at - 1] == b'\n') {
            stream.write_all(&text[written..at]).await?;
            stream.write_all(b".").await?;
            written = at;
        }
    }
    stream.write_all(&text[written..]).await
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use url::Url;

    use super::*;
    use crate::service::api::MailFile;

    fn written(text: &str, files: Vec<MailFile>) -> (String, u64) {
        let mail = Mail {
            server: Url::parse("smtp://mx:25").expect("a URL"),
            login: None,
            from: String::new(),
            recipients: Vec::new(),
            text: Bytes::copy_from_slice(text.as_bytes()),
            files,
        };
        let mut bytes = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(write(&mut bytes, &mail)).expect("memory takes it");
        (String::from_utf8(bytes).expect("UTF-8"), size(&mail))
    }

    #[test]
    fn dots_at_the_beginning_of_a_line_are_doubled() {
        let (text, size) = written(".a\r\n..b\r\nc.d\r\n.\r\n", Vec::new());
        assert_eq!(text, "..a\r\n...b\r\nc.d\r\n..\r\n");
        assert_eq!(size, 17, "as it was before");
    }

    #[test]
    fn files_are_written_in_lines_and_counted_right() {
        for length in [0, 1, 2, 3, 56, 57, 58, 114, OF_A_LINE * LINES, OF_A_LINE * LINES + 1] {
            let bytes = Bytes::from(vec![7; length]);
            let file = MailFile { bytes: bytes.clone(), behind: Bytes::from_static(b"--x--\r\n") };
            let (text, size) = written("head\r\n\r\n", vec![file]);
            assert_eq!(text.len() as u64, size, "of {length}");
            assert!(text.lines().all(|line| line.len() <= 76));
            let inside = text.trim_start_matches("head\r\n\r\n").trim_end_matches("--x--\r\n");
            let joined: String = inside.lines().collect();
            assert_eq!(STANDARD.decode(joined).expect("base64"), bytes);
        }
    }
}
