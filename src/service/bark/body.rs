//! The body of a notice of Bark.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Format, Message, Overflow, Source};
use crate::service::api::{Body, Dedupe, Draft};
use crate::service::info::Info;
use crate::service::notice::{Notice, drafts, level, texts};
use crate::service::text::Unit;
use crate::service::wire::json::{self, Members as _};

/// The largest notification that Apple takes, in bytes of the JSON that the server makes.
pub const MAX_PAYLOAD: u32 = 4096;
/// What the server adds to a notice at least, and what is left for that where a text is cut.
const ADDED: usize = 100;
const ROOM: usize = 250;

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 19] = [
    "subtitle",
    "level",
    "volume",
    "badge",
    "call",
    "sound",
    "icon",
    "image",
    "group",
    "url",
    "copy",
    "autoCopy",
    "isArchive",
    "action",
    "ttl",
    "id",
    "delete",
    "ciphertext",
    "iv",
];
/// What a split text has once: pieces of one id would take each other's place.
const ONCE: [&str; 7] = ["id", "delete", "image", "copy", "autoCopy", "ciphertext", "iv"];

/// The bytes of a text between the quotes of JSON as the server writes it.
fn in_json(text: &str) -> usize {
    let length = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '<' | '>' | '&' | '\0'..' ' | '\u{2028}' | '\u{2029}' => 6,
        c => c.len_utf8(),
    };
    text.chars().map(length).sum()
}

/// The draft of a notice but for the key of its device.
pub fn encode(message: &Message, info: &'static Info, window: Duration) -> Result<Draft> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.put(name, value);
    if let Some(title) = &message.title {
        put("title", title.as_str().into());
    }
    if let Some(level) = level(message, ["passive", "timeSensitive", "critical"])? {
        put("level", level.into());
    }
    if let Some(image) = image(message)? {
        put("image", image.into());
    }
    let id = check_extra(message)?;
    let others = body.values().chain(message.extra.iter().flatten().map(|(_, value)| value));
    let others: usize = others.map(|value| value.as_str().map_or(0, in_json)).sum();
    let added = if message.overflow == Overflow::Refuse { ADDED } else { ROOM };
    let most = (MAX_PAYLOAD as usize).saturating_sub(added + others);
    let pieces = texts(message, Unit::Own(in_json, "bytes in JSON"), most.max(1))?;
    let contents = &["body", "markdown", "ciphertext", "image", "delete"];
    let notice = Notice { message, info, body, once: &ONCE, contents };
    let name = if message.format == Format::Plain { "body" } else { "markdown" };
    let bodies = notice.bodies(&pieces, |body, piece| {
        body.put(name, piece.text.as_str());
    })?;
    if bodies.first().is_some_and(|first| first.contains_key("ciphertext"))
        && (bodies.iter().any(|body| body.contains_key(name)) || message.title.is_some())
    {
        let words = "beside a ciphertext this would travel as it can be read: encrypt it, too";
        return wrong("text", words);
    }
    let mut draft = drafts(&bodies, &pieces);
    draft.dedupe = id.map(|value| Dedupe { value, at: None, window, renew: None });
    Ok(draft)
}

/// The URL of a picture, which the app fetches.
fn image(message: &Message) -> Result<Option<&str>> {
    let path = "attachments[0].url";
    match &*message.attachments {
        [] => Ok(None),
        [file] => match &file.source {
            Source::Url(url) if !["http://", "https://"].iter().any(|s| url.starts_with(s)) => {
                wrong(path, "the app fetches pictures from http:// and https:// only")
            }
            Source::Url(url) => {
                let kind = file.media_type();
                match kind.starts_with("image/") || kind == "application/octet-stream" {
                    true => Ok(Some(url)),
                    false => {
                        let words = format!("a notice of bark shows pictures only, not {kind}");
                        Err(Error::new(ErrorCode::Unsupported, words).at("attachments[0]"))
                    }
                }
            }
            _ => Ok(None),
        },
        files => {
            let words = format!("{} pictures; a notice of bark has one", files.len());
            Err(Error::new(ErrorCode::TooLarge, words).at("attachments"))
        }
    }
}

/// Checks what the server takes as text only, where another type would be lost on it or stop it; gives the id.
fn check_extra(message: &Message) -> Result<Option<String>> {
    let text = |name: &str| {
        let value = message.extra.as_ref().and_then(|extra| extra.get(name));
        match value.filter(|value| !value.is_null()) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(_) => wrong(format!("extra.{name}"), "expected a text"),
        }
    };
    text("group")?;
    text("id")
}

/// The body with the key of a device, which stands before all else.
pub fn addressed(draft: &Draft, key: &str) -> Body {
    let head = json::head("device_key", key);
    Body::Several(vec![Bytes::from(head), draft.body.slice(1..)])
}
