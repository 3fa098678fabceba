//! The leave of all senders of one outbox for one more request, where that outbox is a database.

use std::sync::Arc;
use std::time::Duration;

use super::Window;
use crate::engine::account::halt::PROBE_AFTER;
use crate::engine::custody::Custody;
use crate::engine::results::queue::closed;
use crate::engine::store::RateLimit;
use crate::model::error::Result;

/// Leave for one request, until its answer is there: from then on it counts for the length of its windows.
pub struct Leave {
    custody: Arc<dyn Custody>,
    id: i64,
    /// It was sent; otherwise it never counted.
    pub(super) went: bool,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.custody.paced(self.id, self.went);
    }
}

/// What all senders together say.
pub enum Asked {
    /// It may go; with leave, where there are others.
    Go(Option<Leave>),
    /// Not before so long.
    Wait(Duration),
}

/// Asks all senders of an outbox for leave to try whether a stopped account is of use again; how long that has to
/// wait, if another has tried.
pub async fn ask_to_try(custody: Arc<dyn Custody>, id: i64, account: &str) -> Result<Duration> {
    let per_ms = i64::try_from(PROBE_AFTER.as_millis()).unwrap_or(i64::MAX);
    let once = RateLimit { scope: format!("probe/{account}"), count: 1, per_ms };
    let mut leave = Leave { custody: Arc::clone(&custody), id, went: false };
    let wait = custody.pace(id, vec![once]).await.map_err(|_| closed())?;
    // It counts from now on, whatever becomes of it.
    leave.went = wait.is_zero();
    Ok(wait)
}

/// Asks all senders of an outbox whether one more request may go through these windows; its number is by chance.
pub async fn ask(
    outbox: Option<(Arc<dyn Custody>, i64)>,
    windows: &[Arc<Window>],
) -> Result<Asked> {
    let Some((custody, id)) = outbox else { return Ok(Asked::Go(None)) };
    let limits: Vec<_> = windows
        .iter()
        .filter_map(|window| window.shared())
        .map(|(scope, limit)| RateLimit {
            scope: scope.to_owned(),
            count: i64::try_from(limit.count).unwrap_or(i64::MAX),
            per_ms: i64::try_from(limit.per.as_millis()).unwrap_or(i64::MAX),
        })
        .collect();
    if limits.is_empty() {
        return Ok(Asked::Go(None));
    }
    // Kept from here on: where this is cut off in the middle, the leave is given back.
    let leave = Leave { custody: Arc::clone(&custody), id, went: false };
    let wait = custody.pace(id, limits).await.map_err(|_| closed())?;
    Ok(match wait.is_zero() {
        true => Asked::Go(Some(leave)),
        false => Asked::Wait(wait),
    })
}
