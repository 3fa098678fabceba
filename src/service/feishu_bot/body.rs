//! The body of a message to Feishu's robot.

use serde_json::{Map, Value, json};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, Part};
use crate::service::api::Draft;
use crate::service::check::check;
use crate::service::extra;
use crate::service::feishu::{LANGUAGE, is_text, paragraphs, refuse_unknown_members, written};
use crate::service::info::Info;
use crate::service::robot;
use crate::service::text::{Markup, Rules, Title, Unit, as_is, compose};
use crate::service::wire::json::{self, Members as _, object};

/// The longest body, in bytes.
pub const MAX_BODY: u32 = 20 << 10;

/// What becomes of a message; `signed`: how many bytes its signature adds.
pub fn encode(message: &Message, info: &Info, signed: usize) -> Result<Draft> {
    check(message, info)?;
    refuse_unknown_members(message, info.title)?;
    let most = (MAX_BODY as usize).saturating_sub(signed);
    let extra = |name: &str| message.extra.as_ref().and_then(|extra| extra.get(name));
    if !robot::has_words(message) && message.title.is_none() {
        let kind = match (extra("msg_type"), extra("card"), extra("content")) {
            (Some(kind), ..) => kind.clone(),
            (None, Some(_), _) => "interactive".into(),
            (None, None, Some(_)) => {
                let words = "give \"msg_type\" with \"content\": \"text\", \"post\", \"image\" or \"share_chat\"";
                return Err(Error::new(ErrorCode::Message, words).at("extra.msg_type"));
            }
            (None, None, None) => {
                let words =
                    "the message is empty: give \"text\" or \"parts\", or a card in \"extra\"";
                return Err(Error::new(ErrorCode::Message, words).at("text"));
            }
        };
        return draft(Map::from_iter([("msg_type".to_owned(), kind)]), message, info, most);
    }
    if let Some(card) = extra("card").filter(|card| !card.is_null()) {
        let kind = if card.is_object() { "a card" } else { "this" };
        let words = format!("{kind} has no place for a text of the message: leave one of them out");
        return Err(Error::new(ErrorCode::Message, words).at("extra.card"));
    }
    let plain = Rules { unit: Unit::Json, most, markup: Markup::Plain, title: Title::Own };
    let told = extra("msg_type").and_then(Value::as_str);
    match as_is(message, &Rules { most: usize::MAX, ..plain }) {
        Some(text) if is_text(message, text) && told != Some("post") => texts(message, info, most),
        _ => posts(message, info, most),
    }
}

/// The drafts of a plain text.
fn texts(message: &Message, info: &Info, most: usize) -> Result<Draft> {
    let body = |text: &str| {
        let mut body = Map::new();
        body.put("msg_type", "text");
        body.put("content", object! {"text": text});
        body
    };
    let rules = Rules {
        unit: Unit::Json,
        most: most.saturating_sub(around(body("x"), message, info)?),
        markup: Markup::Plain,
        title: Title::Own,
    };
    let pieces = compose(message, &rules)?;
    robot::drafts(pieces, |_, piece| draft(body(&piece.text), message, info, most))
}

/// The drafts of a text with all else that a post can say.
fn posts(message: &Message, info: &Info, most: usize) -> Result<Draft> {
    let body = |content: Value| {
        let mut post = Map::new();
        if let Some(title) = &message.title {
            post.put("title", title.as_str());
        }
        post.put("content", content);
        let mut body = Map::new();
        body.put("msg_type", "post");
        body.put("content", object! {"post": object! {LANGUAGE: post}});
        body
    };
    let rules = Rules {
        unit: Unit::Bytes,
        most: most.saturating_sub(around(body(json!([])), message, info)?),
        markup: Markup::FeishuPost,
        title: Title::Own,
    };
    if message.parts.iter().any(|part| matches!(part, Part::Link { .. } | Part::Raw(_))) {
        return draft(body(paragraphs(message, &rules)?), message, info, most);
    }
    let pieces = compose(message, &rules)?;
    robot::drafts(pieces, |_, piece| draft(body(written(piece)?), message, info, most))
}

/// How long a body is but for its text.
fn around(body: Map<String, Value>, message: &Message, info: &Info) -> Result<usize> {
    Ok(draft(body, message, info, usize::MAX)?.body.len())
}

/// A body as bytes.
fn draft(
    mut body: Map<String, Value>,
    message: &Message,
    info: &Info,
    most: usize,
) -> Result<Draft> {
    extra::merge(&mut body, message, info)?;
    let body = json::body(&body);
    if body.len() > most {
        let words = format!("the body has {} bytes; Feishu takes {most}", body.len());
        let path = if message.parts.is_empty() { "text" } else { "parts" };
        return Err(Error::new(ErrorCode::TooLarge, words).at(path));
    }
    Ok(Draft::of(body))
}
