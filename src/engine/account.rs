//! The accounts of a client, which may change while it runs.

pub mod channels;
pub mod halt;
pub mod recipients;
pub mod stats;
pub mod tokens;

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::task::Poll;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use url::Url;

use crate::engine::account::channels::Channels;
use crate::engine::account::halt::{Halt, Probe};
use crate::engine::account::recipients::Recipients;
use crate::engine::account::stats::AccountStats;
use crate::engine::account::tokens::{Sessions, Tokens};
use crate::engine::attempt::connections::{Connections, PermitQueue};
use crate::engine::attempt::pace::{Limit, Window, Windows};
use crate::model::config::{AccountConfig, Rate};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, To};
use crate::model::redact::Redactor;
use crate::net::{Clock, Route};
use crate::service;
use crate::service::api::{Account, Opened, ScopeKey};
use crate::service::info::{self, Info, Scope};
use crate::service::verdict::Row;

/// Beyond this many hosts, those that nobody speaks to are forgotten.
const MOST_HOSTS: usize = 1000;
/// How many accounts are named where one was not found.
const NAMED: usize = 20;

/// One account, as it is now.
pub struct Entry {
    pub name: Arc<str>,
    pub info: &'static Info,
    /// What the codes of its service mean.
    pub table: &'static [Row],
    pub account: Arc<dyn Account>,
    /// Where its messages go; accounts that send to the same place share it.
    pub origin: Arc<Url>,
    /// Whose limits it shares.
    identity: Box<str>,
    /// The recipient of messages that name none.
    pub to: To,
    /// The way through its own proxy, where it has one.
    pub route: Option<Route>,
    /// True if the URL of its requests is a secret as a whole.
    pub hides_url: bool,
    /// What must be masked in everything that its service says.
    pub redactor: Arc<Redactor>,
    pub max_in_flight: Option<usize>,
    rate: Rate,
    /// The windows that do not depend on the recipient, from narrow to wide.
    windows: Vec<Arc<Window>>,
    /// Its own way to the connections of its host, which other accounts may speak to as well.
    pub permits: Arc<PermitQueue>,
    /// Kept when the account is replaced.
    pub in_flight: Arc<AtomicUsize>,
    pub stats: Arc<AccountStats>,
    /// Who sends, to which service and where: a doubt is resent only by the same.
    pub sender: Arc<str>,
    /// The tokens that its exchanges carry, where its service wants them.
    pub tokens: Option<Arc<Tokens>>,
    /// Whether its service has stopped it.
    pub halt: Arc<Halt>,
    /// True once the account was replaced or removed.
    outdated: AtomicBool,
    /// Seconds that the service's clock is ahead of ours, once it refused ours and was right.
    skew: AtomicI64,
}

impl Entry {
    /// The windows that a message with these keys goes through, from narrow to wide.
    pub fn windows(
        &self,
        windows: &Windows,
        keys: &[ScopeKey],
        clock: &dyn Clock,
    ) -> Vec<Arc<Window>> {
        let rates = match self.rate {
            Rate::Documented => self.info.rates,
            _ => &[],
        };
        let keyed = in_order(keys).into_iter().flat_map(|key| {
            rates.iter().filter(|rate| rate.scope == key.scope).map(|rate| {
                let scope = scope_name(self.info, rate.scope, &self.identity);
                window(windows, format!("{scope}/{}", key.key), rate, clock.now())
            })
        });
        keyed.chain(self.windows.iter().cloned()).collect()
    }

    /// True once the account was replaced or removed.
    pub fn is_outdated(&self) -> bool {
        self.outdated.load(Ordering::Acquire)
    }

