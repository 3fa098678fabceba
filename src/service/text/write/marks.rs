//! What begins and ends within lines: styles, links and mentions.

use super::{Mark, Open, Writer};
use crate::service::text::dialect::{Kind, Link};
use crate::service::text::escape;
use crate::service::text::rich::{Doc, EventKind, Tag};

impl<'a> Writer<'a> {
    /// Says how what begins within a line is written.
    pub(super) fn start_inline(&mut self, open: &mut Open<'a>, at: usize) {
        let d = self.dialect;
        let mono = self.has(|tag| *tag == Tag::Mono);
        if let Tag::Link(url) | Tag::Image(url) = open.tag {
            if self.open.iter().any(|open| open.link.is_some()) {
                return;
            }
            let end = end_of(self.doc, at, open.event);
            let alone = self.doc.words[at..end] == **url;
            let link = match d.kind {
                _ if mono || !escape::is_link(url) => Link::Words,
                Kind::Marks => d.link,
                _ => Link::Brackets,
            };
            open.link = Some(link);
            let is_bare = link == Link::Angles || link == Link::BracketsOrBare;
            if alone && is_bare && d.kind == Kind::Marks && at >= self.skip {
                self.flush('h');
                let angles = link == Link::Angles;
                self.out.push_str(if angles { "<" } else { "" });
                match angles {
                    true => escape::url(&mut self.out, url, d),
                    false => self.out.push_str(url),
                }
                self.out.push_str(if angles { ">" } else { "" });
                (self.skip, open.link) = (end, None);
            }
            return;
        }
        let same =
            |own: &&Open<'a>| std::mem::discriminant(own.tag) == std::mem::discriminant(open.tag);
        let style = d.style(open.tag);
        let is_bold = *open.tag == Tag::Bold
            && self.open.iter().any(|own| own.tag.is_block() && own.style == style);
        if mono || is_bold || self.open.iter().any(|own| same(&own)) || self.in_code() {
            return;
        }
        open.style = style;
        if *open.tag == Tag::Mono && d.kind == Kind::Marks && !style.is_empty() {
            let end = end_of(self.doc, at, open.event);
            open.ticks = ticks(&self.doc.words[at..end]) + 1;
            if open.ticks > 1 && !d.ticks {
                (open.style, open.ticks) = ("", 0);
            }
        }
    }

    /// Writes the closing mark of an element, if its opening one was written.
    pub(super) fn close(&mut self, open: &Open<'a>, at: usize) {
        if let (Some(link), Tag::Link(url) | Tag::Image(url)) = (open.link, open.tag) {
            return self.close_link(open, link, url, at);
        }
        if !open.shown || open.style.is_empty() {
            return;
        }
        match self.dialect.kind {
            Kind::Entities => {
                let value = match open.tag {
                    Tag::Code(language) => language.clone(),
                    _ => String::new(),
                };
                self.mark(open.style, open.start, value);
            }
            Kind::Html => {
                let name = open.style.split(' ').next().unwrap_or_default();
                self.out.push_str(&format!("</{name}>"));
            }
            Kind::Marks => {
                let last = self.out.trim_end_matches(['*', '_', '~', '|']).chars().next_back();
                let before = self.closed.map_or(last.unwrap_or(' '), |(before, _)| before);
                match open.ticks {
                    0 => self.out.push_str(open.style),
                    n => {
                        self.out.push_str(if n > 1 { " " } else { "" });
                        self.out.push_str(&"`".repeat(n));
                    }
                }
                self.closed = Some((before, open.style));
            }
        }
    }

