//! What an outbox holds of an earlier run of the same file.

use std::collections::{HashMap, VecDeque};

use hongyan::{Delivery, OutboxFile, OutboxState};

use super::report::Known;
use super::source::Entry;
use crate::outbox;

/// A message that an earlier run submitted.
pub enum Before {
    /// Its result was acknowledged; it was not sent, or may have been.
    Ended(Known),
    /// Its result is yet to come, or to come again.
    Open { id: String },
}

impl Before {
    /// The id of one whose result is yet to come.
    pub fn open(self) -> Option<String> {
        match self {
            Before::Open { id } => Some(id),
            Before::Ended(_) => None,
        }
    }
}

/// The messages of an outbox, by account and key.
#[derive(Default)]
pub struct Earlier {
    rows: HashMap<(String, String), VecDeque<Before>>,
}

impl Earlier {
    /// Reads what stands in the file; one that is not there yet holds nothing.
    pub fn read(file: &OutboxFile) -> anyhow::Result<Earlier> {
        let mut earlier = Earlier::default();
        if !file.exists() {
            return Ok(earlier);
        }
        outbox::each(file, |row| {
            let Some(key) = row.key.clone() else { return Ok(true) };
            let of_key = earlier.rows.entry((row.account.clone(), key.clone())).or_default();
            if row.state == OutboxState::Dead {
                let result = outbox::result(&row);
                let delivery = row.delivery.unwrap_or(Delivery::MaybeSent);
                of_key.push_back(Before::Ended(Known::of_result(&result, Some(key), delivery)));
            } else {
                // One that was tried again counts before its dead letter.
                of_key.push_front(Before::Open { id: row.id });
            }
            Ok(true)
        })?;
        Ok(earlier)
    }

    /// What became of a message, if an earlier run submitted it.
    pub fn take(&mut self, entry: &Entry) -> Option<Before> {
        let (account, key) = (entry.account.clone()?, entry.key.clone()?);
        self.rows.get_mut(&(account, key))?.pop_front()
    }
}
