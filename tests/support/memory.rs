//! What a process has needed of memory, measured in a process of its own.

use std::process::Command;

const CHILD: &str = "HONGYAN_TEST_CHILD";

/// Runs the test of this name again in a process of its own, with `argument`; true in the parent.
///
/// The child finds the argument with [`argument`] and ends in success or by a panic.
pub fn in_child(test: &str, value: &str) {
    let program = std::env::current_exe().expect("this test");
    let output = Command::new(program)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, value)
        .output()
        .expect("a process");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{value}: {words}");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("1 passed"), "{value}: no test ran: {told}");
}

/// What the parent gave, in a child.
pub fn argument() -> Option<String> {
    std::env::var(CHILD).ok()
}

/// The most memory that this process has had at once, in KiB.
pub fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}
