//! The library's own id of a message: a ULID.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A ULID: 48 bits of Unix milliseconds, 80 random bits, in 26 characters that sort by time.
pub fn ulid(unix_ms: u64, random: u128) -> String {
    let bits = (u128::from(unix_ms) << 80) | (random & ((1 << 80) - 1));
    (0..26).rev().map(|i| ALPHABET[(bits >> (5 * i)) as usize & 31] as char).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_ulid_is_time_then_randomness() {
        assert_eq!(super::ulid(1_469_918_176_385, 0), "01ARYZ6S410000000000000000");
        assert_eq!(super::ulid(0, u128::MAX), "0000000000ZZZZZZZZZZZZZZZZ");
    }
}
