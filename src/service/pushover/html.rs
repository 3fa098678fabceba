//! The HTML that Pushover's apps show: bold, italic, underlined, links and ends of lines, and nothing else.

use crate::service::text::{Entity, Piece};

/// A text in that HTML; marks that it has no element for are left out, and their words stay.
pub fn written(piece: &Piece) -> String {
    let mut marks = piece.entities.iter().filter_map(element).peekable();
    let mut open: Vec<(usize, &str)> = Vec::new();
    let (mut out, mut at) = (String::new(), 0);
    for c in piece.text.chars() {
        while let Some((_, close)) = open.pop_if(|(end, _)| *end <= at) {
            out.push_str(close);
        }
        while let Some((mark, begin, close)) = marks.next_if(|(mark, ..)| mark.offset <= at) {
            out.push_str(&begin);
            open.push((mark.offset + mark.length, close));
        }
        match c {
            '\n' => out.push_str("<br>"),
            c => push(&mut out, c),
        }
        at += c.len_utf16();
    }
    open.iter().rev().for_each(|(_, close)| out.push_str(close));
    out
}

/// What stands before and behind the words of a mark.
fn element(mark: &Entity) -> Option<(&Entity, String, &'static str)> {
    let (begin, end) = match mark.kind {
        "bold" => ("<b>".to_owned(), "</b>"),
        "italic" => ("<i>".to_owned(), "</i>"),
        "underline" => ("<u>".to_owned(), "</u>"),
        "text_link" => {
            let mut begin = "<a href=\"".to_owned();
            mark.value.chars().for_each(|c| push(&mut begin, c));
            (begin + "\">", "</a>")
        }
        _ => return None,
    };
    (mark.length > 0).then_some((mark, begin, end))
}

fn push(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::message::Message;
    use crate::service::text::{Markup, Rules, Title, Unit, compose};

    #[test]
    fn a_format_becomes_the_elements_that_are_shown() {
        for (format, text, is) in [
            ("markdown", "**b** *i* `c` & <", "<b>b</b> <i>i</i> c &amp; &lt;"),
            ("markdown", "**a *b***", "<b>a <i>b</i></b>"),
            ("markdown", "a\n\nb", "a<br><br>b"),
            ("markdown", "😀 **雁**😀", "😀 <b>雁</b>😀"),
            ("markdown", "[x & y](https://e.com/?a=1&b=2)", {
                "<a href=\"https://e.com/?a=1&amp;b=2\">x &amp; y</a>"
            }),
            ("html", "<p>a <u>b</u></p><ul><li>c</li></ul>", "a <u>b</u><br><br>- c"),
            ("html", "<strong>a<br>b</strong>", "<b>a<br>b</b>"),
        ] {
            let message = json!({"v": 1, "account": "a", "format": format, "text": text});
            let message = Message::from_json(&message.to_string()).expect("a message");
            let rules = Rules {
                unit: Unit::CodePoints,
                most: 1024,
                markup: Markup::TelegramEntities,
                title: Title::Own,
            };
            let pieces = compose(&message, &rules).expect("it can be sent");
            assert_eq!(written(&pieces[0]), is, "{text}");
        }
    }
}
