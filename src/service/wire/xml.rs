//! Reads an XML answer whole: its root and the text of the root's children.
//!
//! Only what is well-formed to the letter of XML 1.0 is believed, and the common readers of XML look
//! over much. Without a DOCTYPE, which is refused, there is little of XML: no entities but five, and
//! no attributes but those that are written.

use crate::model::json::MAX_DEPTH;

/// An XML document that was well-formed to its end.
#[derive(Debug, PartialEq)]
pub struct Document {
    /// The name of the root element.
    pub root: String,
    /// The names of the root's children, and the text in each that is in no element below.
    pub children: Vec<(String, String)>,
}

impl Document {
    /// The text of the first child of this name.
    pub fn child(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|(own, _)| own == name).map(|(_, text)| text.as_str())
    }

    /// True if there are several children of this name.
    pub fn has_several(&self, name: &str) -> bool {
        self.children.iter().filter(|(own, _)| own == name).nth(1).is_some()
    }
}

/// What XML takes for white space.
pub const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// True if a text is meant to be XML. A byte order mark may stand before it.
pub fn is_xml(text: &str) -> bool {
    without_mark(text).trim_start_matches(SPACE).starts_with('<')
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Reads a document; a DOCTYPE, an undefined entity or anything ill-formed is refused.
pub fn read(text: &str) -> Result<Document, String> {
    let text = without_mark(text);
    if text.contains(|c| !is_allowed(c)) {
        return Err("the answer has characters that XML does not allow".to_owned());
    }
    let mut reader = Reader { rest: text, open: Vec::new(), document: None };
    let document = reader.declaration().and_then(|()| reader.document());
    document.map_err(|why| {
        let line = text[..text.len() - reader.rest.len()].matches('\n').count() + 1;
        format!("the answer is no XML: line {line} has {why}")
    })
}

/// A character of XML 1.0.
fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

struct Reader<'a> {
    rest: &'a str,
    /// The names of the elements that are open, the root's first.
    open: Vec<&'a str>,
    document: Option<Document>,
}

type Read<T> = Result<T, &'static str>;

impl<'a> Reader<'a> {
    /// The rest of the document, behind its declaration.
    fn document(&mut self) -> Read<Document> {
        loop {
            if self.open.is_empty() {
                self.space();
                if self.rest.is_empty() {
                    return self.document.take().ok_or("no root element");
                }
            } else {
                self.text()?;
            }
            if self.eat("<!--") {
                let (_, behind) = self.rest.split_once("--").ok_or("a comment without end")?;
                self.rest = behind.strip_prefix('>').ok_or("\"--\" within a comment")?;
            } else if self.eat("<?") {
                self.instruction()?;
            } else if !self.open.is_empty() && self.eat("<![CDATA[") {
                let data = self.until("]]>")?;
                self.say(data);
            } else if self.rest.starts_with("<!DOCTYPE") {
                return Err("a DOCTYPE");
            } else if self.eat("</") {
                let name = self.name()?;
                self.space();
                if !self.eat(">") || self.open.pop() != Some(name) {
                    return Err("an end tag that ends no element");
                }
            } else if self.eat("<") {
                self.start_tag()?;
            } else if !self.open.is_empty() && self.eat("&") {
                let (character, rest) = reference(self.rest)?;
                self.rest = rest;
                self.say(character.encode_utf8(&mut [0; 4]));
            } else if self.rest.is_empty() {
                return Err("its end before that of its root element");
            } else {
                return Err("text outside its root element");
            }
        }
    }

