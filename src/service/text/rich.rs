//! A text with its structure: a flat list of what begins, ends and stands in it, and its words in a row.
//!
//! Nothing in it is nested, so that no text can be too deep for the stack. Whatever shows something owns a
//! range of the words, and between blocks stand line ends that nothing owns: where a text can be cut is
//! told from the words alone.

use std::mem::{discriminant, swap};
use std::ops::Range;

/// What begins or stands at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place in the words.
    pub at: usize,
    /// What it is.
    pub kind: EventKind,
}

/// What an event is.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// An element begins.
    Start(Tag),
    /// The element that began last ends.
    End,
    /// Words, up to this place.
    Text(usize),
    /// The line ends here.
    Break,
    /// A line across.
    Rule,
    /// The mention of this number.
    Mention(usize),
}

/// An element: first those that stand on lines of their own, and then, from `Bold` on, those within lines.
#[derive(Clone, Debug, PartialEq)]
pub enum Tag {
    /// The title of the message.
    Title,
    /// A paragraph.
    Paragraph,
    /// A heading of this level.
    Heading(usize),
    /// What somebody else said.
    Quote,
    /// A list; with the number of its first item, where it has numbers.
    List(Option<u64>),
    /// An item, with its number.
    Item(Option<u64>),
    /// Lines of code, in this language.
    Code(String),
    /// A table, of so many columns.
    Table(usize),
    /// A row of a table.
    Row,
    /// A cell of a row.
    Cell,
    /// In bold.
    Bold,
    /// In italics.
    Italic,
    /// Struck through.
    Strike,
    /// Underlined.
    Underline,
    /// As code is.
    Mono,
    /// Hidden until it is asked for.
    Spoiler,
    /// What leads to this URL.
    Link(String),
    /// What stands for a picture at this URL.
    Image(String),
}

impl Tag {
    /// True if it stands on lines of its own.
    pub fn is_block(&self) -> bool {
        use Tag::{Bold, Image, Italic, Link, Mono, Spoiler, Strike, Underline};
        !matches!(self, Bold | Italic | Strike | Underline | Mono | Spoiler | Link(_) | Image(_))
    }

    /// True if words stand in it without a paragraph.
    fn holds_words(&self) -> bool {
        matches!(self, Tag::Title | Tag::Heading(_) | Tag::Code(_) | Tag::Cell)
    }

    /// True if it is of the same sort.
    fn is_like(&self, other: &Tag) -> bool {
        discriminant(self) == discriminant(other)
    }
}

/// A text with its structure.
#[derive(Debug, Default)]
pub struct Doc {
    /// Its words, with line ends between blocks.
    pub words: String,
    /// What stands in it.
    pub events: Vec<Event>,
    /// Where links and mentions are, which are never cut.
    pub atoms: Vec<Range<usize>>,
    /// True if it was plain: every blank and line end in it is meant.
    pub plain: bool,
    /// True if it is one paragraph and nothing else.
    pub alone: bool,
}

/// What stands between a title and the rest: no place to cut at. No text has this character.
pub const AFTER_TITLE: char = '\u{fdd0}';

/// What a mention is among the words, as long as it is not known which one: no text has this character.
pub const MENTION: char = '\u{fdd1}';

/// The most elements within each other; what is deeper shows without them.
const MAX_DEPTH: usize = 16;

/// Makes a text of what a reader finds in its order, whatever that is.
#[derive(Default)]
pub struct Builder {
    doc: Doc,
    blocks: Vec<Tag>,
    /// True if a paragraph is open, within the blocks.
    paragraph: bool,
    /// The elements within lines that are wanted,
    inlines: Vec<Tag>,
    /// and how many of them have begun.
    begun: usize,
    /// How many blocks, and inlines, are open that are too deep to count.
    deeper: [usize; 2],
    /// True if nothing stands on the line yet.
    pub fresh: bool,
    /// True if white space was found before the next word.
    blank: bool,
    mentions: usize,
}

impl Builder {
    /// A text of nothing yet.
    pub fn new(plain: bool) -> Builder {
        let doc = Doc { plain, ..Doc::default() };
        Builder { doc, fresh: true, ..Builder::default() }
    }

    fn push(&mut self, kind: EventKind) {
        let at = self.doc.words.len();
        self.doc.events.push(Event { at, kind });
    }

    /// Ends the inlines that have begun, down to so many; those that are still wanted begin anew with the
    /// next word.
    fn pause(&mut self, down_to: usize) {
        while self.begun > down_to {
            self.push(EventKind::End);
            self.begun -= 1;
        }
    }

    /// Ends what holds words, with this mark behind it.
    fn end_block(&mut self, mark: &str) {
        self.push(EventKind::End);
        self.doc.words.push_str(mark);
        (self.fresh, self.blank) = (true, false);
    }

    /// Ends the paragraph, if there is one.
    pub fn end_paragraph(&mut self) {
        self.pause(0);
        if std::mem::take(&mut self.paragraph) {
            self.end_block("\n\n");
        }
    }

