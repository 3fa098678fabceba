//! Results for whoever waits, in the client's own queue or in one beside it.

use std::collections::VecDeque;
use std::time::Duration;

use super::slot::Slot;
use super::sync::{Condvar, Instant, Mutex, MutexGuard, Wake};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::receipt::Receipt;

/// How long a wait without end sleeps before it looks again.
pub(super) const WITHOUT_END: Duration = Duration::from_secs(3600);

/// What a wait brought.
#[derive(Debug)]
pub enum Waited {
    /// Results, oldest first; never none.
    Results(Vec<Receipt>),
    /// The time ran out or somebody interrupted.
    Nothing,
}

impl From<Boxes> for Waited {
    fn from(taken: Boxes) -> Waited {
        match taken.is_empty() {
            true => Waited::Nothing,
            false => Waited::Results(taken.into_iter().map(|receipt| *receipt).collect()),
        }
    }
}

/// Results as they are queued: large to move, and handed on as they are.
pub type Boxes = Vec<Box<Receipt>>;

/// What the lock guards; the model looks into it.
#[derive(Default)]
pub(super) struct State {
    pub(super) ready: VecDeque<(Box<Receipt>, Slot)>,
    pub(super) waiting: usize,
    /// Counts interrupts; a wait that began before the last one returns.
    interrupts: u64,
    /// An interrupt that met no wait: the next one is its.
    interrupted: bool,
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

/// Results that wait to be taken.
#[derive(Default)]
pub struct Results {
    state: Mutex<State>,
    /// Something for a waiting host: results, an interrupt, the end.
    news: Condvar,
}

impl Results {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// How many results wait for the host.
    pub fn ready(&self) -> usize {
        self.lock().ready.len()
    }

    /// Shows results to the host; where nobody will ask for them any more they end here, and their
    /// places are free.
    pub(super) fn put(&self, results: impl Iterator<Item = (Box<Receipt>, Slot)>) {
        let mut state = self.lock();
        if state.freed {
            return results.for_each(drop);
        }
        let was_empty = state.ready.is_empty();
        state.ready.extend(results);
        state.ready_changed(was_empty);
        // One is enough: whoever leaves results behind wakes the next.
        if state.waiting > 0 {
            self.news.notify_one();
        }
    }

    /// Waits for results, at most `most` of them; `closed` once closed and empty.
    pub fn wait(&self, time_out: Option<Duration>, most: usize) -> Result<Waited> {
        self.take(time_out, most).map(Waited::from)
    }

    /// The same, as they were queued; none where the time ran out or somebody interrupted.
    pub fn take(&self, time_out: Option<Duration>, most: usize) -> Result<Boxes> {
        let until = time_out.and_then(|time_out| Instant::now().checked_add(time_out));
        let mut state = self.lock();
        if std::mem::take(&mut state.interrupted) {
            return Ok(Vec::new());
        }
        let interrupts = state.interrupts;
        loop {
            if state.freed {
                return Err(closed());
            }
            if state.interrupts != interrupts {
                return Ok(Vec::new());
            }
            if !state.ready.is_empty() {
                let count = most.min(state.ready.len());
                let taken = state.ready.drain(..count).map(|(receipt, _slot)| receipt).collect();
                state.ready_changed(false);
                if !state.ready.is_empty() && state.waiting > 0 {
                    self.news.notify_one();
                }
                return Ok(taken);
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
                return Ok(Vec::new());
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

    /// The same, with the error that a host is told.
    pub fn poll_handle(&self) -> Result<isize> {
        self.handle()
            .map_err(|e| Error::new(ErrorCode::Internal, format!("no descriptor to poll: {e}")))
    }

    /// The end: no result will follow those that wait.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if !state.closed {
            if let Some(wake) = state.wake.as_ref().filter(|_| state.ready.is_empty()) {
                wake.raise();
            }
            state.closed = true;
        }
        self.news.notify_all();
    }

    /// Sends every caller inside away; what waits, and what comes later, is dropped.
    pub fn free(&self) {
        let mut state = self.lock();
        state.freed = true;
        let ready = std::mem::take(&mut state.ready);
        self.news.notify_all();
        drop(state);
        drop(ready);
    }
}

/// The error of a client that is closed.
pub fn closed() -> Error {
    Error::new(ErrorCode::Closed, "the client is closed")
}
