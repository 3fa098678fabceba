//! A member of a world: its store, what it believes to have in its hands, and its clock.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use hongyan::Delivery;
use hongyan::testing::outbox::{
    Accept, Applied, Begin, Change, Follower, Options, RateLimit, Ready, Seq, Sqlite, Store as _,
    Verdict,
};

use super::model::{Coming, LEASE_MS, Model, WINDOW, Who};

thread_local! {
    static TICKS: Cell<u64> = const { Cell::new(0) };
    static CALENDAR: Cell<u64> = const { Cell::new(0) };
}

/// What is in a member's hands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Hand {
    Held,
    Begun,
    Doubt,
    /// To be ended without another attempt; whether it may have been sent, itself or another of its key.
    Ending(bool),
}

impl Hand {
    /// Of what one that is gone had begun: a caller who is gone with him wants no other attempt.
    pub(super) fn of_doubt(row: &Ready) -> Hand {
        if row.direct { Hand::Ending(true) } else { Hand::Doubt }
    }
}

pub struct Member {
    pub(super) store: Sqlite,
    pub(super) who: Who,
    pub(super) owner: &'static str,
    sends: bool,
    pub(super) hands: BTreeMap<Seq, Hand>,
    /// Callers of its own that wait, by the ids of their messages.
    pub(super) waiting: BTreeMap<String, Seq>,
    /// Its own messages that are kept.
    pub(super) own: Vec<Seq>,
    results: Vec<(Seq, String)>,
    requests: Vec<i64>,
    /// Its clock began here, and goes so many thousandths as fast as the world's.
    offset: u64,
    rate: u64,
    /// It does nothing before then.
    pub stopped_until: u64,
}

impl Member {
    /// `heir`: the owner of one that comes when all are gone, and sends.
    pub fn open(
        path: &Path,
        heir: Option<&'static str>,
        rng: &mut Rng,
        model: &mut Model,
    ) -> Member {
        let (offset, rate) = (rng.u64(0..1_000_000), rng.u64(960..=1040));
        let owner = heir.unwrap_or(if rng.u32(0..4) == 0 { "b" } else { "" });
        let sends = heir.is_some() || rng.u32(0..5) > 0;
        TICKS.set(offset + model.now * rate / 1000);
        CALENDAR.set(model.calendar());
        let options = Options {
            max_messages: 1 << 40,
            max_bytes: 1 << 40,
            key_days: 365,
            owner,
            sends,
            takes: true,
            lease: Duration::from_millis(LEASE_MS),
            wait: Duration::from_secs(10),
            for_a_change: false,
            ticks: || TICKS.get(),
            unix_ms: || CALENDAR.get(),
        };
        let store = Sqlite::open(path, options).expect("an outbox");
        Member {
            store,
            who: model.enters(),
            owner,
            sends,
            hands: BTreeMap::new(),
            waiting: BTreeMap::new(),
            own: Vec::new(),
            results: Vec::new(),
            requests: Vec::new(),
            offset,
            rate,
            stopped_until: 0,
        }
    }

    /// Its process ends, or it goes by itself.
    pub fn go(self, killed: bool, model: &mut Model) {
        self.reads_clocks(model);
        model.goes(self.who);
        match killed {
            true => self.store.kill(),
            false => drop(self.store),
        }
    }

    fn reads_clocks(&self, model: &Model) {
        TICKS.set(self.offset + model.now * self.rate / 1000);
        CALENDAR.set(model.calendar());
    }

