//! `hongyan worker`: a process that sends what an outbox holds, asked over HTTP and told by signals.

#![cfg(unix)]

mod common;
#[path = "../../tests/support/raw.rs"]
mod raw;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use common::{Folder, start, texts};
use raw::{GUARD, Gate, RawServer, Then, answer};
use serde_json::{Value, json};

/// A worker that runs.
struct Worker {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Where it is asked.
    health: String,
}

impl Worker {
    /// Starts one in this folder, and waits until it is ready.
    fn start(folder: &Folder) -> Worker {
        let mut command = folder.command(&["worker", "--json", "--health", "127.0.0.1:0"]);
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("the command runs");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut worker = Worker { child, out, health: String::new() };
        let started = worker.told("started");
        let url = started["health"].as_str().expect("a URL");
        worker.health = url.strip_prefix("http://").expect("HTTP").to_owned();
        worker.told("ready");
        worker
    }

    /// The next event, which must be this one.
    fn told(&mut self, event: &str) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
        assert_eq!(told["event"], event, "{told}");
        told
    }

    /// Status and body of what it answers.
    fn ask(&self, method: &str, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.health).expect("it listens");
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("a request");
        let mut whole = String::new();
        stream.read_to_string(&mut whole).expect("an answer");
        let (head, body) = whole.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), head.to_owned(), body.to_owned())
    }

    /// Asks until the answer is so.
    fn ask_until(&self, path: &str, is_so: impl Fn(u16, &str) -> bool) {
        let start = Instant::now();
        loop {
            let (status, _, body) = self.ask("GET", path);
            if is_so(status, &body) {
                return;
            }
            assert!(start.elapsed() < GUARD, "{path} still says {status}: {body}");
        }
    }

    fn terminate(&self) {
        let mut kill = Command::new("kill");
        let kill = kill.args(["-TERM", &self.child.id().to_string()]);
        assert!(kill.status().expect("kill runs").success());
    }

    /// Waits for its end; tells its exit status and what it said to standard error.
    fn ended(mut self) -> (Option<i32>, String) {
        self.told("ended");
        let output = self.child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    }
}

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
