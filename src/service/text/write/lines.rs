//! The words of lines, and what has to stand between and before them.

use super::{Open, Writer};
use crate::service::text::dialect::{Kind, Link};
use crate::service::text::escape::{self, Where};
use crate::service::text::rich::Tag;

impl<'a> Writer<'a> {
    /// Begins the line on which something comes next.
    pub(super) fn line_start(&mut self) {
        let d = self.dialect;
        if self.is_html() {
            let mark = if self.hard { "<br>" } else { "\n" };
            self.out.push_str(&mark.repeat(self.gap));
        } else if !self.out.is_empty() {
            if self.gap == 1 && self.hard {
                self.out.push_str(d.hard);
            }
            for n in (0..self.gap).rev() {
                self.out.push('\n');
                if n > 0 {
                    let start = self.out.len();
                    for level in self.levels.iter().filter(|level| level.used) {
                        self.out.push_str(&level.rest);
                    }
                    let end = start + self.out[start..].trim_end().len();
                    self.out.truncate(end);
                }
            }
        }
        if self.gap > 0 || self.out.is_empty() {
            for level in &mut self.levels {
                self.out.push_str(if level.used { &level.rest } else { &level.first });
                level.used = true;
            }
        }
        (self.gap, self.hard, self.closed, self.line) = (0, false, None, self.out.len());
        self.tight = false;
    }

    /// Writes whatever has to stand before a character that comes next.
    pub(super) fn flush(&mut self, first: char) {
        let d = self.dialect;
        if self.gap > 0 || self.out.is_empty() {
            self.line_start();
        }
        let held = std::mem::take(&mut self.held);
        if self.out.len() > self.line {
            self.out.push_str(&held);
        } else if self.doc.plain && !held.is_empty() {
            match d.kind {
                Kind::Html => self.out.push_str(&"&nbsp;".repeat(held.chars().count())),
                // Four blanks would make it code.
                _ if d.indents => self.out.push_str(&"\u{a0}".repeat(held.len())),
                _ => self.out.push_str(&held),
            }
        }
        let before = self.out[self.line..].chars().next_back();
        let is_letter = |c: char| c.is_alphanumeric() || c == '_';
        if std::mem::take(&mut self.bound) && held.is_empty() && is_letter(first) {
            self.out.push(' ');
        }
        let mut opening = String::new();
        let mut style = "";
        for n in 0..self.open.len() {
            let open = &mut self.open[n];
            let is_link = open.link.is_some_and(|link| link != Link::Words);
            if open.shown || open.style.is_empty() && !is_link {
                continue;
            }
            open.shown = true;
            open.start = self.out.len();
            if is_link {
                let (Tag::Link(url) | Tag::Image(url)) = open.tag else { continue };
                match (d.kind, open.link) {
                    (Kind::Entities, _) => {}
                    (Kind::Html, _) => {
                        opening.push_str("<a href=\"");
                        escape::url(&mut opening, url, d);
                        opening.push_str("\">");
                    }
                    (_, Some(Link::Angles)) => {
                        opening.push('<');
                        escape::url(&mut opening, url, d);
                        opening.push('|');
                    }
                    _ if d.images && matches!(open.tag, Tag::Image(_)) => opening.push_str("!["),
                    _ => opening.push('['),
                }
                continue;
            }
            match d.kind {
                Kind::Entities => {}
                Kind::Html => opening.push_str(&format!("<{}>", open.style)),
                Kind::Marks if open.ticks > 0 => {
                    opening.push_str(&"`".repeat(open.ticks));
                    opening.push_str(if open.ticks > 1 { " " } else { "" });
                }
                Kind::Marks => opening.push_str(open.style),
            }
            style = if style.is_empty() { open.style } else { style };
        }
        if d.kind == Kind::Marks && held.is_empty() && !d.gap.is_empty() {
            let run = opening.chars().next();
            let next = opening.chars().chain([first]).find(|c| Some(*c) != run).unwrap_or(first);
            let splits = match self.closed.take() {
                Some((before, closed)) => !opening.is_empty() || self.joins(closed, before, first),
                None if style.is_empty() => false,
                None => before.is_some_and(|before| self.joins(style, next, before)),
            };
            self.out.push_str(if splits { d.gap } else { "" });
        }
        self.closed = None;
        // It would be a picture.
        if opening.starts_with('[') && self.out.ends_with('!') {
            if d.escapes() {
                self.out.pop();
                escape::shut(&mut self.out, '!', d);
            } else {
                self.out.push('\u{200a}');
            }
        }
        self.out.push_str(&opening);
    }

    /// True if a mark between these two would not be read as one: what stands within, and without.
    fn joins(&self, style: &str, within: char, without: char) -> bool {
        let is_mark = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
        match style.len() == 1 && (style != "*" || self.dialect.styles[0] == "*") {
            true => without.is_alphanumeric(),
            false => is_mark(within) && !without.is_whitespace() && !without.is_ascii_punctuation(),
        }
    }

    /// Words, which may have several lines.
    pub(super) fn text(&mut self, text: &str) {
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.line_end(self.doc.plain);
            }
            match self.in_code() {
                true => self.code(line),
                false => self.words(line.strip_suffix('\r').unwrap_or(line)),
            }
        }
    }

    /// The end of a line.
    pub(super) fn line_end(&mut self, hard: bool) {
        if self.in_code() {
            return self.gap += 1;
        }
        self.held.clear();
        let in_line =
            |tag: &Tag| matches!(tag, Tag::Cell | Tag::Heading(_) | Tag::Link(_) | Tag::Image(_));
        if self.dialect.kind != Kind::Entities && !self.is_html() && self.has(in_line) {
            self.held.push(' ');
            return;
        }
        // No mark reaches beyond its line.
        if self.dialect.kind == Kind::Marks {
            for n in (0..self.open.len()).rev() {
                if self.open[n].shown && !self.open[n].style.is_empty() {
                    let open = self.open.remove(n);
                    self.close(&open, 0);
                    self.open.insert(n, Open { shown: false, ..open });
                }
            }
        }
        self.gap += 1;
        self.hard |= hard;
    }

    pub(super) fn words(&mut self, line: &str) {
        let start = line.trim_start();
        self.held.push_str(&line[..line.len() - start.len()]);
        let words = start.trim_end();
        if words.is_empty() {
            return;
        }
        let mut written = String::new();
        if self.open.iter().any(|open| *open.tag == Tag::Mono && !open.style.is_empty()) {
            let in_cell = self.has(|tag| *tag == Tag::Cell);
            escape::code(&mut written, words, self.dialect, in_cell);
        } else {
            let opens = |open: &Open<'_>| !open.shown && !open.style.is_empty();
            let at = Where {
                first: (self.gap > 0 || self.out[self.line..].trim().is_empty())
                    && !self.open.iter().any(opens),
                quiet: self.quiet,
                linked: self.open.iter().any(|open| open.link.is_some()),
            };
            escape::words(&mut written, words, self.dialect, at);
        }
        self.flush(written.chars().next().unwrap_or(' '));
        self.out.push_str(&written);
        self.held.push_str(&start[words.len()..]);
    }

    fn code(&mut self, line: &str) {
        let Some(first) = line.chars().next() else { return };
        self.flush(first);
        let ticks = self.open.iter().any(|open| open.ticks == 3 && open.tag.is_block());
        match ticks && self.dialect.link != Link::Brackets && line.contains("```") {
            true => {
                let line = line.replace("```", "``\u{200b}`");
                escape::code(&mut self.out, &line, self.dialect, false);
            }
            false => escape::code(&mut self.out, line, self.dialect, false),
        }
    }
}
