//! What Feishu's robot and its apps have in common: posts.

use serde_json::{Value, json};

use super::robot;
use super::text::{Piece, Rules, compose};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, Part};

/// The language of a post, which every reader is shown where there is no other.
pub const LANGUAGE: &str = "zh_cn";
/// How a mention begins in a text. What has it is sent as a post, where it stands for itself.
const CALL: &str = "<at";

/// True for what a text can say: without a title, and without what would call somebody.
pub fn is_text(message: &Message, text: &str) -> bool {
    message.title.is_none() && !text.to_ascii_lowercase().contains(CALL)
}

/// Refuses a mention that the robot knows nobody by.
pub fn refuse_unknown_members(message: &Message, title: &str) -> Result<()> {
    let is_unknown = |part: &Part| match part {
        Part::Mention { user, .. } => user.contains('@') || robot::is_phone(user),
        _ => false,
    };
    match message.parts.iter().position(is_unknown) {
        None => Ok(()),
        Some(i) => {
            let words = format!("{title} mentions by an open_id or a user_id only");
            Err(Error::new(ErrorCode::Unsupported, words).at(format!("parts[{i}].user")))
        }
    }
}

/// The paragraphs of a message of which some parts are no text: each of those is a paragraph of its own.
pub fn paragraphs(message: &Message, rules: &Rules) -> Result<Value> {
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
pub fn written(piece: &Piece) -> Result<Value> {
    serde_json::from_str(&piece.text).map_err(unread)
}

fn unread(error: serde_json::Error) -> Error {
    let words = format!("the paragraphs of a post are no JSON: {error}; this is a bug in hongyan");
    Error::new(ErrorCode::Internal, words)
}
