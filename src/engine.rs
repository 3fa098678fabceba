//! Floor 3: from accept to verdict. tokio lives here and nowhere else.
//!
//! A message is accepted on its caller's thread ([`Engine::accept`]: checked, encoded, counted),
//! becomes a [`job::Job`], is carried through its attempts by [`deliver`], and leaves through the
//! [`queue::Queue`] or, for a blocking send, straight to its caller.

mod account;
mod attempt;
mod blocking;
mod check;
mod connections;
mod deliver;
mod direct;
pub mod fork;
mod inbox;
mod job;
mod keys;
mod kit;
mod lookup;
mod op;
mod order;
mod outbox;
mod pace;
mod preview;
mod progress;
mod queue;
mod repeats;
mod retry;
mod runtime;
mod stats;
mod stop;
#[cfg_attr(not(feature = "outbox"), allow(dead_code, reason = "no store is in this build"))]
pub mod store;
mod submit;
#[cfg(test)]
mod tests;
pub mod wake;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use serde_json::Value;

pub use blocking::Watch;
pub use job::Job;
pub use op::Op;
#[cfg(feature = "outbox")]
pub use outbox::file::Changed;
pub use preview::{Preview, PreviewFile};
pub use queue::{Waited, closed};
#[cfg(feature = "outbox")]
pub use submit::Arrival;
pub use submit::SubmitOptions;

use crate::model::config::{AccountConfig, ClientConfig, OutboxConfig, RetryConfig};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::id::ulid;
use crate::model::message::{Message, Parsed, Refused};
use crate::model::receipt::Receipt;
use crate::model::redact::MASK;
use crate::model::secret::Secret;
use crate::net::http::Http;
use crate::net::{Carrier, Clock};
use crate::service::api::{Seed, Stamp};
use account::{Accounts, Entry};
use inbox::Inbox;
use job::{Intake, Sink};
use keys::Keys;
use kit::Kits;
use lookup::SystemLookup;
use order::Lines;
pub use outbox::Begins;
use outbox::Outbox;
use pace::Windows;
use queue::{Limit, Queue, Slot};
use repeats::Repeats;
use runtime::{Runtime, TokioClock};
use stop::Stop;
use store::Turns;

/// What all sends of one client share.
pub struct Shared {
    queue: Arc<Queue>,
    accounts: Accounts,
    windows: Windows,
    keys: Arc<Keys>,
    lines: Arc<Lines>,
    repeats: Repeats,
    transport: Carrier,
    kits: Kits,
    clock: Arc<dyn Clock>,
    random: std::sync::Mutex<fastrand::Rng>,
    retry: RetryConfig,
    timeout: Duration,
    trace: bool,
    in_flight: Arc<AtomicUsize>,
    max_in_flight: usize,
    stop: Stop,
    /// How many sends the end of the client has cut.
    cut: AtomicUsize,
    /// Where keys and lines are kept, and submitted messages if it is the client's own.
    outbox: OnceLock<Arc<Outbox>>,
    begins: Begins,
    /// What must be masked whatever the account: the proxy's credentials.
    secrets: Vec<String>,
}

