//! Sends whose callers wait for them on their own threads.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::engine::attempt::deliver;
use crate::engine::attempt::job::{Job, Sink};
use crate::engine::{Engine, lost, runtime};
use crate::model::error::Result;
use crate::model::message::Parsed;
use crate::model::receipt::Receipt;

/// A caller who may lose patience while it waits for a send.
pub struct Watch<'a> {
    /// How often it is asked.
    pub every: Duration,
    /// True once it has had enough.
    pub had_enough: &'a mut dyn FnMut() -> bool,
}

impl Engine {
    /// Sends and waits on the caller's own thread, which drives the sockets if nobody else does.
    ///
    /// `watch` is asked now and then whether the caller has had enough, which cancels the send; what it
    /// does then may take its time, and may call anything of this client.
    pub fn send_blocking(
        &self,
        given: Parsed,
        patience: Option<Duration>,
        watch: Option<Watch<'_>>,
    ) -> Result<Box<Receipt>> {
        // A runtime's own thread must not drive a second one: our thread does.
        let may_drive = !runtime::inside_another();
        if !may_drive {
            self.runtime.start_io()?;
        }
        let job = self.accept(given, 0, Sink::Caller, patience)?;
        self.finish_blocking(job, watch, may_drive)
    }

    /// Carries a send to its end, on this thread if that may drive the sockets.
    pub(super) fn finish_blocking(
        &self,
        mut job: Box<Job>,
        watch: Option<Watch<'_>>,
        may_drive: bool,
    ) -> Result<Box<Receipt>> {
        if watch.is_some() || !may_drive {
            return self.send_by_task(job, watch, may_drive);
        }
        self.runtime.block_on(deliver::deliver(&mut job)).ok_or_else(lost)
    }

    /// Sends by a task that whoever drives the sockets carries on: this thread at first, if it may.
    ///
    /// Whoever asks the caller may run long, and may send or close in there: a signal handler does. So
    /// this thread drives nothing while it asks, and the I/O thread does from then on.
    fn send_by_task(
        &self,
        mut job: Box<Job>,
        mut watch: Option<Watch<'_>>,
        may_drive: bool,
    ) -> Result<Box<Receipt>> {
        let op = job.op();
        let (sender, receiver) = sync_channel(1);
        let mut task = self.runtime.spawn(async move {
            let receipt = deliver::deliver(&mut job).await;
            // Its place is free before its caller knows.
            drop(job);
            let _ = sender.send(receipt);
        });
        loop {
            let every = watch.as_ref().map_or(runtime::FAR, |watch| watch.every);
            let mut within = every;
            if may_drive && !self.runtime.has_io() {
                self.runtime.block_on(self.drive(&mut task, every));
                within = Duration::ZERO;
            }
            match receiver.recv_timeout(within) {
                Ok(receipt) => return receipt.ok_or_else(lost),
                Err(RecvTimeoutError::Disconnected) => return Err(lost()),
                Err(RecvTimeoutError::Timeout) => {
                    // If no thread can be started, this one goes on driving after it has asked.
                    let _ = self.runtime.start_io();
                    if watch.as_mut().is_some_and(|watch| (watch.had_enough)()) {
                        watch = None;
                        op.cancel();
                    }
                }
            }
        }
    }

    /// Drives the sockets until a task has ended, at most so long.
    async fn drive(&self, task: &mut JoinHandle<()>, within: Duration) {
        let clock = &self.shared.clock;
        tokio::select! {
            biased;
            _ = task => {}
            () = clock.sleep_until(clock.now() + within) => {}
        }
    }
}
