//! Ordered messages: each waits for the earlier ordered ones to its recipient, and for no others.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

/// The tickets of a recipient's queue, by their numbers.
type RecipientQueue = BTreeMap<u64, Arc<Notify>>;

/// The queues of a client, by recipient; one that is empty is gone.
#[derive(Default)]
pub struct RecipientQueues(Mutex<HashMap<String, RecipientQueue>>);

/// A place in a recipient's queue; it ends when it is dropped.
pub struct Ticket {
    queues: Arc<RecipientQueues>,
    recipient: String,
    number: u64,
    called: Arc<Notify>,
}

impl RecipientQueues {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, RecipientQueue>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// How many recipients have a queue.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Takes the last place in the queue of a recipient.
    pub fn join(self: &Arc<Self>, recipient: String) -> Box<Ticket> {
        let called = Arc::new(Notify::new());
        let mut queues = self.lock();
        let queue = queues.entry(recipient.clone()).or_default();
        let number = queue.last_key_value().map_or(0, |(last, _)| last + 1);
        queue.insert(number, Arc::clone(&called));
        Box::new(Ticket { queues: Arc::clone(self), recipient, number, called })
    }
}

impl Ticket {
    /// Waits until everybody before has ended.
    pub async fn turn(&self) {
        while !self.is_first() {
            self.called.notified().await;
        }
    }

    fn is_first(&self) -> bool {
        let queues = self.queues.lock();
        let first = queues.get(&self.recipient).and_then(|queue| queue.first_key_value());
        first.is_none_or(|(first, _)| *first == self.number)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut queues = self.queues.lock();
        let Some(queue) = queues.get_mut(&self.recipient) else { return };
        queue.remove(&self.number);
        match queue.first_key_value() {
            // A call that nobody needs any more is kept for nobody: each place has its own.
            Some((_, next)) => next.notify_one(),
            None => {
                queues.remove(&self.recipient);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_turn(ticket: &Ticket) -> bool {
        ticket.is_first()
    }

    #[test]
    fn a_place_waits_for_all_before_it_even_if_one_between_gives_up() {
        let queues = Arc::new(RecipientQueues::default());
        let join = |recipient: &str| queues.join(recipient.to_owned());
        let (first, second, third) = (join("a"), join("a"), join("a"));
        assert!(is_turn(&first) && !is_turn(&second) && !is_turn(&third));
        assert!(is_turn(&join("b")), "another recipient's queue is another");
        drop(second);
        assert!(!is_turn(&third), "the first is still there");
        drop(first);
        assert!(is_turn(&third));
        drop(third);
        assert!(queues.lock().is_empty());
    }
}
