//! HTML as messages have it, for the page: inline styles, links and the usual blocks.

use super::Runs;
use crate::delivered::Style;

/// Elements deeper than this do not change how text looks.
const DEEPEST: usize = 32;

/// Reads `text` into runs; a tag that is not known is left out, and what is none stays.
pub(super) fn read(text: &str, runs: &mut Runs) {
    let mut open: Vec<(String, Option<Style>)> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        push(&rest[..at], &open, runs);
        let Some((tag, after)) = rest[at + 1..].split_once('>').filter(|(tag, _)| is_tag(tag))
        else {
            push("<", &open, runs);
            rest = &rest[at + 1..];
            continue;
        };
        rest = after;
        let name = tag.trim_start_matches('/').split([' ', '/', '\n', '\t']).next();
        let name = name.unwrap_or_default().to_ascii_lowercase();
        match tag.starts_with('/') {
            true => {
                if let Some(at) = open.iter().rposition(|(own, _)| *own == name) {
                    open.truncate(at);
                }
                if is_block(&name) && !runs.at_line_start() {
                    push("\n", &open, runs);
                }
            }
            false => {
                if is_block(&name) && !runs.at_line_start() {
                    push("\n", &open, runs);
                }
                match name.as_str() {
                    "br" | "hr" => push("\n", &open, runs),
                    "li" => push("• ", &open, runs),
                    "img" => push(&attribute(tag, "alt").unwrap_or_default(), &open, runs),
                    _ => {}
                }
                let alone = tag.ends_with('/') || matches!(name.as_str(), "br" | "hr" | "img");
                if !alone && open.len() < DEEPEST {
                    let style = style(&name, tag);
                    open.push((name, style));
                }
            }
        }
    }
    push(rest, &open, runs);
}

fn push(text: &str, open: &[(String, Option<Style>)], runs: &mut Runs) {
    let styles: Vec<_> = open.iter().filter_map(|(_, style)| style.clone()).collect();
    runs.push(&unescape(text), &styles);
}

fn is_tag(tag: &str) -> bool {
    tag.trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic())
}

fn is_block(name: &str) -> bool {
    const BLOCKS: &[&str] = &[
        "p",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "table",
        "tr",
    ];
    BLOCKS.contains(&name)
}

fn style(name: &str, tag: &str) -> Option<Style> {
    Some(match name {
        "b" | "strong" | "th" => Style::Bold,
        "i" | "em" => Style::Italic,
        "u" | "ins" => Style::Underline,
        "s" | "strike" | "del" => Style::Strike,
        "code" | "tt" => Style::Code,
        "pre" => Style::Pre,
        "blockquote" => Style::Quote,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Style::Heading,
        "tg-spoiler" => Style::Spoiler,
        "span" if tag.contains("spoiler") => Style::Spoiler,
        "a" => match attribute(tag, "href")? {
            // Who is linked so is mentioned: Telegram's users and Matrix's pills.
            url if url.starts_with("tg://user") || url.contains("matrix.to/#/@") => Style::Mention,
            url => Style::Link(url),
        },
        _ => return None,
    })
}

/// The value of an attribute, quoted or not.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.find(&format!(" {name}="))? + name.len() + 2;
    let value = &tag[at..];
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split([' ', '/']).next()?,
    };
    Some(unescape(value))
}

/// Replaces the named entities that messages have, and numbers.
pub(super) fn unescape(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.char_indices().take(12).find(|(_, c)| *c == ';').map(|(end, _)| end);
        match end.and_then(|end| Some((character(&rest[1..end])?, end))) {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(String, Vec<&'static str>)> {
        let mut runs = Runs::default();
        read(text, &mut runs);
        let names = |styles: &[Style]| styles.iter().map(Style::name).collect();
        runs.0.iter().map(|run| (run.text.clone(), names(&run.styles))).collect()
    }

    #[test]
    fn shows_styles_links_and_blocks() {
        let html = "a <b>b<i>c</i></b> &lt;&amp;&#20320; <a href=\"https://x.example/?a&amp;b\">l</a>\
                    <p>p</p><ul><li>1</li></ul><script>alert(1)</script>1 < 2";
        let expected: [(&str, &[&str]); 6] = [
            ("a ", &[]),
            ("b", &["bold"]),
            ("c", &["bold", "italic"]),
            (" <&你 ", &[]),
            ("l", &["link"]),
            ("\np\n• 1\nalert(1)1 < 2", &[]),
        ];
        let expected = expected.map(|(text, styles)| (text.to_owned(), styles.to_vec()));
        assert_eq!(shown(html), expected);
        let mention = shown("<a href='https://matrix.to/#/@a:b'>A</a>");
        assert_eq!(mention, [("A".to_owned(), vec!["mention"])]);
    }

    #[test]
    fn what_is_broken_stays_or_goes_without_harm() {
        for (html, text) in [
            ("</b>x", "x"),
            ("<b", "<b"),
            ("<>", "<>"),
            ("&#xD800; &# &;", "&#xD800; &# &;"),
            ("&你好你好你好你好你好你好你好;", "&你好你好你好你好你好你好你好;"),
        ] {
            let shown: String = shown(html).into_iter().map(|(text, _)| text).collect();
            assert_eq!(shown, text);
        }
        assert_eq!(shown(&"<b>".repeat(20_000)), []);
    }
}
