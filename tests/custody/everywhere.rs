//! What holds of messages wherever they are kept: in memory, in a file, in a database.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use hongyan::{Client, Delivery, ErrorCode, Receipt, SendOptions, SubmitOptions, Waited};
use serde_json::{Value, json};

use super::{Folder, room_for};
use crate::accounts::{ACCOUNTS, client, message, message_with, verdict};
use crate::raw::{GUARD, Gate, RawServer, Then, answer};

const OK: &str = ACCOUNTS[0].1;

/// Far in the future.
const LATER_MS: u64 = 32_503_680_000_000;

fn kind() -> RawServer {
    RawServer::fixed(answer(200, "", OK))
}

fn now_ms() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as u64
}

fn submit(client: &Client, token: u64, more: Value) -> hongyan::Op {
    let message = message_with("ff-json", more).to_string();
    client.submit(message.as_bytes(), SubmitOptions::token(token)).expect("accepted")
}

/// So many receipts, by their tokens.
fn take(client: &Client, count: usize) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    while receipts.len() < count {
        match client.wait(Some(GUARD), count).expect("open") {
            Waited::Results(more) => receipts.extend(more),
            Waited::Nothing => panic!("{} of {count} results, and no more came", receipts.len()),
        }
    }
    receipts.sort_by_key(|receipt| receipt.token);
    assert_eq!(receipts.len(), count, "one result each");
    receipts
}

fn told(receipts: &[Receipt]) -> Vec<(u64, &'static str, &'static str, bool)> {
    let told = receipts.iter().map(|receipt| {
        let (delivery, name) = verdict(receipt);
        (receipt.token, delivery, name, receipt.deduplicated)
    });
    told.collect()
}

#[test]
fn every_message_has_its_one_result() {
    let (folder, server) = (Folder::new(), kind());
    let client = folder.client(&server.url());
    let texts: Vec<_> = (0..50)
        .map(|n| message_with("ff-json", json!({"text": n.to_string()})).to_string())
        .collect();
    let many = texts.iter().zip(0..).map(|(json, token)| (json.as_bytes(), token));
    client.submit_many(many).expect("accepted");
    let expected: Vec<_> = (0..50).map(|token| (token, "sent", "ok", false)).collect();
    assert_eq!(told(&take(&client, 50)), expected);
    assert_eq!(server.request_count(), 50);
    assert_eq!(client.flush(Some(GUARD)), 0);
    assert!(matches!(client.wait(Some(Duration::ZERO), 1), Ok(Waited::Nothing)));
}

#[test]
fn messages_of_a_key_are_one_and_have_one_verdict() {
    let (gate, folder) = (Gate::default(), Folder::new());
    let server = gate.server(answer(200, "", OK));
    let client = folder.client(&server.url());
    let keyed = |text: &str| json!({"key": "k", "text": text});
    submit(&client, 1, keyed("a"));
    server.wait_for_requests(1);
    submit(&client, 2, keyed("a"));
    submit(&client, 3, keyed("b"));
    let refused = take(&client, 1);
    assert_eq!(told(&refused), [(3, "not_sent", "message", false)]);
    gate.open();
    assert_eq!(told(&take(&client, 2)), [(1, "sent", "ok", false), (2, "sent", "ok", true)]);
    submit(&client, 4, keyed("a"));
    assert_eq!(told(&take(&client, 1)), [(4, "sent", "ok", true)]);
    // A caller who waits comes to the same door.
    let text = message_with("ff-json", keyed("a")).to_string();
    let direct = client.send(text.as_bytes(), SendOptions::default()).expect("a receipt");
    assert!(direct.deduplicated && direct.delivery == Delivery::Sent, "{direct:?}");
    assert_eq!(server.request_count(), 1);
}

#[test]
fn who_follows_one_that_ends_for_itself_goes_on() {
    let (folder, server) = (Folder::new(), kind());
    let client = folder.client(&server.url());
    let first = submit(&client, 1, json!({"key": "k", "not_before_ms": LATER_MS}));
    submit(&client, 2, json!({"key": "k"}));
    submit(&client, 3, json!({"key": "k"}));
    first.cancel();
    let expected =
        [(1, "not_sent", "cancelled", false), (2, "sent", "ok", false), (3, "sent", "ok", true)];
    assert_eq!(told(&take(&client, 3)), expected);
    assert_eq!(server.request_count(), 1);
}

