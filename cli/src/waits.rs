//! What a send waits for, told while it waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hongyan::{Client, LogLevel};
use serde_json::Value;

use crate::output::diagnose;

/// What takes longer than this is told of.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// Tells on stderr what a send waits for, each thing once.
pub struct Waits {
    begin: Instant,
    /// How long it may take at most.
    time_out: Option<Duration>,
    /// What the library said of a wait and was not told of yet.
    news: Arc<Mutex<Option<String>>>,
    told: Option<String>,
}

impl Waits {
    /// From here on; the library's log is listened to.
    pub fn begin(time_out: Option<Duration>) -> Waits {
        let news = Arc::new(Mutex::new(None));
        let heard = Arc::clone(&news);
        let sink = move |_: LogLevel, target: &str, words: &str| {
            if matches!(target, "hongyan::retry" | "hongyan::wait") {
                // The id in front is told with the result.
                let words = words.split_once(' ').map_or(words, |(_, words)| words);
                *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(words.to_owned());
            }
        };
        // It is refused only inside the log function.
        let _ = hongyan::set_log(Some(LogLevel::Debug), Some(Box::new(sink)));
        Waits { begin: Instant::now(), time_out, news, told: None }
    }

    /// Tells what it waits for now, if that is new.
    pub fn tell(&mut self, client: &Client) {
        if self.begin.elapsed() < WORTH_TELLING {
            return;
        }
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner).take();
        let what = news.or_else(|| waiting_for(&client.stats_json()).map(str::to_owned));
        let what = what.unwrap_or_else(|| "for the service's answer".to_owned());
        if self.told.as_ref() == Some(&what) {
            return;
        }
        let end = match self.time_out {
            Some(time_out) => format!("for {} s at most", time_out.as_secs_f64()),
            None => "without end; --timeout sets one".to_owned(),
        };
        diagnose(&format!("hongyan: waiting, {end}: {what}"));
        self.told = Some(what);
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let _ = hongyan::set_log(None, None);
    }
}

/// What the client's only message waits for, by its statistics.
fn waiting_for(stats: &str) -> Option<&'static str> {
    let stats: Value = serde_json::from_str(stats).ok()?;
    let accounts = stats["accounts"].as_object()?;
    let waits = |why: &str| accounts.values().any(|account| account["waiting"][why] != 0);
    [
        ("key", "for the first message of its key"),
        ("time", "for its time, or for the next attempt"),
        ("pace", "for its turn within the service's rate"),
        ("connection", "for a free connection"),
        ("order", "for earlier messages to its recipient"),
    ]
    .into_iter()
    .find(|(why, _)| waits(why))
    .map(|(_, words)| words)
}
