//! What one sender of a shared outbox knows and what holds for all of its members: how long a service wants them to
//! wait, that an account is of no use any more, and to whom messages of an account go that name no recipient.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::engine::Shared;
use crate::engine::account::Entry;
use crate::engine::account::halt::PROBE_AFTER;
use crate::engine::attempt::pace::Window;
use crate::engine::store::Told;
use crate::model::error::{Error, ErrorCode};
use crate::model::message::To;

/// What stands before a window's scope, and before an account's name, where they are told of.
const WAIT: &str = "wait ";
const STOP: &str = "stop ";
const TO: &str = "to ";

/// What is told for good holds for a hundred years.
const FOR_GOOD: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

impl Shared {
    /// Tells all senders how long nobody may go through this window.
    pub fn tell_wait(&self, window: &Window, wait: Duration) {
        self.tell(format!("{WAIT}{}", window.scope()), wait, None);
    }

    /// Tells all senders that the service has stopped this account.
    pub fn tell_stop(&self, entry: &Entry, why: &Error) {
        let salt = self.random(|rng| rng.u64(..));
        let words = json!({
            "message": why.words(),
            "service_code": why.service_code(),
            "salt": salt.to_string(),
            "print": print(entry, salt),
        });
        self.tell(format!("{STOP}{}", entry.name), PROBE_AFTER, Some(words.to_string()));
    }

    /// Tells all senders that an account that was stopped is of use again.
    pub fn tell_resumed(&self, account: &str) {
        self.tell(format!("{STOP}{account}"), Duration::ZERO, Some(Value::Null.to_string()));
    }

    /// What the recipients of accounts have to be told of, where other members know them otherwise.
    pub fn untold_recipients(&self) -> Vec<Told> {
        let accounts = self.accounts.all().into_iter();
        let untold = accounts.filter(|own| !self.accounts.recipients.knows(&own.name, &own.to));
        untold
            .map(|own| {
                let wait = if own.to.is_empty() { Duration::ZERO } else { FOR_GOOD };
                self.told(format!("{TO}{}", own.name), wait, Some(own.to.to_json().to_string()))
            })
            .collect()
    }

    fn tell(&self, about: String, wait: Duration, words: Option<String>) {
        if let Some(outbox) = self.outbox() {
            outbox.tell(self.told(about, wait, words));
        }
    }

    fn told(&self, about: String, wait: Duration, words: Option<String>) -> Told {
        let wait = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        Told { about, until_ms: self.clock.unix_ms().saturating_add(wait), words }
    }

    /// Heeds what senders told.
    pub fn hear(&self, told: Vec<Told>) {
        for Told { about, until_ms, words } in told {
            let now = self.clock.now();
            // What is told counts whole milliseconds, and no wait is cut short.
            let left = until_ms.saturating_add(1).saturating_sub(self.clock.unix_ms());
            let until = now + Duration::from_millis(left);
            if let Some(scope) = about.strip_prefix(WAIT) {
                self.windows.block(scope, until, now);
            }
            if let (Some(account), Some(words)) = (about.strip_prefix(TO), &words)
                && let Ok(to) = To::read(words)
            {
                self.accounts.recipients.hear(account, to);
            }
            let account = about.strip_prefix(STOP).and_then(|name| self.accounts.get(name));
            let told = words.and_then(|words| serde_json::from_str::<Value>(&words).ok());
            if let (Some(entry), Some(told)) = (account, told) {
                match told.is_null() {
                    true => entry.halt.go_on(),
                    false => self.hear_stop(&entry, &told, now, until),
                }
            }
        }
    }

    /// Another sender was told that an account is of no use: with the credentials that it has here, too?
    fn hear_stop(&self, entry: &Entry, told: &Value, now: Duration, probe_at: Duration) {
        let salt = told["salt"].as_str().and_then(|salt| salt.parse().ok()).unwrap_or_default();
        if told["print"].as_str() != Some(&*print(entry, salt)) {
            return;
        }
        let why = Error::new(ErrorCode::Auth, told["message"].as_str().unwrap_or_default())
            .with_service_code(told["service_code"].as_str().map(str::to_owned));
        if entry.halt.stop_until(why, now, probe_at) {
            self.accounts.has_changed();
        }
    }
}

/// Whether two senders have the same credentials for an account: too short to find them by it.
fn print(entry: &Entry, salt: u64) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&salt.to_be_bytes()) else {
        return String::new();
    };
    mac.update(entry.sender.as_bytes());
    entry.redactor.secrets().for_each(|secret| {
        mac.update(&(secret.len() as u64).to_be_bytes());
        mac.update(secret);
    });
    let digest = mac.finalize().into_bytes();
    format!("{:02x}{:02x}", digest[0], digest[1])
}
