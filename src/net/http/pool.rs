//! Connections that carry nothing now, by the host that they go to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::header::HeaderValue;
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
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    hosts: HashMap<Box<str>, Host>,
    /// True while a task closes what was idle for too long.
    is_reaped: bool,
}

struct Host {
    /// What requests to it call it.
    name: HeaderValue,
    /// How many connections were used again since one was lost.
    reuses: u32,
    /// From the one that is idle for longest.
    idle: Vec<Idle>,
}

struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

/// A connection that is idle no more.
pub struct Taken {
    pub connection: Box<Connection>,
    /// When its host has had the time to close it after its last answer, if that is yet to come.
    ///
    /// A request on a connection that is about to be closed is lost, and nobody can know whether it
    /// arrived. A host that has not proven yet that it keeps connections is given that time.
    pub settled_at: Option<Instant>,
}

/// A host, as the pool tells it apart: scheme, name and port.
pub fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

impl Pool {
    /// A pool that closes what is idle for so long.
    pub fn new(idle: Duration) -> Arc<Pool> {
        Arc::new(Pool { idle, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `Host` header of requests to this URL.
    pub fn name(&self, url: &Url) -> Option<HeaderValue> {
        let mut state = self.state();
        if let Some(host) = state.hosts.get(origin(url)) {
            return Some(host.name.clone());
        }
        let name = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]).ok()?;
        let host = Host { name: name.clone(), reuses: 0, idle: Vec::new() };
        state.hosts.insert(origin(url).into(), host);
        Some(name)
    }

    /// The connection to this host that was used last, if one is idle.
    pub fn take(&self, url: &Url) -> Option<Taken> {
        let mut state = self.state();
        let host = state.hosts.get_mut(origin(url))?;
        let Idle { connection, since } = host.idle.pop()?;
        let now = Instant::now();
        if now >= since + self.idle {
            // So are all others, which are idle for longer.
            let old: Vec<_> = host.idle.drain(..).collect();
            drop(state);
            connection.close();
            old.into_iter().for_each(|old| old.connection.close());
            return None;
        }
        let settled_at = Some(since + CLOSES_WITHIN).filter(|at| host.reuses < PROVEN && *at > now);
        Some(Taken { connection, settled_at })
    }

    /// Keeps a connection for the next request to this host.
    pub fn keep(self: &Arc<Self>, url: &Url, mut connection: Box<Connection>) {
        if self.idle.is_zero() {
            return connection.close();
        }
        let since = Instant::now();
        let mut state = self.state();
        let Some(host) = state.hosts.get_mut(origin(url)) else { return };
        if std::mem::replace(&mut connection.is_kept, true) {
            host.reuses = host.reuses.saturating_add(1);
        }
        host.idle.push(Idle { connection, since });
        if !std::mem::replace(&mut state.is_reaped, true) {
            drop(state);
            drop(tokio::spawn(reap(Arc::downgrade(self), since + self.idle)));
        }
    }

    /// A connection of this host was lost: whether it keeps others is yet to be proven.
    pub fn lost(&self, url: &Url) {
        if let Some(host) = self.state().hosts.get_mut(origin(url)) {
            host.reuses = 0;
        }
    }

    /// Closes what is idle for too long; tells when the next will be, if any is idle.
    fn close_old(&self) -> Option<Instant> {
        let mut old = Vec::new();
        let mut state = self.state();
        let now = Instant::now();
        for host in state.hosts.values_mut() {
            let count = host.idle.partition_point(|idle| now >= idle.since + self.idle);
            old.extend(host.idle.drain(..count));
        }
        let oldest =
            state.hosts.values().filter_map(|host| host.idle.first()).map(|idle| idle.since);
        let next = oldest.min().map(|since| since + self.idle);
        state.is_reaped = next.is_some();
        drop(state);
        old.into_iter().for_each(|old| old.connection.close());
        next
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
