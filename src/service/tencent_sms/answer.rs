//! What Tencent answers: `{"Response": {"SendStatusSet": [{"PhoneNumber", "Code", "SerialNo", …}], "RequestId"}}`, in
//! which each number has a code of its own, or `{"Response": {"Error": {"Code", "Message"}, "RequestId"}}`.

use std::collections::HashMap;

use serde::Deserialize;

use super::verdicts::TABLE;
use crate::model::message::Kind;
use crate::service::api::{Answer, Reading, Verdict};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::phones::{digits, each_refused};
use crate::service::verdict::Code;
use crate::service::wire::json::{members, parsed};

/// The code of a number that was taken.
const OK: &str = "Ok";

/// Reads the answer to a message to these.
pub fn read(answer: &Answer, to: &[(Kind, String)]) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    match reading(answer, body, to) {
        Ok(Some(reading)) => reading,
        Err(e) if is_success(answer.status) => {
            Reading::Unreadable(format!("the answer is not Tencent's JSON: {e}"))
        }
        Ok(None) | Err(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

/// A text that stands there as JSON.
fn word(json: Option<&str>) -> Option<String> {
    parsed::<String>(json.filter(|json| json.starts_with('"'))).ok().flatten()
}

fn reading(answer: &Answer, body: &str, to: &[(Kind, String)]) -> Result<Option<Reading>, String> {
    const NAMES: [&str; 5] = ["Response", "error", "errors", "code", "message"];
    let [response, foreign @ ..] = members(body, NAMES)?;
    let Some(response) = response.filter(|json| json.starts_with('{')) else { return Ok(None) };
    let [set, error, request] = members(response, ["SendStatusSet", "Error", "RequestId"])?;
    let is_own = word(request).is_some_and(|id| !id.is_empty());
    if !is_own || foreign.iter().any(Option::is_some) {
        return Ok(None);
    }
    let success = set.filter(|json| json.starts_with('['));
    match (success, error) {
        (Some(_), Some(error)) => Ok(Some(Reading::Contradiction(format!(
            "the answer tells of each number, and yet has an error: {error}"
        )))),
        (Some(_), None) if !is_success(answer.status) => Ok(Some(Reading::Contradiction(format!(
            "the answer tells of each number, but has HTTP status {}",
            answer.status
        )))),
        (Some(set), None) => Ok(Some(each(set, to))),
        // Tencent's gateway tells its refusals in a success of HTTP, and so do those of its other services.
        (None, Some(error)) if error.starts_with('{') && is_success(answer.status) => {
            let [code, message] = members(error, ["Code", "Message"])?;
            let (Some(code), Some(words)) = (word(code), word(message)) else { return Ok(None) };
            let is_own = is_code(&code);
            // How numbers and template fit, others may fare otherwise.
            if is_own && code.starts_with("UnsupportedOperation.") {
                return Ok(Some(each_refused(to, &code, &words)));
            }
            Ok(is_own.then(|| refused(&code, words)))
        }
        _ => Ok(None),
    }
}

/// True for a code of Tencent's form, as `FailedOperation.TemplateIdNotExist`.
fn is_code(code: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.len() > 1
            && word.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    code.split('.').all(is_word)
}

/// True for a code of the table.
fn is_known(code: &str) -> bool {
    TABLE.iter().any(|row| matches!(row.code, Code::Is(own) if own == code))
}

/// A refusal; of a kind that leaves a doubt a code that is new is no less of one.
fn refused(code: &str, words: String) -> Reading {
    const FAULT: &str = "InternalError";
    match code.split_once('.') {
        Some((FAULT, _)) if !is_known(code) => Reading::refused(FAULT, format!("{code}: {words}")),
        _ => Reading::refused(code, words),
    }
}

/// What the answer says of one number.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    phone_number: String,
    code: String,
    message: Option<String>,
    serial_no: Option<String>,
}

impl Told {
    fn reading(&self) -> Reading {
        let id = self.serial_no.clone().filter(|id| !id.is_empty());
        match self.code.as_str() {
            OK => Reading::accepted(id, "Tencent"),
            code => refused(code, self.message.clone().unwrap_or_default()),
        }
    }
}

/// A verdict for each spelling of a number.
fn each(set: &str, to: &[(Kind, String)]) -> Reading {
    let told: Vec<Told> = match serde_json::from_str(set) {
        Ok(told) => told,
        Err(e) => return Reading::Contradiction(format!("SendStatusSet cannot be read: {e}")),
    };
    let number = |spelling: &str| digits(spelling, false).unwrap_or_default();
    let mut left: HashMap<String, &Told> = HashMap::with_capacity(told.len());
    for one in &told {
        if left.insert(number(&one.phone_number), one).is_some() {
            let words = format!("the answer tells of {:?} twice", one.phone_number);
            return Reading::Contradiction(words);
        }
    }
    let verdict = |to: &(Kind, String)| {
        let nothing = || "the answer tells nothing of this recipient".to_owned();
        let told = left.get(&number(&to.1));
        let reading = told.map_or_else(|| Reading::Contradiction(nothing()), |told| told.reading());
        Verdict { to: to.clone(), reading }
    };
    let verdicts = to.iter().map(verdict).collect();
    to.iter().for_each(|(_, own)| _ = left.remove(&number(own)));
    match left.into_values().next() {
        Some(other) => {
            let words = "whom nothing was sent to";
            let words = format!("the answer tells of {:?}, {words}", other.phone_number);
            Reading::Contradiction(words)
        }
        None => Reading::Each(verdicts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(status: u16, body: &str) -> String {
        let answer = Answer { status, body: body.into(), ..Answer::default() };
        let to = ["13800000001", "+8613800000002", "+8613800000001"];
        let to: Vec<_> = to.iter().map(|to| (Kind::Phones, (*to).to_owned())).collect();
        match read(&answer, &to) {
            Reading::Each(verdicts) => {
                let one = |verdict: &Verdict| match &verdict.reading {
                    Reading::Sent { id, .. } => id.clone().unwrap_or_else(|| "sent".to_owned()),
                    reading => reading.code().unwrap_or("?").to_owned(),
                };
                verdicts.iter().map(one).collect::<Vec<_>>().join(", ")
            }
            Reading::Refused { code, text, .. } => format!("{code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn each_number_has_a_verdict_of_its_own_in_every_spelling() {
        let of = |set: &str| {
            is(200, &format!(r#"{{"Response":{{"SendStatusSet":{set},"RequestId":"r"}}}}"#))
        };
        let one = |number: &str, code: &str, id: &str| {
            format!(
                r#"{{"SerialNo":"{id}","PhoneNumber":"{number}","Fee":1,"Code":"{code}","Message":"x"}}"#
            )
        };
        let (a, b) = (
            one("+8613800000001", "Ok", "1:7"),
            one("+8613800000002", "InternalError.Timeout", ""),
        );
        for (set, meant) in [
            (format!("[{a},{b}]"), "1:7, InternalError.Timeout, 1:7"),
            (format!("[{b},{a}]"), "1:7, InternalError.Timeout, 1:7"),
            (format!("[{a}]"), "1:7, ?, 1:7"),
            ("[]".to_owned(), "?, ?, ?"),
            (format!("[{}]", one("8613800000001", "Ok", "")), "sent, ?, sent"),
            (format!("[{a},{a}]"), "contradiction"),
            (format!("[{a},{b},{}]", one("+8613800000003", "Ok", "3")), "contradiction"),
            (format!("[{}]", one("", "Ok", "3")), "contradiction"),
            (r#"[{"PhoneNumber":"+8613800000001"}]"#.to_owned(), "contradiction"),
            (r#"[{"PhoneNumber":"+8613800000001","Code":0}]"#.to_owned(), "contradiction"),
            ("{}".to_owned(), "unreadable"),
            ("null".to_owned(), "unreadable"),
        ] {
            assert_eq!(of(&set), meant, "{set}");
        }
    }

    #[test]
    fn only_its_envelope_is_its_own() {
        let error = |code: &str, more: &str| {
            format!(
                r#"{{"Response":{{"Error":{{"Code":{code},"Message":"no"}},"RequestId":"r"{more}}}}}"#
            )
        };
        let own = "\"AuthFailure.SecretIdNotFound\"";
        for (status, body, meant) in [
            (200, error(own, ""), "AuthFailure.SecretIdNotFound no"),
            (400, error(own, ""), "unreadable"),
            (500, error(own, ""), "unreadable"),
            (200, error("\"What.IsThat\"", ""), "What.IsThat no"),
            (200, error("\"InternalError.New\"", ""), "InternalError InternalError.New: no"),
            (200, error(own, r#","SendStatusSet":[]"#), "contradiction"),
            (200, error("502", ""), "unreadable"),
            (200, error("\"Bad Gateway\"", ""), "unreadable"),
            (200, error("\"error\"", ""), "unreadable"),
            (200, error(own, "").replace(r#","RequestId":"r""#, ""), "unreadable"),
            (
                200,
                error(own, "").replace("{\"Response\"", "{\"code\":1,\"Response\""),
                "unreadable",
            ),
            (200, r#"{"Response":{"RequestId":"r"}}"#.to_owned(), "unreadable"),
            (
                500,
                r#"{"Response":{"SendStatusSet":[],"RequestId":"r"}}"#.to_owned(),
                "contradiction",
            ),
        ] {
            assert_eq!(is(status, &body), meant, "{status} {body}");
        }
    }
}
