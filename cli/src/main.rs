//! The `hongyan` command: sends messages, checks configurations, plays the services locally.

#![deny(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro, clippy::unwrap_used)]

mod args;
mod batch;
mod check;
mod config;
mod demo;
mod exit;
mod generate;
mod message;
mod output;
mod report;
mod samples;
mod sandbox;
mod send;
mod services;
mod table;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::{Exit, Usage};
use crate::output::{Output, diagnose};

fn main() -> ExitCode {
    if sandbox::sweeping() {
        return ExitCode::SUCCESS;
    }
    let cli = Cli::parse();
    let mut out = Output::default();
    let ended = run(&cli, &mut out).and_then(|exit| {
        out.flush()?;
        Ok(exit)
    });
    let exit = ended.unwrap_or_else(|error| {
        diagnose(&format!("hongyan: {error:#}"));
        if error.is::<Usage>() { Exit::Usage } else { Exit::Failed }
    });
    exit.into()
}

fn run(cli: &Cli, out: &mut Output) -> anyhow::Result<Exit> {
    let config = cli.config.as_deref();
    match &cli.command {
        Command::Send(args) => send::run(args, config, cli.json, out),
        Command::Check => check::run(config, cli.json, out),
        Command::Services => services::run(cli.json, out),
        Command::Sandbox(args) => sandbox::run(args, cli.json, out),
        Command::Demo => demo::run(cli.json, out),
        Command::Completions { shell } => generate::completions(*shell, out),
        Command::Man { command } => generate::man(command.as_deref(), out),
    }
}
