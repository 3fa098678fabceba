//! `hongyan bulk`: the messages of a file, with progress, a report, and a way to go on.

mod column;
mod csv;
mod earlier;
mod progress;
mod report;
mod source;
mod tally;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use hongyan::{Client, Error, Origin, OutboxRow, Receipt};

use crate::args::BulkArgs;
use crate::batch::{self, Batch, IN_FLIGHT, Item};
use crate::config::Config;
use crate::exit::{Exit, Usage};
use crate::flush;
use crate::outbox::{self, PATIENCE, Rest};
use crate::output::Output;
use crate::send;
use earlier::{Before, Earlier};
use progress::Progress;
use report::Report;
use source::Source;
use tally::Tally;

/// How many messages of the file wait for their result at once where an outbox keeps them, so that
/// one account that is slow leaves the others work.
const KEPT_IN_FLIGHT: usize = 4096;

/// Sends the messages of the file.
pub fn run(
    args: &BulkArgs,
    config: Option<&Path>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let config = Config::load(config)?;
    if let Some(account) = args.account.as_deref().filter(|name| !config.accounts().contains(*name))
    {
        return Err(config.no_account(account).into());
    }
    let outbox = config.outbox(args.at.outbox.as_deref())?;
    if args.dry_run {
        let mut source = Source::open(&args.file, args.account.as_deref(), outbox.is_some())?;
        return dry_run(&config.client()?, &mut source, json, out);
    }
    if args.resume && outbox.is_none() {
        let words = "--resume needs an outbox: without one nothing tells which messages an earlier \
                     run has sent";
        let hint = "add \"outbox\": {\"path\": …} to the configuration, or name one with --outbox, \
                    for the first run too";
        return Err(Usage::from(Error::new(hongyan::ErrorCode::Argument, words).hint(hint)).into());
    }
    let source = || Source::open(&args.file, args.account.as_deref(), outbox.is_some());
    let mut earlier = match &outbox {
        Some(file) => Earlier::read(file)?,
        None => Earlier::default(),
    };
    let mut tally = Tally::default();
    let known = match &args.report {
        Some(path) if args.resume => report::read(path)?,
        _ => HashMap::new(),
    };
    let plan = plan(&mut source()?, args.resume, &known, &mut earlier, &mut tally)?;
    if plan.lines == 0 {
        return Err(batch::none());
    }
    let report = args.report.as_deref().map(|path| Report::open(path, args.resume)).transpose()?;
    let client = match &outbox {
        Some(file) => config.owner(file)?,
        None => config.client()?,
    };
    let rest = outbox.as_ref().map(|file| Rest::new(file, config.accounts()));
    let progress = Progress::new(args.progress, plan.lines, plan.skip.len() as u64);
    let resumed = plan.resumed.len();
    let mut bulk = Bulk {
        source: source()?,
        skip: plan.skip,
        resumed: plan.resumed,
        told: plan.told,
        submitting: HashMap::new(),
        pending: HashMap::new(),
        shelved: Shelved::default(),
        foreign: HashSet::new(),
        rest,
        report,
        tally,
        progress,
    };
    let window = if outbox.is_some() { KEPT_IN_FLIGHT } else { IN_FLIGHT };
    let whole = batch::run(&client, window, resumed, &mut bulk)?;
    if !whole {
        bulk.skip_rest()?;
    }
    if let Some(file) = outbox.as_ref().filter(|_| whole) {
        // What others had queued there is under way as well: to cut it would leave it in doubt.
        let rest = Rest::new(file, config.accounts());
        let taken = std::mem::take(&mut bulk.foreign);
        flush::drain(&client, rest, taken, None, |receipt| {
            bulk.receipt(&client, receipt).map(|_| ())
        })?;
    }
    client.close(Some(Duration::ZERO));
    drop(client);
    bulk.progress.end();
    if let Some(report) = &mut bulk.report {
        report.end()?;
    }
    bulk.tally.waiting = (bulk.resumed.len()
        + bulk.pending.len()
        + bulk.shelved.lines.len()
        + bulk.shelved.ids.len()) as u64;
    bulk.tally.write(&args.file, json, out)?;
    bulk.tally.exit().ok_or_else(batch::none)
}

/// Shows every request, and sends nothing.
fn dry_run(
    client: &Client,
    source: &mut Source,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let mut exit = None;
    while let Some(entry) = source.next()? {
        let encoded = entry.message.and_then(|message| send::encoded(client, &message));
        Exit::join(&mut exit, Exit::of_preview(&encoded));
        match encoded {
            Ok(preview) => send::show(&preview, json, out)?,
            Err(error) => {
                crate::report::refused(&error, Some(entry.line), json, out)?;
                crate::report::explain_at(&error, &place(entry.line, source.column(&error)));
            }
        }
    }
    exit.ok_or_else(batch::none)
}

/// A place in the file, to stand before what is said of it.
fn place(line: u64, column: Option<&str>) -> String {
    let column = column.map(|column| format!(", column {column}")).unwrap_or_default();
    format!("line {line}{column}: ")
}

/// What is to be done.
struct Plan {
    /// How many messages the file has.
    lines: u64,
    /// Those that need not be submitted.
    skip: HashSet<u64>,
    /// Those that an earlier run submitted and that have no acknowledged result, by their id.
    resumed: HashMap<String, u64>,
    /// Those whose result stands in the report, but was not acknowledged.
    told: HashSet<String>,
}

