//! One owner a file: a lock beside it, held for as long as the store lives.

#[cfg(unix)]
use std::fs::TryLockError;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::sqlite::file;
use super::sqlite::log::Mark;
use super::{Turns, gate};
#[cfg(windows)]
use crate::engine::results::wake::try_lock;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::file::open_own;

/// How often somebody who waits for his turn asks again.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// So often in a row the file must name an owner before that is believed: somebody who has just taken
/// the lock may not have written yet that he is none.
const ASKED: u32 = 5;

/// No lock file is longer.
const LONGEST: u64 = 256;

/// Each of the two lines of the file: who has it, and how far the log reaches.
const LINE: usize = 40;
const MARK: &str = "log ";

/// Stands behind the number of a process that has the lock for one change only.
const FOR_A_TURN: &str = "turn";

/// The lock of one file; it ends with the process, however that ends, and no child has it.
///
/// The lock file stays when its owner goes: removing it would let two others own one file each.
#[derive(Debug)]
pub(super) struct Lock {
    number: u64,
}

impl Lock {
    /// Takes the lock of this file, waiting for its turn.
    pub(super) fn take(outbox: &Path, turns: Turns) -> Result<Lock> {
        let path = beside(outbox);
        let start = Instant::now();
        let mut owned = 0;
        loop {
            if let Some(number) = gate::without_heirs(|| attempt(&path, turns.for_a_turn))? {
                return Ok(Lock { number });
            }
            let holder = Holder::read(&path);
            owned = if holder.takes_turns() { 0 } else { owned + 1 };
            let wait = if owned < ASKED { turns.turn.max(turns.owner) } else { turns.owner };
            if start.elapsed() >= wait {
                return Err(locked(outbox, &holder));
            }
            std::thread::sleep(ASK_EVERY);
        }
    }
}

impl Lock {
    /// What an owner of the file has noted of its log, if it did.
    pub(super) fn mark(&self) -> Option<Mark> {
        let mut bytes = [0; LINE];
        gate::with_file(self.number, |file| {
            file.seek(SeekFrom::Start(LINE as u64))?;
            file.read_exact(&mut bytes)
        })
        .ok()?;
        let mut words = std::str::from_utf8(&bytes).ok()?.strip_prefix(MARK)?.split_whitespace();
        let salts = u64::from_str_radix(words.next()?, 16).ok()?;
        Some(Mark { salts, frames: words.next()?.parse().ok()? })
    }

    /// Notes how far the log reaches; `None`, durably, before it may go.
    ///
    /// A mark is written after what it speaks of is durable, and need not be so itself: whoever finds an
    /// older one notices less. One in the way of nothing is a failure of no consequence, too.
    pub(super) fn note(&self, mark: Option<Mark>) -> io::Result<()> {
        let text = match mark {
            Some(Mark { salts, frames }) => format!("{MARK}{salts:016x} {frames}"),
            None => MARK.to_owned(),
        };
        let line = line(&text);
        gate::with_file(self.number, |file| {
            file.seek(SeekFrom::Start(LINE as u64))?;
            file.write_all(line.as_bytes())?;
            if mark.is_none() { file.sync_data() } else { Ok(()) }
        })
    }
}

/// A line of the lock file: all have one length, so that others never read a part of one.
fn line(text: &str) -> String {
    format!("{text:<width$}\n", width = LINE - 1)
}

impl Drop for Lock {
    fn drop(&mut self) {
        gate::close(self.number);
    }
}

/// Opens the file and locks it, if it is free.
fn attempt(path: &Path, for_a_turn: bool) -> Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = open_own(path, &mut options)
        .and_then(|file| file::refuse_others(path, &file.metadata()?).map(|()| file))
        .map_err(|e| failed(path, "open", &e))?;
    if !try_lock(&file).map_err(|e| failed(path, "lock", &e))? {
        return Ok(None);
    }
    note(&mut file, for_a_turn).map_err(|e| failed(path, "use", &e))?;
    Ok(Some(file))
}

/// Locks the file for as long as it is open; false if somebody else has.
#[cfg(unix)]
fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn failed(path: &Path, what: &str, error: &io::Error) -> Error {
    let text = format!("cannot {what} the lock file {}: {error}", path.display());
    Error::new(ErrorCode::Storage, text)
        .hint("the folder of the outbox must be writable, and on a disk that knows locks")
}

/// Writes down whose it is now; a file that no outbox wrote is left as it is.
fn note(file: &mut File, for_a_turn: bool) -> io::Result<()> {
    let mut before = Vec::new();
    Read::by_ref(file).take(LONGEST).read_to_end(&mut before)?;
    let before = String::from_utf8_lossy(&before).into_owned();
    if !(before.trim().is_empty() || Holder::parse(&before).is_some()) {
        let words = "it holds something else, so it is another program's";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
    }
    let process = std::process::id();
    let text = if for_a_turn { format!("{process} {FOR_A_TURN}") } else { process.to_string() };
    file.seek(SeekFrom::Start(0))?;
    // Whose it is helps others only: without it the lock is as good.
    let _ = file.write_all(line(&text).as_bytes());
    Ok(())
}

fn beside(outbox: &Path) -> PathBuf {
    file::beside(outbox, "-lock")
}

/// Who has the lock, as far as he has told.
#[derive(Default)]
struct Holder {
    process: Option<u32>,
    for_a_turn: bool,
}

impl Holder {
    fn read(path: &Path) -> Holder {
        let read = || -> io::Result<String> {
            let file = open_own(path, OpenOptions::new().read(true))?;
            let mut text = String::new();
            file.take(LONGEST).read_to_string(&mut text)?;
            Ok(text)
        };
        read().ok().and_then(|text| Holder::parse(&text)).unwrap_or_default()
    }

    /// What the lock file of an outbox says.
    fn parse(text: &str) -> Option<Holder> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        if !(rest.trim().is_empty() || rest.starts_with(MARK)) {
            return None;
        }
        let mut words = first.split_whitespace();
        let process = Some(words.next()?.parse().ok()?);
        let for_a_turn = match words.next() {
            None => false,
            Some(FOR_A_TURN) => true,
            Some(_) => return None,
        };
        words.next().is_none().then_some(Holder { process, for_a_turn })
    }

    /// True if it will not be long; also where that cannot be told.
    fn takes_turns(&self) -> bool {
        self.process.is_none() || self.for_a_turn
    }
}

fn locked(outbox: &Path, holder: &Holder) -> Error {
    let whose = match holder.process {
        Some(process) if process == std::process::id() => "another client of this process".into(),
        Some(process) => format!("process {process}"),
        None => "another process".to_owned(),
    };
    Error::new(ErrorCode::Locked, format!("the outbox {} belongs to {whose}", outbox.display()))
        .hint("close that one first, or set `shared` on both to take turns")
}
