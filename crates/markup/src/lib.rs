//! The parsers of Markdown and HTML, told what they find one by one.
//!
//! Both are generic, so that their code is made where they are used: here, where it is made small.

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
pub use pulldown_cmark as markdown;
use pulldown_cmark::{Options, Parser};

/// What stands in HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Html<'a> {
    /// A tag of this name begins.
    Open(&'a [u8]),
    /// The name of an attribute in it.
    Attribute(&'a [u8]),
    /// The value of that attribute, where it has one.
    Value(&'a [u8]),
    /// The tag ends.
    Close,
    /// The end tag of this name.
    End(&'a [u8]),
    /// Text, with its entities decoded.
    Text(&'a [u8]),
}

/// Reads HTML as browsers do, tag by tag; comments and what else is not seen is left out.
pub fn read_html(text: &str, take: &mut dyn FnMut(Html<'_>)) {
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| {
        match event {
            CallbackEvent::OpenStartTag { name } => take(Html::Open(name)),
            CallbackEvent::AttributeName { name } => take(Html::Attribute(name)),
            CallbackEvent::AttributeValue { value } => take(Html::Value(value)),
            CallbackEvent::CloseStartTag { .. } => take(Html::Close),
            CallbackEvent::EndTag { name } => take(Html::End(name)),
            CallbackEvent::String { value } => take(Html::Text(value)),
            _ => {}
        }
        None::<Infallible>
    });
    emitter.naively_switch_states(true);
    // There is nothing that it could yield, and nothing that could fail.
    let _ = Tokenizer::new_with_emitter(text, emitter).finish();
}

/// Reads CommonMark, with tables and `~~struck~~` words.
pub fn read_markdown(text: &str, take: &mut dyn FnMut(markdown::Event<'_>)) {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    for event in Parser::new_ext(text, options) {
        take(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_read_tag_by_tag() {
        let mut found = Vec::new();
        let html = "<A HREF='x&amp;y' b>a&copy;</a><!-- no --><style><b></style>";
        read_html(html, &mut |event| found.push(format!("{event:?}").replace(", ", ",")));
        let text = |event: Html<'_>| format!("{event:?}").replace(", ", ",");
        assert_eq!(
            found,
            [
                text(Html::Open(b"a")),
                text(Html::Attribute(b"href")),
                text(Html::Value(b"x&y")),
                text(Html::Attribute(b"b")),
                text(Html::Close),
                text(Html::Text("a©".as_bytes())),
                text(Html::End(b"a")),
                text(Html::Open(b"style")),
                text(Html::Close),
                text(Html::Text(b"<b>")),
                text(Html::End(b"style")),
            ]
        );
    }

    #[test]
    fn markdown_has_tables_and_struck_words() {
        let mut starts = 0;
        read_markdown("|a|\n|-|\n|~~b~~|\n", &mut |event| {
            starts += usize::from(matches!(event, markdown::Event::Start(_)));
        });
        // The table, its head and a row, a cell in each, and the struck words.
        assert_eq!(starts, 6);
    }
}
