//! A message as JSON again: what reads as the same message.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Attachment, Format, Message, Overflow, Part, Priority};

impl Message {
    /// The message as JSON; read again it is the same message, to the last digit.
    pub fn to_json(&self) -> String {
        let mut fields = Fields::default();
        fields.put("v", &json!(1));
        fields.put("account", &json!(self.account));
        fields.put("to", &self.to.to_json());
        if let Some(text) = &self.text {
            fields.put("text", &json!(text));
        }
        if !self.parts.is_empty() {
            let parts: Vec<_> = self.parts.iter().map(part).collect();
            fields.put_raw("parts", &format!("[{}]", parts.join(",")));
        }
        for (name, word, usual) in [
            ("format", self.format.word(), Format::default().word()),
            ("priority", self.priority.word(), Priority::default().word()),
            ("overflow", self.overflow.word(), Overflow::default().word()),
        ] {
            if word != usual {
                fields.put(name, &json!(word));
            }
        }
        if !self.attachments.is_empty() {
            let files = self.attachments.iter().map(Attachment::to_json).collect();
            fields.put("attachments", &Value::Array(files));
        }
        if self.silent {
            fields.put("silent", &json!(true));
        }
        let texts = [("title", &self.title), ("thread", &self.thread)];
        for (name, value) in
            texts.into_iter().chain([("reply_to", &self.reply_to), ("key", &self.key)])
        {
            value.iter().for_each(|value| fields.put(name, &json!(value)));
        }
        for (name, value) in
            [("deadline_ms", self.deadline_ms), ("not_before_ms", self.not_before_ms)]
        {
            value.iter().for_each(|value| fields.put(name, &json!(value)));
        }
        if self.ordered {
            fields.put("ordered", &json!(true));
        }
        if let Some(extra) = &self.extra {
            fields.put("extra", &Value::Object(extra.clone()));
        }
        fields.0 + "}"
    }
}

/// The fields of an object in the making.
struct Fields(String);

impl Default for Fields {
    fn default() -> Fields {
        Fields("{".to_owned())
    }
}

impl Fields {
    fn put(&mut self, name: &str, value: &Value) {
        self.put_raw(name, &value.to_string());
    }

    fn put_raw(&mut self, name: &str, json: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&format!("\"{name}\":{json}"));
    }
}

fn part(part: &Part) -> String {
    let fields = match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Mention { user, name } => json!({"type": "mention", "user": user, "name": name}),
        Part::MentionAll => json!({"type": "mention", "all": true}),
        Part::Face { index, data } => json!({"type": "face", "index": index, "data": data}),
        Part::Location(place) => json!({"type": "location", "latitude": place.latitude,
            "longitude": place.longitude, "address": place.address}),
        Part::Link { url, title, description, thumbnail, image } => json!({"type": "link",
            "url": url, "title": title, "description": description, "thumbnail": thumbnail,
            "image": image}),
        Part::Custom { data, desc, ext, sound } => json!({"type": "custom", "data": data,
            "desc": desc, "ext": ext, "sound": sound}),
        // Digits and order as they were given.
        Part::Raw(value) => {
            let raw = RawValue::from_string(value.clone());
            return format!(
                "{{\"type\":\"raw\",\"value\":{}}}",
                raw.as_ref().map_or("null", |raw| raw.get())
            );
        }
    };
    match fields {
        Value::Object(map) => {
            Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).collect())
                .to_string()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_written_reads_as_the_same() {
        for json in [
            r#"{"v":1,"account":"ff","to":{"user":"a","name":"b"},"text":"引号\" \\ \u0001","reply_to":"x","key":"k"}"#,
            r#"{"v":1,"account":"im","to":{"group":"g","topic":"t","members":["a","b"]},
                "parts":[{"type":"text","text":"a"},{"type":"mention","user":"u"},{"type":"mention","all":true},
                {"type":"face","index":-3,"data":"d"},{"type":"location","latitude":0.1,"longitude":-120.25},
                {"type":"custom","data":"x","sound":"s"},
                {"type":"raw","value":{"b":1.10,"a":123456789012345678901234}}],
                "deadline_ms":5,"not_before_ms":18446744073709551615,"ordered":true,"extra":{"Random":7}}"#,
            r#"{"v":1,"account":"rr","to":{"users":["1"],"groups":["2"],"discussions":["3"]},
                "parts":[{"type":"link","url":"http://a","title":"t"}],"extra":{}}"#,
            r#"{"v":1,"account":"rr","to":{}}"#,
            r#"{"v":1,"account":"tg","text":"*x*","title":"t","format":"markdown","silent":true,
                "priority":"urgent","thread":"7","overflow":"split","attachments":[{"path":"/a.png"},
                {"name":"b","type":"text/plain","data_base64":"YWJj"},{"url":"https://a/b","name":"c"}]}"#,
        ] {
            let message = Message::from_json(json).expect(json);
            let again = Message::from_json(&message.to_json()).expect("what was written reads");
            assert_eq!(format!("{message:?}"), format!("{again:?}"));
        }
    }
}
