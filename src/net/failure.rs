//! Why there is no answer.

use std::error::Error as StdError;
use std::{fmt, io};

/// How a request failed on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What failed.
    pub way: Way,
    /// What happened, in words; never the URL, which may hold a signature.
    pub words: String,
}

/// What failed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// DNS, connection, proxy, or the connection was lost.
    Network,
    /// The secure connection.
    Tls,
    /// The time ran out.
    TimedOut,
    /// What came back is no HTTP.
    Protocol,
    /// The request is larger than can be sent.
    TooLarge,
    /// The system had no thread to spare.
    Resources,
}

/// The system has no more of what is needed for a request, in words.
#[derive(Debug)]
pub struct NoResources(pub String);

impl fmt::Display for NoResources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for NoResources {}

impl Failure {
    /// Reads what a client tells; `is_connecting` if there was no connection yet.
    pub fn of(error: &(dyn StdError + 'static), is_connecting: bool) -> Failure {
        let way = way(error);
        let root = innermost(error).to_string();
        let words = match way {
            Way::Tls => format!("the secure connection failed: {root}{}", advice(&root)),
            Way::Resources => root,
            _ if is_connecting => format!("no connection: {root}"),
            Way::Protocol => format!("the answer is no HTTP: {root}"),
            Way::Network | Way::TimedOut | Way::TooLarge => {
                format!("the connection was lost: {root}")
            }
        };
        Failure { way, words }
    }
}

#[cfg(feature = "service-smtp")]
impl Failure {
    /// Reads what went wrong on a connection to a mail server.
    pub fn of_mail(error: &io::Error) -> Failure {
        let root = innermost(error).to_string();
        match way(error) {
            Way::Tls => {
                let words = format!("the secure connection failed: {root}{}", advice(&root));
                Failure { way: Way::Tls, words }
            }
            way => Failure { way, words: format!("the connection was lost: {root}") },
        }
    }
}

/// How a proxy has answered where a tunnel through it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnel {
    /// By 407.
    WantsCredentials,
    /// By any other status, which is not told.
    Refused,
}

/// Reads of an error that a proxy refused a tunnel. Its type is nowhere public, so that its words have to
/// do; `tests/proxy.rs` fails where they change.
pub fn tunnel(error: &reqwest::Error) -> Option<Tunnel> {
    causes(error).find_map(|cause| match cause.to_string().as_str() {
        "tunnel error: proxy authorization required" => Some(Tunnel::WantsCredentials),
        "tunnel error: unsuccessful" => Some(Tunnel::Refused),
        _ => None,
    })
}

/// What to do about a certificate that nobody vouches for.
fn advice(words: &str) -> &'static str {
    match words {
        _ if words.contains("UnknownIssuer") || words.contains("CaUsedAsEndEntity") => {
            "; its authority, or itself, has to stand in \"ca_file\" or in the system's store"
        }
        _ if words.contains("UnsupportedCertVersion") => {
            "; it is of X.509 version 1, which names no hosts: make it anew with a subjectAltName"
        }
        _ => "",
    }
}

fn way(error: &(dyn StdError + 'static)) -> Way {
    for cause in causes(error) {
        if cause.is::<rustls::Error>() {
            return Way::Tls;
        }
        if cause.is::<NoResources>() {
            return Way::Resources;
        }
        if let Some(error) = cause.downcast_ref::<hyper::Error>()
            && error.is_parse()
        {
            return Way::Protocol;
        }
    }
    Way::Network
}

/// An error and what caused it. `io::Error` hides the error it wraps from `source`.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
        None => error.source(),
    })
}

fn innermost<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    causes(error).last().unwrap_or(error)
}
