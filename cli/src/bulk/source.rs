//! The messages of a file, one by one.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use hongyan::Error;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::column::{Column, message};
use super::csv::Records;
use crate::batch::{Lines, with_fields};
use crate::exit::Usage;
use crate::{file, text};

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
    Table(Records, Vec<Column>),
}

impl Source {
    /// Opens the file; `keyed`: messages without a key get one.
    pub fn open(path: &Path, account: Option<&str>, keyed: bool) -> anyhow::Result<Source> {
        let cannot = |e| Usage::argument(format!("cannot read {}: {e}", path.display()));
        let file = file::open(path).map_err(cannot)?;
        if !file.metadata().map_err(cannot)?.is_file() {
            let words = format!("{} is no file, which could be read twice", path.display());
            return Err(Usage::argument(words).into());
        }
        let text = text::lines(file).map_err(cannot)?;
        let kind = match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl" | "ndjson") => Kind::Lines(Lines::new(text)),
            Some("csv" | "tsv") => {
                let (records, columns) = table(text)?;
                Kind::Table(records, columns)
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
            // A table that is damaged in one row may have anything in the others.
            Kind::Table(records, columns) => match records.next().map_err(damaged)? {
                Some(record) => (record.line, message(columns, &record.cells)),
                None => return Ok(None),
            },
        };
        Ok(Some(self.entry(line, text)))
    }

    /// The column that an error speaks of, in a table.
    pub fn column(&self, error: &Error) -> Option<&str> {
        match &self.kind {
            Kind::Table(_, columns) => Column::of_path(columns, error.path()?),
            Kind::Lines(_) => None,
        }
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

/// The rows of a table, and the columns that its first line names; that line tells what stands between
/// its cells, too.
fn table(text: Box<dyn BufRead>) -> Result<(Records, Vec<Column>), Usage> {
    const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];
    let mut records = Records::new(text, DELIMITERS[0]);
    let first = records.first().map_err(damaged)?;
    let mut names_by = |delimiter| {
        records.delimit(delimiter);
        records.split(first.clone()).map(|record| record.cells)
    };
    let known = DELIMITERS.into_iter().find(|delimiter| {
        names_by(*delimiter).is_ok_and(|names| names.iter().all(|name| Column::is_known(name)))
    });
    let delimiter = known.unwrap_or(DELIMITERS[0]);
    let names = names_by(delimiter).map_err(damaged)?;
    Ok((records, Column::all(&names)?))
}

fn damaged(error: io::Error) -> Usage {
    Usage::argument(format!("cannot read on: {error}"))
}
