//! The body of a message of WeChat's official account.

use serde_json::{Map, Value, json};

use super::WINDOW;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Attachment, Kind, Message};
use crate::model::receipt::Note;
use crate::service::api::{Dedupe, Draft, Seed};
use crate::service::check::{check, recipient};
use crate::service::extra;
use crate::service::info::Info;
use crate::service::robot::{self, links};
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose};
use crate::service::upload::bytes_of;
use crate::service::wecom::{draft, media};

/// The longest title of a one-time subscription, in characters.
pub const MAX_TITLE: u32 = 15;
/// The longest text of one, in characters.
pub const MAX_ONCE: u32 = 200;

/// The largest image and the largest video, in bytes.
pub const MAX_IMAGE: u32 = 10 << 20;
/// The largest recording, in bytes.
pub const MAX_VOICE: u32 = 2 << 20;

/// What the path below `/cgi-bin/message/` is kept as, and the paths.
pub const PATH: &str = "path";
pub const CUSTOM: &str = "custom/send";
const TEMPLATE: &str = "template/send";
const SUBSCRIBE: &str = "subscribe/bizsend";
const ONCE: &str = "template/subscribe";

/// The parameters of the documents that no field of a message sets.
pub const EXTRA: [&str; 20] = [
    "msgtype",
    "text",
    "image",
    "voice",
    "video",
    "music",
    "news",
    "mpnews",
    "mpnewsarticle",
    "msgmenu",
    "wxcard",
    "miniprogrampage",
    "customservice",
    "template_id",
    "url",
    "miniprogram",
    "client_msg_id",
    "data",
    "page",
    "scene",
];
/// What of them holds for each request of a customer message.
const OF_ALL: &str = "customservice";
/// Those of customer messages.
const OF_CUSTOM: usize = 13;
/// The types of customer message beside a text.
const CARDS: usize = 12;

fn error<T>(code: ErrorCode, words: impl Into<String>, path: impl Into<String>) -> Result<T> {
    Err(Error::new(code, words).at(path))
}

fn given<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    message.extra.as_ref()?.get(name).filter(|value| !value.is_null())
}

/// What becomes of a message: a template where it names one, else a customer message.
pub fn encode(message: &Message, info: &Info, seed: Seed) -> Result<Draft> {
    check(message, info)?;
    let user = recipient(message, Kind::User)?;
    let touser = || Map::from_iter([("touser".to_owned(), user.into())]);
    match given(message, "template_id") {
        None => custom(message, info, &touser(), seed),
        Some(Value::String(id)) if !id.trim().is_empty() => {
            if let Some(name) =
                EXTRA[..OF_CUSTOM].iter().find(|name| given(message, name).is_some())
            {
                let words = format!("a template has no {name:?}");
                return error(ErrorCode::Message, words, format!("extra.{name}"));
            }
            without_files(message)?;
            match (given(message, "scene"), given(message, "page")) {
                (Some(_), None) => once(message, info, touser()),
                (None, Some(_)) => subscription(message, info, touser()),
                (None, None) => template(message, info, touser(), seed),
                (Some(_), Some(_)) => {
                    let words = "a one-time subscription has no \"page\"";
                    error(ErrorCode::Message, words, "extra.page")
                }
            }
        }
        Some(_) => error(ErrorCode::Message, "a template_id is a text", "extra.template_id"),
    }
}

/// A customer message: its text or card, and each file after that, a request each.
fn custom(message: &Message, info: &Info, body: &Map<String, Value>, seed: Seed) -> Result<Draft> {
    if let Some(name) = EXTRA[OF_CUSTOM..].iter().find(|name| given(message, name).is_some()) {
        let words = format!("only a template has a {name:?}: give its \"template_id\"");
        return error(ErrorCode::Message, words, format!("extra.{name}"));
    }
    let (mut drafts, notes) = words(message, info, body)?;
    for (i, attachment) in message.attachments.iter().enumerate() {
        let mut body = body.clone();
        body.extend(given(message, OF_ALL).map(|value| (OF_ALL.to_owned(), value.clone())));
        let seed = Seed(seed.0.wrapping_add(i as u64));
        let file = file(attachment, body, seed);
        drafts.push(file.map_err(|error| error.at(format!("attachments[{i}]")))?);
    }
    for draft in &mut drafts {
        draft.keep(PATH, CUSTOM.to_owned());
    }
    Draft::first_of(drafts, notes).map_or_else(empty, Ok)
}

