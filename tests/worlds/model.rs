//! What must be true of messages in custody, whoever has them: told step by step what the store said to whom.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use hongyan::Delivery;
use hongyan::testing::outbox::{Ready, Seq, StoredResult};

/// A lease of this world, in milliseconds.
pub const LEASE_MS: u64 = 3000;

/// Nobody is taken for dead sooner after he attended: his sign of life may be a third of a lease older than that,
/// and clocks differ by a twentieth.
const SOONEST_MS: u64 = LEASE_MS / 2;

/// So many requests in so many milliseconds.
pub const WINDOW: (i64, i64) = (3, 1000);

/// The calendar of every world begins here.
const BEGINS_MS: u64 = 1_790_000_000_000;

/// The calendar is never set further from the time of the world than this.
const FURTHEST_MS: i64 = 10 * LEASE_MS as i64;

/// A membership; whoever is told that it was lost has another.
pub type Who = usize;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stand {
    /// In nobody's hands.
    Free,
    Held(Who),
    Begun(Who),
    /// Begun by one that is gone, and in the hands of this one.
    Doubt(Who),
    /// Begun by one that is gone.
    Orphan,
    /// It has the result of another of its key, or will have.
    Follows(Seq),
    Done(Delivery),
    /// Taken out: there will be no result.
    Gone,
}

/// A message as it is accepted.
pub struct Coming {
    pub id: String,
    pub key: Option<String>,
    pub line: Option<String>,
    pub due_ms: Option<u64>,
    pub deadline_ms: Option<u64>,
    /// Whose clients take its result.
    pub owner: &'static str,
    /// A caller waits for it.
    pub direct: bool,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) key: Option<String>,
    pub(super) line: Option<String>,
    /// Where it stands in its line, at the earliest and at the latest: when a member was ended is not told.
    pub(super) place: (u64, u64),
    due_ms: u64,
    deadline_ms: u64,
    /// The latest that the calendar has been since it came.
    latest_ms: u64,
    owner: &'static str,
    pub(super) home: Who,
    pub(super) direct: bool,
    pub(super) stand: Stand,
    /// Who is about to end it while it follows another.
    pub(super) taken: Option<Who>,
    /// What was sent, where it would be recognised.
    body: Option<Vec<u8>>,
    acknowledged: bool,
}

#[derive(Debug, Default)]
struct Membership {
    attended: u64,
    /// Its process is gone, or it left.
    is_gone: bool,
    /// What it had is in others' hands.
    is_ended: bool,
}

#[derive(Default)]
pub struct Model {
    /// The time of the world, in milliseconds.
    pub now: u64,
    /// How far the calendar is ahead of it.
    ahead_ms: i64,
    pub(super) messages: BTreeMap<Seq, Message>,
    members: Vec<Membership>,
    /// Requests that have leave: by whom, and until when they count once they are answered.
    requests: HashMap<i64, (Who, Option<u64>)>,
    pub(super) places: u64,
    /// How many messages had a name, whether they were accepted or not.
    pub named: usize,
    pub doubts: usize,
    pub late: usize,
}

impl Model {
    /// The calendar, which is the same for all processes of a machine.
    pub fn calendar(&self) -> u64 {
        (BEGINS_MS + self.now).saturating_add_signed(self.ahead_ms)
    }

    /// Time passes.
    pub fn pass(&mut self, ms: u64) {
        self.now += ms;
        self.looks_at_the_calendar();
    }

    /// Somebody sets the calendar, forward or back.
    pub fn set(&mut self, by_ms: i64) {
        let was = self.ahead_ms;
        self.ahead_ms = (was + by_ms).clamp(-FURTHEST_MS, FURTHEST_MS);
        // Answers seem so much older then.
        let forward = u64::try_from(self.ahead_ms - was).unwrap_or(0);
        for (_, until) in self.requests.values_mut() {
            *until = until.map(|until| until.saturating_sub(forward));
        }
        self.looks_at_the_calendar();
    }

    fn looks_at_the_calendar(&mut self) {
        let now = self.calendar();
        self.messages
            .values_mut()
            .for_each(|message| message.latest_ms = message.latest_ms.max(now));
    }

    pub fn enters(&mut self) -> Who {
        self.members.push(Membership { attended: self.now, ..Membership::default() });
        self.members.len() - 1
    }

    pub fn attends(&mut self, who: Who) {
        self.members[who].attended = self.now;
    }

    /// Its process has ended, or it has left.
    pub fn goes(&mut self, who: Who) {
        self.members[who].is_gone = true;
    }

    /// It was told that it is no member any more.
    pub fn is_told(&mut self, who: Who) {
        self.ends(who);
        self.late += 1;
    }

