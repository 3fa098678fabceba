//! Clients whose messages are in their memory alone.

#[path = "everywhere.rs"]
mod everywhere;

use hongyan::Client;
use serde_json::{Value, json};

use crate::accounts::{client, config_with};

/// What stands where others have a folder or a schema.
pub struct Folder;

impl Folder {
    pub fn new() -> Folder {
        Folder
    }

    pub fn config(&self, url: &str, more: Value) -> Value {
        config_with(url, more)
    }

    pub fn client(&self, url: &str) -> Client {
        client(&self.config(url, json!({})))
    }
}

/// What a configuration says so that there is room for so many messages.
pub fn room_for(most: usize) -> Value {
    // One account of several has half of a client.
    json!({"max_in_flight": 2 * most})
}
