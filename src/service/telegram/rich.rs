//! Texts as Telegram takes them: plain, with entities beside them, so that nothing needs an escape.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Format, Message, Part};
use crate::service::text::{Entity, Markup, Piece, Rules, Title, Unit, compose};
use crate::service::wire::json::{Members as _, object};

/// The longest text before its markup is read, in bytes.
pub const MAX_BYTES: u32 = 32_768;
/// The parameters of a text and of its entities.
pub const TEXT: (&str, &str) = ("text", "entities");
/// The same beside files.
pub const CAPTION: (&str, &str) = ("caption", "caption_entities");

/// The texts of a message, each of at most `most` code points without the blanks around it; none where nothing
/// is to be read.
pub fn texts(message: &Message, most: u32) -> Result<Vec<Piece>> {
    let has_markup = message.extra.as_ref().is_some_and(|extra| extra.contains_key("parse_mode"));
    if has_markup && message.format != Format::Plain {
        let words = "\"format\" says already what the text is written in";
        return wrong("extra.parse_mode", words);
    }
    let (unit, most, markup) = match has_markup {
        // What of it is text is for Telegram to say.
        true => (Unit::Bytes, MAX_BYTES, Markup::Plain),
        false => (Unit::Own(length, "characters"), most, Markup::TelegramEntities),
    };
    let rules = Rules { unit, most: most as usize, markup, title: Title::FirstLine };
    let mut texts = compose(mentioned(message)?.as_ref(), &rules)?;
    texts.retain(|text| !text.text.trim().is_empty());
    Ok(texts)
}

/// The code points that count.
fn length(text: &str) -> usize {
    text.trim().chars().count()
}

/// The message with its mentions as Telegram knows them: somebody's number, or `@name`, which is a text that
/// Telegram recognises by itself.
fn mentioned(message: &Message) -> Result<Cow<'_, Message>> {
    let mut own = Cow::Borrowed(message);
    for (i, part) in message.parts.iter().enumerate() {
        match part {
            Part::Mention { user, .. } if user.starts_with('@') => {
                own.to_mut().parts[i] = Part::Text(user.clone());
            }
            Part::Mention { user, .. } if user.parse::<u64>().is_err() => {
                let words = format!("{user:?} is nobody: the number of a person, or @ and a name");
                return wrong(format!("parts[{i}].user"), words);
            }
            Part::MentionAll => {
                let words = "Telegram has no mention of everybody";
                let error = Error::new(ErrorCode::Unsupported, words);
                return Err(error.at(format!("parts[{i}].all")));
            }
            _ => {}
        }
    }
    Ok(own)
}

/// Puts a text into an object, with its entities where it has any.
pub fn put(object: &mut Map<String, Value>, piece: Piece, (text, entities): (&str, &str)) {
    object.put(text, piece.text);
    if !piece.entities.is_empty() {
        let list: Vec<_> = piece.entities.iter().map(entity).collect();
        object.put(entities, list);
    }
}

fn entity(entity: &Entity) -> Value {
    let Entity { kind, offset, length, value } = entity;
    let mut json = object! {"type": *kind, "offset": *offset, "length": *length};
    match *kind {
        "text_link" => json["url"] = value.as_str().into(),
        "text_mention" => json["user"] = object! {"id": value.parse::<u64>().unwrap_or_default()},
        "pre" if !value.is_empty() => json["language"] = value.as_str().into(),
        _ => {}
    }
    json
}
