//! Keys and lines of a client with an outbox: they hold whichever way a message comes in.

#![cfg(feature = "outbox")]

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/outbox_folder.rs"]
#[allow(dead_code, reason = "not every test looks into it")]
mod outbox_folder;
#[path = "support/raw.rs"]
mod raw;

use std::time::Duration;

use accounts::{ACCOUNTS, message_with, take, verdict};
use hongyan::{Client, Op};
use outbox_folder::Folder;
use raw::{RawServer, Then, answer};
use serde_json::{Value, json};

const OK: &str = ACCOUNTS[0].1;
/// Far in the future.
const LATER_MS: u64 = 32_503_680_000_000;

/// A server that takes everything.
fn kind() -> RawServer {
    RawServer::fixed(answer(200, "", OK))
}

fn keyed(more: Value) -> Value {
    accounts::merged(message_with("ff-json", json!({"key": "k"})), more)
}

fn submit(client: &Client, token: u64, message: &Value) -> Op {
    client.submit_json(message.to_string().as_bytes(), token).expect("accepted")
}

#[test]
fn who_joined_goes_on_when_the_first_ends_for_itself() {
    let later = json!({"not_before_ms": LATER_MS});
    for ended in ["cancelled", "expired"] {
        let (folder, server) = (Folder::new(), kind());
        let client = folder.client(&server.url());
        let mut first = keyed(later.clone());
        if ended == "expired" {
            first["deadline_ms"] = json!(300);
        }
        let op = submit(&client, 1, &first);
        submit(&client, 2, &keyed(json!({})));
        submit(&client, 3, &keyed(json!({})));
        if ended == "cancelled" {
            op.cancel();
        }
        let mut receipts = [take(&client), take(&client), take(&client)];
        receipts.sort_by_key(|receipt| receipt.token);
        let told: Vec<_> = receipts.iter().map(|r| (verdict(r), r.deduplicated)).collect();
        let sent = |deduplicated| (("sent", "ok"), deduplicated);
        assert_eq!(told, [(("not_sent", ended), false), sent(false), sent(true)]);
        assert_eq!(server.request_count(), 1);
    }
}

#[test]
fn a_doubt_of_a_first_that_is_cancelled_is_everybody_s() {
    let (folder, server) = (Folder::new(), RawServer::script(vec![(Vec::new(), Then::Hang)]));
    let client = folder.client(&server.url());
    let op = submit(&client, 1, &keyed(json!({})));
    server.wait_for_requests(1);
    submit(&client, 2, &keyed(json!({})));
    op.cancel();
    let mut receipts = [take(&client), take(&client)];
    receipts.sort_by_key(|receipt| receipt.token);
    assert!(receipts.iter().all(|receipt| verdict(receipt) == ("maybe_sent", "cancelled")));
    assert!(receipts[1].deduplicated);
    client.close(Some(Duration::ZERO));
    assert_eq!(server.request_count(), 1);
}
