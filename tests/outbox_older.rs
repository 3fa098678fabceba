//! Outboxes that older versions of this library wrote (`tests/fixtures`) go on with this one.

#![cfg(feature = "outbox")]

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/outbox_folder.rs"]
mod outbox_folder;
#[path = "support/raw.rs"]
mod raw;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use hongyan::{
    Client, Delivery, Origin, OutboxFile, OutboxPut, OutboxRow, Receipt, SubmitOptions, Waited,
};
use serde_json::{Value, json};

use accounts::{ACCOUNTS, client, message_with, take, verdict};
use outbox_folder::Folder;
use raw::{RawServer, Then, answer};

/// The token of the one that waits for its time: larger than any signed number.
const LARGE: u64 = u64::MAX - 41;

/// Every row, by its token: where it stands, its key, and whether it arrived.
const ROWS: [(u64, &str, Option<&str>, Option<Delivery>); 14] = [
    (2, "done", None, Some(Delivery::Sent)),
    (3, "done", None, Some(Delivery::NotSent)),
    (4, "dead", Some("refused"), Some(Delivery::NotSent)),
    (5, "done", Some("twice"), Some(Delivery::Sent)),
    (6, "done", Some("twice"), Some(Delivery::Sent)),
    (7, "begun", Some("hangs"), None),
    (8, "begun", None, None),
    (LARGE, "scheduled", None, None),
    (10, "queued", Some("queued"), None),
    (11, "following", Some("queued"), None),
    (12, "queued", None, None),
    (13, "in_line", None, None),
    (14, "in_line", None, None),
    (15, "scheduled", None, None),
];

