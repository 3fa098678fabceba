//! Records of a CSV file, to the letter of RFC 4180.
//!
//! Readers that make something of every file guess where a quote was forgotten, and so send one person
//! what was meant for the next: whatever is not certain is an error with its line here.

use std::io::{self, BufRead};

use crate::text;

/// A record, and the number of the line that it begins in.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    pub line: u64,
    pub cells: Vec<String>,
}

/// Reads records one by one; empty lines are none.
pub struct Records {
    source: Box<dyn BufRead>,
    delimiter: u8,
    /// How many lines were read.
    line: u64,
}

/// Where the reader is in a record.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// At the first byte of a cell.
    Start,
    /// In a cell without quotes.
    Plain,
    /// Between the quotes of a cell.
    Quoted,
    /// Behind a quote that ends a cell, or is the first of two.
    Quote,
}

impl Records {
    /// The records of a text, whose cells stand between this byte.
    pub fn new(source: Box<dyn BufRead>, delimiter: u8) -> Records {
        Records { source, delimiter, line: 0 }
    }

    /// Takes another delimiter from here on.
    pub fn delimit(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
    }

    /// The first line as it stands, which becomes a record by [`Records::split`].
    pub fn first(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.next_line()?.unwrap_or_default())
    }

    /// The next record.
    pub fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            let Some(line) = self.next_line()? else { return Ok(None) };
            if !line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                return self.split(line).map(Some);
            }
        }
    }

    /// The record that begins with this line, which was the last to be read.
    pub fn split(&mut self, mut text: Vec<u8>) -> io::Result<Record> {
        let first = self.line;
        let (mut cells, mut cell, mut at) = (Vec::new(), Vec::new(), At::Start);
        loop {
            let mut bytes = text.iter().copied().peekable();
            while let Some(byte) = bytes.next() {
                let ends_line = byte == b'\n' || byte == b'\r' && bytes.peek() == Some(&b'\n');
                at = match (at, byte) {
                    (At::Quoted, b'"') => At::Quote,
                    (At::Quoted, _) => {
                        cell.push(byte);
                        At::Quoted
                    }
                    (_, _) if ends_line => break,
                    (_, b'\r') => {
                        return Err(self.wrong("a line ends in CR alone: end lines in LF or CRLF"));
                    }
                    (At::Start, b'"') => At::Quoted,
                    (At::Quote, b'"') => {
                        cell.push(byte);
                        At::Quoted
                    }
                    (_, byte) if byte == self.delimiter => {
                        cells.push(self.text(&mut cell)?);
                        At::Start
                    }
                    (At::Quote, _) => return Err(self.wrong(
                        "something stands behind the quote that ends a cell: write a quote within \
                         a cell twice, and look whether one is missing before it",
                    )),
                    (_, b'"') => {
                        return Err(self.wrong(
                            "a quote stands in a cell that does not begin with one: put the whole \
                         cell in quotes and write each quote within it twice",
                        ));
                    }
                    (_, _) => {
                        cell.push(byte);
                        At::Plain
                    }
                };
            }
            if at != At::Quoted {
                cells.push(self.text(&mut cell)?);
                return Ok(Record { line: first, cells });
            }
            match self.next_line()? {
                Some(line) => text = line,
                None => {
                    self.line = first;
                    return Err(self.wrong("a quote is opened in this row and never closed"));
                }
            }
        }
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.source.read_until(b'\n', &mut line)?;
        self.line += u64::from(read > 0);
        Ok((read > 0).then_some(line))
    }

    fn text(&self, cell: &mut Vec<u8>) -> io::Result<String> {
        let line = usize::try_from(self.line).unwrap_or(usize::MAX);
        String::from_utf8(std::mem::take(cell)).map_err(|_| text::not_utf8(line))
    }

    fn wrong(&self, words: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {words}", self.line))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(text: &str) -> Result<Vec<(u64, Vec<String>)>, String> {
        let mut records = Records::new(Box::new(Cursor::new(text.as_bytes().to_vec())), b',');
        let mut all = Vec::new();
        while let Some(record) = records.next().map_err(|e| e.to_string())? {
            all.push((record.line, record.cells));
        }
        Ok(all)
    }

    #[test]
    fn records_come_with_the_line_they_begin_in_whatever_ends_the_lines() {
        let text = "a,b\n\n\"x\ny\",\"he said \"\"hi\"\"\"\n,\nlast,";
        let expected = vec![
            (1, vec!["a".to_owned(), "b".to_owned()]),
            (3, vec!["x\ny".to_owned(), "he said \"hi\"".to_owned()]),
            (5, vec![String::new(), String::new()]),
            (6, vec!["last".to_owned(), String::new()]),
        ];
        assert_eq!(read(text).as_ref(), Ok(&expected));
        let mut crlf = expected;
        crlf[1].1[0] = "x\r\ny".to_owned();
        assert_eq!(read(&text.replace('\n', "\r\n")), Ok(crlf));
        assert_eq!(read(""), Ok(Vec::new()));
        assert_eq!(read("\"\"\n"), Ok(vec![(1, vec![String::new()])]));
    }

    #[test]
    fn a_table_that_may_be_damaged_is_refused_with_its_line() {
        for (text, line) in [
            ("to,text\na,\"hello\nb,\"world\"\n", "line 3: something stands behind"),
            ("to,text\na,\"hello\nb,world\nc,again\n", "line 2: a quote is opened"),
            ("a,\"x\"y,z\n", "line 1: something stands behind"),
            ("a,\"x\" ,z\n", "line 1: something stands behind"),
            ("a, \"x, y\"\n", "line 1: a quote stands in a cell"),
            ("a\nb,6\" wide\n", "line 2: a quote stands in a cell"),
            ("a,b\rc,d\r", "line 1: a line ends in CR alone"),
            ("a,\"", "line 1: a quote is opened"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.starts_with(line), "{text:?}: {error}");
        }
        let bytes = b"a\n\xba\xe8\n".to_vec();
        let mut records = Records::new(Box::new(Cursor::new(bytes)), b',');
        assert!(records.next().is_ok_and(|first| first.is_some()));
        assert!(records.next().expect_err("GBK").to_string().contains("line 2 is not UTF-8"));
    }
}
