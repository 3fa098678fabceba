//! Whoever keeps messages keeps them alike: each module is a place that keeps them, and names the cases that hold
//! of it.

#![allow(clippy::duplicate_mod, reason = "each place has the cases that hold of it")]

#[path = "support/accounts.rs"]
mod accounts;
#[cfg(all(feature = "postgres", unix))]
#[path = "support/cluster.rs"]
mod cluster;
#[cfg(all(feature = "postgres", unix))]
#[path = "custody/database.rs"]
mod database;
#[cfg(feature = "outbox")]
#[path = "custody/file.rs"]
mod file;
#[path = "custody/memory.rs"]
mod memory;
#[path = "support/raw.rs"]
mod raw;
