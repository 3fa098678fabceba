//! What the service of a fleet sees of every message, and whether that is true to its result.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hongyan::{Delivery, Receipt};

use crate::accounts::success;
use crate::messages::{Kind, PACED, WINDOW, kind, number, words_in};
use crate::raw::{RawServer, Then, answer};

/// One of so many requests is taken, and gets no answer.
const UNANSWERED: usize = 29;

/// What the service saw of a message.
#[derive(Default)]
struct Seen {
    /// When its requests came.
    at: Vec<Instant>,
    /// Which request of all the first of them was.
    first: usize,
    /// What they said.
    bodies: HashSet<Vec<u8>>,
    /// Answers that were written to their end.
    answers: usize,
}

type Ledger = HashMap<String, Seen>;

/// A running service.
pub struct Service {
    ledger: Arc<Mutex<Ledger>>,
    server: RawServer,
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    pub fn start() -> Service {
        let ledger = Arc::<Mutex<Ledger>>::default();
        let own = Arc::clone(&ledger);
        let server = RawServer::start(move |request, stream| {
            let account = if request.target().starts_with("/im/") { "im" } else { "ff-json" };
            let words = words_in(request.body_text());
            let came = Instant::now();
            let mut seen = lock(&own);
            let entry = seen.entry(words.clone()).or_default();
            if entry.at.is_empty() {
                entry.first = request.number;
            }
            entry.at.push(came);
            entry.bodies.insert(request.body.clone());
            drop(seen);
            if request.number % UNANSWERED == 0 {
                return Ok(Then::Reset);
            }
            stream.write_all(&answer(200, "", success(account)))?;
            lock(&own).entry(words).or_default().answers += 1;
            Ok(Then::Keep)
        });
        Service { ledger, server }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every result against what was seen: `accepted` are words, `results` receipts, both by ids.
    pub fn check(&self, accepted: &HashMap<String, String>, results: &HashMap<String, Receipt>) {
        let ledger = lock(&self.ledger);
        let (mut wrong, mut told) = (Vec::new(), BTreeMap::<&str, usize>::new());
        // What is known to be sent, in the order of its numbers, by account and submitter.
        let mut lines = BTreeMap::<(&str, u64), BTreeMap<u64, usize>>::new();
        let mut paced = Vec::<Instant>::new();
        for (id, words) in accepted {
            let Some(receipt) = results.get(id) else {
                wrong.push(format!("{words} ({id}) was accepted and has no result"));
                continue;
            };
            let nothing = Seen::default();
            let seen = ledger.get(words).unwrap_or(&nothing);
            *told.entry(receipt.delivery.name()).or_default() += 1;
            let requests = seen.at.len();
            let mistake = match receipt.delivery {
                Delivery::Sent if seen.answers == 0 => Some("is sent, and was not answered"),
                Delivery::NotSent if requests > 0 => Some("is not sent, and came"),
                // A service that recognises nothing gets a message once, whatever happened.
                _ if receipt.account != "im" && requests > 1 => Some("came more than once"),
                _ if seen.bodies.len() > 1 => Some("came again with other bytes"),
                _ => None,
            };
            wrong.extend(mistake.map(|what| format!("{words} {what}, {requests} ×: {receipt:?}")));
            let (own, n) = number(words);
            // Who is stopped right before he writes may be taken for dead, and write it long after that.
            let is_sent = receipt.delivery == Delivery::Sent;
            match kind(n) {
                Kind::Ordered(account) if is_sent => {
                    lines.entry((account, own)).or_default().insert(n, seen.first);
                }
                Kind::Paced if is_sent => paced.extend(seen.at.first()),
                _ => {}
            }
        }
        for ((account, own), line) in &lines {
            for ((n, first), (later, then)) in line.iter().zip(line.iter().skip(1)) {
                if first > then {
                    wrong.push(format!("{own}'s {later} by {account} came before its {n}"));
                }
            }
        }
        paced.sort_unstable();
        let (count, per_ms) = WINDOW;
        // A clock of a store counts whole milliseconds.
        let least = Duration::from_millis(per_ms - 2);
        for some in paced.windows(count + 1) {
            let took = some[count] - some[0];
            if took < least {
                wrong.push(format!("{} requests by {PACED} came within {took:?}", count + 1));
            }
        }
        assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
        let in_lines: usize = lines.values().map(BTreeMap::len).sum();
        println!(
            "{} accepted: {told:?}; {in_lines} in lines, {} in a window",
            accepted.len(),
            paced.len()
        );
        assert!(in_lines > 0 && paced.len() > count, "both are tried");
    }
}