    /// One call of the store.
    pub fn step(&mut self, rng: &mut Rng, model: &mut Model) {
        self.reads_clocks(model);
        match rng.u32(0..30) {
            0..6 => self.attend(model),
            6..8 => self.submit(rng, model),
            8 => self.send_directly(rng, model),
            9 => self.is_called(model),
            10 => self.follows(model),
            11 => self.cancel(rng, model),
            12 => self.gives_up(rng, model),
            13 => self.remove(rng, model),
            14 | 15 => self.finish(rng, model),
            16 => self.rest(rng, model),
            17 | 18 => self.take_results(model),
            19 | 20 => self.acknowledge(rng, model),
            21..24 => self.pace(rng, model),
            24 | 25 => self.begin(rng, model),
            // What is due is the senders' matter.
            _ if !self.sends => {}
            26 => drop(self.store.release(model.calendar())),
            27 => self.take(rng, model),
            28 => self.take_doubts(model),
            _ => self.take_overdue(rng, model),
        }
    }

    /// All that there is to do, once, and everything that was begun is sent.
    pub fn work(&mut self, rng: &mut Rng, model: &mut Model) {
        self.reads_clocks(model);
        self.attend(model);
        drop(self.store.release(model.calendar()));
        self.take_doubts(model);
        self.take_overdue(rng, model);
        for _ in 0..20 {
            self.take(rng, model);
            self.begin(rng, model);
            self.finish(rng, model);
            self.take_results(model);
            self.acknowledge(rng, model);
        }
    }

    fn attend(&mut self, model: &mut Model) {
        let held: HashSet<Seq> = self.hands.keys().copied().collect();
        let news = self.store.attend(&held).expect("a store");
        if news.lost {
            model.is_told(self.who);
            self.who = model.enters();
            self.hands.clear();
            self.waiting.clear();
            self.own.clear();
            self.results.clear();
            self.requests.clear();
        }
        model.attends(self.who);
    }

    /// Makes one change; `None` if it was told that it is no member any more.
    pub(super) fn commit(&mut self, change: Change, model: &mut Model) -> Option<Applied> {
        match self.store.commit(&[change], model.calendar()) {
            Ok(mut applied) => applied.pop(),
            Err(_) => {
                model.ends(self.who);
                None
            }
        }
    }

    /// False if what it has read is nothing to it: who was taken for dead, and has not been told, may read what
    /// others have in their hands. He can change nothing.
    pub(super) fn is_member(&mut self, model: &mut Model) -> bool {
        !model.may_have_ended(self.who)
            || self.commit(Change::Went { slots: [0, 0] }, model).is_some()
    }

    fn submit(&mut self, rng: &mut Rng, model: &mut Model) {
        let now_ms = model.calendar();
        let later = |rng: &mut Rng| now_ms + rng.u64(1..2 * LEASE_MS);
        let coming = Coming {
            due_ms: (rng.u32(0..4) == 0).then(|| later(rng)),
            deadline_ms: (rng.u32(0..4) == 0).then(|| later(rng)),
            ..self.coming(rng, model)
        };
        let held = self.sends && rng.bool();
        self.accept(coming, held, model);
    }

    /// A message with or without a key and a line.
    pub(super) fn coming(&self, rng: &mut Rng, model: &mut Model) -> Coming {
        model.named += 1;
        Coming {
            id: format!("m{}", model.named),
            key: (rng.u32(0..4) == 0).then(|| format!("k{}", rng.u32(0..12))),
            line: (rng.u32(0..3) == 0).then(|| format!("l{}", rng.u32(0..3))),
            due_ms: None,
            deadline_ms: None,
            owner: self.owner,
            direct: false,
        }
    }

