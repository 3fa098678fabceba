//! A JSON value in which no object names a member twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::model::error::{Error, ErrorCode};

/// Why text was not read as a value, and where in it.
pub struct Unread {
    words: String,
    path: String,
    is_twice: bool,
}

impl Unread {
    /// The error, with the path; `code` is that of a wrong value.
    pub fn at_its_place(self, code: ErrorCode) -> Error {
        let error = Error::new(code, self.words);
        if self.path.is_empty() { error } else { error.at(self.path) }
    }

    /// The error of a whole text: `otherwise` says what it is where it is no JSON at all.
    pub fn of_text(self, code: ErrorCode, otherwise: impl FnOnce(&str) -> Error) -> Error {
        if self.is_twice { self.at_its_place(code) } else { otherwise(&self.words) }
    }
}

/// Reads the value that stands at `path`.
///
/// serde_json by itself would take the last of two members of one name; which of them its author
/// meant cannot be told. Escapes do not make another name.
pub fn value(text: &str, path: &str) -> std::result::Result<Value, Unread> {
    let mut place = Position { path: path.to_owned(), twice: None };
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Reader(&mut place).deserialize(&mut reader);
    read.and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let is_twice = place.twice.is_some();
        let words = place.twice.map_or_else(|| error.to_string(), |name| given_twice(&name));
        Unread { words, path: place.path, is_twice }
    })
}

/// Reads JSON that stands at `path` of a message.
///
/// `argument`: not JSON. `message`: an object in it names a member twice; its path is told.
pub fn read(text: &str, path: &str) -> crate::model::error::Result<Value> {
    let no_json = |why: &str| Error::new(ErrorCode::Argument, format!("not JSON: {why}"));
    value(text, path).map_err(|unread| unread.of_text(ErrorCode::Message, no_json))
}

/// What is said of a member that stands twice.
pub fn given_twice(name: &str) -> String {
    format!("the field {name:?} is given twice")
}

/// Where the reader is, and stays once something is wrong.
struct Position {
    path: String,
    /// The member that stands twice.
    twice: Option<String>,
}

struct Reader<'a>(&'a mut Position);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let (mut values, start) = (Vec::new(), self.0.path.len());
        loop {
            self.0.path.push_str(&format!("[{}]", values.len()));
            let value = items.next_element_seed(Reader(self.0))?;
            self.0.path.truncate(start);
            match value {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (mut map, start) = (Map::new(), self.0.path.len());
        while let Some(name) = members.next_key::<String>()? {
            if start > 0 {
                self.0.path.push('.');
            }
            self.0.path.push_str(&name);
            if map.contains_key(&name) {
                self.0.twice = Some(name);
                return Err(A::Error::custom("a member stands twice"));
            }
            map.insert(name, members.next_value_seed(Reader(self.0))?);
            self.0.path.truncate(start);
        }
        Ok(Value::Object(map))
    }
}
