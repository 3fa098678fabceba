//! `hongyan send`: one message, or one a line.

use std::io::Write;
use std::path::Path;

use hongyan::{Client, Error, ErrorCode, Message, Preview};
use serde_json::{Map, Value, json};

use crate::args::SendArgs;
use crate::batch;
use crate::config::Config;
use crate::exit::{Exit, Usage};
use crate::message::Messages;
use crate::output::Output;
use crate::report;

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
    let client = Config::load(config)?.client()?;
    match Messages::read(args)? {
        Messages::Lines(lines) if args.dry_run => {
            batch::each(lines, |number, line| preview(&client, line, Some(number), json, out))
        }
        Messages::Lines(lines) => batch::send(&client, lines, args.timeout, json, out),
        Messages::One(message) if args.dry_run => preview(&client, &message, None, json, out),
        Messages::One(message) => {
            let receipt = client.send_json(&message, args.timeout).map_err(usage_or_not)?;
            report::receipt(&receipt, None, json, out);
            Ok(Exit::of(&receipt))
        }
    }
}

/// A message that is none is the caller's to mend; anything else is not.
fn usage_or_not(error: Error) -> anyhow::Error {
    match error.code() {
        ErrorCode::Argument => Usage::from(error).into(),
        _ => error.into(),
    }
}

fn preview(
    client: &Client,
    message: &[u8],
    line: Option<u64>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let read = std::str::from_utf8(message)
        .map_err(|_| Error::new(ErrorCode::Argument, "the message is not UTF-8"))
        .and_then(Message::from_json);
    let made = read.and_then(|message| {
        let preview = client.preview(&message)?;
        Ok((message, preview))
    });
    match made {
        Ok((message, preview)) => {
            show(&message, &preview, json, out)?;
            Ok(Exit::Sent)
        }
        Err(error) if line.is_none() && error.code() == ErrorCode::Argument => {
            Err(Usage::from(error).into())
        }
        Err(error) => {
            report::refused(&error, line, json, out)?;
            report::explain(&error, line);
            Ok(Exit::Failed)
        }
    }
}

fn show(message: &Message, preview: &Preview, json: bool, out: &mut Output) -> std::io::Result<()> {
    if json {
        let fields = preview.headers.iter();
        let headers: Map<String, Value> =
            fields.map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        let shown = json!({
            "v": 1, "dry_run": true, "account": message.account(), "method": "POST",
            "url": preview.url, "headers": headers, "body": preview.body,
        });
        return writeln!(out, "{shown}");
    }
    writeln!(out, "POST {}", preview.url)?;
    for (name, value) in &preview.headers {
        writeln!(out, "{name}: {value}")?;
    }
    writeln!(out, "\n{}", preview.body)
}
