//! How the command ends: the exit status, and errors that are the caller's to mend.

use std::fmt;
use std::path::PathBuf;

use hongyan::{Delivery, Error, ErrorCode, Receipt};

/// The exit status; 6 is kept for messages that an outbox will send later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Sent = 0,
    Failed = 1,
    Usage = 2,
    SomeFailed = 4,
    TimedOut = 5,
    MaybeSent = 7,
}

impl Exit {
    /// What one message's outcome says.
    pub fn of(receipt: &Receipt) -> Exit {
        let code = receipt.error.as_ref().map(Error::code);
        match receipt.delivery {
            Delivery::Sent => Exit::Sent,
            Delivery::MaybeSent => Exit::MaybeSent,
            Delivery::NotSent if receipt.deadline => Exit::TimedOut,
            Delivery::NotSent if code == Some(ErrorCode::Timeout) => Exit::TimedOut,
            Delivery::NotSent => Exit::Failed,
        }
    }

    /// What several outcomes say together: their own status where they agree.
    pub fn and(self, other: Exit) -> Exit {
        if self == other { self } else { Exit::SomeFailed }
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
