//! `hongyan queue`: what waits in an outbox, what became of it, and what to do about it.

use std::io::Write;
use std::path::Path;

use hongyan::{Delivery, Error, ErrorCode, OutboxFile, OutboxRow, OutboxState};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::args::{Only, QueueArgs, QueueCommand};
use crate::config;
use crate::exit::Exit;
use crate::flush;
use crate::outbox::{self, Left};
use crate::output::{Output, count, diagnose, line, shown};
use crate::report;
use crate::table::Table;

/// Does what the arguments ask for.
pub fn run(
    args: &QueueArgs,
    config: Option<&Path>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let path = args.at.outbox.as_deref();
    if let QueueCommand::Flush { timeout, ack } = &args.command {
        return flush::run(config, path, flush::How { timeout: *timeout, ack: *ack, json }, out);
    }
    let file = config::outbox(config, path)?;
    match &args.command {
        QueueCommand::Ls { only, limit } => list(&file, only, *limit, json, out),
        QueueCommand::Export { only } => {
            out.json();
            export(&file, only, out)
        }
        QueueCommand::Show { id } => show(&file, id, json, out),
        QueueCommand::Retry { id, all_dead, force } => {
            let dead = if *all_dead { dead(&file, *force)? } else { Vec::new() };
            let ids: Vec<_> = id.iter().chain(&dead).map(String::as_str).collect();
            let retried = |ids: &[&str]| file.retry(ids);
            let against = if *force { forcible } else { retryable };
            change(&file, &ids, ("queued again", against), retried, json, out)
        }
        QueueCommand::Drop { id } => {
            let ids: Vec<_> = id.iter().map(String::as_str).collect();
            change(&file, &ids, ("dropped", droppable), |ids| file.remove(ids), json, out)
        }
        QueueCommand::Flush { .. } => Ok(Exit::Usage),
    }
}

fn is_wanted(only: &Only, row: &OutboxRow) -> bool {
    only.state.is_none_or(|state| state == row.state)
        && only.account.as_ref().is_none_or(|account| *account == row.account)
}

fn list(
    file: &OutboxFile,
    only: &Only,
    limit: usize,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let mut table = Table::new(&["ID", "STATE", "ACCOUNT", "ACCEPTED", "ATTEMPTS", "RESULT"]);
    let (mut listed, mut more) = (0, 0);
    let mut left = Left::default();
    outbox::each(file, |row| {
        if !is_wanted(only, &row) {
            return Ok(true);
        }
        left.add(&row);
        if listed == limit {
            more += 1;
            return Ok(true);
        }
        listed += 1;
        if json {
            writeln!(out, "{}", summary(&row))?;
        } else {
            let (accepted, attempts) = (outbox::time(row.accepted_ms), row.attempts.to_string());
            let state = row.state.name();
            table.row([&row.id, state, &row.account, &accepted, &attempts, &outcome(&row)]);
        }
        Ok(true)
    })?;
    match (json, listed) {
        (true, _) => {}
        (false, 0) => diagnose("hongyan: no message"),
        (false, _) => {
            table.write(out)?;
            diagnose(&format!("hongyan: {}", left.words()));
        }
    }
    if more > 0 {
        diagnose(&format!("hongyan: {more} more; --limit shows them"));
    }
    Ok(Exit::Sent)
}

fn outcome(row: &OutboxRow) -> String {
    let Some(delivery) = row.delivery else { return String::new() };
    match outbox::result(row)["error"]["name"].as_str() {
        Some(name) => format!("{} ({name})", delivery.name()),
        None => delivery.name().to_owned(),
    }
}

/// What is listed of a message: neither its text nor its recipient.
fn summary(row: &OutboxRow) -> Value {
    let result = outbox::result(row);
    json!({
        "v": 1, "id": row.id, "seq": row.seq, "state": row.state.name(), "token": row.token,
        "account": row.account, "key": row.key, "accepted_ms": row.accepted_ms,
        "due_ms": row.due_ms, "deadline_ms": row.deadline_ms, "attempts": row.attempts,
        "first_sent_ms": row.first_sent_ms,
        "borrowed": row.borrowed, "delivery": row.delivery.map(Delivery::name),
        "error": result["error"]["name"],
    })
}

/// Everything of a message, as JSON.
fn whole(row: &OutboxRow) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Whole {
        #[serde(flatten)]
        summary: Value,
        message: Option<Box<RawValue>>,
        result: Option<Box<RawValue>>,
    }
    serde_json::to_string(&Whole {
        summary: summary(row),
        message: outbox::exact(&row.message),
        result: row.receipt.as_deref().and_then(outbox::exact),
    })
}

fn export(file: &OutboxFile, only: &Only, out: &mut Output) -> anyhow::Result<Exit> {
    outbox::each(file, |row| {
        if is_wanted(only, &row) {
            writeln!(out, "{}", whole(&row)?)?;
        }
        Ok(true)
    })?;
    Ok(Exit::Sent)
}

