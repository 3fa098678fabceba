//! The arguments, as clap reads them.

mod outbox;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub use outbox::{BulkArgs, Only, QueueArgs, QueueCommand, When, WhyArgs};
#[cfg(feature = "postgres")]
pub use outbox::{OutboxArgs, OutboxCommand};

const EXIT_STATUS: &str = "\
Exit status:
  0  sent (or: done, nothing wrong)
  1  failed
  2  usage: wrong arguments, input or configuration
  4  some of several messages failed
  5  timed out, and not sent
  6  queued in the outbox, not sent yet
  7  maybe sent: nobody can know, and sending again may deliver twice

Configuration, where --config does not name it: $HONGYAN_CONFIG (a path, or the JSON itself), \
./hongyan.toml, ./hongyan.json, then hongyan/config.toml in $XDG_CONFIG_HOME (by default ~/.config; \
on Windows in %APPDATA%).";

/// Sends messages through many chat services and tells the truth about each of them.
#[derive(Debug, Parser)]
#[command(name = "hongyan", version, after_help = EXIT_STATUS)]
pub struct Cli {
    /// The configuration file, in JSON or TOML; "-" reads standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON instead of words
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send a message and say what became of it
    Send(Box<SendArgs>),
    /// Send the messages of a file, with progress and a report of failures
    Bulk(BulkArgs),
    /// Look at the messages of an outbox, and do something about them
    Queue(QueueArgs),
    #[cfg(feature = "postgres")]
    /// Make a database ready for an outbox
    Outbox(OutboxArgs),
    /// Send what an outbox holds, until SIGTERM
    Worker(WorkerArgs),
    /// Explain what became of a message of the outbox, and whether it is safe to send again
    Why(WhyArgs),
    /// Check the configuration in words; nothing is sent
    Check(CheckArgs),
    /// List the services and what they can carry
    Services,
    /// Play the services on this machine, for trying things out
    Sandbox(SandboxArgs),
    /// Send through every service, to a sandbox of its own, and show what became of it
    Demo,
    /// Print completions for a shell
    Completions {
        /// The shell to complete in
        shell: Shell,
    },
    /// Print the manual page in roff
    Man {
        /// The subcommand whose page to print instead, such as "queue ls"
        command: Vec<String>,
        /// Write all pages into this folder instead
        #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
        all: Option<PathBuf>,
    },
}

impl Command {
    /// True if its exit status says what became of messages, and not whether that could be printed.
    pub fn is_about_messages(&self) -> bool {
        match self {
            Command::Send(args) => !args.dry_run,
            Command::Bulk(args) => !args.dry_run,
            Command::Queue(args) => args.command.changes(),
            Command::Demo => true,
            _ => false,
        }
    }
}

#[derive(Args, Debug)]
pub struct SendArgs {
    /// The account to send from, by its name in the configuration, as --account gives it; where an
    /// account is given already, a file to send along, as --attach gives it
    #[arg(short = 'a', value_name = "NAME|FILE")]
    account_or_file: Vec<String>,
    /// The account to send from, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// A file to send along, or a URL that the service fetches it from; repeatable
    #[arg(long, value_name = "FILE")]
    attach: Vec<String>,
    /// A recipient, such as user=lisztli; repeatable for the kinds that take several
    #[arg(long, value_name = "KIND=VALUE", value_parser = recipient)]
    pub to: Vec<(String, String)>,
    /// The text; read from standard input where it is "-", or neither it nor a part is given
    pub text: Option<String>,
    /// A part of a message that is more than text, as JSON; repeatable
    #[arg(long, value_name = "JSON", conflicts_with = "text")]
    pub part: Vec<String>,
    /// The id of the message that this one answers
    #[arg(long, value_name = "ID")]
    pub reply_to: Option<String>,
    /// An idempotency key: messages with one key are one message, over all runs that share an outbox
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Parameters of the service under its own names, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub extra: Option<String>,
    /// Send a whole message from a JSON file, or several from a file with one a line (.jsonl);
    /// "-" reads standard input
    #[arg(
        short, long, value_name = "FILE",
        conflicts_with_all = [
            "account_or_file", "account", "attach", "to", "text", "part", "reply_to", "key", "extra",
        ],
    )]
    pub message: Option<PathBuf>,
    /// How long to try, retries included; of several messages each has that time. With --queue: how
    /// long to wait for the outbox, which is otherwise 10 s where others change it too, and no time
    /// where a client sends from it
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// Print the request with its secrets masked, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Only put it into the outbox, for "hongyan queue flush" or another program with this outbox
    /// to send; prints its id
    #[arg(long, conflicts_with = "dry_run")]
    pub queue: bool,
    /// With --queue: the outbox file; by default that of the configuration
    #[arg(long, value_name = "PATH", requires = "queue")]
    pub outbox: Option<PathBuf>,
}

impl SendArgs {
    /// The account to send from.
    pub fn account(&self) -> Option<&str> {
        self.account.as_ref().or(self.account_or_file.first()).map(String::as_str)
    }

    /// The files to send along.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let account = usize::from(self.account.is_none());
        let short = self.account_or_file.iter().skip(account);
        short.chain(&self.attach).map(String::as_str)
    }
}

#[derive(Args, Debug)]
pub struct WorkerArgs {
    /// Answer /healthz, /readyz and /metrics (Prometheus) over HTTP at this address; port 0 takes a free
    /// one, which is told
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = "127.0.0.1:9100")]
    pub health: Option<std::net::SocketAddr>,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Ask the services, too, whether the credentials work, where they can be asked without sending
    #[arg(long)]
    pub live: bool,
    /// How long to try for each account, retries included
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30", requires = "live")]
    pub timeout: Duration,
}

#[derive(Args, Debug)]
pub struct SandboxArgs {
    /// The port to listen on, on this machine only; 0 takes a free one
    #[arg(long, default_value_t = 8025)]
    pub port: u16,
    /// Serve https, with a certificate made for this run
    #[arg(long)]
    pub tls: bool,
    /// Serve this service alone, at the root of the port, for a client that takes no path before its own
    #[arg(long, value_name = "NAME", value_parser = known_service)]
    pub service: Option<&'static str>,
    /// Print a configuration for this sandbox; where it holds for one run only (--tls, --port 0)
    /// the sandbox then runs
    #[arg(long)]
    pub print_config: bool,
}

fn known_service(text: &str) -> Result<&'static str, String> {
    let known = hongyan_sandbox::services();
    let found = known.iter().find(|name| **name == text).copied();
    found.ok_or_else(|| format!("the sandbox plays {}", known.join(", ")))
}

fn recipient(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((kind, value)) if !kind.is_empty() => Ok((kind.to_owned(), value.to_owned())),
        _ => Err("a recipient is KIND=VALUE, such as user=lisztli".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_recipient_may_hold_an_equals_sign() {
        assert_eq!(recipient("user=a=b"), Ok(("user".to_owned(), "a=b".to_owned())));
        assert!(recipient("=a").is_err() && recipient("user").is_err());
    }

    #[test]
    fn seconds_may_be_broken_but_not_negative() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for wrong in ["-1", "NaN", "inf", "1e300", "soon"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
