//! A fleet over one PostgreSQL, whose workers and submitters are killed and stopped at random moments, and whose
//! database crashes: every accepted message has one result, and it is true of what the service saw.
//!
//! Workers and submitters are this program, run again as children; the service lives in the parent. `HY_KILLS`
//! says how often something happens to one of them (or to the database), `HY_SEED` is what a failure prints.

#![cfg(all(feature = "postgres", target_os = "linux"))]

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/cluster.rs"]
mod cluster;
#[path = "support/raw.rs"]
mod raw;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use hongyan::{Client, Delivery, OutboxFile, SubmitOptions, Waited};
use serde_json::{Value, json};

use accounts::{client, config_with, message_with, success};
use cluster::Cluster;
use raw::{GUARD, RawServer, Then, answer};

/// Holds the order of a child.
const CHILD: &str = "HONGYAN_TEST_FLEET_CHILD";

const WORKERS: usize = 3;
const SUBMITTERS: usize = 2;

/// A member is taken for dead so soon after its last sign of life.
const LEASE_MS: u64 = 1500;

/// Messages that are submitted for each thing that happens.
const MESSAGES_A_KILL: usize = 60;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

/// The words of a message: of two with one key they are the same.
fn words(submitter: u64, n: u64) -> String {
    let n = if is_keyed(n) { n / 2 * 2 } else { n };
    format!("m{submitter}x{n}z")
}

/// Four of ten messages have a key, which two of them share.
fn is_keyed(n: u64) -> bool {
    n % 10 < 4
}

fn message(submitter: u64, n: u64) -> Value {
    let account = if n % 4 < 2 { "ff-json" } else { "im" };
    let mut more = json!({"text": words(submitter, n)});
    if is_keyed(n) {
        more["key"] = json!(words(submitter, n));
    }
    message_with(account, more)
}

/// The words of a message within a request's body.
fn words_in(body: &str) -> String {
    let starts = body.match_indices('m').map(|(at, _)| &body[at..]);
    let found = starts.filter_map(|rest| {
        let rest = &rest[..=rest.find('z')?];
        let (own, n) = rest[1..rest.len() - 1].split_once('x')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (digits(own) && digits(n)).then(|| rest.to_owned())
    });
    found.into_iter().next().unwrap_or_else(|| panic!("no message in {body}"))
}

/// What a child does until it is killed, or its parent closes its input.
fn child(order: &Value) {
    let config = order["config"].to_string();
    let tell = |line: String| {
        let mut out = std::io::stdout().lock();
        out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).expect("a pipe");
    };
    // The database may be away at the moment.
    let client = loop {
        match Client::from_json(&config) {
            Ok(client) => break client,
            Err(error) => assert_eq!(error.code(), hongyan::ErrorCode::Storage, "{error}"),
        }
    };
    tell("ready".to_owned());
    if let (Some(own), Some(from)) = (order["submitter"].as_u64(), order["from"].as_u64()) {
        for n in from.. {
            let json = message(own, n).to_string();
            match client.submit(json.as_bytes(), SubmitOptions::token(n)) {
                Ok(op) => tell(format!("accepted {n} {}", op.id())),
                Err(error) => tell(format!("refused {n} {}", error.code().name())),
            }
            // Not faster than the parent reads it.
            let mut line = String::new();
            if std::io::stdin().read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
        }
    }
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).unwrap_or(0) > 0 {}
}

/// A child, and the lines that it tells.
struct Member {
    child: Child,
    lines: Receiver<String>,
}

impl Member {
    fn start(order: &Value) -> Member {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "a_fleet_keeps_its_word", "--nocapture"])
            .env(CHILD, order.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Member { child, lines }
    }

    fn go_on(&mut self) {
        if let Some(input) = &mut self.child.stdin {
            // One that was killed reads nothing any more.
            let _ = input.write_all(b"\n");
        }
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the service saw of a message: requests, and answers that it had written to their end.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    requests: usize,
    answers: usize,
}

