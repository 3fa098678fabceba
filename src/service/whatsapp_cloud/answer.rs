//! What WhatsApp answers: the id of the message, or `{"error": {"code": …, "fbtrace_id": …}}`.

use serde_json::Value;

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// The shortest trace that a server of WhatsApp gives an error.
const SHORTEST_TRACE: usize = 8;

/// Reads the answer to a message, which was taken and no more than that.
pub fn message(answer: &Answer) -> Reading {
    let (body, [product, messages, contacts, errors], fault) =
        match object(answer, ["messaging_product", "messages", "contacts", "errors"]) {
            Ok(found) => found,
            Err(reading) => return reading,
        };
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    let is_own = product == Some("\"whatsapp\"") && contacts.is_some_and(|c| c.starts_with('['));
    let messages = parsed::<Vec<Value>>(messages.filter(|_| is_own)).ok().flatten();
    let first = messages.as_deref().and_then(<[Value]>::first);
    let id = first.and_then(|first| first["id"].as_str()).filter(|id| !id.trim().is_empty());
    let Some(id) = id else { return refusal(answer, body).unwrap_or_else(unreadable) };
    if let Some(fault) = fault.or(errors) {
        let words = format!("WhatsApp took the message, and yet answered with an error: {fault}");
        return Reading::Contradiction(words);
    }
    if !is_success(answer.status) {
        let words = format!("WhatsApp took the message, but with HTTP status {}", answer.status);
        return Reading::Contradiction(words);
    }
    let mut reading = Reading::accepted(Some(id.to_owned()), "WhatsApp");
    let status = first.and_then(|first| first["message_status"].as_str());
    if let (Reading::Sent { notes, .. }, Some(status)) = (&mut reading, status)
        && status != "accepted"
        && let Some(note) = notes.first_mut()
    {
        note.message.push_str(&format!("; for now it is {status}"));
    }
    reading
}

/// Reads the id of a file that was uploaded.
pub fn uploaded(answer: &Answer) -> Result<String, Reading> {
    let (body, [id], fault) = object(answer, ["id"])?;
    let id = parsed::<String>(id.filter(|id| id.starts_with('"'))).ok().flatten();
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    let id = id.filter(is_id).filter(|_| is_success(answer.status) && fault.is_none());
    id.ok_or_else(|| {
        refusal(answer, body).unwrap_or_else(|| Reading::Unreadable(excerpt(&answer.body)))
    })
}

/// What of an object is looked at, and its error.
type Object<'a, const N: usize> = (&'a str, [Option<&'a str>; N], Option<&'a str>);

fn object<'a, const N: usize>(
    answer: &'a Answer,
    names: [&str; N],
) -> Result<Object<'a, N>, Reading> {
    let body = text(answer).map_err(Reading::Unreadable)?;
    match members(body, names).and_then(|found| Ok((found, members(body, ["error"])?))) {
        Ok((found, [fault])) => Ok((body, found, fault)),
        Err(e) if is_success(answer.status) => {
            Err(Reading::Unreadable(format!("the answer is not WhatsApp's JSON: {e}")))
        }
        Err(_) => Err(Reading::Unreadable(excerpt(&answer.body))),
    }
}

