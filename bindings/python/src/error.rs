//! What went wrong, as an exception of `hongyan._errors`.

use hongyan::{Delivery, Error, ErrorCode};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use serde_json::Value;

use crate::encode::Fault;
use crate::receipt::Receipt;

/// The name of each code's class; a new code does not build without one.
pub const fn class_name(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Internal => "InternalError",
        ErrorCode::Panic => "PanicError",
        ErrorCode::Argument => "ArgumentError",
        ErrorCode::Config => "ConfigError",
        ErrorCode::Closed => "ClosedError",
        ErrorCode::Forked => "ForkedError",
        ErrorCode::Full => "FullError",
        ErrorCode::Cancelled => "CancelledError",
        ErrorCode::Reentrant => "ReentrantError",
        ErrorCode::Message => "MessageError",
        ErrorCode::Unsupported => "UnsupportedError",
        ErrorCode::Expired => "ExpiredError",
        ErrorCode::Storage => "StorageError",
        ErrorCode::Locked => "LockedError",
        ErrorCode::Unavailable => "UnavailableError",
        ErrorCode::Timeout => "SendTimeoutError",
        ErrorCode::Network => "NetworkError",
        ErrorCode::Tls => "TlsError",
        ErrorCode::Protocol => "ProtocolError",
        ErrorCode::Auth => "AuthError",
        ErrorCode::Forbidden => "ForbiddenError",
        ErrorCode::NotFound => "NotFoundError",
        ErrorCode::RateLimited => "RateLimitedError",
        ErrorCode::TooLarge => "TooLargeError",
        ErrorCode::Rejected => "RejectedError",
        ErrorCode::Service => "ServiceError",
        ErrorCode::Duplicate => "DuplicateError",
        ErrorCode::Dropped => "DroppedError",
        ErrorCode::Quota => "QuotaError",
    }
}

/// What an exception is made of, wherever it is from.
pub struct Facts<'a> {
    code: i64,
    name: &'a str,
    message: &'a str,
    retryable: bool,
    retry_after_ms: Option<u64>,
    service_code: Option<&'a str>,
    http_status: Option<u64>,
    path: Option<&'a str>,
    hint: Option<&'a str>,
}

impl<'a> From<&'a Error> for Facts<'a> {
    fn from(error: &'a Error) -> Facts<'a> {
        Facts {
            code: error.code().number().into(),
            name: error.code().name(),
            message: error.message(),
            retryable: error.is_retryable(),
            retry_after_ms: error.retry_after_ms(),
            service_code: error.service_code(),
            http_status: error.http_status().map(u64::from),
            path: error.path(),
            hint: error.hint_text(),
        }
    }
}

impl<'a> Facts<'a> {
    /// The facts in an error object of the result JSON.
    pub fn read(error: &'a Value) -> Facts<'a> {
        Facts {
            code: error["code"].as_i64().unwrap_or(i64::from(ErrorCode::Internal.number())),
            name: error["name"].as_str().unwrap_or(ErrorCode::Internal.name()),
            message: error["message"].as_str().unwrap_or_default(),
            retryable: error["retryable"].as_bool().unwrap_or(false),
            retry_after_ms: error["retry_after_ms"].as_u64(),
            service_code: error["service_code"].as_str(),
            http_status: error["http_status"].as_u64(),
            path: error["path"].as_str(),
            hint: error["hint"].as_str(),
        }
    }

    /// The exception object.
    ///
    /// No line of Python runs here, see the crate's own words: so the class is not called, and its
    /// attributes are set one by one.
    pub fn exception<'py>(
        &self,
        py: Python<'py>,
        delivery: &str,
        receipt: Option<&Bound<'py, Receipt>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let class = match ErrorCode::from_name(self.name) {
            _ if delivery == Delivery::MaybeSent.name() => "MaybeSentError",
            _ if delivery == Delivery::PartlySent.name() => "PartlySentError",
            Some(code) => class_name(code),
            None => "Error",
        };
        let class = classes(py)?.getattr(class)?;
        let error = class.call_method1(intern!(py, "__new__"), (&class,))?;
        let retry_after = self.retry_after_ms.map(|ms| ms as f64 / 1000.0);
        error.setattr(intern!(py, "args"), (self.message,))?;
        error.setattr(intern!(py, "code"), self.code)?;
        error.setattr(intern!(py, "name"), self.name)?;
        error.setattr(intern!(py, "delivery"), delivery)?;
        error.setattr(intern!(py, "retryable"), self.retryable)?;
        error.setattr(intern!(py, "retry_after"), retry_after)?;
        error.setattr(intern!(py, "service_code"), self.service_code)?;
        error.setattr(intern!(py, "http_status"), self.http_status)?;
        error.setattr(intern!(py, "path"), self.path)?;
        error.setattr(intern!(py, "hint"), self.hint)?;
        error.setattr(intern!(py, "receipt"), receipt)?;
        Ok(error)
    }
}

/// An object that is found once.
///
/// While one is looked for, lines of Python may run (a finaliser does at any time) and may come back here:
/// then it is found twice, and the first of the two is kept.
pub struct Kept(PyOnceLock<Py<PyAny>>);

impl Kept {
    /// Not found yet.
    pub const fn new() -> Kept {
        Kept(PyOnceLock::new())
    }

    /// The object, which `find` finds.
    pub fn get<'py>(
        &self,
        py: Python<'py>,
        find: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(found) = self.0.get(py) {
            return Ok(found.bind(py).clone());
        }
        let found = find()?;
        let _ = self.0.set(py, found.clone().unbind());
        Ok(found)
    }
}

/// The module of the exceptions, which the package has imported.
fn classes(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static CLASSES: Kept = Kept::new();
    CLASSES.get(py, || py.import("hongyan._errors").map(Bound::into_any))
}

/// A refused call, as the exception to raise.
pub fn refused(py: Python<'_>, error: &Error) -> PyErr {
    let mut facts = Facts::from(error);
    if error.code() == ErrorCode::Full {
        // The core's own advice names functions of C.
        facts.hint = Some("take receipts with results(), or raise max_in_flight");
    }
    raise(py, &facts)
}

/// A message that found no room in time, as the exception to raise.
pub fn no_room(py: Python<'_>, code: ErrorCode, full: &Error) -> PyErr {
    let words = format!("there was no room for it in time: {}", full.message());
    let error = Error::new(code, words);
    let facts = Facts { retryable: code == ErrorCode::Timeout, ..Facts::from(&error) };
    raise(py, &facts)
}

fn raise(py: Python<'_>, facts: &Facts<'_>) -> PyErr {
    facts
        .exception(py, Delivery::NotSent.name(), None)
        .map_or_else(|raised| raised, PyErr::from_value)
}

/// A refused value, as the exception to raise.
pub fn fault(py: Python<'_>, fault: Fault) -> PyErr {
    match fault {
        Fault::Program(error) => error,
        Fault::Message(error) => refused(py, &error),
    }
}
