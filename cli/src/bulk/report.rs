//! The report: every result as JSON, one a line.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use hongyan::{Delivery, Error};
use serde_json::{Value, json};

use crate::exit::Usage;

/// What an earlier run said of a message.
pub struct Known {
    pub key: Option<String>,
    pub delivery: Delivery,
    pub timed_out: bool,
    /// The error's name and words.
    pub error: Option<(String, String)>,
}

impl Known {
    /// What a result says.
    pub fn of_result(result: &Value, key: Option<String>, delivery: Delivery) -> Known {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let error = &result["error"];
        let name = text(&error["name"]);
        Known {
            key,
            delivery,
            timed_out: result["deadline"] == true || name == "timeout",
            error: (!error.is_null()).then(|| (name, text(&error["message"]))),
        }
    }
}

/// Reads what a report says, by line; what breaks off in the middle of a line is not there.
pub fn read(path: &Path) -> anyhow::Result<HashMap<u64, Known>> {
    let mut known = HashMap::new();
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(known),
        file => file.map_err(|e| cannot("read", path, &e))?,
    };
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(|e| cannot("read", path, &e))?;
        let Ok(result) = serde_json::from_slice::<Value>(&line) else { continue };
        let delivery =
            Delivery::ALL.into_iter().find(|delivery| result["delivery"] == delivery.name());
        if let (Some(line), Some(delivery)) = (result["line"].as_u64(), delivery) {
            let key = result["key"].as_str().map(str::to_owned);
            known.insert(line, Known::of_result(&result, key, delivery));
        }
    }
    Ok(known)
}

/// A report that is being written.
pub struct Report {
    file: File,
    path: PathBuf,
}

impl Report {
    /// Begins a report, or goes on with one.
    pub fn open(path: &Path, resume: bool) -> anyhow::Result<Report> {
        let mut options = OpenOptions::new();
        match resume {
            true => options.read(true).append(true).create(true),
            false => options.write(true).create_new(true),
        };
        let mut file = options.open(path).map_err(|e| match e.kind() {
            ErrorKind::AlreadyExists => {
                let words = format!("the report {} is there already", path.display());
                anyhow::Error::from(Usage::argument(format!(
                    "{words}: go on with it by --resume, or name another file"
                )))
            }
            _ => cannot("write", path, &e),
        })?;
        if resume {
            end_the_line(&mut file).map_err(|e| cannot("write", path, &e))?;
        }
        Ok(Report { file, path: path.to_owned() })
    }

    /// Adds a line, which is with the system when it returns.
    pub fn write(&mut self, line: &str) -> anyhow::Result<()> {
        let line = format!("{line}\n");
        self.file.write_all(line.as_bytes()).map_err(|e| cannot("write", &self.path, &e))
    }

    /// All is on the disk when it returns.
    pub fn end(&mut self) -> anyhow::Result<()> {
        match self.file.sync_all() {
            // A pipe knows no disk.
            Err(error) if error.kind() != ErrorKind::InvalidInput => {
                Err(cannot("write", &self.path, &error))
            }
            _ => Ok(()),
        }
    }
}

/// Ends a line in whose middle an earlier run broke off.
fn end_the_line(file: &mut File) -> std::io::Result<()> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

/// The line of a message that was not accepted.
pub fn refused(line: u64, key: Option<&str>, error: &Error) -> String {
    let error: Value = serde_json::from_str(&error.to_json()).unwrap_or_default();
    json!({"line": line, "v": 1, "key": key, "delivery": "not_sent", "error": error}).to_string()
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> anyhow::Error {
    Usage::argument(format!("cannot {what} the report {}: {error}", path.display())).into()
}
