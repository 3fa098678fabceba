//! The body of a message to Pushover: JSON, or a form with its file.

use serde_json::{Map, Value};

use super::html;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Attachment, Format, Message, Overflow};
use crate::service::api::{Body, Draft, Seed};
use crate::service::info::Info;
use crate::service::notice::{Notice, drafts, level};
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose};
use crate::service::wire::json::{self, Members as _};
use crate::service::wire::multipart::Multipart;

/// The longest text, in code points, marks of HTML among them.
pub const MAX_TEXT: u32 = 1024;
/// The longest title.
pub const MAX_TITLE: u32 = 250;
/// The longest URL beside the text, and its title.
const MAX_URL: u32 = 512;
const MAX_URL_TITLE: u32 = 100;
/// The largest file, in bytes.
pub const MAX_FILE: u32 = 5 << 20;
/// How often an emergency rings, and for how long, in seconds.
const RETRY: i64 = 60;
const EXPIRE: i64 = 3600;
const LEAST_RETRY: i64 = 30;
const MOST_EXPIRE: i64 = 10_800;

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 15] = [
    "device",
    "url",
    "url_title",
    "sound",
    "ttl",
    "html",
    "monospace",
    "timestamp",
    "priority",
    "retry",
    "expire",
    "callback",
    "tags",
    "attachment_base64",
    "attachment_type",
];
/// What a split text has once.
const ONCE: [&str; 4] = ["url", "url_title", "attachment_base64", "attachment_type"];

#[cold]
#[inline(never)]
fn refused<T>(code: ErrorCode, path: &str, words: String) -> Result<T> {
    Err(Error::new(code, words).at(path))
}

/// The draft of a message to a user, but for the token.
pub fn encode(message: &Message, info: &'static Info, user: &str, seed: Seed) -> Result<Draft> {
    let pieces = pieces(message)?;
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.put(name, value);
    put("user", user.into());
    if let Some(title) = &message.title {
        put("title", title.as_str().into());
    }
    if let Some(level) = level(message, [-1, 1, 2])? {
        put("priority", level.into());
    }
    if message.format != Format::Plain {
        put("html", 1.into());
    }
    let file = file(message)?;
    let contents: &[&str] = if file.is_some() { &["user"] } else { &["message"] };
    let notice = Notice { message, info, body, once: &ONCE, contents };
    let mut bodies = notice.bodies(&pieces, |body, piece| {
        body.put("message", piece.text.as_str());
    })?;
    // A message has a text.
    if let (Some(file), Some(first)) = (file, bodies.first_mut())
        && !first.contains_key("message")
    {
        first.put("message", file.file_name());
    }
    for body in &mut bodies {
        settle(body)?;
    }
    let whole = drafts(&bodies, &pieces);
    let (Some(file), Some(first)) = (file, bodies.first()) else { return Ok(whole) };
    if first.contains_key("attachment_base64") {
        let words = "the message has a file already, of which Pushover takes one".to_owned();
        return refused(ErrorCode::Message, "extra.attachment_base64", words);
    }
    let mut form = Multipart::new(seed);
    for (name, value) in first {
        form = match value {
            Value::String(text) => form.text(name, text),
            other => form.text(name, &other.to_string()),
        };
    }
    let form = Draft::multipart(form.file("attachment", file).finish());
    Ok(Draft { pieces: whole.pieces, notes: whole.notes, ..form })
}

/// The texts of a message: plain, or in HTML where it has a format. Nobody tells whether its marks count: they
/// do here.
fn pieces(message: &Message) -> Result<Vec<Piece>> {
    let is_plain = message.format == Format::Plain;
    let markup = if is_plain { Markup::Plain } else { Markup::TelegramEntities };
    let mut most = MAX_TEXT as usize;
    loop {
        let rules = Rules { unit: Unit::CodePoints, most, markup, title: Title::Own };
        let mut pieces = compose(message, &rules)?;
        if !is_plain {
            pieces.iter_mut().for_each(|piece| piece.text = html::written(piece));
        }
        let longest = pieces.iter().map(|piece| piece.text.chars().count()).max();
        let Some(longest) = longest.filter(|length| *length > MAX_TEXT as usize) else {
            return Ok(pieces);
        };
        let fewer = (most * MAX_TEXT as usize / longest).min(most - 1);
        if message.overflow == Overflow::Refuse || fewer == 0 {
            let words =
                format!("the text has {longest} characters in HTML; Pushover takes {MAX_TEXT}");
            return refused(ErrorCode::TooLarge, "text", words);
        }
        most = fewer;
    }
}

/// The file of a message.
fn file(message: &Message) -> Result<Option<&Attachment>> {
    match &*message.attachments {
        [] => Ok(None),
        [file] => match file.bytes().map_or(0, |bytes| bytes.len()) {
            size if size > MAX_FILE as usize => {
                let words = format!("the file has {size} bytes; Pushover takes {MAX_FILE}");
                refused(ErrorCode::TooLarge, "attachments[0]", words)
            }
            _ => Ok(Some(file)),
        },
        files => {
            let words = format!("{} files; Pushover takes one in a message", files.len());
            refused(ErrorCode::TooLarge, "attachments", words)
        }
    }
}

/// Checks what has limits, and completes an emergency.
fn settle(body: &mut Map<String, Value>) -> Result<()> {
    for (name, path, most) in [
        ("title", "title", MAX_TITLE),
        ("url", "extra.url", MAX_URL),
        ("url_title", "extra.url_title", MAX_URL_TITLE),
    ] {
        let length = body.get(name).and_then(Value::as_str).map_or(0, |text| text.chars().count());
        if length > most as usize {
            let words = format!("{name:?} has {length} characters; Pushover takes {most}");
            return refused(ErrorCode::TooLarge, path, words);
        }
    }
    let priority = match body.get("priority") {
        None => return Ok(()),
        Some(priority) => priority.as_i64().filter(|own| (-2..=2).contains(own)),
    };
    let Some(priority) = priority else {
        let words = "expected a whole number from -2 to 2".to_owned();
        return refused(ErrorCode::Message, "extra.priority", words);
    };
    if priority < 2 {
        return Ok(());
    }
    for (name, usual, within) in
        [("retry", RETRY, LEAST_RETRY..=i64::MAX), ("expire", EXPIRE, 1..=MOST_EXPIRE)]
    {
        let value = body.entry(name).or_insert_with(|| usual.into());
        if !value.as_i64().is_some_and(|own| within.contains(&own)) {
            let words = format!(
                "an emergency rings again after \"retry\" seconds, {LEAST_RETRY} or more, until \
                 \"expire\" seconds have passed, {MOST_EXPIRE} or fewer"
            );
            return refused(ErrorCode::Message, &format!("extra.{name}"), words);
        }
    }
    Ok(())
}

/// The body with the token of the application, which stands before all else.
pub fn with_token(draft: &Draft, token: &str) -> Body {
    let head = match draft.content_type.split_once("boundary=") {
        None => json::head("token", token),
        Some((_, boundary)) => format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n"
        ),
    };
    let first = if draft.rest.is_empty() { draft.body.slice(1..) } else { draft.body.clone() };
    let pieces = [head.into(), first].into_iter().chain(draft.rest.iter().cloned());
    Body::Several(pieces.collect())
}
