//! What this process holds, as `/proc` tells.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a test waits for what must go.
const GUARD: Duration = Duration::from_secs(300);

/// The names of the threads.
pub fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux").flatten();
    // One that ends meanwhile has no name any more.
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
        .map(|name| name.trim_end().to_owned())
        .collect()
}

/// Waits until these threads are all that is left: who joins a thread may be a little earlier than
/// its disappearance from `/proc`.
pub fn wait_for_threads(expected: &[String]) {
    let expected = sorted(expected.to_vec());
    wait_until(&format!("{expected:?} to be all"), || sorted(threads()) == expected);
}

/// Waits until what must become true is true.
pub fn wait_until(what: &str, is_true: impl Fn() -> bool) {
    let until = Instant::now() + GUARD;
    while !is_true() {
        assert!(Instant::now() < until, "waited in vain for {what}; threads: {:?}", threads());
        thread::yield_now();
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

/// What each open descriptor leads to, by its number.
pub fn descriptors() -> Vec<(String, String)> {
    let open: Vec<_> = fs::read_dir("/proc/self/fd").expect("Linux").flatten().collect();
    // The one that listed them is closed by now.
    let mut open: Vec<_> = open
        .into_iter()
        .filter_map(|entry| {
            let target = fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned();
            Some((entry.file_name().to_string_lossy().into_owned(), target))
        })
        .collect();
    open.sort();
    open
}

/// The memory that is in use, in KiB.
pub fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}
