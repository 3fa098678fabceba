//! Ordered messages: each waits for the earlier ordered ones to its recipient, and for no others.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

/// The places of a recipient's line, by their numbers.
type Line = BTreeMap<u64, Arc<Notify>>;

/// The lines of a client, by recipient; one that is empty is gone.
#[derive(Default)]
pub struct Lines(Mutex<HashMap<String, Line>>);

/// A place in a recipient's line; it ends when it is dropped.
pub struct Place {
    lines: Arc<Lines>,
    recipient: String,
    number: u64,
    called: Arc<Notify>,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Line>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// How many recipients have a line.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Takes the last place in the line of a recipient.
    pub fn join(self: &Arc<Self>, recipient: String) -> Place {
        let called = Arc::new(Notify::new());
        let mut lines = self.lock();
        let line = lines.entry(recipient.clone()).or_default();
        let number = line.last_key_value().map_or(0, |(last, _)| last + 1);
        line.insert(number, Arc::clone(&called));
        Place { lines: Arc::clone(self), recipient, number, called }
    }
}

impl Place {
    /// Waits until everybody before has ended.
    pub async fn turn(&self) {
        while !self.is_first() {
            self.called.notified().await;
        }
    }

    fn is_first(&self) -> bool {
        let lines = self.lines.lock();
        let first = lines.get(&self.recipient).and_then(|line| line.first_key_value());
        first.is_none_or(|(first, _)| *first == self.number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.lines.lock();
        let Some(line) = lines.get_mut(&self.recipient) else { return };
        line.remove(&self.number);
        match line.first_key_value() {
            // A call that nobody needs any more is kept for nobody: each place has its own.
            Some((_, next)) => next.notify_one(),
            None => {
                lines.remove(&self.recipient);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_turn(place: &Place) -> bool {
        place.is_first()
    }

    #[test]
    fn a_place_waits_for_all_before_it_even_if_one_between_gives_up() {
        let lines = Arc::new(Lines::default());
        let join = |recipient: &str| lines.join(recipient.to_owned());
        let (first, second, third) = (join("a"), join("a"), join("a"));
        assert!(is_turn(&first) && !is_turn(&second) && !is_turn(&third));
        assert!(is_turn(&join("b")), "another recipient's line is another");
        drop(second);
        assert!(!is_turn(&third), "the first is still there");
        drop(first);
        assert!(is_turn(&third));
        drop(third);
        assert!(lines.lock().is_empty());
    }
}