impl Shared {
    fn new(
        config: ClientConfig,
        transport: Carrier,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Result<Shared> {
        let shared = Shared {
            queue: Arc::default(),
            accounts: Accounts::new(config.net.max_connections_per_host),
            windows: Windows::default(),
            keys: Arc::default(),
            lines: Arc::default(),
            repeats: Repeats::default(),
            transport,
            kits: Kits::default(),
            clock,
            random: std::sync::Mutex::new(fastrand::Rng::with_seed(seed)),
            retry: config.retry,
            timeout: config.timeout,
            trace: config.trace,
            in_flight: Arc::default(),
            max_in_flight: config.max_in_flight,
            stop: Stop::default(),
            cut: AtomicUsize::new(0),
            outbox: OnceLock::new(),
            begins: Begins::All,
            secrets: Vec::new(),
        };
        for (name, account) in config.accounts {
            shared.set_account(&name, account)?;
        }
        Ok(shared)
    }

    /// Adds an account or replaces one.
    fn set_account(&self, name: &str, config: AccountConfig) -> Result<()> {
        let proxy = config.proxy.as_ref().map(|proxy| self.transport.route(proxy)).transpose();
        let route = proxy.map_err(|error| error.at(format!("accounts.{name}.proxy")))?.flatten();
        self.accounts.put(name, config, route, &self.windows, self.clock.now())
    }

    /// The outbox, if there is one; a build without the feature has none, and no code for it.
    fn outbox(&self) -> Option<&Arc<Outbox>> {
        self.outbox.get().filter(|_| cfg!(any(feature = "outbox", test)))
    }

    /// The outbox that submitted messages go into.
    fn keeps(&self) -> Option<&Arc<Outbox>> {
        self.outbox().filter(|_| self.begins == Begins::All)
    }

    fn random<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.random.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

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
        shared.queue.accept()?;
        let slot = match shared.place(entry.as_deref()) {
            Ok(slot) => Some(slot),
            Err(error) => {
                shared.queue.finish();
                return Err(error);
            }
        };
        let given = loaded(given);
        let id = shared.count(entry.as_deref());
        let outbox = given.as_ref().ok().filter(|m| is_tied(m)).and(shared.outbox());
        let direct = outbox.zip(given.as_ref().ok());
        let direct = direct.map(|(outbox, message)| (outbox, shared.direct(message, &id)));
        let tied = direct.is_some();
        let intake = Intake { id, token, sink, slot, patience, kept: false, tied };
        let mut job = Job::new(Arc::clone(shared), given, entry, intake);
        if let Some((outbox, accept)) = direct.filter(|_| !job.is_refused()) {
            job.direct = Some(Box::new(outbox.enter(accept)));
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
    fn slot(&self, account: &str) -> Result<Slot> {
        self.place(self.accounts.get(account).as_deref())
    }

    /// Counts an accepted message of this account, and gives it its id.
    fn count(&self, entry: Option<&Entry>) -> String {
        entry.inspect(|entry| entry.stats.accepted());
        ulid(self.clock.unix_ms(), self.random(|rng| rng.u128(..)))
    }
}

/// True of a message that has to know of others.
fn is_tied(message: &Message) -> bool {
    message.key.is_some() || message.ordered
}

/// The message with its files, which are read on this thread; or why they cannot be.
fn loaded(given: Parsed) -> Parsed {
    let mut message = given?;
    match message.load_files() {
        Ok(()) => Ok(message),
        Err(error) => {
            let Message { account, key, .. } = message;
            Err(Refused { error, account: Some(account), key })
        }
    }
}

/// The same on a thread of its own: a caller who must not block waits without one.
async fn loaded_aside(given: Parsed) -> Parsed {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let own = given.clone();
    let read = move || drop(sender.send(loaded(own)));
    match wake::spawn_thread("hy-files", read) {
        Ok(_) => receiver.await.unwrap_or(given),
        // Where there is no thread left, it is late rather than lost.
        Err(_) => loaded(given),
    }
}

/// The engine of one client.
pub struct Engine {
    shared: Arc<Shared>,
    runtime: Arc<Runtime>,
    inbox: Inbox,
    /// An outbox that is opened for the first send that needs it.
    unopened: Mutex<Option<Result<OutboxConfig>>>,
}

impl Engine {
    /// Makes an engine that sends over real sockets.
    ///
    /// [`Begins::Needed`]: it opens its outbox when a send has a key or is ordered, waits for its turn
    /// then, and submits go into memory.
    pub fn new(config: ClientConfig, begins: Begins) -> Result<Engine> {
        Engine::with_lookup(config, begins, SystemLookup::default())
    }

    /// Makes an engine that finds the addresses of its hosts so.
    fn with_lookup(
        mut config: ClientConfig,
        begins: Begins,
        lookup: SystemLookup,
    ) -> Result<Engine> {
        let outbox = config.outbox.take();
        let transport = Http::new(&config.net, Arc::new(lookup))?;
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).map_err(|e| {
            Error::new(ErrorCode::Internal, format!("the system gives no random numbers: {e}"))
        })?;
        let secrets = transport.secrets();
        let (transport, clock) = (Carrier::Http(transport), Arc::new(TokioClock::default()));
        let mut shared = Shared::new(config, transport, clock, u64::from_ne_bytes(seed))?;
        shared.secrets = secrets;
        shared.begins = begins;
        let runtime = Arc::new(Runtime::new(Arc::clone(&shared.queue))?);
        let (shared, inbox) = (Arc::new(shared), Inbox::new(Arc::clone(&runtime)));
        // From here on its drop ends the threads that were started.
        let engine = Engine { shared, runtime, inbox, unopened: Mutex::default() };
        match outbox {
            Some(outbox) if begins == Begins::All => {
                let time_out = engine.shared.timeout;
                let turns = Turns {
                    for_a_turn: false,
                    turn: time_out,
                    owner: if outbox.shared { time_out } else { Duration::ZERO },
                };
                let store = open_store(&outbox, turns)?;
                Outbox::start(&engine.shared, engine.inbox.clone(), store, begins)?;
            }
            outbox => *engine.unopened() = outbox.map(Ok),
        }
        Ok(engine)
    }

    fn unopened(&self) -> MutexGuard<'_, Option<Result<OutboxConfig>>> {
        self.unopened.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

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
        let turns = Turns::of_one_who_goes(wait, config.shared);
        let (shared, inbox) = (&self.shared, self.inbox.clone());
        let opened = open_store(&config, turns)
            .and_then(|store| Outbox::start(shared, inbox, store, Begins::Needed));
        opened.map_err(|error| {
            let error = match error.code() {
                ErrorCode::Locked => error.hint(
                    "a message that has a key or is ordered needs the outbox: let that process \
                     send it, or close that one first",
                ),
                _ => error,
            };
            *unopened = Some(Err(error.clone()));
            error
        })
    }

