//! What a task is told from anywhere.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// What is told to one task, oldest first.
///
/// To wake it costs a system call, so only the first of what waits for it does.
pub struct Mailbox<T>(Mutex<(VecDeque<T>, Option<Waker>)>);

impl<T> Default for Mailbox<T> {
    fn default() -> Mailbox<T> {
        Mailbox(Mutex::default())
    }
}

impl<T> Mailbox<T> {
    /// Tells it.
    pub fn put(&self, news: T) {
        self.put_all([news]);
    }

    /// Tells it all of this at once.
    pub fn put_all(&self, news: impl IntoIterator<Item = T>) {
        let waker = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.0.extend(news);
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes all that was told behind what was `taken` before; ready if that is anything.
    pub fn poll_take(&self, cx: &mut Context<'_>, taken: &mut VecDeque<T>) -> Poll<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.is_empty() {
            match &mut state.1 {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        match taken.is_empty() {
            // The room of the one serves the other.
            true => std::mem::swap(taken, &mut state.0),
            false => taken.append(&mut state.0),
        }
        Poll::Ready(())
    }
}
