//! A sliding window over events.

use std::collections::VecDeque;

/// Lets at most `count` events pass in any span of `per_ms` milliseconds.
#[derive(Debug)]
pub(crate) struct Window {
    count: usize,
    per_ms: u64,
    passed: VecDeque<u64>,
}

impl Window {
    pub(crate) fn new(count: usize, per_ms: u64) -> Window {
        Window { count, per_ms, passed: VecDeque::new() }
    }

    /// Counts one event at `now_ms`, or refuses it; what is refused does not count.
    pub(crate) fn pass(&mut self, now_ms: u64) -> bool {
        while self.passed.front().is_some_and(|then| now_ms >= then + self.per_ms) {
            self.passed.pop_front();
        }
        if self.passed.len() >= self.count {
            return false;
        }
        self.passed.push_back(now_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

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
}
