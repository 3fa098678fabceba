//! The connection that an attempt holds: one at a time, of the host that it speaks to.

use std::sync::Arc;

use url::Url;

use crate::engine::Shared;
use crate::engine::account::Entry;
use crate::engine::account::stats::Why;
use crate::engine::attempt::connections::{Permit, PermitQueue};
use crate::net::{Failure, Way};
use crate::service::api::Wire;

/// The permit for a connection, and of which host.
///
/// Nobody waits for one while he holds another: two accounts that send to each other's hosts would wait
/// for each other.
pub struct HeldPermit {
    permit: Option<Permit>,
    /// The origin of another host than the account's own.
    elsewhere: Option<String>,
}

impl HeldPermit {
    /// One for a connection to the account's own host.
    pub fn own(permit: Permit) -> HeldPermit {
        HeldPermit { permit: Some(permit), elsewhere: None }
    }

    /// None yet.
    pub fn none() -> HeldPermit {
        HeldPermit { permit: None, elsewhere: None }
    }

    /// Gives it back.
    pub fn release(&mut self) {
        self.permit = None;
    }

    /// Takes one for the host of this request, unless it is held already; true if it was not.
    ///
    /// It is waited for as long as for an answer.
    pub async fn take(
        &mut self,
        shared: &Arc<Shared>,
        entry: &Arc<Entry>,
        wire: &Wire,
    ) -> Result<bool, Failure> {
        let url = elsewhere(wire, entry);
        if self.permit.is_some() && url.is_none() && self.elsewhere.is_none() {
            return Ok(false);
        }
        let origin = url.map(|url| url.origin().ascii_serialization());
        if self.permit.is_some() && origin == self.elsewhere {
            return Ok(false);
        }
        self.release();
        let permits = match &origin {
            None => Arc::clone(&entry.permits),
            Some(origin) => shared.accounts.host(origin).queue(),
        };
        self.permit = Some(acquired(shared, entry, &permits).await?);
        self.elsewhere = origin;
        Ok(true)
    }
}

async fn acquired(
    shared: &Shared,
    entry: &Entry,
    permits: &Arc<PermitQueue>,
) -> Result<Permit, Failure> {
    if let Some(permit) = permits.try_acquire() {
        return Ok(permit);
    }
    let _waiting = entry.stats.waiting(Why::Connection);
    let over = shared.clock.sleep_until(shared.clock.now() + shared.timeout);
    tokio::select! {
        biased;
        permit = permits.acquire() => Ok(permit),
        () = over => {
            let words = "no connection to it was free in time".to_owned();
            Err(Failure { way: Way::TimedOut, words })
        }
    }
}

/// The URL of a request that goes elsewhere than to the account's own host.
fn elsewhere<'a>(wire: &'a Wire, entry: &Entry) -> Option<&'a Url> {
    let Wire::Http(request) = wire else { return None };
    let (url, own) = (&request.url, &entry.origin);
    let is_own = url.host_str() == own.host_str()
        && url.port_or_known_default() == own.port_or_known_default()
        && url.scheme() == own.scheme();
    (!is_own).then_some(url)
}

/// The host that a request goes to, for people.
pub fn host<'a>(wire: &'a Wire, entry: &'a Entry) -> &'a str {
    elsewhere(wire, entry).unwrap_or(&entry.origin).host_str().unwrap_or_default()
}
