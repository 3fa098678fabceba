//! Connections that carry no mail now, by their server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::connection::Connection;
use crate::service::api::Mail;

/// What was idle for longer is asked whether it is still there.
const LONG: Duration = Duration::from_secs(1);

/// The idle connections of a client; how many there are at most, the engine's permits decide.
pub struct Pool {
    idle: Duration,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By server; from the one that is idle for longest.
    by_server: HashMap<String, Vec<(Connection, Instant)>>,
    /// True while a task closes what was idle for too long.
    is_reaped: bool,
}

/// A connection that is idle no more.
pub struct Taken {
    pub connection: Connection,
    /// True if it should be asked before it is used.
    pub is_idle_for_long: bool,
}

impl Pool {
    /// A pool that closes what is idle for so long.
    pub fn new(idle: Duration) -> Arc<Pool> {
        Arc::new(Pool { idle, kept: Mutex::default() })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection for this mail that was used last, if one is idle: to its server, and with its login.
    pub fn take(&self, mail: &Mail) -> Option<Taken> {
        let mut kept = self.kept();
        let idle = kept.by_server.get_mut(mail.server.as_str())?;
        let is_own = |(connection, _): &(Connection, _)| match (&connection.login, &mail.login) {
            (Some(own), Some(login)) => Arc::ptr_eq(own, login),
            (own, login) => own.is_none() && login.is_none(),
        };
        let (connection, since) = idle.remove(idle.iter().rposition(is_own)?);
        let now = Instant::now();
        let is_usable = now < since + self.idle;
        is_usable.then(|| Taken { connection, is_idle_for_long: now >= since + LONG })
    }

    /// Keeps a connection for the next mail to this server.
    pub fn keep(self: &Arc<Self>, mail: &Mail, connection: Connection) {
        if self.idle.is_zero() {
            return;
        }
        let since = Instant::now();
        let mut kept = self.kept();
        kept.by_server.entry(mail.server.to_string()).or_default().push((connection, since));
        if !std::mem::replace(&mut kept.is_reaped, true) {
            drop(tokio::spawn(reap(Arc::downgrade(self), since + self.idle)));
        }
    }

    /// Takes out what is idle for too long; tells when the next will be, if any is idle.
    fn take_old(&self) -> (Vec<Connection>, Option<Instant>) {
        let (now, mut kept, mut old) = (Instant::now(), self.kept(), Vec::new());
        for idle in kept.by_server.values_mut() {
            let count = idle.partition_point(|(_, since)| now >= *since + self.idle);
            old.extend(idle.drain(..count).map(|(connection, _)| connection));
        }
        kept.by_server.retain(|_, idle| !idle.is_empty());
        let next = kept.by_server.values().filter_map(|idle| idle.first()).map(|(_, since)| *since);
        let next = next.min().map(|since| since + self.idle);
        kept.is_reaped = next.is_some();
        (old, next)
    }
}

/// Closes what was idle for too long, until nothing is kept.
async fn reap(pool: Weak<Pool>, mut at: Instant) {
    loop {
        sleep_until(at).await;
        let Some((old, next)) = pool.upgrade().map(|pool| pool.take_old()) else { return };
        for connection in old {
            connection.close().await;
        }
        let Some(next) = next else { return };
        at = next;
    }
}
