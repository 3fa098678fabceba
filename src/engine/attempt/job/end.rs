//! How a send ends before its verdict, and what is true of it then.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::engine::attempt::job::Job;
use crate::model::error::{Error, ErrorCode};
use crate::model::receipt::{Delivery, Receipt};
use crate::net::Alarm;

/// Why a send ends before its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Its caller cancelled it.
    Cancelled,
    /// The client was closed.
    Closed,
    /// The caller's time-out ran out.
    TimedOut,
    /// The message's own deadline passed.
    Expired,
}

impl Job {
    /// Ends a send early: with what is true of it, or without a result (false) where it is kept.
    pub fn end(&mut self, ended: EndReason) -> bool {
        match self.completion.row.take_if(|row| ended == EndReason::Closed && !row.direct) {
            Some(row) => {
                self.leave(&row);
                false
            }
            None => {
                self.end_early(ended);
                true
            }
        }
    }

    /// Has the outbox keep what the key of a direct send has come to, before anybody is told.
    pub fn finish_direct(&mut self) -> Option<oneshot::Receiver<()>> {
        let row = self.completion.row.take_if(|row| row.direct)?;
        self.receipt.elapsed_ms = self.elapsed();
        let alone = self.ended_alone();
        Some(row.custody.finish_direct(row.seq, Receipt::clone(&self.receipt), alone))
    }

    /// True if its result is none for others of its key.
    pub(super) fn ended_alone(&self) -> bool {
        self.completion.alone && self.receipt.delivery == Delivery::NotSent
    }

    pub(super) fn elapsed(&self) -> u64 {
        let now = self.run.answered.unwrap_or_else(|| self.shared.clock.now());
        u64::try_from(now.saturating_sub(self.outgoing.accepted).as_millis()).unwrap_or(u64::MAX)
    }

    /// Waits until something ends the send before its verdict; `patience` goes off at the end of its
    /// caller's.
    pub fn ended<'a>(
        &self,
        patience: Option<&'a mut Alarm>,
    ) -> impl Future<Output = EndReason> + Send + use<'a> {
        let (cancel, shared, until) =
            (self.completion.cancel.clone(), Arc::clone(&self.shared), self.outgoing.until);
        async move {
            let patience = async {
                match patience {
                    // An alarm goes off with the next millisecond at the earliest.
                    Some(_) if until.is_some_and(|(at, _)| at <= shared.clock.now()) => {}
                    Some(patience) => patience.await,
                    None => std::future::pending().await,
                }
            };
            let cancelled = async {
                match &cancel {
                    Some(cancel) => cancel.cancelled().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = cancelled => EndReason::Cancelled,
                () = shared.stop.stopped() => EndReason::Closed,
                () = patience => until.map_or(EndReason::TimedOut, |(_, ended)| ended),
            }
        }
    }

    /// Writes an early end into the receipt: what is true of the delivery, and the last error.
    pub fn end_early(&mut self, ended: EndReason) {
        self.end_now(ended, None);
    }

    /// The same; a later try is told to wait so long.
    fn end_now(&mut self, ended: EndReason, wait: Option<Duration>) {
        if ended == EndReason::Closed {
            self.shared.cut.fetch_add(1, Ordering::AcqRel);
        }
        self.completion.alone = true;
        let begun = self.has_begun();
        let doubt = self.run.history.doubt || begun;
        let delivery = if doubt { Delivery::MaybeSent } else { Delivery::NotSent };
        self.receipt.deadline = matches!(ended, EndReason::TimedOut | EndReason::Expired);
        // Another message of its key may be under way: then something may have been sent.
        let sent_nothing = self.run.history.all() == 0 && !self.run.history.doubt;
        let (code, words) = match ended {
            EndReason::Cancelled => (ErrorCode::Cancelled, "the send was cancelled"),
            EndReason::Closed => {
                (ErrorCode::Cancelled, "the client was closed before the send ended")
            }
            EndReason::TimedOut => (ErrorCode::Timeout, "the caller's time-out ran out"),
            EndReason::Expired if sent_nothing => {
                (ErrorCode::Expired, "the deadline passed before anything was sent")
            }
            EndReason::Expired => (ErrorCode::Timeout, "the deadline passed"),
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
        let (retryable, after) = match wait {
            Some(wait) => (
                delivery == Delivery::NotSent,
                u64::try_from(wait.as_nanos().div_ceil(1_000_000)).ok(),
            ),
            None => (retryable, error.retry_after_ms()),
        };
        self.conclude(delivery, Some(error.with_retry(retryable, after)));
    }

    /// Ends a send whose turn would come after its caller's patience, and says how long it would be.
    pub fn end_paced(&mut self, wait: Duration) {
        self.end_now(
            self.outgoing.until.map_or(EndReason::TimedOut, |(_, ended)| ended),
            Some(wait),
        );
    }

    /// Ends a send whose account is gone; a doubt stays a doubt.
    pub fn end_gone(&mut self, error: Error) {
        let delivery = if self.run.history.doubt { Delivery::MaybeSent } else { Delivery::NotSent };
        // Where there is another account of this name, others of its key may be for that one.
        self.completion.alone = self.shared.accounts.get(&self.receipt.account).is_some();
        self.conclude(delivery, Some(error));
    }

    fn is_expired(&self, error: &Error) -> bool {
        error.code() == ErrorCode::Expired
    }
}

/// The earlier of the caller's time-out and the message's deadline, counted from accept.
pub(super) fn earliest(
    accepted: Duration,
    patience: Option<Duration>,
    deadline: Option<Duration>,
) -> Option<(Duration, EndReason)> {
    let patience =
        patience.map(|patience| (accepted.saturating_add(patience), EndReason::TimedOut));
    let deadline = deadline.map(|deadline| (accepted.saturating_add(deadline), EndReason::Expired));
    match (patience, deadline) {
        (Some(patience), Some(deadline)) if deadline.0 < patience.0 => Some(deadline),
        (patience, deadline) => patience.or(deadline),
    }
}
