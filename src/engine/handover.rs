//! One value, from whoever makes it to the thread that waits for it.
//!
//! A channel of the standard library does the same, and brings its three kinds of queue with it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Where a value is awaited.
pub struct Taker<T>(Arc<Place<T>>);

/// Who owes the value.
pub struct Giver<T>(Arc<Place<T>>);

struct Place<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

enum State<T> {
    /// It has not come: a task waits for it if there is a waker, else a thread.
    Awaited(Option<Waker>),
    Given(T),
    /// Whoever owed it is gone.
    Lost,
}

/// What a wait came to.
#[derive(Debug, PartialEq)]
pub enum Taken<T> {
    /// The value.
    Value(T),
    /// It will never come.
    Lost,
    /// It has not come yet.
    TimedOut,
}

/// The two ends of a handover.
pub fn handover<T>() -> (Giver<T>, Taker<T>) {
    let place =
        Arc::new(Place { state: Mutex::new(State::Awaited(None)), changed: Condvar::new() });
    (Giver(Arc::clone(&place)), Taker(place))
}

impl<T> Place<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Ends the wait, unless it has ended.
    fn end(&self, state: State<T>) {
        let mut place = self.lock();
        let State::Awaited(waker) = &mut *place else { return };
        let waker = waker.take();
        *place = state;
        drop(place);
        match waker {
            Some(waker) => waker.wake(),
            // To notify nobody would still be a system call.
            None => self.changed.notify_all(),
        }
    }
}

impl<T> State<T> {
    fn take(&mut self) -> Taken<T> {
        match std::mem::replace(self, State::Lost) {
            State::Given(value) => Taken::Value(value),
            State::Lost => Taken::Lost,
            awaited @ State::Awaited(_) => {
                *self = awaited;
                Taken::TimedOut
            }
        }
    }
}

impl<T> Giver<T> {
    /// Hands the value over.
    pub fn give(self, value: T) {
        self.0.end(State::Given(value));
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        self.0.end(State::Lost);
    }
}

impl<T> Taker<T> {
    /// Waits for the value, at most so long.
    pub fn take(&self, within: Duration) -> Taken<T> {
        // No task waits any more.
        let waits = |state: &mut State<T>| match state {
            State::Awaited(waker) => {
                *waker = None;
                true
            }
            _ => false,
        };
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), within, waits);
        let (mut state, _) = waited.unwrap_or_else(|poisoned| poisoned.into_inner());
        state.take()
    }

    /// The value, for a task that waits for it.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<Taken<T>> {
        let mut state = self.0.lock();
        match &mut *state {
            State::Awaited(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(state.take()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_AT_ALL: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_value_is_handed_over_once() {
        let (giver, taker) = handover();
        assert_eq!(taker.take(NOT_AT_ALL), Taken::TimedOut);
        let thread = std::thread::spawn(move || giver.give(7));
        assert_eq!(taker.take(LONG), Taken::Value(7));
        assert_eq!(taker.take(LONG), Taken::Lost);
        thread.join().expect("it gave");
    }

    #[test]
    fn a_task_that_waits_is_woken() {
        let (giver, taker) = handover();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let thread = std::thread::spawn(move || giver.give(7));
        let taken = runtime.block_on(std::future::poll_fn(|cx| taker.poll(cx)));
        assert_eq!(taken, Taken::Value(7));
        thread.join().expect("it gave");
    }

    #[test]
    fn who_is_gone_is_waited_for_no_longer() {
        let (giver, taker) = handover::<i32>();
        let thread = std::thread::spawn(move || drop(giver));
        assert_eq!(taker.take(LONG), Taken::Lost);
        thread.join().expect("it went");
    }
}
