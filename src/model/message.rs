//! A message to be sent: recipient, text or parts, and what else the service takes.

mod attachment;
mod builder;
mod options;
mod source;
mod to;
mod usual;
mod write;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::{Error, ErrorCode, Result};
use super::fields::{Fields, quoted};
use super::json::{self, Member};
#[cfg(feature = "capi")]
pub use attachment::MAX_ATTACHMENT;
pub use attachment::{Attachment, Source};
pub use builder::MessageBuilder;
pub use options::{Format, Overflow, Priority};
pub use source::{Files, MessageSource, Parsed};
pub use to::{BLANK, Kind, To, is_blank};

/// A message, read and typed, but not yet judged by its service.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The library's own id of it, once it was accepted.
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) to: To,
    /// All that the whole message is to, where `to` has only those whom a later request is to.
    pub(crate) everyone: Option<To>,
    pub(crate) text: Option<String>,
    pub(crate) parts: Vec<Part>,
    pub(crate) title: Option<String>,
    pub(crate) format: Format,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) silent: bool,
    pub(crate) priority: Priority,
    pub(crate) thread: Option<String>,
    pub(crate) overflow: Overflow,
    pub(crate) reply_to: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) deadline_ms: Option<u64>,
    pub(crate) not_before_ms: Option<u64>,
    pub(crate) ordered: bool,
    pub(crate) extra: Option<Map<String, Value>>,
}

/// A place on earth.
#[derive(Clone, Debug, PartialEq)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// What the place is called.
    pub address: Option<String>,
}

/// One element of a message that is more than plain text.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text.
    Text(String),
    /// A user who is called by name.
    Mention {
        /// The user's id.
        user: String,
        /// How the mention reads, without the `@`.
        name: Option<String>,
    },
    /// Everybody is called.
    MentionAll,
    /// A sticker of the app's own.
    Face {
        /// Its number, whose meaning is the app's.
        index: i64,
        /// More about it.
        data: Option<String>,
    },
    /// A place.
    Location(Location),
    /// A link with its preview.
    Link {
        /// Where it leads.
        url: String,
        /// Its title.
        title: Option<String>,
        /// A few words about it.
        description: Option<String>,
        /// The address of a small picture.
        thumbnail: Option<String>,
        /// The address of the picture in full size.
        image: Option<String>,
    },
    /// Data that only the receiving app understands.
    Custom {
        /// The data.
        data: String,
        /// What a notification says.
        desc: Option<String>,
        /// Passed through to a notification.
        ext: Option<String>,
        /// The sound of a notification.
        sound: Option<String>,
    },
    /// The service's own element, as JSON text without white space.
    Raw(String),
}

/// Why no message was made of some JSON, and whose it was as far as could be told.
#[derive(Clone, Debug)]
pub struct Refused {
    pub(crate) error: Error,
    pub(crate) account: Option<String>,
    pub(crate) key: Option<String>,
}

impl Message {
    /// Reads a message from JSON.
    ///
    /// `argument`: not JSON, nested deeper than 64, larger than 1 MiB, `v` missing or unknown.
    /// `message`: everything else, with the path.
    pub fn from_json(text: &str) -> Result<Message> {
        Message::parse(text.as_bytes()).map_err(|refused| refused.error)
    }

    /// Reads a message from bytes; tells whose it was even where it is refused.
    pub(crate) fn parse(bytes: &[u8]) -> std::result::Result<Message, Refused> {
        let text = json::text(bytes, json::MAX_MESSAGE, ErrorCode::Argument).map_err(nobody)?;
        usual::read(text).map_or_else(|| Message::of_any(text), Ok)
    }

    /// Reads a message of any shape; tells what is wrong where none is.
    fn of_any(text: &str) -> std::result::Result<Message, Refused> {
        json::shallow(text, ErrorCode::Argument).map_err(nobody)?;
        let members = json::members(text).map_err(|_| nobody(no_object(text)))?;
        let of = |name| members.iter().find(|(own, _)| own == name).map(|(_, raw)| raw.get());
        known_version(of("v")).map_err(nobody)?;
        let own = |name| of(name).and_then(|text| serde_json::from_str(text).ok());
        let (account, key) = (own("account"), own("key"));
        Message::of_members(members).map_err(|error| Refused { error, account, key })
    }

