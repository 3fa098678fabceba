//! Idempotency keys: two messages with one key on one account are one message.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Message;
use crate::model::receipt::{Delivery, Receipt};

/// How long a message that was sent, or may have been, is remembered.
const REMEMBERED: Duration = Duration::from_secs(600);
/// How many of them are.
const MOST: usize = 100_000;

type Id = (String, String);
pub type Content = [u8; 32];
type Verdict = Option<Arc<Receipt>>;

/// What a key means for the message that brings it.
pub enum Claim {
    /// It is the first: its verdict is everybody's.
    First(Held),
    /// The first is still under way: its verdict comes through here.
    Joined(watch::Receiver<Verdict>),
    /// The first has its verdict already.
    Known(Arc<Receipt>),
}

enum State {
    UnderWay(watch::Receiver<Verdict>),
    Done(Arc<Receipt>),
}

#[derive(Default)]
struct Live {
    keys: HashMap<Id, (Content, State)>,
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
        let content = content(message);
        let mut live = self.lock();
        live.forget(now);
        match live.keys.get(&id) {
            Some((other, _)) if *other != content => Err(conflict(key)),
            Some((_, State::UnderWay(verdict))) => Ok(Claim::Joined(verdict.clone())),
            Some((_, State::Done(receipt))) => Ok(Claim::Known(Arc::clone(receipt))),
            None => {
                let (sender, receiver) = watch::channel(None);
                live.keys.insert(id.clone(), (content, State::UnderWay(receiver)));
                Ok(Claim::First(Held { keys: Arc::clone(self), id, sender }))
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

/// A key that its first message holds; it must end with that message's verdict.
pub struct Held {
    keys: Arc<Keys>,
    id: Id,
    sender: watch::Sender<Verdict>,
}

impl Held {
    /// Tells everybody the verdict; what was not sent frees the key.
    pub fn end(self, receipt: &Receipt, now: Duration) {
        let receipt = Arc::new(receipt.clone());
        // What is remembered for long is small: not the answer as it came.
        let remembered = Receipt { raw: None, ..Receipt::clone(&receipt) };
        let mut live = self.keys.lock();
        if receipt.delivery == Delivery::NotSent {
            live.keys.remove(&self.id);
        } else {
            if let Some((_, state)) = live.keys.get_mut(&self.id) {
                *state = State::Done(Arc::new(remembered));
            }
            live.done.push_back((now, self.id));
            live.forget(now);
        }
        drop(live);
        self.sender.send_replace(Some(receipt));
    }
}

/// The error of a message whose key means another one.
pub fn conflict(key: &str) -> Error {
    let words = format!("the key {key:?} belongs to a message with another content");
    Error::new(ErrorCode::Message, words).at("key")
}

/// What makes two messages the same, when and in whatever order they shall go.
pub fn content(message: &Message) -> Content {
    let Message { to, text, parts, reply_to, extra, .. } = message;
    let shown = format!("{to:?}\n{text:?}\n{parts:?}\n{reply_to:?}\n{extra:?}");
    Sha256::digest(shown).into()
}
