//! What a mail server said of each recipient: the body of an answer that came over SMTP.

use serde::{Deserialize, Serialize};

/// What became of a mail, in one entry for each recipient of its envelope, in that order.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// The reply that decided, for each.
    pub recipients: Vec<Fate>,
}

/// The reply that decided about a recipient.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fate {
    /// What it replies to.
    pub to: Stage,
    /// Its code; none where the connection was lost, or the time ran out, before it came.
    pub code: Option<u16>,
    /// Its text, with the lines of a longer one joined by blanks; without a reply, what happened instead.
    pub text: String,
}

/// A step of a mail on its way.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Stage {
    /// The server greets.
    Connect,
    /// We greet.
    Ehlo,
    /// TLS begins.
    Starttls,
    /// The account logs in.
    Auth,
    /// The sender.
    Mail,
    /// A recipient.
    Rcpt,
    /// The text may come.
    Data,
    /// The text itself, up to the dot that ends it.
    Text,
    /// The dot: from here on the mail may have been taken.
    Dot,
}

impl Stage {
    /// The stage, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Stage::Connect => "the greeting",
            Stage::Ehlo => "EHLO",
            Stage::Starttls => "STARTTLS",
            Stage::Auth => "AUTH",
            Stage::Mail => "MAIL FROM",
            Stage::Rcpt => "RCPT TO",
            Stage::Data => "DATA",
            Stage::Text => "the text",
            Stage::Dot => "the final dot",
        }
    }
}
