//! What Google Chat answers: the message that was made, or the error object of Google's APIs.

use serde_json::Value;

use super::verdicts::TABLE;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::verdict::Code;
use crate::service::wire::json::{members, parsed};

/// The names of errors, each with its status of HTTP. Gateways of the same house have other pairs.
const ERRORS: [(&str, u16); 15] = [
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("OUT_OF_RANGE", 400),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("ALREADY_EXISTS", 409),
    ("ABORTED", 409),
    ("RESOURCE_EXHAUSTED", 429),
    ("UNKNOWN", 500),
    ("INTERNAL", 500),
    ("DATA_LOSS", 500),
    ("UNIMPLEMENTED", 501),
    ("UNAVAILABLE", 503),
    ("DEADLINE_EXCEEDED", 504),
];

/// Reads an answer.
pub fn read(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    match reading(answer, body) {
        Ok(Some(reading)) => reading,
        Err(e) if is_success(answer.status) => {
            Reading::Unreadable(format!("the answer is not Google Chat's JSON: {e}"))
        }
        Ok(None) | Err(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

fn reading(answer: &Answer, body: &str) -> Result<Option<Reading>, String> {
    const NAMES: [&str; 7] = ["name", "createTime", "space", "error", "errors", "code", "status"];
    let [name, made, space, error, foreign @ ..] = members(body, NAMES)?;
    if foreign.iter().any(Option::is_some) {
        return Ok(None);
    }
    let name = parsed::<String>(name.filter(|name| name.starts_with('"')))?;
    let name = name.filter(|name| is_message(name));
    let is_message = name.is_some() && (made.is_some() || space.is_some());
    match error {
        Some(_) if is_message => {
            let words = "the answer is a message, and yet an error".to_owned();
            Ok(Some(Reading::Contradiction(words)))
        }
        Some(error) => refusal(answer, error),
        None if !is_message => Ok(None),
        None if is_success(answer.status) => Ok(Some(Reading::sent(name, None))),
        None => {
            let words = format!("the answer is a message, but has HTTP status {}", answer.status);
            Ok(Some(Reading::Contradiction(words)))
        }
    }
}

/// True for the name of a message: `spaces/…/messages/…`.
fn is_message(name: &str) -> bool {
    let parts: Vec<_> = name.split('/').collect();
    matches!(parts.as_slice(), ["spaces", space, "messages", own] if !space.is_empty() && !own.is_empty())
}

/// An error of Google's form, by its name where the table has that, else by its status.
fn refusal(answer: &Answer, error: &str) -> Result<Option<Reading>, String> {
    if !error.starts_with('{') {
        return Ok(None);
    }
    let [code, message, name, errors] = members(error, ["code", "message", "status", "errors"])?;
    let of = |json: Option<&str>| parsed::<String>(json.filter(|json| json.starts_with('"')));
    let (Some(message), Some(name)) = (of(message)?, of(name)?) else { return Ok(None) };
    let code = parsed::<Value>(code)?.as_ref().and_then(Value::as_u64);
    let is_own = ERRORS.contains(&(name.as_str(), answer.status))
        && code == Some(answer.status.into())
        && errors.is_none();
    let is_known = TABLE.iter().any(|row| matches!(row.code, Code::Is(code) if code == name));
    Ok(is_own.then(|| match is_known {
        true => Reading::refused(name, message),
        false => Reading::refused(answer.status.to_string(), format!("{name}: {message}")),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_google_chat_s_in_its_own_shape_only() {
        let sent = r#"{"name":"spaces/A/messages/B.C","createTime":"2026-01-01T00:00:00Z"}"#;
        let no = |status: u16, name: &str| {
            format!(r#"{{"error":{{"code":{status},"message":"no","status":"{name}"}}}}"#)
        };
        for (status, body, is) in [
            (200, sent.to_owned(), "sent spaces/A/messages/B.C"),
            (500, sent.to_owned(), "contradiction"),
            (200, sent.replace("createTime", "x"), "unreadable"),
            (200, sent.replace("messages", "threads"), "unreadable"),
            (200, sent.replace('}', ",\"error\":{}}"), "contradiction"),
            (400, no(400, "INVALID_ARGUMENT"), "refused INVALID_ARGUMENT no"),
            (400, no(400, "OUT_OF_RANGE"), "refused 400 OUT_OF_RANGE: no"),
            (409, no(409, "ABORTED"), "refused 409 ABORTED: no"),
            (404, no(404, "NOT_FOUND"), "refused NOT_FOUND no"),
            (200, no(404, "NOT_FOUND"), "unreadable"),
            (404, no(400, "NOT_FOUND"), "unreadable"),
            (502, no(502, "UNAVAILABLE"), "unreadable"),
            (404, no(404, "Not Found"), "unreadable"),
            (404, r#"{"error":{"code":404,"message":"no"}}"#.to_owned(), "unreadable"),
            (404, r#"{"error":"not found"}"#.to_owned(), "unreadable"),
            (404, no(404, "NOT_FOUND").replace("\"code\"", "\"errors\":[],\"code\""), "unreadable"),
        ] {
            let answer = Answer { status, body: body.clone().into_bytes(), ..Answer::default() };
            let told = match read(&answer) {
                Reading::Sent { id, .. } => format!("sent {}", id.unwrap_or_default()),
                Reading::Refused { code, text, .. } => format!("refused {code} {text}"),
                Reading::Contradiction(_) => "contradiction".to_owned(),
                _ => "unreadable".to_owned(),
            };
            assert_eq!(told, is, "{status} {body}");
        }
    }
}