    /// Others have, or may have, what it had: that must be true.
    pub fn ends(&mut self, who: Who) {
        assert!(
            self.may_be_ended(who),
            "{who} was taken for dead {} ms after it attended",
            self.now - self.members[who].attended
        );
        self.members[who].is_ended = true;
        for message in self.messages.values_mut() {
            message.taken = message.taken.filter(|own| *own != who);
            message.stand = match message.stand {
                Stand::Held(own) if own == who => Stand::Free,
                Stand::Begun(own) | Stand::Doubt(own) if own == who => Stand::Orphan,
                stand => stand,
            };
        }
        self.sweep(who);
        // Nobody knows when they arrived.
        self.requests.retain(|_, (own, until)| *own != who || until.is_some());
    }

    /// Somebody has the file that found himself alone with it.
    pub fn all_that_went_have_ended(&mut self) {
        let went = |who: &Who| self.members[*who].is_gone && !self.members[*who].is_ended;
        let went: Vec<Who> = (0..self.members.len()).filter(went).collect();
        went.into_iter().for_each(|who| self.ends(who));
    }

    /// Whoever had this is gone if somebody else has it now.
    fn takes_over(&mut self, seq: Seq, who: Who) {
        let Message { stand, taken, .. } = &self.messages[&seq];
        let had = match stand {
            Stand::Held(own) | Stand::Begun(own) | Stand::Doubt(own) => Some(*own),
            _ => *taken,
        };
        had.filter(|own| *own != who).into_iter().for_each(|own| self.ends(own));
    }

    /// True if others may have taken it for dead.
    pub fn may_have_ended(&self, who: Who) -> bool {
        self.now - self.members[who].attended >= SOONEST_MS
    }

    pub(super) fn may_be_ended(&self, who: Who) -> bool {
        self.members[who].is_gone || self.may_have_ended(who)
    }

    /// False once others have what was this one's, which it need not know yet.
    pub(super) fn is_current(&self, who: Who) -> bool {
        !self.members[who].is_ended
    }

    /// A message was accepted. `follows`: another of its key; `known`: the result of such a one; `held`: it is
    /// in the hands of whoever accepted it.
    pub fn accepted(
        &mut self,
        who: Who,
        seq: Seq,
        coming: Coming,
        (follows, known, held): (bool, Option<Delivery>, bool),
    ) {
        let Coming { id, key, line, due_ms, deadline_ms, owner, direct } = coming;
        assert!(self.is_current(who), "{id} was accepted of one that is gone");
        let stand = match (self.first_of(key.as_deref(), follows || known.is_some()), known) {
            (Some((_, Stand::Done(delivery))), Some(known)) => {
                assert_eq!(delivery, known, "{id}");
                Stand::Done(known)
            }
            (Some((first, stand)), None) if follows => {
                assert!(!matches!(stand, Stand::Done(_)), "{id} follows one with a result");
                Stand::Follows(first)
            }
            (None, None) if !follows => match held {
                true => Stand::Held(who),
                false => Stand::Free,
            },
            wrong => panic!("{id}, follows {follows}: {wrong:?}"),
        };
        if direct && known.is_some() {
            // It needs no row.
            return;
        }
        self.places += 1;
        let message = Message {
            id,
            key,
            line,
            place: (self.places, self.places),
            due_ms: due_ms.unwrap_or(0),
            deadline_ms: deadline_ms.unwrap_or(u64::MAX),
            latest_ms: self.calendar(),
            owner,
            home: who,
            direct,
            stand,
            taken: None,
            body: None,
            acknowledged: false,
        };
        assert!(self.messages.insert(seq, message).is_none(), "{seq} is another's number");
    }

    /// Somebody was given what is to be begun. False if he is not who he takes himself for.
    pub fn ready(&mut self, who: Who, row: &Ready) -> bool {
        if !self.is_current(who) {
            return false;
        }
        self.takes_over(row.seq, who);
        self.lets_follow_on(row.seq, false);
        assert!(self.is_first_in_line(row.seq), "{row:?} of {:#?}", self.line_of(row.seq));
        let message = self.messages.get_mut(&row.seq).expect("known");
        assert_eq!((&message.id, message.stand), (&row.id, Stand::Free), "{who} was given it");
        assert!(message.due_ms <= message.latest_ms, "{message:?}");
        message.stand = Stand::Held(who);
        true
    }

    /// Somebody was given what one that is gone had begun.
    pub fn doubtful(&mut self, who: Who, row: &Ready) -> bool {
        if !self.is_current(who) {
            return false;
        }
        self.takes_over(row.seq, who);
        self.doubts += 1;
        let message = self.messages.get_mut(&row.seq).expect("known");
        assert_eq!((&message.id, message.stand), (&row.id, Stand::Orphan), "{who} was given it");
        let begun = row.begun.as_ref().expect("it was begun");
        assert_eq!(begun.body, message.body, "what was sent is kept");
        message.stand = Stand::Doubt(who);
        true
    }

    /// Somebody was given what is to be ended before it begins; since its deadline is past, or it was cancelled.
    pub fn unbegun(&mut self, who: Who, row: &Ready, is_overdue: bool) -> bool {
        if !self.is_current(who) {
            return false;
        }
        self.takes_over(row.seq, who);
        self.lets_follow_on(row.seq, row.follows);
        let message = self.messages.get_mut(&row.seq).expect("known");
        assert!(!is_overdue || message.deadline_ms <= message.latest_ms, "{message:?}");
        match message.stand {
            Stand::Free if !row.follows => message.stand = Stand::Held(who),
            Stand::Follows(_) if row.follows => message.taken = Some(who),
            _ => panic!("{who} was given {message:?} for {row:?}"),
        }
        true
    }

