//! A host that requests go to, and whether it can be trusted with keeping its connections.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::connections::Connections;

/// So many reuses in a row prove that a host keeps its connections.
const PROVEN: u32 = 3;
/// A host that closes a connection after its answer has done so by then.
const CLOSES_WITHIN: Duration = Duration::from_millis(3);

/// A host, shared by the accounts that speak to it.
pub struct Host {
    pub connections: Arc<Connections>,
    habit: Mutex<Habit>,
}

#[derive(Default)]
struct Habit {
    reuses: u32,
    last_answer: Option<Duration>,
}

impl Host {
    /// A host that gets at most so many connections.
    pub fn new(connections: usize) -> Host {
        Host { connections: Arc::new(Connections::new(connections)), habit: Mutex::default() }
    }

    fn habit(&self) -> std::sync::MutexGuard<'_, Habit> {
        self.habit.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// When a connection that has just been used may be used again.
    ///
    /// A request on a connection that its host is about to close is lost, and nobody can know
    /// whether it arrived. Until a host has proven that it keeps connections, it is given the time
    /// to close them.
    pub fn settled_at(&self) -> Option<Duration> {
        let habit = self.habit();
        habit.last_answer.filter(|_| habit.reuses < PROVEN).map(|last| last + CLOSES_WITHIN)
    }

    /// The host answered.
    pub fn answered(&self, now: Duration, reused: bool) {
        let mut habit = self.habit();
        habit.reuses = if reused { habit.reuses.saturating_add(1) } else { 0 };
        habit.last_answer = Some(now);
    }

    /// A request was lost on its way.
    pub fn lost(&self) {
        self.habit().reuses = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_trusted_once_it_has_kept_its_connections() {
        let host = Host::new(1);
        let at = Duration::from_secs(5);
        assert_eq!(host.settled_at(), None, "nothing was used yet");
        host.answered(at, false);
        assert_eq!(host.settled_at(), Some(at + CLOSES_WITHIN));
        (0..PROVEN).for_each(|_| host.answered(at, true));
        assert_eq!(host.settled_at(), None);
        host.lost();
        assert!(host.settled_at().is_some());
    }
}
