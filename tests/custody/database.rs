//! Clients whose messages are in a schema of PostgreSQL.

#[path = "everywhere.rs"]
mod everywhere;
#[path = "../outbox/database.rs"]
#[allow(dead_code, reason = "not every case looks into it")]
mod place;

use serde_json::{Value, json};

use super::accounts;
use super::cluster;
use place::Folder;

/// What a configuration says so that there is room for so many messages.
pub fn room_for(most: usize) -> Value {
    json!({"outbox": {"max_messages": most}})
}
