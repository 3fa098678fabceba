//! The body of a message of DingTalk's app, and of its files.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Attachment, Format, Kind, Message, Source};
use crate::service::api::{Body, Draft, Seed};
use crate::service::check::{check, first_of, one_of};
use crate::service::extra;
use crate::service::info::Info;
use crate::service::robot::{self, links};
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose};
use crate::service::upload::bytes_of;
use crate::service::wire::multipart::Multipart;

/// The longest `msgParam`, in bytes.
pub const MAX_PARAM: u32 = 15_000;
/// The largest file, in bytes.
pub const MAX_FILE: u32 = 20 << 20;
/// The most users of a request.
const MOST_USERS: usize = 20;
/// The longest title that is made of a text, in characters, and what it takes at most, in bytes.
const MADE_TITLE: usize = 64;
const MADE_TITLE_BYTES: usize = MADE_TITLE * 6;

/// What the name of a file is kept as, and the id that it was given.
const FILE: &str = "file";
pub const MEDIA: &str = "media";

/// A key of a message, and its parameters.
type Content = (String, Map<String, Value>);

fn error<T>(code: ErrorCode, words: impl Into<String>, path: impl Into<String>) -> Result<T> {
    Err(Error::new(code, words).at(path))
}

/// What becomes of a message: its text, link or card, and each file after that.
pub fn encode(message: &Message, info: &Info, robot_code: &str, seed: Seed) -> Result<Draft> {
    check(message, info)?;
    let kind = one_of(message, &[Kind::Users, Kind::Group])?;
    let to = first_of(message, Kind::Users, MOST_USERS);
    let mut common = Map::from_iter([("robotCode".to_owned(), robot_code.into())]);
    match kind {
        Kind::Group => {
            let group = message.to.one(Kind::Group).unwrap_or_default();
            common.insert("openConversationId".to_owned(), group.into());
        }
        _ => {
            let users: Vec<_> = to.iter().map(|(_, user)| user.as_str()).collect();
            common.insert("userIds".to_owned(), users.into());
        }
    }
    let mut own = message.extra.clone().unwrap_or_default();
    let (key, param) = (own.shift_remove("msgKey"), own.shift_remove("msgParam"));
    if let Some(code) = own.get("coolAppCode").filter(|code| !code.is_null()) {
        if kind != Kind::Group {
            let words = "only messages to a \"group\" have a \"coolAppCode\"";
            return error(ErrorCode::Message, words, "extra.coolAppCode");
        }
        common.insert("coolAppCode".to_owned(), code.clone());
    }
    extra::merge(&mut Map::new(), message, info)?;
    let given = |value: Option<Value>| value.filter(|value| !value.is_null());
    let (contents, notes) = match (given(key), given(param)) {
        (None, None) => words(message, info)?,
        (key, param) => (vec![raw(message, key, param)?], Vec::new()),
    };
    let draft = |key: &str, param: Option<&Map<String, Value>>| {
        let mut body = common.clone();
        body.insert("msgKey".to_owned(), key.into());
        if let Some(param) = param {
            // The parameters are JSON in a text.
            body.insert("msgParam".to_owned(), Value::from(param.clone()).to_string().into());
        }
        Draft { to: to.clone(), ..Draft::json(&body) }
    };
    let mut drafts = Vec::new();
    for (key, param) in &contents {
        let length = Value::from(param.clone()).to_string().len();
        if length > MAX_PARAM as usize {
            let words = format!("msgParam has {length} bytes; DingTalk takes {MAX_PARAM}");
            return error(ErrorCode::TooLarge, words, "text");
        }
        drafts.push(draft(key, Some(param)));
    }
    for (i, attachment) in message.attachments.iter().enumerate() {
        let at = |error: Error| error.at(format!("attachments[{i}]"));
        if let Source::Url(url) = &attachment.source {
            let param = Map::from_iter([("photoURL".to_owned(), url.as_str().into())]);
            drafts.push(draft(IMAGE, Some(&param)));
            continue;
        }
        let file = kind_of(attachment).map_err(at)?;
        let seed = Seed(seed.0.wrapping_add(i as u64));
        let form = Multipart::new(seed).text("type", file).file("media", attachment);
        let key = if file == "image" { IMAGE } else { "sampleFile" };
        let mut own = draft(key, None).with_form(form.finish());
        if file != "image" {
            own.keep(FILE, attachment.file_name().to_owned());
        }
        drafts.push(own);
    }
    let mut drafts = drafts.into_iter();
    match drafts.next() {
        Some(first) => Ok(Draft { pieces: drafts.collect(), notes, ..first }),
        None => {
            let words = "the message is empty: give \"text\", \"parts\", a file, or \"msgKey\" with \
                         \"msgParam\" in \"extra\"";
            error(ErrorCode::Message, words, "text")
        }
    }
}

