//! Cuts a text that is too long, or refuses it.

use unicode_segmentation::GraphemeCursor;

use super::Rules;
use super::dialect::Dialect;
use super::rich::{AFTER_TITLE, Doc};
use super::write::{self, Mention, Place, Written};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Overflow;

/// The most parts of a text that Telegram takes formatted; it leaves the others plain without a word.
const MAX_MARKS: usize = 100;

/// What was written, from where, and up to where.
pub type Piece = (Written, Place, usize);

/// A text that is to be written within a limit.
pub struct Cutter<'a> {
    pub doc: &'a Doc,
    pub dialect: &'static Dialect,
    pub mentions: &'a [Mention],
    pub rules: &'a Rules,
    /// How long what was written is, as it is sent.
    pub length: &'a dyn Fn(&Written, &Place, usize, bool) -> usize,
}

impl Cutter<'_> {
    /// The text in pieces, and whether some of it was cut off.
    pub fn pieces(&self, overflow: Overflow) -> Result<(Vec<Piece>, bool)> {
        let (from, all) = (Place::default(), self.doc.words.len());
        if overflow == Overflow::Split {
            return Ok((self.split(from)?, false));
        }
        let whole = self.write(&from, all, false);
        if self.fits(&whole, &from, all, false) {
            return Ok((vec![(whole, from, all)], false));
        }
        let end = match overflow {
            Overflow::Truncate => self.longest(&from, true),
            _ => None,
        };
        let end = end.ok_or_else(|| self.too_large())?;
        let cut = self.write(&from, end, true);
        Ok((vec![(cut, from, end)], true))
    }

    fn split(&self, mut from: Place) -> Result<Vec<Piece>> {
        let all = self.doc.words.len();
        let mut pieces: Vec<Piece> = Vec::new();
        loop {
            let end = self.longest(&from, false);
            if end == Some(all) {
                let rest = self.write(&from, all, false);
                if !rest.text.is_empty() || pieces.is_empty() {
                    pieces.push((rest, from, all));
                }
                return Ok(pieces);
            }
            let end = end.filter(|end| *end > from.at).ok_or_else(|| self.too_large())?;
            let (end, next) = self.best(&from, end);
            let piece = self.write(&from, end, false);
            let next = piece.next.clone().forward(self.doc, next);
            let from = std::mem::replace(&mut from, next);
            if !piece.text.is_empty() {
                pieces.push((piece, from, end));
            }
        }
    }

    fn write(&self, from: &Place, to: usize, cut: bool) -> Written {
        write::write(self.doc, self.dialect, self.mentions, (from, to), cut)
    }

    fn fits(&self, written: &Written, from: &Place, to: usize, cut: bool) -> bool {
        (self.length)(written, from, to, cut) <= self.rules.most
    }

    /// True if the words up to this place fit.
    fn fits_to(&self, from: &Place, to: usize, cut: bool) -> bool {
        let written = self.write(from, to, cut);
        (cut || written.marks.len() <= MAX_MARKS) && self.fits(&written, from, to, cut)
    }

    /// The farthest place, of those where the text may be cut at all, up to which it fits.
    fn longest(&self, from: &Place, cut: bool) -> Option<usize> {
        let words = &self.doc.words;
        let fits = |to: usize| self.fits_to(from, self.trimmed(from, to), cut);
        // What surely fits, and what surely does not.
        let (mut low, mut step) = (from.at, self.rules.most.clamp(16, 1 << 20));
        let mut high = loop {
            let to = floor(words, low + step);
            if to == words.len() && !cut && self.fits_to(from, to, false) {
                return Some(to);
            }
            match to < words.len() && fits(to) {
                true => (low, step) = (to, step * 2),
                false => break to,
            }
        };
        loop {
            let middle = floor(words, low + (high - low) / 2);
            let middle = if middle > low { middle } else { ceiling(words, low + 1) };
            if middle >= high {
                break;
            }
            match fits(middle) {
                true => low = middle,
                false => high = middle,
            }
        }
        let mut to = self.allowed(from, low);
        while to > from.at && !fits(to) {
            to = self.allowed(from, floor(words, to - 1));
        }
        let to = self.trimmed(from, to);
        (to > from.at || cut && fits(to)).then_some(to)
    }

    /// The place without white space before it.
    fn trimmed(&self, from: &Place, to: usize) -> usize {
        from.at + self.doc.words[from.at..to].trim_end_matches(is_blank).len()
    }

    /// The last place up to this one where nothing whole is cut in two.
    fn allowed(&self, from: &Place, mut to: usize) -> usize {
        let words = &self.doc.words;
        loop {
            let before = self.doc.atoms.partition_point(|atom| atom.start < to);
            // One link may hold a mention, but no other link.
            let around = self.doc.atoms[before.saturating_sub(2)..before].iter();
            let atom = around.filter(|atom| to < atom.end).map(|atom| atom.start).min();
            let start = atom.unwrap_or_else(|| self.grapheme(url_start(words, from.at, to)));
            if start == to || start <= from.at {
                return start.max(from.at);
            }
            to = start;
        }
    }

    /// The last end of a grapheme up to this place.
    fn grapheme(&self, to: usize) -> usize {
        let words = &self.doc.words;
        let mut cursor = GraphemeCursor::new(to, words.len(), true);
        match cursor.is_boundary(words, 0) {
            Ok(true) => to,
            _ => cursor.prev_boundary(words, 0).ok().flatten().unwrap_or(0),
        }
    }

    /// The best place to cut at up to this one, and where to go on: behind a paragraph, else a line, else a
    /// word, else anywhere.
    fn best(&self, from: &Place, end: usize) -> (usize, usize) {
        let words = &self.doc.words;
        // A place is worth no more than three quarters of the piece.
        let least = from.at + (end - from.at) / 4;
        let window = floor(words, end + 2);
        let is_good = |at: &usize| *at > least && *at <= end && self.allowed(from, *at) == *at;
        let find = |is_end: &dyn Fn(&str) -> bool| {
            let mut ends = words[from.at..window].char_indices().rev().map(|(at, _)| from.at + at);
            ends.find(|at| is_end(&words[*at..]) && is_good(at))
        };
        let at = find(&|rest| rest.starts_with("\n\n"))
            .or_else(|| find(&|rest| rest.starts_with('\n')))
            .or_else(|| find(&|rest| rest.starts_with([' ', '\t'])))
            .or_else(|| {
                let mut ends = words[from.at..end].char_indices().rev();
                let end = ends.find(|(_, c)| "。，、；：！？…）」』】》".contains(*c));
                let end = end.map(|(at, c)| from.at + at + c.len_utf8());
                end.filter(is_good)
            })
            .unwrap_or(end);
        let rest = &words[at..];
        let behind = rest.trim_start_matches(is_blank);
        // The blanks at the beginning of a line are meant.
        let skipped = &rest[..rest.len() - behind.len()];
        let next = match skipped.rfind('\n') {
            Some(line) if self.doc.plain => at + line + 1,
            _ => at + skipped.len(),
        };
        (self.trimmed(from, at), next)
    }

    /// The error of a text that is too long.
    fn too_large(&self) -> Error {
        let (from, all) = (Place::default(), self.doc.words.len());
        let whole = self.write(&from, all, false);
        self.rules.too_large((self.length)(&whole, &from, all, false))
    }
}

