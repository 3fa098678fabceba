//! The outline of an XML document: enough to tell a message from an error.

/// The root of a document and its children.
pub struct Outline<'a> {
    /// The root's name.
    pub root: &'a str,
    /// The names of the root's children, and whether there is text in each.
    children: Vec<(&'a str, bool)>,
}

impl<'a> Outline<'a> {
    /// Reads a document; `None` where its elements do not close or something is around them.
    pub fn read(text: &'a str) -> Option<Outline<'a>> {
        let mut outline = Outline { root: "", children: Vec::new() };
        let mut open: Vec<&str> = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('<') {
            outline.say(&rest[..at], open.len())?;
            rest = &rest[at..];
            if let Some(comment) = rest.strip_prefix("<!--") {
                rest = comment.split_once("-->")?.1;
            } else if let Some(data) = rest.strip_prefix("<![CDATA[") {
                let (data, after) = data.split_once("]]>")?;
                if open.is_empty() {
                    return None;
                }
                outline.say(data, open.len())?;
                rest = after;
            } else if let Some(instruction) = rest.strip_prefix("<?") {
                rest = instruction.split_once("?>")?.1;
            } else if let Some(end) = rest.strip_prefix("</") {
                let (name, after) = end.split_once('>')?;
                if open.pop()? != name.trim_end() {
                    return None;
                }
                rest = after;
            } else {
                let (tag, after) = tag(&rest[1..])?;
                let (inside, empty) = match tag.strip_suffix('/') {
                    Some(inside) => (inside, true),
                    None => (tag, false),
                };
                let name = inside.split_ascii_whitespace().next()?;
                match open.len() {
                    0 if outline.root.is_empty() => outline.root = name,
                    0 => return None,
                    1 => outline.children.push((name, false)),
                    _ => {}
                }
                if !empty {
                    open.push(name);
                }
                rest = after;
            }
        }
        outline.say(rest, open.len())?;
        (open.is_empty() && !outline.root.is_empty()).then_some(outline)
    }

    /// True if the root has a child of this name.
    pub fn has(&self, name: &str) -> bool {
        self.children.iter().any(|(own, _)| *own == name)
    }

    /// True if a child of the root of this name has text in it.
    pub fn has_text(&self, name: &str) -> bool {
        self.children.iter().any(|(own, text)| *own == name && *text)
    }

    /// True if the root has one child of this name only, and it has text in it.
    pub fn has_one_with_text(&self, name: &str) -> bool {
        let mut children = self.children.iter().filter(|(own, _)| *own == name);
        children.next().is_some_and(|(_, text)| *text) && children.next().is_none()
    }

    fn say(&mut self, text: &str, depth: usize) -> Option<()> {
        match (text.trim().is_empty(), depth) {
            (true, _) => {}
            (false, 0) => return None,
            (false, 1) => {}
            (false, _) => self.children.last_mut()?.1 = true,
        }
        Some(())
    }
}

/// A tag up to the `>` that is not in quotes, and what follows it.
fn tag(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let end = text.find(|c| match (quote, c) {
        (None, '>') => true,
        (None, '"' | '\'') => {
            quote = Some(c);
            false
        }
        (Some(open), c) if open == c => {
            quote = None;
            false
        }
        _ => false,
    })?;
    Some((&text[..end], &text[end + 1..]))
}