const IMAGE: &str = "sampleImageMsg";

/// What `extra` gives: a key, and its parameters as an object or as the text of one.
fn raw(message: &Message, key: Option<Value>, param: Option<Value>) -> Result<Content> {
    if robot::has_words(message) || message.title.is_some() {
        let words = "beside \"msgParam\" there is no place for a text: leave one of them out";
        return error(ErrorCode::Message, words, "extra.msgParam");
    }
    let Some(Value::String(key)) = key else {
        let words = "give \"msgKey\" with \"msgParam\": \"sampleActionCard\", \"sampleLink\" …";
        return error(ErrorCode::Message, words, "extra.msgKey");
    };
    let param = match param {
        Some(Value::String(text)) => serde_json::from_str(&text).ok(),
        param => param,
    };
    match param {
        Some(Value::Object(param)) => Ok((key, param)),
        _ => {
            let words = "\"msgParam\" is an object, or one as a text";
            error(ErrorCode::Message, words, "extra.msgParam")
        }
    }
}

type Contents = (Vec<Content>, Vec<crate::model::receipt::Note>);

fn words(message: &Message, info: &Info) -> Result<Contents> {
    if let [link, more @ ..] = &*links(message, info.title)? {
        if !more.is_empty() {
            let words = "DingTalk's app sends one link in a message";
            return error(ErrorCode::Unsupported, words, "parts[1]");
        }
        let title = link.title.or(message.title.as_deref()).unwrap_or(link.url);
        let text = link.description.unwrap_or(link.url);
        let picture = link.picture.unwrap_or_default();
        let param =
            json!({"title": title, "text": text, "picUrl": picture, "messageUrl": link.url});
        return Ok((vec![("sampleLink".to_owned(), members(param))], Vec::new()));
    }
    if !robot::has_words(message) && message.title.is_none() {
        return Ok((Vec::new(), Vec::new()));
    }
    let is_text = message.format == Format::Plain && message.title.is_none();
    let around = match &message.title {
        None => MADE_TITLE_BYTES,
        Some(title) => Value::from(title.as_str()).to_string().len(),
    };
    let around = around + "{\"title\":,\"content\":\"\"}".len();
    let rules = Rules {
        unit: Unit::Json,
        most: (MAX_PARAM as usize).saturating_sub(around),
        markup: if is_text { Markup::Plain } else { Markup::DingTalk },
        title: Title::Own,
    };
    let pieces = compose(message, &rules)?;
    let notes = pieces.first().map(Piece::notes).unwrap_or_default();
    let content = |piece: &Piece| match is_text {
        true => ("sampleText".to_owned(), members(json!({"content": piece.text}))),
        false => {
            let title = message.title.clone().unwrap_or_else(|| made_title(&piece.text));
            let param = json!({"title": title, "text": piece.text});
            ("sampleMarkdown".to_owned(), members(param))
        }
    };
    Ok((pieces.iter().map(content).collect(), notes))
}

fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// A title for a text that has none: its first line without the marks of a heading.
fn made_title(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.trim_start_matches(['#', '>', ' ']).chars().take(MADE_TITLE).collect()
}

/// What DingTalk calls a file of this kind, which goes up and is sent as such.
fn kind_of(file: &Attachment) -> Result<&'static str> {
    bytes_of(file, MAX_FILE, "DingTalk")?;
    if matches!(file.media_type(), "image/jpeg" | "image/png" | "image/gif" | "image/bmp") {
        return Ok("image");
    }
    match extension(file.file_name()) {
        "xlsx" | "pdf" | "zip" | "rar" | "doc" | "docx" => Ok("file"),
        other => {
            let words = format!(
                "DingTalk's robots send images, and files of the kinds xlsx, pdf, zip, rar, doc and docx, \
                 and no {other:?}"
            );
            Err(Error::new(ErrorCode::Unsupported, words))
        }
    }
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The body of a draft, with the file that went up.
pub fn with_media(draft: &Draft) -> Body {
    let Some(media) = draft.kept(MEDIA) else { return Body::One(draft.body.clone()) };
    let param = match draft.kept(FILE) {
        None => json!({"photoURL": media}),
        Some(name) => json!({"mediaId": media, "fileName": name, "fileType": extension(name)}),
    };
    let end = format!(",\"msgParam\":{}}}", Value::from(param.to_string()));
    Body::Several(vec![draft.body.slice(..draft.body.len() - 1), Bytes::from(end)])
}
