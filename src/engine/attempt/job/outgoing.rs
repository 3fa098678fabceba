//! What a send carries: the message as its service will be sent it, and what it waits for before.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Shared;
use crate::engine::accept::keys::Claim;
use crate::engine::accept::order::Ticket;
use crate::engine::account::Entry;
use crate::engine::attempt::job::end::{EndReason, earliest};
use crate::engine::attempt::progress::Progress;
use crate::model::digest;
use crate::model::error::Error;
use crate::model::message::Message;
use crate::service::api::{Draft, Seed};

/// What is sent, from whom, and when.
pub struct Outgoing {
    pub entry: Option<Arc<Entry>>,
    pub draft: Draft,
    /// How far it has come, where it is sent in several requests or its recipients have results of their
    /// own.
    pub progress: Option<Box<Progress>>,
    pub accepted: Duration,
    pub not_before: Option<Duration>,
    /// The end of the caller's patience, and what it is called then.
    pub until: Option<(Duration, EndReason)>,
    /// The first message of its key holds it; another may only follow.
    pub key: Option<Claim>,
    /// Its place in its recipient's queue, if it is ordered.
    pub ticket: Option<Box<Ticket>>,
    /// The queue that it joins if it does not follow another of its key any more.
    pub(super) queues_later: Option<String>,
}

/// What an outbox sees to instead of the job.
pub struct AsKept {
    /// Its time has come.
    pub time: bool,
    /// Its key and its line are the outbox's.
    pub ties: bool,
}

impl Outgoing {
    /// Encodes a message, unless it was refused, and takes its key and its place in the order; gives
    /// back why it is refused.
    pub fn new(
        shared: &Shared,
        message: &mut Message,
        entry: Option<Arc<Entry>>,
        refused: Option<Error>,
        patience: Option<Duration>,
        as_kept: AsKept,
    ) -> (Outgoing, Option<Error>) {
        let accepted = shared.clock.now();
        let encoded = match (&refused, &entry) {
            (Some(_), _) => Ok(Draft::default()),
            (None, None) => Err(shared.accounts.unknown(&message.account)),
            (None, Some(entry)) => {
                entry.account.encode(message, Seed(shared.random(|rng| rng.u64(..))))
            }
        };
        let (mut draft, mut refused) = match encoded {
            Ok(draft) => (draft, refused),
            Err(error) => (Draft::default(), Some(error)),
        };
        let mut key = None;
        if let (None, Some(own), false) = (&refused, &message.key, as_kept.ties) {
            match shared.keys.claim(own, message, accepted) {
                Ok(claim) => key = Some(claim),
                Err(error) => refused = Some(error),
            }
        }
        let follows = matches!(key, Some(Claim::Joined(_) | Claim::Known(_)));
        let ordered = message.ordered && refused.is_none() && !as_kept.ties;
        let mut queues_later = ordered.then(|| queue_of(message));
        let ticket =
            queues_later.take_if(|_| !follows).map(|queue| shared.recipient_queues.join(queue));
        let until = earliest(accepted, patience, message.deadline_ms.map(Duration::from_millis));
        let not_before = message.not_before_ms.filter(|_| !as_kept.time).and_then(|at| {
            let wait = Duration::from_millis(at.saturating_sub(shared.clock.unix_ms()));
            (!wait.is_zero()).then(|| accepted + wait)
        });
        let progress = Progress::of(message, &mut draft);
        let outgoing = Outgoing {
            entry,
            draft,
            progress,
            accepted,
            not_before,
            until,
            key,
            ticket,
            queues_later,
        };
        (outgoing, refused)
    }
}

/// The name of the queue of ordered messages that this one stands in, among those of all accounts.
fn queue_of(message: &Message) -> String {
    format!("{}/{}", message.account, digest::recipient(&message.to))
}
