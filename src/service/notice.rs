//! What the services that push notices to phones have in common: a text that is plain or in Markdown, one scale
//! from silent to urgent, and bodies in JSON of which each piece of a split text has its own.

use serde_json::{Map, Value};

use super::api::Draft;
use super::extra;
use super::info::Info;
use super::text::{Markup, Piece, Rules, Title, Unit, compose};
use super::wire::json::CONTENT_TYPE;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Format, Message, Priority};

/// The texts of a notice: as they stand, or in Markdown where the message has a format.
pub fn texts(message: &Message, unit: Unit, most: usize) -> Result<Vec<Piece>> {
    let markup = match message.format {
        Format::Plain => Markup::Plain,
        Format::Markdown | Format::Html => Markup::CommonMark,
    };
    compose(message, &Rules { unit, most, markup, title: Title::Own })
}

/// What the service calls a notice that is silent or low, high, or urgent; nothing for a usual one.
pub fn level<T>(message: &Message, [quiet, high, urgent]: [T; 3]) -> Result<Option<T>> {
    let level = match message.priority {
        Priority::Normal if !message.silent => return Ok(None),
        Priority::Normal | Priority::Low => quiet,
        Priority::High => high,
        Priority::Urgent => urgent,
    };
    match (message.silent, message.priority) {
        (true, Priority::High | Priority::Urgent) => {
            let words = "the service has one scale for both: a notice is silent or urgent";
            Err(Error::new(ErrorCode::Unsupported, words).at("silent"))
        }
        _ => Ok(Some(level)),
    }
}

/// A notice but for its text.
pub struct Notice<'a> {
    /// The message that it is of.
    pub message: &'a Message,
    /// Its service.
    pub info: &'static Info,
    /// What the message's own fields set.
    pub body: Map<String, Value>,
    /// Parameters that the first piece of a split text has alone.
    pub once: &'a [&'a str],
    /// Parameters any of which makes a notice.
    pub contents: &'a [&'a str],
}

impl Notice<'_> {
    /// The bodies of its pieces, in which `put` puts a text.
    pub fn bodies(
        self,
        pieces: &[Piece],
        put: impl Fn(&mut Map<String, Value>, &Piece),
    ) -> Result<Vec<Map<String, Value>>> {
        let Notice { message, info, body: mut first, once, contents } = self;
        if let Some(piece) = pieces.first().filter(|piece| !piece.text.trim().is_empty()) {
            put(&mut first, piece);
        }
        extra::merge(&mut first, message, info)?;
        if !contents.iter().any(|name| first.contains_key(*name)) {
            let words = "the message is empty: give \"text\" or \"parts\"";
            return Err(Error::new(ErrorCode::Message, words).at("text"));
        }
        let mut others = first.clone();
        others.retain(|name, _| !once.contains(&name.as_str()));
        let other = |piece: &Piece| {
            let mut body = others.clone();
            put(&mut body, piece);
            body
        };
        let others: Vec<_> = pieces.iter().skip(1).map(other).collect();
        Ok([first].into_iter().chain(others).collect())
    }
}

/// The draft of a body.
pub fn draft(body: &Map<String, Value>) -> Draft {
    let text = serde_json::to_string(body).unwrap_or_default();
    Draft { body: text.into(), content_type: CONTENT_TYPE.into(), ..Draft::default() }
}

/// The draft of the first body, with the others as its pieces.
pub fn drafts(bodies: &[Map<String, Value>], pieces: &[Piece]) -> Draft {
    let notes = pieces.first().map(Piece::notes).unwrap_or_default();
    let first = bodies.first().map(draft).unwrap_or_default();
    Draft { pieces: bodies.iter().skip(1).map(draft).collect(), notes, ..first }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(fields: Value) -> Message {
        let mut whole = json!({"v": 1, "account": "a"});
        let own = fields.as_object().expect("an object").clone();
        whole.as_object_mut().expect("an object").extend(own);
        Message::from_json(&whole.to_string()).expect("a message")
    }

    #[test]
    fn a_notice_is_silent_or_urgent() {
        let told = |fields: Value| level(&message(fields), ["quiet", "high", "urgent"]);
        for (fields, is) in [
            (json!({}), None),
            (json!({"silent": true}), Some("quiet")),
            (json!({"priority": "low"}), Some("quiet")),
            (json!({"priority": "low", "silent": true}), Some("quiet")),
            (json!({"priority": "high"}), Some("high")),
            (json!({"priority": "urgent"}), Some("urgent")),
        ] {
            assert_eq!(told(fields.clone()).expect("a level"), is, "{fields}");
        }
        for priority in ["high", "urgent"] {
            let error = told(json!({"priority": priority, "silent": true})).expect_err("both");
            assert_eq!((error.code(), error.path()), (ErrorCode::Unsupported, Some("silent")));
        }
    }

    #[test]
    fn what_stands_once_is_the_first_piece_s() {
        static INFO: Info = Info { extra: &["once", "all"], ..Info::PLAIN };
        let message = message(json!({"text": "x", "extra": {"once": 1, "all": 2}}));
        let piece = |text: &str| Piece { text: text.to_owned(), ..Piece::default() };
        let bodies = |pieces: &[Piece]| {
            let notice = Notice {
                message: &message,
                info: &INFO,
                body: Map::new(),
                once: &["once"],
                contents: &["text"],
            };
            notice.bodies(pieces, |body, piece| {
                body.insert("text".to_owned(), piece.text.as_str().into());
            })
        };
        let made = bodies(&[piece("a"), piece("b")]).expect("two");
        assert_eq!(
            json!(made),
            json!([{"text": "a", "once": 1, "all": 2}, {"text": "b", "all": 2}])
        );
        assert_eq!(bodies(&[piece(" \n")]).expect_err("blank").path(), Some("text"));
    }
}
