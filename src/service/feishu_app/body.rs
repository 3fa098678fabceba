//! The body of a message of Feishu's app, and of its files.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::WINDOW;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Attachment, Kind, Message, Part};
use crate::service::api::{Body, Dedupe, Draft, ScopeKey, Seed};
use crate::service::check::{check, one_of};
use crate::service::extra;
use crate::service::feishu::{LANGUAGE, is_text, paragraphs, refuse_unknown_members, written};
use crate::service::info::{Info, Scope};
use crate::service::robot;
use crate::service::text::{Markup, Piece, Rules, Title, Unit, as_is, compose};
use crate::service::upload::bytes_of;
use crate::service::wire::json::Object;
use crate::service::wire::multipart::Multipart;

/// The longest body of a text, in bytes.
pub const MAX_TEXT: u32 = 150 << 10;
/// The longest body of a post or a card, in bytes.
pub const MAX_POST: u32 = 30 << 10;
/// The largest image, in bytes.
pub const MAX_IMAGE: u32 = 10 << 20;
/// The largest file, in bytes.
pub const MAX_FILE: u32 = 30 << 20;
/// The longest `uuid`, in characters.
const MAX_UUID: usize = 50;

/// What steps and addresses are kept as: the kind of id, the message that is answered, the type of a file and
/// its key.
pub const ID_TYPE: &str = "receive_id_type";
pub const REPLY: &str = "reply";
const FILE: &str = "file";
pub const KEY: &str = "key";

/// Where a message goes.
struct Target<'a> {
    /// The id of a user or a chat, and what kind it is; none where it answers a message.
    to: Option<(&'a str, String)>,
    /// The message that it answers.
    reply: Option<&'a str>,
    in_thread: bool,
}

fn error<T>(code: ErrorCode, words: impl Into<String>, path: impl Into<String>) -> Result<T> {
    Err(Error::new(code, words).at(path))
}

fn given<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    message.extra.as_ref()?.get(name).filter(|value| !value.is_null())
}

/// What becomes of a message: its text or card, and each file after that.
pub fn encode(message: &Message, info: &Info, seed: Seed) -> Result<Draft> {
    check(message, info)?;
    refuse_unknown_members(message, "Feishu's app")?;
    let target = target(message)?;
    let mut own = message.extra.clone().unwrap_or_default();
    let content = own.shift_remove("content").filter(|value| !value.is_null());
    let told = own.shift_remove("msg_type").filter(|value| !value.is_null());
    let uuid = uuid_of(message)?;
    let (mut contents, notes) = match content {
        Some(content) => (vec![raw(message, told, content)?], Vec::new()),
        None => words(message, told.as_ref(), &target)?,
    };
    let mut drafts = Vec::new();
    for (kind, content) in contents.drain(..) {
        drafts.push((draft_of(kind, Some(content)), None));
    }
    for (i, attachment) in message.attachments.iter().enumerate() {
        let form = form_of(attachment, Seed(seed.0.wrapping_add(i as u64)));
        let (kind, form) = form.map_err(|error| error.at(format!("attachments[{i}]")))?;
        drafts.push((draft_of(kind.to_owned(), None), Some((kind, form))));
    }
    if drafts.is_empty() {
        let words =
            "the message is empty: give \"text\", \"parts\", a file, or \"content\" in \"extra\"";
        return error(ErrorCode::Message, words, "text");
    }
    if uuid.is_some() && drafts.len() > 1 {
        let words = "each part of the message needs a uuid of its own: leave it out";
        return error(ErrorCode::Message, words, "extra.uuid");
    }
    check_extra(message, info)?;
    let mut made = Vec::new();
    for (n, (members, form)) in drafts.into_iter().enumerate() {
        let seed = Seed(seed.0.wrapping_add(n as u64));
        let mut draft = addressed(members, &target, uuid.as_deref(), seed);
        if let Some((kind, form)) = form {
            draft = draft.with_form(form);
            draft.keep(FILE, kind.to_owned());
        }
        made.push(draft);
    }
    let mut made = made.into_iter();
    let first = made.next().unwrap_or_default();
    Ok(Draft { pieces: made.collect(), notes, ..first })
}

/// Refuses parameters that are unknown.
fn check_extra(message: &Message, info: &Info) -> Result<()> {
    extra::merge(&mut Map::new(), message, info)
}

