//! What Feishu's robot answers: two envelopes, of which one answer may have both.

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// Reads an answer. `code` counts where it is there, and `StatusCode`, which is 0 even in a refusal, only
/// where it is not.
pub fn read(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    match reading(answer, body) {
        Ok(Some(reading)) => reading,
        Err(e) if is_success(answer.status) => {
            Reading::Unreadable(format!("the answer is not the service's JSON: {e}"))
        }
        Ok(None) | Err(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

fn reading(answer: &Answer, body: &str) -> Result<Option<Reading>, String> {
    const NAMES: [&str; 8] =
        ["code", "msg", "data", "StatusCode", "StatusMessage", "error", "errors", "exception"];
    let [code, msg, data, old_code, old_msg, foreign @ ..] = members(body, NAMES)?;
    if foreign.iter().any(Option::is_some) {
        return Ok(None);
    }
    let words =
        |words: Option<&str>| parsed::<String>(words.filter(|words| words.starts_with('"')));
    let (code, told) = match code {
        // The text alone might be of anybody: the answer has the object beside it, or the older envelope.
        Some(code) if is_object(data) || old_code == Some("0") => (code, words(msg)?),
        None => match old_code {
            Some(code) => (code, words(old_msg)?),
            None => return Ok(None),
        },
        Some(_) => return Ok(None),
    };
    let Some(told) = told else { return Ok(None) };
    if code != "0" {
        let is_own = matches!(code.len(), 4..=6) && code.bytes().all(|b| b.is_ascii_digit());
        return Ok(is_own.then(|| Reading::refused(code, told)));
    }
    // Every success that is known says so in this word too.
    if told != "success" || old_code.is_some_and(|code| code != "0") {
        return Ok(None);
    }
    Ok(Some(match is_success(answer.status) {
        true => Reading::sent(None, None),
        false => Reading::Contradiction(format!(
            "the service answered with success, but with HTTP status {}",
            answer.status
        )),
    }))
}

fn is_object(value: Option<&str>) -> bool {
    value.is_some_and(|value| value.starts_with('{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(status: u16, body: &str) -> String {
        let answer = Answer { status, body: body.into(), ..Answer::default() };
        match read(&answer) {
            Reading::Sent { .. } => "sent".to_owned(),
            Reading::Refused { code, .. } => code,
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn only_the_two_envelopes_are_its_own() {
        for (body, meant) in [
            (
                r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#,
                "sent",
            ),
            (r#"{"Extra":null,"StatusCode":0,"StatusMessage":"success"}"#, "sent"),
            (r#"{"code":0,"data":{},"msg":"success"}"#, "sent"),
            (r#"{"StatusCode":0,"StatusMessage":"","code":9499,"msg":"too many request"}"#, "9499"),
            (r#"{"code":19001,"data":{},"msg":"param invalid"}"#, "19001"),
            (r#"{"StatusCode":19021,"StatusMessage":"sign"}"#, "19021"),
            (r#"{"code":0,"msg":"success"}"#, "unreadable"),
            (r#"{"code":0,"data":{},"msg":"ok"}"#, "unreadable"),
            (r#"{"code":0,"data":[],"msg":"success"}"#, "unreadable"),
            (r#"{"code":"0","data":{},"msg":"success"}"#, "unreadable"),
            (r#"{"StatusCode":0,"StatusMessage":""}"#, "unreadable"),
            (
                r#"{"StatusCode":1,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#,
                "unreadable",
            ),
            (r#"{"code":10001,"msg":"no"}"#, "unreadable"),
            (r#"{"code":502,"data":{},"msg":"Bad Gateway"}"#, "unreadable"),
            (r#"{"code":19001,"data":{},"msg":"no","error":{}}"#, "unreadable"),
            (r#"{"data":{},"msg":"success"}"#, "unreadable"),
        ] {
            assert_eq!(is(200, body), meant, "{body}");
        }
        assert_eq!(is(500, r#"{"code":0,"data":{},"msg":"success"}"#), "contradiction");
        assert_eq!(is(400, r#"{"code":9499,"data":{},"msg":"Bad Request"}"#), "9499");
    }
}
