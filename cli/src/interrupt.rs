//! Ctrl-C: what is under way is brought to its end and told of.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hongyan::Client;

use crate::output::diagnose;

/// How long what is under way may take to end, once it was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// How often it is looked whether that was asked for.
pub const LOOK: Duration = Duration::from_millis(100);

/// How often it was asked for.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// The signals to this process that ask for an end.
#[derive(Clone, Copy)]
pub struct Interrupt;

impl Interrupt {
    /// Takes SIGINT and SIGTERM from here on; the third of them ends the process.
    pub fn watch() -> Interrupt {
        static WATCHED: OnceLock<()> = OnceLock::new();
        WATCHED.get_or_init(|| {
            let handler = || {
                if ASKED.fetch_add(1, Ordering::Relaxed) > 1 {
                    std::process::exit(130);
                }
            };
            // Where it cannot be had, a signal ends the process as it always did.
            let _ = ctrlc::set_handler(handler);
        });
        Interrupt
    }

    /// True once an end was asked for.
    pub fn asked(self) -> bool {
        ASKED.load(Ordering::Relaxed) > 0
    }

    /// True once it was asked for again.
    pub fn insists(self) -> bool {
        ASKED.load(Ordering::Relaxed) > 1
    }

    /// When what is under way is cut, if it was not to be before.
    pub fn last_moment(self, until: Option<Instant>) -> Instant {
        let grace = if self.insists() { Duration::ZERO } else { GRACE };
        let last = Instant::now() + grace;
        until.map_or(last, |until| until.min(last))
    }

    /// Closes a client: what it has accepted has a while to end by itself. Its results can still be
    /// taken afterwards.
    pub fn settle(self, client: &Client) {
        let seconds = GRACE.as_secs();
        diagnose(&format!(
            "hongyan: interrupted: nothing more is begun, what is under way has {seconds} s to end; \
             once more cuts it"
        ));
        let until = Instant::now() + GRACE;
        while client.flush(Some(LOOK)) > 0 && Instant::now() < until && !self.insists() {}
        client.close(Some(Duration::ZERO));
    }
}
