//! What holds of an outbox wherever it is kept.

use std::time::Duration;

use hongyan::{Client, ErrorCode, Origin, Receipt, SubmitOptions, Waited};
use serde_json::{Value, json};

use super::accounts::{ACCOUNTS, client, message, message_with, take, verdict};
use super::place::Folder;
use super::raw::{GUARD, RawServer, Then, answer};

const OK: &str = ACCOUNTS[0].1;
const OK_IM: &str = ACCOUNTS[3].1;
/// Far in the future.
const LATER_MS: u64 = 32_503_680_000_000;

fn submit(client: &Client, message: &Value, token: u64) -> hongyan::Op {
    client.submit(message.to_string().as_bytes(), SubmitOptions::token(token)).expect("accepted")
}

fn is_empty(client: &Client) -> bool {
    matches!(client.wait(Some(Duration::from_millis(300)), 10), Ok(Waited::Nothing))
}

fn told(receipt: &Receipt) -> (u64, &'static str, &'static str, Origin) {
    let (delivery, name) = verdict(receipt);
    (receipt.token, delivery, name, receipt.origin)
}

#[test]
fn a_result_comes_again_until_it_is_acknowledged() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let first = {
        let client = folder.client(&server.url());
        submit(&client, &message("ff-json"), 7);
        submit(&client, &message("ff-json"), 8);
        let receipts = [take(&client), take(&client)];
        let acknowledged = receipts.iter().find(|r| r.token == 8).expect("both came");
        client.ack(acknowledged).expect("an outbox");
        assert_eq!(client.close(None), 0);
        receipts.into_iter().find(|r| r.token == 7).expect("both came")
    };
    assert_eq!(told(&first), (7, "sent", "ok", Origin::ThisRun));
    for _ in 0..2 {
        let client = folder.client(&server.url());
        let again = take(&client);
        assert_eq!(told(&again), (7, "sent", "ok", Origin::EarlierRun));
        assert_eq!((again.id, again.message_id), (first.id.clone(), first.message_id.clone()));
        assert!(is_empty(&client), "the other was acknowledged");
    }
    let client = folder.client(&server.url());
    client.ack(&take(&client)).expect("an outbox");
    drop(client);
    assert!(is_empty(&folder.client(&server.url())));
    assert_eq!(server.request_count(), 2, "nothing was sent twice");
}

#[test]
fn what_a_close_leaves_is_sent_in_a_later_run() {
    let folder = Folder::new();
    let server =
        RawServer::script(vec![(Vec::new(), Then::Hang), (answer(200, "", OK_IM), Then::Keep)]);
    {
        let client = client(&folder.config(&server.url(), json!({"max_in_flight": 4})));
        let later = message_with("ff-json", json!({"not_before_ms": LATER_MS}));
        submit(&client, &later, 100);
        for token in 0..6 {
            submit(&client, &message_with("im", json!({"ordered": true})), token);
        }
        server.wait_for_requests(1);
        assert_eq!(client.close(Some(Duration::ZERO)), 7, "one in flight, six on the disk");
        assert_eq!(client.close(None), 0);
        assert!(client.submit(later.to_string().as_bytes(), SubmitOptions::token(1)).is_err());
    }
    let client = folder.client(&server.url());
    let receipts: Vec<_> = (0..6).map(|_| take(&client)).collect();
    let told: Vec<_> = receipts.iter().map(told).collect();
    let expected: Vec<_> = (0..6).map(|n| (n, "sent", "ok", Origin::EarlierRun)).collect();
    assert_eq!(told, expected, "in order");
    let recovered: Vec<_> = receipts.iter().map(|r| r.recovered).collect();
    assert_eq!(recovered, [true, false, false, false, false, false], "the first had begun");
    assert!(is_empty(&client), "the last is not due for long");
    assert_eq!(client.close(Some(Duration::ZERO)), 0, "it accepted none of them itself");
}

