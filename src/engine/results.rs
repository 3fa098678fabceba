//! Results on their way to the host: bounded, in order, exactly one for each accepted send.
//!
//! [`sends`] counts what is under way and gathers its results, which are shown in a [`queue`]: the client's
//! own, or one that the host has [`opened`] beside it. They take their locks, their clock and their
//! descriptor from [`sync`] alone, so that the tests can compile them a second time, on a scheduler that
//! tries interleavings.

#[cfg(test)]
mod model;
pub mod opened;
pub mod passage;
pub mod queue;
pub mod sends;
pub mod slot;
mod sync;
pub mod wake;
