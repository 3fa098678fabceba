//! The events of a message to Matrix, and what its steps keep.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{PLAIN_FOR, WINDOW};
use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Attachment, Format, Kind, Message, Part, Source};
use crate::model::receipt::Note;
use crate::service::api::{Body, Dedupe, Draft, Remember, Seed};
use crate::service::check::{check, one_of};
use crate::service::extra;
use crate::service::info::Info;
use crate::service::robot;
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose};
use crate::service::wire::json::{Members as _, object};

/// The most that a text and its HTML have together: an event has 65,536 bytes, and the server adds some.
pub const MAX_TEXT: u32 = 60_000;
/// The largest whole number that JSON of Matrix holds.
const MAX_NUMBER: u64 = (1 << 53) - 1;
/// The longest id.
const MAX_ID: usize = 255;
/// The most rooms with a user that are looked into.
const MOST_CANDIDATES: usize = 2;

/// The members of an event that no field of a message sets, and what is said of sending it.
pub const EXTRA: [&str; 13] = [
    "msgtype",
    "body",
    "format",
    "formatted_body",
    "m.mentions",
    "m.relates_to",
    "m.new_content",
    "info",
    "filename",
    "url",
    "geo_uri",
    "external_url",
    ALLOWED,
];

/// What a message tells its steps: the alias or the user that it is to, that it may go in the clear, what its
/// file is called.
pub const ALIAS: &str = "alias";
pub const USER: &str = "user";
pub const ALLOWED: &str = "allow_unencrypted";
pub const FILE: &str = "file";

/// What steps give: the room,
pub const ROOM: &str = "room";
/// whose account it is, which rooms are direct ones, which of them may be meant, and which was made;
pub const ME: &str = "me";
pub const DIRECT: &str = "direct";
pub const CANDIDATES: &str = "candidates";
pub const MADE: &str = "made";
/// that the room is not encrypted, that the account is not in it, that it was entered;
pub const PLAIN: &str = "plain";
pub const OUTSIDE: &str = "outside";
pub const JOINED: &str = "joined";
/// and what the file is known by.
pub const MEDIA: &str = "media";

/// What a message tells its steps under this name.
pub fn param<'a>(draft: &'a Draft, name: &str) -> Option<&'a str> {
    draft.params.iter().find(|(own, _)| *own == name).map(|(_, value)| &**value)
}

fn given<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    message.extra.as_ref()?.get(name).filter(|value| !value.is_null())
}

/// The drafts of a message: one of its words, of its file with them, or several of both.
pub fn encode(message: &Message, info: &Info, seed: Seed) -> Result<Draft> {
    check(message, info)?;
    let to = recipient(message)?;
    let allowed = match given(message, ALLOWED) {
        None => false,
        Some(Value::Bool(allowed)) => *allowed,
        Some(_) => return wrong(format!("extra.{ALLOWED}"), "expected true or false"),
    };
    let (contents, notes) = contents(message, info)?;
    let mut drafts = Vec::with_capacity(contents.len());
    for (n, (content, file)) in (0..).zip(contents) {
        let mut draft = Draft::json(&content);
        if let Some(file) = file
            && let Source::Bytes(bytes) = &file.source
        {
            // A file of nothing goes up as well.
            draft.rest = vec![bytes.clone()];
            draft.content_type = file.media_type().to_owned().into();
            draft.params.push((FILE, file.file_name().to_owned()));
        }
        let value = txn(Seed(seed.0.wrapping_add(n)));
        draft.dedupe = Some(Dedupe { value, at: None, window: WINDOW, renew: Some(txn) });
        let gone = &[ErrorCode::NotFound, ErrorCode::Forbidden];
        match to {
            (Kind::Room, room) if room.starts_with('!') => draft.keep(ROOM, room.to_owned()),
            (kind, name) => {
                draft.params.push((if kind == Kind::User { USER } else { ALIAS }, name.to_owned()));
                let alone = kind == Kind::User;
                draft.remember.push(Remember { gone, alone, ..Remember::channel(ROOM, name) });
            }
        }
        match allowed {
            true => draft.params.push((ALLOWED, String::new())),
            false => {
                let lasts = Some(PLAIN_FOR);
                draft.remember.push(Remember { gone, lasts, ..Remember::channel(PLAIN, to.1) });
            }
        }
        drafts.push(draft);
    }
    Ok(Draft::first_of(drafts, notes).unwrap_or_default())
}

/// What the server knows an event by.
fn txn(seed: Seed) -> String {
    format!("hongyan{:016x}", seed.0)
}

