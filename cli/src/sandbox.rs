//! `hongyan sandbox`: the services, played on this machine.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use hongyan_sandbox::{Options, Sandbox, Tls, mail_url};
use serde_json::json;

use crate::args::SandboxArgs;
use crate::exit::Exit;
use crate::output::{Output, diagnose};

/// What makes this program a sweeper, before the file that it is to remove.
const SWEEP: &str = "--remove-once-stdin-ends";

/// Plays the services until the process is ended, or prints what a client has to know.
pub fn run(
    args: &SandboxArgs,
    json: bool,
    again: &[OsString],
    out: &mut Output,
) -> anyhow::Result<Exit> {
    // Such a configuration holds for one run: that run has to go on.
    let must_run = args.tls || args.port == 0;
    if args.print_config && !must_run {
        let url = format!("http://127.0.0.1:{}", args.port);
        let config = match args.service {
            Some(service) => hongyan_sandbox::root_config(&url, None, service),
            None => hongyan_sandbox::config(&url, None),
        };
        writeln!(out, "{config:#}")?;
        return Ok(Exit::Sent);
    }
    let tls = if args.tls { Tls::Good } else { Tls::Off };
    let sandbox = Sandbox::start(Options { port: args.port, tls, root: args.service })
        .with_context(|| format!("cannot listen on port {} of this machine", args.port))?;
    let _sweeper = sandbox.ca_path().and_then(|ca_file| sweep_after(ca_file, again));
    let url = sandbox.url();
    if args.print_config {
        writeln!(out, "{:#}", sandbox.config())?;
        diagnose(&format!("the sandbox is at {url}; Ctrl-C ends it"));
    } else if json {
        let ca_file = sandbox.ca_path().map(|path| path.display().to_string());
        let mail = mail_url(&url);
        writeln!(out, "{}", json!({"v": 1, "url": url, "mail": mail, "ca_file": ca_file}))?;
    } else {
        introduce(&sandbox, args, out)?;
    }
    out.flush()?;
    sandbox.wait();
    anyhow::bail!("the sandbox has stopped serving")
}

fn introduce(sandbox: &Sandbox, args: &SandboxArgs, out: &mut Output) -> io::Result<()> {
    let url = sandbox.url();
    let page = if args.service.is_some() { "/_/" } else { "" };
    writeln!(
        out,
        "The sandbox is at {url}, with a page at {url}{page} that shows what it took; Ctrl-C ends it."
    )?;
    writeln!(out, "Mail goes to {}.", mail_url(&url))?;
    match sandbox.ca_path() {
        Some(ca_file) => writeln!(out, "Its certificate for \"ca_file\": {}", ca_file.display())?,
        None if args.port != 0 && args.service.is_none() => {
            let port =
                if args.port == 8025 { String::new() } else { format!(" --port {}", args.port) };
            let command = format!("hongyan sandbox{port} --print-config > hongyan.json");
            writeln!(out, "A configuration for it: {command}")?;
            return writeln!(
                out,
                "A first message: hongyan send -a fanfou-basic --to user=lisztli \"hello\""
            );
        }
        None => {}
    }
    writeln!(out, "A configuration for it, with \"v\" and \"accounts\":")?;
    writeln!(out, "{:#}", sandbox.config())
}

/// Has the certificate's folder removed once this process is gone, however it ends.
///
/// Ctrl-C ends a process without a word to it, and the certificate must not stay behind. So a
/// second process waits for its stdin to end, which happens when we do. It is out of the way of
/// the terminal's Ctrl-C.
fn sweep_after(ca_file: &Path, again: &[OsString]) -> Option<Child> {
    let program = again.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound));
    let started = program.and_then(|(program, before)| {
        let mut command = Command::new(program);
        command.args(before).arg(SWEEP).arg(ca_file).stdin(Stdio::piped()).stdout(Stdio::null());
        away_from_the_terminal(&mut command);
        command.spawn()
    });
    match started {
        Ok(child) => Some(child),
        Err(error) => {
            diagnose(&format!(
                "hongyan: {} will have to be removed by hand: {error}",
                ca_file.display()
            ));
            None
        }
    }
}

#[cfg(unix)]
fn away_from_the_terminal(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(windows)]
fn away_from_the_terminal(command: &mut Command) {
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    std::os::windows::process::CommandExt::creation_flags(command, CREATE_NEW_PROCESS_GROUP);
}

#[cfg(not(any(unix, windows)))]
fn away_from_the_terminal(_: &mut Command) {}

/// True if these are the arguments of a sweeper, which has now done its work.
pub fn sweeping(args: &[OsString]) -> bool {
    let [first, file, ..] = args else { return false };
    if first != SWEEP {
        return false;
    }
    let file = PathBuf::from(file);
    // Nothing is ever written: this returns when the other end is gone.
    let _ = io::stdin().read(&mut [0]);
    // The sandbox may have tidied up itself.
    let _ = fs::remove_file(&file);
    if let Some(folder) = file.parent() {
        // Fails where somebody put more into it.
        let _ = fs::remove_dir(folder);
    }
    true
}
