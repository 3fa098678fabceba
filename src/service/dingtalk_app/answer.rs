//! What DingTalk's interfaces for apps answer: `{"processQueryKey": "…", …}`, in which lists tell whom nothing
//! was sent to, or `{"code": "…", "message": "…", "requestid": "…"}`; the older ones, and what stands before all
//! of them, `{"errcode": 0, "errmsg": "ok", …}`.

use crate::model::message::Kind;
use crate::service::api::{Answer, Reading, Verdict};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::robot::busy_in_success;
use crate::service::wire::json::{members, parsed};

/// The lists of whom nothing was sent to, each also a code of the table.
const LISTS: [&str; 2] = ["invalidStaffIdList", "flowControlledStaffIdList"];

/// Reads the answer to a message to these; to nobody: into a group.
pub fn sent(answer: &Answer, to: &[(Kind, String)]) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    const NAMES: [&str; 8] =
        ["processQueryKey", LISTS[0], LISTS[1], "code", "errcode", "error", "errors", "exception"];
    let [key, invalid, slowed, code, errcode, foreign @ ..] = match members(body, NAMES) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            return Reading::Unreadable(format!("the answer is not DingTalk's JSON: {e}"));
        }
        Err(_) => return Reading::Unreadable(excerpt(&answer.body)),
    };
    let key = parsed::<String>(key.filter(|key| key.starts_with('"'))).ok().flatten();
    let Some(key) = key.filter(|key| !key.trim().is_empty()) else { return refusal(answer) };
    if foreign.iter().any(Option::is_some) {
        return Reading::Unreadable(excerpt(&answer.body));
    }
    if let Some(code) = code.or(errcode) {
        let words = format!("the answer is a success, and yet has a code: {code}");
        return Reading::Contradiction(words);
    }
    if !is_success(answer.status) {
        let words = format!("the answer is a success, but has HTTP status {}", answer.status);
        return Reading::Contradiction(words);
    }
    match to {
        [] => Reading::accepted(Some(key), "DingTalk"),
        to => each(&key, [invalid, slowed], to).unwrap_or_else(Reading::Contradiction),
    }
}

fn each(key: &str, lists: [Option<&str>; 2], to: &[(Kind, String)]) -> Result<Reading, String> {
    let mut refused: Vec<(String, &str)> = Vec::new();
    for (name, list) in LISTS.into_iter().zip(lists) {
        let list: Option<Vec<String>> =
            parsed(list).map_err(|_| format!("the answer's {name} is no list of ids"))?;
        for one in list.unwrap_or_default() {
            if !to.iter().any(|(_, own)| *own == one) {
                return Err(format!("the answer's {name} tells of somebody else: {one:?}"));
            }
            refused.push((one, name));
        }
    }
    let verdict = |to: &(Kind, String)| Verdict {
        to: to.clone(),
        reading: match refused.iter().find(|(one, _)| *one == to.1) {
            Some((_, list)) => Reading::refused(*list, ""),
            None => Reading::accepted(Some(key.to_owned()), "DingTalk"),
        },
    };
    Ok(Reading::Each(to.iter().map(verdict).collect()))
}

/// Reads the id of a file that was uploaded.
pub fn uploaded(answer: &Answer) -> Result<String, Reading> {
    let found = text(answer).and_then(|body| members(body, ["errcode", "media_id"]));
    if let Ok([Some("0" | "\"0\""), id]) = found
        && is_success(answer.status)
    {
        let id = parsed::<String>(id).ok().flatten().filter(|id| !id.is_empty());
        return id.ok_or_else(|| {
            Reading::Contradiction("the answer to an upload has no media_id".to_owned())
        });
    }
    Err(refusal(answer))
}