/// Whom the message is to: a room by its id or an alias, or a user.
fn recipient(message: &Message) -> Result<(Kind, &str)> {
    let kind = one_of(message, &[Kind::Room, Kind::User])?;
    let name = message.to.one(kind).unwrap_or_default();
    let is_own = match kind {
        Kind::User => is_user(name),
        _ => is_id(name, '!') || (is_id(name, '#') && name.contains(':')),
    };
    if is_own {
        return Ok((kind, name));
    }
    let form = match kind {
        Kind::User => "a user of Matrix is written \"@name:server\"",
        _ => "a room of Matrix is written \"!id:server\", \"!id\", or by an alias \"#name:server\"",
    };
    wrong(format!("to.{}", kind.name()), format!("{form}; this is {name:?}"))
}

fn is_user(name: &str) -> bool {
    is_id(name, '@') && name.contains(':')
}

fn is_id(id: &str, sigil: char) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    id.len() <= MAX_ID && id.len() > 1 && id.starts_with(sigil) && !id.contains(is_odd)
}

/// The content of each event, and the file that has to go up first.
type Contents<'a> = Vec<(Map<String, Value>, Option<&'a Attachment>)>;

fn contents<'a>(message: &'a Message, info: &Info) -> Result<(Contents<'a>, Vec<Note>)> {
    let pieces = texts(message)?;
    let notes = pieces.first().map(Piece::notes).unwrap_or_default();
    let files = &message.attachments;
    if !files.is_empty() && given(message, "url").is_some() {
        return wrong("extra.url", "\"url\" is set by \"attachments\" already");
    }
    if message.silent && !files.is_empty() {
        let words = "a file of Matrix cannot come without a sound: only a text can, as a notice";
        return Err(Error::new(ErrorCode::Unsupported, words).at("silent"));
    }
    let kind = if message.silent { "m.notice" } else { "m.text" };
    let mut contents: Contents = Vec::new();
    // Words that belong to one file stand beneath it.
    let caption = match (&*pieces, &**files) {
        ([piece], [_, ..]) => Some(piece),
        _ => None,
    };
    for piece in pieces.iter().filter(|_| caption.is_none()) {
        let mut content = typed(message, contents.is_empty(), kind);
        put_words(&mut content, piece);
        contents.push((content, None));
    }
    for (n, file) in files.iter().enumerate() {
        let mut content = typed(message, contents.is_empty(), media_kind(file));
        content.put("body", file.file_name());
        content.put("filename", file.file_name());
        if let Some(piece) = caption.filter(|_| n == 0) {
            put_words(&mut content, piece);
        }
        content.put("info", file_info(file));
        contents.push((content, Some(file)));
    }
    if contents.is_empty() && given(message, "body").is_some() {
        contents.push((typed(message, true, kind), None));
    }
    if contents.is_empty() {
        return wrong("text", "the message is empty: give \"text\" or \"parts\", or files");
    }
    for (n, (content, _)) in contents.iter_mut().enumerate() {
        if !content.contains_key("m.mentions") {
            content.put("m.mentions", Map::new());
        }
        if let Some(relation) = relation(message, n == 0)? {
            content.put("m.relates_to", relation);
        }
    }
    let first = &mut contents[0].0;
    extra::merge(first, message, info)?;
    first.shift_remove(ALLOWED);
    for (name, value) in message.extra.iter().flatten() {
        check_numbers(value, &format!("extra.{name}"))?;
    }
    Ok((contents, notes))
}

/// The texts of a message: one, or several where it was split.
fn texts(message: &Message) -> Result<Vec<Piece>> {
    if !robot::has_words(message) && message.title.is_none() {
        return Ok(Vec::new());
    }
    for (i, part) in message.parts.iter().enumerate() {
        if let Part::Mention { user, .. } = part
            && !is_user(user)
        {
            let words = format!("a user of Matrix is written \"@name:server\"; this is {user:?}");
            return wrong(format!("parts[{i}].user"), words);
        }
    }
    let is_plain =
        message.format == Format::Plain && message.parts.is_empty() && message.title.is_none();
    let rules = Rules {
        unit: Unit::Json,
        most: MAX_TEXT as usize,
        markup: if is_plain { Markup::Plain } else { Markup::MatrixHtml },
        title: Title::FirstLine,
    };
    compose(message, &rules)
}

/// A content of this type, unless the message's first says another itself.
fn typed(message: &Message, is_first: bool, kind: &str) -> Map<String, Value> {
    let mut content = Map::new();
    let own = given(message, "msgtype").filter(|_| is_first);
    content.put("msgtype", own.cloned().unwrap_or_else(|| kind.into()));
    content
}

/// Puts in what is said, and who is called by name in it.
fn put_words(content: &mut Map<String, Value>, piece: &Piece) {
    match (piece.marked, piece.plain.is_empty()) {
        (false, true) => content.put("body", piece.text.as_str()),
        (false, false) => content.put("body", piece.plain.as_str()),
        (true, _) => {
            content.put("body", piece.plain.as_str());
            content.put("format", "org.matrix.custom.html");
            content.put("formatted_body", piece.text.as_str());
        }
    }
    let mut mentions = Map::new();
    if !piece.mentions.is_empty() {
        let mut users: Vec<&str> = Vec::new();
        for (user, _) in &piece.mentions {
            if !users.contains(&&**user) {
                users.push(user);
            }
        }
        mentions.put("user_ids", users);
    }
    if piece.mentions_all {
        mentions.put("room", true);
    }
    content.put("m.mentions", mentions);
}

