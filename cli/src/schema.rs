//! `hongyan outbox init`: makes a database ready for an outbox.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use crate::args::{OutboxArgs, OutboxCommand};
use crate::config::{Config, no_outbox};
use crate::exit::Exit;
use crate::output::{Output, diagnose, line};

/// Does what the arguments ask for.
pub fn run(
    args: &OutboxArgs,
    config: Option<&Path>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let OutboxCommand::Init { print } = args.command;
    let config = Config::load(config)?;
    let outbox = match print {
        true => config.outbox_without_login()?,
        false => config.outbox(None)?,
    };
    let outbox = outbox.ok_or_else(no_outbox)?;
    let Some(sql) = outbox.schema_sql() else {
        diagnose(
            "hongyan: an outbox in a file is made when it is opened first: there is nothing to do",
        );
        return Ok(Exit::Sent);
    };
    if print {
        // As it stands, with --json too: it is for a program that reads SQL.
        write!(out, "{sql}")?;
        return Ok(Exit::Sent);
    }
    outbox.make_schema()?;
    if json {
        writeln!(out, "{}", json!({"v": 1, "outbox": outbox.shown(), "ready": true}))?;
    } else {
        writeln!(out, "{} is ready", line(&outbox.shown()))?;
    }
    Ok(Exit::Sent)
}
