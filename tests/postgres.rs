//! An outbox in PostgreSQL, of which many clients are members.

#![cfg(all(feature = "postgres", unix))]

#[path = "support/accounts.rs"]
mod accounts;
#[path = "outbox/cases.rs"]
mod cases;
#[path = "support/cluster.rs"]
mod cluster;
#[path = "postgres/members.rs"]
mod leases;
#[path = "outbox/members.rs"]
mod members;
#[path = "outbox/database.rs"]
mod place;
#[path = "support/raw.rs"]
mod raw;
#[path = "support/relay.rs"]
mod relay;
#[path = "postgres/roles.rs"]
mod roles;
#[path = "postgres/sql.rs"]
mod sql;
#[path = "postgres/tables.rs"]
mod tables;
#[path = "outbox/told.rs"]
mod told;
