//! The body of a request, with what a message has in the place of its placeholders.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::Fields;
use crate::model::message::{Kind, Message};
use crate::service::wire::json;

/// A body, as an account writes it.
pub struct Template {
    content: Content,
    /// The names of all placeholders.
    names: Vec<String>,
}

enum Content {
    Json(Value),
    Form(Map<String, Value>),
    Text(String),
}

/// What stands where a placeholder is.
struct Filling<'a> {
    message: &'a Message,
    text: &'a str,
}

impl Template {
    /// As it stands in `body`, or else the usual one.
    pub fn read(fields: Option<Fields>) -> Result<Template> {
        let usual =
            || serde_json::json!({"text": "{{text}}", "title": "{{title}}", "id": "{{id}}"});
        let Some(mut f) = fields else { return Template::new(Content::Json(usual()), None) };
        let (json, form, text) = (f.value("json"), f.object("form")?, f.string("text")?);
        let template = match (json, form, text) {
            (Some(json), None, None) => Template::new(Content::Json(json), Some(&f))?,
            (None, Some(mut form), None) => {
                let values = form.rest();
                let is_simple = |value: &Value| !value.is_array() && !value.is_object();
                if let Some((name, _)) = values.iter().find(|(_, value)| !is_simple(value)) {
                    return Err(form.error(name, "a form holds texts, numbers, true and false"));
                }
                Template::new(Content::Form(values), Some(&f))?
            }
            (None, None, Some(text)) => Template::new(Content::Text(text), Some(&f))?,
            _ => {
                return Err(f.error("", "a body is exactly one of \"json\", \"form\" and \"text\""));
            }
        };
        f.finish()?;
        Ok(template)
    }

    fn new(content: Content, fields: Option<&Fields>) -> Result<Template> {
        let mut names = Vec::new();
        match &content {
            Content::Json(value) => strings(value, &mut |text| names.extend(placeholders(text))),
            Content::Form(values) => values
                .values()
                .for_each(|value| strings(value, &mut |text| names.extend(placeholders(text)))),
            Content::Text(text) => names.extend(placeholders(text)),
        }
        let unknown = names.iter().find(|name| !is_known(name));
        if let (Some(name), Some(fields)) = (unknown, fields) {
            let words = format!(
                "there is no placeholder {{{{{name}}}}}; known: {{{{text}}}}, {{{{title}}}}, {{{{id}}}}, \
                 {{{{key}}}}, {{{{to.KIND}}}}, {{{{extra.NAME}}}}"
            );
            return Err(fields.error("", words));
        }
        Ok(Template { content, names })
    }

    /// True if there is such a placeholder.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    /// The type of the body.
    pub fn content_type(&self) -> &'static str {
        match self.content {
            Content::Json(_) => json::CONTENT_TYPE,
            Content::Form(_) => "application/x-www-form-urlencoded",
            Content::Text(_) => "text/plain; charset=utf-8",
        }
    }

    /// The body for a message, whose text is already made.
    pub fn fill(&self, message: &Message, text: &str) -> Vec<u8> {
        let filling = Filling { message, text };
        match &self.content {
            Content::Json(value) => filling.json(value).unwrap_or_default().to_string().into(),
            Content::Form(values) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                for (name, value) in values {
                    if let Some(value) = filling.json(value) {
                        form.append_pair(name, &shown(&value));
                    }
                }
                form.finish().into()
            }
            Content::Text(text) => filling.text(text).into(),
        }
    }
}

impl Filling<'_> {
    /// A value with its placeholders replaced; none where it is a placeholder without a value.
    fn json(&self, value: &Value) -> Option<Value> {
        Some(match value {
            Value::String(text) => match whole(text) {
                Some(name) => return self.value(name),
                None => self.text(text).into(),
            },
            Value::Array(items) => {
                let filled = items.iter().map(|item| self.json(item).unwrap_or_else(|| "".into()));
                filled.collect()
            }
            Value::Object(members) => {
                let filled = members.iter();
                let filled =
                    filled.filter_map(|(name, value)| Some((name.clone(), self.json(value)?)));
                Value::Object(filled.collect())
            }
            other => other.clone(),
        })
    }

    /// A text with its placeholders replaced.
    fn text(&self, template: &str) -> String {
        let (mut filled, mut rest) = (String::new(), template);
        while let Some((before, name, after)) = first(rest) {
            filled.push_str(before);
            filled.push_str(&self.value(name).map(|value| shown(&value)).unwrap_or_default());
            rest = after;
        }
        filled + rest
    }

    /// What a placeholder stands for, if the message has it.
    fn value(&self, name: &str) -> Option<Value> {
        let message = self.message;
        let text = |text: &str| (!text.is_empty()).then(|| Value::from(text));
        match name {
            "text" => text(self.text),
            "title" => message.title.as_deref().and_then(text),
            "id" => text(&message.id),
            "key" => message.key.as_deref().and_then(text),
            _ => match name.split_once('.')? {
                ("to", kind) => {
                    let kind = Kind::of(kind)?;
                    let mut all = message.to.all(kind).map(Value::from).peekable();
                    all.peek()?;
                    if kind.is_list() { Some(all.collect()) } else { all.next() }
                }
                ("extra", name) => {
                    let value = message.extra.as_ref()?.get(name)?;
                    Some(value).filter(|value| !value.is_null()).cloned()
                }
                _ => None,
            },
        }
    }
}

