//! The body of a message to DingTalk's robot.

use serde_json::{Map, Value, json};

use super::WINDOW;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Format, Message};
use crate::service::api::{Dedupe, Draft, Seed};
use crate::service::check::check;
use crate::service::extra;
use crate::service::info::Info;
use crate::service::robot::{self, Link, Mentions, links};
use crate::service::text::{Markup, Rules, Title, Unit, compose};
use crate::service::wire::json::{self, Members, Object, object};

/// The longest body, in bytes.
pub const MAX_BODY: u32 = 20_000;
/// The most members that can be mentioned.
pub const MAX_MENTIONS: u32 = 50;
/// The longest title that is made of a text, in characters.
const MADE_TITLE: usize = 64;
/// What one takes of a body at most, in bytes: a character of JSON has six at most.
const MADE_TITLE_BYTES: usize = MADE_TITLE * 6 + ",\"title\":\"\"".len();
/// What a `msgUuid` of ours takes, in bytes.
const UUID: usize = ",\"msgUuid\":\"01234567-0000-8000-8000-000000000000\"".len();

/// A text of no more bytes fits whatever is around it, which itself is no longer.
const SMALL: usize = 1000;

/// A type of message, and where in its object the words of a message go.
#[derive(PartialEq)]
struct Type {
    name: &'static str,
    title: Option<&'static str>,
    text: Option<&'static str>,
}

const TEXT: Type = Type { name: "text", title: None, text: Some("content") };
const MARKDOWN: Type = Type { name: "markdown", title: Some("title"), text: Some("text") };
const LINK: Type = Type { name: "link", title: Some("title"), text: Some("text") };
const ACTION_CARD: Type = Type { name: "actionCard", title: Some("title"), text: Some("text") };
const FEED_CARD: Type = Type { name: "feedCard", title: None, text: None };

impl Type {
    const ALL: [Type; 5] = [TEXT, MARKDOWN, LINK, ACTION_CARD, FEED_CARD];

    /// The type that a message is sent as: its links', the one that `extra` names or has the object of,
    /// or the one for its text.
    fn of(message: &Message, links: &[Link]) -> Result<Type> {
        let extra = |name: &str| message.extra.as_ref().and_then(|extra| extra.get(name));
        match (links, extra("msgtype").and_then(Value::as_str)) {
            ([], Some(told)) => {
                return Type::ALL.into_iter().find(|own| own.name == told).ok_or_else(|| {
                    let known = Type::ALL.map(|own| own.name).join(", ");
                    let words = format!("the type {told:?} is unknown; known here: {known}");
                    Error::new(ErrorCode::Message, words).at("extra.msgtype")
                });
            }
            ([], None) => {}
            ([_], _) => return Ok(LINK),
            _ => return Ok(FEED_CARD),
        }
        let given = Type::ALL.into_iter().find(|own| extra(own.name).is_some_and(Value::is_object));
        Ok(given.unwrap_or(if message.format == Format::Plain { TEXT } else { MARKDOWN }))
    }
}

/// What becomes of a message.
pub fn encode(message: &Message, info: &Info, seed: Seed) -> Result<Draft> {
    check(message, info)?;
    let links = links(message, info.title)?;
    let kind = Type::of(message, &links)?;
    let content = match links.as_slice() {
        [] => return with_words(message, info, &kind, seed),
        [link] => {
            let mut content = Map::new();
            content.put("title", link.title.or(message.title.as_deref()).unwrap_or(link.url));
            content.put("text", link.description.unwrap_or(link.url));
            content.put("messageUrl", link.url);
            if let Some(picture) = link.picture {
                content.put("picUrl", picture);
            }
            content.into()
        }
        _ => object! {"links": links.iter().map(of_feed).collect::<Vec<_>>()},
    };
    draft(body(message, info, &kind, content, &Mentions::default())?, seed)
}

/// What becomes of a message with words of its own, or with the words of its `extra`: a draft for each
/// piece of its text.
fn with_words(message: &Message, info: &Info, kind: &Type, seed: Seed) -> Result<Draft> {
    let content = |text: &str| {
        let mut object = Map::new();
        if let (Some(name), Some(title)) = (kind.title, &message.title) {
            object.put(name, title.as_str());
        }
        if let (Some(name), false) = (kind.text, text.is_empty()) {
            object.put(name, text);
        }
        Value::from(object)
    };
    let is_text = *kind == TEXT;
    // What is around the text: with everybody who is mentioned anywhere in it, and its own first line as
    // the title that a type may need.
    let whole = robot::mentioned(&message.parts);
    let all = Mentions::of(&whole);
    let probe = if robot::has_words(message) { "x" } else { "" };
    let around = match is_small(message) {
        true => SMALL,
        false => json::body(&body(message, info, kind, content(probe), &all)?).len(),
    };
    let around = around + UUID + MADE_TITLE_BYTES;
    let rules = Rules {
        unit: Unit::Json,
        most: (MAX_BODY as usize).saturating_sub(around),
        markup: if is_text { Markup::Plain } else { Markup::DingTalk },
        title: if kind.title.is_some() { Title::Own } else { Title::FirstLine },
    };
    let pieces = match is_text && !message.parts.is_empty() {
        true => compose(&robot::unnamed(message), &rules)?,
        false => compose(message, &rules)?,
    };
    if kind.text.is_none() && pieces.iter().any(|piece| !piece.text.is_empty()) {
        let words = format!("a message of the type {:?} has no text of its own", kind.name);
        return Err(Error::new(ErrorCode::Message, words).at("text"));
    }
    let own_uuid = message.extra.as_ref().is_some_and(|extra| extra.contains_key("msgUuid"));
    if own_uuid && pieces.len() > 1 {
        let words = "each piece of a split text needs a msgUuid of its own: leave it out";
        return Err(Error::new(ErrorCode::Message, words).at("extra.msgUuid"));
    }
    robot::drafts(pieces, |i, piece| {
        let seed = Seed(seed.0.wrapping_add(i as u64));
        let mentions = Mentions::of(piece);
        match is_text && is_small(message) && !piece.text.is_empty() {
            true => text_alone(&piece.text, seed),
            false => draft(body(message, info, kind, content(&piece.text), &mentions)?, seed),
        }
    })
}

