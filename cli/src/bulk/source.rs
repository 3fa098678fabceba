//! The messages of a file, one by one.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use hongyan::{Error, ErrorCode};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::batch::{Lines, with_fields};
use crate::exit::Usage;

/// A message of the file.
pub struct Entry {
    pub line: u64,
    pub account: Option<String>,
    /// Its idempotency key; one of our making where it has none and an outbox is there to know it.
    pub key: Option<String>,
    /// As JSON, or why there is none.
    pub message: Result<Vec<u8>, Error>,
}

/// A file of messages.
pub struct Source {
    kind: Kind,
    path: PathBuf,
    account: Option<String>,
    keyed: bool,
}

enum Kind {
    Lines(Lines),
    Csv(Box<csv::Reader<File>>, Vec<Column>),
}

/// What a column holds.
enum Column {
    /// A field as text.
    Text(String),
    /// A field as JSON, or as text where it is none.
    Json(String),
    /// A recipient.
    To(String),
    /// Several recipients.
    ToMany(String),
    /// A parameter of the service.
    Extra(String),
}

impl Source {
    /// Opens the file; `keyed`: messages without a key get one.
    pub fn open(path: &Path, account: Option<&str>, keyed: bool) -> anyhow::Result<Source> {
        let cannot = |e| Usage::argument(format!("cannot read {}: {e}", path.display()));
        let file = File::open(path).map_err(cannot)?;
        if !file.metadata().map_err(cannot)?.is_file() {
            let words = format!("{} is no file, which could be read twice", path.display());
            return Err(Usage::argument(words).into());
        }
        let kind = match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl" | "ndjson") => Kind::Lines(Lines::new(Box::new(BufReader::new(file)))),
            Some("csv") => {
                let mut reader = csv::Reader::from_reader(file);
                let headers = reader.headers().map_err(|e| Usage::argument(e.to_string()))?;
                let columns = headers.iter().map(Column::of).collect::<Result<_, _>>()?;
                Kind::Csv(Box::new(reader), columns)
            }
            _ => {
                let words = format!("{} is neither .jsonl nor .csv", path.display());
                return Err(Usage::argument(words).into());
            }
        };
        let path = path.canonicalize().map_err(cannot)?;
        Ok(Source { kind, path, account: account.map(str::to_owned), keyed })
    }

    /// The next message.
    pub fn next(&mut self) -> anyhow::Result<Option<Entry>> {
        let (line, text) = match &mut self.kind {
            Kind::Lines(lines) => match lines.next()? {
                Some((line, text)) => (line, Ok(text)),
                None => return Ok(None),
            },
            Kind::Csv(reader, columns) => {
                let mut record = csv::StringRecord::new();
                let before = reader.position().line();
                match reader.read_record(&mut record) {
                    Ok(false) => return Ok(None),
                    Ok(true) => {
                        let line = record.position().map_or(before, csv::Position::line);
                        (
                            line,
                            message(columns, &record)
                                .map(|message| message.to_string().into_bytes()),
                        )
                    }
                    Err(error) if error.is_io_error() => {
                        return Err(Usage::argument(format!("cannot read on: {error}")).into());
                    }
                    Err(error) => {
                        let line = error.position().map_or(before, csv::Position::line);
                        (line, Err(Error::new(ErrorCode::Argument, error.to_string())))
                    }
                }
            }
        };
        Ok(Some(self.entry(line, text)))
    }

    fn entry(&self, line: u64, text: Result<Vec<u8>, Error>) -> Entry {
        let made = self.keyed.then(|| self.key(line, text.as_deref().unwrap_or_default()));
        let mut fields = vec![("v", Value::from(1))];
        fields.extend(self.account.as_deref().map(|account| ("account", account.into())));
        fields.extend(made.as_deref().map(|key| ("key", key.into())));
        let message = text.map(|text| with_fields(&text, &fields));
        let whole = message.as_deref().ok();
        let whole = whole.and_then(|json| serde_json::from_slice::<Map<String, Value>>(json).ok());
        let own = |name: &str| whole.as_ref()?.get(name).and_then(Value::as_str).map(str::to_owned);
        Entry { line, account: own("account"), key: own("key").or(made), message }
    }

    /// What is the same when the same line of the same file is read again, and only then.
    fn key(&self, line: u64, text: &[u8]) -> String {
        let mut hash = Sha256::new();
        for part in [self.path.as_os_str().as_encoded_bytes(), &line.to_le_bytes(), text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        digest.iter().take(16).fold("bulk-".to_owned(), |key, byte| format!("{key}{byte:02x}"))
    }
}

