//! What all that belongs to one client shares: the core's client, and the check for `fork`.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use hongyan::{
    Client, Error, ErrorCode, MessageSource, Op, Queue, Receipt, SendOptions, SubmitOptions, Watch,
};
use pyo3::prelude::*;

use crate::error::{no_room, refused};
use crate::message::{Encoded, Whatever};
use crate::queue::{MOST, OwnQueue, Turn, turn};
use crate::room::Room;

/// How long a wait lasts before it looks for signals: Python handles them when it is asked to.
pub const SLICE: Duration = Duration::from_millis(50);

/// How often a wait for the end of what was submitted looks whether it has come.
const SETTLING: Duration = Duration::from_millis(5);

/// What all that belongs to one client shares.
pub struct Shared {
    pid: u32,
    /// Taken out at the end only.
    client: Option<Client>,
    /// Receipts for `results()` that were taken from the core, where they would hold room.
    taken: Mutex<VecDeque<Receipt>>,
    /// The queues of batches, whose receipts hold room as well until somebody asks for them.
    batches: Mutex<Vec<Weak<OwnQueue>>>,
    /// Where those wait whose `send()` finds the client full.
    room: Room,
    closing: AtomicBool,
    /// The program ends: what is submitted now would not be sent.
    ending: AtomicBool,
    /// Messages of `submit()` whose receipt `results()` has not handed out yet.
    outstanding: AtomicUsize,
    /// How many those may be: with an outbox, which has its own limits, any number.
    most_outstanding: Option<usize>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut client = self.client.take();
        if self.pid != std::process::id() {
            // The threads and locks of the parent's client are not here: it is left as it is.
            return std::mem::forget(client);
        }
        // It joins a thread. At the end of the interpreter there is nothing to detach from.
        let _ = Python::try_attach(|py| py.detach(|| drop(client.take())));
    }
}

impl Shared {
    /// Takes a client; `most_outstanding`: see there.
    pub fn new(client: Client, most_outstanding: Option<usize>) -> Shared {
        Shared {
            pid: std::process::id(),
            client: Some(client),
            taken: Mutex::default(),
            batches: Mutex::default(),
            room: Room::default(),
            closing: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            outstanding: AtomicUsize::new(0),
            most_outstanding,
        }
    }
}

fn panicked() -> Error {
    let words = "a panic inside hongyan was caught; this is a bug in hongyan";
    Error::new(ErrorCode::Panic, words)
}

/// Runs a part of the core without the interpreter; a panic in it is an error like any other.
pub fn detached<T: Send>(
    py: Python<'_>,
    body: impl FnOnce() -> hongyan::Result<T> + Send,
) -> PyResult<T> {
    without_python(py, body).map_err(|error| refused(py, &error))
}

/// The same, with the core's own error.
fn without_python<T: Send>(
    py: Python<'_>,
    body: impl FnOnce() -> hongyan::Result<T> + Send,
) -> hongyan::Result<T> {
    let body = AssertUnwindSafe(body);
    py.detach(|| catch_unwind(body).unwrap_or_else(|_| Err(panicked())))
}

/// The same for what does not wait, with the interpreter held.
pub fn attached<T>(py: Python<'_>, body: impl FnOnce() -> hongyan::Result<T>) -> PyResult<T> {
    let done = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(panicked()));
    done.map_err(|error| refused(py, &error))
}

pub fn closed() -> Error {
    Error::new(ErrorCode::Closed, "the client is closed")
}

impl Shared {
    /// The core's client, unless it is another process's.
    pub fn client(&self) -> hongyan::Result<&Client> {
        if self.pid != std::process::id() {
            let words = "this client was made before fork(); make one of your own in this process";
            return Err(Error::new(ErrorCode::Forked, words));
        }
        self.client.as_ref().ok_or_else(closed)
    }

    /// The core's client, for a new message.
    pub fn open_client(&self) -> hongyan::Result<&Client> {
        let client = self.client()?;
        if self.closing.load(Ordering::Acquire) { Err(closed()) } else { Ok(client) }
    }

