//! `hongyan send`: one message, or one a line.

use std::io::{BufRead, Write};
use std::path::Path;

use hongyan::{
    Client, Delivery, Error, ErrorCode, OutboxFile, OutboxPut, Preview, SendOptions, Watch,
};
use serde_json::{Value, json};

use crate::args::SendArgs;
use crate::batch::{self, Lines};
use crate::config::{Config, no_outbox};
use crate::exit::{Exit, Usage};
use crate::interrupt::{Interrupt, LOOK};
use crate::message::Messages;
use crate::output::{Output, diagnose, line, shown};
use crate::report;
use crate::waits::Waits;

/// Sends what the arguments ask for.
pub fn run(
    args: &SendArgs,
    config: Option<&Path>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let ended = send(args, config, json, out);
    if let Err(error) = &ended
        && json
        && let Some(usage) = error.downcast_ref::<Usage>()
    {
        report::refused(&usage.error, None, true, out)?;
    }
    ended
}

fn send(
    args: &SendArgs,
    config: Option<&Path>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let config = Config::load(config)?;
    if args.queue {
        let mut file = config.outbox(args.outbox.as_deref())?.ok_or_else(no_outbox)?;
        if let Some(time_out) = args.timeout {
            file = file.wait_at_most(time_out);
        }
        let client = config.client()?;
        return match Messages::read(args)? {
            Messages::Lines(lines) => enqueue_lines(&client, &file, lines, json, out),
            Messages::One(message) => {
                let mut told = client.put(&file, [(&message, 0)]).map_err(usage_or_not)?;
                match told.pop().unwrap_or_else(|| Err(lost())) {
                    Err(error) if error.code() == ErrorCode::Argument => {
                        Err(Usage::from(error).into())
                    }
                    told => enqueued(told, None, json, out),
                }
            }
        };
    }
    let client = config.sender()?;
    match Messages::read(args)? {
        Messages::Lines(lines) if args.dry_run => {
            batch::each(lines, |number, line| preview(&client, line, Some(number), json, out))
        }
        Messages::Lines(lines) => batch::send(&client, lines, args.timeout, json, out),
        Messages::One(message) if args.dry_run => preview(&client, &message, None, json, out),
        Messages::One(message) => {
            let interrupt = Interrupt::watch();
            let mut waits = Waits::begin(args.timeout);
            let mut had_enough = || {
                waits.tell(&client);
                interrupt.asked()
            };
            let watch = Some(Watch { every: LOOK, had_enough: &mut had_enough });
            match client.send(&message, SendOptions { time_out: args.timeout, watch }) {
                Ok(receipt) => {
                    report::receipt(&receipt, None, json, out)?;
                    Ok(Exit::of(&receipt))
                }
                Err(error) if error.code() == ErrorCode::Argument => Err(Usage::from(error).into()),
                Err(error) => {
                    report::refused(&error, None, json, out)?;
                    report::explain(&error, None);
                    Ok(Exit::Failed)
                }
            }
        }
    }
}

/// Puts messages into an outbox, many in one transaction.
fn enqueue_lines(
    client: &Client,
    file: &OutboxFile,
    lines: Box<dyn BufRead>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let (mut lines, mut exit) = (Lines::new(lines), None);
    loop {
        let mut some = Vec::new();
        while some.len() < batch::IN_FLIGHT
            && let Some(line) = lines.next()?
        {
            some.push(line);
        }
        if some.is_empty() {
            return exit.ok_or_else(batch::none);
        }
        let many: Vec<_> = some.iter().map(|(number, line)| (&line[..], *number)).collect();
        for ((number, _), told) in some.iter().zip(client.put(file, many)?) {
            Exit::join(&mut exit, enqueued(told, Some(*number), json, out)?);
        }
    }
}

/// Tells that a message is queued, or why not.
fn enqueued(
    told: hongyan::Result<OutboxPut>,
    line: Option<u64>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let put = match told {
        Ok(put) => put,
        Err(error) => {
            report::refused(&error, line, json, out)?;
            report::explain(&error, line);
            return Ok(Exit::of_error(&error));
        }
    };
    if json {
        let known = put.known.map(Delivery::name);
        let mut told = json!({"v": 1, "id": put.id, "queued": known.is_none(), "known": known});
        if let Some(line) = line {
            told["token"] = line.into();
        }
        writeln!(out, "{told}")?;
    } else {
        writeln!(out, "{}", put.id)?;
    }
    if let Some(known) = put.known {
        let words = format!("an earlier message of its key is {}: nothing is queued", known.name());
        diagnose(&format!("hongyan: {}: {words}", put.id));
    }
    Ok(put.known.map_or(Exit::Queued, |known| Exit::of_delivery(known, false)))
}

fn lost() -> Error {
    Error::new(ErrorCode::Internal, "the outbox told nothing of the message")
}

/// A message that is none is the caller's to mend; anything else is not.
fn usage_or_not(error: Error) -> anyhow::Error {
    match error.code() {
        ErrorCode::Argument => Usage::from(error).into(),
        _ => error.into(),
    }
}

/// Shows the request of a message instead of sending it.
fn preview(
    client: &Client,
    message: &[u8],
    line: Option<u64>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    match encoded(client, message) {
        Ok(preview) => {
            show(&preview, json, out)?;
            Ok(Exit::Sent)
        }
        Err(error) if line.is_none() && error.code() == ErrorCode::Argument => {
            Err(Usage::from(error).into())
        }
        Err(error) => {
            report::refused(&error, line, json, out)?;
            report::explain(&error, line);
            Ok(Exit::of_error(&error))
        }
    }
}

/// The request that a message would become.
pub fn encoded(client: &Client, message: &[u8]) -> Result<Preview, Error> {
    let text = std::str::from_utf8(message)
        .map_err(|_| Error::new(ErrorCode::Argument, "the message is not UTF-8"))?;
    client.preview(text)
}

/// Shows the request of a message.
pub fn show(preview: &Preview, json: bool, out: &mut Output) -> std::io::Result<()> {
    if !json {
        return show_preview(preview, out);
    }
    let mut shown = json!({"v": 1, "dry_run": true});
    if let (Value::Object(shown), Value::Object(preview)) = (&mut shown, preview_json(preview)) {
        shown.extend(preview);
    }
    writeln!(out, "{shown}")
}

/// A request as JSON.
pub fn preview_json(preview: &Preview) -> Value {
    serde_json::from_str(&preview.to_json()).unwrap_or_default()
}

/// Prints a request.
pub fn show_preview(preview: &Preview, out: &mut Output) -> std::io::Result<()> {
    writeln!(out, "{} {}", preview.method, preview.url)?;
    for (name, value) in &preview.headers {
        writeln!(out, "{name}: {value}")?;
    }
    writeln!(out, "\n{}", shown(&preview.body))?;
    for (i, file) in preview.files.iter().enumerate() {
        let size = file.size.map_or("fetched by the service".to_owned(), |n| format!("{n} bytes"));
        writeln!(out, "file {}: {}, {}, {size}", i + 1, line(&file.name), line(&file.media_type))?;
    }
    Ok(())
}
