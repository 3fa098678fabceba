//! From accept to verdict: a job, its attempts, and what each of them waits for.

pub mod connection;
pub mod connections;
pub mod deliver;
pub mod direct;
pub mod failure;
pub mod gate;
pub mod job;
pub mod mark;
pub mod pace;
pub mod progress;
pub mod repeats;
pub mod retry;
pub mod scratch;
pub mod session;
pub mod several;
pub mod steps;

use crate::engine::account::Entry;
use crate::model::error::{Error, ErrorCode};

/// The error of a verdict that has none.
pub fn lost() -> Error {
    Error::new(ErrorCode::Internal, "a verdict without words; this is a bug in hongyan")
}

/// The name of a recipient, without what is secret in it.
pub fn masked(entry: Option<&Entry>, name: &str) -> String {
    match entry {
        Some(entry) => entry.redactor.text(name).into_owned(),
        None => name.to_owned(),
    }
}
