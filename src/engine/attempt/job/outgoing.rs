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

/// Where a send is, and so who sees to its key, its line and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory alone: the job does.
    Memory,
    /// In memory, for its caller; its key and its line are seen to elsewhere, its time is not.
    Tied,
    /// In an outbox, which sees to all of them: its time has come.
    Outbox,
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
        place: Place,
    ) -> (Outgoing, Option<Error>) {
        let accepted = shared.clock.now();
        let is_tied = place != Place::Memory;
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
        if let (None, Some(own), false) = (&refused, &message.key, is_tied) {
            match shared.keys.claim(own, message, accepted) {
                Ok(claim) => key = Some(claim),
                Err(error) => refused = Some(error),
            }
        }
        let follows = matches!(key, Some(Claim::Joined(_) | Claim::Known(_)));
        let ordered = message.ordered && refused.is_none() && !is_tied;
        let mut queues_later = ordered.then(|| queue_of(message));
        let ticket =
            queues_later.take_if(|_| !follows).map(|queue| shared.recipient_queues.join(queue));
        let until = earliest(accepted, patience, message.deadline_ms.map(Duration::from_millis));
        let not_before = message.not_before_ms.filter(|_| place != Place::Outbox).and_then(|at| {
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
