//! The client as Python's classes see it.

use std::sync::Arc;
use std::time::Duration;

use hongyan::Client;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use serde_json::Value;

use crate::encode::{dict_to_json, wrong_type};
use crate::error::{fault, refused};
use crate::message::Fields;
use crate::receipt::Receipt;
use crate::shared::{Shared, attached, detached};
use crate::when::duration;

/// What is in a configuration where `max_in_flight` is not.
const MAX_IN_FLIGHT: usize = 1024;

/// The client as the Python classes see it.
#[pyclass(frozen, module = "hongyan._native")]
pub struct Core(pub Arc<Shared>);

/// How many receipts of `submit()` may wait, by a configuration that the core has accepted; with an
/// outbox, which has its own limits, any number.
fn most_outstanding(json: &str) -> Option<usize> {
    let config: Value = serde_json::from_str(json).unwrap_or_default();
    if !config["outbox"].is_null() {
        return None;
    }
    let given = config["max_in_flight"].as_u64().and_then(|most| usize::try_from(most).ok());
    Some(given.unwrap_or(MAX_IN_FLIGHT))
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
            text.to_cow()?.trim_start_matches('\u{feff}').to_owned()
        } else {
            return Err(wrong_type("config", "a dict, JSON text or a path", config));
        };
        // Reads files that the credentials name.
        let client = detached(py, || Client::from_json(&json))?;
        Ok(Core(Arc::new(Shared::new(client, most_outstanding(&json)))))
    }

    /// Sends on this thread; the receipt, or the exception that goes with it.
    fn send(
        &self,
        py: Python<'_>,
        fields: &Bound<'_, PyTuple>,
        timeout: &Bound<'_, PyAny>,
    ) -> PyResult<Py<Receipt>> {
        let fields = Fields::read(fields).map_err(|error| fault(py, error))?;
        let time_out = duration(timeout)?;
        let message = |waited| fields.encoded(waited).map_err(|error| fault(py, error));
        let (receipt, raised) = self.0.send(py, time_out, fields.deadline, message)?;
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
    fn submit(&self, py: Python<'_>, fields: &Bound<'_, PyTuple>) -> PyResult<String> {
        let fields = Fields::read(fields).map_err(|error| fault(py, error))?;
        let message = fields.encoded(Duration::ZERO).map_err(|error| fault(py, error))?;
        // With an outbox it waits for the disk.
        detached(py, || self.0.submit_for_results(message))
    }

    /// The request that a message would become, as JSON; nothing is sent.
    fn preview(&self, py: Python<'_>, fields: &Bound<'_, PyTuple>) -> PyResult<String> {
        let fields = Fields::read(fields).map_err(|error| fault(py, error))?;
        let message = fields.encoded(Duration::ZERO).map_err(|error| fault(py, error))?;
        // It reads the files that the message names.
        detached(py, || Ok(self.0.client()?.preview(message.source())?.to_json()))
    }

    /// Waits at most so many seconds until every message of `submit()` has its receipt, or, with an
    /// outbox, until none is at work; how many are left.
    fn settle(&self, py: Python<'_>, timeout: f64) -> PyResult<usize> {
        self.0.settle(py, Duration::from_secs_f64(timeout))
    }

    /// Accepts nothing more by `submit()`: the program ends.
    fn refuse_submits(&self) {
        self.0.refuse_submits();
    }

    /// Takes what comes for `results()` within so many seconds, so that it holds no room in the core.
    fn pump(&self, py: Python<'_>, timeout: f64) -> PyResult<()> {
        detached(py, || self.0.make_room(Duration::from_secs_f64(timeout)))
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

    /// Asks the service of an account whether its credentials work, with Ctrl-C.
    fn check_account(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        timeout: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.0.check_account(py, &text("name", name)?, duration(timeout)?)
    }

    /// Counters per account, as JSON.
    fn stats_json(&self, py: Python<'_>) -> PyResult<String> {
        attached(py, || Ok(self.0.client()?.stats_json()))
    }

    /// Accepts nothing more, waits, cancels the rest and tells how many those were.
    fn close(&self, py: Python<'_>, timeout: &Bound<'_, PyAny>) -> PyResult<usize> {
        self.0.close(py, duration(timeout)?)
    }

    /// True once close() was called.
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closing()
    }

    /// True if an outbox keeps what it does not finish.
    #[getter]
    fn keeps(&self) -> bool {
        self.0.keeps()
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
        let receipt = self.shared.result(py, self.time_out)?;
        Ok(receipt.map(|receipt| Receipt::to_acknowledge(receipt, &self.shared)))
    }
}

/// A `str` argument.
fn text(field: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_cow()?.into_owned()),
        Err(_) => Err(wrong_type(field, "a str", value)),
    }
}
