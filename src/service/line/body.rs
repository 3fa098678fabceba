//! The body of a message to LINE: up to five message objects, of which a text is the first.

use serde_json::{Map, Value};

use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Attachment, Kind, Message, Part, Source};
use crate::service::api::Draft;
use crate::service::extra;
use crate::service::info::Info;
use crate::service::text::{MENTIONED, Markup, Piece, Rules, Title, Unit, compose, drafts};
use crate::service::wire::json::{self, Members as _, object};

/// The longest text, in units of UTF-16.
pub const MAX_TEXT: u32 = 5000;
/// The most message objects of a request.
pub const MAX_OBJECTS: u32 = 5;
/// The longest URL of a picture.
const MAX_URL: usize = 2000;
/// How much a placeholder counts at most: `{m99}`.
const PLACEHOLDER: usize = 5;

/// The parameters of the document that no field of a message sets: those of a request, and two of message
/// objects.
pub const EXTRA: [&str; 5] =
    ["messages", "notificationDisabled", "customAggregationUnits", "quickReply", "sender"];

/// The draft of a message to one recipient, or to these; what was split follows in pieces.
pub fn encode(
    message: &Message,
    info: &Info,
    kind: Kind,
    users: &[(Kind, String)],
) -> Result<Draft> {
    let calls = |part: &Part| matches!(part, Part::Mention { .. } | Part::MentionAll);
    let is_marked = message.parts.iter().any(calls);
    let (unit, markup) = match is_marked {
        true => (Unit::Own(length, "UTF-16 units"), Markup::Marked),
        false => (Unit::Utf16, Markup::Plain),
    };
    let rules = Rules { unit, most: MAX_TEXT as usize, markup, title: Title::FirstLine };
    let pieces = compose(message, &rules)?;
    let to = match kind {
        Kind::Users => users.iter().map(|(_, name)| name.as_str()).collect(),
        kind => Value::from(message.to.one(kind)),
    };
    drafts(pieces, |n, piece| {
        let mut objects = Vec::new();
        if !piece.text.is_empty() {
            let quoted = message.reply_to.as_deref().filter(|_| n == 0);
            objects.push(text(piece, quoted));
        }
        let mut body = Map::new();
        body.put("to", to.clone());
        body.put("messages", Value::Null);
        if message.silent {
            body.put("notificationDisabled", true);
        }
        let mut more = message.extra.clone().unwrap_or_default();
        let (rest, reply, sender) = (
            more.shift_remove("messages"),
            more.shift_remove("quickReply"),
            more.shift_remove("sender"),
        );
        extra::merge(&mut body, &Message { extra: Some(more), ..Message::default() }, info)?;
        // What stands beside a text stands beside its first piece.
        if n == 0 {
            for (i, file) in message.attachments.iter().enumerate() {
                objects.push(picture(file, i)?);
            }
            objects.extend(given(rest)?);
            check(&objects, message)?;
            if let (Some(reply), Some(last)) = (set(reply), objects.last_mut()) {
                put(last, "quickReply", &reply)?;
            }
        }
        if let Some(sender) = set(sender) {
            objects.iter_mut().try_for_each(|object| put(object, "sender", &sender))?;
        }
        body.put("messages", objects);
        Ok(Draft::of(json::body(&body)))
    })
}

/// A text; where it mentions somebody, the second kind of texts, which has a place for each.
fn text(piece: &Piece, quoted: Option<&str>) -> Value {
    let calls = piece.mentions_all || !piece.mentions.is_empty();
    let mut object = match calls {
        false => object! {"type": "text", "text": &*piece.text},
        true => {
            let (text, places) = placed(piece);
            object! {"type": "textV2", "text": text, "substitution": places}
        }
    };
    if let Some(quoted) = quoted {
        object["quoteToken"] = quoted.into();
    }
    object
}

