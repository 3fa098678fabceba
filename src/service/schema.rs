//! The JSON Schema of an account, made from what its service declares.

use serde_json::{Map, Value, json};

use super::info::{Field, FieldKind, Info};
use super::pasted::UrlForm;
use crate::model::message::Kind;

/// The schema of an account of this service, as it stands in a configuration.
pub fn of(info: &Info) -> Value {
    let auth: Vec<_> = info
        .auth
        .iter()
        .map(|auth| object(auth.words, ("type", auth.name), auth.fields, Map::new()))
        .collect();
    let text = |description: &str| json!({"type": "string", "description": description});
    let count = |most: i64| json!({"type": "integer", "minimum": 1, "maximum": most});
    let rate = json!({
        "type": ["object", "null"],
        "description": "never more than so many attempts in so much time, in place of what is \
            documented; null: no limit",
        "properties": {"count": count(1_000_000_000), "per_ms": count(2_678_400_000)},
        "required": ["count", "per_ms"],
        "additionalProperties": false,
    });
    let mut more = Map::new();
    more.insert("auth".to_owned(), json!({"oneOf": auth}));
    more.insert("base_url".to_owned(), text("what stands before the documented path"));
    if info.self_hosted {
        let words = "true: credentials may travel over http beyond this machine";
        more.insert("allow_http".to_owned(), json!({"type": "boolean", "description": words}));
    }
    more.insert("rate".to_owned(), rate);
    more.insert("max_in_flight".to_owned(), count(10_000_000));
    let words = "the proxy that its requests go through, in place of the client's own";
    more.insert("proxy".to_owned(), text(words));
    more.insert("to".to_owned(), recipients(info.to));
    object(info.title, ("service", info.name), info.fields, more)
}

/// The recipient of messages that name none.
fn recipients(kinds: &[&str]) -> Value {
    let kinds = kinds.iter().filter_map(|name| Kind::of(name));
    let properties: Map<String, Value> = kinds
        .map(|kind| {
            let name = json!({"type": "string", "minLength": 1});
            let schema = match kind.is_list() {
                true => json!({"type": "array", "minItems": 1, "items": name}),
                false => name,
            };
            (kind.name().to_owned(), schema)
        })
        .collect();
    json!({
        "type": "object",
        "description": "the recipient of messages that name none",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// An object that is told by the value of one field.
fn object(words: &str, is: (&str, &str), fields: &[Field], more: Map<String, Value>) -> Value {
    let mut required = vec![is.0];
    required.extend(more.get_key_value("auth").map(|_| "auth"));
    required.extend(fields.iter().filter(|field| field.required).map(|field| field.name));
    let mut properties = Map::new();
    properties.insert(is.0.to_owned(), json!({"const": is.1}));
    properties.extend(more);
    properties.extend(fields.iter().map(|field| (field.name.to_owned(), property(field))));
    json!({
        "type": "object",
        "description": words,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(field: &Field) -> Value {
    let mut property = match field.kind {
        FieldKind::Text => json!({"type": "string"}),
        FieldKind::Credential | FieldKind::TextLike(..) => {
            json!({"type": "string", "minLength": 1})
        }
        FieldKind::Secret => json!({"type": "string", "minLength": 1, "writeOnly": true}),
        FieldKind::Token | FieldKind::TokenLike(..) => {
            json!({"type": "string", "pattern": "^[!-~]+$", "writeOnly": true})
        }
        FieldKind::Number(least, most) => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        FieldKind::Choice(words) => json!({"enum": words, "default": words.first()}),
        FieldKind::Either(words) => json!({"enum": words}),
        FieldKind::NumberOrText => json!({"type": ["integer", "string"]}),
        FieldKind::Boolean => json!({"type": "boolean"}),
        FieldKind::List => json!({"type": "array"}),
        FieldKind::Object | FieldKind::ObjectLike(_) => json!({"type": "object"}),
        FieldKind::Webhook(forms) => {
            let patterns: Vec<_> = forms.iter().map(UrlForm::pattern).collect();
            let pattern = patterns.join("|");
            json!({"type": "string", "format": "uri", "pattern": pattern, "writeOnly": true})
        }
        FieldKind::Url => json!({"type": "string", "format": "uri", "writeOnly": true}),
        FieldKind::Base => json!({"type": "string", "format": "uri"}),
    };
    property["description"] = field.words.into();
    property
}
