//! The form of a message to Zulip, and those of its files.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Kind, Message, Part};
use crate::service::api::{Body, Draft, Seed};
use crate::service::check::{one_of, with};
use crate::service::extra;
use crate::service::info::Info;
use crate::service::text::{Markup, Rules, Title, Unit, compose, drafts, link};
use crate::service::wire::form::{encoded, push_pair};
use crate::service::wire::multipart::Multipart;

/// The longest text, in code points; a longer one is cut by the server without a word.
pub const MAX_TEXT: u32 = 10_000;
/// The longest topic, in code points; of a longer one, too, nobody says that it was cut.
pub const MAX_TOPIC: u32 = 60;
/// The most files of a message: each takes a request of its own.
pub const MAX_FILES: u32 = 8;
/// The topic of what has none.
const NO_TOPIC: &str = "(no topic)";

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 3] = ["read_by_sender", "queue_id", "local_id"];

/// The draft of a message.
pub fn encode(message: &Message, info: &Info, seed: Seed) -> Result<Draft> {
    let files = &message.attachments;
    if files.len() > MAX_FILES as usize {
        let words = format!("{} files; a message to Zulip takes {MAX_FILES} here", files.len());
        return Err(Error::new(ErrorCode::TooLarge, words).at("attachments"));
    }
    mentions(message)?;
    let (head, title) = address(message)?;
    // The links to the files stand behind the text.
    let links = files.iter().map(|file| {
        let name = file.file_name();
        link(Markup::Zulip, name, "").chars().count() + room(name) + 1
    });
    let most = (MAX_TEXT as usize).saturating_sub(links.sum());
    let rules = Rules { unit: Unit::CodePoints, most, markup: Markup::Zulip, title };
    let pieces = compose(message, &rules)?;
    if files.is_empty() && pieces.iter().any(|piece| piece.text.trim().is_empty()) {
        return wrong("text", "the message is empty: give \"text\" or \"parts\", or files");
    }
    let mut more = Map::new();
    extra::merge(&mut more, message, info)?;
    let mut draft = drafts(pieces, |_, piece| {
        let mut form = head.clone();
        for (name, value) in &more {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            push_pair(&mut form, name, &value);
        }
        // The last, so that the links can follow.
        push_pair(&mut form, "content", &piece.text);
        Ok(Draft::of(form))
    })?;
    for (n, file) in (0..).zip(files) {
        let form = Multipart::new(Seed(seed.0.wrapping_add(n))).file("file", file).finish();
        let Draft { body, rest, content_type, .. } = Draft::multipart(form);
        draft.rest.push(body);
        draft.rest.extend(rest);
        draft.params.push(("type", content_type.into_owned()));
        draft.params.push(("name", file.file_name().to_owned()));
    }
    Ok(draft)
}

/// Refuses mentions that Zulip would not read as such.
fn mentions(message: &Message) -> Result<()> {
    let is_address =
        |part: &Part| matches!(part, Part::Mention { user, name: None } if user.contains('@'));
    match message.parts.iter().position(is_address) {
        None => Ok(()),
        Some(i) => wrong(
            format!("parts[{i}].user"),
            "Zulip mentions users by id or by full name: give the id, or \"name\"",
        ),
    }
}

/// Whom a message is to, as the beginning of a form, and where its title goes.
fn address(message: &Message) -> Result<(Vec<u8>, Title)> {
    let kind = one_of(message, &[Kind::Channel, Kind::Users])?;
    let topic = with(message, Kind::Topic, Kind::Channel)?;
    let mut form = Vec::new();
    if kind == Kind::Users {
        push_pair(&mut form, "type", "direct");
        push_pair(&mut form, "to", &users(message)?.to_string());
        return Ok((form, Title::FirstLine));
    }
    let channel = message.to.one(kind).unwrap_or_default();
    push_pair(&mut form, "type", "stream");
    push_pair(&mut form, "to", &id(channel).unwrap_or_else(|| channel.into()).to_string());
    let (topic, title) = match (topic, &message.title) {
        (Some(topic), _) if topic.chars().count() > MAX_TOPIC as usize => {
            let count = topic.chars().count();
            let words = format!("the topic has {count} characters; Zulip takes {MAX_TOPIC}");
            return Err(Error::new(ErrorCode::TooLarge, words).at("to.topic"));
        }
        (Some(topic), _) => (Cow::Borrowed(topic), Title::FirstLine),
        (None, Some(title)) => of_title(title),
        (None, None) => (Cow::Borrowed(NO_TOPIC), Title::FirstLine),
    };
    push_pair(&mut form, "topic", &topic);
    Ok((form, title))
}

/// The topic that a title makes; where it is too long for one, the whole of it stands in the text too.
fn of_title(title: &str) -> (Cow<'static, str>, Title) {
    let words = title.replace(char::is_control, " ");
    let words = words.trim();
    let most = MAX_TOPIC as usize;
    match words.char_indices().nth(most) {
        _ if words.is_empty() => (Cow::Borrowed(NO_TOPIC), Title::FirstLine),
        None => (words.to_owned().into(), Title::Own),
        Some(_) => {
            let begin: String = words.chars().take(most - 1).collect();
            ((begin.trim_end().to_owned() + "…").into(), Title::FirstLine)
        }
    }
}

/// The number that an id is.
fn id(text: &str) -> Option<Value> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse::<u64>().ok().filter(|_| is_number).map(Value::from)
}

