//! Messages of one key in an outbox: what the end of the first means for those that joined it.

#![cfg(feature = "outbox")]

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/keyed.rs"]
mod keyed;
#[path = "support/outbox_folder.rs"]
#[allow(dead_code, reason = "not every test looks into it")]
mod outbox_folder;
#[path = "support/raw.rs"]
mod raw;

use std::time::Duration;

use accounts::{take, verdict};
use keyed::{Gated, LATER_MS, OK, keyed, kind, submit};
use outbox_folder::Folder;
use raw::{RawServer, Then};
use serde_json::json;

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

#[test]
fn who_joined_and_ends_before_the_first_is_in_doubt() {
    let (folder, gated) = (Folder::new(), Gated::new());
    let client = folder.client(&gated.server.url());
    submit(&client, 1, &keyed(json!({})));
    gated.server.wait_for_requests(1);
    submit(&client, 2, &keyed(json!({"deadline_ms": 30})));
    submit(&client, 3, &keyed(json!({}))).cancel();
    let mut told = [take(&client), take(&client)];
    told.sort_by_key(|receipt| receipt.token);
    // The first may be taken, and they are the same message.
    assert_eq!(
        told.each_ref().map(verdict),
        [("maybe_sent", "timeout"), ("maybe_sent", "cancelled")]
    );
    submit(&client, 4, &keyed(json!({})));
    gated.answer(OK);
    let mut told = [take(&client), take(&client)];
    told.sort_by_key(|receipt| receipt.token);
    assert_eq!(told.each_ref().map(verdict), [("sent", "ok"); 2]);
    assert_eq!(gated.server.request_count(), 1);
}

#[test]
fn who_joined_shares_what_became_of_the_first_of_an_account_that_goes() {
    let (folder, gated) = (Folder::new(), Gated::new());
    let client = folder.client(&gated.server.url());
    submit(&client, 1, &keyed(json!({})));
    gated.server.wait_for_requests(1);
    submit(&client, 2, &keyed(json!({})));
    let other = json!({"key": "other", "not_before_ms": LATER_MS});
    submit(&client, 3, &keyed(other.clone()));
    submit(&client, 4, &keyed(other));
    client.remove_account("ff-json").expect("it is there");
    let mut told = [take(&client), take(&client)];
    told.sort_by_key(|receipt| receipt.token);
    let told = told.each_ref().map(|receipt| (receipt.token, verdict(receipt)));
    assert_eq!(told, [3, 4].map(|token| (token, ("not_sent", "config"))));
    gated.answer(OK);
    let told = [take(&client), take(&client)].map(|receipt| verdict(&receipt));
    assert_eq!(told, [("sent", "ok"); 2], "the request that was under way is everybody's");
}
