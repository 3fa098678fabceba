//! The library's own id of a message: a ULID.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A ULID: 48 bits of Unix milliseconds, 80 random bits, in 26 characters that sort by time.
pub fn ulid(unix_ms: u64, random: u128) -> String {
    let digit = |bits: u64, i: usize| ALPHABET[(bits >> (5 * i)) as usize & 31];
    let (time, high, low) = (unix_ms & ((1 << 48) - 1), (random >> 40) as u64, random as u64);
    let mut digits = [0; 26];
    for i in 0..10 {
        digits[9 - i] = digit(time, i);
    }
    for i in 0..8 {
        digits[17 - i] = digit(high, i);
        digits[25 - i] = digit(low, i);
    }
    std::str::from_utf8(&digits).unwrap_or_default().to_owned()
}

/// The Unix milliseconds of a ULID.
#[cfg_attr(not(feature = "service-smtp"), allow(dead_code, reason = "mail alone has a date"))]
pub fn time_of(ulid: &str) -> Option<u64> {
    let value = |byte: u8| ALPHABET.iter().position(|own| *own == byte.to_ascii_uppercase());
    let digits = ulid.as_bytes().get(..10).filter(|_| ulid.len() == 26)?;
    digits.iter().try_fold(0, |time, byte| Some(time << 5 | value(*byte)? as u64))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_ulid_is_time_then_randomness() {
        assert_eq!(super::ulid(1_469_918_176_385, 0), "01ARYZ6S410000000000000000");
        assert_eq!(super::time_of("01ARYZ6S41XXXXXXXXXXXXXXXX"), Some(1_469_918_176_385));
        assert_eq!((super::time_of("01ARYZ6S41"), super::time_of(&"U".repeat(26))), (None, None));
        assert_eq!(super::ulid(0, u128::MAX), "0000000000ZZZZZZZZZZZZZZZZ");
        // Each digit in its place: 0, 1, 2, … 31 in five bits each.
        let random = 0x53_9CE8_4A6B_5AF7_3DEFu128;
        let digits = |i: u32| super::ALPHABET[(random >> (5 * i)) as usize & 31] as char;
        let expected: String = (0..16).rev().map(digits).collect();
        assert_eq!(super::ulid((1 << 48) - 1, random), format!("7ZZZZZZZZZ{expected}"));
    }
}
