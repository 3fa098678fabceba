//! What the robots of chat groups have in common: whom a message mentions, what links it consists of, and
//! a code that they share with others.

use super::api::{Answer, Draft, Reading};
use super::judge::{excerpt, is_success};
use super::text::Piece;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, Part};

/// Whom a text calls.
#[derive(Debug, Default, PartialEq)]
pub struct Mentions<'a> {
    /// Everybody.
    pub all: bool,
    /// Members by their ids.
    pub users: Vec<&'a str>,
    /// Members by their telephone numbers.
    pub phones: Vec<&'a str>,
}

impl Mentions<'_> {
    /// Whom a piece of text calls, each once, in their order.
    pub fn of(piece: &Piece) -> Mentions<'_> {
        let mut mentions = Mentions { all: piece.mentions_all, ..Mentions::default() };
        for (user, _) in &piece.mentions {
            let of_kind = match is_phone(user) {
                true => &mut mentions.phones,
                false => &mut mentions.users,
            };
            if !of_kind.contains(&user.as_str()) {
                of_kind.push(user);
            }
        }
        mentions
    }
}

/// Everybody whom a message mentions, as if one piece of text did.
pub fn mentioned(parts: &[Part]) -> Piece {
    let mention = |part: &Part| match part {
        Part::Mention { user, name } => Some((user.clone(), name.clone())),
        _ => None,
    };
    Piece {
        mentions: parts.iter().filter_map(mention).collect(),
        mentions_all: parts.contains(&Part::MentionAll),
        ..Piece::default()
    }
}

/// True if a message says something in words of its own.
pub fn has_words(message: &Message) -> bool {
    message.text.as_deref().is_some_and(|text| !text.is_empty()) || !message.parts.is_empty()
}

/// A message whose mentions read as the ids in them, for services that find them so in a plain text.
pub fn unnamed(message: &Message) -> Message {
    let mut message = message.clone();
    for part in &mut message.parts {
        if let Part::Mention { name, .. } = part {
            *name = None;
        }
    }
    message
}

/// A draft for each piece of a text, with what the pieces are to tell.
pub fn drafts(pieces: Vec<Piece>, draft: impl Fn(usize, &Piece) -> Result<Draft>) -> Result<Draft> {
    let notes = pieces.first().map(Piece::notes).unwrap_or_default();
    let drafts = pieces.iter().enumerate().map(|(i, piece)| draft(i, piece));
    let mut drafts = drafts.collect::<Result<Vec<_>>>()?.into_iter();
    let first = drafts.next().unwrap_or_default();
    Ok(Draft { pieces: drafts.collect(), notes, ..first })
}

/// True for a telephone number: one of China's mobile ones, or any with a `+` before it.
pub fn is_phone(user: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match user.strip_prefix('+') {
        Some(number) => digits(&number.replacen('-', "", 1)),
        None => user.len() == 11 && user.starts_with('1') && digits(user),
    }
}

/// A link with its preview.
pub struct Link<'a> {
    pub url: &'a str,
    pub title: Option<&'a str>,
    pub description: Option<&'a str>,
    pub picture: Option<&'a str>,
}

/// The links that a message consists of; none where it has words of its own, which `title` cannot carry
/// both of.
pub fn links<'a>(message: &'a Message, title: &str) -> Result<Vec<Link<'a>>> {
    let link = |part: &'a Part| match part {
        Part::Link { url, title, description, thumbnail, image } => Some(Link {
            url,
            title: title.as_deref(),
            description: description.as_deref(),
            picture: thumbnail.as_deref().or(image.as_deref()),
        }),
        _ => None,
    };
    let links: Vec<_> = message.parts.iter().filter_map(link).collect();
    match message.parts.iter().position(|part| !matches!(part, Part::Link { .. })) {
        Some(i) if !links.is_empty() => {
            let words =
                format!("{title} sends links as cards, beside which nothing else can stand");
            Err(Error::new(ErrorCode::Unsupported, words).at(format!("parts[{i}]")))
        }
        _ => Ok(links),
    }
}

/// A reading whose `-1` counts in a success of HTTP only: there the service says that it is busy, and
/// elsewhere a gateway would say the same.
pub fn busy_in_success(reading: Reading, answer: &Answer) -> Reading {
    match reading {
        Reading::Refused { code, .. } if code == "-1" && !is_success(answer.status) => {
            Reading::Unreadable(excerpt(&answer.body))
        }
        reading => reading,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_is_of_a_telephone_number_or_of_an_id() {
        for (user, phone) in [
            ("13800138000", true),
            ("+86-13800138000", true),
            ("+6591234567", true),
            ("23800138000", false),
            ("1380013800", false),
            ("1380013800x", false),
            ("+", false),
            ("+x", false),
            ("manager4220", false),
        ] {
            assert_eq!(is_phone(user), phone, "{user}");
        }
    }
}
