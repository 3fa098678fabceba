//! The bodies of a message of KOOK: its text in KMarkdown, and each file as a message of its own.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Attachment, Message};
use crate::service::api::{Body, Draft, Seed};
use crate::service::extra;
use crate::service::info::Info;
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose};
use crate::service::wire::json::{self, Members as _};
use crate::service::wire::multipart::Multipart;

/// The longest text, in code points: beyond it the document promises nothing.
pub const MAX_TEXT: u32 = 8000;

/// The parameters of the document that no field of a message sets alone.
pub const EXTRA: [&str; 5] = ["type", "content", "nonce", "temp_target_id", "template_id"];

/// The types of a message.
const IMAGE: u8 = 2;
const VIDEO: u8 = 3;
const FILE: u8 = 4;
const KMARKDOWN: u8 = 9;
const CARD: u8 = 10;

fn type_of(file: &Attachment) -> u8 {
    match file.media_type() {
        kind if kind.starts_with("image/") => IMAGE,
        "video/mp4" | "video/quicktime" => VIDEO,
        _ => FILE,
    }
}

fn given<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    message.extra.as_ref()?.get(name).filter(|value| !value.is_null())
}

/// The message whose card is written as JSON, as the text that the service takes.
fn with_card(message: &Message) -> Option<Message> {
    let card = given(message, "content").filter(|content| !content.is_string())?;
    let mut message = message.clone();
    let extra = message.extra.get_or_insert_default();
    extra.entry("type").or_insert(CARD.into());
    extra.put("content", card.to_string());
    Some(message)
}

/// The drafts of a message: its text or card, and then its files.
pub fn encode(message: &Message, info: &Info, to: &str, seed: Seed) -> Result<Draft> {
    let card = with_card(message);
    let message = card.as_ref().unwrap_or(message);
    let rules = Rules {
        unit: Unit::CodePoints,
        most: MAX_TEXT as usize,
        markup: Markup::Kook,
        title: Title::FirstLine,
    };
    let pieces = compose(message, &rules)?;
    let notes = pieces.first().map(Piece::notes).unwrap_or_default();
    let mut common = Map::from_iter([("target_id".to_owned(), to.into())]);
    // Seen by one only: what follows has to be so, too.
    if let Some(one) = given(message, "temp_target_id") {
        common.put("temp_target_id", one.clone());
    }
    let has_words = |piece: &&Piece| !piece.text.trim().is_empty();
    let mut bodies: Vec<_> = pieces
        .iter()
        .filter(has_words)
        .map(|piece| {
            let mut body = common.clone();
            body.put("type", KMARKDOWN);
            body.put("content", piece.text.as_str());
            body
        })
        .collect();
    if bodies.is_empty() && (given(message, "content").is_some() || message.attachments.is_empty())
    {
        bodies.push(common.clone());
    }
    let mut files: Vec<_> =
        message.attachments.iter().map(|file| file_body(file, &common)).collect();
    if let Some(first) = bodies.first_mut().or(files.first_mut()) {
        if let Some(quote) = &message.reply_to {
            first.put("quote", quote.as_str());
        }
        extra::merge(first, message, info)?;
    }
    if let Some(body) = bodies.first().filter(|body| !body.contains_key("content")) {
        let path = if body.contains_key("type") { "extra.content" } else { "text" };
        let words =
            "the message is empty: give \"text\" or \"parts\", files, or a card in \"extra\"";
        return Err(Error::new(ErrorCode::Message, words).at(path));
    }
    let uploads = files.into_iter().zip(&message.attachments).map(|(body, file)| {
        let form = Multipart::new(seed).file("file", file).finish();
        Draft::json(&body).with_form(form)
    });
    let mut drafts = bodies.into_iter().map(|body| Draft::json(&body)).chain(uploads);
    let first = drafts.next().unwrap_or_default();
    let pieces = drafts.collect();
    Ok(Draft { pieces, notes, ..first })
}

