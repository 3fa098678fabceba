//! The changes of a store, and what became of them.

use std::time::Duration;

use bytes::Bytes;

use crate::model::digest::Content;
use crate::model::receipt::Delivery;

/// The number of a row: the order in which messages were accepted.
pub type Seq = i64;

/// The order in which the queued messages of an account are to be begun.
pub type Turn = i64;

/// A message to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Accept {
    /// The library's own id of it.
    pub id: String,
    /// What the caller gave with it.
    pub token: u64,
    /// Whose message it is; keys and lines are the account's own.
    pub account: String,
    /// The message as JSON.
    pub message: Vec<u8>,
    /// The files that go with it, each with its place in the message; they are shared, not copied.
    pub files: Vec<(usize, Bytes)>,
    /// The caller's idempotency key, and what the message says: another message under the same live
    /// key is refused if it says something else.
    pub key: Option<(String, Content)>,
    /// The line of its recipient, if it is ordered: it is not ready before all earlier rows of the
    /// line are done.
    pub line: Option<String>,
    /// Unix milliseconds.
    pub accepted_ms: u64,
    /// Not before then, in Unix milliseconds.
    pub due_ms: Option<u64>,
    /// No longer than until then, in Unix milliseconds.
    pub deadline_ms: Option<u64>,
    /// Its result, where it has one at once; it claims no key and no line then.
    pub result: Option<Verdict>,
    /// It is here for its key and its line only: a caller waits for its result, with which it goes.
    /// There is always room for it. If its owner does not live to see its result, it is gone for the
    /// next one, unless it was begun.
    pub direct: bool,
    /// Whoever accepts it begins it at once, if it need not wait: it is in his hands then. Otherwise it may be
    /// for whoever comes.
    pub held: bool,
    /// It was submitted past this library, and comes from an inbox of the store.
    pub from: Option<Submitted>,
}

/// Where a message was submitted past this library.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    /// Its number in the inbox, which it leaves when it is accepted.
    pub number: i64,
    /// Whose clients may take its result.
    pub owner: String,
}

/// A result to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether it arrived.
    pub delivery: Delivery,
    /// The receipt as JSON, with its attempts.
    pub receipt: Vec<u8>,
}

/// One change; those of a batch are made together or not at all.
#[derive(Clone, Debug)]
pub enum Change {
    /// A message to keep; it is on its way from now on.
    Accept(Box<Accept>),
    /// Bytes of it may go from now on.
    Begin(Box<Begin>),
    /// Its last attempt ended, nothing of it arrived (or what did stands in its progress), and another
    /// will follow: after a crash it is a message that was not begun. It keeps its turn.
    Ended {
        /// Which.
        seq: Seq,
        /// Attempts begun so far.
        attempts: u32,
        /// Not before then comes the next, in Unix milliseconds.
        due_ms: Option<u64>,
        /// How far it has come, where it is sent in several requests; `None` leaves what stands there.
        progress: Option<Vec<u8>>,
    },
    /// It has its result, and so have those that follow it. `not_sent` frees its key.
    Finish {
        /// Which.
        seq: Seq,
        /// Its result.
        verdict: Verdict,
        /// The result is its own alone: the oldest of those that follow it takes its place.
        alone: bool,
    },
    /// Its result need never be handed out again: gone if it was sent, else a dead letter.
    Ack {
        /// The library's own id of it.
        id: String,
    },
    /// Something went in words of these slots.
    Went {
        /// Which; see `engine/attempt/repeats.rs`.
        slots: [u32; 2],
    },
    /// A dead letter, or a result that was not acknowledged, is queued again as if it had just come:
    /// with a new number, the whole of its deadline, and no doubt. What was sent stays sent.
    ///
    /// Answered like [`Change::Accept`].
    Retry {
        /// The library's own id of it.
        id: String,
    },
    /// One more request within these limits, which all members of a shared store share.
    Pace {
        /// Which, by chance.
        id: i64,
        /// The limits that hold for it.
        limits: Vec<RateLimit>,
    },
    /// A request that had leave has its answer, and counts from now on for the length of its windows; or it
    /// did not go.
    Paced {
        /// Which.
        id: i64,
        /// It was sent.
        went: bool,
    },
    /// Something that this member was told or knows holds for all members of a shared store.
    Tell(Told),
    /// A message that this member of a shared store has in its hands and does not begin is for whoever comes.
    Free {
        /// Which.
        seq: Seq,
    },
    /// Somebody takes a message out that is not begun. Where the member lives that accepted it, and waits for
    /// its result, it has this one; else its row goes as with [`Change::Drop`].
    ///
    /// [`Applied::Missed`] then also of what a caller waits for, of a result that is still to be handed out, of
    /// what follows another of its key, and of what may be sent in part: what is true of these others know.
    Remove {
        /// The library's own id of it.
        id: String,
        /// What becomes of it.
        verdict: Verdict,
    },
    /// A row that is not begun goes, whatever it holds; there will be no result of it. If others
    /// follow it, the oldest of them takes its place.
    Drop {
        /// The library's own id of it.
        id: String,
    },
}

