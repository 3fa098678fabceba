//! The body of a message to WeCom's robot.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Attachment, Format, Message, Part};
use crate::model::receipt::Note;
use crate::service::api::Draft;
use crate::service::check::check;
use crate::service::extra;
use crate::service::info::Info;
use crate::service::robot::{self, Link, Mentions, is_phone, links};
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose};
use crate::service::wecom::draft;
use crate::service::wire::json::{Members as _, object};

/// The longest text, in bytes of UTF-8.
pub const MAX_TEXT: u32 = 2048;
/// The longest Markdown, in bytes of UTF-8.
pub const MAX_MARKDOWN: u32 = 4096;
/// The largest image, in bytes.
pub const MAX_IMAGE: u32 = 2 << 20;
/// The most links.
pub const MAX_ARTICLES: u32 = 8;
/// The longest title of a link, in bytes of UTF-8.
pub const MAX_TITLE: u32 = 128;
/// The longest description of a link, in bytes of UTF-8, which the service cuts there.
const MAX_DESCRIPTION: usize = 512;

/// The types of message whose object has a text, and the others.
const WITH_TEXT: [&str; 3] = ["text", "markdown", "markdown_v2"];
const WITHOUT_TEXT: [&str; 5] = ["image", "news", "file", "voice", "template_card"];

/// What becomes of a message: its text or card, and each image after that.
pub fn encode(message: &Message, info: &Info) -> Result<Draft> {
    check(message, info)?;
    let links = links(message, info.title)?;
    let (mut drafts, mut notes) = (Vec::new(), Vec::new());
    if let Some(kind) = kind(message, &links)? {
        let contents = match links.as_slice() {
            [] => words(message, kind, &mut notes)?,
            links => vec![news(links, &mut notes)?],
        };
        for content in contents {
            let mut body = Map::new();
            body.put("msgtype", kind);
            if !content.is_empty() {
                body.put(kind, content);
            }
            extra::merge(&mut body, message, info)?;
            if !body.contains_key(kind) {
                return Err(empty());
            }
            drafts.push(draft(body)?);
        }
    }
    for (i, attachment) in message.attachments.iter().enumerate() {
        let content = image(attachment).map_err(|error| error.at(format!("attachments[{i}]")))?;
        let mut body = Map::new();
        body.put("msgtype", "image");
        body.put("image", content);
        drafts.push(draft(body)?);
    }
    Draft::first_of(drafts, notes).ok_or_else(empty)
}

fn empty() -> Error {
    let words = "the message is empty: give \"text\", \"parts\", an image, or a card in \"extra\"";
    Error::new(ErrorCode::Message, words).at("text")
}

/// The type that the words, the links or the `extra` of a message are sent as; none where it has none.
fn kind(message: &Message, links: &[Link]) -> Result<Option<&'static str>> {
    if !links.is_empty() {
        return Ok(Some("news"));
    }
    let extra = |name: &str| message.extra.as_ref().and_then(|extra| extra.get(name));
    let all = || WITH_TEXT.into_iter().chain(WITHOUT_TEXT);
    if let Some(told) = extra("msgtype").and_then(Value::as_str) {
        let known = all().find(|own| *own == told);
        return known.map(Some).ok_or_else(|| {
            let known = all().collect::<Vec<_>>().join(", ");
            let words = format!("the type {told:?} is unknown; known here: {known}");
            Error::new(ErrorCode::Message, words).at("extra.msgtype")
        });
    }
    Ok(match all().find(|own| extra(own).is_some_and(Value::is_object)) {
        Some(own) => Some(own),
        None if !robot::has_words(message) => None,
        None if message.format == Format::Plain => Some("text"),
        None => Some("markdown"),
    })
}

/// The objects of a type with the words of a message in them, one a piece of its text.
fn words(message: &Message, kind: &str, notes: &mut Vec<Note>) -> Result<Vec<Map<String, Value>>> {
    if !robot::has_words(message) {
        return Ok(vec![Map::new()]);
    }
    let error =
        |words: String, path: String| Err(Error::new(ErrorCode::Unsupported, words).at(path));
    if WITHOUT_TEXT.contains(&kind) {
        let words = format!("a message of the type {kind:?} has no text of its own");
        return error(words, "text".to_owned());
    }
    for (i, part) in message.parts.iter().enumerate() {
        let is_known = match part {
            Part::Mention { user, .. } => kind == "text" || kind == "markdown" && !is_phone(user),
            Part::MentionAll => kind == "text",
            _ => true,
        };
        if !is_known {
            let words = format!("WeCom has no such mention in a message of the type {kind:?}");
            return error(words, format!("parts[{i}]"));
        }
    }
    let (unit, most, markup) = match kind {
        "text" => (Unit::Own(text_bytes, "bytes"), MAX_TEXT, Markup::Plain),
        "markdown" => (Unit::Bytes, MAX_MARKDOWN, Markup::WeCom),
        _ => (Unit::Bytes, MAX_MARKDOWN, Markup::CommonMark),
    };
    let rules = Rules { unit, most: most as usize, markup, title: Title::FirstLine };
    let pieces = compose(message, &rules)?;
    notes.extend(pieces.first().map(Piece::notes).unwrap_or_default());
    let object = |piece: &Piece| {
        let mut object = Map::new();
        let is_text = kind == "text";
        let text = if is_text { piece.text.replace(CALL, NO_CALL) } else { piece.text.clone() };
        object.put("content", text);
        if is_text {
            mention(&mut object, &Mentions::of(piece));
        }
        object
    };
    Ok(pieces.iter().map(object).collect())
}