#[test]
fn a_line_keeps_its_order() {
    let (folder, server) = (Folder::new(), kind());
    let client = folder.client(&server.url());
    for n in 0..30 {
        submit(&client, n, json!({"ordered": true, "text": format!("n{n:02}")}));
    }
    assert!(take(&client, 30).iter().all(|receipt| verdict(receipt) == ("sent", "ok")));
    let requests = server.requests();
    let seen = requests.iter().map(|request| {
        let text = request.body_text();
        (0..30).find(|n| text.contains(&format!("n{n:02}")))
    });
    assert_eq!(seen.collect::<Vec<_>>(), (0..30).map(Some).collect::<Vec<_>>());
}

#[test]
fn a_line_goes_on_after_one_that_failed() {
    let folder = Folder::new();
    let server =
        RawServer::script(vec![(Vec::new(), Then::Reset), (answer(200, "", OK), Then::Keep)]);
    let client = folder.client(&server.url());
    for n in 0..3 {
        submit(&client, n, json!({"ordered": true, "text": n.to_string()}));
    }
    let expected =
        [(0, "maybe_sent", "network", false), (1, "sent", "ok", false), (2, "sent", "ok", false)];
    assert_eq!(told(&take(&client, 3)), expected);
    assert_eq!(server.request_count(), 3, "a doubt is not resent where nobody would know it");
}

#[test]
fn a_message_is_not_sent_before_its_time() {
    let came = Arc::<Mutex<Vec<u64>>>::default();
    let server = {
        let came = Arc::clone(&came);
        RawServer::start(move |_, stream| {
            came.lock().expect("unbroken").push(now_ms());
            stream.write_all(&answer(200, "", OK))?;
            Ok(Then::Keep)
        })
    };
    let folder = Folder::new();
    let client = folder.client(&server.url());
    let due = now_ms() + 300;
    submit(&client, 1, json!({"not_before_ms": due}));
    submit(&client, 2, json!({}));
    let expected = [(1, "sent", "ok", false), (2, "sent", "ok", false)];
    assert_eq!(told(&take(&client, 2)), expected);
    let came = came.lock().expect("unbroken");
    assert!(came.len() == 2 && came[1] >= due, "due {due}, came {came:?}");
}

#[test]
fn what_cannot_go_ends_at_once() {
    let (folder, server) = (Folder::new(), kind());
    let client = folder.client(&server.url());
    let nobody = json!({"v": 1, "account": "nobody", "to": {}, "text": "x"}).to_string();
    client.submit(nobody.as_bytes(), SubmitOptions::token(1)).expect("accepted");
    submit(&client, 2, json!({"not_before_ms": LATER_MS, "deadline_ms": 1}));
    submit(&client, 3, json!({"not_before_ms": LATER_MS})).cancel();
    let expected = [
        (1, "not_sent", "message", false),
        (2, "not_sent", "expired", false),
        (3, "not_sent", "cancelled", false),
    ];
    assert_eq!(told(&take(&client, 3)), expected);
    assert_eq!(server.request_count(), 0);
}

#[test]
fn what_waits_for_an_account_ends_with_it() {
    let (folder, server) = (Folder::new(), kind());
    let client = folder.client(&server.url());
    submit(&client, 1, json!({"not_before_ms": LATER_MS}));
    submit(&client, 2, json!({"not_before_ms": LATER_MS, "ordered": true}));
    submit(&client, 3, json!({"ordered": true}));
    client.remove_account("ff-json").expect("it was there");
    for receipt in take(&client, 3) {
        let (delivery, name) = verdict(&receipt);
        // Who sends what others may have accepted says the second.
        assert!(delivery == "not_sent" && ["config", "message"].contains(&name), "{receipt:?}");
    }
    assert_eq!(server.request_count(), 0);
}

#[test]
fn there_is_room_for_as_many_as_was_said() {
    let folder = Folder::new();
    let client = client(&folder.config("http://127.0.0.1:1", room_for(2)));
    let json = message_with("ff-json", json!({"not_before_ms": LATER_MS})).to_string();
    let many = (0..4).map(|token| (json.as_bytes(), token));
    let (accepted, error) = client.submit_many(many).expect_err("there is room for two");
    assert_eq!((accepted, error.code()), (2, ErrorCode::Full));
}

#[test]
fn a_close_waits_for_what_ends_in_time_and_lets_nothing_in() {
    let (gate, folder) = (Gate::default(), Folder::new());
    let server = gate.server(answer(200, "", OK));
    let client = folder.client(&server.url());
    submit(&client, 1, json!({}));
    server.wait_for_requests(1);
    gate.open();
    assert_eq!(client.close(Some(GUARD)), 0);
    let late = client.submit(message("ff-json").to_string().as_bytes(), SubmitOptions::token(2));
    assert_eq!(late.err().map(|error| error.code()), Some(ErrorCode::Closed));
    assert_eq!(told(&take(&client, 1)), [(1, "sent", "ok", false)]);
}
