//! What steps gave that is the same for every message to a recipient: the ids of channels.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::service::api::{Draft, Remember};

/// Beyond this many the memory begins anew.
const MOST: usize = 10_000;

/// What is remembered, by who sends and to whom; in memory only.
#[derive(Default)]
pub struct Channels(Mutex<HashMap<String, String>>);

impl Channels {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Puts what is remembered into a draft that lacks it.
    pub fn recall(&self, sender: &str, draft: &mut Draft) {
        let Some(remember) = draft.remember.as_ref() else { return };
        let name = remember.name;
        if draft.kept(name).is_none() {
            let value = self.lock().get(&key(sender, remember)).cloned();
            value.into_iter().for_each(|value| draft.keep(name, value));
        }
    }

    /// Remembers what a step has just given.
    pub fn remember(&self, sender: &str, draft: &Draft) {
        let Some(remember) = draft.remember.as_ref() else { return };
        let Some(value) = draft.kept(remember.name) else { return };
        let mut channels = self.lock();
        if channels.len() >= MOST {
            channels.clear();
        }
        channels.insert(key(sender, remember), value.to_owned());
    }

    /// Forgets what the service does not know any more, here and in the draft; false if it was nothing.
    pub fn forget(&self, sender: &str, draft: &mut Draft) -> bool {
        let Some(remember) = draft.remember.as_ref() else { return false };
        let Some(value) = draft.kept(remember.name) else { return false };
        let (mut channels, key) = (self.lock(), key(sender, remember));
        // Another message may have got a new one meanwhile.
        if channels.get(&key).is_some_and(|known| known == value) {
            channels.remove(&key);
        }
        drop(channels);
        let name = remember.name;
        draft.kept.retain(|(own, _)| own != name);
        true
    }
}

fn key(sender: &str, remember: &Remember) -> String {
    format!("{} {} {}", sender, remember.name, remember.of)
}
