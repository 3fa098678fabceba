//! What can go wrong with an outbox file, in words.

use std::path::Path;

use rusqlite::ErrorCode as Sqlite;

use crate::model::error::{Error, ErrorCode};

/// `storage`: what was tried, with which file, what is wrong, and what to do.
pub(super) fn storage(path: &Path, what: &str, error: &rusqlite::Error) -> Error {
    let (words, advice) = match error.sqlite_error() {
        Some(code) => (
            format!("{error} (SQLite {})", code.extended_code),
            advice(code.code, code.extended_code),
        ),
        // A row that holds what no owner wrote.
        None => (error.to_string(), DAMAGED),
    };
    Error::new(ErrorCode::Storage, format!("cannot {what} {}: {words}", path.display()))
        .hint(advice)
}

/// The same for what the file system said.
pub(super) fn system(path: &Path, what: &str, error: &std::io::Error) -> Error {
    let advice = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => FULL,
        std::io::ErrorKind::NotFound => GONE,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => READ_ONLY,
        _ => FAILING,
    };
    Error::new(ErrorCode::Storage, format!("cannot {what} {}: {error}", path.display()))
        .hint(advice)
}

/// `storage`: this member was taken for dead.
pub(super) fn gone(path: &Path) -> Error {
    let words = format!(
        "this client was silent for longer than its lease, so that what it held in the outbox {} went to others",
        path.display()
    );
    Error::new(ErrorCode::Storage, words)
        .hint("it goes on by itself; raise \"lease_ms\" if it was alive")
}

/// `storage`: the file is not what it should be.
pub(super) fn wrong(path: &Path, is: &str, advice: &str) -> Error {
    Error::new(ErrorCode::Storage, format!("the outbox {} {is}", path.display())).hint(advice)
}

pub(super) const GONE: &str = "bring the folder and its files back; until then nothing is accepted";
const FULL: &str = "make room on the disk, or acknowledge results; what was accepted before is safe and \
                    goes on";
const READ_ONLY: &str = "the file and its folder must be writable by this user";
const FAILING: &str = "the disk or its connection fails: see the system's log";
const BUSY: &str = "another program has the file open and locked: close it there";
pub(super) const DAMAGED: &str = "the file is damaged: a client that opens it rescues what can be read and keeps \
                       the damaged file; where that says the same, copy it with its -wal and try \
                       `sqlite3 FILE .recover` on the copy";

/// True of an error that says that the disk is full.
pub(super) fn is_full(error: &Error) -> bool {
    error.hint_text() == Some(FULL)
}

/// True of an error that says that the file is damaged.
pub(super) fn is_damage(error: &Error) -> bool {
    error.hint_text() == Some(DAMAGED)
}

fn advice(code: Sqlite, extended: i32) -> &'static str {
    match code {
        Sqlite::DiskFull => FULL,
        Sqlite::ReadOnly | Sqlite::PermissionDenied | Sqlite::AuthorizationForStatementDenied => {
            READ_ONLY
        }
        Sqlite::DatabaseBusy | Sqlite::DatabaseLocked | Sqlite::FileLockingProtocolFailed => BUSY,
        Sqlite::DatabaseCorrupt | Sqlite::NotADatabase | Sqlite::TypeMismatch => DAMAGED,
        Sqlite::CannotOpen => GONE,
        Sqlite::SystemIoFailure if extended == rusqlite::ffi::SQLITE_IOERR_CORRUPTFS => DAMAGED,
        Sqlite::SystemIoFailure if extended == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => FULL,
        Sqlite::SystemIoFailure => FAILING,
        Sqlite::OutOfMemory => "the process is out of memory",
        _ => "the file may be damaged, or another program has changed it",
    }
}
