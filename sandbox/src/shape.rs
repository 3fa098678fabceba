//! Checks of JSON objects against tables of fields.

use serde_json::{Map, Value};

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Text,
    /// One of these words, in this spelling.
    Word(&'static [&'static str]),
    Integer,
    /// An integer within these bounds.
    Within(i64, i64),
    Number,
    /// A boolean, or the word for one.
    Flag,
    /// A 0 or a 1, as a number or as a word.
    Switch,
    Object,
    Array,
    Texts,
    /// A list of these words.
    Words(&'static [&'static str]),
    /// An object of these fields.
    Fields(&'static [Field]),
    /// A non-empty list of objects of these fields.
    List(&'static [Field]),
}

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

/// A field that must be there.
pub(crate) const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

/// A field that may be there.
pub(crate) const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

/// Says which field of `object` does not fit; fields outside the table are let pass.
pub(crate) fn check(object: &Map<String, Value>, fields: &[Field]) -> Result<(), String> {
    for field in fields {
        match object.get(field.name) {
            None if field.required => return Err(format!("{} is required", field.name)),
            None => {}
            Some(value) => {
                fits(value, field.kind).map_err(|what| format!("{} {what}", field.name))?
            }
        }
    }
    Ok(())
}

fn fits(value: &Value, kind: Kind) -> Result<(), String> {
    let when = |fits: bool, what: &str| if fits { Ok(()) } else { Err(what.to_owned()) };
    match kind {
        Kind::Text => when(value.is_string(), "is not a string"),
        Kind::Word(words) => {
            when(value.as_str().is_some_and(|word| words.contains(&word)), "is invalid")
        }
        Kind::Integer => when(value.is_i64() || value.is_u64(), "is not an integer"),
        Kind::Within(least, most) => {
            let within = value.as_i64().is_some_and(|number| (least..=most).contains(&number));
            when(within, "is invalid")
        }
        Kind::Number => when(value.is_number(), "is not a number"),
        Kind::Switch => {
            let is_word = value.as_str().is_some_and(|word| matches!(word, "0" | "1"));
            when(is_word || value.as_u64().is_some_and(|number| number < 2), "is invalid")
        }
        Kind::Flag => {
            let is_word = value.as_str().is_some_and(|word| matches!(word, "true" | "false"));
            when(value.is_boolean() || is_word, "is not a boolean")
        }
        Kind::Object => when(value.is_object(), "is not an object"),
        Kind::Array => when(value.is_array(), "is not an array"),
        Kind::Texts => {
            let texts = value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
            when(texts, "is not an array of strings")
        }
        Kind::Words(words) => {
            let known = |word: &Value| word.as_str().is_some_and(|word| words.contains(&word));
            let all = value.as_array().is_some_and(|list| list.iter().all(known));
            when(all, "is invalid")
        }
        Kind::Fields(fields) => {
            let object = value.as_object().ok_or("is not an object")?;
            check(object, fields).map_err(|what| format!("is invalid: {what}"))
        }
        Kind::List(fields) => {
            let list = value.as_array().filter(|list| !list.is_empty());
            for item in list.ok_or("is not an array with elements")? {
                let object = item.as_object().ok_or("has an element that is no object")?;
                check(object, fields).map_err(|what| format!("is invalid: {what}"))?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ITEM: &[Field] = &[must("n", Kind::Number)];
    const TABLE: &[Field] = &[
        must("text", Kind::Text),
        may("word", Kind::Word(&["A", "B"])),
        may("integer", Kind::Integer),
        may("flag", Kind::Within(0, 1)),
        may("boolean", Kind::Flag),
        may("switch", Kind::Switch),
        may("object", Kind::Object),
        may("array", Kind::Array),
        may("texts", Kind::Texts),
        may("words", Kind::Words(&["A", "B"])),
        may("fields", Kind::Fields(ITEM)),
        may("list", Kind::List(ITEM)),
    ];

    fn verdict(value: Value) -> Result<(), String> {
        check(value.as_object().expect("an object"), TABLE)
    }

    #[test]
    fn passes_what_fits() {
        let full = json!({"text": "", "word": "A", "integer": -3, "flag": 1, "boolean": true, "object": {},
            "array": [1], "texts": [], "words": ["B", "A"], "fields": {"n": 0.5},
            "list": [{"n": 1}], "unknown": null});
        assert_eq!(verdict(full), Ok(()));
    }

    #[test]
    fn names_what_does_not() {
        assert_eq!(verdict(json!({})), Err("text is required".into()));
        for (name, value) in [
            ("text", json!(1)),
            ("word", json!("a")),
            ("integer", json!(1.0)),
            ("flag", json!(2)),
            ("flag", json!("1")),
            ("switch", json!(2)),
            ("switch", json!(true)),
            ("boolean", json!(1)),
            ("object", json!([])),
            ("array", json!({})),
            ("texts", json!([1])),
            ("words", json!(["C"])),
            ("words", json!("A")),
            ("fields", json!({"n": "1"})),
            ("fields", json!([])),
            ("list", json!([])),
            ("list", json!([1])),
            ("list", json!([{}])),
        ] {
            let mut object = json!({"text": ""});
            object[name] = value.clone();
            let error = verdict(object).expect_err(&value.to_string());
            assert!(error.starts_with(name), "{error}");
        }
    }
}
