//! The changes of one transaction, and what they come to.

mod accept;

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, Result, params};

use super::row::{self, Row};
use super::sign::Called;
use super::{rates, sole, told};
use crate::engine::store::known::Known;
use crate::engine::store::{Applied, Begin, Change, Seq, State, Turn, Verdict};
use crate::model::receipt::Delivery;
pub(super) use accept::size;

/// What is known of the rows without looking at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ledger {
    /// Messages whose result is not acknowledged.
    pub(super) unacked: u64,
    /// Those of them that have no result.
    pub(super) open: u64,
    /// How long the messages and results of the first are together.
    pub(super) bytes: u64,
    /// The next number and turn; greater than any that a row has.
    pub(super) next: i64,
    /// Nothing expires before then, in Unix milliseconds.
    pub(super) purge_at: u64,
    /// There may be messages with files.
    pub(super) has_files: bool,
}

impl Default for Ledger {
    /// Of a file without rows.
    fn default() -> Ledger {
        Ledger { unacked: 0, open: 0, bytes: 0, next: 1, purge_at: 0, has_files: false }
    }
}

/// What the caller has set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) max_messages: u64,
    pub(super) max_bytes: u64,
    /// How long keys and dead letters are kept, in milliseconds.
    pub(super) keep_ms: u64,
}

/// How many rows one commit deletes of those that have expired.
const PURGED_AT_ONCE: i64 = 64;

/// Who makes changes.
#[derive(Clone, Copy)]
pub(super) struct By<'c> {
    /// Its number.
    pub(super) member: i64,
    /// Whose clients take the results of what it accepts.
    pub(super) owner: &'c str,
    /// No other member sends: what nobody holds may be in its hands.
    pub(super) sole: bool,
    /// There is no other member, and it hands out what others of its owner have left.
    pub(super) inherits: bool,
    /// What it took into its hands, and whether another member accepted that.
    pub(super) hands: &'c HashMap<Seq, bool>,
    /// The words that the file says went.
    pub(super) known: &'c Known,
}

impl By<'_> {
    /// What the holder of a row may be, beside this member, for this member to go on with it.
    pub(super) fn or_nobody(&self) -> Option<i64> {
        (!self.sole).then_some(self.member)
    }
}

/// One transaction; the ledger is true once it is committed, and so is the rest of what it says.
pub(super) struct Batch<'c> {
    pub(super) conn: &'c Connection,
    pub(super) ledger: Ledger,
    pub(super) bounds: Bounds,
    pub(super) by: By<'c>,
    pub(super) now_ms: u64,
    /// What there is for other members now.
    pub(super) call: Called,
    /// Results that this member hands out from now on.
    pub(super) given: Vec<Seq>,
    /// Those that nobody need hand out any more.
    pub(super) settled: Vec<Seq>,
    /// Why nothing more is accepted.
    refused: Option<Applied>,
    insert: Held<'c>,
    begin: Held<'c>,
    begin_held: Held<'c>,
    finish: Held<'c>,
    finish_held: Held<'c>,
    done: Held<'c>,
    delete: Held<'c>,
}

/// A statement that is looked up once a batch.
struct Held<'c>(&'static str, Option<CachedStatement<'c>>);

