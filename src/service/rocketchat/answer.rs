//! What Rocket.Chat answers: `{"success": true, …}`, or `{"success": false, "error": "words [error-code]"}`.

use std::time::Duration;

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// The words of refusals that have no code.
const SENTENCES: [&str; 2] = [
    "Invalid integration id or token provided.",
    "overriding destination channel is disabled for this integration",
];
/// What a webhook says that is switched off.
const SWITCHED_OFF: &str = "Service Unavailable";
/// What stands before the seconds to wait.
const WAIT: &str = "You must wait ";

/// Reads the answer to a message, which holds the message.
pub fn message(answer: &Answer) -> Reading {
    read(answer, |body| {
        let [message] = members(body, ["message"])?;
        let [id] = match message.filter(|message| message.starts_with('{')) {
            Some(message) => members(message, ["_id"])?,
            None => return Ok(None),
        };
        Ok(word(id)?.map(|id| Reading::sent(Some(id), None)))
    })
}

/// Reads the answer to a webhook's message.
pub fn hook(answer: &Answer) -> Reading {
    match refusal(answer, Some(SWITCHED_OFF)) {
        Some(reading) => reading,
        None => read(answer, |_| Ok(Some(Reading::sent(None, None)))),
    }
}

/// Reads the answer to the question whose token this is.
pub fn known(answer: &Answer) -> Reading {
    read(answer, |body| {
        let [id, name] = members(body, ["_id", "username"])?;
        let is_one = word(id)?.is_some() && word(name)?.is_some();
        Ok(is_one.then(|| Reading::sent(None, None)))
    })
}

