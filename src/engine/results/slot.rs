//! Places among those in flight.

use std::sync::atomic::Ordering;

use super::sync::{Arc, AtomicUsize};
use crate::model::error::{Error, ErrorCode, Result};

/// How many may be in flight, and how many are.
pub struct Limit<'a> {
    /// Whose limit it is; `None` for the client's.
    pub account: Option<&'a str>,
    pub count: &'a Arc<AtomicUsize>,
    pub most: usize,
}

/// A place among those in flight, held from accept until the result is taken.
#[derive(Debug, Default)]
pub struct Slot([Option<Arc<AtomicUsize>>; 2]);

impl Slot {
    /// Takes a place where `limits` allow it; the name is of what is full.
    pub fn take(limits: [Option<Limit<'_>>; 2]) -> Result<Slot> {
        let mut slot = Slot([None, None]);
        for (place, limit) in slot.0.iter_mut().zip(limits) {
            let Some(Limit { account, count, most }) = limit else { continue };
            let below = |n: usize| (n < most).then_some(n + 1);
            if count.fetch_update(Ordering::AcqRel, Ordering::Acquire, below).is_err() {
                let whose = account
                    .map_or_else(|| "the client".to_owned(), |name| format!("account {name:?}"));
                let words = format!(
                    "max_in_flight of {whose} is reached: {most} sends have no result taken yet"
                );
                return Err(Error::new(ErrorCode::Full, words)
                    .hint("take results with hy_wait, or raise max_in_flight"));
            }
            *place = Some(Arc::clone(count));
        }
        Ok(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        for count in self.0.iter().flatten() {
            count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