/// What sort of event a file makes.
fn media_kind(file: &Attachment) -> &'static str {
    match file.media_type().split('/').next() {
        Some("image") => "m.image",
        Some("audio") => "m.audio",
        Some("video") => "m.video",
        _ => "m.file",
    }
}

fn file_info(file: &Attachment) -> Value {
    let size = match &file.source {
        Source::Bytes(bytes) => bytes.len(),
        _ => 0,
    };
    object! {"mimetype": file.media_type(), "size": size}
}

/// What an event belongs to: a thread, and the event that it answers.
fn relation(message: &Message, is_first: bool) -> Result<Option<Value>> {
    let reply = message.reply_to.as_deref().filter(|_| is_first);
    for (path, id) in [("thread", message.thread.as_deref()), ("reply_to", reply)] {
        if let Some(id) = id.filter(|id| !is_id(id, '$')) {
            let words = format!("an event of Matrix is written \"$id\"; this is {id:?}");
            return wrong(path, words);
        }
    }
    let answers = |id: &str| object! {"event_id": id};
    Ok(match (message.thread.as_deref(), reply) {
        (None, None) => None,
        (None, Some(reply)) => Some(object! {"m.in_reply_to": answers(reply)}),
        // Who knows no threads is shown an answer to the event that the thread began with.
        (Some(root), reply) => Some(object! {
            "rel_type": "m.thread",
            "event_id": root,
            "is_falling_back": reply.is_none(),
            "m.in_reply_to": answers(reply.unwrap_or(root)),
        }),
    })
}

/// Refuses numbers that Matrix's JSON cannot hold.
fn check_numbers(value: &Value, path: &str) -> Result<()> {
    match value {
        Value::Number(number) => {
            let size = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
            match size.is_some_and(|size| size <= MAX_NUMBER) {
                true => Ok(()),
                false => wrong(path, format!("Matrix takes whole numbers up to {MAX_NUMBER} only")),
            }
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(i, item)| check_numbers(item, &format!("{path}[{i}]")))
        }
        Value::Object(members) => {
            let mut members = members.iter();
            members.try_for_each(|(name, value)| check_numbers(value, &format!("{path}.{name}")))
        }
        _ => Ok(()),
    }
}

/// The file of a draft.
pub fn file(draft: &Draft) -> Body {
    draft.rest.first().cloned().unwrap_or_default().into()
}

/// The content of a draft's event, with where its file lies.
pub fn event(draft: &Draft) -> Body {
    match draft.kept(MEDIA) {
        None => Body::One(draft.body.clone()),
        Some(uri) => {
            let head = format!("{{\"url\":{},", Value::from(uri));
            Body::Several(vec![Bytes::from(head), draft.body.slice(1..)])
        }
    }
}

/// What makes a direct room with a user.
pub fn new_room(user: &str) -> Value {
    object! {"is_direct": true, "preset": "trusted_private_chat", "invite": vec![user]}
}

/// The direct rooms with a user that may be meant, the newest first, one a line.
pub fn candidates(known: &str, user: &str) -> String {
    let known: Value = serde_json::from_str(known).unwrap_or_default();
    let rooms = known[user].as_array().into_iter().flatten().rev();
    let rooms = rooms.filter_map(Value::as_str).filter(|room| is_id(room, '!'));
    rooms.take(MOST_CANDIDATES).collect::<Vec<_>>().join("\n")
}

/// Which rooms are direct ones, with a new one.
pub fn noted(known: &str, user: &str, made: &str) -> Value {
    let mut known: Map<String, Value> = serde_json::from_str(known).unwrap_or_default();
    match known.get_mut(user) {
        Some(Value::Array(rooms)) => rooms.push(made.into()),
        _ => known.put(user, vec![made]),
    }
    Value::Object(known)
}

/// The room is known, and what led to it is needed no more.
pub fn found(draft: &mut Draft, room: String) {
    for name in [DIRECT, CANDIDATES, MADE] {
        draft.let_go(name);
    }
    draft.keep(ROOM, room);
}

/// The first of the rooms that may be meant is not it.
pub fn pass_over(draft: &mut Draft) {
    let others = draft.kept(CANDIDATES).and_then(|rooms| rooms.split_once('\n'));
    let others = others.map(|(_, others)| others.to_owned()).unwrap_or_default();
    draft.keep(CANDIDATES, others);
}

#[cfg(test)]
mod tests;
