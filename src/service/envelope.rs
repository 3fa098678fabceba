//! The rules that hold for every service: how an answer is judged once its service has read it.

use crate::model::error::ErrorCode;
use crate::model::json::too_deep;
use crate::model::receipt::Delivery;

use super::verdict::{self, Class, Outcome, Row};
use super::{Answer, Cut, object};

/// What a service's reader found in an answer.
#[derive(Debug)]
pub enum Reading {
    /// The service's own success, whole and without contradiction.
    Sent {
        /// The service's id of the message.
        id: Option<String>,
        /// When the service took it, in Unix seconds.
        time: Option<i64>,
    },
    /// The service's own refusal.
    Refused {
        /// Its code.
        code: String,
        /// Its words.
        text: String,
    },
    /// The service says OK, but that it threw the message away.
    Dropped(String),
    /// The service's own envelope, and yet no verdict can be told from it.
    Contradiction(String),
    /// Not this service's envelope.
    Unreadable(String),
}

/// Judges an answer by the service's table, and by its status where there is no envelope.
pub fn judge(table: &'static [Row], answer: &Answer, reading: Reading) -> Outcome {
    let outcome = match reading {
        Reading::Sent { id, time } => match answer.cut {
            None => Outcome::sent(id, time),
            Some(cut) => unreadable(answer, cut.words()),
        },
        Reading::Refused { code, text } => match verdict::find(table, &code, &text) {
            Some(row) => by_row(row, code, text),
            None => unreadable(
                answer,
                &format!("the service answered with the unknown code {code}: {text}"),
            ),
        },
        Reading::Dropped(reason) => {
            let row = verdict::find(table, &reason, "")
                .filter(|row| row.name == Some(ErrorCode::Dropped));
            let class = row.map_or(Class::Never, |row| row.class);
            let text = format!("the service accepted the message and threw it away: {reason}");
            let mut outcome = Outcome::failed(Delivery::NotSent, ErrorCode::Dropped, class, text);
            outcome.service_code = Some(reason);
            outcome.dropped = true;
            outcome
        }
        Reading::Contradiction(why) => {
            Outcome::failed(Delivery::MaybeSent, ErrorCode::Protocol, Class::Backoff, why)
        }
        Reading::Unreadable(why) => unreadable(answer, &why),
    };
    Outcome { told_wait: told_wait(&outcome, answer), ..outcome }
}

fn by_row(row: &Row, code: String, text: String) -> Outcome {
    let Some(name) = row.name else { return Outcome::sent(None, None) };
    let words = match text.trim() {
        "" => row.note.to_owned(),
        text => format!("{} ({text})", row.note),
    };
    let mut outcome = Outcome::failed(row.delivery, name, row.class, words);
    outcome.service_code = Some(code).filter(|code| !code.is_empty());
    outcome.repeated = name == ErrorCode::Duplicate;
    outcome
}

/// An answer without the service's envelope: its status is all there is.
pub fn unreadable(answer: &Answer, why: &str) -> Outcome {
    let status = answer.status;
    let words = format!("HTTP status {status}: {why}");
    let (delivery, name, class) = match status {
        300..=399 => {
            let words = format!("HTTP status {status}: redirects are never followed");
            return Outcome::failed(Delivery::NotSent, ErrorCode::Protocol, Class::Never, words);
        }
        429 => (Delivery::NotSent, ErrorCode::RateLimited, Class::Wait),
        400..=499 => (Delivery::NotSent, ErrorCode::Protocol, Class::Never),
        500..=599 => (Delivery::MaybeSent, ErrorCode::Service, Class::Backoff),
        _ if answer.cut == Some(Cut::TimedOut) => {
            (Delivery::MaybeSent, ErrorCode::Timeout, Class::Backoff)
        }
        _ => (Delivery::MaybeSent, ErrorCode::Protocol, Class::Backoff),
    };
    Outcome::failed(delivery, name, class, words)
}

/// `Retry-After` counts wherever waiting is the answer; a row's own time where it is longer.
fn told_wait(outcome: &Outcome, answer: &Answer) -> Option<std::time::Duration> {
    let header = answer.retry_after.filter(|wait| !wait.is_zero());
    match outcome.class {
        Class::Backoff | Class::Wait => header,
        Class::WaitFor(s) => {
            let documented = std::time::Duration::from_secs(u64::from(s));
            Some(header.map_or(documented, |header| header.max(documented)))
        }
        Class::Quota => header,
        Class::Never | Class::Resign => None,
    }
}

/// Text of an answer that a reader may look at: UTF-8 and not nested without end.
pub fn text(answer: &Answer) -> Result<&str, String> {
    if let Some(cut) = answer.cut {
        return Err(cut.words().to_owned());
    }
    let text =
        std::str::from_utf8(&answer.body).map_err(|_| "the answer is not UTF-8".to_owned())?;
    if text.trim_ascii().is_empty() {
        return Err("the answer is empty".to_owned());
    }
    if too_deep(&answer.body) {
        return Err("the answer is nested deeper than 64".to_owned());
    }
    Ok(text)
}

/// JSON that is an object: a reader of structs would take an array for one.
pub fn object<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    if let Ok(read) = object::read(text) {
        return Ok(read);
    }
    if !text.trim_start().starts_with('{') {
        return Err("it is no object".to_owned());
    }
    serde_json::from_str(text).map_err(|e| e.to_string())
}

/// The words of an answer, for messages to people, which are cut short once secrets are masked.
pub fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(64 << 10)]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
