//! The library's log: off until somebody sets a sink, silent again when it is taken away.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering, fence};
use std::sync::{Arc, RwLock, RwLockWriteGuard};
use std::time::Duration;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Something is broken.
    Error = 1,
    /// Something went wrong and was dealt with.
    Warn = 2,
    /// Life of the client.
    Info = 3,
    /// Each attempt.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

impl Level {
    /// The level of this number.
    pub fn from_number(number: i32) -> Option<Level> {
        [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace]
            .into_iter()
            .find(|level| *level as i32 == number)
    }
}

/// Takes lines.
pub type Sink = Box<dyn Fn(Level, &str, &str) + Send + Sync>;

/// Where lines go.
struct Slot {
    sink: Option<Arc<Sink>>,
    /// How many threads of a parent were running the sink when this process was forked from it: they
    /// will never come back from it.
    gone: usize,
}

static MAX_LEVEL: AtomicU8 = AtomicU8::new(0);
/// Never locked while the sink runs, so that a fork can wait for it.
static SLOT: RwLock<Slot> = RwLock::new(Slot { sink: None, gone: 0 });

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// The lock, while this thread forks.
    static HELD: RefCell<Option<RwLockWriteGuard<'static, Slot>>> = const { RefCell::new(None) };
}

/// Tells that `set_log` was called from inside the log function.
#[derive(Debug)]
pub struct Reentrant;

/// Sends lines up to `max` to `sink` from now on, or none; returns once no old sink runs any more.
///
/// The sink may run on any thread. It must not call back into a client.
pub fn set_sink(max: Option<Level>, sink: Option<Sink>) -> Result<(), Reentrant> {
    if inside_sink() {
        return Err(Reentrant);
    }
    let level = if sink.is_some() { max.map_or(0, |level| level as u8) } else { 0 };
    let new = Slot { sink: sink.map(Arc::new), gone: 0 };
    let mut slot = SLOT.write().unwrap_or_else(|poisoned| poisoned.into_inner());
    let old = std::mem::replace(&mut *slot, new);
    MAX_LEVEL.store(level, Ordering::Relaxed);
    drop(slot);
    if let Some(sink) = old.sink {
        let mut pauses = 0;
        while Arc::strong_count(&sink) > 1 + old.gone {
            match pauses {
                0..64 => std::thread::yield_now(),
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
            pauses += 1;
        }
        // What the last of them did is seen by whoever has set another.
        fence(Ordering::Acquire);
    }
    Ok(())
}

/// Before a fork: no other thread has the lock when it happens.
pub fn before_fork() {
    let _ = HELD.try_with(|held| {
        if let Ok(mut held) = held.try_borrow_mut()
            && held.is_none()
        {
            *held = Some(SLOT.write().unwrap_or_else(|poisoned| poisoned.into_inner()));
        }
    });
}

/// After a fork, in the parent or in the child.
pub fn after_fork(in_child: bool) {
    let _ = HELD.try_with(|held| {
        let Some(mut slot) = held.try_borrow_mut().ok().and_then(|mut held| held.take()) else {
            return;
        };
        if in_child {
            slot.gone = slot.sink.as_ref().map_or(0, |sink| Arc::strong_count(sink) - 1);
        }
    });
}

/// True on a thread that is running the log function now.
pub fn inside_sink() -> bool {
    INSIDE.get()
}

/// True if a line of this level goes anywhere.
pub fn enabled(level: Level) -> bool {
    level as u8 <= MAX_LEVEL.load(Ordering::Relaxed)
}

/// Writes a line: no secret and no text of a message may be in it.
pub fn write(level: Level, target: &str, text: fmt::Arguments<'_>) {
    if !enabled(level) || inside_sink() {
        return;
    }
    let sink = SLOT.read().unwrap_or_else(|poisoned| poisoned.into_inner()).sink.clone();
    if let Some(sink) = sink {
        struct Outside;
        impl Drop for Outside {
            fn drop(&mut self) {
                INSIDE.set(false);
            }
        }
        INSIDE.set(true);
        let _outside = Outside;
        sink(level, target, &text.to_string());
    }
}

/// Writes a log line if its level is on.
macro_rules! log {
    ($level:ident, $target:literal, $($arg:tt)*) => {
        if $crate::model::log::enabled($crate::model::log::Level::$level) {
            $crate::model::log::write($crate::model::log::Level::$level, $target, format_args!($($arg)*));
        }
    };
}
pub(crate) use log;
