//! How the command ends: the exit status, and errors that are the caller's to mend.

use std::fmt;
use std::path::PathBuf;

use hongyan::{Delivery, Error, ErrorCode, Receipt};

/// The exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Sent = 0,
    Failed = 1,
    Usage = 2,
    SomeFailed = 4,
    TimedOut = 5,
    Queued = 6,
    MaybeSent = 7,
}

impl Exit {
    /// What one message's outcome says.
    pub fn of(receipt: &Receipt) -> Exit {
        if let Some(error) = &receipt.error
            && Exit::of_error(error) == Exit::Usage
        {
            return Exit::Usage;
        }
        let timed_out = receipt.error.as_ref().map(Error::code) == Some(ErrorCode::Timeout);
        Exit::of_delivery(receipt.delivery, receipt.deadline || timed_out)
    }

    /// What the error of a message says that was not sent: a wrong account is the caller's to mend.
    pub fn of_error(error: &Error) -> Exit {
        let no_account = error.code() == ErrorCode::Message && error.path() == Some("account");
        if no_account { Exit::Usage } else { Exit::Failed }
    }

    /// What a request says that is only shown.
    pub fn of_preview<T>(preview: &Result<T, Error>) -> Exit {
        preview.as_ref().map_or_else(Exit::of_error, |_| Exit::Sent)
    }

    /// What a delivery says; `timed_out`: a time limit ended it.
    pub fn of_delivery(delivery: Delivery, timed_out: bool) -> Exit {
        match delivery {
            Delivery::Sent => Exit::Sent,
            Delivery::MaybeSent => Exit::MaybeSent,
            Delivery::PartlySent => Exit::SomeFailed,
            Delivery::NotSent if timed_out => Exit::TimedOut,
            Delivery::NotSent => Exit::Failed,
        }
    }

    /// What several outcomes say together: their own status where they agree.
    pub fn and(self, other: Exit) -> Exit {
        if self == other { self } else { Exit::SomeFailed }
    }

    /// Adds an outcome to what several said so far.
    pub fn join(exit: &mut Option<Exit>, other: Exit) {
        *exit = Some(exit.map_or(other, |exit| exit.and(other)));
    }
}

/// What was asked for cannot be done as it was asked: arguments, input or configuration are wrong.
#[derive(Debug)]
pub struct Usage {
    pub file: Option<PathBuf>,
    pub error: Error,
}

impl Usage {
    /// A wrong argument or input.
    pub fn argument(words: impl Into<String>) -> Usage {
        Error::new(ErrorCode::Argument, words).into()
    }

    /// What went wrong with a configuration: the caller's to mend, save where a disk, or another owner
    /// of the outbox, is in the way.
    pub fn or_failure(file: impl Into<PathBuf>, error: Error) -> anyhow::Error {
        match error.code() {
            ErrorCode::Locked | ErrorCode::Storage | ErrorCode::Internal => error.into(),
            _ => Usage::config(file, error).into(),
        }
    }

    /// Something wrong in this configuration file.
    pub fn config(file: impl Into<PathBuf>, error: Error) -> Usage {
        Usage { file: Some(file.into()), error }
    }
}

impl From<Error> for Usage {
    fn from(error: Error) -> Usage {
        Usage { file: None, error }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.display())?;
        }
        write!(f, "{}", self.error)
    }
}

impl std::error::Error for Usage {}
