//! The outboxes that are open in this process, which a fork leaves whole and its child gives back.
//!
//! SQLite has locks and lists of open files for the whole process. A child that inherits one of these
//! locked, or a file in the list that it does not own, can use no outbox, or not that one. So a fork
//! waits until no thread is inside SQLite; the child then closes its descriptors of the lock files, so
//! that the locks end with its parent, and closes what it inherited before it opens a file itself.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::Store;
use crate::engine::runtime::fork::{Locks, watch_with};
use crate::model::error::{Error, ErrorCode, Result};

/// How long a fork waits for a disk that does not answer. In a child of such a fork no outbox can be
/// opened.
const PATIENCE: Duration = Duration::from_secs(10);

static OPEN: Mutex<Open> = Mutex::new(Open {
    inside: 0,
    forking: false,
    torn: false,
    next: 0,
    locks: Vec::new(),
    stores: Vec::new(),
    inherited: Vec::new(),
});

/// Somebody has left SQLite, or a fork is over.
static NEWS: Condvar = Condvar::new();

struct Open {
    /// How many threads are inside SQLite.
    inside: usize,
    /// Nobody may enter.
    forking: bool,
    /// This process is the child of a fork that found a thread inside.
    torn: bool,
    next: u64,
    locks: Vec<(u64, File)>,
    /// Those that nobody works with at the moment.
    stores: Vec<(u64, Box<dyn Store>)>,
    /// Those of the parent.
    inherited: Vec<(u64, Box<dyn Store>)>,
}

thread_local! {
    /// How often this thread is inside.
    static INSIDE: Cell<usize> = const { Cell::new(0) };
    /// The lock, while this thread forks.
    static HELD: RefCell<Option<MutexGuard<'static, Open>>> = const { RefCell::new(None) };
}

fn lock() -> MutexGuard<'static, Open> {
    OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Before a fork: waits until no other thread is inside SQLite, and lets none enter.
fn before() {
    let _ = HELD.try_with(|held| {
        let Ok(mut held) = held.try_borrow_mut() else { return };
        if held.is_some() {
            return;
        }
        let own = INSIDE.try_with(Cell::get).unwrap_or(0);
        let until = Instant::now() + PATIENCE;
        let mut open = lock();
        open.forking = true;
        while open.inside > own {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            open = NEWS.wait_timeout(open, left).unwrap_or_else(|p| p.into_inner()).0;
        }
        *held = Some(open);
    });
}

/// After a fork, in the parent or in the child.
fn after(in_child: bool) {
    let _ = HELD.try_with(|held| {
        let Some(mut open) = held.try_borrow_mut().ok().and_then(|mut held| held.take()) else {
            return;
        };
        open.forking = false;
        if in_child {
            let own = INSIDE.try_with(Cell::get).unwrap_or(0);
            open.torn |= open.inside > own;
            open.inside = own;
            open.locks.clear();
            let stores = std::mem::take(&mut open.stores);
            open.inherited.extend(stores);
        } else {
            NEWS.notify_all();
        }
    });
}

/// A thread that is inside SQLite, with a store that is its own meanwhile.
struct Inside {
    store: Option<(u64, Box<dyn Store>)>,
}

impl Inside {
    /// Goes inside; no fork happens until it is dropped.
    fn enter() -> Result<Inside> {
        watch_with(Locks { before, after })?;
        let mut open = lock();
        // A thread that is inside already is waited for by the fork.
        while open.forking && INSIDE.get() == 0 {
            open = NEWS.wait(open).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        if open.torn {
            let words = "the process was forked while its outbox waited for the disk";
            return Err(Error::new(ErrorCode::Storage, words)
                .hint("end this process and fork again, or exec: the disk did not answer"));
        }
        open.inside += 1;
        INSIDE.set(INSIDE.get() + 1);
        let inherited = std::mem::take(&mut open.inherited);
        drop(open);
        inherited.into_iter().for_each(|(_, store)| store.abandon());
        Ok(Inside { store: None })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut open = lock();
        open.stores.extend(self.store.take());
        open.inside = open.inside.saturating_sub(1);
        INSIDE.set(INSIDE.get().saturating_sub(1));
        if open.forking {
            NEWS.notify_all();
        }
    }
}

/// Works with SQLite while nobody forks.
pub fn inside<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let _inside = Inside::enter()?;
    work()
}

/// Makes a file that no child keeps open, together with its number; `None` is passed on.
pub(super) fn without_heirs<E>(
    make: impl FnOnce() -> std::result::Result<Option<File>, E>,
) -> std::result::Result<Option<u64>, E> {
    let mut open = lock();
    let Some(file) = make()? else { return Ok(None) };
    open.next += 1;
    let number = open.next;
    open.locks.push((number, file));
    Ok(Some(number))
}

/// Works with the file of this number.
pub(super) fn with_file<T>(
    number: u64,
    work: impl FnOnce(&mut File) -> io::Result<T>,
) -> io::Result<T> {
    let mut open = lock();
    match open.locks.iter_mut().find(|(other, _)| *other == number) {
        Some((_, file)) => work(file),
        None => Err(io::ErrorKind::NotFound.into()),
    }
}

/// Closes the file of this number, if it is this process's.
pub(super) fn close(number: u64) {
    lock().locks.retain(|(other, _)| *other != number);
}

/// Leaves a store to be worked with by this process alone; its number.
pub(super) fn put(store: Box<dyn Store>) -> u64 {
    let mut open = lock();
    open.next += 1;
    let number = open.next;
    open.stores.push((number, store));
    number
}

/// Works with the store of this number.
pub(super) fn with_store<T>(
    number: u64,
    work: impl FnOnce(&mut dyn Store) -> Result<T>,
) -> Result<T> {
    let mut inside = Inside::enter()?;
    let mut open = lock();
    let at = open.stores.iter().position(|(other, _)| *other == number);
    let Some(at) = at else {
        let words = "this outbox was opened before fork(), by the parent";
        return Err(Error::new(ErrorCode::Forked, words));
    };
    inside.store = Some(open.stores.swap_remove(at));
    drop(open);
    match &mut inside.store {
        Some((_, store)) => work(&mut **store),
        None => Err(Error::new(ErrorCode::Internal, "an outbox got lost")),
    }
}

/// Looks at the store of this number, if nobody works with it.
pub(super) fn peek<T>(number: u64, look: impl FnOnce(&dyn Store) -> T) -> Option<T> {
    let open = lock();
    let found = open.stores.iter().find(|(other, _)| *other == number);
    found.map(|(_, store)| look(&**store))
}

/// Closes the store of this number, if it is this process's.
pub(super) fn close_store(number: u64) {
    let Ok(_inside) = Inside::enter() else { return };
    let mut open = lock();
    if let Some(at) = open.stores.iter().position(|(other, _)| *other == number) {
        let store = open.stores.swap_remove(at);
        drop(open);
        drop(store);
    }
}
