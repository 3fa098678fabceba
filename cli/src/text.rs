//! Text as people's programs write it: UTF-8 or UTF-16, with or without a byte order mark.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use hongyan::file::read_bounded;

use crate::file;

/// What the first bytes of a text tell of how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// After a byte order mark of this many bytes.
    Utf8(usize),
    Utf16Le(usize),
    Utf16Be(usize),
    Utf32,
}

impl Encoding {
    /// Told by the byte order mark, or by the zero byte beside a first ASCII character: JSON, TOML and
    /// the header of a table begin with one.
    fn of(start: &[u8]) -> Encoding {
        match start {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Encoding::Utf32,
            [0xef, 0xbb, 0xbf, ..] => Encoding::Utf8(3),
            [0xff, 0xfe, ..] => Encoding::Utf16Le(2),
            [0xfe, 0xff, ..] => Encoding::Utf16Be(2),
            [1..=0x7f, 0, 1..=0xff, 0, ..] => Encoding::Utf16Le(0),
            [0, 1..=0x7f, 0, 1..=0xff, ..] => Encoding::Utf16Be(0),
            _ => Encoding::Utf8(0),
        }
    }
}

/// The text of these bytes, without a byte order mark.
pub fn decode(bytes: Vec<u8>) -> io::Result<String> {
    match Encoding::of(&bytes) {
        Encoding::Utf8(mark) => {
            let mut text = String::from_utf8(bytes).map_err(|e| {
                let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
                not_utf8(1 + before.iter().filter(|byte| **byte == b'\n').count())
            })?;
            drop(text.drain(..mark));
            Ok(text)
        }
        Encoding::Utf16Le(mark) => utf16(&bytes[mark..], u16::from_le_bytes),
        Encoding::Utf16Be(mark) => utf16(&bytes[mark..], u16::from_be_bytes),
        Encoding::Utf32 => Err(wrong("it is UTF-32: save it as UTF-8".to_owned())),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> io::Result<String> {
    let (pairs, rest) = bytes.as_chunks();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    match String::from_utf16(&units) {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => Err(wrong("it is no whole UTF-16: save it as UTF-8".to_owned())),
    }
}

/// The words for a line that is not UTF-8.
pub fn not_utf8(line: usize) -> io::Error {
    wrong(format!(
        "line {line} is not UTF-8: save the file as UTF-8 (a spreadsheet calls it \"CSV UTF-8\")"
    ))
}

fn wrong(words: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

/// Reads a text line by line, without its byte order mark. UTF-16 is read whole and becomes UTF-8.
pub fn lines(mut source: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut start = Vec::new();
    source.by_ref().take(4).read_to_end(&mut start)?;
    match Encoding::of(&start) {
        Encoding::Utf8(mark) => {
            let start = start.split_off(mark);
            Ok(Box::new(BufReader::new(Cursor::new(start).chain(source))))
        }
        _ => {
            start.extend(read_bounded(source, LONGEST)?);
            Ok(Box::new(Cursor::new(decode(start)?.into_bytes())))
        }
    }
}

/// What is read at once: a configuration, a message, or several. Of .jsonl and tables it is a line.
const LONGEST: u64 = 64 << 20;

/// The text of a file, or of standard input where its name is "-".
pub fn read(path: &Path) -> io::Result<String> {
    decode(match path == Path::new("-") {
        true => read_bounded(io::stdin().lock(), LONGEST)?,
        false => read_bounded(file::open(path)?, LONGEST)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_spelling_of_a_text_is_the_same_text() {
        let plain = "{\"text\": \"鸿雁 🪿\"}\r\nsecond\n";
        let marked = format!("\u{feff}{plain}");
        let spellings = [
            plain.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            utf16(plain, u16::to_le_bytes),
            utf16(plain, u16::to_be_bytes),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
        ];
        for bytes in spellings {
            assert_eq!(decode(bytes.clone()).expect("text"), plain);
            let mut read = String::new();
            lines(Cursor::new(bytes)).expect("a text").read_to_string(&mut read).expect("UTF-8");
            assert_eq!(read, plain);
        }
        for short in ["", "a", "{}", "[1]", "鸿"] {
            assert_eq!(decode(short.into()).expect("text"), short);
            assert_eq!(decode(format!("\u{feff}{short}").into()).expect("text"), short);
        }
    }

    #[test]
    fn what_is_none_is_refused_with_what_to_do() {
        let cases: [(&[u8], &str); 5] = [
            (b"one\ntwo \xba\xe8\xd1\xe3", "line 2 is not UTF-8"),
            (b"\xef\xbb\xbf\xff", "line 1 is not UTF-8"),
            (b"\xff\xfea", "no whole UTF-16"),
            (b"\xff\xfe\x00\xd8a\x00", "no whole UTF-16"),
            (b"\xff\xfe\x00\x00a\x00\x00\x00", "UTF-32"),
        ];
        for (bytes, words) in cases {
            let error = decode(bytes.to_vec()).expect_err("no text").to_string();
            assert!(error.contains(words) && error.contains("save"), "{error}");
        }
    }
}
