//! Requests within limits that all senders of a file share.

use std::time::Duration;

use rusqlite::{Connection, Result, params};

use super::row;
use crate::engine::store::RateLimit;

/// What is under way may be answered at any time: so soon it is worth to ask again.
pub(super) const AGAIN: Duration = Duration::from_millis(25);

/// A request that has leave and stands in no file yet.
#[derive(Clone, Debug)]
pub(super) struct Unsaved {
    pub(super) id: i64,
    pub(super) limits: Vec<RateLimit>,
}

/// How long one more request has to wait for all of its limits.
///
/// What is under way may arrive at any time until its answer is there: it counts as long as that, and for
/// the length of the window from then on.
pub(super) fn ask(
    conn: &Connection,
    limits: &[RateLimit],
    unsaved: &[Unsaved],
    now_ms: u64,
) -> Result<Duration> {
    let now = row::time(now_ms);
    let mut wait = Duration::ZERO;
    for limit in limits {
        let had: i64 = conn
            .prepare_cached(
                "SELECT count(*) FROM requests
                 WHERE scope = ?1 AND (until_ms IS NULL OR until_ms > ?2)",
            )?
            .query_row(params![limit.scope, now], |row| row.get(0))?;
        let more = unsaved.iter().flat_map(|request| &request.limits);
        let had = had + more.filter(|other| other.scope == limit.scope).count() as i64;
        if had < limit.count {
            continue;
        }
        let free = conn
            .prepare_cached(
                "SELECT until_ms - ?2 FROM requests WHERE scope = ?1 AND until_ms > ?2
                 ORDER BY until_ms LIMIT 1 OFFSET ?3",
            )?
            .query_row(params![limit.scope, now, had - limit.count], |row| row.get::<_, i64>(0));
        let free = row::found(free)?
            .map_or(AGAIN, |free| Duration::from_millis(row::ms(free.min(limit.per_ms).max(1))));
        wait = wait.max(free);
    }
    Ok(wait)
}

/// Requests that seem to count for longer than their window is, since the calendar was set back.
const SET_BACK: &str = "scope = ?1 AND until_ms > ?2 + per_ms";

/// True if the calendar was set back, so that nobody would have leave within these limits for as long as that.
pub(super) fn is_set_back(conn: &Connection, limits: &[RateLimit], now_ms: u64) -> Result<bool> {
    let sql = format!("SELECT 1 FROM requests WHERE {SET_BACK} LIMIT 1");
    let mut found = conn.prepare_cached(&sql)?;
    for limit in limits {
        if found.exists(params![limit.scope, row::time(now_ms)])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whatever the calendar was, no request counts for longer than its window from now on.
pub(super) fn follow_calendar(conn: &Connection, limits: &[RateLimit], now_ms: u64) -> Result<()> {
    let sql = format!("UPDATE requests SET until_ms = ?2 + per_ms WHERE {SET_BACK}");
    let mut counts = conn.prepare_cached(&sql)?;
    for limit in limits {
        counts.execute(params![limit.scope, row::time(now_ms)])?;
    }
    Ok(())
}

/// Counts a request that has leave.
pub(super) fn note(conn: &Connection, member: i64, id: i64, limits: &[RateLimit]) -> Result<()> {
    let mut insert = conn.prepare_cached(
        "INSERT OR IGNORE INTO requests (scope, member, id, per_ms) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for limit in limits {
        insert.execute(params![limit.scope, member, id, limit.per_ms])?;
    }
    Ok(())
}

/// Writes down what got leave before.
pub(super) fn save(conn: &Connection, member: i64, unsaved: &[Unsaved]) -> Result<()> {
    unsaved.iter().try_for_each(|request| note(conn, member, request.id, &request.limits))
}

/// A request has its answer, or did not go.
pub(super) fn answered(
    conn: &Connection,
    member: i64,
    id: i64,
    went: bool,
    now_ms: u64,
) -> Result<()> {
    let now = row::time(now_ms);
    if went {
        conn.prepare_cached(
            "UPDATE requests SET until_ms = ?3 + per_ms
             WHERE id = ?1 AND member = ?2 AND until_ms IS NULL",
        )?
        .execute(params![id, member, now])?;
    } else {
        conn.prepare_cached(
            "DELETE FROM requests WHERE id = ?1 AND member = ?2 AND until_ms IS NULL",
        )?
        .execute(params![id, member])?;
    }
    conn.prepare_cached("DELETE FROM requests WHERE until_ms <= ?1")?.execute([now])?;
    Ok(())
}

/// What a member that is gone had under way may have arrived until now.
pub(super) fn end(conn: &Connection, member: i64, now_ms: u64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE requests SET until_ms = ?2 + per_ms WHERE member = ?1 AND until_ms IS NULL",
    )?
    .execute(params![member, row::time(now_ms)])?;
    Ok(())
}
