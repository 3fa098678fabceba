//! Sends on their way to the I/O thread, where workers carry them out.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use crate::engine::Shared;
use crate::engine::attempt::deliver::carry;
use crate::engine::attempt::job::Job;
use crate::engine::custody::Leave;
use crate::engine::runtime::Runtime;
use crate::engine::runtime::dispatch::{Dispatch, Dispatcher};
use crate::model::error::Result;

/// How many workers without a job are kept for the next.
const MAX_IDLE: usize = 64;

/// Where sends go whose results go into a queue.
#[derive(Clone)]
pub struct Inbox {
    runtime: Arc<Runtime>,
    dispatch: Arc<Dispatch>,
}

impl Inbox {
    /// The inbox of a client, which this runtime works for.
    pub fn new(runtime: Arc<Runtime>, shared: &Arc<Shared>) -> Inbox {
        let dispatch: Arc<Dispatch> = Arc::default();
        let workers = Arc::new(Workers::new(&dispatch));
        let dispatcher = Dispatcher::new(shared, &dispatch, move |job| workers.give(job));
        drop(runtime.spawn(dispatcher.run()));
        Inbox { runtime, dispatch }
    }

    /// Starts the thread that the sends need, which must be done before one is begun.
    pub fn start_io(&self) -> Result<()> {
        self.runtime.start_io()
    }

    /// Has the I/O thread do this whenever it has nothing else to do.
    pub fn when_idle(&self, act: impl Fn() + Send + Sync + 'static) {
        self.runtime.when_idle(Box::new(act));
    }

    /// Begins a send whose result goes into a queue.
    pub fn begin(&self, job: Box<Job>) {
        self.dispatch.begin(job);
    }

    /// Gives attempts of the I/O thread what they wait for.
    pub fn let_go(&self, leave: Vec<Leave>) {
        self.dispatch.let_go(leave);
    }
}

/// Tasks that carry one job out after another: to make a task for each would cost more than to send
/// a small message.
struct Workers {
    idle: Mutex<Vec<Arc<WorkerSlot>>>,
    /// Where a job goes that waits for its next attempt.
    dispatch: Arc<Dispatch>,
}

/// Where a worker without a job waits for its next.
#[derive(Default)]
struct WorkerSlot(Mutex<(Option<Box<Job>>, Option<Waker>)>);

impl WorkerSlot {
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Box<Job>> {
        let mut slot = lock(&self.0);
        match slot.0.take() {
            Some(job) => Poll::Ready(job),
            None => {
                slot.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Workers {
    fn new(dispatch: &Arc<Dispatch>) -> Workers {
        Workers { idle: Mutex::default(), dispatch: Arc::clone(dispatch) }
    }

    /// Gives a job to whoever is idle, or to a new worker; on the runtime only.
    fn give(self: &Arc<Self>, job: Box<Job>) {
        let Some(slot) = lock(&self.idle).pop() else {
            drop(tokio::spawn(Arc::clone(self).work(job)));
            return;
        };
        let called = {
            let mut slot = lock(&slot.0);
            slot.0 = Some(job);
            slot.1.take()
        };
        if let Some(waker) = called {
            waker.wake();
        }
    }

    /// The life of a worker, which ends when there are enough others.
    async fn work(self: Arc<Self>, first: Box<Job>) {
        let slot = Arc::new(WorkerSlot::default());
        let mut next = Some(first);
        while let Some(mut job) = next {
            match carry(&mut job).await {
                Some(_) => drop(job),
                None => self.dispatch.begin(job),
            }
            next = match self.wait_at(&slot) {
                true => Some(poll_fn(|cx| slot.poll_next(cx)).await),
                false => None,
            };
        }
    }

    fn wait_at(&self, slot: &Arc<WorkerSlot>) -> bool {
        let mut idle = lock(&self.idle);
        let is_wanted = idle.len() < MAX_IDLE;
        if is_wanted {
            idle.push(Arc::clone(slot));
        }
        is_wanted
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