/// Reads a refusal of either kind.
pub fn refusal(answer: &Answer) -> Reading {
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    const NAMES: [&str; 7] =
        ["code", "message", "requestid", "errcode", "errmsg", "sub_code", "sub_msg"];
    let Ok([code, message, id, errcode, errmsg, sub_code, sub_msg]) = members(body, NAMES) else {
        return unreadable();
    };
    let words = |value: Option<&str>| {
        parsed::<String>(value.filter(|value| value.starts_with('"'))).ok().flatten()
    };
    // The id of the request is written so by DingTalk alone.
    if let (Some(code), Some(message), Some(_)) = (words(code), words(message), words(id)) {
        let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let is_own =
            code.starts_with(|c: char| c.is_ascii_alphabetic()) && code.bytes().all(is_word);
        return if is_own { Reading::refused(code, message) } else { unreadable() };
    }
    let (Some(errcode), Some(errmsg)) = (errcode, words(errmsg)) else { return unreadable() };
    // A wrapper has the code that counts within.
    let inner = sub_code.map(|code| code.trim_matches('"')).filter(|code| is_number(code));
    let (code, told) = match (errcode.trim_matches('"'), inner) {
        ("88", Some(inner)) => (inner, words(sub_msg).unwrap_or(errmsg)),
        (code, _) => (code, errmsg),
    };
    match is_number(code) || matches!(code, "-1" | "22" | "88") {
        true => busy_in_success(Reading::refused(code, told), answer),
        false => unreadable(),
    }
}

/// A code of the older interfaces.
fn is_number(code: &str) -> bool {
    matches!(code.len(), 5..=7) && code.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(status: u16, body: &str) -> String {
        let answer = Answer { status, body: body.into(), ..Answer::default() };
        let to = ["u1", "u2"].map(|user| (Kind::Users, user.to_owned()));
        match sent(&answer, &to) {
            Reading::Each(verdicts) => {
                let one = |verdict: &Verdict| match &verdict.reading {
                    Reading::Sent { id, .. } => {
                        format!("{} {}", verdict.to.1, id.as_deref().unwrap_or("?"))
                    }
                    reading => format!("{} {}", verdict.to.1, reading.code().unwrap_or("?")),
                };
                verdicts.iter().map(one).collect::<Vec<_>>().join(", ")
            }
            Reading::Refused { code, .. } => code,
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn whoever_is_in_a_list_has_not_got_it() {
        for (body, meant) in [
            (r#"{"processQueryKey":"k"}"#, "u1 k, u2 k"),
            (
                r#"{"processQueryKey":"k","invalidStaffIdList":[],"flowControlledStaffIdList":null}"#,
                "u1 k, u2 k",
            ),
            (
                r#"{"processQueryKey":"k","invalidStaffIdList":["u2"]}"#,
                "u1 k, u2 invalidStaffIdList",
            ),
            (
                r#"{"processQueryKey":"k","flowControlledStaffIdList":["u1"]}"#,
                "u1 flowControlledStaffIdList, u2 k",
            ),
            (r#"{"processQueryKey":"k","invalidStaffIdList":["u3"]}"#, "contradiction"),
            (r#"{"processQueryKey":"k","invalidStaffIdList":"u2"}"#, "contradiction"),
            (r#"{"processQueryKey":"k","code":"x"}"#, "contradiction"),
            (r#"{"processQueryKey":"","invalidStaffIdList":[]}"#, "unreadable"),
            (r#"{"processQueryKey":7}"#, "unreadable"),
            ("{}", "unreadable"),
        ] {
            assert_eq!(is(200, body), meant, "{body}");
        }
        assert_eq!(is(500, r#"{"processQueryKey":"k"}"#), "contradiction");
    }

    #[test]
    fn a_refusal_has_the_number_of_its_request_or_a_code_of_the_older_form() {
        for (status, body, meant) in [
            (
                400,
                r#"{"code":"InvalidAuthentication","message":"no","requestid":"A-1"}"#,
                "InvalidAuthentication",
            ),
            (400, r#"{"code":"system.error","message":"no","requestId":"A-1"}"#, "unreadable"),
            (400, r#"{"code":"InvalidAuthentication","message":"no"}"#, "unreadable"),
            (502, r#"{"code":502,"message":"Bad Gateway","requestid":"A-1"}"#, "unreadable"),
            (502, r#"{"code":"Bad Gateway","message":"x","requestid":"A-1"}"#, "unreadable"),
            (
                200,
                r#"{"errcode":88,"sub_code":"40014","sub_msg":"no","errmsg":"ding talk error"}"#,
                "40014",
            ),
            (200, r#"{"errcode":88,"errmsg":"ding talk error"}"#, "88"),
            (200, r#"{"errcode":-1,"errmsg":"busy"}"#, "-1"),
            (502, r#"{"errcode":-1,"errmsg":"busy"}"#, "unreadable"),
            (200, r#"{"errcode":0,"errmsg":"ok"}"#, "unreadable"),
            (200, r#"{"errcode":502,"errmsg":"no"}"#, "unreadable"),
        ] {
            assert_eq!(is(status, body), meant, "{status} {body}");
        }
    }
}
