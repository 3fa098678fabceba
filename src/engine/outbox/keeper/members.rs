//! Other members of the outbox: signs of life, what comes from others, and what is theirs.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::engine::Shared;
use crate::engine::accept::keys;
use crate::engine::custody::Admission;
use crate::engine::outbox::keeper::{Begins, Keeper, MOST_LOADED, say};
use crate::engine::outbox::{Outbox, Pending, Wants, verdict};
use crate::engine::results::sends::Unfinished;
use crate::engine::results::slot::Slot;
use crate::engine::store::{Accept, Applied, Arrived, Change, News, Store};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, MessageSource, Refused};
use crate::model::receipt::{Delivery, Origin, Receipt};

/// Tells who only submits to whom messages of these accounts go that name no recipient, before anything is sent;
/// later, where the store refuses that now.
pub(super) fn tell_recipients(shared: &Shared, outbox: &Outbox, store: &mut dyn Store) {
    let untold = shared.untold_recipients();
    let changes: Vec<_> = untold.iter().cloned().map(Change::Tell).collect();
    if store.commit(&changes, shared.clock.unix_ms()).is_err() {
        untold.into_iter().for_each(|told| outbox.tell(told));
    }
}

impl Keeper {
    /// Gives a sign of life, and notes what there is to look at.
    pub(super) fn attend(&mut self) -> Result<News> {
        let news = self.give_sign()?;
        if news.work && self.sends() {
            self.admit()?;
            self.backlogs.extend(self.store.accounts()?);
            self.next_time = Some(0);
        }
        self.calls |= news.work;
        if news.results {
            self.earlier |= self.begins == Begins::All && self.does.takes;
            self.tell_followers()?;
        }
        Ok(news)
    }

    /// Gives a sign of life, and begins anew where it came too late.
    pub(super) fn give_sign(&mut self) -> Result<News> {
        let news = self.store.attend(&self.loaded);
        self.outbox.is_reached(news.is_ok());
        let news = news?;
        self.shared.hear(self.store.heard());
        self.pause = Duration::ZERO;
        if news.lost {
            self.begin_anew();
        }
        Ok(news)
    }

    /// Tells callers who wait here the results of the messages that theirs followed.
    fn tell_followers(&mut self) -> Result<()> {
        if self.direct.is_empty() {
            return Ok(());
        }
        for (id, verdict) in self.store.followed()? {
            let Some(waits) = self.direct.remove(&id) else { continue };
            let told = match self.restored(&verdict) {
                Ok(receipt) => {
                    let receipt = Receipt { id, deduplicated: true, ..receipt };
                    Admission::Verdict(Box::new(receipt))
                }
                Err(error) => Admission::Refused(error),
            };
            say(waits, told);
        }
        Ok(())
    }

    /// This client was taken for dead: whatever it had in its hands is in others' by now, and its jobs may
    /// change nothing any more.
    fn begin_anew(&mut self) {
        self.outbox.membership.fetch_add(1, Ordering::Relaxed);
        self.hold = self.outbox.hold();
        self.loaded = HashSet::new();
        self.ended = HashSet::new();
        // Whoever of its owner comes first takes the results.
        while self.open.split().is_some() {}
        for (_, waits) in self.direct.drain() {
            let words = "the outbox was out of reach for longer than its lease";
            say(waits, Admission::Refused(Error::new(ErrorCode::Storage, words)));
        }
    }

    /// The changes of jobs that still have what they speak of. Of the others whoever waits to begin learns
    /// that he may not, and a result is what the message's new holder makes of it.
    pub(super) fn without_stale(&mut self, batch: Vec<Pending>) -> Vec<Pending> {
        let now = self.outbox.membership.load(Ordering::Relaxed);
        let mut batch = batch;
        batch.retain(|pending| {
            pending.membership == now || outlives(&pending.change, &pending.wants)
        });
        batch
    }

    /// True if the result of a message comes out here: this client accepted it, or who did is gone, and no
    /// other has ended it.
    pub(super) fn is_own(&self, receipt: &Receipt, applied: &Applied) -> bool {
        // One that is remote does not tell.
        let is_mine = receipt.origin == Origin::ThisRun || !self.store.is_remote();
        is_mine && !matches!(applied, Applied::Missed | Applied::Elsewhere { .. })
    }

