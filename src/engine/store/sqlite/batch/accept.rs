//! How messages come in, and come in again.

use rusqlite::{Result, params};

use super::{Batch, Bounds, Claim, NOBODY, Next};
use crate::engine::store::sqlite::row::{self, Row};
use crate::engine::store::{Accept, Applied, Seq, State, Verdict};
use crate::model::receipt::Delivery;

/// A message that is to be begun at once and has neither key nor line nor deadline, which is most.
pub(super) const INSERT: &str = "
    INSERT INTO messages (seq, state, turn, accepted_ms, token, id, account, message, home, holder, owner)
    VALUES (?1, 0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

impl Batch<'_> {
    fn full(&self, more_bytes: usize) -> Option<Applied> {
        let Bounds { max_messages, max_bytes, .. } = self.bounds;
        if self.ledger.unacked >= max_messages {
            return Some(Applied::Full { what: "max_messages", most: max_messages });
        }
        let bytes = self.ledger.bytes.saturating_add(more_bytes as u64);
        (bytes > max_bytes).then_some(Applied::Full { what: "max_bytes", most: max_bytes })
    }

    pub(super) fn accept(&mut self, accept: &Accept) -> Result<Applied> {
        if !accept.direct {
            let receipt = accept.result.as_ref().map_or(0, |verdict| verdict.receipt.len());
            self.refused = self.refused.take().or(self.full(size(accept) + receipt));
            if let Some(full) = &self.refused {
                return Ok(full.clone());
            }
        }
        if let Some(verdict) = &accept.result {
            let seq = self.insert(accept, State::Done, None, Some(verdict), None)?;
            return Ok(Applied::Accepted { seq, turn: None, follows: false });
        }
        if let Some((key, content)) = &accept.key {
            match self.claim(
                &accept.account,
                key,
                &content.stored(),
                |other| content.is(other),
                &accept.id,
            )? {
                Claim::Own => {}
                Claim::Conflict => return Ok(Applied::Conflict),
                Claim::Known(verdict) if accept.direct => {
                    return Ok(Applied::Known { seq: 0, verdict });
                }
                Claim::Known(verdict) => {
                    let seq = self.insert(accept, State::Done, None, Some(&verdict), None)?;
                    return Ok(Applied::Known { seq, verdict });
                }
                Claim::Follow(leader) => {
                    let seq = self.insert(accept, State::Following, None, None, Some(&leader))?;
                    return Ok(Applied::Accepted { seq, turn: None, follows: true });
                }
            }
        }
        let next = self.next_of(&accept.account, accept.line.as_deref(), accept.due_ms)?;
        let (state, turn, wake) = match next {
            Next::Turn => (State::Queued, Some(self.ledger.next), None),
            Next::At(due) => (State::Scheduled, None, Some(due)),
            Next::Line => (State::InLine, None, None),
        };
        let seq = self.insert(accept, state, wake, None, None)?;
        self.call.work |= !(state == State::Queued && (accept.held || accept.direct));
        Ok(Applied::Accepted { seq, turn, follows: false })
    }

    /// A row for a message; what is queued has its number for its turn.
    fn insert(
        &mut self,
        accept: &Accept,
        state: State,
        wake_ms: Option<u64>,
        verdict: Option<&Verdict>,
        leader: Option<&str>,
    ) -> Result<Seq> {
        let seq = self.number();
        if state == State::Queued
            && let Accept { key: None, line: None, due_ms: None, deadline_ms: None, .. } = accept
        {
            self.insert.get(self.conn)?.execute(params![
                seq,
                row::time(accept.accepted_ms),
                accept.token.cast_signed(),
                accept.id,
                accept.account,
                accept.message,
                self.by.member,
                accept.held.then_some(self.by.member),
                self.by.owner,
            ])?;
        } else {
            self.insert_tied(seq, accept, state, wake_ms, verdict, leader)?;
        }
        if verdict.is_none_or(|verdict| verdict.delivery != Delivery::Sent) {
            self.put_files(seq, accept)?;
        }
        if verdict.is_some() {
            self.given.push(seq);
        }
        self.ledger.unacked += 1;
        self.ledger.open += u64::from(verdict.is_none());
        self.ledger.bytes +=
            (accept.message.len() + verdict.map_or(0, |verdict| verdict.receipt.len())) as u64;
        Ok(seq)
    }

    /// Queues a message again, as if it had just come.
    pub(super) fn retry(&mut self, id: &str) -> Result<Applied> {
        let Some(row) = row::by_id(self.conn, id)? else { return Ok(Applied::Missed) };
        let dead = row.state == State::Dead;
        if !(dead || row.state == State::Done) || row.delivery == Some(Delivery::Sent) {
            return Ok(Applied::Missed);
        }
        if dead && let Some(full) = self.full(row.message_bytes as usize) {
            return Ok(full);
        }
        let claim = match (&row.key, &row.content) {
            (Some(key), Some(content)) => self.reclaim(&row, key, content)?,
            _ => Claim::Own,
        };
        let (state, verdict, leader) = match claim {
            Claim::Conflict => return Ok(Applied::Conflict),
            Claim::Own => (State::InLine, None, None),
            Claim::Follow(leader) => (State::Following, None, Some(leader)),
            Claim::Known(verdict) => (State::Done, Some(verdict), None),
        };
        let seq = self.number();
        let is_to_come = row.state == State::Done && row.holder.is_none() && !row.given;
        let deadline = row
            .deadline_ms
            .map(|deadline| self.now_ms.saturating_add(deadline.saturating_sub(row.accepted_ms)));
        self.conn
            .prepare_cached(
                "UPDATE messages SET seq = ?2, state = ?3, turn = NULL, until_ms = NULL, home = ?4,
                     holder = NULL, given = NULL, attempts = 0, first_sent_ms = NULL, accepted_ms = ?5, deadline_ms = ?6,
                     expires_ms = ?11,
                     delivery = ?7, borrowed = ?8, follows = ?9, body = NULL, sender = NULL, receipt = ?10,
                     progress = CASE WHEN delivery > 0 AND NOT borrowed THEN receipt END
                 WHERE seq = ?1",
            )?
            .execute(params![
                row.seq,
                seq,
                state as i64,
                // Whoever of its owner comes first takes its result, but who waits for the one that it had.
                if is_to_come { row.home } else { NOBODY },
                row::time(self.now_ms),
                deadline.map(row::time),
                verdict.as_ref().map(|verdict| verdict.delivery.number()),
                verdict.is_some(),
                leader,
                verdict.as_ref().map(|verdict| &verdict.receipt),
                deadline.filter(|_| verdict.is_none()).map(row::time),
            ])?;
        if dead {
            self.ledger.unacked += 1;
            self.ledger.bytes += row.message_bytes;
        } else {
            self.ledger.bytes = self.ledger.bytes.saturating_sub(row.receipt_bytes);
        }
        self.ledger.open += 1;
        self.settled.push(row.seq);
        if let Some(verdict) = verdict {
            self.finished(&verdict);
            self.call.results = true;
            self.free_files(seq, &verdict)?;
            return Ok(Applied::Known { seq, verdict });
        }
        let follows = state == State::Following;
        let turn = if follows { None } else { self.go_on(&Row { seq, ..row })?.0 };
        Ok(Applied::Accepted { seq, turn, follows })
    }
}

/// How long a message is, with its files.
pub(in crate::engine::store::sqlite) fn size(accept: &Accept) -> usize {
    accept.message.len() + accept.files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
}
