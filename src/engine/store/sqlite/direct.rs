//! Rows that stand for their key and their line only: a caller waits for the result.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result, params};

use super::batch::Batch;
use super::row;
use crate::engine::store::{Seq, State};

/// Takes out what a member left that is gone, and had not begun: no caller waits for it any more.
pub(super) fn sweep(batch: &mut Batch<'_>, of: Option<i64>) -> Result<()> {
    let left: Vec<String> = batch
        .conn
        .prepare_cached(
            "SELECT id FROM messages INDEXED BY messages_direct
             WHERE direct IS NOT NULL AND state <> 4 AND home = coalesce(?1, home)",
        )?
        .query_map([of], |row| row.get(0))?
        .collect::<Result<_>>()?;
    left.iter().try_for_each(|id| batch.drop_row(id).map(drop))
}

/// Direct rows of this member whose turn it is (true), and what others of them wait for.
pub(super) fn called(conn: &Connection, member: i64) -> Result<Vec<(Seq, bool)>> {
    let mut seqs = BTreeMap::new();
    let mut waiting = conn.prepare_cached(
        "SELECT DISTINCT state, account, line, follows, iif(state = 0, seq, NULL)
         FROM messages INDEXED BY messages_direct
         WHERE direct IS NOT NULL AND state < 4 AND home = ?1",
    )?;
    let mut rows = waiting.query([member])?;
    while let Some(waits) = rows.next()? {
        let (account, line): (String, Option<String>) = (waits.get(1)?, waits.get(2)?);
        let (found, own) = match row::state(waits, 0)? {
            State::Following => {
                let leader: String = waits.get(3)?;
                let Some(leader) = row::by_id(conn, &leader)? else { continue };
                match leader.state {
                    State::InLine => (first(conn, &account, leader.line.as_deref())?, false),
                    _ => (Some(leader.seq), false),
                }
            }
            State::InLine => (first(conn, &account, line.as_deref())?, false),
            _ => (waits.get::<_, Option<Seq>>(4)?, true),
        };
        if let Some(seq) = found {
            *seqs.entry(seq).or_default() |= own;
        }
    }
    // Others than its member have nothing to do with what a caller waits for.
    let mut others = conn.prepare_cached(
        "SELECT 1 FROM messages WHERE seq = ?1 AND direct IS NOT NULL AND home <> ?2 AND state <> 4",
    )?;
    let mut called = Vec::with_capacity(seqs.len());
    for (seq, own) in seqs {
        if !others.exists(params![seq, member])? {
            called.push((seq, own));
        }
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
