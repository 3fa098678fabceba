//! Reads Tencent IM's answers: always JSON with a status, a code and, at times, a drop reason.

use serde_json::Value;

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

struct Envelope<'a> {
    status: Option<String>,
    code: Option<Value>,
    info: Option<Value>,
    time: Option<Value>,
    seq: Option<&'a str>,
    drop_reason: Option<Value>,
}

impl Envelope<'_> {
    fn read(body: &str) -> Result<Envelope<'_>, String> {
        let [status, code, info, time, seq, drop_reason] = members(
            body,
            ["ActionStatus", "ErrorCode", "ErrorInfo", "MsgTime", "MsgSeq", "MsgDropReason"],
        )?;
        Ok(Envelope {
            status: parsed(status)?,
            code: parsed(code)?,
            info: parsed(info)?,
            time: parsed(time)?,
            seq,
            drop_reason: parsed(drop_reason)?,
        })
    }
}

/// Reads an answer. Success is: status OK, code 0 and nothing dropped.
pub fn read(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    let envelope = match Envelope::read(body) {
        Ok(envelope) => envelope,
        Err(e) if is_success(answer.status) => {
            return Reading::Unreadable(format!("the answer is not the service's JSON: {e}"));
        }
        Err(_) => return Reading::Unreadable(excerpt(&answer.body)),
    };
    let code = match &envelope.code {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(digits)) => digits.parse().ok().filter(|code| *code != 0),
        _ => None,
    };
    let info = envelope.info.as_ref().and_then(Value::as_str).unwrap_or_default();
    match (envelope.status.as_deref(), code) {
        (Some("OK"), Some(0)) => {}
        (Some("FAIL"), Some(code)) if code != 0 => {
            return Reading::refused(code.to_string(), info);
        }
        (Some(status @ ("OK" | "FAIL")), Some(code)) => {
            return Reading::Contradiction(format!(
                "the service answered with status {status} and yet with code {code}: {info}"
            ));
        }
        _ => return Reading::Unreadable("the answer lacks ActionStatus or ErrorCode".to_owned()),
    }
    match envelope.drop_reason {
        None | Some(Value::Null) => {}
        Some(Value::String(reason)) if reason.is_empty() => {}
        Some(Value::String(reason)) => return Reading::Dropped(reason),
        Some(other) => {
            return Reading::Contradiction(format!(
                "the answer's MsgDropReason is no text: {other}"
            ));
        }
    }
    if !is_success(answer.status) {
        return Reading::Contradiction(format!(
            "the service answered OK, but with HTTP status {}",
            answer.status
        ));
    }
    // A number, of which the digits are taken as they stand; or the same as text.
    let seq = envelope.seq.map(|seq| seq.trim_matches('"'));
    let seq = seq.filter(|seq| !seq.is_empty() && seq.bytes().all(|b| b.is_ascii_digit()));
    let time = envelope.time.as_ref().and_then(Value::as_i64);
    Reading::sent(seq.map(str::to_owned), time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_body(status: u16, body: &str) -> Reading {
        read(&Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() })
    }

    #[test]
    fn success_is_ok_and_zero_and_nothing_dropped() {
        let ok =
            r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"MsgTime":1497249503,"MsgSeq":1}"#;
        match read_body(200, ok) {
            Reading::Sent { id, time, .. } => {
                assert_eq!((id.as_deref(), time), (Some("1"), Some(1_497_249_503)));
            }
            other => panic!("{other:?}"),
        }
        let dropped = ok.replace("\"MsgSeq\":1", "\"MsgSeq\":1,\"MsgDropReason\":\"MsgFreqCtrl\"");
        assert!(
            matches!(read_body(200, &dropped), Reading::Dropped(reason) if reason == "MsgFreqCtrl")
        );
        assert!(matches!(
            read_body(200, &dropped.replace("MsgFreqCtrl", "")),
            Reading::Sent { .. }
        ));
    }

    #[test]
    fn a_refusal_hides_in_a_200() {
        let refused = r#"{"ActionStatus":"FAIL","ErrorInfo":"no such group","ErrorCode":10010}"#;
        assert!(
            matches!(read_body(200, refused), Reading::Refused { code, .. } if code == "10010")
        );
    }

    #[test]
    fn what_contradicts_itself_or_is_cut_is_not_success() {
        for body in [
            r#"{"ActionStatus":"OK","ErrorCode":10002}"#,
            r#"{"ActionStatus":"FAIL","ErrorCode":0}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0,"MsgDropReason":7}"#,
        ] {
            assert!(matches!(read_body(200, body), Reading::Contradiction(_)), "{body}");
        }
        for body in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"ActionStatus":"OK"}"#,
            r#"{"ErrorCode":0}"#,
            r#"{"ActionStatus":"OK","ErrorCode":"0"}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0.0}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorCode":10002}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0"#,
            r#"{"ActionStatus":"OK","ErrorCode":0}}"#,
        ] {
            assert!(matches!(read_body(200, body), Reading::Unreadable(_)), "{body}");
        }
        let ok = r#"{"ActionStatus":"OK","ErrorCode":0}"#;
        assert!(matches!(read_body(502, ok), Reading::Contradiction(_)));
    }
}
