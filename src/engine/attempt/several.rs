//! Sends of several requests: what comes after each, and where a later run goes on.

use std::collections::HashMap;
use std::time::Duration;

use crate::engine::account::Entry;
use crate::engine::attempt::job::Job;
use crate::engine::attempt::lost;
use crate::engine::attempt::progress::{Later, Progress, Stored};
use crate::engine::attempt::retry::{self, Circumstances, History, Next};
use crate::engine::store::Ready;
use crate::model::error::{Error, ErrorCode};
use crate::model::message::Kind;
use crate::model::receipt::{Delivery, Receipt};
use crate::service::api::Seed;
use crate::service::verdict::{Outcome, RecipientOutcome};

impl Job {
    /// Takes in a verdict on the request under way; gives the wait before the next one, or none where
    /// this was the end.
    ///
    /// A request that surely reached nobody ends the message: another one would fare alike. After a doubt
    /// others may get theirs, who surely have not got it.
    pub fn told(
        &mut self,
        entry: &Entry,
        delivery: Delivery,
        outcome: Outcome,
        error: Option<Error>,
    ) -> Option<Option<Duration>> {
        let error = error.map(|error| self.decorated(delivery, error));
        let Some(progress) =
            self.outgoing.progress.as_mut().filter(|_| delivery != Delivery::NotSent)
        else {
            self.conclude(delivery, error);
            return None;
        };
        for i in std::mem::take(&mut progress.now) {
            progress.record(i, delivery, outcome.message_id.clone(), error.clone());
        }
        if delivery == Delivery::Sent {
            progress.note(
                std::mem::take(&mut self.outgoing.draft.notes).into_iter().chain(outcome.notes),
            );
            progress.service_time = progress.service_time.or(outcome.service_time);
        }
        self.goes_on(entry, delivery)
    }

    /// Takes in a verdict for each recipient of the request under way, likewise.
    pub fn told_each(
        &mut self,
        entry: &Entry,
        each: Vec<RecipientOutcome>,
        at: Circumstances,
    ) -> Option<Option<Duration>> {
        let Some(mut progress) = self.outgoing.progress.take() else {
            self.conclude(Delivery::MaybeSent, Some(lost()));
            return None;
        };
        let mut verdicts: HashMap<(Kind, &str), Option<&RecipientOutcome>> = HashMap::new();
        for told in &each {
            let name = (told.to.0, told.to.1.as_str());
            let same = |other: &RecipientOutcome| other.outcome.delivery == told.outcome.delivery;
            verdicts
                .entry(name)
                .and_modify(|other| *other = other.filter(|other| same(other)))
                .or_insert(Some(told));
        }
        let (mut again, mut longest, mut all) = (Vec::new(), Duration::ZERO, Delivery::NotSent);
        let mut later = History::default();
        for i in std::mem::take(&mut progress.now) {
            let to = progress.recipients[i].to.clone();
            let told = to.as_ref().and_then(|(kind, name)| verdicts.get(&(*kind, name.as_str())));
            let (delivery, id, error) = match told {
                Some(Some(told)) => {
                    let mut history = self.run.history.clone();
                    let repeated_is_proof = told.outcome.repeated && at.repeated_is_proof;
                    let at = Circumstances { repeated_is_proof, ..at };
                    match retry::next(&told.outcome, &mut history, &self.shared.retry, at) {
                        // Together with others it cannot be sent again in the same bytes.
                        Next::Again { .. } if history.doubt => {
                            (Delivery::MaybeSent, None, told.error.clone())
                        }
                        Next::Again { wait, .. } => {
                            longest = longest.max(wait);
                            later.re_signed |= history.re_signed;
                            later.reauthenticated |= history.reauthenticated;
                            later.untold_waits = later.untold_waits.max(history.untold_waits);
                            again.push(i);
                            continue;
                        }
                        Next::Done { delivery, deduplicated, retryable, retry_after, deadline } => {
                            self.receipt.deduplicated |= deduplicated;
                            self.receipt.deadline |= deadline;
                            let after = retry_after
                                .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
                            let error = told.error.clone().map(|e| e.with_retry(retryable, after));
                            if delivery == Delivery::Sent {
                                progress.note(told.outcome.notes.iter().cloned());
                            }
                            (delivery, told.outcome.message_id.clone(), error)
                        }
                    }
                }
                Some(None) => {
                    (Delivery::MaybeSent, None, Some(unclear("contradicts itself about")))
                }
                None => (Delivery::MaybeSent, None, Some(unclear("says nothing of"))),
            };
            match delivery {
                Delivery::Sent => {
                    progress.note(self.outgoing.draft.notes.iter().cloned());
                    all = Delivery::Sent;
                }
                Delivery::MaybeSent if all == Delivery::NotSent => all = Delivery::MaybeSent,
                _ => {}
            }
            let error = error.map(|error| self.decorated(delivery, error));
            progress.record(i, delivery, id, error);
        }
        if !again.is_empty() {
            entry.stats.retried();
            let attempts = self.run.history.attempts;
            for i in &again {
                let one = &mut progress.recipients[*i];
                (one.waits, one.attempts) = (true, attempts);
            }
            let due = at.now + longest;
            progress.later.push(Later { who: again, due, history: History { attempts, ..later } });
        }
        self.outgoing.progress = Some(progress);
        self.goes_on(entry, all)
    }

