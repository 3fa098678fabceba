//! Floor 0: messages, receipts, errors, configuration, secrets. Plain data; the only file
//! that it opens is one that others name.

pub mod config;
pub mod digest;
pub mod error;
pub mod expand;
pub mod fields;
pub mod file;
pub mod id;
pub mod json;
pub mod log;
pub mod message;
pub mod panic;
pub mod receipt;
pub mod redact;
pub mod secret;