/// How many requests of one scope may go in any stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Whose limit it is, by a name that all members have for it.
    pub scope: String,
    /// So many.
    pub count: i64,
    /// In so many milliseconds.
    pub per_ms: i64,
}

/// What one member of a shared store was told or knows, and what holds for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it is about, by a name that all members have for it: what is told later takes its place.
    pub about: String,
    /// It holds until then, in Unix milliseconds; where it has no words, never less long than was told before.
    pub until_ms: u64,
    /// What else must be known of it.
    pub words: Option<String>,
}

/// What must be known to go on after a crash.
#[derive(Clone, Debug, PartialEq)]
pub struct Begin {
    /// Which.
    pub seq: Seq,
    /// When these bytes were first sent, in Unix milliseconds; kept from the attempt before, if that
    /// had the same body, mark and sender and did not end.
    pub first_sent_ms: u64,
    /// Attempts begun, this one included.
    pub attempts: u32,
    /// Who sends it, to which service and where; `None` of a row that does not tell.
    pub sender: Option<String>,
    /// The body, where the service recognises it if it is sent again.
    pub body: Option<Vec<u8>>,
    /// What a later run has to know beside the body; see `service/mark.rs`.
    pub mark: Option<String>,
    /// How far the message has come, where it is sent in several requests, and which of them this is;
    /// `None` leaves what stands there. See `engine/attempt/progress.rs`.
    pub progress: Option<Vec<u8>>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// It was accepted.
    Accepted {
        /// Its number.
        seq: Seq,
        /// When it is to be begun; `None` where it waits for its time, for its line or for another
        /// message of its key, or has its result.
        turn: Option<Turn>,
        /// It waits for another message of its key.
        follows: bool,
    },
    /// It was accepted and has the result of an earlier message of its key.
    Known {
        /// Its number; 0 of a direct one, which needs no row.
        seq: Seq,
        /// The result of that earlier message.
        verdict: Verdict,
    },
    /// It was not accepted: its key belongs to a message that says something else.
    Conflict,
    /// It was not accepted: `max_messages` or `max_bytes` is reached. Nor is any later message of
    /// the batch, so that those that are accepted are the first.
    Full {
        /// Which of the two.
        what: &'static str,
        /// How much it is.
        most: u64,
    },
    /// It was made.
    Done {
        /// Of a result: who else has it now, because he followed.
        followers: Vec<Follower>,
        /// The account, if a message that waited for this one is to be begun now.
        ready: Vec<String>,
        /// When such a message will be due, if it waits for its time now.
        due_ms: Option<u64>,
    },
    /// The same of a result that others hand out, of a store that tells: whoever made this does not.
    Elsewhere {
        /// Who else has it now and is told here.
        followers: Vec<Follower>,
        /// As above.
        ready: Vec<String>,
        /// As above.
        due_ms: Option<u64>,
    },
    /// A request may go, if it need not wait.
    Paced {
        /// For so long.
        wait: Duration,
    },
    /// There is no such row, or it is not in a state for this change.
    Missed,
}

/// A message that waited for another of its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Follower {
    /// The library's own id of it.
    pub id: String,
    /// What the caller gave with it.
    pub token: u64,
}
