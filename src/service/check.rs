//! Checks that services share: of a message before it is encoded, and of the URL of an account.

use url::Url;

use super::info::Info;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::{Fields, quoted};
use crate::model::message::{Kind, Message, Part, Priority, Source, To};

/// A documented path appended to a base URL.
pub fn join(base: &str, path: &str) -> std::result::Result<Url, String> {
    let text = format!("{}/{path}", base.trim_end_matches('/'));
    Url::parse(&text).map_err(|e| format!("this is no URL: {e}"))
}

/// Refuses what the service cannot carry at all and what every message of it needs.
pub fn check(message: &Message, info: &Info) -> Result<()> {
    let unsupported =
        |path: String, words: String| Err(Error::new(ErrorCode::Unsupported, words).at(path));
    let name = info.name;
    if let Some(kind) = message.to.kinds().map(Kind::name).find(|kind| !info.to.contains(kind)) {
        let words = format!("{name} cannot send to {kind:?}; it knows {}", quoted(info.to));
        return unsupported(format!("to.{kind}"), words);
    }
    for (i, part) in message.parts.iter().enumerate() {
        let kind = part.kind();
        if !info.parts.contains(&kind) {
            let words = match info.parts {
                [] => format!("{name} cannot carry {kind:?}: it takes \"text\" only"),
                parts => format!("{name} cannot carry {kind:?}; it knows {}", quoted(parts)),
            };
            return unsupported(format!("parts[{i}].type"), words);
        }
    }
    if message.reply_to.is_some() && !info.reply_to {
        return unsupported("reply_to".to_owned(), format!("{name} cannot send a reply"));
    }
    for (has, can, path, what) in [
        (message.silent, info.silent, "silent", "a message without a sound"),
        (message.priority != Priority::Normal, info.priority, "priority", "a priority"),
        (message.thread.is_some(), info.thread, "thread", "a message of a thread"),
    ] {
        if has && !can {
            return unsupported(path.to_owned(), format!("{name} cannot send {what}"));
        }
    }
    for (i, attachment) in message.attachments.iter().enumerate() {
        let source = match attachment.source {
            Source::Url(_) => "url",
            Source::Path(_) | Source::Bytes(_) | Source::Kept(_) => "data",
        };
        if !info.attachments.contains(&source) {
            let words = match (info.attachments, source) {
                ([], _) => format!("{name} cannot carry attachments"),
                (_, "url") => format!("{name} fetches no attachments from a URL: give \"path\""),
                _ => format!("{name} carries attachments only that it fetches from a \"url\""),
            };
            return unsupported(format!("attachments[{i}]"), words);
        }
    }
    if info.needs_content
        && message.parts.is_empty()
        && message.attachments.is_empty()
        && message.text.as_deref().unwrap_or("").is_empty()
    {
        let words = "the message is empty: give \"text\" or \"parts\"";
        return Err(Error::new(ErrorCode::Message, words).at("text"));
    }
    Ok(())
}

