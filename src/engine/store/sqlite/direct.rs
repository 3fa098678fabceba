//! Rows that stand for their key and their line only: a caller waits for the result.

use std::collections::BTreeSet;

use rusqlite::{Connection, Result, params};

use super::{Sqlite, row};
use crate::engine::store::{Ready, Seq, State};
use crate::model::error;

/// Takes out what an earlier owner left and had not begun: no caller waits for it any more.
pub(super) fn sweep(store: &mut Sqlite) -> error::Result<()> {
    let left: Vec<String> = store.read("look for callers that are gone in", |conn| {
        conn.prepare("SELECT id FROM messages WHERE direct IS NOT NULL AND state <> 4")?
            .query_map([], |row| row.get(0))?
            .collect()
    })?;
    if left.is_empty() {
        return Ok(());
    }
    // At no time at all, so that nothing is due: what goes on by that is released when it is looked for.
    store.transact("take callers that are gone out of", 0, |batch| {
        left.iter().try_for_each(|id| batch.drop_row(id).map(drop))
    })
}

/// Direct rows whose turn it is, and what others of them wait for.
pub(super) fn called(conn: &Connection, earlier: Seq) -> Result<Vec<Ready>> {
    let mut seqs = BTreeSet::new();
    let mut waiting = conn.prepare_cached(
        "SELECT DISTINCT state, account, line, follows, iif(state = 0, seq, NULL)
         FROM messages INDEXED BY messages_direct WHERE direct IS NOT NULL AND state < 4",
    )?;
    let mut rows = waiting.query([])?;
    while let Some(waits) = rows.next()? {
        let (account, line): (String, Option<String>) = (waits.get(1)?, waits.get(2)?);
        match row::state(waits, 0)? {
            State::Following => {
                let leader: String = waits.get(3)?;
                let Some(leader) = row::by_id(conn, &leader)? else { continue };
                match leader.state {
                    State::InLine => seqs.extend(first(conn, &account, leader.line.as_deref())?),
                    _ => drop(seqs.insert(leader.seq)),
                }
            }
            State::InLine => seqs.extend(first(conn, &account, line.as_deref())?),
            _ => seqs.extend(waits.get::<_, Option<Seq>>(4)?),
        }
    }
    let sql = format!("SELECT {} FROM messages WHERE seq = ?1 AND state IN (0, 4)", row::READY);
    let mut ready = conn.prepare_cached(&sql)?;
    let mut called = Vec::with_capacity(seqs.len());
    for seq in seqs {
        called.extend(row::found(ready.query_row([seq], |row| row::ready(row, earlier)))?);
    }
    Ok(called)
}

/// The first row of a line.
fn first(conn: &Connection, account: &str, line: Option<&str>) -> Result<Option<Seq>> {
    let first = conn
        .prepare_cached(
            "SELECT seq FROM messages INDEXED BY messages_place
             WHERE account = ?1 AND line = ?2 AND place IS NOT NULL ORDER BY place LIMIT 1",
        )?
        .query_row(params![account, line], |row| row.get(0));
    row::found(first)
}
