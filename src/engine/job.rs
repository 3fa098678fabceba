//! One accepted send, and the guard that it has exactly one result.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::account::Entry;
use super::keys::Claim;
use super::order::Place;
use super::queue::Slot;
use super::retry::History;
use super::runtime::on_io_thread;
use super::{Given, Shared};
use crate::model::error::{Error, ErrorCode};
use crate::model::log::log;
use crate::model::message::Message;
use crate::model::receipt::{AttemptTrace, Delivery, Receipt};
use crate::service::Draft;

/// Where the result goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// Into the queue, for whoever waits.
    Queue,
    /// To the caller, who waits for this one.
    Caller,
}

/// A flag that somebody may wait for.
#[derive(Default)]
pub struct Stop {
    stopped: AtomicBool,
    notify: Notify,
}

impl Stop {
    /// Raises the flag, for good.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    /// Waits until the flag is raised.
    pub async fn stopped(&self) {
        let mut notified = pin!(self.notify.notified());
        // Registered before the flag is read: a stop between the two is not missed.
        notified.as_mut().enable();
        if !self.stopped.load(Ordering::Acquire) {
            notified.await;
        }
    }
}

/// A submitted send: its id, and the way to ask for its end.
pub struct Op {
    id: String,
    cancel: Arc<Stop>,
}

impl Op {
    /// The library's own id of the message.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Asks for the end of the send; its result says what became true.
    pub fn cancel(&self) {
        self.cancel.stop();
    }
}

/// Why a send ends before its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its caller cancelled it.
    Cancelled,
    /// The client was closed.
    Closed,
    /// The caller's time-out ran out.
    TimedOut,
    /// The message's own deadline passed.
    Expired,
}

/// An accepted send.
pub struct Job {
    pub shared: Arc<Shared>,
    pub receipt: Receipt,
    pub entry: Option<Arc<Entry>>,
    pub draft: Draft,
    pub history: History,
    /// Seconds that the service's clock is ahead of ours, by its last answer.
    pub skew_seen: Option<i64>,
    /// True once the attempt now running has handed bytes to its socket.
    pub begun: Arc<AtomicBool>,
    pub accepted: Duration,
    pub not_before: Option<Duration>,
    /// The end of the caller's patience, and what it is called then.
    pub until: Option<(Duration, Ended)>,
    /// The first message of its key holds it; another may only follow.
    pub key: Option<Claim>,
    /// The place in its recipient's line.
    pub place: Option<Place>,
    refused: Option<Error>,
    cancel: Arc<Stop>,
    sink: Sink,
    slot: Option<Slot>,
    finished: bool,
}

impl Job {
    /// Takes over a send that was counted; encodes it, or keeps why it cannot be.
    #[allow(clippy::too_many_arguments, reason = "each is one fact of an accepted send")]
    pub fn new(
        shared: Arc<Shared>,
        id: String,
        token: u64,
        given: Given,
        entry: Option<Arc<Entry>>,
        sink: Sink,
        slot: Slot,
        patience: Option<Duration>,
    ) -> Job {
        let accepted = shared.clock.now();
        let service = entry.as_ref().map(|entry| entry.info.name);
        let (message, refused) = match given {
            Ok(message) => (message, None),
            Err(refused) => {
                let (account, key) = (refused.account.unwrap_or_default(), refused.key);
                (Message { account, key, ..Message::default() }, Some(refused.error))
            }
        };
        let encoded = match (&refused, &entry) {
            (Some(_), _) => Ok(Draft::default()),
            (None, None) => Err(unknown_account(&message.account)),
            (None, Some(entry)) => entry.account.encode(&message, shared.random(|rng| rng.u32(..))),
        };
        let (draft, mut refused) = match encoded {
            Ok(draft) => (draft, refused),
            Err(error) => (Draft::default(), Some(error)),
        };
        let mut key = None;
        if let (None, Some(own)) = (&refused, &message.key) {
            match shared.keys.claim(own, &message, accepted) {
                Ok(claim) => key = Some(claim),
                Err(error) => refused = Some(error),
            }
        }
        let follows = matches!(key, Some(Claim::Joined(_) | Claim::Known(_)));
        let ordered = message.ordered && refused.is_none() && !follows;
        let place =
            ordered.then(|| shared.lines.join(format!("{}/{:?}", message.account, message.to)));
        let until = earliest(accepted, patience, message.deadline_ms.map(Duration::from_millis));
        let not_before = message.not_before_ms.and_then(|at| {
            let wait = Duration::from_millis(at.saturating_sub(shared.clock.unix_ms()));
            (!wait.is_zero()).then(|| accepted + wait)
        });
        Job {
            receipt: Receipt {
                token,
                id,
                key: message.key,
                account: message.account,
                service,
                trace: shared.trace.then(Vec::new),
                ..Receipt::nothing()
            },
            shared,
            entry,
            draft,
            history: History::default(),
            skew_seen: None,
            begun: Arc::default(),
            accepted,
            not_before,
            until,
            key,
            place,
            refused,
            cancel: Arc::default(),
            sink,
            slot: Some(slot),
            finished: false,
        }
    }

