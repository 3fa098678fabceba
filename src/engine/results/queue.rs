//! The queue of one client, and the places in it.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::sync::{Arc, AtomicUsize, Condvar, Instant, Mutex, MutexGuard, Wake};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::receipt::Receipt;

/// Results are published when the I/O loop is about to park, or after this many.
const MAX_STAGED: usize = 64;
/// Or once the oldest has waited this long.
const MAX_STAGED_FOR: Duration = Duration::from_millis(1);
/// How long a wait without end sleeps before it looks again.
pub(super) const WITHOUT_END: Duration = Duration::from_secs(3600);

/// How many may be in flight, and how many are.
pub struct Limit<'a> {
    /// Whose limit it is; `None` for the client's.
    pub account: Option<&'a str>,
    pub count: &'a Arc<AtomicUsize>,
    pub most: usize,
}

/// A place among those in flight, held from accept until the result is taken.
#[derive(Debug, Default)]
pub struct Slot([Option<Arc<AtomicUsize>>; 2]);

impl Slot {
    /// Takes a place where `limits` allow it; the name is of what is full.
    pub fn take(limits: [Option<Limit<'_>>; 2]) -> Result<Slot> {
        let mut slot = Slot([None, None]);
        for (place, limit) in slot.0.iter_mut().zip(limits) {
            let Some(Limit { account, count, most }) = limit else { continue };
            let below = |n: usize| (n < most).then_some(n + 1);
            if count.fetch_update(Ordering::AcqRel, Ordering::Acquire, below).is_err() {
                let whose = account
                    .map_or_else(|| "the client".to_owned(), |name| format!("account {name:?}"));
                let words = format!(
                    "max_in_flight of {whose} is reached: {most} sends have no result taken yet"
                );
                return Err(Error::new(ErrorCode::Full, words)
                    .hint("take results with hy_wait, or raise max_in_flight"));
            }
            *place = Some(Arc::clone(count));
        }
        Ok(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        for count in self.0.iter().flatten() {
            count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// What a wait brought.
#[derive(Debug)]
pub enum Waited {
    /// Results, oldest first; never none.
    Results(Vec<Receipt>),
    /// The time ran out or somebody interrupted.
    Nothing,
}

/// What the I/O loop does when it has nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It waits for its sockets.
    Parks,
    /// It looks at them without waiting.
    LooksAgain,
}

/// What the lock guards; the model looks into it.
#[derive(Default)]
pub(super) struct State {
    pub(super) ready: VecDeque<(Receipt, Slot)>,
    staged: Vec<(Receipt, Slot)>,
    staged_since: Option<Instant>,
    /// How many were staged when the I/O loop last had nothing to do.
    settled: usize,
    /// Sends that were accepted and have no result yet.
    unfinished: usize,
    pub(super) waiting: usize,
    /// How many wait until nothing is unfinished.
    flushing: usize,
    /// Counts interrupts; a wait that began before the last one returns.
    interrupts: u64,
    /// An interrupt that met no wait: the next one is its.
    interrupted: bool,
    refuses: bool,
    pub(super) closed: bool,
    freed: bool,
    wake: Option<Wake>,
}

impl State {
    fn ready_changed(&self, was_empty: bool) {
        let Some(wake) = self.wake.as_ref().filter(|_| !self.closed) else { return };
        match (was_empty, self.ready.is_empty()) {
            (true, false) => wake.raise(),
            (false, true) => wake.lower(),
            _ => {}
        }
    }
}

/// The queue of one client.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    /// Something for a waiting host: results, an interrupt, the end.
    news: Condvar,
    /// Something for a flush: nothing is unfinished any more.
    idle: Condvar,
}

impl Queue {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Counts a send as accepted, unless the client is closed.
    pub fn accept(&self) -> Result<()> {
        let mut state = self.lock();
        if state.refuses {
            return Err(closed());
        }
        state.unfinished += 1;
        Ok(())
    }

    /// Counts a send as finished whose result goes to its own caller.
    pub fn finish(&self) {
        self.finished(&mut self.lock());
    }

    /// Counts sends of an earlier run that go on in this one.
    pub fn adopt(&self, unfinished: usize) {
        self.lock().unfinished += unfinished;
    }

    /// How many results wait for the host.
    pub fn ready(&self) -> usize {
        let state = self.lock();
        state.ready.len() + state.staged.len()
    }

    /// Takes a result of an earlier run, which is no send of this one.
    pub fn hand_out(&self, receipt: Receipt) {
        self.lock().staged.push((receipt, Slot::default()));
    }

    fn finished(&self, state: &mut State) {
        state.unfinished -= 1;
        // To notify nobody would still be a system call.
        if state.unfinished == 0 && state.flushing > 0 {
            self.idle.notify_all();
        }
    }

    /// Takes the result of a send; `stage` where the I/O loop will publish it when it parks.
    pub fn push(&self, receipt: Receipt, slot: Slot, stage: bool) {
        let mut state = self.lock();
        state.staged.push((receipt, slot));
        let since = *state.staged_since.get_or_insert_with(Instant::now);
        if !stage || state.staged.len() >= MAX_STAGED || since.elapsed() >= MAX_STAGED_FOR {
            self.publish_locked(&mut state);
        }
        self.finished(&mut state);
    }

    /// The I/O loop has nothing to do: shows the host what was staged, or tells the loop to look at its
    /// sockets once more before it parks.
    ///
    /// While the last requests were written, their first answers have come. Without that look the host
    /// would be woken for a part of them, and soon after for the rest.
    pub fn settle(&self) -> Settled {
        let mut state = self.lock();
        let staged = state.staged.len();
        if staged == 0 {
            return Settled::Parks;
        }
        let is_late = state.staged_since.is_none_or(|since| since.elapsed() >= MAX_STAGED_FOR);
        if state.unfinished > 0 && staged > state.settled && !is_late {
            state.settled = staged;
            return Settled::LooksAgain;
        }
        self.publish_locked(&mut state);
        Settled::Parks
    }

    /// Shows the host what was staged.
    pub fn publish(&self) {
        let mut state = self.lock();
        if !state.staged.is_empty() {
            self.publish_locked(&mut state);
        }
    }

    fn publish_locked(&self, state: &mut State) {
        let was_empty = state.ready.is_empty();
        let State { ready, staged, .. } = &mut *state;
        // What was staged leaves its room for what will be.
        ready.extend(staged.drain(..));
        state.staged_since = None;
        state.settled = 0;
        state.ready_changed(was_empty);
        // One is enough: whoever leaves results behind wakes the next.
        if state.waiting > 0 {
            self.news.notify_one();
        }
    }

    /// Waits for results, at most `most` of them; `closed` once closed and empty.
    pub fn wait(&self, time_out: Option<Duration>, most: usize) -> Result<Waited> {
        let until = time_out.and_then(|time_out| Instant::now().checked_add(time_out));
        let mut state = self.lock();
        if std::mem::take(&mut state.interrupted) {
            return Ok(Waited::Nothing);
        }
        let interrupts = state.interrupts;
        loop {
            if state.freed {
                return Err(closed());
            }
            if state.interrupts != interrupts {
                return Ok(Waited::Nothing);
            }
            if !state.ready.is_empty() {
                let count = most.min(state.ready.len());
                let taken: Vec<_> =
                    state.ready.drain(..count).map(|(receipt, _slot)| receipt).collect();
                state.ready_changed(false);
                if !state.ready.is_empty() && state.waiting > 0 {
                    self.news.notify_one();
                }
                return Ok(Waited::Results(taken));
            }
            if state.closed {
                return Err(closed());
            }
            let left = match (until, time_out) {
                (Some(until), _) => until.saturating_duration_since(Instant::now()),
                // A time-out too long for the clock is as good as none.
                (None, _) => WITHOUT_END,
            };
            if left.is_zero() {
                return Ok(Waited::Nothing);
            }
            state.waiting += 1;
            state = self.news.wait_timeout(state, left).unwrap_or_else(|p| p.into_inner()).0;
            state.waiting -= 1;
        }
    }

    /// Makes the waits now running return with nothing, or else the next one.
    pub fn interrupt(&self) {
        let mut state = self.lock();
        if state.waiting > 0 {
            state.interrupts += 1;
            self.news.notify_all();
        } else {
            state.interrupted = true;
        }
    }

    /// The descriptor that is readable while results wait.
    pub fn handle(&self) -> std::io::Result<isize> {
        let mut state = self.lock();
        if let Some(wake) = &state.wake {
            return Ok(wake.handle());
        }
        let wake = Wake::new()?;
        if state.closed || !state.ready.is_empty() {
            wake.raise();
        }
        let handle = wake.handle();
        state.wake = Some(wake);
        Ok(handle)
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
        if !state.staged.is_empty() {
            self.publish_locked(&mut state);
        }
        state.unfinished
    }

    /// Accepts nothing more; false if it was so already.
    pub fn refuse(&self) -> bool {
        let mut state = self.lock();
        !std::mem::replace(&mut state.refuses, true)
    }

    /// The end: nothing is unfinished, and no result will follow those that wait.
    pub fn close(&self) {
        let mut state = self.lock();
        self.publish_locked(&mut state);
        if !state.closed {
            if let Some(wake) = state.wake.as_ref().filter(|_| state.ready.is_empty()) {
                wake.raise();
            }
            state.closed = true;
        }
        self.news.notify_all();
    }

    /// Sends every caller inside away.
    pub fn free(&self) {
        self.lock().freed = true;
        self.news.notify_all();
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

/// The error of a client that is closed.
pub fn closed() -> Error {
    Error::new(ErrorCode::Closed, "the client is closed")
}
