//! How bodies are written and read.

pub mod envelope;
pub mod form;
pub mod json;
pub mod multipart;
#[cfg(feature = "service-smtp")]
pub mod transcript;
pub mod xml;
