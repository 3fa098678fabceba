//! What a message asks for holds in the run after as well.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use hongyan::{
    Client, Delivery, ErrorCode, Message, Origin, OutboxFile, Receipt, SendOptions, SubmitOptions,
    Waited,
};
use serde_json::{Value, json};

use super::accounts::{ACCOUNTS, client, message_with, take, verdict};
use super::outbox_folder::Folder;
use super::outbox_service::{content, text};
use super::raw::{GUARD, RawServer, Then, answer};

const OK: &str = ACCOUNTS[0].1;
/// Far in the future.
const LATER_MS: u64 = 32_503_680_000_000;

fn now_ms() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as u64
}

fn submit(client: &Client, token: u64, more: Value) -> hongyan::Op {
    let message = message_with("ff-json", more).to_string();
    client.submit(message.as_bytes(), SubmitOptions::token(token)).expect("accepted")
}

fn told(receipt: &Receipt) -> (u64, &'static str, &'static str, Origin) {
    let (delivery, name) = verdict(receipt);
    (receipt.token, delivery, name, receipt.origin)
}

/// A server that answers nothing.
fn mute() -> RawServer {
    RawServer::script(vec![(Vec::new(), Then::Hang)])
}

/// A server that takes everything.
fn kind() -> RawServer {
    RawServer::fixed(answer(200, "", OK))
}

#[test]
fn a_deadline_passes_while_nobody_runs() {
    let (folder, server) = (Folder::new(), kind());
    {
        let client = folder.client(&server.url());
        submit(&client, 1, json!({"not_before_ms": LATER_MS, "deadline_ms": 500}));
        submit(&client, 2, json!({"not_before_ms": LATER_MS, "deadline_ms": 3_600_000}));
        client.close(Some(Duration::ZERO));
    }
    let client = folder.client(&server.url());
    assert_eq!(told(&take(&client)), (1, "not_sent", "expired", Origin::EarlierRun));
    let left = hongyan::OutboxFile::at(folder.file()).and_then(|file| file.rows(1, 9));
    assert_eq!(left.expect("an outbox")[0].token, 2, "the other has its hour");
    assert_eq!(server.request_count(), 0);
}

#[test]
fn a_message_is_not_sent_before_its_time_in_the_run_after() {
    let folder = Folder::new();
    let came = Arc::new(Mutex::new(Vec::new()));
    let server = RawServer::start({
        let came = Arc::clone(&came);
        move |_, stream| {
            came.lock().expect("no panic").push(now_ms());
            stream.write_all(&answer(200, "", OK))?;
            Ok(Then::Keep)
        }
    });
    let due = now_ms() + 700;
    {
        let client = folder.client(&server.url());
        submit(&client, 1, json!({"not_before_ms": due}));
        client.close(Some(Duration::ZERO));
    }
    let client = folder.client(&server.url());
    let receipt = take(&client);
    assert_eq!((receipt.token, receipt.origin), (1, Origin::EarlierRun));
    assert_ne!(receipt.delivery, Delivery::NotSent);
    let came = came.lock().expect("no panic");
    assert!(came.len() == 1 && came[0] >= due, "due {due}, came {came:?}");
}

#[test]
fn the_order_holds_after_one_that_hung() {
    let folder = Folder::new();
    {
        let nobody = mute();
        let client = folder.client(&nobody.url());
        for token in 0..20 {
            submit(&client, token, json!({"ordered": true, "text": token.to_string()}));
        }
        nobody.wait_for_requests(1);
        assert_eq!(client.close(Some(Duration::ZERO)), 20);
        assert_eq!(nobody.request_count(), 1, "the others stood behind it");
    }
    let server = kind();
    let client = folder.client(&server.url());
    let receipts: Vec<_> = (0..20).map(|_| take(&client)).collect();
    assert_eq!(told(&receipts[0]), (0, "maybe_sent", "network", Origin::EarlierRun));
    let told: Vec<_> = receipts[1..].iter().map(told).collect();
    let expected: Vec<_> = (1..20).map(|n| (n, "sent", "ok", Origin::EarlierRun)).collect();
    assert_eq!(told, expected);
    let texts: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.body_text().split("text=").nth(1).map(str::to_owned))
        .collect();
    let expected: Vec<_> = (1..20).map(|n: u64| Some(n.to_string())).collect();
    assert_eq!(texts, expected);
}

#[test]
fn twins_of_a_key_that_were_left_have_one_verdict() {
    let (folder, server) = (Folder::new(), kind());
    let keyed = || json!({"key": "k"});
    {
        let nobody = mute();
        // Full of what hangs, so that the twins wait on the disk.
        let client = client(&folder.config(&nobody.url(), json!({"max_in_flight": 2})));
        submit(&client, 1, json!({}));
        nobody.wait_for_requests(1);
        submit(&client, 2, keyed());
        submit(&client, 3, keyed());
        assert_eq!(client.close(Some(Duration::ZERO)), 3);
    }
    let client = folder.client(&server.url());
    let mut receipts: Vec<_> = (0..3).map(|_| take(&client)).collect();
    receipts.sort_by_key(|receipt| receipt.token);
    let verdicts: Vec<_> = receipts.iter().map(verdict).collect();
    assert_eq!(verdicts, [("maybe_sent", "network"), ("sent", "ok"), ("sent", "ok")]);
    assert_eq!((receipts[1].deduplicated, receipts[2].deduplicated), (false, true));
    assert_eq!(server.request_count(), 1);
}

