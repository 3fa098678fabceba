//! What several processes over one outbox have of it, a file and a database: how soon one sends what another has
//! submitted, how fast groups of 512 come in, and how fast 1, 2 and 4 workers send what is queued.
//!
//! ```text
//! cargo bench --features postgres,testing --bench fleet -- [--messages N]
//! ```
//!
//! The workers are this program, run again. The service is played here, so that it takes its part of the processors.

#[path = "../tests/support/accounts.rs"]
mod accounts;
#[path = "../tests/support/cluster.rs"]
mod cluster;
#[path = "../tests/support/raw.rs"]
mod raw;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use accounts::{account, merged, success};
use cluster::Cluster;
use hongyan::{Client, OutboxFile, SubmitOptions};
use raw::{RawServer, Then, answer};
use serde_json::{Value, json};

/// The accounts that messages are spread over.
const ACCOUNTS: usize = 16;
const GROUP: usize = 512;
const WORKERS: [usize; 3] = [1, 2, 4];
/// Messages whose way from one process to the other is timed, one after the other.
const SINGLE: usize = 200;
/// Between two of them: both sides are idle again, as they are where messages are few.
const PAUSE: Duration = Duration::from_millis(25);
/// The most that is waited for what must come.
const GUARD: Duration = Duration::from_secs(300);

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let after = |name: &str| arguments.iter().skip_while(|word| *word != name).nth(1);
    if let Some(config) = after("--worker") {
        return work(config);
    }
    let messages: usize =
        after("--messages").map_or(20_480, |n| n.parse().expect("a number of messages"));
    let cluster = Cluster::start(&["shared_buffers=256MB", "max_wal_size=4GB"], &[]);
    let folder = std::env::temp_dir().join(format!("hongyan-bench-fleet-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the file");

    let (arrived, arrivals) = channel();
    let sent = answer(200, "", success("ff-json"));
    let server = RawServer::start(move |request, stream| {
        let _ = arrived.send((Instant::now(), request.number));
        stream.write_all(&sent)?;
        Ok(Then::Keep)
    });
    println!("{messages} messages over {ACCOUNTS} accounts");
    for place in ["file", "database"] {
        // Each measurement has an outbox of its own.
        let fresh = |number: usize| match place {
            "file" => json!({"path": folder.join(format!("{number}.db"))}),
            _ => {
                cluster.psql("postgres", "DROP SCHEMA IF EXISTS hongyan CASCADE");
                json!({"postgres": cluster.url()})
            }
        };
        soon(place, &config(&server.url(), fresh(0)), &arrivals);
        for (at, workers) in WORKERS.into_iter().enumerate() {
            drain(place, &config(&server.url(), fresh(at + 1)), &arrivals, workers, messages);
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
}

fn config(url: &str, outbox: Value) -> Value {
    let accounts: serde_json::Map<_, _> =
        (0..ACCOUNTS).map(|n| (format!("a{n}"), account("ff-json", url))).collect();
    let outbox =
        merged(outbox, json!({"max_messages": 10_000_000, "max_bytes": 100_000_000_000_u64}));
    let config = json!({"v": 1, "accounts": accounts, "outbox": outbox});
    if config["outbox"]["path"].is_null() {
        let database = OutboxFile::of_config(&config.to_string()).expect("a configuration");
        database.expect("an outbox").make_schema().expect("a schema");
    }
    config
}

/// The same outbox for a process that only submits.
fn submitter(config: &Value) -> Client {
    let mut config = config.clone();
    config["outbox"] = merged(config["outbox"].take(), json!({"sends": false}));
    Client::from_json(&config.to_string()).expect("a client that submits")
}

fn message(number: usize) -> Value {
    let text = format!("disk {number} of the rack in the cellar is 90 % full");
    json!({"v": 1, "account": format!("a{}", number % ACCOUNTS), "to": {"user": "lisztli"}, "text": text})
}

/// A worker, until whoever started it closes its input.
fn work(config: &str) {
    let client = Client::for_worker(config).expect("a worker");
    println!("ready");
    let mut nothing = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut nothing);
    client.wind_down(None);
}

struct Worker(Child);

impl Worker {
    fn start(config: &Value) -> Worker {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command
            .args(["--worker", &config.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("a worker starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it says that it is ready");
        Worker(child)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn arrival(arrivals: &Receiver<(Instant, usize)>) -> Instant {
    arrivals.recv_timeout(GUARD).expect("the message is sent").0
}

/// How soon another process begins what is submitted.
fn soon(place: &str, config: &Value, arrivals: &Receiver<(Instant, usize)>) {
    let client = submitter(config);
    let _worker = Worker::start(config);
    let (mut durable, mut begun) = (Vec::new(), Vec::new());
    for number in 0..SINGLE {
        thread::sleep(PAUSE);
        let start = Instant::now();
        let message = message(number).to_string();
        client.submit(message.as_bytes(), SubmitOptions::default()).expect("it is accepted");
        durable.push(start.elapsed());
        begun.push(arrival(arrivals) - start);
    }
    let told = |mut times: Vec<Duration>| {
        times.sort();
        let ms = |at: usize| times[at].as_secs_f64() * 1e3;
        format!("median {:.2} ms, of 20 the slowest {:.2} ms", ms(SINGLE / 2), ms(SINGLE * 19 / 20))
    };
    println!("{place}: submit returns: {}", told(durable));
    println!(
        "{place}: submit to the first byte at the service, by another process: {}",
        told(begun)
    );
}

/// How fast messages come in by groups, and how fast so many workers send them.
fn drain(
    place: &str,
    config: &Value,
    arrivals: &Receiver<(Instant, usize)>,
    workers: usize,
    messages: usize,
) {
    let client = submitter(config);
    let start = Instant::now();
    for first in (0..messages).step_by(GROUP) {
        let group: Vec<_> = (first..first + GROUP).map(|n| message(n).to_string()).collect();
        let tokens = group.iter().zip(first as u64..).map(|(text, token)| (text.as_bytes(), token));
        client.submit_many(tokens).expect("they are accepted");
    }
    let accepted = start.elapsed();
    let start = Instant::now();
    let _workers: Vec<_> = (0..workers).map(|_| Worker::start(config)).collect();
    (0..messages).for_each(|_| {
        arrival(arrivals);
    });
    let sent = start.elapsed();
    let rate = |took: Duration| messages as f64 / took.as_secs_f64();
    println!(
        "{place}: {:.0} a second accepted in groups of {GROUP}; {:.0} a second sent by {workers} workers",
        rate(accepted),
        rate(sent)
    );
}
