//! Keys and lines of a client with an outbox: they hold whichever way a message comes in.

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

use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use accounts::{message_with, take, verdict};
use hongyan::{
    Client, ErrorCode, Message, OutboxFile, Receipt, SendOptions, SubmitOptions, Waited,
};
use keyed::{Gated, LATER_MS, OK, OK_IM, keyed, kind, ordered, submit};
use outbox_folder::Folder;
use raw::{GUARD, RawServer, Then, answer};
use serde_json::{Value, json};

/// The ways of a message into a client.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    Submit,
    SubmitMany,
    Send,
    SendWatched,
    SendWithinARuntime,
    SendAsync,
    InMemory,
    Within,
    Queue,
}

const DOORS: [Door; 9] = [
    Door::Submit,
    Door::SubmitMany,
    Door::Send,
    Door::SendWatched,
    Door::SendWithinARuntime,
    Door::SendAsync,
    Door::InMemory,
    Door::Within,
    Door::Queue,
];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Sends through this door, and waits for the result.
fn through(door: Door, client: &Client, message: &Value) -> Receipt {
    let json = message.to_string();
    let bytes = json.as_bytes();
    let built = || Message::from_json(&json).expect("a valid message");
    match door {
        Door::Submit => drop(client.submit(bytes, SubmitOptions::token(7)).expect("accepted")),
        Door::SubmitMany => client.submit_many([(bytes, 7)]).expect("accepted"),
        Door::InMemory => drop(
            client
                .submit(built(), SubmitOptions { in_memory: true, ..SubmitOptions::token(7) })
                .expect("accepted"),
        ),
        Door::Within => drop(
            client
                .submit(bytes, SubmitOptions { time_out: Some(GUARD), ..SubmitOptions::token(7) })
                .expect("accepted"),
        ),
        Door::Queue => {
            let queue = client.queue().expect("open");
            let options = SubmitOptions { queue: Some(&queue), ..SubmitOptions::token(7) };
            drop(client.submit(bytes, options).expect("accepted"));
            let Ok(Waited::Results(mut receipts)) = queue.wait(Some(GUARD), 9) else {
                panic!("no result")
            };
            assert_eq!((receipts.len(), receipts[0].token), (1, 7));
            client.ack(&receipts[0]).expect("open");
            return receipts.remove(0);
        }
        Door::Send => return client.send(bytes, SendOptions::default()).expect("accepted"),
        Door::SendWatched => {
            let every = Duration::from_millis(20);
            return client
                .send(bytes, SendOptions::watched(every, &mut || false))
                .expect("accepted");
        }
        Door::SendWithinARuntime => {
            return runtime()
                .block_on(async { client.send(bytes, SendOptions::default()) })
                .expect("accepted");
        }
        Door::SendAsync => {
            return runtime().block_on(client.send_async(built())).expect("accepted");
        }
    }
    let receipt = take(client);
    assert_eq!(receipt.token, 7);
    client.ack(&receipt).expect("open");
    receipt
}

#[test]
fn a_key_holds_whichever_way_its_messages_come_in() {
    for first in DOORS {
        let (folder, server) = (Folder::new(), kind());
        let client = folder.client(&server.url());
        let receipt = through(first, &client, &keyed(json!({})));
        assert_eq!((verdict(&receipt), receipt.deduplicated), (("sent", "ok"), false), "{first:?}");
        for second in DOORS {
            let again = through(second, &client, &keyed(json!({})));
            let told = (verdict(&again), again.deduplicated, again.message_id.clone());
            let expected = (("sent", "ok"), true, receipt.message_id.clone());
            assert_eq!(told, expected, "{first:?}, then {second:?}");
            assert_ne!(again.id, receipt.id);
            let other = through(second, &client, &keyed(json!({"text": "other"})));
            let path = other.error.as_ref().and_then(|error| error.path().map(str::to_owned));
            assert_eq!(verdict(&other), ("not_sent", "message"), "{first:?}, then {second:?}");
            assert_eq!(path.as_deref(), Some("key"));
        }
        drop(client);
        let client = folder.client(&server.url());
        for second in DOORS {
            let again = through(second, &client, &keyed(json!({})));
            assert!(again.deduplicated, "{first:?}, in the next run {second:?}");
        }
        assert!(matches!(client.wait(Some(Duration::ZERO), 9), Ok(Waited::Nothing)));
        assert_eq!(server.request_count(), 1, "{first:?}");
    }
}

