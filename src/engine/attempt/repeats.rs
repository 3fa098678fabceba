//! Whether "sent already" can only mean a message's own earlier attempt.
//!
//! A service that refuses a text which it was sent before does not say by whom. Its answer proves that
//! a message in doubt has arrived only if no other of this client with the same text to the same
//! recipient may have: none that went just before, and none that was under way or went since the
//! message was accepted. What is not known for certain is no proof.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::model::receipt::Delivery;
use crate::service::fingerprint::{Fingerprint, Named, joined};

/// Recipients of whom it is known what they were sent last; beyond them that memory begins anew.
const MOST: usize = 50_000;
/// Texts to recipients share 2^14 slots: two in one can only cost a proof.
const SLOT_BITS: u32 = 14;

/// What may have gone in the words that share a slot.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// Messages that had an attempt and have no verdict.
    under_way: u32,
    /// Something went in an earlier run.
    earlier: bool,
    /// When the last of this run had its verdict, which was not `not_sent`.
    went: Option<Duration>,
}

impl Slot {
    fn is_empty(&self) -> bool {
        self.under_way == 0 && !self.earlier && self.went.is_none()
    }
}

/// What a client has sent, to whom and in which words, as far as that is remembered.
#[derive(Default)]
pub struct Repeats {
    texts: Mutex<Texts>,
}

/// The latest that a recipient was surely sent, by when its first attempt began: what had its verdict
/// before then was not the last that the service saw.
#[derive(Clone, Copy)]
struct Last {
    text: u64,
    begun: Duration,
    /// The same for the latest of another text.
    other: Option<Duration>,
}

impl Last {
    /// When the latest began of another text than this.
    fn but(&self, text: u64) -> Option<Duration> {
        if self.text == text { self.other } else { Some(self.begun) }
    }

    fn sent(&mut self, text: u64, begun: Duration) {
        if self.text == text {
            self.begun = self.begun.max(begun);
        } else if begun >= self.begun {
            *self = Last { text, begun, other: Some(self.begun) };
        } else {
            self.other = self.other.max(Some(begun));
        }
    }
}

#[derive(Default)]
struct Texts {
    /// By the number of the recipient.
    last: BTreeMap<u64, Last>,
    slots: Slots,
}

/// Slots by their numbers, in pages that are made when they are needed.
#[derive(Default)]
struct Slots(Vec<Option<Box<[Slot; PAGE]>>>);

/// How many slots a page has.
const PAGE: usize = 64;

impl Slots {
    fn get(&self, number: u32) -> Option<&Slot> {
        let number = number as usize;
        self.0.get(number / PAGE)?.as_ref()?.get(number % PAGE)
    }

    fn entry(&mut self, number: u32) -> &mut Slot {
        let number = number as usize;
        if self.0.len() <= number / PAGE {
            self.0.resize_with(number / PAGE + 1, || None);
        }
        let page = self.0[number / PAGE].get_or_insert_with(|| Box::new([Slot::default(); PAGE]));
        &mut page[number % PAGE]
    }
}

impl Texts {
    /// True if a recipient that is named in the other way may have got this text.
    fn other_may_be_it(&self, own: Fingerprint) -> bool {
        let of_other = |named| self.slots.get(slot_of_text(named, own.text));
        match own.named {
            Named::Uniquely => None,
            Named::ById => of_other(Named::ByName),
            Named::ByName => of_other(Named::ById),
        }
        .is_some_and(|slot| !slot.is_empty())
    }
}

/// Where a text to a recipient is remembered, and where the text to anybody who is named like it.
///
/// Outbox files hold these numbers: they never change.
pub fn slots(own: Fingerprint) -> [u32; 2] {
    let same = (joined(own.recipient, own.text) >> (64 - SLOT_BITS)) as u32;
    [same, slot_of_text(own.named, own.text)]
}

/// The slots of texts stand behind the others, for each way to name a recipient apart.
fn slot_of_text(named: Named, text: u64) -> u32 {
    let first = (named as u32 + 1) << SLOT_BITS;
    first + (joined(text, 0) >> (64 - SLOT_BITS)) as u32
}

impl Repeats {
    fn lock(&self) -> MutexGuard<'_, Texts> {
        self.texts.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A message's first attempt begins; true if the service may call that repeated already. It must
    /// [`end`](Repeats::end).
    pub fn begin(&self, own: Fingerprint) -> bool {
        let mut texts = self.lock();
        let [same, _] = slots(own).map(|number| {
            let slot = texts.slots.entry(number);
            let before = *slot;
            slot.under_way += 1;
            before
        });
        // Where nothing is known to have come after them, these words were the last.
        let repeats = match texts.last.get(&own.recipient).and_then(|last| last.but(own.text)) {
            Some(begun) => same.went.is_some_and(|went| went >= begun),
            None => same.earlier || same.went.is_some(),
        };
        repeats || texts.other_may_be_it(own)
    }

