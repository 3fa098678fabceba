//! How a file is kept, and the clocks that it goes by.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use super::batch::Bounds;

/// How a file is kept.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The most messages without an acknowledged result.
    pub max_messages: u64,
    /// How long those messages and their results may be together.
    pub max_bytes: u64,
    /// How many days keys and dead letters are kept.
    pub key_days: u32,
    /// Whose clients take the results of what is accepted here.
    pub owner: &'a str,
    /// It sends what is due, whoever submitted it.
    pub sends: bool,
    /// It hands out results.
    pub takes: bool,
    /// How long after its last sign of life what it has in its hands goes to others.
    pub lease: Duration,
    /// How long to wait for others that open the file, or are done with it soon.
    pub wait: Duration,
    /// It makes one change and goes, and does not look at everything.
    pub for_a_change: bool,
    /// A clock that is never set, in milliseconds.
    pub ticks: fn() -> u64,
    /// The calendar, in Unix milliseconds, which may be set.
    pub unix_ms: fn() -> u64,
}

/// Milliseconds since this process asked first, whatever becomes of the calendar.
pub fn ticks() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The calendar of the system, in Unix milliseconds.
pub fn unix_ms() -> u64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl From<&Options<'_>> for Bounds {
    fn from(options: &Options<'_>) -> Bounds {
        Bounds {
            max_messages: options.max_messages,
            max_bytes: options.max_bytes,
            keep_ms: u64::from(options.key_days) * 24 * 60 * 60 * 1000,
        }
    }
}