#[test]
fn what_was_begun_is_in_doubt_unless_its_service_knows_it_again() {
    let folder = Folder::new();
    let hang = || (Vec::new(), Then::Hang);
    let server = RawServer::script(vec![hang(), hang(), (answer(200, "", OK_IM), Then::Keep)]);
    let hung = {
        let client = folder.client(&server.url());
        submit(&client, &message("ff-json"), 1);
        submit(&client, &message("im"), 2);
        server.wait_for_requests(2);
        assert_eq!(client.close(Some(Duration::ZERO)), 2);
        server.requests()
    };
    let client = folder.client(&server.url());
    let mut receipts = [take(&client), take(&client)];
    receipts.sort_by_key(|receipt| receipt.token);
    assert_eq!(told(&receipts[0]), (1, "maybe_sent", "network", Origin::EarlierRun));
    assert_eq!(told(&receipts[1]), (2, "sent", "ok", Origin::EarlierRun));
    assert!(receipts.iter().all(|receipt| receipt.recovered));
    let again = server.requests().split_off(2);
    assert_eq!(again.len(), 1, "a doubt is not resent where nobody would know it");
    let first = hung.iter().find(|request| request.target().contains("group")).expect("it went");
    assert_eq!(first.body, again[0].body, "byte for byte");
}

#[test]
fn wrong_messages_keys_deadlines_and_cancels_have_their_one_result() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let keyed = |text: &str| message_with("ff-json", json!({"key": "k", "text": text}));
    {
        let client = folder.client(&server.url());
        submit(&client, &json!({"v": 1, "account": "nobody", "to": {}, "text": "x"}), 1);
        assert_eq!(verdict(&take(&client)), ("not_sent", "message"));
        submit(&client, &keyed("a"), 2);
        assert_eq!(verdict(&take(&client)), ("sent", "ok"));
        submit(&client, &keyed("a"), 3);
        let known = take(&client);
        assert_eq!((known.token, known.deduplicated), (3, true));
        submit(&client, &keyed("b"), 4);
        assert_eq!(verdict(&take(&client)), ("not_sent", "message"));
        let late = json!({"not_before_ms": LATER_MS, "deadline_ms": 1});
        submit(&client, &message_with("ff-json", late), 5);
        let expired = take(&client);
        assert_eq!((expired.token, verdict(&expired)), (5, ("not_sent", "expired")));
        let later = message_with("ff-json", json!({"not_before_ms": LATER_MS}));
        submit(&client, &later, 6).cancel();
        let cancelled = take(&client);
        assert_eq!((cancelled.token, verdict(&cancelled)), (6, ("not_sent", "cancelled")));
    }
    let client = folder.client(&server.url());
    let mut tokens: Vec<_> = (0..6).map(|_| take(&client).token).collect();
    tokens.sort_unstable();
    assert_eq!(tokens, [1, 2, 3, 4, 5, 6]);
    submit(&client, &keyed("a"), 7);
    let known = take(&client);
    assert_eq!((known.token, known.deduplicated), (7, true), "keys outlive their run");
    assert_eq!(server.request_count(), 1);
}

#[test]
fn a_full_outbox_is_refused_in_words() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let config = folder.config(&server.url(), json!({"outbox": {"max_messages": 2}}));
    let owner = client(&config);
    let json = message_with("ff-json", json!({"not_before_ms": LATER_MS})).to_string();
    let many: Vec<_> = (0..4).map(|token| (json.as_bytes(), token)).collect();
    let (accepted, error) =
        owner.submit_many(many.iter().copied()).expect_err("there is room for two");
    assert_eq!((accepted, error.code()), (2, ErrorCode::Full));
    assert!(error.message().contains("max_messages"), "{error}");
}

