//! A member of a world: its store, what it believes to have in its hands, and its clock.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use hongyan::Delivery;
use hongyan::testing::outbox::{
    Accept, Applied, Begin, Change, Options, RateLimit, Seq, Sqlite, Store as _, Verdict,
};

use super::model::{LEASE_MS, Model, WINDOW, Who};

/// The calendar of every world begins here.
const BEGINS_MS: u64 = 1_790_000_000_000;

thread_local! {
    static TICKS: Cell<u64> = const { Cell::new(0) };
}

/// What is in a member's hands.
#[derive(Clone, Copy, PartialEq)]
enum Hand {
    Held,
    Begun,
    Doubt,
}

pub struct Member {
    store: Sqlite,
    who: Who,
    hands: BTreeMap<Seq, Hand>,
    results: Vec<(Seq, String)>,
    requests: Vec<i64>,
    /// Its clock began here, and goes so many thousandths as fast as the world's.
    offset: u64,
    rate: u64,
    /// It does nothing before then.
    pub stopped_until: u64,
}

impl Member {
    pub fn open(path: &Path, rng: &mut Rng, model: &mut Model) -> Member {
        let (offset, rate) = (rng.u64(0..1_000_000), rng.u64(960..=1040));
        TICKS.set(offset + model.now * rate / 1000);
        let options = Options {
            max_messages: 1 << 40,
            max_bytes: 1 << 40,
            key_days: 365,
            owner: "",
            sends: true,
            takes: true,
            lease: Duration::from_millis(LEASE_MS),
            wait: Duration::from_secs(10),
            for_a_change: false,
            ticks: || TICKS.get(),
            unix_ms: || BEGINS_MS,
        };
        let store = Sqlite::open(path, options).expect("an outbox");
        Member {
            store,
            who: model.enters(),
            hands: BTreeMap::new(),
            results: Vec::new(),
            requests: Vec::new(),
            offset,
            rate,
            stopped_until: 0,
        }
    }

    /// Its process ends, or it goes by itself.
    pub fn go(self, killed: bool, model: &mut Model) {
        TICKS.set(self.offset + model.now * self.rate / 1000);
        model.goes(self.who);
        match killed {
            true => self.store.kill(),
            false => drop(self.store),
        }
    }

    /// One call of the store.
    pub fn step(&mut self, rng: &mut Rng, model: &mut Model) {
        TICKS.set(self.offset + model.now * self.rate / 1000);
        match rng.u32(0..20) {
            0..6 => self.attend(model),
            6..8 => self.submit(rng, model),
            8 => drop(self.store.release(BEGINS_MS + model.now)),
            9 | 10 => self.take(rng, model),
            11 => self.take_doubts(model),
            12 | 13 => self.begin(rng, model),
            14 | 15 => self.finish(rng, model),
            16 => self.rest(rng, model),
            17 => self.take_results(model),
            18 => self.acknowledge(rng, model),
            _ => self.pace(rng, model),
        }
    }

    /// All that there is to do, once, and everything that was begun is sent.
    pub fn work(&mut self, rng: &mut Rng, model: &mut Model) {
        TICKS.set(self.offset + model.now * self.rate / 1000);
        self.attend(model);
        drop(self.store.release(BEGINS_MS + model.now));
        self.take_doubts(model);
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
            self.results.clear();
            self.requests.clear();
        }
        model.attends(self.who);
    }

    /// Makes one change; `None` if it was told that it is no member any more.
    fn commit(&mut self, change: Change, model: &mut Model) -> Option<Applied> {
        match self.store.commit(&[change], BEGINS_MS + model.now) {
            Ok(mut applied) => applied.pop(),
            Err(_) => {
                model.ends(self.who);
                None
            }
        }
    }

    /// False if what it has read is nothing to it: who was taken for dead, and has not been told, may read what
    /// others have in their hands. He can change nothing.
    fn is_member(&mut self, model: &mut Model) -> bool {
        !model.may_have_ended(self.who)
            || self.commit(Change::Went { slots: [0, 0] }, model).is_some()
    }

    fn submit(&mut self, rng: &mut Rng, model: &mut Model) {
        let id = format!("m{}", model.count());
        let key = (rng.u32(0..4) == 0).then(|| format!("k{}", rng.u32(0..12)));
        let line = (rng.u32(0..3) == 0).then(|| format!("l{}", rng.u32(0..3)));
        let now_ms = BEGINS_MS + model.now;
        let due_ms = (rng.u32(0..4) == 0).then(|| now_ms + rng.u64(1..2 * LEASE_MS));
        let held = rng.bool();
        let accept = Accept {
            id: id.clone(),
            token: 1,
            account: "a".into(),
            message: b"{}".to_vec(),
            files: Vec::new(),
            key: key.clone().map(|key| (key, [1; 32].into())),
            line: line.clone(),
            accepted_ms: now_ms,
            due_ms,
            deadline_ms: None,
            result: None,
            direct: false,
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
        let due_ms = due_ms.unwrap_or(0);
        model.accepted(self.who, seq, &id, (key, line), due_ms, (follows, known, held));
        if held {
            self.hands.insert(seq, Hand::Held);
        }
    }

    fn take(&mut self, rng: &mut Rng, model: &mut Model) {
        let most = rng.usize(1..4);
        let Ok(rows) = self.store.ready("a", most) else { return model.ends(self.who) };
        if !self.is_member(model) {
            return;
        }
        for row in rows {
            if model.ready(self.who, &row, BEGINS_MS + model.now) {
                self.hands.insert(row.seq, Hand::Held);
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
                self.hands.insert(row.seq, Hand::Doubt);
            }
        }
    }

    fn some(&self, rng: &mut Rng, which: impl Fn(Hand) -> bool) -> Option<Seq> {
        let some: Vec<Seq> =
            self.hands.iter().filter(|(_, h)| which(**h)).map(|(s, _)| *s).collect();
        rng.choice(some)
    }

    fn begin(&mut self, rng: &mut Rng, model: &mut Model) {
        let Some(seq) = self.some(rng, |hand| hand != Hand::Begun) else { return };
        let body = rng.bool().then(|| format!("body {}", rng.u8(..)).into_bytes());
        let begin = Begin {
            seq,
            first_sent_ms: BEGINS_MS + model.now,
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
        }
    }

    fn finish(&mut self, rng: &mut Rng, model: &mut Model) {
        let Some(seq) = self.some(rng, |hand| hand != Hand::Held) else { return };
        let delivery = match self.hands[&seq] {
            Hand::Doubt => Delivery::MaybeSent,
            _ => *rng.choice(&[Delivery::Sent, Delivery::Sent, Delivery::NotSent]).expect("some"),
        };
        let verdict = Verdict { delivery, receipt: b"{}".to_vec() };
        let change = Change::Finish { seq, verdict, alone: false };
        let Some(made) = self.commit(change, model) else { return };
        let made = made != Applied::Missed;
        model.changed(self.who, seq, made);
        self.hands.remove(&seq);
        if made {
            model.finished(seq, delivery);
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
            && self.commit(Change::Free { seq }, model).is_some()
        {
            model.freed(seq);
            self.hands.remove(&seq);
        }
    }

    fn take_results(&mut self, model: &mut Model) {
        let Ok(rows) = self.store.results(8) else { return model.ends(self.who) };
        for row in rows {
            model.handed(&row);
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

    fn pace(&mut self, rng: &mut Rng, model: &mut Model) {
        if let Some(id) = self.requests.pop() {
            if self.commit(Change::Paced { id, went: true }, model).is_some() {
                model.answered(id);
            }
            return;
        }
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
}
