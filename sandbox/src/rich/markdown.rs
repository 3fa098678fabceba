//! Markdown in its dialects, for the page: what messages use of it, not the whole of any document.

use super::Runs;
use super::html::unescape;
use crate::delivered::{Dialect, Style};

/// How far a marker's partner is looked for, in bytes: a text of markers alone must not take long.
const FARTHEST: usize = 4_000;
/// Markers deeper than this stand as they are written.
const DEEPEST: usize = 8;

/// Reads `text` into runs, line by line.
pub(super) fn read(text: &str, dialect: Dialect, runs: &mut Runs) {
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((code, after)) = fenced(rest) {
            runs.push(&code_of(code, dialect), &[Style::Pre]);
            rest = after;
            continue;
        }
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        // In Slack's a block of code may begin anywhere.
        let end = match dialect {
            Dialect::Slack => rest[..end].find("```").filter(|at| *at > 0).unwrap_or(end),
            _ => end,
        };
        line(&rest[..end], dialect, runs);
        rest = &rest[end..];
    }
}

/// A block of code at the start of `text`, and what follows it.
fn fenced(text: &str) -> Option<(&str, &str)> {
    let body = text.strip_prefix("```")?;
    let end = body.find("```")?;
    let (code, after) = (&body[..end], &body[end + 3..]);
    // The first line may name a language.
    let code = match code.split_once('\n') {
        Some((language, code)) if !language.contains(' ') => code,
        _ => code,
    };
    Some((code, after.strip_prefix('\n').unwrap_or(after)))
}

fn line(text: &str, dialect: Dialect, runs: &mut Runs) {
    let quote = if dialect == Dialect::Slack { "&gt;" } else { ">" };
    if let Some(rest) = text.strip_prefix(quote).or(text.strip_prefix("> ")) {
        return inline(rest.trim_start(), dialect, &mut vec![Style::Quote], runs);
    }
    let level = text.bytes().take_while(|byte| *byte == b'#').count();
    if dialect != Dialect::Slack && (1..=6).contains(&level) && text[level..].starts_with(' ') {
        return inline(text[level..].trim_start(), dialect, &mut vec![Style::Heading], runs);
    }
    let indent = text.len() - text.trim_start_matches(' ').len();
    match text[indent..].strip_prefix("- ").or(text[indent..].strip_prefix("* ")) {
        Some(rest) => {
            runs.push(&text[..indent], &[]);
            runs.push("• ", &[]);
            inline(rest, dialect, &mut Vec::new(), runs);
        }
        None => inline(text, dialect, &mut Vec::new(), runs),
    }
}

fn markers(dialect: Dialect) -> &'static [(&'static str, Style)] {
    match dialect {
        Dialect::CommonMark => &[
            ("**", Style::Bold),
            ("__", Style::Bold),
            ("~~", Style::Strike),
            ("*", Style::Italic),
            ("_", Style::Italic),
        ],
        Dialect::Discord => &[
            ("**", Style::Bold),
            ("__", Style::Underline),
            ("~~", Style::Strike),
            ("||", Style::Spoiler),
            ("*", Style::Italic),
            ("_", Style::Italic),
        ],
        Dialect::Slack | Dialect::RocketChat => {
            &[("*", Style::Bold), ("_", Style::Italic), ("~", Style::Strike)]
        }
        Dialect::Zulip => &[("**", Style::Bold), ("~~", Style::Strike), ("*", Style::Italic)],
    }
}

/// Reads what stands within a line.
fn inline(text: &str, dialect: Dialect, styles: &mut Vec<Style>, runs: &mut Runs) {
    let (mut from, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        let found = match styles.len() < DEEPEST {
            true => piece(text, at, dialect),
            false => None,
        };
        let Some(piece) = found else {
            at += c.len_utf8();
            continue;
        };
        runs.push(&raw(&text[from..at], dialect), styles);
        at += piece.length;
        from = at;
        let own = styles.len();
        styles.extend(piece.style);
        match piece.inner {
            Inner::Code(inner) => runs.push(&code_of(inner, dialect), styles),
            Inner::Raw(inner) => runs.push(&raw(inner, dialect), styles),
            Inner::Marked(inner) => inline(inner, dialect, styles, runs),
        }
        styles.truncate(own);
    }
    runs.push(&raw(&text[from..], dialect), styles);
}

