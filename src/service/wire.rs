//! How bodies are written and read.

pub mod envelope;
pub mod form;
pub mod json;
pub mod multipart;
pub mod xml;