    /// `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`, if it is there.
    fn declaration(&mut self) -> Read<()> {
        let is_declared = |rest: &str| rest.starts_with(SPACE);
        let Some(rest) = self.rest.strip_prefix("<?xml").filter(|rest| is_declared(rest)) else {
            return Ok(());
        };
        self.rest = rest;
        if self.pseudo_attribute("version")? != Some("1.0") {
            return Err("a declaration of another version than 1.0");
        }
        // It was read as UTF-8 whatever it says, of which ASCII is a part.
        let encoding = self.pseudo_attribute("encoding")?;
        if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("UTF-8")) {
            return Err("a declaration of another encoding than UTF-8");
        }
        if self.pseudo_attribute("standalone")?.is_some_and(|is| is != "yes" && is != "no") {
            return Err("a declaration that is garbled");
        }
        self.space();
        if self.eat("?>") { Ok(()) } else { Err("a declaration that is garbled") }
    }

    /// A part of the declaration, if it comes next.
    fn pseudo_attribute(&mut self, name: &str) -> Read<Option<&'a str>> {
        let before = self.rest;
        if self.space() && self.eat(name) {
            self.equals().and_then(|()| self.quoted()).map(Some)
        } else {
            self.rest = before;
            Ok(None)
        }
    }

    /// A processing instruction, behind its `<?`.
    fn instruction(&mut self) -> Read<()> {
        if self.name()?.eq_ignore_ascii_case("xml") {
            return Err("a declaration that is not at its start");
        }
        if self.eat("?>") {
            return Ok(());
        }
        if !self.space() {
            return Err("a processing instruction that is garbled");
        }
        self.until("?>").map(drop)
    }

    /// A start tag, behind its `<`.
    fn start_tag(&mut self) -> Read<()> {
        let name = self.name()?;
        match (self.open.len(), &mut self.document) {
            (0, document @ None) => {
                *document = Some(Document { root: name.to_owned(), children: Vec::new() });
            }
            (0, Some(_)) => return Err("a second root element"),
            (1, Some(document)) => document.children.push((name.to_owned(), String::new())),
            _ => {}
        }
        let mut attributes = Vec::new();
        loop {
            let is_apart = self.space();
            if self.eat("/>") {
                return Ok(());
            }
            if self.eat(">") {
                self.open.push(name);
                let is_deep = self.open.len() > MAX_DEPTH;
                return if is_deep { Err("elements nested deeper than 64") } else { Ok(()) };
            }
            if !is_apart {
                return Err("a tag that is garbled");
            }
            let attribute = self.name()?;
            if attributes.contains(&attribute) {
                return Err("an attribute twice");
            }
            attributes.push(attribute);
            self.equals()?;
            let value = self.quoted()?;
            if value.contains('<') {
                return Err("a \"<\" within an attribute");
            }
            let mut rest = value;
            while let Some((_, behind)) = rest.split_once('&') {
                (_, rest) = reference(behind)?;
            }
        }
    }

    /// Text up to the next markup.
    fn text(&mut self) -> Read<()> {
        let end = self.rest.find(['<', '&']).unwrap_or(self.rest.len());
        let (text, behind) = self.rest.split_at(end);
        if text.contains("]]>") {
            return Err("\"]]>\" within a text");
        }
        self.rest = behind;
        self.say(text);
        Ok(())
    }

    /// Keeps text of a child of the root.
    fn say(&mut self, text: &str) {
        if self.open.len() == 2
            && let Some((_, own)) = self.document.as_mut().and_then(|d| d.children.last_mut())
        {
            own.push_str(text);
        }
    }

    fn name(&mut self) -> Read<&'a str> {
        let end = self.rest.find(|c| !continues_name(c)).unwrap_or(self.rest.len());
        let (name, behind) = self.rest.split_at(end);
        if !name.starts_with(begins_name) {
            return Err("a name that is none");
        }
        self.rest = behind;
        Ok(name)
    }

    fn equals(&mut self) -> Read<()> {
        self.space();
        let is_there = self.eat("=");
        self.space();
        if is_there { Ok(()) } else { Err("an attribute without a value") }
    }

    /// What stands between two quotes.
    fn quoted(&mut self) -> Read<&'a str> {
        let quote = ["\"", "'"].into_iter().find(|quote| self.eat(quote));
        self.until(quote.ok_or("an attribute without quotes")?)
    }

    fn until(&mut self, end: &str) -> Read<&'a str> {
        let (before, behind) = self.rest.split_once(end).ok_or("its end within markup")?;
        self.rest = behind;
        Ok(before)
    }

    /// Steps over white space, and tells whether there was any.
    fn space(&mut self) -> bool {
        let behind = self.rest.trim_start_matches(SPACE);
        let is_there = behind.len() < self.rest.len();
        self.rest = behind;
        is_there
    }

    fn eat(&mut self, text: &str) -> bool {
        let behind = self.rest.strip_prefix(text);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }
}

