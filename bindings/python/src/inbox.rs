//! The receipts of one event loop: futures that belong to it, and who wakes it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hongyan::Op;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};

use crate::core::Core;
use crate::error::{fault, refused};
use crate::message::{Fields, Whatever};
use crate::receipt::Receipt;
use crate::router::Turn;
use crate::shared::Shared;
use crate::when::duration;

/// Receipts with their futures and numbers, the mailboxes of others, and whether this was the last of all.
type Drained = (Vec<(Py<PyAny>, u32, Receipt)>, Vec<u32>, bool);

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

    /// Submits a message whose receipt this future gets; its number, for `cancel()`. The call has waited
    /// so many seconds for room.
    fn submit(
        &self,
        py: Python<'_>,
        future: Py<PyAny>,
        fields: &Bound<'_, PyTuple>,
        timeout: &Bound<'_, PyAny>,
        waited: f64,
    ) -> PyResult<u32> {
        let fields = Fields::read(fields).map_err(|error| fault(py, error))?;
        let waited = Duration::try_from_secs_f64(waited).unwrap_or_default();
        let time_out = duration(timeout)?.map(|time_out| time_out.saturating_sub(waited));
        let message = fields.encoded(waited).map_err(|error| fault(py, error))?;
        let number = self.shared.number();
        let op = self.shared.submit(&message, self.mailbox, number, time_out);
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

    /// Asks for the end of a send that nobody awaits any more.
    fn cancel(&self, number: u32) {
        if self.shared.client().is_err() {
            return;
        }
        if let Some((_future, op)) = self.take(number) {
            op.cancel();
        }
    }

    /// Asks for the end of a send whose own future was cancelled; this one gets its receipt. False if that
    /// was handed out before.
    fn give_up(&self, number: u32, future: Py<PyAny>) -> bool {
        if self.shared.client().is_err() {
            return false;
        }
        let old = match self.awaited().get_mut(&number) {
            Some(awaited) => {
                awaited.1.cancel();
                std::mem::replace(&mut awaited.0, future)
            }
            None => return false,
        };
        drop(old);
        true
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
            // Those report too that nobody awaits any more.
            if let Some((future, _op)) = self.take(number) {
                receipts.push((future, number, Receipt::from(receipt)));
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