#[test]
fn a_refusal_frees_the_key_for_every_door() {
    let refusal = answer(404, "", r#"{"request":"/x","error":"no such user"}"#);
    for first in DOORS {
        let folder = Folder::new();
        let server = RawServer::script(vec![
            (refusal.clone(), Then::Keep),
            (answer(200, "", OK), Then::Keep),
        ]);
        let client = folder.client(&server.url());
        assert_eq!(verdict(&through(first, &client, &keyed(json!({})))).0, "not_sent");
        let other = through(Door::Send, &client, &keyed(json!({"text": "other"})));
        assert_eq!((verdict(&other), other.deduplicated), (("sent", "ok"), false), "{first:?}");
    }
}

#[test]
fn messages_of_a_key_that_come_at_once_are_one_message() {
    let (folder, gated) = (Folder::new(), Gated::new());
    let client = folder.client(&gated.server.url());
    let start = Barrier::new(6);
    let told = std::thread::scope(|scope| {
        let submits = scope.spawn(|| {
            start.wait();
            for token in 0..5 {
                submit(&client, token, &keyed(json!({})));
                let built = Message::from_json(&keyed(json!({})).to_string()).expect("valid");
                client
                    .submit(built, SubmitOptions { in_memory: true, ..SubmitOptions::token(token) })
                    .expect("accepted");
            }
        });
        let sends: Vec<_> = (0..5)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    through(Door::Send, &client, &keyed(json!({})))
                })
            })
            .collect();
        gated.server.wait_for_requests(1);
        submits.join().expect("no panic");
        gated.answer(OK);
        let mut told: Vec<_> =
            sends.into_iter().map(|send| send.join().expect("no panic")).collect();
        told.extend((0..10).map(|_| take(&client)));
        told
    });
    assert!(told.iter().all(|receipt| verdict(receipt) == ("sent", "ok")), "{told:?}");
    assert_eq!(told.iter().filter(|receipt| !receipt.deduplicated).count(), 1);
    assert_eq!(gated.server.request_count(), 1);
}

/// Begins a send through a door on a thread of its own.
fn begin(door: Door, client: &Arc<Client>, message: Value) -> std::thread::JoinHandle<Receipt> {
    let client = Arc::clone(client);
    std::thread::spawn(move || through(door, &client, &message))
}

#[test]
fn the_order_holds_whichever_way_messages_come_in() {
    let internal_error = r#"{"ActionStatus":"FAIL","ErrorInfo":"try again","ErrorCode":10002}"#;
    for (first, second) in [
        (Door::Submit, Door::Send),
        (Door::Send, Door::Submit),
        (Door::Send, Door::Send),
        (Door::Submit, Door::InMemory),
        (Door::SendAsync, Door::Within),
        (Door::InMemory, Door::SendAsync),
    ] {
        let (folder, gated) = (Folder::new(), Gated::new());
        let client = Arc::new(folder.client(&gated.server.url()));
        let a = begin(first, &client, ordered("A", json!({})));
        gated.server.wait_for_requests(1);
        // Two doors that wait for results of the queue would take each other's.
        let both_wait = first != Door::Send
            && first != Door::SendAsync
            && second != Door::Send
            && second != Door::SendAsync;
        let b = (!both_wait).then(|| begin(second, &client, ordered("B", json!({}))));
        // A is tried twice more.
        for answer in [internal_error, internal_error, OK_IM] {
            gated.answer(answer);
        }
        assert_eq!(verdict(&a.join().expect("no panic")), ("sent", "ok"));
        let b = b.unwrap_or_else(|| begin(second, &client, ordered("B", json!({}))));
        gated.server.wait_for_requests(4);
        gated.answer(OK_IM);
        assert_eq!(verdict(&b.join().expect("no panic")), ("sent", "ok"));
        assert_eq!(gated.texts(), ["A", "A", "A", "B"], "{first:?}, then {second:?}");
    }
}

