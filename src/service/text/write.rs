//! Writes a text in any markup.

mod lines;
mod marks;

use super::dialect::{Dialect, Kind, Link};
use super::escape::{self, Where};
use super::rich::{Doc, EventKind, Tag};
use marks::{end_of, ticks};

/// Who is called: the user, and the name that is shown; nobody for everybody.
pub type Mention = Option<(String, Option<String>)>;

/// A place in a text where a piece begins.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Where in the words.
    pub at: usize,
    /// The next event.
    event: usize,
    /// The elements that are open there.
    open: Vec<usize>,
}

impl Place {
    /// The place further on, of which nothing before is left.
    pub fn forward(mut self, doc: &Doc, at: usize) -> Place {
        self.at = at;
        while let Some(event) = doc.events.get(self.event) {
            match event.kind {
                EventKind::Start(_) if event.at < at => self.open.push(self.event),
                EventKind::End if event.at <= at => drop(self.open.pop()),
                EventKind::Text(end) if end <= at => {}
                EventKind::Break | EventKind::Rule | EventKind::Mention(_) if event.at < at => {}
                _ => break,
            }
            self.event += 1;
        }
        self
    }
}

/// A part of what was written that is not plain, in bytes.
#[derive(Clone, Debug)]
pub struct Mark {
    /// What it is.
    pub kind: &'static str,
    /// Where it begins,
    pub start: usize,
    /// and ends.
    pub end: usize,
    /// What else it tells.
    pub value: String,
}

/// What was written.
#[derive(Default)]
pub struct Written {
    /// The text.
    pub text: String,
    /// What is not plain in it.
    pub marks: Vec<Mark>,
    /// The mentions in it.
    pub mentions: Vec<usize>,
    /// Where the next piece begins.
    pub next: Place,
}

/// Writes the words from a place up to another; with `…` at the end where it is cut.
pub fn write(
    doc: &Doc,
    dialect: &'static Dialect,
    mentions: &[Mention],
    (from, to): (&Place, usize),
    cut: bool,
) -> Written {
    // What is wholly plain needs no care where the service can be told so.
    let quiet = doc.plain
        && mentions.is_empty()
        && dialect.link == Link::Angles
        && dialect.entities
        && !matches!(doc.events.first(), Some(first) if first.kind == EventKind::Start(Tag::Title));
    let mut writer = Writer {
        doc,
        dialect,
        mentions,
        quiet,
        out: String::new(),
        written: Written::default(),
        open: Vec::new(),
        levels: Vec::new(),
        line: 0,
        gap: 0,
        hard: false,
        tight: false,
        held: String::new(),
        closed: None,
        bound: false,
        skip: 0,
        rows: 0,
        cells: 0,
        columns: 0,
        number: None,
    };
    for (n, event) in from.open.iter().enumerate() {
        let later = from.open[n + 1..].iter().copied().chain([from.event]);
        writer.number =
            later.filter_map(|n| doc.events.get(n)).find_map(|event| match event.kind {
                EventKind::Start(Tag::Item(number)) => number,
                _ => None,
            });
        writer.start(*event, true);
    }
    writer.number = None;
    let ends = to < doc.words.len();
    let mut n = from.event;
    while let Some(event) = doc.events.get(n) {
        let is_behind = ends && event.at >= to;
        match &event.kind {
            EventKind::Start(_) if is_behind => break,
            EventKind::Start(_) => writer.start(n, false),
            EventKind::End if is_behind && cut => break,
            EventKind::End => writer.end(event.at),
            EventKind::Text(end) => {
                let (start, stop) = (event.at.max(from.at), (*end).min(to));
                if start < stop && start >= writer.skip {
                    writer.text(&doc.words[start..stop]);
                }
                if *end > to {
                    break;
                }
            }
            _ if is_behind => break,
            _ if event.at < from.at => {}
            EventKind::Break => writer.line_end(true),
            EventKind::Rule => writer.rule(),
            EventKind::Mention(n) => writer.mention(*n),
        }
        n += 1;
    }
    let open = writer.open.iter().map(|open| open.event).collect();
    let next = Place { at: to, event: n, open };
    if cut {
        while writer.open.last().is_some_and(|open| !open.tag.is_block()) {
            writer.end(to);
        }
        writer.held.clear();
        writer.flush('…');
        writer.out.push('…');
    }
    while !writer.open.is_empty() {
        writer.end(to);
    }
    Written { text: writer.out, next, ..writer.written }
}

/// An element that has begun.
struct Open<'a> {
    event: usize,
    tag: &'a Tag,
    /// What stands around its words; empty if nothing does.
    style: &'static str,
    /// How it is written, if it is a link.
    link: Option<Link>,
    /// True if its opening mark was written,
    shown: bool,
    /// and where.
    start: usize,
    /// True if lines in it begin with something.
    level: bool,
    /// How many backticks stand around it.
    ticks: usize,
}

