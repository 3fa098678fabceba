//! How a message's title, text, format and parts become what a service takes, in its markup and within its
//! limit.
//!
//! A service says by [`Rules`] what it takes; [`compose`] makes pieces of the message, one unless the
//! message asks for `"overflow": "split"`.

mod cut;
mod dialect;
mod escape;
mod feishu;
mod html;
mod markdown;
mod measure;
mod rich;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;

use cut::Cutter;
use dialect::{Dialect, Kind};
use escape::Where;
use rich::{AFTER_TITLE, Builder, MENTION, Tag};
use write::{Mention, Place, Written};

use super::api::Draft;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Format, Message, Part};
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
#[allow(dead_code, reason = "some are of services that are not here yet")]
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
#[allow(dead_code, reason = "some are of services that are not here yet")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// Nothing; a mention is `@` and the name.
    Plain,
    /// Nothing; a mention is `@` and the user's id.
    PlainById,
    /// Nothing; where a mention is stands one of [`MENTIONED`], in whose place the service puts its own.
    Marked,
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

/// Every markup.
#[cfg(any(test, feature = "testing"))]
pub const ALL: [Markup; 18] = [
    Markup::Plain,
    Markup::PlainById,
    Markup::TelegramEntities,
    Markup::SlackMrkdwn,
    Markup::Discord,
    Markup::CommonMark,
    Markup::RocketChat,
    Markup::GoogleChat,
    Markup::Zulip,
    Markup::Kook,
    Markup::Qq,
    Markup::DingTalk,
    Markup::WeCom,
    Markup::FeishuPost,
    Markup::AdaptiveCard,
    Markup::MatrixHtml,
    Markup::Html,
    Markup::Marked,
];

/// What stands in a text of [`Markup::Marked`] for a mention, of a user and of everybody; no text has it.
pub const MENTIONED: [&str; 2] = ["\u{fdd1}u", "\u{fdd1}a"];

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
    #[cfg_attr(
        not(any(test, feature = "service-matrix")),
        allow(dead_code, reason = "no service of this build takes HTML")
    )]
    pub plain: String,
    /// What is not plain in it, for Telegram.
    pub entities: Vec<Entity>,
    /// Who is called by name in it: the user, and the name that is shown.
    pub mentions: Vec<(String, Option<String>)>,
    /// True if everybody is called in it.
    pub mentions_all: bool,
    /// True if the service has to read it as markup; else it is nothing but words.
    pub marked: bool,
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
        && matches!(rules.markup, Markup::Plain | Markup::PlainById | Markup::TelegramEntities)
        && !has_title(message, rules)
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
    if let Some(text) = native(message, rules) {
        return Ok(vec![Piece { text, marked: true, ..Piece::default() }]);
    }
    if let Some(text) = harmless(message, rules) {
        return Ok(vec![Piece { text: text.to_owned(), ..Piece::default() }]);
    }
    written(message, rules)
}

