//! `hongyan` (鸿雁, the wild goose that carries letters) sends messages through many chat
//! services and tells the truth about each of them: sent, not sent, or honestly "maybe".
//!
//! ```no_run
//! let client = hongyan::Client::from_json(r#"{"v": 1, "accounts": {"ff": {
//!     "service": "fanfou",
//!     "auth": {"type": "basic", "username": "test", "password": "${env:FANFOU_PASSWORD}"}}}}"#)?;
//! let message = hongyan::Message::from_json(
//!     r#"{"v": 1, "account": "ff", "to": {"user": "lisztli"}, "text": "hello"}"#)?;
//! let receipt = client.send(message, hongyan::SendOptions::default())?;
//! println!("{}: {:?}", receipt.delivery.name(), receipt.message_id);
//! # Ok::<(), hongyan::Error>(())
//! ```
//!
//! The modules are floors: each uses lower floors only. From the top: `capi` (the C ABI), [`Client`],
//! `engine` (dispatch, retry, queue; the only place that knows tokio), `net` (the only place that
//! knows reqwest), `service` (pure encodings and verdicts), `model` (plain data).

#![deny(unsafe_code, missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::unwrap_used)]

// Tests that speak of the library by its name are run within it too.
#[cfg(test)]
extern crate self as hongyan;

#[cfg(feature = "capi")]
pub mod capi;
mod client;
#[cfg(test)]
#[path = "../tests/corpus.rs"]
mod corpus;
mod engine;
mod model;
mod net;
#[cfg(feature = "outbox")]
mod outbox;
// A build with few services does not need all that they share.
#[cfg_attr(not(feature = "services"), allow(dead_code, unused_imports, unused_macros))]
mod service;
#[cfg(feature = "testing")]
pub mod testing;

#[doc(hidden)]
pub use bytes;
pub use client::{Client, SendOptions, set_log};
pub use engine::{Op, Preview, PreviewFile, Queue, SubmitOptions, Waited, Watch};
pub use model::{
    error::{Error, ErrorCode, Result},
    json::read as read_json,
    log::{Level as LogLevel, Reentrant},
    message::{Kind, Location, Message, MessageBuilder, MessageSource, Part, To},
    receipt::{Delivery, Note, Origin, PieceResult, Receipt, RecipientResult},
    secret::Secret,
};
#[doc(hidden)]
pub use model::{file, message::Files};
#[cfg(feature = "outbox")]
pub use outbox::{OutboxFile, OutboxPut, OutboxRow, OutboxState};
pub use service::services_json;

/// The version of this library, as in its Cargo.toml.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