/// Where a message goes: to a user, whose kind of id its form tells, to a chat, or below another message.
fn target(message: &Message) -> Result<Target<'_>> {
    let in_thread = message.thread.is_some()
        || given(message, "reply_in_thread").is_some_and(|value| *value == Value::Bool(true));
    let answered = [("reply_to", &message.reply_to), ("thread", &message.thread)];
    if let Some((path, id)) = answered.iter().find_map(|(path, id)| Some((path, id.as_deref()?))) {
        let is_id = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if id.is_empty() || !id.bytes().all(is_id) {
            let words = format!("{id:?} is no id of a message, which begins with om_");
            return error(ErrorCode::Message, words, *path);
        }
        return Ok(Target { to: None, reply: Some(id), in_thread });
    }
    if given(message, "reply_in_thread").is_some() {
        let words = "only an answer stands in a thread: give \"reply_to\" too";
        return error(ErrorCode::Message, words, "extra.reply_in_thread");
    }
    let kind = one_of(message, &[Kind::User, Kind::Chat])?;
    let id = message.to.one(kind).unwrap_or_default();
    let own = match given(message, ID_TYPE) {
        Some(Value::String(own)) => Some(own.as_str()),
        Some(_) => {
            let words = "\"receive_id_type\" is a text";
            return error(ErrorCode::Message, words, "extra.receive_id_type");
        }
        None => None,
    };
    let by_form = match kind {
        Kind::Chat => "chat_id",
        _ if id.starts_with("oc_") && own.is_none() => {
            let words = "this is the id of a chat: give it as \"chat\"";
            return error(ErrorCode::Message, words, "to.user");
        }
        _ if id.starts_with("ou_") => "open_id",
        _ if id.starts_with("on_") => "union_id",
        _ if id.contains('@') => "email",
        _ => "user_id",
    };
    let to = Some((id, own.unwrap_or(by_form).to_owned()));
    Ok(Target { to, reply: None, in_thread: false })
}

/// The caller's own `uuid`.
fn uuid_of(message: &Message) -> Result<Option<String>> {
    match given(message, "uuid") {
        None => Ok(None),
        Some(Value::String(own)) if (1..=MAX_UUID).contains(&own.chars().count()) => {
            Ok(Some(own.clone()))
        }
        Some(_) => {
            let words = format!("a uuid is a text of 1 to {MAX_UUID} characters");
            error(ErrorCode::Message, words, "extra.uuid")
        }
    }
}

/// The content that `extra` gives, as an object or as the text of one.
fn raw(message: &Message, kind: Option<Value>, content: Value) -> Result<(String, String)> {
    if robot::has_words(message) || message.title.is_some() {
        let words = "beside \"content\" there is no place for a text: leave one of them out";
        return error(ErrorCode::Message, words, "extra.content");
    }
    let Some(Value::String(kind)) = kind else {
        let words = "give \"msg_type\" with \"content\": \"text\", \"post\", \"interactive\" …";
        return error(ErrorCode::Message, words, "extra.msg_type");
    };
    let content = match content {
        Value::String(text) => text,
        Value::Object(object) => Value::from(object).to_string(),
        _ => {
            let words = "\"content\" is an object, or one as a text";
            return error(ErrorCode::Message, words, "extra.content");
        }
    };
    let most = if kind == "text" { MAX_TEXT } else { MAX_POST };
    let members = draft_of(kind.clone(), Some(content.clone()));
    let length: usize = members.iter().map(|(_, value)| value.to_string().len()).sum();
    if length > most as usize {
        let words = format!("the content has {length} bytes; Feishu takes {most}");
        return error(ErrorCode::TooLarge, words, "extra.content");
    }
    Ok((kind, content))
}

/// A type and its content, for each piece of the text; and what there is to know of them.
type Contents = (Vec<(String, String)>, Vec<crate::model::receipt::Note>);

fn words(message: &Message, told: Option<&Value>, target: &Target) -> Result<Contents> {
    let told = match told {
        None => None,
        Some(Value::String(told)) if told == "text" || told == "post" => Some(told.as_str()),
        Some(_) => {
            let words = "without \"content\" a message is a \"text\" or a \"post\"";
            return error(ErrorCode::Message, words, "extra.msg_type");
        }
    };
    if !robot::has_words(message) && message.title.is_none() {
        return Ok((Vec::new(), Vec::new()));
    }
    let around = addressed(Vec::new(), target, Some(&"u".repeat(MAX_UUID)), Seed(0)).body.len();
    let around = around + ",\"msg_type\":\"text\",\"content\":\"{\\\"text\\\":\\\"\\\"}\"".len();
    let plain = Rules {
        unit: Unit::Own(nested, "bytes"),
        most: usize::MAX,
        markup: Markup::Plain,
        title: Title::Own,
    };
    if as_is(message, &plain).is_some_and(|text| is_text(message, text)) && told != Some("post") {
        let rules = Rules { most: (MAX_TEXT as usize).saturating_sub(around), ..plain };
        let pieces = compose(message, &rules)?;
        let notes = pieces.first().map(Piece::notes).unwrap_or_default();
        let content = |piece: &Piece| ("text".to_owned(), json!({"text": piece.text}).to_string());
        return Ok((pieces.iter().map(content).collect(), notes));
    }
    if told == Some("text") {
        let words = "a title, a format, parts and \"<at\" need a \"post\": leave \"msg_type\" out";
        return error(ErrorCode::Message, words, "extra.msg_type");
    }
    let content = |paragraphs: Value| {
        let mut post = Map::new();
        if let Some(title) = &message.title {
            post.insert("title".to_owned(), title.as_str().into());
        }
        post.insert("content".to_owned(), paragraphs);
        ("post".to_owned(), json!({LANGUAGE: post}).to_string())
    };
    let (_, empty) = content(json!([]));
    let around = around + Value::from(empty).to_string().len();
    let rules = Rules {
        unit: Unit::Json,
        most: (MAX_POST as usize).saturating_sub(around),
        markup: Markup::FeishuPost,
        title: Title::Own,
    };
    if message.parts.iter().any(|part| matches!(part, Part::Link { .. } | Part::Raw(_))) {
        return Ok((vec![content(paragraphs(message, &rules)?)], Vec::new()));
    }
    let pieces = compose(message, &rules)?;
    let notes = pieces.first().map(Piece::notes).unwrap_or_default();
    let contents = pieces.iter().map(|piece| Ok(content(written(piece)?)));
    Ok((contents.collect::<Result<_>>()?, notes))
}

