//! The one engine that reads the services' verdict tables.

use std::time::Duration;

use serde::Serialize;

use crate::model::error::{Error, ErrorCode};
use crate::model::message::Kind;
use crate::model::receipt::{Delivery, Note};

/// Whether and when an attempt may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Never.
    Never,
    /// Once, with a new signature, timestamp and nonce.
    Resign,
    /// Once, with a new token; never where the account has none that could be got anew.
    Reauthenticate,
    /// After an exponential wait with full jitter.
    Backoff,
    /// After the told time in full; untold: 1 s, 2 s, 4 s and so on.
    Wait,
    /// After this many seconds, which the service documents.
    WaitFor(u16),
    /// Not today.
    Quota,
}

/// Which codes a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// This one; `-`, `_` and letter case are equal.
    Is(&'static str),
    /// Numbers in this range, both ends included.
    Range(u32, u32),
    /// Whatever no other row is for.
    Any,
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Code::Is(code) => s.serialize_str(code),
            Code::Range(from, to) => s.collect_str(&format_args!("{from}-{to}")),
            Code::Any => s.serialize_str("*"),
        }
    }
}

/// Where a row's meaning is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The document that the service is made from.
    Seed,
    /// Another document of the service.
    Doc,
    /// Code of other clients.
    Sdk,
    /// Answers that were seen.
    Log,
    /// A conclusion of ours.
    Inferred,
}

/// One row of a verdict table: what a code means.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Row {
    /// The service's code.
    pub code: Code,
    /// What the service's text must hold, whatever its case; empty: anything.
    pub text: &'static str,
    /// The error; `None` for success.
    #[serde(serialize_with = "name_of")]
    pub name: Option<ErrorCode>,
    /// Whether the message arrived.
    #[serde(serialize_with = "delivery_name")]
    pub delivery: Delivery,
    /// Whether to try again.
    pub class: Class,
    /// How this is known.
    pub source: Source,
    /// What the code means, in words.
    pub note: &'static str,
    /// True if the code says that the service had this very message already.
    #[serde(skip)]
    pub repeated: bool,
    /// True if its account is of no use any more: nothing more is sent with it until it is set anew,
    /// but for a message now and then that tries.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stops: bool,
}

fn name_of<S: serde::Serializer>(name: &Option<ErrorCode>, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(name.map_or("ok", ErrorCode::name))
}

fn delivery_name<S: serde::Serializer>(delivery: &Delivery, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(delivery.name())
}

/// Writes a table: `code ["text"] => Name Delivery Class Source "note";` a row.
///
/// `stops` before the note says that the account is of no use any more, as the vendor documents it.
///
/// `Duplicate` says that the service had this very message, which proves that it arrived; `Similar` is
/// the same error of a service that says no more than that it had one like it.
macro_rules! verdicts {
    ($($(@$any:ident)? $($code:literal $(.. $end:literal)?)? $([$text:literal])? =>
        $name:ident $delivery:ident $class:ident $(($wait:literal))? $source:ident
        $($stops:ident)? $note:literal;)*) => {
        &[$($crate::service::verdict::Row {
            code: verdicts!(@code $($any)? $($code $(.. $end)?)?),
            text: concat!($($text)?),
            name: verdicts!(@name $name),
            delivery: $crate::model::receipt::Delivery::$delivery,
            class: $crate::service::verdict::Class::$class $(($wait))?,
            source: $crate::service::verdict::Source::$source,
            note: $note,
            repeated: verdicts!(@repeated $name),
            stops: verdicts!(@stops $($stops)?),
        },)*]
    };
    (@code any) => { $crate::service::verdict::Code::Any };
    (@code $code:literal) => { $crate::service::verdict::Code::Is($code) };
    (@code $from:literal .. $to:literal) => { $crate::service::verdict::Code::Range($from, $to) };
    (@repeated Duplicate) => { true };
    (@repeated $name:ident) => { false };
    (@stops stops) => { true };
    (@stops) => { false };
    (@name Ok) => { None };
    (@name Similar) => { Some($crate::model::error::ErrorCode::Duplicate) };
    (@name $name:ident) => { Some($crate::model::error::ErrorCode::$name) };
}
pub(crate) use verdicts;