#[test]
fn what_a_caller_waits_for_needs_no_room_and_no_results_taken() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK_IM)));
    let client = accounts::client(&folder.config(
        &server.url(),
        json!({"max_in_flight": 2,
        "accounts": {"im": {"max_in_flight": 2}}}),
    ));
    // Nobody takes results: the third and later of these stay on the disk.
    for n in 0..6 {
        submit(&client, n, &ordered("A", json!({})));
    }
    submit(&client, 6, &ordered("C", json!({"key": "k"})));
    server.wait_for_requests(2);
    let message = ordered("B", json!({})).to_string();
    let sent = loop {
        match client.send(message.as_bytes(), SendOptions::default()) {
            // Those that are done hold their places until they are taken.
            Err(error) if error.code() == ErrorCode::Full => drop(take(&client)),
            told => break told.expect("accepted"),
        }
    };
    assert_eq!(verdict(&sent), ("sent", "ok"));
    assert_eq!(server.request_count(), 8);
}

/// The folder as it is now: what a process leaves that dies at this moment.
fn crashed(folder: &Folder) -> Folder {
    let copy = Folder::new();
    for name in ["outbox.db", "outbox.db-wal"] {
        let from: &Path = folder.path();
        std::fs::copy(from.join(name), copy.path().join(name)).expect("copied");
    }
    copy
}

#[test]
fn a_process_that_dies_leaves_a_doubt_of_what_it_had_begun_and_frees_the_rest() {
    let (folder, mute) = (Folder::new(), RawServer::script(vec![(Vec::new(), Then::Hang)]));
    let client = Arc::new(folder.client(&mute.url()));
    let begun = begin(Door::Send, &client, keyed(json!({})));
    mute.wait_for_requests(1);
    submit(&client, 1, &keyed(json!({})));
    let line = begin(Door::Send, &client, ordered("A", json!({"key": "a"})));
    mute.wait_for_requests(2);
    let behind = begin(Door::Send, &client, ordered("B", json!({"key": "b"})));
    wait_until(|| outbox(&client)["unfinished"] == 4);
    submit(&client, 2, &ordered("B", json!({"key": "b"})));
    submit(&client, 3, &ordered("C", json!({})));
    let left = crashed(&folder);
    client.close(Some(Duration::ZERO));
    for (send, expected) in [(begun, "maybe_sent"), (line, "maybe_sent"), (behind, "not_sent")] {
        assert_eq!(verdict(&send.join().expect("no panic")), (expected, "cancelled"));
    }
    drop(client);

    let server = RawServer::fixed(answer(200, "", OK_IM));
    let client = left.client(&server.url());
    let mut told: Vec<_> = (0..3).map(|_| take(&client)).collect();
    told.sort_by_key(|receipt| receipt.token);
    let verdicts: Vec<_> = told.iter().map(|r| (verdict(r), r.deduplicated)).collect();
    let sent = (("sent", "ok"), false);
    assert_eq!(verdicts, [(("maybe_sent", "network"), true), sent, sent]);
    assert_eq!((told[0].account.as_str(), told[0].key.as_deref()), ("ff-json", Some("k")));
    let texts: Vec<_> =
        server.requests().iter().map(|r| r.body_text().contains("text C")).collect();
    assert_eq!(texts, [true, false], "what had a place in line keeps it; who followed came later");
    for (door, message, expected) in [
        (Door::Send, keyed(json!({})), "maybe_sent"),
        (Door::Submit, ordered("A", json!({"key": "a"})), "maybe_sent"),
        (Door::Send, ordered("B", json!({"key": "b"})), "sent"),
    ] {
        let again = through(door, &client, &message);
        assert_eq!((verdict(&again).0, again.deduplicated), (expected, true), "{message}");
    }
    assert!(matches!(client.wait(Some(Duration::from_millis(200)), 9), Ok(Waited::Nothing)));
    assert_eq!((server.request_count(), client.close(None)), (2, 0));
}

