//! What an account has done, counted.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::model::receipt::Delivery;

/// Why a message is not on its way yet.
#[derive(Clone, Copy)]
pub enum Why {
    /// Its `not_before_ms` has not come, or it waits for its next attempt.
    Time,
    /// Another message of its key is under way.
    Key,
    /// An earlier ordered message to its recipient has not ended.
    Order,
    /// The window of a rate is full.
    Pace,
    /// Every connection to its host is in use.
    Connection,
}

const WHYS: [(&str, Why); 5] = [
    ("time", Why::Time),
    ("key", Why::Key),
    ("order", Why::Order),
    ("pace", Why::Pace),
    ("connection", Why::Connection),
];

/// What one account has done since the client began.
#[derive(Default)]
pub struct AccountStats {
    accepted: AtomicU64,
    not_sent: AtomicU64,
    maybe_sent: AtomicU64,
    partly_sent: AtomicU64,
    sent: AtomicU64,
    retried: AtomicU64,
    waiting: [AtomicU32; WHYS.len()],
    latency: Latency,
}

/// A message that waits, counted while this lives.
pub struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AccountStats {
    pub fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub fn retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a message as waiting.
    pub fn waiting(&self, why: Why) -> Waiting<'_> {
        self.wait_begins(why);
        Waiting(&self.waiting[why as usize])
    }

    /// Counts a message as waiting until [`AccountStats::wait_ends`].
    pub fn wait_begins(&self, why: Why) {
        self.waiting[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn wait_ends(&self, why: Why) {
        self.waiting[why as usize].fetch_sub(1, Ordering::Relaxed);
    }

    /// How many wait for this.
    pub fn waits(&self, why: Why) -> u32 {
        self.waiting[why as usize].load(Ordering::Relaxed)
    }

    pub fn finished(&self, delivery: Delivery, took: Duration) {
        let counter = match delivery {
            Delivery::NotSent => &self.not_sent,
            Delivery::MaybeSent => &self.maybe_sent,
            Delivery::Sent => &self.sent,
            Delivery::PartlySent => &self.partly_sent,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if delivery == Delivery::Sent {
            self.latency.record(took);
        }
    }

    /// The counters as JSON, to which others of the account are added.
    pub fn to_json(&self) -> Map<String, Value> {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let waiting: Map<String, Value> =
            WHYS.iter().map(|(name, why)| ((*name).to_owned(), json!(self.waits(*why)))).collect();
        let mut told = Map::new();
        let counts = [
            ("accepted", &self.accepted),
            ("sent", &self.sent),
            ("maybe_sent", &self.maybe_sent),
            ("partly_sent", &self.partly_sent),
            ("not_sent", &self.not_sent),
            ("retried", &self.retried),
        ];
        told.extend(counts.map(|(name, counter)| (name.to_owned(), json!(count(counter)))));
        told.insert("waiting".to_owned(), Value::Object(waiting));
        told.insert("latency_ms".to_owned(), self.latency.to_json());
        told.insert("latency".to_owned(), self.latency.histogram());
        told
    }
}

/// How long sends took, in buckets that are a quarter of their lower bound wide.
///
/// They are made for the first message: of many accounts most are idle.
#[derive(Default)]
struct Latency(OnceLock<Box<Took>>);

/// How many sends took how long.
struct Took {
    buckets: [AtomicU64; Latency::BUCKETS],
    sum_ms: AtomicU64,
}

impl Latency {
    /// Enough for eleven days; what took longer counts as that.
    const BUCKETS: usize = 120;

    fn record(&self, took: Duration) {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let none = || AtomicU64::new(0);
        let new = || Box::new(Took { buckets: std::array::from_fn(|_| none()), sum_ms: none() });
        let took = self.0.get_or_init(new);
        took.buckets[Latency::bucket(ms)].fetch_add(1, Ordering::Relaxed);
        took.sum_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Single milliseconds below 4, then four buckets to every doubling.
    fn bucket(ms: u64) -> usize {
        if ms < 4 {
            return usize::try_from(ms).unwrap_or(0);
        }
        let doublings = ms.ilog2() as usize - 2;
        let quarter = (ms >> doublings) as usize & 3;
        (4 + doublings * 4 + quarter).min(Latency::BUCKETS - 1)
    }

    /// The most milliseconds that fall into a bucket.
    fn most(bucket: usize) -> u64 {
        if bucket < 4 {
            return bucket as u64;
        }
        let (doublings, quarter) = ((bucket - 4) / 4, (bucket - 4) % 4);
        ((5 + quarter as u64) << doublings) - 1
    }

    /// How many there were, how long they took together, and how many took less than so many
    /// milliseconds.
    fn histogram(&self) -> Value {
        let counts = self.counts();
        let below: Map<String, Value> = (2..=20)
            .map(|doublings| {
                let ms = 1_u64 << doublings;
                let count: u64 = counts.iter().take(Latency::bucket(ms)).sum();
                (ms.to_string(), json!(count))
            })
            .collect();
        let sum = self.0.get().map_or(0, |took| took.sum_ms.load(Ordering::Relaxed));
        json!({"count": counts.iter().sum::<u64>(), "sum_ms": sum, "below_ms": below})
    }

    fn counts(&self) -> Vec<u64> {
        let counts = self.0.get().into_iter().flat_map(|took| took.buckets.iter());
        counts.map(|count| count.load(Ordering::Relaxed)).collect()
    }

    fn to_json(&self) -> Value {
        let counts = self.counts();
        let all: u64 = counts.iter().sum();
        let percentile = |percent: u64| {
            let rank = (all * percent).div_ceil(100).max(1);
            let mut seen = 0;
            let bucket = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            });
            bucket.map(Latency::most)
        };
        json!({"p50": percentile(50), "p90": percentile(90), "p99": percentile(99)})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_upper_ends_of_their_buckets() {
        let latency = Latency::default();
        assert_eq!(latency.to_json()["p50"], Value::Null, "nothing was sent yet");
        (0..90).for_each(|_| latency.record(Duration::from_millis(3)));
        (0..9).for_each(|_| latency.record(Duration::from_millis(100)));
        latency.record(Duration::from_secs(10));
        let told = latency.to_json();
        assert_eq!((&told["p50"], &told["p90"]), (&json!(3), &json!(3)));
        assert!((100..128).contains(&told["p99"].as_u64().expect("a number")), "{told}");
    }

    #[test]
    fn a_histogram_counts_what_took_less_and_all_together() {
        let latency = Latency::default();
        for ms in [3, 4, 7, 8, 3_000_000] {
            latency.record(Duration::from_millis(ms));
        }
        let told = latency.histogram();
        assert_eq!((&told["count"], &told["sum_ms"]), (&json!(5), &json!(3_000_022)));
        let below = |ms: &str| told["below_ms"][ms].as_u64().expect("a number");
        assert_eq!((below("4"), below("8"), below("16"), below("1048576")), (1, 3, 4, 4));
    }

    #[test]
    fn every_duration_is_within_its_bucket() {
        for ms in (0..5000).chain([1 << 20, 1 << 29]) {
            let bucket = Latency::bucket(ms);
            assert!(ms <= Latency::most(bucket), "{ms}");
            assert!(bucket == 0 || ms > Latency::most(bucket - 1), "{ms}");
        }
        assert_eq!(Latency::bucket(u64::MAX), Latency::BUCKETS - 1);
    }
}
