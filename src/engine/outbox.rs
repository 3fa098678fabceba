//! The outbox: messages that outlive their process, and their results until they are acknowledged.
//!
//! Callers and jobs hand their changes to one thread, the [`keeper`], which owns the store: what
//! comes while a transaction is being written shares the next one. A submit returns once its message
//! is durable, an attempt begins once its mark is, and a result is handed out once it is.

#[cfg(feature = "outbox")]
pub mod file;
pub mod keeper;
mod reply;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::engine::attempt::job::Job;
use crate::engine::custody::{Admission, Custody, Direct, OnDisk};
use crate::engine::results::opened::Room;
use crate::engine::results::queue::closed;
use crate::engine::results::sends::Unfinished;
use crate::engine::results::slot::Slot;
use crate::engine::runtime::on_io_thread;
use crate::engine::store::{Accept, Begin, Change, RateLimit, Seq, Told, Verdict};
use crate::model::error::Result;
use crate::model::receipt::Receipt;
pub use reply::Reply;

/// How long a change that nobody waits for may wait for others to share its transaction.
const LAZY: Duration = Duration::from_millis(50);

/// The I/O thread gathers so many changes, for so long, before it wakes the keeper; or until it has nothing else to
/// do. So long, too, the keeper waits for what comes of the changes that it has made. Else most transactions would
/// have a few changes only, and each costs a sync of the disk.
const MOST_GATHERED: usize = 64;
const GATHERS_FOR: Duration = Duration::from_millis(1);

/// Who is told that a change was made.
enum Wants {
    Nobody,
    /// Nobody either, but others are to know it soon.
    Soon,
    /// A caller, by his number among those of one submit, and the job that may begin at once.
    Accept(Box<Job>, usize, Reply),
    /// An attempt; true if the I/O thread carries it out.
    Begin(oneshot::Sender<()>, bool),
    /// How long a request has to wait.
    Pace(oneshot::Sender<Duration>, bool),
    /// The queue: the result is handed out now. What counts its send, where a job did.
    Finish(Box<Receipt>, Option<Slot>, Option<Unfinished>),
    /// A send whose caller waits.
    Enter(oneshot::Sender<Admission>),
    /// The same; it has its result itself, and waits no longer than for the first try.
    FinishDirect(Box<Receipt>, Option<oneshot::Sender<()>>),
}

impl Wants {
    /// True of a caller who is told at once if the disk refuses.
    fn is_caller(&self) -> bool {
        matches!(self, Wants::Accept(..) | Wants::Enter(_) | Wants::FinishDirect(_, Some(_)))
    }
}

/// What a client begins of what its outbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// All, if it sends.
    All,
    /// Only what a send of its own waits for, and the result stays there for others.
    Needed,
}

/// A change that is to be made, who is told then, and the membership under which it was said.
struct Pending {
    change: Change,
    wants: Wants,
    membership: u32,
}

#[derive(Default)]
struct State {
    pending: Vec<Pending>,
    /// Somebody waits for what is pending.
    urgent: bool,
    lazy_since: Option<Instant>,
    /// The keeper is to be woken for it, and was not yet.
    untold: bool,
    /// Since when the I/O thread works on what the keeper gave it.
    io_works_since: Option<Instant>,
    /// There may be room for messages that are on the disk only.
    nudged: bool,
    /// Jobs that ended without a result: the client closes.
    left: Vec<Seq>,
    /// Sends that were cancelled and may be on the disk only.
    cancelled: Vec<OnDisk>,
    /// Accounts that were removed (true) or set.
    accounts: Vec<(String, bool)>,
    /// Nothing more is begun.
    stopping: bool,
    /// What is pending is the last there is.
    ends: bool,
}