#[test]
fn a_key_is_remembered_for_its_days_and_not_for_none() {
    for (key_days, requests) in [(7, 1), (0, 2)] {
        let (folder, server) = (Folder::new(), kind());
        let config = folder.config(&server.url(), json!({"outbox": {"key_days": key_days}}));
        for token in 1..3 {
            let client = client(&config);
            submit(&client, token, json!({"key": "k"}));
            let receipt = take(&client);
            assert_eq!((receipt.token, verdict(&receipt)), (token, ("sent", "ok")));
            client.ack(&receipt).expect("an outbox");
        }
        assert_eq!(server.request_count(), requests, "{key_days} days");
    }
}

#[test]
fn five_thousand_wait_and_eight_are_at_work() {
    const ALL: usize = 5000;
    let folder = Folder::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = RawServer::start({
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        move |_, stream| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
            stream.write_all(&answer(200, "", OK))?;
            Ok(Then::Keep)
        }
    });
    let more = json!({"accounts": {"ff-json": {"max_in_flight": 8}}});
    let client = client(&folder.config(&server.url(), more));
    let message = message_with("ff-json", json!({})).to_string();
    for _ in 0..ALL / 500 {
        let many = vec![(message.as_bytes(), 0); 500];
        client
            .submit_many(many.iter().copied())
            .expect("accepted, though only eight may be at work");
    }
    let mut ids = HashSet::new();
    while ids.len() < 300 {
        let Ok(Waited::Results(receipts)) = client.wait(Some(GUARD), 64) else {
            panic!("{} results, and no more came", ids.len());
        };
        for receipt in receipts {
            assert_eq!(verdict(&receipt), ("sent", "ok"));
            client.ack(&receipt).expect("an outbox");
            assert!(ids.insert(receipt.id), "one result each");
        }
    }
    let left = client.close(Some(Duration::ZERO));
    while let Ok(Waited::Results(receipts)) = client.wait(Some(Duration::ZERO), 64) {
        ids.extend(receipts.into_iter().map(|receipt| receipt.id));
    }
    drop(client);
    assert_eq!(left, ALL - ids.len(), "a close counts what has no result");
    let rows = OutboxFile::at(folder.file()).and_then(|file| file.rows(0, usize::MAX));
    let rows = rows.expect("an outbox");
    assert_eq!(rows.iter().filter(|row| !row.state.has_result()).count(), left, "it is all there");
    assert!(server.request_count() <= ids.len() + 8);
    assert!(most.load(Ordering::SeqCst) <= 8, "{most:?} at once");
}

#[test]
fn messages_of_a_missing_account_are_refused_by_whoever_sends() {
    let (folder, server) = (Folder::new(), kind());
    {
        let nobody = mute();
        let client = client(&folder.config(&nobody.url(), json!({"max_in_flight": 2})));
        submit(&client, 1, json!({}));
        nobody.wait_for_requests(1);
        submit(&client, 2, json!({}));
        assert_eq!(client.close(Some(Duration::ZERO)), 2);
    }
    let mut config = folder.config(&server.url(), json!({}));
    config["accounts"].as_object_mut().and_then(|all| all.remove("ff-json"));
    let client = client(&config);
    let mut receipts = [take(&client), take(&client)];
    receipts.sort_by_key(|receipt| receipt.token);
    assert_eq!(told(&receipts[0]), (1, "maybe_sent", "network", Origin::EarlierRun));
    assert_eq!(told(&receipts[1]), (2, "not_sent", "message", Origin::EarlierRun));
    assert_eq!(server.request_count(), 0);
}

#[test]
fn an_outbox_holds_what_it_may_and_says_so() {
    let (folder, server) = (Folder::new(), kind());
    let config = folder.config(&server.url(), json!({"outbox": {"max_bytes": 2000}}));
    let client = client(&config);
    let message =
        message_with("ff-json", json!({"not_before_ms": LATER_MS, "text": "x".repeat(100)}));
    let refused = (0..100).find_map(|token| {
        client.submit(message.to_string().as_bytes(), SubmitOptions::token(token)).err()
    });
    let error = refused.expect("2,000 bytes are few");
    assert_eq!(error.code(), ErrorCode::Full, "{error}");
    assert!(error.message().contains("max_bytes is 2000"), "{error}");
}

#[test]
fn a_cancel_after_the_result_changes_nothing() {
    let (folder, server) = (Folder::new(), kind());
    let client = folder.client(&server.url());
    let op = submit(&client, 1, json!({}));
    assert_eq!(told(&take(&client)), (1, "sent", "ok", Origin::ThisRun));
    op.cancel();
    // What the cancel would bring stands before the results of these.
    for token in 2..4 {
        submit(&client, token, json!({}));
        assert_eq!(told(&take(&client)), (token, "sent", "ok", Origin::ThisRun));
    }
    assert_eq!(client.close(None), 0);
}

