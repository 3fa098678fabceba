//! The form of a message to Twilio.

use serde_json::{Map, Value};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Attachment, Kind, Message, Source};
use crate::service::api::Draft;
use crate::service::check::{check, recipient, refuse_nul};
use crate::service::info::Info;
use crate::service::notice::Notice;
use crate::service::text::{Markup, Rules, Title, Unit, compose};
use crate::service::wire::form;
use crate::service::wire::json::Members as _;

/// The longest text; the document counts characters, and does not say which.
pub const MAX_TEXT: u32 = 1600;
/// The most files of a message.
pub const MAX_MEDIA: u32 = 10;

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 23] = [
    "StatusCallback",
    "ApplicationSid",
    "MaxPrice",
    "ProvideFeedback",
    "Attempt",
    "ValidityPeriod",
    "ForceDelivery",
    "ContentRetention",
    "AddressRetention",
    "SmartEncoded",
    "PersistentAction",
    "TrafficType",
    "ShortenUrls",
    "ScheduleType",
    "SendAt",
    "SendAsMms",
    "ContentSid",
    "ContentVariables",
    "MessageIntent",
    "RiskCheck",
    "MessagingServiceSid",
    "FallbackFrom",
    "MediaUrl",
];
/// What a split text has once.
const ONCE: [&str; 1] = ["MediaUrl"];
/// What makes a message.
const CONTENTS: [&str; 3] = ["Body", "MediaUrl", "ContentSid"];

/// Whom messages come from.
pub enum From {
    /// A number, a name, or an address of another channel.
    Address(String),
    /// A messaging service, which chooses one.
    Service(String),
}

impl From {
    /// What stands in an account.
    pub fn of(given: &str) -> From {
        let is_service =
            |rest: &str| rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit());
        match given.strip_prefix("MG").is_some_and(is_service) {
            true => From::Service(given.to_owned()),
            false => From::Address(address(given).unwrap_or_else(|| given.to_owned())),
        }
    }

    fn parameter(&self) -> (&'static str, &str) {
        match self {
            From::Address(address) => ("From", address),
            From::Service(sid) => ("MessagingServiceSid", sid),
        }
    }
}

/// A number as Twilio takes it, or an address of another channel, as `whatsapp:+14155550100`; none of any
/// other form. A number of eleven digits and more has a country code; a shorter one is a short code.
fn address(given: &str) -> Option<String> {
    let is_number =
        |text: &str| (3..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((channel, rest)) = given.split_once(':') {
        let is_name = !channel.is_empty() && channel.bytes().all(|b| b.is_ascii_lowercase());
        let is_plain = !rest.is_empty() && !rest.contains([' ', '\t']);
        return (is_name && is_plain).then(|| given.to_owned());
    }
    match given.strip_prefix('+') {
        Some(number) => is_number(number).then(|| given.to_owned()),
        None if !is_number(given) => None,
        None if given.len() >= 11 => Some(format!("+{given}")),
        None => Some(given.to_owned()),
    }
}

/// The draft of a message.
pub fn encode(message: &Message, info: &'static Info, from: &From) -> Result<Draft> {
    check(message, info)?;
    refuse_nul(message)?;
    let to = recipient(message, Kind::Phone)?;
    let Some(to) = address(to) else {
        let words = format!(
            "{to:?} is no number: give + and its digits with the country code, or an address of another \
             channel, such as \"whatsapp:+14155550100\""
        );
        return Err(Error::new(ErrorCode::Message, words).at("to.phone"));
    };
    let markup = Markup::Plain;
    let rules =
        Rules { unit: Unit::CodePoints, most: MAX_TEXT as usize, markup, title: Title::FirstLine };
    let pieces = compose(message, &rules)?;
    let mut body = Map::new();
    body.put("To", to);
    let (name, sender) = from.parameter();
    body.put(name, sender);
    if let Some(media) = media(message)? {
        body.put("MediaUrl", media);
    }
    let notice = Notice { message, info, body, once: &ONCE, contents: &CONTENTS };
    let bodies = notice.bodies(&pieces, |body, piece| body.put("Body", piece.text.as_str()))?;
    let content_type = form::CONTENT_TYPE;
    let draft = |body: &_| Draft { content_type: content_type.into(), ..Draft::of(written(body)) };
    let drafts = bodies.iter().map(draft).collect();
    let notes = pieces.first().map(|piece| piece.notes()).unwrap_or_default();
    Ok(Draft::first_of(drafts, notes).unwrap_or_default())
}

/// The URLs of the files, which Twilio fetches.
fn media<'a>(message: &'a Message) -> Result<Option<Vec<&'a str>>> {
    let url = |file: &'a Attachment| match &file.source {
        Source::Url(url) => Some(url.as_str()),
        _ => None,
    };
    let urls: Vec<_> = message.attachments.iter().filter_map(url).collect();
    if urls.len() > MAX_MEDIA as usize {
        let words = format!("{} files; Twilio takes {MAX_MEDIA} in a message", urls.len());
        return Err(Error::new(ErrorCode::TooLarge, words).at("attachments"));
    }
    Ok(Some(urls).filter(|urls| !urls.is_empty()))
}

/// A form: a list is its name several times, an object is JSON in text.
fn written(body: &Map<String, Value>) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, value) in body {
        let one = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match value {
            Value::Array(list) => {
                list.iter().for_each(|value| form::push_pair(&mut text, name, &one(value)));
            }
            value => form::push_pair(&mut text, name, &one(value)),
        }
    }
    text
}
