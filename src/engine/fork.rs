//! What the library does around a fork of its process, so that the child can always begin anew.
//!
//! A child has the memory of its parent, with one thread in it. What another thread had locked stays
//! locked in the child, so a fork takes the locks of the whole process first: that of the log function
//! and that of the open outboxes. The locks of a client need no care, since no call on a client that
//! was inherited comes that far.

use std::sync::atomic::{AtomicBool, Ordering};

use super::wake::at_fork;
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

extern "C" fn before() {
    #[cfg(feature = "outbox")]
    super::store::fork::before();
    log::before_fork();
}

extern "C" fn in_parent() {
    log::after_fork(false);
    #[cfg(feature = "outbox")]
    super::store::fork::after(false);
}

extern "C" fn in_child() {
    log::after_fork(true);
    #[cfg(feature = "outbox")]
    super::store::fork::after(true);
}