fn outbox(client: &Client) -> Value {
    let stats: Value = serde_json::from_str(&client.stats_json()).expect("JSON");
    stats["outbox"].clone()
}

/// Waits for what another thread is about to do.
fn wait_until(reached: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !reached() {
        assert!(start.elapsed() < GUARD, "waited in vain");
        std::thread::yield_now();
    }
}

#[test]
fn whoever_stops_waiting_is_told_what_is_true_and_leaves_no_hole() {
    let (folder, gated) = (Folder::new(), Gated::new());
    let client = Arc::new(folder.client(&gated.server.url()));
    let a = begin(Door::Send, &client, ordered("A", json!({"key": "a"})));
    gated.server.wait_for_requests(1);
    let within = |message: Value, ms| {
        let time_out = Some(Duration::from_millis(ms));
        client
            .send(message.to_string().as_bytes(), SendOptions::within(time_out))
            .expect("accepted")
    };
    for ms in [0, 50] {
        let joined = within(ordered("A", json!({"key": "a"})), ms);
        assert_eq!(verdict(&joined), ("maybe_sent", "timeout"), "the first may be taken");
        let in_line = within(ordered("B", json!({"key": "b"})), ms);
        assert_eq!(verdict(&in_line), ("not_sent", "timeout"));
    }
    let late = within(ordered("B", json!({"key": "b", "deadline_ms": 30})), 10_000);
    assert_eq!(verdict(&late), ("not_sent", "expired"));
    let mut asked = 0;
    let message = ordered("B", json!({"key": "b"})).to_string();
    let watched = client.send(
        message.as_bytes(),
        SendOptions::watched(Duration::from_millis(5), &mut || {
            asked += 1;
            asked > 3
        }),
    );
    assert_eq!(verdict(&watched.expect("accepted")), ("not_sent", "cancelled"));
    runtime().block_on(async {
        let message = Message::from_json(&message).expect("valid");
        let send = client.send_async(message);
        assert!(tokio::time::timeout(Duration::from_millis(30), send).await.is_err());
    });
    // Whoever drops a future does not wait until its send has ended.
    wait_until(|| outbox(&client)["unfinished"] == 1);
    let other = begin(Door::Send, &client, ordered("C", json!({"key": "b"})));
    gated.answer(OK_IM);
    assert_eq!(verdict(&a.join().expect("no panic")), ("sent", "ok"));
    gated.server.wait_for_requests(2);
    gated.answer(OK_IM);
    assert_eq!(verdict(&other.join().expect("no panic")), ("sent", "ok"), "the key was free");
    assert_eq!(gated.texts(), ["A", "C"]);
    wait_until(|| outbox(&client)["messages"] == 0);
}

#[test]
fn who_joined_a_send_that_is_given_up_goes_on() {
    let (folder, gated) = (Folder::new(), Gated::new());
    let client = folder.client(&gated.server.url());
    let first = Message::from_json(&keyed(json!({"not_before_ms": LATER_MS})).to_string());
    let runtime = runtime();
    runtime.block_on(async {
        let send = client.send_async(first.expect("valid"));
        let unfinished = async {
            while outbox(&client)["unfinished"] != 1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            submit(&client, 1, &keyed(json!({})));
        };
        tokio::select! {
            _ = send => panic!("it is not due"),
            () = unfinished => {}
        }
    });
    gated.server.wait_for_requests(1);
    gated.answer(OK);
    let receipt = take(&client);
    assert_eq!((verdict(&receipt), receipt.deduplicated), (("sent", "ok"), false));
}

