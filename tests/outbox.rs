//! Messages that outlive their client: what was accepted has its one result, in this run or a later.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "outbox/cases.rs"]
mod cases;
#[path = "outbox/file.rs"]
mod place;
#[path = "support/raw.rs"]
mod raw;

use hongyan::{Client, ErrorCode};
use serde_json::json;

use accounts::client;
use place::Folder;

#[test]
fn a_second_owner_is_refused_in_words() {
    let folder = Folder::new();
    let config = folder.config("http://127.0.0.1:1", json!({}));
    let owner = client(&config);
    let second = Client::from_json(&config.to_string()).err().expect("it has an owner");
    assert_eq!(second.code(), ErrorCode::Locked);
    drop(owner);
    drop(client(&config));
}
