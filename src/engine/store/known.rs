//! The slots of words that a store is known to have (`engine/attempt/repeats.rs`), so that each is written once.

use super::Change;

/// Slots from this one on are written each time; there are fewer, unless the store is damaged.
const MOST: u32 = 1 << 17;

/// A bit for each slot.
#[derive(Default)]
pub struct Known(Vec<u64>);

impl Known {
    /// True if the store has it.
    pub fn has(&self, slot: u32) -> bool {
        let (word, bit) = place(slot);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// The store has it.
    pub fn add(&mut self, slot: u32) {
        if slot >= MOST {
            return;
        }
        let (word, bit) = place(slot);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    /// The store has made these changes.
    pub fn made(&mut self, changes: &[Change]) {
        for change in changes {
            if let Change::Went { slots } = change {
                slots.iter().for_each(|slot| self.add(*slot));
            }
        }
    }
}

fn place(slot: u32) -> (usize, u64) {
    (slot as usize / 64, 1 << (slot % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_known_once_the_store_has_made_the_change() {
        let mut known = Known::default();
        assert!(!known.has(70));
        known.made(&[Change::Went { slots: [3, 70] }, Change::Free { seq: 5 }]);
        assert!(known.has(3) && known.has(70) && !known.has(5) && !known.has(69));
    }

    #[test]
    fn what_a_damaged_store_names_takes_no_room() {
        let mut known = Known::default();
        known.add(u32::MAX);
        assert!(!known.has(u32::MAX) && known.0.is_empty());
    }
}