/// The bytes of a text within the JSON that stands as a text in JSON.
fn nested(text: &str) -> usize {
    let quoted = |text: &str| Value::from(text).to_string();
    // Without the quotation marks, of which the inner ones have two bytes.
    quoted(&quoted(text)).len() - 6
}

/// The members that are a message's own.
fn draft_of(kind: String, content: Option<String>) -> Vec<(&'static str, Value)> {
    let content = content.map(|content| ("content", content.into()));
    [("msg_type", kind.into())].into_iter().chain(content).collect()
}

fn uuid(seed: Seed) -> String {
    format!("{:016x}", seed.0)
}

/// A draft to whom it goes, with what the service knows it by.
fn addressed(
    members: Vec<(&'static str, Value)>,
    target: &Target,
    own: Option<&str>,
    seed: Seed,
) -> Draft {
    let mut object = Object::new();
    let mut draft = Draft::default();
    match (&target.to, target.reply) {
        (Some((id, kind)), _) => {
            object.put("receive_id", &(*id).into());
            draft.keep(ID_TYPE, kind.clone());
            draft.scopes = vec![ScopeKey { scope: Scope::Recipient, key: (*id).to_owned() }];
        }
        (None, reply) => draft.keep(REPLY, reply.unwrap_or_default().to_owned()),
    }
    if target.in_thread {
        object.put("reply_in_thread", &true.into());
    }
    let renew: Option<fn(Seed) -> String> = own.is_none().then_some(uuid);
    let value = own.map_or_else(|| uuid(seed), str::to_owned);
    let at = object.put("uuid", &value.as_str().into());
    for (name, value) in members {
        object.put(name, &value);
    }
    draft.body = object.finish();
    // Between the quotation marks; what the caller gave is never written anew.
    let at = Some(at.start + 1..at.end - 1);
    draft.dedupe = Some(Dedupe { value, at, window: WINDOW, renew });
    draft
}

/// How a file goes up: its type of message, and the form.
fn form_of(file: &Attachment, seed: Seed) -> Result<(&'static str, (String, Body))> {
    let is_image = matches!(
        file.media_type(),
        "image/jpeg" | "image/png" | "image/gif" | "image/webp" | "image/bmp" | "image/tiff"
    );
    let most = if is_image { MAX_IMAGE } else { MAX_FILE };
    if bytes_of(file, most, "Feishu")?.is_empty() {
        return Err(Error::new(ErrorCode::Message, "Feishu takes no empty file"));
    }
    let form = Multipart::new(seed);
    if is_image {
        let form = form.text("image_type", "message").file("image", file);
        return Ok(("image", form.finish()));
    }
    let name = file.file_name();
    let kind = match name.rsplit('.').next().map(str::to_ascii_lowercase).as_deref() {
        Some("pdf") => "pdf",
        Some("doc" | "docx") => "doc",
        Some("xls" | "xlsx") => "xls",
        Some("ppt" | "pptx") => "ppt",
        // Films and recordings are files here: as such they have to be named otherwise than they were sent.
        _ => "stream",
    };
    let form = form.text("file_type", kind).text("file_name", name).file("file", file);
    Ok(("file", form.finish()))
}

/// True for a draft of an image.
pub fn is_image(draft: &Draft) -> bool {
    draft.kept(FILE) == Some("image")
}

/// The body of a draft, with the file that went up.
pub fn with_file(draft: &Draft) -> Body {
    let Some(key) = draft.kept(KEY) else { return Body::One(draft.body.clone()) };
    let name = if is_image(draft) { "image_key" } else { "file_key" };
    let content = Value::from(json!({name: key}).to_string());
    let end = format!(",\"content\":{content}}}");
    Body::Several(vec![draft.body.slice(..draft.body.len() - 1), Bytes::from(end)])
}
