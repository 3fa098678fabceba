//! The body of a message to Feishu's robot.

use serde_json::{Map, Value, json};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, Part};
use crate::service::api::Draft;
use crate::service::check::check;
use crate::service::extra;
use crate::service::info::Info;
use crate::service::robot;
use crate::service::text::{Markup, Piece, Rules, Title, Unit, as_is, compose};
use crate::service::wire::json;

/// The longest body, in bytes.
pub const MAX_BODY: u32 = 20 << 10;
/// The language of a post, which every reader is shown where there is no other.
const LANGUAGE: &str = "zh_cn";
/// How a mention begins in a text. What has it is sent as a post, where it stands for itself.
const CALL: &str = "<at";

/// What becomes of a message; `signed`: how many bytes its signature adds.
pub fn encode(message: &Message, info: &Info, signed: usize) -> Result<Draft> {
    check(message, info)?;
    refuse_unknown_members(message)?;
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

/// True for what a text can say: without a title, and without what would call somebody.
fn is_text(message: &Message, text: &str) -> bool {
    message.title.is_none() && !text.to_ascii_lowercase().contains(CALL)
}

/// Refuses a mention that the robot knows nobody by.
fn refuse_unknown_members(message: &Message) -> Result<()> {
    let is_unknown = |part: &Part| match part {
        Part::Mention { user, .. } => user.contains('@') || robot::is_phone(user),
        _ => false,
    };
    match message.parts.iter().position(is_unknown) {
        None => Ok(()),
        Some(i) => {
            let words = "Feishu's robot mentions by an open_id or a user_id only";
            Err(Error::new(ErrorCode::Unsupported, words).at(format!("parts[{i}].user")))
        }
    }
}

/// The drafts of a plain text.
fn texts(message: &Message, info: &Info, most: usize) -> Result<Draft> {
    let body = |text: &str| {
        Map::from_iter([
            ("msg_type".to_owned(), "text".into()),
            ("content".to_owned(), json!({"text": text})),
        ])
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
            post.insert("title".to_owned(), title.as_str().into());
        }
        post.insert("content".to_owned(), content);
        Map::from_iter([
            ("msg_type".to_owned(), "post".into()),
            ("content".to_owned(), json!({"post": {LANGUAGE: post}})),
        ])
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

/// The paragraphs of a message of which some parts are no text: each of those is a paragraph of its own.
fn paragraphs(message: &Message, rules: &Rules) -> Result<Value> {
    let mut paragraphs = Vec::new();
    let mut words = Vec::new();
    let flush = |words: &mut Vec<Part>, paragraphs: &mut Vec<Value>| {
        if words.is_empty() {
            return Ok(());
        }
        let parts = std::mem::take(words);
        let message = Message { parts, overflow: Default::default(), ..message.clone() };
        for piece in compose(&message, rules)? {
            match written(&piece)? {
                Value::Array(own) => paragraphs.extend(own),
                other => paragraphs.push(other),
            }
        }
        Ok::<(), Error>(())
    };
    for part in &message.parts {
        match part {
            Part::Link { url, title, description, .. } => {
                flush(&mut words, &mut paragraphs)?;
                let title = title.as_deref().filter(|title| !title.is_empty()).unwrap_or(url);
                paragraphs.push(json!([{"tag": "a", "text": title, "href": url}]));
                paragraphs.extend(
                    description.as_ref().map(|text| json!([{"tag": "text", "text": text}])),
                );
            }
            Part::Raw(element) => {
                flush(&mut words, &mut paragraphs)?;
                let element: Value = serde_json::from_str(element).map_err(unread)?;
                paragraphs.push(json!([element]));
            }
            part => words.push(part.clone()),
        }
    }
    flush(&mut words, &mut paragraphs)?;
    Ok(paragraphs.into())
}

/// The paragraphs of a piece, which are written in JSON.
fn written(piece: &Piece) -> Result<Value> {
    serde_json::from_str(&piece.text).map_err(unread)
}

fn unread(error: serde_json::Error) -> Error {
    let words = format!("the paragraphs of a post are no JSON: {error}; this is a bug in hongyan");
    Error::new(ErrorCode::Internal, words)
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
    Ok(Draft { body: body.into(), ..Draft::default() })
}
