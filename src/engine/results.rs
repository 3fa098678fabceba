//! Results on their way to the host: bounded, in order, exactly one for each accepted send.
//!
//! [`queue`] takes its locks, its clock and its descriptor from [`sync`] alone, so that the tests
//! can compile it a second time, on a scheduler that tries interleavings.

#[cfg(test)]
mod model;
pub mod queue;
mod sync;
pub mod wake;
