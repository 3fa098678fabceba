//! NUL characters, which no form can carry.

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, Part};

/// Refuses NUL characters, which a form cannot carry, wherever in the message they stand.
pub fn refuse_nul(message: &Message) -> Result<()> {
    let refused = |path: String| {
        Err(Error::new(ErrorCode::Message, "a form cannot carry a NUL character").at(path))
    };
    if let Some((path, _)) = message.to.paths().find(|(_, name)| has_nul(name)) {
        return refused(path);
    }
    for (path, value) in [("text", &message.text), ("reply_to", &message.reply_to)] {
        if value.as_deref().is_some_and(has_nul) {
            return refused(path.to_owned());
        }
    }
    if let Some(i) = message.parts.iter().position(Part::has_nul) {
        return refused(format!("parts[{i}]"));
    }
    let extra = message.extra.iter().flatten();
    let mut strings = extra.filter_map(|(name, value)| Some((name, value.as_str()?)));
    match strings.find(|(_, value)| has_nul(value)) {
        Some((name, _)) => refused(format!("extra.{name}")),
        None => Ok(()),
    }
}

/// True if a NUL character stands in the text.
fn has_nul(text: &str) -> bool {
    text.as_bytes().contains(&0)
}

impl Part {
    /// True if a text in it holds a NUL character.
    fn has_nul(&self) -> bool {
        let any = |texts: &[Option<&String>]| texts.iter().flatten().any(|text| has_nul(text));
        match self {
            Part::Text(text) => any(&[Some(text)]),
            Part::Location(place) => any(&[place.address.as_ref()]),
            Part::Link { url, title, description, thumbnail, image } => any(&[
                Some(url),
                title.as_ref(),
                description.as_ref(),
                thumbnail.as_ref(),
                image.as_ref(),
            ]),
            // No form carries the others.
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service::{Draft, account};

    #[test]
    fn a_nul_is_refused_where_it_stands() {
        let long = "长".repeat(30) + "\0" + &"x".repeat(20);
        for (service, fields, path) in [
            ("fanfou", json!({"to": {"user": "a\0"}, "text": "x"}), "to.user"),
            ("weibo", json!({"to": {"user": "1", "name": "\0n"}, "text": "x"}), "to.name"),
            ("weibo", json!({"to": {"user": "1"}, "text": "\0"}), "text"),
            ("weibo", json!({"to": {"user": "1"}, "text": long}), "text"),
            ("sina", json!({"to": {"user": "1"}, "text": "x\0"}), "text"),
            ("fanfou", json!({"to": {"user": "a"}, "text": "x", "reply_to": "\0"}), "reply_to"),
            (
                "fanfou",
                json!({"to": {"user": "a"}, "text": "x", "extra": {"in_reply_to_id": "1\0"}}),
                "extra.in_reply_to_id",
            ),
            ("renren", json!({"to": {"users": ["1", "2\0"]}}), "to.users[1]"),
            ("renren", json!({"to": {"groups": ["1\0"]}}), "to.groups[0]"),
            ("renren", json!({"to": {"discussions": ["1\0"]}}), "to.discussions[0]"),
            (
                "renren",
                json!({"parts": [{"type": "text", "text": "x"}, {"type": "text", "text": "\0"}]}),
                "parts[1]",
            ),
            (
                "renren",
                json!({"parts": [{"type": "link", "url": "http://a", "image": "\0"}]}),
                "parts[0]",
            ),
        ] {
            let error = encoded(service, &fields).expect_err("a NUL");
            let words = "a form cannot carry a NUL character";
            assert_eq!((error.code(), error.words()), (ErrorCode::Message, words), "{fields}");
            assert_eq!(error.path(), Some(path), "{fields}");
        }
        encoded("weibo", &json!({"to": {"user": "1"}, "text": "\u{1}\u{80}"})).expect("no NUL");
    }

    fn encoded(service: &str, fields: &serde_json::Value) -> Result<Draft> {
        let basic = json!({"type": "basic", "username": "u", "password": "p"});
        let config = match service {
            "weibo" => json!({"service": service, "auth": {"type": "oauth2", "token": "t"}}),
            "renren" => json!({"service": service, "auth": {"type": "bearer", "token": "t"}}),
            "sina" => json!({"service": service, "auth": basic, "app_key": "k"}),
            _ => json!({"service": service, "auth": basic}),
        };
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, account) = account(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a"});
        let map = message.as_object_mut().expect("an object");
        map.extend(fields.as_object().expect("an object").clone());
        if service == "renren" {
            map.insert("extra".into(), json!({"messageType": "1", "resourceTitle": "t"}));
        }
        account.encode(&Message::from_json(&message.to_string()).expect("well-formed"), 7)
    }
}