    /// True if somebody has this, and may do with it what he likes.
    pub fn has(&self, who: Who, seq: Seq) -> bool {
        let has = [Stand::Held(who), Stand::Begun(who), Stand::Doubt(who)];
        let message = &self.messages[&seq];
        let is_about_to_end = message.taken == Some(who);
        self.is_current(who) && (has.contains(&message.stand) || is_about_to_end)
    }

    /// What became of somebody's change of a message.
    pub fn changed(&self, who: Who, seq: Seq, made: bool) {
        assert_eq!(made, self.has(who, seq), "{who} changed {:?}", self.messages[&seq]);
    }

    pub fn begun(&mut self, who: Who, seq: Seq, body: Option<Vec<u8>>) {
        assert!(self.is_first_in_line(seq), "{:?} was begun", self.messages[&seq]);
        let message = self.messages.get_mut(&seq).expect("known");
        message.body = body;
        message.stand = Stand::Begun(who);
    }

    /// An attempt ended, and another will follow.
    pub fn ended(&mut self, who: Who, seq: Seq) {
        let message = self.messages.get_mut(&seq).expect("known");
        message.stand = Stand::Held(who);
        message.body = None;
    }

    pub fn freed(&mut self, seq: Seq) {
        self.messages.get_mut(&seq).expect("known").stand = Stand::Free;
    }

    /// A message has its result, which is `alone` none for others of its key.
    pub fn finished(&mut self, seq: Seq, delivery: Delivery, alone: bool) {
        let message = self.messages.get_mut(&seq).expect("known");
        if matches!(message.stand, Stand::Follows(_)) {
            // What it came to says nothing of its key.
            message.key = None;
        }
        (message.stand, message.taken) = (Stand::Done(delivery), None);
        // Its caller has it.
        message.acknowledged |= message.direct;
        if alone {
            return self.leaves(seq, true);
        }
        for message in self.messages.values_mut() {
            if message.stand == Stand::Follows(seq) {
                (message.stand, message.taken) = (Stand::Done(delivery), None);
            }
        }
    }

    /// A caller was told the result of the message that his followed.
    pub fn told(&mut self, id: &str, delivery: Delivery) {
        let seq = self.seq_of(id);
        let message = self.messages.get_mut(&seq).expect("known");
        assert_eq!((message.direct, message.stand), (true, Stand::Done(delivery)), "{id}");
        message.acknowledged = true;
    }

    /// True if a caller waits for it.
    pub fn is_direct(&self, seq: Seq) -> bool {
        self.messages[&seq].direct
    }

    /// Some message, whatever became of it.
    pub fn any(&self, rng: &mut Rng) -> Option<(Seq, String)> {
        rng.choice(&self.messages).map(|(seq, message)| (*seq, message.id.clone()))
    }

    fn seq_of(&self, id: &str) -> Seq {
        *self.messages.iter().find(|(_, message)| message.id == id).expect("known").0
    }

    /// A request asked for leave.
    pub fn paced(&mut self, who: Who, id: i64, granted: bool) {
        if !granted || !self.is_current(who) {
            return;
        }
        let now = self.now;
        self.requests.retain(|_, (_, until)| until.is_none_or(|until| until > now));
        // What had leave in the memory of a member that is gone, or was taken for dead, never goes.
        let counts =
            |(own, until): &&(Who, Option<u64>)| until.is_some() || !self.may_be_ended(*own);
        let counted = self.requests.values().filter(counts).count() as i64;
        assert!(counted < WINDOW.0, "{counted} requests count, and one more may go");
        self.requests.insert(id, (who, None));
    }

    pub fn answered(&mut self, id: i64) {
        if let Some((_, until)) = self.requests.get_mut(&id) {
            *until = Some(self.now + WINDOW.1.unsigned_abs());
        }
    }

    /// A result was handed out to a client of this owner.
    pub fn handed(&self, result: &StoredResult, owner: &str) {
        let message = &self.messages[&result.seq];
        assert_eq!((&*message.id, message.owner), (&*result.id, owner));
        assert_eq!(message.stand, Stand::Done(result.verdict.delivery), "{message:?}");
        assert!(!message.acknowledged && !message.direct, "{message:?} came again");
    }

    pub fn acknowledged(&mut self, seq: Seq) {
        self.messages.get_mut(&seq).expect("known").acknowledged = true;
    }

    /// The messages that have no result that was acknowledged.
    pub fn unfinished(&self) -> Vec<&impl std::fmt::Debug> {
        let has_end = |message: &Message| message.acknowledged || message.stand == Stand::Gone;
        self.messages.values().filter(|message| !has_end(message)).collect()
    }

    pub fn count(&self) -> usize {
        self.messages.len()
    }
}
