//! What Alibaba Cloud answers: `{"Code": "OK", "Message": "OK", "BizId": …, "RequestId": …}`, or another code.

use super::verdicts::TABLE;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::verdict::Code;
use crate::service::wire::json::{members, parsed};

/// The code of what was taken.
const OK: &str = "OK";

/// Reads the answer to a message.
pub fn read(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    match reading(answer, body) {
        Ok(Some(reading)) => reading,
        Err(e) if is_success(answer.status) => {
            Reading::Unreadable(format!("the answer is not Alibaba Cloud's JSON: {e}"))
        }
        Ok(None) | Err(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

fn reading(answer: &Answer, body: &str) -> Result<Option<Reading>, String> {
    const NAMES: [&str; 8] =
        ["Code", "Message", "RequestId", "BizId", "error", "errors", "code", "message"];
    let [code, words, request, id, foreign @ ..] = members(body, NAMES)?;
    let word = |json: Option<&str>| {
        parsed::<String>(json.filter(|json| json.starts_with('"'))).ok().flatten()
    };
    let filled = |json: Option<&str>| word(json).filter(|text| !text.is_empty());
    let (Some(code), Some(words), Some(_)) = (word(code), word(words), filled(request)) else {
        return Ok(None);
    };
    if foreign.iter().any(Option::is_some) {
        return Ok(None);
    }
    if code != OK {
        // Gateways in front of others' services speak alike, and of their doubts too.
        let is_known = TABLE.iter().any(|row| matches!(row.code, Code::Is(own) if own == code));
        let is_own = is_known || answer.status < 500 && is_code(&code);
        return Ok(is_own.then(|| Reading::refused(code, words)));
    }
    Ok(Some(match filled(id) {
        Some(id) if is_success(answer.status) => Reading::accepted(Some(id), "Alibaba Cloud"),
        Some(_) => Reading::Contradiction(format!(
            "the answer is a success, but has HTTP status {}",
            answer.status
        )),
        None => Reading::Contradiction("the answer is a success without a BizId".to_owned()),
    }))
}

/// True for a code of the service's own form: `isv.…` and `isp.…`.
fn is_code(code: &str) -> bool {
    let rest = code.strip_prefix("isv.").or(code.strip_prefix("isp."));
    rest.is_some_and(|rest| {
        rest.len() > 1 && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(status: u16, body: &str) -> String {
        match read(&Answer { status, body: body.into(), ..Answer::default() }) {
            Reading::Sent { id, .. } => format!("sent {}", id.unwrap_or_default()),
            Reading::Refused { code, text, .. } => format!("{code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn an_answer_is_its_own_in_its_own_shape_only() {
        let ok = r#"{"Message":"OK","RequestId":"r","Code":"OK","BizId":"9^0"}"#;
        let no = |code: &str| format!(r#"{{"Message":"no","RequestId":"r","Code":{code}}}"#);
        for (status, body, meant) in [
            (200, ok.to_owned(), "sent 9^0"),
            (400, ok.to_owned(), "contradiction"),
            (200, ok.replace("9^0", ""), "contradiction"),
            (200, ok.replace("\"OK\",\"BizId\"", "\"ok\",\"BizId\""), "unreadable"),
            (200, ok.replace("\"RequestId\":\"r\",", ""), "unreadable"),
            (200, ok.replace('}', ",\"error\":1}"), "unreadable"),
            (200, no("\"isv.BUSINESS_LIMIT_CONTROL\""), "isv.BUSINESS_LIMIT_CONTROL no"),
            (404, no("\"InvalidAccessKeyId.NotFound\""), "InvalidAccessKeyId.NotFound no"),
            (503, no("\"ServiceUnavailable\""), "ServiceUnavailable no"),
            (500, no("\"SomethingNew\""), "unreadable"),
            (400, no("\"SomethingNew\""), "unreadable"),
            (200, no("\"BackendServiceTimeout\""), "unreadable"),
            (400, no("\"isv.SOMETHING_NEW\""), "isv.SOMETHING_NEW no"),
            (500, no("\"isv.SOMETHING_NEW\""), "unreadable"),
            (200, no("502"), "unreadable"),
            (200, no("\"502\""), "unreadable"),
            (200, no("\"Bad Gateway\""), "unreadable"),
            (200, no("\"isv.\""), "unreadable"),
        ] {
            assert_eq!(is(status, &body), meant, "{status} {body}");
        }
    }
}
