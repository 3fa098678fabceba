//! The recipients of accounts that others send with: a client that only submits needs no account, and yet its
//! message must count for its key and its line as the same message does that names its recipient.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use crate::model::message::{Message, To};

/// To whom messages go that name no recipient, as senders told it; of an account that has none, nothing.
#[derive(Default)]
pub struct Recipients(Mutex<HashMap<String, To>>);

impl Recipients {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, To>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A sender told this of its account.
    pub fn hear(&self, account: &str, to: To) {
        match to.is_empty() {
            true => self.lock().remove(account),
            false => self.lock().insert(account.to_owned(), to),
        };
    }

    /// True if nothing else was told last of this account.
    pub fn knows(&self, account: &str, to: &To) -> bool {
        self.lock().get(account).map_or(to.is_empty(), |told| told == to)
    }

    /// Gives a message that names no recipient the one that was told of its account.
    pub fn address(&self, message: &mut Message) {
        if message.to.is_empty()
            && let Some(to) = self.lock().get(&message.account)
        {
            message.to = to.clone();
        }
    }
}
