//! What the library does around a fork of its process, so that the child can always begin anew.
//!
//! A child has the memory of its parent, with one thread in it. What another thread had locked stays
//! locked in the child, so a fork takes the locks of the whole process first: that of the log function
//! and that of the open outboxes; and it waits for threads of the library that begin or end, for the one that the
//! standard library has. The locks of a client need no care, since no call on a client that
//! was inherited comes that far.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::results::passage;
use crate::engine::results::wake::at_fork;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::log;

/// Sees to it that forks are noticed from now on.
///
/// To be called before the first use of a lock that a fork takes. Two threads may both register the
/// handlers, which do nothing the second time they are called.
pub fn watch() -> Result<()> {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if !WATCHED.load(Ordering::Acquire) {
        at_fork(before, in_parent, in_child).map_err(|error| {
            Error::new(ErrorCode::Internal, format!("forks cannot be noticed: {error}"))
        })?;
        WATCHED.store(true, Ordering::Release);
    }
    Ok(())
}

/// Who else takes locks around a fork: what it does before one, and after it in the parent (false) or in
/// the child (true).
#[derive(Clone, Copy)]
pub struct Locks {
    pub before: fn(),
    pub after: fn(in_child: bool),
}

static LOCKS: OnceLock<Locks> = OnceLock::new();

/// The same, for locks of more than the log function; there is one such holder.
#[cfg_attr(not(feature = "outbox"), allow(dead_code, reason = "only a store has such locks"))]
pub fn watch_with(locks: Locks) -> Result<()> {
    // Registered before the handlers: a fork between the two would not know of them.
    let _ = LOCKS.set(locks);
    watch()
}

extern "C" fn before() {
    if let Some(locks) = LOCKS.get() {
        (locks.before)();
    }
    log::before_fork();
    passage::before_fork();
}

extern "C" fn in_parent() {
    after(false);
}

extern "C" fn in_child() {
    after(true);
}

fn after(in_child: bool) {
    passage::after_fork(in_child);
    log::after_fork(in_child);
    if let Some(locks) = LOCKS.get() {
        (locks.after)(in_child);
    }
}