struct Fleet {
    cluster: Cluster,
    config: Value,
    workers: Vec<Member>,
    submitters: Vec<Member>,
    /// The next number of each submitter.
    next: Vec<u64>,
    /// The words of the accepted messages, by their ids.
    accepted: HashMap<String, String>,
}

impl Fleet {
    fn order(&self, submitter: Option<usize>) -> Value {
        let mut config = self.config.clone();
        if submitter.is_some() {
            config["outbox"]["sends"] = json!(false);
        }
        json!({"config": config, "submitter": submitter, "from": submitter.map(|own| self.next[own])})
    }

    /// Reads what the submitters tell, until so many more are accepted.
    fn submit(&mut self, count: usize) {
        let until = self.accepted.len() + count;
        let started = std::time::Instant::now();
        while self.accepted.len() < until {
            assert!(started.elapsed() < GUARD, "{} are accepted", self.accepted.len());
            for own in 0..SUBMITTERS {
                let Ok(line) = self.submitters[own].lines.recv_timeout(Duration::from_millis(20))
                else {
                    continue;
                };
                let told: Vec<_> = line.split(' ').collect();
                match told[..] {
                    ["accepted", n, id] => {
                        let n: u64 = n.parse().expect("a number");
                        self.accepted.insert(id.to_owned(), words(own as u64, n));
                        self.next[own] = n + 1;
                        self.submitters[own].go_on();
                    }
                    ["refused", _, name] => {
                        assert_eq!(name, "storage");
                        self.submitters[own].go_on();
                    }
                    _ => {}
                }
            }
        }
    }

    fn count(&self, sql: &str) -> u64 {
        self.cluster.psql("postgres", sql).parse().expect("a number")
    }

    /// Something happens to somebody.
    fn befall(&mut self, rng: &mut Rng) {
        match rng.u32(0..10) {
            0..5 => {
                let victim = rng.usize(0..WORKERS);
                self.workers[victim].kill();
                self.workers[victim] = Member::start(&self.order(None));
            }
            5..7 => {
                let victim = rng.usize(0..SUBMITTERS);
                self.submitters[victim].kill();
                // What it was about to say may be accepted: the next has other words.
                self.next[victim] = self.next[victim].next_multiple_of(10) + 10;
                self.submitters[victim] = Member::start(&self.order(Some(victim)));
            }
            7..9 => {
                // Stopped for longer than its lease, it comes back and finds itself gone.
                let victim = rng.usize(0..WORKERS);
                let members =
                    "SELECT coalesce(max(member), 0) FROM hongyan.members WHERE NOT EXISTS
                    (SELECT 1 FROM hongyan.members m WHERE m.until_ms < hongyan.now_ms())";
                self.workers[victim].signal("-STOP");
                let late = format!(
                    "SELECT count(*) FROM hongyan.members WHERE until_ms < hongyan.now_ms() + {}",
                    LEASE_MS / 3
                );
                let started = std::time::Instant::now();
                // Whether it is the one that is late is the same to the others.
                while self.count(&late) > 0 && self.count(members) == 0 {
                    assert!(started.elapsed() < GUARD, "nobody ends its leases");
                }
                self.workers[victim].signal("-CONT");
            }
            _ => self.cluster.restart_immediate(),
        }
    }
}