/// A refusal of WhatsApp's own: it has a trace, and else the same could be anybody's.
fn refusal(answer: &Answer, body: &str) -> Option<Reading> {
    let [error] = members(body, ["error"]).ok()?;
    let error = error.filter(|error| error.starts_with('{'))?;
    let names = ["message", "type", "code", "error_data", "fbtrace_id"];
    let [message, kind, code, data, trace] = members(error, names).ok()?;
    let words = |json: Option<&str>| {
        parsed::<String>(json.filter(|json| json.starts_with('"'))).ok().flatten()
    };
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"_-+/=".contains(&b);
    let is_trace = |trace: &String| trace.len() >= SHORTEST_TRACE && trace.bytes().all(is_letter);
    words(trace).filter(is_trace)?;
    let (mut text, _) = (words(message)?, words(kind)?);
    let details = data.filter(|data| data.starts_with('{'));
    let details = details.and_then(|data| words(members(data, ["details"]).ok()?[0]));
    if let Some(details) = details.filter(|details| *details != text) {
        text = format!("{text}; {details}");
    }
    let code = match code {
        Some(code) if code.bytes().all(|b| b.is_ascii_digit()) => code.to_owned(),
        Some(_) => return None,
        None if answer.status >= 500 => "http:5xx".to_owned(),
        None => format!("http:{}", answer.status),
    };
    (answer.status >= 400 || !code.starts_with("http:")).then(|| Reading::refused(code, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, notes, .. } => {
                format!("sent {} {}", id.unwrap_or_default(), notes[0].message)
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
    fn an_answer_is_whatsapp_s_in_its_own_shape_only() {
        let own = |message: &str, more: &str| {
            format!(
                r#"{{"messaging_product":"whatsapp","contacts":[{{"input":"+1","wa_id":"1"}}],"messages":[{message}]{more}}}"#
            )
        };
        let error = |code: &str, trace: &str| {
            format!(
                r##"{{"error":{{"message":"(#1) no","type":"OAuthException"{code},"error_data":{{"messaging_product":"whatsapp","details":"why"}},"fbtrace_id":"{trace}"}}}}"##
            )
        };
        let trace = "AI5Ob2z72R0JAUB5zOF-nao";
        let taken = "WhatsApp took the message, and does not say whether it arrives";
        for (status, body, is) in [
            (200, own(r#"{"id":"wamid.1"}"#, ""), format!("sent wamid.1 {taken}")),
            (
                200,
                own(r#"{"id":"wamid.1","message_status":"paused"}"#, ""),
                format!("sent wamid.1 {taken}; for now it is paused"),
            ),
            (400, own(r#"{"id":"wamid.1"}"#, ""), "contradiction".to_owned()),
            (200, own(r#"{"id":"wamid.1"}"#, ",\"error\":{}"), "contradiction".to_owned()),
            (200, own("", ""), "unreadable".to_owned()),
            (200, own(r#"{"id":1}"#, ""), "unreadable".to_owned()),
            (200, r#"{"messages":[{"id":"wamid.1"}]}"#.to_owned(), "unreadable".to_owned()),
            (400, error(",\"code\":131030", trace), "refused 131030 (#1) no; why".to_owned()),
            (200, error(",\"code\":131030", trace), "refused 131030 (#1) no; why".to_owned()),
            (401, error("", trace), "refused http:401 (#1) no; why".to_owned()),
            (503, error("", trace), "refused http:5xx (#1) no; why".to_owned()),
            (200, error("", trace), "unreadable".to_owned()),
            (400, error(",\"code\":\"131030\"", trace), "unreadable".to_owned()),
            (400, error(",\"code\":131030", "A"), "unreadable".to_owned()),
            (400, r#"{"error":{"message":"no","code":190}}"#.to_owned(), "unreadable".to_owned()),
        ] {
            assert_eq!(told_of(message(&answer(status, &body))), is, "{status} {body}");
        }
    }

    #[test]
    fn an_upload_has_an_id_or_is_none() {
        let read = |status, body: &str| uploaded(&answer(status, body)).map_err(told_of);
        assert_eq!(read(200, r#"{"id":"4490709327384033"}"#), Ok("4490709327384033".to_owned()));
        for (status, body) in [
            (200, "{}"),
            (200, r#"{"id":4490709327384033}"#),
            (200, r#"{"id":""}"#),
            (200, r#"{"id":"a/b"}"#),
            (500, r#"{"id":"1"}"#),
            (200, r#"{"id":"1","error":{}}"#),
        ] {
            assert_eq!(read(status, body), Err("unreadable".to_owned()), "{status} {body}");
        }
    }
}
