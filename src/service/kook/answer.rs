//! What KOOK answers: `{"code": 0, "message": "…", "data": {…}}`, with HTTP 200, and with 429 where it was asked too
//! often.

use super::verdicts::TABLE;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::verdict::Code;
use crate::service::wire::json::{members, parsed};

/// Reads the answer to a message.
pub fn message(answer: &Answer) -> Reading {
    let data = match envelope(answer) {
        Ok(data) => data,
        Err(reading) => return reading,
    };
    let Ok([id, time]) = members(&data, ["msg_id", "msg_timestamp"]) else {
        return Reading::Unreadable(excerpt(&answer.body));
    };
    match string(id) {
        Some(id) => {
            let time = parsed::<i64>(time).ok().flatten().map(|ms| ms / 1000);
            Reading::sent(Some(id), time)
        }
        None => Reading::Unreadable("the answer names no message".to_owned()),
    }
}

/// Reads a text of this name in the data of an answer.
pub fn named(answer: &Answer, name: &'static str) -> Result<String, Reading> {
    let data = envelope(answer)?;
    let found = members(&data, [name]).ok().and_then(|[value]| string(value));
    found.ok_or_else(|| Reading::Unreadable(excerpt(&answer.body)))
}

/// Reads the answer to the question who the bot is.
pub fn known(answer: &Answer) -> Reading {
    match named(answer, "id") {
        Ok(_) => Reading::sent(None, None),
        Err(reading) => reading,
    }
}

/// A text that says something.
fn string(json: Option<&str>) -> Option<String> {
    let text = parsed::<String>(json.filter(|json| json.starts_with('"'))).ok().flatten()?;
    Some(text).filter(|text| !text.trim().is_empty())
}

/// The data of a success.
fn envelope(answer: &Answer) -> Result<String, Reading> {
    let found = text(answer).map_err(Reading::Unreadable).and_then(|body| of_body(answer, body));
    match found {
        // Its code is known nowhere; how long to wait stands in the headers.
        Err(Reading::Refused { text, .. }) if answer.status == 429 => {
            Err(Reading::refused("429", text))
        }
        found => found,
    }
}

fn of_body(answer: &Answer, body: &str) -> Result<String, Reading> {
    const NAMES: [&str; 6] = ["code", "message", "data", "error", "errors", "exception"];
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    let [code, message, data, foreign @ ..] = match members(body, NAMES) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            return Err(Reading::Unreadable(format!("the answer is not KOOK's JSON: {e}")));
        }
        Err(_) => return Err(unreadable()),
    };
    let words = parsed::<String>(message.filter(|words| words.starts_with('"'))).ok().flatten();
    let (Some(code), Some(words), Some(data), false) =
        (code, words, data, foreign.iter().any(Option::is_some))
    else {
        return Err(unreadable());
    };
    if code != "0" {
        return Err(if is_own(code) { Reading::refused(code, words) } else { unreadable() });
    }
    if !data.starts_with('{') {
        return Err(unreadable());
    }
    if !is_success(answer.status) {
        let words = format!("the answer is a success, but has HTTP status {}", answer.status);
        return Err(Reading::Contradiction(words));
    }
    Ok(data.to_owned())
}

/// True for a code of five digits that begins with a 4, and for those of three that the table has.
fn is_own(code: &str) -> bool {
    let is_number = code.bytes().all(|b| b.is_ascii_digit());
    let is_known = || TABLE.iter().any(|row| matches!(row.code, Code::Is(own) if own == code));
    is_number && (code.len() == 5 && code.starts_with('4') || code.len() == 3 && is_known())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(answer: &Answer) -> String {
        match message(answer) {
            Reading::Sent { id, time, .. } => {
                format!("sent {} {}", id.unwrap_or_default(), time.unwrap_or_default())
            }
            Reading::Refused { code, text, .. } => format!("{code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.into(), ..Answer::default() }
    }

    #[test]
    fn only_its_envelope_is_its_own() {
        let data = |data: &str| format!(r#"{{"code":0,"message":"操作成功","data":{data}}}"#);
        for (status, body, meant) in [
            (
                200,
                data(r#"{"msg_id":"50974c","msg_timestamp":1607072537177}"#),
                "sent 50974c 1607072537",
            ),
            (200, data(r#"{"msg_id":"50974c"}"#), "sent 50974c 0"),
            (200, data(r#"{"msg_id":""}"#), "unreadable"),
            (200, data(r#"{"msg_id":7}"#), "unreadable"),
            (200, data("[]"), "unreadable"),
            (200, data("null"), "unreadable"),
            (502, data(r#"{"msg_id":"50974c"}"#), "contradiction"),
            (200, r#"{"code":40000,"message":"no","data":[]}"#.to_owned(), "40000 no"),
            (401, r#"{"code":401,"message":"no","data":{}}"#.to_owned(), "401 no"),
            (429, r#"{"code":40029,"message":"slow","data":{}}"#.to_owned(), "429 slow"),
            (429, "slow".to_owned(), "unreadable"),
            (200, r#"{"code":40000,"message":"no"}"#.to_owned(), "unreadable"),
            (200, r#"{"code":"40000","message":"no","data":{}}"#.to_owned(), "unreadable"),
            (200, r#"{"code":502,"message":"no","data":{}}"#.to_owned(), "unreadable"),
            (200, r#"{"code":10001,"message":"no","data":{}}"#.to_owned(), "unreadable"),
            (200, r#"{"code":40000,"message":"no","data":{},"error":1}"#.to_owned(), "unreadable"),
        ] {
            assert_eq!(is(&answer(status, &body)), meant, "{status} {body}");
        }
    }
}