/// The same by the writer of markups.
fn written(message: &Message, rules: &Rules) -> Result<Vec<Piece>> {
    let dialect = rules.markup.dialect();
    let (text, mentions) = content(message, dialect)?;
    let mut to = Builder::new(message.format == Format::Plain);
    if let (Some(title), Title::FirstLine) = (&message.title, rules.title) {
        to.start(Tag::Title);
        to.text(&without_mark(title).replace(['\n', '\r'], " "));
        to.end(&Tag::Title);
    }
    match message.format {
        Format::Plain => to.text(&text),
        Format::Markdown => markdown::read(&text, &mut to),
        Format::Html => html::read(&text, &mut to),
    }
    let (doc, found) = to.finish();
    if found != mentions.len() {
        let words = "a mention stands where the format has no place for one, such as a comment";
        return Err(Error::new(ErrorCode::Message, words).at("parts"));
    }
    let words = match rules.markup {
        Markup::MatrixHtml => &dialect::OF_MATRIX,
        _ => Markup::Plain.dialect(),
    };
    let plain = |from: &Place, to: usize, cut: bool| match dialect.kind {
        Kind::Html => write::write(&doc, words, &mentions, (from, to), cut).text,
        _ => String::new(),
    };
    let length = |written: &Written, from: &Place, to: usize, cut: bool| match rules.markup {
        Markup::FeishuPost => rules.unit.count(&feishu::post(written)),
        _ => rules.unit.count(&written.text) + rules.unit.count(&plain(from, to, cut)),
    };
    let cutter = Cutter { doc: &doc, dialect, mentions: &mentions, rules, length: &length };
    let (pieces, truncated) = cutter.pieces(message.overflow)?;
    let marked =
        !dialect.is_plain() && (!doc.plain || !mentions.is_empty() || has_title(message, rules));
    let piece = |(written, from, to): (Written, Place, usize)| {
        let called: Vec<_> = written.mentions.iter().map(|n| &mentions[*n]).collect();
        Piece {
            plain: plain(&from, to, truncated),
            mentions: called.iter().copied().flatten().cloned().collect(),
            mentions_all: called.iter().any(|mention| mention.is_none()),
            entities: match rules.markup {
                Markup::TelegramEntities => entities(&written),
                _ => Vec::new(),
            },
            marked,
            converted: message.format != Format::Plain && dialect.is_plain(),
            truncated,
            text: match rules.markup {
                Markup::FeishuPost => feishu::post(&written),
                _ => written.text,
            },
        }
    };
    Ok(pieces.into_iter().map(piece).collect())
}

/// A link that stands beside the text, such as that to a file.
pub fn link(markup: Markup, words: &str, url: &str) -> String {
    let dialect = markup.dialect();
    let words = words.replace(char::is_control, " ");
    let mut link = "[".to_owned();
    escape::words(&mut link, &words, dialect, Where { linked: true, ..Where::default() });
    link.push_str("](");
    escape::url(&mut link, url, dialect);
    link + ")"
}

/// A draft for each piece of a text, with what the pieces are to tell.
pub fn drafts(pieces: Vec<Piece>, draft: impl Fn(usize, &Piece) -> Result<Draft>) -> Result<Draft> {
    drafts_by(pieces, &draft)
}

/// The same, once for all services.
fn drafts_by(pieces: Vec<Piece>, draft: &dyn Fn(usize, &Piece) -> Result<Draft>) -> Result<Draft> {
    let mut drafts = Vec::with_capacity(pieces.len());
    for (n, piece) in pieces.iter().enumerate() {
        drafts.push(draft(n, piece)?);
    }
    let notes = pieces.first().map(Piece::notes).unwrap_or_default();
    Ok(Draft::first_of(drafts, notes).unwrap_or_default())
}

/// A draft of the text of a message, for a service of this name that takes nothing but plain texts.
pub fn plain_draft(
    message: &Message,
    rules: &Rules,
    title: &str,
    draft: impl Fn(&str) -> Result<Draft>,
) -> Result<Draft> {
    if let Some(text) = as_is(message, rules) {
        return draft(text);
    }
    let pieces = compose(message, rules).map_err(|error| match error.code() {
        ErrorCode::TooLarge => {
            Error::new(error.code(), error.words().replace("the service", title)).at("text")
        }
        _ => error,
    })?;
    drafts(pieces, |_, piece| draft(&piece.text))
}

/// True if the title becomes a part of the text.
fn has_title(message: &Message, rules: &Rules) -> bool {
    message.title.is_some() && rules.title == Title::FirstLine
}

/// The text in its own format, where that is the service's, with its title.
fn native(message: &Message, rules: &Rules) -> Option<String> {
    let text = message.text.as_deref().filter(|_| message.parts.is_empty())?;
    let title = message.title.as_deref().filter(|_| has_title(message, rules)).unwrap_or_default();
    let is_native = match (message.format, rules.markup) {
        // What is HTML in a Markdown, some would show as it stands.
        (Format::Markdown, Markup::CommonMark) => !text.contains('<') && title.is_empty(),
        (Format::Html, Markup::Html) => title.is_empty(),
        _ => false,
    };
    (is_native && rules.unit.fits(text, rules.most)).then(|| text.to_owned())
}

