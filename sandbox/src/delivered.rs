//! A message that a service took, as its reader sees it.

use axum::body::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// The largest image that is kept to be shown; of others only name, type, size and digest are.
const LARGEST_IMAGE: usize = 2 << 20;

/// A message that a service took.
///
/// What a service does not set is left as [`Delivered::to`] makes it:
///
/// ```text
/// Delivered { id: Some(id), silent, ..Delivered::to("bot", channel, text) }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Delivered {
    /// Who sent it: the name of the bot, app or user that the credentials are of.
    pub account: String,
    /// Who got it; empty where the service has but one.
    pub recipient: String,
    /// The text as the service took it, in its own markup.
    pub text: String,
    /// The service's id of the message, where it gives one.
    pub id: Option<String>,
    /// A title or subject of its own.
    pub title: Option<String>,
    /// What `text` is written in.
    pub format: Format,
    /// Who is mentioned, by the service's own ids or names.
    pub mentions: Vec<String>,
    /// Files and images.
    pub attachments: Vec<Attached>,
    /// The thread or topic that it stands in, or the message that it replies to.
    pub thread: Option<String>,
    /// Whether it comes without a sound.
    pub silent: bool,
    /// A priority in the service's own words.
    pub priority: Option<String>,
}

/// What a text is written in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Format {
    /// Every character stands for itself.
    #[default]
    Plain,
    /// One of the kinds of Markdown.
    Markdown(Dialect),
    /// HTML, of which the usual inline and block elements are shown.
    Html,
    /// Plain text of which ranges have a style.
    Entities(Vec<Entity>),
}

/// A kind of Markdown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dialect {
    /// `**bold**`, `*italic*`, `[text](url)`, and a backslash before what stands for itself.
    CommonMark,
    /// The same with `__underline__`, `||spoiler||`, and `<@id>`, `<#id>`, `<@&id>`.
    Discord,
    /// `*bold*`, `_italic_`, `~strike~`, `<url|text>`, `<@id>`, `<!here>`, and three HTML entities.
    Slack,
    /// `*bold*`, `_italic_`, `~strike~`, `[text](url)`, and a backslash before what stands for itself.
    RocketChat,
    /// `**bold**`, `*italic*`, `[text](url)`, `@**name**`, and entities of HTML for what stands for itself.
    Zulip,
}

/// A range of the text, in Unicode scalars, and its style.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entity {
    pub start: usize,
    pub end: usize,
    pub style: Style,
}

/// How a range of text looks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Style {
    Bold,
    Italic,
    Underline,
    Strike,
    Spoiler,
    Code,
    /// A block of code.
    Pre,
    Quote,
    Heading,
    Mention,
    Link(String),
}

impl Style {
    /// The name in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Style::Bold => "bold",
            Style::Italic => "italic",
            Style::Underline => "underline",
            Style::Strike => "strike",
            Style::Spoiler => "spoiler",
            Style::Code => "code",
            Style::Pre => "pre",
            Style::Quote => "quote",
            Style::Heading => "heading",
            Style::Mention => "mention",
            Style::Link(_) => "link",
        }
    }
}

/// A file that came with a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attached {
    pub name: String,
    /// The type that the sender gave.
    pub content_type: String,
    pub size: usize,
    sha256: Option<String>,
    /// Where it lies, for a file that the service fetches itself.
    url: Option<String>,
    /// An image, to be shown, with the type that its first bytes tell.
    pub image: Option<(&'static str, Bytes)>,
}

impl Attached {
    /// A file that was uploaded.
    pub(crate) fn new(name: &str, content_type: &str, bytes: &Bytes) -> Attached {
        let image = image_type(bytes).filter(|_| bytes.len() <= LARGEST_IMAGE);
        let digest = Sha256::digest(bytes);
        Attached {
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            size: bytes.len(),
            sha256: Some(digest.iter().map(|byte| format!("{byte:02x}")).collect()),
            url: None,
            // A copy: the bytes may be a part of a far larger body.
            image: image.map(|kind| (kind, Bytes::copy_from_slice(bytes))),
        }
    }

    /// The same under the name that a message gives it.
    pub(crate) fn named(self, name: &str) -> Attached {
        Attached { name: name.to_owned(), ..self }
    }

    /// A file that the service would fetch from `url`; the sandbox does not.
    pub(crate) fn at(url: &str) -> Attached {
        let name = url.split(['?', '#']).next().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        Attached { name: name.to_owned(), url: Some(url.to_owned()), ..Attached::default() }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({"name": self.name, "type": self.content_type, "size": self.size});
        if let Some(sha256) = &self.sha256 {
            json["sha256"] = sha256.as_str().into();
        }
        if let Some(url) = &self.url {
            json["url"] = url.as_str().into();
        }
        json
    }
}

/// The type of an image that browsers show and that carries no script, by its first bytes.
pub(crate) fn image_type(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: [(&[u8], &str); 4] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
    ];
    let known = KNOWN.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind);
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    known.or(webp.then_some("image/webp"))
}

