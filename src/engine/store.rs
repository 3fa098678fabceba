//! Where an outbox keeps its messages: what any store must do, in rows of plain data.
//!
//! A row is a message on its way: queued (or scheduled for later), begun, done, and once its result
//! is acknowledged gone, or kept for a while as a dead letter. The store knows nothing of what a
//! message or a receipt means.

#[cfg(feature = "outbox")]
pub mod gate;
#[cfg(feature = "outbox")]
mod known;
#[cfg(feature = "outbox")]
mod lock;
#[cfg(feature = "outbox")]
pub mod owned;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "outbox")]
mod schema;
#[cfg(feature = "outbox")]
pub mod sqlite;
#[cfg(feature = "outbox")]
mod upgrade;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::model::digest::Content;
use crate::model::error::Result;
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

/// A message that was submitted past this library, not read yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrived {
    /// The id that whoever submitted it knows it by.
    pub id: String,
    /// Unix milliseconds.
    pub at_ms: u64,
    /// The message as JSON, if it is any.
    pub message: Vec<u8>,
    /// Where it comes from.
    pub from: Submitted,
}

/// What a member of a shared store has to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// There may be messages that nobody has in his hands.
    pub work: bool,
    /// There may be results for this member.
    pub results: bool,
    /// What this member had in its hands is in others' by now: it was taken for dead.
    pub lost: bool,
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
    /// Files go with it; see [`Store::files`].
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

/// Someone who looks at what stands in a store, beside whoever uses it.
#[cfg(feature = "outbox")]
pub trait Look {
    /// So many rows after this one, oldest first.
    fn rows(&self, after: Seq, most: usize) -> Result<Vec<Listed>>;

    /// The row of this id.
    fn row(&self, id: &str) -> Result<Option<Listed>>;
}

/// What an outbox is kept in, for one thread at a time, shared by many members: what [`Store::ready`], [`begun`](Store::begun), [`called`](Store::called),
/// [`overdue`](Store::overdue) and [`unbegun`](Store::unbegun) give to one is in its hands, and no other
/// gets it before that one gives it back, ends it, or has shown no sign of life for its lease.
///
/// `storage`: the disk, or what is on it. The store may be used again once the disk is well.
pub trait Store: Send {
    /// Makes these changes in one transaction, in this order; durable when it returns. The answers
    /// come in the order of the changes.
    ///
    /// After an error nothing of the batch is made, and nothing of it will be seen by this member.
    /// Only where the disk took the bytes and failed to confirm them, and then nothing else could be
    /// written until the process ended, may the next one find the batch: all of it, never a part.
    fn commit(&mut self, changes: &[Change], now_ms: u64) -> Result<Vec<Applied>>;

    /// The slots of the words in which anything went.
    fn went(&mut self) -> Result<Vec<u32>>;

    /// What was begun by members that are gone and has no result, oldest first.
    fn begun(&mut self) -> Result<Vec<Ready>>;

    /// The accounts that have queued messages, save direct ones.
    fn accounts(&mut self) -> Result<Vec<String>>;

    /// Queued messages of an account, save direct ones, in the order of their turns.
    fn ready(&mut self, account: &str, most: usize) -> Result<Vec<Ready>>;

    /// What may be begun now for those who wait: direct messages whose turn it is, and the messages
    /// that direct ones wait for, also such as an earlier owner had begun.
    fn called(&mut self) -> Result<Vec<Ready>>;

    /// Queues what was scheduled for now or earlier (each gets a new turn); tells whose they are, and
    /// when the next will be due, in Unix milliseconds.
    ///
    /// Some thousands at a time: where that leaves some, the next is due already.
    fn release(&mut self, now_ms: u64) -> Result<(Vec<String>, Option<u64>)>;

    /// Messages that are not begun and whose deadline is past, the earliest deadline first.
    fn overdue(&mut self, now_ms: u64, most: usize) -> Result<Vec<Ready>>;

    /// The earliest deadline of those that are not begun, in Unix milliseconds.
    fn next_deadline(&mut self) -> Result<Option<u64>>;

    /// The message of this number, if it is not begun and has no result.
    fn unbegun(&mut self, seq: Seq) -> Result<Option<Ready>>;

    /// Messages of an account, save direct ones, that were not begun, have no result and follow none, after this row, oldest first.
    fn unfinished(&mut self, account: &str, after: Seq, most: usize) -> Result<Vec<Ready>>;

    /// Results that this member may hand out: of its own messages, and such of its owner as nobody else hands
    /// out. Oldest first.
    fn results(&mut self, most: usize) -> Result<Vec<StoredResult>>;

    /// The files that go with the message of this id, each with its place in it.
    fn files(&mut self, id: &str) -> Result<Vec<(usize, Bytes)>>;

    /// How many messages have no acknowledged result, and how many of them have no result.
    fn count(&self) -> (u64, u64);

    /// What was found damaged when it was opened, and done about it, for people.
    fn damage(&self) -> Option<String> {
        None
    }

    /// True if it may be out of reach for long, so that nobody knows what became of a change.
    fn is_remote(&self) -> bool {
        false
    }

    /// Calls this, from any thread, when another member may have changed something.
    fn watch(&mut self, wake: Arc<dyn Fn() + Send + Sync>);

    /// Gives a sign of life where one is due, and tells what there is to look at. `held`: what this member
    /// knows to be in its hands.
    fn attend(&mut self, held: &HashSet<Seq>) -> Result<News>;

    /// How long nothing need be done here, if nothing else comes.
    fn rests(&self) -> Duration;

    /// Messages from the inbox, oldest first, for the one member that takes them out of it; each stays there
    /// until it is accepted.
    fn arrived(&mut self, _most: usize) -> Result<Vec<Arrived>> {
        Ok(Vec::new())
    }

    /// What members told, this one too, since it was last asked for: looked for whenever a request wants leave
    /// or is marked as begun, so that nothing goes past what was told before.
    fn heard(&mut self) -> Vec<Told>;

    /// The results of direct messages of this member that followed others, by their ids.
    fn followed(&mut self) -> Result<Vec<(String, Verdict)>>;

    /// Goes away and leaves everything as it is: it belongs to the parent of this process.
    fn abandon(self: Box<Self>) {}
}
