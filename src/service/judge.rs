//! The rules that hold for every service: how an answer is judged once its service has read it.

use std::time::Duration;

use super::api::{Answer, Cut, Reading, Verdict};
use super::verdict::{self, Class, Outcome, RecipientOutcome, Row};
use crate::model::error::ErrorCode;
use crate::model::json::utf8;
use crate::model::receipt::Delivery;

/// Judges an answer by the service's table, and by its status where there is no envelope.
pub fn judge(table: &'static [Row], answer: &Answer, reading: Reading) -> Outcome {
    let mut own_wait = None;
    let outcome = match reading {
        Reading::Sent { id, time, notes } => match answer.cut {
            None => Outcome { notes, ..Outcome::sent(id, time) },
            Some(cut) => unreadable(answer, cut.words()),
        },
        Reading::Refused { code, text, wait } => match verdict::find(table, &code, &text) {
            Some(row) => {
                own_wait = wait;
                by_row(row, code, text)
            }
            None => unreadable(
                answer,
                &format!("the service answered with the unknown code {code}: {text}"),
            ),
        },
        Reading::Known { code, text, id } => {
            let outcome = judge(table, answer, Reading::refused(code, text));
            return Outcome { message_id: id, ..outcome };
        }
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
        Reading::Each(verdicts) => return each(table, answer, verdicts),
        Reading::Next | Reading::Moved => {
            let words = "an answer asks for what this engine cannot do; this is a bug in hongyan";
            Outcome::failed(Delivery::MaybeSent, ErrorCode::Internal, Class::Never, words)
        }
    };
    Outcome { told_wait: told_wait(&outcome, answer, own_wait), ..outcome }
}

/// Judges the verdict for each recipient by itself. The whole is for the trace and the pace only: too
/// fast, if it was for one of them; else what the first that failed was.
fn each(table: &'static [Row], answer: &Answer, verdicts: Vec<Verdict>) -> Outcome {
    let told = |verdict: Verdict| RecipientOutcome {
        to: verdict.to,
        outcome: match verdict.reading {
            Reading::Each(_) => judge(table, answer, Reading::Next),
            reading => judge(table, answer, reading),
        },
        error: None,
    };
    let each: Vec<RecipientOutcome> = verdicts.into_iter().map(told).collect();
    let outcomes = || each.iter().map(|told| &told.outcome);
    let delivery = Delivery::together(outcomes().map(|outcome| outcome.delivery));
    let failed = || outcomes().filter(|outcome| outcome.name.is_some());
    let too_fast = failed().find(|outcome| outcome.name == Some(ErrorCode::RateLimited));
    let whole = too_fast.or_else(|| failed().next()).or_else(|| outcomes().next()).cloned();
    let none = "the answer names no recipient";
    let none = || Outcome::failed(Delivery::MaybeSent, ErrorCode::Protocol, Class::Never, none);
    let whole = whole.unwrap_or_else(none);
    Outcome { delivery: delivery.unwrap_or(Delivery::MaybeSent), each: Some(each), ..whole }
}

fn by_row(row: &Row, code: String, text: String) -> Outcome {
    let Some(name) = row.name else { return Outcome::sent(None, None) };
    let words = match text.trim() {
        "" => row.note.to_owned(),
        text => format!("{} ({text})", row.note),
    };
    let mut outcome = Outcome::failed(row.delivery, name, row.class, words);
    outcome.service_code = Some(code).filter(|code| !code.is_empty());
    (outcome.repeated, outcome.stops) = (row.repeated, row.stops);
    outcome
}

/// An answer without the service's envelope: its status is all there is.
pub fn unreadable(answer: &Answer, why: &str) -> Outcome {
    let status = answer.status;
    let words = match status {
        407 => format!("HTTP status 407: a proxy on the way wants other credentials: {why}"),
        _ => format!("HTTP status {status}: {why}"),
    };
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

/// A told time to wait counts wherever another attempt may follow: that of `Retry-After`, that of the
/// answer itself, and a row's own; the longest of them.
fn told_wait(outcome: &Outcome, answer: &Answer, own: Option<Duration>) -> Option<Duration> {
    let told = answer.retry_after.max(own).filter(|wait| !wait.is_zero());
    match outcome.class {
        Class::Backoff | Class::Wait | Class::Quota | Class::Resign | Class::Reauthenticate => told,
        Class::WaitFor(s) => told.max(Some(Duration::from_secs(u64::from(s)))),
        // A doubt is resent where the caller or the service makes that safe.
        Class::Never => told.filter(|_| outcome.delivery == Delivery::MaybeSent),
    }
}

/// True for a status in which a service says that it took a message.
pub fn is_success(status: u16) -> bool {
    (200..300).contains(&status) && status != PARTIAL_CONTENT
}

/// The status of an answer that is a part of another.
const PARTIAL_CONTENT: u16 = 206;

/// Text of an answer that a reader may look at: whole and UTF-8.
pub fn text(answer: &Answer) -> Result<&str, String> {
    if let Some(cut) = answer.cut {
        return Err(cut.words().to_owned());
    }
    if answer.status == PARTIAL_CONTENT {
        return Err("the answer is a part of another, which nobody asked for".to_owned());
    }
    let text = utf8(&answer.body).map_err(|_| "the answer is not UTF-8".to_owned())?;
    if text.trim_ascii().is_empty() {
        return Err("the answer is empty".to_owned());
    }
    Ok(text)
}

/// Text without the white space around it, of which JSON has four characters.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

/// The words of an answer, for messages to people: as they came, since a secret in them is recognised
/// by every one of its letters, blanks too. They are made short once it is masked.
pub fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(64 << 10)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_the_text_of_xml_are_no_nesting() {
        let body = format!("<direct_message><text>{}</text></direct_message>", "[".repeat(65));
        let answer = Answer { status: 200, body: body.clone().into_bytes(), ..Answer::default() };
        assert_eq!(text(&answer), Ok(body.as_str()));
    }
}