    /// A result that comes out elsewhere, or one that another member knew first.
    pub(super) fn is_others(
        &mut self,
        receipt: &Receipt,
        slot: Option<Slot>,
        unfinished: Option<Unfinished>,
        applied: Applied,
    ) {
        drop(slot);
        if self.begins == Begins::Needed && receipt.origin == Origin::EarlierRun {
            // It was begun for a message of this client that waits for it, and counted as one.
            drop(self.open.split());
        }
        match applied {
            // Its result comes from the store.
            Applied::Missed if receipt.origin == Origin::ThisRun => {
                unfinished.into_iter().for_each(|one| self.open.join(one));
            }
            Applied::Done { followers, ready, due_ms }
            | Applied::Elsewhere { followers, ready, due_ms } => {
                self.tell(followers, receipt);
                self.is_ready(ready, due_ms);
            }
            _ => {}
        }
    }

    /// Reads what was submitted past this library.
    fn admit(&mut self) -> Result<()> {
        loop {
            let arrived = self.store.arrived(MOST_LOADED)?;
            let all = arrived.len() < MOST_LOADED;
            let accepts: Vec<_> = arrived.into_iter().map(|one| self.admitted(one)).collect();
            let changes: Vec<_> =
                accepts.iter().map(|accept| Change::Accept(Box::new(accept.clone()))).collect();
            let now = self.shared.clock.unix_ms();
            let applied = self.store.commit(&changes, now)?;
            // Wrong as it is, it was accepted: so it has a result, which is kept as well.
            let again: Vec<_> = accepts
                .into_iter()
                .zip(applied)
                .filter(|(_, applied)| *applied == Applied::Conflict)
                .map(|(accept, _)| Change::Accept(Box::new(self.in_conflict(accept))))
                .collect();
            self.store.commit(&again, now)?;
            if all {
                return Ok(());
            }
        }
    }

    /// A message that was submitted past this library, as one that is to be kept.
    fn admitted(&self, arrived: Arrived) -> Accept {
        let (mut given, json) = MessageSource::Json(&arrived.message).read_any_with_json();
        if let Ok(message) = &mut given
            && let Some(i) = message.first_path()
        {
            // Whoever may submit by SQL must not read this machine's files.
            let words = "a message from SQL cannot name a file: its sender is on another machine";
            let error = Error::new(ErrorCode::Message, words)
                .at(format!("attachments[{i}].path"))
                .hint("give \"data_base64\", or a \"url\" where the service fetches it");
            let Message { account, key, .. } = std::mem::take(message);
            given = Err(Refused { error, account: Some(account), key });
        }
        let unfinished = self.shared.sends.adopt(1);
        let (mut accept, mut job) = self.shared.arrived(given, json, 0, None, unfinished);
        if accept.result.is_some() {
            // As its submitter knows it.
            job.receipt.id.clone_from(&arrived.id);
            accept.result = Some(verdict(&job.receipt));
        }
        drop(job.forget());
        if accept.message.is_empty() {
            accept.message = arrived.message;
        }
        let late = accept.accepted_ms.saturating_sub(arrived.at_ms);
        accept.deadline_ms = accept.deadline_ms.map(|at| at.saturating_sub(late));
        (accept.id, accept.accepted_ms) = (arrived.id, arrived.at_ms);
        accept.from = Some(arrived.from);
        accept
    }

    /// The same with its result, where its key is another message's.
    fn in_conflict(&self, mut accept: Accept) -> Accept {
        let key = accept.key.take().map(|(key, _)| key);
        let service = self.shared.accounts.get(&accept.account).map(|entry| entry.info.name);
        let error = keys::conflict(key.as_deref().unwrap_or_default());
        let receipt = Receipt {
            id: accept.id.clone(),
            key,
            account: accept.account.clone(),
            service,
            delivery: Delivery::NotSent,
            error: Some(error.with_account(&accept.account, service)),
            ..Receipt::nothing()
        };
        accept.line = None;
        accept.result = Some(verdict(&receipt));
        accept
    }
}

/// True of what holds whoever says it, and of what is new: a member that was taken for dead and comes back says it.
fn outlives(change: &Change, wants: &Wants) -> bool {
    matches!(wants, Wants::Accept(..) | Wants::Enter(_) | Wants::Soon)
        || matches!(change, Change::Went { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_went_are_told_although_the_member_was_taken_for_dead() {
        assert!(outlives(&Change::Went { slots: [1, 2] }, &Wants::Nobody));
        assert!(!outlives(&Change::Free { seq: 1 }, &Wants::Nobody));
    }
}