/// What lines begin with: the first and all others.
struct Level {
    first: String,
    rest: String,
    used: bool,
}

struct Writer<'a> {
    doc: &'a Doc,
    dialect: &'static Dialect,
    mentions: &'a [Mention],
    quiet: bool,
    out: String,
    written: Written,
    open: Vec<Open<'a>>,
    levels: Vec<Level>,
    /// Where the line begins, behind what all lines begin with.
    line: usize,
    /// The line ends before what comes next,
    gap: usize,
    /// the first of which has to be seen.
    hard: bool,
    /// True if what comes next stands on the next line.
    tight: bool,
    /// White space before what comes next.
    held: String,
    /// What stood before the closing mark that was written last, and that mark.
    closed: Option<(char, &'static str)>,
    /// True if a name ends here, which a letter would prolong.
    bound: bool,
    /// Up to where the words are written already.
    skip: usize,
    rows: usize,
    cells: usize,
    columns: usize,
    /// The number of the item at which a list goes on in this piece.
    number: Option<u64>,
}

impl<'a> Writer<'a> {
    fn is_html(&self) -> bool {
        self.dialect.kind == Kind::Html
    }

    fn has(&self, is: impl Fn(&Tag) -> bool) -> bool {
        self.open.iter().any(|open| is(open.tag))
    }

    fn in_code(&self) -> bool {
        self.has(|tag| matches!(tag, Tag::Code(_)))
    }

    /// Keeps a block apart from what stands before it.
    fn block(&mut self) {
        let in_item = self.has(|tag| matches!(tag, Tag::Item(_)));
        let wanted = match self.dialect.kind {
            Kind::Html => 0,
            _ if in_item || self.tight => 1,
            _ => 2,
        };
        self.gap = self.gap.max(wanted);
        self.held.clear();
    }

    /// Begins the element of this event; `again` if it began in an earlier piece.
    fn start(&mut self, event: usize, again: bool) {
        let found = &self.doc.events[event];
        let EventKind::Start(tag) = &found.kind else { return };
        let mut open = Open {
            event,
            tag,
            style: "",
            link: None,
            shown: false,
            start: self.out.len(),
            level: false,
            ticks: 0,
        };
        if !tag.is_block() {
            self.start_inline(&mut open, found.at);
        } else if self.is_html() {
            self.start_element(&mut open);
        } else {
            self.start_block(&mut open, again);
        }
        self.open.push(open);
    }

    fn start_block(&mut self, open: &mut Open<'a>, again: bool) {
        let d = self.dialect;
        let quoted = self.has(|tag| *tag == Tag::Quote);
        let mut level = |first: String, rest: String| {
            open.level = true;
            self.levels.push(Level { first, rest, used: false });
        };
        match open.tag {
            Tag::Title => open.style = d.style(&Tag::Bold),
            Tag::Heading(n) if *n <= d.headings => level("#".repeat(*n) + " ", String::new()),
            Tag::Heading(_) => open.style = d.style(&Tag::Bold),
            Tag::Quote if !d.quote.is_empty() => level(d.quote.to_owned(), d.quote.to_owned()),
            Tag::Quote if !quoted => open.style = "blockquote",
            Tag::Item(_) if again => level(String::new(), String::new()),
            Tag::Item(number) => {
                let bullet = match number {
                    Some(number) => format!("{number}. "),
                    None => "- ".to_owned(),
                };
                let rest = " ".repeat(bullet.len());
                level(bullet, rest);
            }
            _ => {}
        }
        match open.tag {
            Tag::Item(_) | Tag::Row => self.gap = self.gap.max(1),
            Tag::Cell => {}
            _ => self.block(),
        }
        match open.tag {
            Tag::Code(language) => {
                let at = self.doc.events[open.event].at;
                let words = &self.doc.words[at..end_of(self.doc, at, open.event)];
                open.ticks = match d.link {
                    _ if !d.fences || d.kind != Kind::Marks => 0,
                    Link::Brackets => ticks(words).max(2) + 1,
                    _ => 3,
                };
                if open.ticks > 0 {
                    self.line_start();
                    self.out.push_str(&"`".repeat(open.ticks));
                    let language = language.as_str();
                    self.out.push_str(if d.languages { language } else { "" });
                    self.gap = 1;
                } else if d.fences {
                    open.style = "pre";
                }
            }
            Tag::Table(columns) => {
                (self.rows, self.columns) = (0, *columns);
                // Rows of two tables that follow each other are kept apart.
                self.gap = self.gap.max(2);
            }
            Tag::Row => self.cells = 0,
            Tag::Cell if d.tables => {
                self.flush('|');
                self.out.push_str("| ");
                (self.line, self.held) = (self.out.len(), String::new());
            }
            Tag::Cell if self.cells > 0 => self.held.push('\t'),
            _ => {}
        }
    }

