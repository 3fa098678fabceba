//! What Slack answers: `{"ok": true, …}` or `{"ok": false, "error": "…"}`, and in HTTP 200 both; a webhook
//! answers in one word.

use serde_json::Value;

use crate::model::receipt::Note;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text, trimmed};
use crate::service::wire::json::{members, parsed};

/// An answer as its envelope.
enum Envelope<'a> {
    /// The whole of a success.
    Ok(&'a str),
    /// Anything else.
    Not(Reading),
}

/// True for a word of Slack's own form: small letters, with `_` between them.
fn is_word(code: &str) -> bool {
    let letters = code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    letters && (code.contains('_') || matches!(code, "ratelimited" | "accesslimited"))
}

fn envelope(answer: &Answer) -> Envelope<'_> {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Envelope::Not(Reading::Unreadable(why)),
    };
    let unreadable = || Envelope::Not(Reading::Unreadable(excerpt(&answer.body)));
    let names = ["ok", "error", "response_metadata", "needed", "errors", "message", "channel"];
    let [ok, error, metadata, needed, errors, message, channel] = match members(body, names) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            return Envelope::Not(Reading::Unreadable(format!(
                "the answer is not Slack's JSON: {e}"
            )));
        }
        Err(_) => return unreadable(),
    };
    let word = parsed::<String>(error.filter(|error| error.starts_with('"'))).ok().flatten();
    match (ok, error, word) {
        (Some("true"), None, _) if errors.is_none() => match is_success(answer.status) {
            true => Envelope::Ok(body),
            // Others say as much as that all is well.
            false if channel.is_none() => unreadable(),
            false => Envelope::Not(Reading::Contradiction(format!(
                "the service answered with success, but with HTTP status {}",
                answer.status
            ))),
        },
        (Some("true"), Some(_), Some(word)) if is_word(&word) => {
            Envelope::Not(Reading::Contradiction(format!(
                "the service answered with success and yet with {word}"
            )))
        }
        // A message beside a refusal is none of Slack's.
        (Some("false"), _, Some(word)) if is_word(&word) && message.is_none() => {
            let mut words = told(metadata);
            if let Some(scope) = parsed::<String>(needed).ok().flatten() {
                words.push(format!("needed: {scope}"));
            }
            Envelope::Not(Reading::refused(word, words.join("; ")))
        }
        _ => unreadable(),
    }
}