impl Delivered {
    /// A plain message without an id.
    pub(crate) fn to(
        account: impl Into<String>,
        recipient: impl Into<String>,
        text: impl Into<String>,
    ) -> Delivered {
        Delivered {
            account: account.into(),
            recipient: recipient.into(),
            text: text.into(),
            ..Delivered::default()
        }
    }

    /// What `/_/messages` shows of it; what only some services have is left out where it is not there.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("account".to_owned(), self.account.as_str().into());
        map.insert("recipient".to_owned(), self.recipient.as_str().into());
        map.insert("text".to_owned(), self.text.as_str().into());
        map.insert("id".to_owned(), self.id.clone().into());
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        put("title", self.title.clone().map(Value::from));
        put("format", self.format.name().map(Value::from));
        if let Format::Entities(entities) = &self.format {
            put("entities", Some(entities.iter().map(Entity::to_json).collect()));
        }
        let some = |list: &[_]| !list.is_empty();
        put("mentions", some(&self.mentions).then(|| self.mentions.clone().into()));
        let attachments = || self.attachments.iter().map(Attached::to_json).collect();
        put("attachments", (!self.attachments.is_empty()).then(attachments));
        put("thread", self.thread.clone().map(Value::from));
        put("silent", self.silent.then_some(Value::Bool(true)));
        put("priority", self.priority.clone().map(Value::from));
        map
    }

    /// The bytes that are kept of it.
    pub(crate) fn bytes(&self) -> usize {
        let file = |one: &Attached| {
            let image = one.image.as_ref().map_or(0, |(_, bytes)| bytes.len());
            image
                + one.name.len()
                + one.content_type.len()
                + one.url.as_ref().map_or(0, String::len)
        };
        let words =
            [Some(&self.account), Some(&self.recipient), Some(&self.text), self.id.as_ref()];
        let more = [self.title.as_ref(), self.thread.as_ref(), self.priority.as_ref()];
        let words = words.into_iter().chain(more).flatten().chain(&self.mentions);
        let entities = match &self.format {
            Format::Entities(entities) => entities.len() * size_of::<Entity>(),
            _ => 0,
        };
        words.map(String::len).sum::<usize>()
            + self.attachments.iter().map(file).sum::<usize>()
            + entities
    }
}

impl Format {
    /// The name in JSON; none for what is plain.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Format::Plain => None,
            Format::Markdown(Dialect::CommonMark) => Some("markdown"),
            Format::Markdown(Dialect::Discord) => Some("discord"),
            Format::Markdown(Dialect::Slack) => Some("mrkdwn"),
            Format::Markdown(Dialect::RocketChat) => Some("rocketchat"),
            Format::Markdown(Dialect::Zulip) => Some("zulip"),
            Format::Html => Some("html"),
            Format::Entities(_) => Some("entities"),
        }
    }
}

impl Entity {
    fn to_json(&self) -> Value {
        let mut json = json!({"start": self.start, "end": self.end, "type": self.style.name()});
        if let Style::Link(url) = &self.style {
            json["url"] = url.as_str().into();
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_message_has_four_fields_and_a_rich_one_more() {
        let plain = Delivered::to("bot", "c", "hi");
        let expected = json!({"account": "bot", "recipient": "c", "text": "hi", "id": null});
        assert_eq!(Value::Object(plain.to_json()), expected);
        let link = Style::Link("https://a.example/".to_owned());
        let rich = Delivered {
            title: Some("T".to_owned()),
            format: Format::Entities(vec![Entity { start: 0, end: 2, style: link }]),
            mentions: vec!["U1".to_owned()],
            attachments: vec![
                Attached::new("a.png", "image/png", &Bytes::from_static(b"\x89PNG\r\n\x1a\n")),
                Attached::at("https://a.example/b/c.pdf?x=/d"),
            ],
            thread: Some("7".to_owned()),
            silent: true,
            priority: Some("high".to_owned()),
            ..plain
        };
        let json = Value::Object(rich.to_json());
        assert_eq!(json["entities"][0]["url"], "https://a.example/");
        assert_eq!(json["attachments"][0]["size"], 8);
        assert_eq!(json["attachments"][0]["sha256"].as_str().map(str::len), Some(64));
        assert_eq!(json["attachments"][1]["name"], "c.pdf");
        assert_eq!((&json["silent"], &json["priority"]), (&json!(true), &json!("high")));
    }

    #[test]
    fn images_are_known_by_their_bytes_and_kept_up_to_a_size() {
        let attached = |bytes: Vec<u8>| Attached::new("a", "image/png", &Bytes::from(bytes)).image;
        assert_eq!(attached(b"GIF89a".to_vec()).map(|(kind, _)| kind), Some("image/gif"));
        assert_eq!(attached(b"RIFF....WEBPVP8".to_vec()).map(|(kind, _)| kind), Some("image/webp"));
        assert_eq!(attached(b"<svg onload='x'/>".to_vec()), None);
        let mut large = b"\xff\xd8\xff".to_vec();
        large.resize(LARGEST_IMAGE, 0);
        assert!(attached(large.clone()).is_some());
        large.push(0);
        assert_eq!(attached(large), None);
    }
}
