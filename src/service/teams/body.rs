//! The body of a message to Teams: an adaptive card, as the template of the workflow posts it.

use serde_json::{Map, Value};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Message;
use crate::service::api::Draft;
use crate::service::extra;
use crate::service::info::Info;
use crate::service::robot::{has_words, mentioned};
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose, drafts};
use crate::service::wire::json::{self, Members as _, object};

/// How large a body may be, in bytes. Beyond about 28 KB the card fails where nobody sees it, so that the
/// lower reading of that counts.
pub const MOST: u32 = 28_000;
/// The type of a card.
const CARD: &str = "application/vnd.microsoft.card.adaptive";
/// The version of Adaptive Cards that is written.
const VERSION: &str = "1.4";
/// The whole list of cards, of the caller's own.
const ATTACHMENTS: &str = "attachments";

/// The parameters that no field of a message sets: cards of one's own, or those of a card beside its text.
pub const EXTRA: [&str; 14] = [
    ATTACHMENTS,
    "actions",
    "body",
    "msteams",
    "version",
    "fallbackText",
    "backgroundImage",
    "minHeight",
    "verticalContentAlignment",
    "selectAction",
    "refresh",
    "rtl",
    "lang",
    "speak",
];

/// What every card of a text has that was split.
const OF_ALL: [&str; 4] = ["msteams", "version", "lang", "rtl"];

/// The draft of a message; what was split follows in pieces, each in a card of its own.
pub fn encode(message: &Message, info: &Info) -> Result<Draft> {
    let given = |name: &str| message.extra.as_ref()?.get(name).filter(|value| !value.is_null());
    if let Some(cards) = given(ATTACHMENTS) {
        return own_cards(message, info, cards);
    }
    let has_words = has_words(message) || message.title.is_some();
    let word = if has_words { "x" } else { "" };
    let around = body(card(word, &mentioned(&message.parts), message, info)?).len();
    if around > MOST as usize {
        return too_large(around, "extra");
    }
    let rules = Rules {
        unit: Unit::Json,
        most: MOST as usize - around,
        markup: Markup::AdaptiveCard,
        title: Title::FirstLine,
    };
    let pieces = compose(message, &rules)?;
    drafts(pieces, |n, piece| {
        // What stands beside a text stands beside its first piece.
        let of_all = message.extra.as_ref().filter(|_| n > 0).map(|extra| {
            let own = extra.iter().filter(|(name, _)| OF_ALL.contains(&name.as_str()));
            own.map(|(name, value)| (name.clone(), value.clone())).collect()
        });
        let rest = Message { extra: of_all, ..Message::default() };
        let card = card(&piece.text, piece, if n == 0 { message } else { &rest }, info)?;
        let is_empty =
            |name: &str| card.get(name).and_then(Value::as_array).is_none_or(Vec::is_empty);
        if is_empty("body") && is_empty("actions") {
            let words =
                "the message is empty: give \"text\" or \"parts\", or attachments in \"extra\"";
            return Err(Error::new(ErrorCode::Message, words).at("text"));
        }
        Ok(Draft::of(body(card)))
    })
}

fn too_large<T>(length: usize, path: &str) -> Result<T> {
    let words = format!("the body has {length} bytes; Teams takes {MOST}");
    Err(Error::new(ErrorCode::TooLarge, words).at(path))
}

/// Cards of the caller's own, beside which nothing else stands.
fn own_cards(message: &Message, info: &Info, cards: &Value) -> Result<Draft> {
    let wrong = |path: &str, words: &str| Err(Error::new(ErrorCode::Message, words).at(path));
    let alone = "cards in \"attachments\" have no place for it: write it into a card";
    let has_text = message.text.as_deref().is_some_and(|text| !text.is_empty());
    for (has, path) in [
        (has_text, "text"),
        (!message.parts.is_empty(), "parts"),
        (message.title.is_some(), "title"),
    ] {
        if has {
            return wrong(path, alone);
        }
    }
    let mut whole = Map::from_iter([("type".to_owned(), "message".into())]);
    extra::merge(&mut whole, message, info)?;
    if let Some(name) = whole.keys().find(|name| !["type", ATTACHMENTS].contains(&name.as_str())) {
        return wrong(&format!("extra.{name}"), alone);
    }
    let is_card = |card: &Value| card["contentType"].is_string();
    let path = format!("extra.{ATTACHMENTS}");
    if !cards.as_array().is_some_and(|cards| !cards.is_empty() && cards.iter().all(is_card)) {
        return wrong(&path, "expected an array of objects with a contentType and a content");
    }
    let body = json::body(&whole);
    match body.len() > MOST as usize {
        true => too_large(body.len(), &path),
        false => Ok(Draft::of(body)),
    }
}

/// A card with a text, whom that calls, and the parameters of the caller's own.
fn card(text: &str, calls: &Piece, message: &Message, info: &Info) -> Result<Map<String, Value>> {
    let mut card = Map::from_iter([
        ("$schema".to_owned(), "http://adaptivecards.io/schemas/adaptive-card.json".into()),
        ("type".to_owned(), "AdaptiveCard".into()),
    ]);
    if message.extra.as_ref().is_none_or(|extra| !extra.contains_key("version")) {
        card.put("version", VERSION);
    }
    if !text.trim().is_empty() {
        let block = vec![object! {"type": "TextBlock", "text": text, "wrap": true}];
        card.put("body", block);
    }
    let mut entities: Vec<Value> = Vec::new();
    for (user, name) in &calls.mentions {
        let name = name.as_ref().unwrap_or(user);
        let entity = object! {"type": "mention", "text": format!("<at>{name}</at>"),
        "mentioned": object! {"id": &**user, "name": &**name}};
        if !entities.contains(&entity) {
            entities.push(entity);
        }
    }
    if !entities.is_empty() {
        card.put("msteams", object! {"entities": entities});
    }
    extra::merge(&mut card, message, info)?;
    Ok(card)
}

/// The body with a card.
fn body(card: Map<String, Value>) -> String {
    let attachment = object! {"contentType": CARD, "contentUrl": Value::Null, "content": card};
    object! {"type": "message", "attachments": vec![attachment]}.to_string()
}
