//! Texts as Telegram reads them: entities in UTF-16, HTML, MarkdownV2.

use serde_json::{Value, json};

use crate::delivered::{Entity, Style};

/// The most entities that count; the rest is ignored without a word.
const MOST: usize = 100;

/// A text without its markup, and what was marked.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Rich {
    pub text: String,
    pub entities: Vec<Entity>,
    /// The users that are mentioned by their ids.
    pub mentions: Vec<String>,
}

/// Reads a text; a mode of markup wins over entities.
pub(super) fn read(
    text: &str,
    mode: Option<&str>,
    entities: Option<Value>,
) -> Result<Rich, String> {
    let mut rich = match mode.map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "none") => of_entities(text, entities)?,
        Some("html") => html(text)?,
        Some("markdownv2") => markdown(text)?,
        // The old mode is read as plain text: nobody of ours sends it.
        Some("markdown") => Rich { text: text.to_owned(), ..Rich::default() },
        Some(_) => return Err("unsupported parse_mode".to_owned()),
    };
    rich.entities.truncate(MOST);
    Ok(rich)
}

fn style_of(kind: &str, more: &Value) -> Option<Style> {
    Some(match kind {
        "bold" => Style::Bold,
        "italic" => Style::Italic,
        "underline" => Style::Underline,
        "strikethrough" => Style::Strike,
        "spoiler" => Style::Spoiler,
        "code" => Style::Code,
        "pre" => Style::Pre,
        "blockquote" | "expandable_blockquote" => Style::Quote,
        "text_link" => Style::Link(more["url"].as_str()?.to_owned()),
        "text_mention" => Style::Mention,
        _ => return None,
    })
}

/// What was marked, as answers tell it: offsets and lengths in UTF-16. Who is mentioned by his id is left
/// out, as an answer tells the whole user.
pub(super) fn entities(rich: &Rich) -> Value {
    let units: Vec<usize> = rich
        .text
        .chars()
        .scan(0, |units, c| Some(std::mem::replace(units, *units + c.len_utf16())))
        .collect();
    let whole = rich.text.encode_utf16().count();
    let at = |index: usize| units.get(index).copied().unwrap_or(whole);
    let one = |entity: &Entity| {
        let kind = match &entity.style {
            Style::Bold => "bold",
            Style::Italic => "italic",
            Style::Underline => "underline",
            Style::Strike => "strikethrough",
            Style::Spoiler => "spoiler",
            Style::Code => "code",
            Style::Pre => "pre",
            Style::Quote => "blockquote",
            Style::Link(_) => "text_link",
            Style::Mention | Style::Heading => return None,
        };
        let (offset, length) = (at(entity.start), at(entity.end) - at(entity.start));
        let mut json = json!({"type": kind, "offset": offset, "length": length});
        if let Style::Link(url) = &entity.style {
            json["url"] = url.as_str().into();
        }
        Some(json)
    };
    rich.entities.iter().filter_map(one).collect()
}

fn of_entities(text: &str, entities: Option<Value>) -> Result<Rich, String> {
    let mut rich = Rich { text: text.to_owned(), ..Rich::default() };
    let Some(entities) = entities else { return Ok(rich) };
    let wrong = || "can't parse entities: expected an Array of MessageEntity".to_owned();
    for entity in entities.as_array().ok_or_else(wrong)? {
        let number = |name: &str| entity[name].as_u64().and_then(|n| usize::try_from(n).ok());
        let kind = entity["type"].as_str().ok_or_else(wrong)?;
        let (Some(offset), Some(length)) = (number("offset"), number("length")) else {
            return Err(wrong());
        };
        let (Some(start), Some(end)) = (scalar(text, offset), scalar(text, offset + length)) else {
            return Err(format!("can't parse entities: wrong entity {kind} at offset {offset}"));
        };
        if kind == "text_mention" {
            let user = entity["user"]["id"].as_i64().ok_or_else(wrong)?;
            rich.mentions.push(user.to_string());
        }
        // What the server finds by itself it does not take from others.
        rich.entities.extend(style_of(kind, entity).map(|style| Entity { start, end, style }));
    }
    Ok(rich)
}

/// The place of a UTF-16 offset in scalars; none beyond the end and within a pair.
fn scalar(text: &str, offset: usize) -> Option<usize> {
    let mut at = 0;
    for (n, c) in text.chars().enumerate() {
        if at == offset {
            return Some(n);
        }
        at += c.len_utf16();
    }
    (at == offset).then(|| text.chars().count())
}

/// An open mark: how it ends, where it began, what it is.
type Open = (String, usize, Style);

