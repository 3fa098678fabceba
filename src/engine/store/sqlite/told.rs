//! What services said to one sender of a file and what holds for all of them.

use rusqlite::{Connection, Result, params};

use super::row;
use crate::engine::store::Told;

/// For so long after it is over what has words is remembered: a stop holds until a message was tried.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Keeps what was said, in the place of what was said before about the same.
pub(super) fn tell(conn: &Connection, told: &Told, now_ms: u64) -> Result<()> {
    conn.prepare_cached("DELETE FROM told WHERE until_ms <= ?1 - iif(words IS NULL, 0, ?2)")?
        .execute(params![row::time(now_ms), DAY_MS])?;
    let number: i64 = conn
        .prepare_cached("UPDATE meta SET told = told + 1 RETURNING told")?
        .query_row([], |row| row.get(0))?;
    conn.prepare_cached(
        "INSERT INTO told (about, number, until_ms, words) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (about) DO UPDATE SET number = excluded.number, words = excluded.words,
             until_ms = iif(excluded.words IS NULL, max(until_ms, excluded.until_ms), excluded.until_ms)",
    )?
    .execute(params![told.about, number, row::time(told.until_ms), told.words])?;
    Ok(())
}

/// What was said after this number.
pub(super) fn after(conn: &Connection, number: i64) -> Result<Vec<Told>> {
    conn.prepare_cached(
        "SELECT about, until_ms, words FROM told WHERE number > ?1 ORDER BY number",
    )?
    .query_map([number], |row| {
        Ok(Told { about: row.get(0)?, until_ms: row::ms(row.get(1)?), words: row.get(2)? })
    })?
    .collect()
}
