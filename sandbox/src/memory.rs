//! What was seen lately, for services that know a message again.

use std::collections::{HashMap, VecDeque};

/// How many keys are remembered at most; the oldest make room.
const MOST: usize = 10_000;

/// Values by key, each remembered for a span of time from when it was put.
#[derive(Debug)]
pub(crate) struct Memory<V> {
    span_ms: u64,
    values: HashMap<String, (u64, V)>,
    order: VecDeque<(u64, String)>,
}

impl<V> Memory<V> {
    pub(crate) fn new(span_ms: u64) -> Memory<V> {
        Memory { span_ms, values: HashMap::new(), order: VecDeque::new() }
    }

    /// The value that was put under `key` within the span.
    pub(crate) fn get(&self, key: &str, now_ms: u64) -> Option<&V> {
        let (at_ms, value) = self.values.get(key)?;
        (now_ms < at_ms + self.span_ms).then_some(value)
    }

    /// Remembers `value` from now on.
    pub(crate) fn put(&mut self, key: impl Into<String>, value: V, now_ms: u64) {
        let key = key.into();
        self.order.push_back((now_ms, key.clone()));
        self.values.insert(key, (now_ms, value));
        while let Some((at_ms, _)) = self.order.front()
            && (now_ms >= at_ms + self.span_ms || self.order.len() > MOST)
        {
            if let Some((at_ms, key)) = self.order.pop_front()
                // A younger value may have taken its place.
                && self.values.get(&key).is_some_and(|(put_ms, _)| *put_ms == at_ms)
            {
                self.values.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_for_its_span_and_so_many() {
        let mut memory = Memory::new(1000);
        memory.put("a", 1, 0);
        assert_eq!((memory.get("a", 999), memory.get("a", 1000)), (Some(&1), None));
        memory.put("a", 2, 900);
        memory.put("b", 3, 1500);
        assert_eq!((memory.get("a", 1899), memory.get("a", 1900)), (Some(&2), None));
        for n in 0..=MOST {
            memory.put(n.to_string(), n, 1600);
        }
        assert_eq!((memory.values.len(), memory.order.len()), (MOST, MOST));
        assert_eq!((memory.get("0", 1600), memory.get("1", 1600)), (None, Some(&1)));
    }
}
