//! Sends whose callers wait, and what stands before them in the outbox.

use tokio::sync::oneshot;

use crate::engine::accept::keys;
use crate::engine::custody::Admission;
use crate::engine::outbox::keeper::{Begins, Keeper, say};
use crate::engine::results::slot::Slot;
use crate::engine::store::{Applied, Ready};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::receipt::{Delivery, Receipt};

impl Keeper {
    /// Answers a send that asked for a place.
    pub(super) fn entered(
        &mut self,
        id: String,
        key: &str,
        sender: oneshot::Sender<Admission>,
        applied: Applied,
    ) {
        let told = match applied {
            Applied::Accepted { seq, turn: Some(_), .. } => {
                self.direct.insert(id, None);
                Admission::Begin(seq)
            }
            Applied::Accepted { turn: None, follows, .. } => {
                let (waits, more) = oneshot::channel();
                self.direct.insert(id, Some(waits));
                self.calls = true;
                Admission::Waits(follows, more)
            }
            Applied::Known { verdict, .. } => match self.restored(&verdict) {
                Ok(mut receipt) => {
                    receipt.deduplicated = true;
                    Admission::Verdict(Box::new(receipt))
                }
                // Nobody knows: it may have been sent.
                Err(error) => Admission::Verdict(Box::new(Receipt {
                    delivery: Delivery::MaybeSent,
                    error: Some(error),
                    ..Receipt::nothing()
                })),
            },
            Applied::Conflict => Admission::Refused(keys::conflict(key)),
            Applied::Full { .. }
            | Applied::Done { .. }
            | Applied::Elsewhere { .. }
            | Applied::Missed
            | Applied::Paced { .. } => Admission::Refused(Error::new(
                ErrorCode::Internal,
                "the outbox gave a message no place",
            )),
        };
        say(Some(sender), told);
    }

    /// Calls those whose turn it is, and begins what others of them wait for: whoever waits cannot
    /// take results meanwhile, so that it needs no room among those in flight.
    pub(super) fn call(&mut self) -> Result<()> {
        if !self.calls || self.direct.is_empty() {
            return Ok(());
        }
        let rows = self.store.called()?;
        self.calls = false;
        for row in rows {
            if let Some(waits) = self.direct.get_mut(&row.id) {
                say(waits.take(), Admission::Begin(row.seq));
                continue;
            }
            let Some(entry) = self.shared.accounts.get(&row.account) else { continue };
            // What was begun in this run has its job.
            if (row.begun.is_some() && !row.earlier) || self.loaded.contains(&row.seq) {
                continue;
            }
            let files = match self.files(&row) {
                Ok(files) => files,
                Err(error) => {
                    self.calls = true;
                    return Err(error);
                }
            };
            self.loaded.insert(row.seq);
            if self.begins == Begins::Needed {
                self.open.join(self.shared.sends.adopt(1));
            }
            if row.begun.is_none() {
                self.resume(&row, files, Some(&entry), Slot::default());
            } else if let Some((job, begun, entry)) = self.doubtful(&row, files) {
                self.recover(job, begun, entry);
            }
        }
        Ok(())
    }

    /// A send whose caller died with his process, while a request was under way: its key remembers it.
    pub(super) fn recover_direct(&mut self, row: &Ready, error: Error) {
        // Nobody takes this result.
        drop(self.open.split());
        let entry = self.shared.accounts.get(&row.account);
        let receipt = Receipt {
            id: row.id.clone(),
            key: row.key.clone(),
            account: row.account.clone(),
            service: entry.map(|entry| entry.info.name),
            delivery: Delivery::MaybeSent,
            attempts: row.attempts,
            recovered: true,
            error: Some(error),
            ..Receipt::nothing()
        };
        self.direct.insert(row.id.clone(), None);
        drop(self.hold.finish_direct(row.seq, receipt, false));
    }
}
