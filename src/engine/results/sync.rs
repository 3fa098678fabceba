//! What the queue stands on: the locks and the clock of std, and a real descriptor.

pub use std::sync::atomic::AtomicUsize;
pub use std::sync::{Arc, Condvar, Mutex, MutexGuard};
pub use std::time::Instant;

pub use crate::engine::results::wake::Wake;