fn empty<T>() -> Result<T> {
    let words = "the message is empty: give \"text\", \"parts\", a file, or a card in \"extra\"";
    error(ErrorCode::Message, words, "text")
}

/// The drafts of the text, the link or the card of a customer message; none where it has none.
fn words(
    message: &Message,
    info: &Info,
    body: &Map<String, Value>,
) -> Result<(Vec<Draft>, Vec<Note>)> {
    let links = links(message, info.title)?;
    let has_words = robot::has_words(message) || message.title.is_some();
    let is_of_card = |name: &str| name != OF_ALL && given(message, name).is_some();
    if !has_words && !EXTRA.iter().any(|name| is_of_card(name)) {
        return Ok((Vec::new(), Vec::new()));
    }
    let is_type =
        |name: &&&str| **name != "msgtype" && given(message, name).is_some_and(Value::is_object);
    let kind = match given(message, "msgtype").and_then(Value::as_str) {
        _ if !links.is_empty() => "news",
        Some(told) => match EXTRA[1..CARDS].iter().find(|own| **own == told) {
            Some(own) => own,
            None => {
                let known = EXTRA[1..CARDS].join(", ");
                let words = format!("the type {told:?} is unknown; known here: {known}");
                return error(ErrorCode::Message, words, "extra.msgtype");
            }
        },
        None => EXTRA[1..CARDS].iter().find(is_type).copied().unwrap_or("text"),
    };
    let finish = |content: Option<Value>| {
        let mut body = body.clone();
        body.insert("msgtype".to_owned(), kind.into());
        body.extend(content.map(|content| (kind.to_owned(), content)));
        extra::merge(&mut body, message, info)?;
        if !body.contains_key(kind) {
            return empty();
        }
        draft(body)
    };
    if let [link, more @ ..] = links.as_slice() {
        if !more.is_empty() {
            let words = "WeChat takes one article in a customer message";
            return error(ErrorCode::Unsupported, words, "parts[1]");
        }
        let title = link.title.or(message.title.as_deref()).unwrap_or(link.url);
        let mut article = json!({"title": title, "url": link.url});
        for (name, value) in [("description", link.description), ("picurl", link.picture)] {
            if let Some(value) = value {
                article[name] = value.into();
            }
        }
        return Ok((vec![finish(Some(json!({"articles": [article]})))?], Vec::new()));
    }
    match (kind, has_words) {
        (_, false) => Ok((vec![finish(None)?], Vec::new())),
        ("text", true) => {
            let (unit, markup) = (Unit::CodePoints, Markup::Plain);
            let rules = Rules { unit, most: usize::MAX, markup, title: Title::FirstLine };
            let pieces = compose(message, &rules)?;
            let text = |piece: &Piece| finish(Some(json!({"content": piece.text})));
            let drafts = pieces.iter().map(text).collect::<Result<_>>()?;
            Ok((drafts, pieces.first().map(Piece::notes).unwrap_or_default()))
        }
        (_, true) => {
            let words = format!("a message of the type {kind:?} has no text of its own");
            error(ErrorCode::Unsupported, words, "text")
        }
    }
}

/// The draft of a file, which WeChat shows as what it is.
fn file(attachment: &Attachment, body: Map<String, Value>, seed: Seed) -> Result<Draft> {
    let (kind, most) = match attachment.media_type() {
        "image/jpeg" | "image/png" | "image/gif" => ("image", MAX_IMAGE),
        "audio/amr" | "audio/mpeg" => ("voice", MAX_VOICE),
        "video/mp4" => ("video", MAX_IMAGE),
        other => {
            let words = format!(
                "WeChat sends images (JPEG, PNG, GIF), recordings (AMR, MP3) and videos (MP4), and no {other}"
            );
            return Err(Error::new(ErrorCode::Unsupported, words));
        }
    };
    if bytes_of(attachment, most, "WeChat")?.is_empty() {
        return Err(Error::new(ErrorCode::Message, "WeChat takes no empty file"));
    }
    media::draft(body, kind, attachment, seed)
}

