//! JSON in which no object names a member twice: a typing error there would make another fault than the
//! one that was meant.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a value, or says what is wrong with it and where.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, String> {
    let mut path = String::new();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict(&mut path).deserialize(&mut reader);
    read.and_then(|value| reader.end().map(|()| value)).map_err(|error| match path.as_str() {
        "" => format!("not JSON: {error}"),
        path => format!("{path}: {error}"),
    })
}

/// Reads what stands at this path, which is left as it is where something is wrong.
struct Strict<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let (mut values, start) = (Vec::new(), self.0.len());
        loop {
            self.0.push_str(&format!("[{}]", values.len()));
            let value = items.next_element_seed(Strict(self.0))?;
            self.0.truncate(start);
            match value {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (mut map, start) = (Map::new(), self.0.len());
        while let Some(name) = members.next_key::<String>()? {
            if start > 0 {
                self.0.push('.');
            }
            self.0.push_str(&name);
            if map.contains_key(&name) {
                return Err(A::Error::custom("given twice"));
            }
            map.insert(name, members.next_value_seed(Strict(self.0))?);
            self.0.truncate(start);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_refused_with_its_path() {
        for (text, path) in [
            (r#"{"a": 1, "a": 1}"#, "a: given twice"),
            (r#"{"a": {"b": [1, {"c": 1, "\u0063": 2}]}}"#, "a.b[1].c: given twice"),
            (r#"[{"a": null, "a": null}]"#, "[0].a: given twice"),
            ("nonsense", "not JSON: "),
            ("{} x", "not JSON: "),
        ] {
            let error = read(text.as_bytes()).expect_err(text);
            assert!(error.starts_with(path), "{text}: {error}");
        }
        let whole = json!({"a": [1, -2, 0.5, true, null, "é"], "b": {"a": {}}});
        assert_eq!(read(whole.to_string().as_bytes()), Ok(whole));
    }
}
