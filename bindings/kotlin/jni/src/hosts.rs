//! The clients that are open, by number.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use hongyan::{Error, ErrorCode, Result};

use crate::host::Host;

/// Numbers are given once, so that a stale one finds nothing.
struct Hosts {
    last: i64,
    open: BTreeMap<i64, Arc<Host>>,
}

static HOSTS: Mutex<Hosts> = Mutex::new(Hosts { last: 0, open: BTreeMap::new() });

fn hosts() -> MutexGuard<'static, Hosts> {
    HOSTS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Keeps a client; its number.
pub fn keep(host: Host) -> i64 {
    let mut hosts = hosts();
    hosts.last += 1;
    let number = hosts.last;
    hosts.open.insert(number, Arc::new(host));
    number
}

/// The client of this number; `closed` once it is freed.
pub fn find(number: i64) -> Result<Arc<Host>> {
    let found = hosts().open.get(&number).cloned();
    found.ok_or_else(|| Error::new(ErrorCode::Closed, "the client is closed"))
}

/// Frees a client; calls that are inside it return.
pub fn free(number: i64) {
    let host = hosts().open.remove(&number);
    if let Some(host) = host {
        host.end();
    }
}