    /// The same account for a question of ours, which no rate and no counter is for; `with_token`: the
    /// question is asked with one.
    pub fn asking(&self, account: Arc<dyn Account>, with_token: bool) -> Entry {
        Entry {
            name: Arc::clone(&self.name),
            info: self.info,
            table: self.table,
            account,
            origin: Arc::clone(&self.origin),
            identity: self.identity.clone(),
            to: To::default(),
            route: self.route.clone(),
            hides_url: self.hides_url,
            redactor: Arc::clone(&self.redactor),
            max_in_flight: self.max_in_flight,
            rate: Rate::Unlimited,
            windows: Vec::new(),
            permits: Arc::clone(&self.permits),
            in_flight: Arc::default(),
            stats: Arc::default(),
            sender: Arc::clone(&self.sender),
            tokens: self.tokens.clone().filter(|_| with_token),
            // What is stopped may be asked whether it works again.
            halt: Arc::default(),
            outdated: AtomicBool::new(false),
            skew: AtomicI64::new(self.skew()),
        }
    }

    /// Gives a message that names no recipient the account's own.
    pub fn address(&self, message: &mut Message) {
        if message.to.is_empty() && !self.to.is_empty() {
            message.to = self.to.clone();
        }
    }

    pub fn skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    pub fn set_skew(&self, skew: i64) {
        self.skew.store(skew, Ordering::Relaxed);
    }
}

/// The keys in an order that all messages share, each once: nobody waits in a circle then, nor for
/// himself. Limits that are the account's own are not counted twice.
fn in_order(keys: &[ScopeKey]) -> Vec<&ScopeKey> {
    let is_keyed = |key: &&ScopeKey| matches!(key.scope, Scope::Group | Scope::Recipient);
    let mut keys: Vec<_> = keys.iter().filter(is_keyed).collect();
    keys.sort_unstable_by_key(|key| (key.scope, &*key.key));
    keys.dedup();
    keys
}

fn scope_name(info: &Info, scope: Scope, identity: &str) -> String {
    match scope {
        Scope::Ip => info.name.to_owned(),
        // The name is kept in memory: not a token itself, which might be one.
        _ => format!("{}/{:x}", info.name, hash(identity)),
    }
}

fn window(windows: &Windows, scope: String, rate: &info::Rate, now: Duration) -> Arc<Window> {
    let per = Duration::from_millis(u64::from(rate.per_ms));
    let own = rate.scope == Scope::Account;
    let here = rate.scope == Scope::Ip;
    let limit = Limit { count: rate.count as usize, per, codes: rate.codes, own, here };
    // A scope may have several: so many a second, and so many a minute.
    windows.get(format!("{scope}/{:?}/{}", rate.scope, rate.per_ms), limit, now)
}

/// The windows of an account that do not depend on the recipient.
fn own_windows(
    windows: &Windows,
    name: &str,
    rate: Rate,
    info: &Info,
    identity: &str,
    now: Duration,
) -> Vec<Arc<Window>> {
    match rate {
        Rate::Unlimited => Vec::new(),
        Rate::Limit { count, per } => {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let limit = Limit { count, per, codes: &[], own: true, here: false };
            vec![windows.get(format!("account/{name}"), limit, now)]
        }
        Rate::Documented => {
            let rates = [Scope::Account, Scope::App, Scope::Ip]
                .into_iter()
                .flat_map(|scope| info.rates.iter().filter(move |rate| rate.scope == scope));
            let name_of = |rate: &info::Rate| scope_name(info, rate.scope, identity);
            let documented = rates.map(|rate| window(windows, name_of(rate), rate, now));
            // Without a limit of its own an account can still be told to slow down.
            let brake = info.rates.iter().all(|rate| rate.scope != Scope::Account);
            let brake = brake.then(|| windows.get(format!("brake/{name}"), Limit::NONE, now));
            brake.into_iter().chain(documented).collect()
        }
    }
}

