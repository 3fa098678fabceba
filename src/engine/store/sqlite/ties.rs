//! Messages that are tied to others: by a key, or by a line.

use rusqlite::{Result, params};

use super::batch::{Batch, Claim, done};
use super::row::{self, Row};
use crate::engine::store::{Accept, Applied, Follower, Seq, State, Verdict};
use crate::model::receipt::Delivery;

impl Batch<'_> {
    /// A row for any message.
    pub(super) fn insert_tied(
        &mut self,
        seq: Seq,
        accept: &Accept,
        state: State,
        wake_ms: Option<u64>,
        verdict: Option<&Verdict>,
        leader: Option<&str>,
    ) -> Result<()> {
        let queued = state == State::Queued;
        let in_line = queued || matches!(state, State::Scheduled | State::InLine);
        let key = accept.key.as_ref();
        let deadline_ms = accept.deadline_ms.map(row::time);
        let held = queued && (accept.held || accept.direct) || verdict.is_some();
        self.conn
            .prepare_cached(
                "INSERT INTO messages (seq, state, turn, place, wake_ms, expires_ms, home, accepted_ms,
                     due_ms, deadline_ms, delivery, borrowed, token, id, account, line, key, content,
                     follows, message, receipt, direct, holder, owner)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                     ?18, ?19, ?20, ?21, ?22, ?23, ?24)",
            )?
            .execute(params![
                seq,
                state as i64,
                queued.then_some(seq),
                accept.line.as_ref().filter(|_| in_line).map(|_| seq),
                wake_ms.map(row::time),
                deadline_ms.filter(|_| verdict.is_none()),
                self.by.member,
                row::time(accept.accepted_ms),
                accept.due_ms.map(row::time),
                deadline_ms,
                verdict.map(|verdict| verdict.delivery.number()),
                // A result that it did not come with is another message's.
                verdict.is_some() && accept.result.is_none(),
                accept.token.cast_signed(),
                accept.id,
                accept.account,
                accept.line,
                key.map(|(key, _)| key),
                key.map(|(_, content)| content.stored()),
                leader,
                accept.message,
                verdict.map(|verdict| &verdict.receipt),
                accept.direct.then_some(1),
                held.then_some(self.by.member),
                self.by.owner,
            ])?;
        Ok(())
    }

    /// Claims a key for a message that says `content`, as it is `same` to what another's key has.
    pub(super) fn claim(
        &mut self,
        account: &str,
        key: &str,
        content: &[u8],
        same: impl Fn(&[u8]) -> bool,
        id: &str,
    ) -> Result<Claim> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT id, content, delivery, receipt, until_ms FROM keys
                 WHERE account = ?1 AND key = ?2",
            )?
            .query_row(params![account, key], |row| {
                let verdict = row::verdict(row, 2, 3)?;
                let until: Option<i64> = row.get(4)?;
                Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?, verdict, until))
            });
        let live = row::found(found)?
            .filter(|(.., until)| until.is_none_or(|until| until > row::time(self.now_ms)));
        match live {
            Some((_, other, ..)) if !same(&other) => return Ok(Claim::Conflict),
            Some((.., Some(verdict), _)) => return Ok(Claim::Known(verdict)),
            Some((leader, ..)) => return Ok(Claim::Follow(leader)),
            None => {}
        }
        self.conn
            .prepare_cached(
                "INSERT INTO keys (account, key, id, content) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (account, key) DO UPDATE SET id = ?3, content = ?4, delivery = NULL,
                     until_ms = NULL, receipt = NULL",
            )?
            .execute(params![account, key, id, content])?;
        Ok(Claim::Own)
    }

    /// Claims its key again for a message that had a result: that result does not count.
    pub(super) fn reclaim(&mut self, row: &Row, key: &str, content: &[u8]) -> Result<Claim> {
        self.conn
            .prepare_cached("DELETE FROM keys WHERE account = ?1 AND key = ?2 AND id = ?3")?
            .execute(params![row.account, key, row.id])?;
        // Two that cannot be compared count as the same, as in `Content::is`.
        let same = |other: &[u8]| other.first() != content.first() || other == content;
        self.claim(&row.account, key, content, same, &row.id)
    }

    /// The result of a message that is tied to others, or that waits for its time.
    pub(super) fn finish_tied(
        &mut self,
        seq: Seq,
        verdict: &Verdict,
        alone: bool,
    ) -> Result<Applied> {
        let Some(row) = row::by_seq(self.conn, seq)? else { return Ok(Applied::Missed) };
        if matches!(row.state, State::Done | State::Dead) || !self.is_in_hand(&row) {
            return Ok(Applied::Missed);
        }
        let here = row.home == self.by.member || self.inherits(seq)?;
        self.finish_row(seq, verdict, false, row.direct, here)?;
        if alone {
            let (ready, due_ms) = self.leaves(&row)?;
            return Ok(ended(here, Vec::new(), ready, due_ms));
        }
        let mut followers = Vec::new();
        if let Some(key) = row.key.as_deref().filter(|_| row.state != State::Following) {
            for (seq, follower, direct, here) in self.followers(&row.id)? {
                self.finish_row(seq, verdict, true, direct, here)?;
                if here {
                    followers.push(follower);
                }
            }
            self.settle(&row, key, verdict)?;
        }
        let (ready, due_ms) = self.line_goes_on(&row)?;
        Ok(ended(here, followers, ready, due_ms))
    }

    /// True if this member may say what becomes of a row.
    fn is_in_hand(&self, row: &Row) -> bool {
        match row.holder {
            Some(holder) => holder == self.by.member,
            None => self.by.sole || row.direct && row.home == self.by.member,
        }
    }

    /// Gives what a row held, which is no more or has a result of its own alone, to those behind it; whose
    /// turn it is then, or when.
    fn leaves(&mut self, row: &Row) -> Result<(Vec<String>, Option<u64>)> {
        let (mut ready, mut due_ms) = self.line_goes_on(row)?;
        if let Some(key) = row.key.as_deref().filter(|_| row.state != State::Following) {
            let (turn, due) = self.hand_over(row, key)?;
            if turn.is_some() && ready.is_empty() {
                ready.push(row.account.clone());
            }
            due_ms = [due_ms, due].into_iter().flatten().min();
        }
        Ok((ready, due_ms))
    }

    /// A row has its result; that of a `direct` one goes to its caller, and the row with it.
    fn finish_row(
        &mut self,
        seq: Seq,
        verdict: &Verdict,
        borrowed: bool,
        direct: bool,
        here: bool,
    ) -> Result<()> {
        if direct && (here || !borrowed) {
            self.conn.prepare_cached("DELETE FROM messages WHERE seq = ?1")?.execute([seq])?;
            self.ledger.open = self.ledger.open.saturating_sub(1);
            self.acked(0);
            return Ok(());
        }
        self.conn
            .prepare_cached(
                "UPDATE messages SET state = 5, turn = NULL, place = NULL, wake_ms = NULL,
                     expires_ms = NULL, holder = ?2, delivery = ?3, borrowed = ?4, follows = NULL, body = NULL,
                     sender = NULL, progress = NULL, mark = NULL, receipt = ?5
                 WHERE seq = ?1",
            )?
            .execute(params![
                seq,
                here.then_some(self.by.member),
                verdict.delivery.number(),
                borrowed,
                verdict.receipt
            ])?;
        self.comes_out(seq, here);
        self.finished(verdict);
        self.free_files(seq, verdict)
    }

    /// Who waits for the result of this message, oldest first; whether as a direct one, and whether its result
    /// comes out here.
    fn followers(&self, leader: &str) -> Result<Vec<(Seq, Follower, bool, bool)>> {
        self.conn
            .prepare_cached(
                "SELECT seq, id, token, direct IS NOT NULL,
                     home = ?2 OR ?3 AND direct IS NULL AND owner = ?4 FROM messages
                 WHERE follows = ?1 ORDER BY seq",
            )?
            .query_map(params![leader, self.by.member, self.by.inherits, self.by.owner], |row| {
                let token = row.get::<_, i64>(2)?.cast_unsigned();
                Ok((row.get(0)?, Follower { id: row.get(1)?, token }, row.get(3)?, row.get(4)?))
            })?
            .collect()
    }

    /// What becomes of the key of a message that has its result.
    fn settle(&mut self, row: &Row, key: &str, verdict: &Verdict) -> Result<()> {
        if verdict.delivery == Delivery::NotSent {
            self.conn
                .prepare_cached("DELETE FROM keys WHERE account = ?1 AND key = ?2 AND id = ?3")?
                .execute(params![row.account, key, row.id])?;
            return Ok(());
        }
        let until = self.until();
        self.conn
            .prepare_cached(
                "UPDATE keys SET delivery = ?4, until_ms = ?5, receipt = ?6
                 WHERE account = ?1 AND key = ?2 AND id = ?3",
            )?
            .execute(params![
                row.account,
                key,
                row.id,
                verdict.delivery.number(),
                row::time(until),
                verdict.receipt
            ])?;
        self.expires(until);
        Ok(())
    }

    /// After a row has left its line: whose turn it is then, or when it will be.
    fn line_goes_on(&mut self, left: &Row) -> Result<(Vec<String>, Option<u64>)> {
        let Some(line) = left.line.as_deref() else { return Ok((Vec::new(), None)) };
        let first = self
            .conn
            .prepare_cached(
                "SELECT seq, state, due_ms FROM messages INDEXED BY messages_place
                 WHERE account = ?1 AND line = ?2 AND place IS NOT NULL ORDER BY place LIMIT 1",
            )?
            .query_row(params![left.account, line], |row| {
                Ok((row.get::<_, Seq>(0)?, row::state(row, 1)?, row::option_ms(row, 2)?))
            });
        let Some((seq, State::InLine, due_ms)) = row::found(first)? else {
            return Ok((Vec::new(), None));
        };
        let due_ms = due_ms.filter(|due| *due > self.now_ms);
        let (state, turn) = match due_ms {
            Some(_) => (State::Scheduled, None),
            None => (State::Queued, Some(self.number())),
        };
        self.conn
            .prepare_cached(
                "UPDATE messages SET state = ?2, turn = ?3, wake_ms = ?4 WHERE seq = ?1",
            )?
            .execute(params![seq, state as i64, turn, due_ms.map(row::time)])?;
        self.call.work = true;
        let ready = turn.map(|_| left.account.clone()).into_iter().collect();
        Ok((ready, due_ms))
    }

    /// A row ends from the outside: with this result where the member lives that accepted it.
    pub(super) fn remove(&mut self, id: &str, verdict: &Verdict) -> Result<Applied> {
        let Some(row) = row::by_id(self.conn, id)? else { return Ok(Applied::Missed) };
        let is_waited_for = self
            .conn
            .prepare_cached("SELECT 1 FROM members WHERE member = ?1 AND gone = 0")?
            .exists([row.home])?;
        match row.state {
            _ if !is_waited_for => self.drop_row(id),
            State::Dead => self.drop_row(id),
            State::Done if row.holder.is_some() || row.given => self.drop_row(id),
            State::Following | State::Begun | State::Done => Ok(Applied::Missed),
            _ if row.direct || row.may_be_sent => Ok(Applied::Missed),
            _ => {
                self.finish_row(row.seq, verdict, false, false, false)?;
                let (ready, due_ms) = self.leaves(&row)?;
                Ok(ended(false, Vec::new(), ready, due_ms))
            }
        }
    }

    /// A row goes, whatever it holds.
    pub(super) fn drop_row(&mut self, id: &str) -> Result<Applied> {
        let Some(row) = row::by_id(self.conn, id)?.filter(|row| row.state != State::Begun) else {
            return Ok(Applied::Missed);
        };
        let made =
            self.conn.prepare_cached("DELETE FROM messages WHERE seq = ?1")?.execute([row.seq])?;
        self.settled.push(row.seq);
        match row.state {
            State::Dead => return Ok(done(made)),
            State::Done => {
                self.acked(row.message_bytes + row.receipt_bytes);
                return Ok(done(made));
            }
            _ => {
                self.acked(row.message_bytes);
                self.ledger.open = self.ledger.open.saturating_sub(1);
            }
        }
        let (ready, due_ms) = self.leaves(&row)?;
        Ok(Applied::Done { followers: Vec::new(), ready, due_ms })
    }

    /// Gives the key of a message that is no more to the oldest of those that follow it; the turn of
    /// that one, or when it is due.
    fn hand_over(&mut self, gone: &Row, key: &str) -> Result<(Option<i64>, Option<u64>)> {
        let followers = self.followers(&gone.id)?;
        let Some((seq, heir, ..)) = followers.first() else {
            self.conn
                .prepare_cached("DELETE FROM keys WHERE account = ?1 AND key = ?2 AND id = ?3")?
                .execute(params![gone.account, key, gone.id])?;
            return Ok((None, None));
        };
        self.conn
            .prepare_cached("UPDATE keys SET id = ?4 WHERE account = ?1 AND key = ?2 AND id = ?3")?
            .execute(params![gone.account, key, gone.id, heir.id])?;
        self.conn
            .prepare_cached("UPDATE messages SET follows = ?2 WHERE follows = ?1")?
            .execute(params![gone.id, heir.id])?;
        let Some(row) = row::by_seq(self.conn, *seq)? else { return Ok((None, None)) };
        self.go_on(&row)
    }
}

/// What became of a message that has its result, which comes out here or elsewhere.
fn ended(here: bool, followers: Vec<Follower>, ready: Vec<String>, due_ms: Option<u64>) -> Applied {
    match here {
        true => Applied::Done { followers, ready, due_ms },
        false => Applied::Elsewhere { followers, ready, due_ms },
    }
}