fn plan(
    source: &mut Source,
    resume: bool,
    known: &HashMap<u64, report::Known>,
    earlier: &mut Earlier,
    tally: &mut Tally,
) -> anyhow::Result<Plan> {
    let (resumed, told) = (HashMap::new(), HashSet::new());
    let mut plan = Plan { lines: 0, skip: HashSet::new(), resumed, told };
    let mut left = 0;
    while let Some(entry) = source.next()? {
        plan.lines += 1;
        let before = earlier.take(&entry);
        if !resume {
            left += u64::from(matches!(before, Some(Before::Open { .. })));
            continue;
        }
        let known = known.get(&entry.line).filter(|known| known.key == entry.key);
        match (known, before) {
            (Some(known), before) => {
                tally.known(entry.line, known);
                plan.told.extend(before.and_then(Before::open));
            }
            (None, Some(Before::Ended(known))) => tally.known(entry.line, &known),
            (None, Some(Before::Open { id })) => drop(plan.resumed.insert(id, entry.line)),
            (None, None) => continue,
        }
        plan.skip.insert(entry.line);
    }
    if left > 0 {
        let words = format!("an earlier run of this file left {left} messages in the outbox");
        let error = Error::new(hongyan::ErrorCode::Argument, words);
        return Err(Usage::from(error.hint("go on with --resume")).into());
    }
    Ok(plan)
}

/// Messages that wait for their time and are not waited for.
#[derive(Default)]
struct Shelved {
    lines: HashMap<u64, Option<String>>,
    ids: HashMap<String, u64>,
}

/// A run.
struct Bulk<'a> {
    source: Source,
    skip: HashSet<u64>,
    resumed: HashMap<String, u64>,
    told: HashSet<String>,
    /// The keys of the lines that were read and are not accepted yet.
    submitting: HashMap<u64, Option<String>>,
    /// The keys of the lines that were accepted and have no result.
    pending: HashMap<u64, Option<String>>,
    shelved: Shelved,
    /// Messages of others whose results were taken.
    foreign: HashSet<String>,
    rest: Option<Rest<'a>>,
    report: Option<Report>,
    tally: Tally,
    progress: Progress,
}

impl Bulk<'_> {
    /// Counts the lines that were not begun when the run was interrupted.
    fn skip_rest(&mut self) -> anyhow::Result<()> {
        while let Some(entry) = self.source.next()? {
            self.tally.unread += u64::from(!self.skip.contains(&entry.line));
        }
        self.tally.unread += self.submitting.len() as u64;
        Ok(())
    }

    /// Whose line a result is of, and whether it was waited for.
    fn line_of(&mut self, receipt: &Receipt) -> Option<(u64, bool)> {
        if let Some(line) = self.resumed.remove(&receipt.id) {
            return Some((line, true));
        }
        if let Some(line) = self.shelved.ids.remove(&receipt.id) {
            return Some((line, false));
        }
        // A token of an earlier run means nothing in this one, unless the key says so.
        let line = receipt.token;
        let own = |key: &Option<String>| {
            receipt.origin == Origin::ThisRun || key.is_some() && *key == receipt.key
        };
        if self.pending.get(&line).is_some_and(own) {
            self.pending.remove(&line);
            return Some((line, true));
        }
        if self.shelved.lines.get(&line).is_some_and(own) {
            self.shelved.lines.remove(&line);
            return Some((line, false));
        }
        None
    }
}

impl Batch for Bulk<'_> {
    fn next(&mut self) -> anyhow::Result<Option<Item>> {
        while let Some(entry) = self.source.next()? {
            if self.skip.contains(&entry.line) {
                continue;
            }
            self.submitting.insert(entry.line, entry.key);
            match entry.message {
                Ok(message) => return Ok(Some(Item { line: entry.line, message })),
                Err(error) => self.refused(entry.line, &error)?,
            }
        }
        Ok(None)
    }

    fn accepted(&mut self, items: &[Item]) {
        for item in items {
            let key = self.submitting.remove(&item.line).unwrap_or_default();
            self.pending.insert(item.line, key);
        }
    }

    fn receipt(&mut self, client: &Client, receipt: &Receipt) -> anyhow::Result<bool> {
        if let Some(rest) = &mut self.rest {
            rest.moved();
        }
        if self.told.remove(&receipt.id) {
            client.ack(receipt)?;
            return Ok(false);
        }
        let Some((line, waited_for)) = self.line_of(receipt) else {
            self.foreign.insert(receipt.id.clone());
            return Ok(false);
        };
        let column = receipt.error.as_ref().and_then(|error| self.source.column(error));
        self.tally.receipt(line, column, receipt);
        if let Some(report) = &mut self.report {
            report.write(&outbox::with_line(receipt, line))?;
        }
        client.ack(receipt)?;
        self.progress.one();
        Ok(waited_for)
    }

    fn refused(&mut self, line: u64, error: &Error) -> anyhow::Result<()> {
        let key = self.submitting.remove(&line).flatten();
        self.tally.refused(line, self.source.column(error), error);
        self.progress.one();
        match &mut self.report {
            Some(report) => report.write(&report::refused(line, key.as_deref(), error)),
            None => Ok(()),
        }
    }

    fn patience(&self) -> Option<Duration> {
        self.rest.as_ref().map(|_| PATIENCE)
    }

    fn is_over(&mut self) -> anyhow::Result<bool> {
        let Some(rest) = &mut self.rest else { return Ok(false) };
        let (resumed, pending) = (&self.resumed, &self.pending);
        let own = |row: &OutboxRow| {
            let submitted = || pending.get(&row.token).is_some_and(|key| *key == row.key);
            resumed.contains_key(&row.id) || row.key.is_some() && submitted()
        };
        let over = rest.is_over(own)?;
        if over {
            self.shelved.lines.extend(self.pending.drain());
            self.shelved.ids.extend(self.resumed.drain());
        }
        Ok(over)
    }
}
