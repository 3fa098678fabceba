//! What a message waits for before its first attempt, and how those are told who wait there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::engine::account::stats::Why;
use crate::engine::attempt::connections::PermitQueue;
use crate::engine::attempt::pace::{Window, free_in};
use crate::engine::runtime::mailbox::Mailbox;
use crate::engine::runtime::stop::Stop;

/// What many messages may wait for, one after the other.
#[derive(Clone)]
pub enum Gate {
    /// Its turn within a rate.
    Window(Arc<Window>),
    /// A connection to its host.
    Host(Arc<PermitQueue>),
}

impl Gate {
    /// A number that no other gate has as long as this one lives.
    pub fn number(&self) -> usize {
        match self {
            Gate::Window(window) => Arc::as_ptr(window).addr(),
            Gate::Host(permits) => Arc::as_ptr(permits).addr(),
        }
    }

    /// What is counted for those who wait there.
    pub fn why(&self) -> Why {
        match self {
            Gate::Window(_) => Why::Pace,
            Gate::Host(_) => Why::Connection,
        }
    }
}

/// What is told to whoever keeps those that wait.
pub enum Call {
    /// The one that waits by this number is not wanted any more.
    Cancelled(u64),
    /// Who was called to this gate has gone through it, or has gone away: the next may come.
    Through(Gate),
}

/// The place right before a gate, which one message has at a time; whoever drops it calls the next.
pub struct Called {
    gate: Option<Gate>,
    calls: Arc<Mailbox<Call>>,
}

impl Called {
    /// The place before this gate, given back through `calls`.
    pub fn new(gate: Gate, calls: &Arc<Mailbox<Call>>) -> Called {
        Called { gate: Some(gate), calls: Arc::clone(calls) }
    }

    /// True if it is before a window.
    pub fn is_for_pace(&self) -> bool {
        matches!(self.gate, Some(Gate::Window(_)))
    }

    /// True unless its message has to wait before that, in one of these windows, which come in order.
    pub fn is_next(&self, windows: &[Arc<Window>], now: Duration) -> bool {
        let is_own = |window: &Arc<Window>| matches!(&self.gate, Some(Gate::Window(own)) if Arc::ptr_eq(own, window));
        let before = windows.iter().position(is_own).unwrap_or(windows.len());
        free_in(&windows[..before], now).is_zero()
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            self.calls.put(Call::Through(gate));
        }
    }
}

/// The wish of a caller that his send should end.
#[derive(Default)]
pub struct Cancel {
    stop: Stop,
    /// Where the message waits, and by which number.
    waits: Mutex<Option<(Arc<Mailbox<Call>>, u64)>>,
}

impl Cancel {
    fn waits(&self) -> MutexGuard<'_, Option<(Arc<Mailbox<Call>>, u64)>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the end of the send.
    pub fn cancel(&self) {
        self.stop.stop();
        if let Some((calls, number)) = self.waits().take() {
            calls.put(Call::Cancelled(number));
        }
    }

    /// True once it was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.stop.is_stopped()
    }

    /// Waits until it is asked for.
    pub async fn cancelled(&self) {
        self.stop.stopped().await;
    }

    /// Its message waits by this number, and whoever cancels it has to say so there; false if somebody has
    /// cancelled it already.
    pub fn wait_at(&self, calls: &Arc<Mailbox<Call>>, number: u64) -> bool {
        *self.waits() = Some((Arc::clone(calls), number));
        !self.is_cancelled()
    }
}
