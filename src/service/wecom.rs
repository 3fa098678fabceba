//! What WeCom's robot, its apps and WeChat's official accounts have in common.

pub mod media;

use serde_json::{Map, Value};

use super::api::Draft;
use super::wire::json;
use crate::model::error::{Error, ErrorCode, Result};

/// The words of a refusal without the address that the request came from, which they tell.
pub fn without_address(text: String) -> String {
    const BEFORE: &str = "from ip: ";
    let Some((head, rest)) = text.split_once(BEFORE) else { return text };
    let tail = rest.find([',', ' ']).map_or("", |end| &rest[end..]);
    format!("{head}{BEFORE}…{tail}")
}

/// A body as bytes. WeChat's and WeCom's interfaces take no character that JSON can only write as a number.
pub fn draft(body: Map<String, Value>) -> Result<Draft> {
    if let Some(character) = body.values().find_map(unwritable) {
        let words = format!("WeCom takes no U+{:04X}", u32::from(character));
        return Err(Error::new(ErrorCode::Message, words).at("text"));
    }
    Ok(Draft { body: json::body(&body).into(), ..Draft::default() })
}

/// A character that JSON writes with a backslash and `u`.
fn unwritable(value: &Value) -> Option<char> {
    let of = |text: &str| {
        text.chars().find(|c| *c < ' ' && !matches!(c, '\n' | '\r' | '\t' | '\u{8}' | '\u{c}'))
    };
    match value {
        Value::String(text) => of(text),
        Value::Array(items) => items.iter().find_map(unwritable),
        Value::Object(map) => {
            map.iter().find_map(|(name, value)| of(name).or_else(|| unwritable(value)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_caller_is_not_passed_on() {
        let text = "invalid webhook url, hint: [1], from ip: 192.0.2.1, more info at https://x";
        let shown = "invalid webhook url, hint: [1], from ip: …, more info at https://x";
        assert_eq!(without_address(text.to_owned()), shown);
        assert_eq!(without_address("from ip: 2001:db8::1".to_owned()), "from ip: …");
        assert_eq!(without_address("ok".to_owned()), "ok");
    }
}
