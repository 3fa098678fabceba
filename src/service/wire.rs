//! How bodies are written and read.

pub mod form;
pub mod json;
pub mod xml;
