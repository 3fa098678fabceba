//! Where the outbox of a fleet is kept, and what happens to that.

use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;

/// A member is taken for dead so soon after its last sign of life.
pub const LEASE_MS: u64 = 1000;

/// Lets a lease pass, which is all that a test can do for it: nobody else's clock ends it.
pub fn longer_than_a_lease() {
    std::thread::sleep(Duration::from_millis(2 * LEASE_MS));
}

/// What the outbox of a fleet is kept in.
pub trait Place {
    /// The outbox of a member's configuration.
    fn outbox(&self) -> Value;

    /// How many things can happen to it.
    fn happens(&self) -> usize;

    /// The one of this number does.
    fn befall(&mut self, what: usize, rng: &mut Rng);

    /// How many messages have no result yet.
    fn unfinished(&self) -> usize;

    /// How many results were not acknowledged.
    fn results(&self) -> usize;

    /// Checks that nothing is left in it.
    fn is_empty(&self);

    /// Checks that what was to happen to it did.
    fn was_tried(&self) {}
}
