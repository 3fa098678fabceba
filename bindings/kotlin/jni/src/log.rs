//! The library's log on its way to the JVM.
//!
//! Lines are written on any thread, and no thread of the library enters the JVM: so they wait here for the
//! one thread of Kotlin that takes them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};

use hongyan::{Error, ErrorCode, LogLevel, Result};

/// How many lines wait; the oldest make room.
const MOST: usize = 10_000;

#[derive(Default)]
struct Lines {
    waiting: VecDeque<(LogLevel, String, String)>,
    lost: u64,
}

static LINES: Mutex<Lines> = Mutex::new(Lines { waiting: VecDeque::new(), lost: 0 });
static NEWS: Condvar = Condvar::new();

fn lines() -> MutexGuard<'static, Lines> {
    LINES.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn write(level: LogLevel, target: &str, text: &str) {
    let mut lines = lines();
    if lines.waiting.len() == MOST {
        lines.waiting.pop_front();
        lines.lost += 1;
    }
    lines.waiting.push_back((level, target.to_owned(), text.to_owned()));
    NEWS.notify_one();
}

/// Keeps lines up to this level from now on (1: errors, 5: everything), or none at 0. Those that wait are gone.
pub fn set_level(level: i32) -> Result<()> {
    let level = LogLevel::from_number(level);
    let set = hongyan::set_log(level, level.map(|_| Box::new(write) as _));
    *lines() = Lines::default();
    // It is refused only within the log function, which enters no JVM.
    set.map_err(|_| Error::new(ErrorCode::Reentrant, "called from inside the log function"))
}

/// Waits for lines; of each the number of its level, the lengths of its target and its text, and those.
pub fn take() -> Vec<u8> {
    let mut lines = lines();
    while lines.waiting.is_empty() {
        lines = NEWS.wait(lines).unwrap_or_else(|poisoned| poisoned.into_inner());
    }
    let Lines { waiting, lost } = std::mem::take(&mut *lines);
    drop(lines);
    let mut packed = Vec::new();
    if lost > 0 {
        let text = format!("{lost} lines of the log were lost: the log function is too slow");
        pack(&mut packed, LogLevel::Warn, "hongyan::log", &text);
    }
    for (level, target, text) in waiting {
        pack(&mut packed, level, &target, &text);
    }
    packed
}

fn pack(packed: &mut Vec<u8>, level: LogLevel, target: &str, text: &str) {
    packed.push(level as u8);
    for part in [target, text] {
        // No line is that long.
        packed.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    }
    packed.extend_from_slice(target.as_bytes());
    packed.extend_from_slice(text.as_bytes());
}