    fn of_members(members: Vec<Member<'_>>) -> Result<Message> {
        let (mut to, mut parts) = (None, None);
        let mut f = Fields::empty("", ErrorCode::Message);
        for (name, raw) in members {
            let twice = match name.as_str() {
                "to" => to.replace(raw.get()).is_some(),
                "parts" => parts.replace(raw.get()).is_some(),
                known if KNOWN_FIELDS.contains(&known) => {
                    let value = json::value(raw.get(), known)
                        .map_err(|unread| unread.of_text(ErrorCode::Message, no_json))?;
                    f.put(name, value)?;
                    continue;
                }
                _ => return Err(f.unknown(&name, &KNOWN_FIELDS)),
            };
            if twice {
                return Err(f.twice(&name));
            }
        }
        let message = Message {
            everyone: None,
            id: String::new(),
            account: f.required_string("account")?,
            to: to.map(To::read).transpose()?.unwrap_or_default(),
            text: f.string("text")?,
            parts: parts.map(Part::read_all).transpose()?.unwrap_or_default(),
            title: f.string("title")?,
            format: f.one_of("format", Format::WORDS)?.map(Format::of).unwrap_or_default(),
            attachments: Attachment::read_all(f.array("attachments")?.unwrap_or_default())?,
            silent: f.boolean("silent")?.unwrap_or(false),
            priority: f.one_of("priority", Priority::WORDS)?.map(Priority::of).unwrap_or_default(),
            thread: f.string("thread")?,
            overflow: f.one_of("overflow", Overflow::WORDS)?.map(Overflow::of).unwrap_or_default(),
            reply_to: f.string("reply_to")?,
            key: f.string("key")?,
            deadline_ms: f.unsigned("deadline_ms")?,
            not_before_ms: f.unsigned("not_before_ms")?,
            ordered: f.boolean("ordered")?.unwrap_or(false),
            extra: f.object("extra")?.map(|mut extra| extra.rest()),
        };
        if message.text.is_some() && parts.is_some_and(|parts| parts != "null") {
            return Err(f.error("parts", "give \"text\" or \"parts\", not both"));
        }
        if message.key.as_deref() == Some("") {
            let words = "an empty key would make one message of unrelated ones";
            return Err(f.error("key", words));
        }
        Ok(message)
    }

    /// The account that sends it.
    pub fn account(&self) -> &str {
        &self.account
    }
}

fn nobody(error: Error) -> Refused {
    Refused { error, account: None, key: None }
}

const KNOWN_FIELDS: [&str; 18] = [
    "v",
    "account",
    "to",
    "text",
    "parts",
    "title",
    "format",
    "attachments",
    "silent",
    "priority",
    "thread",
    "overflow",
    "reply_to",
    "key",
    "deadline_ms",
    "not_before_ms",
    "ordered",
    "extra",
];

fn known_version(v: Option<&str>) -> Result<()> {
    let words = match v {
        Some("1") => return Ok(()),
        Some(other) => format!("version {other} is unknown; this build reads 1"),
        None => "the field \"v\" is required: {\"v\": 1, …}".to_owned(),
    };
    Err(Error::new(ErrorCode::Argument, words).at("v"))
}

/// What text is that is no object.
fn no_object(text: &str) -> Error {
    match serde_json::from_str(text) {
        Ok(value) => {
            let words = format!("a message is an object, found {}", json::type_name(&value));
            Error::new(ErrorCode::Argument, words)
        }
        Err(e) => no_json(&e.to_string()),
    }
}

fn no_json(why: &str) -> Error {
    Error::new(ErrorCode::Argument, format!("the message is not JSON: {why}"))
}

impl Part {
    fn read_all(text: &str) -> Result<Vec<Part>> {
        let parts = serde_json::from_str::<Option<Vec<&RawValue>>>(text)
            .map_err(|_| Error::new(ErrorCode::Message, "expected an array").at("parts"))?;
        let parts = parts.unwrap_or_default().into_iter().enumerate();
        parts.map(|(i, raw)| Part::read(raw.get(), format!("parts[{i}]"))).collect()
    }

    fn read(text: &str, path: String) -> Result<Part> {
        let mut f = Fields::read(text, path, ErrorCode::Message)?;
        const TYPES: [&str; 7] = ["text", "mention", "face", "location", "link", "custom", "raw"];
        let Some(kind) = f.one_of("type", &TYPES)? else {
            return Err(
                f.error("type", format!("the field \"type\" is required: {}", quoted(&TYPES)))
            );
        };
        let part = match kind {
            "text" => Part::Text(f.required_string("text")?),
            "mention" => mention(&mut f)?,
            "face" => Part::Face {
                index: f.required_integer("index", i64::MIN..=i64::MAX)?,
                data: f.string("data")?,
            },
            "location" => Part::Location(Location {
                latitude: degrees(&mut f, "latitude", 90.0)?,
                longitude: degrees(&mut f, "longitude", 180.0)?,
                address: f.string("address")?,
            }),
            "link" => Part::Link {
                url: f.required_string("url")?,
                title: f.string("title")?,
                description: f.string("description")?,
                thumbnail: f.string("thumbnail")?,
                image: f.string("image")?,
            },
            "custom" => Part::Custom {
                data: f.required_string("data")?,
                desc: f.string("desc")?,
                ext: f.string("ext")?,
                sound: f.string("sound")?,
            },
            _ => {
                f.required_object("value")?;
                Part::Raw(raw_value(text))
            }
        };
        f.finish()?;
        Ok(part)
    }
}

fn mention(f: &mut Fields) -> Result<Part> {
    let (user, name) = (f.string("user")?, f.string("name")?);
    match (f.boolean("all")?.unwrap_or(false), user) {
        (true, None) if name.is_none() => Ok(Part::MentionAll),
        (true, _) => Err(f.error("all", "a mention is of all or of one user, not both")),
        (false, Some(user)) if !is_blank(&user) => Ok(Part::Mention { user, name }),
        (false, _) => Err(f.error("user", "a mention needs \"user\", or \"all\": true")),
    }
}

