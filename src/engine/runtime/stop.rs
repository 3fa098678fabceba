//! A flag that ends what waits for it.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;

use tokio::sync::Notify;

/// A flag that somebody may wait for.
#[derive(Default)]
pub struct Stop {
    state: AtomicU8,
    notify: Notify,
}

/// Nothing more is begun; what is begun goes on.
const WINDS_DOWN: u8 = 1;
const STOPPED: u8 = 2;

impl Stop {
    /// Raises the flag, for good.
    pub fn stop(&self) {
        self.raise(STOPPED);
    }

    /// Says that nothing more is to be begun. Whoever waits for the flag is woken, and sees it by
    /// [`Stop::winds_down`]; the flag itself stays down.
    pub fn wind_down(&self) {
        self.raise(WINDS_DOWN);
    }

    fn raise(&self, state: u8) {
        self.state.fetch_max(state, Ordering::AcqRel);
        self.notify.notify_waiters();
    }

    /// True once nothing more is to be begun.
    pub fn winds_down(&self) -> bool {
        self.state.load(Ordering::Acquire) >= WINDS_DOWN
    }

    /// True once it is raised.
    pub fn is_stopped(&self) -> bool {
        self.state.load(Ordering::Acquire) == STOPPED
    }

    /// Waits until the flag is raised.
    pub async fn stopped(&self) {
        loop {
            let mut notified = pin!(self.notify.notified());
            poll_fn(|cx| {
                // Registered before the flag is read: a stop between the two is not missed.
                let is_notified = notified.as_mut().poll(cx).is_ready();
                match is_notified || self.is_stopped() {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
            if self.is_stopped() {
                return;
            }
        }
    }
}
