//! What a client program measures of itself: as benches/c/measure.h.

use std::time::{Duration, Instant};

use crate::work::REFUSED_EVERY;

/// What every client program is told.
pub struct Args {
    /// How to send; "once" sends one message and prints nothing.
    pub mode: String,
    /// The base URL, with its prefix.
    pub url: String,
    /// How many messages are under way at a time.
    pub in_flight: usize,
    /// How many messages are measured.
    pub messages: u64,
    /// A file with the certificate to trust.
    pub ca: Option<String>,
}

impl Args {
    /// Reads `MODE URL IN_FLIGHT MESSAGES [CA]`.
    pub fn read() -> Args {
        let mut args = std::env::args().skip(1);
        let mut next = || args.next().expect("usage: PROGRAM MODE URL IN_FLIGHT MESSAGES [CA]");
        let args = Args {
            mode: next(),
            url: next(),
            in_flight: next().parse().expect("IN_FLIGHT is a number"),
            messages: next().parse().expect("MESSAGES is a number"),
            ca: args.next(),
        };
        assert!(
            args.mode == "once" || args.messages.is_multiple_of(REFUSED_EVERY),
            "MESSAGES is a multiple of {REFUSED_EVERY}"
        );
        args
    }
}

/// A measurement under way.
pub struct Measure {
    messages: u64,
    sent: u64,
    refused: u64,
    latency_ns: Vec<u32>,
    usage: libc::rusage,
    began: Instant,
}

impl Measure {
    /// Begins measuring this many messages.
    pub fn begin(messages: u64) -> Measure {
        let latency_ns = vec![u32::MAX; messages as usize];
        Measure { messages, sent: 0, refused: 0, latency_ns, usage: usage(), began: Instant::now() }
    }

    /// How many messages are measured.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// The message that is index-th since the beginning has its answer.
    pub fn answer(&mut self, index: u64, took: Duration, sent: bool) {
        self.latency_ns[index as usize] = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
        if sent {
            self.sent += 1;
        } else {
            self.refused += 1;
        }
    }

    /// Ends the program if what became of the messages is not what has to.
    pub fn check(&self) {
        let refused = self.messages / REFUSED_EVERY;
        assert_eq!((self.sent, self.refused), (self.messages - refused, refused));
    }

    /// Ends measuring, checks the counts and prints the line.
    pub fn end(mut self, version: &str) {
        let (wall, end) = (self.began.elapsed(), usage());
        self.check();
        self.latency_ns.sort_unstable();
        let n = self.messages as f64;
        let count = self.messages as usize;
        let user = micros(end.ru_utime) - micros(self.usage.ru_utime);
        let kernel = micros(end.ru_stime) - micros(self.usage.ru_stime);
        let line = serde_json::json!({
            "version": version,
            "messages": self.messages,
            "sent": self.sent,
            "refused": self.refused,
            "cpu_us": (user + kernel) / n,
            "user_us": user / n,
            "kernel_us": kernel / n,
            "wall_us": wall.as_secs_f64() * 1e6 / n,
            "voluntary": (end.ru_nvcsw - self.usage.ru_nvcsw) as f64 / n,
            "involuntary": (end.ru_nivcsw - self.usage.ru_nivcsw) as f64 / n,
            "p50_us": f64::from(self.latency_ns[count / 2]) / 1e3,
            "p99_us": f64::from(self.latency_ns[count * 99 / 100]) / 1e3,
            "vmhwm_kb": vmhwm_kb(),
        });
        println!("{line}");
    }
}

fn usage() -> libc::rusage {
    let mut usage = std::mem::MaybeUninit::zeroed();
    // SAFETY: getrusage writes the whole structure, whose pointer is valid.
    unsafe {
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()), 0);
        usage.assume_init()
    }
}

fn micros(time: libc::timeval) -> f64 {
    time.tv_sec as f64 * 1e6 + time.tv_usec as f64
}

/// The highest resident size of this process so far.
fn vmhwm_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
