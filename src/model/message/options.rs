//! What a message says of itself besides its text: how that is written, how urgent it is, what to do where it is
//! too long.

use serde::Deserialize;

/// What the text of a message is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Nothing: every character is meant as it stands.
    #[default]
    Plain,
    /// CommonMark.
    Markdown,
    /// HTML.
    Html,
}

/// How urgent a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Less than others.
    Low,
    /// As any other.
    #[default]
    Normal,
    /// More than others.
    High,
    /// It must be seen at once.
    Urgent,
}

/// What becomes of a text that is longer than its service takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The message is refused.
    #[default]
    Refuse,
    /// The text is cut, and ends with `…`.
    Truncate,
    /// The text goes in several requests.
    Split,
}

macro_rules! words {
    ($($name:ident: $($word:literal = $variant:ident),*;)*) => {$(
        impl $name {
            /// The words for it, in JSON.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// Its word.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// The one of this word; the default where it has none.
            pub fn of(word: &str) -> $name {
                match word { $($word => $name::$variant,)* _ => $name::default() }
            }
        }
    )*};
}

words! {
    Format: "plain" = Plain, "markdown" = Markdown, "html" = Html;
    Priority: "low" = Low, "normal" = Normal, "high" = High, "urgent" = Urgent;
    Overflow: "refuse" = Refuse, "truncate" = Truncate, "split" = Split;
}
