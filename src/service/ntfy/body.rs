//! The body of a notice of ntfy: JSON, or a file with all else in header fields.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Attachment, Format, Message, Source};
use crate::service::api::Draft;
use crate::service::info::Info;
use crate::service::notice::{Notice, drafts, level, texts};
use crate::service::text::Unit;
use crate::service::wire::json::Members as _;

/// The longest text, in bytes: a longer one would be kept as a file.
pub const MAX_TEXT: u32 = 4096;
/// The longest body in JSON.
pub const MAX_BODY: u32 = 2 * MAX_TEXT;
/// The longest name of a topic.
const MAX_TOPIC: usize = 64;
/// The longest word of a header field that is encoded, in bytes before that.
const MAX_WORD: usize = 45;

/// The parameters of the document.
pub const EXTRA: [&str; 14] = [
    "tags",
    "priority",
    "actions",
    "click",
    "attach",
    "filename",
    "markdown",
    "icon",
    "delay",
    "email",
    "call",
    "cache",
    "firebase",
    "sequence_id",
];
/// What a split text has once.
const ONCE: [&str; 5] = ["attach", "filename", "actions", "call", "sequence_id"];

/// The header fields that parameters become beside a file.
const HEADERS: [(&str, &str); 13] = [
    ("message", "x-message"),
    ("title", "x-title"),
    ("tags", "x-tags"),
    ("priority", "x-priority"),
    ("actions", "x-actions"),
    ("click", "x-click"),
    ("markdown", "x-markdown"),
    ("icon", "x-icon"),
    ("delay", "x-delay"),
    ("email", "x-email"),
    ("call", "x-call"),
    ("cache", "x-cache"),
    ("firebase", "x-firebase"),
];

/// The name of a topic, as the server takes it.
pub fn topic(name: &str) -> Result<&str> {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    match name.len() <= MAX_TOPIC && name.bytes().all(is_letter) {
        true => Ok(name),
        false => {
            wrong("to.topic", "a topic of ntfy is 1 to 64 letters, digits, dashes and underscores")
        }
    }
}

/// The draft of a notice to a topic.
pub fn encode(message: &Message, info: &'static Info, topic: &str) -> Result<Draft> {
    let pieces = texts(message, Unit::Bytes, MAX_TEXT as usize)?;
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.put(name, value);
    put("topic", topic.into());
    if let Some(title) = &message.title {
        put("title", title.as_str().into());
    }
    if let Some(level) = level(message, [2, 4, 5])? {
        put("priority", level.into());
    }
    if message.format != Format::Plain {
        put("markdown", true.into());
    }
    let file = match &*message.attachments {
        [] => None,
        [file] => Some(file),
        files => {
            let words = format!("{} files; a notice of ntfy has one", files.len());
            return Err(Error::new(ErrorCode::TooLarge, words).at("attachments"));
        }
    };
    let uploaded = file.filter(|file| !matches!(file.source, Source::Url(_)));
    match file.map(|file| &file.source) {
        Some(Source::Url(url)) => {
            if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
                let words = "ntfy shows files of http:// and https:// only";
                return wrong("attachments[0].url", words);
            }
            put("attach", url.as_str().into());
            if let Some(name) = file.and_then(|file| file.name.as_deref()) {
                put("filename", name.into());
            }
        }
        Some(_) => put("filename", file.map(Attachment::file_name).unwrap_or_default().into()),
        None => {}
    }
    let contents: &[&str] = if uploaded.is_some() { &["filename"] } else { &["message", "attach"] };
    let notice = Notice { message, info, body, once: &ONCE, contents };
    let mut bodies = notice.bodies(&pieces, |body, piece| {
        body.put("message", piece.text.as_str());
    })?;
    // Without a text the server would write another one than that a file came.
    if let Some(first) = bodies.first_mut().filter(|first| !first.contains_key("message"))
        && let (None, Some(file)) = (uploaded, file)
    {
        first.put("message", file.file_name());
    }
    let mut whole = drafts(&bodies, &pieces);
    if let (Some(file), Some(first)) = (uploaded, bodies.first()) {
        let upload = upload(file, topic, first)?;
        whole = Draft { pieces: whole.pieces, notes: whole.notes, ..upload };
    }
    let json = [&whole].into_iter().chain(&whole.pieces).filter(|one| one.params.is_empty());
    match json.map(|one| one.body.len()).max().filter(|length| *length > MAX_BODY as usize) {
        None => Ok(whole),
        Some(length) => {
            let words = format!("the notice has {length} bytes of JSON; ntfy takes {MAX_BODY}");
            Err(Error::new(ErrorCode::TooLarge, words).at("text"))
        }
    }
}

/// The draft of a file, whose header fields have what else there is.
fn upload(file: &Attachment, topic: &str, body: &Map<String, Value>) -> Result<Draft> {
    if body.contains_key("attach") {
        return wrong("extra.attach", "a notice has a file or the URL of one, not both");
    }
    if body.contains_key("sequence_id") {
        return wrong("extra.sequence_id", "nobody tells how it is given beside a file");
    }
    let text = body.get("message").and_then(Value::as_str).unwrap_or_default();
    if text.contains("\\n") {
        let words = "beside a file, ntfy reads a backslash and an n as the end of a line";
        return wrong("text", words);
    }
    let mut params = vec![("topic", topic.to_owned()), ("x-filename", word(file.file_name()))];
    for (name, header) in HEADERS {
        let value = match (name, body.get(name)) {
            (_, None) => continue,
            ("message", Some(Value::String(text))) => text.replace('\n', "\\n"),
            (_, Some(Value::String(text))) => text.clone(),
            ("tags", Some(Value::Array(tags))) => {
                let tags: Vec<_> = tags.iter().filter_map(Value::as_str).collect();
                tags.join(",")
            }
            (_, Some(Value::Bool(flag))) => (if *flag { "yes" } else { "no" }).to_owned(),
            (_, Some(value)) => value.to_string(),
        };
        params.push((header, word(&value)));
    }
    Ok(Draft {
        body: file.bytes().cloned().unwrap_or_default(),
        // The server tells the type by itself.
        content_type: "application/octet-stream".into(),
        params,
        ..Draft::default()
    })
}

/// A text as it can stand in a header field: as it is, or in the words of RFC 2047.
fn word(text: &str) -> String {
    let is_plain = text.bytes().all(|b| matches!(b, b' '..=b'~'))
        && !text.contains("=?")
        && text.trim_matches(' ') == text;
    if is_plain {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.len().min(MAX_WORD);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (word, others) = rest.split_at(end);
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        rest = others;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_letters_digits_dashes_and_underscores() {
        for good in ["alerts", "A-b_9", &"x".repeat(64)] {
            assert_eq!(topic(good).ok(), Some(good));
        }
        for bad in ["a/b", "a b", "雁", "a.b", &"x".repeat(65)] {
            assert_eq!(topic(bad).expect_err(bad).path(), Some("to.topic"));
        }
    }

    #[test]
    fn a_header_field_carries_any_text() {
        assert_eq!(word("Disk 90 %"), "Disk 90 %");
        assert_eq!(word("鸿雁"), "=?UTF-8?B?6bi/6ZuB?=");
        assert_eq!(word("=?x"), "=?UTF-8?B?PT94?=");
        assert_eq!(word(" a"), "=?UTF-8?B?IGE=?=");
        let long = word(&"雁".repeat(40));
        assert!(long.split(' ').count() == 3 && long.split(' ').all(|word| word.len() <= 75));
    }
}
