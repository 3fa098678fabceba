//! What became of one message.

mod stored;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::error::Error;
use super::json::too_deep;
use super::message::Kind;
use super::redact::Redactor;
pub(crate) use stored::{StoredError, StoredNote};

/// Whether the message arrived at the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
pub enum Delivery {
    /// Sending it again cannot duplicate it.
    NotSent = 0,
    /// Nobody can know.
    MaybeSent = 1,
    /// The service said so, in its own envelope.
    Sent = 2,
    /// Some of its recipients, or parts of its text, have arrived, and the others surely have not.
    PartlySent = 3,
}

impl Delivery {
    /// Every delivery, in the order of their numbers.
    pub const ALL: [Delivery; 4] =
        [Delivery::NotSent, Delivery::MaybeSent, Delivery::Sent, Delivery::PartlySent];

    /// `not_sent`, `maybe_sent`, `sent` or `partly_sent`.
    pub const fn name(self) -> &'static str {
        match self {
            Delivery::NotSent => "not_sent",
            Delivery::MaybeSent => "maybe_sent",
            Delivery::Sent => "sent",
            Delivery::PartlySent => "partly_sent",
        }
    }

    /// What the deliveries to several recipients, or of several parts, are together: any doubt is a doubt
    /// of the whole. `None` of none.
    pub fn together(parts: impl IntoIterator<Item = Delivery>) -> Option<Delivery> {
        parts.into_iter().reduce(|whole, part| match (whole, part) {
            (Delivery::MaybeSent, _) | (_, Delivery::MaybeSent) => Delivery::MaybeSent,
            (whole, part) if whole == part => whole,
            _ => Delivery::PartlySent,
        })
    }

    /// The delivery of this name.
    pub fn of(name: &str) -> Option<Delivery> {
        Delivery::ALL.into_iter().find(|delivery| delivery.name() == name)
    }

    /// The number that C sees.
    pub const fn number(self) -> i32 {
        self as i32
    }
}

/// What became of a message for one of its recipients.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipientResult {
    /// What kind of recipient the message called it.
    pub kind: Kind,
    /// Its name in the message.
    pub name: String,
    /// Whether the message arrived for it.
    pub delivery: Delivery,
    /// The service's id of the message for it, where it gives one.
    pub message_id: Option<String>,
    /// Why it is not `sent`; `None` if it is.
    pub error: Option<Error>,
}

impl Serialize for RecipientResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_struct("RecipientResult", 4)?;
        let to: BTreeMap<_, _> = [(self.kind.name(), &self.name)].into();
        shown.serialize_field("to", &to)?;
        shown.serialize_field("delivery", self.delivery.name())?;
        shown.serialize_field("message_id", &self.message_id)?;
        shown.serialize_field("error", &self.error)?;
        shown.end()
    }
}

/// What became of one piece of a text that was split.
#[derive(Clone, Debug, PartialEq)]
pub struct PieceResult {
    /// Whether it arrived.
    pub delivery: Delivery,
    /// The service's id of it, where it gives one.
    pub message_id: Option<String>,
    /// Why it is not `sent`; `None` if it is.
    pub error: Option<Error>,
}

impl Serialize for PieceResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_struct("PieceResult", 3)?;
        shown.serialize_field("delivery", self.delivery.name())?;
        shown.serialize_field("message_id", &self.message_id)?;
        shown.serialize_field("error", &self.error)?;
        shown.end()
    }
}

/// Something worth knowing about a send that is no error.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Note {
    /// What it is: `accepted_only`, `truncated`, `readdressed` or `converted`.
    pub name: Cow<'static, str>,
    /// In words.
    pub message: String,
}

/// Which process accepted the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Origin {
    /// This one.
    ThisRun = 0,
    /// An earlier one; the token is that one's.
    EarlierRun = 1,
}

/// The outcome of one send; it owns all it tells and outlives its client.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// What the caller gave with the message.
    pub token: u64,
    /// Which process accepted the message.
    pub origin: Origin,
    /// The library's own id of this message, a ULID.
    pub id: String,
    /// The caller's idempotency key.
    pub key: Option<String>,
    /// The account that sent it.
    pub account: String,
    /// The service of that account; `None` where there is no such account.
    pub service: Option<&'static str>,
    /// Whether it arrived.
    pub delivery: Delivery,
    /// The service's id of the message, exact to the last digit; `None` where it gives none.
    pub message_id: Option<String>,
    /// When the service says it took the message, in Unix seconds.
    pub service_time: Option<i64>,
    /// True if the service said it had this message already, so that it was sent once.
    pub deduplicated: bool,
    /// True if an earlier process began this send.
    pub recovered: bool,
    /// True if a time limit of the caller ended it.
    pub deadline: bool,
    /// How many requests were begun.
    pub attempts: u32,
    /// From accept to verdict.
    pub elapsed_ms: u64,
    /// Why it is not `sent`; `None` if it is.
    pub error: Option<Error>,
    /// What became of it for each recipient, in the order of the message; `None` where it named no list of
    /// them.
    pub recipients: Option<Vec<RecipientResult>>,
    /// What became of each piece, in their order; `None` of a text that was not split.
    pub pieces: Option<Vec<PieceResult>>,
    /// What is worth knowing and no error.
    pub notes: Vec<Note>,
    pub(crate) raw: Option<Raw>,
    pub(crate) trace: Option<Vec<AttemptTrace>>,
}

