//! What must be true of messages in custody, whoever has them: told step by step what the store said to whom.

use std::collections::{BTreeMap, HashMap};

use hongyan::Delivery;
use hongyan::testing::outbox::{Ready, Seq, StoredResult};

/// A lease of this world, in milliseconds.
pub const LEASE_MS: u64 = 3000;

/// Nobody is taken for dead sooner after he attended: his sign of life may be a third of a lease older than that,
/// and clocks differ by a twentieth.
const SOONEST_MS: u64 = LEASE_MS / 2;

/// So many requests in so many milliseconds.
pub const WINDOW: (i64, i64) = (3, 1000);

/// A membership; whoever is told that it was lost has another.
pub type Who = usize;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stand {
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
}

#[derive(Debug)]
struct Message {
    id: String,
    key: Option<String>,
    line: Option<String>,
    due_ms: u64,
    stand: Stand,
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
    messages: BTreeMap<Seq, Message>,
    members: Vec<Membership>,
    /// Requests that have leave: by whom, and until when they count once they are answered.
    requests: HashMap<i64, (Who, Option<u64>)>,
    pub doubts: usize,
    pub late: usize,
}

impl Model {
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
            self.members[who].is_gone || self.may_have_ended(who),
            "{who} was taken for dead {} ms after it attended",
            self.now - self.members[who].attended
        );
        self.members[who].is_ended = true;
        for message in self.messages.values_mut() {
            message.stand = match message.stand {
                Stand::Held(own) if own == who => Stand::Free,
                Stand::Begun(own) | Stand::Doubt(own) if own == who => Stand::Orphan,
                stand => stand,
            };
        }
        // Nobody knows when they arrived.
        self.requests.retain(|_, (own, until)| *own != who || until.is_some());
    }

    /// Whoever had this is gone if somebody else has it now.
    fn takes_over(&mut self, seq: Seq, who: Who) {
        let stand = self.messages[&seq].stand;
        match stand {
            Stand::Held(own) | Stand::Begun(own) | Stand::Doubt(own) if own != who => {
                self.ends(own)
            }
            _ => {}
        }
    }

    /// True if others may have taken it for dead.
    pub fn may_have_ended(&self, who: Who) -> bool {
        self.now - self.members[who].attended >= SOONEST_MS
    }

    /// False once others have what was this one's, which it need not know yet.
    fn is_current(&self, who: Who) -> bool {
        !self.members[who].is_ended
    }

    fn of_key(&self, key: &str) -> impl Iterator<Item = (&Seq, &Message)> {
        self.messages.iter().filter(move |(_, message)| message.key.as_deref() == Some(key))
    }

    /// The message of a key that others follow, or whose result they have.
    fn first_of(&self, key: &str) -> Option<(Seq, Stand)> {
        let live =
            |stand: Stand| !matches!(stand, Stand::Follows(_) | Stand::Done(Delivery::NotSent));
        self.of_key(key).find(|(_, m)| live(m.stand)).map(|(seq, m)| (*seq, m.stand))
    }

    /// A message was accepted. `follows`: another of its key; `known`: the result of such a one; `held`: it is
    /// in the hands of whoever accepted it.
    #[allow(clippy::too_many_arguments, reason = "all of an answer")]
    pub fn accepted(
        &mut self,
        who: Who,
        seq: Seq,
        id: &str,
        (key, line): (Option<String>, Option<String>),
        due_ms: u64,
        (follows, known, held): (bool, Option<Delivery>, bool),
    ) {
        assert!(self.is_current(who), "{id} was accepted of one that is gone");
        let first = key.as_deref().and_then(|key| self.first_of(key));
        let stand = match (first, known) {
            (Some((_, Stand::Done(delivery))), Some(known)) => {
                assert_eq!(delivery, known, "{id}");
                Stand::Done(known)
            }
            (Some((first, stand)), None) if follows => {
                assert!(!matches!(stand, Stand::Done(_)), "{id} follows one with a result");
                Stand::Follows(first)
            }
            (None, None) if !follows => {
                if held {
                    Stand::Held(who)
                } else {
                    Stand::Free
                }
            }
            wrong => panic!("{id}, follows {follows}: {wrong:?}"),
        };
        let (id, body) = (id.to_owned(), None);
        let message = Message { id, key, line, due_ms, stand, body, acknowledged: false };
        assert!(self.messages.insert(seq, message).is_none(), "{seq} is another's number");
    }

    /// True if nothing before it in its line is unfinished.
    fn is_first_in_line(&self, seq: Seq) -> bool {
        let line = self.messages[&seq].line.as_ref();
        line.is_none()
            || self.messages.range(..seq).all(|(_, earlier)| {
                earlier.line.as_ref() != line
                    || matches!(earlier.stand, Stand::Done(_) | Stand::Follows(_))
            })
    }

    /// Somebody was given what is to be begun. False if he is not who he takes himself for.
    pub fn ready(&mut self, who: Who, row: &Ready, now_ms: u64) -> bool {
        if !self.is_current(who) {
            return false;
        }
        self.takes_over(row.seq, who);
        let message = &self.messages[&row.seq];
        assert_eq!((&message.id, message.stand), (&row.id, Stand::Free), "{who} was given it");
        assert!(message.due_ms <= now_ms, "{message:?} at {now_ms}");
        assert!(self.is_first_in_line(row.seq), "{row:?}");
        self.messages.get_mut(&row.seq).expect("known").stand = Stand::Held(who);
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

    /// True if somebody has this, and may do with it what he likes.
    fn has(&self, who: Who, seq: Seq) -> bool {
        let has = [Stand::Held(who), Stand::Begun(who), Stand::Doubt(who)];
        self.is_current(who) && has.contains(&self.messages[&seq].stand)
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

    pub fn finished(&mut self, seq: Seq, delivery: Delivery) {
        for (own, message) in &mut self.messages {
            if *own == seq || message.stand == Stand::Follows(seq) {
                message.stand = Stand::Done(delivery);
            }
        }
    }

    /// A request asked for leave.
    pub fn paced(&mut self, who: Who, id: i64, granted: bool) {
        if !granted || !self.is_current(who) {
            return;
        }
        let now = self.now;
        self.requests.retain(|_, (_, until)| until.is_none_or(|until| until > now));
        // What had leave in the memory of a member that was taken for dead never goes: it may begin nothing more.
        let counts =
            |(own, until): &&(Who, Option<u64>)| until.is_some() || !self.may_have_ended(*own);
        let counted = self.requests.values().filter(counts).count() as i64;
        assert!(counted < WINDOW.0, "{counted} requests count, and one more may go");
        self.requests.insert(id, (who, None));
    }

    pub fn answered(&mut self, id: i64) {
        if let Some((_, until)) = self.requests.get_mut(&id) {
            *until = Some(self.now + WINDOW.1.unsigned_abs());
        }
    }

    /// A result was handed out.
    pub fn handed(&self, result: &StoredResult) {
        let message = &self.messages[&result.seq];
        assert_eq!(message.id, result.id);
        assert_eq!(message.stand, Stand::Done(result.verdict.delivery), "{message:?}");
        assert!(!message.acknowledged, "{message:?} came again");
    }

    pub fn acknowledged(&mut self, seq: Seq) {
        self.messages.get_mut(&seq).expect("known").acknowledged = true;
    }

    /// How many messages have no result that was acknowledged.
    pub fn unfinished(&self) -> usize {
        self.messages.values().filter(|message| !message.acknowledged).count()
    }

    pub fn count(&self) -> usize {
        self.messages.len()
    }
}
