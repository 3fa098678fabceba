//! Asks a service whether an account's credentials work, where it can be asked without sending.
//!
//! It is an attempt like any other, with a token, signatures, connections and retries of its account, whose
//! only exchange commits nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::engine::accept::blocking::Watch;
use crate::engine::attempt::job::{Intake, Job, Place, Sink};
use crate::engine::results::queue::closed;
use crate::engine::{Engine, lost, runtime};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::id::ulid;
use crate::model::message::Message;
use crate::model::secret::Secret;
use crate::service::api::{Account, Answer, Draft, Exchange, Reading, Seed, Session, Stamp};

impl Engine {
    /// Asks the service of an account whether its credentials work, on the caller's own thread.
    pub fn check_account(
        &self,
        name: &str,
        patience: Option<Duration>,
        watch: Option<Watch<'_>>,
    ) -> Result<()> {
        let may_drive = !runtime::inside_another();
        if !may_drive {
            self.runtime.start_io()?;
        }
        let (job, works) = self.inquiry(name, patience)?;
        let receipt = self.finish_blocking(job, watch, may_drive)?;
        if works.load(Ordering::Acquire) {
            return Ok(());
        }
        match receipt.error {
            Some(error) if error.code() == ErrorCode::Cancelled && self.is_closed() => {
                Err(closed())
            }
            error => Err(error.unwrap_or_else(lost)),
        }
    }

    /// A send whose one exchange asks, and the place where it is told that the credentials work.
    fn inquiry(
        &self,
        name: &str,
        patience: Option<Duration>,
    ) -> Result<(Box<Job>, Arc<AtomicBool>)> {
        self.refuse_if_closed()?;
        let shared = &self.shared;
        let Some(entry) = shared.accounts.get(name) else {
            let unknown = shared.accounts.unknown(name);
            let error = Error::new(ErrorCode::Config, unknown.words());
            return Err(match unknown.hint_text() {
                Some(known) => error.hint(known.to_owned()),
                None => error,
            });
        };
        let stamp = Stamp { unix: 0, nonce: 0, renew: false };
        let asks = match (entry.account.probe(&stamp, None), entry.account.session()) {
            (Some(inquiry), _) => Asks::Probe(inquiry.read),
            (None, Some(_)) => Asks::Token,
            (None, None) => {
                let words = format!("{} cannot be asked without sending", entry.info.name);
                let error = Error::new(ErrorCode::Unsupported, words);
                return Err(error.with_account(name, Some(entry.info.name)));
            }
        };
        let unfinished = Some(shared.sends.accept()?);
        let works = Arc::new(AtomicBool::new(false));
        let account = Arc::clone(&entry.account);
        let asking = Asking { account, asks, works: Arc::clone(&works) };
        let intake = Intake {
            id: ulid(shared.clock.unix_ms(), shared.random(|rng| rng.u128(..))),
            token: 0,
            sink: Sink::Caller,
            slot: None,
            unfinished,
            patience,
            place: Place::Tied,
        };
        let message = Message { account: name.to_owned(), ..Message::default() };
        let entry = Some(Arc::new(entry.asking(Arc::new(asking), matches!(asks, Asks::Probe(_)))));
        Ok((Job::new(Arc::clone(shared), Ok(message), entry, intake), works))
    }
}

/// How an account is asked whether it works.
#[derive(Clone, Copy)]
enum Asks {
    /// By a request of its own, and how its answer is read.
    Probe(fn(&Answer) -> Reading),
    /// By asking for a token.
    Token,
}

/// An account whose messages are the question whether it works.
struct Asking {
    account: Arc<dyn Account>,
    asks: Asks,
    works: Arc<AtomicBool>,
}

impl Account for Asking {
    fn encode(&self, _message: &Message, _seed: Seed) -> Result<Draft> {
        Ok(Draft::default())
    }

    fn next(&self, _draft: &Draft, at: &Stamp, session: Option<&Secret>) -> Exchange {
        let exchange = match self.asks {
            Asks::Probe(_) => self.account.probe(at, session).map(|inquiry| inquiry.exchange),
            Asks::Token => self.account.session().map(|session| session.ask(at)),
        };
        Exchange { commits: false, ..exchange.expect("an account that can be asked") }
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        let reading = match (self.asks, self.account.session()) {
            (Asks::Probe(read), _) => read(answer),
            (Asks::Token, Some(session)) => session.read(answer).into(),
            (Asks::Token, None) => Reading::Unreadable(String::new()),
        };
        self.works.store(matches!(reading, Reading::Sent { .. }), Ordering::Release);
        reading
    }

    fn session(&self) -> Option<&dyn Session> {
        match self.asks {
            Asks::Probe(_) => self.account.session(),
            Asks::Token => None,
        }
    }

    fn hint(&self, answer: &Answer, reading: &Reading) -> Option<&'static str> {
        self.account.hint(answer, reading)
    }
}
