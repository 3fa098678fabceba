//! Messages that outlive their client: what was accepted has its one result, in this run or a later, whoever
//! of the clients of the outbox sends it.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "outbox/cases.rs"]
mod cases;
#[path = "outbox/members.rs"]
mod members;
#[path = "outbox/file.rs"]
mod place;
#[path = "support/raw.rs"]
mod raw;
#[path = "outbox/tables.rs"]
mod tables;
#[path = "outbox/told.rs"]
mod told;
