//! The body of a message of WeCom's app, and of its files.

use serde_json::{Map, Value, json};

use super::answer::EVERYBODY;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Attachment, Format, Kind, Message, Part};
use crate::model::receipt::Note;
use crate::service::api::{Dedupe, Draft, ScopeKey, Seed};
use crate::service::check::{check, first_of};
use crate::service::extra;
use crate::service::info::{Info, Scope};
use crate::service::robot::{self, Link, Mentions, is_phone, links};
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose};
use crate::service::upload::bytes_of;
use crate::service::wecom::{draft, media};

/// The longest text, and the longest Markdown, in bytes of UTF-8.
pub const MAX_TEXT: u32 = 2048;
/// The most links.
pub const MAX_ARTICLES: u32 = 8;
/// The largest image and the largest video, in bytes.
pub const MAX_IMAGE: u32 = 10 << 20;
/// The largest recording, in bytes.
pub const MAX_VOICE: u32 = 2 << 20;
/// The largest file, in bytes.
pub const MAX_FILE: u32 = 20 << 20;
/// What has no more bytes is no file to WeCom.
const MIN_FILE: usize = 5;
/// The most users of a request, and the most departments and tags.
const MOST: [(Kind, &str, usize); 3] = [
    (Kind::Users, "touser", 1000),
    (Kind::Departments, "toparty", 100),
    (Kind::Tags, "totag", 100),
];

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 15] = [
    "msgtype",
    "text",
    "markdown",
    "image",
    "voice",
    "video",
    "file",
    "textcard",
    "news",
    "mpnews",
    "miniprogram_notice",
    "template_card",
    "safe",
    "enable_id_trans",
    "enable_duplicate_check",
];
/// Those of them that hold for each request of a message.
const OF_ALL: [&str; 3] = ["safe", "enable_id_trans", "enable_duplicate_check"];
/// The types of message whose object has a text, and the others.
const WITH_TEXT: [&str; 2] = ["text", "markdown"];
const WITHOUT_TEXT: [&str; 9] = [
    "image",
    "voice",
    "video",
    "file",
    "textcard",
    "news",
    "mpnews",
    "miniprogram_notice",
    "template_card",
];

fn error<T>(code: ErrorCode, words: impl Into<String>, path: impl Into<String>) -> Result<T> {
    Err(Error::new(code, words).at(path))
}

fn given<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    message.extra.as_ref()?.get(name).filter(|value| !value.is_null())
}

/// What becomes of a message: its text or card, and each file after that.
pub fn encode(message: &Message, info: &Info, agent_id: u64, seed: Seed) -> Result<Draft> {
    check(message, info)?;
    let to = recipients(message)?;
    let common = common(message, &to, agent_id);
    let links = links(message, info.title)?;
    let (mut drafts, mut notes) = (Vec::new(), Vec::new());
    if let Some(kind) = kind(message, &links)? {
        let contents = match links.as_slice() {
            [] => words(message, kind, &mut notes)?,
            links => vec![news(links)?],
        };
        for content in contents {
            let mut body = common.clone();
            body.insert("msgtype".to_owned(), kind.into());
            if !content.is_empty() {
                body.insert(kind.to_owned(), content.into());
            }
            extra::merge(&mut body, message, info)?;
            if !body.contains_key(kind) {
                return empty();
            }
            drafts.push(draft(body)?);
        }
    }
    for (i, attachment) in message.attachments.iter().enumerate() {
        let mut body = common.clone();
        for name in OF_ALL {
            body.extend(given(message, name).map(|value| (name.to_owned(), value.clone())));
        }
        let seed = Seed(seed.0.wrapping_add(i as u64));
        let file = file(attachment, body, seed);
        drafts.push(file.map_err(|error| error.at(format!("attachments[{i}]")))?);
    }
    let scopes = to.iter().filter(|(kind, _)| *kind == Kind::Users);
    let scopes: Vec<_> = scopes
        .map(|(_, user)| ScopeKey { scope: Scope::Recipient, key: format!("{agent_id}/{user}") })
        .collect();
    let dedupe = dedupe(message, &to)?;
    for draft in &mut drafts {
        (draft.to, draft.scopes, draft.dedupe) = (to.clone(), scopes.clone(), dedupe.clone());
    }
    let mut drafts = drafts.into_iter();
    match drafts.next() {
        Some(first) => Ok(Draft { pieces: drafts.collect(), notes, ..first }),
        None => empty(),
    }
}

