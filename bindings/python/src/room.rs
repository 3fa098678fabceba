//! Where those wait who find the client full.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Callers who wait for room, woken one by one.
#[derive(Default)]
pub struct Room {
    waiting: AtomicUsize,
    lock: Mutex<()>,
    news: Condvar,
}

impl Room {
    /// Waits until there may be room, at most so long: who is told nothing looks again.
    pub fn wait(&self, within: Duration) {
        let guard = self.lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.waiting.fetch_add(1, Ordering::AcqRel);
        drop(self.news.wait_timeout(guard, within));
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    /// There may be room for one more.
    pub fn freed(&self) {
        if self.waiting.load(Ordering::Acquire) > 0 {
            self.news.notify_one();
        }
    }
}
