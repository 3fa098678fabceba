//! What of an answer says that the message was taken.

use serde_json::Value;

use super::verdicts::NOT_TAKEN;
use crate::model::error::Result;
use crate::model::fields::Fields;
use crate::model::json;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};

/// The status that says, where an account wants it so, that a receiver has this message already.
const CONFLICT: u16 = 409;

/// What has to be true of an answer.
pub struct Success {
    /// The statuses; none: those of success.
    statuses: Option<Vec<u16>>,
    /// Where in the JSON of the answer which value has to stand; no value: any but null.
    pointer: Option<(String, Option<Value>)>,
    /// Where the id of the message stands.
    id: Option<String>,
}

/// True for a JSON pointer to something within a value.
pub fn is_pointer(text: &str) -> bool {
    text.starts_with('/')
}

impl Success {
    /// As it stands in `success`; `id` is the pointer in `message_id`.
    ///
    /// `knows_again`: the receiver knows a message that is sent again, and may say so.
    pub fn read(fields: Option<Fields>, id: Option<String>, knows_again: bool) -> Result<Success> {
        let mut success = Success { statuses: None, pointer: None, id };
        let Some(mut f) = fields else { return Ok(success) };
        success.statuses = match f.value("status") {
            None => None,
            Some(Value::String(word)) if word == "2xx" => None,
            Some(Value::Array(list)) if !list.is_empty() => {
                let is_one = |n: &u16| (200..300).contains(n) || (*n == CONFLICT && knows_again);
                let one = |value: &Value| u16::try_from(value.as_u64()?).ok().filter(is_one);
                let statuses: Option<Vec<_>> = list.iter().map(one).collect();
                let words = "a status of success is 200 to 299; 409 is one with standard_webhooks";
                Some(statuses.ok_or_else(|| f.error("status", words))?)
            }
            Some(_) => return Err(f.error("status", "expected \"2xx\" or a list of statuses")),
        };
        let (pointer, equals) = (f.string("pointer")?, f.value("equals"));
        success.pointer = match (pointer, equals) {
            (Some(pointer), _) if !is_pointer(&pointer) && !pointer.is_empty() => {
                return Err(f.error("pointer", "a JSON pointer begins with /, such as /errcode"));
            }
            (Some(pointer), equals) => Some((pointer, equals)),
            (None, Some(_)) => return Err(f.missing("pointer")),
            (None, None) => None,
        };
        f.finish()?;
        Ok(success)
    }

    /// What an answer says.
    pub fn of(&self, answer: &Answer) -> Reading {
        let status = answer.status;
        let takes = match &self.statuses {
            None => is_success(status),
            Some(statuses) => statuses.contains(&status),
        };
        if takes && status == CONFLICT {
            return Reading::refused(status.to_string(), String::new());
        }
        let value = text(answer).and_then(parsed);
        if takes {
            return self.of_success(answer, value);
        }
        let has_it =
            value.is_ok_and(|value| self.pointer.is_some() && self.holds(&value) == Some(true));
        if (200..300).contains(&status) {
            let words = format!("{status} is no status of success for this account");
            return Reading::Unreadable(words);
        }
        if has_it {
            let words = format!("the answer says success, but with HTTP status {status}");
            return Reading::Contradiction(words);
        }
        refusal(&status.to_string(), answer)
    }

    fn of_success(&self, answer: &Answer, value: std::result::Result<Value, String>) -> Reading {
        let Some((pointer, _)) = &self.pointer else {
            // The status is all that counts; an answer that was cut is judged by the cut.
            return Reading::sent(value.ok().and_then(|value| self.id_of(&value)), None);
        };
        let value = match value {
            Ok(value) => value,
            Err(why) => return Reading::Unreadable(why),
        };
        match self.holds(&value) {
            Some(true) => Reading::sent(self.id_of(&value), None),
            Some(false) => {
                let found = value.pointer(pointer).and_then(scalar).unwrap_or_default();
                // A number that would be a status of success is no code.
                let is_status = found.parse().is_ok_and(|code: u16| (200..300).contains(&code));
                refusal(if is_status { "" } else { &found }, answer)
            }
            None => Reading::Unreadable(excerpt(&answer.body)),
        }
    }

    /// Whether what has to stand in an answer does; none where nothing stands there.
    fn holds(&self, value: &Value) -> Option<bool> {
        let (pointer, equals) = self.pointer.as_ref()?;
        let found = value.pointer(pointer).filter(|found| !found.is_null())?;
        Some(equals.as_ref().is_none_or(|equals| found == equals))
    }

