//! Sends on their way to the I/O thread.

use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;

use super::deliver::deliver;
use super::job::Job;

/// Jobs that are to be begun on the I/O thread: to wake it costs a system call, so only the first of
/// those that wait does.
#[derive(Clone)]
pub struct Inbox {
    handle: Handle,
    jobs: Arc<Mutex<Vec<Job>>>,
}

impl Inbox {
    /// The inbox of this runtime.
    pub fn new(handle: Handle) -> Inbox {
        Inbox { handle, jobs: Arc::default() }
    }

    /// Begins a send whose result goes into the queue.
    pub fn begin(&self, job: Job) {
        let first = {
            let mut jobs = self.jobs.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            jobs.push(job);
            jobs.len() == 1
        };
        if first {
            let waiting = Arc::clone(&self.jobs);
            drop(self.handle.spawn(async move {
                let mut jobs = waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                for job in jobs.drain(..) {
                    drop(tokio::spawn(deliver(job)));
                }
            }));
        }
    }
}
