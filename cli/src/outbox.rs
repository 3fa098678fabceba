//! Reading an outbox file, and telling when nothing more will come of it.

use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime};

use hongyan::{OutboxFile, OutboxRow, OutboxState, Receipt};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::output::count;

/// How many rows are read at once.
const PAGE: usize = 512;

/// How long nothing may happen before the file is looked at.
pub const PATIENCE: Duration = Duration::from_millis(200);

/// The longest pause between two such looks, which read the whole file.
const LONGEST: Duration = Duration::from_secs(5);

/// Does something with each row, oldest first, until it answers false.
pub fn each(
    file: &OutboxFile,
    mut act: impl FnMut(OutboxRow) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let rows = file.rows(after, PAGE)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.seq;
        for row in rows {
            if !act(row)? {
                return Ok(());
            }
        }
    }
}

/// What is known of an outbox whose owner sends what is due.
pub struct Rest<'a> {
    file: &'a OutboxFile,
    /// Whose messages can be sent.
    accounts: HashSet<String>,
    next_look: Option<Instant>,
    pause: Duration,
}

impl<'a> Rest<'a> {
    /// Nothing is known yet.
    pub fn new(file: &'a OutboxFile, accounts: HashSet<String>) -> Rest<'a> {
        Rest { file, accounts, next_look: None, pause: PATIENCE }
    }

    /// True if the message may have a result soon.
    pub fn is_due(&self, row: &OutboxRow) -> bool {
        match row.state {
            OutboxState::Begun => true,
            OutboxState::Queued => self.accounts.contains(&row.account),
            OutboxState::Scheduled => row.due_ms.is_some_and(|due| due <= unix_ms() + 1000),
            _ => false,
        }
    }

    /// True if no message is due, and none of those that are waited for has a result to come.
    ///
    /// A look that comes too soon after another is not taken: false.
    pub fn is_over(&mut self, waited_for: impl Fn(&OutboxRow) -> bool) -> anyhow::Result<bool> {
        if self.next_look.is_some_and(|at| Instant::now() < at) {
            return Ok(false);
        }
        let mut over = true;
        each(self.file, |row| {
            over &= !(self.is_due(&row) || row.state.has_result() && waited_for(&row));
            Ok(over)
        })?;
        self.pause = (self.pause * 2).min(LONGEST);
        self.next_look = Some(Instant::now() + self.pause);
        Ok(over)
    }

    /// Something happened.
    pub fn moved(&mut self) {
        (self.next_look, self.pause) = (None, PATIENCE);
    }
}

/// What is left in an outbox: "queue ls" and "queue flush" tell of it alike.
#[derive(Default)]
pub struct Left {
    /// Messages without a result.
    pub unsent: u64,
    /// Messages whose result was not acknowledged.
    pub results: u64,
    /// Dead letters.
    pub dead: u64,
}

impl Left {
    /// Counts one.
    pub fn add(&mut self, row: &OutboxRow) {
        *match row.state {
            OutboxState::Done => &mut self.results,
            OutboxState::Dead => &mut self.dead,
            _ => &mut self.unsent,
        } += 1;
    }

    /// Everything that stands in the file.
    pub fn of(file: &OutboxFile) -> anyhow::Result<Left> {
        let mut left = Left::default();
        each(file, |row| {
            left.add(&row);
            Ok(true)
        })?;
        Ok(left)
    }

    /// In words: "1 left to be sent, 2 results not acknowledged".
    pub fn words(&self) -> String {
        format!("{} left to be sent{}", self.unsent, self.others())
    }

    /// What else there is: ", 2 results not acknowledged".
    pub fn others(&self) -> String {
        let mut words = String::new();
        if self.results > 0 {
            words.push_str(&format!(", {} not acknowledged", count(self.results, "result")));
        }
        if self.dead > 0 {
            words.push_str(&format!(", {}", count(self.dead, "dead letter")));
        }
        words
    }
}

/// The time in Unix milliseconds.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A time for people, in UTC.
pub fn time(unix_ms: u64) -> String {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(unix_ms));
    // What stands in a file may be any number; a time of five-digit years has no such form.
    let shown = time.filter(|_| unix_ms < 253_402_300_800_000);
    shown.map_or_else(
        || format!("{unix_ms} ms"),
        |t| humantime::format_rfc3339_millis(t).to_string(),
    )
}

/// The result of a message, to look into it; null where there is none.
pub fn result(row: &OutboxRow) -> Value {
    let stored = row.receipt.as_deref().map(serde_json::from_slice::<Value>);
    stored.and_then(Result::ok).unwrap_or_default()
}

/// JSON as it stands in the file, every digit of it; none where that is no JSON.
pub fn exact(stored: &[u8]) -> Option<Box<RawValue>> {
    serde_json::from_slice(stored).ok()
}

/// The receipt as JSON, with the number of its line in front.
pub fn with_line(receipt: &Receipt, line: u64) -> String {
    let json = receipt.to_json();
    format!("{{\"line\":{line},{}", json.strip_prefix('{').unwrap_or(&json))
}