    fn id_of(&self, value: &Value) -> Option<String> {
        value.pointer(self.id.as_ref()?).and_then(scalar).filter(|id| !id.is_empty())
    }
}

fn refusal(code: &str, answer: &Answer) -> Reading {
    let words = excerpt(&answer.body);
    let is_conflict = code == "409";
    Reading::refused(code, if is_conflict { format!("{NOT_TAKEN}: {words}") } else { words })
}

/// JSON to the letter, no name in which stands twice.
fn parsed(text: &str) -> std::result::Result<Value, String> {
    if json::too_deep(text.as_bytes()) {
        return Err("the answer is nested deeper than 64".to_owned());
    }
    json::value(text, "").map_err(|_| "the answer is not JSON".to_owned())
}

/// A text, a whole number, or true and false, as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::error::ErrorCode;

    fn success(fields: Value, knows_again: bool) -> Result<Success> {
        let fields = Fields::new(fields, "success", ErrorCode::Config)?;
        Success::read(Some(fields), Some("/data/id".to_owned()), knows_again)
    }

    fn read(fields: Value, status: u16, body: &str) -> String {
        let body = body.as_bytes().to_vec();
        let answer = Answer { status, body, ..Answer::default() };
        match success(fields, true).expect("a rule").of(&answer) {
            Reading::Sent { id, .. } => format!("sent {}", id.unwrap_or_default()),
            Reading::Refused { code, text, .. } => format!("refused {code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn an_answer_is_a_success_as_the_account_says() {
        let code = || json!({"pointer": "/errcode", "equals": 0});
        for (rule, status, body, is) in [
            (json!({}), 204, "", "sent "),
            (json!({}), 200, "anything", "sent "),
            (json!({}), 201, r#"{"data":{"id":"a1"}}"#, "sent a1"),
            (json!({}), 201, r#"{"data":{"id":9007199254740993}}"#, "sent 9007199254740993"),
            (json!({}), 206, "", "unreadable"),
            (json!({}), 302, "", "refused 302 "),
            (json!({}), 404, "gone", "refused 404 gone"),
            (json!({}), 409, "no", "refused 409 not taken: no"),
            (json!({"status": [200, 409]}), 409, "again", "refused 409 "),
            (json!({"status": "2xx"}), 202, "", "sent "),
            (json!({"status": [201]}), 200, "", "unreadable"),
            (code(), 200, r#"{"errcode":0,"data":{"id":"a"}}"#, "sent a"),
            (code(), 200, r#"{"errcode":40001}"#, "refused 40001 {\"errcode\":40001}"),
            (code(), 200, r#"{"errcode":200}"#, "refused  {\"errcode\":200}"),
            (code(), 200, r#"{"errcode":409}"#, "refused 409 not taken: {\"errcode\":409}"),
            (code(), 200, r#"{"errcode":"0"}"#, "refused 0 {\"errcode\":\"0\"}"),
            (code(), 200, r#"{"errcode":null}"#, "unreadable"),
            (code(), 200, r#"{"errcode":0,"errcode":1}"#, "unreadable"),
            (code(), 200, "<html>", "unreadable"),
            (code(), 200, "", "unreadable"),
            (code(), 500, r#"{"errcode":0}"#, "contradiction"),
            (code(), 500, r#"{"errcode":1}"#, "refused 500 {\"errcode\":1}"),
            (json!({"pointer": "/id"}), 200, r#"{"id":7}"#, "sent "),
            (json!({"pointer": "/id"}), 200, "{}", "unreadable"),
        ] {
            assert_eq!(read(rule.clone(), status, body), is, "{rule} {status} {body}");
        }
    }

    #[test]
    fn a_rule_that_cannot_hold_is_refused() {
        for (rule, path) in [
            (json!({"status": 200}), "success.status"),
            (json!({"status": []}), "success.status"),
            (json!({"status": [404]}), "success.status"),
            (json!({"status": [409]}), "success.status"),
            (json!({"pointer": "errcode"}), "success.pointer"),
            (json!({"equals": 0}), "success.pointer"),
            (json!({"colour": 0}), "success.colour"),
        ] {
            let error = success(rule.clone(), false).err().unwrap_or_else(|| panic!("{rule}"));
            assert_eq!(error.path(), Some(path), "{rule}");
        }
    }
}
