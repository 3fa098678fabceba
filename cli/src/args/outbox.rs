//! The arguments of what works with an outbox: queue, why and bulk.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hongyan::OutboxState;

use super::seconds;

const COLUMNS: &str = "\
A .jsonl file holds one message a line, as in \"send --message\"; \"v\" may be left out, and so may
\"account\" with --account.

A .csv file begins with a row that names its columns, separated by \",\", \";\" or tabs as its cells
are; an empty cell leaves its field out. A text with that separator, a quote or a line end in it
stands in quotes, each quote within it twice; a file in which that is broken is refused with the
line, and nothing of it is sent. Files are UTF-8, or UTF-16:
  account                     the account; not needed with --account
  to.user, to.name, to.group, to.topic
                              one recipient
  to.users, to.groups, to.discussions, to.members
                              several, separated by \";\"
  text                        the text
  parts                       instead of a text: a JSON array of parts
  attachments                 files to send along: paths, or URLs that the service fetches them
                              from, separated by \";\"; or a JSON array as in a message
  key                         an idempotency key
  deadline                    how many seconds it may take; also deadline_ms
  not_before                  a time with its zone, such as 2026-10-01T08:00:00+08:00, or Unix
                              seconds; also not_before_ms
  title, format, silent, priority, thread, overflow, reply_to, ordered
                              as in a message
  extra                       parameters of the service, a JSON object
  extra.NAME                  one such parameter, as a string

With an outbox every message is durable before it is sent, and its result is kept until it stands in
the report. A line without a key gets one, made of the file's path, the number of the line and what
is in it: if the run breaks off, \"hongyan bulk --resume\" with the same arguments goes on and sends
nothing twice, for as long as the outbox remembers keys (\"key_days\"), or with --report without end.
For the same reason a line that was sent once is not sent again by a later run: give it a key of its
own, or another file, if it shall be.

Exit status: as of \"hongyan send\" with several messages; 6 where all that is left waits for its time
in the outbox.";

/// Where the outbox is.
#[derive(Args, Debug)]
pub struct OutboxArg {
    /// The outbox file; by default that of the configuration
    #[arg(long, global = true, value_name = "PATH")]
    pub outbox: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct QueueArgs {
    #[command(flatten)]
    pub at: OutboxArg,
    #[command(subcommand)]
    pub command: QueueCommand,
}

/// What may be done with a queue.
#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// List the messages of the outbox, oldest first; works beside its owner
    Ls {
        #[command(flatten)]
        only: Only,
        /// How many to list at most
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Show one message with its result; works beside the owner of the outbox
    Show {
        /// Its id
        id: String,
    },
    /// Queue messages again that are not sent, as if they had just come; sends nothing yet
    Retry {
        /// Their ids
        #[arg(required_unless_present = "all_dead", conflicts_with = "all_dead")]
        id: Vec<String>,
        /// Every dead letter: acknowledged, and not known to be sent
        #[arg(long)]
        all_dead: bool,
        /// Also those that are maybe sent, which this may deliver twice
        #[arg(long)]
        force: bool,
    },
    /// Take messages out of the outbox that are not under way; who still waits for one learns that it was cancelled
    Drop {
        /// Their ids
        #[arg(required = true)]
        id: Vec<String>,
    },
    /// Send what is queued, and say what became of it; what is not due yet stays
    Flush {
        /// How long to send; what is under way then is cut, and may turn out as maybe sent
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        timeout: Option<Duration>,
        /// Acknowledge the results: nobody else is to be told of them
        #[arg(long)]
        ack: bool,
    },
    /// Print the messages as JSON, one a line; works beside the owner of the outbox
    Export {
        #[command(flatten)]
        only: Only,
    },
}

impl QueueCommand {
    /// True if it does something about messages, and does not only tell of them.
    pub fn changes(&self) -> bool {
        match self {
            QueueCommand::Retry { .. } | QueueCommand::Drop { .. } | QueueCommand::Flush { .. } => {
                true
            }
            QueueCommand::Ls { .. } | QueueCommand::Show { .. } | QueueCommand::Export { .. } => {
                false
            }
        }
    }
}

/// Some of the messages.
#[derive(Args, Debug)]
pub struct Only {
    /// Only those in this state
    #[arg(long, value_name = "STATE", value_parser = state)]
    pub state: Option<OutboxState>,
    /// Only those of this account
    #[arg(short, long, value_name = "NAME")]
    pub account: Option<String>,
}

#[derive(Args, Debug)]
pub struct WhyArgs {
    #[command(flatten)]
    pub at: OutboxArg,
    /// The id of the message
    pub id: String,
}

#[derive(Args, Debug)]
#[command(after_long_help = COLUMNS)]
pub struct BulkArgs {
    #[command(flatten)]
    pub at: OutboxArg,
    /// The messages: a .jsonl, .csv or .tsv file (--help says how it looks)
    pub file: PathBuf,
    /// The account of messages that name none
    #[arg(short, long, value_name = "NAME")]
    pub account: Option<String>,
    /// Go on where an earlier run of this file broke off; needs an outbox
    #[arg(long)]
    pub resume: bool,
    /// Print the requests with their secrets masked, and send nothing
    #[arg(long, conflicts_with_all = ["resume", "report"])]
    pub dry_run: bool,
    /// When to show how far it is, on standard error
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub progress: When,
    /// Write every result to this file as JSON, one a line
    #[arg(long, value_name = "FILE.jsonl")]
    pub report: Option<PathBuf>,
}

/// When something is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

fn state(text: &str) -> Result<OutboxState, String> {
    let found = OutboxState::ALL.into_iter().find(|state| state.name() == text);
    found.ok_or_else(|| {
        let names: Vec<_> = OutboxState::ALL.iter().map(|state| state.name()).collect();
        format!("it is one of {}", names.join(", "))
    })
}

#[cfg(feature = "postgres")]
#[derive(Args, Debug)]
pub struct OutboxArgs {
    #[command(subcommand)]
    pub command: OutboxCommand,
}

#[cfg(feature = "postgres")]
#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// Make the schema of the configured outbox, or make an older one current; it may be run again
    ///
    /// It has to be run as the owner of the database, or as that of the schema where there is one.
    Init {
        /// Print the SQL instead, for the database's owner to run; it holds no secrets
        #[arg(long)]
        print: bool,
    },
}