/// The body of a file's message but for where the file lies.
fn file_body(file: &Attachment, common: &Map<String, Value>) -> Map<String, Value> {
    let mut body = common.clone();
    body.put("type", type_of(file));
    body
}

/// The body of a draft, with where its file lies once it is uploaded.
pub fn with_file(draft: &Draft, url: Option<&str>) -> Body {
    match url {
        None => Body::One(draft.body.clone()),
        Some(url) => {
            let head = json::head("content", url);
            Body::Several(vec![Bytes::from(head), draft.body.slice(1..)])
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service;

    fn encoded(fields: &Value) -> Result<Draft> {
        let config = json!({"service": "kook", "auth": {"type": "bot", "token": "1/MTA=/t"}});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = service::open(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a", "to": {"channel": "7"}});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        opened.account.encode(&Message::from_json(&message.to_string())?, Seed(7))
    }

    fn body(draft: &Draft) -> Value {
        serde_json::from_slice(&draft.body).expect("JSON")
    }

    #[test]
    fn what_cannot_be_sent_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, TooLarge, Unsupported};
        for (fields, code, path) in [
            (json!({}), Wrong, "text"),
            (json!({"text": " "}), Wrong, "text"),
            (json!({"extra": {"type": 10}}), Wrong, "extra.content"),
            (json!({"text": "x", "to": null}), Wrong, "to.channel"),
            (json!({"text": "x", "to": {"channel": "1", "user": "2"}}), Wrong, "to.user"),
            (json!({"text": "x".repeat(8001)}), TooLarge, "text"),
            (json!({"text": "x", "extra": {"type": 1}}), Wrong, "extra.type"),
            (json!({"text": "x", "extra": {"content": [{}]}}), Wrong, "extra.content"),
            (json!({"text": "x", "thread": "1"}), Unsupported, "thread"),
            (
                json!({"text": "x", "attachments": [{"url": "https://example.com/a.png"}]}),
                Unsupported,
                "attachments[0]",
            ),
        ] {
            let error = encoded(&fields).expect_err(&fields.to_string());
            let path_of = error.path().map(|own| own.trim_end_matches("[0]").to_owned());
            let wanted = path.trim_end_matches("[0]").to_owned();
            assert_eq!((error.code(), path_of), (code, Some(wanted)), "{fields}: {error}");
        }
    }

    #[test]
    fn a_card_is_a_text_that_holds_json() {
        let card = json!([{"type": "card", "theme": "info", "modules": []}]);
        let own = body(&encoded(&json!({"extra": {"content": card}})).expect("a card"));
        assert_eq!((&own["type"], &own["target_id"]), (&json!(10), &json!("7")));
        let text = own["content"].as_str().expect("a text");
        assert_eq!(serde_json::from_str::<Value>(text).expect("JSON"), card);
    }

    #[test]
    fn files_follow_the_text_and_whoever_sees_it_alone_sees_them_alone() {
        let file = |name: &str| json!({"name": name, "data_base64": "AAAA"});
        let draft =
            encoded(&json!({"text": "x", "reply_to": "m1", "extra": {"temp_target_id": "9"},
            "attachments": [file("a.png"), file("a.mp4"), file("a.pdf")]}))
            .expect("a text and three files");
        let own = body(&draft);
        assert_eq!(own["type"], 9);
        assert_eq!((&own["quote"], &own["content"]), (&json!("m1"), &json!("x")));
        let types: Vec<_> = draft.pieces.iter().map(|piece| body(piece)["type"].clone()).collect();
        assert_eq!(types, [2, 3, 4]);
        for piece in draft.pieces.iter().chain([&draft]) {
            assert_eq!(body(piece)["temp_target_id"], "9");
        }
        assert!(draft.pieces.iter().all(|piece| body(piece)["quote"].is_null()));
        let alone = encoded(&json!({"reply_to": "m1", "attachments": [file("a.png")]}));
        assert_eq!(body(&alone.expect("a file"))["quote"], "m1");
    }
}
