//! What WxPusher answers: `{"code": 1000, "msg": "…", "data": [{"uid": "…", "code": 1000, …}], "success": true}`, in
//! which each recipient has a code of its own.

use serde::Deserialize;
use serde_json::Value;

use crate::model::message::Kind;
use crate::service::api::{Answer, Reading, Verdict};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// The code of what was taken.
const OK: &str = "1000";

/// Reads the answer to a message to these.
pub fn read(answer: &Answer, to: &[(Kind, String)]) -> Reading {
    match envelope(answer) {
        Ok(Some(data)) => each(&data, to),
        Ok(None) => Reading::Unreadable(excerpt(&answer.body)),
        Err(reading) => reading,
    }
}

/// Reads the answer to the question who follows the app.
pub fn known(answer: &Answer) -> Reading {
    match envelope(answer) {
        Ok(_) => Reading::sent(None, None),
        Err(reading) => reading,
    }
}

/// What stands in `data` of a success, if anything does.
fn envelope(answer: &Answer) -> Result<Option<String>, Reading> {
    let body = text(answer).map_err(Reading::Unreadable)?;
    const NAMES: [&str; 7] = ["code", "msg", "data", "success", "error", "errors", "exception"];
    let [code, msg, data, success, foreign @ ..] = match members(body, NAMES) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            let words = format!("the answer is not WxPusher's JSON: {e}");
            return Err(Reading::Unreadable(words));
        }
        Err(_) => return Err(Reading::Unreadable(excerpt(&answer.body))),
    };
    let msg = parsed::<String>(msg.filter(|msg| msg.starts_with('"'))).ok().flatten();
    let is_own = |code: &&str| {
        code.len() == 4 && code.starts_with('1') && code.bytes().all(|b| b.is_ascii_digit())
    };
    let (Some(code), Some(msg), false) =
        (code.filter(is_own), msg, foreign.iter().any(Option::is_some))
    else {
        return Err(Reading::Unreadable(excerpt(&answer.body)));
    };
    if code != OK {
        return Err(Reading::refused(code, msg));
    }
    if success.is_some_and(|success| success != "true") {
        let words = format!("the answer is a success, and yet says that it is none: {msg}");
        return Err(Reading::Contradiction(words));
    }
    if !is_success(answer.status) {
        let words = format!("the answer is a success, but has HTTP status {}", answer.status);
        return Err(Reading::Contradiction(words));
    }
    Ok(data.map(str::to_owned))
}

/// What the answer says of one recipient.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    uid: Option<String>,
    topic_id: Option<Value>,
    send_record_id: Option<Value>,
    message_id: Option<Value>,
    code: i64,
    status: Option<String>,
}

impl Told {
    /// Whom it is about; those in topics of their own have a user's id or a topic's number.
    fn to(&self) -> Option<(Kind, String)> {
        if let Some(uid) = self.uid.as_ref().filter(|uid| !uid.is_empty()) {
            return Some((Kind::Users, uid.clone()));
        }
        Some((Kind::Topics, digits(self.topic_id.as_ref())?))
    }

    fn reading(&self) -> Reading {
        let id = digits(self.send_record_id.as_ref()).or_else(|| digits(self.message_id.as_ref()));
        match self.code.to_string() {
            code if code == OK => Reading::accepted(id, "WxPusher"),
            code => Reading::refused(code, self.status.clone().unwrap_or_default()),
        }
    }
}

/// A whole number from 1 on, as it stands in JSON, or in text.
fn digits(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_number && text != "0").then_some(text)
}

