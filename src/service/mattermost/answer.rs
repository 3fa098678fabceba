//! What Mattermost answers: the object that was made, or `{"id": "api.….app_error", …}`; a webhook's
//! success is the word `ok`.

use serde_json::Value;

use super::verdicts::TABLE;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text, trimmed};
use crate::service::verdict::Code;
use crate::service::wire::json::{members, parsed};

/// Reads the answer to a post, which is the post.
pub fn post(answer: &Answer) -> Reading {
    match object(answer, "channel_id") {
        Ok((id, time)) => Reading::sent(Some(id), time.map(|ms| ms / 1000)),
        Err(reading) => reading,
    }
}

/// Reads the id of an object that has this other member too.
pub fn named(answer: &Answer, beside: &str) -> Result<String, Reading> {
    object(answer, beside).map(|(id, _)| id)
}

/// Reads the answer to the question whose token this is.
pub fn known(answer: &Answer) -> Reading {
    match object(answer, "username") {
        Ok(_) => Reading::sent(None, None),
        Err(reading) => reading,
    }
}

/// Reads the ids of files that were uploaded, one behind the other.
pub fn files(answer: &Answer) -> Result<String, Reading> {
    let body = text(answer).map_err(Reading::Unreadable)?;
    let found = members(body, ["file_infos", "status_code"]).ok();
    if let Some([Some(infos), None]) = found
        && is_success(answer.status)
    {
        let infos = parsed::<Vec<Value>>(Some(infos)).ok().flatten().unwrap_or_default();
        let ids = infos.iter().map(|info| info["id"].as_str().filter(|id| is_id(id)));
        let ids: Option<Vec<_>> = ids.collect();
        if let Some(ids) = ids.filter(|ids| !ids.is_empty()) {
            return Ok(ids.join(","));
        }
    }
    Err(refusal(answer, body).unwrap_or_else(|| Reading::Unreadable(excerpt(&answer.body))))
}

/// Reads the answer to a webhook's message.
pub fn hook(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    match trimmed(body) {
        "ok" if is_success(answer.status) => Reading::sent(None, None),
        body => refusal(answer, body).unwrap_or_else(|| Reading::Unreadable(excerpt(&answer.body))),
    }
}

/// True for an id of an object: 26 letters and digits.
fn is_id(id: &str) -> bool {
    id.len() == 26 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The id of the object that was answered, which has this other member too, and when it was made.
fn object(answer: &Answer, beside: &str) -> Result<(String, Option<i64>), Reading> {
    let body = text(answer).map_err(Reading::Unreadable)?;
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    let names = ["id", beside, "create_at", "status_code", "detailed_error", "error", "errors"];
    let [id, other, made, status, detail, error, errors] = match members(body, names) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            let words = format!("the answer is not Mattermost's JSON: {e}");
            return Err(Reading::Unreadable(words));
        }
        Err(_) => return Err(unreadable()),
    };
    if error.is_some() || errors.is_some() {
        return Err(unreadable());
    }
    let id = parsed::<String>(id.filter(|id| id.starts_with('"'))).ok().flatten();
    let other = other.filter(|other| other.starts_with('"') && other.len() > 2);
    let (Some(id), Some(_)) = (id.filter(|id| is_id(id)), other) else {
        return Err(refusal(answer, body).unwrap_or_else(unreadable));
    };
    if let Some(fault) = status.or(detail) {
        let words = format!("the answer is a success, and yet has an error: {fault}");
        return Err(Reading::Contradiction(words));
    }
    if !is_success(answer.status) {
        let words = format!("the answer is a success, but has HTTP status {}", answer.status);
        return Err(Reading::Contradiction(words));
    }
    Ok((id, parsed::<i64>(made).ok().flatten()))
}

