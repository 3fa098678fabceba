//! What a message becomes: a method of the Bot API and its parameters.

use serde_json::{Map, Value};

use super::{INFO, media, rich};
use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Attachment, Kind, Message, Part};
use crate::service::api::{Body, Draft, ScopeKey, Seed};
use crate::service::check::recipient;
use crate::service::extra;
use crate::service::info::Scope;
use crate::service::text::Piece;
use crate::service::wire::json::{self, CONTENT_TYPE, Members, object};
use crate::service::wire::multipart::Multipart;

/// The longest text, in code points.
pub const MAX_TEXT: u32 = 4096;

/// The method of a text.
pub const SEND_MESSAGE: &str = "sendMessage";

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 16] = [
    "parse_mode",
    "entities",
    "link_preview_options",
    "disable_web_page_preview",
    "direct_messages_topic_id",
    "business_connection_id",
    "protect_content",
    "allow_paid_broadcast",
    "message_effect_id",
    "reply_parameters",
    "reply_markup",
    "allow_sending_without_reply",
    "caption_entities",
    "has_spoiler",
    "show_caption_above_media",
    "disable_content_type_detection",
];

/// What only the first message has of those that a text was split into.
const OF_THE_FIRST: [&str; 3] = ["reply_parameters", "reply_markup", "message_effect_id"];

/// What a body begins with: where the chat is named, which may move.
const CHAT: &str = "{\"chat_id\":";

/// The body for a message; its method stands in `params` where it is no text. What was split follows in
/// pieces.
///
/// `own_server`: it takes larger files than Telegram's own.
pub fn encode(message: &Message, seed: Seed, own_server: bool) -> Result<Draft> {
    let chat = chat(message)?;
    let common = common(message)?;
    let draft = |mut body: Map<String, Value>, method: Option<String>, files: &[Attachment]| {
        media::settle(&mut body);
        let draft = match files.iter().any(|file| file.bytes().is_some()) {
            true => form(&chat, body, files, seed),
            false => object(&chat, body),
        };
        let params = method.map(|method| ("method", method)).into_iter().collect();
        Draft { params, scopes: scopes(&chat), ..draft }
    };
    if let Some(i) = message.parts.iter().position(|part| matches!(part, Part::Raw(_))) {
        if message.parts.len() > 1 || message.title.is_some() || !message.attachments.is_empty() {
            let words =
                "a raw part is a request of its own: it goes without other parts, title and files";
            return wrong(format!("parts[{i}]"), words);
        }
        let mut body = common;
        let method = raw(&mut body, &message.parts[0])?;
        extra::merge(&mut body, message, &INFO)?;
        return Ok(draft(body, Some(method), &[]));
    }
    let most = if message.attachments.is_empty() { MAX_TEXT } else { media::MAX_CAPTION };
    let texts = rich::texts(message, most)?;
    if texts.is_empty() && message.attachments.is_empty() {
        return wrong("text", "Telegram takes no text of nothing but blanks");
    }
    let notes = texts.first().map(Piece::notes).unwrap_or_default();
    let mut texts = texts.into_iter();
    let mut body = common.clone();
    let method = match &*message.attachments {
        [] => {
            texts.next().into_iter().for_each(|text| rich::put(&mut body, text, rich::TEXT));
            None
        }
        files => Some(media::put(&mut body, files, texts.next(), own_server)?.to_owned()),
    };
    extra::merge(&mut body, message, &INFO)?;
    let mut first = draft(body, method, &message.attachments);
    for text in texts {
        let mut body = common.clone();
        OF_THE_FIRST.iter().for_each(|name| _ = body.shift_remove(*name));
        rich::put(&mut body, text, rich::TEXT);
        extra::merge(&mut body, message, &INFO)?;
        OF_THE_FIRST.iter().for_each(|name| _ = body.shift_remove(*name));
        first.pieces.push(draft(body, None, &[]));
    }
    Ok(Draft { notes, ..first })
}

/// The parameters that all methods have.
fn common(message: &Message) -> Result<Map<String, Value>> {
    let mut body = Map::new();
    if let Some(topic) = topic(message)? {
        body.put("message_thread_id", topic);
    }
    if let Some(id) = &message.reply_to {
        let Some(id) = number(id).filter(|id| *id > 0) else {
            return wrong("reply_to", format!("{id:?} is no id of a message: a whole number"));
        };
        body.put("reply_parameters", object! {"message_id": id});
    }
    if message.silent {
        body.put("disable_notification", true);
    }
    Ok(body)
}

/// A body in JSON, which begins with the chat.
fn object(chat: &str, body: Map<String, Value>) -> Draft {
    let head = format!("{CHAT}{chat}");
    let own = head.len();
    let mut bytes = head.into_bytes();
    bytes.push(b',');
    bytes.extend_from_slice(&json::body(&body)[1..]);
    Draft { body: bytes.into(), own, content_type: CONTENT_TYPE.into(), ..Draft::default() }
}

