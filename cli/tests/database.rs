//! The command with an outbox in a database: its schema, workers, and a database that is away.

#![cfg(all(feature = "postgres", target_os = "linux"))]

#[path = "../../tests/support/cluster.rs"]
mod cluster;
mod common;
#[path = "common/worker.rs"]
mod process;
#[path = "../../tests/support/raw.rs"]
mod raw;

use std::io::Write as _;
use std::time::Instant;

use cluster::{Cluster, PASSWORD};
use common::{Folder, start, texts};
use process::Worker;
use raw::{GUARD, Gate, RawServer, Then, answer};
use serde_json::{Value, json};

/// A folder whose configuration has its outbox in this database.
fn with_database(cluster: &Cluster, database: &str) -> (hongyan_sandbox::Sandbox, Folder) {
    let (sandbox, folder) = start();
    let mut config = sandbox.config();
    config["outbox"] = json!({"postgres": cluster.url_of("postgres", database), "lease_ms": 2000});
    folder.write("hongyan.json", config.to_string());
    (sandbox, folder)
}

fn submit(cluster: &Cluster, database: &str, text: &str) -> String {
    let message =
        json!({"v": 1, "account": "fanfou-basic", "to": {"user": "lisztli"}, "text": text});
    cluster.psql(database, &format!("SELECT hongyan.submit($${message}$$)"))
}

/// The delivery of a message, once it has a result.
fn delivery(cluster: &Cluster, database: &str, id: &str) -> String {
    let start = Instant::now();
    loop {
        let told = cluster.psql(database, &format!("SELECT hongyan.result('{id}')->>'delivery'"));
        if !told.is_empty() {
            return told;
        }
        assert!(start.elapsed() < GUARD, "there is no result of {id}");
    }
}

#[test]
fn a_schema_is_made_by_the_command_or_by_what_it_prints() {
    let cluster = Cluster::shared();
    let database = cluster.database();
    let (_sandbox, folder) = with_database(cluster, &database);
    let told = folder.run(&["worker"]).expect(1);
    assert!(told.err.contains("hongyan outbox init"), "{told:?}");

    for _ in 0..2 {
        let told = folder.run(&["outbox", "init"]).expect(0);
        assert!(told.out.contains(&format!("/{database} (schema hongyan) is ready")), "{told:?}");
    }
    let printed = folder.run(&["outbox", "init", "--print"]).expect(0).out;
    let in_url = cluster.url();
    let secret = in_url.split(&[':', '@'][..]).nth(2).expect("a password");
    assert!(!printed.contains(PASSWORD) && !printed.contains(secret), "{printed}");
    let other = cluster.database();
    for _ in 0..2 {
        cluster.psql(&other, &printed);
    }
    for database in [&database, &other] {
        assert_eq!(submit(cluster, database, "hello").len(), 26);
    }

    let mut config: Value = serde_json::from_str(
        &std::fs::read_to_string(folder.path().join("hongyan.json")).expect("a file"),
    )
    .expect("JSON");
    // Who prints the SQL need not have the password.
    config["outbox"]["postgres"] = json!("postgres://u:${env:HONGYAN_NOT_SET}@h/d");
    folder.write("hongyan.json", config.to_string());
    let again = folder.run(&["outbox", "init", "--print"]).expect(0).out;
    assert!(again == printed);
    folder.run(&["outbox", "init"]).expect(2);
    config["outbox"] = json!({"path": folder.path().join("outbox.db")});
    folder.write("hongyan.json", config.to_string());
    let told = folder.run(&["outbox", "init"]).expect(0);
    assert!(told.err.contains("nothing to do"), "{told:?}");
}

