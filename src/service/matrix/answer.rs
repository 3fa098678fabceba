//! What a homeserver answers: an object with what was asked for, or `{"errcode": "M_…", "error": "…"}`.

use std::time::Duration;

use serde_json::Value;

use super::verdicts::TABLE;
use crate::service::api::{Answer, Granted, Reading};
use crate::service::auth::app;
use crate::service::judge::{excerpt, is_success, text};
use crate::service::verdict::Code;
use crate::service::wire::json::{members, parsed};

/// Where an answer has a token.
const TOKEN: &str = "access_token";
/// The longest wait that is told from others.
const LONGEST: Duration = Duration::from_secs(2 * 86_400);

/// Whether a room is encrypted.
pub enum Room {
    /// It is not.
    Plain,
    /// It is.
    Encrypted,
    /// The account is not in it, and is told nothing.
    Outside(Reading),
}

/// Reads the answer to an event: its id is the proof.
pub fn sent(answer: &Answer) -> Reading {
    match named(answer, "event_id", |id| is_id(id, '$')) {
        Ok(id) => Reading::sent(Some(id), None),
        Err(reading) => reading,
    }
}

/// Reads the id of a room.
pub fn room(answer: &Answer) -> Result<String, Reading> {
    named(answer, "room_id", |id| is_id(id, '!'))
}

/// Reads whose token it is.
pub fn user(answer: &Answer) -> Result<String, Reading> {
    named(answer, "user_id", |id| is_id(id, '@'))
}

/// Reads the answer to the question whose token it is.
pub fn known(answer: &Answer) -> Reading {
    user(answer).map_or_else(|reading| reading, |_| Reading::sent(None, None))
}

/// Reads what a file is known by that went up.
pub fn media(answer: &Answer) -> Result<String, Reading> {
    named(answer, "content_uri", |uri| uri.starts_with("mxc://") && is_id(uri, 'm'))
}

/// True for an id that begins so.
fn is_id(id: &str, sigil: char) -> bool {
    id.strip_prefix(sigil).is_some_and(|rest| !rest.is_empty())
        && !id.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Reads an answer that says no more than that it is done.
pub fn done(answer: &Answer) -> Result<(), Reading> {
    object(answer).map(|_| ())
}

/// Reads which rooms are direct ones, as JSON; none where the account has never told that.
pub fn direct(answer: &Answer) -> Result<String, Reading> {
    match object(answer) {
        Ok(body) => Ok(body.to_owned()),
        Err(Reading::Refused { code, .. }) if code == "M_NOT_FOUND" => Ok("{}".to_owned()),
        Err(reading) => Err(reading),
    }
}

/// Reads whether the account is in a room, and the user in it or invited; a room that may not be looked into
/// is none.
pub fn are_in(answer: &Answer, me: &str, user: &str) -> Result<bool, Reading> {
    let body = match object(answer) {
        Ok(body) => body,
        Err(Reading::Refused { code, .. }) if matches!(&*code, "M_FORBIDDEN" | "M_NOT_FOUND") => {
            return Ok(false);
        }
        Err(reading) => return Err(reading),
    };
    let chunk =
        members(body, ["chunk"]).ok().and_then(|[chunk]| parsed::<Vec<Value>>(chunk).ok()?);
    let Some(chunk) = chunk else {
        return Err(Reading::Unreadable("the answer does not name the room's members".to_owned()));
    };
    let is = |who: &str, how: &[&str]| {
        chunk.iter().any(|event| {
            let membership = event["content"]["membership"].as_str();
            event["state_key"] == who && membership.is_some_and(|own| how.contains(&own))
        })
    };
    Ok(is(me, &["join"]) && is(user, &["join", "invite"]))
}

/// Reads the state of a room that says whether it is encrypted.
pub fn encryption(answer: &Answer) -> Result<Room, Reading> {
    match object(answer) {
        Ok(_) => Ok(Room::Encrypted),
        Err(Reading::Refused { code, .. }) if code == "M_NOT_FOUND" && answer.status == 404 => {
            Ok(Room::Plain)
        }
        Err(refusal) if refusal.code() == Some("M_FORBIDDEN") => Ok(Room::Outside(refusal)),
        Err(reading) => Err(reading),
    }
}

/// Reads the token that a device is given, which holds for so long where nothing is told.
pub fn login(answer: &Answer, untold: Duration) -> Granted {
    let body = match object(answer) {
        Ok(body) => body,
        Err(Reading::Refused { code, text, wait }) => return Granted::Refused { code, text, wait },
        // What is said here of the answer must not tell the token.
        Err(_) if answer.body.windows(TOKEN.len()).any(|own| own == TOKEN.as_bytes()) => {
            return Granted::Unreadable("the answer has a token, and is no success".to_owned());
        }
        Err(Reading::Unreadable(why)) => return Granted::Unreadable(why),
        Err(_) => return Granted::Unreadable("the answer has no token".to_owned()),
    };
    let unreadable = |why: &str| Granted::Unreadable(why.to_owned());
    let Ok([token, lasts]) = members(body, [TOKEN, "expires_in_ms"]) else {
        return unreadable("the answer names its token twice");
    };
    let lasts = match lasts.map(|ms| parsed::<u64>(Some(ms)).ok().flatten()) {
        None => Some(untold),
        Some(ms) => ms.map(Duration::from_millis),
    };
    match (token.and_then(app::secret), lasts) {
        (Some(secret), Some(expires)) => Granted::Token { secret, expires },
        (None, _) => unreadable("the token in the answer is none that could be sent"),
        (_, None) => unreadable("the answer does not say how long its token holds"),
    }
}

/// The value of a member that has this form, in an answer that is a success and nothing else.
fn named(answer: &Answer, name: &str, is_own: fn(&str) -> bool) -> Result<String, Reading> {
    let body = text(answer).map_err(Reading::Unreadable)?;
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    let found = match members(body, [name, "errcode", "error", "errors"]) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            let words = format!("the answer is not the JSON of Matrix: {e}");
            return Err(Reading::Unreadable(words));
        }
        Err(_) => return Err(unreadable()),
    };
    let [value, code, error, errors] = found;
    let Some(value) = words(value).filter(|value| is_own(value)) else {
        return Err(refusal(answer, body).unwrap_or_else(unreadable));
    };
    if let Some(fault) = code.or(error).or(errors) {
        let words = format!("the answer is a success, and yet has an error: {fault}");
        return Err(Reading::Contradiction(words));
    }
    if !is_success(answer.status) {
        let words = format!("the answer is a success, but has HTTP status {}", answer.status);
        return Err(Reading::Contradiction(words));
    }
    Ok(value)
}

