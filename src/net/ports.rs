//! The local ports of connections that have carried a request.

use std::sync::{Mutex, PoisonError};

/// How many ports are remembered, beyond which the memory begins anew: the system gives a port to
/// another connection some time after it was closed.
const MOST: usize = 4096;

/// A set of ports.
pub struct Ports(Mutex<Known>);

struct Known {
    bits: Box<[u64; 1024]>,
    count: usize,
}

impl Default for Ports {
    fn default() -> Ports {
        Ports(Mutex::new(Known { bits: Box::new([0; 1024]), count: 0 }))
    }
}

impl Ports {
    /// Remembers a port; false if it was known.
    pub fn insert(&self, port: u16) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (word, bit) = (usize::from(port / 64), 1 << (port % 64));
        if known.bits[word] & bit != 0 {
            return false;
        }
        if known.count == MOST {
            known.bits.fill(0);
            known.count = 0;
        }
        known.bits[word] |= bit;
        known.count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_new_once_until_the_memory_begins_anew() {
        let ports = Ports::default();
        assert!(ports.insert(0) && ports.insert(u16::MAX) && !ports.insert(0));
        assert!((1..u16::try_from(MOST).expect("fits") - 1).all(|port| ports.insert(port)));
        assert!(!ports.insert(u16::MAX), "the last that it can hold");
        assert!(ports.insert(5000), "one more");
        assert!(ports.insert(0), "begun anew");
    }
}