    /// The handle to this send.
    pub fn op(&self) -> Op {
        Op { id: self.receipt.id.clone(), cancel: Arc::clone(&self.cancel) }
    }

    /// True if the message itself is wrong, so that no attempt will be made.
    pub fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Ends a send whose message is wrong.
    pub fn finish_refused(mut self) -> Option<Receipt> {
        let error = self.refused.take()?;
        self.conclude(Delivery::NotSent, Some(error));
        self.finish()
    }

    /// Waits until something ends the send before its verdict.
    pub fn ended(&self) -> impl Future<Output = Ended> + Send + use<> {
        let (cancel, shared, until) =
            (Arc::clone(&self.cancel), Arc::clone(&self.shared), self.until);
        async move {
            let patience = async {
                match until {
                    Some((at, _)) if at <= shared.clock.now() => {}
                    Some((at, _)) => shared.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = cancel.stopped() => Ended::Cancelled,
                () = shared.stop.stopped() => Ended::Closed,
                () = patience => until.map_or(Ended::TimedOut, |(_, ended)| ended),
            }
        }
    }

    /// Writes an early end into the receipt: what is true of the delivery, and the last error.
    pub fn end_early(&mut self, ended: Ended) {
        if ended == Ended::Closed {
            self.shared.cut.fetch_add(1, Ordering::AcqRel);
        }
        let begun = self.begun.load(Ordering::Acquire);
        let doubt = self.history.doubt || begun;
        let delivery = if doubt { Delivery::MaybeSent } else { Delivery::NotSent };
        self.receipt.deadline = matches!(ended, Ended::TimedOut | Ended::Expired);
        // Another message of its key may be under way: then something may have been sent.
        let sent_nothing = self.history.attempts == 0 && !self.history.doubt;
        let (code, words) = match ended {
            Ended::Cancelled => (ErrorCode::Cancelled, "the send was cancelled"),
            Ended::Closed => (ErrorCode::Cancelled, "the client was closed before the send ended"),
            Ended::TimedOut => (ErrorCode::Timeout, "the caller's time-out ran out"),
            Ended::Expired if sent_nothing => {
                (ErrorCode::Expired, "the deadline passed before anything was sent")
            }
            Ended::Expired => (ErrorCode::Timeout, "the deadline passed"),
        };
        // Between two attempts the service's own last word says more than the clock.
        let last = self.receipt.error.take().filter(|_| self.receipt.deadline && !begun);
        let error = last.unwrap_or_else(|| {
            let words = match begun {
                true => format!("{words} while a request was under way"),
                false => words.to_owned(),
            };
            Error::new(code, words)
        });
        let retryable =
            delivery == Delivery::NotSent && self.receipt.deadline && !self.is_expired(&error);
        let after = error.retry_after_ms();
        self.conclude(delivery, Some(error.with_retry(retryable, after)));
    }

    /// Ends a send whose turn would come after its caller's patience, and says how long it would be.
    pub fn end_paced(&mut self, wait: Duration) {
        self.end_early(self.until.map_or(Ended::TimedOut, |(_, ended)| ended));
        let after = u64::try_from(wait.as_millis()).ok();
        let retryable = self.receipt.delivery == Delivery::NotSent;
        self.receipt.error =
            self.receipt.error.take().map(|error| error.with_retry(retryable, after));
    }

    fn is_expired(&self, error: &Error) -> bool {
        error.code() == ErrorCode::Expired
    }

    /// Writes the verdict into the receipt.
    pub fn conclude(&mut self, delivery: Delivery, error: Option<Error>) {
        self.receipt.delivery = delivery;
        self.receipt.attempts = self.history.attempts;
        let account = &self.receipt.account;
        self.receipt.error = error.map(|error| {
            let error = error
                .with_account(account, self.receipt.service)
                .with_attempts(self.history.attempts);
            match delivery {
                Delivery::MaybeSent if error.hint_text().is_none() => {
                    error.hint("it may have arrived: to send it again may double it")
                }
                _ => error,
            }
        });
    }

    /// Takes over the verdict of the first message with this key.
    pub fn follow(&mut self, first: &Receipt) {
        let own = std::mem::replace(&mut self.receipt, first.clone());
        self.receipt.token = own.token;
        self.receipt.id = own.id;
        self.receipt.deduplicated = true;
        self.receipt.trace = own.trace;
    }

    /// Keeps an attempt for `trace`.
    pub fn trace(&mut self, attempt: AttemptTrace) {
        if let Some(trace) = &mut self.receipt.trace {
            trace.push(attempt);
        }
    }

    /// Hands the receipt over: into the queue, or back.
    pub fn finish(mut self) -> Option<Receipt> {
        self.hand_over()
    }

    fn hand_over(&mut self) -> Option<Receipt> {
        self.finished = true;
        let elapsed = self.shared.clock.now().saturating_sub(self.accepted);
        self.receipt.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if let Some(entry) = &self.entry {
            entry.stats.finished(self.receipt.delivery, elapsed);
        }
        if let Some(Claim::First(held)) = self.key.take() {
            held.end(&self.receipt, self.shared.clock.now());
        }
        self.place = None;
        let receipt = std::mem::replace(&mut self.receipt, Receipt::nothing());
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
        match (self.sink, self.slot.take()) {
            (Sink::Queue, Some(slot)) => {
                self.shared.queue.push(receipt, slot, on_io_thread());
                None
            }
            (_, slot) => {
                drop(slot);
                self.shared.queue.finish();
                Some(receipt)
            }
        }
    }
}

impl Drop for Job {
    /// A task that panicked or was thrown away still has its one result.
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let doubt = self.history.doubt || self.begun.load(Ordering::Acquire);
        let delivery = if doubt { Delivery::MaybeSent } else { Delivery::NotSent };
        let code = if std::thread::panicking() { ErrorCode::Panic } else { ErrorCode::Internal };
        let error =
            Error::new(code, "the send broke off inside the library; this is a bug in hongyan");
        self.conclude(delivery, Some(error));
        self.hand_over();
    }
}

/// The error of a message from nobody.
pub fn unknown_account(name: &str) -> Error {
    Error::new(ErrorCode::Message, format!("there is no account {name:?}")).at("account")
}

/// The earlier of the caller's time-out and the message's deadline, counted from accept.
fn earliest(
    accepted: Duration,
    patience: Option<Duration>,
    deadline: Option<Duration>,
) -> Option<(Duration, Ended)> {
    let patience = patience.map(|patience| (accepted.saturating_add(patience), Ended::TimedOut));
    let deadline = deadline.map(|deadline| (accepted.saturating_add(deadline), Ended::Expired));
    match (patience, deadline) {
        (Some(patience), Some(deadline)) if deadline.0 < patience.0 => Some(deadline),
        (patience, deadline) => patience.or(deadline),
    }
}
