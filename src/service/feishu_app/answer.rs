//! What Feishu's interfaces for apps answer: `{"code": 0, "msg": "success", "data": {…}}`, or a code and words,
//! with an object of details.

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// Reads the answer to a message, whose data is the message.
pub fn sent(answer: &Answer) -> Reading {
    let data = match envelope(answer) {
        Ok(data) => data,
        Err(reading) => return reading,
    };
    match members(&data, ["message_id", "create_time"]) {
        Ok([id, time]) => {
            let id = parsed::<String>(id).ok().flatten().filter(|id| !id.trim().is_empty());
            let time = parsed::<String>(time).ok().flatten();
            let time = time.and_then(|ms| ms.parse::<i64>().ok()).map(|ms| ms / 1000);
            match id {
                Some(id) => Reading::sent(Some(id), time),
                None => Reading::Contradiction("a success without a message_id".to_owned()),
            }
        }
        Err(e) => Reading::Contradiction(format!("the message in the answer cannot be read: {e}")),
    }
}

/// Reads the key of what was uploaded, which is called `name`.
pub fn uploaded(answer: &Answer, name: &str) -> Result<String, Reading> {
    let data = envelope(answer)?;
    let key = members(&data, [name]).ok().and_then(|[key]| parsed::<String>(key).ok().flatten());
    key.filter(|key| !key.is_empty())
        .ok_or_else(|| Reading::Contradiction(format!("the answer to an upload has no {name}")))
}

/// Reads why there is no token; such an answer has its code and its words only.
pub fn refusal(answer: &Answer) -> Reading {
    match members_of(answer, true) {
        Ok(_) => Reading::Unreadable(excerpt(&answer.body)),
        Err(reading) => reading,
    }
}

/// The data of a success, as JSON.
fn envelope(answer: &Answer) -> Result<String, Reading> {
    members_of(answer, false)
}

/// The same; `bare`: a short code needs no details beside it, by which it is told from a framework's.
fn members_of(answer: &Answer, bare: bool) -> Result<String, Reading> {
    let body = text(answer).map_err(Reading::Unreadable)?;
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    const NAMES: [&str; 6] = ["code", "msg", "data", "error", "errors", "exception"];
    let [code, msg, data, error, errors, exception] = match members(body, NAMES) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            let words = format!("the answer is not Feishu's JSON: {e}");
            return Err(Reading::Unreadable(words));
        }
        Err(_) => return Err(unreadable()),
    };
    let msg = parsed::<String>(msg.filter(|msg| msg.starts_with('"'))).ok().flatten();
    let (Some(code), Some(msg), None, None) = (code, msg, errors, exception) else {
        return Err(unreadable());
    };
    let is_object = |value: Option<&str>| value.is_some_and(|value| value.starts_with('{'));
    if code != "0" {
        let is_told = bare || code.len() > 5 || is_object(error) || is_object(data);
        let is_own = matches!(code.len(), 4..=8) && code.bytes().all(|b| b.is_ascii_digit());
        return Err(match is_own && is_told && (error.is_none() || is_object(error)) {
            true => Reading::refused(code, msg),
            false => unreadable(),
        });
    }
    match data {
        Some(data) if is_object(Some(data)) && error.is_none() => match is_success(answer.status) {
            true => Ok(data.to_owned()),
            false => Err(Reading::Contradiction(format!(
                "the service answered with success, but with HTTP status {}",
                answer.status
            ))),
        },
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(status: u16, body: &str) -> String {
        let answer = Answer { status, body: body.into(), ..Answer::default() };
        match sent(&answer) {
            Reading::Sent { id, time, .. } => {
                format!("{} {}", id.unwrap_or_default(), time.unwrap_or_default())
            }
            Reading::Refused { code, .. } => code,
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn a_success_has_the_id_of_its_message() {
        for (status, body, meant) in [
            (
                200,
                r#"{"code":0,"msg":"success","data":{"message_id":"om_1","create_time":"1700000000123"}}"#,
                "om_1 1700000000",
            ),
            (200, r#"{"code":0,"msg":"success","data":{"message_id":""}}"#, "contradiction"),
            (200, r#"{"code":0,"msg":"success","data":{}}"#, "contradiction"),
            (200, r#"{"code":0,"msg":"success"}"#, "unreadable"),
            (200, r#"{"code":"0","msg":"success","data":{"message_id":"om_1"}}"#, "unreadable"),
            (500, r#"{"code":0,"msg":"success","data":{"message_id":"om_1"}}"#, "contradiction"),
            (400, r#"{"code":230002,"msg":"Bot NOT in chat","error":{"log_id":"x"}}"#, "230002"),
            (429, r#"{"code":99991400,"msg":"request trigger frequency limit"}"#, "99991400"),
            (400, r#"{"code":230002,"msg":"no","error":"no"}"#, "unreadable"),
            (502, r#"{"code":502,"msg":"Bad Gateway"}"#, "unreadable"),
            (400, r#"{"code":10001,"msg":"no"}"#, "unreadable"),
            (400, r#"{"code":10002,"msg":"no","error":{}}"#, "10002"),
        ] {
            assert_eq!(is(status, body), meant, "{status} {body}");
        }
    }
}