#[test]
fn workers_send_what_sql_submits_and_give_back_what_they_hold() {
    let cluster = Cluster::shared();
    let database = cluster.database();
    let (sandbox, folder) = with_database(cluster, &database);
    folder.run(&["outbox", "init"]).expect(0);
    let workers = [Worker::start(&folder), Worker::start(&folder)];
    let ids: Vec<_> = (0..10).map(|n| submit(cluster, &database, &n.to_string())).collect();
    for id in &ids {
        assert_eq!(delivery(cluster, &database, id), "sent");
    }
    let mut sent = texts(&sandbox);
    sent.sort();
    assert_eq!(sent, (0..10).map(|n| n.to_string()).collect::<Vec<_>>());
    let told = folder.run(&["queue", "ls", "--json"]).expect(0);
    assert_eq!(told.json().len(), 10, "beside the workers: {told:?}");
    for worker in workers {
        worker.terminate();
        let (code, told) = worker.ended();
        assert_eq!(code, Some(0), "{told}");
    }
    let held = "SELECT count(*) FROM hongyan.members UNION ALL \
                SELECT count(*) FROM hongyan.messages WHERE holder IS NOT NULL";
    assert_eq!(cluster.psql(&database, held), "0\n0");
}

#[test]
fn a_worker_waits_for_a_database_that_is_away_and_goes_on() {
    let cluster = Cluster::start(&[], &[]);
    let (sandbox, folder) = with_database(&cluster, "postgres");
    folder.run(&["outbox", "init"]).expect(0);
    cluster.stop();
    let mut worker = Worker::begin(&folder);
    assert_eq!(worker.ask("GET", "/healthz").0, 200);
    let (status, _, why) = worker.ask("GET", "/readyz");
    assert_eq!((status, why.as_str()), (503, "the outbox is not open yet\n"));
    cluster.start_again();
    worker.told("ready");
    assert_eq!(worker.ask("GET", "/readyz").0, 200);

    let one = submit(&cluster, "postgres", "one");
    assert_eq!(delivery(&cluster, "postgres", &one), "sent");
    cluster.stop();
    worker.ask_until("/readyz", |status, why| (status, why) == (503, "the database is away\n"));
    assert_eq!(worker.ask("GET", "/healthz").0, 200);
    cluster.start_again();
    let two = submit(&cluster, "postgres", "two");
    assert_eq!(delivery(&cluster, "postgres", &two), "sent");
    worker.ask_until("/readyz", |status, _| status == 200);
    assert_eq!(texts(&sandbox), ["one", "two"]);
    worker.terminate();
    let (code, told) = worker.ended();
    assert_eq!(code, Some(0), "{told}");
    assert!(!told.contains(PASSWORD), "{told}");
}

#[test]
fn a_second_sigterm_ends_a_worker_whose_result_nobody_writes() {
    let cluster = Cluster::start(&[], &[]);
    let (gate, folder) = (Gate::default(), Folder::new());
    let door = gate.clone();
    let server = RawServer::start(move |_, stream| {
        door.pass();
        stream.write_all(&answer(200, "", r#"{"id": "m1"}"#))?;
        Ok(Then::Close)
    });
    let account = json!({"service": "fanfou", "base_url": server.url(),
        "auth": {"type": "basic", "username": "u", "password": "p"}});
    let config = json!({"v": 1, "accounts": {"fanfou-basic": account}, "timeout_ms": 300_000,
        "outbox": {"postgres": cluster.url(), "lease_ms": 600_000}});
    folder.write("hongyan.json", config.to_string());
    folder.run(&["outbox", "init"]).expect(0);
    let id = submit(&cluster, "postgres", "under way");
    let mut worker = Worker::start(&folder);
    server.wait_for_requests(1);
    cluster.stop();
    worker.terminate();
    worker.ask_until("/readyz", |_, why| why == "it ends\n");
    gate.open();
    server.wait_for_closed(1);
    worker.terminate();
    worker.child.wait().expect("it ends");
    cluster.start_again();
    let state = format!("SELECT state FROM hongyan.messages WHERE id = '{id}'");
    assert_eq!(cluster.psql("postgres", &state), "4", "begun, and nobody knows");
}
