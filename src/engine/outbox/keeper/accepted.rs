//! What becomes of a message that was submitted, once the store has answered.

use crate::engine::accept::keys;
use crate::engine::attempt::job::Job;
use crate::engine::outbox::keeper::Keeper;
use crate::engine::outbox::{Reply, Wants, verdict};
use crate::engine::results::slot::Slot;
use crate::engine::store::{Accept, Applied, Change, Seq, Turn};
use crate::model::error::{Error, ErrorCode};
use crate::model::receipt::Delivery;

impl Keeper {
    /// Begins what is durable now, or ends it; tells whoever submitted it.
    pub(super) fn accepted(
        &mut self,
        change: Change,
        mut job: Box<Job>,
        i: usize,
        reply: &Reply,
        applied: Applied,
        slot: Option<Slot>,
    ) {
        let Change::Accept(accept) = change else { return };
        let answer = match applied {
            Applied::Accepted { seq, turn, .. } => {
                self.take_queue(&accept.id, &mut job);
                if accept.result.is_some() {
                    let unfinished = job.forget();
                    let receipt = job.receipt.take();
                    self.hand_out(receipt, None, unfinished);
                } else {
                    self.wake_at(accept.due_ms.filter(|_| turn.is_none()));
                    self.wake_at(accept.deadline_ms);
                    if turn.is_none() && accept.key.is_some() {
                        self.following.insert(accept.id.clone());
                    }
                    self.begin_or_leave(job, &accept, seq, turn, slot);
                }
                Ok(seq)
            }
            Applied::Known { seq, verdict } => {
                self.take_queue(&accept.id, &mut job);
                let unfinished = job.forget();
                match self.restored(&verdict) {
                    Ok(mut receipt) => {
                        receipt.id.clone_from(&accept.id);
                        (receipt.token, receipt.deduplicated) = (accept.token, true);
                        self.hand_out(Box::new(receipt), None, unfinished);
                    }
                    Err(error) => self.broken(&accept.id, accept.token, error, unfinished),
                }
                Ok(seq)
            }
            Applied::Conflict => {
                // Wrong as it is, it was accepted: so it has a result, which is kept as well.
                let key = accept.key.as_ref().map(|(key, _)| key.as_str()).unwrap_or_default();
                job.conclude(Delivery::NotSent, Some(keys::conflict(key)));
                let mut again = *accept;
                (again.key, again.line) = (None, None);
                again.result = Some(verdict(&job.receipt));
                let wants = Wants::Accept(job, i, reply.clone());
                return self.outbox.push(Change::Accept(Box::new(again)), wants);
            }
            Applied::Full { what, most } => {
                self.give_up(job);
                let words = format!("the outbox is full: {what} is {most}");
                Err(Error::new(ErrorCode::Full, words)
                    .hint("take and acknowledge results, or raise the limit of \"outbox\""))
            }
            Applied::Done { .. }
            | Applied::Elsewhere { .. }
            | Applied::Missed
            | Applied::Paced { .. } => {
                self.give_up(job);
                Err(Error::new(ErrorCode::Internal, "the outbox did not take a message"))
            }
        };
        // A caller who has gone knows the message by its result.
        reply.tell(i, answer);
    }

    /// Takes note of where the result of an accepted message goes.
    fn take_queue(&mut self, id: &str, job: &mut Job) {
        if let Some(queue) = job.take_queue() {
            self.queues.insert(id.to_owned(), queue);
        }
    }

    /// Begins a message that is in memory already, if there is room for it and nobody of its account stands
    /// before it.
    fn begin_or_leave(
        &mut self,
        mut job: Box<Job>,
        accept: &Accept,
        seq: Seq,
        turn: Option<Turn>,
        slot: Option<Slot>,
    ) {
        let own = self.row_ref(seq, false);
        match (turn, slot) {
            (Some(_), Some(slot)) if !self.stopped => {
                job.keep(own, slot);
                self.spawn(job, seq);
            }
            (turn, _) => {
                if accept.held && turn.is_some() {
                    self.outbox.push(Change::Free { seq }, Wants::Nobody);
                } else if self.sends() && accept.due_ms.is_none() {
                    self.backlogs.insert(accept.account.clone());
                }
                job.forget().into_iter().for_each(|unfinished| self.open.join(unfinished));
            }
        }
    }
}