#[test]
fn a_fleet_keeps_its_word() {
    if let Ok(order) = std::env::var(CHILD) {
        return child(&serde_json::from_str(&order).expect("an order"));
    }
    let (kills, seed) = (number("HY_KILLS", 8), number("HY_SEED", fastrand::u64(..)));
    println!("HY_SEED={seed}");
    let mut rng = Rng::with_seed(seed);

    let seen = Arc::<Mutex<BTreeMap<String, Seen>>>::default();
    let service = {
        let seen = Arc::clone(&seen);
        RawServer::start(move |request, stream| {
            let account = if request.target().starts_with("/im") { "im" } else { "ff-json" };
            let words = words_in(request.body_text());
            let count = |change: fn(&mut Seen)| {
                change(seen.lock().expect("unbroken").entry(words.clone()).or_default());
            };
            count(|seen| seen.requests += 1);
            if request.number % 29 == 0 {
                return Ok(Then::Reset);
            }
            stream.write_all(&answer(200, "", success(account)))?;
            count(|seen| seen.answers += 1);
            Ok(Then::Keep)
        })
    };
    let cluster = Cluster::start(&[], &[]);
    let outbox = json!({"postgres": cluster.url(), "lease_ms": LEASE_MS});
    let config = config_with(&service.url(), json!({"timeout_ms": 5000, "outbox": outbox}));
    let file = OutboxFile::of_config(&config.to_string()).expect("a configuration");
    file.expect("an outbox").make_schema().expect("a schema");
    let mut fleet = Fleet {
        cluster,
        config,
        workers: Vec::new(),
        submitters: Vec::new(),
        next: vec![0; SUBMITTERS],
        accepted: HashMap::new(),
    };
    fleet.workers = (0..WORKERS).map(|_| Member::start(&fleet.order(None))).collect();
    fleet.submitters = (0..SUBMITTERS).map(|own| Member::start(&fleet.order(Some(own)))).collect();
    for _ in 0..kills {
        fleet.submit(rng.usize(1..=MESSAGES_A_KILL));
        fleet.befall(&mut rng);
    }
    fleet.submit(MESSAGES_A_KILL);
    fleet.submitters.iter_mut().for_each(Member::kill);
    let started = std::time::Instant::now();
    while fleet.count("SELECT count(*) FROM hongyan.messages WHERE state < 5") > 0 {
        assert!(started.elapsed() < GUARD, "some have no result");
    }
    fleet.workers.iter_mut().for_each(Member::kill);

    // Whoever of their owner comes next takes all results, each once.
    let heir = client(&fleet.config);
    let total = fleet.count("SELECT count(*) FROM hongyan.messages WHERE state = 5") as usize;
    let mut results = HashMap::new();
    while results.len() < total {
        match heir.wait(Some(GUARD), 256).expect("open") {
            Waited::Results(receipts) => {
                for receipt in receipts {
                    heir.ack(&receipt).expect("an outbox");
                    let id = receipt.id.clone();
                    assert!(results.insert(id, receipt).is_none(), "one result each");
                }
            }
            Waited::Nothing => panic!("{} of {total} results, and no more came", results.len()),
        }
    }
    let seen = seen.lock().expect("unbroken");
    let (mut told, mut checked) = (BTreeMap::<&str, usize>::new(), HashSet::new());
    for (id, words) in &fleet.accepted {
        let receipt = results.get(id).unwrap_or_else(|| panic!("{words} ({id}) has no result"));
        let saw = seen.get(words).copied().unwrap_or_default();
        *told.entry(receipt.delivery.name()).or_default() += 1;
        match receipt.delivery {
            Delivery::Sent => assert!(saw.answers > 0, "{words} was not: {receipt:?}"),
            Delivery::NotSent => assert_eq!(saw.requests, 0, "{words} went: {receipt:?}"),
            _ => {}
        }
        if receipt.account == "ff-json" && checked.insert(words) {
            // A service that recognises nothing was asked once for all of its key, whatever happened.
            assert!(saw.requests <= 1, "{words} went {} times: {receipt:?}", saw.requests);
        }
    }
    println!("{} accepted: {told:?}", fleet.accepted.len());
    drop(heir);
    let (counted, open): (u64, u64) = (
        fleet.count("SELECT sum(messages) FROM hongyan.counts"),
        fleet.count("SELECT sum(open) FROM hongyan.counts"),
    );
    assert_eq!((counted, open), (0, 0), "the counts are true");
}
