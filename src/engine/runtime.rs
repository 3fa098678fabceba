//! The tokio runtime of one client, and the thread that drives it once there is something to drive.

pub mod dispatch;
pub mod fork;
pub mod mailbox;
pub mod stats;
pub mod stop;
pub mod workers;

use std::cell::Cell;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::engine::results::queue::closed;
use crate::engine::results::sends::{OnIdle, Sends};
use crate::engine::results::wake::{NoSigpipe, spawn_thread};
use crate::engine::runtime::stop::Stop;
use crate::model::error::{Error, ErrorCode, Result};
use crate::net::{Clock, Sleep};

thread_local! {
    static ON_IO_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// True on the I/O thread of a client.
pub fn on_io_thread() -> bool {
    ON_IO_THREAD.get()
}

/// True on a thread that runs somebody's tokio runtime.
pub fn inside_another() -> bool {
    Handle::try_current().is_ok()
}

/// A current-thread runtime: blocking sends drive it on their own threads, and the I/O thread does
/// from the first submit on.
pub struct Runtime {
    tokio: Mutex<Option<Arc<tokio::runtime::Runtime>>>,
    handle: Handle,
    io: OnceLock<()>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    stop: Arc<Stop>,
    /// The I/O thread is to look at its sockets once more before it parks.
    poll_again: Arc<Notify>,
    /// What it does beside when it has nothing to do.
    when_idle: Arc<OnceLock<WhenIdle>>,
}

type WhenIdle = Box<dyn Fn() + Send + Sync>;

impl Runtime {
    /// Makes the runtime; no thread is started.
    pub fn new(sends: Arc<Sends>) -> Result<Runtime> {
        let poll_again: Arc<Notify> = Arc::default();
        let again = Arc::clone(&poll_again);
        let when_idle: Arc<OnceLock<WhenIdle>> = Arc::default();
        let idle = Arc::clone(&when_idle);
        let tokio = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .on_thread_park(move || match on_io_thread() {
                true => {
                    idle.get().into_iter().for_each(|act| act());
                    if sends.on_idle() == OnIdle::PollAgain {
                        again.notify_one();
                    }
                }
                false => sends.publish(),
            })
            .build()
            .map_err(|e| {
                Error::new(ErrorCode::Internal, format!("the runtime cannot be made: {e}"))
            })?;
        Ok(Runtime {
            handle: tokio.handle().clone(),
            tokio: Mutex::new(Some(Arc::new(tokio))),
            io: OnceLock::new(),
            thread: Mutex::default(),
            stop: Arc::default(),
            poll_again,
            when_idle,
        })
    }

    /// Has the I/O thread do this, too, whenever it has nothing else to do; the first that is given counts.
    pub fn when_idle(&self, act: WhenIdle) {
        let _ = self.when_idle.set(act);
    }

    fn tokio(&self) -> Option<Arc<tokio::runtime::Runtime>> {
        self.tokio.lock().unwrap_or_else(|p| p.into_inner()).clone()
    }

    /// Starts the I/O thread, once.
    pub fn start_io(&self) -> Result<()> {
        if self.io.get().is_some() {
            return Ok(());
        }
        let mut thread = self.thread.lock().unwrap_or_else(|p| p.into_inner());
        if thread.is_some() {
            return Ok(());
        }
        let Some(tokio) = self.tokio() else { return Err(closed()) };
        let (stop, poll_again) = (Arc::clone(&self.stop), Arc::clone(&self.poll_again));
        let body = move || {
            ON_IO_THREAD.set(true);
            tokio.block_on(async {
                let polls = async {
                    loop {
                        poll_again.notified().await;
                        tokio::task::yield_now().await;
                    }
                };
                tokio::select! {
                    biased;
                    () = stop.stopped() => {}
                    () = polls => {}
                }
            });
        };
        let started = spawn_thread("hy-io", body).map_err(|e| {
            Error::new(ErrorCode::Internal, format!("the I/O thread cannot be started: {e}"))
        })?;
        *thread = Some(started);
        let _ = self.io.set(());
        Ok(())
    }

    /// True once the I/O thread drives the sockets.
    pub fn has_io(&self) -> bool {
        self.io.get().is_some()
    }

    /// Runs a task on whatever thread drives the sockets.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.handle.spawn(task)
    }

    /// Runs a future on the calling thread.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _guard = NoSigpipe::new();
        self.handle_runtime().block_on(future)
    }

    fn handle_runtime(&self) -> Arc<tokio::runtime::Runtime> {
        self.tokio().expect("a runtime outlives the calls of its client")
    }

    /// Stops the I/O thread and drops what still runs.
    pub fn shut_down(&self) {
        self.stop.stop();
        let thread = self.thread.lock().unwrap_or_else(|p| p.into_inner()).take();
        if let Some(thread) = thread {
            // It never panics: the tasks' panics are tokio's to catch.
            let _ = thread.join();
        }
        let tokio = self.tokio.lock().unwrap_or_else(|p| p.into_inner()).take();
        // It has no thread to wait for: nothing is ever given to tokio's own.
        if let Some(tokio) = tokio.and_then(Arc::into_inner) {
            tokio.shutdown_background();
        }
    }
}

/// The longest time that is waited for anything: far enough to mean for ever.
pub const FAR: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What a client's clock shows when it begins: what an earlier process did has a time on it, too.
const BEFORE: Duration = Duration::from_secs(86_400);

/// The system's clocks, and tokio's timer.
#[derive(Default)]
pub struct TokioClock {
    start: OnceLock<Instant>,
}

impl TokioClock {
    fn start(&self) -> Instant {
        *self.start.get_or_init(Instant::now)
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Duration {
        BEFORE + self.start().elapsed()
    }

    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        let start = self.start();
        let at = start
            .checked_add(at.saturating_sub(BEFORE))
            .unwrap_or_else(|| start + FAR)
            .min(start + FAR + FAR);
        Box::pin(tokio::time::sleep_until(at))
    }
}