/// A body of parts, of which the chat is the first; what has structure is JSON in them.
fn form(chat: &str, body: Map<String, Value>, files: &[Attachment], seed: Seed) -> Draft {
    let mut form = Multipart::new(seed).text("chat_id", chat.trim_matches('"'));
    for (name, value) in &body {
        form = match value {
            Value::String(text) => form.text(name, text),
            value => form.text(name, &value.to_string()),
        };
    }
    for (i, file) in files.iter().enumerate().filter(|(_, file)| file.bytes().is_some()) {
        form = form.file(&media::part_of(i), file);
    }
    Draft::multipart(form.finish())
}

/// The method that a draft is for.
pub fn method(draft: &Draft) -> &str {
    draft.params.first().map_or(SEND_MESSAGE, |(_, method)| method)
}

/// True if the caller chose the method.
pub fn is_raw(draft: &Draft) -> bool {
    ![SEND_MESSAGE, "sendPhoto", "sendDocument", "sendMediaGroup"].contains(&method(draft))
}

/// The number of the chat that a draft names, if it names one by its number.
pub fn chat_of(draft: &Draft) -> Option<i64> {
    let chat = match draft.rest.first() {
        Some(part) => &part[..],
        None => draft.body.get(CHAT.len()..draft.own)?,
    };
    std::str::from_utf8(chat).ok()?.parse().ok()
}

/// The body of a draft with another chat in its place.
pub fn elsewhere(draft: &Draft, chat: i64) -> Body {
    match &*draft.rest {
        [] => Body::Several(vec![format!("{CHAT}{chat}").into(), draft.body.slice(draft.own..)]),
        [_, rest @ ..] => {
            Body::Several([&[draft.body.clone(), chat.to_string().into()], rest].concat())
        }
    }
}

/// A whole number as Telegram writes it: no blanks, no exponent, no leading zeros.
fn number(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

/// The chat as JSON: a number, or `"@name"`.
fn chat(message: &Message) -> Result<String> {
    let chat = recipient(message, Kind::Chat)?;
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    match number(chat).filter(|id| *id != 0) {
        Some(id) => Ok(id.to_string()),
        None if chat.strip_prefix('@').is_some_and(is_name) => Ok(format!("{chat:?}")),
        None => wrong(
            "to.chat",
            format!(
                "{chat:?} is no chat: a whole number (negative for groups and channels), or @ and the \
                 name of a public group or channel"
            ),
        ),
    }
}

/// The topic within the chat, which is also what a thread is.
fn topic(message: &Message) -> Result<Option<i64>> {
    let (topic, thread) = (message.to.one(Kind::Topic), message.thread.as_deref());
    let (path, text) = match (topic, thread) {
        (None, None) => return Ok(None),
        (Some(topic), Some(thread)) if topic != thread => {
            return wrong("thread", "\"to.topic\" names another thread already");
        }
        (Some(topic), _) => ("to.topic", topic),
        (None, Some(thread)) => ("thread", thread),
    };
    let Some(id) = number(text).filter(|id| *id > 0) else {
        return wrong(path, format!("{text:?} is no id of a topic: a whole number"));
    };
    // The topic General has a number, and yet must not be named.
    Ok(Some(id).filter(|id| *id != 1))
}

/// Whose limits it counts for: the chat's, and a group's, which a name may be of, too.
fn scopes(chat: &str) -> Vec<ScopeKey> {
    let of = |scope| ScopeKey { scope, key: chat.to_owned() };
    match chat.starts_with(['-', '"']) {
        true => vec![of(Scope::Group), of(Scope::Recipient)],
        false => vec![of(Scope::Recipient)],
    }
}

/// Puts the parameters of another method into the body: `{"method": "sendPoll", …}`.
fn raw(body: &mut Map<String, Value>, part: &Part) -> Result<String> {
    let path = "parts[0].value";
    let Part::Raw(value) = part else { return wrong(path, "expected a raw part") };
    let value: Map<String, Value> = serde_json::from_str(value)
        .map_err(|e| Error::new(ErrorCode::Message, e.to_string()).at(path))?;
    let mut method = None;
    for (name, value) in value {
        match (name.as_str(), value) {
            ("method", Value::String(name)) => method = Some(name),
            ("chat_id", _) => {
                return wrong(format!("{path}.chat_id"), "\"to\" names the chat already");
            }
            (own, _) if body.contains_key(own) => {
                let words = format!("{own:?} is set by the message's own fields already");
                return wrong(format!("{path}.{own}"), words);
            }
            (_, value) => _ = body.insert(name, value),
        }
    }
    // What shows that somebody is typing is no message.
    let is_own = |method: &String| {
        let rest = method.strip_prefix("send").unwrap_or_default();
        rest.starts_with(|c: char| c.is_ascii_uppercase())
            && rest.bytes().all(|b| b.is_ascii_alphanumeric())
            && rest != "ChatAction"
    };
    match method.filter(is_own) {
        Some(method) => Ok(method),
        None => wrong(
            format!("{path}.method"),
            "a raw part names its method, one that sends a message: {\"method\": \"sendPoll\", …}",
        ),
    }
}
