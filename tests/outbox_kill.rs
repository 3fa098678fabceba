//! An outbox whose process is killed at random moments, again and again: what was accepted has one
//! verdict, and the verdict is true.
//!
//! The sender is this program, run again as a child; the service lives in the parent, which kills the
//! child when a line that it prints or a request that it makes says so. `HY_KILLS` and `HY_MESSAGES`
//! are how often and how many; `HY_SEED` is what a failure prints.

#![cfg(all(feature = "outbox", target_os = "linux"))]

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/memory.rs"]
#[allow(dead_code, reason = "only the process of its own is needed here")]
mod memory;
#[path = "support/outbox_disk.rs"]
mod outbox_disk;
#[path = "support/outbox_folder.rs"]
mod outbox_folder;
#[path = "support/outbox_restart.rs"]
mod outbox_restart;
#[path = "support/outbox_sender.rs"]
mod outbox_sender;
#[path = "support/outbox_service.rs"]
mod outbox_service;
#[path = "support/raw.rs"]
mod raw;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;

use fastrand::Rng;
use hongyan::{OutboxFile, OutboxState};
use serde_json::{Value, json};

use outbox_folder::Folder;
use outbox_sender::{CHILD, Order, content, run_of};
use outbox_service::{Moment, Service};

/// What the parent kills at.
#[derive(Clone, Copy, Debug)]
enum Trigger {
    /// So many lines that begin with this word.
    Line(&'static str, usize),
    Request(usize, Moment),
    /// Nothing: the child ends by itself.
    Never,
}

impl Trigger {
    /// While about so many messages are sent.
    fn random(rng: &mut Rng, messages: usize) -> Trigger {
        let some = rng.usize(1..=messages);
        match rng.u32(0..12) {
            0 => Trigger::Line("opening", 1),
            1 => Trigger::Line("opened", 1),
            2 => Trigger::Line("result", 1),
            3 => Trigger::Request(1, Moment::Taken),
            4 | 5 => Trigger::Line("accepted", some),
            6 | 7 => Trigger::Line("result", some),
            8 => Trigger::Line("acknowledged", some.div_ceil(2)),
            9 => Trigger::Request(some, Moment::Lost),
            10 => Trigger::Request(some, Moment::Taken),
            _ => Trigger::Request(some, Moment::Answered),
        }
    }
}

/// What is known of a message that was submitted.
#[derive(Default)]
struct Letter {
    /// Submit has returned.
    accepted: bool,
    /// Its result, which is the same each time that it is handed out.
    receipt: Option<Value>,
}

struct Proof {
    service: Service,
    folder: Folder,
    seed: u64,
    run: u64,
    letters: HashMap<u64, Letter>,
    again: usize,
    wrong: Vec<String>,
}

impl Proof {
    fn accepted(&self) -> usize {
        self.letters.values().filter(|letter| letter.accepted).count()
    }

    /// Runs a child until it is killed, or has ended.
    fn run(&mut self, trigger: Trigger, messages: usize) {
        self.run += 1;
        let order = Order {
            config: self.folder.config(&self.service.url(), outbox_sender::config()),
            path: self.folder.file(),
            seed: self.seed,
            run: self.run,
            messages,
            drains: matches!(trigger, Trigger::Never),
        };
        let mut child = order.start();
        if let Trigger::Request(at, moment) = trigger {
            self.service.strike(child.id(), at, moment);
        }
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let (mut line, mut left) = (Vec::new(), 0);
        if let Trigger::Line(_, at) = trigger {
            left = at;
        }
        // A line that has no end was torn by the kill, and tells nothing.
        while lines.read_until(b'\n', &mut line).expect("a pipe") > 0 && line.ends_with(b"\n") {
            let text = std::str::from_utf8(&line).expect("UTF-8").trim_end();
            let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
            self.told(word, rest);
            let counts = matches!(trigger, Trigger::Line(own, _) if own == word);
            left -= usize::from(counts && left > 0);
            // One that has nothing more to do would wait for its end for ever.
            let over = word == "idle" && !matches!(trigger, Trigger::Never);
            if (counts && left == 0) || over {
                child.kill().expect("a child that nobody has waited for");
            }
            line.clear();
        }
        // Before the wait, so that no other process is hit.
        self.service.settle();
        let status = child.wait().expect("a child");
        match trigger {
            Trigger::Never => assert!(status.success(), "{self:?}: {status}"),
            _ => assert_eq!(status.signal(), Some(libc::SIGKILL), "{self:?}: {status}"),
        }
    }

    /// Notes a line of the child.
    fn told(&mut self, word: &str, rest: &str) {
        match word {
            "accepted" => {
                let token = rest.parse().expect("a token");
                self.letters.entry(token).or_default().accepted = true;
            }
            "result" => {
                let receipt: Value = serde_json::from_str(rest).expect("a receipt");
                self.result(receipt);
            }
            _ => {}
        }
    }

