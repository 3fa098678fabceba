//! What became of one message, for Python.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyList;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Facts, Kept};
use crate::shared::{Shared, attached};

/// What became of one message. Immutable; comparable by its id; it outlives its client.
#[pyclass(frozen, module = "hongyan")]
pub struct Receipt(Source, Option<Arc<Shared>>);

enum Source {
    /// As the core gave it; what is costly is made when it is asked for.
    Live(Box<hongyan::Receipt>),
    /// Out of a pickle.
    Read { json: String, value: Value },
}

/// Reads a fact from where it is: a field of the core's receipt, or a value of its JSON.
macro_rules! fact {
    ($self:ident, $live:ident => $from_live:expr, $name:literal, $read:ident => $from_read:expr) => {
        match &$self.0 {
            Source::Live($live) => $from_live,
            Source::Read { value, .. } => {
                let $read = &value[$name];
                $from_read
            }
        }
    };
}

impl From<hongyan::Receipt> for Receipt {
    fn from(receipt: hongyan::Receipt) -> Receipt {
        Receipt(Source::Live(Box::new(receipt)), None)
    }
}

impl Receipt {
    /// A receipt that an outbox may keep until it is acknowledged.
    pub fn to_acknowledge(receipt: hongyan::Receipt, shared: &Arc<Shared>) -> Receipt {
        Receipt(Source::Live(Box::new(receipt)), Some(Arc::clone(shared)))
    }

    /// The exception for it, made anew; `None` if it was sent.
    ///
    /// It is not kept: an exception that was raised holds frames, and these hold the receipt.
    pub fn exception<'py>(this: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let own = this.get();
        let facts = fact!(own,
            r => r.error.as_ref().map(Facts::from),
            "error", v => (!v.is_null()).then(|| Facts::read(v)));
        facts.map(|facts| facts.exception(this.py(), own.delivery(), Some(this))).transpose()
    }
}

impl Receipt {
    /// A member of the result's JSON as Python's own reader makes it; None where it is null.
    ///
    /// The text itself goes to Python, whose integers are as long as they have to be.
    fn member<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        static SCAN: Kept = Kept::new();
        let json = self.to_json();
        let found = serde_json::from_str::<HashMap<&str, &RawValue>>(&json).ok();
        let value = found.as_ref().and_then(|found| found.get(name));
        let Some(value) = value.filter(|value| value.get() != "null") else { return Ok(None) };
        // Without the lines of Python around it.
        let scan = SCAN.get(py, || {
            let decoder = py.import("json")?.getattr("JSONDecoder")?.call0()?;
            decoder.getattr("scan_once")
        })?;
        scan.call1((value.get(), 0))?.get_item(0).map(Some)
    }
}

#[pymethods]
impl Receipt {
    /// The library's own id of this message, a ULID.
    #[getter]
    fn id(&self) -> &str {
        fact!(self, r => &r.id, "id", v => v.as_str().unwrap_or_default())
    }

    /// The idempotency key that was given with the message.
    #[getter]
    fn key(&self) -> Option<&str> {
        fact!(self, r => r.key.as_deref(), "key", v => v.as_str())
    }

    /// The account that sent it.
    #[getter]
    fn account(&self) -> &str {
        fact!(self, r => &r.account, "account", v => v.as_str().unwrap_or_default())
    }

    /// The service of that account; None where there is no such account.
    #[getter]
    fn service(&self) -> Option<&str> {
        fact!(self, r => r.service, "service", v => v.as_str())
    }

    /// "sent": the service said so. "not_sent": sending it again cannot make two of it.
    /// "maybe_sent": nobody can know. "partly_sent": some recipients or parts have arrived.
    #[getter]
    fn delivery(&self) -> &str {
        fact!(self, r => r.delivery.name(), "delivery", v => v.as_str().unwrap_or_default())
    }

    /// The service's id of the message, exact to the last digit; None where it gives none.
    #[getter]
    fn message_id(&self) -> Option<&str> {
        fact!(self, r => r.message_id.as_deref(), "message_id", v => v.as_str())
    }

    /// When the service says it took the message, in Unix seconds.
    #[getter]
    fn service_time(&self) -> Option<i64> {
        fact!(self, r => r.service_time, "service_time", v => v.as_i64())
    }

    /// True if the service had this message already, so that it was sent once.
    #[getter]
    fn deduplicated(&self) -> bool {
        fact!(self, r => r.deduplicated, "deduplicated", v => v.as_bool().unwrap_or(false))
    }

    /// How many requests were begun.
    #[getter]
    fn attempts(&self) -> u64 {
        fact!(self, r => r.attempts.into(), "attempts", v => v.as_u64().unwrap_or(0))
    }

    /// Seconds from accept to verdict.
    #[getter]
    fn elapsed(&self) -> f64 {
        let ms = fact!(self, r => r.elapsed_ms, "elapsed_ms", v => v.as_u64().unwrap_or(0));
        ms as f64 / 1000.0
    }

    /// Why it is not "sent", as an exception made anew each time; None if it is.
    #[getter]
    fn error<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Receipt::exception(slf)
    }

    /// What became of it for each recipient, in the order of the message; None where it named no list of
    /// them.
    #[getter]
    fn recipients<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.member(py, "recipients")
    }

    /// What became of each piece of a text that was split; None of any other.
    #[getter]
    fn pieces<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.member(py, "pieces")
    }

    /// What is worth knowing and no error.
    #[getter]
    fn notes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.member(py, "notes")? {
            Some(notes) => Ok(notes),
            None => Ok(PyList::empty(py).into_any()),
        }
    }

    /// The service's last answer with its secrets masked: what its JSON says, or else a str.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.member(py, "raw")
    }

    /// Tells an outbox that this need never be handed out again; without one: nothing.
    fn ack(&self, py: Python<'_>) -> PyResult<()> {
        match (&self.0, &self.1) {
            (Source::Live(receipt), Some(shared)) => attached(py, || shared.client()?.ack(receipt)),
            _ => Ok(()),
        }
    }

    /// The whole result as JSON text, the same in every language.
    fn to_json(&self) -> String {
        match &self.0 {
            Source::Live(receipt) => receipt.to_json(),
            Source::Read { json, .. } => json.clone(),
        }
    }

    fn __repr__(&self) -> String {
        let name = fact!(self,
            r => r.error.as_ref().map(|e| e.code().name()), "error", v => v["name"].as_str());
        let more = match (name, self.message_id()) {
            (Some(name), _) => format!(" error={name}"),
            (None, Some(id)) => format!(" message_id={id:?}"),
            (None, None) => String::new(),
        };
        format!("<hongyan.Receipt {} account={:?}{more}>", self.delivery(), self.account())
    }

    fn __eq__(&self, other: &Receipt) -> bool {
        self.id() == other.id()
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.id().hash(&mut hasher);
        hasher.finish()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let read = py.import("hongyan._native")?.getattr("_read_receipt")?;
        Ok((read, (self.to_json(),)))
    }
}

/// A receipt out of its JSON.
#[pyfunction]
#[pyo3(name = "_read_receipt")]
pub fn read_receipt(json: String) -> PyResult<Receipt> {
    let value = serde_json::from_str(&json)
        .map_err(|e| pyo3::exceptions::PyValueError::new_err(format!("no receipt: {e}")))?;
    Ok(Receipt(Source::Read { json, value }, None))
}
