//! What a member takes into its hands: no other gets it before that one gives it back, ends it, or is gone.
//!
//! The row of what is in somebody's hands says in whose. But one that alone sends (it is `sole`) takes messages
//! that nobody holds without writing that down: others, who could take them as well, wait until it has
//! written down what it has (see `members.rs`).

use std::time::Duration;

use rusqlite::{Connection, Result as Asked, ToSql, params};

use super::batch::done;
use super::rates::{self, Unsaved};
use super::sign::Called;
use super::{Sqlite, direct, row, sole};
use crate::engine::store::{Applied, Change, Ready, Seq, StoredResult, Verdict};
use crate::model::error::Result;

/// Of the messages that are queued: what nobody holds, and whoever waits for it has not called.
const FREE: &str = "state = 0 AND holder IS NULL AND direct IS NULL";

/// Messages of an account, in the order of their turns.
pub(super) fn ready(store: &mut Sqlite, account: &str, most: usize) -> Result<Vec<Ready>> {
    let what = "read the queue from";
    let select = |columns: &str| {
        format!(
            "SELECT {columns} FROM messages INDEXED BY messages_turn
             WHERE account = ?1 AND turn > ?2 AND turn IS NOT NULL AND {FREE} ORDER BY turn LIMIT ?3"
        )
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    if !store.membership.sole {
        let sql = select("seq");
        return take(store, what, &sql, &[&account, &0, &most], true);
    }
    let sql = select(row::READY);
    let mut found = Vec::new();
    loop {
        let after = store.cursors.get(account).copied().unwrap_or(0);
        let left = most - found.len() as i64;
        let rows = read(store, what, &sql, &[&account, &after, &left])?;
        let is_last = (rows.len() as i64) < left;
        if let Some(last) = rows.last() {
            store.cursors.insert(account.to_owned(), last.turn);
        }
        found.extend(rows.into_iter().filter(|row| hold(store, row)));
        if is_last || found.len() as i64 >= most {
            return Ok(found);
        }
    }
}

/// What members that are gone had begun.
pub(super) fn begun(store: &mut Sqlite) -> Result<Vec<Ready>> {
    let what = "read what was begun from";
    let select = |columns: &str| {
        format!(
            "SELECT {columns} FROM messages INDEXED BY messages_begun
             WHERE state = 4 AND holder IS NULL ORDER BY seq"
        )
    };
    if !store.membership.sole {
        return take(store, what, &select("seq"), &[], true);
    }
    let rows = read(store, what, &select(row::READY), &[])?;
    Ok(rows.into_iter().filter(|row| hold(store, row)).collect())
}

/// Messages whose deadline is past.
pub(super) fn overdue(store: &mut Sqlite, now_ms: u64, most: usize) -> Result<Vec<Ready>> {
    let what = "read deadlines from";
    let select = |columns: &str| {
        format!(
            "SELECT {columns} FROM messages INDEXED BY messages_expires
             WHERE expires_ms <= ?1 AND state < 4 AND holder IS NULL AND direct IS NULL
             ORDER BY expires_ms, seq LIMIT ?2"
        )
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let now = row::time(now_ms);
    if !store.membership.sole {
        return take(store, what, &select("seq"), &[&now, &most], true);
    }
    let rows = read(store, what, &select(row::READY), &[&now, &most])?;
    Ok(rows.into_iter().filter(|row| hold(store, row)).collect())
}

/// Messages of an account that nobody has in his hands, whatever they wait for. One that alone sends gets
/// those as well that it has.
pub(super) fn unfinished(
    store: &mut Sqlite,
    account: &str,
    after: Seq,
    most: usize,
) -> Result<Vec<Ready>> {
    let what = "read messages from";
    let select = |columns: &str| {
        format!(
            "SELECT {columns} FROM messages
             WHERE account = ?1 AND state < 3 AND holder IS NULL AND seq > ?2 AND direct IS NULL
             ORDER BY seq LIMIT ?3"
        )
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    if !store.membership.sole {
        return take(store, what, &select("seq"), &[&account, &after, &most], true);
    }
    let rows = read(store, what, &select(row::READY), &[&account, &after, &most])?;
    for row in &rows {
        hold(store, row);
    }
    Ok(rows)
}

/// One message that is not begun, if nobody else has it.
pub(super) fn unbegun(store: &mut Sqlite, seq: Seq) -> Result<Option<Ready>> {
    let what = "read a message from";
    let select = |columns: &str| {
        format!(
            "SELECT {columns} FROM messages
             WHERE seq = ?1 AND state < 4 AND (holder IS NULL OR holder = ?2)"
        )
    };
    let member = store.membership.number;
    if !store.membership.sole {
        return Ok(take(store, what, &select("seq"), &[&seq, &member], true)?.pop());
    }
    let row = read(store, what, &select(row::READY), &[&seq, &member])?.pop();
    if let Some(row) = &row {
        hold(store, row);
    }
    Ok(row)
}

/// Direct messages of this member whose turn it is, and what they wait for.
pub(super) fn called(store: &mut Sqlite) -> Result<Vec<Ready>> {
    let member = store.membership.number;
    let seqs = store.read("read who is called from", |conn| direct::called(conn, member))?;
    let (own, others): (Vec<_>, Vec<_>) = seqs.into_iter().partition(|(_, own)| *own);
    let sql = |columns: &str, seqs: &[(Seq, bool)]| {
        let seqs: Vec<_> = seqs.iter().map(|(seq, _)| seq.to_string()).collect();
        format!(
            "SELECT {columns} FROM messages
             WHERE seq IN ({}) AND state IN (0, 4) AND (holder IS NULL OR holder = ?1) ORDER BY seq",
            seqs.join(", ")
        )
    };
    let what = "read who is called from";
    let mut called = Vec::new();
    for (seqs, waits) in [(own, false), (others, true)] {
        if seqs.is_empty() {
            continue;
        }
        if store.membership.sole {
            let rows = read(store, what, &sql(row::READY, &seqs), &[&member])?;
            for row in &rows {
                hold(store, row);
            }
            called.extend(rows);
        } else {
            called.extend(take(store, what, &sql("seq", &seqs), &[&member], waits)?);
        }
    }
    called.sort_by_key(|row| row.seq);
    Ok(called)
}

/// Results for this member to hand out: of its own messages, and those of its owner that nobody else
/// hands out.
pub(super) fn results(store: &mut Sqlite, most: usize) -> Result<Vec<StoredResult>> {
    let (member, owner) = (store.membership.number, store.membership.owner.clone());
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let find = |conn: &Connection| -> Asked<Vec<Seq>> {
        let mut seqs: Vec<Seq> = conn
            .prepare_cached(
                "SELECT seq FROM messages INDEXED BY messages_result
                 WHERE owner = ?1 AND state = 5 AND holder IS NULL AND direct IS NULL
                     AND (home = ?2 OR given IS NOT NULL
                         OR home NOT IN (SELECT member FROM members WHERE gone = 0))
                 ORDER BY seq LIMIT ?3",
            )?
            .query_map(params![owner, member, most], |row| row.get(0))?
            .collect::<Asked<_>>()?;
        let gone: Vec<i64> = conn
            .prepare_cached("SELECT member FROM members WHERE gone = 1")?
            .query_map([], |row| row.get(0))?
            .collect::<Asked<_>>()?;
        for gone in gone {
            let more = conn
                .prepare_cached(
                    "SELECT seq FROM messages INDEXED BY messages_holder
                     WHERE holder = ?1 AND owner = ?2 AND state = 5 AND direct IS NULL
                     ORDER BY seq LIMIT ?3",
                )?
                .query_map(params![gone, owner, most], |row| row.get(0))?
                .collect::<Asked<Vec<Seq>>>()?;
            seqs.extend(more);
        }
        seqs.sort_unstable();
        seqs.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(seqs)
    };
    if store.read("read results from", find)?.is_empty() {
        return Ok(Vec::new());
    }
    store.transact("take results from", 0, |batch| {
        let seqs = find(batch.conn)?;
        let sql = format!("SELECT {} FROM messages WHERE seq = ?1", row::KEPT);
        let mut read = batch.conn.prepare_cached(&sql)?;
        let mut hold =
            batch.conn.prepare_cached("UPDATE messages SET holder = ?2 WHERE seq = ?1")?;
        let mut rows = Vec::with_capacity(seqs.len());
        for seq in seqs {
            hold.execute([seq, member])?;
            rows.push(read.query_row([seq], |row| row::kept(row, member))?);
            batch.given.push(seq);
        }
        Ok(rows)
    })
}

/// The results of direct messages of this member that followed others.
pub(super) fn followed(store: &mut Sqlite) -> Result<Vec<(String, Verdict)>> {
    let member = store.membership.number;
    let find = |conn: &Connection| -> Asked<Vec<Seq>> {
        conn.prepare_cached(
            "SELECT seq FROM messages INDEXED BY messages_direct
             WHERE direct IS NOT NULL AND home = ?1 AND state = 5",
        )?
        .query_map([member], |row| row.get(0))?
        .collect()
    };
    if store.read("read results from", find)?.is_empty() {
        return Ok(Vec::new());
    }
    store.transact("take results from", 0, |batch| {
        let mut rows = Vec::new();
        for seq in find(batch.conn)? {
            let row = batch
                .conn
                .prepare_cached("SELECT id, delivery, receipt FROM messages WHERE seq = ?1")?
                .query_row([seq], |row| Ok((row.get(0)?, row::verdict(row, 1, 2)?)))?;
            batch.conn.prepare_cached("DELETE FROM messages WHERE seq = ?1")?.execute([seq])?;
            let (id, Some(verdict)) = row else { continue };
            batch.acked(verdict.receipt.len() as u64);
            rows.push((id, verdict));
        }
        Ok(rows)
    })
}

impl Sqlite {
    /// Where this member alone sends, requests get leave at once: that they have it is written down with what
    /// they begin, and before another member sends (see [`tell`]). `None` where the file has to be changed.
    pub(super) fn lets_go(
        &mut self,
        changes: &[Change],
        now_ms: u64,
    ) -> Result<Option<Vec<Applied>>> {
        let asks = |change: &Change| matches!(change, Change::Pace { .. });
        if !self.membership.sole || !changes.iter().all(asks) {
            return Ok(None);
        }
        let mut unsaved = std::mem::take(&mut self.unsaved);
        let before = unsaved.len();
        let answers = self.read("read rates from", |conn| {
            let mut answers = Vec::with_capacity(changes.len());
            for change in changes {
                let Change::Pace { id, limits } = change else { continue };
                let wait = rates::ask(conn, limits, &unsaved, now_ms)?;
                if wait == Duration::ZERO {
                    unsaved.push(Unsaved { id: *id, limits: limits.clone() });
                } else if rates::is_set_back(conn, limits, now_ms)? {
                    unsaved.truncate(before);
                    return Ok(None);
                }
                answers.push(Applied::Paced { wait });
            }
            Ok(Some(answers))
        });
        self.unsaved = unsaved;
        answers
    }

    /// After these changes: what they ended is in nobody's hands.
    pub(super) fn let_go(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Finish { seq, .. } => drop(self.hands.remove(seq)),
                Change::Free { seq } => {
                    self.hands.remove(seq);
                    self.cursors.clear();
                }
                _ => {}
            }
        }
    }
}

/// Puts a message into the hands of a member that alone sends; false if it has it already.
fn hold(store: &mut Sqlite, row: &Ready) -> bool {
    store.hands.insert(row.seq, row.earlier).is_none()
}

/// Rows as they stand.
fn read(store: &mut Sqlite, what: &str, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<Ready>> {
    let member = store.membership.number;
    store.read(what, |conn| {
        conn.prepare_cached(sql)?.query_map(values, |row| row::ready(row, member))?.collect()
    })
}

/// Takes the rows of these numbers into this member's hands. `waits`: not while another member may have
/// them without saying so.
fn take(
    store: &mut Sqlite,
    what: &str,
    sql: &str,
    values: &[&dyn ToSql],
    waits: bool,
) -> Result<Vec<Ready>> {
    let member = store.membership.number;
    let find = |conn: &Connection| -> Asked<Vec<Seq>> {
        if waits && sole::is_another(conn, member)? {
            return Ok(Vec::new());
        }
        conn.prepare_cached(sql)?.query_map(values, |row| row.get(0))?.collect()
    };
    if store.read(what, find)?.is_empty() {
        return Ok(Vec::new());
    }
    let rows = store.transact("take messages from", 0, |batch| {
        let sql = format!("SELECT {} FROM messages WHERE seq = ?1", row::READY);
        let mut read = batch.conn.prepare_cached(&sql)?;
        let mut hold =
            batch.conn.prepare_cached("UPDATE messages SET holder = ?2 WHERE seq = ?1")?;
        let mut rows = Vec::new();
        for seq in find(batch.conn)? {
            hold.execute([seq, member])?;
            rows.push(read.query_row([seq], |row| row::ready(row, member))?);
        }
        Ok(rows)
    })?;
    for row in &rows {
        hold(store, row);
    }
    Ok(rows)
}

/// Writes down what this member has in its hands, so that others may take the rest.
pub(super) fn tell(store: &mut Sqlite) -> Result<()> {
    let (member, held) = (store.membership.number, store.hands.clone());
    store.transact("share", 0, |batch| {
        let mut hold = batch.conn.prepare_cached(
            "UPDATE messages SET holder = ?2 WHERE seq = ?1 AND state < 5 AND holder IS NULL",
        )?;
        for seq in held.keys() {
            hold.execute([*seq, member])?;
        }
        batch
            .conn
            .prepare_cached("UPDATE members SET sole = 0 WHERE member = ?1")?
            .execute([member])?;
        batch.conn.prepare_cached("UPDATE meta SET members = members + 1")?.execute([])?;
        batch.call = Called::ALL;
        Ok(done(1))
    })?;
    store.membership.sole = false;
    store.cursors.clear();
    Ok(())
}