impl Rules {
    /// The error of a text that is so long.
    pub(super) fn too_large(&self, count: usize) -> Error {
        let words =
            format!("the text has {count} {}; the service takes {}", self.unit.name(), self.most);
        Error::new(ErrorCode::TooLarge, words).at("text")
    }
}

/// True for what is not missed at either end of a piece.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | AFTER_TITLE)
}

/// The last boundary of a character up to this place.
fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The first boundary of a character from this place on, or beyond the text.
fn ceiling(text: &str, mut at: usize) -> usize {
    while at < text.len() && !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Where the URL begins that this place is within; the place itself if it is in none.
fn url_start(text: &str, from: usize, to: usize) -> usize {
    let ends = |c: char| c.is_whitespace() || !c.is_ascii() || c == '<' || c == '>';
    if text[to..].chars().next().is_none_or(ends) {
        return to;
    }
    let start = text[from..to]
        .rfind(ends)
        .map_or(from, |at| from + at + text[from + at..].chars().next().map_or(0, char::len_utf8));
    let word = &text[start..];
    match word.find("://") {
        Some(at) if start + at < to && word[..at].ends_with(|c: char| c.is_ascii_alphabetic()) => {
            let scheme = word[..at].trim_end_matches(|c: char| c.is_ascii_alphabetic()).len();
            start + scheme
        }
        _ => to,
    }
}
