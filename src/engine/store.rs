//! Where an outbox keeps its messages: what any store must do, in rows of plain data.
//!
//! A row is a message on its way: queued (or scheduled for later), begun, done, and once its result
//! is acknowledged gone, or kept for a while as a dead letter. The store knows nothing of what a
//! message or a receipt means.

mod change;
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
mod rows;
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

use crate::model::error::Result;

pub use change::{
    Accept, Applied, Begin, Change, Follower, RateLimit, Seq, Submitted, Told, Turn, Verdict,
};
#[cfg(feature = "outbox")]
pub use rows::{Listed, State};
pub use rows::{Ready, StoredResult};

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
