//! A client for Python: the core's client, the mailboxes over its queue, and the check for `fork`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hongyan::{Client, Error, ErrorCode, Op};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde_json::Value;

use crate::encode::{
    Fault, Fields, MAX_MESSAGE, dict_to_json, message_to_json, seconds, wrong_type,
};
use crate::error::{fault, refused};
use crate::receipt::Receipt;
use crate::router::{RESULTS, Router, Turn, token};

/// What is in a configuration where `max_in_flight` is not.
const MAX_IN_FLIGHT: usize = 1024;

/// How long a wait lasts before it looks for signals: Python handles them when it is asked to.
const SLICE: Duration = Duration::from_millis(50);

/// What all that belongs to one client shares.
pub struct Shared {
    pid: u32,
    /// Taken out at the end only.
    client: Option<Client>,
    /// Where the receipts of submitted messages go.
    pub router: Router,
    closing: AtomicBool,
    next_number: AtomicU32,
    /// Messages of `submit()` whose receipt `results()` has not handed out yet.
    outstanding: AtomicUsize,
    /// How many those may be; with an outbox it has its own limits.
    most_outstanding: usize,
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

fn panicked() -> Error {
    let words = "a panic inside hongyan was caught; this is a bug in hongyan";
    Error::new(ErrorCode::Panic, words)
}

/// Runs a part of the core without the interpreter; a panic in it is an error like any other.
pub fn detached<T: Send>(
    py: Python<'_>,
    body: impl FnOnce() -> hongyan::Result<T> + Send,
) -> PyResult<T> {
    let body = AssertUnwindSafe(body);
    let done = py.detach(|| catch_unwind(body).unwrap_or_else(|_| Err(panicked())));
    done.map_err(|error| refused(py, &error))
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
    fn open_client(&self) -> hongyan::Result<&Client> {
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
        json: &[u8],
        mailbox: u32,
        number: u32,
        time_out: Option<Duration>,
    ) -> hongyan::Result<Op> {
        self.open_client()?.submit_json_within(json, token(mailbox, number), time_out)
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
        let error = match &message.json {
            Ok(json) => match self.submit(json, mailbox, number, None) {
                Err(error) if error.code() == ErrorCode::Argument => error,
                done => return done,
            },
            Err(error) => error.clone(),
        };
        // No message has such recipients.
        let stand_in = serde_json::json!({"v": 1, "account": message.account, "to": []});
        self.router.explain(token(mailbox, number), error);
        let done = self.submit(stand_in.to_string().as_bytes(), mailbox, number, None);
        if done.is_err() {
            self.router.explained(token(mailbox, number));
        }
        done
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
            let turn = detached(py, || self.router.wait(self.client()?, mailbox, slice, calls))?;
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

/// A message out of an iterable, or what is wrong with it.
pub struct Whatever {
    account: String,
    json: Result<Vec<u8>, Error>,
}

impl Whatever {
    /// Reads a message; `name` is what to call it if it is not even a dict.
    pub fn read(message: &Bound<'_, PyAny>, name: &str) -> PyResult<Whatever> {
        let Ok(dict) = message.cast::<PyDict>() else {
            return Err(wrong_type(name, "a dict", message));
        };
        let json = match message_to_json(dict) {
            Ok(json) => Ok(json),
            Err(Fault::Message(error)) => Err(error),
            Err(Fault::Program(raised)) => return Err(raised),
        };
        // Only for its receipt, and only if it comes to that.
        let account = match &json {
            Ok(json) if json.len() <= MAX_MESSAGE => None,
            _ => dict.get_item("account")?.and_then(|account| account.extract::<String>().ok()),
        };
        let account = account.filter(|account| account.len() < 256).unwrap_or_default();
        Ok(Whatever { account, json })
    }
}

/// The client as the Python classes see it.
#[pyclass(frozen, module = "hongyan._native")]
pub struct Core(pub Arc<Shared>);

/// How many receipts of `submit()` may wait, by a configuration that the core has accepted.
fn most_outstanding(json: &str) -> usize {
    let config: Value = serde_json::from_str(json).unwrap_or_default();
    if !config["outbox"].is_null() {
        return usize::MAX;
    }
    let given = config["max_in_flight"].as_u64().and_then(|most| usize::try_from(most).ok());
    given.unwrap_or(MAX_IN_FLIGHT)
}

fn json_of_dict(py: Python<'_>, dict: &Bound<'_, PyDict>) -> PyResult<String> {
    let json = dict_to_json(dict).map_err(|error| fault(py, error))?;
    Ok(String::from_utf8(json).expect("the encoder writes UTF-8"))
}

#[pymethods]
impl Core {
    #[new]
    fn new(py: Python<'_>, config: &Bound<'_, PyAny>) -> PyResult<Core> {
        let json = if let Ok(dict) = config.cast::<PyDict>() {
            json_of_dict(py, dict)?
        } else if let Ok(text) = config.cast::<PyString>() {
            text.to_cow()?.into_owned()
        } else {
            return Err(wrong_type("config", "a dict, JSON text or a path", config));
        };
        // Reads files that the credentials name.
        let client = detached(py, || Client::from_json(&json))?;
        Ok(Core(Arc::new(Shared {
            pid: std::process::id(),
            client: Some(client),
            router: Router::new(),
            closing: AtomicBool::new(false),
            next_number: AtomicU32::new(0),
            outstanding: AtomicUsize::new(0),
            most_outstanding: most_outstanding(&json),
        })))
    }

    /// Sends on this thread; the receipt, or the exception that goes with it.
    #[allow(clippy::too_many_arguments, reason = "they are those of Python's send()")]
    fn send(
        &self,
        py: Python<'_>,
        account: &Bound<'_, PyAny>,
        to: &Bound<'_, PyAny>,
        text: &Bound<'_, PyAny>,
        parts: &Bound<'_, PyAny>,
        reply_to: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        extra: &Bound<'_, PyAny>,
        deadline: &Bound<'_, PyAny>,
        timeout: &Bound<'_, PyAny>,
    ) -> PyResult<Py<Receipt>> {
        let fields = Fields { account, to, text, parts, reply_to, key, extra, deadline };
        let time_out = duration(timeout)?;
        let json = fields.to_json().map_err(|error| fault(py, error))?;
        let mut raised = None;
        let mut had_enough = || {
            // On other threads than the main one this does nothing.
            raised = Python::try_attach(|py| py.check_signals().err()).flatten();
            raised.is_some()
        };
        let receipt = detached(py, || {
            self.0.open_client()?.send_json_watched(&json, time_out, SLICE, &mut had_enough)
        })?;
        if let Some(raised) = raised {
            // What became of the message is known all the same.
            raised.value(py).setattr("receipt", Receipt::from(receipt))?;
            return Err(raised);
        }
        let receipt = Bound::new(py, Receipt::from(receipt))?;
        match Receipt::exception(&receipt)? {
            Some(exception) => Err(PyErr::from_value(exception)),
            None => Ok(receipt.unbind()),
        }
    }

    /// Submits for `results()`; the library's own id of the message.
    #[allow(clippy::too_many_arguments, reason = "they are those of Python's submit()")]
    fn submit(
        &self,
        py: Python<'_>,
        account: &Bound<'_, PyAny>,
        to: &Bound<'_, PyAny>,
        text: &Bound<'_, PyAny>,
        parts: &Bound<'_, PyAny>,
        reply_to: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        extra: &Bound<'_, PyAny>,
        deadline: &Bound<'_, PyAny>,
    ) -> PyResult<String> {
        let fields = Fields { account, to, text, parts, reply_to, key, extra, deadline };
        let json = fields.to_json().map_err(|error| fault(py, error))?;
        let own = &self.0;
        // With an outbox it waits for the disk.
        detached(py, || {
            own.client()?;
            // Somebody else may have taken a receipt from the core into our mailbox already, and
            // so made room there: what is bounded is what was not handed out.
            let below = |n: usize| (n < own.most_outstanding).then_some(n + 1);
            if own.outstanding.fetch_update(Ordering::AcqRel, Ordering::Acquire, below).is_err() {
                let words = format!("{} receipts were not taken yet", own.most_outstanding);
                return Err(Error::new(ErrorCode::Full, words));
            }
            let client = own.open_client();
            let submitted = client.and_then(|c| c.submit_json(&json, token(RESULTS, own.number())));
            if submitted.is_err() {
                own.outstanding.fetch_sub(1, Ordering::AcqRel);
            }
            Ok(submitted?.id().to_owned())
        })
    }

    /// Waits in the core for everybody else, at most so many seconds: who wants a call, and whether
    /// the client is closed.
    fn pump(&self, py: Python<'_>, timeout: f64) -> PyResult<(Vec<u32>, bool)> {
        let mut calls = Vec::new();
        let time_out = Some(Duration::from_secs_f64(timeout));
        // A mailbox that nobody has: nothing comes for it, and everything else is sorted.
        let turn = self.0.wait_for_all(py, u32::MAX, time_out, &mut calls)?;
        Ok((calls, turn == Turn::Ended))
    }

    /// Adds an account, or replaces the one of that name.
    fn set_account(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        account: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let Ok(dict) = account.cast::<PyDict>() else {
            return Err(wrong_type("account", "a dict", account));
        };
        let name = text("name", name)?;
        let json = json_of_dict(py, dict)?;
        detached(py, || self.0.client()?.set_account(&name, &json))
    }

    /// Takes an account away.
    fn remove_account(&self, py: Python<'_>, name: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = text("name", name)?;
        detached(py, || self.0.client()?.remove_account(&name))
    }

    /// Counters per account, as JSON.
    fn stats_json(&self, py: Python<'_>) -> PyResult<String> {
        attached(py, || Ok(self.0.client()?.stats_json()))
    }

    /// The descriptor that is readable while receipts wait.
    fn poll_handle(&self, py: Python<'_>) -> PyResult<isize> {
        attached(py, || self.0.client()?.poll_handle())
    }

    /// Accepts nothing more, waits, cancels the rest and tells how many those were.
    fn close(&self, py: Python<'_>, timeout: &Bound<'_, PyAny>) -> PyResult<usize> {
        let time_out = duration(timeout)?;
        let until = time_out.and_then(|time_out| Instant::now().checked_add(time_out));
        attached(py, || self.0.client().map(|_| ()))?;
        self.0.closing.store(true, Ordering::Release);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let slice = left.map_or(SLICE, |left| left.min(SLICE));
            let unfinished = detached(py, || Ok(self.0.client()?.flush(Some(slice))))?;
            if unfinished == 0 || left == Some(slice) {
                break;
            }
            py.check_signals()?;
        }
        detached(py, || {
            let client = self.0.client()?;
            let cancelled = client.close(Some(Duration::ZERO));
            // Another client may have the outbox from here on.
            client.release();
            Ok(cancelled)
        })
    }

    /// True once close() was called.
    #[getter]
    fn closed(&self) -> bool {
        self.0.closing.load(Ordering::Acquire)
    }

    /// True in a child that inherited it by fork().
    #[getter]
    fn forked(&self) -> bool {
        self.0.client().is_err()
    }
}

/// The receipts of submitted messages.
#[pyclass(frozen, module = "hongyan._native")]
pub struct Results {
    shared: Arc<Shared>,
    time_out: Option<Duration>,
}

#[pymethods]
impl Results {
    #[new]
    fn new(core: &Bound<'_, Core>, timeout: &Bound<'_, PyAny>) -> PyResult<Results> {
        let shared = Arc::clone(&core.get().0);
        shared.client().map_err(|error| refused(core.py(), &error))?;
        Ok(Results { shared, time_out: duration(timeout)? })
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Receipt>> {
        let own = &self.shared;
        let until = self.time_out.and_then(|time_out| Instant::now().checked_add(time_out));
        own.client().map_err(|error| refused(py, &error))?;
        loop {
            if let Some((_, receipt)) = own.router.pop(RESULTS) {
                let less = |n: usize| Some(n.saturating_sub(1));
                // Never fails: there is always a number to go on with.
                let _ = own.outstanding.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
                return Ok(Some(Receipt::to_acknowledge(receipt, own)));
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            // Another thread may take what this one has seen: then there is time left, or none.
            if own.wait(py, RESULTS, left)? != Turn::Some {
                return Ok(None);
            }
        }
    }
}

/// A `str` argument.
fn text(field: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_cow()?.into_owned()),
        Err(_) => Err(wrong_type(field, "a str", value)),
    }
}

/// The argument `timeout`: seconds, or None.
pub fn duration(timeout: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    // What is too long for the clock is as good as no limit.
    Ok(seconds("timeout", timeout)?.and_then(|s| Duration::try_from_secs_f64(s).ok()))
}