/// A member that is text, and says something.
fn word(json: Option<&str>) -> Result<Option<String>, String> {
    let text = parsed::<String>(json.filter(|json| json.starts_with('"')))?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

fn read(answer: &Answer, success: impl Fn(&str) -> Result<Option<Reading>, String>) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    if let Some(reading) = refusal(answer, None) {
        return reading;
    }
    match of_success(answer, body, success) {
        Ok(Some(reading)) => reading,
        Err(e) if is_success(answer.status) => {
            Reading::Unreadable(format!("the answer is not Rocket.Chat's JSON: {e}"))
        }
        Ok(None) | Err(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

fn of_success(
    answer: &Answer,
    body: &str,
    success: impl Fn(&str) -> Result<Option<Reading>, String>,
) -> Result<Option<Reading>, String> {
    let names = ["success", "error", "errorType", "errors", "exception"];
    let [ok, error, kind, errors, exception] = members(body, names)?;
    if ok != Some("true") || errors.is_some() || exception.is_some() {
        return Ok(None);
    }
    let Some(sent) = success(body)? else { return Ok(None) };
    if let Some(fault) = error.or(kind) {
        let words = format!("the answer is a success, and yet has an error: {fault}");
        return Ok(Some(Reading::Contradiction(words)));
    }
    if is_success(answer.status) {
        return Ok(Some(sent));
    }
    // Without a message others say as much, in any status.
    let is_own = matches!(sent, Reading::Sent { id: Some(_), .. });
    let words = format!("the answer is a success, but has HTTP status {}", answer.status);
    Ok(is_own.then_some(Reading::Contradiction(words)))
}

/// A refusal in Rocket.Chat's own words; its code is the status.
fn refusal(answer: &Answer, also: Option<&str>) -> Option<Reading> {
    let body = text(answer).ok().filter(|_| (400..600).contains(&answer.status))?;
    let names = ["success", "error", "errorType", "status", "message"];
    let [ok, error, kind, status, message] = members(body, names).ok()?;
    let (error, kind, message) = (word(error).ok()?, word(kind).ok()?, word(message).ok()?);
    let words = match (ok, status) {
        (Some("false"), None) => {
            let mut words = error.filter(|error| {
                let is_code = kind.as_deref().is_some_and(is_code) || has_code(error);
                is_code || SENTENCES.contains(&&**error) || also == Some(error)
            })?;
            if let Some(kind) = kind.filter(|kind| !words.contains(&**kind)) {
                words.push_str(&format!("; {kind}"));
            }
            words
        }
        (None, Some("\"error\"")) => {
            message.filter(|message| message.starts_with("You must be logged in"))?
        }
        _ => return None,
    };
    let wait = told_wait(&words);
    Some(Reading::Refused { code: answer.status.to_string(), text: words, wait })
}

/// True for a code of Rocket.Chat's own form: small words with `-` between them.
fn is_code(word: &str) -> bool {
    word.contains('-') && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// True if words are a code, or end with one in brackets.
fn has_code(words: &str) -> bool {
    let inner = words.strip_suffix(']').and_then(|words| words.rsplit_once('['));
    is_code(inner.map_or(words, |(_, code)| code))
}

/// The seconds that a sentence tells to wait.
fn told_wait(words: &str) -> Option<Duration> {
    let (_, rest) = words.split_once(WAIT)?;
    let (number, _) = rest.split_once(" second")?;
    number.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, .. } => format!("sent {}", id.unwrap_or_default()),
            Reading::Refused { code, text, wait } => {
                format!("refused {code} {text} {}", wait.unwrap_or_default().as_millis())
            }
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    const SLOW: &str = "Error, too many requests. Please slow down. You must wait 57 seconds before \
                        trying this endpoint again. [error-too-many-requests]";

    #[test]
    fn an_answer_is_rocket_chat_s_in_its_own_shape_only() {
        let slow = format!(r#"{{"success":false,"error":"{SLOW}"}}"#);
        let waits = format!("refused 429 {SLOW} 57000");
        for (status, body, is) in [
            (200, r#"{"success":true,"message":{"_id":"a1"}}"#, "sent a1"),
            (200, r#"{"success":true,"message":{"_id":"a1"},"error":"no"}"#, "contradiction"),
            (200, r#"{"success":true,"message":{"_id":""}}"#, "unreadable"),
            (200, r#"{"success":true,"message":"sent"}"#, "unreadable"),
            (200, r#"{"success":true}"#, "unreadable"),
            (502, r#"{"success":true,"message":{"_id":"a1"}}"#, "contradiction"),
            (400, r#"{"success":false,"error":"no [error-invalid-room]"}"#, {
                "refused 400 no [error-invalid-room] 0"
            }),
            (400, r#"{"success":false,"error":"no","errorType":"error-invalid-room"}"#, {
                "refused 400 no; error-invalid-room 0"
            }),
            (400, r#"{"success":false,"error":"invalid-channel"}"#, {
                "refused 400 invalid-channel 0"
            }),
            (400, r#"{"success":false,"error":"Bad Request"}"#, "unreadable"),
            (503, r#"{"success":false,"error":"Service Unavailable"}"#, "unreadable"),
            (401, r#"{"status":"error","message":"You must be logged in to do this."}"#, {
                "refused 401 You must be logged in to do this. 0"
            }),
            (401, r#"{"status":"error","message":"Unauthorized"}"#, "unreadable"),
            (429, &*slow, &*waits),
        ] {
            assert_eq!(told_of(message(&answer(status, body))), is, "{status} {body}");
        }
    }

    #[test]
    fn a_webhook_s_answer_has_no_message() {
        for (status, body, is) in [
            (200, r#"{"success":true}"#, "sent "),
            (200, r#"{"success":true,"error":"no"}"#, "contradiction"),
            (200, r#"{"success":false}"#, "unreadable"),
            (200, "ok", "unreadable"),
            (500, r#"{"success":true}"#, "unreadable"),
            (503, r#"{"success":false,"error":"Service Unavailable"}"#, {
                "refused 503 Service Unavailable 0"
            }),
            (503, r#"{"success":false,"error":"Service temporarily unavailable"}"#, "unreadable"),
            (404, r#"{"success":false,"error":"Invalid integration id or token provided."}"#, {
                "refused 404 Invalid integration id or token provided. 0"
            }),
        ] {
            assert_eq!(told_of(hook(&answer(status, body))), is, "{status} {body}");
        }
    }
}
