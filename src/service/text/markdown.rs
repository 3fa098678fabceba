//! Reads CommonMark, with tables and `~~struck~~` words.

use markup::markdown::{CodeBlockKind, Event, Tag as Found, TagEnd};
use markup::read_markdown;

use super::html;
use super::rich::{Builder, Tag};

/// Adds a text in Markdown.
pub fn read(text: &str, to: &mut Builder) {
    // A block of HTML comes line by line.
    let mut block = String::new();
    read_markdown(text, &mut |event| match event {
        Event::Start(tag) => start(tag, to),
        Event::End(TagEnd::HtmlBlock) => {
            html::read(&block, to);
            to.end_paragraph();
            block.clear();
        }
        Event::End(tag) => end(tag, to),
        Event::Text(text) => to.text(&text),
        Event::Code(code) => {
            to.start(Tag::Mono);
            to.text(&code);
            to.end(&Tag::Mono);
        }
        Event::SoftBreak => to.text("\n"),
        Event::HardBreak => to.line_break(),
        Event::Rule => to.rule(),
        Event::Html(line) => block.push_str(&line),
        Event::InlineHtml(tag) => html::read(&tag, to),
        _ => {}
    });
}

fn start(tag: Found<'_>, to: &mut Builder) {
    let tag = match tag {
        Found::Paragraph => return to.end_paragraph(),
        Found::Heading { level, .. } => Tag::Heading(level as usize),
        Found::BlockQuote(_) => Tag::Quote,
        Found::CodeBlock(CodeBlockKind::Fenced(info)) => {
            Tag::Code(info.split_ascii_whitespace().next().unwrap_or_default().to_owned())
        }
        Found::CodeBlock(CodeBlockKind::Indented) => Tag::Code(String::new()),
        Found::List(number) => Tag::List(number),
        Found::Item => return to.start_item(),
        Found::Table(_) => Tag::Table(0),
        Found::TableHead | Found::TableRow => Tag::Row,
        Found::TableCell => Tag::Cell,
        Found::Emphasis => Tag::Italic,
        Found::Strong => Tag::Bold,
        Found::Strikethrough => Tag::Strike,
        Found::Link { dest_url, .. } => Tag::Link(dest_url.into_string()),
        Found::Image { dest_url, .. } => Tag::Image(dest_url.into_string()),
        _ => return,
    };
    to.start(tag);
}

fn end(tag: TagEnd, to: &mut Builder) {
    to.end(&match tag {
        TagEnd::Paragraph => return to.end_paragraph(),
        TagEnd::Heading(_) => Tag::Heading(0),
        TagEnd::BlockQuote(_) => Tag::Quote,
        TagEnd::CodeBlock => Tag::Code(String::new()),
        TagEnd::List(_) => Tag::List(None),
        TagEnd::Item => Tag::Item(None),
        TagEnd::Table => Tag::Table(0),
        TagEnd::TableHead | TagEnd::TableRow => Tag::Row,
        TagEnd::TableCell => Tag::Cell,
        TagEnd::Emphasis => Tag::Italic,
        TagEnd::Strong => Tag::Bold,
        TagEnd::Strikethrough => Tag::Strike,
        TagEnd::Link => Tag::Link(String::new()),
        TagEnd::Image => Tag::Image(String::new()),
        _ => return,
    });
}
