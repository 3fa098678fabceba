//! `hongyan worker`: a process that sends what an outbox holds, asked over HTTP and told by signals.

#![cfg(unix)]

mod common;
#[path = "common/worker.rs"]
mod process;
#[path = "../../tests/support/raw.rs"]
mod raw;

use std::io::Write as _;

use common::{Folder, start, texts};
use process::Worker;
use raw::{Gate, RawServer, Then, answer};
use serde_json::{Value, json};

/// Puts a message into the outbox of a folder.
fn queue(folder: &Folder, account: &str, text: &str) {
    let args = ["send", "--queue", "-a", account, "--to", "user=lisztli", text];
    folder.run(&args).expect(6);
}

/// The states of what stands in the outbox, by the texts of the messages.
fn states(folder: &Folder) -> Vec<(String, String)> {
    let rows = folder.run(&["queue", "export"]).expect(0).json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    rows.iter().map(|row| (text(&row["message"]["text"]), text(&row["state"]))).collect()
}

fn has(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(text, state)| ((*text).to_owned(), (*state).to_owned())).collect()
}

/// A folder whose account speaks to this server, and sends one message an hour.
fn with_server(server: &RawServer) -> Folder {
    let folder = Folder::new();
    let account = json!({"service": "fanfou", "base_url": server.url(),
        "auth": {"type": "basic", "username": "u", "password": "p"},
        "rate": {"count": 1, "per_ms": 3_600_000}});
    let config = json!({"v": 1, "accounts": {"ff": account}, "timeout_ms": 300_000,
        "outbox": {"path": folder.path().join("outbox.db")}});
    folder.write("hongyan.json", config.to_string());
    folder
}

/// A server whose answers wait at a gate.
fn gated() -> (RawServer, Gate) {
    let gate = Gate::default();
    let door = gate.clone();
    let server = RawServer::start(move |_, stream| {
        door.pass();
        stream.write_all(&answer(200, "", r#"{"id": "m1"}"#))?;
        Ok(Then::Keep)
    });
    (server, gate)
}

#[test]
fn a_worker_sends_what_is_queued_and_leaves_the_results_to_their_owner() {
    let (sandbox, folder) = start();
    let mut config = sandbox.config();
    config["outbox"] = json!({"path": folder.path().join("outbox.db")});
    folder.write("hongyan.json", config.to_string());
    queue(&folder, "fanfou-basic", "one");
    queue(&folder, "fanfou-basic", "two");

    let mut worker = Worker::start(&folder);
    worker.ask_until("/metrics", |_, body| {
        let own = "account=\"fanfou-basic\",service=\"fanfou\"";
        let delivered = format!("hongyan_delivered_total{{{own},verdict=\"sent\"}} 2\n");
        let timed = format!("hongyan_latency_seconds_count{{{own}}} 2\n");
        body.contains(&delivered) && body.contains(&timed)
    });
    assert_eq!(texts(&sandbox), ["one", "two"]);

    let (status, head, body) = worker.ask("GET", "/metrics");
    assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
    assert!(body.contains("\nhongyan_ready 1\n"), "{body}");
    assert_eq!((status, worker.ask("GET", "/healthz").0), (200, 200));
    let (status, _, body) = worker.ask("GET", "/readyz?verbose=1");
    assert_eq!((status, body.as_str()), (200, "ready\n"));
    let (status, head, body) = worker.ask("HEAD", "/readyz");
    assert!((status, body.as_str()) == (200, "") && head.contains("Content-Length: 6"), "{head}");
    assert_eq!(worker.ask("GET", "/").0, 404);
    let (status, head, _) = worker.ask("POST", "/metrics");
    assert!(status == 405 && head.contains("Allow: GET, HEAD"), "{head}");
    assert_eq!(worker.ask("GET", "/metrics nonsense").0, 400);

    worker.terminate();
    worker.told("ended");
    assert_eq!(worker.child.wait().expect("it ends").code(), Some(0));
    assert_eq!(states(&folder), has(&[("one", "done"), ("two", "done")]));
    let told = folder.run(&["queue", "flush"]).expect(0);
    assert!(told.out.contains("2 results not acknowledged"), "{told:?}");
}

#[test]
fn what_is_under_way_comes_to_its_end_and_what_waits_stays_in_the_outbox() {
    let (server, gate) = gated();
    let folder = with_server(&server);
    queue(&folder, "ff", "under way");
    queue(&folder, "ff", "waits");
    let worker = Worker::start(&folder);
    server.wait_for_requests(1);
    worker.terminate();
    worker.ask_until("/readyz", |status, body| (status, body) == (503, "it ends\n"));
    assert_eq!(worker.ask("GET", "/healthz").0, 200, "it lives to its end");
    gate.open();
    let (code, told) = worker.ended();
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(states(&folder), has(&[("under way", "done"), ("waits", "queued")]));
    assert_eq!(server.request_count(), 1);
}

#[test]
fn a_second_sigterm_cuts_what_is_under_way() {
    let (server, gate) = gated();
    let folder = with_server(&server);
    queue(&folder, "ff", "under way");
    let worker = Worker::start(&folder);
    server.wait_for_requests(1);
    worker.terminate();
    worker.ask_until("/readyz", |status, _| status == 503);
    worker.terminate();
    let (code, told) = worker.ended();
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(states(&folder), has(&[("under way", "begun")]), "nobody knows");
    gate.open();
}

#[test]
fn a_worker_says_what_it_cannot_do() {
    let (sandbox, folder) = start();
    let told = folder.run(&["worker"]).expect(2);
    assert!(told.err.contains("there is no outbox"), "{told:?}");

    let mut config = sandbox.config();
    config["outbox"] = json!({"path": folder.path().join("no").join("outbox.db")});
    folder.write("hongyan.json", config.to_string());
    let told = folder.run(&["worker"]).expect(1);
    assert!(told.err.contains("outbox.db"), "{told:?}");

    config["outbox"] = json!({"path": folder.path().join("outbox.db")});
    folder.write("hongyan.json", config.to_string());
    let worker = Worker::start(&folder);
    let told = folder.run(&["worker", "--health", &worker.health]).expect(1);
    assert!(told.err.contains(&worker.health), "{told:?}");
    worker.terminate();
    worker.ended();
}
