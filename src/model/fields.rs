//! Reads a JSON object field by field and refuses, with its path, whatever is wrong or unknown.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::error::{Error, ErrorCode, Result};
use super::json::{self, type_name};

/// A JSON object being read; what nobody asked for is refused by [`Fields::finish`].
pub struct Fields {
    map: Map<String, Value>,
    path: String,
    code: ErrorCode,
    asked: Vec<&'static str>,
}

impl Fields {
    /// The fields of `value`, which stands at `path`; errors carry `code`.
    pub fn new(value: Value, path: impl Into<String>, code: ErrorCode) -> Result<Fields> {
        let path = path.into();
        match value {
            Value::Object(map) => Ok(Fields { map, path, code, asked: Vec::new() }),
            other => Err(wrong_type(code, "an object", &other, path)),
        }
    }

    /// The fields of the object in `text`, which stands at `path`; none may be given twice, at any depth.
    pub fn read(text: &str, path: impl Into<String>, code: ErrorCode) -> Result<Fields> {
        let path = path.into();
        let value = json::value(text, &path).map_err(|unread| unread.at_its_place(code))?;
        Fields::new(value, path, code)
    }

    /// An object without fields, which stands at `path`.
    pub fn empty(path: impl Into<String>, code: ErrorCode) -> Fields {
        Fields { map: Map::new(), path: path.into(), code, asked: Vec::new() }
    }

    /// Adds a field; none may be given twice.
    pub fn put(&mut self, name: String, value: Value) -> Result<()> {
        if self.map.contains_key(&name) {
            return Err(self.twice(&name));
        }
        self.map.insert(name, value);
        Ok(())
    }

    /// The error of a field that is given twice.
    pub fn twice(&self, name: &str) -> Error {
        self.error(name, json::given_twice(name))
    }

