//! `hongyan queue flush`: sends what an outbox holds.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use hongyan::{Client, OutboxFile, OutboxState, Receipt, Waited};
use serde_json::json;

use crate::config::{Config, no_outbox};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::outbox::{self, Left, PATIENCE, Rest};
use crate::output::{Output, count, line};
use crate::report;

/// How many results are taken at once.
const MOST: usize = 256;

/// How to flush.
pub struct How {
    pub timeout: Option<Duration>,
    /// Acknowledge what is told.
    pub ack: bool,
    pub json: bool,
}

/// Sends what is due, and tells what became of it.
pub fn run(
    config: Option<&Path>,
    path: Option<&Path>,
    how: How,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let config = Config::load(config)?;
    let file = config.outbox(path)?.ok_or_else(no_outbox)?;
    let known = results(&file)?;
    let client = config.owner(&file)?;
    let mut told = Told { counts: BTreeMap::new(), exit: None };
    let until = how.timeout.map(|timeout| Instant::now() + timeout);
    let rest = Rest::new(&file, config.accounts());
    let in_time = drain(&client, rest, HashSet::new(), until, |receipt| {
        if !known.contains(&receipt.id) {
            report::receipt(receipt, None, how.json, out)?;
            told.count(receipt);
        }
        if how.ack {
            client.ack(receipt)?;
        }
        Ok(())
    })?;
    // Nothing is under way any more, unless the time ran out.
    client.close(Some(Duration::ZERO));
    drop(client);
    let left = Left::of(&file)?;
    let all: u64 = told.counts.values().sum();
    if how.json {
        let counts: serde_json::Map<_, _> =
            told.counts.iter().map(|(name, n)| ((*name).to_owned(), (*n).into())).collect();
        let told = json!({
            "v": 1, "flushed": all, "deliveries": counts, "left": left.unsent,
            "results": left.results, "dead": left.dead,
        });
        writeln!(out, "{told}")?;
    } else {
        let counts: Vec<_> = told.counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
        let of = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
        let (path, messages) = (line(&file.shown()), count(all, "message"));
        writeln!(out, "{messages}{of}; {} left in {path}{}", left.unsent, left.others())?;
    }
    Ok(match (in_time, left.unsent) {
        (false, 1..) => Exit::TimedOut,
        _ => told.exit.unwrap_or(Exit::Sent),
    })
}

struct Told {
    counts: BTreeMap<&'static str, u64>,
    exit: Option<Exit>,
}

impl Told {
    fn count(&mut self, receipt: &Receipt) {
        *self.counts.entry(receipt.delivery.name()).or_default() += 1;
        Exit::join(&mut self.exit, Exit::of(receipt));
    }
}

/// Takes results until nothing is due any more; false if the time ran out before that.
///
/// `told`: the messages whose results were taken before and not acknowledged.
pub fn drain(
    client: &Client,
    mut rest: Rest<'_>,
    mut told: HashSet<String>,
    mut until: Option<Instant>,
    mut tell: impl FnMut(&Receipt) -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    let interrupt = Interrupt::watch();
    let mut interrupted = false;
    loop {
        if interrupt.asked() && !interrupted {
            interrupted = true;
            until = Some(interrupt.last_moment(until));
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match client.wait(Some(left.map_or(PATIENCE, |left| left.min(PATIENCE))), MOST)? {
            Waited::Results(receipts) => {
                rest.moved();
                for receipt in receipts {
                    tell(&receipt)?;
                    told.insert(receipt.id);
                }
            }
            Waited::Nothing => {
                let to_come = |row: &hongyan::OutboxRow| {
                    row.state == OutboxState::Done && !told.contains(&row.id)
                };
                if rest.is_over(to_come)? {
                    return Ok(true);
                }
                if left.is_some_and(|left| left.is_zero()) {
                    return Ok(false);
                }
            }
        }
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(false);
        }
    }
}

/// The messages that have their result already.
fn results(file: &OutboxFile) -> anyhow::Result<HashSet<String>> {
    let mut known = HashSet::new();
    if file.exists() {
        outbox::each(file, |row| {
            if row.state == OutboxState::Done {
                known.insert(row.id);
            }
            Ok(true)
        })?;
    }
    Ok(known)
}
