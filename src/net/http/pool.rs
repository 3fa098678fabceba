//! Connections that carry nothing now, by the host that they go to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::http::uri::PathAndQuery;
use tokio::time::{Instant, sleep_until};
use url::{Position, Url};

use super::connection::Connection;

/// A service that closes a connection after its answer has done so by then.
pub const CLOSES_WITHIN: Duration = Duration::from_millis(3);
/// So many connections that were used again prove that a host keeps them.
const PROVEN: u32 = 3;

/// The idle connections of a client.
///
/// How many there are for a host is the engine's matter, which counts attempts: a new connection is
/// opened only by an attempt that finds no idle one, so that never more are open than attempts were
/// under way at once.
pub struct Pool {
    idle: Duration,
    /// By scheme, name and port.
    hosts: Mutex<BTreeMap<Box<str>, Arc<Host>>>,
    /// True while a task closes what was idle for too long.
    is_reaped: AtomicBool,
}

/// A host, and the connections to it.
pub struct Host {
    /// What requests to it call it.
    pub name: HeaderValue,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many connections were used again since one was lost.
    reuses: u32,
    /// From the one that is idle for longest.
    idle: Vec<Idle>,
    /// What the first request asked for: mostly the next ones ask for the same.
    target: Option<PathAndQuery>,
}

struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

/// A connection that is idle no more.
pub struct PooledConnection {
    pub connection: Box<Connection>,
    /// When its host has had the time to close it after its last answer, if that is yet to come.
    ///
    /// A request on a connection that is about to be closed is lost, and nobody can know whether it
    /// arrived. A host that has not proven yet that it keeps connections is given that time.
    pub settled_at: Option<Instant>,
}

impl Pool {
    /// A pool that closes what is idle for so long.
    pub fn new(idle: Duration) -> Arc<Pool> {
        Arc::new(Pool { idle, hosts: Mutex::default(), is_reaped: AtomicBool::new(false) })
    }

    fn hosts(&self) -> MutexGuard<'_, BTreeMap<Box<str>, Arc<Host>>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host of this URL; none where it cannot stand in a header.
    pub fn host(&self, url: &Url) -> Option<Arc<Host>> {
        let origin = &url[..Position::BeforePath];
        let mut hosts = self.hosts();
        if let Some(host) = hosts.get(origin) {
            return Some(Arc::clone(host));
        }
        let name = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]).ok()?;
        let host = Arc::new(Host { name, state: Mutex::default() });
        hosts.insert(origin.into(), Arc::clone(&host));
        Some(host)
    }

    /// The connection to this host that was used last, if one is idle.
    pub fn take(&self, host: &Host) -> Option<PooledConnection> {
        let mut state = host.state();
        let Idle { connection, since } = state.idle.pop()?;
        let now = Instant::now();
        if now >= since + self.idle {
            // So are all others, which are idle for longer.
            let old = std::mem::take(&mut state.idle);
            drop(state);
            connection.close();
            old.into_iter().for_each(|old| old.connection.close());
            return None;
        }
        let is_proven = state.reuses >= PROVEN;
        let settled_at = Some(since + CLOSES_WITHIN).filter(|at| !is_proven && *at > now);
        Some(PooledConnection { connection, settled_at })
    }

    /// Keeps a connection for the next request to this host.
    pub fn keep(self: &Arc<Self>, host: &Host, mut connection: Box<Connection>) {
        if self.idle.is_zero() {
            return connection.close();
        }
        let since = Instant::now();
        let mut state = host.state();
        if std::mem::replace(&mut connection.is_kept, true) {
            state.reuses = state.reuses.saturating_add(1);
        }
        state.idle.push(Idle { connection, since });
        drop(state);
        if !self.is_reaped.load(Ordering::Relaxed) && !self.is_reaped.swap(true, Ordering::AcqRel) {
            drop(tokio::spawn(reap(Arc::downgrade(self), since + self.idle)));
        }
    }

    /// Closes what is idle for too long; tells when the next will be, if any is idle.
    fn close_old(&self) -> Option<Instant> {
        // Lowered before it looks: whoever keeps a connection from now on has it reaped.
        self.is_reaped.store(false, Ordering::Release);
        let hosts: Vec<_> = self.hosts().values().cloned().collect();
        let (now, mut next) = (Instant::now(), None);
        for host in hosts {
            let mut state = host.state();
            let count = state.idle.partition_point(|idle| now >= idle.since + self.idle);
            let old: Vec<_> = state.idle.drain(..count).collect();
            let oldest = state.idle.first().map(|idle| idle.since + self.idle);
            drop(state);
            next = next.into_iter().chain(oldest).min();
            old.into_iter().for_each(|old| old.connection.close());
        }
        // None is idle, or somebody else has begun another task meanwhile.
        next.filter(|_| !self.is_reaped.swap(true, Ordering::AcqRel))
    }
}

impl Host {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What of a URL stands in a request; none where it cannot.
    pub fn target(&self, url: &Url) -> Option<PathAndQuery> {
        let text = &url[Position::BeforePath..Position::AfterQuery];
        let mut state = self.state();
        if let Some(first) = state.target.as_ref().filter(|first| first.as_str() == text) {
            return Some(first.clone());
        }
        let target = PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(text.as_bytes())).ok();
        // Where each has a signature of its own, none is kept but the first.
        if state.target.is_none() {
            state.target.clone_from(&target);
        }
        target
    }

    /// A connection to it was lost: whether it keeps others is yet to be proven.
    pub fn lost(&self) {
        self.state().reuses = 0;
    }
}

/// Closes connections when they are idle for too long, as long as there are any.
async fn reap(pool: Weak<Pool>, first: Instant) {
    let mut next = Some(first);
    while let Some(at) = next {
        sleep_until(at).await;
        next = pool.upgrade().and_then(|pool| pool.close_old());
    }
}