/// Refuses files beside a template.
fn without_files(message: &Message) -> Result<()> {
    if message.attachments.is_empty() {
        return Ok(());
    }
    let words = "a template has no files: leave it out, or send them in a message of their own";
    error(ErrorCode::Unsupported, words, "attachments")
}

/// Refuses words beside a template, whose values are all that it shows.
fn without_words(message: &Message) -> Result<()> {
    let has = [
        (message.text.as_deref().is_some_and(|text| !text.is_empty()), "text"),
        (!message.parts.is_empty(), "parts"),
        (message.title.is_some(), "title"),
    ];
    match has.into_iter().find(|(has, _)| *has) {
        None => Ok(()),
        Some((_, path)) => {
            let words = "a template shows the values in \"data\" only: leave it out";
            error(ErrorCode::Unsupported, words, path)
        }
    }
}

/// A template message, which WeChat knows by its `client_msg_id`.
fn template(
    message: &Message,
    info: &Info,
    mut body: Map<String, Value>,
    seed: Seed,
) -> Result<Draft> {
    without_words(message)?;
    extra::merge(&mut body, message, info)?;
    let own = match body.shift_remove("client_msg_id") {
        None => None,
        Some(Value::String(own)) if !own.is_empty() && !own.contains(['"', '\\']) => Some(own),
        Some(_) => {
            let words = "a client_msg_id is a text that no other message has";
            return error(ErrorCode::Message, words, "extra.client_msg_id");
        }
    };
    let id = |seed: Seed| format!("{:016x}", seed.0);
    let renew: Option<fn(Seed) -> String> = own.is_none().then_some(id);
    let value = own.unwrap_or_else(|| id(seed));
    body.insert("client_msg_id".to_owned(), value.as_str().into());
    let mut own = draft(body)?;
    // It stands last, before a quotation mark and a brace.
    let end = own.body.len() - 2;
    let at = Some(end - value.len()..end);
    own.dedupe = Some(Dedupe { value, at, window: WINDOW, renew });
    own.keep(PATH, TEMPLATE.to_owned());
    Ok(own)
}

/// A message by a subscription.
fn subscription(message: &Message, info: &Info, mut body: Map<String, Value>) -> Result<Draft> {
    without_words(message)?;
    extra::merge(&mut body, message, info)?;
    if body.get("page").and_then(Value::as_str) == Some("") {
        body.shift_remove("page");
    }
    for name in ["url", "client_msg_id"] {
        if body.contains_key(name) {
            let words = format!("a message by subscription has no {name:?}");
            return error(ErrorCode::Message, words, format!("extra.{name}"));
        }
    }
    let mut own = draft(body)?;
    own.keep(PATH, SUBSCRIBE.to_owned());
    Ok(own)
}

/// A message by a one-time subscription, which has a title and a text.
fn once(message: &Message, info: &Info, mut body: Map<String, Value>) -> Result<Draft> {
    let (unit, markup) = (Unit::CodePoints, Markup::Plain);
    let rules = Rules { unit, most: MAX_ONCE as usize, markup, title: Title::Own };
    let pieces = compose(message, &rules)?;
    if pieces.len() > 1 {
        let words = "a one-time subscription is for one message: the text is too long";
        return error(ErrorCode::TooLarge, words, "text");
    }
    if let Some(title) = &message.title {
        let length = title.chars().count();
        if length > MAX_TITLE as usize {
            let words = format!("the title has {length} characters; WeChat takes {MAX_TITLE}");
            return error(ErrorCode::TooLarge, words, "title");
        }
        body.insert("title".to_owned(), title.as_str().into());
    }
    if let Some(piece) = pieces.first().filter(|piece| !piece.text.is_empty()) {
        body.insert("data".to_owned(), json!({"content": {"value": piece.text}}));
    }
    extra::merge(&mut body, message, info)?;
    if body.contains_key("client_msg_id") {
        let words = "a message by subscription has no \"client_msg_id\"";
        return error(ErrorCode::Message, words, "extra.client_msg_id");
    }
    if !body.contains_key("data") {
        return error(ErrorCode::Message, "the message is empty: give \"text\"", "text");
    }
    let mut own = draft(body)?;
    own.keep(PATH, ONCE.to_owned());
    Ok(Draft { notes: pieces.first().map(|piece| piece.notes()).unwrap_or_default(), ..own })
}
