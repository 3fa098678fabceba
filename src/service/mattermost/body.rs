//! The body of a post to Mattermost, and of its files.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Kind, Message, Priority};
use crate::service::api::{Body, Draft, Seed};
use crate::service::extra;
use crate::service::info::Info;
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose};
use crate::service::wire::json::{Members as _, object};
use crate::service::wire::multipart::Multipart;

/// The longest text, in code points.
pub const MAX_TEXT: u32 = 16_383;
/// The most files of a post.
pub const MAX_FILES: u32 = 10;

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 9] = [
    "props",
    "metadata",
    "file_ids",
    "attachments",
    "username",
    "icon_url",
    "icon_emoji",
    "type",
    "priority",
];
/// Those that only webhooks have.
pub const OF_WEBHOOKS: [&str; 6] =
    ["attachments", "username", "icon_url", "icon_emoji", "type", "priority"];
/// Those that only posts of bots have.
pub const OF_BOTS: [&str; 2] = ["metadata", "file_ids"];

/// An id as Mattermost writes it: 26 letters and digits.
pub fn id<'a>(id: &'a str, path: &str) -> Result<&'a str> {
    let is_id = id.len() == 26 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    match is_id {
        true => Ok(id),
        false => {
            let words = format!(
                "{id:?} is no id of Mattermost: 26 small letters and digits, which View Info shows"
            );
            wrong(path, words)
        }
    }
}

fn given<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    let extra = message.extra.as_ref()?;
    extra.get(name).filter(|value| !value.is_null())
}

/// Refuses parameters that only the other kind of account has.
pub fn takes(message: &Message, others: &[&str], who: &str) -> Result<()> {
    match others.iter().find(|name| given(message, name).is_some()) {
        None => Ok(()),
        Some(name) => wrong(format!("extra.{name}"), format!("messages of {who} have no {name:?}")),
    }
}

/// How urgent a post is, as its object says.
fn priority(message: &Message) -> Result<Option<Value>> {
    let word = match message.priority {
        Priority::Normal => return Ok(None),
        Priority::High => "important",
        Priority::Urgent => "urgent",
        Priority::Low => {
            let words = "mattermost knows no priority below the usual one";
            return Err(Error::new(ErrorCode::Unsupported, words).at("priority"));
        }
    };
    Ok(Some(object! {"priority": word}))
}

/// The texts of a message: one, or several where it was split.
fn texts(message: &Message) -> Result<Vec<Piece>> {
    let rules = Rules {
        unit: Unit::CodePoints,
        most: MAX_TEXT as usize,
        markup: Markup::CommonMark,
        title: Title::FirstLine,
    };
    compose(message, &rules)
}

/// The drafts of the pieces: of what stands in `common` and a text each, the first with what else there is.
fn drafts(
    message: &Message,
    info: &Info,
    (text, common, of_all): (&str, Map<String, Value>, &[&str]),
    is_whole: fn(&Map<String, Value>) -> bool,
) -> Result<Draft> {
    let pieces = texts(message)?;
    let notes = pieces.first().map(Piece::notes).unwrap_or_default();
    let mut first = common.clone();
    if let Some(piece) = pieces.first().filter(|piece| !piece.text.trim().is_empty()) {
        first.put(text, piece.text.as_str());
    }
    extra::merge(&mut first, message, info)?;
    if !is_whole(&first) && message.attachments.is_empty() {
        return wrong("text", "the message is empty: give \"text\" or \"parts\", or files");
    }
    let more = pieces.iter().skip(1).map(|piece| {
        let mut body = common.clone();
        body.put(text, piece.text.as_str());
        let all = of_all.iter().filter_map(|name| Some((*name, first.get(*name)?)));
        body.extend(all.map(|(name, value)| (name.to_owned(), value.clone())));
        Draft::json(&body)
    });
    Ok(Draft { pieces: more.collect(), notes, ..Draft::json(&first) })
}

/// The draft of a bot's post but for where it goes; the form of its files stands in `rest`.
pub fn post(message: &Message, info: &Info, seed: Seed) -> Result<Draft> {
    let mut common = Map::new();
    if let Some(thread) = &message.thread {
        common.put("root_id", id(thread, "thread")?);
    }
    if let Some(priority) = priority(message)? {
        common.put("metadata", object! {"priority": priority});
    }
    let files = &message.attachments;
    if files.len() > MAX_FILES as usize {
        let words = format!("{} files; Mattermost takes {MAX_FILES} in one post", files.len());
        return Err(Error::new(ErrorCode::TooLarge, words).at("attachments"));
    }
    if !files.is_empty() && given(message, "file_ids").is_some() {
        return wrong("extra.file_ids", "\"file_ids\" is set by \"attachments\" already");
    }
    let is_whole = |body: &Map<String, Value>| {
        let has_cards = body.get("props").is_some_and(|props| props.get("attachments").is_some());
        has_cards || body.contains_key("message") || body.contains_key("file_ids")
    };
    let mut draft = drafts(message, info, ("message", common, &[]), is_whole)?;
    if !files.is_empty() {
        let form = files.iter().fold(Multipart::new(seed), |form, file| form.file("files", file));
        draft = draft.with_form(form.finish());
    }
    Ok(draft)
}

/// The draft of a webhook's message.
pub fn hook(message: &Message, info: &Info, _seed: Seed) -> Result<Draft> {
    let mut common = Map::new();
    if let Some(channel) = message.to.one(Kind::Channel) {
        common.put("channel", channel);
    }
    if let Some(priority) = priority(message)? {
        common.put("priority", priority);
    }
    let is_whole =
        |body: &Map<String, Value>| body.contains_key("text") || body.contains_key("attachments");
    let of_all = ["username", "icon_url", "icon_emoji"];
    drafts(message, info, ("text", common, &of_all), is_whole)
}

/// The body of a post, with what its steps gave.
pub fn addressed(draft: &Draft, channel: &str, files: &str, pending: &str) -> Body {
    let mut head = format!("{{\"channel_id\":{},", Value::from(channel));
    if !files.is_empty() {
        let ids: Vec<_> = files.split(',').collect();
        head.push_str(&format!("\"file_ids\":{},", Value::from(ids)));
    }
    head.push_str(&format!("\"pending_post_id\":{}", Value::from(pending)));
    let rest = draft.body.slice(1..);
    if rest.len() > 1 {
        head.push(',');
    }
    Body::Several(vec![Bytes::from(head), rest])
}
