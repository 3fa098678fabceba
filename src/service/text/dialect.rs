//! How each markup writes what can stand in a text: one table, from which one writer writes all of them.

use super::rich::Tag;
use super::{MENTIONED, Markup};

/// How a markup is written.
pub struct Dialect {
    /// What it is made of.
    pub kind: Kind,
    /// What stands before and behind bold, italic, struck, underlined and hidden words and code; nothing
    /// where the markup has no such thing.
    pub styles: [&'static str; 6],
    /// How links are written.
    pub link: Link,
    /// True if pictures are shown.
    pub images: bool,
    /// The deepest heading that it has; others are in bold.
    pub headings: usize,
    /// What stands before each line of a quotation.
    pub quote: &'static str,
    /// True if it has blocks of code between fences.
    pub fences: bool,
    /// True if these can name their language.
    pub languages: bool,
    /// True if code within a line may hold backticks, between more of them.
    pub ticks: bool,
    /// True if lines that begin with four blanks are code.
    pub indents: bool,
    /// True if it has tables.
    pub tables: bool,
    /// A line across.
    pub rule: &'static str,
    /// What makes the end of a line one that is shown.
    pub hard: &'static str,
    /// What keeps marks apart that would be misread; it shows as nothing, or hardly.
    pub gap: &'static str,
    /// What a backslash keeps from being markup,
    pub backslash: &'static str,
    /// what the number of its character does (`&#42;`), where a backslash has no meaning,
    pub numbers: &'static str,
    /// and what has no such thing, and is kept from it by a blank that hardly shows.
    pub blank: &'static str,
    /// What is markup at the beginning of a line, and kept from it in the same way.
    pub first: &'static str,
    /// What is markup there too, and is kept from it by what shows as nothing.
    pub shy: &'static str,
    /// True if `&`, `<` and `>` are written as entities.
    pub entities: bool,
    /// A mention, with `{}` for the user's id, `{name}` for the name; nothing where there are none.
    pub mention: &'static str,
    /// A mention of everybody; nothing where there is none.
    pub all: &'static str,
}

/// What a markup is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Marks among the words.
    Marks,
    /// Words only, and beside them where what begins and ends.
    Entities,
    /// Elements of HTML.
    Html,
}

/// How links are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// `words (url)`.
    Words,
    /// `[words](url)`, also where the words are the URL.
    Brackets,
    /// `[words](url)`; a URL alone is shown as a link anyway.
    BracketsOrBare,
    /// `<url|words>`.
    Angles,
}

impl Dialect {
    /// What stands around the words of an element, where it has a style of its own.
    pub fn style(&self, tag: &Tag) -> &'static str {
        let n = match tag {
            Tag::Bold => 0,
            Tag::Italic => 1,
            Tag::Strike => 2,
            Tag::Underline => 3,
            Tag::Spoiler => 4,
            Tag::Mono => 5,
            _ => return "",
        };
        self.styles[n]
    }

    /// True if a character can be kept from being markup without a blank.
    pub fn escapes(&self) -> bool {
        !self.backslash.is_empty() || !self.numbers.is_empty()
    }

    /// True if it has no markup at all.
    pub fn is_plain(&self) -> bool {
        self.kind == Kind::Marks && self.link == Link::Words
    }

    /// True for what would end a mention, or begin another.
    pub fn breaks_mention(&self, c: char) -> bool {
        let is_named = self.mention.contains("**") || self.mention.contains("<at>");
        match self.is_plain() {
            true => c == '\n',
            false => c.is_control() || "<>()|\"*&".contains(c) || c.is_whitespace() && !is_named,
        }
    }
}

const PLAIN: Dialect = Dialect {
    kind: Kind::Marks,
    styles: [""; 6],
    link: Link::Words,
    images: false,
    headings: 0,
    quote: "> ",
    fences: false,
    languages: false,
    ticks: false,
    indents: false,
    tables: false,
    rule: "———",
    hard: "",
    gap: "",
    backslash: "",
    numbers: "",
    blank: "",
    first: "",
    shy: "",
    entities: false,
    mention: "@{name}",
    all: "@all",
};

static WORDS: Dialect = PLAIN;

/// Words beside the HTML of Matrix, in which everybody is called as there.
pub static OF_MATRIX: Dialect = Dialect { all: "@room", ..PLAIN };

static BY_ID: Dialect = Dialect { mention: "@{}", ..PLAIN };

static MARKED: Dialect = Dialect { mention: MENTIONED[0], all: MENTIONED[1], ..PLAIN };

static TELEGRAM: Dialect = Dialect {
    kind: Kind::Entities,
    styles: ["bold", "italic", "strikethrough", "underline", "spoiler", "code"],
    quote: "",
    fences: true,
    mention: "{name}",
    all: "",
    ..PLAIN
};

static FEISHU: Dialect = Dialect {
    styles: ["bold", "italic", "lineThrough", "underline", "", ""],
    quote: "> ",
    fences: false,
    all: "{name}",
    ..TELEGRAM
};

