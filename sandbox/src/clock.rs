//! The time the sandbox lives by, which tests can set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A source of Unix time: the system's, or one that a test moves by hand.
///
/// Every window, timestamp check and nonce memory asks this clock, so that none of them needs a
/// test that sleeps.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    manual_ms: Option<Arc<AtomicU64>>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock::default()
    }

    /// A clock that stands still at `ms` milliseconds of Unix time; clones share it.
    pub fn manual(ms: u64) -> Clock {
        Clock { manual_ms: Some(Arc::new(AtomicU64::new(ms))) }
    }

    /// Moves a manual clock forward; the system's clock is left alone.
    pub fn advance(&self, ms: u64) {
        if let Some(manual) = &self.manual_ms {
            manual.fetch_add(ms, Ordering::SeqCst);
        }
    }

    /// Milliseconds of Unix time.
    pub fn now_ms(&self) -> u64 {
        match &self.manual_ms {
            Some(manual) => manual.load(Ordering::SeqCst),
            // A clock set before 1970 is as good as 1970 here.
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

/// A moment of UTC, taken apart.
pub(crate) struct Utc {
    pub year: i64,
    pub month: u8,
    pub day: u8,
    weekday: usize,
    second_of_day: u64,
}

impl Utc {
    /// The moment `seconds` after the Unix epoch, by Howard Hinnant's civil-from-days.
    pub(crate) fn from_unix(seconds: u64) -> Utc {
        let days = (seconds / 86_400) as i64;
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * from_march + 2) / 5 + 1) as u8;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 } as u8;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Utc { year, month, day, weekday: (days % 7) as usize, second_of_day: seconds % 86_400 }
    }

    /// The time of day.
    pub(crate) fn clock(&self) -> String {
        let s = self.second_of_day;
        format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }

    fn month_name(&self) -> &'static str {
        MONTHS[usize::from(self.month) - 1]
    }

    /// The form of an HTTP Date header.
    pub(crate) fn http_date(&self) -> String {
        let (weekday, month) = (WEEKDAYS[self.weekday], self.month_name());
        format!("{weekday}, {:02} {month} {:04} {} GMT", self.day, self.year, self.clock())
    }

    /// The form of `created_at` in the services of Twitter's family.
    pub(crate) fn created_at(&self) -> String {
        self.created_at_with("+0000")
    }

    /// The same by China's clocks, as Sina's services write it.
    pub(crate) fn created_at_in_china(seconds: u64) -> String {
        Utc::from_unix(seconds + 8 * 3600).created_at_with("+0800")
    }

    fn created_at_with(&self, offset: &str) -> String {
        let (weekday, month) = (WEEKDAYS[self.weekday], self.month_name());
        format!("{weekday} {month} {:02} {} {offset} {:04}", self.day, self.clock(), self.year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_known_moments() {
        let seed = Utc::from_unix(1_321_501_520);
        assert_eq!(seed.created_at(), "Thu Nov 17 03:45:20 +0000 2011");
        let in_china = Utc::created_at_in_china(1_291_605_691);
        assert_eq!(in_china, "Mon Dec 06 11:21:31 +0800 2010");
        assert_eq!(seed.http_date(), "Thu, 17 Nov 2011 03:45:20 GMT");
        assert_eq!(Utc::from_unix(0).http_date(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(Utc::from_unix(951_782_399).http_date(), "Mon, 28 Feb 2000 23:59:59 GMT");
        assert_eq!(Utc::from_unix(951_782_400).http_date(), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(Utc::from_unix(4_107_542_399).http_date(), "Sun, 28 Feb 2100 23:59:59 GMT");
        assert_eq!(Utc::from_unix(4_107_542_400).http_date(), "Mon, 01 Mar 2100 00:00:00 GMT");
    }

    #[test]
    fn a_manual_clock_is_shared_by_its_clones() {
        let clock = Clock::manual(5);
        clock.clone().advance(7);
        assert_eq!(clock.now_ms(), 12);
    }
}
