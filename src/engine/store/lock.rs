//! The lock beside an outbox file: its members share it, and whoever is alone with the file knows it.
//!
//! Versions of this library that know of one owner only hold the same lock for themselves alone. So none
//! of them opens a file that has members, and what such a one has is told as `locked`.

#[cfg(unix)]
use std::fs::TryLockError;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::gate;
use super::sqlite::file;
use super::sqlite::log::Mark;
#[cfg(windows)]
use crate::engine::results::wake;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::file::open_own;

/// How often somebody who waits asks again.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// So often in a row the file must name an owner before that is believed: somebody who has just taken
/// the lock may not have written yet that he goes soon.
const ASKED: u32 = 5;

/// No lock file is longer.
const LONGEST: u64 = 256;

/// Each of the two lines of the file: who opened it last, and how far the log reaches.
const LINE: usize = 40;
const MARK: &str = "log ";

/// Stands behind the number of a process that has the lock for one change only.
const FOR_A_TURN: &str = "turn";

/// The door of a file: who opens or leaves it holds it meanwhile, so that he alone does.
#[derive(Debug)]
pub(super) struct Door(u64);

impl Door {
    /// Waits for the door at most so long; `locked` if others hold it for longer.
    pub(super) fn take(outbox: &Path, wait: Duration) -> Result<Door> {
        let path = file::beside(outbox, "-door");
        let start = Instant::now();
        loop {
            let made = gate::without_heirs(|| {
                let file = open(&path)?;
                let locked = try_lock(&file, false).map_err(|e| failed(&path, "lock", &e))?;
                Ok(locked.then_some(file))
            })?;
            if let Some(number) = made {
                return Ok(Door(number));
            }
            if start.elapsed() >= wait {
                let words =
                    format!("the outbox {} is being opened by another client", outbox.display());
                return Err(Error::new(ErrorCode::Locked, words)
                    .hint("try again; a damaged file is rescued first, which takes time"));
            }
            std::thread::sleep(ASK_EVERY);
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        gate::close(self.0);
    }
}

/// The lock of a file as one member has it; it ends with the process, however that ends, and no child
/// has it.
///
/// The lock file stays when the last member goes: removing it would let two share nothing.
#[derive(Debug)]
pub(super) struct Lock {
    number: u64,
}

impl Lock {
    /// Takes a share of the lock, behind the door; true beside it if nobody else has one.
    ///
    /// `locked` where an older version has the file for itself; one that goes soon is waited for.
    pub(super) fn share(outbox: &Path, wait: Duration) -> Result<(Lock, bool)> {
        let path = beside(outbox);
        let start = Instant::now();
        let mut owned = 0;
        loop {
            // Given back at once: behind the door nobody can come in between but an older version, which
            // is noticed then.
            let alone = is_free(&path)?;
            if let Some(number) = gate::without_heirs(|| attempt(&path, true))? {
                return Ok((Lock { number }, alone));
            }
            let holder = Holder::read(&path);
            owned = if holder.takes_turns() { 0 } else { owned + 1 };
            if owned >= ASKED || start.elapsed() >= wait {
                return Err(locked(outbox, &holder));
            }
            std::thread::sleep(ASK_EVERY);
        }
    }

    /// What members of the file have noted of its log, if they did.
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

    /// Writes down who opened the file last, for people; a file that no outbox wrote is left as it is.
    pub(super) fn sign(&self, outbox: &Path) -> Result<()> {
        let path = beside(outbox);
        gate::with_file(self.number, sign).map_err(|e| failed(&path, "use", &e))
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

/// Opens the file and locks it, alone or with others, if that is free.
fn attempt(path: &Path, shared: bool) -> Result<Option<File>> {
    let file = open(path)?;
    let locked = try_lock(&file, shared).map_err(|e| failed(path, "lock", &e))?;
    Ok(locked.then_some(file))
}

/// True if nobody has a share of the lock.
fn is_free(path: &Path) -> Result<bool> {
    let number = gate::without_heirs(|| attempt(path, false))?;
    Ok(number.inspect(|number| gate::close(*number)).is_some())
}

/// Opens a file that is there to be locked.
pub(super) fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open_own(path, &mut options)
        .and_then(|file| file::refuse_others(path, &file.metadata()?).map(|()| file))
        .map_err(|e| failed(path, "open", &e))
}

/// Locks the file for as long as it is open; false if somebody else has, in a way that excludes this one.
#[cfg(unix)]
pub(super) fn try_lock(file: &File, shared: bool) -> io::Result<bool> {
    match if shared { file.try_lock_shared() } else { file.try_lock() } {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(windows)]
pub(super) fn try_lock(file: &File, shared: bool) -> io::Result<bool> {
    wake::try_lock(file, shared)
}

pub(super) fn failed(path: &Path, what: &str, error: &io::Error) -> Error {
    let text = format!("cannot {what} the lock file {}: {error}", path.display());
    Error::new(ErrorCode::Storage, text)
        .hint("the folder of the outbox must be writable, and on a disk that knows locks")
}

fn sign(file: &mut File) -> io::Result<()> {
    let mut before = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    Read::by_ref(file).take(LONGEST).read_to_end(&mut before)?;
    let before = String::from_utf8_lossy(&before).into_owned();
    if !(before.trim().is_empty() || Holder::parse(&before).is_some()) {
        let words = "it holds something else, so it is another program's";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
    }
    file.seek(SeekFrom::Start(0))?;
    // Whose it is helps others only: without it the lock is as good.
    let _ = file.write_all(line(&std::process::id().to_string()).as_bytes());
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
        Some(process) => format!("process {process}"),
        None => "another process".to_owned(),
    };
    let words = format!(
        "the outbox {} belongs to {whose} alone, which has an older hongyan",
        outbox.display()
    );
    Error::new(ErrorCode::Locked, words)
        .hint("end that process, or give it this version: from then on any number share the file")
}
