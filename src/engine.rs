//! Floor 3: from accept to verdict. tokio lives here and nowhere else.
//!
//! Its rooms, in the order in which a message passes them: [`accept`], on its caller's thread; [`attempt`],
//! from there to the verdict; [`custody`] and [`outbox`], where it outlives this process; [`results`],
//! from which the host takes what became of it. [`runtime`] is what drives them.

pub mod accept;
mod account;
mod attempt;
mod custody;
mod outbox;
pub mod results;
pub mod runtime;
#[cfg_attr(not(feature = "outbox"), allow(dead_code, reason = "no store is in this build"))]
pub mod store;
#[cfg(test)]
mod tests;
mod told;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use serde_json::Value;

pub use accept::blocking::Watch;
pub use accept::op::Op;
pub use accept::preview::{Preview, PreviewFile};
#[cfg(feature = "outbox")]
pub use accept::submit::Arrival;
pub use accept::submit::SubmitOptions;
pub use outbox::Begins;
#[cfg(feature = "outbox")]
pub use outbox::file::Changed;
pub use results::opened::Queue;
pub use results::queue::{Boxes, Waited, closed};

#[cfg(feature = "outbox")]
use crate::model::config::Place;
use crate::model::config::{AccountConfig, ClientConfig, OutboxConfig, RetryConfig};
use crate::model::error::{Error, ErrorCode, Result};
use crate::net::{Carrier, Clock, Sockets};
use accept::keys::Keys;
use accept::lookup::SystemLookup;
use accept::order::RecipientQueues;
use account::Accounts;
use attempt::pace::Windows;
use attempt::repeats::Repeats;
use attempt::scratch::ScratchPool;
use outbox::Outbox;
use outbox::keeper::{self, Does};
use results::opened::Room;
use results::sends::Sends;
use runtime::stop::Stop;
use runtime::workers::Inbox;
use runtime::{Runtime, TokioClock};

/// What all sends of one client share.
pub struct Shared {
    sends: Arc<Sends>,
    accounts: Accounts,
    windows: Windows,
    keys: Arc<Keys>,
    recipient_queues: Arc<RecipientQueues>,
    repeats: Repeats,
    transport: Carrier,
    scratch_pool: ScratchPool,
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
    /// Others send what it keeps.
    only_submits: bool,
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
            sends: Arc::default(),
            accounts: Accounts::new(config.net.max_connections_per_host),
            windows: Windows::default(),
            keys: Arc::default(),
            recipient_queues: Arc::default(),
            repeats: Repeats::default(),
            transport,
            scratch_pool: ScratchPool::default(),
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
            only_submits: false,
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
        let transport = Sockets::new(&config.net, Arc::new(lookup))?;
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).map_err(|e| {
            Error::new(ErrorCode::Internal, format!("the system gives no random numbers: {e}"))
        })?;
        let secrets = transport.secrets();
        let (transport, clock) =
            (Carrier::Sockets(Box::new(transport)), Arc::new(TokioClock::default()));
        let mut shared = Shared::new(config, transport, clock, u64::from_ne_bytes(seed))?;
        shared.secrets = secrets;
        shared.begins = begins;
        shared.only_submits = outbox.as_ref().is_some_and(|outbox| !outbox.sends);
        let runtime = Arc::new(Runtime::new(Arc::clone(&shared.sends))?);
        let shared = Arc::new(shared);
        let inbox = Inbox::new(Arc::clone(&runtime), &shared);
        // From here on its drop ends the threads that were started.
        let engine = Engine { shared, runtime, inbox, unopened: Mutex::default() };
        match outbox {
            Some(outbox) if begins == Begins::All => {
                let does = Does { sends: outbox.sends, takes: outbox.takes };
                let store = open_store(&outbox, does, engine.shared.timeout, false)?;
                keeper::start(&engine.shared, engine.inbox.clone(), store, begins, does)?;
            }
            outbox => *engine.unopened() = outbox.map(Ok),
        }
        Ok(engine)
    }

    fn unopened(&self) -> MutexGuard<'_, Option<Result<OutboxConfig>>> {
        self.unopened.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Adds an account or replaces one; holds for attempts begun later.
    pub fn set_account(&self, name: &str, config: AccountConfig) -> Result<()> {
        self.refuse_if_closed()?;
        let was = self.shared.accounts.get(name);
        self.shared.set_account(name, config)?;
        if was.is_some_and(|was| was.halt.is_halted()) {
            self.shared.tell_resumed(name);
        }
        self.shared.outbox().inspect(|outbox| outbox.account(name, false));
        if let Some(outbox) = self.shared.keeps().filter(|_| !self.shared.only_submits) {
            self.shared.untold_recipients().into_iter().for_each(|told| outbox.tell(told));
        }
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
        self.shared.sends.is_closed()
    }

    /// Waits for results of submitted sends; none where the time ran out or somebody interrupted.
    pub fn take(&self, time_out: Option<Duration>, most: usize) -> Result<Boxes> {
        let taken = self.shared.sends.own().take(time_out, most)?;
        if let (false, Some(outbox)) = (taken.is_empty(), self.shared.keeps()) {
            outbox.has_room();
        }
        Ok(taken)
    }

    /// True if an outbox keeps what is submitted.
    pub fn keeps(&self) -> bool {
        self.shared.keeps().is_some()
    }

    /// Says that the result of this message need never be handed out again.
    pub fn ack(&self, id: &str) -> Result<()> {
        self.shared.keeps().map_or(Ok(()), |outbox| outbox.ack(id))
    }

    /// The descriptor that is readable while results wait.
    pub fn poll_handle(&self) -> Result<isize> {
        self.shared.sends.own().poll_handle()
    }

    /// Opens a queue of results beside the client's own.
    pub fn open_queue(&self) -> Result<Queue> {
        let room = self.shared.keeps().map(|outbox| Arc::clone(outbox) as Arc<dyn Room>);
        Queue::new(&self.shared.sends, room)
    }

    /// Makes the running waits, or the next one, return with nothing.
    pub fn interrupt(&self) {
        self.shared.sends.own().interrupt();
    }

    /// Waits until nothing is queued or in flight; tells how many sends still are.
    pub fn flush(&self, time_out: Option<Duration>) -> usize {
        self.shared.sends.flush(time_out)
    }

    /// Accepts nothing more, waits, cancels the rest; tells how many it cancelled.
    pub fn close(&self, time_out: Option<Duration>) -> usize {
        let first = self.shared.sends.refuse();
        let outbox = self.shared.outbox();
        if self.shared.sends.flush(time_out) > 0 {
            // First, so that nothing is begun that would have to be left at once.
            outbox.inspect(|outbox| outbox.stop());
            self.shared.stop.stop();
            self.shared.sends.flush(None);
        }
        self.shared.sends.close();
        // Some may have ended by themselves between the count and the stop.
        if first { self.shared.cut.load(Ordering::Acquire) } else { 0 }
    }

    /// Accepts and begins nothing more: what is kept and waits stays in the outbox, and an attempt that is
    /// under way comes to its end. Waits at most so long for that, and tells how many still are.
    pub fn wind_down(&self, time_out: Option<Duration>) -> usize {
        self.shared.sends.refuse();
        self.shared.outbox().inspect(|outbox| outbox.stop());
        self.shared.stop.wind_down();
        self.shared.sends.flush(time_out)
    }

    /// Closes at once and sends every caller inside away.
    pub fn free(&self) {
        self.close(Some(Duration::ZERO));
        self.shared.sends.free();
    }

    /// Closes at once and gives the outbox's file free.
    pub fn release(&self) {
        self.close(Some(Duration::ZERO));
        self.shared.outbox().inspect(|outbox| outbox.end());
    }

    /// Counters, as JSON.
    pub fn stats_json(&self) -> String {
        runtime::stats::to_json(&self.shared)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.free();
        self.runtime.shut_down();
        self.shared.outbox().inspect(|outbox| outbox.end());
    }
}

