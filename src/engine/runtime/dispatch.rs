//! Who has submitted messages carried out, and keeps those that have to wait.
//!
//! A task for each of them would keep what an attempt needs for as long as the wait lasts. So what waits is
//! data here: a job in a box, a number, and the gate that it stands before.
//!
//! ```text
//! begin ─▶ arrived ─▶ admit ─┬─ nothing to wait for ─────────────────▶ give: a worker's task
//!             ▲              ├─ its time has not come ─▶ times ─┐         ▲          │
//!             │              └─ a gate is shut ─▶ its line ─────┼─ called ┘          │
//!             ├───── its time, or its account is another now ◀──┤                    │
//!             │                                                 └─▶ ended: cancelled, closed, too late, or
//!             │                                                     its account is gone
//!             └───── the next attempt is later ◀─────────────────────────────────────┘
//! ```
//!
//! A gate ([`Gate`]) is a window of a rate, or the connections to a host. A message stands before the first that
//! is shut, from the narrowest window on, so that one recipient's line is not in the way of another's. Of each
//! line one message is called: it is a task and has the place before the gate ([`Called`]), and whoever gives that
//! place up calls the next. It waits there by [`crate::engine::attempt::pace`], as those do that never stand here:
//! sends whose callers wait, and what is ordered or waits for another message of its key. That alone decides who
//! goes when; the lines only decide who is a task.
//!
//! The task that does all this owns the lines, so that nothing of them is locked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::engine::Shared;
use crate::engine::accept::keys::Claim;
use crate::engine::account::Entry;
use crate::engine::account::stats::Why;
use crate::engine::attempt::deliver::waits;
use crate::engine::attempt::gate::{Call, Called, Gate};
use crate::engine::attempt::job::{EndReason, Job};
use crate::engine::attempt::pace::free_in;
use crate::engine::custody::Leave;
use crate::engine::runtime::FAR;
use crate::engine::runtime::mailbox::Mailbox;
use crate::model::error::Error;
use crate::net::Alarm;

/// How many are given away before those that were have come to their gates, and stand in line there.
const AT_ONCE: usize = 64;
/// So many tasks may wait for the connections of an account.
const MOST_FOR_HOST: u32 = 64;

/// What the task is told, from any thread.
#[derive(Default)]
pub struct Dispatch {
    arrived: Mailbox<Box<Job>>,
    calls: Arc<Mailbox<Call>>,
    leave: Mailbox<Leave>,
}

impl Dispatch {
    /// Begins a send whose result goes into a queue.
    pub fn begin(&self, job: Box<Job>) {
        self.arrived.put(job);
    }

    /// Gives attempts what they wait for.
    ///
    /// To wake each from another thread would cost a system call, and most often two changes of the thread.
    pub fn let_go(&self, leave: impl IntoIterator<Item = Leave>) {
        self.leave.put_all(leave);
    }
}

/// The task that gives jobs to whoever carries them out, `give`.
pub struct Dispatcher<G> {
    shared: Arc<Shared>,
    dispatch: Arc<Dispatch>,
    give: G,
    arrived: VecDeque<Box<Job>>,
    calls: VecDeque<Call>,
    leave: VecDeque<Leave>,
    waiting: BTreeMap<u64, Waiting>,
    last: u64,
    /// Who stands before which gate, by their numbers. Where there is a line, one is called.
    lines: BTreeMap<usize, BTreeSet<u64>>,
    /// When something happens to whom: his time comes, or his caller's patience ends.
    times: BTreeSet<(Duration, u64)>,
    /// How often accounts had changed when they were last looked at.
    changes: u64,
}

/// A job that waits: before a gate, or for its time.
struct Waiting {
    job: Box<Job>,
    gate: Option<Gate>,
}

impl Waiting {
    fn why(&self) -> Why {
        self.gate.as_ref().map_or(Why::Time, Gate::why)
    }

    /// When something happens to it, whoever is called.
    fn time(&self) -> Option<Duration> {
        let outgoing = &self.job.outgoing;
        let own = outgoing.not_before.filter(|_| self.gate.is_none());
        own.into_iter().chain(outgoing.until.map(|(at, _)| at)).min()
    }
}

impl<G: FnMut(Box<Job>) + Send> Dispatcher<G> {
    /// Makes the task of a client.
    pub fn new(shared: &Arc<Shared>, dispatch: &Arc<Dispatch>, give: G) -> Dispatcher<G> {
        Dispatcher {
            shared: Arc::clone(shared),
            dispatch: Arc::clone(dispatch),
            give,
            arrived: VecDeque::new(),
            calls: VecDeque::new(),
            leave: VecDeque::new(),
            waiting: BTreeMap::new(),
            last: 0,
            lines: BTreeMap::new(),
            times: BTreeSet::new(),
            changes: 0,
        }
    }