    /// Has a message accepted; `held`: to begin it at once, if nothing stands before it.
    pub(super) fn accept(&mut self, coming: Coming, held: bool, model: &mut Model) {
        let Coming { id, key, line, due_ms, deadline_ms, direct, .. } = &coming;
        let (id, direct) = (id.clone(), *direct);
        let accept = Accept {
            id: id.clone(),
            token: 1,
            account: "a".into(),
            message: if direct { Vec::new() } else { b"{}".to_vec() },
            files: Vec::new(),
            key: key.clone().map(|key| (key, [1; 32].into())),
            line: line.clone(),
            accepted_ms: model.calendar(),
            due_ms: *due_ms,
            deadline_ms: *deadline_ms,
            result: None,
            direct,
            held,
            from: None,
        };
        let Some(applied) = self.commit(Change::Accept(Box::new(accept)), model) else { return };
        let (seq, follows, known, held) = match applied {
            Applied::Accepted { seq, turn, follows } => {
                (seq, follows, None, held && turn.is_some())
            }
            Applied::Known { seq, verdict } => (seq, false, Some(verdict.delivery), false),
            other => panic!("{id}: {other:?}"),
        };
        model.accepted(self.who, seq, coming, (follows, known, held));
        match (direct, known) {
            (true, None) if !held => drop(self.waiting.insert(id, seq)),
            (false, None) => self.own.push(seq),
            _ => {}
        }
        if held {
            self.hands.insert(seq, Hand::Held);
        }
    }

    fn take(&mut self, rng: &mut Rng, model: &mut Model) {
        let most = rng.usize(1..4);
        let Ok(rows) = self.store.ready("a", most) else { return model.ends(self.who) };
        if self.is_member(model) {
            rows.iter().for_each(|row| self.hold(row, model));
        }
    }

    /// Something that it may begin is in its hands.
    pub(super) fn hold(&mut self, row: &Ready, model: &mut Model) {
        if model.ready(self.who, row) {
            self.hands.insert(row.seq, Hand::Held);
        }
    }

    fn take_overdue(&mut self, rng: &mut Rng, model: &mut Model) {
        let Ok(rows) = self.store.overdue(model.calendar(), rng.usize(1..4)) else {
            return model.ends(self.who);
        };
        if !self.is_member(model) {
            return;
        }
        rows.iter().for_each(|row| self.is_to_end(row, true, model));
    }

    /// A message is to be ended before it begins.
    pub(super) fn is_to_end(&mut self, row: &Ready, is_overdue: bool, model: &mut Model) {
        if model.unbegun(self.who, row, is_overdue) {
            self.hands.insert(row.seq, Hand::Ending(row.follows));
            if row.follows {
                // Before the one that it follows comes to anything.
                self.finish_as(row.seq, Delivery::MaybeSent, false, model);
            }
        }
    }

    fn take_doubts(&mut self, model: &mut Model) {
        let Ok(rows) = self.store.begun() else { return model.ends(self.who) };
        if !self.is_member(model) {
            return;
        }
        for row in rows {
            if model.doubtful(self.who, &row) {
                self.hands.insert(row.seq, Hand::of_doubt(&row));
            }
        }
    }

    pub(super) fn some(&self, rng: &mut Rng, which: impl Fn(Hand) -> bool) -> Option<Seq> {
        let some: Vec<Seq> =
            self.hands.iter().filter(|(_, h)| which(**h)).map(|(s, _)| *s).collect();
        rng.choice(some)
    }

    fn begin(&mut self, rng: &mut Rng, model: &mut Model) {
        let may_begin = |hand| matches!(hand, Hand::Held | Hand::Doubt);
        let Some(seq) = self.some(rng, may_begin) else { return };
        let body = rng.bool().then(|| format!("body {}", rng.u8(..)).into_bytes());
        let begin = Begin {
            seq,
            first_sent_ms: model.calendar(),
            attempts: 1,
            sender: Some("s".into()),
            body: body.clone(),
            mark: None,
            progress: None,
        };
        let Some(made) = self.commit(Change::Begin(Box::new(begin)), model) else { return };
        let made = made != Applied::Missed;
        model.changed(self.who, seq, made);
        if made {
            model.begun(self.who, seq, body);
            self.hands.insert(seq, Hand::Begun);
        } else {
            // Others have ended it.
            self.hands.remove(&seq);
        }
    }

