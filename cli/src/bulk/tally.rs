//! What became of all the messages together.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use hongyan::{Delivery, Error, Receipt};
use serde_json::json;

use super::report::Known;
use crate::exit::Exit;
use crate::output::{Output, count, diagnose, line};
use crate::table::Table;

/// How many lines of one kind of failure are named.
const NAMED: usize = 10;

/// Counts, and the failures by their kind.
pub struct Tally {
    start: Instant,
    sent: u64,
    maybe_sent: u64,
    partly_sent: u64,
    not_sent: u64,
    /// Those that an earlier run has told of already.
    earlier: u64,
    /// Those that an earlier message of their key had the result of.
    repeated: u64,
    /// Those that wait for their time in the outbox.
    pub waiting: u64,
    /// Those that were not begun when the run was interrupted.
    pub unread: u64,
    failures: BTreeMap<(&'static str, String), Failures>,
    exit: Option<Exit>,
}

#[derive(Default)]
struct Failures {
    count: u64,
    lines: Vec<u64>,
    words: String,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            start: Instant::now(),
            sent: 0,
            maybe_sent: 0,
            partly_sent: 0,
            not_sent: 0,
            earlier: 0,
            repeated: 0,
            waiting: 0,
            unread: 0,
            failures: BTreeMap::new(),
            exit: None,
        }
    }
}

impl Tally {
    /// A message has its result.
    pub fn receipt(&mut self, line: u64, column: Option<&str>, receipt: &Receipt) {
        self.repeated += u64::from(receipt.deduplicated);
        let error = receipt.error.as_ref();
        let error = error.map(|error| (error.code().name(), words(column, error)));
        let error = error.as_ref().map(|(name, words)| (*name, &words[..]));
        self.add(line, receipt.delivery, error, Exit::of(receipt));
    }

    /// A message was not accepted.
    pub fn refused(&mut self, line: u64, column: Option<&str>, error: &Error) {
        let words = words(column, error);
        let exit = Exit::of_error(error);
        self.add(line, Delivery::NotSent, Some((error.code().name(), &words)), exit);
    }

    /// An earlier run told of it.
    pub fn known(&mut self, line: u64, known: &Known) {
        self.earlier += 1;
        let error = known.error.as_ref().map(|(name, words)| (&name[..], &words[..]));
        self.add(line, known.delivery, error, Exit::of_delivery(known.delivery, known.timed_out));
    }

    fn add(&mut self, line: u64, delivery: Delivery, error: Option<(&str, &str)>, exit: Exit) {
        Exit::join(&mut self.exit, exit);
        let count = match delivery {
            Delivery::Sent => &mut self.sent,
            Delivery::MaybeSent => &mut self.maybe_sent,
            Delivery::PartlySent => &mut self.partly_sent,
            Delivery::NotSent => &mut self.not_sent,
        };
        *count += 1;
        if let Some((name, words)) = error {
            let failures = self.failures.entry((delivery.name(), name.to_owned())).or_default();
            failures.count += 1;
            if failures.lines.len() < NAMED {
                failures.lines.push(line);
            }
            if failures.words.is_empty() {
                words.clone_into(&mut failures.words);
            }
        }
    }

    /// What all of them say together.
    pub fn exit(&self) -> Option<Exit> {
        let mut exit = self.exit;
        if self.waiting > 0 {
            Exit::join(&mut exit, Exit::Queued);
        }
        if self.unread > 0 {
            Exit::join(&mut exit, Exit::Failed);
        }
        exit
    }

    /// Tells it.
    pub fn write(&self, file: &Path, json: bool, out: &mut Output) -> anyhow::Result<()> {
        let elapsed = self.start.elapsed();
        let all = self.sent
            + self.maybe_sent
            + self.partly_sent
            + self.not_sent
            + self.waiting
            + self.unread;
        if json {
            let failures = self.failures.iter().map(|((delivery, name), failures)| {
                json!({
                    "delivery": delivery, "name": name, "count": failures.count,
                    "lines": failures.lines, "message": failures.words,
                })
            });
            let told = json!({
                "v": 1, "messages": all, "sent": self.sent, "maybe_sent": self.maybe_sent,
                "partly_sent": self.partly_sent,
                "not_sent": self.not_sent, "queued": self.waiting, "not_begun": self.unread, "earlier": self.earlier,
                "deduplicated": self.repeated,
                "elapsed_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                "failures": failures.collect::<Vec<_>>(),
            });
            writeln!(out, "{told}")?;
            return Ok(());
        }
        let counts = [
            (self.sent, "sent"),
            (self.maybe_sent, "maybe sent"),
            (self.partly_sent, "partly sent"),
            (self.not_sent, "not sent"),
            (self.waiting, "queued"),
            (self.unread, "not begun"),
        ];
        let counts: Vec<_> =
            counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let rate = (all - self.earlier - self.waiting - self.unread) as f64
            / elapsed.as_secs_f64().max(0.001);
        let name = line(&file.display().to_string());
        let seconds = elapsed.as_secs_f64();
        writeln!(
            out,
            "{name}: {}: {}; {seconds:.1} s, {rate:.0} a second",
            count(all, "message"),
            counts.join(", ")
        )?;
        if self.earlier > 0 {
            writeln!(out, "{} of them by an earlier run", self.earlier)?;
        }
        if self.repeated > 0 {
            writeln!(out, "{} of them were sent before, and not again", self.repeated)?;
        }
        if self.failures.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(&["DELIVERY", "NAME", "COUNT", "LINES", "WHAT"]);
        for ((delivery, name), failures) in &self.failures {
            let mut lines: Vec<_> = failures.lines.iter().map(u64::to_string).collect();
            if failures.count > NAMED as u64 {
                lines.push("…".to_owned());
            }
            let (count, lines) = (failures.count.to_string(), lines.join(", "));
            table.row([delivery, name, &count, &lines, &failures.words]);
        }
        table.write(out)?;
        if self.maybe_sent > 0 {
            diagnose("hongyan: to send again what may have arrived may deliver it twice");
        }
        if self.partly_sent > 0 {
            diagnose(
                "hongyan: of what was partly sent only the rest may be sent again: the report names it, \
                 in \"recipients\" and \"pieces\"",
            );
        }
        Ok(())
    }
}

/// What is said of an error, and of which column.
fn words(column: Option<&str>, error: &Error) -> String {
    match column {
        Some(column) => format!("column {column}: {}", error.words()),
        None => error.message().to_owned(),
    }
}
