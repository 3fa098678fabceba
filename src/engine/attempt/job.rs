//! One accepted send, and the guard that it has exactly one result.

pub mod completion;
mod end;
mod held;
pub mod outgoing;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::engine::Shared;
use crate::engine::accept::keys::{Claim, KeyGuard};
use crate::engine::accept::op::Op;
use crate::engine::account::Entry;
use crate::engine::account::halt::Probe;
use crate::engine::attempt::gate::Called;
use crate::engine::attempt::progress::Rest;
use crate::engine::attempt::retry::{History, Signing};
use crate::engine::attempt::scratch::Scratch;
use crate::engine::attempt::{lost, masked, repeats};
use crate::engine::results::queue::Results;
use crate::engine::results::sends::Unfinished;
use crate::engine::results::slot::Slot;
use crate::engine::store::{Begin, Ready};
use crate::model::error::{Error, ErrorCode};
use crate::model::log::log;
use crate::model::message::{Message, Parsed};
use crate::model::receipt::{AttemptTrace, Delivery, Origin, Receipt};

pub use completion::{Completion, RowRef, Sink};
pub use end::EndReason;
use held::HeldReceipt;
use outgoing::Outgoing;
pub use outgoing::Place;

/// An accepted send: what is sent, how far it is, and the guard that it has exactly one result.
pub struct Job {
    pub shared: Arc<Shared>,
    pub receipt: HeldReceipt,
    pub outgoing: Outgoing,
    pub run: Run,
    pub completion: Completion,
}

/// How it goes with the attempts of a send.
#[derive(Default)]
pub struct Run {
    pub history: History,
    /// Seconds that the service's clock is ahead of ours, by its last answer.
    pub skew_seen: Option<i64>,
    /// What its attempts need, from the first on.
    pub scratch: Option<Box<Scratch>>,
    /// When the last attempt ended, if nothing has come after it.
    pub answered: Option<Duration>,
    /// It was called from among those that wait, and has the place before a gate.
    pub called: Option<Called>,
    /// What the next attempt needs of the last one, while it waits for its time.
    pub again: Option<Signing>,
    /// It tries whether an account that was stopped is of use again.
    pub probe: Option<Probe>,
    /// It stands in the outbox that bytes of it may have gone.
    pub marked: bool,
    /// When its first attempt began, and whether the service may have called that one repeated
    /// already.
    pub repeats: Option<(Duration, bool)>,
    /// Nothing more is begun: it ends as it stands.
    pub leaves: bool,
}

/// How a send came in.
pub struct Intake {
    pub id: String,
    pub token: u64,
    pub sink: Sink,
    pub slot: Option<Slot>,
    /// Counts it, if it does itself.
    pub unfinished: Option<Unfinished>,
    pub patience: Option<Duration>,
    pub place: Place,
}

impl Job {
    /// Takes over a send that was counted; encodes it, or keeps why it cannot be.
    pub fn new(
        shared: Arc<Shared>,
        given: Parsed,
        entry: Option<Arc<Entry>>,
        intake: Intake,
    ) -> Box<Job> {
        let Intake { id, token, sink, slot, unfinished, patience, place } = intake;
        let (mut message, refused) = match given {
            Ok(message) => (message, None),
            Err(refused) => {
                let (account, key) = (refused.account.unwrap_or_default(), refused.key);
                (Message { account, key, ..Message::default() }, Some(refused.error))
            }
        };
        message.id = id;
        let (outgoing, refused) =
            Outgoing::new(&shared, &mut message, entry, refused, patience, place);
        // Boxed at once: it is large to move.
        Box::new(Job {
            receipt: HeldReceipt::new(Receipt {
                token,
                id: message.id,
                key: message.key,
                account: message.account,
                service: outgoing.entry.as_ref().map(|entry| entry.info.name),
                trace: (shared.trace || place == Place::Outbox).then(Vec::new),
                ..Receipt::nothing()
            }),
            shared,
            outgoing,
            run: Run::default(),
            completion: Completion::new(refused, sink, slot, unfinished),
        })
    }

