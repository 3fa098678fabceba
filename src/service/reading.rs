//! What a service answered, and what its reader found in that.

use std::time::Duration;

use crate::model::message::Kind;
use crate::model::receipt::Note;

/// An answer, read as far as it came.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The longest time to wait that a `Retry-After` tells or, in a 429 without one, a header that says when
    /// the limit begins anew, in whole milliseconds; `0` counts as untold.
    pub retry_after: Option<Duration>,
    /// What the service's clock says, in Unix seconds.
    pub date: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
    /// Why the body is not whole, if it is not.
    pub cut: Option<Cut>,
}

/// Why a body is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The connection ended too early.
    Ended,
    /// The time ran out.
    TimedOut,
    /// It was longer than anything a service sends.
    TooLong,
}

impl Cut {
    /// What happened to the answer, for people.
    pub fn words(self) -> &'static str {
        match self {
            Cut::Ended => "the answer ended too early",
            Cut::TimedOut => "the answer did not end in time",
            Cut::TooLong => "the answer is larger than 1 MiB",
        }
    }
}

/// What a service's reader found in an answer.
#[derive(Debug)]
pub enum Reading {
    /// The service's own success, whole and without contradiction.
    Sent {
        /// The service's id of the message.
        id: Option<String>,
        /// When the service took it, in Unix seconds.
        time: Option<i64>,
        /// What is worth knowing about it.
        notes: Vec<Note>,
    },
    /// One verdict for each recipient that the draft is to; who has none is in doubt.
    Each(Vec<Verdict>),
    /// This step is done; the next one follows at once, within the same attempt.
    Next,
    /// It was not taken, for certain, since it is to go elsewhere; the draft knows where. That exchange
    /// follows at once, within the same attempt.
    Moved,
    /// The service's own refusal.
    Refused {
        /// Its code; what kind of code it is may stand before it, with a dot.
        code: String,
        /// Its words.
        text: String,
        /// How long it tells to wait, elsewhere than in a `Retry-After`.
        wait: Option<Duration>,
    },
    /// The service says that it took this very message before; the table says what its code means.
    Known {
        /// Its code.
        code: String,
        /// Its words.
        text: String,
        /// The id that it gave the message then.
        id: Option<String>,
    },
    /// The service says OK, but that it threw the message away.
    Dropped(String),
    /// The service's own envelope, and yet no verdict can be told from it.
    Contradiction(String),
    /// Not this service's envelope.
    Unreadable(String),
}

impl Reading {
    /// A success of which nothing more is to be told.
    #[inline(never)]
    pub fn sent(id: Option<String>, time: Option<i64>) -> Reading {
        Reading::Sent { id, time, notes: Vec::new() }
    }

    /// A success that says no more than that the service took the message: what becomes of it then, it
    /// does not tell here.
    #[inline(never)]
    pub fn accepted(id: Option<String>, title: &str) -> Reading {
        let message = format!("{title} took the message, and does not say whether it arrives");
        let notes = vec![Note { name: "accepted_only".into(), message }];
        Reading::Sent { id, time: None, notes }
    }

    /// The code of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Reading::Refused { code, .. } | Reading::Known { code, .. } => Some(code),
            _ => None,
        }
    }

    /// A refusal that tells no time to wait.
    #[cold]
    #[inline(never)]
    pub fn refused(code: impl Into<String>, text: impl Into<String>) -> Reading {
        Reading::Refused { code: code.into(), text: text.into(), wait: None }
    }
}

/// What an answer says of one recipient.
#[derive(Debug)]
pub struct Verdict {
    /// The recipient, as the message names it.
    pub to: (Kind, String),
    /// Sent, refused, dropped or unreadable.
    pub reading: Reading,
}
