//! What ntfy answers: the notice itself, or `{"code": 40301, "http": 403, "error": "forbidden", …}`.

use crate::model::receipt::Note;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// What the server writes into a notice of whose text it made a file.
const MADE_A_FILE: &str = "You received a file: attachment.txt";

/// A member that is a text, and not blank.
fn words(json: Option<&str>) -> Option<String> {
    let text = parsed::<String>(json.filter(|json| json.starts_with('"'))).ok().flatten();
    text.filter(|text| !text.trim().is_empty())
}

/// Reads the answer to a notice.
pub fn read(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    const NAMES: [&str; 9] =
        ["id", "event", "topic", "time", "message", "code", "http", "error", "errors"];
    let [id, event, topic, time, message, faults @ ..] = match members(body, NAMES) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            return Reading::Unreadable(format!("the answer is not ntfy's JSON: {e}"));
        }
        Err(_) => return Reading::Unreadable(excerpt(&answer.body)),
    };
    let (Some(id), Some("\"message\""), Some(_)) = (words(id), event, words(topic)) else {
        return refusal(answer, body);
    };
    if faults.iter().any(Option::is_some) {
        return Reading::Contradiction("the answer is a notice, and yet has an error".to_owned());
    }
    if !is_success(answer.status) {
        let words = format!("the answer is a notice, but has HTTP status {}", answer.status);
        return Reading::Contradiction(words);
    }
    let file = Note {
        name: "converted".into(),
        message: "the text is longer than this server takes, which made a file of it".to_owned(),
    };
    let made_a_file = words(message).as_deref() == Some(MADE_A_FILE);
    Reading::Sent {
        id: Some(id),
        time: parsed::<i64>(time).ok().flatten(),
        notes: made_a_file.then_some(file).into_iter().collect(),
    }
}

/// Reads the answer to the question whose credentials these are.
pub fn known(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    match members(body, ["username", "role", "code", "error"]) {
        Ok([name, role, None, None]) if is_success(answer.status) => match (words(name), role) {
            (Some(name), Some("\"user\"" | "\"admin\"")) if name != "*" => {
                Reading::sent(None, None)
            }
            _ => Reading::Unreadable(excerpt(&answer.body)),
        },
        _ => refusal(answer, body),
    }
}

/// A refusal of the server's own form: a code of five digits, and the status that it goes with.
fn refusal(answer: &Answer, body: &str) -> Reading {
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    let Ok([code, http, error]) = members(body, ["code", "http", "error"]) else {
        return unreadable();
    };
    let number = |json: Option<&str>| json.and_then(|json| json.parse::<u32>().ok());
    let (Some(code), Some(http), Some(error)) = (number(code), number(http), words(error)) else {
        return unreadable();
    };
    let is_own = (40_000..60_000).contains(&code) && (400..600).contains(&http);
    match is_own && answer.status >= 400 {
        true => Reading::refused(code.to_string(), error),
        false => unreadable(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, notes, .. } => {
                let notes: Vec<_> = notes.iter().map(|note| &*note.name).collect();
                format!("sent {} {}", id.unwrap_or_default(), notes.join(","))
            }
            Reading::Refused { code, text, .. } => format!("refused {code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.into(), ..Answer::default() }
    }

    #[test]
    fn an_answer_is_ntfy_s_in_its_own_shape_only() {
        let own = |more: &str| format!(r#"{{"id":"sQ1","event":"message","topic":"t"{more}}}"#);
        let no = r#"{"code":40301,"http":403,"error":"forbidden","link":"https://ntfy.sh/docs"}"#;
        for (status, body, meant) in [
            (200, own(r#","time":1,"message":"x""#), "sent sQ1 "),
            (200, own(r#","message":"You received a file: attachment.txt""#), "sent sQ1 converted"),
            (500, own(""), "contradiction"),
            (200, own(r#","code":40301"#), "contradiction"),
            (200, own(r#","error":"no""#), "contradiction"),
            (200, r#"{"id":"sQ1","event":"open","topic":"t"}"#.to_owned(), "unreadable"),
            (200, r#"{"id":"","event":"message","topic":"t"}"#.to_owned(), "unreadable"),
            (200, r#"{"id":"sQ1","event":"message"}"#.to_owned(), "unreadable"),
            (403, no.to_owned(), "refused 40301 forbidden"),
            (200, no.to_owned(), "unreadable"),
            (403, r#"{"code":403,"http":403,"error":"no"}"#.to_owned(), "unreadable"),
            (403, r#"{"code":"40301","http":403,"error":"no"}"#.to_owned(), "unreadable"),
            (403, r#"{"code":40301,"error":"no"}"#.to_owned(), "unreadable"),
            (403, r#"{"code":40301,"http":403,"error":""}"#.to_owned(), "unreadable"),
        ] {
            assert_eq!(is(read(&answer(status, &body))), meant, "{status} {body}");
        }
    }

    #[test]
    fn credentials_are_known_by_a_name_of_their_own() {
        for (status, body, meant) in [
            (200, r#"{"username":"phil","role":"user","limits":{}}"#, "sent  "),
            (200, r#"{"username":"*","role":"anonymous"}"#, "unreadable"),
            (200, r#"{"username":"phil"}"#, "unreadable"),
            (
                401,
                r#"{"code":40101,"http":401,"error":"unauthorized"}"#,
                "refused 40101 unauthorized",
            ),
        ] {
            assert_eq!(is(known(&answer(status, body))), meant, "{status} {body}");
        }
    }
}
