//! Members of JSON objects as they stand in the text, and objects that are written in order.

use std::ops::Range;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::model::json::{self, MAX_DEPTH, too_deep};

/// The type of JSON.
pub const CONTENT_TYPE: &str = "application/json";

/// Room that is made for a body when it begins, in bytes.
const LIKELY_BODY: usize = 512;

const _: () = assert!(json_members::MAX_DEPTH == MAX_DEPTH);

/// The values of these members of a JSON object, as they stand in the text; `null` is as good as none.
pub fn members<'a, const N: usize>(
    text: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], String> {
    let mut values = [None; N];
    if json_members::find(text, &names, &mut values).is_none() {
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

/// JSON text of a body.
pub fn body(members: &Map<String, Value>) -> Vec<u8> {
    let mut text = Vec::with_capacity(LIKELY_BODY);
    write(&mut text, members);
    text
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    // Nothing that is written to memory fails.
    serde_json::to_string(text).unwrap_or_default()
}

/// What a body begins with whose first member is a text: `{"name":"…",`.
pub fn head(name: &str, text: &str) -> String {
    ["{\"", name, "\":", &quoted(text), ","].concat()
}

fn write(text: &mut Vec<u8>, json: &impl Serialize) {
    // Nothing that is written to memory fails: JSON's own values have text as names and no odd numbers.
    let written = serde_json::to_writer(text, json);
    debug_assert!(written.is_ok(), "{written:?}");
}

/// Members as they are put into an object. Services do little else, and each place would have the making of
/// the name, the member before and its end.
pub trait Members {
    /// Sets a member.
    fn put(&mut self, name: &str, value: impl Into<Value>);
}

impl Members for Map<String, Value> {
    #[inline(never)]
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.insert(name.to_owned(), value.into());
    }
}

/// An object of these members, each of what a [`Value`] can be made of.
macro_rules! object {
    ($($name:tt: $value:expr),* $(,)?) => {{
        let mut members = serde_json::Map::new();
        $($crate::service::wire::json::Members::put(&mut members, $name, $value);)*
        serde_json::Value::Object(members)
    }};
}
pub(crate) use object;

/// JSON text of an object that is written in order, so that every attempt has the same bytes.
pub struct Object(Vec<u8>);

impl Object {
    /// An object without members.
    pub fn new() -> Object {
        let mut text = Vec::with_capacity(LIKELY_BODY);
        text.push(b'{');
        Object(text)
    }

    /// Adds a member; tells where its value stands.
    pub fn put(&mut self, name: &str, value: &Value) -> Range<usize> {
        self.name(name);
        let start = self.0.len();
        write(&mut self.0, value);
        start..self.0.len()
    }

    /// Adds a member that there may be.
    pub fn put_some(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.put(name, &value);
        }
    }

    /// Adds a member whose value is JSON already.
    pub fn put_text(&mut self, name: &str, json: &str) -> Range<usize> {
        self.name(name);
        let start = self.0.len();
        self.0.extend_from_slice(json.as_bytes());
        start..self.0.len()
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
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

    use super::*;

    const NAMES: [&str; 5] = ["id", "error", "error_code", "response", "MsgSeq"];

    /// What [`members`] reads, which must be what serde_json alone reads.
    fn read(text: &str) -> Result<[Option<&str>; 5], String> {
        let mut values = [None; 5];
        let in_full = find_in_full(text, &NAMES, &mut values);
        let in_full = in_full.map(|()| values.map(|value| value.filter(|v| *v != "null")));
        assert_eq!(members(text, NAMES), in_full, "{text:?}");
        in_full
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

    #[test]
    fn both_ways_agree_on_the_corpus_and_on_each_truncation() {
        let corpus = corpus();
        assert!(corpus.len() > 100, "{} bodies only", corpus.len());
        let mut whole = 0;
        for answer in &corpus {
            let is_object = read(answer).is_ok();
            whole += usize::from(is_object);
            for (end, _) in answer.trim_end().char_indices() {
                assert!(!is_object || read(&answer[..end]).is_err(), "cut at {end}: {answer}");
            }
        }
        assert!(whole > 50, "{whole} objects only");
    }

    #[test]
    fn json_is_not_read_that_is_nested_too_deep() {
        let nested = format!("{{\"x\":{}{}}}", "[".repeat(64), "]".repeat(64));
        let read = members(&nested, NAMES);
        assert!(read.is_err_and(|e| e.contains("nested deeper than 64")));
    }

    #[test]
    fn what_the_short_way_does_not_read_is_left_to_the_full_way() {
        assert_eq!(members(r#"{"\u0069d":1}"#, ["id"]), Ok([Some("1")]));
        assert!(members(r#"{"id":1,"id":2}"#, ["id"]).is_err_and(|e| e.contains("duplicate")));
        assert_eq!(members(r#"{"id":null,"x":1,"x":2}"#, ["id"]), Ok([None]));
        for text in ["", "[]", "null", "{} {}", "{}x", "\u{3000}{}", "{,}", "{\"a\":1,}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
