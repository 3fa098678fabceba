//! Several members of one outbox: who sends, whose results they are, and what becomes of leases.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hongyan::{Client, Delivery, ErrorCode, Origin, Receipt, SubmitOptions, Waited};
use serde_json::{Value, json};

use super::accounts::{ACCOUNTS, client, message, message_with, take, verdict};
use super::cluster::Cluster;
use super::place::Folder;
use super::raw::{GUARD, RawServer, Then, answer};
use super::relay::Relay;

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
    assert_eq!(
        folder.psql("SELECT count(*) FROM SCHEMA.messages"),
        "1",
        "one was not acknowledged"
    );
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
    let unpaced = json!({"accounts": {"ff-json": {"rate": null}}, "max_in_flight": 8});
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
    // The database counts whole milliseconds.
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
fn what_a_member_had_begun_that_is_gone_is_in_doubt() {
    let folder = Folder::new();
    let server = RawServer::script(vec![(Vec::new(), Then::Hang)]);
    let config = folder.config(&server.url(), json!({"timeout_ms": 600_000}));
    let clients = [client(&config), client(&config)];
    submit(&clients[0], &message("ff-json"), 7);
    server.wait_for_requests(1);
    // As if its process had been stopped for longer than its lease: its number is taken from it.
    folder.psql("SELECT SCHEMA.leave(holder) FROM SCHEMA.messages");
    let mut receipts = Vec::new();
    let started = Instant::now();
    while receipts.is_empty() {
        for client in &clients {
            match client.wait(Some(Duration::from_millis(10)), 8).expect("open") {
                Waited::Results(more) => receipts.extend(more),
                Waited::Nothing => assert!(started.elapsed() < GUARD, "no result"),
            }
        }
    }
    let [receipt] = &receipts[..] else { panic!("one result: {receipts:?}") };
    assert_eq!((receipt.token, verdict(receipt)), (7, ("maybe_sent", "network")));
    assert!(receipt.recovered && receipt.origin == Origin::EarlierRun);
    clients[0].ack(receipt).expect("an outbox");
    // Whoever had begun it comes back, and has nothing more to say of it.
    for client in &clients {
        client.close(Some(Duration::ZERO));
    }
    assert!(
        clients.iter().all(|c| !matches!(c.wait(Some(Duration::ZERO), 8), Ok(Waited::Results(_))))
    );
    assert_eq!(server.request_count(), 1);
}

#[test]
fn while_the_database_is_away_submits_are_refused_and_what_was_accepted_goes_on_afterwards() {
    let cluster = super::cluster::Cluster::start(&[], &[]);
    let server = RawServer::fixed(answer(200, "", OK));
    let config = super::accounts::config_with(
        &server.url(),
        json!({"outbox": {"postgres": cluster.url(), "lease_ms": 60_000}}),
    );
    let file = hongyan::OutboxFile::of_config(&config.to_string());
    let file = file.expect("a configuration").expect("an outbox");
    let missing = Client::from_json(&config.to_string()).err().expect("no schema");
    assert_eq!((missing.code(), missing.path()), (ErrorCode::Storage, Some("outbox.schema")));
    assert!(missing.hint_text().is_some_and(|hint| hint.contains("outbox init")), "{missing}");
    file.make_schema().expect("a schema");

    let client = client(&config);
    let later = message_with("ff-json", json!({"not_before_ms": 32_503_680_000_000_u64}));
    submit(&client, &later, 1);
    cluster.stop();
    let refused = client.submit(later.to_string().as_bytes(), SubmitOptions::token(2));
    let refused = refused.err().expect("the database is away");
    assert_eq!((refused.code(), refused.path()), (ErrorCode::Storage, Some("outbox.postgres")));
    cluster.start_again();
    let again = |token| loop {
        match client.submit(message("ff-json").to_string().as_bytes(), SubmitOptions::token(token))
        {
            Ok(_) => break,
            Err(error) => assert_eq!(error.code(), ErrorCode::Storage),
        }
    };
    again(3);
    let receipt = take(&client);
    assert_eq!((receipt.token, verdict(&receipt)), (3, ("sent", "ok")));
    let waiting = cluster.psql("postgres", "SELECT count(*) FROM hongyan.messages WHERE state = 1");
    assert_eq!(waiting, "1", "what was accepted is there");
}

#[test]
fn a_submit_that_is_not_answered_in_time_may_have_been_accepted_and_yields_its_result_then() {
    let server = RawServer::fixed(answer(200, "", OK));
    let folder = Folder::new();
    let direct = Cluster::shared();
    let relay = Relay::to(direct.port());
    let more = json!({"timeout_ms": 200, "outbox": {"postgres": direct.url_by(relay.port())}});
    let client = client(&folder.config(&server.url(), more));
    submit(&client, &message("ff-json"), 1);
    assert_eq!(take(&client).token, 1);
    relay.hold_answers();
    let text = message("ff-json").to_string();
    let unanswered = client.submit(text.as_bytes(), SubmitOptions::token(2));
    let unanswered = unanswered.err().expect("nobody answers");
    assert_eq!(unanswered.code(), ErrorCode::Storage);
    relay.go_on();
    let receipt = take(&client);
    assert_eq!((receipt.token, verdict(&receipt)), (2, ("sent", "ok")));
}
