//! What a store tells of its rows.

use super::change::{Begin, Seq, Turn, Verdict};

/// A queued message that is to be begun, or one that was begun and has no result.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    /// Its number.
    pub seq: Seq,
    /// Its turn; 0 where it has none yet.
    pub turn: Turn,
    /// The library's own id of it.
    pub id: String,
    /// What the caller gave with it.
    pub token: u64,
    /// Whose message it is.
    pub account: String,
    /// The caller's idempotency key.
    pub key: Option<String>,
    /// The message as JSON; empty of a direct one.
    pub message: Vec<u8>,
    /// Files go with it; see [`Store::files`](super::Store::files).
    pub has_files: bool,
    /// A caller waits for its result.
    pub direct: bool,
    /// It waits for the result of another message of its key.
    pub follows: bool,
    /// Unix milliseconds.
    pub accepted_ms: u64,
    /// Not before then, in Unix milliseconds.
    pub due_ms: Option<u64>,
    /// No longer than until then, in Unix milliseconds.
    pub deadline_ms: Option<u64>,
    /// Attempts begun so far.
    pub attempts: u32,
    /// Accepted by an earlier owner of the store, or by another member of it.
    pub earlier: bool,
    /// Begun by an earlier owner, which did not live to see the result.
    pub begun: Option<Begin>,
    /// How far it has come, where it is sent in several requests: as it was kept last, or the result that
    /// it had when it was queued again.
    pub progress: Option<Vec<u8>>,
}

/// A result that was not acknowledged.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredResult {
    /// Its number.
    pub seq: Seq,
    /// The library's own id of it.
    pub id: String,
    /// What the caller gave with it.
    pub token: u64,
    /// It is the result of another message of its key.
    pub follows: bool,
    /// This client accepted the message in this run.
    pub own: bool,
    /// The result.
    pub verdict: Verdict,
}

/// Where a message stands; the numbers are those of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum State {
    /// To be begun.
    Queued = 0,
    /// Waits for its time.
    Scheduled = 1,
    /// Waits for earlier messages of its line.
    InLine = 2,
    /// Waits for the result of another message of its key.
    Following = 3,
    /// Bytes of it may have gone.
    Begun = 4,
    /// Has its result, which was not acknowledged.
    Done = 5,
    /// A dead letter: acknowledged and not known to be sent.
    Dead = 6,
}

impl State {
    /// Every state, by its number.
    pub const ALL: [State; 7] = [
        State::Queued,
        State::Scheduled,
        State::InLine,
        State::Following,
        State::Begun,
        State::Done,
        State::Dead,
    ];

    /// The name of the state, for people.
    pub const fn name(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Scheduled => "scheduled",
            State::InLine => "in_line",
            State::Following => "following",
            State::Begun => "begun",
            State::Done => "done",
            State::Dead => "dead",
        }
    }
}

/// A row as it stands, for people who look at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its number.
    pub seq: Seq,
    /// Where it stands.
    pub state: State,
    /// The library's own id of it.
    pub id: String,
    /// What the caller gave with it.
    pub token: u64,
    /// Whose message it is.
    pub account: String,
    /// The caller's idempotency key.
    pub key: Option<String>,
    /// The message as JSON.
    pub message: Vec<u8>,
    /// Unix milliseconds.
    pub accepted_ms: u64,
    /// Not before then, in Unix milliseconds.
    pub due_ms: Option<u64>,
    /// No longer than until then, in Unix milliseconds.
    pub deadline_ms: Option<u64>,
    /// Attempts begun so far.
    pub attempts: u32,
    /// When its bytes were first sent, in Unix milliseconds.
    pub first_sent_ms: Option<u64>,
    /// It has the result of another message of its key.
    pub follows: bool,
    /// Its result.
    pub verdict: Option<Verdict>,
}
