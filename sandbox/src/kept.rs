//! What is kept of the requests that came: messages that were taken, and the latest of all others.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::delivered::Delivered;

/// How many messages are kept, and how many bytes of them and their requests; older ones make room.
const MOST: usize = 200_000;
const MOST_BYTES: usize = 256 << 20;
/// The same of requests that brought no message.
const MOST_OTHERS: usize = 200;
const MOST_OTHER_BYTES: usize = 4 << 20;

/// A message with the request that brought it.
pub(crate) struct Taken {
    /// Its place among all that were ever taken.
    pub number: u64,
    pub service: &'static str,
    pub delivered: Delivered,
    pub time: u64,
    pub request: Arc<Value>,
    pub bytes: usize,
}

/// A request that brought no message: one that was refused, or that asked for something else.
pub(crate) struct Other {
    pub service: &'static str,
    pub time: u64,
    pub request: Value,
    pub status: u16,
    /// The beginning of the answer.
    pub answer: String,
    pub bytes: usize,
}

/// Messages and other requests, oldest first.
#[derive(Default)]
pub(crate) struct Kept {
    pub messages: VecDeque<Taken>,
    bytes: usize,
    number: u64,
    pub others: VecDeque<Other>,
    other_bytes: usize,
}

impl Kept {
    /// Keeps a message, and gives it its number.
    pub(crate) fn keep(&mut self, taken: Taken) {
        self.number += 1;
        self.bytes += taken.bytes;
        self.messages.push_back(Taken { number: self.number, ..taken });
        while self.messages.len() > MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes -= oldest.bytes;
        }
    }

    /// Keeps a request that brought no message.
    pub(crate) fn keep_other(&mut self, other: Other) {
        self.other_bytes += other.bytes;
        self.others.push_back(other);
        while self.others.len() > MOST_OTHERS || self.other_bytes > MOST_OTHER_BYTES {
            let Some(oldest) = self.others.pop_front() else { break };
            self.other_bytes -= oldest.bytes;
        }
    }

    /// Forgets everything but the numbers.
    pub(crate) fn clear(&mut self) {
        *self = Kept { number: self.number, ..Kept::default() };
    }

    /// The message of a number, while it is kept.
    pub(crate) fn message(&self, number: u64) -> Option<&Taken> {
        let at = number.checked_sub(self.messages.front()?.number)?;
        self.messages.get(usize::try_from(at).ok()?)
    }
}

impl Taken {
    /// What `/_/messages` shows.
    pub(crate) fn to_json(&self) -> Value {
        let mut json = json!({"service": self.service});
        if let Value::Object(map) = &mut json {
            map.extend(self.delivered.to_json());
        }
        json["time"] = self.time.into();
        json["request"] = (*self.request).clone();
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bytes: usize) -> Taken {
        let (delivered, request) = (Delivered::default(), Arc::default());
        Taken { number: 0, service: "fanfou", delivered, time: 0, request, bytes }
    }

    #[test]
    fn older_messages_make_room() {
        let mut kept = Kept::default();
        for _ in 0..=MOST {
            kept.keep(taken(1));
        }
        assert_eq!((kept.messages.len(), kept.bytes), (MOST, MOST));
        assert!(kept.message(1).is_none() && kept.message(u64::MAX).is_none());
        assert_eq!(kept.message(2).map(|taken| taken.number), Some(2));
        kept.keep(taken(MOST_BYTES));
        assert_eq!((kept.messages.len(), kept.bytes), (1, MOST_BYTES));
        kept.clear();
        assert_eq!((kept.messages.len(), kept.bytes), (0, 0));
        kept.keep(taken(1));
        assert_eq!(kept.messages[0].number, MOST as u64 + 3, "numbers are never given again");
    }

    #[test]
    fn older_requests_make_room() {
        let mut kept = Kept::default();
        let other = |bytes| Other {
            service: "fanfou",
            time: 0,
            request: Value::Null,
            status: 401,
            answer: String::new(),
            bytes,
        };
        for _ in 0..=MOST_OTHERS {
            kept.keep_other(other(1));
        }
        assert_eq!(kept.others.len(), MOST_OTHERS);
        kept.keep_other(other(MOST_OTHER_BYTES));
        assert_eq!((kept.others.len(), kept.other_bytes), (1, MOST_OTHER_BYTES));
    }
}