#[test]
fn a_close_and_a_removed_account_end_what_waits() {
    for removed in [true, false] {
        let (folder, mute) = (Folder::new(), RawServer::script(vec![(Vec::new(), Then::Hang)]));
        let client = Arc::new(folder.client(&mute.url()));
        submit(&client, 1, &ordered("A", json!({})));
        mute.wait_for_requests(1);
        let waits = begin(Door::Send, &client, ordered("B", json!({"key": "b"})));
        wait_until(|| outbox(&client)["unfinished"] == 2);
        let expected = if removed {
            client.remove_account("im").expect("it is there");
            ("not_sent", "config")
        } else {
            assert_eq!(client.close(Some(Duration::ZERO)), 2);
            ("not_sent", "cancelled")
        };
        assert_eq!(verdict(&waits.join().expect("no panic")), expected);
        client.close(Some(Duration::ZERO));
        drop(client);
        let server = RawServer::fixed(answer(200, "", OK_IM));
        let client = folder.client(&server.url());
        let again = through(Door::Send, &client, &ordered("B", json!({"key": "b"})));
        assert_eq!((verdict(&again), again.deduplicated), (("sent", "ok"), false));
    }
}

#[test]
fn a_message_with_neither_key_nor_order_leaves_the_outbox_alone() {
    let (folder, server) = (Folder::new(), kind());
    let client = folder.client(&server.url());
    let size = || std::fs::metadata(folder.path().join("outbox.db-wal")).expect("a log").len();
    let before = size();
    for door in DOORS.into_iter().filter(|door| !matches!(door, Door::Submit | Door::SubmitMany)) {
        let receipt = through(door, &client, &message_with("ff-json", json!({})));
        assert_eq!(verdict(&receipt), ("sent", "ok"));
    }
    drop(client);
    // The log goes with the last who had the file open, if nothing is in it but what opening wrote.
    assert!(
        std::fs::metadata(folder.path().join("outbox.db-wal")).map_or(0, |f| f.len()) <= before
    );
    assert_eq!(server.request_count(), DOORS.len() - 2);
}

#[test]
fn a_disk_that_refuses_is_told_and_a_full_outbox_has_room_for_sends() {
    let (folder, server) = (Folder::new(), kind());
    let home = folder.path().join("home");
    std::fs::create_dir(&home).expect("a folder");
    let config = folder.config(
        &server.url(),
        json!({"outbox": {"path": home.join("outbox.db"),
        "max_messages": 1}}),
    );
    let client = accounts::client(&config);
    submit(&client, 1, &message_with("ff-json", json!({"not_before_ms": LATER_MS})));
    assert_eq!(verdict(&through(Door::Send, &client, &keyed(json!({})))), ("sent", "ok"));
    let away = folder.path().join("away");
    std::fs::rename(&home, &away).expect("moved");
    let refused = through(Door::Send, &client, &keyed(json!({"key": "other"})));
    assert_eq!(verdict(&refused), ("not_sent", "storage"));
    assert_eq!(server.request_count(), 1);
    std::fs::rename(&away, &home).expect("moved back");
    let again = through(Door::Send, &client, &keyed(json!({"key": "other"})));
    assert_eq!((verdict(&again), again.deduplicated), (("sent", "ok"), false));
}

#[test]
fn all_that_is_submitted_is_kept_save_what_is_submitted_into_memory() {
    let (folder, gated) = (Folder::new(), Gated::new());
    let client = folder.client(&gated.server.url());
    let ways = [
        SubmitOptions { in_memory: true, ..SubmitOptions::token(1) },
        SubmitOptions { time_out: Some(GUARD), in_memory: true, ..SubmitOptions::token(2) },
        SubmitOptions { time_out: Some(GUARD), ..SubmitOptions::token(4) },
        SubmitOptions::token(3),
    ];
    for options in ways {
        let message = message_with("ff-json", json!({"not_before_ms": LATER_MS}));
        client.submit(&message.to_string(), options).expect("accepted");
    }
    let file = OutboxFile::at(folder.file()).expect("a path");
    let kept = file.rows(0, 9).expect("rows");
    assert_eq!(kept.iter().map(|row| row.token).collect::<Vec<_>>(), [4, 3]);
}