#[test]
fn a_cancel_after_the_close_hides_no_doubt() {
    let folder = Folder::new();
    {
        let nobody = mute();
        let client = folder.client(&nobody.url());
        let op = submit(&client, 1, json!({}));
        nobody.wait_for_requests(1);
        assert_eq!(client.close(Some(Duration::ZERO)), 1);
        op.cancel();
    }
    let server = kind();
    let client = folder.client(&server.url());
    assert_eq!(told(&take(&client)), (1, "maybe_sent", "network", Origin::EarlierRun));
    assert_eq!(server.request_count(), 0);
}

#[test]
fn a_close_counts_what_it_cuts_and_what_it_leaves() {
    let (folder, nobody) = (Folder::new(), mute());
    let client = folder.client(&nobody.url());
    for token in 0..10 {
        submit(&client, token, json!({"not_before_ms": LATER_MS}));
    }
    std::thread::scope(|scope| {
        let message = message_with("ff-json", json!({})).to_string();
        let client = &client;
        let cut = scope.spawn(move || client.send(message.as_bytes(), SendOptions::default()));
        nobody.wait_for_requests(1);
        assert_eq!(client.close(Some(Duration::ZERO)), 11, "one cut, ten left");
        let receipt = cut.join().expect("no panic").expect("it was accepted");
        assert_eq!(verdict(&receipt), ("maybe_sent", "cancelled"));
    });
    let stats: Value = serde_json::from_str(&client.stats_json()).expect("JSON");
    assert_eq!(stats["unfinished"], 0, "{stats}");
    assert!(matches!(client.wait(Some(GUARD), 1), Err(error) if error.code() == ErrorCode::Closed));
}

#[test]
fn many_results_come_again_in_the_run_after() {
    const ALL: usize = 700;
    let (folder, server) = (Folder::new(), kind());
    let drain = |client: &Client| {
        let mut ids = HashSet::new();
        while ids.len() < ALL {
            match client.wait(Some(GUARD), 50).expect("open") {
                Waited::Results(receipts) => ids.extend(receipts.into_iter().map(|r| r.id)),
                Waited::Nothing => panic!("{} results, and no more came", ids.len()),
            }
        }
        ids
    };
    let message = message_with("ff-json", json!({})).to_string();
    let first = {
        let client = folder.client(&server.url());
        client.submit_many(vec![(message.as_bytes(), 0); ALL]).expect("accepted");
        drain(&client)
    };
    assert_eq!(drain(&folder.client(&server.url())), first);
    assert_eq!(server.request_count(), ALL);
}

#[test]
fn what_is_cancelled_while_it_is_taken_up_is_not_sent() {
    const ALL: u64 = 400;
    let (folder, server) = (Folder::new(), kind());
    let config =
        folder.config(&server.url(), json!({"accounts": {"ff-json": {"max_in_flight": 2}}}));
    let client = client(&config);
    let messages: Vec<_> = (0..ALL)
        .map(|n| Message::from_json(&message_with("ff-json", json!({"text": text(n)})).to_string()))
        .collect();
    let ops: Vec<_> = messages
        .into_iter()
        .zip(0..)
        .map(|(message, token)| {
            client.submit(message.expect("valid"), SubmitOptions::token(token)).expect("accepted")
        })
        .collect();
    let mut verdicts = BTreeMap::new();
    // Whoever is cancelled is next, or nearly so, while the disk is busy with others.
    let (mut next, busy) = (0, AtomicBool::new(true));
    let others = std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            let later = message_with("ff-xml", json!({"not_before_ms": LATER_MS})).to_string();
            let mut others = 0;
            while busy.load(Ordering::Acquire) {
                client.submit(later.as_bytes(), SubmitOptions::token(ALL)).expect("accepted");
                others += 1;
            }
            others
        });
        while verdicts.len() < ops.len() {
            for op in ops.iter().skip(next).step_by(2).take(8) {
                op.cancel();
            }
            let receipt = take(&client);
            next = usize::try_from(receipt.token).expect("few") + 1;
            let again = verdicts.insert(receipt.token, receipt.delivery);
            assert!(again.is_none(), "{} has two results", receipt.token);
        }
        busy.store(false, Ordering::Release);
        others.join().expect("no panic")
    });
    assert_eq!(client.close(Some(Duration::ZERO)), others);
    let taken: BTreeSet<u64> = server.requests().iter().map(|r| content(r.body_text())).collect();
    assert_eq!(server.request_count(), taken.len(), "none twice");
    for (token, delivery) in verdicts {
        match delivery {
            Delivery::Sent => assert!(taken.contains(&token), "{token} is sent"),
            Delivery::NotSent => assert!(!taken.contains(&token), "{token} is not sent"),
            Delivery::MaybeSent | Delivery::PartlySent => {}
        }
    }
}