    /// Nobody knows what became of the request that an earlier process began, and it is not sent again;
    /// true if others get theirs.
    pub fn passes_over(&mut self, entry: Option<&Entry>, error: Error) -> bool {
        let Some(entry) = entry.filter(|_| self.outgoing.progress.is_some() && !self.is_refused())
        else {
            self.conclude(Delivery::MaybeSent, Some(error));
            return false;
        };
        let (doubt, none) = (Delivery::MaybeSent, Outcome::sent(None, None));
        let Some(wait) = self.told(entry, doubt, none, Some(error)) else { return false };
        self.outgoing.not_before =
            self.outgoing.not_before.max(wait.map(|wait| self.shared.clock.now() + wait));
        true
    }

    /// Takes up what is to be sent next, and tells how long that is to wait; none at the end.
    ///
    /// `went`: what the last request came to at best.
    fn goes_on(&mut self, entry: &Entry, went: Delivery) -> Option<Option<Duration>> {
        self.end_in_words(went, self.shared.clock.now());
        let all = self.run.history.all();
        loop {
            let seed = Seed(self.shared.random(|rng| rng.u64(..)));
            let progress = self.outgoing.progress.as_mut()?;
            let Some((who, due, history)) = progress.next() else {
                self.conclude(Delivery::Sent, None);
                return None;
            };
            match progress.encode(&who, entry, seed) {
                Ok(mut draft) => {
                    let others = progress.take(&mut draft, who);
                    if progress.now.is_empty() {
                        others.into_iter().for_each(|i| {
                            progress.record(i, Delivery::NotSent, None, Some(lost()));
                        });
                        continue;
                    }
                    if let Some(due) = due.filter(|_| !others.is_empty()) {
                        others.iter().for_each(|i| progress.recipients[*i].waits = true);
                        progress.later.push(Later { who: others, due, history: history.clone() });
                    }
                    self.outgoing.draft = draft;
                    let before = all.saturating_sub(history.attempts);
                    self.run.history = History { before, ..history };
                    (self.run.answered, self.receipt.error) = (None, None);
                    let wait = due.map(|due| due.saturating_sub(self.shared.clock.now()));
                    self.put_down(wait);
                    return Some(wait);
                }
                Err(error) => {
                    let error = self.decorated(Delivery::NotSent, error);
                    let progress = self.outgoing.progress.as_mut()?;
                    for i in who {
                        progress.record(i, Delivery::NotSent, None, Some(error.clone()));
                    }
                }
            }
        }
    }

    /// Has the outbox keep how far the message has come, before another request of it begins.
    fn put_down(&mut self, wait: Option<Duration>) {
        let Some(row) = self.completion.row.as_ref().filter(|_| self.run.marked) else { return };
        if row.direct {
            // Its key must not be free for another: something was sent.
            return;
        }
        let in_ms = |wait: Duration| u64::try_from(wait.as_millis() + 1).unwrap_or(u64::MAX);
        let due_ms = wait.map(|wait| self.shared.clock.unix_ms().saturating_add(in_ms(wait)));
        let progress = self.stored_progress(false);
        row.custody.ended(row.seq, self.run.history.all(), due_ms, progress);
        self.run.marked = false;
    }
}

