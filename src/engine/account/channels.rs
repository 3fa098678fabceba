//! What steps gave that is the same for every message to a recipient: the ids of channels.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use crate::model::error::ErrorCode;
use crate::service::api::{Draft, Remember};

/// Beyond this many the memory begins anew.
const MOST: usize = 10_000;

/// Who asks for what must not be asked for twice: whoever holds the lock.
pub type Turn = tokio::sync::OwnedMutexGuard<()>;

/// What is remembered, by who sends and to whom; in memory only.
#[derive(Default)]
pub struct Channels {
    known: Mutex<HashMap<String, Known>>,
    turns: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

/// A value, and until when it holds.
struct Known {
    value: String,
    ends: Option<Duration>,
}

impl Channels {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Puts what is remembered into a draft that lacks it, and takes out of it what is too old.
    pub fn recall(&self, sender: &str, draft: &mut Draft, now: Duration) {
        for remember in std::mem::take(&mut draft.remember) {
            let name = remember.name;
            if remember.lasts.is_some() {
                draft.let_go(name);
            }
            if draft.kept(name).is_none() {
                let mut known = self.lock();
                let key = key(sender, &remember);
                match known.get(&key) {
                    Some(Known { ends: Some(ends), .. }) if *ends <= now => {
                        drop(known.remove(&key))
                    }
                    Some(Known { value, .. }) => draft.keep(name, value.clone()),
                    None => {}
                }
            }
            draft.remember.push(remember);
        }
    }

    /// Remembers what a step has just given, of what the draft lacked before it; `asked` is when.
    pub fn remember(&self, sender: &str, draft: &Draft, lacked: &[&str], asked: Duration) {
        for remember in draft.remember.iter().filter(|own| lacked.contains(&own.name)) {
            let Some(value) = draft.kept(remember.name) else { continue };
            let mut known = self.lock();
            if known.len() >= MOST {
                known.clear();
            }
            let ends = remember.lasts.map(|lasts| asked.saturating_add(lasts));
            known.insert(key(sender, remember), Known { value: value.to_owned(), ends });
        }
    }

    /// Forgets what the service says by this error to hold no more, here and in the draft, with all that
    /// was made of it; false if that is nothing.
    pub fn forget(&self, sender: &str, draft: &mut Draft, error: ErrorCode) -> bool {
        let is_gone = |own: &Remember| own.gone.contains(&error) && draft.kept(own.name).is_some();
        if !draft.remember.iter().any(is_gone) {
            return false;
        }
        for remember in std::mem::take(&mut draft.remember) {
            let (mut known, key) = (self.lock(), key(sender, &remember));
            // Another message may have got a new one meanwhile.
            if known.get(&key).is_some_and(|own| Some(&*own.value) == draft.kept(remember.name)) {
                known.remove(&key);
            }
            drop(known);
            draft.let_go(remember.name);
            draft.remember.push(remember);
        }
        true
    }

    /// The turn to ask for what a draft lacks, where only one may ask at a time.
    pub fn turn(&self, sender: &str, draft: &Draft) -> Option<Arc<tokio::sync::Mutex<()>>> {
        let key = key(sender, draft.lacks().find(|own| own.alone)?);
        let mut turns = self.turns.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(turn) = turns.get(&key).and_then(Weak::upgrade) {
            return Some(turn);
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(key, Arc::downgrade(&turn));
        Some(turn)
    }
}

fn key(sender: &str, remember: &Remember) -> String {
    format!("{} {} {}", sender, remember.name, remember.of)
}
