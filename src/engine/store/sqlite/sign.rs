//! How members of a file show that they live, and call each other: a file each, which its process has locked.
//!
//! The lock ends with the process, whatever becomes of its number. What stands in the file are three numbers:
//! two that others change to call its member, and one that the member changes as a sign of life.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::file;
#[cfg(any(target_os = "linux", target_os = "android"))]
use crate::engine::results::wake::Ear;
use crate::engine::results::wake::spawn_thread;
use crate::engine::store::gate;
use crate::engine::store::lock::{failed, open, try_lock};
use crate::model::error::{Error, Result};

/// How long the file is: what calls for work, what calls for results, and the sign of life.
const LENGTH: usize = 24;
const WORK: u64 = 0;
const RESULTS: u64 = 8;
const LIFE: u64 = 16;

/// How often a member looks whether it was called, where the system tells nobody.
const LOOKS_EVERY: Duration = Duration::from_millis(10);

/// What others called a member for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Called {
    pub(super) work: bool,
    pub(super) results: bool,
}

impl Called {
    /// To both.
    pub(super) const ALL: Called = Called { work: true, results: true };

    pub(super) fn is_any(self) -> bool {
        self.work || self.results
    }

    pub(super) fn and(self, other: Called) -> Called {
        Called { work: self.work || other.work, results: self.results || other.results }
    }
}

/// The file of a member of this process.
#[derive(Debug)]
pub(super) struct Sign {
    number: u64,
    path: PathBuf,
    seen: [u8; LENGTH],
}

impl Sign {
    /// Makes the file of a new member.
    pub(super) fn make(outbox: &Path, member: i64) -> Result<Sign> {
        let path = path_of(outbox, member);
        let made = gate::without_heirs(|| {
            let mut file = open(&path)?;
            let locked = try_lock(&file, false).map_err(|error| failed(&path, "lock", &error))?;
            file.write_all(&[0; LENGTH]).map_err(|error| failed(&path, "write", &error))?;
            Ok(locked.then_some(file))
        })?;
        let other = io::Error::other("another process has it");
        let number = made.ok_or_else(|| -> Error { failed(&path, "lock", &other) })?;
        Ok(Sign { number, path, seen: [0; LENGTH] })
    }

    /// Gives a sign of life.
    pub(super) fn give(&self) {
        // Where that fails it is taken for dead, which is safe.
        let _ = gate::with_file(self.number, |file| change(file, LIFE));
    }

    /// What it was called for since it was asked last.
    pub(super) fn called(&mut self) -> Called {
        let mut now = [0; LENGTH];
        let read = gate::with_file(self.number, |file| {
            file.seek(SeekFrom::Start(0))?;
            file.read_exact(&mut now)
        });
        if read.is_err() {
            return Called::default();
        }
        let changed = |at: u64| {
            let range = at as usize..at as usize + 8;
            now[range.clone()] != self.seen[range]
        };
        let called = Called { work: changed(WORK), results: changed(RESULTS) };
        self.seen = now;
        called
    }

    /// Calls this whenever the file was changed, until what it gives is dropped.
    pub(super) fn listen(&self, wake: Arc<dyn Fn() + Send + Sync>) -> Result<Listener> {
        Listener::start(&self.path, wake)
    }

    /// Takes the file away: its member is no more.
    pub(super) fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for Sign {
    fn drop(&mut self) {
        gate::close(self.number);
    }
}

/// Another member, as this one sees it.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) member: i64,
    pub(super) sends: bool,
    lease_ms: u64,
    file: Option<File>,
    /// Its last sign of life, and when it was seen first.
    life: [u8; 8],
    since: u64,
}

impl Other {
    pub(super) fn new(outbox: &Path, member: i64, sends: bool, lease_ms: u64, ticks: u64) -> Other {
        // Not made anew: without its file a member is gone.
        let file = File::options().read(true).write(true).open(path_of(outbox, member)).ok();
        let mut other = Other { member, sends, lease_ms, file, life: [0; 8], since: ticks };
        other.look(ticks);
        other
    }

    /// Calls it.
    pub(super) fn call(&mut self, to: Called) {
        let Some(file) = &mut self.file else { return };
        // What is not heard is found when it looks by itself.
        if to.work {
            let _ = change(file, WORK);
        }
        if to.results {
            let _ = change(file, RESULTS);
        }
    }

    /// True if its process is gone, or has given no sign of life for its lease.
    pub(super) fn is_gone(&mut self, ticks: u64) -> bool {
        let Some(file) = &self.file else { return true };
        if try_lock(file, true).unwrap_or(false) {
            return true;
        }
        self.look(ticks);
        ticks.saturating_sub(self.since) > self.lease_ms
    }

    /// Sees whether it has given a sign of life.
    fn look(&mut self, ticks: u64) {
        let Some(file) = &mut self.file else { return };
        let mut life = [0; 8];
        let read = file.seek(SeekFrom::Start(LIFE)).and_then(|_| file.read_exact(&mut life));
        if read.is_ok() && life != self.life {
            (self.life, self.since) = (life, ticks);
        }
    }
}

/// Removes the file of a member that is gone.
pub(super) fn clear(outbox: &Path, member: i64) {
    let _ = fs::remove_file(path_of(outbox, member));
}

fn path_of(outbox: &Path, member: i64) -> PathBuf {
    file::beside(outbox, &format!("-member-{member}"))
}

/// Writes another number at this place.
fn change(file: &mut File, at: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(&fastrand::u64(1..).to_ne_bytes())
}

/// A thread that listens for calls.
pub(super) struct Listener {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

enum Stop {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Ear(Arc<Ear>),
    Watch(Arc<Watch>),
}

/// Looks again and again, where the system tells nobody.
#[derive(Default)]
struct Watch {
    stopped: Mutex<bool>,
    news: Condvar,
}

impl Listener {
    fn start(path: &Path, wake: Arc<dyn Fn() + Send + Sync>) -> Result<Listener> {
        let failed = |error: io::Error| failed(path, "listen to", &error);
        // There may be no more of them for this user.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Ok(ear) = Ear::new(path) {
            let ear = Arc::new(ear);
            let stop = Stop::Ear(Arc::clone(&ear));
            let body = move || {
                while ear.hears() {
                    wake();
                }
            };
            let thread = Some(spawn_thread("hy-calls", body).map_err(failed)?);
            return Ok(Listener { stop, thread });
        }
        let mut file = File::open(path).map_err(failed)?;
        let watch = Arc::<Watch>::default();
        let stop = Stop::Watch(Arc::clone(&watch));
        let body = move || {
            let mut seen = [0; LENGTH];
            while watch.waits() {
                let mut now = [0; LENGTH];
                let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_exact(&mut now));
                if read.is_ok() && now != seen {
                    seen = now;
                    wake();
                }
            }
        };
        let thread = Some(spawn_thread("hy-calls", body).map_err(failed)?);
        Ok(Listener { stop, thread })
    }

    /// Leaves the thread, which is not in this process.
    pub(super) fn forget(mut self) {
        std::mem::forget(self.thread.take());
    }
}

impl Watch {
    /// Waits a while; false once it is to stop.
    fn waits(&self) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let waited = self.news.wait_timeout_while(stopped, LOOKS_EVERY, |stopped| !*stopped);
        !*waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        match &self.stop {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Stop::Ear(ear) => ear.stop(),
            Stop::Watch(watch) => {
                *watch.stopped.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = true;
                watch.news.notify_all();
            }
        }
        // Its panic was its own.
        let _ = thread.join();
    }
}
