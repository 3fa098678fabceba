//! The receipts of one event loop: futures that belong to it, and who wakes it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hongyan::Op;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};

use crate::core::Core;
use crate::error::{fault, refused};
use crate::message::{Fields, Whatever};
use crate::queue::{OwnQueue, Turn};
use crate::receipt::Receipt;
use crate::shared::{attached, waiting};
use crate::when::duration;

/// Receipts with their futures and numbers, and whether this was the last of all.
type Drained = (Vec<(Py<PyAny>, u32, Receipt)>, bool);

/// The messages that one event loop awaits.
#[pyclass(frozen, module = "hongyan._native")]
pub struct Inbox {
    queue: Arc<OwnQueue>,
    next_number: AtomicU32,
    awaited: Mutex<HashMap<u32, (Py<PyAny>, Op)>>,
}

impl Inbox {
    fn awaited(&self) -> MutexGuard<'_, HashMap<u32, (Py<PyAny>, Op)>> {
        self.awaited.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A number that no message in flight has.
    fn number(&self) -> u32 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
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

#[pymethods]
impl Inbox {
    #[new]
    fn new(core: &Bound<'_, Core>) -> PyResult<Inbox> {
        let queue = OwnQueue::open(&core.get().0).map_err(|error| refused(core.py(), &error))?;
        Ok(Inbox { queue, next_number: AtomicU32::new(0), awaited: Mutex::default() })
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
        let number = self.number();
        let queue = self.queue.get();
        let op = queue
            .and_then(|queue| self.queue.shared.submit(message.source(), queue, number, time_out));
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
        let number = self.number();
        let queue = self.queue.get();
        let op = queue.and_then(|queue| self.queue.shared.submit_whatever(&message, queue, number));
        self.submitted(py, future, number, op)
    }

    /// Asks for the end of a send that nobody awaits any more.
    fn cancel(&self, number: u32) {
        if self.queue.get().is_err() {
            return;
        }
        if let Some((_future, op)) = self.take(number) {
            op.cancel();
        }
    }

    /// Asks for the end of a send whose own future was cancelled; this one gets its receipt. False if that
    /// was handed out before.
    fn give_up(&self, number: u32, future: Py<PyAny>) -> bool {
        if self.queue.get().is_err() {
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

    /// The descriptor that is readable while receipts wait.
    fn poll_handle(&self, py: Python<'_>) -> PyResult<isize> {
        attached(py, || self.queue.get()?.poll_handle())
    }

    /// Waits for receipts at most so many seconds, for a loop that cannot watch a descriptor: none came, they
    /// came (false), or none will come any more (true).
    fn wait(&self, py: Python<'_>, timeout: f64) -> PyResult<Option<bool>> {
        let time_out = Some(Duration::from_secs_f64(timeout));
        Ok(match waiting(py, time_out, |slice| self.queue.take_out(slice))? {
            Turn::Nothing => None,
            Turn::Some => Some(false),
            Turn::Ended => Some(true),
        })
    }

    /// The receipts that wait, with their futures; whether this was all.
    fn drain(&self, py: Python<'_>) -> PyResult<Drained> {
        let mut arrived = VecDeque::new();
        let turn = attached(py, || self.queue.wait(Duration::ZERO, &mut arrived))?;
        let mut receipts = Vec::with_capacity(arrived.len());
        for (number, receipt) in arrived {
            // Those report too that nobody awaits any more.
            if let Some((future, _op)) = self.take(number) {
                receipts.push((future, number, Receipt::from(receipt)));
            }
        }
        Ok((receipts, turn == Turn::Ended))
    }

    /// How many futures wait.
    fn __len__(&self) -> usize {
        self.awaited().len()
    }

    /// Ends it: what comes is dropped.
    fn close(&self) {
        if self.queue.get().is_err() {
            return;
        }
        self.queue.end();
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
