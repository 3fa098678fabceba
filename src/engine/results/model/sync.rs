//! Locks and a clock whose every step the model's scheduler decides.
//!
//! The scheduler's own condition variable neither times out nor wakes for nothing; this one does
//! both, at any time, as the real one may.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LockResult, PoisonError};
use std::time::Duration;

pub use std::sync::Arc;

use shuttle::rand::{Rng as _, thread_rng};
pub use shuttle::sync::atomic::AtomicUsize;
use shuttle::thread::{self, Thread};

use super::queue::WITHOUT_END;
pub use super::wake::Wake;

std::thread_local! {
    /// The time of all models that run on this thread of the system.
    static CLOCK: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A time that passes in leaps, or when a time-out fires.
#[derive(Clone, Copy)]
pub struct Instant(Duration);

impl Instant {
    pub fn now() -> Instant {
        if thread_rng().gen_ratio(1, 4) {
            CLOCK.set(CLOCK.get() + Duration::from_millis(1));
        }
        Instant(CLOCK.get())
    }

    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(*self)
    }

    pub fn checked_add(&self, time: Duration) -> Option<Instant> {
        self.0.checked_add(time).map(Instant)
    }

    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The scheduler's mutex, and a guard that knows it.
#[derive(Default)]
pub struct Mutex<T>(shuttle::sync::Mutex<T>);

pub struct MutexGuard<'a, T> {
    guard: shuttle::sync::MutexGuard<'a, T>,
    mutex: &'a Mutex<T>,
}

impl<T> Mutex<T> {
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let with = |guard| MutexGuard { guard, mutex: self };
        self.0.lock().map(with).map_err(|poisoned| PoisonError::new(with(poisoned.into_inner())))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

struct Waiter {
    thread: Thread,
    woken: AtomicBool,
}

impl Waiter {
    fn wake(&self) {
        self.woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Who waits; the lock is std's, for it is never held while another task may run.
#[derive(Clone, Default)]
struct Waiters(Arc<std::sync::Mutex<Vec<Arc<Waiter>>>>);

impl Waiters {
    fn with<R>(&self, f: impl FnOnce(&mut Vec<Arc<Waiter>>) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// True if it still waited.
    fn remove(&self, waiter: &Arc<Waiter>) -> bool {
        self.with(|all| {
            let at = all.iter().position(|other| Arc::ptr_eq(other, waiter));
            at.map(|at| all.swap_remove(at)).is_some()
        })
    }
}

#[derive(Default)]
pub struct Condvar(Waiters);

impl Condvar {
    /// A notice, the time-out or nothing at all ends it; a wait without end never times out.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        left: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, ())> {
        let me = Arc::new(Waiter { thread: thread::current(), woken: AtomicBool::new(false) });
        self.0.with(|all| all.push(Arc::clone(&me)));
        let mutex = guard.mutex;
        drop(guard);
        if left < WITHOUT_END {
            let (waiters, me, due) = (self.0.clone(), Arc::clone(&me), CLOCK.get() + left);
            thread::spawn(move || {
                // Who was woken before may run only now, and find its time run out.
                CLOCK.set(CLOCK.get().max(due));
                if waiters.remove(&me) {
                    me.wake();
                }
            });
        }
        while !me.woken.load(Ordering::SeqCst) {
            thread::park();
            if thread_rng().gen_ratio(1, 8) {
                break;
            }
        }
        self.0.remove(&me);
        mutex
            .lock()
            .map(|guard| (guard, ()))
            .map_err(|poisoned| PoisonError::new((poisoned.into_inner(), ())))
    }

    /// Wakes anyone of those who wait.
    pub fn notify_one(&self) {
        let one = self.0.with(|all| match all.len() {
            0 => None,
            count => Some(all.swap_remove(thread_rng().gen_range(0..count))),
        });
        if let Some(waiter) = one {
            waiter.wake();
        }
    }

    pub fn notify_all(&self) {
        for waiter in self.0.with(std::mem::take) {
            waiter.wake();
        }
    }
}