    /// Takes a message up that the outbox kept.
    pub fn of_row(
        shared: &Arc<Shared>,
        row: &Ready,
        mut given: Parsed,
        entry: Option<Arc<Entry>>,
        unfinished: Option<Unfinished>,
    ) -> Box<Job> {
        if let (Ok(message), Some(entry)) = (&mut given, &entry) {
            entry.address(message);
        }
        let intake = Intake {
            id: row.id.clone(),
            token: row.token,
            sink: Sink::Queue(None),
            slot: None,
            unfinished,
            patience: None,
            place: Place::Outbox,
        };
        let mut job = Job::new(Arc::clone(shared), given, entry, intake);
        let (now, unix_ms) = (shared.clock.now(), shared.clock.unix_ms());
        let since = |at: u64| Duration::from_millis(unix_ms.saturating_sub(at));
        job.outgoing.accepted = now.saturating_sub(since(row.accepted_ms));
        job.outgoing.until = row.deadline_ms.map(|at| {
            (now + Duration::from_millis(at.saturating_sub(unix_ms)), EndReason::Expired)
        });
        job.outgoing.not_before = row
            .due_ms
            .and_then(|at| at.checked_sub(unix_ms))
            .map(|wait| now + Duration::from_millis(wait));
        job.run.history.attempts = row.attempts;
        if job.outgoing.progress.is_some() || row.progress.is_some() {
            job.go_on_from(row);
        }
        if row.earlier {
            job.receipt.origin = Origin::EarlierRun;
        }
        job
    }

    /// Its row in the outbox, and its place among those in memory.
    pub fn keep(&mut self, row: RowRef, slot: Slot) {
        (self.completion.row, self.completion.slot) = (Some(row), Some(slot));
    }

    /// What an earlier process began is in doubt, and may have gone.
    pub fn doubt(&mut self, begun: &Begin) {
        self.run.history.doubt = true;
        self.run.history.doubted = Some(begun.sender.as_deref().unwrap_or_default().into());
        self.begin_in_words(self.shared.clock.now());
    }

    /// True if what an earlier process began may go on: the service will know it again, or the caller
    /// has chosen that.
    pub fn recover(&mut self, begun: Begin, entry: &Entry, unix_ms: u64) -> bool {
        if self.outgoing.progress.is_none() {
            self.run.history.attempts = begun.attempts;
        }
        self.run.marked = true;
        let now = self.shared.clock.now();
        // A calendar that went backwards proves nothing.
        let age = unix_ms.checked_sub(begun.first_sent_ms).map(Duration::from_millis);
        let first_sent = age.and_then(|age| now.checked_sub(age));
        let sender = begun.sender.as_deref();
        let known = sender == Some(&*entry.sender)
            && self.outgoing.draft.window().zip(age).is_some_and(|(window, age)| age <= window);
        // To a service that it never was sent to it would be another message.
        let service = sender.and_then(|sender| sender.split(' ').next());
        let resend = self.shared.retry.resend_maybe_sent
            && service.is_none_or(|service| service == entry.info.name);
        if self.is_refused() {
            return false;
        }
        if let (Some(body), true, Some(_)) = (begun.body, known, first_sent)
            && self.outgoing.draft.recover(body, begun.mark.as_deref())
        {
            self.run.history.first_sent = first_sent;
            return true;
        }
        resend
    }

    /// The queue that its result is for, if that is not the client's own: whoever takes it brings the
    /// result there.
    pub fn take_queue(&mut self) -> Option<Arc<Results>> {
        self.completion.take_queue()
    }

    /// Goes away without a result: another run has it, or nobody accepted it. What counts it is given
    /// back.
    pub fn forget(&mut self) -> Option<Unfinished> {
        self.completion.forget()
    }