/// A name for who sends to which service and where, without anything of it that might be a secret.
fn sender(info: &Info, opened: &Opened) -> Arc<str> {
    let mut hash = Sha256::new();
    for part in ["hongyan sender 1", info.name, opened.origin.as_str(), &opened.sender] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    // A message that names no recipient would go to another one when it is sent again.
    for (kind, name) in opened.to.iter() {
        hash.update(format!("{} {} {name}", kind.name(), name.len()));
    }
    let digest: [u8; 32] = hash.finalize().into();
    let number = u128::from_be_bytes(*digest.first_chunk().expect("it is longer"));
    format!("{} {number:032x}", info.name).into()
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The accounts by their names.
pub struct Accounts {
    entries: RwLock<BTreeMap<Arc<str>, Arc<Entry>>>,
    hosts: Mutex<BTreeMap<String, Arc<Connections>>>,
    /// The last place that each service was sent to, which is that of most of its accounts.
    places: Mutex<BTreeMap<&'static str, Arc<Url>>>,
    sessions: Sessions,
    /// The ids of channels that steps gave.
    pub channels: Channels,
    /// Of those that others send with.
    pub recipients: Recipients,
    max_connections: usize,
    changed: Notify,
    changes: AtomicU64,
}

impl Accounts {
    pub fn new(max_connections: usize) -> Accounts {
        Accounts {
            entries: RwLock::default(),
            hosts: Mutex::default(),
            places: Mutex::default(),
            sessions: Sessions::default(),
            channels: Channels::default(),
            recipients: Recipients::default(),
            max_connections,
            changed: Notify::new(),
            changes: AtomicU64::new(0),
        }
    }

    /// The account of this name.
    pub fn get(&self, name: &str) -> Option<Arc<Entry>> {
        self.entries.read().unwrap_or_else(|p| p.into_inner()).get(name).cloned()
    }

    /// Every account, by name.
    pub fn all(&self) -> Vec<Arc<Entry>> {
        self.entries.read().unwrap_or_else(|p| p.into_inner()).values().cloned().collect()
    }

    /// The error of a message from an account that there is not; the known ones are told.
    pub fn unknown(&self, name: &str) -> Error {
        let entries = self.entries.read().unwrap_or_else(|p| p.into_inner());
        let mut known: Vec<&str> = entries.keys().map(|name| &**name).take(NAMED).collect();
        if entries.len() > NAMED {
            known.push("…");
        }
        let known = match known.is_empty() {
            true => "there are no accounts yet".to_owned(),
            false => format!("the accounts are {}", known.join(", ")),
        };
        let words = format!("there is no account {name:?}");
        Error::new(ErrorCode::Message, words).at("account").hint(known)
    }

    /// What one account may have in flight by default: half of it all where it is not alone.
    pub fn share(&self, all: usize) -> usize {
        match self.entries.read().unwrap_or_else(|p| p.into_inner()).len() {
            0 | 1 => all,
            _ => (all / 2).max(1),
        }
    }

    /// Adds an account or replaces the one of that name.
    #[cfg(test)]
    pub fn set(
        &self,
        name: &str,
        config: AccountConfig,
        windows: &Windows,
        now: Duration,
    ) -> Result<()> {
        self.put(name, config, None, windows, now)
    }

    /// Adds an account or replaces the one of that name; it has a proxy of its own if it has a route.
    pub fn put(
        &self,
        name: &str,
        config: AccountConfig,
        route: Option<Route>,
        windows: &Windows,
        now: Duration,
    ) -> Result<()> {
        let (max_in_flight, rate) = (config.max_in_flight, config.rate);
        let (service, mut opened) = service::open(config)?;
        let secrets = route.iter().flat_map(Route::secrets);
        secrets.for_each(|secret| opened.redactor.add(&secret));
        opened.redactor.shrink();
        let info = service.info;
        let origin = opened.origin.origin().ascii_serialization();
        let session = opened.account.session().map(|session| session.key());
        // Through a proxy of its own an account asks for itself alone.
        let own = route.as_ref().map_or("", |_| name);
        let tokens = session.map(|key| self.sessions.of([info.name, &origin, &key, own]));
        let host = self.host(&origin);
        let place = self.place(info, opened.origin.clone());
        let old = self.get(name);
        let permits = match &old {
            Some(old) if old.permits.is_of(&host) => Arc::clone(&old.permits),
            _ => host.queue(),
        };
        let entry = Entry {
            name: name.into(),
            permits,
            windows: own_windows(windows, name, rate, info, &opened.identity, now),
            sender: sender(info, &opened),
            info,
            table: service.table,
            account: opened.account,
            origin: place,
            identity: opened.identity.into(),
            to: opened.to,
            route,
            hides_url: opened.hides_url,
            redactor: Arc::new(opened.redactor),
            max_in_flight,
            rate,
            in_flight: old.as_ref().map(|old| Arc::clone(&old.in_flight)).unwrap_or_default(),
            stats: old.as_ref().map(|old| Arc::clone(&old.stats)).unwrap_or_default(),
            tokens,
            halt: Arc::default(),
            outdated: AtomicBool::new(false),
            skew: AtomicI64::new(0),
        };
        let mut entries = self.entries.write().unwrap_or_else(|p| p.into_inner());
        let old = entries.insert(Arc::clone(&entry.name), Arc::new(entry));
        drop(entries);
        old.inspect(|old| old.outdated.store(true, Ordering::Release));
        self.has_changed();
        Ok(())
    }

    /// Where messages go, shared with the account before if that is the same.
    fn place(&self, info: &'static Info, origin: Url) -> Arc<Url> {
        let mut places = self.places.lock().unwrap_or_else(|p| p.into_inner());
        match places.get(info.name) {
            Some(last) if **last == origin => Arc::clone(last),
            _ => {
                let origin = Arc::new(origin);
                places.insert(info.name, Arc::clone(&origin));
                origin
            }
        }
    }

    /// The connections to the host of this origin, which all share who speak to it.
    pub fn host(&self, origin: &str) -> Arc<Connections> {
        let mut hosts = self.hosts.lock().unwrap_or_else(|p| p.into_inner());
        if let Some(host) = hosts.get(origin) {
            return Arc::clone(host);
        }
        if hosts.len() >= MOST_HOSTS {
            hosts.retain(|_, host| Arc::strong_count(host) > 1);
        }
        let host = Arc::new(Connections::new(self.max_connections));
        hosts.insert(origin.to_owned(), Arc::clone(&host));
        host
    }

    /// Those who wait look anew whether their account is what it was.
    pub fn has_changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// How often an account has changed, and what is over when one does after this was called.
    pub fn changes(&self) -> (u64, Notified<'_>) {
        let next = self.changed.notified();
        (self.changes.load(Ordering::Acquire), next)
    }

    /// Takes an account away.
    pub fn remove(&self, name: &str) -> Result<()> {
        let removed = self.entries.write().unwrap_or_else(|p| p.into_inner()).remove(name);
        let Some(removed) = removed else {
            return Err(Error::new(ErrorCode::Config, format!("there is no account {name:?}")));
        };
        removed.outdated.store(true, Ordering::Release);
        self.has_changed();
        Ok(())
    }

    /// The account that a waiting message is sent with now; none where its service has stopped it, save
    /// for the message that tries.
    pub fn current(&self, was: &Arc<Entry>, probe: Option<&Probe>) -> Result<Arc<Entry>> {
        if !was.is_outdated() {
            return was.halt.check(probe).map(|()| Arc::clone(was));
        }
        let name = &was.name;
        let Some(entry) = self.get(name) else {
            return Err(Error::new(ErrorCode::Config, format!("the account {name:?} was removed")));
        };
        if entry.info.name != was.info.name {
            let (old, new) = (was.info.name, entry.info.name);
            let words = format!("the account {name:?} was of {old} and is now of {new}");
            return Err(Error::new(ErrorCode::Config, words));
        }
        entry.halt.check(probe).map(|()| entry)
    }

    /// Waits for `future`, or for the account to go.
    ///
    /// It is pinned by its caller: what is given by value stands twice in the future of a message that
    /// waits.
    pub async fn unless_gone<F: Future + ?Sized>(
        &self,
        was: &Arc<Entry>,
        probe: Option<&Probe>,
        mut future: Pin<&mut F>,
    ) -> Result<F::Output> {
        self.current(was, probe)?;
        // What need not wait need not watch.
        let at_once = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(value) = at_once {
            return Ok(value);
        }
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            self.current(was, probe)?;
            tokio::select! {
                biased;
                value = &mut future => return Ok(value),
                () = &mut changed => {}
            }
        }
    }
}