fn html(text: &str) -> Result<Rich, String> {
    let (mut rich, mut open, mut length) = (Rich::default(), Vec::<Open>::new(), 0);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let at = text.len() - rest.len();
        if let Some(after) = rest.strip_prefix('<') {
            let (tag, after) = after.split_once('>').ok_or_else(|| {
                format!("can't parse entities: Unclosed start tag at byte offset {at}")
            })?;
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                let name = name.trim().to_ascii_lowercase();
                let (expected, start, style) = open.pop().ok_or_else(|| {
                    format!("can't parse entities: Unexpected end tag at byte offset {at}")
                })?;
                if expected != name {
                    return Err(format!(
                        "can't parse entities: Unmatched end tag at byte offset {at}, expected \
                         \"</{expected}>\", found \"</{name}>\""
                    ));
                }
                rich.entities.push(Entity { start, end: length, style });
                continue;
            }
            let name = tag.split([' ', '\n']).next().unwrap_or_default().to_ascii_lowercase();
            let attribute = tag.split_once('"').and_then(|(_, value)| value.split('"').next());
            let style = match name.as_str() {
                "b" | "strong" => Style::Bold,
                "i" | "em" => Style::Italic,
                "u" | "ins" => Style::Underline,
                "s" | "strike" | "del" => Style::Strike,
                "tg-spoiler" | "span" => Style::Spoiler,
                "code" => Style::Code,
                "pre" => Style::Pre,
                "blockquote" => Style::Quote,
                "a" => Style::Link(attribute.unwrap_or_default().to_owned()),
                "tg-emoji" | "tg-time" => Style::Mention,
                _ => {
                    return Err(format!(
                        "can't parse entities: Unsupported start tag \"{name}\" at byte offset {at}"
                    ));
                }
            };
            open.push((name, length, style));
            continue;
        }
        let entity = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"')]
            .into_iter()
            .find_map(|(name, c)| Some((rest.strip_prefix(name)?, c)));
        let (after, c) = entity.unwrap_or((&rest[c.len_utf8()..], c));
        rich.text.push(c);
        length += 1;
        rest = after;
    }
    match open.pop() {
        None => Ok(rich),
        Some((name, ..)) => Err(format!(
            "can't parse entities: Can't find end tag corresponding to start tag \"{name}\""
        )),
    }
}

fn markdown(text: &str) -> Result<Rich, String> {
    const MARKS: [(&str, Style); 7] = [
        ("```", Style::Pre),
        ("||", Style::Spoiler),
        ("__", Style::Underline),
        ("`", Style::Code),
        ("*", Style::Bold),
        ("_", Style::Italic),
        ("~", Style::Strike),
    ];
    let (mut rich, mut open, mut length) = (Rich::default(), Vec::<Open>::new(), 0);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let at = text.len() - rest.len();
        let is_code =
            open.last().is_some_and(|(_, _, style)| matches!(style, Style::Code | Style::Pre));
        if let Some((end, start, style)) = open.last()
            && let Some(after) = rest.strip_prefix(end.as_str())
        {
            let (start, mut style) = (*start, style.clone());
            rest = after;
            if let Style::Link(url) = &mut style {
                let (found, after) = after.split_once(')').ok_or_else(|| {
                    format!("can't parse entities: Can't find end of a URL at byte offset {at}")
                })?;
                (*url, rest) = (found.replace('\\', ""), after);
            }
            rich.entities.push(Entity { start, end: length, style });
            open.pop();
            continue;
        }
        let mark = MARKS.iter().filter(|_| !is_code).find(|(mark, _)| rest.starts_with(mark));
        if let Some((mark, style)) = mark {
            open.push(((*mark).to_owned(), length, style.clone()));
            rest = &rest[mark.len()..];
            continue;
        }
        if c == '[' && !is_code {
            open.push(("](".to_owned(), length, Style::Link(String::new())));
            rest = &rest[1..];
            continue;
        }
        let starts_line = rich.text.is_empty() || rich.text.ends_with('\n');
        if !is_code && c == '>' && starts_line {
            rest = &rest[1..];
            continue;
        }
        if !is_code && "]()>#+-=|{}.!".contains(c) {
            return Err(format!(
                "can't parse entities: Character '{c}' is reserved and must be escaped with the \
                 preceding '\\'"
            ));
        }
        let escaped = rest.strip_prefix('\\').and_then(|after| after.chars().next());
        let escaped = escaped.filter(|c| c.is_ascii());
        let (c, used) = escaped.map_or((c, c.len_utf8()), |c| (c, 2));
        rich.text.push(c);
        length += 1;
        rest = &rest[used..];
    }
    match open.pop() {
        None => Ok(rich),
        Some((mark, ..)) => {
            Err(format!("can't parse entities: Can't find end of the entity that \"{mark}\" ends"))
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn entities_are_counted_in_utf_16() {
        let bold = |offset: u64, length: u64| json!([{"type": "bold", "offset": offset, "length": length}]);
        let rich = read("😀 ok", None, Some(bold(3, 2))).expect("it fits");
        assert_eq!(rich.entities, [Entity { start: 2, end: 4, style: Style::Bold }]);
        assert!(read("😀 ok", None, Some(bold(1, 2))).is_err(), "within a pair");
        assert!(read("ok", None, Some(bold(0, 3))).is_err(), "beyond the end");
        let mention =
            json!([{"type": "text_mention", "offset": 0, "length": 2, "user": {"id": 9}}]);
        assert_eq!(read("ok", None, Some(mention)).map(|rich| rich.mentions), Ok(vec!["9".into()]));
    }

    #[test]
    fn markup_is_read_and_its_faults_are_told() {
        let both = [
            ("HTML", "<b>a&amp;</b> c <a href=\"http://x\">d</a>"),
            ("MarkdownV2", r"*a&* c [d](http://x)"),
        ];
        for (mode, text) in both {
            let rich = read(text, Some(mode), None).expect(mode);
            assert_eq!(rich.text, "a& c d");
            let link = Style::Link("http://x".to_owned());
            assert_eq!(
                rich.entities,
                [
                    Entity { start: 0, end: 2, style: Style::Bold },
                    Entity { start: 5, end: 6, style: link },
                ]
            );
        }
        for (mode, text) in [
            ("HTML", "<h1>a</h1>"),
            ("HTML", "<b>a"),
            ("HTML", "a</b>"),
            ("HTML", "a < b"),
            ("MarkdownV2", "a."),
            ("MarkdownV2", "*a"),
            ("Wiki", "a"),
        ] {
            assert!(read(text, Some(mode), None).is_err(), "{text}");
        }
        assert_eq!(read(r"a\.", Some("markdownv2"), None).expect("escaped").text, "a.");
    }
}
