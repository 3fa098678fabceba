//! Members of JSON objects as they stand in the text, and objects that are written in order.

use std::ops::Range;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::json::{self, MAX_DEPTH, too_deep};
use crate::service::object;

/// The type of JSON.
pub const CONTENT_TYPE: &str = "application/json";

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

/// JSON text of an object that is written in order, so that every attempt has the same bytes.
pub struct Object(Vec<u8>);

impl Object {
    /// An object without members.
    pub fn new() -> Object {
        Object(b"{".to_vec())
    }

    /// Adds a member; tells where its value stands.
    pub fn put(&mut self, name: &str, value: &Value) -> Range<usize> {
        self.put_text(name, &value.to_string())
    }

    /// Adds a member that there may be.
    pub fn put_some(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.put(name, &value);
        }
    }

    /// Adds a member whose value is JSON already.
    pub fn put_text(&mut self, name: &str, json: &str) -> Range<usize> {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        self.0.extend_from_slice(format!("\"{name}\":").as_bytes());
        let start = self.0.len();
        self.0.extend_from_slice(json.as_bytes());
        start..self.0.len()
    }

    /// The text.
    pub fn finish(mut self) -> Bytes {
        self.0.push(b'}');
        self.0.into()
    }
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
