//! What QQ answers: `{"id": "…", "timestamp": …}`, or `{"code": …, "err_code": …, "message": "…", "trace_id": "…"}`.

use super::verdicts::TABLE;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::verdict::{self, Code};
use crate::service::wire::json::{members, parsed};

const NAMES: [&str; 9] =
    ["id", "timestamp", "file_info", "code", "err_code", "message", "trace_id", "error", "errors"];

/// Reads the answer to a message, whose id is the proof; one that waits for a person's check has a code.
pub fn sent(answer: &Answer) -> Reading {
    match found(answer) {
        Err(reading) => reading,
        Ok([Some(id), Some(_), ..]) => match words(Some(id)).filter(|id| !id.trim().is_empty()) {
            Some(id) if is_success(answer.status) => Reading::sent(Some(id), None),
            Some(_) => Reading::Contradiction(format!(
                "the answer has the id of a message, but HTTP status {}",
                answer.status
            )),
            None => Reading::Unreadable(excerpt(&answer.body)),
        },
        Ok(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

/// Reads what a file is known by that went up.
pub fn uploaded(answer: &Answer) -> Result<String, Reading> {
    let [_, _, info, ..] = found(answer)?;
    let info = words(info).filter(|info| !info.is_empty() && is_success(answer.status));
    info.ok_or_else(|| Reading::Unreadable(excerpt(&answer.body)))
}

/// Reads why there is no token; such an answer has neither `err_code` nor `trace_id`.
pub fn no_token(answer: &Answer) -> Reading {
    let found = text(answer).and_then(|body| members(body, ["code", "message"]));
    match found {
        Ok([Some(code), message]) if is_own(code) => match words(message) {
            Some(message) => Reading::refused(code, message),
            None => Reading::Unreadable(excerpt(&answer.body)),
        },
        _ => Reading::Unreadable(excerpt(&answer.body)),
    }
}

/// The members of an answer that is no refusal.
fn found(answer: &Answer) -> Result<[Option<&str>; NAMES.len()], Reading> {
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    let body = text(answer).map_err(Reading::Unreadable)?;
    let found = match members(body, NAMES) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            return Err(Reading::Unreadable(format!("the answer is not QQ's JSON: {e}")));
        }
        Err(_) => return Err(unreadable()),
    };
    let [id, time, _, code, err_code, message, trace, error, errors] = found;
    if error.is_some() || errors.is_some() {
        return Err(unreadable());
    }
    // Both may be told, and differ: the one of the document counts, where the table knows it.
    let codes: Vec<_> =
        [err_code, code].into_iter().flatten().filter(|code| *code != "0").collect();
    if codes.is_empty() {
        return Ok(found);
    }
    if id.is_some() && time.is_some() {
        let words = format!("the answer has an id, and yet a code: {}", codes[0]);
        return Err(Reading::Contradiction(words));
    }
    let has_form = err_code.is_some() || words(trace).is_some();
    let (Some(message), true) = (words(message), has_form && codes.iter().all(|code| is_own(code)))
    else {
        return Err(unreadable());
    };
    let is_known = |code: &&&str| {
        verdict::find(TABLE, code, &message).is_some_and(|row| row.code != Code::Any)
    };
    let code = codes.iter().find(is_known).unwrap_or(&codes[0]);
    Err(Reading::refused(*code, message))
}

/// A code of QQ's own form.
fn is_own(code: &str) -> bool {
    matches!(code.len(), 5..=8) && code.bytes().all(|b| b.is_ascii_digit())
}

fn words(value: Option<&str>) -> Option<String> {
    parsed::<String>(value.filter(|value| value.starts_with('"'))).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, .. } => id.unwrap_or_default(),
            Reading::Refused { code, .. } => code,
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn the_code_of_the_document_counts_where_it_is_known() {
        for (status, body, meant) in [
            (200, r#"{"id":"ROBOT1.0_a","timestamp":"2026-07-21T10:00:00+08:00"}"#, "ROBOT1.0_a"),
            (200, r#"{"id":"a","timestamp":"t","err_code":0}"#, "a"),
            (201, r#"{"id":"a","timestamp":"t"}"#, "a"),
            (500, r#"{"id":"a","timestamp":"t"}"#, "contradiction"),
            (200, r#"{"id":"a","timestamp":"t","code":40054005}"#, "contradiction"),
            (200, r#"{"id":"a"}"#, "unreadable"),
            (200, r#"{"id":7,"timestamp":"t"}"#, "unreadable"),
            (202, r#"{"code":304023,"message":"audit","trace_id":"x","data":{}}"#, "304023"),
            (400, r#"{"code":11298,"err_code":40023002,"message":"ip"}"#, "40023002"),
            (400, r#"{"code":40034102,"err_code":49999999,"message":"no"}"#, "40034102"),
            (400, r#"{"err_code":49999999,"message":"no"}"#, "49999999"),
            (400, r#"{"code":40034102,"message":"no"}"#, "unreadable"),
            (502, r#"{"code":502,"message":"no","trace_id":"x"}"#, "unreadable"),
            (400, r#"{"code":40034102,"message":"no","trace_id":"x","error":"no"}"#, "unreadable"),
        ] {
            let answer = Answer { status, body: body.into(), ..Answer::default() };
            assert_eq!(shown(sent(&answer)), meant, "{status} {body}");
        }
        let body = r#"{"code":100016,"message":"invalid appid or secret"}"#;
        let answer = Answer { status: 200, body: body.into(), ..Answer::default() };
        assert_eq!(shown(no_token(&answer)), "100016");
    }
}
