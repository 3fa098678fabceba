//! Receipts on their way from the core's one queue to whoever submitted the message.
//!
//! A token is a mailbox and a number in it. Whoever takes receipts from the core puts each into its
//! mailbox. Of those who wait, one leads: it waits in the core, the others wait for it here.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use hongyan::{Client, Error, ErrorCode, Origin, Receipt, Result, Waited};

/// How many receipts are taken from the core at once.
const MOST: usize = 256;

/// The mailbox of `submit()` and `results()`.
pub const RESULTS: u32 = 0;

/// A mailbox that nobody has: who waits for it sorts what comes for the others.
pub const NOBODY: u32 = u32::MAX;

/// A receipt and its number in its mailbox.
pub type Numbered = (u32, Receipt);

/// The token of a message: its mailbox, and its number there.
pub fn token(mailbox: u32, number: u32) -> u64 {
    (u64::from(mailbox) << 32) | u64::from(number)
}

#[derive(Default)]
struct Mailbox {
    ready: VecDeque<Numbered>,
    /// True if somebody has to be called when something comes.
    calls: bool,
}

struct State {
    mailboxes: HashMap<u32, Mailbox>,
    next_mailbox: u32,
    /// What to say of messages that the core could not even be given; see [`Router::explain`].
    explained: HashMap<u64, Error>,
    leading: bool,
    waiting: usize,
    /// The core is closed and empty.
    ended: bool,
}

/// The mailboxes of one client.
pub struct Router {
    state: Mutex<State>,
    news: Condvar,
}

/// What a turn of waiting brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There is something in the mailbox.
    Some,
    /// The time ran out.
    Nothing,
    /// The client is closed, and everything was handed out.
    Ended,
}

impl Router {
    /// No mailboxes but that of `results()`.
    pub fn new() -> Router {
        let state = State {
            mailboxes: HashMap::from([(RESULTS, Mailbox::default())]),
            next_mailbox: RESULTS + 1,
            explained: HashMap::new(),
            leading: false,
            waiting: 0,
            ended: false,
        };
        Router { state: Mutex::new(state), news: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A new mailbox; `calls` if its owner does not wait for it, but is called.
    pub fn open(&self, calls: bool) -> u32 {
        let mut state = self.lock();
        let mailbox = state.next_mailbox;
        state.next_mailbox += 1;
        state.mailboxes.insert(mailbox, Mailbox { ready: VecDeque::new(), calls });
        mailbox
    }

    /// The end of a mailbox; what still comes for it is dropped.
    pub fn close(&self, mailbox: u32) {
        self.lock().mailboxes.remove(&mailbox);
    }

    /// Takes note of the error that the receipt of this token has to show.
    ///
    /// A message that is no JSON would have no receipt. Instead a stand-in is submitted, which the
    /// core refuses, and its receipt gets the true reason.
    pub fn explain(&self, token: u64, error: Error) {
        self.lock().explained.insert(token, error);
    }

    /// Forgets that.
    pub fn explained(&self, token: u64) {
        self.lock().explained.remove(&token);
    }

    /// How many receipts are in a mailbox.
    pub fn ready(&self, mailbox: u32) -> usize {
        self.lock().mailboxes.get(&mailbox).map_or(0, |mailbox| mailbox.ready.len())
    }

    /// Takes out the oldest receipt of a mailbox.
    pub fn pop(&self, mailbox: u32) -> Option<Numbered> {
        self.lock().mailboxes.get_mut(&mailbox)?.ready.pop_front()
    }

    /// Takes out all that is in a mailbox.
    pub fn empty(&self, mailbox: u32, into: &mut VecDeque<Numbered>) {
        if let Some(mailbox) = self.lock().mailboxes.get_mut(&mailbox) {
            into.append(&mut mailbox.ready);
        }
    }

    /// Waits until something is in the mailbox, at most so long; tells which others want a call.
    pub fn wait(
        &self,
        client: &Client,
        mailbox: u32,
        time_out: Duration,
        calls: &mut Vec<u32>,
    ) -> Result<Turn> {
        let until = Instant::now() + time_out;
        let mut state = self.lock();
        loop {
            if state.mailboxes.get(&mailbox).is_some_and(|mailbox| !mailbox.ready.is_empty()) {
                return Ok(Turn::Some);
            }
            if state.ended {
                return Ok(Turn::Ended);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() && !time_out.is_zero() {
                return Ok(Turn::Nothing);
            }
            if state.leading && !time_out.is_zero() {
                state.waiting += 1;
                state = self.news.wait_timeout(state, left).unwrap_or_else(|p| p.into_inner()).0;
                state.waiting -= 1;
                continue;
            }
            // Who does not wait may look beside the leader.
            let leads = !std::mem::replace(&mut state.leading, true);
            drop(state);
            let taken = client.wait(Some(left), MOST);
            state = self.lock();
            if leads {
                state.leading = false;
            }
            let found = state.sort(taken, calls);
            if state.waiting > 0 {
                self.news.notify_all();
            }
            found?;
            if !calls.is_empty() && !time_out.is_zero() {
                // Those who want a call do not wait until our own time is over.
                let some = state.mailboxes.get(&mailbox).is_some_and(|m| !m.ready.is_empty());
                return Ok(if some { Turn::Some } else { Turn::Nothing });
            }
            if time_out.is_zero() {
                let some = state.mailboxes.get(&mailbox).is_some_and(|m| !m.ready.is_empty());
                return Ok(match (some, state.ended) {
                    (true, _) => Turn::Some,
                    (false, true) => Turn::Ended,
                    (false, false) => Turn::Nothing,
                });
            }
        }
    }
}

impl State {
    /// Puts what was taken into its mailboxes.
    fn sort(&mut self, taken: Result<Waited>, calls: &mut Vec<u32>) -> Result<()> {
        let receipts = match taken {
            Ok(Waited::Results(receipts)) => receipts,
            Ok(Waited::Nothing) => return Ok(()),
            Err(error) if error.code() == ErrorCode::Closed => {
                self.ended = true;
                // Whoever is called has to learn of the end too.
                calls.extend(self.mailboxes.iter().filter(|(_, m)| m.calls).map(|(id, _)| *id));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for mut receipt in receipts {
            if !self.explained.is_empty()
                && let Some(error) = self.explained.remove(&receipt.token)
            {
                receipt.error = Some(error);
            }
            let (id, number) = match receipt.origin {
                Origin::ThisRun => ((receipt.token >> 32) as u32, receipt.token as u32),
                // Whoever submitted it is no more.
                Origin::EarlierRun => (RESULTS, 0),
            };
            let Some(mailbox) = self.mailboxes.get_mut(&id) else { continue };
            if mailbox.calls && mailbox.ready.is_empty() {
                calls.push(id);
            }
            mailbox.ready.push_back((number, receipt));
        }
        Ok(())
    }
}