/// A plain text in which no markup could be read: words of letters and digits with single blanks and few marks
/// between them. The writer of markups would write it no other way.
fn harmless<'a>(message: &'a Message, rules: &Rules) -> Option<&'a str> {
    let text = message.text.as_deref().filter(|_| message.parts.is_empty())?;
    let is_plain = message.format == Format::Plain
        && !has_title(message, rules)
        && rules.markup != Markup::FeishuPost
        && rules.markup.dialect().kind == Kind::Marks;
    let mut before = ' ';
    let is_word = |c: char| match c {
        ' ' => std::mem::replace(&mut before, c) != ' ',
        c => {
            before = c;
            matches!(c, ',' | '?' | '\'')
                // Most of Chinese, which the tables of all letters are slow for.
                || ('\u{4e00}'..='\u{9fff}').contains(&c)
                || c.is_alphanumeric()
                || ('\u{3001}'..='\u{3011}').contains(&c)
                || ('\u{ff01}'..='\u{ff1f}').contains(&c)
        }
    };
    (is_plain
        && text.chars().all(is_word)
        && !text.ends_with(' ')
        && rules.unit.fits(text, rules.most))
    .then_some(text)
}

/// The text of a message, with a mark where its mentions are, and who they are.
fn content(message: &Message, dialect: &Dialect) -> Result<(String, Vec<Mention>)> {
    let mut text = without_mark(message.text.as_deref().unwrap_or_default()).into_owned();
    let mut mentions = Vec::new();
    for (i, part) in message.parts.iter().enumerate() {
        let mention = match part {
            Part::Text(own) => {
                text.push_str(&without_mark(own));
                continue;
            }
            Part::Mention { user, name } if !dialect.mention.is_empty() => {
                let is_named = dialect.mention.contains("name");
                let handle = name.as_ref().filter(|_| is_named).unwrap_or(user);
                if dialect.kind == Kind::Marks && handle.contains(|c| dialect.breaks_mention(c)) {
                    let words = format!(
                        "{handle:?} can be no name of a user: it has a blank or a \
                        mark in it"
                    );
                    let path = if name.is_some() && is_named { "name" } else { "user" };
                    let error = Error::new(ErrorCode::Message, words);
                    return Err(error.at(format!("parts[{i}].{path}")));
                }
                Some((user.clone(), name.clone()))
            }
            Part::MentionAll if !dialect.all.is_empty() => None,
            _ => {
                let words = match part {
                    Part::MentionAll => "this service has no mention of everybody",
                    _ => "a text of this service cannot carry this part",
                };
                let error = Error::new(ErrorCode::Unsupported, words);
                return Err(error.at(format!("parts[{i}]")));
            }
        };
        mentions.push(mention);
        text.push(MENTION);
    }
    Ok((text, mentions))
}

/// The text without the characters that are marks here, and no characters.
fn without_mark(text: &str) -> Cow<'_, str> {
    const MARKS: [char; 2] = [MENTION, AFTER_TITLE];
    match text.contains(MARKS) {
        true => Cow::Owned(text.replace(MARKS, "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

/// What is not plain, in units of UTF-16.
fn entities(written: &Written) -> Vec<Entity> {
    let mut marks: Vec<_> = written.marks.iter().collect();
    marks.sort_by_key(|mark| (mark.start, usize::MAX - mark.end));
    let count = |from: usize, to: usize| written.text[from..to].encode_utf16().count();
    let (mut at, mut offset) = (0, 0);
    let entity = |mark: &&write::Mark| {
        offset += count(at, mark.start);
        at = mark.start;
        let length = count(mark.start, mark.end);
        Entity { kind: mark.kind, offset, length, value: mark.value.clone() }
    };
    marks.iter().map(entity).collect()
}