/// A value within a text: several are joined by commas, and what has structure is JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

fn is_known(name: &str) -> bool {
    match name.split_once('.') {
        None => ["text", "title", "id", "key"].contains(&name),
        Some(("to", kind)) => Kind::of(kind).is_some(),
        Some(("extra", name)) => !name.is_empty(),
        Some(_) => false,
    }
}

/// Shows every text within a value.
fn strings(value: &Value, show: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => show(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, show)),
        Value::Object(members) => members.values().for_each(|member| strings(member, show)),
        _ => {}
    }
}

fn placeholders(text: &str) -> Vec<String> {
    let (mut names, mut rest) = (Vec::new(), text);
    while let Some((_, name, after)) = first(rest) {
        names.push(name.to_owned());
        rest = after;
    }
    names
}

/// The first placeholder in a text: what stands before it, its name, and what stands behind it.
fn first(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name.trim(), after))
}

/// The name of the placeholder that a text is, and nothing else.
fn whole(text: &str) -> Option<&str> {
    match first(text)? {
        ("", name, "") => Some(name),
        _ => None,
    }
}

/// Refuses what the message has and no placeholder would carry.
pub fn refuse_unused(template: &Template, message: &Message) -> Result<()> {
    let extra = message.extra.iter().flatten();
    for (name, _) in extra.filter(|(_, value)| !value.is_null()) {
        if !template.has(&format!("extra.{name}")) {
            let words = format!("the body of this account has no {{{{extra.{name}}}}}");
            return Err(Error::new(ErrorCode::Message, words).at(format!("extra.{name}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(body: Value, message: Value) -> String {
        let fields = Fields::new(body, "body", ErrorCode::Config).expect("an object");
        let template = Template::read(Some(fields)).expect("a body");
        let mut whole = json!({"v": 1, "account": "a", "text": "a \"b\" & 雁", "key": "k-1",
            "to": {"user": "u", "users": ["x", "y"]}, "extra": {"n": 5, "card": {"a": [1]}}});
        whole.as_object_mut().expect("one").extend(message.as_object().expect("one").clone());
        let mut message = Message::from_json(&whole.to_string()).expect("a message");
        message.id = "01J".to_owned();
        let text = message.text.clone().unwrap_or_default();
        String::from_utf8(template.fill(&message, &text)).expect("UTF-8")
    }

    #[test]
    fn placeholders_are_replaced_by_structure() {
        for (body, made) in [
            (
                json!({"json": {"t": "{{text}}", "title": "{{title}}", "id": "{{id}}", "no": "x{{title}}"}}),
                r#"{"t":"a \"b\" & 雁","id":"01J","no":"x"}"#,
            ),
            (
                json!({"json": ["{{to.user}}", "{{to.group}}", "{{to.users}}", "{{extra.card}}", "n={{extra.n}}"]}),
                r#"["u","",["x","y"],{"a":[1]},"n=5"]"#,
            ),
            (
                json!({"json": {"deep": {"k": "{{ key }}/{{to.users}}", "e": "{{extra.none}}"}, "n": 1}}),
                r#"{"deep":{"k":"k-1/x,y"},"n":1}"#,
            ),
            (
                json!({"form": {"te xt": "{{text}}", "title": "{{title}}", "n": 1, "u": "{{to.users}}"}}),
                "te+xt=a+%22b%22+%26+%E9%9B%81&n=1&u=x%2Cy",
            ),
            (json!({"json": "{{text}}"}), r#""a \"b\" & 雁""#),
        ] {
            assert_eq!(filled(body.clone(), json!({})), made, "{body}");
        }
        assert_eq!(
            filled(json!({"text": "{{title}}: {{text}} }}{"}), json!({})),
            ": a \"b\" & 雁 }}{"
        );
        // What a message says is never read as a template.
        let sly = json!({"text": "{{key}}"});
        assert_eq!(filled(json!({"text": "{{text}}"}), sly), "{{key}}");
    }

    #[test]
    fn a_body_is_one_of_three_and_its_placeholders_are_known() {
        for wrong in [
            json!({}),
            json!({"json": 1, "text": "x"}),
            json!({"xml": "x"}),
            json!({"json": {"a": ["{{colour}}"]}}),
            json!({"text": "{{to.planet}}"}),
            json!({"text": "{{extra.}}"}),
            json!({"form": {"a": {"b": 1}}}),
        ] {
            let fields = Fields::new(wrong.clone(), "body", ErrorCode::Config).expect("an object");
            let error = Template::read(Some(fields)).err().unwrap_or_else(|| panic!("{wrong}"));
            assert!(error.path().is_some_and(|path| path.starts_with("body")), "{error}");
        }
    }
}