/// What [`body`] makes of a text and nothing else, which most messages are: with its maps one costs a twentieth more.
fn text_alone(text: &str, seed: Seed) -> Result<Draft> {
    let mut object = Object::new();
    object.put_text("msgtype", "\"text\"");
    object.put_text("text", &["{\"content\":", &json::quoted(text), "}"].concat());
    known_again(object, None, seed)
}

/// True for a text that needs no measuring of what is around it.
fn is_small(message: &Message) -> bool {
    let text = message.text.as_deref().map_or(0, str::len);
    message.extra.is_none() && message.title.is_none() && message.parts.is_empty() && text <= SMALL
}

/// The body of a message.
fn body(
    message: &Message,
    info: &Info,
    kind: &Type,
    content: Value,
    mentions: &Mentions,
) -> Result<Map<String, Value>> {
    let mut body = Map::new();
    body.put("msgtype", kind.name);
    body.put(kind.name, content);
    if let Some(at) = at(mentions) {
        body.put("at", at);
    }
    extra::merge(&mut body, message, info)?;
    complete(&mut body, message, kind)?;
    Ok(body)
}

/// A link as a feed has it, whose names are not those of a link alone.
fn of_feed(link: &Link) -> Value {
    let mut of_feed = Map::new();
    of_feed.put("title", link.title.unwrap_or(link.url));
    of_feed.put("messageURL", link.url);
    if let Some(picture) = link.picture {
        of_feed.put("picURL", picture);
    }
    of_feed.into()
}

/// Whom a message calls.
fn at(mentions: &Mentions) -> Option<Value> {
    let mut at = Map::new();
    for (name, of_kind) in [("atMobiles", &mentions.phones), ("atUserIds", &mentions.users)] {
        if !of_kind.is_empty() {
            at.put(name, json!(of_kind));
        }
    }
    if mentions.all {
        at.put("isAtAll", true);
    }
    (!at.is_empty()).then(|| at.into())
}

/// Adds the title that a type needs, and refuses what the service would.
fn complete(body: &mut Map<String, Value>, message: &Message, kind: &Type) -> Result<()> {
    let error = |words: String, at: &str| Err(Error::new(ErrorCode::Message, words).at(at));
    let Some(Value::Object(content)) = body.get_mut(kind.name) else {
        return error("expected an object".to_owned(), &format!("extra.{}", kind.name));
    };
    if content.is_empty() {
        let words = "the message is empty: give \"text\" or \"parts\", or a card in \"extra\"";
        return error(words.to_owned(), "text");
    }
    if let (Some(title), Some(text)) = (kind.title, kind.text)
        && !content.contains_key(title)
        && let Some(text) = content.get(text).and_then(Value::as_str)
    {
        let made = made_title(text);
        content.put(title, made);
    }
    let called = ["atMobiles", "atUserIds"].map(|name| {
        let list = body.get("at").and_then(|at| at.get(name));
        list.and_then(Value::as_array).map_or(0, Vec::len)
    });
    let called: usize = called.iter().sum();
    if called > MAX_MENTIONS as usize {
        let words = format!("{called} mentions; DingTalk takes {MAX_MENTIONS}");
        return error(words, if message.parts.is_empty() { "extra.at" } else { "parts" });
    }
    Ok(())
}

/// A title for a text that has none: its first line without the marks of a heading.
fn made_title(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.trim_start_matches(['#', '>', ' ']).chars().take(MADE_TITLE).collect()
}

/// The body as bytes, with what the service knows the message by.
fn draft(mut body: Map<String, Value>, seed: Seed) -> Result<Draft> {
    let own = match body.shift_remove("msgUuid") {
        None => None,
        Some(Value::String(uuid)) if !uuid.is_empty() => Some(uuid),
        Some(_) => {
            let words = "msgUuid is a text that no other message has";
            return Err(Error::new(ErrorCode::Message, words).at("extra.msgUuid"));
        }
    };
    let mut object = Object::new();
    body.iter().for_each(|(name, value)| {
        object.put(name, value);
    });
    known_again(object, own, seed)
}

/// The same, with a `msgUuid` of the message's own or one of ours.
fn known_again(mut object: Object, own: Option<String>, seed: Seed) -> Result<Draft> {
    let renew: Option<fn(Seed) -> String> =
        own.is_none().then_some(|seed| json::quoted(&uuid(seed)));
    let value = json::quoted(&own.unwrap_or_else(|| uuid(seed)));
    let at = object.put_text("msgUuid", &value);
    let body = object.finish();
    if body.len() > MAX_BODY as usize {
        let words = format!("the body has {} bytes; DingTalk takes {MAX_BODY}", body.len());
        return Err(Error::new(ErrorCode::TooLarge, words).at("text"));
    }
    let dedupe = Some(Dedupe { value, at: Some(at), window: WINDOW, renew });
    Ok(Draft { dedupe, ..Draft::of(body) })
}

/// A UUID of version 8, in which all of the chance stands.
fn uuid(seed: Seed) -> String {
    let (high, low) = ((seed.0 >> 32) as u32, seed.0 as u32);
    let (middle, end) = (low >> 20, low & 0xf_ffff);
    format!("{high:08x}-0000-8{middle:03x}-8000-0000000{end:05x}")
}