/// How long others that open an outbox are waited for, where nothing else is said.
const OPENS_WITHIN: Duration = Duration::from_secs(10);

/// The store of a configuration, for a new member that does this. Others that open it are waited for at most so
/// long. `for_a_change`: it makes one and goes.
#[cfg(feature = "outbox")]
fn open_store(
    config: &OutboxConfig,
    does: Does,
    wait: Duration,
    for_a_change: bool,
) -> Result<Box<dyn store::Store>> {
    use store::owned::Owned;
    use store::sqlite::{Options, ticks, unix_ms};

    let options = Options {
        max_messages: config.max_messages,
        max_bytes: config.max_bytes,
        key_days: config.key_days,
        owner: &config.owner,
        sends: does.sends,
        takes: does.takes,
        lease: config.lease,
        wait,
        for_a_change,
        ticks,
        unix_ms,
    };
    match &config.place {
        Place::Path(path) => Ok(Box::new(Owned::open(path, options)?)),
        #[cfg(feature = "postgres")]
        Place::Postgres(place) => Ok(Box::new(store::postgres::Postgres::open(place, config)?)),
        #[cfg(not(feature = "postgres"))]
        Place::Postgres(_) => Err(no_database()),
    }
}

/// The store of a configuration, without an engine.
#[cfg(all(feature = "postgres", feature = "testing"))]
pub fn open_store_of(config: &OutboxConfig) -> Result<Box<dyn store::Store>> {
    let does = Does { sends: config.sends, takes: config.takes };
    open_store(config, does, OPENS_WITHIN, false)
}

#[cfg(all(feature = "outbox", not(feature = "postgres")))]
fn no_database() -> Error {
    Error::new(ErrorCode::Unavailable, "this build knows no database").at("outbox.postgres")
}

#[cfg(not(feature = "outbox"))]
fn open_store(
    _config: &OutboxConfig,
    _does: Does,
    _wait: Duration,
    _for_a_change: bool,
) -> Result<Box<dyn store::Store>> {
    Err(Error::new(ErrorCode::Unavailable, "this build has no outbox"))
}

fn lost() -> Error {
    Error::new(ErrorCode::Internal, "a send ended without a result; this is a bug in hongyan")
}

/// Reads an account's JSON, references replaced by `expand`.
pub fn account_config(value: Value, name: &str) -> Result<AccountConfig> {
    AccountConfig::from_value(value, format!("accounts.{name}"))
}
