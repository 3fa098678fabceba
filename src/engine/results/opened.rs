//! A queue that the host has opened beside the client's own.

use std::sync::Arc;
use std::time::Duration;

use super::queue::{Boxes, Results, Waited};
use super::sends::Sends;
use crate::model::error::{Error, ErrorCode, Result};

/// Whoever waits for places in flight.
pub trait Room: Send + Sync {
    /// Results were taken: there may be room for more.
    fn has_room(&self);
}

/// Results of the submits that name it, apart from the client's own queue; see [`crate::Client::queue`].
///
/// It outlives its client: what waits in it can still be taken. Dropping it drops what nobody took; what
/// is under way goes on.
pub struct Queue {
    results: Arc<Results>,
    /// Those of the client that it belongs to.
    sends: Arc<Sends>,
    /// Who hears of it when results are taken.
    room: Option<Arc<dyn Room>>,
}

impl Queue {
    pub(in crate::engine) fn new(sends: &Arc<Sends>, room: Option<Arc<dyn Room>>) -> Result<Queue> {
        Ok(Queue { results: sends.open()?, sends: Arc::clone(sends), room })
    }

    /// Where results for it go, if it belongs to the client of these sends.
    pub(in crate::engine) fn results_of(&self, sends: &Arc<Sends>) -> Result<Arc<Results>> {
        if Arc::ptr_eq(&self.sends, sends) {
            return Ok(Arc::clone(&self.results));
        }
        Err(Error::new(ErrorCode::Argument, "the queue belongs to another client"))
    }

    /// Waits at most `time_out` for receipts, and takes at most `most` of them.
    ///
    /// `closed` once its client is closed and every receipt was taken.
    pub fn wait(&self, time_out: Option<Duration>, most: usize) -> Result<Waited> {
        self.take(time_out, most).map(Waited::from)
    }

    /// The same, as they were queued; none where the time ran out or somebody interrupted.
    pub(crate) fn take(&self, time_out: Option<Duration>, most: usize) -> Result<Boxes> {
        let taken = self.results.take(time_out, most)?;
        if !taken.is_empty() {
            self.has_room();
        }
        Ok(taken)
    }

    /// Makes the waits now running, or else the next one, return at once with nothing.
    pub fn interrupt(&self) {
        self.results.interrupt();
    }

    /// A descriptor that is readable while receipts wait: to be polled, never read or closed.
    pub fn poll_handle(&self) -> Result<isize> {
        self.results.poll_handle()
    }

    /// How many receipts wait.
    pub fn ready(&self) -> usize {
        self.results.ready()
    }

    /// Ends it: sends every caller inside away with `closed`, and drops what nobody took and what still
    /// comes.
    pub fn end(&self) {
        self.results.free();
        // What is on its way here ends as well, and its place with it.
        self.sends.publish();
        self.has_room();
    }

    fn has_room(&self) {
        self.room.as_ref().inspect(|room| room.has_room());
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("ready", &self.ready()).finish_non_exhaustive()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.end();
    }
}
