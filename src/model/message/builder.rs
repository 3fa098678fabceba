//! A message that is put together field by field.

use serde_json::{Map, Value};

use super::{Attachment, BLANK, KNOWN_FIELDS, Kind, Message, Part, is_blank};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::json;

/// A message in the making, field by field; read and judged when it is sent.
#[derive(Clone, Debug)]
pub struct MessageBuilder {
    fields: Map<String, Value>,
    /// The files whose bytes are here; they stand behind those among the fields.
    files: Vec<Attachment>,
}

impl MessageBuilder {
    /// A message from this account.
    pub fn new(account: &str) -> MessageBuilder {
        let mut fields = Map::new();
        fields.insert("v".to_owned(), Value::from(1));
        fields.insert("account".to_owned(), Value::from(account));
        MessageBuilder { fields, files: Vec::new() }
    }

    /// Adds a recipient: repeatable for the list kinds, once for the single ones.
    pub fn to(&mut self, kind: &str, value: &str) -> Result<&mut MessageBuilder> {
        let at = |words: String| Error::new(ErrorCode::Message, words).at(format!("to.{kind}"));
        let list = Kind::known(kind).map_err(at)?.is_list();
        if is_blank(value) {
            return Err(at(BLANK.to_owned()));
        }
        let to = self.fields.entry("to").or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(to) = to else {
            return Err(at("\"to\" was set to something that is no object".to_owned()));
        };
        if !list {
            if to.contains_key(kind) {
                return Err(at(format!("{kind:?} is set already, and there can be only one")));
            }
            to.insert(kind.to_owned(), Value::from(value));
            return Ok(self);
        }
        match to.entry(kind).or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(items) => items.push(Value::from(value)),
            _ => return Err(at(format!("{kind:?} was set to something that is no list"))),
        }
        Ok(self)
    }

    /// Sets the text.
    pub fn text(&mut self, text: &str) -> &mut MessageBuilder {
        self.fields.insert("text".to_owned(), Value::from(text));
        self
    }

    /// Adds a part, given as JSON.
    pub fn part_json(&mut self, json: &[u8]) -> Result<&mut MessageBuilder> {
        let text = json_text(json)?;
        let before = self.fields.get("parts").and_then(Value::as_array).map_or(0, Vec::len);
        let path = format!("parts[{before}]");
        let value = json::read(text, &path)?;
        Part::read(text, path)?;
        match self.fields.entry("parts").or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(parts) => parts.push(value),
            _ => {
                let error = Error::new(ErrorCode::Message, "\"parts\" was set to no array");
                return Err(error.at("parts"));
            }
        }
        Ok(self)
    }

    /// Sets any field of a message by its name, given as JSON.
    pub fn field_json(&mut self, field: &str, json: &[u8]) -> Result<&mut MessageBuilder> {
        if !KNOWN_FIELDS.contains(&field) {
            let known = KNOWN_FIELDS.join(", ");
            let words = format!("unknown field {field:?}; known here: {known}");
            return Err(Error::new(ErrorCode::Message, words).at(field));
        }
        self.fields.insert(field.to_owned(), json::read(json_text(json)?, field)?);
        Ok(self)
    }

    /// Adds a file of up to 100 MiB, whose bytes are no part of the JSON; without a media type its name
    /// tells one.
    pub fn file(
        &mut self,
        name: &str,
        media_type: Option<&str>,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<&mut MessageBuilder> {
        let given = self.fields.get("attachments").and_then(Value::as_array).map_or(0, Vec::len);
        let i = given + self.files.len();
        self.files.push(Attachment::new(i, name, media_type, bytes.into().into())?);
        Ok(self)
    }

    /// The message, read; with its files.
    pub fn message(&self) -> Result<Message> {
        let mut message = Message::from_json(&self.to_json())?;
        self.add_files(&mut message);
        Ok(message)
    }

    /// Adds the files to what was read of the JSON.
    pub(crate) fn add_files(&self, message: &mut Message) {
        message.attachments.extend_from_slice(&self.files);
    }

    /// The message as JSON, without the files whose bytes are here.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.fields).unwrap_or_default()
    }
}

fn json_text(bytes: &[u8]) -> Result<&str> {
    json::bounded(bytes, json::MAX_MESSAGE, ErrorCode::Argument)
}

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;

    #[test]
    fn files_stand_behind_those_among_the_fields_and_their_bytes_are_shared() {
        let mut builder = MessageBuilder::new("a");
        let given = br#"[{"name":"a","data_base64":"YQ=="}]"#;
        builder.file("b.png", None, "PNG").expect("a file");
        builder.field_json("attachments", given).expect("a field");
        builder.file("c", Some("text/x"), vec![0; 2 << 20]).expect("longer than any JSON");
        let message = builder.message().expect("well-formed");
        let told = |file: &Attachment| format!("{} {}", file.file_name(), file.media_type());
        let told: Vec<_> = message.attachments.iter().map(told).collect();
        assert_eq!(told, ["a application/octet-stream", "b.png image/png", "c text/x"]);
        let again = builder.message().expect("well-formed");
        let place = |message: &Message| message.attachments[2].bytes().map(|bytes| bytes.as_ptr());
        assert_eq!(place(&message), place(&again));
        for (name, mime, path) in [(" ", None, "name"), ("a", Some("x"), "type")] {
            let error = builder.file(name, mime, "").expect_err("refused");
            assert_eq!(error.path(), Some(&*format!("attachments[3].{path}")));
        }
        let error = builder.file("a", None, vec![0; (100 << 20) + 1]).expect_err("too long");
        assert_eq!((error.code(), error.path()), (ErrorCode::Message, Some("attachments[3]")));
    }

    #[test]
    fn a_builder_makes_the_same_message() {
        let mut builder = MessageBuilder::new("a");
        builder.to("group", "g").expect("kind").to("members", "x").expect("list");
        builder
            .to("members", "y")
            .expect("list")
            .part_json(br#"{"type":"text","text":"t"}"#)
            .expect("part");
        builder.field_json("extra", br#"{"MsgPriority":"High"}"#).expect("field");
        let message = Message::from_json(&builder.to_json()).expect("well-formed");
        assert_eq!(message.to.all(Kind::Members).collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(message.parts, [Part::Text("t".to_owned())]);
        let twice = builder.to("group", "h").expect_err("single kind twice");
        assert_eq!((twice.code(), twice.path()), (ErrorCode::Message, Some("to.group")));
        assert_eq!(builder.to("planet", "h").expect_err("unknown").code(), ErrorCode::Message);
        assert_eq!(
            builder.field_json("text", b"nonsense").expect_err("syntax").code(),
            ErrorCode::Argument
        );
        assert_eq!(builder.field_json("colour", b"1").expect_err("unknown").path(), Some("colour"));
    }
}