/// What calls somebody even in a text, and what reads the same and does not.
const CALL: &str = "<@";
const NO_CALL: &str = "<\u{200b}@";

/// How long a text is once nobody is called in it by its letters.
fn text_bytes(text: &str) -> usize {
    text.len() + text.matches(CALL).count() * (NO_CALL.len() - CALL.len())
}

/// Adds whom a text calls.
fn mention(object: &mut Map<String, Value>, mentions: &Mentions) {
    let all = mentions.all.then_some("@all");
    let users: Vec<_> = mentions.users.iter().copied().chain(all).collect();
    for (name, list) in [("mentioned_list", &users), ("mentioned_mobile_list", &mentions.phones)] {
        if !list.is_empty() {
            object.put(name, json!(list));
        }
    }
}

/// Links as the articles of a message.
fn news(links: &[Link], notes: &mut Vec<Note>) -> Result<Map<String, Value>> {
    let error = |code, words: String, path: String| Err(Error::new(code, words).at(path));
    if links.len() > MAX_ARTICLES as usize {
        let words = format!("{} links; WeCom takes {MAX_ARTICLES}", links.len());
        return error(ErrorCode::Message, words, "parts".to_owned());
    }
    let mut articles = Vec::new();
    for (i, link) in links.iter().enumerate() {
        let title = link.title.filter(|title| !title.is_empty()).unwrap_or(link.url);
        if title.len() > MAX_TITLE as usize {
            let words = format!("a title of {} bytes; WeCom takes {MAX_TITLE}", title.len());
            return error(ErrorCode::TooLarge, words, format!("parts[{i}].title"));
        }
        let mut article = object! {"title": title, "url": link.url};
        if let Some(description) = link.description {
            article["description"] = description.into();
            if description.len() > MAX_DESCRIPTION {
                let message = format!(
                    "WeCom cuts the description of parts[{i}] after {MAX_DESCRIPTION} bytes"
                );
                notes.push(Note { name: "truncated".into(), message });
            }
        }
        if let Some(picture) = link.picture {
            article["picurl"] = picture.into();
        }
        articles.push(article);
    }
    Ok(Map::from_iter([("articles".to_owned(), articles.into())]))
}

/// An image as an object of its type: its bytes in base64, and their MD5.
fn image(attachment: &Attachment) -> Result<Value> {
    let error = |code, words: String| Err(Error::new(code, words));
    let kind = attachment.media_type();
    if !matches!(kind, "image/jpeg" | "image/png") {
        let words = format!("WeCom's robot takes images of JPEG and PNG here, and this is {kind}");
        return error(ErrorCode::Unsupported, words);
    }
    let Some(bytes) = attachment.bytes() else {
        return error(ErrorCode::Internal, "the file was not read; this is a bug".to_owned());
    };
    if bytes.len() > MAX_IMAGE as usize {
        let words = format!("the image has {} bytes; WeCom takes {MAX_IMAGE}", bytes.len());
        return error(ErrorCode::TooLarge, words);
    }
    let md5: String = Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(object! {"base64": STANDARD.encode(bytes), "md5": md5})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_that_of_the_vector() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/wecom_image.json"))
                .expect("JSON");
        let vector = &vectors["vectors"][0];
        let hex = vector["inputs"]["image_hex"].as_str().expect("hex digits");
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let source = crate::model::message::Source::Bytes(bytes.into());
        let name = Some("a.png".to_owned());
        let made = image(&Attachment { name, mime: None, source }).expect("an image");
        assert_eq!(made["base64"], vector["expected"]["base64"]);
        assert_eq!(made["md5"], vector["expected"]["md5_hex"]);
        let of_text = &vector["must_differ"]["md5_of_the_base64_text"];
        assert!(of_text.is_string() && made["md5"] != *of_text);
    }
}
