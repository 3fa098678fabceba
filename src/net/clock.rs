//! Time, as a trait: retries and deadlines are tested without waiting.

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
