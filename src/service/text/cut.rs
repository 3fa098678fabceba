//! Cuts a text that is too long.

use unicode_segmentation::UnicodeSegmentation as _;

use super::Rules;
use crate::model::error::Result;

/// The beginning of the text, with `…`.
pub fn truncated(text: &str, rules: &Rules) -> Result<String> {
    let with = |end: usize| format!("{}…", text[..end].trim_end());
    let end = longest(text, |end| rules.unit.fits(&with(end), rules.most));
    end.map(with).ok_or_else(|| rules.too_large(text))
}

/// The text in pieces.
pub fn split(text: &str, rules: &Rules) -> Result<Vec<String>> {
    let (mut rest, mut pieces) = (text, Vec::new());
    while !rules.unit.fits(rest, rules.most) {
        let fits = |end: usize| rules.unit.fits(rest[..end].trim_end(), rules.most);
        let end = longest(rest, fits).filter(|end| *end > 0);
        let end = best(rest, end.ok_or_else(|| rules.too_large(text))?);
        pieces.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start_matches(['\n', '\r', ' ']);
    }
    pieces.push(rest.to_owned());
    pieces.retain(|piece| !piece.is_empty());
    Ok(pieces)
}

/// The farthest end of a grapheme up to which it fits.
fn longest(text: &str, fits: impl Fn(usize) -> bool) -> Option<usize> {
    let ends: Vec<_> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    ends.partition_point(|end| fits(*end)).checked_sub(1).map(|n| ends[n])
}

/// The best place to cut at, up to `end`: of a paragraph, else of a line, else of a word.
fn best(text: &str, end: usize) -> usize {
    let before = text.get(..end + 1).unwrap_or(&text[..end]);
    ["\n\n", "\n", " "]
        .into_iter()
        .find_map(|mark| before.rfind(mark).filter(|at| *at > end / 4 && *at <= end))
        .unwrap_or(end)
}