/// The character that a reference stands for, behind its `&`, and what follows it.
fn reference(text: &str) -> Read<(char, &str)> {
    let (name, behind) = text.split_once(';').ok_or("a \"&\" that begins no reference")?;
    let character = match name.strip_prefix('#') {
        None => match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return Err("an undefined entity"),
        },
        Some(number) => {
            let hexadecimal = number.strip_prefix('x').map(|digits| (digits, 16));
            let (digits, radix) = hexadecimal.unwrap_or((number, 10));
            // A sign would be read as well.
            let number = Some(digits).filter(|digits| digits.chars().all(|c| c.is_digit(radix)));
            let number = number.and_then(|digits| u32::from_str_radix(digits, radix).ok());
            let character = number.and_then(char::from_u32).filter(|c| is_allowed(*c));
            character.ok_or("a reference to no character of XML")?
        }
    };
    Ok((character, behind))
}

/// A character that a name may begin with.
fn begins_name(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

/// A character that may follow in a name.
fn continues_name(c: char) -> bool {
    begins_name(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_read_with_nested_markup_and_references() {
        let text = "<?xml version=\"1.0\"?>\n<!-- c --><direct_message>\n<id>a&amp;b</id><empty/>\
                    <text>x <b>y</b> &#228;<![CDATA[<z>]]></text><sender><id>9</id></sender></direct_message>\n";
        let document = read(text).expect("well-formed");
        assert_eq!(document.root, "direct_message");
        assert_eq!(document.child("id"), Some("a&b"));
        assert_eq!(document.child("empty"), Some(""));
        assert_eq!(document.child("text"), Some("x  ä<z>"));
        assert_eq!(document.child("sender"), Some(""));
    }

    /// An element around each of these is well-formed, with this text.
    const INSIDE: [(&str, &str); 16] = [
        ("", ""),
        ("&#9;&#xa;&#x20AC;&#x1F600;&#0065;", "\t\n€😀A"),
        ("&amp;&lt;&gt;&quot;&apos;", "&<>\"'"),
        ("]]&gt; ]] > ]>", "]]> ]] > ]>"),
        ("<![CDATA[<&]]]]><![CDATA[>]]>", "<&]]>"),
        ("a<!---->b<!-- - -><& -->c", "abc"),
        ("a<?b?>c<?xml-x ?>d<?e f ?>g", "acdg"),
        ("<b/><b /><b\n></b\t>", ""),
        ("<b c=\"'&lt;&#10;\" d='\">]]>'\ne = '' />", ""),
        ("<a:b xmlns:a='c' a:d='' d=''/>", ""),
        ("<:/><_/><é/><a.-·1/><名 字='天'/>", ""),
        ("\u{7f}\u{80}\u{fffd}\u{1fffe}\u{10ffff}", "\u{7f}\u{80}\u{fffd}\u{1fffe}\u{10ffff}"),
        ("\u{feff}", "\u{feff}"),
        ("<a><a/></a>", ""),
        ("<?b <&?>", ""),
        ("\u{a0}", "\u{a0}"),
    ];

    /// No element with one of these inside is well-formed.
    const NEVER_INSIDE: &str = "&unknown; | &nbsp; | & | &; | &  | &#; | &#x; | &#xg; | &#1; | &#0; | &#x1F; | &#xD800; | \
        &#xFFFE; | &#xffff; | &#x110000; | &#99999999999; | &#+65; | &#-1; | &#X41; | &amp | \
        &AMP; | &amp ; | ]]> | a]]>b | < | <> | < b/> | <1/> | <-/> | <b c/> | <b c=d/> | \
        <b c='d/> | <b c='1'd='2'/> | <b c='1' c='2'/> | <b c='<'/> | <b c='&x;'/> | <b c='&'/> | \
        <b c='&#1;'/> | <b c='1' 'd'/> | <b/ > | <b></ b> | <b></b c='d'> | </b> | <b></B> | <b> | \
        <b><c></b></c> | <!-- -- --> | <!-- ---> | <!--> | <!--  | <?xml version='1.0'?> | \
        <?XML x?> | <? x?> | <?x | <![CDATA[ | <!DOCTYPE b> | <!ENTITY b 'c'>";

    #[test]
    fn what_the_letter_of_xml_allows_is_read() {
        for (inside, text) in INSIDE {
            let document = format!("<r><a>{inside}</a></r>");
            let read = read(&document).unwrap_or_else(|why| panic!("{document}: {why}"));
            assert_eq!(read.child("a"), Some(text), "{document}");
        }
        for before in [
            "",
            "\u{feff}",
            " \t\r\n",
            "<?xml version=\"1.0\"?>",
            "\u{feff}<?xml version='1.0' encoding='utf-8' standalone='no' ?>\n",
            "<?xml\nversion = \"1.0\" encoding=\"UTF-8\"?><!-- c --> <?pi?>",
            "<?xml-stylesheet href='x'?>",
        ] {
            for behind in ["", "\n", "<!-- c --><?pi x?> "] {
                let document = format!("{before}<a/>{behind}");
                assert!(is_xml(&document));
                assert!(read(&document).is_ok(), "{document}: {:?}", read(&document));
            }
        }
    }

    #[test]
    fn what_the_letter_of_xml_forbids_is_refused() {
        for inside in NEVER_INSIDE.split(" | ") {
            for document in [
                format!("<a>{inside}</a>"),
                format!("<r><id>7</id><a>x{inside}y</a></r>"),
                format!("<a/>{inside}"),
            ] {
                assert!(read(&document).is_err(), "{document}");
            }
        }
        for c in ('\0'..=' ').chain(['\u{fffe}', '\u{ffff}']).filter(|c| !SPACE.contains(c)) {
            for document in [format!("<a>{c}</a>"), format!("<a b='{c}'/>"), format!("<a/>{c}")] {
                assert!(read(&document).is_err(), "{document:?}");
            }
        }
        let deep = |n: usize| "<a>".repeat(n) + &"</a>".repeat(n);
        assert!(read(&deep(64)).is_ok());
        let deep = deep(65);
        for document in [
            "",
            " ",
            "plain",
            "<!-- c -->",
            "x<a/>",
            "<a/>x",
            "<a/><b/>",
            "<a/>&#32;",
            "<a/>&amp;",
            "<a/><![CDATA[ ]]>",
            "<![CDATA[ ]]><a/>",
            "<a/>\u{a0}",
            "\u{3000}<a/>",
            "\u{feff}\u{feff}<a/>",
            " \u{feff}<a/>",
            &deep,
        ] {
            assert!(read(document).is_err(), "{document}");
        }
    }

    #[test]
    fn a_declaration_that_is_wrong_is_refused() {
        for declaration in [
            "<?xml?>",
            "<?xml ?>",
            "<?xml nonsense?>",
            "<?xml version=\"9\"?>",
            "<?xml version=\"1.1\"?>",
            "<?xml version=\"1\"?>",
            "<?xml version=\"\"?>",
            "<?xml version=1.0?>",
            "<?xml version=\"1.0'?>",
            "<?xml version=\"1.0\">",
            "<?xml version=\"1.0\" ?",
            "<?xml version=\"1.0\" version=\"1.0\"?>",
            "<?xml version=\"1.0\"encoding=\"UTF-8\"?>",
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
            "<?xml version=\"1.0\" encoding=\"GBK\"?>",
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>",
            "<?xml version=\"1.0\" encoding=\"\"?>",
            "<?xml version=\"1.0\" encoding=UTF-8?>",
            "<?xml version=\"1.0\" standalone=\"maybe\"?>",
            "<?xml version=\"1.0\" standalone=\"yes\" encoding=\"UTF-8\"?>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\" more=\"x\"?>",
            "<?xml encoding=\"UTF-8\" version=\"1.0\"?>",
            "<?xml encoding=\"UTF-8\"?>",
            "<?XML version=\"1.0\"?>",
            "<?xml\u{a0}version=\"1.0\"?>",
            " <?xml version=\"1.0\"?>",
            "\n<?xml version=\"1.0\"?>",
            "<!-- c --><?xml version=\"1.0\"?>",
            "<?xml version=\"1.0\"?><?xml version=\"1.0\"?>",
        ] {
            let document = format!("{declaration}<a/>");
            assert!(read(&document).is_err(), "{document}");
        }
        assert!(read("<a/><?xml version=\"1.0\"?>").is_err());
    }

    #[test]
    fn a_refusal_tells_the_line() {
        for wrong in ["&nbsp;", "<b c='天&nbsp;天'/>"] {
            let why = read(&format!("<a>\n<b>\n{wrong}</b></a>")).expect_err("undefined");
            assert_eq!(why, "the answer is no XML: line 3 has an undefined entity");
        }
    }
}
