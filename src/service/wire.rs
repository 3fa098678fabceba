//! How bodies are written and read.

#[cfg_attr(not(test), allow(dead_code, reason = "services of the test tree alone are so plain"))]
pub mod envelope;
pub mod form;
pub mod json;
#[cfg_attr(not(test), allow(dead_code, reason = "the services of today carry no files"))]
pub mod multipart;
pub mod xml;