/// A copy of a fixture, and its rows once this library has opened it and sent nothing.
fn opened(fixture: &str) -> (Folder, Vec<OutboxRow>) {
    let folder = Folder::new();
    let from = format!("{}/tests/fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
    std::fs::copy(from, folder.file()).expect("a fixture");
    let file = OutboxFile::at(folder.file()).expect("a path");
    // One that comes and goes makes the file current.
    let put = put(&file, &[message_with("ff-json", json!({"not_before_ms": 1}))], 99);
    let put = put.into_iter().next().and_then(Result::ok).expect("accepted");
    assert!(file.remove(&[&put.id]).expect("an outbox")[0].is_ok());
    let rows = file.rows(0, usize::MAX).expect("an outbox");
    (folder, rows)
}

/// Puts messages into the file, which sends nothing.
fn put(file: &OutboxFile, messages: &[Value], first: u64) -> Vec<hongyan::Result<OutboxPut>> {
    let texts: Vec<_> = messages.iter().map(Value::to_string).collect();
    let writer = client(&accounts::config("http://127.0.0.1:1"));
    let many = texts.iter().zip(first..).map(|(json, token)| (json.as_bytes(), token));
    writer.put(file, many).expect("an outbox")
}

fn told(row: &OutboxRow) -> (u64, &str, Option<&str>, Option<Delivery>) {
    (row.token, row.state.name(), row.key.as_deref(), row.delivery)
}

/// Takes every message; Tencent IM and Fanfou have answers of their own.
fn kind() -> RawServer {
    RawServer::start(|request, stream| {
        let im = request.target().starts_with("/im/");
        let body = if im { ACCOUNTS[3].1 } else { ACCOUNTS[0].1 };
        std::io::Write::write_all(stream, &answer(200, "", body))?;
        Ok(Then::Keep)
    })
}

fn keyed(client: &Client, token: u64, key: &str, text: &str) -> Receipt {
    let message = message_with("ff-json", json!({"text": text, "key": key}));
    submit(client, token, &message);
    take(client)
}

fn submit(client: &Client, token: u64, message: &Value) {
    let json = message.to_string();
    client.submit(json.as_bytes(), SubmitOptions::token(token)).expect("accepted");
}

fn goes_on(fixture: &str) {
    let (folder, rows) = opened(fixture);
    assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), ROWS, "every row, in its order");
    let ids: HashMap<u64, &str> = rows.iter().map(|row| (row.token, row.id.as_str())).collect();

    let server = kind();
    let owner = folder.client(&server.url());
    let mut receipts: BTreeMap<u64, Receipt> = BTreeMap::new();
    while receipts.len() < 12 {
        let receipt = take(&owner);
        assert_eq!(receipt.origin, Origin::EarlierRun, "{receipt:?}");
        assert_eq!(Some(&receipt.id.as_str()), ids.get(&receipt.token), "it kept its id");
        assert!(receipts.insert(receipt.token, receipt).is_none(), "one result each");
    }
    let shown: Vec<_> = receipts
        .values()
        .map(|receipt| {
            let (delivery, name) = verdict(receipt);
            (receipt.token, delivery, name, receipt.deduplicated, receipt.recovered)
        })
        .collect();
    let expected = [
        (2, "sent", "ok", false, false),
        (3, "not_sent", "forbidden", false, false),
        (5, "sent", "ok", false, false),
        (6, "sent", "ok", true, false),
        (7, "maybe_sent", "network", false, true),
        (8, "maybe_sent", "network", false, true),
        (10, "sent", "ok", false, false),
        (11, "sent", "ok", true, false),
        (12, "sent", "ok", false, false),
        (13, "sent", "ok", false, false),
        (14, "sent", "ok", false, false),
        (15, "not_sent", "expired", false, false),
    ];
    assert_eq!(shown, expected);

    // Only what was queued went, once, and a line in its order.
    let requests = server.requests();
    let line = requests.iter().filter(|request| request.target().starts_with("/im/"));
    let line: Vec<_> = line
        .map(|request| {
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            body["MsgBody"][0]["MsgContent"]["Text"].as_str().expect("a text").to_owned()
        })
        .collect();
    assert_eq!(line, ["line 12", "line 13", "line 14"]);
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().any(|request| request.body_text().contains("text=queued")));

    // A key knows its message and refuses another; that of what did not arrive is free.
    for (key, text, delivery) in [
        ("sent", "sent under a key", "sent"),
        ("twice", "sent under another key", "sent"),
        ("hangs", "hangs", "maybe_sent"),
        ("queued", "queued", "sent"),
    ] {
        let known = keyed(&owner, 20, key, text);
        assert_eq!((verdict(&known).0, known.deduplicated), (delivery, true), "{key}");
        owner.ack(&known).expect("an outbox");
        let other = keyed(&owner, 21, key, "something else");
        assert_eq!(verdict(&other), ("not_sent", "message"), "{key}");
        owner.ack(&other).expect("an outbox");
    }
    assert_eq!(server.request_count(), 4, "keys sent nothing");
    let free = keyed(&owner, 22, "refused", "refused under a key");
    assert_eq!((verdict(&free), free.deduplicated), (("sent", "ok"), false));

    // What was acknowledged is gone, or a dead letter; the rest comes again.
    for (token, receipt) in &receipts {
        if *token != 2 {
            owner.ack(receipt).expect("an outbox");
        }
    }
    owner.ack(&free).expect("an outbox");
    drop(owner);
    let owner = folder.client(&server.url());
    let again = take(&owner);
    assert_eq!((again.token, &again.id), (2, &receipts[&2].id));
    owner.ack(&again).expect("an outbox");
    assert!(matches!(owner.wait(Some(Duration::from_millis(300)), 1), Ok(Waited::Nothing)));
    drop(owner);
    let left = OutboxFile::at(folder.file()).and_then(|file| file.rows(0, usize::MAX));
    let mut left: Vec<_> = left
        .expect("an outbox")
        .iter()
        .filter(|row| row.token < 20 || row.token == LARGE)
        .map(|row| (row.token, row.state.name()))
        .collect();
    left.sort_unstable();
    let expected = [3, 4, 7, 8, 15].map(|token| (token, "dead"));
    assert_eq!(left[..5], expected);
    assert_eq!(left[5..], [(LARGE, "scheduled")]);
}

#[test]
fn a_file_of_the_first_schema_goes_on() {
    goes_on("outbox-1.db");
}

#[test]
fn a_file_of_the_last_schema_with_one_owner_goes_on() {
    goes_on("outbox-4.db");
}

#[test]
fn new_messages_stand_behind_those_of_an_older_file() {
    let (folder, _) = opened("outbox-1.db");
    let file = OutboxFile::at(folder.file()).expect("a path");
    let of_key = |text: &str| message_with("ff-json", json!({"text": text, "key": "queued"}));
    let ordered = json!({"text": "line 15", "ordered": true, "to": {"group": "@TGS#line"}});
    let messages = [of_key("queued"), of_key("another"), message_with("im", ordered)];
    let accepted: Vec<_> = put(&file, &messages, 30).iter().map(Result::is_ok).collect();
    assert_eq!(accepted, [true, false, true], "its key says something else");
    let rows = file.rows(0, usize::MAX).expect("an outbox");
    let new: Vec<_> =
        rows.iter().skip(ROWS.len()).map(|row| (row.token, row.state.name())).collect();
    assert_eq!(new, [(30, "following"), (32, "in_line")]);
}
