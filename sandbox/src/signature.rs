//! What every signature scheme of the services checks: age, nonce and HMAC-SHA1.

use std::collections::{HashSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// How far a timestamp may lie from the server's clock; assumed, no document says.
pub(crate) const TOLERANCE_S: u64 = 300;

/// Whether a timestamp lies near enough to the server's clock.
pub(crate) fn is_fresh(timestamp: &str, now_s: u64) -> bool {
    timestamp.parse::<u64>().is_ok_and(|at| at.abs_diff(now_s) <= TOLERANCE_S)
}

/// Whether `given`, in base64, is the HMAC-SHA1 of `text`; compares in constant time.
pub(crate) fn is_hmac_sha1(key: &[u8], text: &str, given: &str) -> bool {
    let Ok(given) = STANDARD.decode(given) else { return false };
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.verify_slice(&given).is_ok()
}

/// The nonces that were used, for as long as their timestamps stay fresh.
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    seen: HashSet<String>,
    order: VecDeque<(u64, String)>,
}

impl Nonces {
    /// Uses up what `parts` are together, or says that it was used before.
    pub(crate) fn use_up(&mut self, now_s: u64, parts: &[&str]) -> bool {
        self.forget(now_s);
        let used = parts.join("\n");
        let new = self.seen.insert(used.clone());
        if new {
            self.order.push_back((now_s, used));
        }
        new
    }

    /// Forgets nonces whose timestamps the next check would refuse anyway.
    fn forget(&mut self, now_s: u64) {
        while self.order.front().is_some_and(|(at, _)| now_s > at + 2 * TOLERANCE_S) {
            if let Some((_, used)) = self.order.pop_front() {
                self.seen.remove(&used);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_may_be_300_seconds_off() {
        for (now, fresh) in [(699, false), (700, true), (1300, true), (1301, false)] {
            assert_eq!(is_fresh("1000", now), fresh, "{now}");
        }
        for wrong in ["", "-1000", "1000.0", " 1000", "1e3"] {
            assert!(!is_fresh(wrong, 1000), "{wrong}");
        }
    }

    #[test]
    fn nonces_are_forgotten_once_their_timestamps_are_too_old() {
        let mut nonces = Nonces::default();
        assert!(nonces.use_up(1000, &["id", "1300", "n"]));
        assert!(nonces.use_up(1000, &["id", "1301", "n"]), "another timestamp");
        assert!(!nonces.use_up(1600, &["id", "1300", "n"]));
        assert!(nonces.use_up(1601, &["other"]));
        assert_eq!((nonces.seen.len(), nonces.order.len()), (1, 1));
    }
}
