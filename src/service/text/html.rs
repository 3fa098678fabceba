//! Reads HTML, as it is written in messages and mails.

use markup::{Html, read_html};

use super::rich::{Builder, Tag};

/// Adds a text in HTML.
pub fn read(text: &str, to: &mut Builder) {
    let mut reader = Reader { to, tag: None, attribute: None, hidden: None };
    read_html(text, &mut |event| reader.take(event));
}

struct Reader<'a> {
    to: &'a mut Builder,
    /// The tag that is being read,
    tag: Option<Start>,
    /// and the attribute in it.
    attribute: Option<Attribute>,
    /// The element whose words nobody sees.
    hidden: Option<Vec<u8>>,
}

#[derive(Default)]
struct Start {
    name: Vec<u8>,
    /// `href` or `src`.
    url: String,
    alt: String,
    class: String,
    first: Option<u64>,
}

#[derive(Clone, Copy)]
enum Attribute {
    Url,
    Alt,
    Class,
    First,
}

impl Reader<'_> {
    fn take(&mut self, event: Html<'_>) {
        match event {
            Html::Open(name) => {
                self.tag = Some(Start { name: name.to_vec(), ..Start::default() });
            }
            Html::Attribute(name) => {
                self.attribute = match name {
                    b"href" | b"src" => Some(Attribute::Url),
                    b"alt" => Some(Attribute::Alt),
                    b"class" => Some(Attribute::Class),
                    b"start" => Some(Attribute::First),
                    _ => None,
                };
            }
            Html::Value(value) => {
                let value = String::from_utf8_lossy(value);
                let Some(tag) = &mut self.tag else { return };
                match self.attribute.take() {
                    Some(Attribute::Url) => tag.url = value.trim().to_owned(),
                    Some(Attribute::Alt) => tag.alt = value.into_owned(),
                    Some(Attribute::Class) => tag.class = value.into_owned(),
                    Some(Attribute::First) => tag.first = value.parse().ok(),
                    None => {}
                }
            }
            Html::Close => self.begin(),
            Html::End(name) => match &self.hidden {
                Some(own) if own == name => self.hidden = None,
                Some(_) => {}
                None => self.end(name),
            },
            Html::Text(value) if self.hidden.is_none() => {
                let text = String::from_utf8_lossy(value);
                match self.to.in_code() {
                    true if self.to.fresh => self.to.text(text.strip_prefix('\n').unwrap_or(&text)),
                    true => self.to.text(&text),
                    false => self.to.collapsed(&text),
                }
            }
            _ => {}
        }
    }

    /// Begins the element whose tag was read.
    fn begin(&mut self) {
        let Some(tag) = self.tag.take() else { return };
        if self.hidden.is_some() {
            return;
        }
        let to = &mut *self.to;
        match &*tag.name {
            b"script" | b"style" | b"template" | b"title" | b"noembed" | b"iframe" => {
                self.hidden = Some(tag.name);
            }
            b"br" => to.line_break(),
            b"hr" => to.rule(),
            b"img" if !tag.url.is_empty() || !tag.alt.is_empty() => {
                to.start(Tag::Image(tag.url));
                to.collapsed(&tag.alt);
                to.end(&Tag::Image(String::new()));
            }
            b"code" if to.in_code() => {
                let language = tag.class.split_ascii_whitespace().find_map(|class| {
                    class.strip_prefix("language-").or(class.strip_prefix("lang-"))
                });
                to.name_language(language.unwrap_or_default());
            }
            b"a" => {
                to.end(&Tag::Link(String::new()));
                to.start(Tag::Link(tag.url));
            }
            b"ol" => to.start(Tag::List(Some(tag.first.unwrap_or(1)))),
            b"li" => {
                match to.list() {
                    None => to.start(Tag::List(None)),
                    Some(Tag::Item(_)) => to.end(&Tag::Item(None)),
                    Some(_) => {}
                }
                to.start_item();
            }
            b"tr" => {
                to.end(&Tag::Row);
                to.start(Tag::Row);
            }
            b"td" | b"th" => {
                to.end(&Tag::Cell);
                to.start(Tag::Cell);
            }
            name => match element(name, &tag.class) {
                Some(Tag::Paragraph) => to.apart(),
                Some(tag) => {
                    if matches!(to.block(), Some(Tag::Heading(_))) && tag.is_block() {
                        to.end(&Tag::Heading(0));
                    }
                    to.start(tag);
                }
                None => {}
            },
        }
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"br" => self.to.line_break(),
            b"ol" => self.to.end(&Tag::List(None)),
            b"a" => self.to.end(&Tag::Link(String::new())),
            b"li" => self.to.end(&Tag::Item(None)),
            b"tr" => self.to.end(&Tag::Row),
            b"td" | b"th" => self.to.end(&Tag::Cell),
            // The element that has the class is not known any more.
            b"span" => self.to.end(&Tag::Spoiler),
            b"code" if self.to.in_code() => {}
            name => match element(name, "") {
                Some(Tag::Paragraph) => self.to.apart(),
                Some(tag) => self.to.end(&tag),
                None => {}
            },
        }
    }
}

/// The element of this name; nothing for one that shows its words as they are.
fn element(name: &[u8], class: &str) -> Option<Tag> {
    Some(match name {
        b"b" | b"strong" => Tag::Bold,
        b"i" | b"em" | b"cite" | b"var" | b"dfn" => Tag::Italic,
        b"s" | b"del" | b"strike" => Tag::Strike,
        b"u" | b"ins" => Tag::Underline,
        b"code" | b"tt" | b"kbd" | b"samp" => Tag::Mono,
        b"tg-spoiler" => Tag::Spoiler,
        b"span" if class == "tg-spoiler" => Tag::Spoiler,
        b"h1" => Tag::Heading(1),
        b"h2" => Tag::Heading(2),
        b"h3" => Tag::Heading(3),
        b"h4" => Tag::Heading(4),
        b"h5" => Tag::Heading(5),
        b"h6" => Tag::Heading(6),
        b"blockquote" => Tag::Quote,
        b"ul" | b"menu" => Tag::List(None),
        b"pre" => Tag::Code(String::new()),
        b"table" => Tag::Table(0),
        b"p" | b"div" | b"section" | b"article" | b"header" | b"footer" | b"main" | b"nav"
        | b"aside" | b"address" | b"figure" | b"figcaption" | b"details" | b"summary" | b"dl"
        | b"dt" | b"dd" | b"form" | b"fieldset" | b"center" | b"body" | b"head" | b"caption" => {
            Tag::Paragraph
        }
        _ => return None,
    })
}
