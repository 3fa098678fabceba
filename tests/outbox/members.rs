//! What holds of several members of one outbox, wherever it is kept: who sends, whose results they are, and
//! what they share.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hongyan::{Client, Delivery, Origin, Receipt, SubmitOptions, Waited};
use serde_json::{Value, json};

use super::accounts::{ACCOUNTS, client, merged, message, message_with, take, verdict};
use super::place::Folder;
use super::raw::{GUARD, Gate, RawServer, Then, answer};

const OK: &str = ACCOUNTS[0].1;

fn submit(client: &Client, message: &Value, token: u64) -> hongyan::Op {
    client.submit(message.to_string().as_bytes(), SubmitOptions::token(token)).expect("accepted")
}

/// So many receipts, in whatever order they come.
fn take_all(client: &Client, count: usize) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    while receipts.len() < count {
        match client.wait(Some(GUARD), count).expect("open") {
            Waited::Results(more) => receipts.extend(more),
            Waited::Nothing => panic!("{} of {count} results, and no more came", receipts.len()),
        }
    }
    receipts
}

#[test]
fn who_only_submits_gets_the_results_of_what_others_send() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let mut config = folder.config("http://127.0.0.1:1", json!({"outbox": {"sends": false}}));
    config["accounts"] = json!({});
    let submitter = client(&config);
    // It knows no account: whether there is one, who sends says.
    for token in 0..20 {
        submit(&submitter, &message("ff-json"), token);
    }
    submit(&submitter, &message("nobody"), 20);
    assert_eq!(server.request_count(), 0, "nobody sends yet");
    let worker = folder.client(&server.url());
    let mut receipts = take_all(&submitter, 21);
    receipts.sort_by_key(|receipt| receipt.token);
    let unknown = receipts.pop().expect("the last");
    assert_eq!(verdict(&unknown), ("not_sent", "message"), "no account of that name");
    for (token, receipt) in (0..).zip(&receipts) {
        assert_eq!((receipt.token, receipt.origin), (token, Origin::ThisRun));
        assert_eq!(verdict(receipt), ("sent", "ok"));
        submitter.ack(receipt).expect("an outbox");
    }
    assert_eq!(submitter.flush(Some(GUARD)), 0);
    assert_eq!(server.request_count(), 20);
    drop((worker, submitter));
    assert_eq!(folder.file().rows(0, 9).expect("an outbox").len(), 1, "one was not acknowledged");
}

#[test]
fn results_are_their_owners() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let of = |owner: &str| folder.config(&server.url(), json!({"outbox": {"owner": owner}}));
    {
        let first = client(&of("a"));
        submit(&first, &message("ff-json"), 1);
        assert_eq!(take(&first).token, 1);
        // Gone before it acknowledged.
    }
    let (other, same) = (client(&of("b")), client(&of("a")));
    let again = take(&same);
    assert_eq!((again.token, again.origin), (1, Origin::EarlierRun));
    same.ack(&again).expect("an outbox");
    assert!(matches!(other.wait(Some(Duration::ZERO), 1), Ok(Waited::Nothing)));
}

#[test]
fn two_senders_share_the_work_and_send_nothing_twice() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    // No machine is so slow that what is taken comes again meanwhile.
    let unpaced = json!({"accounts": {"ff-json": {"rate": null}}, "max_in_flight": 8,
        "outbox": {"lease_ms": 600_000}});
    let clients: Vec<_> =
        (0..3).map(|_| client(&folder.config(&server.url(), unpaced.clone()))).collect();
    for (i, client) in clients.iter().enumerate() {
        for n in 0..100 {
            let text = format!("{i} {n}");
            submit(client, &message_with("ff-json", json!({"text": text})), n);
        }
    }
    let mut ids = HashSet::new();
    for client in &clients {
        for receipt in take_all(client, 100) {
            assert_eq!(verdict(&receipt), ("sent", "ok"));
            assert_eq!(receipt.origin, Origin::ThisRun);
            client.ack(&receipt).expect("an outbox");
            assert!(ids.insert(receipt.id), "one result each");
        }
    }
    let bodies: HashSet<_> = server.requests().into_iter().map(|request| request.body).collect();
    assert_eq!((bodies.len(), server.request_count()), (300, 300));
}

#[test]
fn a_rate_holds_over_all_senders_together() {
    const PER: Duration = Duration::from_millis(250);
    let arrived = Arc::<Mutex<Vec<Instant>>>::default();
    let server = {
        let arrived = Arc::clone(&arrived);
        RawServer::start(move |_, stream| {
            arrived.lock().expect("unbroken").push(Instant::now());
            stream.write_all(&answer(200, "", OK))?;
            Ok(Then::Keep)
        })
    };
    let folder = Folder::new();
    let rate = json!({"count": 4, "per_ms": 250});
    let config = folder.config(&server.url(), json!({"accounts": {"ff-json": {"rate": rate}}}));
    let clients: Vec<_> = (0..3).map(|_| client(&config)).collect();
    for client in &clients {
        (0..8).for_each(|token| drop(submit(client, &message("ff-json"), token)));
    }
    for receipt in clients.iter().flat_map(|client| take_all(client, 8)) {
        assert_eq!(verdict(&receipt), ("sent", "ok"));
    }
    let mut arrived = arrived.lock().expect("unbroken").clone();
    arrived.sort_unstable();
    assert_eq!(arrived.len(), 24);
    // What is counted are whole milliseconds.
    let least = PER - Duration::from_millis(2);
    for five in arrived.windows(5) {
        let took = five[4] - five[0];
        assert!(took >= least, "five requests in {took:?}");
    }
}

