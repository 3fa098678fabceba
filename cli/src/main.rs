//! The `hongyan` command: sends messages, checks configurations, plays the services locally.

#![deny(unsafe_code)]

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let again = env::current_exe().map(|program| vec![program.into_os_string()]);
    ExitCode::from(hongyan_cli::main(&again.unwrap_or_default(), env::args_os().skip(1)))
}
