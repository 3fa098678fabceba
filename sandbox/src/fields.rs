//! The arguments of a method, whichever way they come: query, form, JSON or parts.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::exchange::Call;
use crate::form;
use crate::multipart::{self, Part};

/// The arguments of a method, and the files that came with them.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    values: Map<String, Value>,
    pub files: Vec<Part>,
}

impl Fields {
    /// Reads the query and then the body by its content type; a later value replaces an earlier one.
    pub(crate) fn read(call: &Call) -> Result<Fields, String> {
        let mut fields = Fields::default();
        let pairs = |text: &str| form::pairs(text).ok_or("a form that cannot be decoded");
        fields.extend(pairs(&call.query)?);
        match call.content_type().as_str() {
            "application/x-www-form-urlencoded" => {
                let text = std::str::from_utf8(&call.body).map_err(|_| "a form not in UTF-8")?;
                fields.extend(pairs(text)?);
            }
            "multipart/form-data" => {
                let header = call.header("content-type").unwrap_or_default();
                for part in multipart::parts(header, &call.body)? {
                    if part.file_name.is_some() {
                        fields.files.push(part);
                    } else {
                        let text = String::from_utf8(part.bytes.to_vec());
                        let text = text.map_err(|_| format!("{} is not UTF-8", part.name))?;
                        fields.values.insert(part.name, text.into());
                    }
                }
            }
            "application/json" => fields.values.extend(call.object()?),
            _ => {}
        }
        Ok(fields)
    }

    fn extend(&mut self, pairs: Vec<(String, String)>) {
        self.values.extend(pairs.into_iter().map(|(name, value)| (name, value.into())));
    }

    /// An argument as text: a string as it is, a number, truth value or structure as JSON writes it.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.values.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.into()),
            other => Some(other.to_string().into()),
        }
    }

    /// The same where it is not empty.
    pub(crate) fn given(&self, name: &str) -> Option<Cow<'_, str>> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// An argument as JSON, which forms carry as a string; a string that is no JSON stays a string.
    pub(crate) fn json(&self, name: &str) -> Option<Value> {
        match self.values.get(name)? {
            Value::Null => None,
            Value::String(text) => {
                Some(serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()))
            }
            other => Some(other.clone()),
        }
    }

    /// Whether an argument is true, as JSON or forms write it.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| matches!(&*text, "true" | "True" | "1"))
    }

    /// The file in the part of this name.
    pub(crate) fn file(&self, name: &str) -> Option<&Part> {
        self.files.iter().find(|part| part.name == name)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use serde_json::json;

    use super::*;

    fn call(content_type: &'static str, body: &'static str) -> Call {
        let mut call =
            Call { query: "q=1&a=query".to_owned(), body: Bytes::from(body), ..Call::default() };
        call.headers.insert("content-type", content_type.parse().expect("a value"));
        call
    }

    #[test]
    fn arguments_are_the_same_whichever_way_they_come() {
        let bodies = [
            (
                "application/json; charset=utf-8",
                r#"{"a": "x", "n": 7, "on": true, "o": {"k": [1]}, "no": null}"#,
            ),
            ("application/x-www-form-urlencoded", "a=x&n=7&on=true&o=%7B%22k%22:%5B1%5D%7D"),
            (
                "multipart/form-data; boundary=B",
                "--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n\
                 --B\r\nContent-Disposition: form-data; name=n\r\n\r\n7\r\n\
                 --B\r\nContent-Disposition: form-data; name=on\r\n\r\ntrue\r\n\
                 --B\r\nContent-Disposition: form-data; name=o\r\n\r\n{\"k\":[1]}\r\n\
                 --B\r\nContent-Disposition: form-data; name=f; filename=f.txt\r\n\r\nfile\r\n--B--",
            ),
        ];
        for (content_type, body) in bodies {
            let fields = Fields::read(&call(content_type, body)).expect(content_type);
            assert_eq!(fields.text("a").as_deref(), Some("x"), "{content_type}");
            assert_eq!(fields.text("n").as_deref(), Some("7"), "{content_type}");
            assert_eq!(fields.text("q").as_deref(), Some("1"), "{content_type}");
            assert!(
                fields.flag("on") && !fields.flag("n") && fields.given("no").is_none(),
                "{content_type}"
            );
            assert_eq!(fields.json("o"), Some(json!({"k": [1]})), "{content_type}");
            assert_eq!(fields.json("a"), Some(json!("x")), "{content_type}");
            assert_eq!(fields.file("f").is_some(), content_type.contains("multipart"));
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (content_type, body, word) in [
            ("application/json", "[]", "object"),
            ("application/json", "{", "JSON"),
            ("application/x-www-form-urlencoded", "a=%zz", "form"),
            ("multipart/form-data", "", "boundary"),
        ] {
            let error = Fields::read(&call(content_type, body)).expect_err(body);
            assert!(error.contains(word), "{error}");
        }
    }
}