/// The users of a direct message, by their ids or by their addresses.
fn users(message: &Message) -> Result<Value> {
    let all: Vec<_> = message.to.all(Kind::Users).collect();
    let by_id = all.first().is_some_and(|user| id(user).is_some());
    if let Some(i) = all.iter().position(|user| id(user).is_some() != by_id) {
        let words = "Zulip takes users by id or by e-mail address, not by both in one message";
        return wrong(format!("to.users[{i}]"), words);
    }
    Ok(match by_id {
        true => all.into_iter().filter_map(id).collect(),
        false => json!(all),
    })
}

/// The files of a draft: the type of the form of each, and its name.
pub fn files(draft: &Draft) -> impl Iterator<Item = (&str, &str)> {
    draft.params.chunks_exact(2).map(|pair| (&*pair[0].1, &*pair[1].1))
}

/// The form that uploads the file of this number, and its type.
pub fn upload(draft: &Draft, n: usize) -> Option<(String, Body)> {
    let (content_type, _) = files(draft).nth(n)?;
    // The form of each has as many pieces.
    let pieces = draft.rest.len() / files(draft).count();
    let form = draft.rest.chunks(pieces.max(1)).nth(n)?;
    Some((content_type.to_owned(), Body::Several(form.to_vec())))
}

/// How long the URL of a file of this name can be, in characters: its name is a part of it.
pub fn room(name: &str) -> usize {
    100 + name.len() * 3
}

/// The form of a message, with links to its files.
pub fn with_links<'a>(draft: &'a Draft, urls: impl Iterator<Item = &'a str>) -> Body {
    let links = files(draft).zip(urls).map(|((_, name), url)| link(Markup::Zulip, name, url));
    let links: Vec<_> = links.collect();
    if links.is_empty() {
        return Body::One(draft.body.clone());
    }
    let gap = if draft.body.ends_with(b"content=") { "" } else { "\n" };
    let links = encoded(&format!("{gap}{}", links.join("\n")));
    Body::Several(vec![draft.body.clone(), links.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service::open;

    fn encoded(fields: &Value) -> Result<Draft> {
        let auth = json!({"type": "basic", "username": "bot@acme", "password": "k"});
        let config = json!({"service": "zulip", "base_url": "https://acme.example", "auth": auth});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = open(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a"});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        opened.account.encode(&Message::from_json(&message.to_string())?, Seed(7))
    }

    fn pairs(fields: &Value) -> Vec<(String, String)> {
        let draft = encoded(fields).expect("it can be sent");
        url::form_urlencoded::parse(&draft.body).into_owned().collect()
    }

    #[test]
    fn what_zulip_would_refuse_or_cut_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, TooLarge, Unsupported};
        let to = json!({"channel": "general", "topic": "t"});
        let mail = json!({"type": "mention", "user": "ada@acme.example"});
        let file = json!({"name": "a", "data_base64": ""});
        for (fields, code, path) in [
            (json!({"text": "x"}), Wrong, "to.channel"),
            (json!({"text": "x", "to": {"topic": "t"}}), Wrong, "to.channel"),
            (json!({"text": "x", "to": {"users": ["1"], "topic": "t"}}), Wrong, "to.topic"),
            (json!({"text": "x", "to": {"users": ["1"], "channel": "c"}}), Wrong, "to.users"),
            (json!({"text": "x", "to": {"users": ["1", "a@b"]}}), Wrong, "to.users[1]"),
            (json!({"text": "x", "to": {"user": "1"}}), Unsupported, "to.user"),
            (json!({"text": " \n", "to": to}), Wrong, "text"),
            (json!({"text": "x\0", "to": to}), Wrong, "text"),
            (json!({"text": "字".repeat(10_001), "to": to}), TooLarge, "text"),
            (
                json!({"text": "x", "to": {"channel": "c", "topic": "字".repeat(61)}}),
                TooLarge,
                "to.topic",
            ),
            (json!({"parts": [mail], "to": to}), Wrong, "parts[0].user"),
            (json!({"attachments": vec![file; 9], "to": to}), TooLarge, "attachments"),
            (json!({"text": "x", "to": to, "extra": {"topic": "y"}}), Wrong, "extra.topic"),
            (json!({"text": "x", "to": to, "thread": "t"}), Unsupported, "thread"),
        ] {
            let error = encoded(&fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields:.200}: {error}");
        }
        encoded(&json!({"text": "字".repeat(10_000), "to": to})).expect("as long as it may be");
    }

    #[test]
    fn a_title_is_the_topic_where_there_is_no_other() {
        let long = "字".repeat(61);
        for (to, title, topic, content) in [
            (json!({"channel": "7", "topic": "t"}), "T", "t", "**T**\nx"),
            (json!({"channel": "7"}), "T\nU", "T U", "x"),
            (
                json!({"channel": "7"}),
                &*long,
                &*("字".repeat(59) + "…"),
                &*format!("**{long}**\nx"),
            ),
            (json!({"channel": "7"}), " ", NO_TOPIC, "x"),
        ] {
            let pairs = pairs(&json!({"to": to, "title": title, "text": "x"}));
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
            let sent = [("type", "stream"), ("to", "7"), ("topic", topic), ("content", content)];
            assert_eq!(pairs, sent, "{title}");
        }
        assert_eq!(pairs(&json!({"to": {"channel": "a"}, "text": "x"}))[2].1, NO_TOPIC);
    }
}