    /// Keeps what comes apart from what was: on another line, where there can be one.
    pub fn apart(&mut self) {
        match self.blocks.last() {
            Some(Tag::Code(_)) => {}
            Some(tag) if tag.holds_words() => self.blank = true,
            _ => self.end_paragraph(),
        }
    }

    /// Begins an element.
    pub fn start(&mut self, tag: Tag) {
        let is_block = tag.is_block();
        // Rows are in tables, cells in rows, and all else of a table in cells.
        match (self.blocks.last(), &tag) {
            (Some(Tag::Table(_)), Tag::Row) | (Some(Tag::Row), Tag::Cell) => {}
            (Some(last), Tag::Row | Tag::Cell) if last.holds_words() => {}
            (_, Tag::Row) => self.start(Tag::Table(0)),
            (_, Tag::Cell) => self.start(Tag::Row),
            (Some(Tag::Table(_) | Tag::Row), _) if is_block => self.place(),
            _ => {}
        }
        let is_flat = is_block
            && match (self.blocks.last(), &tag) {
                (last, Tag::Row) => !matches!(last, Some(Tag::Table(_))),
                (last, Tag::Cell) => last != Some(&Tag::Row),
                (last, _) => last.is_some_and(Tag::holds_words),
            };
        let depth = match tag {
            Tag::Row | Tag::Cell => 0,
            _ if is_block => self.blocks.len(),
            _ => self.inlines.len(),
        };
        if is_block {
            // A block in a heading or a cell becomes a part of its line.
            match is_flat {
                true => self.blank = true,
                false => self.end_paragraph(),
            }
        }
        match is_flat || depth >= MAX_DEPTH {
            true => self.deeper[usize::from(is_block)] += 1,
            false if is_block => {
                self.push(EventKind::Start(tag.clone()));
                self.blocks.push(tag);
                (self.fresh, self.blank) = (true, false);
            }
            false => self.inlines.push(tag),
        }
    }

    /// Ends the last element of this sort, and the blocks in it; nothing if there is none.
    pub fn end(&mut self, tag: &Tag) {
        let is_block = tag.is_block();
        if let Some(left) = self.deeper[usize::from(is_block)].checked_sub(1) {
            self.deeper[usize::from(is_block)] = left;
            self.blank |= is_block;
            return;
        }
        let own = if is_block { &self.blocks } else { &self.inlines };
        let Some(n) = own.iter().rposition(|own| own.is_like(tag)) else { return };
        if !is_block {
            // A link without words shows where it leads.
            if let Tag::Link(url) | Tag::Image(url) = &self.inlines[n]
                && (n >= self.begun || self.is_blank_since(n))
                && !url.is_empty()
            {
                let url = url.clone();
                self.text(&url);
            }
            self.pause(n);
            self.inlines.remove(n);
            return;
        }
        self.end_paragraph();
        while self.blocks.len() > n {
            let mark = match self.blocks.pop() {
                Some(Tag::Title) => AFTER_TITLE.encode_utf8(&mut [0; 4]).to_owned(),
                Some(Tag::Item(_) | Tag::Row) => "\n".to_owned(),
                Some(Tag::Cell) => "\t".to_owned(),
                _ => "\n\n".to_owned(),
            };
            self.end_block(&mark);
        }
    }

    /// True if nothing is seen of an inline that has begun.
    fn is_blank_since(&self, inline: usize) -> bool {
        let own = EventKind::Start(self.inlines[inline].clone());
        let start = self.doc.events.iter().rev().find(|event| event.kind == own);
        start.is_some_and(|start| self.doc.words[start.at..].trim().is_empty())
    }

    /// The innermost block.
    pub fn block(&self) -> Option<&Tag> {
        self.blocks.last()
    }

    /// The innermost block that is a list or an item.
    pub fn list(&self) -> Option<&Tag> {
        self.blocks.iter().rev().find(|tag| matches!(tag, Tag::List(_) | Tag::Item(_)))
    }

    /// Begins an item, with the next number of its list.
    pub fn start_item(&mut self) {
        let list = self.blocks.iter_mut().rev().find_map(|tag| match tag {
            Tag::List(number) => Some(number),
            _ => None,
        });
        let number = list.and_then(|next| {
            let number = *next;
            *next = number.map(|number| number.saturating_add(1));
            number
        });
        self.start(Tag::Item(number));
    }

    /// Names the language of the lines of code that have just begun.
    pub fn name_language(&mut self, name: &str) {
        if let Some(Event { kind: EventKind::Start(Tag::Code(own)), .. }) =
            self.doc.events.last_mut()
        {
            name.clone_into(own);
        }
    }

    /// True within lines of code.
    pub fn in_code(&self) -> bool {
        matches!(self.blocks.last(), Some(Tag::Code(_)))
    }

