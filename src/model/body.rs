//! The bytes of an answer, in room that is used again.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

/// The bytes of an answer, whose room goes back to where it came from once nobody needs them.
#[derive(Default)]
pub struct Body {
    bytes: Vec<u8>,
    home: Option<Arc<Rooms>>,
}

impl Body {
    /// Adds a piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body { bytes, home: None }
    }
}

impl Clone for Body {
    fn clone(&self) -> Body {
        self.bytes.clone().into()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

/// Room that is waiting for the next answers: to ask the allocator for as much costs many times more
/// than to fill it, where answers come on one thread and are let go of on another.
#[derive(Default)]
pub struct Rooms(Mutex<Vec<Vec<u8>>>);

impl Rooms {
    /// How many are kept.
    const MOST: usize = 64;
    /// The largest that is kept, in bytes.
    const LARGEST: usize = 16 << 10;

    /// Nobody waits for it: in a child made by `fork` it may be locked for good, by a thread that is not
    /// there.
    fn idle(&self) -> Option<MutexGuard<'_, Vec<Vec<u8>>>> {
        self.0.try_lock().ok()
    }

    /// An empty body with room for so many bytes, and not much more: it may be kept for long.
    pub fn take(self: &Arc<Self>, length: usize) -> Body {
        let kept = self.idle().and_then(|mut idle| idle.pop());
        let mut bytes = kept.filter(|room| room.capacity() <= length * 2).unwrap_or_default();
        bytes.reserve_exact(length);
        Body { bytes, home: Some(Arc::clone(self)) }
    }

    fn give_back(&self, mut room: Vec<u8>) {
        if room.capacity() == 0 || room.capacity() > Rooms::LARGEST {
            return;
        }
        room.clear();
        if let Some(mut idle) = self.idle()
            && idle.len() < Rooms::MOST
        {
            idle.push(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_used_again_if_it_fits() {
        let rooms: Arc<Rooms> = Arc::default();
        let room = |length: usize| {
            let mut body = rooms.take(length);
            assert!(body.is_empty(), "nothing of another answer is in it");
            body.push(&[b'x'; 100]);
            assert_eq!(&body[..], [b'x'; 100]);
            body.bytes.as_ptr()
        };
        let first = room(100);
        assert_eq!(room(60), first, "it came back");
        assert_eq!(idle(&rooms), 1);
        assert_eq!(rooms.take(49).bytes.capacity(), 49, "too large to be kept for so little");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let rooms: Arc<Rooms> = Arc::default();
        let many: Vec<_> = (0..Rooms::MOST * 2).map(|_| rooms.take(10)).collect();
        drop(many);
        assert_eq!(idle(&rooms), Rooms::MOST);
        rooms.0.lock().expect("nobody panics").clear();
        let mut large = rooms.take(0);
        large.push(&vec![0; Rooms::LARGEST + 1]);
        drop((large.clone(), large, rooms.take(0), Body::from(vec![1])));
        assert_eq!(idle(&rooms), 0);
    }

    #[test]
    fn nobody_waits_for_a_lock_that_a_fork_has_left_behind() {
        let rooms: Arc<Rooms> = Arc::default();
        let body = rooms.take(10);
        let locked = rooms.0.lock().expect("nobody panics");
        drop((body, rooms.take(10)));
        drop(locked);
        assert_eq!(idle(&rooms), 0);
    }

    fn idle(rooms: &Rooms) -> usize {
        rooms.0.lock().expect("nobody panics").len()
    }
}