/// What Slack says to people of a refusal.
fn told(metadata: Option<&str>) -> Vec<String> {
    let messages = metadata.and_then(|metadata| members(metadata, ["messages"]).ok());
    let messages = messages.and_then(|[messages]| parsed::<Vec<Value>>(messages).ok().flatten());
    let messages = messages.unwrap_or_default();
    messages.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Reads the answer to a message: its id is its time stamp.
pub fn read(answer: &Answer) -> Reading {
    let body = match envelope(answer) {
        Envelope::Ok(body) => body,
        Envelope::Not(reading) => return reading,
    };
    let Ok([Some(_), ts, metadata, warning]) =
        members(body, ["channel", "ts", "response_metadata", "warning"])
    else {
        return Reading::Unreadable(excerpt(&answer.body));
    };
    let Some(ts) = parsed::<String>(ts.filter(|ts| ts.starts_with('"'))).ok().flatten() else {
        return Reading::Unreadable(excerpt(&answer.body));
    };
    let time = ts.split('.').next().and_then(|seconds| seconds.parse().ok());
    let cut = [metadata, warning].iter().flatten().any(|text| text.contains("message_truncated"));
    let note = || Note { name: "truncated".into(), message: "Slack cut the text".to_owned() };
    Reading::Sent { id: Some(ts), time, notes: cut.then(note).into_iter().collect() }
}

/// Reads the channel of a direct message, or why there is none.
pub fn channel(answer: &Answer) -> Result<String, Reading> {
    let body = match envelope(answer) {
        Envelope::Ok(body) => body,
        Envelope::Not(reading) => return Err(reading),
    };
    let id = members(body, ["channel"]).ok().and_then(|[channel]| {
        let [id] = members(channel.filter(|channel| channel.starts_with('{'))?, ["id"]).ok()?;
        parsed::<String>(id).ok().flatten().filter(|id| !id.is_empty())
    });
    id.ok_or_else(|| Reading::Unreadable(excerpt(&answer.body)))
}

/// Reads where a file may go, and the id that it has then.
pub fn place(answer: &Answer) -> Result<(String, String), Reading> {
    let body = match envelope(answer) {
        Envelope::Ok(body) => body,
        Envelope::Not(reading) => return Err(reading),
    };
    let text = |json: Option<&str>| parsed::<String>(json).ok().flatten();
    let found = members(body, ["upload_url", "file_id"]).ok();
    let found = found.and_then(|[url, id]| Some((text(url)?, text(id)?)));
    let is_whole = |(_, id): &(String, String)| is_file_id(id);
    found.filter(is_whole).ok_or_else(|| Reading::Unreadable(excerpt(&answer.body)))
}

fn is_file_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Reads the answer to files that are shared: they are named, and the message that has them is not.
pub fn shared(answer: &Answer) -> Reading {
    let body = match envelope(answer) {
        Envelope::Ok(body) => body,
        Envelope::Not(reading) => return reading,
    };
    let files = members(body, ["files"]).ok();
    let files = files.and_then(|[files]| parsed::<Vec<Value>>(files).ok().flatten());
    let is_file = |file: &Value| file["id"].as_str().is_some_and(is_file_id);
    match files.filter(|files| !files.is_empty() && files.iter().all(is_file)) {
        Some(_) => Reading::sent(None, None),
        None => Reading::Unreadable(excerpt(&answer.body)),
    }
}

/// Reads the answer to the question whose token this is.
pub fn tested(answer: &Answer) -> Reading {
    match envelope(answer) {
        Envelope::Ok(body) => match members(body, ["user_id"]) {
            Ok([Some(_)]) => Reading::sent(None, None),
            _ => Reading::Unreadable(excerpt(&answer.body)),
        },
        Envelope::Not(reading) => reading,
    }
}

/// Reads the answer of a webhook: `ok`, or a word that says what is wrong.
pub fn read_hook(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => trimmed(body),
        Err(why) => return Reading::Unreadable(why),
    };
    match body {
        "ok" if is_success(answer.status) => Reading::sent(None, None),
        word if is_word(word) && matches!(answer.status, 400..=599) => Reading::refused(word, ""),
        _ => Reading::Unreadable(excerpt(&answer.body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, notes, .. } => {
                let notes: Vec<_> = notes.iter().map(|note| &*note.name).collect();
                format!("sent {} {}", id.unwrap_or_default(), notes.join(" ")).trim().to_owned()
            }
            Reading::Refused { code, text, .. } => {
                format!("refused {code} {text}").trim().to_owned()
            }
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    #[test]
    fn an_answer_is_slack_s_in_its_own_shape_only() {
        for (status, body, is) in [
            (
                200,
                r#"{"ok":true,"channel":"C1","ts":"1503435956.000247"}"#,
                "sent 1503435956.000247",
            ),
            (
                200,
                r#"{"ok":true,"channel":"C1","ts":"1.000247","response_metadata":{"warnings":["message_truncated"]}}"#,
                "sent 1.000247 truncated",
            ),
            (200, r#"{"ok":true,"channel":"C1","ts":1503435956.000247}"#, "unreadable"),
            (200, r#"{"ok":true,"channel":"C1"}"#, "unreadable"),
            (200, r#"{"ok":true}"#, "unreadable"),
            (200, r#"{"ok":1,"channel":"C1","ts":"1.000247"}"#, "unreadable"),
            (
                200,
                r#"{"ok":true,"channel":"C1","ts":"1.000247","error":"fatal_error"}"#,
                "contradiction",
            ),
            (502, r#"{"ok":true,"channel":"C1","ts":"1.000247"}"#, "contradiction"),
            (200, r#"{"ok":false,"error":"channel_not_found"}"#, "refused channel_not_found"),
            (429, r#"{"ok":false,"error":"ratelimited"}"#, "refused ratelimited"),
            (
                200,
                r#"{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"im:write"}"#,
                "refused missing_scope needed: chat:write",
            ),
            (
                200,
                r#"{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] no text"]}}"#,
                "refused invalid_blocks [ERROR] no text",
            ),
            (200, r#"{"ok":false,"error":"Bad Gateway"}"#, "unreadable"),
            (200, r#"{"ok":false,"error":{}}"#, "unreadable"),
            (200, r#"{"ok":false}"#, "unreadable"),
            (502, r#"{"error":"channel_not_found"}"#, "unreadable"),
        ] {
            assert_eq!(told_of(read(&answer(status, body))), is, "{status} {body}");
        }
    }

    #[test]
    fn a_webhook_is_ok_by_that_word_alone() {
        for (status, body, is) in [
            (200, "ok", "sent"),
            (200, "OK", "unreadable"),
            (200, "", "unreadable"),
            (200, "ok and more", "unreadable"),
            (200, "invalid_payload", "unreadable"),
            (200, "<html>ok</html>", "unreadable"),
            (400, "ok", "unreadable"),
            (400, "invalid_payload", "refused invalid_payload"),
            (404, "no_service", "refused no_service"),
            (410, "channel_is_archived\n", "refused channel_is_archived"),
            (500, "rollup_error", "refused rollup_error"),
            (404, "404 page not found", "unreadable"),
        ] {
            assert_eq!(told_of(read_hook(&answer(status, body))), is, "{status} {body}");
        }
    }

    #[test]
    fn the_channel_of_a_direct_message_is_read_whole_or_not() {
        let read = |body: &str| channel(&answer(200, body)).map_err(told_of);
        assert_eq!(read(r#"{"ok":true,"channel":{"id":"D1"}}"#), Ok("D1".to_owned()));
        assert_eq!(read(r#"{"ok":true,"channel":"D1"}"#), Err("unreadable".to_owned()));
        assert_eq!(read(r#"{"ok":true,"channel":{"id":""}}"#), Err("unreadable".to_owned()));
        let refused = Err("refused user_not_found".to_owned());
        assert_eq!(read(r#"{"ok":false,"error":"user_not_found"}"#), refused);
    }

    #[test]
    fn a_file_has_a_place_and_an_id_or_none() {
        let read = |body: &str| place(&answer(200, body)).map_err(told_of);
        let own = r#"{"ok":true,"upload_url":"https://files.slack.com/u/1","file_id":"F1"}"#;
        assert_eq!(read(own), Ok(("https://files.slack.com/u/1".to_owned(), "F1".to_owned())));
        for body in [
            r#"{"ok":true}"#,
            r#"{"ok":true,"upload_url":"https://files.slack.com/u/1"}"#,
            r#"{"ok":true,"upload_url":"https://files.slack.com/u/1","file_id":""}"#,
            r#"{"ok":true,"upload_url":"https://files.slack.com/u/1","file_id":7}"#,
            r#"{"ok":true,"upload_url":7,"file_id":"F1"}"#,
        ] {
            assert_eq!(read(body), Err("unreadable".to_owned()), "{body}");
        }
        let shared = |body: &str| told_of(shared(&answer(200, body)));
        assert_eq!(shared(r#"{"ok":true,"files":[{"id":"F1","title":"a"}]}"#), "sent");
        assert_eq!(shared(r#"{"ok":true,"files":[]}"#), "unreadable");
        assert_eq!(shared(r#"{"ok":true,"files":[{"title":"a"}]}"#), "unreadable");
        assert_eq!(shared(r#"{"ok":true}"#), "unreadable");
        assert_eq!(shared(r#"{"ok":false,"error":"fatal_error"}"#), "refused fatal_error");
    }
}