fn empty<T>() -> Result<T> {
    let words = "the message is empty: give \"text\", \"parts\", a file, or a card in \"extra\"";
    error(ErrorCode::Message, words, "text")
}

/// Whom one request is to: as many of each kind as it takes, or none where it goes into a group.
fn recipients(message: &Message) -> Result<Vec<(Kind, String)>> {
    let listed: Vec<_> = MOST.iter().filter(|(kind, ..)| message.to.has(*kind)).collect();
    match (message.to.has(Kind::Chat), listed.as_slice()) {
        (true, []) => return Ok(Vec::new()),
        (true, [(kind, ..), ..]) => {
            let words = "a message goes to a \"chat\", or to users, departments and tags";
            return error(ErrorCode::Message, words, format!("to.{}", kind.name()));
        }
        (false, []) => {
            let words = "the recipients are missing: give \"to\": {\"users\": […]}, {\"departments\": […]}, \
                         {\"tags\": […]} or {\"chat\": …}";
            return error(ErrorCode::Message, words, "to.users");
        }
        _ => {}
    }
    let count = listed.iter().map(|(kind, ..)| message.to.all(*kind).count()).sum::<usize>();
    for (kind, ..) in &listed {
        for (i, name) in message.to.all(*kind).enumerate() {
            let path = || format!("to.{}[{i}]", kind.name());
            if name.contains('|') {
                let words = "a \"|\" stands between two of them: give each by itself";
                return error(ErrorCode::Message, words, path());
            }
            if *kind == Kind::Users && name == EVERYBODY && count > 1 {
                let words = "beside \"@all\" WeCom sees no other recipient: give it alone";
                return error(ErrorCode::Message, words, path());
            }
        }
    }
    Ok(listed.iter().flat_map(|(kind, _, most)| first_of(message, *kind, *most)).collect())
}

/// The members that all requests of a message have.
fn common(message: &Message, to: &[(Kind, String)], agent_id: u64) -> Map<String, Value> {
    let mut body = Map::new();
    if let Some(chat) = message.to.one(Kind::Chat) {
        body.insert("chatid".to_owned(), chat.into());
        return body;
    }
    for (kind, name, _) in MOST {
        let of_kind = to.iter().filter(|(own, _)| *own == kind).map(|(_, to)| to.as_str());
        let of_kind: Vec<_> = of_kind.collect();
        if !of_kind.is_empty() {
            body.insert(name.to_owned(), of_kind.join("|").into());
        }
    }
    body.insert("agentid".to_owned(), agent_id.into());
    body
}

/// What WeCom knows a message by where the caller asked it to look: its content, for half an hour.
fn dedupe(message: &Message, to: &[(Kind, String)]) -> Result<Option<Dedupe>> {
    let on = match given(message, "enable_duplicate_check") {
        None => return Ok(None),
        Some(value) => value.as_u64(),
    };
    if to.is_empty() {
        let words = "a group has no \"enable_duplicate_check\"";
        return error(ErrorCode::Message, words, "extra.enable_duplicate_check");
    }
    Ok((on == Some(1)).then(|| Dedupe {
        value: "content".to_owned(),
        at: None,
        window: super::WINDOW,
        renew: None,
    }))
}