static SLACK: Dialect = Dialect {
    styles: ["*", "_", "~", "", "", "`"],
    link: Link::Angles,
    fences: true,
    gap: "\u{200b}",
    blank: "*_~`",
    first: ">",
    entities: true,
    mention: "<@{}>",
    all: "<!channel>",
    ..PLAIN
};

static GOOGLE_CHAT: Dialect = Dialect {
    blank: "*_~`<",
    first: "-*>",
    entities: false,
    mention: "<{users/}>",
    all: "<users/all>",
    ..SLACK
};

static DISCORD: Dialect = Dialect {
    styles: ["**", "*", "~~", "__", "||", "`"],
    link: Link::BracketsOrBare,
    headings: 3,
    fences: true,
    languages: true,
    ticks: true,
    gap: "\u{200a}",
    backslash: "\\*_~`|<[",
    first: "#>-+",
    mention: "<@{}>",
    all: "@everyone",
    ..PLAIN
};

static COMMON_MARK: Dialect = Dialect {
    styles: ["**", "*", "~~", "", "", "`"],
    link: Link::Brackets,
    images: true,
    headings: 6,
    fences: true,
    languages: true,
    ticks: true,
    indents: true,
    tables: true,
    // Dashes behind that of an item would be another line.
    rule: "***",
    hard: "  ",
    gap: "\u{200a}",
    backslash: "\\*_~`|[]",
    blank: "@",
    first: "#>-+=",
    entities: true,
    ..PLAIN
};

static ROCKET_CHAT: Dialect = Dialect {
    styles: ["*", "_", "~", "", "", "`"],
    link: Link::BracketsOrBare,
    // Nothing within one is read as markup, and no escape either.
    headings: 0,
    fences: true,
    languages: true,
    gap: "\u{200a}",
    backslash: "*_~`",
    blank: "]<@",
    first: "#",
    shy: ">-",
    ..PLAIN
};

static ZULIP: Dialect = Dialect {
    styles: ["**", "*", "~~", "", "", "`"],
    hard: "",
    images: false,
    link: Link::BracketsOrBare,
    backslash: "",
    numbers: "*`~|^\\[]$:",
    blank: "",
    first: "#>-+_/",
    mention: "@**{name|}**",
    all: "@**all**",
    ..COMMON_MARK
};

static KOOK: Dialect = Dialect {
    styles: ["**", "*", "~~", "(ins)", "(spl)", "`"],
    link: Link::Brackets,
    fences: true,
    languages: true,
    ticks: true,
    rule: "---",
    gap: "\u{200a}",
    backslash: "\\*~`[](:",
    first: ">-",
    mention: "(met){}(met)",
    all: "(met)all(met)",
    ..PLAIN
};

static QQ: Dialect = Dialect {
    images: false,
    tables: false,
    entities: false,
    backslash: "\\*_~`[]",
    blank: "<",
    mention: "<qqbot-at-user id=\"{}\" />",
    all: "",
    ..COMMON_MARK
};

static DINGTALK: Dialect = Dialect {
    styles: ["**", "*", "", "", "", ""],
    images: true,
    fences: false,
    rule: "———",
    blank: "",
    backslash: "\\*_`[]",
    mention: "@{}",
    all: "@all",
    ..QQ
};

static WECOM: Dialect = Dialect {
    styles: ["**", "", "", "", "", "`"],
    images: false,
    indents: false,
    hard: "",
    backslash: "",
    blank: "*`]<",
    mention: "<@{}>",
    all: "",
    ..DINGTALK
};

static CARD: Dialect = Dialect {
    styles: ["**", "_", "", "", "", ""],
    headings: 0,
    fences: false,
    rule: "———",
    backslash: "\\*_[]",
    mention: "<at>{name}</at>",
    all: "",
    ..QQ
};

static HTML: Dialect = Dialect {
    kind: Kind::Html,
    styles: ["strong", "em", "del", "u", "", "code"],
    images: true,
    headings: 6,
    fences: true,
    languages: true,
    tables: true,
    entities: true,
    ..PLAIN
};

static MATRIX: Dialect = Dialect {
    styles: ["strong", "em", "del", "u", "span data-mx-spoiler", "code"],
    images: false,
    mention: "<a href=\"https://matrix.to/#/{}\">{name}</a>",
    all: "@room",
    ..HTML
};

impl Markup {
    /// How it is written.
    pub(super) fn dialect(self) -> &'static Dialect {
        match self {
            Markup::Plain => &WORDS,
            Markup::PlainById => &BY_ID,
            Markup::Marked => &MARKED,
            Markup::TelegramEntities => &TELEGRAM,
            Markup::SlackMrkdwn => &SLACK,
            Markup::Discord => &DISCORD,
            Markup::CommonMark => &COMMON_MARK,
            Markup::RocketChat => &ROCKET_CHAT,
            Markup::GoogleChat => &GOOGLE_CHAT,
            Markup::Zulip => &ZULIP,
            Markup::Kook => &KOOK,
            Markup::Qq => &QQ,
            Markup::DingTalk => &DINGTALK,
            Markup::WeCom => &WECOM,
            Markup::FeishuPost => &FEISHU,
            Markup::AdaptiveCard => &CARD,
            Markup::MatrixHtml => &MATRIX,
            Markup::Html => &HTML,
        }
    }
}
