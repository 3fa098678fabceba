//! The sends of one client: counted from accept to result, and their results on the way to the queues.

use std::sync::Weak;
use std::time::Duration;

use super::queue::{Results, WITHOUT_END, closed};
use super::slot::Slot;
use super::sync::{Arc, Condvar, Instant, Mutex, MutexGuard};
use crate::model::error::Result;
use crate::model::receipt::Receipt;

/// Results are published when the I/O loop is about to park, or after this many.
const MAX_STAGED: usize = 64;
/// Or once the oldest has waited this long.
const MAX_STAGED_FOR: Duration = Duration::from_millis(1);

/// What the I/O loop does when it has nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnIdle {
    /// It waits for its sockets.
    Park,
    /// It looks at them without waiting.
    PollAgain,
}

/// What the lock guards. It is taken before that of a queue, and never while one of those is held.
#[derive(Default)]
struct State {
    /// Results for the client's own queue, and those for others.
    staged: Vec<(Box<Receipt>, Slot)>,
    staged_for: Vec<(Arc<Results>, Box<Receipt>, Slot)>,
    staged_since: Option<Instant>,
    /// How many were staged when the I/O loop last had nothing to do.
    staged_at_idle: usize,
    /// Sends that were accepted and have no result yet.
    unfinished: usize,
    /// How many wait until nothing is unfinished.
    flushing: usize,
    refuses: bool,
    freed: bool,
    /// The queues beside the client's own.
    others: Vec<Weak<Results>>,
}

impl State {
    fn staged(&self) -> usize {
        self.staged.len() + self.staged_for.len()
    }

    fn stage(&mut self, receipt: Box<Receipt>, slot: Slot, to: Option<Arc<Results>>) {
        match to {
            None => self.staged.push((receipt, slot)),
            Some(queue) => self.staged_for.push((queue, receipt, slot)),
        }
    }
}

/// Sends that were accepted and have no result yet, counted as such as long as this lives.
pub struct Unfinished {
    sends: Arc<Sends>,
    count: usize,
}

impl Unfinished {
    /// How many they are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// One of them, to be counted by itself; none if there is none left.
    pub fn split(&mut self) -> Option<Unfinished> {
        self.count = self.count.checked_sub(1)?;
        Some(Unfinished { sends: Arc::clone(&self.sends), count: 1 })
    }

    /// Counts others together with these.
    pub fn join(&mut self, mut others: Unfinished) {
        self.count += std::mem::take(&mut others.count);
    }

    /// Takes the result of a send, for the client's own queue or for another; `stage` where the I/O loop
    /// will publish it when it parks.
    pub fn push(
        mut self,
        receipt: Box<Receipt>,
        slot: Slot,
        to: Option<Arc<Results>>,
        stage: bool,
    ) {
        let count = std::mem::take(&mut self.count);
        let mut state = self.sends.lock();
        state.stage(receipt, slot, to);
        let since = *state.staged_since.get_or_insert_with(Instant::now);
        if !stage || state.staged() >= MAX_STAGED || since.elapsed() >= MAX_STAGED_FOR {
            self.sends.publish_locked(&mut state);
        }
        self.sends.finished(&mut state, count);
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.count > 0 {
            self.sends.finished(&mut self.sends.lock(), self.count);
        }
    }
}

/// The sends of one client.
#[derive(Default)]
pub struct Sends {
    state: Mutex<State>,
    /// Something for a flush: nothing is unfinished any more.
    idle: Condvar,
    own: Results,
}

impl Sends {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The client's own queue, where results go that were submitted for no other.
    pub fn own(&self) -> &Results {
        &self.own
    }

    /// A new queue beside it.
    pub fn open(&self) -> Result<Arc<Results>> {
        let mut state = self.lock();
        if state.refuses {
            return Err(closed());
        }
        let queue = Arc::default();
        state.others.retain(|other| other.strong_count() > 0);
        state.others.push(Arc::downgrade(&queue));
        Ok(queue)
    }

    /// Counts a send as accepted, unless the client is closed.
    pub fn accept(self: &Arc<Self>) -> Result<Unfinished> {
        let mut state = self.lock();
        if state.refuses {
            return Err(closed());
        }
        state.unfinished += 1;
        drop(state);
        Ok(Unfinished { sends: Arc::clone(self), count: 1 })
    }

