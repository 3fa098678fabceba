//! Rows on their way back: messages that are taken up, ended where they lie, or told again.

use std::sync::Arc;

use bytes::Bytes;

use crate::engine::accept::files::load;
use crate::engine::account::Entry;
use crate::engine::attempt::job::{EndReason, Job};
use crate::engine::custody::OnDisk;
use crate::engine::outbox::Wants;
use crate::engine::outbox::keeper::{Begins, Keeper, MOST_LOADED};
use crate::engine::results::sends::Unfinished;
use crate::engine::results::slot::Slot;
use crate::engine::store::{Begin, Change, Ready, Verdict};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, Refused};
use crate::model::receipt::{Delivery, Origin, Receipt};
use crate::service;

/// Messages that a member has in its hands at once: the others are for other members.
const MOST_HELD: usize = 1024;

/// Results of an earlier run that wait in the queue at once.
const MOST_EARLIER: usize = 256;

/// The files of a message, each with its place in it.
type Files = Vec<(usize, Bytes)>;

impl Keeper {
    /// Loads messages for which there is room, and which nobody has in his hands.
    pub(super) fn load(&mut self) -> Result<()> {
        if !self.sends() {
            return Ok(());
        }
        for account in self.backlogs.clone() {
            let most = MOST_LOADED.min(MOST_HELD.saturating_sub(self.loaded.len()));
            let slots = (0..most).map_while(|_| self.shared.slot(&account).ok());
            let mut slots: Vec<Slot> = slots.collect();
            if slots.is_empty() {
                continue;
            }
            self.inbox.start_io()?;
            let entry = self.shared.accounts.get(&account);
            let rows = self.store.ready(&account, slots.len())?;
            if rows.len() < slots.len() {
                self.backlogs.remove(&account);
            }
            for row in rows {
                match self.files(&row) {
                    // An account that is not here is the message's mistake.
                    Ok(files) => {
                        let slot = slots.pop().unwrap_or_default();
                        self.resume(&row, files, entry.as_ref(), slot);
                    }
                    Err(error) => {
                        self.outbox.push(Change::Free { seq: row.seq }, Wants::Nobody);
                        self.try_to::<()>("read files", |_| Err(error));
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends what is kept for accounts that were removed.
    pub(super) fn end_removed(&mut self) -> Result<()> {
        while let Some((account, after)) = self.removed.iter().next().map(|(a, s)| (a.clone(), *s))
        {
            let rows = self.store.unfinished(&account, after, MOST_LOADED)?;
            match rows.last() {
                Some(row) => self.removed.insert(account.clone(), row.seq),
                None => self.removed.remove(&account),
            };
            for row in rows {
                // What has a job is ended by that.
                if self.loaded.insert(row.seq) {
                    self.end(&row, &account);
                }
            }
            let batch = std::mem::take(&mut self.outbox.lock().pending);
            if !batch.is_empty() && !self.commit(batch) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn end(&mut self, row: &Ready, account: &str) {
        if let Some(mut job) = self.job(row, None, None) {
            let own = self.row_ref(row.seq, false);
            job.keep(own, Slot::default());
            job.refuse();
            let words = format!("the account {account:?} was removed");
            job.conclude(Delivery::NotSent, Some(Error::new(ErrorCode::Config, words)));
            job.finish();
        }
    }

    /// Makes a job of a row that was never begun.
    pub(super) fn resume(
        &mut self,
        row: &Ready,
        files: Files,
        entry: Option<&Arc<Entry>>,
        slot: Slot,
    ) {
        let seq = row.seq;
        if let Some(mut job) = self.job(row, Some(files), entry.cloned()) {
            job.keep(self.row_ref(seq, false), slot);
            self.spawn(job, seq);
        }
    }

    /// The files that go with a row.
    pub(super) fn files(&mut self, row: &Ready) -> Result<Files> {
        if row.has_files { self.store.files(&row.id) } else { Ok(Files::new()) }
    }

    /// A job of a row; of one that will not be sent any more without its files.
    fn job(
        &mut self,
        row: &Ready,
        files: Option<Files>,
        entry: Option<Arc<Entry>>,
    ) -> Option<Box<Job>> {
        let message = Message::parse(&row.message).and_then(|mut message| {
            if files.is_none_or(|files| message.put_files(files)) {
                return Ok(message);
            }
            let Message { account, key, .. } = message;
            let error = Error::new(ErrorCode::Storage, "its files are lost");
            Err(Refused { error, account: Some(account), key })
        });
        if let Err(refused) = message {
            self.broken_row(row, refused);
            return None;
        }
        let mut given = message;
        // One that was refused since its files could not be read is queued again.
        if given.as_ref().is_ok_and(Message::has_paths) {
            load(&mut given);
        }
        let unfinished = match row.earlier {
            // It is counted while it is here.
            true => Some(self.shared.sends.adopt(1)),
            false => self.open.split(),
        };
        Some(Job::of_row(&self.shared, row, given, entry, unfinished))
    }

    /// What an earlier run began, with the account that it would go on with.
    pub(super) fn doubtful(
        &mut self,
        row: &Ready,
        files: Files,
    ) -> Option<(Box<Job>, Begin, Option<Arc<Entry>>)> {
        if row.direct {
            self.recover_direct(row, cut_short());
            return None;
        }
        let begun = row.begun.clone()?;
        let entry = Message::parse(&row.message)
            .ok()
            .and_then(|message| self.shared.accounts.get(&message.account));
        let mut job = self.job(row, Some(files), entry.clone())?;
        let own = self.row_ref(row.seq, false);
        job.keep(own, Slot::default());
        self.loaded.insert(row.seq);
        job.receipt.recovered = true;
        job.doubt(&begun);
        Some((job, begun, entry))
    }

    /// What an earlier run began goes on only where that cannot double it, or its caller wants that.
    pub(super) fn recover(&mut self, mut job: Box<Job>, begun: Begin, entry: Option<Arc<Entry>>) {
        let unix_ms = self.shared.clock.unix_ms();
        let recovers = entry.as_ref().is_some_and(|entry| job.recover(begun, entry, unix_ms));
        if recovers || job.passes_over(entry.as_deref(), cut_short()) {
            self.inbox.begin(job);
        } else {
            job.finish();
        }
    }

    /// Queues what is due, and ends what is over.
    pub(super) fn on_time(&mut self) -> Result<()> {
        let now = self.shared.clock.unix_ms();
        if self.next_time.is_some_and(|at| at > now) || !self.does.sends {
            return Ok(());
        }
        let (accounts, due) = self.store.release(now)?;
        self.next_time = None;
        self.is_ready(accounts, due);
        if self.begins == Begins::Needed {
            return Ok(());
        }
        loop {
            let rows = self.store.overdue(now, MOST_LOADED)?;
            let all = rows.len() < MOST_LOADED;
            let mut ended = 0;
            for row in rows {
                if self.loaded.insert(row.seq) {
                    ended += 1;
                    self.expire(&row);
                }
            }
            let batch = std::mem::take(&mut self.outbox.lock().pending);
            if !batch.is_empty() && !self.commit(batch) {
                return Ok(());
            }
            if all || ended == 0 {
                break;
            }
        }
        let deadline = self.store.next_deadline()?;
        // What is loaded has a timer of its own.
        self.wake_at(deadline.map(|at| at.max(now + 1000)));
        Ok(())
    }

    /// Ends a message whose deadline passed while it was on the disk.
    fn expire(&mut self, row: &Ready) {
        let entry = Message::parse(&row.message)
            .ok()
            .and_then(|message| self.shared.accounts.get(&message.account));
        if let Some(mut job) = self.job(row, None, entry) {
            let own = self.row_ref(row.seq, false);
            job.keep(own, Slot::default());
            // The first of its key may be taken, and they are one message.
            job.run.history.doubt = row.follows;
            job.end_early(EndReason::Expired);
            job.finish();
        }
    }

    pub(super) fn cancel(&mut self, message: OnDisk) {
        // What a close has left may have begun; of what is in memory its job knows.
        if self.stopped || !self.loaded.insert(message.seq) {
            return;
        }
        let seq = message.seq;
        let row = self.try_to("look for what is cancelled", |k| k.store.unbegun(seq)).flatten();
        if let Some(row) = row {
            let entry = self.shared.accounts.get(&message.account);
            if let Some(mut job) = self.job(&row, None, entry) {
                // Without a slot: a result that came before stays the only one.
                job.completion.row = Some(self.row_ref(seq, row.direct));
                // The first of its key may be taken, and they are one message.
                job.run.history.doubt = row.follows;
                job.end_early(EndReason::Cancelled);
                job.finish();
            }
            return;
        }
        // It has its result, or nobody knows.
        let error = Error::new(ErrorCode::Cancelled, "the send was cancelled")
            .with_account(&message.account, None);
        let receipt = Receipt {
            id: message.id,
            token: message.token,
            account: message.account,
            key: message.key,
            delivery: Delivery::MaybeSent,
            error: Some(error),
            ..Receipt::nothing()
        };
        self.hold.finish(seq, Box::new(receipt), None, None, false);
    }

    /// Hands out results of an earlier run, as long as the host takes them.
    pub(super) fn hand_out_earlier(&mut self) -> Result<()> {
        if !self.earlier {
            return Ok(());
        }
        if self.shared.sends.ready() >= MOST_EARLIER {
            return Ok(());
        }
        let rows = self.store.results(MOST_EARLIER)?;
        self.earlier = !rows.is_empty();
        for row in rows {
            let unfinished = match row.own {
                false => None,
                // Somebody has ended it while it waits here: its job counts it until that knows.
                true if self.loaded.contains(&row.seq) => {
                    self.ended.insert(row.seq);
                    Some(self.shared.sends.adopt(0))
                }
                // Another member has sent what this one submitted.
                true => self.open.split(),
            };
            self.following.remove(&row.id);
            match self.restored(&row.verdict) {
                Ok(mut receipt) => {
                    (receipt.id, receipt.token) = (row.id, row.token);
                    receipt.deduplicated |= row.follows;
                    receipt.origin = if row.own { Origin::ThisRun } else { Origin::EarlierRun };
                    self.hand_out(Box::new(receipt), None, unfinished);
                }
                Err(error) => self.broken(&row.id, row.token, error, unfinished),
            }
        }
        self.shared.sends.publish();
        Ok(())
    }

    pub(super) fn restored(&self, verdict: &Verdict) -> Result<Receipt> {
        if verdict.receipt.is_empty() {
            let words = "the outbox was damaged: what became of this message is not known";
            return Err(Error::new(ErrorCode::Storage, words));
        }
        let service = |name: &str| service::find(name).map(|service| service.info.name);
        Receipt::from_json(&verdict.receipt, service).map_err(|words| {
            Error::new(
                ErrorCode::Storage,
                format!("a result in the outbox cannot be read: {words}"),
            )
        })
    }

    /// A result that cannot be read is told as it is: nobody knows.
    pub(super) fn broken(
        &mut self,
        id: &str,
        token: u64,
        error: Error,
        unfinished: Option<Unfinished>,
    ) {
        let receipt = Receipt {
            id: id.to_owned(),
            token,
            delivery: Delivery::MaybeSent,
            error: Some(error),
            origin: if unfinished.is_some() { Origin::ThisRun } else { Origin::EarlierRun },
            ..Receipt::nothing()
        };
        self.hand_out(Box::new(receipt), None, unfinished);
    }

    /// A message that cannot be read will never be sent.
    fn broken_row(&mut self, row: &Ready, refused: Refused) {
        let doubt = row.begun.is_some() || row.progress.is_some();
        let error = match refused.error.code() {
            // An earlier version took what this one refuses.
            ErrorCode::Message => refused.error,
            _ => {
                let words = format!("a message in the outbox cannot be read: {}", refused.error);
                Error::new(ErrorCode::Storage, words)
            }
        };
        let receipt = Receipt {
            id: row.id.clone(),
            token: row.token,
            delivery: if doubt { Delivery::MaybeSent } else { Delivery::NotSent },
            key: refused.key,
            account: refused.account.unwrap_or_default(),
            error: Some(error),
            origin: if row.earlier { Origin::EarlierRun } else { Origin::ThisRun },
            ..Receipt::nothing()
        };
        self.hold.finish(row.seq, Box::new(receipt), None, None, !doubt);
    }
}

/// Why nobody knows what became of a request.
fn cut_short() -> Error {
    Error::new(ErrorCode::Network, "the process ended while a request was under way")
}
