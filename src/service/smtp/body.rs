//! The text of a mail: header, alternatives, files.
//!
//! It is made of the message alone, its id and time among it, so that it is the same at every attempt and in
//! every process.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use lettre::message::header::{
    self, ContentDisposition, ContentTransferEncoding, ContentType, HeaderName, HeaderValue,
    Headers,
};
use lettre::message::{Mailbox, Mailboxes, MultiPart, SinglePart};
use serde_json::Value;

use super::address::{mailbox, recipient};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::quoted;
use crate::model::id::time_of;
use crate::model::message::{Attachment, Format, Kind, Message, Priority};
use crate::service::text::{Markup, Rules, Title, Unit, compose};

/// The parameters beside the message's own fields.
pub const EXTRA: [&str; 1] = ["headers"];

/// What is not for the caller to set, since it is made here or by servers on the way.
const OWN: [&str; 17] = [
    "bcc",
    "cc",
    "content-disposition",
    "content-transfer-encoding",
    "content-type",
    "date",
    "dkim-signature",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "received",
    "references",
    "return-path",
    "sender",
    "subject",
    "to",
];

fn wrong<T>(path: impl Into<String>, words: impl Into<String>) -> Result<T> {
    Err(Error::new(ErrorCode::Message, words).at(path))
}

/// The Message-ID: the message's own id at the sender's domain.
pub fn message_id(message: &Message, from: &Mailbox) -> String {
    format!("<{}@{}>", message.id.to_ascii_lowercase(), from.email.domain())
}

/// The text, and the files behind it: each with what stands after it.
pub struct Text {
    pub head: Bytes,
    pub files: Vec<(Bytes, Bytes)>,
}

/// The text of a message.
pub fn text(message: &Message, from: &Mailbox) -> Result<Text> {
    let mut headers = headers(message, from)?;
    let part = part(message)?;
    if message.attachments.is_empty() {
        // A line's end is added to each part, where the text may have one already.
        let part = part.strip_suffix(b"\r\n").unwrap_or(&part);
        return Ok(Text {
            head: ended(format!("{headers}").into_bytes(), part),
            files: Vec::new(),
        });
    }
    let boundary = format!("hongyan-{}-files", message.id);
    put(&mut headers, "Content-Type", format!("multipart/mixed; boundary=\"{boundary}\""))?;
    let mut between = ended(format!("{headers}\r\n--{boundary}\r\n").into_bytes(), &part).to_vec();
    let (mut head, mut files) = (None, Vec::<(Bytes, Bytes)>::new());
    for file in &message.attachments {
        between.extend(format!("--{boundary}\r\n{}\r\n", head_of(file)).into_bytes());
        let text = Bytes::from(std::mem::take(&mut between));
        match files.last_mut() {
            None => head = Some(text),
            Some((_, behind)) => *behind = text,
        }
        debug_assert!(file.bytes().is_some(), "files are read before messages are encoded");
        files.push((file.bytes().cloned().unwrap_or_default(), Bytes::new()));
    }
    if let Some((_, behind)) = files.last_mut() {
        *behind = format!("--{boundary}--\r\n").into();
    }
    Ok(Text { head: head.unwrap_or_default(), files })
}

/// Header and text with the end of a line.
fn ended(mut head: Vec<u8>, part: &[u8]) -> Bytes {
    head.extend_from_slice(part);
    if !head.ends_with(b"\r\n") {
        head.extend_from_slice(b"\r\n");
    }
    head.into()
}

fn headers(message: &Message, from: &Mailbox) -> Result<Headers> {
    let mut headers = Headers::new();
    let time = UNIX_EPOCH + Duration::from_millis(time_of(&message.id).unwrap_or_default());
    headers.set(header::Date::from(time));
    headers.set(header::From::from(Mailboxes::from(from.clone())));
    let to = message.everyone.as_ref().unwrap_or(&message.to);
    let listed = |kind: Kind| -> Result<Mailboxes> {
        let all = to.all(kind).enumerate();
        all.map(|(i, text)| recipient(text, || format!("to.{}[{i}]", kind.name()))).collect()
    };
    headers.set(header::To::from(listed(Kind::Emails)?));
    if to.has(Kind::Cc) {
        headers.set(header::Cc::from(listed(Kind::Cc)?));
    }
    if let Some(title) = &message.title {
        if title.chars().any(char::is_control) {
            return wrong("title", "a subject is one line, without control characters");
        }
        headers.set(header::Subject::from(title.clone()));
    }
    headers.set(header::MessageId::from(message_id(message, from)));
    if let Some(id) = &message.reply_to {
        let inner = id.trim_start_matches('<').trim_end_matches('>');
        let is_id = |c: char| c.is_ascii_graphic() && c != '<' && c != '>';
        if !inner.contains('@') || !inner.chars().all(is_id) {
            return wrong("reply_to", "this is no Message-ID: it has the form <left@right>");
        }
        headers.set(header::InReplyTo::from(format!("<{inner}>")));
        headers.set(header::References::from(format!("<{inner}>")));
    }
    let urgent = match message.priority {
        Priority::Normal => None,
        Priority::Low => Some(("5", "low")),
        Priority::High => Some(("2", "high")),
        Priority::Urgent => Some(("1", "high")),
    };
    if let Some((number, word)) = urgent {
        put(&mut headers, "X-Priority", number.to_owned())?;
        put(&mut headers, "Importance", word.to_owned())?;
    }
    extra(message, &mut headers)?;
    headers.set(header::MIME_VERSION_1_0);
    Ok(headers)
}