    /// Adds an account or replaces one; holds for attempts begun later.
    pub fn set_account(&self, name: &str, config: AccountConfig) -> Result<()> {
        self.refuse_if_closed()?;
        self.shared.set_account(name, config)?;
        self.shared.outbox().inspect(|outbox| outbox.account(name, false));
        Ok(())
    }

    /// Takes an account away; what waits for it ends.
    pub fn remove_account(&self, name: &str) -> Result<()> {
        self.refuse_if_closed()?;
        self.shared.accounts.remove(name)?;
        self.shared.outbox().inspect(|outbox| outbox.account(name, true));
        Ok(())
    }

    fn refuse_if_closed(&self) -> Result<()> {
        if self.is_closed() { Err(closed()) } else { Ok(()) }
    }

    fn is_closed(&self) -> bool {
        self.shared.queue.is_closed()
    }

    /// The request that a message would become, with its secrets masked; nothing is sent.
    pub fn preview(&self, mut message: Message) -> Result<Preview> {
        let shared = &self.shared;
        let entry = shared.accounts.get(&message.account);
        let entry = entry.ok_or_else(|| shared.accounts.unknown(&message.account))?;
        message.id = ulid(shared.clock.unix_ms(), shared.random(|rng| rng.u128(..)));
        if message.to.is_empty() {
            entry.address(&mut message);
        }
        if !message.attachments.is_empty() {
            message.load_files()?;
        }
        let draft = entry.account.encode(&message, Seed(shared.random(|rng| rng.u64(..))))?;
        let unix = shared.clock.unix_ms() / 1000;
        let stamp = Stamp { unix, nonce: shared.random(|rng| rng.u128(..)), renew: false };
        // No token is asked for to look at a message.
        let token = entry.tokens.as_ref().map(|_| Secret::new(MASK.to_owned()));
        let exchange = entry.account.next(&draft, &stamp, token.as_ref());
        Ok(Preview::new(exchange, &entry.redactor, entry.hides_url, &message))
    }

