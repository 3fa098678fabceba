//! What all that belongs to one client shares: the core's client, the mailboxes over its queue, and the
//! check for `fork`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hongyan::{Client, Error, ErrorCode, Op, Receipt, SendOptions, SubmitOptions, Watch};
use pyo3::prelude::*;

use crate::error::{no_room, refused};
use crate::message::{Encoded, Whatever};
use crate::room::Room;
use crate::router::{NOBODY, RESULTS, Router, Turn, token};

/// How long a wait lasts before it looks for signals: Python handles them when it is asked to.
pub const SLICE: Duration = Duration::from_millis(50);

/// How often a wait for the end of what was submitted looks whether it has come.
const SETTLING: Duration = Duration::from_millis(5);

/// What all that belongs to one client shares.
pub struct Shared {
    pid: u32,
    /// Taken out at the end only.
    client: Option<Client>,
    /// Where the receipts of submitted messages go.
    pub router: Router,
    /// Where those wait whose `send()` finds the client full.
    room: Room,
    closing: AtomicBool,
    /// The program ends: what is submitted now would not be sent.
    ending: AtomicBool,
    next_number: AtomicU32,
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
            router: Router::new(),
            room: Room::default(),
            closing: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            next_number: AtomicU32::new(0),
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

fn closed() -> Error {
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

    /// A number that no message in flight has.
    pub fn number(&self) -> u32 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Submits a message whose sender waits for its receipt: an outbox does not keep it.
    pub fn submit(
        &self,
        message: &Encoded,
        mailbox: u32,
        number: u32,
        time_out: Option<Duration>,
    ) -> hongyan::Result<Op> {
        let (client, token) = (self.open_client()?, token(mailbox, number));
        let options = SubmitOptions { time_out, in_memory: true, ..SubmitOptions::token(token) };
        client.submit(message.source(), options)
    }

    /// Submits a message that may be no message at all: its receipt says so then.
    ///
    /// A stand-in goes to the core, which refuses it; the router knows the true reason. So even this
    /// has its id and its place in the order.
    pub fn submit_whatever(
        &self,
        message: &Whatever,
        mailbox: u32,
        number: u32,
    ) -> hongyan::Result<Op> {
        let error = match &message.message {
            Ok(message) => match self.submit(message, mailbox, number, None) {
                Err(error) if error.code() == ErrorCode::Argument => error,
                done => return done,
            },
            Err(error) => error.clone(),
        };
        // No message has such recipients.
        let stand_in = serde_json::json!({"v": 1, "account": message.account, "to": []});
        self.router.explain(token(mailbox, number), error);
        let stand_in = stand_in.to_string().into_bytes().into();
        let done = self.submit(&stand_in, mailbox, number, None);
        if done.is_err() {
            self.router.explained(token(mailbox, number));
        }
        done
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
                // Receipts that nobody has taken from the core hold room there: here they hold none.
                self.router.wait(self.client()?, NOBODY, Duration::ZERO, &mut Vec::new())?;
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
        // Somebody else may have taken a receipt from the core into our mailbox already, and so made
        // room there: what is bounded is what was not handed out.
        let most = self.most_outstanding.unwrap_or(usize::MAX);
        let below = |n: usize| (n < most).then_some(n + 1);
        if self.outstanding.fetch_update(Ordering::AcqRel, Ordering::Acquire, below).is_err() {
            let words = format!("{most} receipts were not taken yet");
            return Err(Error::new(ErrorCode::Full, words));
        }
        let client = self.open_client();
        let options = SubmitOptions::token(token(RESULTS, self.number()));
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

    /// The next receipt for `results()`, if it is there.
    pub fn result(&self) -> Option<Receipt> {
        let (_, receipt) = self.router.pop(RESULTS)?;
        let less = |n: usize| Some(n.saturating_sub(1));
        // Never fails: there is always a number to go on with.
        let _ = self.outstanding.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        Some(receipt)
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
                let client = self.client()?;
                // What has come is sorted, and holds no room in the core.
                self.router.wait(client, NOBODY, Duration::ZERO, &mut Vec::new())?;
                let unsettled = self.unsettled(client);
                if unsettled > 0 && !slice.is_zero() {
                    self.router.wait(client, NOBODY, slice, &mut Vec::new())?;
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
        outstanding.saturating_sub(self.router.ready(RESULTS))
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

    /// Waits for something in a mailbox, with Ctrl-C; `None`: without end.
    pub fn wait(&self, py: Python<'_>, mailbox: u32, time_out: Option<Duration>) -> PyResult<Turn> {
        // Nobody who waits here shares a client with those who want a call.
        self.wait_for_all(py, mailbox, time_out, &mut Vec::new())
    }

    /// The same; ends early if somebody else wants a call, and tells who.
    pub fn wait_for_all(
        &self,
        py: Python<'_>,
        mailbox: u32,
        time_out: Option<Duration>,
        calls: &mut Vec<u32>,
    ) -> PyResult<Turn> {
        let until = time_out.and_then(|time_out| Instant::now().checked_add(time_out));
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let slice = left.map_or(SLICE, |left| left.min(SLICE));
            let turn = detached(py, || {
                let turn = self.router.wait(self.client()?, mailbox, slice, calls);
                self.room.freed();
                turn
            })?;
            let over = left.is_some_and(|left| left.is_zero()) || !calls.is_empty();
            if turn != Turn::Nothing || over {
                return Ok(turn);
            }
            py.check_signals()?;
        }
    }

    /// Looks for receipts without waiting; tells who else wants a call.
    pub fn look(&self, py: Python<'_>, mailbox: u32, calls: &mut Vec<u32>) -> PyResult<Turn> {
        attached(py, || self.router.wait(self.client()?, mailbox, Duration::ZERO, calls))
    }
}
