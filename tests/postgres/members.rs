//! Members of an outbox in a database that are taken for dead, or cannot reach it.

use std::time::{Duration, Instant};

use hongyan::{Client, ErrorCode, Origin, SubmitOptions, Waited};
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

#[test]
fn no_statement_of_a_member_looks_through_all_messages() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let unpaced = json!({"accounts": {"ff-json": {"rate": null}}});
    let count = |column: &str| {
        let sql = format!(
            "SELECT coalesce({column}, 0) FROM pg_stat_user_tables \
             WHERE schemaname = 'SCHEMA' AND relname = 'messages'"
        );
        folder.psql(&sql).parse::<u64>().expect("a number")
    };
    // Its plans are made while there is nothing, and kept.
    let client = client(&folder.config(&server.url(), unpaced));
    for token in 0..40 {
        submit(&client, &message("ff-json"), token);
        client.ack(&take(&client)).expect("an outbox");
    }
    drop(client);
    // A session tells what it did at its end at the latest.
    let started = Instant::now();
    while count("n_tup_del") < 40 {
        assert!(started.elapsed() < GUARD, "{} of 40 are gone", count("n_tup_del"));
    }
    assert!(count("idx_scan") > 0);
    assert_eq!(count("seq_tup_read"), 0, "rows read by looking through the table");
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
fn a_clock_that_is_set_back_keeps_no_rate_shut() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let rate = json!({"count": 1, "per_ms": 3_600_000});
    let config = folder.config(&server.url(), json!({"accounts": {"ff-json": {"rate": rate}}}));
    let clients = [client(&config), client(&config)];
    submit(&clients[0], &message("ff-json"), 1);
    clients[0].ack(&take(&clients[0])).expect("an outbox");
    clients[0].close(Some(Duration::ZERO));
    // It counts for much longer than its window then.
    assert_eq!(folder.psql("UPDATE SCHEMA.requests SET per_ms = 100 RETURNING until_ms > 0"), "t");
    submit(&clients[1], &message("ff-json"), 2);
    assert_eq!(take(&clients[1]).token, 2);
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