    /// Its first attempt begins, as far as other messages of the same words are concerned.
    pub fn begin_in_words(&mut self, now: Duration) {
        if let (None, Some(own)) = (self.run.repeats, self.outgoing.draft.fingerprint) {
            self.run.repeats = Some((now, self.shared.repeats.begin(own)));
        }
    }

    /// True if "repeated" can only mean an attempt of this very message, by a sender that is still the
    /// same.
    pub fn is_proven_by_repeated(&self, entry: &Entry) -> bool {
        if self.run.history.doubted.as_deref() != Some(&*entry.sender) {
            return false;
        }
        let Some(own) = self.outgoing.draft.fingerprint else { return true };
        let earlier = self.receipt.origin == Origin::EarlierRun;
        matches!(self.run.repeats, Some((_, false)))
            && self.shared.repeats.is_alone(own, self.outgoing.accepted, earlier)
    }

    /// Nothing more is done for it: what its words are for others of the same from now on.
    pub fn end_in_words(&mut self, delivery: Delivery, now: Duration) {
        let Some((own, (begun, _))) = self.outgoing.draft.fingerprint.zip(self.run.repeats.take())
        else {
            return;
        };
        self.shared.repeats.end(own, begun, delivery, now);
        let went = delivery != Delivery::NotSent;
        if let Some(outbox) = self.shared.outbox().filter(|_| went) {
            outbox.went(repeats::slots(own));
        }
    }

    /// The client closes: the outbox keeps the message for a later run.
    fn leave(&mut self, row: &RowRef) {
        let unfinished = self.forget();
        if self.run.marked && !self.run.history.doubt && !self.has_begun() {
            row.custody.ended(row.seq, self.run.history.all(), None, None);
        }
        self.shared.cut.fetch_add(1, Ordering::AcqRel);
        drop(unfinished);
        row.custody.left(row.seq);
    }

    /// True once the attempt now running has handed bytes to its socket.
    fn has_begun(&self) -> bool {
        self.run.scratch.as_ref().is_some_and(|scratch| scratch.begun.load(Ordering::Acquire))
    }

    /// The handle to this send.
    pub fn op(&mut self) -> Op {
        let cancel = self.completion.cancel.get_or_insert_default();
        Op::new(self.receipt.id.clone(), Arc::clone(cancel))
    }

    /// True if the message itself is wrong, so that no attempt will be made.
    pub fn is_refused(&self) -> bool {
        self.completion.refused.is_some()
    }

    /// Keeps for its end why no attempt will be made any more.
    pub fn refuse_later(&mut self, error: Error) {
        self.completion.refused = Some(error);
    }

    /// Writes into the receipt that the message is wrong, if it is.
    pub fn refuse(&mut self) -> bool {
        match self.completion.refused.take() {
            Some(error) => {
                self.conclude(Delivery::NotSent, Some(error));
                true
            }
            None => false,
        }
    }

    /// Ends a send whose message is wrong.
    pub fn finish_refused(&mut self) -> Option<Box<Receipt>> {
        let error = self.completion.refused.take()?;
        self.conclude(Delivery::NotSent, Some(error));
        self.finish()
    }

    /// Writes the verdict into the receipt: on the message, or on the request of it that is under way.
    pub fn conclude(&mut self, delivery: Delivery, error: Option<Error>) {
        self.receipt.attempts = self.run.history.all();
        let Some(progress) = self.outgoing.progress.take() else {
            self.receipt.delivery = delivery;
            self.receipt.error = error.map(|error| self.decorated(delivery, error));
            return;
        };
        let error = error.unwrap_or_else(lost);
        let now = self.decorated(delivery, error.clone());
        let untried = self.decorated(Delivery::NotSent, error);
        let untried = match delivery {
            // Another message of its key is in doubt, and that is to all of them.
            Delivery::MaybeSent if self.receipt.attempts == 0 => (delivery, Some(&now)),
            _ => (Delivery::NotSent, Some(&untried)),
        };
        let rest = Rest { now: (delivery, Some(&now)), untried };
        progress
            .show(&mut self.receipt, &rest, |name| masked(self.outgoing.entry.as_deref(), name));
        self.outgoing.progress = Some(progress);
    }

