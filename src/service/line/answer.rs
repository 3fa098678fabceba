//! What LINE answers: what it sent, or `{"message": …, "details": […]}`, in which no code stands.

use serde_json::{Map, Value};

use crate::model::receipt::Note;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// How LINE's refusals begin, as its document lists them: what anybody might say is nobody's.
const OWN: [&str; 9] = [
    "Access to this API is not available",
    "Authentication failed due to the following reason",
    "Failed to send messages",
    "The API rate limit has been exceeded",
    "The content type,",
    "The property,",
    "The request body could not be parsed",
    "The request body has ",
    "You have reached ",
];
/// What it says of a retry key that it knows.
const KNOWN: &str = "The retry key is already accepted";

/// Reads the answer to a message; of one to several users it tells nothing.
pub fn read(answer: &Answer, is_multicast: bool) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    match reading(answer, body, is_multicast) {
        Ok(Some(reading)) => reading,
        Err(e) if is_success(answer.status) => {
            Reading::Unreadable(format!("the answer is not LINE's JSON: {e}"))
        }
        Ok(None) | Err(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

/// Reads the answer to the question whose token this is.
pub fn known(answer: &Answer) -> Reading {
    let found = text(answer).and_then(|body| members(body, ["userId", "basicId", "message"]));
    match found {
        Ok([Some(user), Some(_), None]) if user.starts_with('"') && is_success(answer.status) => {
            Reading::sent(None, None)
        }
        _ => read(answer, false),
    }
}

fn reading(answer: &Answer, body: &str, is_multicast: bool) -> Result<Option<Reading>, String> {
    const NAMES: [&str; 8] =
        ["sentMessages", "message", "details", "error", "errors", "code", "status", "statusCode"];
    let [sent, message, details, foreign @ ..] = members(body, NAMES)?;
    if foreign.iter().any(Option::is_some) {
        return Ok(None);
    }
    let id = id_of(sent)?;
    let Some(message) = message else {
        let is_own = match is_multicast {
            true => parsed::<Map<String, Value>>(Some(body))?.is_some_and(|all| all.is_empty()),
            false => id.is_some() && details.is_none(),
        };
        return Ok(is_own.then(|| success(answer, id)));
    };
    let Some(words) = parsed::<String>(Some(message).filter(|json| json.starts_with('"')))? else {
        return Ok(None);
    };
    let told = faults(details)?;
    // What it sent before it names, whatever its words are.
    let is_known = words.starts_with(KNOWN) || answer.status == 409 && id.is_some();
    let is_own = is_known || told.is_some() || OWN.iter().any(|own| words.starts_with(own));
    if !is_own || answer.status < 400 {
        return Ok(None);
    }
    let code = answer.status.to_string();
    Ok(Some(match (answer.status, is_known) {
        (409, true) => Reading::Known { code, text: words, id },
        (409, false) | (_, true) => {
            Reading::Contradiction(format!("HTTP status {code} does not fit its words: {words}"))
        }
        _ => Reading::refused(code, [words, told.unwrap_or_default()].concat()),
    }))
}

/// The id of the first message that was sent.
fn id_of(sent: Option<&str>) -> Result<Option<String>, String> {
    let sent = parsed::<Vec<Value>>(sent.filter(|sent| sent.starts_with('[')))?;
    let first = sent.as_ref().and_then(|sent| sent.first()?["id"].as_str());
    let is_id = |id: &&str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    Ok(first.filter(is_id).map(str::to_owned))
}

/// What the answer says of single properties; none where it has no such list.
fn faults(details: Option<&str>) -> Result<Option<String>, String> {
    let Some(all) = parsed::<Vec<Value>>(details.filter(|list| list.starts_with('[')))? else {
        return Ok(None);
    };
    let words = |fault: &Value| {
        Some(format!("; {}: {}", fault["property"].as_str()?, fault["message"].as_str()?))
    };
    Ok(all.iter().map(words).collect::<Option<String>>().filter(|words| !words.is_empty()))
}

fn success(answer: &Answer, id: Option<String>) -> Reading {
    if !is_success(answer.status) {
        let words = format!("LINE answered with success, but with HTTP status {}", answer.status);
        return Reading::Contradiction(words);
    }
    let message =
        "LINE took the message; whether it is shown to whoever blocked the bot it does not tell";
    let note = Note { name: "accepted_only".into(), message: message.to_owned() };
    Reading::Sent { id, time: None, notes: vec![note] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, notes, .. } => {
                format!("sent {} {}", id.unwrap_or_default(), notes[0].name)
            }
            Reading::Known { code, id, .. } => format!("known {code} {}", id.unwrap_or_default()),
            Reading::Refused { code, text, .. } => format!("refused {code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    #[test]
    fn an_answer_is_line_s_in_its_own_shape_only() {
        let sent = r#"{"sentMessages":[{"id":"461230966842064897","quoteToken":"q"}]}"#;
        let again =
            r#"{"message":"The retry key is already accepted","sentMessages":[{"id":"46"}]}"#;
        let invalid = r#"{"message":"The request body has 1 error(s)","details":[
            {"message":"May not be empty","property":"messages[0].text"}]}"#;
        for (status, body, is) in [
            (200, sent, "sent 461230966842064897 accepted_only"),
            (403, sent, "contradiction"),
            (200, r#"{"sentMessages":[]}"#, "unreadable"),
            (200, r#"{"sentMessages":[{"id":46}]}"#, "unreadable"),
            (200, "{}", "unreadable"),
            (200, r#"{"sentMessages":[{"id":"46"}],"error":{}}"#, "unreadable"),
            (409, again, "known 409 46"),
            (409, r#"{"message":"The retry key is already accepted"}"#, "known 409 "),
            (409, r#"{"message":"Sent already","sentMessages":[{"id":"46"}]}"#, "known 409 46"),
            (400, again, "contradiction"),
            (200, again, "unreadable"),
            (409, invalid, "contradiction"),
            (409, r#"{"message":"Conflict"}"#, "unreadable"),
            (
                400,
                invalid,
                "refused 400 The request body has 1 error(s); messages[0].text: May not be empty",
            ),
            (429, r#"{"message":"You have reached your monthly limit."}"#, {
                "refused 429 You have reached your monthly limit."
            }),
            (404, r#"{"message":"Not found"}"#, "unreadable"),
            (400, r#"{"message":"no","details":[]}"#, "unreadable"),
            (400, r#"{"message":"no","details":[{"message":"x"}]}"#, "unreadable"),
            (429, r#"{"message":"API rate limit exceeded"}"#, "unreadable"),
        ] {
            assert_eq!(told(read(&answer(status, body), false)), is, "{status} {body}");
        }
    }

    #[test]
    fn of_several_users_nothing_is_told() {
        for (status, body, is) in [
            (200, "{}", "sent  accepted_only"),
            (200, " { } ", "sent  accepted_only"),
            (500, "{}", "contradiction"),
            (200, r#"{"x":1}"#, "unreadable"),
            (200, "[]", "unreadable"),
            (200, "", "unreadable"),
        ] {
            assert_eq!(told(read(&answer(status, body), true)), is, "{status} {body}");
        }
    }

    #[test]
    fn who_asks_is_told_who_he_is() {
        let me = r#"{"userId":"U1","basicId":"@x","displayName":"x"}"#;
        assert!(matches!(known(&answer(200, me)), Reading::Sent { .. }));
        assert!(matches!(known(&answer(200, "{}")), Reading::Unreadable(_)));
        let no =
            r#"{"message":"Authentication failed due to the following reason: invalid token."}"#;
        assert_eq!(known(&answer(401, no)).code(), Some("401"));
    }
}
