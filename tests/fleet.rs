//! A fleet over one outbox, a database or a file, whose workers and submitters are killed and stopped at random moments, and whose
//! database crashes, is cut off and fails over: every accepted message has one result, and it is true of what the
//! service saw; lines keep their order, keys are one message, and no window is exceeded.
//!
//! Workers and submitters are this program, run again as children; the service lives in the parent. `HY_KILLS`
//! says how often something happens to one of them (or to the outbox), `HY_SEED` is what a failure prints.

#![cfg(all(feature = "outbox", target_os = "linux"))]

#[path = "support/accounts.rs"]
mod accounts;
#[cfg(feature = "postgres")]
#[path = "support/cluster.rs"]
mod cluster;
#[cfg(feature = "postgres")]
#[path = "fleet/database.rs"]
mod database;
#[path = "fleet/file.rs"]
mod file;
#[path = "fleet/ledger.rs"]
mod ledger;
#[path = "fleet/member.rs"]
mod member;
#[path = "fleet/messages.rs"]
mod messages;
#[path = "fleet/place.rs"]
mod place;
#[path = "support/raw.rs"]
mod raw;
#[cfg(feature = "postgres")]
#[path = "support/relay.rs"]
mod relay;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use hongyan::{Receipt, Waited};
use serde_json::{Value, json};

use accounts::{client, config_with};
use file::File;
use ledger::Service;
use member::{Member, is_child};
use messages::{PACED, WINDOW, words};
use place::{Place, longer_than_a_lease};
use raw::GUARD;

/// Messages that are submitted for each thing that happens.
const MESSAGES_A_KILL: usize = 60;

/// What happens to members, as often as it stands here; each thing that happens to the outbox comes beside it.
const HAPPENS: [Happens; 5] =
    [Happens::Kill, Happens::Kill, Happens::Kill, Happens::KillSubmitter, Happens::Stop];

#[derive(Clone, Copy, Debug)]
enum Happens {
    /// A worker is killed.
    Kill,
    KillSubmitter,
    /// A worker is stopped for longer than its lease, and comes back.
    Stop,
    /// To the outbox, by the number of its kind.
    Outbox(usize),
}

struct Fleet<P> {
    /// The name of the test, which its children run.
    test: &'static str,
    place: P,
    config: Value,
    workers: Vec<Member>,
    submitters: Vec<Member>,
    /// The next number of each submitter.
    next: Vec<u64>,
    /// The words of the accepted messages, by their ids.
    accepted: HashMap<String, String>,
}

impl<P: Place> Fleet<P> {
    fn start(
        test: &'static str,
        (workers, submitters): (usize, usize),
        place: P,
        service: &Service,
    ) -> Fleet<P> {
        let (count, per_ms) = WINDOW;
        let more = json!({"timeout_ms": 5000, "outbox": place.outbox(),
            "accounts": {PACED: {"rate": {"count": count, "per_ms": per_ms}}}});
        let mut fleet = Fleet {
            test,
            config: config_with(&service.url(), more),
            place,
            workers: Vec::new(),
            submitters: Vec::new(),
            next: vec![0; submitters],
            accepted: HashMap::new(),
        };
        fleet.workers = (0..workers).map(|_| fleet.member(None)).collect();
        fleet.submitters = (0..submitters).map(|own| fleet.member(Some(own))).collect();
        fleet
    }

    /// Starts a worker, or the submitter of this number.
    fn member(&self, submitter: Option<usize>) -> Member {
        let mut config = self.config.clone();
        if submitter.is_some() {
            config["outbox"]["sends"] = json!(false);
        }
        let from = submitter.map(|own| self.next[own]);
        let order = json!({"config": config, "submitter": submitter, "from": from});
        Member::start(self.test, &order)
    }

    /// Reads what the submitters tell, until so many more are accepted.
    fn submit(&mut self, count: usize) {
        let until = self.accepted.len() + count;
        let started = Instant::now();
        while self.accepted.len() < until {
            assert!(started.elapsed() < GUARD, "{} are accepted", self.accepted.len());
            for own in 0..self.submitters.len() {
                let lines = &self.submitters[own].lines;
                let Ok(line) = lines.recv_timeout(Duration::from_millis(20)) else { continue };
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

    /// Something happens to somebody.
    fn befall(&mut self, what: Happens, rng: &mut Rng) {
        match what {
            Happens::Kill => {
                let victim = rng.usize(0..self.workers.len());
                self.workers[victim].kill();
                self.workers[victim] = self.member(None);
            }
            Happens::KillSubmitter => {
                let victim = rng.usize(0..self.submitters.len());
                self.submitters[victim].kill();
                // What it was about to say may be accepted: the next has other words.
                self.next[victim] = self.next[victim].next_multiple_of(10) + 10;
                self.submitters[victim] = self.member(Some(victim));
            }
            Happens::Stop => {
                let victim = rng.usize(0..self.workers.len());
                self.workers[victim].signal("-STOP");
                longer_than_a_lease();
                self.workers[victim].signal("-CONT");
            }
            Happens::Outbox(what) => self.place.befall(what, rng),
        }
    }

    /// Waits until everything has its result; whoever of their owner comes next takes all of them, each once.
    fn end(&mut self) -> HashMap<String, Receipt> {
        self.submitters.clear();
        let started = Instant::now();
        while self.place.unfinished() > 0 {
            assert!(started.elapsed() < GUARD, "{} have no result", self.place.unfinished());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.workers.clear();
        let (heir, total) = (client(&self.config), self.place.results());
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
                Waited::Nothing => panic!("{} of {total}, and no more came", results.len()),
            }
        }
        results
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

/// So many workers and submitters, over one outbox.
fn keeps_its_word<P: Place>(test: &'static str, members: (usize, usize), place: P) {
    let seed = number("HY_SEED", fastrand::u64(..));
    println!("HY_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let service = Service::start();
    let mut deck = Vec::from(HAPPENS);
    deck.extend((0..place.happens()).map(Happens::Outbox));
    // Each of them at least once.
    let kills = number("HY_KILLS", deck.len() as u64) as usize;
    let mut fleet = Fleet::start(test, members, place, &service);
    for kill in 0..kills {
        if kill % deck.len() == 0 {
            rng.shuffle(&mut deck);
        }
        fleet.submit(rng.usize(1..=MESSAGES_A_KILL));
        let what = deck[kill % deck.len()];
        let started = Instant::now();
        fleet.befall(what, &mut rng);
        println!("{what:?} after {}, {:?}", fleet.accepted.len(), started.elapsed());
    }
    fleet.submit(MESSAGES_A_KILL);
    let results = fleet.end();
    service.check(&fleet.accepted, &results);
    fleet.place.is_empty();
    if kills >= deck.len() {
        fleet.place.was_tried();
    }
}

#[cfg(feature = "postgres")]
#[test]
fn over_a_database_it_keeps_its_word() {
    if !is_child() {
        let test = "over_a_database_it_keeps_its_word";
        keeps_its_word(test, (3, 2), database::Database::new());
    }
}

#[test]
fn over_a_file_it_keeps_its_word() {
    if !is_child() {
        keeps_its_word("over_a_file_it_keeps_its_word", (2, 2), File::new());
    }
}