    /// Makes the place for words: a paragraph, or a cell.
    fn place(&mut self) {
        match self.blocks.last() {
            Some(Tag::Table(_)) => {
                self.start(Tag::Row);
                self.start(Tag::Cell);
            }
            Some(Tag::Row) => self.start(Tag::Cell),
            Some(tag) if tag.holds_words() => {}
            _ if self.paragraph => {}
            _ => {
                self.push(EventKind::Start(Tag::Paragraph));
                self.paragraph = true;
            }
        }
    }

    /// Begins the inlines that are wanted.
    fn begin(&mut self) {
        if self.in_code() {
            return;
        }
        for n in self.begun..self.inlines.len() {
            self.push(EventKind::Start(self.inlines[n].clone()));
        }
        self.begun = self.inlines.len();
    }

    /// Words, as they stand.
    pub fn text(&mut self, text: &str) {
        let mut texts = text.split(MENTION);
        self.words(texts.next().unwrap_or_default());
        for text in texts {
            self.show(EventKind::Mention(self.mentions), MENTION.encode_utf8(&mut [0; 4]));
            self.mentions += 1;
            self.words(text);
        }
    }

    fn words(&mut self, text: &str) {
        if !text.is_empty() {
            self.space();
            self.place();
            self.begin();
            self.push_words(text);
        }
    }

    fn push_words(&mut self, text: &str) {
        let (start, end) = (self.doc.words.len(), self.doc.words.len() + text.len());
        match self.doc.events.last_mut() {
            Some(Event { kind: EventKind::Text(before), .. }) if *before == start => *before = end,
            _ => self.push(EventKind::Text(end)),
        }
        self.doc.words.push_str(text);
        self.fresh = false;
    }

    /// Something that stands for these words.
    fn show(&mut self, kind: EventKind, words: &str) {
        self.space();
        self.place();
        self.begin();
        self.push(kind);
        self.doc.words.push_str(words);
        self.fresh = false;
    }

    /// The white space that was found, before the inlines that begin behind it.
    fn space(&mut self) {
        if std::mem::take(&mut self.blank) && !self.fresh {
            self.place();
            self.push_words(" ");
        }
    }

    /// Words between which all white space is one blank.
    pub fn collapsed(&mut self, text: &str) {
        for (n, word) in text.split([' ', '\t', '\n', '\r', '\u{c}']).enumerate() {
            self.blank |= n > 0;
            self.text(word);
        }
    }

    /// The end of a line.
    pub fn line_break(&mut self) {
        if self.in_code() {
            return self.words("\n");
        }
        self.blank = false;
        self.show(EventKind::Break, "\n");
        self.fresh = true;
    }

    /// A line across.
    pub fn rule(&mut self) {
        self.end_paragraph();
        if !self.blocks.last().is_some_and(Tag::holds_words) {
            self.push(EventKind::Rule);
            self.doc.words.push_str("-\n\n");
        }
    }

    /// The text, and how many mentions are in it.
    pub fn finish(mut self) -> (Doc, usize) {
        self.end_paragraph();
        for _ in 0..self.blocks.len() {
            self.push(EventKind::End);
        }
        let mut doc = Doc::default();
        swap(&mut doc, &mut self.doc);
        count_columns(&mut doc.events);
        let mut open: Vec<Option<usize>> = Vec::new();
        let is_block = |event: &&Event| match &event.kind {
            EventKind::Start(tag) => tag.is_block(),
            kind => *kind == EventKind::Rule,
        };
        let mut blocks = doc.events.iter().filter(is_block).map(|event| &event.kind);
        let first = blocks.next();
        doc.alone = first == Some(&EventKind::Start(Tag::Paragraph)) && blocks.next().is_none();
        for event in &doc.events {
            match &event.kind {
                EventKind::Start(tag) => {
                    let is_link = matches!(tag, Tag::Link(_) | Tag::Image(_));
                    open.push(is_link.then_some(event.at));
                }
                EventKind::End => {
                    if let Some(start) = open.pop().flatten() {
                        doc.atoms.push(start..event.at);
                    }
                }
                EventKind::Mention(_) => {
                    doc.atoms.push(event.at..event.at + MENTION.len_utf8());
                }
                _ => {}
            }
        }
        // A link may hold a mention or a picture, which end before it.
        doc.atoms.sort_by_key(|atom| (atom.start, usize::MAX - atom.end));
        (doc, self.mentions)
    }
}

/// Counts the columns of tables, which no other table stands in.
fn count_columns(events: &mut [Event]) {
    let (mut columns, mut cells) = (0, 0);
    for event in events.iter_mut().rev() {
        match &mut event.kind {
            EventKind::Start(Tag::Cell) => cells += 1,
            EventKind::Start(Tag::Row) => (columns, cells) = (columns.max(cells), 0),
            EventKind::Start(Tag::Table(own)) => (*own, columns) = (columns, 0),
            _ => {}
        }
    }
}
