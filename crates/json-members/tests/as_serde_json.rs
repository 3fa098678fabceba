//! What is read here serde_json reads too, and as the same.

use std::fmt;
use std::fs;
use std::path::Path;

use json_members::{MAX_DEPTH, find};
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

const NAMES: [&str; 5] = ["id", "error", "error_code", "response", "MsgSeq"];

/// The values of these members as serde_json reads them; an error for any that stands twice.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = [Option<&'de str>; 5];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [None; 5];
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            let place = NAMES.iter().position(|own| *own == name);
            if place.is_some_and(|n| values[n].replace(value.get()).is_some()) {
                return Err(serde::de::Error::custom("a member twice"));
            }
        }
        Ok(values)
    }
}

fn in_full(text: &str) -> Result<[Option<&str>; 5], serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let values = reader.deserialize_map(Members)?;
    reader.end().map(|()| values)
}

/// Compares the two ways to read a text, and says whether the short one reads it.
fn agrees(text: &str) -> bool {
    let mut found = [None; 5];
    if find(text, &NAMES, &mut found).is_none() {
        return false;
    }
    let in_full = in_full(text).unwrap_or_else(|e| panic!("{text:?} is read, and yet: {e}"));
    assert_eq!(found, in_full, "{text:?}");
    true
}

/// The inputs that fuzzing keeps.
fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/object");
    let files = fs::read_dir(folder).expect("the corpus");
    files.map(|file| fs::read_to_string(file.expect("a file").path()).expect("UTF-8")).collect()
}

const ANSWERS: [&str; 4] = [
    r#"{"id":12,"idstr":"12","created_at":"Fri Jul 08 15:48:42 +0800 2011","text":"\u79c1信\n","sender":{"id":4,"tags":[],"of":{},"on":[true,false,null,-1.5e+3,[0]]}}"#,
    r#"{"error":"no \"such\" one","error_code":20301,"request":"\/2\/send.json", "more" : [ { } , 1E9 ] }"#,
    "{\n  \"ActionStatus\": \"OK\",\t\"ErrorCode\": 0,\r\n  \"MsgSeq\": 1,\n  \"x\": -0\n}\n",
    r#"{"response":1,"number":-128}"#,
];

#[test]
fn both_ways_agree_on_each_truncation() {
    for answer in ANSWERS {
        assert!(agrees(answer), "{answer}");
        for (end, _) in answer.trim_end().char_indices() {
            assert!(!agrees(&answer[..end]), "cut at {end}: {answer}");
        }
    }
    let corpus = corpus();
    assert!(corpus.len() > 20, "{} inputs only", corpus.len());
    for text in &corpus {
        for (end, _) in text.char_indices() {
            agrees(&text[..end]);
        }
        agrees(text);
    }
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
            assert!(agrees(&format!("{{\"x\":[{digits},-{digits}.{digits}],\"y\":0,{members}")));
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
fn what_is_uncertain_is_not_read() {
    let nested = |n: usize| format!("{{\"x\":{}{}}}", "[".repeat(n), "]".repeat(n));
    assert!(agrees(&nested(MAX_DEPTH - 1)) && !agrees(&nested(MAX_DEPTH)));
    assert!(!agrees(r#"{"\u0069d":1}"#), "a name with an escape might be any");
    assert!(!agrees(r#"{"id":1,"id":2}"#), "which of two would count is not decided here");
    assert!(agrees(r#"{"id":null,"x":1,"x":2}"#));
    for text in ["", "[]", "null", "{} {}", "{}x", "\u{3000}{}", "{,}", "{\"a\":1,}"] {
        assert!(!agrees(text), "{text}");
    }
}