    fn result(&mut self, mut receipt: Value) {
        let token = receipt["token"].as_u64().expect("a token");
        let earlier = receipt["origin"].take() == json!("earlier_run");
        if earlier != (run_of(token) < self.run) {
            self.wrong.push(format!("{token} came in run {} as if earlier: {earlier}", self.run));
        }
        if receipt["recovered"] == true && !earlier {
            self.wrong.push(format!("{token} was recovered in its own run"));
        }
        let letter = self.letters.entry(token).or_default();
        match &letter.receipt {
            Some(first) if *first != receipt => {
                self.wrong.push(format!("{token} was first {first}\nand then {receipt}"));
            }
            Some(_) => self.again += 1,
            None => letter.receipt = Some(receipt),
        }
    }

    /// Every verdict against what the service saw.
    fn check(&mut self) {
        let mut sent: HashMap<u64, [usize; 3]> = HashMap::new();
        let mut wrong = std::mem::take(&mut self.wrong);
        for (token, letter) in &self.letters {
            let Some(receipt) = &letter.receipt else {
                wrong.push(format!("{token} was accepted and has no result"));
                continue;
            };
            let delivery = receipt["delivery"].as_str().expect("a word");
            let at = ["not_sent", "maybe_sent", "sent"].iter().position(|own| *own == delivery);
            sent.entry(content(*token)).or_default()[at.expect("a delivery")] += 1;
            let ids = self.service.ids(content(*token));
            let id = receipt["message_id"].as_str();
            if delivery == "sent" && !ids.iter().any(|own| Some(own.as_str()) == id) {
                wrong.push(format!("{token} is sent as {id:?}, and was taken as {ids:?}"));
            }
        }
        for (content, [_, maybe, sent]) in &sent {
            let taken = self.service.ids(*content).len();
            // How often it is taken at most is the service's own to notice.
            if (*sent > 0 && taken == 0) || (*sent + *maybe == 0 && taken > 0) {
                wrong
                    .push(format!("{content}: {sent} sent, {maybe} in doubt, taken {taken} times"));
            }
        }
        wrong.extend(self.service.violations());
        assert!(wrong.is_empty(), "{self:?}: {} mistakes:\n{}", wrong.len(), wrong.join("\n"));

        // All were acknowledged: what is left is what did not arrive for certain.
        let rows = OutboxFile::at(self.folder.file()).and_then(|file| file.rows(0, usize::MAX));
        for row in rows.expect("an outbox") {
            assert_eq!(row.state, OutboxState::Dead, "{self:?}: {row:?}");
            let receipt = self.letters.get(&row.token).and_then(|letter| letter.receipt.as_ref());
            let receipt = receipt.unwrap_or_else(|| panic!("{self:?}: nobody submitted {row:?}"));
            assert_ne!(receipt["delivery"], "sent", "{self:?}: {row:?}");
        }
        let total = |at: usize| sent.values().map(|counts| counts[at]).sum::<usize>();
        let (requests, resent) = self.service.counts();
        println!(
            "{self:?}: {} accepted, {} results: {} sent, {} maybe_sent, {} not_sent; {} handed out \
             again; {requests} requests, {resent} resent",
            self.accepted(),
            self.letters.len(),
            total(2),
            total(1),
            total(0),
            self.again,
        );
        assert!((0..3).all(|at| total(at) > 0), "{self:?}: all three happen");
        assert!(self.again > 0 && resent > 0, "{self:?}: both happen");
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HY_SEED={}, run {}", self.seed, self.run)
    }
}

fn number(name: &str, default: usize) -> usize {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}: {value:?}")))
}

#[test]
fn killed_at_any_moment_it_keeps_its_word() {
    if let Ok(order) = std::env::var(CHILD) {
        return outbox_sender::send(&serde_json::from_str(&order).expect("an order"));
    }
    let (kills, messages) = (number("HY_KILLS", 25), number("HY_MESSAGES", 2000));
    let seed = number("HY_SEED", 1) as u64;
    let mut rng = Rng::with_seed(seed);
    let mut proof = Proof {
        service: Service::start(rng.u64(..)),
        folder: Folder::new(),
        seed,
        run: 0,
        letters: HashMap::new(),
        again: 0,
        wrong: Vec::new(),
    };
    // About half of a run's messages come before its kill.
    let each = (2 * messages).div_ceil(kills).max(2);
    for _ in 0..kills {
        let trigger = Trigger::random(&mut rng, each);
        proof.run(trigger, each);
    }
    let rest = messages.saturating_sub(proof.accepted());
    proof.run(Trigger::Never, rest);
    proof.check();
}
