//! How long a text is to Weibo: its web client's count, which is assumed to hold for messages too.

use wide::u8x16;

/// A URL counts as this many half-width characters, however long it is,
const URL: usize = 20;
/// up to this length; what is longer counts in full beyond it.
const URL_MOST: usize = 140;
/// A URL of Weibo itself counts its own length up to this.
const OWN_URL_MOST: usize = 41;

/// The length in units of a Chinese character, rounded up: UTF-16 units up to U+00FF count half.
pub fn units(text: &str) -> usize {
    let (halves, colon) = halves(text);
    // The look for "://" is worth it only where there is a colon.
    let urls = colon && text.contains("://");
    if urls { halves_with_urls(text).div_ceil(2) } else { halves.div_ceil(2) }
}

/// The half-width characters that a text without URLs counts as, and whether it has a colon.
fn halves(text: &str) -> (usize, bool) {
    let (pieces, rest) = text.as_bytes().as_chunks::<PIECE>();
    let mut last = [CONTINUED; PIECE];
    last[..rest.len()].copy_from_slice(rest);
    let (mut halves, mut colon) = piece(&last);
    for full in pieces {
        let of_piece = piece(full);
        halves += of_piece.0;
        colon |= of_piece.1;
    }
    (halves, colon)
}

/// So many bytes are counted at once.
const PIECE: usize = 16;

/// A byte within a character.
const CONTINUED: u8 = 0x80;

/// As [`halves`]; without a branch, so that the bytes are looked at all at once.
fn piece(bytes: &[u8; PIECE]) -> (usize, bool) {
    // The first byte of a character says how much it counts: one below 0x80 and from 0xC2 on, one more
    // from 0xC4 on, and two more from 0xF0 on. Those that continue one are the lowest less 0x80.
    let bytes = u8x16::new(*bytes);
    let from =
        |least: u8, of: u8x16| u64::from(of.max(u8x16::splat(least)).simd_eq(of).to_bitmask());
    let (first, four) = (from(0x42, bytes - u8x16::splat(0x80)), from(0xF0, bytes));
    let each = first | from(0xC4, bytes) << 16 | four << 32 | four << 48;
    let colon = bytes.simd_eq(u8x16::splat(b':')).to_bitmask() != 0;
    (each.count_ones() as usize, colon)
}

/// The half-width characters that any text counts as.
fn halves_with_urls(text: &str) -> usize {
    let mut halves = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let url = url_at(rest);
        if url > 0 {
            halves += url_halves(&rest[..url]);
            rest = &rest[url..];
        } else {
            let c = rest.chars().next().unwrap_or_default();
            halves += if u32::from(c) <= 0xFF { 1 } else { 2 * c.len_utf16() };
            rest = &rest[c.len_utf8()..];
        }
    }
    halves
}

/// The length of the URL that the text begins with, or 0.
fn url_at(text: &str) -> usize {
    let scheme = ["http://", "https://"].into_iter().find(|scheme| text.starts_with(scheme));
    let Some(scheme) = scheme else { return 0 };
    let part = |b: &u8| b.is_ascii_alphanumeric() || b"-_.!~*'();/?:@&=+$,%#".contains(b);
    let rest = text.as_bytes()[scheme.len()..].iter().take_while(|b| part(b)).count();
    if rest == 0 { 0 } else { scheme.len() + rest }
}

fn url_halves(url: &str) -> usize {
    let host = url.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let is_own = |own: &str| host == own || host.ends_with(&format!(".{own}"));
    if host == "t.cn" {
        url.len()
    } else if is_own("weibo.com") || is_own("t.sina.com.cn") {
        url.len().min(OWN_URL_MOST)
    } else {
        URL + url.len().saturating_sub(URL_MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::{halves, halves_with_urls, units};

    #[test]
    fn lengths_agree_with_the_web_client() {
        for (text, length) in [
            ("", 0),
            ("a", 1),
            ("ab", 1),
            ("abc", 2),
            ("你好", 2),
            ("你好a", 3),
            ("你好ab", 3),
            ("👍", 2),
            ("é", 1),
            ("看 http://example.com/a/very/long/path 吧", 13),
            ("看 http://t.cn/abc 吧", 11),
            ("http://t.cn/abc", 8),
            ("12:30 http:// https://weibo.com/a/very/long/path/of/more/than/its/41", 28),
            ("12:30 看", 4),
            (&"你".repeat(300), 300),
            (&"a".repeat(600), 300),
            (&"a".repeat(601), 301),
        ] {
            assert_eq!(units(text), length, "{text:.20}");
        }
    }

    #[test]
    fn every_character_counts_the_same_in_both_ways() {
        let mut buffer = [0; 4];
        for c in '\0'..=char::MAX {
            let text = c.encode_utf8(&mut buffer);
            assert_eq!(halves(text), (halves_with_urls(text), c == ':'), "{c:?}");
        }
        for times in 0..99 {
            let text = "aé你👍".repeat(times);
            assert_eq!(halves(&text), (times * 8, false));
            assert_eq!(halves_with_urls(&text), times * 8);
            assert!(halves(&(text + ":")).1);
        }
    }
}
