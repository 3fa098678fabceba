//! How a message's title, text, format and parts become what a service takes, in its markup and within its
//! limit.
//!
//! A service says by [`Rules`] what it takes; [`compose`] makes pieces of the message, one unless the
//! message asks for `"overflow": "split"`.

mod cut;
mod measure;

use std::borrow::Cow;

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Format, Message, Overflow, Part};
use crate::model::receipt::Note;

/// What a service takes.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What its limit counts.
    pub unit: Unit,
    /// How many of them a text may have; no limit is `usize::MAX`.
    pub most: usize,
    /// What the text is written in.
    pub markup: Markup,
    /// Where the title goes.
    pub title: Title,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    /// Unicode scalars.
    CodePoints,
    /// Units of UTF-16.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
    /// What readers take for one character.
    Graphemes,
    /// Bytes between the quotes of a JSON string.
    Json,
    /// What this counts, and the plural of its name; longer texts count no less.
    Own(fn(&str) -> usize, &'static str),
}

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// Nothing; a mention is `@` and the name.
    Plain,
    /// Nothing, with [`Piece::entities`] beside it.
    TelegramEntities,
    /// Slack's mrkdwn.
    SlackMrkdwn,
    /// Discord's Markdown.
    Discord,
    /// CommonMark with tables and `~~`; a text in Markdown is sent as it is. Mentions are `@name`.
    CommonMark,
    /// Rocket.Chat's Markdown.
    RocketChat,
    /// Google Chat's.
    GoogleChat,
    /// Zulip's Markdown.
    Zulip,
    /// KOOK's KMarkdown.
    Kook,
    /// QQ's Markdown.
    Qq,
    /// The Markdown of DingTalk's robots; a mention is `@user`.
    DingTalk,
    /// WeCom's `markdown`.
    WeCom,
    /// The JSON of the paragraphs of a Feishu post: `[[{"tag": "text", …}]]`.
    FeishuPost,
    /// The Markdown of text blocks in Adaptive Cards.
    AdaptiveCard,
    /// HTML as Matrix takes it.
    MatrixHtml,
    /// HTML; a text in HTML is sent as it is.
    Html,
}

/// Where a title goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Title {
    /// Into the first line of the text, in bold where the markup can.
    FirstLine,
    /// Elsewhere: the service takes `message.title` itself.
    Own,
}

/// What one request carries.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// The text in the service's markup.
    pub text: String,
    /// The same without markup, where that is HTML.
    pub plain: String,
    /// What is not plain in it, for Telegram.
    pub entities: Vec<Entity>,
    /// Who is called by name in it: the user, and the name that is shown.
    pub mentions: Vec<(String, Option<String>)>,
    /// True if everybody is called in it.
    pub mentions_all: bool,
    /// True if the message's format was lost.
    pub converted: bool,
    /// True if some of the text was.
    pub truncated: bool,
}

/// A part of a text that is not plain, as Telegram takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Its `type`.
    pub kind: &'static str,
    /// Where it begins, in units of UTF-16.
    pub offset: usize,
    /// How long it is, in units of UTF-16.
    pub length: usize,
    /// `url` of a `text_link`, `language` of a `pre`, the user's id of a `text_mention`; else empty.
    pub value: String,
}

impl Piece {
    /// What the result is to say of it.
    pub fn notes(&self) -> Vec<Note> {
        let note = |name: &'static str, words: &str| Note {
            name: Cow::Borrowed(name),
            message: words.to_owned(),
        };
        let converted = self
            .converted
            .then(|| note("converted", "the service takes no markup: the text was made plain"));
        let truncated =
            self.truncated.then(|| note("truncated", "the text was too long, and was cut"));
        converted.into_iter().chain(truncated).collect()
    }
}

/// The text itself, where the service takes it as it stands: plain, without title and parts, and not
/// too long. It costs nothing.
pub fn as_is<'a>(message: &'a Message, rules: &Rules) -> Option<&'a str> {
    let is_plain = message.format == Format::Plain
        && matches!(rules.markup, Markup::Plain | Markup::TelegramEntities)
        && (message.title.is_none() || rules.title == Title::Own)
        && message.parts.is_empty();
    let text = message.text.as_deref().unwrap_or_default();
    (is_plain && rules.unit.fits(text, rules.most)).then_some(text)
}

