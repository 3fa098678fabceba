//! The `hongyan` command without its process: what the binary and `python -m hongyan` both run.

#![deny(unsafe_code, missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::unwrap_used)]

mod args;
mod batch;
mod bulk;
mod check;
mod config;
mod demo;
mod exit;
mod file;
mod flush;
mod generate;
mod interrupt;
mod message;
mod outbox;
mod output;
mod queue;
mod report;
mod samples;
mod sandbox;
#[cfg(feature = "postgres")]
mod schema;
mod send;
mod services;
mod table;
mod text;
mod waits;
mod why;
mod worker;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::exit::{Exit, Usage};
use crate::output::{Output, diagnose};

/// Runs the command with these arguments, its own name not among them, and tells its exit status.
///
/// `again` is how to start this command anew: the program and the arguments that come before the
/// command's own. Empty if that is not known.
pub fn main(again: &[OsString], args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    if sandbox::sweeping(&args) {
        return Exit::Sent as u8;
    }
    let name = OsString::from("hongyan");
    let cli = match Cli::try_parse_from(std::iter::once(name).chain(args)) {
        Ok(cli) => cli,
        Err(wrong) => {
            // There is nobody to tell if that fails. Help is no failure: it has the status 0.
            let _ = wrong.print();
            return u8::try_from(wrong.exit_code()).unwrap_or(Exit::Usage as u8);
        }
    };
    let mut out = Output::default();
    if cli.json {
        out.json();
    }
    if cli.command.is_about_messages() {
        out.must_tell();
    }
    let ended = run(&cli, again, &mut out).and_then(|exit| {
        out.flush()?;
        Ok(exit)
    });
    let exit = ended.unwrap_or_else(|error| {
        diagnose(&format!("hongyan: {error:#}"));
        if error.is::<Usage>() { Exit::Usage } else { Exit::Failed }
    });
    exit as u8
}

fn run(cli: &Cli, again: &[OsString], out: &mut Output) -> anyhow::Result<Exit> {
    let config = cli.config.as_deref();
    match &cli.command {
        Command::Send(args) => send::run(args, config, cli.json, out),
        Command::Bulk(args) => bulk::run(args, config, cli.json, out),
        Command::Queue(args) => queue::run(args, config, cli.json, out),
        #[cfg(feature = "postgres")]
        Command::Outbox(args) => schema::run(args, config, cli.json, out),
        Command::Worker(args) => worker::run(args, config, cli.json, out),
        Command::Why(args) => why::run(args, config, cli.json, out),
        Command::Check(args) => check::run(args, config, cli.json, out),
        Command::Services => services::run(cli.json, out),
        Command::Sandbox(args) => sandbox::run(args, cli.json, again, out),
        Command::Demo => demo::run(cli.json, out),
        Command::Completions { shell } => generate::completions(*shell, out),
        Command::Man { all: Some(folder), .. } => generate::all_pages(folder),
        Command::Man { command, all: None } => generate::man(command, out),
    }
}