    /// Submits a message whose sender waits for its receipt in this queue: an outbox does not keep it.
    pub fn submit<'a>(
        &self,
        message: impl Into<MessageSource<'a>>,
        queue: &Queue,
        number: u32,
        time_out: Option<Duration>,
    ) -> hongyan::Result<Op> {
        let options = SubmitOptions {
            time_out,
            in_memory: true,
            queue: Some(queue),
            ..SubmitOptions::token(number.into())
        };
        self.open_client()?.submit(message, options)
    }

    /// Submits a message that may be no message at all: its receipt says so then. So even this has its
    /// id and its place in the order.
    pub fn submit_whatever(
        &self,
        message: &Whatever,
        queue: &Queue,
        number: u32,
    ) -> hongyan::Result<Op> {
        let error = match &message.message {
            Ok(message) => match self.submit(message.source(), queue, number, None) {
                Err(error) if error.code() == ErrorCode::Argument => error,
                done => return done,
            },
            Err(error) => error.clone(),
        };
        let refused = MessageSource::Refused { error, account: message.account.clone() };
        self.submit(refused, queue, number, None)
    }

    /// Sends on this thread; with it, what a signal handler raised meanwhile. Where the client is full, it
    /// waits for room.
    pub fn send(
        &self,
        py: Python<'_>,
        time_out: Option<Duration>,
        deadline: Option<Duration>,
        mut encoded: impl FnMut(Duration) -> PyResult<Encoded>,
    ) -> PyResult<(Receipt, Option<PyErr>)> {
        let began = Instant::now();
        loop {
            let waited = began.elapsed();
            let message = encoded(waited)?;
            let left = time_out.map(|time_out| time_out.saturating_sub(waited));
            let mut raised = None;
            let mut had_enough = || {
                // On other threads than the main one this does nothing.
                raised = Python::try_attach(|py| py.check_signals().err()).flatten();
                raised.is_some()
            };
            let sent = without_python(py, || {
                let client = self.open_client()?;
                let watch = Some(Watch { every: SLICE, had_enough: &mut had_enough });
                let sent = client.send(message.source(), SendOptions { time_out: left, watch });
                self.room.freed();
                sent
            });
            let full = match sent {
                Ok(receipt) => return Ok((receipt, raised)),
                Err(error) if error.code() == ErrorCode::Full => error,
                Err(error) => return Err(refused(py, &error)),
            };
            let waited = began.elapsed();
            let over = |limit: Option<Duration>| limit.is_some_and(|limit| limit <= waited);
            if over(time_out) || over(deadline) {
                let code = if over(time_out) { ErrorCode::Timeout } else { ErrorCode::Expired };
                return Err(no_room(py, code, &full));
            }
            let limits = [time_out, deadline].into_iter().flatten();
            let left = limits.map(|limit| limit.saturating_sub(waited)).fold(SLICE, Duration::min);
            without_python(py, || {
                self.make_room(Duration::ZERO)?;
                self.room.wait(left);
                Ok(())
            })
            .map_err(|error| refused(py, &error))?;
            py.check_signals()?;
        }
    }

    /// Submits a message for `results()`; its id.
    pub fn submit_for_results(&self, message: Encoded) -> hongyan::Result<String> {
        self.client()?;
        if self.ending.load(Ordering::Acquire) {
            let words = "the program ends: what is submitted now would not be sent";
            return Err(Error::new(ErrorCode::Closed, words));
        }
        // A receipt may have been taken from the core already, which made room there: what is bounded is
        // what was not handed out.
        let most = self.most_outstanding.unwrap_or(usize::MAX);
        let below = |n: usize| (n < most).then_some(n + 1);
        if self.outstanding.fetch_update(Ordering::AcqRel, Ordering::Acquire, below).is_err() {
            let words = format!("{most} receipts were not taken yet");
            return Err(Error::new(ErrorCode::Full, words));
        }
        let client = self.open_client();
        let options = SubmitOptions::default();
        let submitted = client.and_then(|client| client.submit(message.source(), options));
        if submitted.is_err() {
            self.outstanding.fetch_sub(1, Ordering::AcqRel);
        }
        Ok(submitted?.id().to_owned())
    }

    /// Accepts nothing more by `submit()`, without an outbox that keeps it.
    pub fn refuse_submits(&self) {
        self.ending.store(!self.keeps(), Ordering::Release);
    }

    fn taken(&self) -> MutexGuard<'_, VecDeque<Receipt>> {
        self.taken.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A queue for a batch.
    pub fn batch(self: &Arc<Self>) -> hongyan::Result<Arc<OwnQueue>> {
        let queue = OwnQueue::open(self)?;
        let mut batches = self.batches();
        batches.retain(|batch| batch.strong_count() > 0);
        batches.push(Arc::downgrade(&queue));
        Ok(queue)
    }

    fn batches(&self) -> MutexGuard<'_, Vec<Weak<OwnQueue>>> {
        self.batches.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Takes what has come out of the core, where it holds room that others wait for: nobody may ever ask
    /// for it. What comes for `results()` is waited for, at most so long.
    pub fn make_room(&self, within: Duration) -> hongyan::Result<()> {
        let taken = |receipts: Vec<Receipt>| self.taken().extend(receipts);
        turn(self.client()?.wait(Some(within), MOST), taken)?;
        let batches: Vec<_> = self.batches().iter().filter_map(Weak::upgrade).collect();
        for batch in batches {
            batch.take_out(Duration::ZERO)?;
        }
        self.freed();
        Ok(())
    }

    /// There may be room for one more.
    pub fn freed(&self) {
        self.room.freed();
    }

    /// The next receipt for `results()`; waits for it at most so long, with Ctrl-C, `None` without end.
    pub fn result(&self, py: Python<'_>, time_out: Option<Duration>) -> PyResult<Option<Receipt>> {
        let mut found = None;
        waiting(py, time_out, |slice| {
            // Others may take receipts out of the core meanwhile.
            found = self.taken().pop_front();
            if found.is_some() {
                return Ok(Turn::Some);
            }
            let waited = self.client()?.wait(Some(slice), 1);
            let turn = turn(waited, |mut receipts| found = receipts.pop())?;
            found = found.take().or_else(|| self.taken().pop_front());
            self.freed();
            Ok(if found.is_some() { Turn::Some } else { turn })
        })?;
        if found.is_some() {
            let less = |n: usize| Some(n.saturating_sub(1));
            // Never fails: there is always a number to go on with.
            let _ = self.outstanding.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        }
        Ok(found)
    }

    /// True if an outbox keeps what this client does not finish.
    pub fn keeps(&self) -> bool {
        self.most_outstanding.is_none()
    }

    /// Waits until every message of `submit()` has its receipt, or, with an outbox, until none is at
    /// work; tells how many are left.
    pub fn settle(&self, py: Python<'_>, time_out: Duration) -> PyResult<usize> {
        let until = Instant::now().checked_add(time_out);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let slice = left.map_or(SETTLING, |left| left.min(SETTLING));
            let unsettled = detached(py, || {
                self.make_room(Duration::ZERO)?;
                let unsettled = self.unsettled(self.client()?);
                if unsettled > 0 && !slice.is_zero() {
                    self.make_room(slice)?;
                }
                Ok(unsettled)
            })?;
            if unsettled == 0 || slice.is_zero() {
                return Ok(unsettled);
            }
            py.check_signals()?;
        }
    }

    fn unsettled(&self, client: &Client) -> usize {
        if self.keeps() {
            let stats: serde_json::Value =
                serde_json::from_str(&client.stats_json()).unwrap_or_default();
            return stats["in_flight"].as_u64().map_or(0, |n| usize::try_from(n).unwrap_or(0));
        }
        let outstanding = self.outstanding.load(Ordering::Acquire);
        outstanding.saturating_sub(self.taken().len())
    }

    /// Accepts nothing more, waits, cancels the rest and tells how many those were.
    pub fn close(&self, py: Python<'_>, time_out: Option<Duration>) -> PyResult<usize> {
        let until = time_out.and_then(|time_out| Instant::now().checked_add(time_out));
        attached(py, || self.client().map(|_| ()))?;
        self.closing.store(true, Ordering::Release);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let slice = left.map_or(SLICE, |left| left.min(SLICE));
            let unfinished = detached(py, || Ok(self.client()?.flush(Some(slice))))?;
            if unfinished == 0 || left == Some(slice) {
                break;
            }
            py.check_signals()?;
        }
        detached(py, || {
            let client = self.client()?;
            let cancelled = client.close(Some(Duration::ZERO));
            // Another client may have the outbox from here on.
            client.release();
            Ok(cancelled)
        })
    }

    /// Asks the service of an account whether its credentials work; what a signal handler raises ends it.
    pub fn check_account(
        &self,
        py: Python<'_>,
        name: &str,
        time_out: Option<Duration>,
    ) -> PyResult<()> {
        let mut raised = None;
        let mut had_enough = || {
            raised = Python::try_attach(|py| py.check_signals().err()).flatten();
            raised.is_some()
        };
        let checked = without_python(py, || {
            self.open_client()?.check_account_watched(name, time_out, SLICE, &mut had_enough)
        });
        match raised {
            Some(raised) => Err(raised),
            None => checked.map_err(|error| refused(py, &error)),
        }
    }

    /// True once it was closed.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

/// Waits without the interpreter in slices, between which signals are handled; `None`: without end.
pub fn waiting(
    py: Python<'_>,
    time_out: Option<Duration>,
    mut wait: impl FnMut(Duration) -> hongyan::Result<Turn> + Send,
) -> PyResult<Turn> {
    let until = time_out.and_then(|time_out| Instant::now().checked_add(time_out));
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let slice = left.map_or(SLICE, |left| left.min(SLICE));
        let turn = detached(py, || wait(slice))?;
        if turn != Turn::Nothing || left.is_some_and(|left| left.is_zero()) {
            return Ok(turn);
        }
        py.check_signals()?;
    }
}