    fn start_element(&mut self, open: &mut Open<'a>) {
        (self.gap, self.hard, self.closed) = (0, false, None);
        self.held.clear();
        if self.is_alone(open.tag) {
            self.out.push_str(if self.out.is_empty() || self.out.ends_with('>') {
                ""
            } else {
                "<br>"
            });
            return self.line = self.out.len();
        }
        open.shown = true;
        let (before, after) = element(open.tag);
        if !after.is_empty() {
            self.out.push_str(before);
        }
        match open.tag {
            Tag::Heading(n) => self.out.push_str(&format!("<h{}>", (*n).clamp(1, 6))),
            Tag::Code(language) if !language.is_empty() => {
                self.out.push_str("<pre><code class=\"language-");
                escape::words(&mut self.out, language, self.dialect, Where::default());
                self.out.push_str("\">");
            }
            Tag::Code(_) => self.out.push_str("<pre><code>"),
            Tag::List(Some(first)) => match self.number.unwrap_or(*first) {
                1 => self.out.push_str("<ol>"),
                first => self.out.push_str(&format!("<ol start=\"{first}\">")),
            },
            _ => {}
        }
        self.line = self.out.len();
    }

    /// True for a paragraph that needs no element of its own.
    fn is_alone(&self, tag: &Tag) -> bool {
        *tag == Tag::Paragraph && (self.doc.alone || self.has(|tag| matches!(tag, Tag::Item(_))))
    }

    /// Ends the element that began last.
    fn end(&mut self, at: usize) {
        let Some(open) = self.open.pop() else { return };
        let was_shown = open.shown;
        self.close(&open, at);
        // An item of nothing is one, too.
        if matches!(open.tag, Tag::Item(_))
            && self.levels.last().is_some_and(|level| !level.used && !level.first.is_empty())
        {
            self.line_start();
        }
        if open.level {
            self.levels.pop();
        }
        if !open.tag.is_block() {
            return;
        }
        if self.is_html() {
            if was_shown {
                let (_, after) = element(open.tag);
                match open.tag {
                    Tag::Heading(n) => self.out.push_str(&format!("</h{}>", (*n).clamp(1, 6))),
                    Tag::Code(_) => self.out.push_str("</code></pre>"),
                    Tag::List(Some(_)) => self.out.push_str("</ol>"),
                    _ => self.out.push_str(after),
                }
            }
            (self.gap, self.hard, self.closed, self.line) = (0, false, None, self.out.len());
            return self.held.clear();
        }
        self.held.clear();
        match open.tag {
            Tag::Title => {
                self.tight = self.dialect.hard.is_empty();
                self.gap = if self.tight { 1 } else { 2 };
            }
            // What looks like the end of a heading would not be shown.
            Tag::Heading(_) if open.level && self.out.ends_with('#') && self.dialect.escapes() => {
                self.out.pop();
                escape::shut(&mut self.out, '#', self.dialect);
            }
            Tag::Code(_) if open.ticks > 0 => {
                self.gap = 1;
                self.line_start();
                self.out.push_str(&"`".repeat(open.ticks));
            }
            Tag::Code(_) => self.gap = 0,
            Tag::Cell if self.dialect.tables => {
                self.out.push(' ');
                self.cells += 1;
            }
            Tag::Cell => self.cells += 1,
            Tag::Row if self.dialect.tables && self.cells > 0 => {
                // What has no heading would not be shown.
                let more = if self.rows == 0 { self.columns.saturating_sub(self.cells) } else { 0 };
                self.out.push_str(&"|  ".repeat(more));
                self.out.push('|');
                if self.rows == 0 {
                    self.gap = 1;
                    self.line_start();
                    self.out.push_str(&"| --- ".repeat(self.columns));
                    self.out.push('|');
                }
                self.rows += 1;
            }
            _ => {}
        }
        match open.tag {
            Tag::Title | Tag::Cell => {}
            Tag::Item(_) | Tag::Row => self.gap = self.gap.max(1),
            Tag::Paragraph => {}
            _ => self.block(),
        }
    }

    fn rule(&mut self) {
        self.block();
        if self.is_html() {
            self.out.push_str("<hr>");
            return self.line = self.out.len();
        }
        self.flush('-');
        self.out.push_str(self.dialect.rule);
        self.block();
    }
}

/// What stands around a block in HTML; nothing where it is not always the same.
fn element(tag: &Tag) -> (&'static str, &'static str) {
    match tag {
        Tag::Title => ("<p><strong>", "</strong></p>"),
        Tag::Paragraph => ("<p>", "</p>"),
        Tag::Quote => ("<blockquote>", "</blockquote>"),
        Tag::List(None) => ("<ul>", "</ul>"),
        Tag::Item(_) => ("<li>", "</li>"),
        Tag::Table(_) => ("<table>", "</table>"),
        Tag::Row => ("<tr>", "</tr>"),
        Tag::Cell => ("<td>", "</td>"),
        _ => ("", ""),
    }
}
