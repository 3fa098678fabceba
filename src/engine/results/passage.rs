//! Threads of the library that begin or end, which a fork waits for.
//!
//! The standard library has a lock of the whole process, which a thread takes for a moment when it begins and when it
//! ends. A child that inherits it locked can neither start a thread nor end one. Forks are rare, and so are threads
//! that begin: whoever has to wait looks again after a while, and there is no lock here to inherit.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How many threads begin or end.
static PASSING: AtomicUsize = AtomicUsize::new(0);

/// How many threads fork.
static FORKING: AtomicUsize = AtomicUsize::new(0);

/// How long a fork waits for them at most.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOKS_EVERY: Duration = Duration::from_micros(50);

thread_local! {
    /// What the system destroys when the standard library is done with the thread.
    static ENDS: Cell<Option<Passing>> = const { Cell::new(None) };
}

/// A thread begins or ends as long as this lives, and no process forks.
pub struct Passing(());

impl Passing {
    /// Waits for forks that are under way.
    pub fn enter() -> Passing {
        loop {
            PASSING.fetch_add(1, Ordering::SeqCst);
            let passing = Passing(());
            if FORKING.load(Ordering::SeqCst) == 0 {
                return passing;
            }
            drop(passing);
            sleep(LOOKS_EVERY);
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        PASSING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// When this goes, the thread is about to end.
pub struct Ends;

impl Drop for Ends {
    fn drop(&mut self) {
        // A thread whose values are destroyed already has no other end.
        let _ = ENDS.try_with(|ends| ends.set(Some(Passing::enter())));
    }
}

/// Before a fork: waits until no thread begins or ends, and lets none.
pub fn before_fork() {
    FORKING.fetch_add(1, Ordering::SeqCst);
    let until = Instant::now() + PATIENCE;
    while PASSING.load(Ordering::SeqCst) > 0 && Instant::now() < until {
        sleep(LOOKS_EVERY);
    }
}

/// After it, in the parent or in the child, which has no other thread.
pub fn after_fork(in_child: bool) {
    if in_child {
        PASSING.store(0, Ordering::SeqCst);
        FORKING.store(0, Ordering::SeqCst);
    } else {
        FORKING.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_fork_waits_for_threads_that_begin_or_end_and_they_for_it() {
        let (order, passing) = (Mutex::new(Vec::new()), Passing::enter());
        let notes = |what| order.lock().expect("a lock").push(what);
        std::thread::scope(|scope| {
            let forks = scope.spawn(|| {
                before_fork();
                notes("forks");
                let begins = scope.spawn(|| {
                    let _passing = Passing::enter();
                    notes("begins");
                });
                while PASSING.load(Ordering::SeqCst) == 0 {
                    std::thread::yield_now();
                }
                notes("has forked");
                after_fork(false);
                begins.join().expect("it began");
            });
            while FORKING.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            notes("has begun");
            drop(passing);
            forks.join().expect("it forked");
        });
        assert_eq!(*order.lock().expect("a lock"), ["has begun", "forks", "has forked", "begins"]);
    }
}
