//! The body of a message to Google Chat, and the parameters beside it.

use serde_json::{Map, Value};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Message;
use crate::service::api::Draft;
use crate::service::extra;
use crate::service::info::Info;
use crate::service::text::{Markup, Rules, Title, Unit, compose, drafts};
use crate::service::wire::json::{self, Members as _, object};

/// What Google Chat's bodies are.
pub const CONTENT_TYPE: &str = "application/json; charset=UTF-8";
/// How large a message may be with its cards, in bytes.
pub const MOST: u32 = 32_000;
/// The parameter that says what becomes of a message to a thread. Without it the thread is ignored.
pub const REPLY_OPTION: &str = "messageReplyOption";
/// A new thread where there is none yet.
const REPLY: &str = "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD";

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 7] = [
    "cardsV2",
    "fallbackText",
    "accessoryWidgets",
    "thread",
    REPLY_OPTION,
    "requestId",
    "messageId",
];
/// Those that stand in the URL.
const OF_QUERY: [&str; 3] = [REPLY_OPTION, "requestId", "messageId"];
/// Those that count as much as a text does.
const CARDS: [&str; 2] = ["cardsV2", "accessoryWidgets"];

/// The draft of a message; what was split follows in pieces, in the same thread. `has_option`: the URL says
/// itself what becomes of a message to a thread.
pub fn encode(message: &Message, info: &Info, has_option: bool) -> Result<Draft> {
    let given = |name: &str| message.extra.as_ref()?.get(name).filter(|value| !value.is_null());
    let cards: usize = CARDS.iter().filter_map(|name| given(name)).map(length).sum();
    if cards > MOST as usize {
        let words = format!("the cards have {cards} bytes; Google Chat takes {MOST} with the text");
        return Err(Error::new(ErrorCode::TooLarge, words).at("extra.cardsV2"));
    }
    let rules = Rules {
        unit: Unit::Bytes,
        most: MOST as usize - cards,
        markup: Markup::GoogleChat,
        title: Title::FirstLine,
    };
    let pieces = compose(message, &rules)?;
    let mut common = Map::new();
    if let Some(thread) = &message.thread {
        common.put("thread", self::thread(thread));
    }
    let mut params = Vec::new();
    for name in OF_QUERY {
        match given(name) {
            None => {}
            Some(Value::String(value)) => params.push((name, value.clone())),
            Some(_) => {
                return Err(
                    Error::new(ErrorCode::Message, "expected a text").at(format!("extra.{name}"))
                );
            }
        }
    }
    let in_thread = message.thread.is_some() || given("thread").is_some();
    if in_thread && !has_option && given(REPLY_OPTION).is_none() {
        params.push((REPLY_OPTION, REPLY.to_owned()));
    }
    drafts(pieces, |n, piece| {
        let mut body = Map::new();
        if !piece.text.trim().is_empty() {
            body.put("text", piece.text.as_str());
        }
        body.extend(common.clone());
        let mut params = params.clone();
        // What stands beside a text stands beside its first piece.
        if n == 0 {
            extra::merge(&mut body, message, info)?;
            OF_QUERY.iter().for_each(|name| _ = body.shift_remove(*name));
            if !body.contains_key("text") && !body.contains_key("cardsV2") {
                let words =
                    "the message is empty: give \"text\" or \"parts\", or cardsV2 in \"extra\"";
                return Err(Error::new(ErrorCode::Message, words).at("text"));
            }
        } else {
            if let Some(thread) = given("thread") {
                body.entry("thread").or_insert_with(|| thread.clone());
            }
            params.retain(|(name, _)| *name == REPLY_OPTION);
        }
        Ok(Draft { params, ..Draft::of(json::body(&body)) })
    })
}

/// A thread by its name, as an answer tells it, or by a key of the caller's own.
fn thread(thread: &str) -> Value {
    let parts: Vec<_> = thread.split('/').collect();
    match parts.as_slice() {
        ["spaces", _, "threads", _] => object! {"name": thread},
        _ => object! {"threadKey": thread},
    }
}

/// How many bytes it has as JSON.
fn length(value: &Value) -> usize {
    value.to_string().len()
}