/// The type that the words, the links or the `extra` of a message are sent as; none where it has none.
fn kind(message: &Message, links: &[Link]) -> Result<Option<&'static str>> {
    if !links.is_empty() {
        return Ok(Some("news"));
    }
    let all = || WITH_TEXT.into_iter().chain(WITHOUT_TEXT);
    if let Some(told) = given(message, "msgtype").and_then(Value::as_str) {
        let known = all().find(|own| *own == told);
        return known.map(Some).ok_or_else(|| {
            let known = all().collect::<Vec<_>>().join(", ");
            let words = format!("the type {told:?} is unknown; known here: {known}");
            Error::new(ErrorCode::Message, words).at("extra.msgtype")
        });
    }
    Ok(match all().find(|own| given(message, own).is_some_and(Value::is_object)) {
        Some(own) => Some(own),
        None if !robot::has_words(message) && message.title.is_none() => None,
        None if message.format == Format::Plain => Some("text"),
        None => Some("markdown"),
    })
}

/// The objects of a type with the words of a message in them, one a piece of its text.
fn words(message: &Message, kind: &str, notes: &mut Vec<Note>) -> Result<Vec<Map<String, Value>>> {
    if !robot::has_words(message) && message.title.is_none() {
        return Ok(vec![Map::new()]);
    }
    if WITHOUT_TEXT.contains(&kind) {
        let words = format!("a message of the type {kind:?} has no text of its own");
        return error(ErrorCode::Unsupported, words, "text");
    }
    let can_mention = kind == "text" && message.to.has(Kind::Chat);
    for (i, part) in message.parts.iter().enumerate() {
        let is_known = match part {
            Part::Mention { user, .. } => can_mention && !is_phone(user),
            Part::MentionAll => can_mention,
            _ => true,
        };
        if !is_known {
            let words = "WeCom's apps mention members by their ids in texts to a \"chat\" only";
            return error(ErrorCode::Unsupported, words, format!("parts[{i}]"));
        }
    }
    let markup = if kind == "text" { Markup::Plain } else { Markup::WeCom };
    let (unit, most) = (Unit::Bytes, MAX_TEXT as usize);
    let pieces = compose(message, &Rules { unit, most, markup, title: Title::FirstLine })?;
    notes.extend(pieces.first().map(Piece::notes).unwrap_or_default());
    let object = |piece: &Piece| {
        let mut object = Map::from_iter([("content".to_owned(), piece.text.as_str().into())]);
        let mentions = Mentions::of(piece);
        let called = mentions.users.iter().copied().chain(mentions.all.then_some("@all"));
        let called: Vec<_> = called.collect();
        if !called.is_empty() {
            object.insert("mentioned_list".to_owned(), called.into());
        }
        object
    };
    Ok(pieces.iter().map(object).collect())
}

/// Links as the articles of a message.
fn news(links: &[Link]) -> Result<Map<String, Value>> {
    if links.len() > MAX_ARTICLES as usize {
        let words = format!("{} links; WeCom takes {MAX_ARTICLES}", links.len());
        return error(ErrorCode::Message, words, "parts");
    }
    let article = |link: &Link| {
        let title = link.title.filter(|title| !title.is_empty()).unwrap_or(link.url);
        let mut article = json!({"title": title, "url": link.url});
        for (name, value) in [("description", link.description), ("picurl", link.picture)] {
            if let Some(value) = value {
                article[name] = value.into();
            }
        }
        article
    };
    let articles: Vec<_> = links.iter().map(article).collect();
    Ok(Map::from_iter([("articles".to_owned(), articles.into())]))
}

/// The draft of a file: the form by which it goes up stands in its `rest`.
fn file(attachment: &Attachment, body: Map<String, Value>, seed: Seed) -> Result<Draft> {
    let (kind, most) = match attachment.media_type() {
        "image/jpeg" | "image/png" => ("image", MAX_IMAGE),
        "audio/amr" => ("voice", MAX_VOICE),
        "video/mp4" => ("video", MAX_IMAGE),
        _ => ("file", MAX_FILE),
    };
    let length = bytes_of(attachment, most, "WeCom")?.len();
    if length <= MIN_FILE {
        let words = format!("it has {length} bytes; WeCom takes no file of so few");
        return Err(Error::new(ErrorCode::Message, words));
    }
    media::draft(body, kind, attachment, seed)
}