fn show(file: &OutboxFile, id: &str, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
    let row = find(file, id)?;
    if json {
        writeln!(out, "{}", whole(&row)?)?;
        return Ok(Exit::Sent);
    }
    let facts = [
        ("id", Some(row.id.clone())),
        ("state", Some(in_words(row.state).to_owned())),
        ("account", Some(row.account.clone())),
        ("key", row.key.clone()),
        ("accepted", Some(outbox::time(row.accepted_ms))),
        ("not before", row.due_ms.map(outbox::time)),
        ("deadline", row.deadline_ms.map(outbox::time)),
        ("attempts", Some(row.attempts.to_string())),
        ("delivery", Some(outcome(&row)).filter(|outcome| !outcome.is_empty())),
    ];
    for (name, fact) in facts {
        if let Some(fact) = fact {
            writeln!(out, "{name}: {}", line(&fact))?;
        }
    }
    for (name, stored) in [("message", Some(&row.message)), ("result", row.receipt.as_ref())] {
        if let Some(stored) = stored {
            writeln!(out, "{name}: {}", shown(String::from_utf8_lossy(stored).trim()))?;
        }
    }
    Ok(Exit::Sent)
}

/// The message of this id.
pub fn find(file: &OutboxFile, id: &str) -> anyhow::Result<OutboxRow> {
    Ok(file.row(id)?.ok_or_else(|| unknown(file, id))?)
}

fn unknown(file: &OutboxFile, id: &str) -> Error {
    let words = format!("there is no message {id} in {}", file.shown());
    Error::new(ErrorCode::Argument, words)
        .hint("one that was sent goes when its result is acknowledged")
}

/// What a state means.
pub fn in_words(state: OutboxState) -> &'static str {
    match state {
        OutboxState::Queued => "queued: to be sent",
        OutboxState::Scheduled => "scheduled: waits for its time",
        OutboxState::InLine => "in_line: waits for earlier messages to its recipient",
        OutboxState::Following => "following: waits for the result of another message of its key",
        OutboxState::Begun => "begun: a request of it may have gone, and there is no result yet",
        OutboxState::Done => "done: has its result, which was not acknowledged",
        OutboxState::Dead => "dead: acknowledged, and not known to be sent",
    }
}

/// The dead letters; those that may have arrived only where that is asked for.
fn dead(file: &OutboxFile, force: bool) -> anyhow::Result<Vec<String>> {
    let (mut ids, mut doubts) = (Vec::new(), 0);
    outbox::each(file, |row| {
        if row.state == OutboxState::Dead {
            match force || row.delivery == Some(Delivery::NotSent) {
                true => ids.push(row.id),
                false => doubts += 1,
            }
        }
        Ok(true)
    })?;
    if doubts > 0 {
        let letters = count(doubts, "dead letter");
        diagnose(&format!(
            "hongyan: {letters} may have arrived, and stay; --force queues them too"
        ));
    }
    Ok(ids)
}

/// Why a message cannot be queued again without risk.
fn retryable(row: &OutboxRow) -> Option<&'static str> {
    // Of what was partly sent only the rest goes.
    let doubt = row.state.has_result() && row.delivery == Some(Delivery::MaybeSent);
    forcible(row).or(doubt.then_some(
        "it may have arrived, and would be delivered twice then; look first, then use --force",
    ))
}

/// Why a message cannot be queued again at all.
fn forcible(row: &OutboxRow) -> Option<&'static str> {
    match (row.state.has_result(), row.delivery) {
        (false, _) => Some("it has no result yet and is still on its way"),
        (true, Some(Delivery::Sent)) => Some("it was sent"),
        (true, _) => None,
    }
}

/// Why a message cannot be taken out.
fn droppable(row: &OutboxRow) -> Option<&'static str> {
    (row.state == OutboxState::Begun)
        .then_some("a request of it may have gone: only its result can tell")
}

/// Changes those messages for which there is no reason against it, and tells of each.
fn change(
    file: &OutboxFile,
    ids: &[&str],
    (done, against): (&str, fn(&OutboxRow) -> Option<&'static str>),
    make: impl Fn(&[&str]) -> hongyan::Result<Vec<hongyan::Result<()>>>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let (mut possible, mut refused) = (Vec::new(), Vec::new());
    for id in ids {
        match file.row(id)? {
            None => refused.push((*id, unknown(file, id))),
            Some(row) => match against(&row) {
                Some(why) => {
                    let words = format!("{id} cannot be {done}: {why}");
                    refused.push((*id, Error::new(ErrorCode::Argument, words)));
                }
                None if possible.contains(id) => {}
                None => possible.push(*id),
            },
        }
    }
    let answers = if possible.is_empty() { Vec::new() } else { make(&possible)? };
    let mut exit = None;
    for (id, answer) in possible.into_iter().zip(answers) {
        match answer {
            Err(error) => refused.push((id, error)),
            Ok(()) => {
                Exit::join(&mut exit, Exit::Sent);
                match json {
                    true => writeln!(out, "{}", json!({"v": 1, "id": id, "done": true}))?,
                    false => writeln!(out, "{id}: {done}")?,
                }
            }
        }
    }
    for (id, error) in refused {
        Exit::join(&mut exit, Exit::Failed);
        report::explain(&error, None);
        if json {
            let error: Value = serde_json::from_str(&error.to_json()).unwrap_or_default();
            writeln!(out, "{}", json!({"v": 1, "id": id, "done": false, "error": error}))?;
        }
    }
    if exit.is_none() && !json {
        writeln!(out, "there is no dead letter")?;
    }
    Ok(exit.unwrap_or(Exit::Sent))
}