impl Column {
    fn of(name: &str) -> Result<Column, Usage> {
        let (field, inner) = match name.split_once('.') {
            Some((field, inner)) => (field, Some(inner)),
            None => (name, None),
        };
        Ok(match (field, inner) {
            ("account" | "text" | "key" | "reply_to", None) => Column::Text(field.to_owned()),
            ("parts" | "extra" | "deadline_ms" | "not_before_ms" | "ordered", None) => {
                Column::Json(field.to_owned())
            }
            ("to", Some(kind @ ("user" | "name" | "group" | "topic"))) => {
                Column::To(kind.to_owned())
            }
            ("to", Some(kind @ ("users" | "groups" | "discussions" | "members"))) => {
                Column::ToMany(kind.to_owned())
            }
            ("extra", Some(name)) if !name.is_empty() => Column::Extra(name.to_owned()),
            _ => {
                let words = format!("there is no column {name:?}; --help lists those there are");
                return Err(Usage::argument(words));
            }
        })
    }
}

/// The message of a row.
fn message(columns: &[Column], record: &csv::StringRecord) -> Result<Value, Error> {
    let mut message = Map::new();
    let (mut to, mut extra) = (Map::new(), Map::new());
    for (column, cell) in columns.iter().zip(record).filter(|(_, cell)| !cell.is_empty()) {
        match column {
            Column::Text(field) => drop(message.insert(field.clone(), cell.into())),
            Column::Json(field) => {
                let value = match hongyan::read_json(cell, field) {
                    Err(error) if error.code() == ErrorCode::Message => return Err(error),
                    read => read.unwrap_or_else(|_| cell.into()),
                };
                message.insert(field.clone(), value);
            }
            Column::To(kind) => drop(to.insert(kind.clone(), cell.into())),
            Column::ToMany(kind) => {
                let many = cell.split(';').map(str::trim).filter(|one| !one.is_empty());
                to.insert(kind.clone(), many.collect::<Vec<_>>().into());
            }
            Column::Extra(name) => drop(extra.insert(name.clone(), cell.into())),
        }
    }
    if !to.is_empty() {
        message.insert("to".to_owned(), to.into());
    }
    if !extra.is_empty() {
        match message.get_mut("extra") {
            Some(Value::Object(whole)) => {
                if let Some(name) = extra.keys().find(|name| whole.contains_key(*name)) {
                    let words = format!("{name:?} stands in the column \"extra\" already");
                    return Err(Error::new(ErrorCode::Message, words).at(format!("extra.{name}")));
                }
                whole.extend(extra);
            }
            // What is no object is refused with its path.
            Some(_) => {}
            None => drop(message.insert("extra".to_owned(), extra.into())),
        }
    }
    Ok(message.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(header: &str, row: &str) -> Value {
        read(header, row).expect("a message")
    }

    fn read(header: &str, row: &str) -> Result<Value, Error> {
        let text = format!("{header}\n{row}\n");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().expect("headers").clone();
        let columns: Vec<_> =
            headers.iter().map(|name| Column::of(name).expect("a column")).collect();
        let record = reader.records().next().expect("a row").expect("CSV");
        message(&columns, &record)
    }

    #[test]
    fn a_name_given_twice_is_refused_with_its_path() {
        for (header, row, path) in [
            ("extra", r#""{""a"": 1, ""\u0061"": 1}""#, "extra.a"),
            (
                "parts",
                r#""[{""type"": ""raw"", ""value"": {""x"": 1, ""x"": 2}}]""#,
                "parts[0].value.x",
            ),
            ("extra,extra.Random", r#""{""Random"": 1}",2"#, "extra.Random"),
        ] {
            let error = read(header, row).expect_err("twice");
            assert_eq!((error.code(), error.path()), (ErrorCode::Message, Some(path)), "{error}");
        }
    }

    #[test]
    fn a_row_becomes_a_message_and_empty_cells_nothing() {
        let got = made(
            "account,to.members,to.group,text,ordered,deadline_ms,extra.Sound,extra,parts",
            "a,\"x; y\",g,\"hi, \"\"you\"\"\",true,soon,7,\"{\"\"Random\"\": 1}\",",
        );
        let expected = json!({
            "account": "a", "text": "hi, \"you\"", "ordered": true, "deadline_ms": "soon",
            "extra": {"Random": 1, "Sound": "7"}, "to": {"members": ["x", "y"], "group": "g"},
        });
        assert_eq!(got, expected);
        assert_eq!(made("text,to.user", "007,"), json!({"text": "007"}));
    }

    #[test]
    fn an_unknown_column_is_refused() {
        for name in ["colour", "to", "to.planet", "extra.", "text.", "text.x", ""] {
            assert!(Column::of(name).is_err(), "{name}");
        }
    }
}
