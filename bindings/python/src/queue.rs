//! A queue of receipts that belongs to one batch or to one event loop.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hongyan::{ErrorCode, Queue, Receipt, Result, Waited};

use crate::shared::{Shared, closed};

/// How many receipts are taken from the core at once.
pub const MOST: usize = 256;

/// A receipt and the number of its message.
pub type Numbered = (u32, Receipt);

/// What a turn of waiting brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There were receipts.
    Some,
    /// The time ran out.
    Nothing,
    /// The client is closed, and everything was handed out.
    Ended,
}

/// A queue of the core's; in a child of the process it is left alone.
pub struct OwnQueue {
    /// Taken out at the end only.
    queue: Option<Queue>,
    /// What others have taken out of it, so that it holds no room in the core.
    arrived: Mutex<VecDeque<Numbered>>,
    pub shared: Arc<Shared>,
}

impl OwnQueue {
    /// A new queue of the core's.
    pub fn open(shared: &Arc<Shared>) -> Result<Arc<OwnQueue>> {
        let queue = Some(shared.client()?.queue()?);
        Ok(Arc::new(OwnQueue { queue, arrived: Mutex::default(), shared: Arc::clone(shared) }))
    }

    /// The core's queue, unless it is another process's.
    pub fn get(&self) -> Result<&Queue> {
        self.shared.client()?;
        self.queue.as_ref().ok_or_else(closed)
    }

    fn arrived(&self) -> MutexGuard<'_, VecDeque<Numbered>> {
        self.arrived.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits at most so long, and adds what comes.
    pub fn wait(&self, time_out: Duration, into: &mut VecDeque<Numbered>) -> Result<Turn> {
        let queue = self.get()?;
        into.append(&mut self.arrived());
        let time_out = if into.is_empty() { time_out } else { Duration::ZERO };
        let waited = turn(queue.wait(Some(time_out), MOST), |receipts| {
            into.extend(receipts.into_iter().map(|receipt| (receipt.token as u32, receipt)));
        })?;
        self.shared.freed();
        // Whoever took them first had no need of them.
        into.append(&mut self.arrived());
        Ok(if into.is_empty() { waited } else { Turn::Some })
    }

    /// Takes what is there out of the core for whoever will ask for it; waits for it at most so long.
    pub fn take_out(&self, within: Duration) -> Result<Turn> {
        let queue = self.get()?;
        let waited = turn(queue.wait(Some(within), MOST), |receipts| {
            let numbered = receipts.into_iter().map(|receipt| (receipt.token as u32, receipt));
            self.arrived().extend(numbered);
        })?;
        if waited == Turn::Some {
            // Who waits there looks here then.
            queue.interrupt();
        }
        Ok(waited)
    }

    /// Ends it: what is there and what comes is dropped, and holds no room.
    pub fn end(&self) {
        if let Ok(queue) = self.get() {
            queue.end();
            self.arrived().clear();
        }
    }
}

impl Drop for OwnQueue {
    fn drop(&mut self) {
        let queue = self.queue.take();
        if self.shared.client().is_err() {
            // Its locks are those of the parent's threads.
            std::mem::forget(queue);
        }
    }
}

/// What a wait brought, with what to do with its receipts.
pub fn turn(waited: Result<Waited>, take: impl FnOnce(Vec<Receipt>)) -> Result<Turn> {
    match waited {
        Ok(Waited::Results(receipts)) => {
            take(receipts);
            Ok(Turn::Some)
        }
        Ok(Waited::Nothing) => Ok(Turn::Nothing),
        Err(error) if error.code() == ErrorCode::Closed => Ok(Turn::Ended),
        Err(error) => Err(error),
    }
}