/// Refuses every `extra` of a service whose parameters are all set by a message's own fields.
pub fn no_extra(message: &Message, set: &[(&'static str, &str)]) -> Result<()> {
    let Some(extra) = &message.extra else { return Ok(()) };
    let mut f = Fields::new(extra.clone().into(), "extra", ErrorCode::Message)?;
    for (name, by) in set {
        if f.value(name).is_some() {
            return Err(f.error(name, format!("{name:?} is set by {by:?} already")));
        }
    }
    f.finish()
}

/// The kind of recipient that a message has, of those of which it needs exactly one. Kinds that go
/// with another are for [`with`].
pub fn one_of(message: &Message, kinds: &[Kind]) -> Result<Kind> {
    let wrong = |kind: Kind, words: String| {
        Err(Error::new(ErrorCode::Message, words).at(format!("to.{}", kind.name())))
    };
    let mut given = kinds.iter().copied().filter(|kind| message.to.has(*kind));
    match (given.next(), given.next()) {
        (Some(kind), None) => Ok(kind),
        (Some(first), Some(second)) => {
            let (first, name) = (first.name(), second.name());
            wrong(second, format!("a message goes to {first:?} or to {name:?}, not to both"))
        }
        (None, _) => {
            let shown = kinds.iter().map(|kind| match kind.is_list() {
                true => format!("{{{:?}: […]}}", kind.name()),
                false => format!("{{{:?}: …}}", kind.name()),
            });
            let shown: Vec<_> = shown.collect();
            let words = format!("the recipient is missing: give \"to\": {}", shown.join(" or "));
            wrong(kinds.first().copied().unwrap_or(Kind::User), words)
        }
    }
}

/// The recipient of a kind that goes with another only, as a topic with its chat.
pub fn with(message: &Message, kind: Kind, main: Kind) -> Result<Option<&str>> {
    if message.to.has(kind) && !message.to.has(main) {
        let words = format!("{:?} goes with {:?} only: give both", kind.name(), main.name());
        return Err(Error::new(ErrorCode::Message, words).at(format!("to.{}", kind.name())));
    }
    Ok(message.to.one(kind))
}

/// Refuses recipients of other kinds than these, where the service knows more but `what` does not: a
/// webhook takes none, or few. See [`Opening::takes_only`](super::opening::Opening::takes_only).
pub fn only(message: &Message, kinds: &[Kind], what: &str) -> Result<()> {
    let Some(kind) = message.to.kinds().find(|kind| !kinds.contains(kind)) else { return Ok(()) };
    let words = format!("{what} {}", only_takes(kinds));
    Err(Error::new(ErrorCode::Unsupported, words).at(format!("to.{}", kind.name())))
}

/// The one recipient that a message of this service needs.
pub fn recipient(message: &Message, kind: Kind) -> Result<&str> {
    message.to.one(kind).ok_or_else(|| {
        let kind = kind.name();
        let words = format!("the recipient is missing: give \"to\": {{{kind:?}: …}}");
        Error::new(ErrorCode::Message, words).at(format!("to.{kind}"))
    })
}

/// The first of several recipients, as many as a request takes; the next request takes the others.
pub fn first_of(message: &Message, kind: Kind, most: usize) -> Vec<(Kind, String)> {
    message.to.all(kind).take(most).map(|name| (kind, name.to_owned())).collect()
}

/// Refuses a user's id that is no whole number as the service writes it: one that a spreadsheet has
/// rounded (`2.125E+09`) or spaced would be read as somebody else's, or as a nickname.
pub fn numeric_id(to: &To, title: &str) -> Result<()> {
    let Some(id) = to.one(Kind::User) else { return Ok(()) };
    let is_number = id.bytes().all(|b| b.is_ascii_digit()) && !id.starts_with('0');
    if is_number && id.parse::<i64>().is_ok() {
        return Ok(());
    }
    let words = format!(
        "{id:?} is no user id of {title}: a whole number in the digits 0 to 9, without blanks, \
         exponent or leading zeros; a screen name goes into \"to\": {{\"name\": …}}"
    );
    Err(Error::new(ErrorCode::Message, words).at("to.user"))
}

impl Part {
    /// The `type` of the part.
    fn kind(&self) -> &'static str {
        match self {
            Part::Text(_) => "text",
            Part::Mention { .. } | Part::MentionAll => "mention",
            Part::Face { .. } => "face",
            Part::Location(_) => "location",
            Part::Link { .. } => "link",
            Part::Custom { .. } => "custom",
            Part::Raw(_) => "raw",
        }
    }
}

/// Refuses NUL characters, which a form cannot carry, wherever in the message they stand.
pub fn refuse_nul(message: &Message) -> Result<()> {
    let refused = |path: String| {
        Err(Error::new(ErrorCode::Message, "a form cannot carry a NUL character").at(path))
    };
    // A path is text that is made: only of a name that is at fault.
    if message.to.iter().any(|(_, name)| has_nul(name))
        && let Some((path, _)) = message.to.paths().find(|(_, name)| has_nul(name))
    {
        return refused(path);
    }
    for (path, value) in
        [("text", &message.text), ("title", &message.title), ("reply_to", &message.reply_to)]
    {
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

/// What is said of an account that takes recipients of these kinds only.
pub fn only_takes(kinds: &[Kind]) -> String {
    match kinds {
        [] => "takes no recipient: where it sends is a part of its credentials".to_owned(),
        kinds => {
            let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
            format!("takes no other recipient than {}", quoted(&names))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service::api::{Draft, Seed};
    use crate::service::open;

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

    #[test]
    fn one_kind_of_recipient_is_asked_for_by_its_name() {
        let bearer = json!({"type": "bearer", "token": "t"});
        let hook = json!({"type": "webhook", "url": "https://chat.example/rooms/x"});
        let fault = |auth: &serde_json::Value, to: serde_json::Value| {
            let config = json!({"service": "chatroom", "auth": auth});
            let config = AccountConfig::from_value(config, "account").expect("a configuration");
            let (_, opened) = open(config).expect("an account");
            let message = json!({"v": 1, "account": "a", "text": "hi", "to": to});
            let message = Message::from_json(&message.to_string()).expect("well-formed");
            let error = opened.account.encode(&message, Seed(7)).err()?;
            Some((
                error.code(),
                error.path().unwrap_or_default().to_owned(),
                error.words().to_owned(),
            ))
        };
        for (to, path, words) in [
            (json!({"channel": "c", "user": "u"}), "to.user", "\"channel\" or to \"user\""),
            (json!({"user": "u", "topic": "t"}), "to.topic", "\"topic\" goes with \"channel\""),
            (json!({"topic": "t"}), "to.channel", "{\"channel\": …} or {\"user\": …}"),
        ] {
            let (code, own, said) = fault(&bearer, to).expect("a fault");
            assert_eq!((code, &*own), (ErrorCode::Message, path));
            assert!(said.contains(words), "{said}");
        }
        assert_eq!(fault(&bearer, json!({"channel": "c", "topic": "t"})), None);
        assert_eq!(fault(&hook, json!(null)), None);
        let (code, path, words) = fault(&hook, json!({"user": "u"})).expect("a fault");
        assert_eq!((code, &*path), (ErrorCode::Unsupported, "to.user"));
        assert!(words.contains("takes no recipient"), "{words}");
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
        let (_, opened) = open(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a"});
        let map = message.as_object_mut().expect("an object");
        map.extend(fields.as_object().expect("an object").clone());
        if service == "renren" {
            map.insert("extra".into(), json!({"messageType": "1", "resourceTitle": "t"}));
        }
        let message = Message::from_json(&message.to_string()).expect("well-formed");
        opened.account.encode(&message, Seed(7))
    }
}