fn each(data: &str, to: &[(Kind, String)]) -> Reading {
    let contradiction = |words: String| Reading::Contradiction(words);
    let told: Vec<Told> = match serde_json::from_str(data) {
        Ok(told) => told,
        Err(e) => return contradiction(format!("the answer's data cannot be read: {e}")),
    };
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(told.len());
    for one in &told {
        let Some(own) = one.to() else {
            return contradiction("the answer's data tell of nobody".to_owned());
        };
        if !to.contains(&own) {
            let words = format!("the answer's data tell of {:?}, whom nothing was sent to", own.1);
            return contradiction(words);
        }
        if verdicts.iter().any(|verdict| verdict.to == own) {
            return contradiction(format!("the answer's data tell of {:?} twice", own.1));
        }
        verdicts.push(Verdict { to: own, reading: one.reading() });
    }
    for own in to {
        if !verdicts.iter().any(|verdict| verdict.to == *own) {
            let words = "the answer tells nothing of this recipient".to_owned();
            verdicts.push(Verdict { to: own.clone(), reading: contradiction(words) });
        }
    }
    Reading::Each(verdicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to() -> Vec<(Kind, String)> {
        let own = |kind, id: &str| (kind, id.to_owned());
        vec![own(Kind::Users, "UID_a"), own(Kind::Users, "UID_b"), own(Kind::Topics, "12")]
    }

    fn is(status: u16, body: &str) -> String {
        let answer = Answer { status, body: body.into(), ..Answer::default() };
        match read(&answer, &to()) {
            Reading::Each(verdicts) => {
                let one = |verdict: &Verdict| match &verdict.reading {
                    Reading::Sent { id, .. } => {
                        format!("{} sent {}", verdict.to.1, id.as_deref().unwrap_or_default())
                    }
                    reading => format!("{} {}", verdict.to.1, reading.code().unwrap_or("?")),
                };
                verdicts.iter().map(one).collect::<Vec<_>>().join(", ")
            }
            Reading::Refused { code, text, .. } => format!("{code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn each_recipient_has_a_verdict_of_its_own() {
        let of = |data: &str| {
            is(200, &format!(r#"{{"code":1000,"msg":"ok","data":{data},"success":true}}"#))
        };
        let a = r#"{"uid":"UID_a","topicId":null,"messageId":1,"sendRecordId":7,"code":1000,"status":"x"}"#;
        let b = r#"{"uid":"UID_b","code":1004,"status":"no such user"}"#;
        let topic = r#"{"uid":null,"topicId":12,"sendRecordId":9,"code":1000,"status":"x"}"#;
        for (data, meant) in [
            (format!("[{a},{b},{topic}]"), "UID_a sent 7, UID_b 1004, 12 sent 9"),
            (format!("[{a}]"), "UID_a sent 7, UID_b ?, 12 ?"),
            ("[]".to_owned(), "UID_a ?, UID_b ?, 12 ?"),
            (format!("[{a},{a}]"), "contradiction"),
            (r#"[{"uid":"UID_c","code":1000}]"#.to_owned(), "contradiction"),
            (r#"[{"topicId":13,"code":1000}]"#.to_owned(), "contradiction"),
            (r#"[{"topicId":0,"code":1000}]"#.to_owned(), "contradiction"),
            (r#"[{"uid":"UID_a"}]"#.to_owned(), "contradiction"),
            (r#"[{"uid":"UID_a","code":"1000"}]"#.to_owned(), "contradiction"),
            ("{}".to_owned(), "contradiction"),
            ("null".to_owned(), "unreadable"),
        ] {
            assert_eq!(of(&data), meant, "{data}");
        }
    }

    #[test]
    fn only_its_envelope_is_its_own() {
        for (status, body, meant) in [
            (200, r#"{"code":1002,"msg":"no","data":null,"success":false}"#, "1002 no"),
            (401, r#"{"code":1002,"msg":"no"}"#, "1002 no"),
            (200, r#"{"code":502,"msg":"bad gateway"}"#, "unreadable"),
            (200, r#"{"code":10001,"msg":"no"}"#, "unreadable"),
            (200, r#"{"code":"1002","msg":"no"}"#, "unreadable"),
            (200, r#"{"code":1002,"message":"no"}"#, "unreadable"),
            (200, r#"{"code":1002,"msg":"no","error":"x"}"#, "unreadable"),
            (200, r#"{"code":1000,"msg":"ok","data":[],"success":false}"#, "contradiction"),
            (500, r#"{"code":1000,"msg":"ok","data":[],"success":true}"#, "contradiction"),
        ] {
            assert_eq!(is(status, body), meant, "{status} {body}");
        }
    }
}
