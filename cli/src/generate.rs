//! Shell completions and manual pages, made from the arguments themselves.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

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
    let page = command.iter().try_fold(pages(), |page, name| {
        let unknown = || Usage::argument(format!("there is no subcommand {name:?}"));
        page.find_subcommand(name).cloned().ok_or_else(unknown)
    })?;
    out.write_all(&written(page)?)?;
    Ok(Exit::Sent)
}

/// Writes the manual pages of all commands into a folder that is there.
pub fn all_pages(folder: &Path) -> anyhow::Result<Exit> {
    let mut left = vec![pages()];
    while let Some(page) = left.pop() {
        let path = folder.join(format!("{}.1", page.get_display_name().unwrap_or("hongyan")));
        left.extend(page.get_subcommands().cloned());
        fs::write(&path, written(page)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Exit::Sent)
}

/// The command with its subcommands, each of which has a page.
fn pages() -> clap::Command {
    let mut cli = Cli::command().disable_help_subcommand(true);
    // What is global is passed on, and the pages get their names.
    cli.build();
    cli
}

/// A page in roff.
fn written(page: clap::Command) -> std::io::Result<Vec<u8>> {
    let is_root = page.get_name() == "hongyan";
    let has_subcommands = page.has_subcommands();
    let notes = page.get_after_help().map(ToString::to_string).unwrap_or_default();
    let source = format!("hongyan {}", env!("CARGO_PKG_VERSION"));
    let page = Man::new(page).source(source).manual("hongyan manual");
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    page.render_description_section(&mut out)?;
    page.render_options_section(&mut out)?;
    if has_subcommands {
        page.render_subcommands_section(&mut out)?;
    }
    let mut more = Roff::new();
    for note in notes.split("\n\n").filter(|note| !note.is_empty()) {
        match note.strip_prefix("Exit status:") {
            Some(codes) => {
                more.control("SH", ["EXIT STATUS"]);
                for (code, meaning) in codes.lines().filter_map(|line| line.trim().split_once(' '))
                {
                    more.control("TP", []).text([bold(code)]).text([roman(meaning.trim())]);
                }
            }
            None => {
                let heading = if is_root { "FILES" } else { "NOTES" };
                more.control("SH", [heading]).text([roman(note)]);
            }
        }
    }
    more.control("SH", ["SEE ALSO"]);
    more.text(match is_root {
        true => [bold("hongyan"), roman("(3), for programs in C")],
        false => [bold("hongyan"), roman("(1)")],
    });
    more.to_writer(&mut out)?;
    Ok(out)
}
