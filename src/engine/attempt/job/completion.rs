//! The guard of "exactly one": where a result goes, and what is held until it has gone there.

use std::sync::Arc;

use crate::engine::attempt::gate::{Call, Cancel};
use crate::engine::custody::{Custody, Direct};
use crate::engine::results::queue::Results;
use crate::engine::results::sends::Unfinished;
use crate::engine::results::slot::Slot;
use crate::engine::runtime::mailbox::Mailbox;
use crate::engine::runtime::on_io_thread;
use crate::engine::store::Seq;
use crate::model::error::Error;
use crate::model::receipt::Receipt;

/// Where the result goes.
pub enum Sink {
    /// Into a queue, for whoever waits: the client's own if it is no other.
    Queue(Option<Arc<Results>>),
    /// To the caller, who waits for this one.
    Caller,
}

/// A message's row in the outbox.
pub struct RowRef {
    pub custody: Arc<dyn Custody>,
    pub seq: Seq,
    /// The row is there for its key and its line only: it does not outlive the send.
    pub direct: bool,
}

/// How a send comes to its one result.
pub struct Completion {
    /// Why no attempt will be made.
    pub(super) refused: Option<Error>,
    /// It ended for a reason of its own, which is no verdict for others of its key.
    pub alone: bool,
    /// Its row in the outbox, if it has one.
    pub row: Option<RowRef>,
    /// Its caller waits, and the outbox has to say when it is to be begun.
    pub direct: Option<Box<Direct>>,
    /// Made for whoever may cancel.
    pub(super) cancel: Option<Arc<Cancel>>,
    sink: Sink,
    pub(super) slot: Option<Slot>,
    unfinished: Option<Unfinished>,
    over: bool,
}

impl Completion {
    pub fn new(
        refused: Option<Error>,
        sink: Sink,
        slot: Option<Slot>,
        unfinished: Option<Unfinished>,
    ) -> Completion {
        Completion {
            refused,
            alone: false,
            row: None,
            direct: None,
            cancel: None,
            sink,
            slot,
            unfinished,
            over: false,
        }
    }

    /// True once it has its result, or needs none.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Its result is being made: no other is from here on.
    pub fn begin_end(&mut self) {
        self.over = true;
    }

    /// Its message waits by this number, and whoever cancels it has to say so there; false if somebody has
    /// cancelled it already.
    pub fn wait_at(&mut self, calls: &Arc<Mailbox<Call>>, number: u64) -> bool {
        // A handle that nobody else has any more will not be used.
        let is_idle = |own: &mut Cancel| !own.is_cancelled();
        drop(self.cancel.take_if(|cancel| Arc::get_mut(cancel).is_some_and(is_idle)));
        self.cancel.as_ref().is_none_or(|cancel| cancel.wait_at(calls, number))
    }

    /// There will be no result; what counts the send is given back.
    pub fn forget(&mut self) -> Option<Unfinished> {
        self.over = true;
        self.unfinished.take()
    }

    /// The queue that its result is for, if that is not the client's own: whoever takes it brings the
    /// result there.
    pub fn take_queue(&mut self) -> Option<Arc<Results>> {
        match &mut self.sink {
            Sink::Queue(to) => to.take(),
            Sink::Caller => None,
        }
    }

    /// Hands the result over: to the outbox, into the queue, or back.
    pub fn hand_over(&mut self, receipt: Box<Receipt>, alone: bool) -> Option<Box<Receipt>> {
        let (slot, unfinished) = (self.slot.take(), self.unfinished.take());
        if let Some(row) = self.row.take() {
            row.custody.finish(row.seq, receipt, slot, unfinished, alone);
            return None;
        }
        let sink = std::mem::replace(&mut self.sink, Sink::Caller);
        match (sink, slot, unfinished) {
            (Sink::Queue(to), Some(slot), Some(unfinished)) => {
                unfinished.push(receipt, slot, to, on_io_thread());
                None
            }
            (_, slot, unfinished) => {
                drop(slot);
                drop(unfinished);
                Some(receipt)
            }
        }
    }
}
