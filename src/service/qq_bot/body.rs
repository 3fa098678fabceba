//! The body of a message of QQ's bot.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::WINDOW;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Format, Kind, Message, Part, Source};
use crate::model::receipt::Note;
use crate::service::api::{Body, Dedupe, Draft, ScopeKey, Seed};
use crate::service::check::{check, one_of};
use crate::service::extra;
use crate::service::info::{Info, Scope};
use crate::service::robot;
use crate::service::text::{MENTIONED, Markup, Piece, Rules, Title, Unit, compose};
use crate::service::wire::json::Object;

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 9] = [
    "msg_type",
    "markdown",
    "keyboard",
    "media",
    "event_id",
    "msg_seq",
    "message_reference",
    "is_wakeup",
    "input_notify",
];

/// Whom a message is to: the part of the path before the id, and the id.
pub const KIND: &str = "kind";
pub const ID: &str = "id";
/// How a file goes up, as JSON, and what it is known by then.
pub const FILE: &str = "file";
pub const MEDIA: &str = "media";

/// What calls somebody in a text, and what reads the same and does not.
const CALL: &str = "<qqbot-at";
const NO_CALL: &str = "<\u{200b}qqbot-at";

fn error<T>(code: ErrorCode, words: impl Into<String>, path: impl Into<String>) -> Result<T> {
    Err(Error::new(code, words).at(path))
}

fn given<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    message.extra.as_ref()?.get(name).filter(|value| !value.is_null())
}

/// What becomes of a message: its text or what `extra` has, and each file after that.
pub fn encode(message: &Message, info: &Info, seed: Seed) -> Result<Draft> {
    check(message, info)?;
    let kind = one_of(message, &[Kind::User, Kind::Group])?;
    let id = message.to.one(kind).unwrap_or_default();
    let is_id = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !is_id {
        let words = format!("{id:?} is no openid, which QQ's events tell");
        return error(ErrorCode::Message, words, format!("to.{}", kind.name()));
    }
    let (contents, notes) = contents(message, info)?;
    let mut drafts = Vec::new();
    for (members, file) in contents {
        let seed = Seed(seed.0.wrapping_add(drafts.len() as u64));
        let mut draft = draft(message, members, seed)?;
        draft.keep(KIND, if kind == Kind::User { "users" } else { "groups" }.to_owned());
        draft.keep(ID, id.to_owned());
        if let Some(file) = file {
            draft.keep(FILE, file);
        }
        let key = format!("{}/{id}", kind.name());
        draft.scopes = vec![ScopeKey { scope: Scope::Recipient, key }];
        drafts.push(draft);
    }
    if given(message, "msg_seq").is_some() && drafts.len() > 1 {
        let words = "each part of the message needs a msg_seq of its own: leave it out";
        return error(ErrorCode::Message, words, "extra.msg_seq");
    }
    let mut drafts = drafts.into_iter();
    match drafts.next() {
        Some(first) => Ok(Draft { pieces: drafts.collect(), notes, ..first }),
        None => {
            let words = "the message is empty: give \"text\", \"parts\", a file, or \"markdown\" in \"extra\"";
            error(ErrorCode::Message, words, "text")
        }
    }
}

/// The members of each request, and how its file goes up.
type Contents = Vec<(Map<String, Value>, Option<String>)>;

