//! What callers ask of a member: messages that they wait for, and that others end.

use fastrand::Rng;
use hongyan::Delivery;
use hongyan::testing::outbox::{Applied, Change, Store as _, Verdict};

use super::member::{Hand, Member};
use super::model::{Coming, Model};

impl Member {
    /// A caller waits for his message, which has a key or a line.
    pub(super) fn send_directly(&mut self, rng: &mut Rng, model: &mut Model) {
        let coming = Coming { direct: true, ..self.coming(rng, model) };
        if coming.key.is_some() || coming.line.is_some() {
            self.accept(coming, true, model);
        }
    }

    /// Begins what those wait for who wait here, and their own when it is its turn.
    pub(super) fn is_called(&mut self, model: &mut Model) {
        let Ok(rows) = self.store.called() else { return model.ends(self.who) };
        if !self.is_member(model) {
            return;
        }
        for row in rows {
            if self.hands.contains_key(&row.seq) {
                continue;
            }
            self.waiting.remove(&row.id);
            if row.begun.is_none() {
                self.hold(&row, model);
            } else if model.doubtful(self.who, &row) {
                self.hands.insert(row.seq, Hand::of_doubt(&row));
            }
        }
    }

    /// Tells callers the results of the messages that theirs followed.
    pub(super) fn follows(&mut self, model: &mut Model) {
        let Ok(told) = self.store.followed() else { return model.ends(self.who) };
        for (id, verdict) in told {
            self.waiting.remove(&id);
            model.told(&id, verdict.delivery);
        }
    }

    /// A caller does not want a message any more that is kept.
    pub(super) fn cancel(&mut self, rng: &mut Rng, model: &mut Model) {
        let Some(&seq) = rng.choice(&self.own) else { return };
        if self.hands.contains_key(&seq) {
            // Its job knows.
            return;
        }
        let Ok(row) = self.store.unbegun(seq) else { return model.ends(self.who) };
        if let (Some(row), true) = (row, self.is_member(model)) {
            self.is_to_end(&row, false, model);
        }
    }

    /// A caller waits no longer for his own.
    pub(super) fn gives_up(&mut self, rng: &mut Rng, model: &mut Model) {
        let Some((id, seq)) = rng.choice(&self.waiting).map(|(id, seq)| (id.clone(), *seq)) else {
            return;
        };
        match self.commit(Change::Drop { id: id.clone() }, model) {
            Some(Applied::Missed) => panic!("{id} is not there"),
            Some(_) => model.removed(seq),
            None => {}
        }
        self.waiting.remove(&id);
    }

    /// Somebody takes a message out, whoever accepted it.
    pub(super) fn remove(&mut self, rng: &mut Rng, model: &mut Model) {
        if rng.u32(0..4) > 0 {
            return;
        }
        let Some((seq, id)) = model.any(rng) else { return };
        let verdict = Verdict { delivery: Delivery::NotSent, receipt: b"{}".to_vec() };
        match self.commit(Change::Remove { id, verdict }, model) {
            Some(Applied::Elsewhere { .. }) => model.ended_from_outside(seq),
            Some(Applied::Done { .. }) => model.taken_out(seq),
            _ => {}
        }
    }
}
