//! The library's reader of JSON objects against serde_json, which it must never disagree with.

use json_members::{MAX_DEPTH, find};
use serde::Deserialize;
use serde_json::value::RawValue;

const NAMES: [&str; 2] = ["id", "error"];

/// These members, as they stand in the text.
#[derive(Deserialize)]
struct Values<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Checks that a text is read as serde_json reads it, or not at all.
pub fn object(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let in_full = serde_json::from_str::<Values<'_>>(text);
    let mut found = [None; 2];
    let found = find(text, &NAMES, &mut found).map(|()| found);
    match found {
        Some(found) => {
            let in_full = in_full.unwrap_or_else(|e| panic!("{e}: {text}"));
            let in_full = [in_full.id, in_full.error].map(|value| value.map(RawValue::get));
            let found = found.map(|value| value.filter(|value| *value != "null"));
            assert_eq!(found, in_full, "{text}");
            assert!(text.trim_ascii_start().starts_with('{'), "no object: {text}");
            assert!(depth(text) <= MAX_DEPTH, "{text}");
        }
        // Nothing else may be left to serde_json, or the reader would be of no use.
        None if text.contains('\\') || depth(text) > MAX_DEPTH => {}
        None if text.trim_ascii_start().starts_with('[') => {}
        None => assert!(in_full.is_err(), "left to serde_json: {text}"),
    }
}

/// How deep arrays and objects nest in a text that is JSON.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