/// A refusal of the server's own form, by its id where the table has that, else by its status.
fn refusal(answer: &Answer, body: &str) -> Option<Reading> {
    let names = ["id", "message", "status_code", "detailed_error", "error"];
    let [id, message, status, detail, error] = members(body, names).ok()?;
    let text = |json: Option<&str>| {
        parsed::<String>(json.filter(|json| json.starts_with('"'))).ok().flatten()
    };
    let (id, message) = (text(id)?, text(message)?);
    let status = status?.parse::<u16>().ok()?;
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.';
    let is_own = id.contains('.') && id.bytes().all(is_word);
    if !is_own || error.is_some() || !(400..600).contains(&status) || answer.status < 400 {
        return None;
    }
    let is_known = TABLE.iter().any(|row| matches!(row.code, Code::Is(code) if code == id));
    let code = if is_known { id.clone() } else { status.to_string() };
    let mut words = vec![message];
    words.extend((!is_known).then_some(id));
    words.extend(text(detail).filter(|detail| !detail.is_empty()));
    Some(Reading::refused(code, words.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8xyzabcdefghijklmnopqrstu1";

    fn told_of(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, time, .. } => {
                format!("sent {} {}", id.unwrap_or_default(), time.unwrap_or_default())
            }
            Reading::Refused { code, text, .. } => format!("refused {code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    #[test]
    fn an_answer_is_mattermost_s_in_its_own_shape_only() {
        let own = |more: &str| format!("{{\"id\":\"{ID}\",\"channel_id\":\"{ID}\"{more}}}");
        let no = |id: &str, status: u16| {
            format!(r#"{{"id":"{id}","message":"no","detailed_error":"","status_code":{status}}}"#)
        };
        let sent = format!("sent {ID} 1700000000");
        for (status, body, is) in [
            (201, own(",\"create_at\":1700000000123"), &*sent),
            (201, own(",\"error\":{}"), "unreadable"),
            (201, own(",\"status_code\":400"), "contradiction"),
            (502, own(""), "contradiction"),
            (201, format!("{{\"id\":\"{ID}\"}}"), "unreadable"),
            (201, "{\"id\":\"x\",\"channel_id\":\"y\"}".to_owned(), "unreadable"),
            (403, no("api.context.permissions.app_error", 403), {
                "refused api.context.permissions.app_error no"
            }),
            (400, no("api.something.new.app_error", 400), {
                "refused 400 no; api.something.new.app_error"
            }),
            (201, no("api.context.permissions.app_error", 403), "unreadable"),
            (500, no("Bad Gateway", 500), "unreadable"),
            (502, r#"{"id":"a.b","message":"no"}"#.to_owned(), "unreadable"),
            (502, r#"{"id":"a.b","status_code":502}"#.to_owned(), "unreadable"),
            (429, "limit exceeded".to_owned(), "unreadable"),
        ] {
            assert_eq!(told_of(post(&answer(status, &body))), is, "{status} {body}");
        }
    }

    #[test]
    fn a_webhook_is_ok_by_that_word_alone() {
        let no =
            r#"{"id":"web.incoming_webhook.invalid.app_error","message":"no","status_code":400}"#;
        for (status, body, is) in [
            (200, "ok", "sent  0"),
            (200, "OK", "unreadable"),
            (200, "", "unreadable"),
            (200, "{}", "unreadable"),
            (400, "ok", "unreadable"),
            (400, no, "refused web.incoming_webhook.invalid.app_error no"),
            (200, no, "unreadable"),
        ] {
            assert_eq!(told_of(hook(&answer(status, body))), is, "{status} {body}");
        }
    }

    #[test]
    fn files_have_an_id_each() {
        let read = |body: &str| files(&answer(201, body)).map_err(told_of);
        let two = format!(r#"{{"file_infos":[{{"id":"{ID}"}},{{"id":"{ID}"}}],"client_ids":[]}}"#);
        assert_eq!(read(&two), Ok(format!("{ID},{ID}")));
        assert_eq!(read(r#"{"file_infos":[]}"#), Err("unreadable".to_owned()));
        assert_eq!(read(r#"{"file_infos":[{"id":7}]}"#), Err("unreadable".to_owned()));
    }
}