/// The text with placeholders for mentions, and what stands in their places.
fn placed(piece: &Piece) -> (String, Map<String, Value>) {
    let (mut out, mut places) = (String::with_capacity(piece.text.len()), Map::new());
    let mut rest = &*piece.text;
    let mut users = piece.mentions.iter();
    while let Some(c) = rest.chars().next() {
        if let Some(n) = MENTIONED.iter().position(|mark| rest.starts_with(mark)) {
            let user = if n == 0 { users.next() } else { None };
            let who = match user {
                Some((user, _)) => object! {"type": "user", "userId": user.as_str()},
                None => object! {"type": "all"},
            };
            let name = format!("m{}", places.len());
            out.push_str(&format!("{{{name}}}"));
            places.insert(name, object! {"type": "mention", "mentionee": who});
            rest = &rest[MENTIONED[n].len()..];
            continue;
        }
        // A placeholder would begin or end here.
        if matches!(c, '{' | '}') {
            out.push(c);
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    (out, places)
}

/// How long a text with marks for mentions becomes, in units of UTF-16.
fn length(text: &str) -> usize {
    let count = |c: char| match c {
        '{' | '}' => 2,
        // A letter stands behind it.
        c if MENTIONED[0].starts_with(c) => PLACEHOLDER - 1,
        c => c.len_utf16(),
    };
    text.chars().map(count).sum()
}

/// A picture that LINE fetches itself.
fn picture(file: &Attachment, i: usize) -> Result<Value> {
    let Source::Url(url) = &file.source else {
        let words = "LINE fetches pictures itself: give their \"url\"";
        return Err(Error::new(ErrorCode::Unsupported, words).at(format!("attachments[{i}]")));
    };
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let is_picture = match file.mime.as_deref() {
        Some(mime) => ["image/jpeg", "image/png"].contains(&mime),
        None => [".jpg", ".jpeg", ".png"].iter().any(|end| path.ends_with(end)),
    };
    if !is_picture {
        let words = "LINE takes JPEG and PNG so; a video needs its preview and a sound its length: give them in \
                     \"extra\": {\"messages\": […]}";
        return Err(Error::new(ErrorCode::Unsupported, words).at(format!("attachments[{i}]")));
    }
    if !path.starts_with("https://") || url.len() > MAX_URL {
        let words =
            format!("LINE fetches from https:// only, and URLs of at most {MAX_URL} characters");
        return wrong(format!("attachments[{i}].url"), words);
    }
    Ok(
        object! {"type": "image", "originalContentUrl": url.as_str(), "previewImageUrl": url.as_str()},
    )
}

fn set(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_null())
}

/// The message objects that the caller wrote.
fn given(objects: Option<Value>) -> Result<Vec<Value>> {
    match set(objects) {
        None => Ok(Vec::new()),
        Some(Value::Array(objects)) if objects.iter().all(Value::is_object) => Ok(objects),
        Some(_) => wrong("extra.messages", "expected an array of message objects"),
    }
}

/// Refuses a request that has nothing, or too much.
fn check(objects: &[Value], message: &Message) -> Result<()> {
    if objects.is_empty() {
        let words =
            "the message is empty: give \"text\" or \"parts\", pictures, or messages in \"extra\"";
        return wrong("text", words);
    }
    if message.reply_to.is_some() && objects[0]["quoteToken"].is_null() {
        return wrong("reply_to", "what replies to a message is a text");
    }
    if objects.len() > MAX_OBJECTS as usize {
        let words = format!("{} message objects; LINE takes {MAX_OBJECTS}", objects.len());
        let path = if message.attachments.is_empty() { "extra.messages" } else { "attachments" };
        return Err(Error::new(ErrorCode::TooLarge, words).at(path));
    }
    Ok(())
}

/// Adds a parameter to a message object, which may have it the same already.
fn put(object: &mut Value, name: &str, value: &Value) -> Result<()> {
    match object.get(name) {
        Some(own) if own != value => {
            wrong(format!("extra.{name}"), format!("a message object has another {name:?} already"))
        }
        _ => {
            object[name] = value.clone();
            Ok(())
        }
    }
}
