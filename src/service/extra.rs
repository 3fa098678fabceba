//! `extra`: the parameters of a service's document under their own names, beside what a message says.

use serde_json::{Map, Value};

use super::info::Info;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Message;

/// Merges `extra` into the body that the message's own fields made.
///
/// An object is merged into the object of its name. What both set has to be the same.
pub fn merge(body: &mut Map<String, Value>, message: &Message, info: &Info) -> Result<()> {
    let Some(extra) = &message.extra else { return Ok(()) };
    let given = extra.iter().filter(|(_, value)| !value.is_null());
    for (name, value) in given {
        if !info.extra.contains(&name.as_str()) {
            let known = info.extra.join(", ");
            let words = format!("unknown field {name:?}; known here: {known}");
            return Err(Error::new(ErrorCode::Message, words).at(format!("extra.{name}")));
        }
        put(body, name, value, &format!("extra.{name}"))?;
    }
    Ok(())
}

fn put(object: &mut Map<String, Value>, name: &str, value: &Value, path: &str) -> Result<()> {
    match (object.get_mut(name), value) {
        (None, _) => {
            object.insert(name.to_owned(), value.clone());
        }
        (Some(Value::Object(own)), Value::Object(more)) => {
            for (name, value) in more {
                put(own, name, value, &format!("{path}.{name}"))?;
            }
        }
        (Some(own), _) if own == value => {}
        (Some(_), _) => {
            let words = format!("{name:?} is set otherwise by the message's own fields");
            return Err(Error::new(ErrorCode::Message, words).at(path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INFO: Info = Info { extra: &["text", "at", "id"], ..Info::PLAIN };

    fn merged(extra: Value) -> std::result::Result<Value, String> {
        let mut body = json!({"type": "text", "text": {"content": "hello"}});
        let message = json!({"v": 1, "account": "a", "extra": extra});
        let message = Message::from_json(&message.to_string()).expect("a message");
        let map = body.as_object_mut().expect("an object");
        merge(map, &message, &INFO).map_err(|e| e.path().unwrap_or_default().to_owned())?;
        Ok(body)
    }

    #[test]
    fn objects_are_merged_and_nothing_is_set_twice() {
        let both = json!({"type": "text", "text": {"content": "hello", "more": [1]}, "id": 7});
        assert_eq!(merged(json!({"text": {"more": [1]}, "id": 7, "at": null})), Ok(both));
        let same = json!({"text": {"content": "hello"}});
        assert!(merged(same).is_ok());
        for (extra, path) in [
            (json!({"text": {"content": "x"}}), "extra.text.content"),
            (json!({"text": "x"}), "extra.text"),
            (json!({"colour": 1}), "extra.colour"),
            (json!({"type": "text"}), "extra.type"),
        ] {
            assert_eq!(merged(extra.clone()), Err(path.to_owned()), "{extra}");
        }
    }
}