/// The row for this code and text: rows with a text first, and in each kind exact codes, then
/// ranges, then the row for any code.
pub fn find(table: &'static [Row], code: &str, text: &str) -> Option<&'static Row> {
    let number = code.parse::<u32>().ok();
    let fits = |row: &&Row, kind: usize| match row.code {
        Code::Is(own) => kind == 0 && same_code(own, code),
        Code::Range(from, to) => kind == 1 && number.is_some_and(|n| (from..=to).contains(&n)),
        Code::Any => kind == 2,
    };
    let find = |with_text: bool| {
        (0..3).find_map(|kind| {
            table.iter().find(|row| {
                row.text.is_empty() != with_text && fits(row, kind) && contains(text, row.text)
            })
        })
    };
    find(true).or_else(|| find(false))
}

/// True if a row for `own` is for this code, or for what stands in it behind the kind of code it is.
fn same_code(own: &str, code: &str) -> bool {
    let fold = |byte: u8| if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
    let same = |code: &str| {
        own.len() == code.len() && own.bytes().zip(code.bytes()).all(|(a, b)| fold(a) == fold(b))
    };
    same(code) || code.split_once('.').is_some_and(|(_kind, code)| same(code))
}

/// True if `text` holds `part`, whatever the case of ASCII letters.
fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

/// What one answer means; the engine decides from it alone what happens next.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whether the message arrived.
    pub delivery: Delivery,
    /// Why it is not sent; `None` if it is.
    pub name: Option<ErrorCode>,
    /// Whether to try again.
    pub class: Class,
    /// The service's own code.
    pub service_code: Option<String>,
    /// What happened, in words, unredacted.
    pub text: String,
    /// What to do about it.
    pub hint: Option<&'static str>,
    /// The service's id of the message.
    pub message_id: Option<String>,
    /// When the service took it, in Unix seconds.
    pub service_time: Option<i64>,
    /// The time the service told to wait.
    pub told_wait: Option<Duration>,
    /// The service threw the message away for certain: what follows is a new message to it.
    pub dropped: bool,
    /// The service says that it had this message already: proof of an earlier attempt in doubt.
    pub repeated: bool,
    /// The service says that the account is of no use any more.
    pub stops: bool,
    /// What is worth knowing about it.
    pub notes: Vec<Note>,
    /// What it means for each recipient, where the answer tells them apart; the rest is about all of
    /// them then.
    pub each: Option<Vec<RecipientOutcome>>,
}

/// What an answer means for one recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipientOutcome {
    /// The recipient, as the message names it.
    pub to: (Kind, String),
    /// What it means.
    pub outcome: Outcome,
    /// Why it is not sent, with everything masked; made by the engine.
    pub error: Option<Error>,
}

impl Outcome {
    /// The service said that it has the message.
    pub fn sent(message_id: Option<String>, service_time: Option<i64>) -> Outcome {
        Outcome {
            delivery: Delivery::Sent,
            name: None,
            class: Class::Never,
            service_code: None,
            text: String::new(),
            hint: None,
            message_id,
            service_time,
            told_wait: None,
            dropped: false,
            repeated: false,
            stops: false,
            notes: Vec::new(),
            each: None,
        }
    }

    /// The message is not sent, or nobody knows.
    pub fn failed(
        delivery: Delivery,
        name: ErrorCode,
        class: Class,
        text: impl Into<String>,
    ) -> Outcome {
        Outcome {
            delivery,
            name: Some(name),
            class,
            text: text.into(),
            ..Outcome::sent(None, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: &[Row] = verdicts! {
        "7" ["twice"] => Duplicate NotSent Never Seed "exact with text";
        @any ["slow"] => RateLimited NotSent Wait Seed "any with text";
        "7" => Rejected NotSent Never Doc "exact";
        5..9 => Service MaybeSent Backoff Doc "range";
        "type.NOT_YOU" => Forbidden NotSent Never Sdk "named";
        "8" => RateLimited NotSent WaitFor(60) Doc "told";
        "9" => Auth NotSent Never Doc stops "over";
        @any => Service NotSent Never Inferred "any";
    };

    #[test]
    fn rows_with_text_win_then_exact_then_range_then_any() {
        let note = |code, text| find(TABLE, code, text).expect("there is a row for any code").note;
        assert_eq!(note("7", "sent TWICE!"), "exact with text");
        assert_eq!(note("7", "too slow"), "any with text");
        assert_eq!(note("7", ""), "exact");
        assert_eq!(note("6", ""), "range");
        assert_eq!(note("8", ""), "told");
        assert_eq!(note("Type.not-you", ""), "named");
        assert_eq!(note("kind.type.NOT_YOU", ""), "named", "behind its kind");
        assert_eq!(note("10", ""), "any");
    }

    #[test]
    fn a_row_says_whether_it_stops_its_account() {
        let stops: Vec<_> = TABLE.iter().filter(|row| row.stops).map(|row| row.note).collect();
        assert_eq!(stops, ["over"]);
        let shown = |code| serde_json::to_value(find(TABLE, code, "")).expect("a row");
        assert_eq!(shown("9")["stops"], true);
        assert!(shown("8").get("stops").is_none(), "told where it is so only");
    }
}
