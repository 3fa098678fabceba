//! The rules that hold for every service: how an answer is judged once its service has read it.

use serde::de::DeserializeOwned;

use crate::model::error::ErrorCode;
use crate::model::json::{self, MAX_DEPTH, too_deep, utf8};
use crate::model::receipt::Delivery;

use super::verdict::{self, Class, Outcome, Row};
use super::{Answer, Cut, object};

/// What a service's reader found in an answer.
#[derive(Debug)]
pub enum Reading {
    /// The service's own success, whole and without contradiction.
    Sent {
        /// The service's id of the message.
        id: Option<String>,
        /// When the service took it, in Unix seconds.
        time: Option<i64>,
    },
    /// The service's own refusal.
    Refused {
        /// Its code.
        code: String,
        /// Its words.
        text: String,
    },
    /// The service says OK, but that it threw the message away.
    Dropped(String),
    /// The service's own envelope, and yet no verdict can be told from it.
    Contradiction(String),
    /// Not this service's envelope.
    Unreadable(String),
}

/// Judges an answer by the service's table, and by its status where there is no envelope.
pub fn judge(table: &'static [Row], answer: &Answer, reading: Reading) -> Outcome {
    let outcome = match reading {
        Reading::Sent { id, time } => match answer.cut {
            None => Outcome::sent(id, time),
            Some(cut) => unreadable(answer, cut.words()),
        },
        Reading::Refused { code, text } => match verdict::find(table, &code, &text) {
            Some(row) => by_row(row, code, text),
            None => unreadable(
                answer,
                &format!("the service answered with the unknown code {code}: {text}"),
            ),
        },
        Reading::Dropped(reason) => {
            let row = verdict::find(table, &reason, "")
                .filter(|row| row.name == Some(ErrorCode::Dropped));
            let class = row.map_or(Class::Never, |row| row.class);
            let text = format!("the service accepted the message and threw it away: {reason}");
            let mut outcome = Outcome::failed(Delivery::NotSent, ErrorCode::Dropped, class, text);
            outcome.service_code = Some(reason);
            outcome.dropped = true;
            outcome
        }
        Reading::Contradiction(why) => {
            Outcome::failed(Delivery::MaybeSent, ErrorCode::Protocol, Class::Backoff, why)
        }
        Reading::Unreadable(why) => unreadable(answer, &why),
    };
    Outcome { told_wait: told_wait(&outcome, answer), ..outcome }
}

fn by_row(row: &Row, code: String, text: String) -> Outcome {
    let Some(name) = row.name else { return Outcome::sent(None, None) };
    let words = match text.trim() {
        "" => row.note.to_owned(),
        text => format!("{} ({text})", row.note),
    };
    let mut outcome = Outcome::failed(row.delivery, name, row.class, words);
    outcome.service_code = Some(code).filter(|code| !code.is_empty());
    outcome.repeated = name == ErrorCode::Duplicate;
    outcome
}

/// An answer without the service's envelope: its status is all there is.
pub fn unreadable(answer: &Answer, why: &str) -> Outcome {
    let status = answer.status;
    let words = match status {
        407 => format!("HTTP status 407: a proxy on the way wants other credentials: {why}"),
        _ => format!("HTTP status {status}: {why}"),
    };
    let (delivery, name, class) = match status {
        300..=399 => {
            let words = format!("HTTP status {status}: redirects are never followed");
            return Outcome::failed(Delivery::NotSent, ErrorCode::Protocol, Class::Never, words);
        }
        429 => (Delivery::NotSent, ErrorCode::RateLimited, Class::Wait),
        400..=499 => (Delivery::NotSent, ErrorCode::Protocol, Class::Never),
        500..=599 => (Delivery::MaybeSent, ErrorCode::Service, Class::Backoff),
        _ if answer.cut == Some(Cut::TimedOut) => {
            (Delivery::MaybeSent, ErrorCode::Timeout, Class::Backoff)
        }
        _ => (Delivery::MaybeSent, ErrorCode::Protocol, Class::Backoff),
    };
    Outcome::failed(delivery, name, class, words)
}

