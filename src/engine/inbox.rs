//! Sends on their way to the I/O thread.

use std::sync::{Arc, Mutex};

use super::deliver::deliver;
use super::job::Job;
use super::runtime::Runtime;
use crate::model::log::log;

/// Jobs that are to be begun on the I/O thread: to wake it costs a system call, so only the first of
/// those that wait does.
#[derive(Clone)]
pub struct Inbox {
    runtime: Arc<Runtime>,
    jobs: Arc<Mutex<Vec<Job>>>,
}

impl Inbox {
    /// The inbox of this runtime.
    pub fn new(runtime: Arc<Runtime>) -> Inbox {
        Inbox { runtime, jobs: Arc::default() }
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
            // Until there is something to send in the background, blocking senders drive the loop. If
            // no thread can be started they still do.
            if let Err(error) = self.runtime.start_io() {
                log!(Error, "hongyan::client", "{error}");
            }
            self.runtime.spawn(async move {
                let mut jobs = waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                for job in jobs.drain(..) {
                    drop(tokio::spawn(deliver(job)));
                }
            });
        }
    }
}
