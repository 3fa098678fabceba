//! What is true of messages together: of those with one key, of those in one line, and of those whose callers are
//! gone.

use hongyan::Delivery;
use hongyan::testing::outbox::Seq;

use super::model::{Message, Model, Stand, Who};

impl Model {
    /// The message of a key that others follow, or whose result they have. `is_there`: the store has found one.
    pub(super) fn first_of(&mut self, key: Option<&str>, is_there: bool) -> Option<(Seq, Stand)> {
        let key = key?;
        loop {
            let live = |stand: Stand| {
                !matches!(stand, Stand::Follows(_) | Stand::Done(Delivery::NotSent) | Stand::Gone)
            };
            let of_key = |message: &Message| message.key.as_deref() == Some(key);
            let (seq, first) = self.messages.iter().find(|(_, m)| of_key(m) && live(m.stand))?;
            match self.whose_caller_is_gone(first) {
                Some(gone) if !is_there => self.ends(gone),
                _ => return Some((*seq, first.stand)),
            }
        }
    }

    /// The member whose caller waits for this, if that may be gone, and the message with it.
    fn whose_caller_is_gone(&self, message: &Message) -> Option<Who> {
        let is_unbegun = matches!(message.stand, Stand::Free | Stand::Held(_) | Stand::Follows(_));
        let may_be_gone = self.is_current(message.home) && self.may_be_ended(message.home);
        (message.direct && is_unbegun && may_be_gone).then_some(message.home)
    }

    /// True if nothing before it in its line is unfinished.
    pub(super) fn is_first_in_line(&mut self, seq: Seq) -> bool {
        loop {
            let own = &self.messages[&seq];
            let blocks = |other: &&Message| {
                own.line.is_some()
                    && (&other.line, other.place.1 < own.place.0) == (&own.line, true)
                    && !matches!(other.stand, Stand::Done(_) | Stand::Follows(_) | Stand::Gone)
            };
            let Some(blocking) = self.messages.values().find(blocks) else { return true };
            match self.whose_caller_is_gone(blocking) {
                Some(gone) => self.ends(gone),
                None => return false,
            }
        }
    }

    /// All that ever stood in its line.
    pub(super) fn line_of(&self, seq: Seq) -> Vec<(&Seq, &Message)> {
        let line = &self.messages[&seq].line;
        self.messages.iter().filter(|(_, other)| other.line == *line).collect()
    }

    /// What the store says of whether a message follows another: if not, whoever it followed may be gone.
    pub(super) fn lets_follow_on(&mut self, seq: Seq, follows: bool) {
        while let (Stand::Follows(first), false) = (self.messages[&seq].stand, follows) {
            let gone = self.whose_caller_is_gone(&self.messages[&first]);
            self.ends(gone.expect("whoever it followed is there"));
        }
    }

    /// The direct messages of a member that is gone, and that it had not begun, go with it.
    pub(super) fn sweep(&mut self, who: Who) {
        let swept = |message: &Message| {
            message.direct
                && message.home == who
                && !matches!(message.stand, Stand::Orphan | Stand::Doubt(_) | Stand::Gone)
        };
        let seqs: Vec<Seq> =
            self.messages.iter().filter(|(_, m)| swept(m)).map(|(seq, _)| *seq).collect();
        for seq in seqs {
            let is_done = matches!(self.messages[&seq].stand, Stand::Done(_));
            match is_done {
                true => self.acknowledged(seq),
                false => self.goes_out(seq, false),
            }
        }
    }

    /// A message was taken out, and there will be no result.
    pub fn removed(&mut self, seq: Seq) {
        match self.messages[&seq].stand {
            Stand::Done(_) => self.acknowledged(seq),
            _ => self.goes_out(seq, true),
        }
    }

    /// A message goes without a result; `now`, or some time ago.
    fn goes_out(&mut self, seq: Seq, now: bool) {
        self.messages.get_mut(&seq).expect("known").stand = Stand::Gone;
        self.leaves(seq, now);
    }

    /// A message was ended from the outside, and who accepted it is told.
    pub fn ended_from_outside(&mut self, seq: Seq) {
        let message = &self.messages[&seq];
        let (stand, home) = (message.stand, message.home);
        assert!(self.is_current(home) && !message.direct, "{message:?}");
        self.lets_follow_on(seq, false);
        assert!(
            matches!(self.messages[&seq].stand, Stand::Free | Stand::Held(_)),
            "{stand:?} was ended"
        );
        self.finished(seq, Delivery::NotSent, true);
    }

    /// A message was taken out, of which nobody waits for a result any more, or who waited has it.
    pub fn taken_out(&mut self, seq: Seq) {
        let message = &self.messages[&seq];
        if !matches!(message.stand, Stand::Done(_)) && self.is_current(message.home) {
            self.ends(message.home);
        }
        let stand = self.messages[&seq].stand;
        assert!(
            !matches!(stand, Stand::Begun(_) | Stand::Doubt(_) | Stand::Orphan),
            "{stand:?} went"
        );
        if stand != Stand::Gone {
            self.removed(seq);
        }
    }

    /// The oldest of those that followed a message takes its place; `now`, or some time ago.
    pub(super) fn leaves(&mut self, seq: Seq, now: bool) {
        let follows = |message: &Message| message.stand == Stand::Follows(seq);
        let Some(heir) = self.messages.iter().find(|(_, m)| follows(m)).map(|(seq, _)| *seq) else {
            return;
        };
        self.places += 1;
        for (own, message) in &mut self.messages {
            if *own == heir {
                message.stand = message.taken.take().map_or(Stand::Free, Stand::Held);
                let earliest = if now { self.places } else { message.place.0 };
                message.place = (earliest, self.places);
            } else if message.stand == Stand::Follows(seq) {
                message.stand = Stand::Follows(heir);
            }
        }
    }
}