/// `Retry-After` counts wherever another attempt may follow; a row's own time where it is longer.
fn told_wait(outcome: &Outcome, answer: &Answer) -> Option<std::time::Duration> {
    let header = answer.retry_after.filter(|wait| !wait.is_zero());
    match outcome.class {
        Class::Backoff | Class::Wait => header,
        Class::WaitFor(s) => {
            let documented = std::time::Duration::from_secs(u64::from(s));
            Some(header.map_or(documented, |header| header.max(documented)))
        }
        Class::Quota | Class::Resign => header,
        // A doubt is resent where the caller or the service makes that safe.
        Class::Never => header.filter(|_| outcome.delivery == Delivery::MaybeSent),
    }
}

/// True for a status in which a service says that it took a message.
pub fn is_success(status: u16) -> bool {
    (200..300).contains(&status) && status != PARTIAL_CONTENT
}

/// The status of an answer that is a part of another.
const PARTIAL_CONTENT: u16 = 206;

/// Text of an answer that a reader may look at: whole and UTF-8.
pub fn text(answer: &Answer) -> Result<&str, String> {
    if let Some(cut) = answer.cut {
        return Err(cut.words().to_owned());
    }
    if answer.status == PARTIAL_CONTENT {
        return Err("the answer is a part of another, which nobody asked for".to_owned());
    }
    let text = utf8(&answer.body).map_err(|_| "the answer is not UTF-8".to_owned())?;
    if text.trim_ascii().is_empty() {
        return Err("the answer is empty".to_owned());
    }
    Ok(text)
}

const _: () = assert!(object::MAX_DEPTH == MAX_DEPTH);

/// The values of these members of a JSON object, as they stand in the text; `null` is as good as none.
pub fn members<'a, const N: usize>(
    text: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], String> {
    let mut values = [None; N];
    if object::find(text, &names, &mut values).is_none() {
        values = [None; N];
        find_in_full(text, &names, &mut values)?;
    }
    Ok(values.map(|value| value.filter(|value| *value != "null")))
}

/// The same by serde_json alone, whose words a fault is told in.
fn find_in_full<'a>(
    text: &'a str,
    names: &[&str],
    values: &mut [Option<&'a str>],
) -> Result<(), String> {
    if too_deep(text.as_bytes()) {
        return Err("it is nested deeper than 64".to_owned());
    }
    if !text.trim_start().starts_with('{') {
        return Err("it is no object".to_owned());
    }
    for (name, value) in json::members(text).map_err(|e| e.to_string())? {
        let place = names.iter().position(|own| *own == name);
        // Which of two would count is not decided here.
        if let Some(n) = place
            && values[n].replace(value.get()).is_some()
        {
            return Err(format!("duplicate field `{name}`"));
        }
    }
    Ok(())
}

/// A member's value, if it has one of this type.
pub fn parsed<T: DeserializeOwned>(value: Option<&str>) -> Result<Option<T>, String> {
    value.map(serde_json::from_str).transpose().map_err(|e| e.to_string())
}

/// Text without the white space around it, of which JSON has four characters.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