fn contents(message: &Message, info: &Info) -> Result<(Contents, Vec<Note>)> {
    let (mut contents, mut notes): (Contents, _) = (Vec::new(), Vec::new());
    let has_words = robot::has_words(message) || message.title.is_some();
    let own = ["markdown", "media", "input_notify"]
        .into_iter()
        .find(|name| given(message, name).is_some());
    let mut first = Map::new();
    if has_words {
        if let Some(name) = own {
            let words =
                format!("beside {name:?} there is no place for a text: leave one of them out");
            return error(ErrorCode::Message, words, format!("extra.{name}"));
        }
        for (i, part) in message.parts.iter().enumerate() {
            if *part == Part::MentionAll {
                let words = "QQ's document has no mention of everybody";
                return error(ErrorCode::Unsupported, words, format!("parts[{i}]"));
            }
        }
        let is_text = message.format == Format::Plain && message.title.is_none();
        let rules = Rules {
            unit: Unit::CodePoints,
            most: usize::MAX,
            markup: match (is_text, message.parts.is_empty()) {
                // A plain text stays as it stands.
                (true, true) => Markup::Plain,
                (true, false) => Markup::Marked,
                (false, _) => Markup::Qq,
            },
            title: Title::FirstLine,
        };
        let pieces = compose(message, &rules)?;
        notes = pieces.first().map(Piece::notes).unwrap_or_default();
        for piece in &pieces {
            let members = match is_text {
                true => json!({"msg_type": 0, "content": called(piece)}),
                false => json!({"msg_type": 2, "markdown": {"content": piece.text}}),
            };
            contents.push((object(members), None));
        }
        first =
            contents.first_mut().map(|(members, _)| std::mem::take(members)).unwrap_or_default();
    } else if let Some(name) = own {
        let kind = match name {
            "markdown" => 2,
            "media" => 7,
            _ => 6,
        };
        first = object(json!({"msg_type": kind}));
        contents.push((Map::new(), None));
    }
    if contents.is_empty() {
        extra::merge(&mut Map::new(), message, info)?;
    } else {
        extra::merge(&mut first, message, info)?;
        for name in ["msg_seq", "event_id"] {
            first.shift_remove(name);
        }
        contents[0].0 = first;
    }
    for attachment in &message.attachments {
        let Source::Url(url) = &attachment.source else { continue };
        let kind = match attachment.media_type() {
            kind if kind.starts_with("image/") => 1,
            kind if kind.starts_with("video/") => 2,
            kind if kind.starts_with("audio/") => 3,
            _ => 4,
        };
        let name = attachment.file_name();
        let file = json!({"file_type": kind, "url": url.as_str(), "srv_send_msg": false, "file_name": name});
        contents.push((object(json!({"msg_type": 7})), Some(file.to_string())));
    }
    Ok((contents, notes))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// A text in which nobody is called but those whom the message mentions.
fn called(piece: &Piece) -> String {
    let mut text = piece.text.replace(CALL, NO_CALL);
    for (user, _) in &piece.mentions {
        let user: String = user.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        text = text.replacen(MENTIONED[0], &format!("{CALL}-user id=\"{user}\" />"), 1);
    }
    text
}

/// A request, with what it answers, and what QQ knows it by then.
fn draft(message: &Message, members: Map<String, Value>, seed: Seed) -> Result<Draft> {
    let mut body = Object::new();
    let mut draft = Draft::default();
    for (name, value) in &members {
        body.put(name, value);
    }
    if let Some(id) = &message.reply_to {
        body.put("msg_id", &id.as_str().into());
        let own = given(message, "msg_seq");
        let value = match own.map(Value::as_u64) {
            None => seq(seed),
            Some(Some(own)) if (1..=u64::from(u32::MAX)).contains(&own) => own.to_string(),
            Some(_) => {
                let words = "a msg_seq is a whole number from 1 on, of 32 bits";
                return error(ErrorCode::Message, words, "extra.msg_seq");
            }
        };
        let at = Some(body.put_text("msg_seq", &value));
        let renew: Option<fn(Seed) -> String> = own.is_none().then_some(seq);
        draft.dedupe = Some(Dedupe { value, at, window: WINDOW, renew });
    } else if given(message, "msg_seq").is_some() {
        let words = "a msg_seq goes with the message that is answered: give \"reply_to\"";
        return error(ErrorCode::Message, words, "extra.msg_seq");
    }
    if let Some(event) = given(message, "event_id") {
        if message.reply_to.is_some() {
            let words = "an answer is to a message or to an event: leave \"reply_to\" out";
            return error(ErrorCode::Message, words, "extra.event_id");
        }
        body.put("event_id", event);
    }
    draft.body = body.finish();
    Ok(draft)
}

/// A number of 31 bits that is not 0.
fn seq(seed: Seed) -> String {
    ((seed.0 as u32 >> 1).max(1)).to_string()
}

/// True for a draft whose file has to go up first.
pub fn lacks_media(draft: &Draft) -> bool {
    draft.kept(FILE).is_some() && draft.kept(MEDIA).is_none()
}

/// The body of a draft, with the file that went up.
pub fn with_media(draft: &Draft) -> Body {
    let Some(info) = draft.kept(MEDIA) else { return Body::One(draft.body.clone()) };
    let end = format!(",\"media\":{{\"file_info\":{}}}}}", Value::from(info));
    Body::Several(vec![draft.body.slice(..draft.body.len() - 1), Bytes::from(end)])
}
