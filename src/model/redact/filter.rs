//! Finds the places of a text at which one of several words may begin, by three letters of each.

use super::spelling;

/// For each byte, the words that have it as their first letter, their second and their third: eight bits each, which
/// words share if there are more; and [`STOP`].
pub struct Filter([u32; 256]);

/// How many letters of a word are looked at.
const LETTERS: usize = 3;

const BITS: usize = 8;

/// Any word may have its first letter here.
const ANY: u32 = (1 << BITS) - 1;

/// Three letters fit, or an escape stops it.
const FOUND: u32 = 1 << (BITS * (LETTERS - 1));

/// The byte may begin an escape, and stand for any letter.
const STOP: u32 = 1 << 31;

impl Default for Filter {
    /// Of no words.
    fn default() -> Filter {
        const NOTHING: [u32; 256] = {
            let mut entries = [0; 256];
            let mut byte = 0;
            while byte < 256 {
                if spelling::is_escape(byte as u8) {
                    entries[byte] = STOP | ((1 << (BITS * LETTERS)) - 1);
                }
                byte += 1;
            }
            entries
        };
        Filter(NOTHING)
    }
}

impl Filter {
    /// Finds the `n`th word, too; what each of its first letters may be.
    pub fn add(&mut self, n: usize, letters: [[u8; 2]; LETTERS]) {
        for (at, bytes) in letters.into_iter().enumerate() {
            bytes.into_iter().for_each(|byte| {
                self.0[usize::from(byte)] |= 1 << (n % BITS + at * BITS);
            });
        }
    }

    /// The first place from `from` on at which a word may begin.
    pub fn next(&self, text: &[u8], from: usize) -> Option<usize> {
        let (chunks, rest) = text.get(from..)?.as_chunks::<8>();
        let mut begun = 0;
        // One look at eight bytes is a third less than one at each.
        for (n, chunk) in chunks.iter().enumerate() {
            let (before, mut any) = (begun, 0);
            for byte in chunk {
                begun = self.after(begun, *byte);
                any |= begun;
            }
            if any >= FOUND {
                return self.first(chunk, before).map(|(at, back)| from + n * 8 + at - back);
            }
        }
        let (at, back) = self.first(rest, begun)?;
        Some(from + chunks.len() * 8 + at - back)
    }

    /// The words that may have begun at a byte (in the lowest bits), at the one before it, and at the one before that.
    fn after(&self, begun: u32, byte: u8) -> u32 {
        ((begun << BITS) | STOP | ANY) & self.0[usize::from(byte)]
    }

    /// The first byte with which a word is found that begins so many bytes before it.
    fn first(&self, bytes: &[u8], mut begun: u32) -> Option<(usize, usize)> {
        let at = bytes.iter().position(|byte| {
            begun = self.after(begun, *byte);
            begun >= FOUND
        })?;
        // What follows an escape may be a part of it, and is looked at no further.
        let back = (0..LETTERS).rev().find(|n| begun >> (BITS * n) & ANY != 0);
        Some((at, back.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the words `secret` and `other`.
    fn filter() -> Filter {
        let mut filter = Filter::default();
        filter.add(0, [*b"sS", *b"eE", *b"cC"]);
        filter.add(1, [*b"oO", *b"tT", *b"hH"]);
        filter
    }

    #[test]
    fn a_word_is_found_wherever_it_stands() {
        for at in 0..20 {
            for word in ["secret", "SECret", "other", "o%74her", "ot\\u0068er", "%6fther"] {
                let text = format!("{}{word}", "xy ".repeat(7).split_at(at).0);
                assert_eq!(filter().next(text.as_bytes(), 0), Some(at), "{text}");
                assert_eq!(filter().next(text.as_bytes(), at), Some(at), "{text}");
                assert_ne!(filter().next(text.as_bytes(), at + 1), Some(at), "{text}");
            }
        }
    }

    #[test]
    fn letters_of_two_words_are_no_word() {
        for text in ["", "se", "soc", "seh", "otc", "sotes", "a text without any of them"] {
            assert_eq!(filter().next(text.as_bytes(), 0), None, "{text}");
        }
        assert_eq!(filter().next(b"secret", 7), None);
    }
}