    fn finish(&mut self, rng: &mut Rng, model: &mut Model) {
        let Some(seq) = self.some(rng, |hand| hand != Hand::Held) else { return };
        let (delivery, alone) = match self.hands[&seq] {
            Hand::Doubt | Hand::Ending(true) => (Delivery::MaybeSent, false),
            Hand::Ending(false) => (Delivery::NotSent, true),
            _ if rng.u32(0..3) > 0 => (Delivery::Sent, false),
            _ => (Delivery::NotSent, rng.u32(0..3) == 0),
        };
        self.finish_as(seq, delivery, alone, model);
    }

    fn finish_as(&mut self, seq: Seq, delivery: Delivery, alone: bool, model: &mut Model) {
        let verdict = Verdict { delivery, receipt: b"{}".to_vec() };
        let change = Change::Finish { seq, verdict, alone };
        let Some(applied) = self.commit(change, model) else { return };
        let made = applied != Applied::Missed;
        model.changed(self.who, seq, made);
        self.hands.remove(&seq);
        if made {
            model.finished(seq, delivery, alone);
        }
        if let Applied::Done { followers, .. } | Applied::Elsewhere { followers, .. } = applied {
            for Follower { id, .. } in followers {
                if self.waiting.remove(&id).is_some() {
                    model.told(&id, delivery);
                }
            }
        }
    }

    /// What it has it tries again, or gives back.
    fn rest(&mut self, rng: &mut Rng, model: &mut Model) {
        if let Some(seq) = self.some(rng, |hand| hand == Hand::Begun) {
            let ended = Change::Ended { seq, attempts: 1, due_ms: None, progress: None };
            if self.commit(ended, model).is_some() {
                model.ended(self.who, seq);
                self.hands.insert(seq, Hand::Held);
            }
        } else if let Some(seq) = self.some(rng, |hand| hand == Hand::Held)
            && !model.is_direct(seq)
            && self.commit(Change::Free { seq }, model).is_some()
        {
            if model.has(self.who, seq) {
                model.freed(seq);
            }
            self.hands.remove(&seq);
        }
    }

    fn take_results(&mut self, model: &mut Model) {
        let Ok(rows) = self.store.results(8) else { return model.ends(self.who) };
        for row in rows {
            model.handed(&row, self.owner);
            self.results.push((row.seq, row.id));
        }
    }

    fn acknowledge(&mut self, rng: &mut Rng, model: &mut Model) {
        if self.results.is_empty() {
            return;
        }
        let (seq, id) = self.results.swap_remove(rng.usize(0..self.results.len()));
        if self.commit(Change::Ack { id }, model).is_some() {
            model.acknowledged(seq);
        }
    }

    /// Asks for leave, or a request that has it is answered.
    fn pace(&mut self, rng: &mut Rng, model: &mut Model) {
        match self.requests.is_empty() {
            true => self.ask(rng, model),
            false => self.is_answered(model),
        }
    }

    fn ask(&mut self, rng: &mut Rng, model: &mut Model) {
        let id = rng.i64(1..);
        let (count, per_ms) = WINDOW;
        let limits = vec![RateLimit { scope: "s".into(), count, per_ms }];
        let applied = self.commit(Change::Pace { id, limits }, model);
        if let Some(Applied::Paced { wait }) = applied
            && self.is_member(model)
        {
            model.paced(self.who, id, wait.is_zero());
            if wait.is_zero() {
                self.requests.push(id);
            }
        }
    }

    /// The last request that had leave has its answer.
    pub fn is_answered(&mut self, model: &mut Model) {
        if let Some(id) = self.requests.pop()
            && self.commit(Change::Paced { id, went: true }, model).is_some()
        {
            model.answered(id);
        }
    }

    /// True if a request gets leave before a few windows are over.
    pub fn gets_leave(&mut self, rng: &mut Rng, model: &mut Model) -> bool {
        self.reads_clocks(model);
        while !self.requests.is_empty() {
            self.is_answered(model);
        }
        for _ in 0..5 {
            self.ask(rng, model);
            if !self.requests.is_empty() {
                return true;
            }
            model.pass(WINDOW.1.unsigned_abs());
            self.reads_clocks(model);
            self.attend(model);
        }
        false
    }
}
