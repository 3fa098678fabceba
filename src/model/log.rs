//! The library's log: off until somebody sets a sink, silent again when it is taken away.

use std::cell::Cell;
use std::fmt;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU8, Ordering};

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

type Sink = Box<dyn Fn(Level, &str, &str) + Send + Sync>;

static MAX_LEVEL: AtomicU8 = AtomicU8::new(0);
static SINK: RwLock<Option<Sink>> = RwLock::new(None);

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Tells that [`set_sink`] was called from inside the log function.
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
    let mut slot = SINK.write().unwrap_or_else(|poisoned| poisoned.into_inner());
    *slot = sink;
    MAX_LEVEL.store(level, Ordering::Relaxed);
    Ok(())
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
    let slot = SINK.read().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(sink) = &*slot {
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