/// Text without markers, decoded where the dialect encodes it.
fn raw(text: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Slack | Dialect::Zulip => unescape(text),
        Dialect::CommonMark | Dialect::Discord | Dialect::RocketChat => text.to_owned(),
    }
}

/// Code, in which not every dialect decodes anything.
fn code_of(text: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Zulip => text.to_owned(),
        _ => raw(text, dialect),
    }
}

/// Something with a look of its own: how many bytes it takes, and what is in it.
struct Piece<'a> {
    length: usize,
    style: Option<Style>,
    inner: Inner<'a>,
}

enum Inner<'a> {
    Code(&'a str),
    Raw(&'a str),
    Marked(&'a str),
}

/// What begins at `at`, if anything does.
fn piece(text: &str, at: usize, dialect: Dialect) -> Option<Piece<'_>> {
    let rest = &text[at..];
    match rest.as_bytes()[0] {
        b'\\' if !matches!(dialect, Dialect::Slack | Dialect::Zulip) => {
            let next = rest[1..].chars().next().filter(char::is_ascii_punctuation)?;
            let inner = Inner::Raw(&rest[1..1 + next.len_utf8()]);
            Some(Piece { length: 2, style: None, inner })
        }
        b'`' => {
            let end = within(&rest[1..], "`").filter(|end| *end > 0)?;
            let inner = Inner::Code(&rest[1..=end]);
            Some(Piece { length: end + 2, style: Some(Style::Code), inner })
        }
        b'<' if dialect != Dialect::Zulip => angle(rest),
        b'[' if dialect != Dialect::Slack => link(rest, 0),
        b'!' if dialect != Dialect::Slack => link(rest, 1),
        b'@' if dialect == Dialect::Zulip => {
            // Names have blanks.
            let name = rest.strip_prefix("@**")?;
            let end = within(name, "**").filter(|end| *end > 0)?;
            let shown = name[..end].split('|').next().unwrap_or_default();
            let inner = Inner::Raw(shown);
            Some(Piece { length: end + 5, style: Some(Style::Mention), inner })
        }
        b'*' | b'_' | b'~' | b'|' => emphasis(text, at, dialect),
        _ => None,
    }
}

/// `[text](url)`, after a `!` an image.
fn link(rest: &str, skip: usize) -> Option<Piece<'_>> {
    let label = rest[skip..].strip_prefix('[')?;
    let middle = within(label, "](")?;
    let url = &label[middle + 2..];
    let end = within(url, ")")?;
    let target = url[..end].split(' ').next().unwrap_or_default().to_owned();
    let style = match target.starts_with("https://matrix.to/#/@") {
        true => Style::Mention,
        false => Style::Link(target),
    };
    let length = skip + 1 + middle + 2 + end + 1;
    Some(Piece { length, style: Some(style), inner: Inner::Marked(&label[..middle]) })
}

/// `<@id>`, `<!here>`, `<url|text>`, `<url>`.
fn angle(rest: &str) -> Option<Piece<'_>> {
    let end = within(rest, ">")?;
    let inside = &rest[1..end];
    let (target, label) = inside.split_once('|').unwrap_or((inside, inside));
    let style = match inside.chars().next()? {
        '@' | '#' | '!' => Style::Mention,
        _ if target.contains("://") || target.starts_with("mailto:") => {
            Style::Link(unescape(target))
        }
        _ => return None,
    };
    Some(Piece { length: end + 1, style: Some(style), inner: Inner::Raw(label) })
}