/// An answer that is any object without an error, in a status of success.
fn object(answer: &Answer) -> Result<&str, Reading> {
    let body = text(answer).map_err(Reading::Unreadable)?;
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    if !is_success(answer.status) {
        return Err(refusal(answer, body).unwrap_or_else(unreadable));
    }
    match members(body, ["errcode"]) {
        Ok([None]) => Ok(body),
        Ok([Some(_)]) => Err(unreadable()),
        Err(e) => Err(Reading::Unreadable(format!("the answer is not the JSON of Matrix: {e}"))),
    }
}

/// A refusal of the server's own form, by its code where that says more than the status.
fn refusal(answer: &Answer, body: &str) -> Option<Reading> {
    let [code, error, wait] = members(body, ["errcode", "error", "retry_after_ms"]).ok()?;
    let (code, text) = (words(code)?, words(error));
    if !is_errcode(&code) || answer.status < 400 || (error.is_some() && text.is_none()) {
        return None;
    }
    let is_known = TABLE.iter().any(|row| matches!(row.code, Code::Is(own) if own == code));
    let text = text.unwrap_or_default();
    if code == "M_UNKNOWN" || (!is_known && answer.status >= 500) {
        return Some(Reading::Refused { code: answer.status.to_string(), text, wait: told(wait) });
    }
    Some(Reading::Refused { code, text, wait: told(wait) })
}

/// A code of Matrix's own form, or of another's after the name of his domain.
fn is_errcode(code: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_' || b == b'.';
    code.len() > 2
        && (code.starts_with("M_") || (code.contains('.') && code.contains('_')))
        && code.bytes().all(is_letter)
}

/// A wait that the answer tells, in milliseconds.
fn told(wait: Option<&str>) -> Option<Duration> {
    let ms = parsed::<f64>(wait).ok().flatten().filter(|ms| *ms > 0.0)?;
    Some(Duration::try_from_secs_f64(ms / 1000.0).map_or(LONGEST, |wait| wait.min(LONGEST)))
}

/// A text.
fn words(value: Option<&str>) -> Option<String> {
    parsed::<String>(value.filter(|value| value.starts_with('"'))).ok().flatten()
}

#[cfg(test)]
mod tests;