impl<'c> Held<'c> {
    fn get(&mut self, conn: &'c Connection) -> Result<&mut CachedStatement<'c>> {
        Ok(match &mut self.1 {
            Some(statement) => statement,
            none => none.insert(conn.prepare_cached(self.0)?),
        })
    }
}

const BEGIN: &str = "
    UPDATE messages SET state = 4, attempts = ?2, first_sent_ms = ?3, body = ?4, sender = ?5,
        progress = coalesce(?6, progress), mark = ?7, holder = ?8
    WHERE seq = ?1 AND state = 0 AND (holder = ?8 OR holder IS ?9)";

/// The same of a row that says already that this member holds it. What is set is looked for in every index that
/// it is in, though it stays what it is: without `holder` a message costs a seventh less.
const BEGIN_HELD: &str = "
    UPDATE messages SET state = 4, attempts = ?2, first_sent_ms = ?3, body = ?4, sender = ?5,
        progress = coalesce(?6, progress), mark = ?7
    WHERE seq = ?1 AND state = 0 AND holder = ?8";

/// The same bytes sent again are as old as the first of them.
const BEGIN_AGAIN: &str = "
    UPDATE messages SET attempts = ?2, body = ?4, sender = ?5, progress = coalesce(?6, progress), mark = ?7, holder = ?8,
        first_sent_ms = CASE WHEN body IS ?4 AND sender IS ?5 AND mark IS ?7 THEN first_sent_ms ELSE ?3 END
    WHERE seq = ?1 AND state = 4 AND (holder = ?8 OR holder IS ?9)";

/// Of a message that has no key, is in no line and waits for no time.
const FINISH: &str = "
    UPDATE messages SET state = 5, turn = NULL, holder = iif(home = ?2 OR ?5, ?2, NULL), body = NULL, sender = NULL,
        progress = NULL, mark = NULL, delivery = ?3, receipt = ?4
    WHERE seq = ?1 AND state < 5 AND key IS NULL AND place IS NULL AND wake_ms IS NULL
        AND expires_ms IS NULL AND (holder = ?2 OR holder IS ?6)";

/// The same where this member holds it and hands its result out.
const FINISH_HELD: &str = "
    UPDATE messages SET state = 5, turn = NULL, body = NULL, sender = NULL, progress = NULL, mark = NULL,
        delivery = ?3, receipt = ?4
    WHERE seq = ?1 AND state < 5 AND key IS NULL AND place IS NULL AND wake_ms IS NULL
        AND expires_ms IS NULL AND holder = ?2 AND (home = ?2 OR ?5)";

const DONE: &str = "
    SELECT seq, delivery, length(message) + coalesce(files, 0) + length(receipt) FROM messages
    WHERE id = ?1 AND state = 5";

/// No member has this number.
pub(super) const NOBODY: i64 = 0;

const DELETE: &str = "DELETE FROM messages WHERE seq = ?1";

/// What a message is to do next.
enum Next {
    Turn,
    At(u64),
    Line,
}

/// What a key means for a message.
pub(super) enum Claim {
    /// It is the message's own now.
    Own,
    /// Another one's, which has no result yet: that one's id.
    Follow(String),
    /// Another one's, which has this result.
    Known(Verdict),
    /// It says something else.
    Conflict,
}

impl<'c> Batch<'c> {
    pub(super) fn new(
        conn: &'c Connection,
        ledger: Ledger,
        bounds: Bounds,
        by: By<'c>,
        now_ms: u64,
    ) -> Batch<'c> {
        let held = |sql| Held(sql, None);
        Batch {
            conn,
            ledger,
            bounds,
            by,
            now_ms,
            call: Called::default(),
            given: Vec::new(),
            settled: Vec::new(),
            refused: None,
            insert: held(accept::INSERT),
            begin: held(BEGIN),
            begin_held: held(BEGIN_HELD),
            finish: held(FINISH),
            finish_held: held(FINISH_HELD),
            done: held(DONE),
            delete: held(DELETE),
        }
    }

    /// Makes one change.
    pub(super) fn apply(&mut self, change: &Change) -> Result<Applied> {
        match change {
            Change::Accept(accept) => self.accept(accept),
            Change::Begin(begin) => self.begin(begin),
            Change::Ended { seq, attempts, due_ms, progress } => {
                self.ended(*seq, *attempts, *due_ms, progress.as_deref())
            }
            Change::Finish { seq, verdict, alone } => self.finish(*seq, verdict, *alone),
            Change::Ack { id } => self.ack(id),
            Change::Went { slots } => self.went(*slots),
            Change::Retry { id } => self.retry(id),
            Change::Tell(what) => {
                told::tell(self.conn, what, self.now_ms)?;
                // Others are to know it before they send more.
                self.call.work = true;
                Ok(done(1))
            }
            Change::Free { seq } => self.free(*seq),
            Change::Pace { .. } if sole::is_another(self.conn, self.by.member)? => {
                // It is called already, and writes down what it has let go.
                Ok(Applied::Paced { wait: rates::AGAIN })
            }
            Change::Pace { id, limits } => {
                let wait = rates::ask(self.conn, limits, &[], self.now_ms)?;
                match wait.is_zero() {
                    true => rates::note(self.conn, self.by.member, *id, limits)?,
                    false => rates::follow_calendar(self.conn, limits, self.now_ms)?,
                }
                Ok(Applied::Paced { wait })
            }
            Change::Paced { id, went } => {
                rates::answered(self.conn, self.by.member, *id, *went, self.now_ms)?;
                Ok(done(1))
            }
            Change::Remove { id, verdict } => self.remove(id, verdict),
            Change::Drop { id } => self.drop_row(id),
        }
    }

