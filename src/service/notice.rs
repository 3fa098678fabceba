//! What the services that push notices to phones have in common: a text that is plain or in Markdown, one scale
//! from silent to urgent, and bodies in JSON of which each piece of a split text has its own.

use serde_json::{Map, Value};

use super::api::Draft;
use super::extra;
use super::info::Info;
use super::text::{Markup, Piece, Rules, Title, Unit, compose};
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

/// The draft of the first body, with the others as its pieces.
pub fn drafts(bodies: &[Map<String, Value>], pieces: &[Piece]) -> Draft {
    let notes = pieces.first().map(Piece::notes).unwrap_or_default();
    let first = bodies.first().map(Draft::json).unwrap_or_default();
    Draft { pieces: bodies.iter().skip(1).map(Draft::json).collect(), notes, ..first }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service::api::Seed;
    use crate::service::open;

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

    /// The draft of a message, or why there is none, and where.
    fn encoded(service: &str, fields: Value) -> std::result::Result<Draft, (ErrorCode, String)> {
        let auth = match service {
            "ntfy" => json!({"type": "none"}),
            "bark" => json!({"type": "key", "key": "k"}),
            _ => json!({"type": "token", "token": "t"}),
        };
        let config = json!({"service": service, "auth": auth, "base_url": "https://example.com"});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = open(config).expect("an account");
        opened
            .account
            .encode(&message(fields), Seed(7))
            .map_err(|error| (error.code(), error.path().unwrap_or_default().to_owned()))
    }

    #[test]
    fn what_a_service_does_not_take_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, TooLarge, Unsupported};
        let file = |name: &str| json!({"name": name, "data_base64": "aGk="});
        let (topic, user) = (json!({"topic": "t"}), json!({"user": "u"}));
        for (service, fields, code, path) in [
            ("ntfy", json!({"text": "x"}), Wrong, "to.topic"),
            ("ntfy", json!({"to": {"topic": "a/b"}, "text": "x"}), Wrong, "to.topic"),
            ("ntfy", json!({"to": topic, "text": " "}), Wrong, "text"),
            ("ntfy", json!({"to": topic, "text": "x".repeat(4097)}), TooLarge, "text"),
            ("ntfy", json!({"to": topic, "text": "\u{1}".repeat(4000)}), TooLarge, "text"),
            (
                "ntfy",
                json!({"to": topic, "attachments": [file("a"), file("b")]}),
                { TooLarge },
                "attachments",
            ),
            (
                "ntfy",
                json!({"to": topic, "attachments": [{"url": "ftp://a/b"}]}),
                { Wrong },
                "attachments[0].url",
            ),
            (
                "ntfy",
                json!({"to": topic, "text": "a\\nb", "attachments": [file("a")]}),
                { Wrong },
                "text",
            ),
            (
                "ntfy",
                json!({"to": topic, "text": "x", "attachments": [file("a")],
                    "extra": {"attach": "https://a.b/c"}}),
                Wrong,
                "extra.attach",
            ),
            (
                "ntfy",
                json!({"to": topic, "text": "x", "priority": "high", "extra": {"priority": 1}}),
                { Wrong },
                "extra.priority",
            ),
            ("gotify", json!({"text": ""}), Wrong, "text"),
            ("gotify", json!({"to": user, "text": "x"}), Unsupported, "to.user"),
            ("gotify", json!({"text": "x", "silent": true}), Unsupported, "silent"),
            (
                "gotify",
                json!({"text": "x", "attachments": [file("a")]}),
                { Unsupported },
                "attachments[0]",
            ),
            ("pushover", json!({"text": "x"}), Wrong, "to.user"),
            ("pushover", json!({"to": {"user": "a,b"}, "text": "x"}), Wrong, "to.user"),
            ("pushover", json!({"to": {"users": ["a", "b c"]}, "text": "x"}), Wrong, "to.users[1]"),
            ("pushover", json!({"to": user, "text": "雁".repeat(1025)}), TooLarge, "text"),
            (
                "pushover",
                json!({"to": user, "text": "&".repeat(300), "format": "html"}),
                TooLarge,
                "text",
            ),
            (
                "pushover",
                json!({"to": user, "text": "x", "title": "x".repeat(251)}),
                { TooLarge },
                "title",
            ),
            (
                "pushover",
                json!({"to": user, "text": "x", "extra": {"url": "x".repeat(513)}}),
                { TooLarge },
                "extra.url",
            ),
            (
                "pushover",
                json!({"to": user, "text": "x", "extra": {"priority": 3}}),
                { Wrong },
                "extra.priority",
            ),
            (
                "pushover",
                json!({"to": user, "text": "x", "priority": "urgent", "extra": {"retry": 29}}),
                Wrong,
                "extra.retry",
            ),
            (
                "pushover",
                json!({"to": user, "text": "x", "extra": {"priority": 2, "expire": 10_801}}),
                Wrong,
                "extra.expire",
            ),
            (
                "pushover",
                json!({"to": user, "attachments": [file("a"), file("b")]}),
                { TooLarge },
                "attachments",
            ),
            ("bark", json!({"title": "x"}), Wrong, "text"),
            ("bark", json!({"text": "x".repeat(4000)}), TooLarge, "text"),
            ("bark", json!({"text": "x", "extra": {"id": 7}}), Wrong, "extra.id"),
            ("bark", json!({"text": "x", "extra": {"group": 7}}), Wrong, "extra.group"),
            ("bark", json!({"text": "x", "extra": {"ciphertext": "c"}}), Wrong, "text"),
            (
                "bark",
                json!({"text": "x", "attachments": [file("a")]}),
                { Unsupported },
                "attachments[0]",
            ),
            (
                "bark",
                json!({"text": "x", "attachments": [{"url": "https://a.b/c.pdf"}]}),
                { Unsupported },
                "attachments[0]",
            ),
        ] {
            let error = encoded(service, fields.clone()).err();
            assert_eq!(error, Some((code, path.to_owned())), "{service} {fields}");
        }
    }

    #[test]
    fn a_long_text_is_cut_into_what_each_service_takes() {
        let text = "雁 & *signs* ".repeat(500);
        for (service, to, most) in [
            ("ntfy", json!({"topic": "t"}), 8192),
            ("pushover", json!({"user": "u"}), 1024 * 4),
            ("bark", json!(null), 4096),
        ] {
            for (overflow, format) in
                [("split", "markdown"), ("split", "plain"), ("truncate", "html")]
            {
                let fields =
                    json!({"to": to, "text": text, "format": format, "overflow": overflow});
                let draft = encoded(service, fields)
                    .unwrap_or_else(|e| panic!("{service} {overflow} {format}: {e:?}"));
                assert_eq!(draft.pieces.is_empty(), overflow == "truncate", "{service}");
                let longest = draft.pieces.iter().chain([&draft]).map(|one| one.body.len()).max();
                assert!(longest.is_some_and(|length| length <= most), "{service} {longest:?}");
            }
        }
    }

    #[test]
    fn only_a_notice_of_bark_with_an_id_is_known_again() {
        let split = json!({"text": "雁 ".repeat(3000), "overflow": "split", "extra": {"id": "n1"}});
        let draft = encoded("bark", split).expect("two at least");
        assert_eq!(draft.dedupe.as_ref().map(|own| &*own.value), Some("n1"));
        assert!(draft.pieces.len() > 1 && draft.pieces.iter().all(|piece| piece.dedupe.is_none()));
        assert!(encoded("bark", json!({"text": "x"})).is_ok_and(|draft| draft.dedupe.is_none()));
    }
}