#[test]
fn one_key_is_one_message_for_all_members() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let clients: Vec<_> = (0..3).map(|_| folder.client(&server.url())).collect();
    let keyed = message_with("ff-json", json!({"key": "order 42"}));
    for client in &clients {
        submit(client, &keyed, 1);
        submit(client, &keyed, 2);
    }
    let receipts: Vec<_> = clients.iter().flat_map(|client| take_all(client, 2)).collect();
    assert!(receipts.iter().all(|receipt| receipt.delivery == Delivery::Sent));
    assert_eq!(receipts.iter().filter(|receipt| !receipt.deduplicated).count(), 1);
    let direct =
        clients[0].send(keyed.to_string().as_bytes(), Default::default()).expect("a receipt");
    assert!(direct.deduplicated && direct.delivery == Delivery::Sent);
    let other = message_with("ff-json", json!({"key": "order 42", "text": "another"}));
    let refused =
        clients[1].send(other.to_string().as_bytes(), Default::default()).expect("a receipt");
    assert_eq!(verdict(&refused), ("not_sent", "message"));
    assert_eq!(server.request_count(), 1);
}

#[test]
fn messages_to_one_recipient_keep_their_order_over_all_members() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let unpaced = json!({"accounts": {"ff-json": {"rate": null}}});
    let clients: Vec<_> =
        (0..3).map(|_| client(&folder.config(&server.url(), unpaced.clone()))).collect();
    for n in 0..60 {
        let text = json!({"ordered": true, "text": format!("n{n:02}")});
        submit(&clients[n % 3], &message_with("ff-json", text), n as u64);
    }
    clients.iter().for_each(|client| drop(take_all(client, 20)));
    let requests = server.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|request| {
            let text = request.body_text();
            let at = text.find("n0").or_else(|| text.find('n')).expect("a text");
            (0..60).find(|n| text.contains(&format!("n{n:02}"))).unwrap_or(at)
        })
        .collect();
    assert_eq!(seen, (0..60).collect::<Vec<_>>());
}

#[test]
fn an_account_s_own_recipient_is_the_same_for_who_only_submits_and_knows_no_account() {
    const NOWHERE: &str = "http://127.0.0.1:1";
    let folder = Folder::new();
    let of = |user: &str| json!({"accounts": {"ff-json": {"to": {"user": user}}}});
    let submits = || {
        let mut config = folder.config(NOWHERE, json!({"outbox": {"sends": false}}));
        config["accounts"] = json!({});
        client(&config)
    };
    let nobody = |more: Value| {
        let mut message = message_with("ff-json", more);
        message.as_object_mut().expect("an object").remove("to");
        message
    };
    // Whoever sends has been there; what the last one says holds.
    for user in ["other", "lisztli"] {
        drop(client(&folder.config(NOWHERE, of(user))));
    }
    let (named, submitter) = (submits(), submits());
    let (ordered, keyed) = (json!({"ordered": true}), json!({"key": "k"}));
    submit(&submitter, &nobody(ordered.clone()), 1);
    submit(&named, &message_with("ff-json", ordered.clone()), 2);
    submit(&submitter, &nobody(ordered), 3);
    submit(&named, &message_with("ff-json", keyed.clone()), 4);
    submit(&submitter, &nobody(keyed), 5);
    let rows = folder.file().rows(0, 9).expect("an outbox");
    let states: Vec<_> = rows.iter().map(|row| (row.token, row.state.name())).collect();
    let stand = [(1, "queued"), (2, "in_line"), (3, "in_line"), (4, "queued"), (5, "following")];
    assert_eq!(states, stand);
}

#[test]
fn who_submitted_what_is_taken_out_has_its_result_and_waits_for_nothing() {
    let (folder, gate) = (Folder::new(), Gate::default());
    let server = gate.server(answer(200, "", OK));
    let one = json!({"max_connections_per_host": 1});
    let config = |more: Value| folder.config(&server.url(), merged(one.clone(), more));
    let submitter = client(&config(json!({"outbox": {"sends": false}})));
    let ordered = message_with("ff-json", json!({"ordered": true}));
    let first = submit(&submitter, &ordered, 1);
    let behind = submit(&submitter, &ordered, 2);
    let remove = |op: &hongyan::Op| folder.file().remove(&[op.id()]).expect("an outbox").remove(0);
    let is_cancelled = |client: &Client, token: u64| {
        let receipt = take(client);
        assert_eq!((receipt.token, verdict(&receipt)), (token, ("not_sent", "cancelled")));
        assert_eq!(receipt.account, "ff-json");
    };
    remove(&first).expect("nobody has it");
    is_cancelled(&submitter, 1);

    // The one behind it is in hands by now, and its request under way; this one waits for its connection.
    let sender = client(&config(json!({})));
    server.wait_for_requests(1);
    assert!(remove(&behind).is_err(), "its request may have arrived");
    let own = submit(&sender, &message("ff-json"), 3);
    remove(&own).expect("it is not begun");
    is_cancelled(&sender, 3);
    gate.open();
    assert_eq!(take(&submitter).token, 2);
    assert_eq!((submitter.flush(Some(GUARD)), sender.flush(Some(GUARD))), (0, 0));
    assert_eq!(server.request_count(), 1);
}