/// Puts messages into the file as `hongyan send --queue` does: nothing is begun.
fn put(folder: &Folder, messages: &[Value]) {
    let client = accounts::client(&accounts::config("http://127.0.0.1:1"));
    let texts: Vec<_> = messages.iter().map(Value::to_string).collect();
    let messages: Vec<_> = texts.iter().zip(1..).map(|(text, n)| (text.as_bytes(), n)).collect();
    let file = OutboxFile::at(folder.file()).expect("a path");
    assert!(client.put(&file, messages).expect("written").iter().all(Result::is_ok));
}

#[test]
fn a_client_for_sends_begins_only_what_they_wait_for() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK_IM)));
    let plain = |text: &str| message_with("im", json!({"text": format!("text {text}")}));
    put(
        &folder,
        &[
            ordered("A", json!({})),
            plain("C"),
            accounts::merged(plain("B"), json!({"key": "b"})),
            ordered("C", json!({"not_before_ms": 1})),
        ],
    );
    let config = folder.config(&server.url(), json!({})).to_string();
    let client = Client::for_sends(&config).expect("valid");
    let sent = |message: Value| {
        let receipt = through(Door::Send, &client, &message);
        assert_eq!(verdict(&receipt), ("sent", "ok"));
        receipt.deduplicated
    };
    assert!(!sent(plain("C")));
    assert_eq!(server.request_count(), 1, "what has no ties looks at nothing");
    assert!(sent(accounts::merged(plain("B"), json!({"key": "b"}))), "the queued one goes first");
    assert_eq!(server.request_count(), 2);
    assert!(!sent(ordered("B", json!({}))));
    let submitted = through(Door::Submit, &client, &ordered("A", json!({})));
    assert_eq!((verdict(&submitted), submitted.token), (("sent", "ok"), 7));
    assert!(
        matches!(client.wait(Some(Duration::ZERO), 9), Ok(Waited::Nothing)),
        "none but its own"
    );
    assert_eq!(client.close(None), 0);
    drop(client);
    let texts = || {
        let text = |body: &str| ["A", "B", "C"].map(|t| body.contains(&format!("text {t}")));
        let name = |is: [bool; 3]| ["A", "B", "C"][is.iter().position(|is| *is).expect("one")];
        server.requests().iter().map(|r| name(text(r.body_text()))).collect::<String>()
    };
    assert_eq!(texts(), "CBACBA");

    let owner = folder.client(&server.url());
    let mut told: Vec<_> = (0..4).map(|_| take(&owner)).collect();
    told.sort_by_key(|receipt| receipt.token);
    assert!(told.iter().all(|receipt| verdict(receipt) == ("sent", "ok")));
    assert_eq!(texts(), "CBACBAC", "what nobody waited for was left to the owner");
}

#[test]
fn a_client_for_sends_goes_on_beside_a_client_that_has_the_outbox() {
    let (folder, server) = (Folder::new(), kind());
    let other = folder.client(&server.url());
    let config = folder.config(&server.url(), json!({})).to_string();
    let client = Client::for_sends(&config).expect("valid");
    let sent = |client: &Client, message: &Value| {
        let receipt = through(Door::Send, client, message);
        assert_eq!(verdict(&receipt), ("sent", "ok"));
        receipt.deduplicated
    };
    assert!(!sent(&client, &message_with("ff-json", json!({}))));
    assert!(!sent(&client, &keyed(json!({}))));
    assert!(sent(&other, &keyed(json!({}))), "the key is everybody's");
    assert!(sent(&client, &keyed(json!({}))));
    drop(other);
    let client = Client::for_sends(&config).expect("valid");
    assert!(sent(&client, &keyed(json!({}))));
    assert_eq!(server.request_count(), 2);
}