    fn close_link(&mut self, open: &Open<'a>, link: Link, url: &str, at: usize) {
        let d = self.dialect;
        if link == Link::Words {
            let found = &self.doc.events[open.event];
            let words = &self.doc.words[found.at..at];
            let is_said = words.trim().is_empty()
                || words == url
                || Some(words) == url.strip_prefix("mailto:");
            if !is_said && !url.is_empty() {
                self.held = " ".to_owned();
                self.text(&format!("({url})"));
            }
            return;
        }
        if !open.shown {
            return;
        }
        match (d.kind, link) {
            (Kind::Entities, _) => self.mark("text_link", open.start, url.to_owned()),
            (Kind::Html, _) => self.out.push_str("</a>"),
            (_, Link::Angles) => self.out.push('>'),
            _ => {
                self.out.push_str("](");
                escape::url(&mut self.out, url, d);
                self.out.push(')');
            }
        }
        self.closed = None;
    }

    fn mark(&mut self, kind: &'static str, start: usize, value: String) {
        if start < self.out.len() {
            self.written.marks.push(Mark { kind, start, end: self.out.len(), value });
        }
    }

    /// Calls somebody, or everybody, by name.
    pub(super) fn mention(&mut self, n: usize) {
        let d = self.dialect;
        let Some(mention) = self.mentions.get(n) else { return };
        let (user, name) = match mention {
            Some((user, name)) => (user.as_str(), name.as_deref()),
            None => ("all", Some("all")),
        };
        let shown = name.unwrap_or(user);
        if self.in_code() || self.has(|tag| *tag == Tag::Mono) {
            return self.text(&format!("@{shown}"));
        }
        self.written.mentions.push(n);
        if d.kind == Kind::Entities {
            self.flush('@');
            let start = self.out.len();
            // Telegram knows users by numbers, and whoever has a name by that.
            let is_own = !d.all.is_empty() || user.bytes().all(|b| b.is_ascii_digit());
            if !is_own {
                self.out.push('@');
            }
            self.out.push_str(if is_own { shown } else { user.trim_start_matches('@') });
            if is_own {
                self.mark("text_mention", start, user.to_owned());
            } else {
                self.bound = true;
            }
            return;
        }
        let template = if mention.is_some() { d.mention } else { d.all };
        if template.starts_with('@') {
            let is_letter = self.out[self.line..].ends_with(char::is_alphanumeric);
            if self.gap == 0 && self.held.is_empty() && is_letter {
                self.held.push(' ');
            }
        }
        self.flush('@');
        // Such a mention is none right behind most other characters.
        let stuck = |c: char| !c.is_whitespace() && !"'\"(<".contains(c);
        if template.starts_with("@**") && self.out[self.line..].ends_with(stuck) {
            self.out.push(' ');
        }
        let mut is_name = false;
        for part in template.split(['{', '}']) {
            if is_name {
                self.handle(part, user, name);
            } else {
                self.out.push_str(part);
            }
            is_name = !is_name;
        }
        self.bound = template.starts_with('@') && !template.ends_with('*');
    }

    /// Writes what a placeholder of a mention stands for.
    fn handle(&mut self, what: &str, user: &str, name: Option<&str>) {
        let is_number = user.bytes().all(|b| b.is_ascii_digit());
        let text = match (what, name) {
            ("name", _) => name.unwrap_or(user).to_owned(),
            ("name|", Some(name)) if is_number => format!("{name}|{user}"),
            ("name|", None) if is_number => format!("|{user}"),
            ("name|", _) => name.unwrap_or(user).to_owned(),
            ("users/", _) => format!("users/{}", user.strip_prefix("users/").unwrap_or(user)),
            _ => user.to_owned(),
        };
        match self.is_html() {
            true => escape::code(&mut self.out, &text, self.dialect, false),
            false => self.out.push_str(&text),
        }
    }
}

/// Where in the words the element ends that begins with this event.
pub(super) fn end_of(doc: &Doc, at: usize, event: usize) -> usize {
    let mut depth = 0;
    for event in &doc.events[event..] {
        match event.kind {
            EventKind::Start(_) => depth += 1,
            EventKind::End => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return event.at;
        }
    }
    at
}

/// The longest run of backticks.
pub(super) fn ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