/// One attempt, for `result.trace`.
#[derive(Clone, Debug, Serialize)]
pub struct AttemptTrace {
    pub(crate) at_ms: u64,
    pub(crate) ms: u64,
    pub(crate) http_status: Option<u16>,
    pub(crate) name: &'static str,
    pub(crate) delivery: &'static str,
    pub(crate) wait_ms: u64,
}

/// The last answer.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    /// As it came.
    Answer(RawAnswer),
    /// As it is shown: JSON, with everything masked.
    Shown(Box<RawValue>),
}

/// An answer as it came, with what must not be shown of it.
#[derive(Clone)]
pub(crate) struct RawAnswer {
    pub(crate) body: Vec<u8>,
    pub(crate) redactor: Arc<Redactor>,
    /// Secrets of the request itself: signatures.
    pub(crate) signatures: Vec<String>,
}

/// The longest answer that is shown where it is not JSON, in bytes.
const MAX_SHOWN: usize = 64 << 10;

impl std::fmt::Debug for RawAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawAnswer({} bytes)", self.body.len())
    }
}

impl Raw {
    fn to_json(&self) -> Option<Cow<'_, str>> {
        match self {
            Raw::Answer(answer) => answer.to_json(),
            Raw::Shown(json) => Some(Cow::Borrowed(json.get())),
        }
    }
}

impl RawAnswer {
    /// The answer as JSON text: itself where it is JSON, else a string.
    fn to_json(&self) -> Option<Cow<'_, str>> {
        let redactor = self.redactor.with(&self.signatures);
        if let Ok(text) = std::str::from_utf8(&self.body) {
            let json = redactor.json(text.trim_matches([' ', '\n', '\r', '\t']));
            // Whatever its members are: it reads most answers, and those faster.
            let is_object = json_members::find(&json, &[], &mut []).is_some();
            if is_object
                || !too_deep(&self.body) && serde_json::from_str::<&RawValue>(&json).is_ok()
            {
                return Some(json);
            }
        }
        let text = String::from_utf8_lossy(&self.body);
        let redacted = redactor.cut_text(&text);
        let mut end = redacted.len().min(MAX_SHOWN);
        while !redacted.is_char_boundary(end) {
            end -= 1;
        }
        serde_json::to_string(&redacted[..end]).ok().map(Cow::Owned)
    }
}

impl Receipt {
    /// A receipt of nothing yet.
    pub(crate) const fn nothing() -> Receipt {
        Receipt {
            token: 0,
            origin: Origin::ThisRun,
            id: String::new(),
            key: None,
            account: String::new(),
            service: None,
            delivery: Delivery::NotSent,
            message_id: None,
            service_time: None,
            deduplicated: false,
            recovered: false,
            deadline: false,
            attempts: 0,
            elapsed_ms: 0,
            error: None,
            recipients: None,
            pieces: None,
            notes: Vec::new(),
            raw: None,
            trace: None,
        }
    }

    /// The result as JSON.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Shown<'a> {
            v: u32,
            id: &'a str,
            token: u64,
            key: Option<&'a str>,
            account: &'a str,
            service: Option<&'a str>,
            delivery: &'a str,
            message_id: Option<&'a str>,
            service_time: Option<i64>,
            deduplicated: bool,
            recovered: bool,
            deadline: bool,
            attempts: u32,
            elapsed_ms: u64,
            error: Option<&'a Error>,
            recipients: Option<&'a [RecipientResult]>,
            pieces: Option<&'a [PieceResult]>,
            notes: &'a [Note],
        }
        let shown = Shown {
            v: 1,
            id: &self.id,
            token: self.token,
            key: self.key.as_deref(),
            account: &self.account,
            service: self.service,
            delivery: self.delivery.name(),
            message_id: self.message_id.as_deref(),
            service_time: self.service_time,
            deduplicated: self.deduplicated,
            recovered: self.recovered,
            deadline: self.deadline,
            attempts: self.attempts,
            elapsed_ms: self.elapsed_ms,
            error: self.error.as_ref(),
            recipients: self.recipients.as_deref(),
            pieces: self.pieces.as_deref(),
            notes: &self.notes,
        };
        let mut json = serde_json::to_string(&shown).unwrap_or_else(|_| "{\"v\":1}".to_owned());
        // The answer is JSON already.
        let raw = self.raw.as_ref().and_then(Raw::to_json);
        let trace = self.trace.as_deref().and_then(|trace| serde_json::to_string(trace).ok());
        let raw = raw.unwrap_or(Cow::Borrowed("null"));
        json.pop();
        json.reserve_exact(raw.len() + trace.as_ref().map_or(0, String::len) + 24);
        for (name, value) in [(",\"raw\":", Some(&*raw)), (",\"trace\":", trace.as_deref())] {
            if let Some(value) = value {
                json.push_str(name);
                json.push_str(value);
            }
        }
        json.push('}');
        json
    }
}