    /// True if no other message of these words was under way, or went, since this time; `earlier`: since
    /// a time in an earlier run.
    pub fn is_alone(&self, own: Fingerprint, since: Duration, earlier: bool) -> bool {
        let texts = self.lock();
        let [same, _] = slots(own);
        let same = texts.slots.get(same).copied().unwrap_or_default();
        let went = same.went.is_some_and(|went| went >= since) || (earlier && same.earlier);
        same.under_way <= 1 && !went && !texts.other_may_be_it(own)
    }

    /// A message whose first attempt began then has its verdict.
    pub fn end(&self, own: Fingerprint, begun: Duration, delivery: Delivery, now: Duration) {
        let went = delivery != Delivery::NotSent;
        let mut texts = self.lock();
        for number in slots(own) {
            let slot = texts.slots.entry(number);
            slot.under_way = slot.under_way.saturating_sub(1);
            if went {
                slot.went = Some(now);
            }
        }
        if delivery == Delivery::Sent {
            if texts.last.len() >= MOST {
                texts.last.clear();
            }
            let first = Last { text: own.text, begun, other: None };
            texts.last.entry(own.recipient).or_insert(first).sent(own.text, begun);
        }
    }

    /// Something went in an earlier run in words of this slot.
    pub fn went_earlier(&self, slot: u32) {
        self.lock().slots.entry(slot).earlier = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(recipient: &str, text: &str) -> Fingerprint {
        Fingerprint::new("weibo", Named::ById, recipient, text)
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn only_the_same_words_to_the_same_recipient_cost_a_proof() {
        let repeats = Repeats::default();
        let (x, others) = (own("a", "x"), [own("b", "x"), own("a", "y"), own("b", "y")]);
        assert!(!repeats.begin(x) && repeats.is_alone(x, at(1), false));
        for other in others {
            assert!(!repeats.begin(other));
            assert!(repeats.is_alone(x, at(1), false));
            repeats.end(other, at(2), Delivery::Sent, at(2));
            assert!(repeats.is_alone(x, at(1), false));
        }
        assert!(!repeats.begin(x), "it never went to it");
        assert!(!repeats.is_alone(x, at(1), false), "one is under way");
        repeats.end(x, at(3), Delivery::NotSent, at(3));
        assert!(repeats.is_alone(x, at(1), false), "that one did not arrive");
        repeats.begin(x);
        repeats.end(x, at(3), Delivery::MaybeSent, at(3));
        assert!(!repeats.is_alone(x, at(1), false) && !repeats.is_alone(x, at(3), false));
        assert!(repeats.is_alone(x, at(4), false), "it went before that");
        assert!(repeats.begin(own("a", " x\n")), "just before, and blanks do not count");
    }

    #[test]
    fn words_are_the_last_until_others_surely_came_after_them() {
        for (begun, delivery, repeats) in [
            (5, Delivery::Sent, false),
            (5, Delivery::MaybeSent, true),
            (5, Delivery::NotSent, true),
            (3, Delivery::Sent, true),
        ] {
            let texts = Repeats::default();
            let (x, y) = (own("a", "x"), own("a", "y"));
            texts.begin(x);
            texts.end(x, at(1), Delivery::Sent, at(4));
            texts.begin(y);
            texts.end(y, at(begun), delivery, at(6));
            assert_eq!(texts.begin(x), repeats, "{begun} {delivery:?}");
        }
    }

    #[test]
    fn a_recipient_by_another_kind_of_name_may_be_the_same() {
        let repeats = Repeats::default();
        let by_name = Fingerprint::new("weibo", Named::ByName, "somebody", "x");
        let sina = Fingerprint::new("sina", Named::ByName, "somebody", "x");
        repeats.begin(own("a", "x"));
        assert!(repeats.begin(by_name) && !repeats.begin(sina));
        assert!(!repeats.is_alone(own("a", "x"), at(1), false));
    }

    #[test]
    fn what_is_forgotten_is_no_proof() {
        let repeats = Repeats::default();
        for n in 0..MOST + 2 {
            let own = own(&n.to_string(), "x");
            repeats.begin(own);
            repeats.end(own, at(1), Delivery::Sent, at(1));
        }
        assert!(repeats.lock().last.len() <= MOST);
        assert!(repeats.begin(own("7", "x")), "its last text is forgotten");
    }

    #[test]
    fn what_went_in_an_earlier_run_is_known_by_its_slot() {
        let repeats = Repeats::default();
        let [same, kind] = slots(own("a", "x"));
        // These numbers stand in outbox files.
        assert_eq!([same, kind], [13174, 34676]);
        repeats.went_earlier(same);
        assert!(repeats.begin(own("a", "x")) && !repeats.begin(own("a", "y")));
        assert!(repeats.is_alone(own("a", "x"), at(1), false), "accepted in this run");
        assert!(!repeats.is_alone(own("a", "x"), at(1), true));
    }
}
