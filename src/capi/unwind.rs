//! The net that no panic passes on its way to C.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::panic::Inside;

/// Runs the body of a function that cannot fail, with a value for the case that it panics.
pub fn guard_or<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    caught(body).unwrap_or(otherwise)
}

/// Runs some code and gives back its panic, which is logged and not printed.
pub fn caught<T>(body: impl FnOnce() -> T) -> std::thread::Result<T> {
    #[cfg(feature = "private-std")]
    crate::model::panic::keep_quiet();
    let _inside = Inside::enter();
    catch_unwind(AssertUnwindSafe(body))
}