/// What the requests carry: one piece unless the message asks for several.
///
/// `too_large` at `text`: it is too long, and is to be refused then. `unsupported` at the part: the markup
/// cannot carry it.
pub fn compose(message: &Message, rules: &Rules) -> Result<Vec<Piece>> {
    if let Some(text) = as_is(message, rules) {
        return Ok(vec![Piece { text: text.to_owned(), ..Piece::default() }]);
    }
    let mut text = String::new();
    if let (Some(title), Title::FirstLine) = (&message.title, rules.title) {
        text.push_str(title);
        text.push('\n');
    }
    text.push_str(message.text.as_deref().unwrap_or_default());
    let mut piece = Piece::default();
    for (i, part) in message.parts.iter().enumerate() {
        match part {
            Part::Text(own) => text.push_str(own),
            Part::Mention { user, name } => {
                text.push('@');
                text.push_str(name.as_ref().unwrap_or(user));
                piece.mentions.push((user.clone(), name.clone()));
            }
            Part::MentionAll => {
                text.push_str("@all");
                piece.mentions_all = true;
            }
            _ => {
                let words = "the text cannot carry this part";
                let error = Error::new(ErrorCode::Unsupported, words);
                return Err(error.at(format!("parts[{i}]")));
            }
        }
    }
    let texts = match message.overflow {
        _ if rules.unit.fits(&text, rules.most) => vec![text],
        Overflow::Refuse => return Err(rules.too_large(&text)),
        Overflow::Truncate => {
            piece.truncated = true;
            vec![cut::truncated(&text, rules)?]
        }
        Overflow::Split => cut::split(&text, rules)?,
    };
    piece.converted = message.format != Format::Plain;
    Ok(texts.into_iter().map(|text| Piece { text, ..piece.clone() }).collect())
}

impl Rules {
    /// The error of a text that is too long.
    fn too_large(&self, text: &str) -> Error {
        let (count, name) = (self.unit.count(text), self.unit.name());
        let words = format!("the text has {count} {name}; the service takes {}", self.most);
        Error::new(ErrorCode::TooLarge, words).at("text")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(unit: Unit, most: usize) -> Rules {
        Rules { unit, most, markup: Markup::Plain, title: Title::FirstLine }
    }

    fn message(fields: serde_json::Value) -> Message {
        let mut whole = serde_json::json!({"v": 1, "account": "a"});
        let own = fields.as_object().expect("an object").clone();
        whole.as_object_mut().expect("an object").extend(own);
        Message::from_json(&whole.to_string()).expect("a message")
    }

    fn texts(fields: serde_json::Value, rules: &Rules) -> Vec<String> {
        let pieces = compose(&message(fields), rules).expect("it can be sent");
        pieces.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn a_title_is_the_first_line() {
        let both = serde_json::json!({"title": "T", "text": "x"});
        assert_eq!(texts(both.clone(), &rules(Unit::Bytes, 3)), ["T\nx"]);
        let own = Rules { title: Title::Own, ..rules(Unit::Bytes, 3) };
        assert_eq!(texts(both, &own), ["x"]);
    }

    #[test]
    fn what_is_too_long_is_refused_cut_or_split() {
        let long =
            |overflow: &str| serde_json::json!({"text": "ab cd 👍🏽 ef", "overflow": overflow});
        let error = compose(&message(long("refuse")), &rules(Unit::CodePoints, 10)).unwrap_err();
        assert_eq!((error.code(), error.path()), (ErrorCode::TooLarge, Some("text")));
        assert_eq!(error.words(), "the text has 11 characters; the service takes 10");
        assert_eq!(texts(long("truncate"), &rules(Unit::CodePoints, 8)), ["ab cd…"]);
        assert_eq!(texts(long("split"), &rules(Unit::CodePoints, 8)), ["ab cd 👍🏽", "ef"]);
        assert_eq!(texts(long("split"), &rules(Unit::CodePoints, 7)), ["ab cd", "👍🏽 ef"]);
    }
}