    /// Counts sends of an earlier run that go on in this one.
    pub fn adopt(self: &Arc<Self>, count: usize) -> Unfinished {
        self.lock().unfinished += count;
        Unfinished { sends: Arc::clone(self), count }
    }

    /// How many results wait for the host in the client's own queue, or are on their way to it.
    pub fn ready(&self) -> usize {
        let state = self.lock();
        state.staged.len() + self.own.ready()
    }

    /// Takes a result of an earlier run, which is no send of this one.
    pub fn hand_out(&self, receipt: Box<Receipt>) {
        self.lock().staged.push((receipt, Slot::default()));
    }

    fn finished(&self, state: &mut State, count: usize) {
        state.unfinished -= count;
        // To notify nobody would still be a system call.
        if state.unfinished == 0 && state.flushing > 0 {
            self.idle.notify_all();
        }
    }

    /// The I/O loop has nothing to do: shows the host what was staged, or tells the loop to look at its
    /// sockets once more before it parks.
    ///
    /// While the last requests were written, their first answers have come. Without that look the host
    /// would be woken for a part of them, and soon after for the rest.
    pub fn on_idle(&self) -> OnIdle {
        let mut state = self.lock();
        let staged = state.staged();
        if staged == 0 {
            return OnIdle::Park;
        }
        let is_late = state.staged_since.is_none_or(|since| since.elapsed() >= MAX_STAGED_FOR);
        if state.unfinished > 0 && staged > state.staged_at_idle && !is_late {
            state.staged_at_idle = staged;
            return OnIdle::PollAgain;
        }
        self.publish_locked(&mut state);
        OnIdle::Park
    }

    /// Shows the host what was staged.
    pub fn publish(&self) {
        let mut state = self.lock();
        if state.staged() > 0 {
            self.publish_locked(&mut state);
        }
    }

    /// The lock stays held: results of one queue keep their order, and the places of what a freed queue
    /// drops are free once the lock is.
    fn publish_locked(&self, state: &mut State) {
        // What was staged leaves its room for what will be.
        if !state.staged.is_empty() {
            self.own.put(state.staged.drain(..));
        }
        let mut rest = state.staged_for.drain(..).peekable();
        while let Some((queue, receipt, slot)) = rest.next() {
            let more = std::iter::from_fn(|| {
                let next = rest.next_if(|(other, ..)| Arc::ptr_eq(other, &queue))?;
                Some((next.1, next.2))
            });
            queue.put(std::iter::once((receipt, slot)).chain(more));
        }
        drop(rest);
        state.staged_since = None;
        state.staged_at_idle = 0;
    }

    /// Waits until nothing is unfinished; tells how many sends still are.
    pub fn flush(&self, time_out: Option<Duration>) -> usize {
        let until = time_out.and_then(|time_out| Instant::now().checked_add(time_out));
        let mut state = self.lock();
        while state.unfinished > 0 && !state.freed {
            let left =
                until.map_or(WITHOUT_END, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            state.flushing += 1;
            state = self.idle.wait_timeout(state, left).unwrap_or_else(|p| p.into_inner()).0;
            state.flushing -= 1;
        }
        // What has finished is there for whoever waits next, though the loop has not parked yet.
        if state.staged() > 0 {
            self.publish_locked(&mut state);
        }
        state.unfinished
    }

    /// Accepts nothing more; false if it was so already.
    pub fn refuse(&self) -> bool {
        let mut state = self.lock();
        !std::mem::replace(&mut state.refuses, true)
    }

    /// The end: nothing is unfinished, and no result will follow those that wait in any queue.
    pub fn close(&self) {
        let mut state = self.lock();
        self.publish_locked(&mut state);
        self.own.close();
        state.others.iter().filter_map(Weak::upgrade).for_each(|other| other.close());
    }

    /// Sends every caller inside away. The other queues outlive it: what waits in them can be taken.
    pub fn free(&self) {
        self.lock().freed = true;
        self.own.free();
        self.idle.notify_all();
    }

    /// True once nothing more is accepted.
    pub fn is_closed(&self) -> bool {
        self.lock().refuses
    }

    /// How many sends have no result yet.
    pub fn unfinished(&self) -> usize {
        self.lock().unfinished
    }
}
