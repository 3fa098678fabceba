//! What ServerChan answers: `{"code": 0, "message": "", "data": {…}}`, and refusals in the same envelope, with
//! HTTP 400 as well as 200. Its older interface says `errno` and `errmsg`.

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// The one code of the older interface.
const OLD: &str = "1024";

/// Reads an answer; a success of Turbo tells more than one of Server酱³.
pub fn read(answer: &Answer, is_server3: bool) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    match of_body(answer, body, is_server3) {
        Ok(Some(reading)) => reading,
        Err(e) if is_success(answer.status) => {
            Reading::Unreadable(format!("the answer is not ServerChan's JSON: {e}"))
        }
        Ok(None) | Err(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

fn of_body(answer: &Answer, body: &str, is_server3: bool) -> Result<Option<Reading>, String> {
    const NAMES: [&str; 8] =
        ["code", "message", "data", "errno", "errmsg", "error", "errors", "exception"];
    let [code, message, data, old_code, old_message, foreign @ ..] = members(body, NAMES)?;
    if foreign.iter().any(Option::is_some) {
        return Ok(None);
    }
    let words = |json: Option<&str>| parsed::<String>(json.filter(|json| json.starts_with('"')));
    let (code, told) = match (code, old_code) {
        (Some(code), None) => (code, words(message)?),
        (None, Some(code)) if code == OLD => (code, words(old_message)?),
        _ => return Ok(None),
    };
    let Some(told) = told else { return Ok(None) };
    if code != "0" {
        let is_code = code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit());
        return Ok((is_code || code == OLD).then(|| Reading::refused(code, told)));
    }
    let Some(data) = data else { return Ok(None) };
    let taken = match data.starts_with('{') {
        true => Taken::read(data)?,
        false if is_server3 => Taken::default(),
        false => return Ok(None),
    };
    if let Some(errno) = taken.errno.filter(|errno| *errno != "0") {
        let words = format!(
            "the answer is a success, and yet has the error {errno} within: {}",
            taken.words
        );
        return Ok(Some(Reading::Contradiction(words)));
    }
    if !is_server3 && (taken.errno.is_none() || taken.id.is_none()) {
        return Ok(None);
    }
    if !is_success(answer.status) {
        let words = format!("the answer is a success, but has HTTP status {}", answer.status);
        return Ok(Some(Reading::Contradiction(words)));
    }
    Ok(Some(Reading::accepted(taken.id, "ServerChan")))
}

/// What a success tells of the message.
#[derive(Default)]
struct Taken<'a> {
    id: Option<String>,
    errno: Option<&'a str>,
    words: String,
}

impl Taken<'_> {
    fn read(data: &str) -> Result<Taken<'_>, String> {
        let [id, errno, words] = members(data, ["pushid", "errno", "error"])?;
        let id = match id {
            Some(id) if id.starts_with('"') => parsed::<String>(Some(id))?,
            Some(id) if id.bytes().all(|b| b.is_ascii_digit()) => Some(id.to_owned()),
            _ => None,
        };
        let words = parsed::<String>(words.filter(|words| words.starts_with('"')))?;
        let id = id.filter(|id| !id.is_empty());
        Ok(Taken { id, errno, words: words.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(status: u16, body: &str, is_server3: bool) -> String {
        let answer = Answer { status, body: body.into(), ..Answer::default() };
        match read(&answer, is_server3) {
            Reading::Sent { id, notes, .. } => {
                assert_eq!(notes.first().map(|note| &*note.name), Some("accepted_only"));
                format!("sent {}", id.unwrap_or_default())
            }
            Reading::Refused { code, text, .. } => format!("{code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn only_the_two_envelopes_are_its_own() {
        let data = |data: &str| format!(r#"{{"code":0,"message":"","data":{data}}}"#);
        let whole = data(r#"{"pushid":"7","readkey":"k","error":"SUCCESS","errno":0}"#);
        for (status, body, turbo, server3) in [
            (200, whole.clone(), "sent 7", "sent 7"),
            (500, whole, "contradiction", "contradiction"),
            (200, data(r#"{"pushid":7,"errno":0}"#), "sent 7", "sent 7"),
            (200, data(r#"{"pushid":"7","errno":1}"#), "contradiction", "contradiction"),
            (200, data(r#"{"pushid":"7"}"#), "unreadable", "sent 7"),
            (200, data(r#"{"errno":0}"#), "unreadable", "sent "),
            (200, data("[]"), "unreadable", "sent "),
            (200, data("null"), "unreadable", "unreadable"),
            (200, r#"{"code":0,"message":""}"#.to_owned(), "unreadable", "unreadable"),
            (200, r#"{"code":0,"data":{}}"#.to_owned(), "unreadable", "unreadable"),
            (
                400,
                r#"{"message":"no","code":40001,"scode":461}"#.to_owned(),
                "40001 no",
                "40001 no",
            ),
            (200, r#"{"message":"no","code":40001}"#.to_owned(), "40001 no", "40001 no"),
            (400, r#"{"message":"no","code":"40001"}"#.to_owned(), "unreadable", "unreadable"),
            (502, r#"{"message":"Bad Gateway","code":502}"#.to_owned(), "unreadable", "unreadable"),
            (200, r#"{"code":40001,"msg":"no"}"#.to_owned(), "unreadable", "unreadable"),
            (200, r#"{"errno":1024,"errmsg":"no"}"#.to_owned(), "1024 no", "1024 no"),
            (200, r#"{"errno":10001,"errmsg":"no"}"#.to_owned(), "unreadable", "unreadable"),
            (
                200,
                r#"{"message":"no","code":40001,"error":"x"}"#.to_owned(),
                "unreadable",
                "unreadable",
            ),
        ] {
            assert_eq!(is(status, &body, false), turbo, "{status} {body}");
            assert_eq!(is(status, &body, true), server3, "{status} {body}");
        }
    }
}
