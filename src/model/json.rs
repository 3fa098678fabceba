//! JSON text: its bounds, checked before anything is built from it, its values and the members of its
//! objects.

mod value;

use std::fmt;
use std::str::Utf8Error;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{Error, ErrorCode, Result};
pub use value::{given_twice, read, value};

/// The largest message JSON, in bytes.
pub const MAX_MESSAGE: usize = 1 << 20;
/// The deepest nesting of arrays and objects.
pub const MAX_DEPTH: usize = 64;

/// Text from bytes of at most `max` that are UTF-8 and nested no deeper than [`MAX_DEPTH`].
pub fn bounded(bytes: &[u8], max: usize, code: ErrorCode) -> Result<&str> {
    text(bytes, max, code).and_then(|text| shallow(text, code).map(|()| text))
}

/// Text from bytes of at most `max` that are UTF-8, without the byte order mark that some programs put
/// in front.
pub fn text(bytes: &[u8], max: usize, code: ErrorCode) -> Result<&str> {
    if bytes.len() > max {
        return Err(Error::new(
            code,
            format!("the JSON is {} bytes long; at most {max} are accepted", bytes.len()),
        ));
    }
    let text = utf8(bytes).map_err(|e| {
        Error::new(code, format!("the JSON is not UTF-8: wrong byte at offset {}", e.valid_up_to()))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Text from bytes that are UTF-8, as [`std::str::from_utf8`] and many times faster.
pub fn utf8(bytes: &[u8]) -> std::result::Result<&str, Utf8Error> {
    // A fault is rare, and told by the standard library's error.
    simdutf8::compat::from_utf8(bytes).or_else(|_| std::str::from_utf8(bytes))
}

/// Refuses text that is nested deeper than [`MAX_DEPTH`].
pub fn shallow(text: &str, code: ErrorCode) -> Result<()> {
    if too_deep(text.as_bytes()) {
        return Err(Error::new(code, format!("the JSON is nested deeper than {MAX_DEPTH}")));
    }
    Ok(())
}

/// True if arrays and objects nest deeper than [`MAX_DEPTH`].
pub fn too_deep(bytes: &[u8]) -> bool {
    // Most texts have too few brackets for it, wherever those stand.
    opening_brackets(bytes) > MAX_DEPTH && nests_too_deep(bytes)
}

/// How many bytes open an array or an object, if they are not part of a string.
fn opening_brackets(bytes: &[u8]) -> usize {
    // The two differ in one bit only. Counts that fit a byte are made of many bytes at once.
    let is_bracket = |byte: &u8| u8::from(byte | 0x20 == b'{');
    let pieces = bytes.chunks(192);
    pieces.map(|piece| usize::from(piece.iter().map(is_bracket).sum::<u8>())).sum()
}

fn nests_too_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for &byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// A member of an object: its name, and its value as it stands in the text.
pub type Member<'a> = (String, &'a RawValue);

/// The members of an object, in the order of the text.
pub fn members(text: &str) -> serde_json::Result<Vec<Member<'_>>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<Member<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(
            self,
            mut map: A,
        ) -> std::result::Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader.deserialize_map(Members)?;
    reader.end().map(|()| members)
}

/// JSON text without the white space between its tokens; the text must be valid JSON.
pub fn minified(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if c == '"' {
            in_string = true;
        } else if c.is_ascii_whitespace() {
            continue;
        }
        out.push(c);
    }
    out
}

/// The name of a JSON value's type, for messages to people.
pub fn type_name(value: &serde_json::Value) -> &'static str {
    use serde_json::Value;
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(!too_deep(deep(64).as_bytes()));
        assert!(too_deep(deep(65).as_bytes()));
        assert!(!too_deep(format!("[\"{}\\\"{}\"]", "[".repeat(99), "{".repeat(99)).as_bytes()));
        assert!(!too_deep(format!("[{}]", "[],{},".repeat(999)).as_bytes()));
        assert!(too_deep(("[],".repeat(999) + &deep(65)).as_bytes()));
        assert!(too_deep((" ".repeat(999) + &"{[".repeat(33)).as_bytes()));
    }

    #[test]
    fn a_fault_in_the_encoding_is_told_with_its_place() {
        for length in 0..200 {
            let whole = ["a", "é", "天", "😀"].into_iter().cycle().take(length).collect::<String>();
            assert_eq!(text(whole.as_bytes(), 1000, ErrorCode::Argument).expect("UTF-8"), whole);
            for fault in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xe5\xa4"] {
                for behind in ["", "\"}"] {
                    let bytes = [whole.as_bytes(), fault, behind.as_bytes()].concat();
                    let error = text(&bytes, 1000, ErrorCode::Argument).expect_err("no UTF-8");
                    let place = whole.len();
                    let words = format!("the JSON is not UTF-8: wrong byte at offset {place}");
                    assert_eq!(error.message(), words, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn minified_keeps_strings_and_digits() {
        assert_eq!(
            minified("{ \"a b\" : [ 1.10 , 123456789012345678901234 ],\n\"c\\\" d\": null }"),
            "{\"a b\":[1.10,123456789012345678901234],\"c\\\" d\":null}"
        );
    }
}
