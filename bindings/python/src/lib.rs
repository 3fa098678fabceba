//! `hongyan._native`: the core for Python. The package `hongyan` beside it is what people use.
//!
//! No function here runs lines of Python: a daemon thread that runs them when the interpreter ends is
//! unwound by force, and Rust frames below it would turn that into an abort. So what has to be called
//! (iterables, futures, event loops) is called by the package, and exceptions are made by hand.

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::unwrap_used)]

mod batch;
mod core;
mod encode;
mod error;
mod files;
mod inbox;
mod log;
mod message;
mod queue;
mod receipt;
mod room;
mod shared;
mod when;

use mimalloc::MiMalloc;
use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The core of hongyan; the package's own classes are made of it.
#[pymodule(gil_used = false)]
mod _native {
    use std::ffi::OsString;

    use hongyan::ErrorCode;
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::batch::Batch;
    #[pymodule_export]
    use super::core::{Core, Results};
    #[pymodule_export]
    use super::files::{File, load_file};
    #[pymodule_export]
    use super::inbox::Inbox;
    #[pymodule_export]
    use super::log::{has_log, log_level, take_log};
    #[pymodule_export]
    use super::receipt::{Receipt, read_receipt};

    /// What this build can send, per service, as JSON.
    #[pyfunction]
    fn services_json() -> &'static str {
        hongyan::services_json()
    }

    /// Number, name and class of every code.
    #[pyfunction]
    fn codes() -> Vec<(i32, &'static str, &'static str)> {
        let code = |code: &ErrorCode| (code.number(), code.name(), super::error::class_name(*code));
        ErrorCode::ALL.iter().map(code).collect()
    }

    /// Runs the command with these arguments; `again` is how to start it anew. Its exit status.
    #[pyfunction]
    fn main(py: Python<'_>, again: Vec<OsString>, args: Vec<OsString>) -> u8 {
        py.detach(|| hongyan_cli::main(&again, args))
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", hongyan::VERSION)
    }
}
