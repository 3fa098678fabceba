//! What Twilio answers: the message that it made, or `{"code": 21211, "message": …, "more_info": …, "status": 400}`.

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// What a message may be when it was made: it goes on from there.
const UNDER_WAY: [&str; 5] = ["queued", "accepted", "scheduled", "sending", "sent"];
/// What it is when it goes nowhere.
const ENDED: [&str; 3] = ["failed", "undelivered", "canceled"];
/// Where Twilio explains its codes.
const EXPLAINED: &str = "https://www.twilio.com/docs/";

/// Reads the answer to a message.
pub fn sent(answer: &Answer) -> Reading {
    read(answer, made)
}

/// Reads the answer to the question for the account.
pub fn known(answer: &Answer) -> Reading {
    read(answer, |_, body| {
        let [sid, status, name] = members(body, ["sid", "status", "friendly_name"])?;
        let is_account = word(sid).is_some_and(|sid| sid.starts_with("AC")) && name.is_some();
        Ok(match word(status).as_deref() {
            Some("active") if is_account => Some(Reading::sent(None, None)),
            Some(status @ ("suspended" | "closed")) if is_account => {
                Some(Reading::refused("10001", format!("the account is {status}")))
            }
            _ => None,
        })
    })
}

type Found = Result<Option<Reading>, String>;