fn emphasis(text: &str, at: usize, dialect: Dialect) -> Option<Piece<'_>> {
    let rest = &text[at..];
    let (marker, style) = markers(dialect).iter().find(|(marker, _)| rest.starts_with(marker))?;
    let length = marker.len();
    let wordy = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    // Within a word some markers are characters like others.
    let whole_words = marker.starts_with('_') || dialect == Dialect::Slack;
    if whole_words && wordy(text[..at].chars().next_back()) {
        return None;
    }
    let inner = &rest[length..];
    if inner.starts_with(char::is_whitespace) {
        return None;
    }
    let mut from = 0;
    loop {
        let end = from + within(inner.get(from..)?, marker)?;
        let after = &inner[end + length..];
        // Of more markers in a row the last ones close: `**a *b***`.
        let repeated = after.starts_with(&marker[..1]) && after.len() > 1;
        let inside = &inner[..end];
        let closes = end > 0
            && !inside.ends_with([' ', '\n', '\\'])
            && !(whole_words && wordy(after.chars().next()))
            && !(repeated && length == 1 && dialect != Dialect::Slack);
        if closes {
            let inner = Inner::Marked(inside);
            return Some(Piece { length: end + 2 * length, style: Some(style.clone()), inner });
        }
        from = end + if repeated && length == 1 { 2 } else { length };
        if from > FARTHEST || !inner.is_char_boundary(from) {
            return None;
        }
    }
}

/// Where `needle` stands in the part of `text` that is looked at.
fn within(text: &str, needle: &str) -> Option<usize> {
    let mut end = text.len().min(FARTHEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].find(needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, dialect: Dialect) -> String {
        let mut runs = Runs::default();
        read(text, dialect, &mut runs);
        let one = |run: &super::super::Run| {
            let names: Vec<_> = run.styles.iter().map(Style::name).collect();
            if names.is_empty() {
                run.text.clone()
            } else {
                format!("{{{} {}}}", names.join("+"), run.text)
            }
        };
        runs.0.iter().map(one).collect()
    }

    #[test]
    fn shows_what_each_dialect_means() {
        use Dialect::{CommonMark, Discord, RocketChat, Slack, Zulip};
        for (dialect, text, expected) in [
            (CommonMark, "a **b** *c* ~~d~~ `e*`", "a {bold b} {italic c} {strike d} {code e*}"),
            (CommonMark, "**a *b* c**", "{bold a }{bold+italic b}{bold  c}"),
            (CommonMark, "snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4"),
            (CommonMark, r"\*a\* \[b](c)", "*a* [b](c)"),
            (CommonMark, "# T\n> q\n- i\n", "{heading T\n}{quote q\n}• i\n"),
            (CommonMark, "```rust\nlet a = *b;\n```\nx", "{pre let a = *b;\n}x"),
            (
                CommonMark,
                "[**l**](https://x.example/) <https://y.example/>",
                "{link+bold l} {link https://y.example/}",
            ),
            (RocketChat, r"*b* _i_ ~s~ \*a\* [l](https://x.example/)", {
                "{bold b} {italic i} {strike s} *a* {link l}"
            }),
            (Zulip, "@**张 三|7** 你**好**", "{mention 张 三} 你{bold 好}"),
            (Zulip, r"&#42;a&#42; \*i* _u_ `&lt;` <b>", r"*a* \{italic i} _u_ {code &lt;} <b>"),
            (Discord, "__u__ ||s|| <@123> **b", "{underline u} {spoiler s} {mention @123} **b"),
            (Slack, "*b* _i_ ~s~ a*b*c **", "{bold b} {italic i} {strike s} a*b*c **"),
            (
                Slack,
                "<@U1> <!here> <https://x.example/|l> &lt;b&gt;",
                "{mention @U1} {mention !here} {link l} <b>",
            ),
            (Slack, "&gt; q\nx ```a &lt; *b*``` y", "{quote q\n}x {pre a < *b*} y"),
            (Slack, "[a](b) 1 < 2", "[a](b) 1 < 2"),
        ] {
            assert_eq!(shown(text, dialect), expected);
        }
    }

    #[test]
    fn texts_of_markers_alone_end() {
        for text in
            ["*", "**", "_", "~~", "||", "[", "<", "`", "![", "*a ", "@**", "\\", "> ", "```"]
        {
            for dialect in [Dialect::CommonMark, Dialect::Discord, Dialect::Slack, Dialect::Zulip] {
                shown(&text.repeat(3_000 / text.len()), dialect);
                shown(&format!("{}你", text.repeat(1_000)), dialect);
            }
        }
    }
}