    /// Deletes some of what has expired.
    pub(super) fn purge(&mut self) -> Result<()> {
        if self.now_ms < self.ledger.purge_at {
            return Ok(());
        }
        for (delete, next) in [
            (
                "DELETE FROM keys WHERE rowid IN (SELECT rowid FROM keys
                 WHERE until_ms <= ?1 ORDER BY until_ms LIMIT ?2)",
                "SELECT min(until_ms) FROM keys WHERE until_ms IS NOT NULL",
            ),
            (
                "DELETE FROM messages WHERE seq IN (SELECT seq FROM messages
                 WHERE until_ms <= ?1 ORDER BY until_ms LIMIT ?2)",
                "SELECT min(until_ms) FROM messages WHERE until_ms IS NOT NULL",
            ),
        ] {
            let now = row::time(self.now_ms);
            self.conn.prepare_cached(delete)?.execute(params![now, PURGED_AT_ONCE])?;
            let next: Option<i64> =
                self.conn.prepare_cached(next)?.query_row([], |row| row.get(0))?;
            let next = next.map_or(u64::MAX, row::ms);
            // The first of the two kinds starts from what is not known.
            let first = delete.starts_with("DELETE FROM keys");
            self.ledger.purge_at = if first { next } else { next.min(self.ledger.purge_at) };
        }
        Ok(())
    }

    pub(super) fn number(&mut self) -> i64 {
        self.ledger.next += 1;
        self.ledger.next - 1
    }

    /// A message that has its key: whether it is to be begun, or for what it waits.
    fn next_of(&self, account: &str, line: Option<&str>, due_ms: Option<u64>) -> Result<Next> {
        if let Some(line) = line
            && self
                .conn
                .prepare_cached(
                    "SELECT 1 FROM messages INDEXED BY messages_place
                     WHERE account = ?1 AND line = ?2 AND place IS NOT NULL LIMIT 1",
                )?
                .exists(params![account, line])?
        {
            return Ok(Next::Line);
        }
        Ok(due_ms.filter(|due| *due > self.now_ms).map_or(Next::Turn, Next::At))
    }

    /// Lets a row that waited for something else go on; its turn, or when it is due.
    pub(super) fn go_on(&mut self, row: &Row) -> Result<(Option<Turn>, Option<u64>)> {
        let next = self.next_of(&row.account, row.line.as_deref(), row.due_ms)?;
        let place = row.line.as_ref().map(|_| self.number());
        let (state, turn, wake) = match next {
            Next::Turn => (State::Queued, Some(self.number()), None),
            Next::At(due) => (State::Scheduled, None, Some(due)),
            Next::Line => (State::InLine, None, None),
        };
        self.conn
            .prepare_cached(
                "UPDATE messages SET state = ?2, turn = ?3, place = ?4, wake_ms = ?5, follows = NULL
                 WHERE seq = ?1",
            )?
            .execute(params![row.seq, state as i64, turn, place, wake.map(row::time)])?;
        self.call.work = true;
        Ok((turn, wake))
    }

    fn begin(&mut self, begin: &Begin) -> Result<Applied> {
        let (first, nobody) = (row::time(begin.first_sent_ms), self.by.or_nobody());
        let begun = params![
            begin.seq,
            begin.attempts,
            first,
            begin.body,
            begin.sender,
            begin.progress,
            begin.mark,
            self.by.member,
            nobody,
        ];
        let held = &begun[..begun.len() - 1];
        // What one that alone sends has taken since, its row does not say.
        let says_so = !(self.by.sole && self.by.hands.contains_key(&begin.seq));
        let mut made = 0;
        if says_so {
            made = self.begin_held.get(self.conn)?.execute(held)?;
        }
        if made == 0 {
            made = self.begin.get(self.conn)?.execute(begun)?;
        }
        if made == 0 {
            made = self.conn.prepare_cached(BEGIN_AGAIN)?.execute(begun)?;
        }
        Ok(done(made))
    }

    fn ended(
        &mut self,
        seq: Seq,
        attempts: u32,
        due_ms: Option<u64>,
        progress: Option<&[u8]>,
    ) -> Result<Applied> {
        let made = self
            .conn
            .prepare_cached(
                "UPDATE messages SET state = 0, attempts = ?2, due_ms = coalesce(?3, due_ms),
                     first_sent_ms = NULL, body = NULL, sender = NULL, mark = NULL,
                     progress = coalesce(?4, progress), holder = ?5
                 WHERE seq = ?1 AND state = 4 AND (holder = ?5 OR holder IS ?6)",
            )?
            .execute(params![
                seq,
                attempts,
                due_ms.map(row::time),
                progress,
                self.by.member,
                self.by.or_nobody()
            ])?;
        Ok(done(made))
    }

    fn finish(&mut self, seq: Seq, verdict: &Verdict, alone: bool) -> Result<Applied> {
        let is_foreign = self.by.hands.get(&seq) == Some(&true);
        let inherits = is_foreign && self.inherits(seq)?;
        let (member, delivery) = (self.by.member, verdict.delivery.number());
        let nobody = self.by.or_nobody();
        let finished = params![seq, member, delivery, verdict.receipt, inherits, nobody];
        let held = &finished[..finished.len() - 1];
        let mut made = self.finish_held.get(self.conn)?.execute(held)?;
        if made == 0 {
            made = self.finish.get(self.conn)?.execute(finished)?;
        }
        if made == 0 {
            return self.finish_tied(seq, verdict, alone);
        }
        let here = inherits || !is_foreign;
        self.comes_out(seq, here);
        self.finished(verdict);
        self.free_files(seq, verdict)?;
        Ok(if here { done(made) } else { elsewhere() })
    }

    /// True if this member hands out the result of a message that another accepted, who is gone.
    pub(super) fn inherits(&self, seq: Seq) -> Result<bool> {
        Ok(self.by.inherits
            && self
                .conn
                .prepare_cached("SELECT 1 FROM messages WHERE seq = ?1 AND owner = ?2")?
                .exists(params![seq, self.by.owner])?)
    }

    /// A result comes out here, where its message was accepted by this member, or elsewhere.
    pub(super) fn comes_out(&mut self, seq: Seq, here: bool) {
        match here {
            true => self.given.push(seq),
            false => self.call.results = true,
        }
    }

    /// A message that this member has in its hands and does not begin is for whoever comes.
    fn free(&mut self, seq: Seq) -> Result<Applied> {
        self.conn
            .prepare_cached(
                "UPDATE messages SET holder = NULL WHERE seq = ?1 AND state = 0 AND holder = ?2",
            )?
            .execute([seq, self.by.member])?;
        self.call.work = true;
        Ok(done(1))
    }

    /// One more message has its result.
    pub(super) fn finished(&mut self, verdict: &Verdict) {
        self.ledger.open = self.ledger.open.saturating_sub(1);
        self.ledger.bytes += verdict.receipt.len() as u64;
    }

    /// A message whose result was kept in `bytes` is nobody's to take any more.
    pub(super) fn acked(&mut self, bytes: u64) {
        self.ledger.unacked = self.ledger.unacked.saturating_sub(1);
        self.ledger.bytes = self.ledger.bytes.saturating_sub(bytes);
    }

    fn ack(&mut self, id: &str) -> Result<Applied> {
        let found = self
            .done
            .get(self.conn)?
            .query_row([id], |row| Ok((row.get(0)?, row::delivery(row, 1)?, row.get(2)?)));
        let Some((seq, delivery, bytes)) = row::found::<(Seq, _, _)>(found)? else {
            return Ok(Applied::Missed);
        };
        let made = if delivery == Some(Delivery::Sent) {
            self.delete.get(self.conn)?.execute([seq])?
        } else {
            let until = self.until();
            self.expires(until);
            self.conn
                .prepare_cached(
                    "UPDATE messages SET state = 6, until_ms = ?2, holder = NULL WHERE seq = ?1",
                )?
                .execute(params![seq, row::time(until)])?
        };
        self.acked(row::ms(bytes));
        self.settled.push(seq);
        Ok(done(made))
    }

    /// Until when what ends now is kept.
    pub(super) fn until(&self) -> u64 {
        self.now_ms.saturating_add(self.bounds.keep_ms)
    }

    pub(super) fn expires(&mut self, until: u64) {
        self.ledger.purge_at = self.ledger.purge_at.min(until);
    }

    fn went(&mut self, slots: [u32; 2]) -> Result<Applied> {
        for slot in slots.into_iter().filter(|slot| !self.by.known.has(*slot)) {
            let sql = "INSERT OR IGNORE INTO went (slot) VALUES (?1)";
            self.conn.prepare_cached(sql)?.execute([slot])?;
        }
        Ok(done(slots.len()))
    }
}

/// A result comes out elsewhere.
fn elsewhere() -> Applied {
    Applied::Elsewhere { followers: Vec::new(), ready: Vec::new(), due_ms: None }
}

pub(super) fn done(made: usize) -> Applied {
    match made {
        0 => Applied::Missed,
        _ => Applied::Done { followers: Vec::new(), ready: Vec::new(), due_ms: None },
    }
}
