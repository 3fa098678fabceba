//! How messages come in: checked, addressed, encoded and counted, on their callers' threads.

pub mod blocking;
pub mod check;
pub mod files;
pub mod keys;
pub mod lookup;
pub mod op;
pub mod order;
pub mod preview;
pub mod send;
pub mod submit;

use std::sync::Arc;
use std::time::Duration;

use crate::engine::accept::files::load;
use crate::engine::account::Entry;
use crate::engine::attempt::job::{Intake, Job, Place, Sink};
use crate::engine::outbox::keeper::{self, Does};
use crate::engine::results::slot::{Limit, Slot};
use crate::engine::{Begins, Engine, OPENS_WITHIN, Shared, open_store};
use crate::model::error::Result;
use crate::model::id::ulid;
use crate::model::message::{Message, Parsed};

impl Shared {
    /// Accepts a message: from here on it has exactly one result.
    pub fn accept(
        self: &Arc<Self>,
        mut given: Parsed,
        token: u64,
        sink: Sink,
        patience: Option<Duration>,
    ) -> Result<Box<Job>> {
        let shared = self;
        let name = match &given {
            Ok(message) => Some(message.account.as_str()),
            Err(refused) => refused.account.as_deref(),
        };
        let entry = name.and_then(|name| shared.accounts.get(name));
        if let (Ok(message), Some(entry)) = (&mut given, &entry) {
            entry.address(message);
        }
        let unfinished = Some(shared.sends.accept()?);
        let slot = Some(shared.place(entry.as_deref())?);
        load(&mut given);
        let id = shared.count(entry.as_deref());
        let outbox = given.as_ref().ok().filter(|m| is_tied(m)).and(shared.outbox());
        let direct = outbox.zip(given.as_ref().ok());
        let direct = direct.map(|(outbox, message)| (outbox, shared.direct(message, &id)));
        let place = if direct.is_some() { Place::Tied } else { Place::Memory };
        let intake = Intake { id, token, sink, slot, unfinished, patience, place };
        let mut job = Job::new(Arc::clone(shared), given, entry, intake);
        if let Some((outbox, accept)) = direct.filter(|_| !job.is_refused()) {
            job.completion.direct = Some(Box::new(outbox.enter(accept)));
        }
        Ok(job)
    }

    /// A place among those in flight, of an account and of the client.
    fn place(&self, entry: Option<&Entry>) -> Result<Slot> {
        let default = self.accounts.share(self.max_in_flight);
        let of_account = entry.map(|entry| Limit {
            account: Some(&entry.name),
            count: &entry.in_flight,
            most: entry.max_in_flight.unwrap_or(default),
        });
        let of_client = Limit { account: None, count: &self.in_flight, most: self.max_in_flight };
        Slot::take([of_account, Some(of_client)])
    }

    /// A place for a message of this account.
    pub fn slot(&self, account: &str) -> Result<Slot> {
        self.place(self.accounts.get(account).as_deref())
    }

    /// Counts an accepted message of this account, and gives it its id.
    pub fn count(&self, entry: Option<&Entry>) -> String {
        entry.inspect(|entry| entry.stats.accepted());
        ulid(self.clock.unix_ms(), self.random(|rng| rng.u128(..)))
    }
}

impl Engine {
    /// Accepts a message; one that is tied to others may have to open the outbox first.
    fn accept(
        &self,
        given: Parsed,
        token: u64,
        sink: Sink,
        patience: Option<Duration>,
    ) -> Result<Box<Job>> {
        let mut patience = patience;
        if given.as_ref().is_ok_and(is_tied) && self.shared.begins == Begins::Needed {
            let start = self.shared.clock.now();
            self.open(patience)?;
            let waited = self.shared.clock.now().saturating_sub(start);
            patience = patience.map(|patience| patience.saturating_sub(waited));
        }
        self.shared.accept(given, token, sink, patience)
    }

    /// Opens the outbox if it is not yet, once it is its turn; who could not once is not made to wait
    /// again.
    fn open(&self, wait: Option<Duration>) -> Result<()> {
        let mut unopened = self.unopened();
        let config = match unopened.take() {
            None => return Ok(()),
            Some(Ok(config)) => config,
            Some(Err(error)) => {
                *unopened = Some(Err(error.clone()));
                return Err(error);
            }
        };
        self.refuse_if_closed()?;
        let wait = wait.map_or(OPENS_WITHIN, |wait| wait.min(OPENS_WITHIN));
        let (shared, inbox) = (&self.shared, self.inbox.clone());
        let opened = open_store(&config, Does { sends: true, takes: false }, wait, true)
            .and_then(|store| keeper::start(shared, inbox, store, Begins::Needed, Does::ALL));
        opened.inspect_err(|error| *unopened = Some(Err(error.clone())))
    }
}

/// True of a message that has to know of others.
fn is_tied(message: &Message) -> bool {
    message.key.is_some() || message.ordered
}