    /// Works as long as its runtime does.
    pub async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut alarm = Alarm::new(&shared.clock, FAR);
        loop {
            if self.arrived.is_empty() && self.calls.is_empty() {
                self.news(&shared, &mut alarm).await;
            } else {
                let_others_run().await;
            }
            self.leave.drain(..).for_each(Leave::give);
            if shared.stop.winds_down() {
                self.end_all();
            }
            if shared.accounts.changes().0 != self.changes {
                self.look_at_accounts();
            }
            while let Some(call) = self.calls.pop_front() {
                match call {
                    Call::Cancelled(number) => self.end(number, EndReason::Cancelled),
                    Call::Through(gate) => self.call(&gate),
                }
            }
            self.on_time();
            for _ in 0..AT_ONCE {
                let Some(job) = self.arrived.pop_front() else { break };
                self.admit(job);
            }
        }
    }

    /// Waits until there is something to do.
    async fn news(&mut self, shared: &Shared, alarm: &mut Alarm) {
        let (changes, changed) = shared.accounts.changes();
        let (mut changed, mut stopped) = (pin!(changed), pin!(shared.stop.stopped()));
        let nobody_waits = self.waiting.is_empty();
        let first = self.times.first().map(|(at, _)| *at);
        poll_fn(|cx| {
            let arrived = self.dispatch.arrived.poll_take(cx, &mut self.arrived).is_ready();
            let called = self.dispatch.calls.poll_take(cx, &mut self.calls).is_ready();
            let has_leave = self.dispatch.leave.poll_take(cx, &mut self.leave).is_ready();
            if arrived || called || has_leave {
                return Poll::Ready(());
            }
            if nobody_waits {
                return Poll::Pending;
            }
            if changes != self.changes
                || shared.stop.winds_down()
                || stopped.as_mut().poll(cx).is_ready()
                || changed.as_mut().poll(cx).is_ready()
            {
                return Poll::Ready(());
            }
            let Some(first) = first else { return Poll::Pending };
            alarm.set(first);
            Pin::new(&mut *alarm).poll(cx)
        })
        .await;
    }

    /// Gives a job away, or lets it wait.
    fn admit(&mut self, job: Box<Job>) {
        if !waits_here(&job) || self.shared.stop.winds_down() {
            return (self.give)(job);
        }
        let Ok(entry) = self.current(&job) else { return (self.give)(job) };
        // The clock is asked only where it matters: most have no time.
        let wait = job.outgoing.not_before.map(|at| at.saturating_sub(self.shared.clock.now()));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            if job.run.history.attempts == 0 {
                waits(&job.receipt.id, wait, "time");
            }
            return self.keep(job, None);
        }
        match self.shut(&entry, &job, None) {
            None => (self.give)(job),
            Some(gate) => self.stand(job, gate),
        }
    }

    /// The account that a job is sent with now.
    fn current(&self, job: &Job) -> Result<Arc<Entry>, Error> {
        match &job.outgoing.entry {
            Some(entry) => self.shared.accounts.current(entry, job.run.probe.as_ref()),
            None => Err(self.shared.accounts.unknown(&job.receipt.account)),
        }
    }

    /// The first gate before which a job has to wait, of those that come before this one.
    fn shut(&self, entry: &Arc<Entry>, job: &Job, before: Option<&Gate>) -> Option<Gate> {
        // Where nobody waits, windows need not be looked at.
        let is_crowded = entry.stats.waits(Why::Connection) >= MOST_FOR_HOST;
        if self.lines.is_empty() && !is_crowded && entry.stats.waits(Why::Pace) == 0 {
            return None;
        }
        let now = self.shared.clock.now();
        let draft = &job.outgoing.draft;
        let windows = entry.windows(&self.shared.windows, &draft.scopes, &*self.shared.clock);
        let own = before.map(Gate::number);
        let gates = windows.into_iter().map(Gate::Window);
        let gates = gates.chain([Gate::Host(Arc::clone(&entry.permits))]);
        gates.take_while(|gate| Some(gate.number()) != own).find(|gate| {
            self.lines.contains_key(&gate.number())
                || match gate {
                    Gate::Window(window) => window.is_shut(now),
                    Gate::Host(_) => is_crowded,
                }
        })
    }

    /// Has a job stand in line before a gate, or be called where there is none.
    fn stand(&mut self, mut job: Box<Job>, gate: Gate) {
        if let Gate::Window(window) = &gate {
            let wait = free_in(std::slice::from_ref(window), self.shared.clock.now());
            waits(&job.receipt.id, wait, "turn within its rate");
        }
        if self.lines.contains_key(&gate.number()) {
            return self.keep(job, Some(gate));
        }
        self.lines.insert(gate.number(), BTreeSet::new());
        job.run.called = Some(Called::new(gate, &self.dispatch.calls));
        (self.give)(job);
    }

    /// Has a job stand before a gate, or wait for its time.
    fn keep(&mut self, mut job: Box<Job>, gate: Option<Gate>) {
        job.outgoing.draft.shrink();
        self.last += 1;
        let number = self.last;
        if !job.completion.wait_at(&self.dispatch.calls, number) {
            self.calls.push_back(Call::Cancelled(number));
        }
        let waiting = Waiting { job, gate };
        if let Some(entry) = &waiting.job.outgoing.entry {
            entry.stats.wait_begins(waiting.why());
        }
        if let Some(time) = waiting.time() {
            self.times.insert((time, number));
        }
        if let Some(gate) = &waiting.gate {
            self.lines.entry(gate.number()).or_default().insert(number);
        }
        self.waiting.insert(number, waiting);
    }

    /// Takes one out that waits, if it still does.
    fn take(&mut self, number: u64) -> Option<Box<Job>> {
        let waiting = self.waiting.remove(&number)?;
        if let Some(entry) = &waiting.job.outgoing.entry {
            entry.stats.wait_ends(waiting.why());
        }
        if let Some(time) = waiting.time() {
            self.times.remove(&(time, number));
        }
        let gate = waiting.gate.as_ref().map(Gate::number);
        if let Some(line) = gate.and_then(|gate| self.lines.get_mut(&gate)) {
            line.remove(&number);
        }
        Some(waiting.job)
    }

    /// Calls the next to a gate; where there is none, the line ends.
    fn call(&mut self, gate: &Gate) {
        while let Some(number) = self.lines.get(&gate.number()).and_then(BTreeSet::first).copied() {
            let Some(mut job) = self.take(number) else { continue };
            match self.current(&job).map(|entry| self.shut(&entry, &job, Some(gate))) {
                // It stands before a narrower one from now on.
                Ok(Some(other)) => self.stand(job, other),
                Ok(None) => {
                    job.run.called = Some(Called::new(gate.clone(), &self.dispatch.calls));
                    return (self.give)(job);
                }
                Err(error) => end_gone(job, error),
            }
        }
        self.lines.remove(&gate.number());
    }

    /// Ends one that waits, if it still does.
    fn end(&mut self, number: u64, why: EndReason) {
        if let Some(mut job) = self.take(number)
            && job.end(why)
        {
            job.finish();
        }
    }

    fn end_all(&mut self) {
        while let Some((number, _)) = self.waiting.first_key_value() {
            self.end(*number, EndReason::Closed);
        }
    }

    /// What is too late ends, and what was too early is admitted.
    fn on_time(&mut self) {
        if self.times.is_empty() {
            return;
        }
        let now = self.shared.clock.now();
        while let Some((_, number)) = self.times.first().copied().filter(|(at, _)| *at <= now) {
            let until = self.waiting.get(&number).and_then(|waiting| waiting.job.outgoing.until);
            match until.filter(|(at, _)| *at <= now) {
                Some((_, why)) => self.end(number, why),
                None => {
                    let job = self.take(number);
                    self.arrived.extend(job);
                }
            }
        }
    }

    /// Whose account is gone ends; whose account is another now is admitted anew.
    fn look_at_accounts(&mut self) {
        self.changes = self.shared.accounts.changes().0;
        let is_other = |waiting: &Waiting| {
            let entry = waiting.job.outgoing.entry.as_ref();
            entry.is_some_and(|entry| entry.is_outdated() || entry.halt.check(None).is_err())
        };
        let others = self.waiting.iter().filter(|(_, waiting)| is_other(waiting));
        let others: Vec<u64> = others.map(|(number, _)| *number).collect();
        let mut first = VecDeque::new();
        for number in others {
            let Some(job) = self.take(number) else { continue };
            match self.current(&job) {
                Ok(_) => first.push_back(job),
                Err(error) => end_gone(job, error),
            }
        }
        // They came before those that have just arrived.
        first.append(&mut self.arrived);
        self.arrived = first;
    }
}

/// True of a job that is data while it waits: not if it waits for another message.
fn waits_here(job: &Job) -> bool {
    let follows = matches!(job.outgoing.key, Some(Claim::Joined(_) | Claim::Known(_)));
    !follows && job.outgoing.ticket.is_none() && job.completion.direct.is_none()
}

fn end_gone(mut job: Box<Job>, error: Error) {
    job.end_gone(error);
    job.finish();
}

/// Lets every task run that can.
async fn let_others_run() {
    let mut is_first = true;
    poll_fn(|cx| {
        if std::mem::take(&mut is_first) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}
