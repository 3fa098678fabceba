//! What can go wrong with an outbox in a database, in words.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use crate::model::error::{Error, ErrorCode};

/// Why the database did not do what it was asked for.
#[derive(Debug)]
pub(super) enum Fault {
    Database(tokio_postgres::Error),
    TimeOut,
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Fault {
        Fault::Database(error)
    }
}

/// Where in the configuration what is wrong is named.
const SCHEMA: &str = "outbox.schema";
const DATABASE: &str = "outbox.postgres";

/// What the schema says to a member that is gone.
const GONE: &str = "HY001";

impl Fault {
    /// True if this member was taken for dead.
    pub(super) fn is_gone(&self) -> bool {
        self.state().is_some_and(|state| state.code() == GONE)
    }

    /// True if nobody knows whether it was done: the database has not answered.
    pub(super) fn is_lost(&self) -> bool {
        // Who shuts down, or cuts a session off, answers for what was not done; what was may be lost all the same.
        self.state()
            .is_none_or(|state| state.code().starts_with("57") || state.code().starts_with("08"))
    }

    fn state(&self) -> Option<&SqlState> {
        match self {
            Fault::Database(error) => error.code(),
            Fault::TimeOut => None,
        }
    }
}

/// `storage`: what was tried, where, what is wrong, and what to do.
pub(super) fn storage(shown: &str, what: &str, fault: Fault) -> Error {
    let words = match &fault {
        Fault::TimeOut => "it does not answer in time".to_owned(),
        Fault::Database(error) => match (error.as_db_error(), error.source()) {
            (Some(told), _) => format!("{} ({})", told.message(), told.code().code()),
            (None, Some(cause)) => format!("{error}: {cause}"),
            (None, None) => error.to_string(),
        },
    };
    let code = fault.state().map(SqlState::code).unwrap_or_default();
    let hint = match code {
        "3F000" | "42P01" | "42883" => {
            "make the schema with `hongyan outbox init --config FILE`, or have the database's owner run what \
             it prints with --print"
        }
        "28P01" | "28000" => {
            "look at the user and the password of the URL, and at the server's pg_hba.conf"
        }
        "3D000" => "make the database (createdb), or look at its name in the URL",
        "42501" => {
            "this user needs the rights of the schema's owner; to submit from SQL, EXECUTE suffices"
        }
        GONE => "it goes on by itself; what it had in its hands, others have now",
        _ => {
            "nothing is accepted until the database answers; what was accepted is safe and goes on then"
        }
    };
    let lacks = matches!(code, "3F000" | "42P01" | "42883");
    Error::new(ErrorCode::Storage, format!("cannot {what} the outbox {shown}: {words}"))
        .at(if lacks { SCHEMA } else { DATABASE })
        .hint(hint)
}

/// `storage`: this member was taken for dead, and has not been told yet.
pub(super) fn gone(shown: &str) -> Error {
    let words = format!("the outbox {shown} was out of reach for longer than its lease");
    Error::new(ErrorCode::Storage, words).at(DATABASE).hint("try again in a moment")
}

/// `storage`: the schema is of another version.
pub(super) fn version(shown: &str, found: i32, known: i32) -> Error {
    let words = format!("the outbox {shown} has version {found}, and this library knows {known}");
    Error::new(ErrorCode::Storage, words).at(SCHEMA).hint(if found < known {
        "make it new with `hongyan outbox init --config FILE`"
    } else {
        "use a newer hongyan"
    })
}