    /// The path of a field, or of the object itself for an empty name.
    pub fn path(&self, name: &str) -> String {
        match (self.path.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}.{name}", self.path),
        }
    }

    /// An error at a field.
    #[cold]
    #[inline(never)]
    pub fn error(&self, name: &str, message: impl Into<String>) -> Error {
        let error = Error::new(self.code, message);
        match self.path(name) {
            path if path.is_empty() => error,
            path => error.at(path),
        }
    }

    /// The value of a field, taken out; JSON `null` counts as absent.
    pub fn value(&mut self, name: &'static str) -> Option<Value> {
        self.nullable(name).flatten()
    }

    /// The value of a field whose `null` has a meaning of its own: `Some(None)`.
    pub fn nullable(&mut self, name: &'static str) -> Option<Option<Value>> {
        self.asked.push(name);
        match self.map.shift_remove(name) {
            None => None,
            Some(Value::Null) => Some(None),
            Some(value) => Some(Some(value)),
        }
    }

    /// The value of a field that must be there.
    pub fn required(&mut self, name: &'static str) -> Result<Value> {
        self.value(name).ok_or_else(|| self.missing(name))
    }

    /// The error of a field that is not there.
    pub fn missing(&self, name: &str) -> Error {
        self.error(name, format!("the field {name:?} is required"))
    }

    fn typed<T>(
        &mut self,
        name: &'static str,
        wanted: &str,
        take: impl FnOnce(Value) -> std::result::Result<T, Value>,
    ) -> Result<Option<T>> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => match take(value) {
                Ok(value) => Ok(Some(value)),
                Err(value) => Err(wrong_type(self.code, wanted, &value, self.path(name))),
            },
        }
    }

    /// A string.
    pub fn string(&mut self, name: &'static str) -> Result<Option<String>> {
        self.typed(name, "a string", |value| match value {
            Value::String(text) => Ok(text),
            other => Err(other),
        })
    }

    /// A string that must be there.
    pub fn required_string(&mut self, name: &'static str) -> Result<String> {
        let found = self.string(name)?;
        found.ok_or_else(|| self.missing(name))
    }

    /// One of a few strings; what it may be is told in the error.
    pub fn one_of(
        &mut self,
        name: &'static str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        match words.iter().find(|word| **word == text) {
            Some(word) => Ok(Some(word)),
            None => {
                let shown = match self.code {
                    ErrorCode::Config => word(&text).unwrap_or_else(|| "it".to_owned()),
                    _ => format!("{text:?}"),
                };
                Err(self.error(name, format!("{shown} is not one of {}", quoted(words))))
            }
        }
    }

    /// A whole number within a range.
    pub fn integer(
        &mut self,
        name: &'static str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>> {
        let found = self.typed(name, "a whole number", |value| value.as_i64().ok_or(value))?;
        match found {
            Some(number) if !range.contains(&number) => {
                let number = match self.code {
                    ErrorCode::Config => "it".to_owned(),
                    _ => number.to_string(),
                };
                let (least, most) = range.into_inner();
                Err(self.error(name, format!("{number} is not between {least} and {most}")))
            }
            found => Ok(found),
        }
    }

    /// A whole number from 0 on.
    pub fn unsigned(&mut self, name: &'static str) -> Result<Option<u64>> {
        self.typed(name, "a whole number from 0 on", |value| value.as_u64().ok_or(value))
    }

    /// A whole number within a range that must be there.
    pub fn required_integer(
        &mut self,
        name: &'static str,
        range: RangeInclusive<i64>,
    ) -> Result<i64> {
        let found = self.integer(name, range)?;
        found.ok_or_else(|| self.missing(name))
    }

    /// Any finite number.
    pub fn number(&mut self, name: &'static str) -> Result<Option<f64>> {
        self.typed(name, "a number", |value| value.as_f64().filter(|n| n.is_finite()).ok_or(value))
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, name: &'static str) -> Result<Option<bool>> {
        self.typed(name, "true or false", |value| value.as_bool().ok_or(value))
    }

    /// An object, to be read in turn.
    pub fn object(&mut self, name: &'static str) -> Result<Option<Fields>> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => Fields::new(value, self.path(name), self.code).map(Some),
        }
    }

    /// An object that must be there.
    pub fn required_object(&mut self, name: &'static str) -> Result<Fields> {
        let found = self.object(name)?;
        found.ok_or_else(|| self.missing(name))
    }

    /// An array.
    pub fn array(&mut self, name: &'static str) -> Result<Option<Vec<Value>>> {
        self.typed(name, "an array", |value| match value {
            Value::Array(items) => Ok(items),
            other => Err(other),
        })
    }

    /// An array of strings.
    pub fn strings(&mut self, name: &'static str) -> Result<Option<Vec<String>>> {
        let Some(items) = self.array(name)? else { return Ok(None) };
        let item = |(i, value)| match value {
            Value::String(text) => Ok(text),
            other => {
                Err(wrong_type(self.code, "a string", &other, format!("{}[{i}]", self.path(name))))
            }
        };
        items.into_iter().enumerate().map(item).collect::<Result<_>>().map(Some)
    }

    /// Every field that is left, with its name, for objects whose keys are the caller's.
    pub fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.map)
    }

    /// Refuses what nobody asked for.
    pub fn finish(self) -> Result<()> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.unknown(name, &self.asked)),
        }
    }

    /// The error of a field that nobody asks for; those that are asked for are told.
    pub fn unknown(&self, name: &str, known: &[&str]) -> Error {
        self.error(name, format!("unknown field {name:?}; known here: {}", known.join(", ")))
    }
}

fn wrong_type(code: ErrorCode, wanted: &str, found: &Value, path: String) -> Error {
    let found = match found {
        // A number in a configuration may be a password without its quotes.
        Value::Number(number) if code != ErrorCode::Config => number.to_string(),
        other => type_name(other).to_owned(),
    };
    let error = Error::new(code, format!("expected {wanted}, found {found}"));
    if path.is_empty() { error } else { error.at(path) }
}

/// A text of a configuration as an error may show it, in quotes: where it is a mere word.
///
/// Anything else is not repeated: a credential may have been put into the wrong field.
pub fn word(text: &str) -> Option<String> {
    let is_word =
        (1..=24).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    is_word.then(|| format!("{text:?}"))
}

/// A path as an error may show it, in quotes; what can be none, such as the content of a file, is not
/// repeated.
pub fn shown_path(path: &str) -> String {
    match path.len() > 4096 || path.contains(|c: char| c.is_control() || c == '{') {
        true => "the path (which is no path)".to_owned(),
        false => format!("{path:?}"),
    }
}

/// Words in quotes with commas between them, for messages to people.
pub fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}
