//! Shell completions and manual pages, made from the arguments themselves.

use std::io::Write;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Cli;
use crate::exit::{Exit, Usage};
use crate::output::Output;

/// Prints the completions for a shell.
pub fn completions(shell: Shell, out: &mut Output) -> anyhow::Result<Exit> {
    // The generator panics where it cannot write, which a buffer never does.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hongyan", &mut script);
    out.write_all(&script)?;
    Ok(Exit::Sent)
}

/// Prints the manual page, or that of a subcommand, which may be one of another.
pub fn man(command: &[String], out: &mut Output) -> anyhow::Result<Exit> {
    let mut cli = Cli::command();
    // What is global is passed on, and the pages get their names.
    cli.build();
    let page = command.iter().try_fold(cli, |page, name| {
        let unknown = || Usage::argument(format!("there is no subcommand {name:?}"));
        page.find_subcommand(name).cloned().ok_or_else(unknown)
    })?;
    let source = format!("hongyan {}", env!("CARGO_PKG_VERSION"));
    Man::new(page).source(source).manual("hongyan manual").render(out)?;
    Ok(Exit::Sent)
}
