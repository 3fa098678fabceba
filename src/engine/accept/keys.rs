//! Idempotency keys: two messages with one key on one account are one message.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::model::digest;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Message;
use crate::model::receipt::{Delivery, Receipt};

/// How long a message that was sent, or may have been, is remembered.
const REMEMBERED: Duration = Duration::from_secs(600);
/// How many of them are.
const MOST: usize = 100_000;

type Id = (String, String);

/// What a key means for the message that brings it.
pub enum Claim {
    /// It is the first: its verdict is everybody's.
    First(KeyGuard),
    /// The first is still under way: what becomes of the key comes through here.
    Joined(oneshot::Receiver<KeyOutcome>),
    /// The first has its verdict already.
    Known(Arc<Receipt>),
}

/// What a message learns that waits for the first of its key.
pub enum KeyOutcome {
    /// The first has its verdict, which is everybody's.
    Verdict(Arc<Receipt>),
    /// The first ended by itself alone: the key is this message's now, and it is sent.
    First(KeyGuard),
}

enum State {
    /// Who waits for the first, oldest first.
    UnderWay(VecDeque<oneshot::Sender<KeyOutcome>>),
    Done(Arc<Receipt>),
}

#[derive(Default)]
struct Live {
    keys: HashMap<Id, ([u8; 32], State)>,
    /// Those that are done, and since when; oldest first.
    done: VecDeque<(Duration, Id)>,
}

/// The keys that are alive.
#[derive(Default)]
pub struct Keys(Mutex<Live>);

impl Keys {
    fn lock(&self) -> MutexGuard<'_, Live> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// How many keys are alive, and how many of them are done.
    #[cfg(test)]
    pub fn len(&self) -> (usize, usize) {
        let live = self.lock();
        (live.keys.len(), live.done.len())
    }

    /// Claims the key of a message; `message` where it lives with another content.
    pub fn claim(self: &Arc<Self>, key: &str, message: &Message, now: Duration) -> Result<Claim> {
        let id = (message.account.clone(), key.to_owned());
        let content = digest::digest(message);
        let mut live = self.lock();
        live.forget(now);
        match live.keys.get_mut(&id) {
            Some((other, _)) if *other != content => Err(conflict(key)),
            Some((_, State::UnderWay(waiting))) => {
                let (sender, receiver) = oneshot::channel();
                waiting.push_back(sender);
                Ok(Claim::Joined(receiver))
            }
            Some((_, State::Done(receipt))) => Ok(Claim::Known(Arc::clone(receipt))),
            None => {
                live.keys.insert(id.clone(), (content, State::UnderWay(VecDeque::new())));
                Ok(Claim::First(KeyGuard { keys: Arc::clone(self), id: Some(id) }))
            }
        }
    }
}

impl Live {
    fn forget(&mut self, now: Duration) {
        while let Some((since, _)) = self.done.front()
            && (*since + REMEMBERED <= now || self.done.len() > MOST)
        {
            if let Some((_, id)) = self.done.pop_front() {
                self.keys.remove(&id);
            }
        }
    }
}

/// A key that its first message holds; dropped without a verdict, it goes to the next.
pub struct KeyGuard {
    keys: Arc<Keys>,
    /// `None` once it is given up.
    id: Option<Id>,
}

impl KeyGuard {
    /// Tells everybody the verdict; what was not sent frees the key.
    pub fn end(mut self, receipt: &Receipt, now: Duration) {
        let Some(id) = self.id.take() else { return };
        let receipt = Arc::new(receipt.clone());
        // What is remembered for long is small: not the answer as it came.
        let remembered = Receipt { raw: None, ..Receipt::clone(&receipt) };
        let mut live = self.keys.lock();
        let state = if receipt.delivery == Delivery::NotSent {
            live.keys.remove(&id).map(|(_, state)| state)
        } else {
            let done = State::Done(Arc::new(remembered));
            let state = live.keys.get_mut(&id).map(|(_, state)| std::mem::replace(state, done));
            live.done.push_back((now, id));
            live.forget(now);
            state
        };
        drop(live);
        if let Some(State::UnderWay(waiting)) = state {
            for waits in waiting {
                // Who has ended meanwhile needs no verdict.
                let _ = waits.send(KeyOutcome::Verdict(Arc::clone(&receipt)));
            }
        }
    }
}

impl Drop for KeyGuard {
    /// The oldest of those who still wait has the key now; where nobody does, it is free.
    fn drop(&mut self) {
        while let Some(id) = self.id.take() {
            let heir = {
                let mut live = self.keys.lock();
                let heir = match live.keys.get_mut(&id) {
                    Some((_, State::UnderWay(waiting))) => waiting.pop_front(),
                    _ => None,
                };
                if heir.is_none() {
                    live.keys.remove(&id);
                }
                heir
            };
            let Some(heir) = heir else { return };
            let held = KeyGuard { keys: Arc::clone(&self.keys), id: Some(id) };
            // Who has ended meanwhile gives it back.
            if let Err(KeyOutcome::First(mut back)) = heir.send(KeyOutcome::First(held)) {
                self.id = back.id.take();
            }
        }
    }
}

/// The error of a message whose key means another one.
pub fn conflict(key: &str) -> Error {
    let words = format!("the key {key:?} belongs to a message with another content");
    Error::new(ErrorCode::Message, words).at("key")
}
