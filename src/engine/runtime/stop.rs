//! A flag that ends what waits for it.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::sync::Notify;

/// A flag that somebody may wait for.
#[derive(Default)]
pub struct Stop {
    stopped: AtomicBool,
    notify: Notify,
}

impl Stop {
    /// Raises the flag, for good.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    /// Waits until the flag is raised.
    pub async fn stopped(&self) {
        let mut notified = pin!(self.notify.notified());
        poll_fn(|cx| {
            // Registered before the flag is read: a stop between the two is not missed.
            let is_notified = notified.as_mut().poll(cx).is_ready();
            match is_notified || self.stopped.load(Ordering::Acquire) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}