/// The fields that the caller sets himself.
fn extra(message: &Message, headers: &mut Headers) -> Result<()> {
    for (name, value) in message.extra.iter().flatten() {
        let fields = match (name.as_str(), value) {
            ("headers", Value::Object(fields)) => fields,
            ("headers", _) => return wrong("extra.headers", "this is an object of header fields"),
            _ => {
                let words = format!("mail has no {name:?}; it knows {}", quoted(&EXTRA));
                return wrong(format!("extra.{name}"), words);
            }
        };
        for (name, value) in fields {
            let path = || format!("extra.headers.{name}");
            let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            if name.is_empty() || name.len() > 76 || !name.bytes().all(is_letter) {
                return wrong(path(), "a field's name is letters, digits and dashes");
            }
            if OWN.contains(&name.to_ascii_lowercase().as_str()) {
                return wrong(
                    path(),
                    "this field is made of the message, or by servers on the way",
                );
            }
            let Value::String(value) = value else {
                return wrong(path(), "a field's value is a string");
            };
            if value.chars().any(char::is_control) {
                return wrong(path(), "a field is one line, without control characters");
            }
            if name.eq_ignore_ascii_case("reply-to") {
                let to = mailbox(value).or_else(|why| wrong(path(), why))?;
                headers.set(header::ReplyTo::from(Mailboxes::from(to)));
            } else {
                put(headers, name, value.clone())?;
            }
        }
    }
    Ok(())
}

fn put(headers: &mut Headers, name: &str, value: String) -> Result<()> {
    let name = HeaderName::new_from_ascii(name.to_owned())
        .or_else(|_| wrong("extra.headers", format!("{name:?} is no name of a header field")))?;
    headers.insert_raw(HeaderValue::new(name, value));
    Ok(())
}

/// What is read: plain text, with HTML beside it where the message has a format.
fn part(message: &Message) -> Result<Vec<u8>> {
    let written = |markup: Markup| {
        let rules = Rules { unit: Unit::Bytes, most: usize::MAX, markup, title: Title::Own };
        Ok::<_, Error>(compose(message, &rules)?.into_iter().next().unwrap_or_default())
    };
    let plain = SinglePart::plain(lines(&written(Markup::Plain)?.text));
    if message.format == Format::Plain {
        return Ok(plain.formatted());
    }
    let html = written(Markup::Html)?;
    if !html.marked {
        return Ok(plain.formatted());
    }
    let boundary = format!("hongyan-{}-text", message.id);
    let both = MultiPart::alternative().boundary(boundary).singlepart(plain);
    Ok(both.singlepart(SinglePart::html(lines(&html.text))).formatted())
}

/// A text whose lines all end as mail has it.
fn lines(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() + text.len() / 32);
    let mut rest = text;
    while let Some(end) = rest.find(['\r', '\n']) {
        lines.push_str(&rest[..end]);
        lines.push_str("\r\n");
        rest = rest[end..].strip_prefix("\r\n").unwrap_or(&rest[end + 1..]);
    }
    lines.push_str(rest);
    lines
}

/// The head of a file.
fn head_of(file: &Attachment) -> Headers {
    let mut headers = Headers::new();
    let any = || ContentType::parse("application/octet-stream").ok();
    if let Some(media_type) = ContentType::parse(file.media_type()).ok().or_else(any) {
        headers.set(media_type);
    }
    let name = file.file_name().replace(|c: char| c.is_control(), "_");
    headers.set(ContentDisposition::attachment(&name));
    headers.set(ContentTransferEncoding::Base64);
    headers
}