fn read(answer: &Answer, success: fn(&Answer, &str) -> Found) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    let found = match answer.status {
        400.. => refusal(answer, body),
        _ => success(answer, body),
    };
    let found = match found {
        // A message that comes with a refusal's status is a doubt.
        Ok(None) if answer.status >= 400 => success(answer, body),
        found => found,
    };
    match found {
        Ok(Some(reading)) => reading,
        Err(e) if is_success(answer.status) => {
            Reading::Unreadable(format!("the answer is not Twilio's JSON: {e}"))
        }
        Ok(None) | Err(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

/// A text that stands there as JSON.
fn word(json: Option<&str>) -> Option<String> {
    parsed::<String>(json.filter(|json| json.starts_with('"'))).ok().flatten()
}

/// A message that was made.
fn made(answer: &Answer, body: &str) -> Found {
    const NAMES: [&str; 8] =
        ["sid", "status", "error_code", "error_message", "code", "error", "errors", "more_info"];
    let [sid, status, error_code, error_message, foreign @ ..] = members(body, NAMES)?;
    let is_message = |sid: &String| {
        let rest = sid.strip_prefix("SM").or(sid.strip_prefix("MM"));
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    let (Some(sid), Some(status)) = (word(sid).filter(is_message), word(status)) else {
        return Ok(None);
    };
    let is_ended = ENDED.contains(&status.as_str());
    if !is_ended && !UNDER_WAY.contains(&status.as_str()) {
        return Ok(None);
    }
    let is_own = |code: &&str| code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit());
    let words = word(error_message).unwrap_or_default();
    let reading = match error_code {
        _ if foreign.iter().any(Option::is_some) || !is_success(answer.status) => {
            let words = format!(
                "the answer is a message, and yet has an error or HTTP status {}",
                answer.status
            );
            Reading::Contradiction(words)
        }
        None if is_ended || error_message.is_some() => Reading::Contradiction(format!(
            "the message is {status}, and no code tells why: {words}"
        )),
        None => Reading::accepted(Some(sid), "Twilio"),
        Some(code) if is_ended && is_own(&code) => Reading::refused(code, words),
        Some(code) => Reading::Contradiction(format!(
            "the message is {status}, and has the error {code}: {words}"
        )),
    };
    Ok(Some(reading))
}

/// A refusal. What may have been sent all the same is told by its status, whatever code it has.
fn refusal(answer: &Answer, body: &str) -> Found {
    let [code, message, more_info, status] =
        members(body, ["code", "message", "more_info", "status"])?;
    let Some(words) = word(message) else { return Ok(None) };
    let own_status = answer.status.to_string();
    let is_explained = word(more_info).is_some_and(|url| url.starts_with(EXPLAINED));
    let is_own = |code: &&str| code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit());
    let known = match (code, status) {
        (_, Some(status)) if status != own_status => return Ok(None),
        (Some(code), status) if is_own(&code) && (status.is_some() || is_explained) => code,
        (None, Some(_)) if is_explained => own_status.as_str(),
        _ => return Ok(None),
    };
    if answer.status >= 500 {
        return Ok(Some(Reading::refused(own_status.as_str(), format!("{known}: {words}"))));
    }
    Ok(Some(Reading::refused(known, words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(read: fn(&Answer) -> Reading, status: u16, body: &str) -> String {
        match read(&Answer { status, body: body.into(), ..Answer::default() }) {
            Reading::Sent { id, .. } => format!("sent {}", id.unwrap_or_default()),
            Reading::Refused { code, text, .. } => format!("refused {code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn an_answer_is_twilio_s_in_its_own_shape_only() {
        let own = |more: &str| {
            format!(
                r#"{{"sid":"SM1f","status":"queued","error_code":null,"error_message":null{more}}}"#
            )
        };
        let ended =
            |code: &str| format!(r#"{{"sid":"SM1f","status":"failed","error_code":{code}}}"#);
        let info = r#""more_info":"https://www.twilio.com/docs/errors/21211""#;
        let no = |code: &str, status: u16| {
            format!(r#"{{"code":{code},"message":"no",{info},"status":{status}}}"#)
        };
        for (status, body, meant) in [
            (201, own(""), "sent SM1f"),
            (200, own("").replace("queued", "accepted"), "sent SM1f"),
            (400, own(""), "contradiction"),
            (500, own(""), "contradiction"),
            (201, own(r#","code":21211"#), "contradiction"),
            (201, own(r#","error":"no""#), "contradiction"),
            (201, own("").replace("\"error_code\":null", "\"error_code\":30008"), "contradiction"),
            (
                201,
                own("").replace("\"error_message\":null", "\"error_message\":\"x\""),
                "contradiction",
            ),
            (201, ended("30008"), "refused 30008 "),
            (201, ended("null"), "contradiction"),
            (201, own("").replace("SM1f", "PN1f"), "unreadable"),
            (201, own("").replace("queued", "received"), "unreadable"),
            (400, no("21211", 400), "refused 21211 no"),
            (400, format!(r#"{{"code":21211,"message":"no",{info}}}"#), "refused 21211 no"),
            (400, r#"{"code":21211,"message":"no","status":400}"#.to_owned(), "refused 21211 no"),
            (401, no("null", 401), "refused 401 no"),
            (503, no("20503", 503), "refused 503 20503: no"),
            (400, no("21211", 401), "unreadable"),
            (201, no("21211", 201), "unreadable"),
            (400, no("502", 400), "unreadable"),
            (400, no("\"21211\"", 400), "unreadable"),
            (400, r#"{"code":21211,"message":"no"}"#.to_owned(), "unreadable"),
            (404, r#"{"message":"no","status":404}"#.to_owned(), "unreadable"),
        ] {
            assert_eq!(is(sent, status, &body), meant, "{status} {body}");
        }
    }

    #[test]
    fn an_account_that_is_closed_is_no_account() {
        let own = |status: &str| {
            format!(r#"{{"sid":"AC1f","friendly_name":"x","status":"{status}","type":"Full"}}"#)
        };
        assert_eq!(is(known, 200, &own("active")), "sent ");
        assert_eq!(is(known, 200, &own("closed")), "refused 10001 the account is closed");
        assert_eq!(is(known, 200, "{}"), "unreadable");
        let no = r#"{"code":20003,"message":"Authenticate","status":401}"#;
        assert_eq!(is(known, 401, no), "refused 20003 Authenticate");
    }
}
