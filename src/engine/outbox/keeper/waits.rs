//! What the keeper waits for, and what it takes then of what is to be written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::outbox::keeper::Keeper;
use crate::engine::outbox::{GATHERS_FOR, LAZY, Pending};
use crate::engine::store::Change;

/// Nobody sleeps longer, whatever the calendar says: it may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Leaves a few of these changes, and gives the others: first acknowledgements, which make room on the
/// disk, then what goes on, and what is new by itself, so that it holds nothing else up.
fn few(changes: &mut Vec<Pending>, most: usize) -> Vec<Pending> {
    let rank = |pending: &Pending| match pending.change {
        Change::Ack { .. } => 0,
        Change::Accept(_) => 2,
        _ => 1,
    };
    changes.sort_by_key(rank);
    let first = changes.first().map(rank);
    let same = changes.iter().take_while(|change| Some(rank(change)) == first).count();
    changes.split_off(same.min(most))
}

impl Keeper {
    /// Waits for changes, for time to pass or for the end; takes what there is to write.
    pub(super) fn next(&mut self) -> (Vec<Pending>, bool) {
        let outbox = Arc::clone(&self.outbox);
        let until = Instant::now() + self.sleep();
        // After a failure nothing is tried before its time, save what somebody waits for.
        let not_before = Instant::now() + self.pause;
        let mut state = outbox.lock();
        loop {
            let now = Instant::now();
            let lazy = state.lazy_since.is_some_and(|since| now >= since + LAZY);
            let accepts = || state.pending.iter().any(|pending| pending.wants.is_caller());
            let gathers = state.io_works_since.map(|since| since + GATHERS_FOR);
            let gathers = gathers.filter(|until| now < *until);
            let write =
                (state.urgent || lazy) && gathers.is_none() && (now >= not_before || accepts());
            let other = state.nudged || (state.stopping && !self.stopped) || now >= until;
            if write || other || state.ends {
                let mut taken = Vec::new();
                if write || state.ends {
                    taken = std::mem::take(&mut state.pending);
                    (state.urgent, state.untold) = (false, false);
                    state.lazy_since = None;
                    if now < not_before && !state.ends {
                        // Before its time only that is tried which a caller waits for.
                        let (callers, others) =
                            taken.into_iter().partition(|pending| pending.wants.is_caller());
                        (taken, state.pending) = (callers, others);
                    } else if let Some(most) = self.careful {
                        state.pending = few(&mut taken, most);
                    }
                    if !state.pending.is_empty() {
                        state.urgent = true;
                        state.lazy_since = Some(now);
                    }
                }
                state.nudged = false;
                self.stopped |= state.stopping;
                let (left, cancelled) =
                    (std::mem::take(&mut state.left), std::mem::take(&mut state.cancelled));
                for (name, removed) in std::mem::take(&mut state.accounts) {
                    match removed {
                        true => self.removed.insert(name, 0),
                        false => self.removed.remove(&name),
                    };
                }
                let ends = state.ends && state.pending.is_empty();
                drop(state);
                self.loaded.retain(|seq| !left.contains(seq));
                cancelled.into_iter().for_each(|message| self.cancel(message));
                return (taken, ends);
            }
            let mut wait = until;
            if let Some(since) = state.lazy_since {
                wait = wait.min(not_before.max(if state.urgent { now } else { since + LAZY }));
            }
            if let Some(gathers) = gathers.filter(|_| state.urgent) {
                wait = gathers;
            }
            let wait = wait.saturating_duration_since(now).max(Duration::from_millis(1));
            state = outbox.news.wait_timeout(state, wait).unwrap_or_else(|p| p.into_inner()).0;
        }
    }

    fn sleep(&self) -> Duration {
        if !self.pause.is_zero() {
            return self.pause;
        }
        let now = self.shared.clock.unix_ms();
        let next = self.next_time.filter(|_| self.does.sends && !self.stopped);
        let next = next.map(|at| Duration::from_millis(at.saturating_sub(now)));
        next.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP).min(self.store.rests())
    }
}