impl Job {
    /// What the outbox keeps of how far it has come; `under_way`: the request under way begins.
    pub fn stored_progress(&self, under_way: bool) -> Option<Vec<u8>> {
        let service = self.receipt.service.unwrap_or_default();
        self.outgoing
            .progress
            .as_ref()
            .map(|progress| progress.store(service, under_way, self.run.history.before))
    }

    /// Goes on from where a row of the outbox stands.
    pub fn go_on_from(&mut self, row: &Ready) {
        let Some(kept) = &row.progress else {
            // Whom the request was to that was begun is not known.
            if let Some(progress) = self.outgoing.progress.as_mut().filter(|_| row.begun.is_some())
            {
                progress.now = (0..progress.recipients.len()).collect();
            }
            return;
        };
        let service = self.receipt.service;
        let account = self.receipt.account.clone();
        let known = |name: &str| crate::service::find(name).map(|service| service.info.name);
        let result = Receipt::from_json(kept, known);
        let stored: Option<Stored> = serde_json::from_slice(kept).ok();
        let (mut broken, mut before) = (None, 0);
        match (result, stored) {
            (Ok(result), _) => match &mut self.outgoing.progress {
                Some(progress) => {
                    progress.now.clear();
                    progress.again(&result);
                }
                None if result.pieces.is_none() && result.recipients.is_none() => return,
                None => broken = Some(changed()),
            },
            (_, Some(stored)) => {
                let other = service.is_some_and(|service| service != stored.service);
                if self.outgoing.progress.is_none() && stored.recipients == 1 {
                    self.outgoing.progress = Some(Progress::anonymous());
                }
                let pieces = self.outgoing.progress.as_ref().map(|progress| progress.pieces);
                let split = pieces.is_some_and(|pieces| pieces != stored.pieces);
                before = stored.before;
                let restored = self
                    .outgoing
                    .progress
                    .as_mut()
                    .is_some_and(|progress| progress.restore(stored, &account, service));
                if !restored {
                    broken = Some(unreadable());
                } else if !self.is_refused() && (other || split) {
                    self.refuse_later(changed());
                }
            }
            (Err(_), None) => broken = Some(unreadable()),
        }
        if let Some(error) = broken {
            // What is not known is in doubt.
            let error = self.decorated(Delivery::MaybeSent, error);
            let progress = self.outgoing.progress.get_or_insert_with(Progress::anonymous);
            for one in &mut progress.recipients {
                one.end = Some((Delivery::MaybeSent, error.clone()));
            }
            self.refuse_later(error);
        }
        if !self.is_refused()
            && let Some(entry) = self.outgoing.entry.clone()
        {
            self.take_up(&entry, row, before);
        }
    }

    /// Makes the draft of what is under way, or comes next.
    fn take_up(&mut self, entry: &Entry, row: &Ready, before: u32) {
        let seed = Seed(self.shared.random(|rng| rng.u64(..)));
        let Some(progress) = self.outgoing.progress.as_mut() else { return };
        progress.drafted.clear();
        let who = match std::mem::take(&mut progress.now) {
            now if now.is_empty() => {
                progress.next().map(|(who, _, history)| (who, history.attempts))
            }
            now => Some((now, row.attempts.saturating_sub(before))),
        };
        let Some((who, own)) = who else {
            let words = "nothing of this message is left that may be sent again";
            return self.refuse_later(Error::new(ErrorCode::Message, words));
        };
        match progress.encode(&who, entry, seed) {
            Ok(mut draft) => {
                let others = progress.take(&mut draft, who);
                if row.begun.is_some() {
                    progress.now.extend(others);
                }
                self.outgoing.draft = draft;
                let before = row.attempts.saturating_sub(own);
                self.run.history = History { attempts: own, before, ..History::default() };
            }
            Err(error) => {
                progress.now = who;
                self.refuse_later(error);
            }
        }
    }
}

/// Why nobody knows whether a recipient has got it.
fn unclear(what: &str) -> Error {
    Error::new(ErrorCode::Protocol, format!("the answer {what} this recipient"))
}

fn changed() -> Error {
    let words =
        "the account was changed while the message was being sent, and would go on elsewhere";
    Error::new(ErrorCode::Config, words)
}

fn unreadable() -> Error {
    let words = "how far this message had come cannot be read in the outbox";
    Error::new(ErrorCode::Storage, words)
}
