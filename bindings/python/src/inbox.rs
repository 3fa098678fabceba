//! The receipts of one event loop: futures that belong to it, and who wakes it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use hongyan::Op;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::core::{Core, Shared, Whatever, duration};
use crate::encode::Fields;
use crate::error::{fault, refused};
use crate::receipt::Receipt;
use crate::router::Turn;

/// Receipts with their futures, the mailboxes of others, and whether this was the last of all.
type Drained = (Vec<(Py<PyAny>, Receipt)>, Vec<u32>, bool);

/// The messages that one event loop awaits.
#[pyclass(frozen, module = "hongyan._native")]
pub struct Inbox {
    shared: Arc<Shared>,
    mailbox: u32,
    awaited: Mutex<HashMap<u32, (Py<PyAny>, Op)>>,
}

impl Inbox {
    fn awaited(&self) -> MutexGuard<'_, HashMap<u32, (Py<PyAny>, Op)>> {
        self.awaited.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn take(&self, number: u32) -> Option<(Py<PyAny>, Op)> {
        self.awaited().remove(&number)
    }

    /// Takes note of a message that was submitted.
    fn submitted(
        &self,
        py: Python<'_>,
        future: Py<PyAny>,
        number: u32,
        op: hongyan::Result<Op>,
    ) -> PyResult<u32> {
        let op = op.map_err(|error| refused(py, &error))?;
        // Its receipt may be there already, but only the loop's own thread takes it out.
        self.awaited().insert(number, (future, op));
        Ok(number)
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        if self.shared.client().is_ok() {
            self.shared.router.close(self.mailbox);
        }
    }
}

#[pymethods]
impl Inbox {
    #[new]
    fn new(core: &Bound<'_, Core>) -> PyResult<Inbox> {
        let shared = Arc::clone(&core.get().0);
        shared.client().map_err(|error| refused(core.py(), &error))?;
        let mailbox = shared.router.open(true);
        Ok(Inbox { shared, mailbox, awaited: Mutex::default() })
    }

    /// Submits a message whose receipt this future gets; its number, for `cancel()`.
    #[allow(clippy::too_many_arguments, reason = "they are those of Python's send()")]
    fn submit(
        &self,
        py: Python<'_>,
        future: Py<PyAny>,
        account: &Bound<'_, PyAny>,
        to: &Bound<'_, PyAny>,
        text: &Bound<'_, PyAny>,
        parts: &Bound<'_, PyAny>,
        reply_to: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        extra: &Bound<'_, PyAny>,
        deadline: &Bound<'_, PyAny>,
        timeout: &Bound<'_, PyAny>,
    ) -> PyResult<u32> {
        let fields = Fields { account, to, text, parts, reply_to, key, extra, deadline };
        let time_out = duration(timeout)?;
        let json = fields.to_json().map_err(|error| fault(py, error))?;
        let number = self.shared.number();
        let op = self.shared.submit(&json, self.mailbox, number, time_out);
        self.submitted(py, future, number, op)
    }

    /// The same for a message that is a dict, which never raises for what is wrong in it.
    fn submit_message(
        &self,
        py: Python<'_>,
        future: Py<PyAny>,
        message: &Bound<'_, PyAny>,
        name: &str,
    ) -> PyResult<u32> {
        let message = Whatever::read(message, name)?;
        let number = self.shared.number();
        let op = self.shared.submit_whatever(&message, self.mailbox, number);
        self.submitted(py, future, number, op)
    }

    /// Asks for the end of a send whose future nobody awaits any more.
    fn cancel(&self, number: u32) {
        if self.shared.client().is_err() {
            return;
        }
        if let Some((_future, op)) = self.take(number) {
            op.cancel();
        }
    }

    /// By this number others know it.
    #[getter]
    fn mailbox(&self) -> u32 {
        self.mailbox
    }

    /// The receipts that wait, with their futures; who else got some; whether this was all.
    fn drain(&self, py: Python<'_>) -> PyResult<Drained> {
        let mut calls = Vec::new();
        let turn = self.shared.look(py, self.mailbox, &mut calls)?;
        calls.retain(|called| *called != self.mailbox);
        let mut arrived = VecDeque::new();
        self.shared.router.empty(self.mailbox, &mut arrived);
        let mut receipts = Vec::with_capacity(arrived.len());
        for (number, receipt) in arrived {
            // Cancelled sends report too; nobody waits for that.
            if let Some((future, _op)) = self.take(number) {
                receipts.push((future, Receipt::from(receipt)));
            }
        }
        Ok((receipts, calls, turn == Turn::Ended))
    }

    /// How many futures wait.
    fn __len__(&self) -> usize {
        self.awaited().len()
    }

    /// Ends it: what comes is dropped.
    fn close(&self) {
        if self.shared.client().is_err() {
            return;
        }
        self.shared.router.close(self.mailbox);
        let awaited = std::mem::take(&mut *self.awaited());
        drop(awaited);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock holds what is in there.
        let Ok(awaited) = self.awaited.try_lock() else { return Ok(()) };
        for (future, _) in awaited.values() {
            visit.call(future)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let awaited = std::mem::take(&mut *self.awaited());
        drop(awaited);
    }
}
