//! Sliding windows over events.

use std::collections::{HashMap, VecDeque};

use crate::exchange::Call;

/// How many keys have a window of their own at once; beyond it, those that are empty make room.
const MOST_KEYS: usize = 10_000;

/// Lets at most `count` events pass in any span of `per_ms` milliseconds.
#[derive(Debug)]
pub(crate) struct Window {
    count: usize,
    per_ms: u64,
    passed: VecDeque<u64>,
}

/// What a window says to an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Room {
    pub passed: bool,
    pub limit: usize,
    /// How many more may pass now.
    pub remaining: usize,
    /// When the next of those that passed leaves the window: for one that is refused, how long to wait.
    pub reset_ms: u64,
}

impl Room {
    /// The wait in whole seconds, not too short.
    pub(crate) fn reset_s(&self) -> u64 {
        self.reset_ms.div_ceil(1000)
    }
}

impl Window {
    pub(crate) fn new(count: usize, per_ms: u64) -> Window {
        Window { count, per_ms, passed: VecDeque::new() }
    }

    /// Counts one event at `now_ms`, or refuses it; what is refused does not count.
    pub(crate) fn pass(&mut self, now_ms: u64) -> bool {
        self.ask(now_ms).passed
    }

    /// The same, with what a service says in its headers.
    pub(crate) fn ask(&mut self, now_ms: u64) -> Room {
        self.tidy(now_ms);
        let passed = self.passed.len() < self.count;
        if passed {
            self.passed.push_back(now_ms);
        }
        let reset_ms = self.passed.front().map_or(0, |then| then + self.per_ms - now_ms);
        Room { passed, limit: self.count, remaining: self.count - self.passed.len(), reset_ms }
    }

    fn tidy(&mut self, now_ms: u64) {
        while self.passed.front().is_some_and(|then| now_ms >= then + self.per_ms) {
            self.passed.pop_front();
        }
    }
}

/// A window for each of many keys, such as recipients.
#[derive(Debug)]
pub(crate) struct Windows {
    count: usize,
    per_ms: u64,
    windows: HashMap<String, Window>,
}

impl Windows {
    pub(crate) fn new(count: usize, per_ms: u64) -> Windows {
        Windows { count, per_ms, windows: HashMap::new() }
    }

    /// Asks the window of `key`; where the sandbox's limits are off everything passes.
    pub(crate) fn ask(&mut self, key: &str, call: &Call) -> Room {
        if !call.limits {
            return Room { passed: true, limit: self.count, remaining: self.count, reset_ms: 0 };
        }
        if self.windows.len() >= MOST_KEYS {
            self.windows.retain(|_, window| {
                window.tidy(call.now_ms);
                !window.passed.is_empty()
            });
        }
        let window = self.windows.entry(key.to_owned());
        window.or_insert_with(|| Window::new(self.count, self.per_ms)).ask(call.now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_count_in_any_span() {
        let mut window = Window::new(2, 1000);
        assert!(window.pass(0));
        assert!(window.pass(900));
        assert!(!window.pass(999));
        assert!(window.pass(1000), "the first has left the span");
        assert!(!window.pass(1899));
        assert!(window.pass(1900));
    }

    #[test]
    fn each_key_has_its_own_room_and_is_told_it() {
        let mut windows = Windows::new(2, 1000);
        let mut call = Call { limits: true, ..Call::default() };
        let room = |passed, remaining, reset_ms| Room { passed, limit: 2, remaining, reset_ms };
        assert_eq!(windows.ask("a", &call), room(true, 1, 1000));
        call.now_ms = 400;
        assert_eq!(windows.ask("a", &call), room(true, 0, 600));
        assert_eq!(windows.ask("a", &call), room(false, 0, 600));
        assert_eq!(windows.ask("a", &call).reset_s(), 1);
        assert_eq!(windows.ask("b", &call), room(true, 1, 1000));
        call.limits = false;
        assert!(windows.ask("a", &call).passed);
        call.limits = true;
        for key in 0..=MOST_KEYS {
            windows.ask(&key.to_string(), &call);
        }
        call.now_ms = 1400;
        windows.ask("c", &call);
        assert_eq!(windows.windows.len(), 1, "those that are empty make room");
    }
}