#[test]
fn two_thousand_wait_on_the_disk_and_few_in_memory() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let more = json!({"max_in_flight": 16, "accounts": {"ff-json": {"rate": null}}});
    let client = client(&folder.config(&server.url(), more));
    let messages: Vec<_> = (0..2000)
        .map(|n| message_with("ff-json", json!({"text": n.to_string()})).to_string())
        .collect();
    for chunk in messages.chunks(500) {
        let many: Vec<_> = chunk.iter().map(|json| (json.as_bytes(), 0)).collect();
        client.submit_many(many.iter().copied()).expect("accepted, though only 16 may be at work");
    }
    let mut ids = std::collections::HashSet::new();
    while ids.len() < 2000 {
        match client.wait(Some(GUARD), 64).expect("open") {
            Waited::Results(receipts) => {
                for receipt in receipts {
                    assert_eq!(verdict(&receipt), ("sent", "ok"));
                    client.ack(&receipt).expect("an outbox");
                    assert!(ids.insert(receipt.id), "one result each");
                }
            }
            Waited::Nothing => panic!("{} results, and no more came", ids.len()),
        }
    }
    assert_eq!(server.request_count(), 2000);
    // On a slow machine one that is on its way back is not found yet, and one more is opened.
    assert!(server.connections() <= 64, "{} connections", server.connections());
    assert_eq!(client.close(None), 0);
}

#[test]
fn a_removed_account_ends_what_waits_for_it_on_the_disk() {
    let nobody = RawServer::script(vec![(Vec::new(), Then::Hang)]);
    let folder = Folder::new();
    let client = client(&folder.config(&nobody.url(), json!({"max_in_flight": 2})));
    let later = message_with("im", json!({"not_before_ms": LATER_MS}));
    submit(&client, &later, 0);
    for token in 1..6 {
        submit(&client, &message("im"), token);
    }
    submit(&client, &message_with("im", json!({"ordered": true, "not_before_ms": LATER_MS})), 6);
    submit(&client, &message_with("im", json!({"ordered": true})), 7);
    nobody.wait_for_requests(1);
    client.remove_account("im").expect("it was there");
    // The account's half of two is under way: an attempt that has begun ends as it began.
    let mut ended: Vec<_> = (0..7).map(|_| take(&client)).collect();
    ended.sort_by_key(|receipt| receipt.token);
    let told: Vec<_> = ended.iter().map(|r| (r.token, r.delivery.name())).collect();
    assert_eq!(told, [0, 2, 3, 4, 5, 6, 7].map(|token| (token, "not_sent")));
    for receipt in &ended {
        // A sender refuses what it lacks the account for when it meets it.
        let name = verdict(receipt).1;
        assert!(name == "config" || name == "message", "{receipt:?}");
    }
}

#[test]
fn a_told_wait_outlives_the_process() {
    let busy = answer(429, "Retry-After: 3600.5\r\n", "busy");
    let (folder, server) = (Folder::new(), RawServer::fixed(busy));
    let started = std::time::SystemTime::now();
    let file = folder.file();
    let due = || file.rows(0, 1).expect("an outbox").first().and_then(|row| row.due_ms);
    let client = folder.client(&server.url());
    submit(&client, &message("ff-json"), 7);
    server.wait_for_requests(1);
    until(&client, || due().is_some());
    drop(client);
    let since = started.duration_since(std::time::UNIX_EPOCH).expect("a calendar").as_millis();
    assert!(due().is_some_and(|due| u128::from(due) >= since + 3_600_500), "{:?}", due());

    let client = folder.client(&server.url());
    until(&client, || {
        let stats: Value = serde_json::from_str(&client.stats_json()).expect("JSON");
        stats["accounts"]["ff-json"]["waiting"]["time"] == json!(1)
    });
    assert_eq!(server.request_count(), 1, "it waits on in the next run");
}

/// Waits until something holds that must come to hold, and no receipt before.
fn until(client: &Client, holds: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !holds() {
        let waited = client.wait(Some(Duration::from_millis(5)), 1).expect("open");
        assert!(matches!(waited, Waited::Nothing), "{waited:?}");
        assert!(started.elapsed() < GUARD, "waited in vain");
    }
}
