//! One owner a file: a lock beside it, held for as long as the store lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::model::error::{Error, ErrorCode, Result};

/// How often whoever waits for his turn asks again.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// The lock of one file; it ends with the process, however that ends.
///
/// The lock file stays when its owner goes: removing it would let two others own one file each.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of this file, waiting so long for its turn.
    pub(super) fn take(outbox: &Path, wait: Duration) -> Result<Lock> {
        let path = beside(outbox);
        let failed = |what: &str, error: std::io::Error| {
            let text = format!("cannot {what} the lock file {}: {error}", path.display());
            Error::new(ErrorCode::Storage, text)
                .hint("the folder of the outbox must be writable, and on a disk that knows locks")
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        super::sqlite::file::private(&mut options);
        let mut file = options.open(&path).map_err(|e| failed("open", e))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < wait => {
                    std::thread::sleep(ASK_EVERY.min(wait - start.elapsed().min(wait)));
                }
                Err(TryLockError::WouldBlock) => return Err(locked(outbox, &mut file)),
                Err(TryLockError::Error(error)) => return Err(failed("lock", error)),
            }
        }
        // Whose it is helps people only: without it the lock is as good.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Lock { _file: file })
    }
}

fn beside(outbox: &Path) -> PathBuf {
    let mut name = outbox.as_os_str().to_owned();
    name.push("-lock");
    name.into()
}

fn locked(outbox: &Path, file: &mut File) -> Error {
    let mut owner = String::new();
    let whose = match file.read_to_string(&mut owner) {
        Ok(_) if owner.parse() == Ok(std::process::id()) => "another client of this process".into(),
        Ok(_) if owner.parse::<u32>().is_ok() => format!("process {owner} (or a fork of it)"),
        _ => "another process".to_owned(),
    };
    Error::new(ErrorCode::Locked, format!("the outbox {} belongs to {whose}", outbox.display()))
        .hint("close that one first, or set `shared` on both to take turns")
}