/// The way to the keeper.
#[derive(Default)]
pub struct Outbox {
    state: Mutex<State>,
    news: Condvar,
    /// There are messages on the disk only, or results of an earlier run.
    backlog: AtomicBool,
    /// Messages without an acknowledged result, and those of them without a result.
    messages: AtomicU64,
    unfinished: AtomicU64,
    /// What was found damaged in the store, if anything was.
    damage: Option<String>,
    /// It is kept in a database, which may be out of reach for long.
    is_remote: bool,
    /// How often this client was taken for dead and came back: what its jobs held before is not theirs.
    membership: AtomicU32,
    /// Whether the database answers.
    reach: OnceLock<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Outbox {
    /// An outbox whose keeper is about to start.
    fn new(damage: Option<String>, is_remote: bool) -> Outbox {
        Outbox { damage, is_remote, ..Outbox::default() }
    }

    /// Keeps the thread of its keeper, to wait for it at the end.
    fn runs_on(&self, thread: JoinHandle<()>) {
        *self.thread.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(thread);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn push(&self, change: Change, wants: Wants) {
        self.push_of(self.membership.load(Ordering::Relaxed), change, wants);
    }

    fn push_of(&self, membership: u32, change: Change, wants: Wants) {
        let mut state = self.lock();
        let urgent = !matches!(wants, Wants::Nobody);
        state.pending.push(Pending { change, wants, membership });
        self.pushed(state, urgent);
    }

    fn pushed(&self, mut state: MutexGuard<'_, State>, urgent: bool) {
        let first = state.lazy_since.is_none();
        let since = *state.lazy_since.get_or_insert_with(Instant::now);
        state.untold |= (urgent && !state.urgent) || first;
        state.urgent |= urgent;
        let gathers = state.pending.len() < MOST_GATHERED && since.elapsed() < GATHERS_FOR;
        if !(gathers && on_io_thread()) {
            self.wake(&mut state);
        }
    }

    /// Wakes the keeper, if there is something to wake it for.
    fn wake(&self, state: &mut State) {
        if std::mem::take(&mut state.untold) {
            self.news.notify_one();
        }
    }

    /// The I/O thread is about to be given something.
    fn io_works(&self) {
        self.lock().io_works_since = Some(Instant::now());
    }

    /// The I/O thread has nothing else to do.
    fn on_idle(&self) {
        let mut state = self.lock();
        state.untold |= state.io_works_since.take().is_some() && state.urgent;
        self.wake(&mut state);
    }

    /// Makes messages durable in one transaction; each reply has the place of its message.
    pub fn accept(&self, messages: Vec<(Accept, Box<Job>)>, reply: Reply) {
        let membership = self.membership.load(Ordering::Relaxed);
        let mut state = self.lock();
        for (i, (accept, job)) in messages.into_iter().enumerate() {
            let wants = Wants::Accept(job, i, reply.clone());
            let change = Change::Accept(Box::new(accept));
            state.pending.push(Pending { change, wants, membership });
        }
        self.pushed(state, true);
    }

    /// A result need never be handed out again.
    pub fn ack(&self, id: &str) -> Result<()> {
        if self.lock().ends {
            return Err(closed());
        }
        self.push(Change::Ack { id: id.to_owned() }, Wants::Nobody);
        Ok(())
    }

    /// An account was removed, so that what waits for it ends; or it was set.
    pub fn account(&self, name: &str, removed: bool) {
        self.lock().accounts.push((name.to_owned(), removed));
        self.nudge();
    }

    fn nudge(&self) {
        self.lock().nudged = true;
        self.news.notify_one();
    }

    /// Begins nothing more.
    pub fn stop(&self) {
        self.lock().stopping = true;
        self.nudge();
    }

    /// Writes what is pending, and closes the store.
    pub fn end(&self) {
        self.lock().ends = true;
        self.nudge();
        let thread = self.thread.lock().unwrap_or_else(|p| p.into_inner()).take();
        if let Some(thread) = thread {
            // Its panic was its own; what it could not write is found by the next run.
            let _ = thread.join();
        }
    }

    /// What was found damaged in the store when it was opened, and done about it.
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    /// Notes whether the database answers.
    fn is_reached(&self, is_reached: bool) {
        if self.is_remote {
            self.reach.get_or_init(AtomicBool::default).store(is_reached, Ordering::Release);
        }
    }

    /// True while the database answers; none of a file.
    pub fn is_connected(&self) -> Option<bool> {
        self.reach.get().map(|reach| reach.load(Ordering::Acquire))
    }

    /// Messages without an acknowledged result, and those of them without a result.
    pub fn count(&self) -> (u64, u64) {
        (self.messages.load(Ordering::Relaxed), self.unfinished.load(Ordering::Relaxed))
    }
}

impl Outbox {
    /// Asks for a place for a message that is sent for a caller who waits.
    pub fn enter(self: &Arc<Self>, accept: Accept) -> Direct {
        let (sender, told) = oneshot::channel();
        let id = accept.id.clone();
        self.push(Change::Accept(Box::new(accept)), Wants::Enter(sender));
        Direct::new(self.hold(), id, told)
    }

    /// Something went in words of these slots; see [`Custody::went`].
    pub fn went(&self, slots: [u32; 2]) {
        self.push(Change::Went { slots }, Wants::Nobody);
    }

    /// Something holds for all members; see [`Told`].
    pub fn tell(&self, told: Told) {
        self.push(Change::Tell(told), Wants::Soon);
    }

    /// What a job of now sees of it.
    pub fn hold(self: &Arc<Self>) -> Arc<dyn Custody> {
        let membership = self.membership.load(Ordering::Relaxed);
        Arc::new(Hold { outbox: Arc::clone(self), membership })
    }
}

/// An outbox as a job sees it: it speaks for the membership under which it got its message.
struct Hold {
    outbox: Arc<Outbox>,
    membership: u32,
}

impl Hold {
    fn push(&self, change: Change, wants: Wants) {
        self.outbox.push_of(self.membership, change, wants);
    }
}

impl Custody for Hold {
    fn begin(&self, begin: Begin) -> oneshot::Receiver<()> {
        let (sender, made) = oneshot::channel();
        self.push(Change::Begin(Box::new(begin)), Wants::Begin(sender, on_io_thread()));
        made
    }

    fn ended(&self, seq: Seq, attempts: u32, due_ms: Option<u64>, progress: Option<Vec<u8>>) {
        self.push(Change::Ended { seq, attempts, due_ms, progress }, Wants::Nobody);
    }

    fn finish(
        &self,
        seq: Seq,
        receipt: Box<Receipt>,
        slot: Option<Slot>,
        unfinished: Option<Unfinished>,
        alone: bool,
    ) {
        let verdict = verdict(&receipt);
        let wants = Wants::Finish(receipt, slot, unfinished);
        self.push(Change::Finish { seq, verdict, alone }, wants);
    }

    fn finish_direct(&self, seq: Seq, receipt: Receipt, alone: bool) -> oneshot::Receiver<()> {
        let (sender, settled) = oneshot::channel();
        let verdict = verdict(&receipt);
        let wants = Wants::FinishDirect(Box::new(receipt), Some(sender));
        self.push(Change::Finish { seq, verdict, alone }, wants);
        settled
    }

    fn went(&self, slots: [u32; 2]) {
        self.outbox.went(slots);
    }

    fn pace(&self, id: i64, limits: Vec<RateLimit>) -> oneshot::Receiver<Duration> {
        let (sender, told) = oneshot::channel();
        self.push(Change::Pace { id, limits }, Wants::Pace(sender, on_io_thread()));
        told
    }

    fn paced(&self, id: i64, went: bool) {
        self.push(Change::Paced { id, went }, Wants::Nobody);
    }

    fn left(&self, seq: Seq) {
        self.outbox.lock().left.push(seq);
        self.outbox.nudge();
    }

    fn cancel(&self, message: OnDisk) {
        self.outbox.lock().cancelled.push(message);
        self.outbox.nudge();
    }

    fn give_up(&self, id: String) {
        self.push(Change::Drop { id }, Wants::Nobody);
    }
}

/// What an outbox keeps of a result.
pub fn verdict(receipt: &Receipt) -> Verdict {
    Verdict { delivery: receipt.delivery, receipt: receipt.to_json().into_bytes() }
}

impl Room for Outbox {
    fn has_room(&self) {
        // Either the room is seen by the keeper, or that it looks for room is seen here.
        fence(Ordering::SeqCst);
        if self.backlog.load(Ordering::SeqCst) {
            self.nudge();
        }
    }
}
