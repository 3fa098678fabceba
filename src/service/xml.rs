//! Reads an XML answer whole: its root and the text of the root's children.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

use crate::model::json::MAX_DEPTH;

/// An XML document that was well-formed to its end.
#[derive(Debug, PartialEq)]
pub struct Document {
    /// The name of the root element.
    pub root: String,
    /// The names of the root's children and all text within each.
    pub children: Vec<(String, String)>,
}

impl Document {
    /// The text of the first child of this name.
    pub fn child(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|(own, _)| own == name).map(|(_, text)| text.as_str())
    }
}

/// Reads a document; a DOCTYPE, an undefined entity or anything ill-formed is refused.
pub fn read(text: &str) -> Result<Document, String> {
    if text.contains(|c| !is_allowed(c)) {
        return Err("the answer has characters that XML does not allow".to_owned());
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut document: Option<Document> = None;
    let mut depth = 0usize;
    loop {
        let event = reader.read_event().map_err(|e| format!("the answer is no XML: {e}"))?;
        let mut said = String::new();
        match event {
            Event::Start(start) => {
                open(&mut document, depth, &start)?;
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err("the answer is nested deeper than 64".to_owned());
                }
            }
            Event::Empty(start) => open(&mut document, depth, &start)?,
            Event::End(_) => depth -= 1,
            Event::DocType(_) => return Err("the answer has a DOCTYPE".to_owned()),
            Event::GeneralRef(_) | Event::CData(_) if depth == 0 => {
                return Err("the answer has text outside its root element".to_owned());
            }
            Event::Text(text) => said.push_str(&text.xml10_content()),
            Event::CData(data) => said.push_str(&data.xml10_content()),
            Event::GeneralRef(reference) => said.push_str(&resolved(&reference)?),
            Event::Decl(declaration) => {
                declaration.version().map_err(|e| format!("the answer is no XML: {e}"))?;
            }
            Event::Eof => break,
            Event::PI(_) | Event::Comment(_) => {}
        }
        if depth == 0 {
            if !said.trim().is_empty() {
                return Err("the answer has text outside its root element".to_owned());
            }
        } else if let Some(document) = &mut document
            && depth > 1
            && let Some((_, text)) = document.children.last_mut()
        {
            text.push_str(&said);
        }
    }
    match document {
        Some(document) if depth == 0 => Ok(document),
        Some(_) => Err("the answer ended too early".to_owned()),
        None => Err("the answer has no root element".to_owned()),
    }
}

fn open(
    document: &mut Option<Document>,
    depth: usize,
    start: &quick_xml::events::BytesStart<'_>,
) -> Result<(), String> {
    for attribute in start.attributes() {
        attribute.map_err(|e| format!("the answer is no XML: {e}"))?;
    }
    let name = start.name().0.to_owned();
    if !is_name(&name) {
        return Err(format!("the answer has an element with the name {name:?}"));
    }
    match (depth, document) {
        (0, document @ None) => *document = Some(Document { root: name, children: Vec::new() }),
        (0, Some(_)) => return Err("the answer has two root elements".to_owned()),
        (1, Some(document)) => document.children.push((name, String::new())),
        _ => {}
    }
    Ok(())
}

/// A character of XML 1.0.
fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// A name as XML writes it, as far as the reader has not looked.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':')
        && name.chars().all(|c| c.is_alphanumeric() || "_:-.·".contains(c))
}

fn resolved(reference: &quick_xml::events::BytesRef<'_>) -> Result<String, String> {
    if let Some(c) = reference.resolve_char_ref().map_err(|e| e.to_string())? {
        return Ok(c.to_string());
    }
    let name: &str = reference;
    let known = resolve_xml_entity(name).map(str::to_owned);
    known.ok_or_else(|| format!("the answer uses the undefined entity &{name};"))
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
        assert_eq!(document.child("text"), Some("x y ä<z>"));
    }

    #[test]
    fn what_is_not_whole_and_plain_is_refused() {
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        for text in [
            "",
            "plain",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a>&unknown;</a>",
            "<a x=1/>",
            "</a>",
            "<a>\0</a>",
            "<a><\n/></a>",
            "<a><1/></a>",
            "<a/>&#32;",
            "<a/><![CDATA[ ]]>",
            "<?xml nonsense?><a/>",
            "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
            "<a><b></a></b>",
            &deep,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