    /// An error of this message, as its receipt tells it.
    pub fn decorated(&self, delivery: Delivery, error: Error) -> Error {
        let error = error
            .with_account(&self.receipt.account, self.receipt.service)
            .with_attempts(self.run.history.all());
        match delivery {
            Delivery::MaybeSent if error.hint_text().is_none() => {
                error.hint("it may have arrived: to send it again may double it")
            }
            _ => error,
        }
    }

    /// Is the first message of its key from now on.
    pub fn lead(&mut self, held: KeyGuard) {
        self.outgoing.key = Some(Claim::First(held));
        self.outgoing.ticket =
            self.outgoing.queues_later.take().map(|queue| self.shared.recipient_queues.join(queue));
    }

    /// Takes over the verdict of the first message with this key.
    pub fn follow(&mut self, first: &Receipt) {
        let own = std::mem::replace(&mut *self.receipt, first.clone());
        self.receipt.token = own.token;
        self.receipt.id = own.id;
        self.receipt.deduplicated = true;
        self.receipt.trace = own.trace;
        if let (None, Some(progress)) = (&self.receipt.recipients, &self.outgoing.progress) {
            let masked = |name: &str| masked(self.outgoing.entry.as_deref(), name);
            self.receipt.recipients = progress.alike(&self.receipt, masked);
        }
    }

    /// Keeps an attempt for `trace`.
    pub fn trace(&mut self, attempt: AttemptTrace) {
        if let Some(trace) = &mut self.receipt.trace {
            trace.push(attempt);
        }
    }

    /// Hands the receipt over: into the queue, or back.
    pub fn finish(&mut self) -> Option<Box<Receipt>> {
        self.completion.begin_end();
        drop(self.finish_direct());
        // What it did not come to be is given up before anybody can ask for it anew.
        self.completion.direct = None;
        let now = self.run.answered.unwrap_or_else(|| self.shared.clock.now());
        let elapsed = now.saturating_sub(self.outgoing.accepted);
        self.receipt.elapsed_ms = self.elapsed();
        if let Some(entry) = &self.outgoing.entry {
            entry.stats.finished(self.receipt.delivery, elapsed);
        }
        let alone = self.ended_alone();
        if let Some(Claim::First(held)) = self.outgoing.key.take() {
            match alone {
                true => drop(held),
                false => held.end(&self.receipt, now),
            }
        }
        self.outgoing.ticket = None;
        self.end_in_words(self.receipt.delivery, now);
        let receipt = self.receipt.take();
        log!(
            Debug,
            "hongyan::send",
            "{} {} by {:?}: {} after {} attempts{}",
            receipt.id,
            receipt.service.unwrap_or("-"),
            receipt.account,
            receipt.delivery.name(),
            receipt.attempts,
            receipt.error.as_ref().map(|e| format!(", {}", e.code().name())).unwrap_or_default()
        );
        self.completion.hand_over(receipt, alone)
    }
}

impl Drop for Job {
    /// A task that panicked or was thrown away still has its one result.
    fn drop(&mut self) {
        if self.completion.is_over() {
            return;
        }
        let doubt = self.run.history.doubt || self.has_begun();
        let delivery = if doubt { Delivery::MaybeSent } else { Delivery::NotSent };
        let code = if std::thread::panicking() { ErrorCode::Panic } else { ErrorCode::Internal };
        let error =
            Error::new(code, "the send broke off inside the library; this is a bug in hongyan");
        self.completion.alone = true;
        self.conclude(delivery, Some(error));
        self.finish();
    }
}