/// The words of an answer, for messages to people: as they came, since a secret in them is recognised
/// by every one of its letters, blanks too. They are made short once it is masked.
pub fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(64 << 10)]).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    const NAMES: [&str; 5] = ["id", "error", "error_code", "response", "MsgSeq"];

    fn in_full(text: &str) -> Result<[Option<&str>; 5], String> {
        let mut values = [None; 5];
        find_in_full(text, &NAMES, &mut values).map(|()| values)
    }

    /// Compares the ways to read a text, and says whether the short ones read it.
    fn agrees(text: &str) -> bool {
        let mut found = [None; 5];
        let found = object::find(text, &NAMES, &mut found).map(|()| found);
        assert_eq!(object::values(text, NAMES), found, "{text:?}");
        let Some(found) = found else { return false };
        let in_full = in_full(text).unwrap_or_else(|e| panic!("{text:?} is read, and yet: {e}"));
        assert_eq!(found, in_full, "{text:?}");
        assert_eq!(members(text, NAMES), Ok(found.map(|value| value.filter(|v| *v != "null"))));
        true
    }

    /// The bodies of the corpus of answers.
    fn corpus() -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        let folders = fs::read_dir(folder).expect("the corpus");
        let files = folders.filter_map(|folder| fs::read_dir(folder.ok()?.path()).ok()).flatten();
        let bodies = files.filter_map(|file| {
            let path = file.ok()?.path();
            let answer = path.extension().is_some_and(|e| e == "http").then(|| fs::read(path))?;
            let answer = String::from_utf8(answer.ok()?).ok()?;
            Some(answer.split_once("\n\n")?.1.to_owned())
        });
        bodies.collect()
    }

    const ANSWERS: [&str; 4] = [
        r#"{"id":12,"idstr":"12","created_at":"Fri Jul 08 15:48:42 +0800 2011","text":"\u79c1信\n","sender":{"id":4,"tags":[],"of":{},"on":[true,false,null,-1.5e+3,[0]]}}"#,
        r#"{"error":"no \"such\" one","error_code":20301,"request":"\/2\/send.json", "more" : [ { } , 1E9 ] }"#,
        "{\n  \"ActionStatus\": \"OK\",\t\"ErrorCode\": 0,\r\n  \"MsgSeq\": 1,\n  \"x\": -0\n}\n",
        r#"{"response":1,"number":-128}"#,
    ];

    #[test]
    fn both_ways_agree_on_the_corpus_and_on_each_truncation() {
        let corpus = corpus();
        assert!(corpus.len() > 100, "{} bodies only", corpus.len());
        let mut read = 0;
        for answer in corpus.iter().map(String::as_str).chain(ANSWERS) {
            let is_object = in_full(answer).is_ok();
            assert_eq!(agrees(answer), is_object, "{answer}");
            read += usize::from(is_object);
            for (end, _) in answer.trim_end().char_indices() {
                let is_whole = agrees(&answer[..end]);
                assert!(!is_object || !is_whole, "cut at {end}: {answer}");
            }
        }
        assert!(read > 50, "{read} objects only");
    }

    #[test]
    fn both_ways_agree_whatever_one_character_becomes() {
        let mut read = 0;
        for answer in ANSWERS {
            for (at, char) in answer.char_indices() {
                let rest = &answer[at + char.len_utf8()..];
                for other in "\"\\{}[],:0-.eu \n\0\u{1f}\u{7f}\u{ff}".chars() {
                    read += usize::from(agrees(&format!("{}{other}{rest}", &answer[..at])));
                    read += usize::from(agrees(&format!("{}{other}{char}{rest}", &answer[..at])));
                }
                read += usize::from(agrees(&format!("{}{rest}", &answer[..at])));
            }
        }
        assert!(read > 1000, "{read} are still objects");
    }

    #[test]
    fn both_ways_agree_wherever_a_member_is_put() {
        let members = [
            r#""error":"no""#,
            r#""\u0065rror":"no""#,
            r#""error\u0000":null"#,
            r#""error_code":20032"#,
            r#""id":1"#,
            r#""id":[1,{"id":2}]"#,
            r#""idstr":null"#,
            r#""number":128"#,
            r#""error":1e999"#,
            r#""x":1e999"#,
            r#""x":"\ud800""#,
            r#""error":"\ud800""#,
            r#""\ud800":1"#,
            r#""ErrorCode":01"#,
            r#""x":[1,]"#,
            r#""":"""#,
        ];
        let mut read = 0;
        for (answer, member) in ANSWERS.iter().flat_map(|a| members.map(|member| (*a, member))) {
            for (at, _) in answer.char_indices() {
                let (before, after) = answer.split_at(at);
                read += usize::from(agrees(&format!("{before}{member},{after}")));
                read += usize::from(agrees(&format!("{before},{member}{after}")));
            }
        }
        assert!(read > 100, "{read} are still objects");
    }

    #[test]
    fn both_ways_agree_wherever_a_block_begins() {
        let pretty = ANSWERS.map(|answer| {
            let value: Value = serde_json::from_str(answer).expect("an object");
            serde_json::to_string_pretty(&value).expect("JSON")
        });
        for answer in ANSWERS.into_iter().chain(pretty.iter().map(String::as_str)) {
            let members = answer.trim().strip_prefix('{').expect("an object");
            for n in 0..150 {
                for filling in ["a", "\u{e9}", "\\n", "\\\"", "\\\\", "\\u0022", "\\/x"] {
                    let text = filling.repeat(n);
                    assert!(agrees(&format!("{{\"x\":\"{text}\",{members}")), "{text}");
                    assert!(agrees(&format!("{{\"x{text}y\":[],{members}")) != text.contains('\\'));
                    assert!(agrees(&format!("{{\"x\":{{\"{text}\":\"{text}\"}},{members}")));
                    let open = format!("{{\"x\":[\"{text}],{members}");
                    assert_eq!(agrees(&open), in_full(&open).is_ok());
                }
                let (space, digits) = (" \n".repeat(n), "1".repeat(n + 1));
                assert!(agrees(&format!("{{{space}\"x\"{space}:{space}1{space},{space}{members}")));
                assert!(agrees(&format!(
                    "{{\"x\":[{digits},-{digits}.{digits}],\"y\":0,{members}"
                )));
                assert!(!agrees(&format!("{{\"x\":[{digits},0{digits}],\"y\":0,{members}")));
            }
        }
    }

    #[test]
    fn no_control_character_is_read_wherever_it_stands() {
        for n in 0..150 {
            let before = "a".repeat(n);
            for behind in [0, 1, 15, 16, 63, 64, 65].map(|n| "b".repeat(n)) {
                for char in '\0'..=' ' {
                    let text = format!("{before}{char}{behind}");
                    let is_text = char == ' ';
                    assert_eq!(agrees(&format!("{{\"x\":\"{text}\"}}")), is_text);
                    assert_eq!(agrees(&format!("{{\"x\":[{{\"{text}\":0}}]}}")), is_text);
                }
            }
        }
    }

    #[test]
    fn json_is_not_read_that_is_nested_too_deep() {
        let nested = format!("{{\"x\":{}{}}}", "[".repeat(64), "]".repeat(64));
        let read = members(&nested, NAMES);
        assert!(read.is_err_and(|e| e.contains("nested deeper than 64")));
    }

    #[test]
    fn brackets_in_the_text_of_xml_are_no_nesting() {
        let body = format!("<direct_message><text>{}</text></direct_message>", "[".repeat(65));
        let answer =
            Answer { status: 200, body: body.clone().into_bytes().into(), ..Answer::default() };
        assert_eq!(text(&answer), Ok(body.as_str()));
    }

    #[test]
    fn what_is_not_read_is_left_to_the_full_way() {
        let nested = |n: usize| format!("{{\"x\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(agrees(&nested(63)) && !agrees(&nested(64)));
        assert!(!agrees(r#"{"\u0069d":1}"#));
        assert_eq!(members(r#"{"\u0069d":1}"#, ["id"]), Ok([Some("1")]));
        assert!(members(r#"{"id":1,"id":2}"#, ["id"]).is_err_and(|e| e.contains("duplicate")));
        assert_eq!(members(r#"{"id":null,"x":1,"x":2}"#, ["id"]), Ok([None]));
        for text in ["", "[]", "null", "{} {}", "{}x", "\u{3000}{}", "{,}", "{\"a\":1,}"] {
            assert!(!agrees(text), "{text}");
        }
    }
}
