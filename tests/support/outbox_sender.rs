//! The process that is killed: it submits, takes results, acknowledges most, and tells of each step
//! in a line, once the step is done.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use fastrand::Rng;
use hongyan::{Client, Origin, OutboxFile, OutboxState, Receipt, SubmitOptions, Waited};
use serde_json::{Value, json};

use super::accounts::message_with;
use super::outbox_service::{LINE, text};
use super::raw::GUARD;

/// Holds the order of a child.
pub const CHILD: &str = "HONGYAN_TEST_OUTBOX_CHILD";

/// Tokens of one run, and of one of its threads.
const RUN: u64 = 1_000_000;
const THREAD: u64 = 500_000;
const THREADS: u64 = 2;

/// The run that submitted the message with this token.
pub fn run_of(token: u64) -> u64 {
    token / RUN
}

/// What the message with this token says: two with one key say the same.
pub fn content(token: u64) -> u64 {
    token / 2
}

/// Impatient, and with room for few, so that most messages wait on the disk.
pub fn config() -> Value {
    json!({"timeout_ms": 200, "max_in_flight": 32,
        "retry": {"max_attempts": 3, "initial_ms": 1, "max_ms": 20}})
}

/// What a child is to do.
pub struct Order {
    pub config: Value,
    pub path: PathBuf,
    pub seed: u64,
    pub run: u64,
    pub messages: usize,
    /// Acknowledges everything, and ends once nothing is left.
    pub drains: bool,
}

impl Order {
    /// Starts the child, which tells its steps on its standard output.
    pub fn start(&self) -> Child {
        let order = json!({"config": self.config, "path": self.path, "seed": self.seed,
            "run": self.run, "messages": self.messages, "drains": self.drains});
        Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "killed_at_any_moment_it_keeps_its_word", "--nocapture"])
            .env(CHILD, order.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process")
    }
}

/// Whole lines, each in one write.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).expect("a pipe");
}

fn message(rng: &mut Rng, thread: u64, token: u64) -> Value {
    let account = *rng.choice(&["ff-json", "ff-oauth", "im", "im"]).expect("some");
    let mut more = json!({"text": text(content(token))});
    match rng.u32(0..20) {
        0 => {
            let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as u64;
            more["not_before_ms"] = json!(now + rng.u64(1..60));
        }
        1 => more["deadline_ms"] = json!(rng.u64(1..200)),
        // Its twin follows.
        2 | 3 => more["key"] = json!(format!("key {}", content(token))),
        // One thread's tokens are in order.
        4..8 if thread == 0 => {
            more["ordered"] = json!(true);
            more["to"] = json!({"group": LINE});
            return message_with("im", more);
        }
        _ => {}
    }
    message_with(account, more)
}

fn submit(client: &Client, order: &Value, thread: u64) {
    let number = |name: &str| order[name].as_u64().expect("a number");
    let mut rng = Rng::with_seed(number("seed") ^ number("run") << 32 ^ thread << 60);
    let mut token = number("run") * RUN + thread * THREAD;
    let last = token + 2 * number("messages") / THREADS;
    while token < last {
        let mut batch = Vec::new();
        for _ in 0..rng.usize(1..6) {
            let message = message(&mut rng, thread, token);
            batch.push((message.to_string(), token));
            if message.get("key").is_some() {
                batch.push((message.to_string(), token + 1));
            }
            token += 2;
        }
        if rng.bool() {
            let many: Vec<_> =
                batch.iter().map(|(json, token)| (json.as_bytes(), *token)).collect();
            if let Err((_, error)) = client.submit_many(many.iter().copied()) {
                is_late(&error);
                continue;
            }
            batch.iter().for_each(|(_, token)| tell(&format!("accepted {token}")));
            continue;
        }
        for (json, token) in batch {
            let op = match client.submit(json.as_bytes(), SubmitOptions::token(token)) {
                Ok(op) => op,
                Err(error) => {
                    is_late(&error);
                    continue;
                }
            };
            tell(&format!("accepted {token}"));
            if rng.u32(0..20) == 0 {
                op.cancel();
            }
        }
    }
}

/// A slow disk may not answer in time: then the message has its one result if it is there.
fn is_late(error: &hongyan::Error) {
    assert_eq!(error.code(), hongyan::ErrorCode::Storage, "{error}");
}

fn told(receipt: &Receipt) -> Value {
    let mut shown: Value = serde_json::from_str(&receipt.to_json()).expect("JSON");
    let earlier = receipt.origin == Origin::EarlierRun;
    shown["origin"] = json!(if earlier { "earlier_run" } else { "this_run" });
    shown
}

/// Takes results until it is told to stop, or then until none is left.
fn take(client: &Client, order: &Value, stop: &AtomicBool) {
    let drains = order["drains"] == true;
    let path = order["path"].as_str().expect("a path");
    let mut rng = Rng::with_seed(order["seed"].as_u64().expect("a number"));
    let mut taken = HashSet::new();
    while !stop.load(Ordering::Acquire) || (drains && !is_drained(path, &taken)) {
        let Waited::Results(receipts) = client.wait(None, 64).expect("open") else { continue };
        for receipt in receipts {
            tell(&format!("result {}", told(&receipt)));
            if drains || rng.u32(0..4) > 0 {
                client.ack(&receipt).expect("an outbox");
                tell(&format!("acknowledged {}", receipt.token));
            }
            taken.insert(receipt.id);
        }
    }
}

/// True once no result is left that was not handed out.
fn is_drained(path: &str, taken: &HashSet<String>) -> bool {
    let rows = OutboxFile::at(path).and_then(|file| file.rows(0, usize::MAX)).expect("an outbox");
    rows.iter().all(|row| row.state == OutboxState::Dead || taken.contains(&row.id))
}

/// Does what the parent ordered.
pub fn send(order: &Value) {
    // A thread that fails must not leave the others waiting.
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        default(panic);
        std::process::exit(1);
    }));
    // What the test harness wrote so far is a line of its own.
    tell("");
    tell("opening");
    let client = Client::from_json(&order["config"].to_string()).expect("a valid configuration");
    tell("opened");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| take(&client, order, &stop));
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let client = &client;
                scope.spawn(move || submit(client, order, thread));
            }
        });
        let mut left = usize::MAX;
        while left > 0 {
            let before = std::mem::replace(&mut left, client.flush(Some(GUARD)));
            assert!(left < before, "{left} never end");
        }
        if order["drains"] != true {
            tell("idle");
            // The end comes from outside; or else the parent is gone.
            drop(std::io::stdin().read_to_end(&mut Vec::new()));
            std::process::exit(1);
        }
        stop.store(true, Ordering::Release);
        client.interrupt();
    });
    assert_eq!(client.close(None), 0);
}
