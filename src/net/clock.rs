//! Time, as a trait: retries and deadlines are tested without waiting.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Boxed;

/// A wait that is over at some time.
pub type Sleep = Boxed<'static, ()>;

/// Tells the time and waits for it.
pub trait Clock: Send + Sync {
    /// Time that never goes back, since some moment.
    fn now(&self) -> Duration;

    /// Unix time, in milliseconds; may jump when somebody sets the clock.
    fn unix_ms(&self) -> u64;

    /// Waits until [`Clock::now`] is `at`.
    fn sleep_until(&self, at: Duration) -> Sleep;
}

/// A wait that can be set again, at almost no cost where it is put off: it goes off at the earlier time
/// for nobody, and only then looks how long is left.
pub struct Alarm {
    clock: Arc<dyn Clock>,
    due: Duration,
    /// The wait under way, and when it is over; `None` once the alarm has gone off.
    sleep: Option<(Sleep, Duration)>,
}

impl Alarm {
    /// An alarm that goes off at `due`, by this clock.
    pub fn new(clock: &Arc<dyn Clock>, due: Duration) -> Alarm {
        Alarm { clock: Arc::clone(clock), due, sleep: Some((clock.sleep_until(due), due)) }
    }

    /// Sets it anew, whether it has gone off or not.
    pub fn set(&mut self, due: Duration) {
        self.due = due;
        if self.sleep.as_ref().is_none_or(|(_, over)| *over > due) {
            self.sleep = Some((self.clock.sleep_until(due), due));
        }
    }
}

impl Future for Alarm {
    type Output = ();

    /// Ready once it has gone off, and ever after until it is set again.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let alarm = &mut *self;
        while let Some((sleep, over)) = &mut alarm.sleep {
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let is_early = *over < alarm.due;
            alarm.sleep = is_early.then(|| (alarm.clock.sleep_until(alarm.due), alarm.due));
        }
        Poll::Ready(())
    }
}
