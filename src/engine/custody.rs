//! What keeps messages beyond the memory of their process, as those see it who carry them out.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::engine::results::queue::closed;
use crate::engine::results::sends::Unfinished;
use crate::engine::results::slot::Slot;
use crate::engine::store::{Begin, RateLimit, Seq};
use crate::model::error::Error;
use crate::model::receipt::Receipt;

/// Keeps messages until their results are acknowledged, whatever becomes of the process.
pub trait Custody: Send + Sync {
    /// Makes durable that bytes of a message may go, and says so; dropped where that can never be.
    fn begin(&self, begin: Begin) -> oneshot::Receiver<()>;

    /// The last attempt ended and nothing of it arrived; the next comes not before this time, in Unix
    /// milliseconds. What did arrive stands in the progress.
    fn ended(&self, seq: Seq, attempts: u32, due_ms: Option<u64>, progress: Option<Vec<u8>>);

    /// Keeps a result, and hands it out then.
    ///
    /// `alone`: it says nothing of other messages of its key.
    fn finish(
        &self,
        seq: Seq,
        receipt: Box<Receipt>,
        slot: Option<Slot>,
        unfinished: Option<Unfinished>,
        alone: bool,
    );

    /// Keeps what a key has come to; made once that is durable, or cannot be for now.
    fn finish_direct(&self, seq: Seq, receipt: Receipt, alone: bool) -> oneshot::Receiver<()>;

    /// Something went in words of these slots; not later than the result that says so, and with another
    /// change that somebody waits for.
    fn went(&self, slots: [u32; 2]);

    /// Asks all senders' leave for one more request within these limits: how long it has to wait, or that it
    /// may go, and counts then.
    fn pace(&self, id: i64, limits: Vec<RateLimit>) -> oneshot::Receiver<Duration>;

    /// A request that had leave has its answer, or was not sent.
    fn paced(&self, id: i64, went: bool);

    /// A job ends without a result, which a later run will find.
    fn left(&self, seq: Seq);

    /// Ends a message that is on the disk only; of any other its job knows.
    fn cancel(&self, message: OnDisk);

    /// A place that was asked for under this id is not wanted any more.
    fn give_up(&self, id: String);
}

/// What an attempt has asked for and may do now, on its way to it.
pub enum Leave {
    /// To let bytes go.
    Begin(oneshot::Sender<()>),
    /// To go within its rates, after so long.
    Pace(oneshot::Sender<Duration>, Duration),
}

impl Leave {
    /// Gives it to the attempt, which may be gone.
    pub fn give(self) {
        match self {
            Leave::Begin(asks) => drop(asks.send(())),
            Leave::Pace(asks, wait) => drop(asks.send(wait)),
        }
    }
}

/// A message by which it is known where there is no job of it.
#[derive(Clone)]
pub struct OnDisk {
    pub seq: Seq,
    pub id: String,
    pub token: u64,
    pub account: String,
    pub key: Option<String>,
}

/// What the outbox says to such a send.
pub enum Admission {
    /// It is the first of its key, and of its line.
    Begin(Seq),
    /// It waits for another message of its key (true), or for its line; more comes through here.
    Waits(bool, oneshot::Receiver<Admission>),
    /// Another message of its key has this result.
    Verdict(Box<Receipt>),
    /// Nothing stands there of it.
    Refused(Error),
}

/// A place in the outbox that was asked for; whoever drops it before it is his gives it up.
pub struct Direct {
    custody: Arc<dyn Custody>,
    id: String,
    told: oneshot::Receiver<Admission>,
    waits: bool,
}

impl Direct {
    /// A place that was asked for under this id; the answers come through `told`.
    pub fn new(
        custody: Arc<dyn Custody>,
        id: String,
        told: oneshot::Receiver<Admission>,
    ) -> Direct {
        Direct { custody, id, told, waits: true }
    }

    /// Waits for the next word.
    pub async fn told(&mut self) -> Admission {
        let told = (&mut self.told).await.unwrap_or_else(|_| Admission::Refused(closed()));
        self.waits = matches!(told, Admission::Waits(..));
        told
    }

    /// Waits on.
    pub fn waits(&mut self, more: oneshot::Receiver<Admission>) {
        self.told = more;
    }

    /// Where its row is.
    pub fn custody(&self) -> Arc<dyn Custody> {
        Arc::clone(&self.custody)
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        if self.waits {
            let id = std::mem::take(&mut self.id);
            self.custody.give_up(id);
        }
    }
}
