//! A stand-in for the wake descriptor that tells whether it is readable.

use std::cell::Cell;
use std::io;

std::thread_local! {
    /// How much there is to read: a model runs on one thread of the system and makes one queue.
    static UNREAD: Cell<usize> = const { Cell::new(0) };
}

/// A pipe: what was raised twice must be lowered twice, unlike an eventfd.
pub struct Wake;

impl Wake {
    pub fn new() -> io::Result<Wake> {
        UNREAD.set(0);
        Ok(Wake)
    }

    pub fn raise(&self) {
        UNREAD.set(UNREAD.get() + 1);
    }

    pub fn lower(&self) {
        UNREAD.set(UNREAD.get().saturating_sub(1));
    }

    pub fn handle(&self) -> isize {
        3
    }
}

/// What a poll of the descriptor would say.
pub fn readable() -> bool {
    UNREAD.get() > 0
}