    /// Sends and waits without blocking a thread.
    pub async fn send(&self, given: Parsed) -> Result<Receipt> {
        self.runtime.start_io()?;
        let given = match &given {
            Ok(message) if message.has_paths() => loaded_aside(given).await,
            _ => given,
        };
        let mut job = self.accept(given, 0, Sink::Caller, None)?;
        let cancel = CancelOnDrop(job.op());
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.runtime.spawn(async move {
            let _ = sender.send(deliver::deliver(&mut job).await);
        });
        let receipt = receiver.await.ok().flatten().ok_or_else(lost);
        drop(cancel);
        receipt
    }

    /// Waits for results of submitted sends.
    pub fn wait(&self, time_out: Option<Duration>, most: usize) -> Result<Waited> {
        let waited = self.shared.queue.wait(time_out, most);
        if let (Ok(Waited::Results(_)), Some(outbox)) = (&waited, self.shared.keeps()) {
            outbox.has_room();
        }
        waited
    }

    /// Says that the result of this message need never be handed out again.
    pub fn ack(&self, id: &str) -> Result<()> {
        self.shared.keeps().map_or(Ok(()), |outbox| outbox.ack(id))
    }

    /// The descriptor that is readable while results wait.
    pub fn poll_handle(&self) -> Result<isize> {
        self.shared.queue.handle().map_err(|e| match e.kind() {
            std::io::ErrorKind::Unsupported => {
                Error::new(ErrorCode::Unavailable, "there is nothing to poll on this system yet")
            }
            _ => Error::new(ErrorCode::Internal, format!("no descriptor to poll: {e}")),
        })
    }

    /// Makes the running waits, or the next one, return with nothing.
    pub fn interrupt(&self) {
        self.shared.queue.interrupt();
    }

    /// Waits until nothing is queued or in flight; tells how many sends still are.
    pub fn flush(&self, time_out: Option<Duration>) -> usize {
        self.shared.queue.flush(time_out)
    }

    /// Accepts nothing more, waits, cancels the rest; tells how many it cancelled.
    pub fn close(&self, time_out: Option<Duration>) -> usize {
        let first = self.shared.queue.refuse();
        let outbox = self.shared.outbox();
        if self.shared.queue.flush(time_out) > 0 {
            // First, so that nothing is begun that would have to be left at once.
            outbox.inspect(|outbox| outbox.stop());
            self.shared.stop.stop();
            self.shared.queue.flush(None);
        }
        self.shared.queue.close();
        // Some may have ended by themselves between the count and the stop.
        if first { self.shared.cut.load(Ordering::Acquire) } else { 0 }
    }

    /// Closes at once and sends every caller inside away.
    pub fn free(&self) {
        self.close(Some(Duration::ZERO));
        self.shared.queue.free();
    }

    /// Closes at once and gives the outbox's file free.
    pub fn release(&self) {
        self.close(Some(Duration::ZERO));
        self.shared.outbox().inspect(|outbox| outbox.end());
    }

    /// Counters, as JSON.
    pub fn stats_json(&self) -> String {
        stats::to_json(&self.shared)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.free();
        self.runtime.shut_down();
        self.shared.outbox().inspect(|outbox| outbox.end());
    }
}

#[cfg(feature = "outbox")]
fn open_store(config: &OutboxConfig, turns: Turns) -> Result<Box<dyn store::Store>> {
    use store::fork::Owned;
    use store::sqlite::Options;

    let options = Options {
        max_messages: config.max_messages,
        max_bytes: config.max_bytes,
        key_days: config.key_days,
        turns,
    };
    Ok(Box::new(Owned::open(&config.path, options)?))
}

#[cfg(not(feature = "outbox"))]
fn open_store(_config: &OutboxConfig, _turns: Turns) -> Result<Box<dyn store::Store>> {
    Err(Error::new(ErrorCode::Unavailable, "this build has no outbox"))
}

fn lost() -> Error {
    Error::new(ErrorCode::Internal, "a send ended without a result; this is a bug in hongyan")
}

/// A future that is dropped cancels its send.
struct CancelOnDrop(Op);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Reads an account's JSON, references replaced by `expand`.
pub fn account_config(value: Value, name: &str) -> Result<AccountConfig> {
    AccountConfig::from_value(value, format!("accounts.{name}"))
}
