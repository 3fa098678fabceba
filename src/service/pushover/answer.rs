//! What Pushover answers: `{"status": 1, "request": …}`, or 0 and a list of errors.

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// Reads the answer to a message.
pub fn read(answer: &Answer) -> Reading {
    envelope(answer, |_| true)
}

/// Reads the answer to the question how many messages are left.
pub fn known(answer: &Answer) -> Reading {
    envelope(answer, |limit| limit.is_some_and(|limit| limit.bytes().all(|b| b.is_ascii_digit())))
}

fn envelope(answer: &Answer, is_whole: fn(Option<&str>) -> bool) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    const NAMES: [&str; 5] = ["status", "request", "errors", "error", "limit"];
    let [status, request, errors, error, limit] = match members(body, NAMES) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            return Reading::Unreadable(format!("the answer is not Pushover's JSON: {e}"));
        }
        Err(_) => return unreadable(),
    };
    let request = parsed::<String>(request.filter(|json| json.starts_with('"'))).ok().flatten();
    let Some(request) = request.filter(|id| is_id(id) && error.is_none()) else {
        return unreadable();
    };
    match (status, errors) {
        (Some("1"), None) if !is_whole(limit) => unreadable(),
        (Some("1"), None) if is_success(answer.status) => Reading::sent(Some(request), None),
        (Some("1"), _) => {
            let words = format!(
                "the answer is a success, and yet has errors or HTTP status {}",
                answer.status
            );
            Reading::Contradiction(words)
        }
        (Some("0"), Some(errors)) => match parsed::<Vec<String>>(Some(errors)).ok().flatten() {
            Some(errors) if !errors.is_empty() => {
                // Every refusal that is known has a status of one; another counts as such.
                let status = if answer.status < 400 { 400 } else { answer.status };
                Reading::refused(status.to_string(), errors.join("; "))
            }
            _ => unreadable(),
        },
        _ => unreadable(),
    }
}

/// True for what names a request: letters, digits and dashes.
fn is_id(id: &str) -> bool {
    id.len() >= 8 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, .. } => format!("sent {}", id.unwrap_or_default()),
            Reading::Refused { code, text, .. } => format!("refused {code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn an_answer_is_pushover_s_in_its_own_shape_only() {
        let own = |status: &str, more: &str| {
            format!(r#"{{"status":{status},"request":"647d2300-702c"{more}}}"#)
        };
        let no = own("0", r#","user":"invalid","errors":["user identifier is invalid","b"]"#);
        for (status, body, meant) in [
            (200, own("1", r#","receipt":"r7""#), "sent 647d2300-702c"),
            (500, own("1", ""), "contradiction"),
            (200, own("1", r#","errors":["no"]"#), "contradiction"),
            (200, own("1", r#","error":"no""#), "unreadable"),
            (200, own("\"1\"", ""), "unreadable"),
            (200, own("true", ""), "unreadable"),
            (200, r#"{"status":1}"#.to_owned(), "unreadable"),
            (200, r#"{"status":1,"request":"/1"}"#.to_owned(), "unreadable"),
            (400, no.clone(), "refused 400 user identifier is invalid; b"),
            (200, no.clone(), "refused 400 user identifier is invalid; b"),
            (429, no.clone(), "refused 429 user identifier is invalid; b"),
            (400, own("0", ""), "unreadable"),
            (400, own("0", r#","errors":[]"#), "unreadable"),
            (400, own("0", r#","errors":{}"#), "unreadable"),
        ] {
            let answer = Answer { status, body: body.clone().into(), ..Answer::default() };
            assert_eq!(is(read(&answer)), meant, "{status} {body}");
        }
        let limits = own("1", r#","limit":10000,"remaining":1,"reset":1"#);
        for (body, meant) in [(limits, "sent 647d2300-702c"), (own("1", ""), "unreadable")] {
            let answer = Answer { status: 200, body: body.into(), ..Answer::default() };
            assert_eq!(is(known(&answer)), meant);
        }
    }
}