fn degrees(f: &mut Fields, name: &'static str, most: f64) -> Result<f64> {
    let found = f.number(name)?;
    let degrees = found.ok_or_else(|| f.error(name, format!("the field {name:?} is required")))?;
    if degrees.abs() > most {
        return Err(f.error(name, format!("{degrees} is not between -{most} and {most} degrees")));
    }
    Ok(degrees)
}

/// The text of `value` as it was written: its digits and its order are the caller's.
fn raw_value(part: &str) -> String {
    let members = json::members(part).unwrap_or_default();
    let value = members.into_iter().find(|(name, _)| name == "value");
    value.map(|(_, raw)| json::minified(raw.get())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (ErrorCode, String) {
        let error = Message::from_json(text).expect_err(text);
        (error.code(), error.path().unwrap_or("").to_owned())
    }

    #[test]
    fn what_is_no_message_is_an_argument() {
        for text in [
            "",
            "nonsense",
            "[]",
            "{}",
            "{\"account\": \"a\"}",
            "{\"v\": 2, \"account\": \"a\"}",
            "{\"v\": \"1\", \"account\": \"a\"}",
            "{\"v\": 1.5, \"account\": \"a\"}",
            "{\"v\": 1, \"colour\": 1, \"account\": \"a\"",
            "{\"v\": 1, \"account\": \"a\0\"}",
            &"[".repeat(100_000),
        ] {
            assert_eq!(refused(text).0, ErrorCode::Argument, "{text:.40}");
        }
        let huge = format!("{{\"v\":1,\"account\":\"{}\"}}", "x".repeat(1 << 20));
        assert_eq!(refused(&huge).0, ErrorCode::Argument);
    }

    #[test]
    fn what_is_wrong_in_a_message_is_told_with_its_path() {
        for (fields, path) in [
            (r#""colour": 1, "account": "a""#, "colour"),
            (r#""text": "x""#, "account"),
            (r#""account": 7"#, "account"),
            (r#""account": "a", "to": {"planet": "x"}"#, "to.planet"),
            (r#""account": "a", "to": {"users": "x"}"#, "to.users"),
            (r#""account": "a", "to": ["x"]"#, "to"),
            (r#""account": "a", "text": "x", "parts": []"#, "parts"),
            (r#""account": "a", "key": """#, "key"),
            (r#""account": "a", "deadline_ms": -1"#, "deadline_ms"),
            (
                r#""account": "a", "parts": [{"type": "text", "text": "x"}, {"type": "dance"}]"#,
                "parts[1].type",
            ),
            (r#""account": "a", "parts": [{"type": "text"}]"#, "parts[0].text"),
            (r#""account": "a", "parts": [{"type": "mention"}]"#, "parts[0].user"),
            (r#""account": "a", "parts": [{"type": "face", "index": "1"}]"#, "parts[0].index"),
            (r#""account": "a", "parts": [{"type": "raw", "value": 1}]"#, "parts[0].value"),
            (r#""account": "a", "parts": [{"type": "text", "text": "x", "y": 1}]"#, "parts[0].y"),
            (r#""account": "a", "parts": [{"type": "text", "text": "\ud83d"}]"#, "parts[0].text"),
            (r#""account": "a", "parts": {"type": "text"}"#, "parts"),
            (r#""account": "a", "parts": ["text"]"#, "parts[0]"),
            (r#""account": "a", "to": {"users": ["x", 1]}"#, "to.users[1]"),
            (r#""account": "a", "deadline_ms": 1.5"#, "deadline_ms"),
            (r#""account": "a", "account": "b""#, "account"),
            (r#""account": "a", "to": {"user": "x"}, "to": {"user": "y"}"#, "to"),
            (r#""account": "a", "to": {"user": "x", "user": "y"}"#, "to.user"),
            (r#""account": "a", "parts": [], "parts": []"#, "parts"),
            (
                r#""account": "a", "parts": [{"type": "raw", "value": {"x": 1}, "value": {"y": 1}}]"#,
                "parts[0].value",
            ),
        ] {
            let text = format!("{{\"v\": 1, {fields}}}");
            assert_eq!(refused(&text), (ErrorCode::Message, path.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_refused_message_still_tells_whose_it_was() {
        let json = br#"{"v": 1, "account": "a", "key": "k", "colour": 1}"#;
        let refused = Message::parse(json).expect_err("unknown field");
        assert_eq!((refused.account.as_deref(), refused.key.as_deref()), (Some("a"), Some("k")));
    }

    #[test]
    fn a_raw_part_keeps_its_digits_and_its_order() {
        let json = r#"{"v":1,"account":"a","parts":[{"type":"raw","value":{"z": 1.10, "a": 12345678901234567890123}}]}"#;
        let message = Message::from_json(json).expect("well-formed");
        assert_eq!(
            message.parts,
            [Part::Raw(r#"{"z":1.10,"a":12345678901234567890123}"#.to_owned())]
        );
    }
}
