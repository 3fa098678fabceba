//! A host's connections, and whose request gets the next one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

/// How many times the connections that are free an account may hold beside other accounts.
///
/// So whoever comes finds some: of 64 connections one account whose requests hang holds at most
/// 43, four of them in time 14 each.
const TIMES_FREE: usize = 2;

/// The connections to one host, shared by the accounts that speak to it.
pub struct Connections {
    most: usize,
    state: Mutex<State>,
}

struct State {
    free: usize,
    queues: BTreeMap<u64, AccountQueue>,
    last_queue: u64,
    /// The accounts of whom somebody waits, in the order of their turns.
    turns: VecDeque<u64>,
}

/// One account's share of it.
#[derive(Default)]
struct AccountQueue {
    held: usize,
    waiting: VecDeque<oneshot::Sender<Permit>>,
}

impl State {
    /// True if an account that holds so many may take one more; the last one only if it has none.
    fn lets(&self, held: usize) -> bool {
        match self.free {
            0 => false,
            _ if held == 0 || self.queues.len() == 1 => true,
            1 => false,
            free => held < TIMES_FREE * free,
        }
    }

    /// Gives one connection to the next account that waits and may have it.
    fn call(&mut self) -> Option<(u64, oneshot::Sender<Permit>)> {
        for _ in 0..self.turns.len() {
            let number = self.turns.pop_front()?;
            let held = self.queues.get(&number).map_or(0, |queue| queue.held);
            let lets = self.lets(held);
            let Some(queue) = self.queues.get_mut(&number) else { continue };
            while queue.waiting.front().is_some_and(oneshot::Sender::is_closed) {
                queue.waiting.pop_front();
            }
            let waiter = if lets { queue.waiting.pop_front() } else { None };
            if !queue.waiting.is_empty() {
                self.turns.push_back(number);
            }
            if let Some(waiter) = waiter {
                queue.held += 1;
                self.free -= 1;
                return Some((number, waiter));
            }
        }
        None
    }
}

impl Connections {
    /// At most so many connections.
    pub fn new(most: usize) -> Connections {
        let (queues, turns) = (BTreeMap::new(), VecDeque::new());
        let state = State { free: most, queues, last_queue: 0, turns };
        Connections { most, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// An account begins to speak to this host.
    pub fn queue(self: &Arc<Self>) -> Arc<PermitQueue> {
        let mut state = self.state();
        state.last_queue += 1;
        let number = state.last_queue;
        state.queues.insert(number, AccountQueue::default());
        Arc::new(PermitQueue { connections: Arc::clone(self), number })
    }

    /// Hands out what is free to those who wait and may have it.
    fn hand_out(self: &Arc<Self>) {
        loop {
            let Some((number, waiter)) = self.state().call() else { return };
            // Who has gone away meanwhile gives it back here, where nothing is locked.
            drop(waiter.send(Permit { connections: Arc::clone(self), number }));
        }
    }
}

/// One account's way to the connections of a host.
pub struct PermitQueue {
    connections: Arc<Connections>,
    number: u64,
}

impl PermitQueue {
    /// True if it leads to these connections.
    pub fn is_of(&self, connections: &Arc<Connections>) -> bool {
        Arc::ptr_eq(&self.connections, connections)
    }

    fn permit(&self) -> Permit {
        Permit { connections: Arc::clone(&self.connections), number: self.number }
    }

    /// A connection, if one is free for this account and nobody of it waits.
    pub fn try_acquire(&self) -> Option<Permit> {
        let mut state = self.connections.state();
        let queue = state.queues.get(&self.number)?;
        if !queue.waiting.is_empty() || !state.lets(queue.held) {
            return None;
        }
        state.free -= 1;
        state.queues.get_mut(&self.number)?.held += 1;
        drop(state);
        Some(self.permit())
    }

    /// Waits for a connection: first come, first served within the account.
    pub async fn acquire(&self) -> Permit {
        let called = {
            let mut state = self.connections.state();
            let (caller, called) = oneshot::channel();
            let queue = state.queues.entry(self.number).or_default();
            queue.waiting.push_back(caller);
            if queue.waiting.len() == 1 {
                state.turns.push_back(self.number);
            }
            called
        };
        self.connections.hand_out();
        match called.await {
            Ok(permit) => permit,
            // A queue that lives is never forgotten, nor are those who wait in it.
            Err(_) => std::future::pending().await,
        }
    }

    /// How many connections carry a request of this account now.
    pub fn in_use(&self) -> usize {
        self.connections.state().queues.get(&self.number).map_or(0, |queue| queue.held)
    }
}

impl Drop for PermitQueue {
    fn drop(&mut self) {
        let mut state = self.connections.state();
        // What it still holds comes back by itself.
        state.queues.remove(&self.number);
        drop(state);
        self.connections.hand_out();
    }
}

/// The right to one connection, given back when it is dropped.
pub struct Permit {
    connections: Arc<Connections>,
    number: u64,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.connections.state();
        state.free = (state.free + 1).min(self.connections.most);
        if let Some(queue) = state.queues.get_mut(&self.number) {
            queue.held = queue.held.saturating_sub(1);
        }
        drop(state);
        self.connections.hand_out();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(queue: &Arc<PermitQueue>) -> Vec<Permit> {
        std::iter::from_fn(|| queue.try_acquire()).collect()
    }

    #[test]
    fn one_account_alone_may_use_them_all() {
        let queue = Arc::new(Connections::new(64)).queue();
        assert_eq!(taken(&queue).len(), 64);
        assert_eq!(taken(&queue).len(), 64, "and again, once they were given back");
    }

    #[test]
    fn accounts_that_hold_on_leave_room_for_whoever_comes() {
        let host = Arc::new(Connections::new(64));
        let queues: Vec<_> = (0..6).map(|_| host.queue()).collect();
        let held: Vec<_> = queues[..4].iter().map(taken).collect();
        let counts: Vec<_> = held.iter().map(Vec::len).collect();
        assert_eq!(counts, [43, 14, 5, 1], "each takes of what is left");
        assert_eq!(taken(&queues[4]).len(), 1, "there is one for a fifth");
        drop(held);
        assert_eq!(host.state().free, 64);
        drop(queues);
        assert!(host.state().queues.is_empty());
    }

    #[test]
    fn accounts_take_turns_and_who_goes_away_leaves_no_hole() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let host = Arc::new(Connections::new(1));
            let (one, two) = (host.queue(), host.queue());
            let held = one.try_acquire().expect("free");
            let order = Arc::new(Mutex::new(Vec::new()));
            let wait = |queue: &Arc<PermitQueue>, name: &'static str| {
                let (queue, order) = (Arc::clone(queue), Arc::clone(&order));
                tokio::spawn(async move {
                    let _permit = queue.acquire().await;
                    order.lock().expect("no panic inside").push(name);
                })
            };
            let gone = wait(&two, "gone");
            let all = [
                wait(&one, "one a"),
                wait(&one, "one b"),
                wait(&two, "two a"),
                wait(&two, "two b"),
            ];
            tokio::task::yield_now().await;
            gone.abort();
            tokio::task::yield_now().await;
            drop(held);
            for task in all {
                task.await.expect("no panic inside");
            }
            assert_eq!(*order.lock().expect("no panic"), ["two a", "one a", "two b", "one b"]);
            assert_eq!(host.state().free, 1);
        });
    }
}
