//! A send whose caller waits for it, and whose key and line stand in the outbox.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Outbox, Wants};
use crate::engine::closed;
use crate::engine::store::{Accept, Change, Seq};
use crate::model::error::Error;
use crate::model::receipt::Receipt;

/// What the outbox says to such a send.
pub enum Standing {
    /// It is the first of its key, and of its line.
    Begin(Seq),
    /// It waits for another message of its key (true), or for its line; more comes through here.
    Waits(bool, oneshot::Receiver<Standing>),
    /// Another message of its key has this result.
    Verdict(Box<Receipt>),
    /// Nothing stands there of it.
    Refused(Error),
}

/// A place in the outbox that was asked for; whoever drops it before it is his gives it up.
pub struct Direct {
    outbox: Arc<Outbox>,
    id: String,
    told: oneshot::Receiver<Standing>,
    waits: bool,
}

impl Outbox {
    /// Asks for a place for a message that is sent for a caller who waits.
    pub fn enter(self: &Arc<Self>, accept: Accept) -> Direct {
        let (sender, told) = oneshot::channel();
        let id = accept.id.clone();
        self.push(Change::Accept(Box::new(accept)), Wants::Enter(sender));
        Direct { outbox: Arc::clone(self), id, told, waits: true }
    }

    /// Keeps what a key has come to; made once that is durable, or cannot be for now.
    pub fn settle(&self, seq: Seq, receipt: Receipt, alone: bool) -> oneshot::Receiver<()> {
        let (sender, settled) = oneshot::channel();
        let verdict = super::verdict(&receipt);
        let wants = Wants::Settle(Box::new(receipt), Some(sender));
        self.push(Change::Finish { seq, verdict, alone }, wants);
        settled
    }
}

impl Direct {
    /// Waits for the next word.
    pub async fn told(&mut self) -> Standing {
        let told = (&mut self.told).await.unwrap_or_else(|_| Standing::Refused(closed()));
        self.waits = matches!(told, Standing::Waits(..));
        told
    }

    /// Waits on.
    pub fn waits(&mut self, more: oneshot::Receiver<Standing>) {
        self.told = more;
    }

    /// Where its row is.
    pub fn outbox(&self) -> Arc<Outbox> {
        Arc::clone(&self.outbox)
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        if self.waits {
            let id = std::mem::take(&mut self.id);
            self.outbox.push(Change::Drop { id }, Wants::Nobody);
        }
    }
}
