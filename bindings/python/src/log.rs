//! The library's log on its way to Python's `logging`.
//!
//! Lines are written on any thread, and no thread of the library may run Python: so they wait here until
//! the package fetches them, on a thread of Python's own.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use hongyan::LogLevel;
use pyo3::prelude::*;

/// How many lines wait; the oldest make room.
const MOST: usize = 10_000;

/// When it was written, in Unix seconds; its level, its target, its text.
type Line = (f64, i32, String, String);

struct Lines {
    /// A child has what its parent had when it forked: these are not its own.
    pid: u32,
    waiting: VecDeque<Line>,
    lost: u64,
}

/// By the number of the process: after `fork` the child's lock must not be one that a thread of its parent
/// held.
static LINES: [Mutex<Lines>; 64] =
    [const { Mutex::new(Lines { pid: 0, waiting: VecDeque::new(), lost: 0 }) }; 64];

static SOME: AtomicBool = AtomicBool::new(false);

fn lines() -> MutexGuard<'static, Lines> {
    let pid = std::process::id();
    let lines = &LINES[pid as usize % LINES.len()];
    let mut lines = lines.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if lines.pid != pid {
        *lines = Lines { pid, waiting: VecDeque::new(), lost: 0 };
    }
    lines
}

fn write(level: LogLevel, target: &str, text: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let mut lines = lines();
    if lines.waiting.len() == MOST {
        lines.waiting.pop_front();
        lines.lost += 1;
    }
    lines.waiting.push_back((now, level as i32, target.to_owned(), text.to_owned()));
    SOME.store(true, Ordering::Release);
}

/// Keeps lines up to this level from now on (1: errors, 5: everything), or none at 0.
#[pyfunction]
pub fn log_level(level: i32) {
    let sink = LogLevel::from_number(level).map(|_| Box::new(write) as _);
    // It is refused only within the log function, which runs no Python.
    let _ = hongyan::set_log(LogLevel::from_number(level), sink);
}

/// True if lines wait.
#[pyfunction]
pub fn has_log() -> bool {
    SOME.load(Ordering::Acquire)
}

/// The lines that wait, oldest first, and how many were lost before them.
#[pyfunction]
pub fn take_log() -> (Vec<Line>, u64) {
    let mut lines = lines();
    SOME.store(false, Ordering::Release);
    let lost = std::mem::take(&mut lines.lost);
    (std::mem::take(&mut lines.waiting).into(), lost)
}
