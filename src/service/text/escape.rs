//! What keeps words from being taken for markup.

use super::dialect::{Dialect, Kind, Link};

/// A blank that hardly shows: no mark begins before white space.
const HAIR: &str = "\u{200a}";
/// Nothing that shows, and yet no letter of a name.
const NOTHING: &str = "\u{200b}";

/// Where words stand.
#[derive(Clone, Copy, Default)]
pub struct Where {
    /// At the beginning of a line.
    pub first: bool,
    /// In a text in which no markup is read.
    pub quiet: bool,
    /// In a link.
    pub linked: bool,
}

/// Writes words that stand for themselves.
pub fn words(out: &mut String, text: &str, dialect: &Dialect, at: Where) {
    let Where { first, quiet, linked } = at;
    let mut rest = match first && !quiet {
        true => line(out, text, dialect),
        false => text,
    };
    let mut before = out.chars().next_back().filter(|_| rest.len() < text.len());
    while let Some(c) = rest.chars().next() {
        let is_free = !quiet && !linked && dialect.kind == Kind::Marks;
        let url = if is_free { url_at(rest, before) } else { 0 };
        if url > 0 {
            bare_url(out, &rest[..url], dialect);
            before = Some('/');
            rest = &rest[url..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        let next = rest.chars().next();
        if !quiet && is_numbered(c, rest, linked, dialect) {
            number(out, c);
            before = Some(c);
            continue;
        }
        if !quiet && dialect.backslash.contains(c) && (c != ':' || is_emoji(rest)) {
            out.push('\\');
        }
        one(out, c, next, dialect);
        if !quiet && dialect.blank.contains(c) {
            let starts = !before.is_some_and(char::is_alphanumeric)
                && next.is_some_and(|next| !next.is_whitespace());
            match c {
                '@' if starts => out.push_str(NOTHING),
                ']' if next == Some('(') => out.push_str(HAIR),
                '@' | ']' => {}
                _ if starts => out.push_str(HAIR),
                _ => {}
            }
        }
        before = Some(c);
    }
}

/// True for a character that would be markup before this rest, and is written by its number.
fn is_numbered(c: char, rest: &str, linked: bool, dialect: &Dialect) -> bool {
    // What follows the last character of the words is not known here.
    let next = rest.chars().next();
    dialect.numbers.contains(c)
        && match c {
            '[' => linked,
            ']' => linked || next.is_none_or(|next| next == '('),
            '$' => next.is_none_or(|next| next == '$'),
            '\\' => next.is_none(),
            ':' => is_emoji(rest),
            _ => true,
        }
}

/// True if the name of an emoji and a colon follow; the minutes of a time of day are none.
fn is_emoji(rest: &str) -> bool {
    let is_in_name = |c: char| c.is_alphanumeric() || "_-+".contains(c);
    let behind = rest.trim_start_matches(is_in_name);
    let name = &rest[..rest.len() - behind.len()];
    let is_time = name.len() <= 2 && name.bytes().all(|b| b.is_ascii_digit());
    !is_time && behind.starts_with(':')
}

/// Writes a character by its number.
pub fn number(out: &mut String, c: char) {
    out.push_str(&format!("&#{};", u32::from(c)));
}

/// Writes code, in which no markup is read.
pub fn code(out: &mut String, text: &str, dialect: &Dialect, in_cell: bool) {
    let entities = dialect.entities && (dialect.kind == Kind::Html || dialect.link == Link::Angles);
    for c in text.chars() {
        match c {
            '|' if in_cell && dialect.kind == Kind::Marks => out.push_str("\\|"),
            c if entities => one(out, c, Some('#'), dialect),
            c => out.push(c),
        }
    }
}

/// Writes one character, as an entity where it has to be one.
fn one(out: &mut String, c: char, next: Option<char>, dialect: &Dialect) {
    let is_strict = dialect.kind == Kind::Html || dialect.link == Link::Angles;
    let may_be = is_strict || next.is_some_and(|next| next == '#' || next.is_ascii_alphabetic());
    match c {
        '&' if dialect.entities && may_be => out.push_str("&amp;"),
        '<' if dialect.entities => out.push_str("&lt;"),
        '>' if dialect.entities && is_strict => out.push_str("&gt;"),
        '"' if dialect.kind == Kind::Html => out.push_str("&quot;"),
        c => out.push(c),
    }
}

/// Writes what would be markup at the beginning of a line; the rest of the line is left.
fn line<'a>(out: &mut String, text: &'a str, dialect: &Dialect) -> &'a str {
    let Some(c) = text.chars().next() else { return text };
    let rest = &text[c.len_utf8()..];
    let is_mark = match c {
        // A slash begins a command.
        '>' | '/' => true,
        _ => rest.is_empty() || rest.starts_with([' ', '\t', c]),
    };
    if is_mark && dialect.first.contains(c) {
        shut(out, c, dialect);
        return rest;
    }
    if is_mark && dialect.shy.contains(c) {
        out.extend(['\u{200b}', c]);
        return rest;
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let mark = &text[digits..];
    let is_number = (1..10).contains(&digits)
        && mark.starts_with(['.', ')'])
        && (mark.len() == 1 || mark[1..].starts_with([' ', '\t']));
    if is_number && dialect.escapes() {
        out.push_str(&text[..digits]);
        shut(out, if mark.starts_with('.') { '.' } else { ')' }, dialect);
        return &mark[1..];
    }
    text
}

/// Writes a character that would be markup where it stands.
pub fn shut(out: &mut String, c: char, dialect: &Dialect) {
    match dialect.backslash {
        _ if !dialect.numbers.is_empty() => number(out, c),
        "" => out.extend(['\u{200b}', c]),
        _ => out.extend(['\\', c]),
    }
}

/// The length of the URL that the text begins with, or 0.
fn url_at(text: &str, before: Option<char>) -> usize {
    let is_one = text.starts_with("http://") || text.starts_with("https://");
    if !is_one || before.is_some_and(char::is_alphanumeric) {
        return 0;
    }
    let ends = |c: char| c.is_whitespace() || c.is_control() || "<>\"|`".contains(c);
    let url = &text[..text.find(ends).unwrap_or(text.len())];
    url.trim_end_matches(['.', ',', ':', ';', '!', '?', '\'', '*', '_', '~', ')', ']']).len()
}

/// Writes a URL among words, which is shown as a link.
fn bare_url(out: &mut String, url: &str, dialect: &Dialect) {
    let is_strict = dialect.link == Link::Brackets && dialect.entities;
    if is_strict && url.contains(|c| dialect.backslash.contains(c) || c == '&') {
        out.push('<');
        out.push_str(url);
        out.push('>');
    } else if dialect.link == Link::Angles {
        url.chars().for_each(|c| one(out, c, None, dialect));
    } else {
        out.push_str(url);
    }
}

/// Writes a URL between the marks of a link.
pub fn url(out: &mut String, url: &str, dialect: &Dialect) {
    let is_html = dialect.kind == Kind::Html;
    for c in url.chars() {
        let is_mark = match c {
            '<' | '>' | '"' | '\\' | '`' => true,
            '(' | ')' | '|' | '[' | ']' => !is_html,
            c => c.is_whitespace() || c.is_control(),
        };
        match c {
            '&' if is_html || dialect.entities && dialect.link == Link::Angles => {
                out.push_str("&amp;");
            }
            c if is_mark => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    out.push_str(&format!("%{byte:02X}"));
                }
            }
            c => out.push(c),
        }
    }
}

/// True if the URL is one that clients open.
pub fn is_link(url: &str) -> bool {
    const SCHEMES: [&str; 7] = ["https:", "http:", "mailto:", "tel:", "tg:", "ftp:", "xmpp:"];
    SCHEMES.iter().any(|scheme| {
        url.len() > scheme.len()
            && url.is_char_boundary(scheme.len())
            && url[..scheme.len()].eq_ignore_ascii_case(scheme)
    })
}
