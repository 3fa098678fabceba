//! `hongyan check --live`: the services are asked whether the credentials work; nothing is sent.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hongyan::{Client, Error, ErrorCode};
use serde_json::{Value, json};

use crate::exit::Exit;

/// How many services are asked at once.
const AT_ONCE: usize = 16;

/// What a service said of an account's credentials.
pub enum Live {
    /// They work.
    Works,
    /// It cannot be asked without sending.
    CannotTell,
    /// It refuses them, or there was no way to it.
    Fails(Error),
}

impl Live {
    /// For the table of accounts.
    pub fn word(&self) -> String {
        match self {
            Live::Works => "works".to_owned(),
            Live::CannotTell => "cannot be asked".to_owned(),
            Live::Fails(error) => format!("fails: {}", error.code().name()),
        }
    }

    /// For programs: `ok` is null where nobody can tell.
    pub fn to_json(&self) -> Value {
        match self {
            Live::Works => json!({"ok": true, "error": null}),
            Live::CannotTell => json!({"ok": null, "error": null}),
            Live::Fails(error) => json!({"ok": false, "error": super::error_json(error)}),
        }
    }
}

/// Asks for every account, several at once, each for at most `time_out`.
pub fn ask(
    json: &str,
    names: &[&str],
    time_out: Duration,
) -> Result<BTreeMap<String, Live>, Error> {
    // It opens no outbox: nothing is sent.
    let client = Client::for_sends(json)?;
    let (next, found) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            let live = match client.check_account(name, Some(time_out)) {
                Ok(()) => Live::Works,
                Err(error) if error.code() == ErrorCode::Unsupported => Live::CannotTell,
                Err(error) => Live::Fails(error),
            };
            let mut found = found.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            found.insert((*name).to_owned(), live);
        }
    };
    thread::scope(|scope| {
        for _ in 1..names.len().min(AT_ONCE) {
            scope.spawn(work);
        }
        work();
    });
    Ok(found.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

/// What they said together; who cannot be asked is no failure.
pub fn exit(live: &BTreeMap<String, Live>) -> Exit {
    let fails = live.values().filter(|live| matches!(live, Live::Fails(_))).count();
    let works = live.values().any(|live| matches!(live, Live::Works));
    match (fails, works) {
        (0, _) => Exit::Sent,
        (_, true) => Exit::SomeFailed,
        (_, false) => Exit::Failed,
    }
}
