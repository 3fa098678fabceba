//! The thread that owns the store.

mod accepted;
mod direct;
mod members;
mod rows;
mod waits;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::engine::Shared;
use crate::engine::attempt::job::{Job, RowRef};
use crate::engine::custody::{Admission, Custody, Leave};
use crate::engine::outbox::{Begins, Outbox, Pending, Wants};
use crate::engine::results::queue::Results;
use crate::engine::results::sends::Unfinished;
use crate::engine::results::slot::Slot;
use crate::engine::results::wake::spawn_thread;
use crate::engine::runtime::workers::Inbox;
use crate::engine::store::{Applied, Change, Follower, Seq, Store};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::log::log;
use crate::model::receipt::{Origin, Receipt};

/// Messages that are read from the disk at once.
const MOST_LOADED: usize = 256;
/// Changes of a transaction that is small; after another failure half as many, down to one.
const FEW: usize = 16;
/// The pauses after the disk refused, which double.
const PAUSES: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(50)..=Duration::from_secs(2);

/// Starts the keeper of a store; what an earlier run left goes on, if this client begins it.
pub fn start(
    shared: &Arc<Shared>,
    inbox: Inbox,
    mut store: Box<dyn Store>,
    begins: Begins,
    does: Does,
) -> Result<()> {
    let outbox = Arc::new(Outbox::new(store.damage(), store.is_remote()));
    let wakes = Arc::downgrade(&outbox);
    store.watch(Arc::new(move || wakes.upgrade().into_iter().for_each(|outbox| outbox.nudge())));
    let idle = Arc::downgrade(&outbox);
    inbox.when_idle(move || idle.upgrade().into_iter().for_each(|outbox| outbox.on_idle()));
    let keeper =
        Keeper::new(Arc::clone(shared), Arc::clone(&outbox), inbox.clone(), store, begins, does)?;
    if keeper.sends() && keeper.store.count().1 > 0 {
        inbox.start_io()?;
    }
    let thread = spawn_thread("hy-outbox", move || keeper.run()).map_err(|e| {
        Error::new(ErrorCode::Internal, format!("the outbox's thread cannot be started: {e}"))
    })?;
    outbox.runs_on(thread);
    let _ = shared.outbox.set(outbox);
    Ok(())
}

/// What a member of an outbox does beside submitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Does {
    /// It sends what is due, whoever submitted it.
    pub sends: bool,
    /// It hands out results.
    pub takes: bool,
}

impl Does {
    /// Neither.
    #[cfg(feature = "outbox")]
    pub const NOTHING: Does = Does { sends: false, takes: false };

    /// Both.
    pub const ALL: Does = Does { sends: true, takes: true };
}

struct Keeper {
    shared: Arc<Shared>,
    outbox: Arc<Outbox>,
    inbox: Inbox,
    store: Box<dyn Store>,
    does: Does,
    /// What the jobs of now see of the outbox.
    hold: Arc<dyn Custody>,
    /// The accounts of which there may be messages that nobody has in his hands.
    backlogs: HashSet<String>,
    /// The accounts that were removed: what is kept for them ends, after these rows.
    removed: HashMap<String, Seq>,
    /// Messages of this run that may follow another of their key.
    following: HashSet<String>,
    /// Where the results of this run's messages go that are not for the client's own queue, by id.
    queues: HashMap<String, Arc<Results>>,
    /// The direct messages of this run, by id; and who of them waits to be called.
    direct: HashMap<String, Option<oneshot::Sender<Admission>>>,
    /// Somebody of them may be called.
    calls: bool,
    /// What attempts of the I/O thread have waited for.
    leave: Vec<Leave>,
    begins: Begins,
    /// The rows that have a job.
    loaded: HashSet<Seq>,
    /// Those of them whose result came out already, since others ended them.
    ended: HashSet<Seq>,
    /// When the next message is due, or over, in Unix milliseconds.
    next_time: Option<u64>,
    /// There may be results that others have left for this client.
    earlier: bool,
    pause: Duration,
    /// The disk has refused something: it gets so many changes at once, the most useful first.
    careful: Option<usize>,
    stopped: bool,
    /// Counts the messages that have no result and no job: what is on the disk only.
    open: Unfinished,
}

impl Keeper {
    fn new(
        shared: Arc<Shared>,
        outbox: Arc<Outbox>,
        inbox: Inbox,
        mut store: Box<dyn Store>,
        begins: Begins,
        does: Does,
    ) -> Result<Keeper> {
        store.went()?.into_iter().for_each(|slot| shared.repeats.went_earlier(slot));
        shared.hear(store.heard());
        if begins == Begins::All && does.sends {
            members::tell_recipients(&shared, &outbox, &mut *store);
        }
        // What others submitted they count themselves.
        let open = shared.sends.adopt(0);
        Ok(Keeper {
            shared,
            hold: outbox.hold(),
            outbox,
            inbox,
            store,
            does,
            backlogs: HashSet::new(),
            removed: HashMap::new(),
            following: HashSet::new(),
            queues: HashMap::new(),
            direct: HashMap::new(),
            calls: false,
            leave: Vec::new(),
            begins,
            loaded: HashSet::new(),
            ended: HashSet::new(),
            next_time: Some(0),
            earlier: begins == Begins::All && does.takes,
            pause: Duration::ZERO,
            careful: None,
            stopped: false,
            open,
        })
    }

    /// True if it sends whatever is due.
    fn sends(&self) -> bool {
        self.begins == Begins::All && self.does.sends
    }

    /// The row of a job.
    fn row_ref(&self, seq: Seq, direct: bool) -> RowRef {
        RowRef { custody: Arc::clone(&self.hold), seq, direct }
    }

    /// Works until the client ends.
    fn run(mut self) {
        let recovers = self.sends();
        let mut recovered = !recovers;
        loop {
            if !recovered
                && let Some(begun) = self.try_to("look for what was begun", |k| k.store.begun())
            {
                recovered = true;
                if !begun.is_empty() {
                    let _ = self.try_to("start what sends", |k| k.inbox.start_io());
                }
                // All of them are in doubt before the first is sent again.
                let mut jobs = Vec::with_capacity(begun.len());
                for row in begun {
                    // Without its files it is in doubt all the same.
                    let files = self.try_to("read files", |k| k.files(&row)).unwrap_or_default();
                    jobs.extend(self.doubtful(&row, files));
                }
                jobs.into_iter().for_each(|(job, begun, entry)| self.recover(job, begun, entry));
            }
            let (batch, ends) = self.next();
            let failed = !batch.is_empty() && !self.commit(batch);
            if ends && !failed {
                break;
            }
            if ends {
                log!(Error, "hongyan::outbox", "the outbox could not be written at the end");
                break;
            }
            // Before there is a look for room, so that room that comes afterwards is told.
            self.outbox.backlog.store(true, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            if self.stopped {
                if !failed {
                    // What is under way is still its own, and others may wait to learn what is.
                    let _ = self.try_to("give a sign of life", Keeper::give_sign);
                }
                self.leave(failed);
            } else if !failed {
                if let Some(news) = self.try_to("give a sign of life", Keeper::attend) {
                    recovered &= !(recovers && news.work);
                }
                let _ = self.try_to("look what is due", Keeper::on_time);
                let _ = self.try_to("look who is called", Keeper::call);
                let _ = self.try_to("end what waits for an account", Keeper::end_removed);
                let _ = self.try_to("read messages", Keeper::load);
                let _ = self.try_to("read results", Keeper::hand_out_earlier);
            }
            let (messages, unfinished) = self.store.count();
            self.outbox.messages.store(messages, Ordering::Relaxed);
            self.outbox.unfinished.store(unfinished, Ordering::Relaxed);
            let backlog = self.earlier || !self.backlogs.is_empty();
            self.outbox.backlog.store(backlog, Ordering::Release);
        }
    }

    /// Tries something with the store; a disk that refuses is given time.
    fn try_to<T>(&mut self, what: &str, act: impl FnOnce(&mut Keeper) -> Result<T>) -> Option<T> {
        match act(self) {
            Ok(value) => Some(value),
            Err(error) => {
                log!(Warn, "hongyan::outbox", "cannot {what}: {error}");
                self.pause = (self.pause * 2).clamp(*PAUSES.start(), *PAUSES.end());
                None
            }
        }
    }

    /// Writes a batch; what nobody waits for is tried again if the disk refuses.
    fn commit(&mut self, batch: Vec<Pending>) -> bool {
        let batch = self.without_stale(batch);
        let (mut changes, wants): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|pending| (pending.change, pending.wants)).unzip();
        let slots = self.slots_for(&mut changes, &wants);
        let made = self.store.commit(&changes, self.shared.clock.unix_ms());
        self.outbox.is_reached(made.is_ok());
        match made {
            Ok(made) => {
                self.pause = Duration::ZERO;
                self.careful = self.careful.filter(|_| !self.outbox.lock().pending.is_empty());
                // Before anything is begun.
                self.shared.hear(self.store.heard());
                let changes = changes.into_iter().zip(wants).zip(made).zip(slots);
                for (((change, wants), applied), slot) in changes {
                    self.made(change, wants, applied, slot);
                }
                if !self.leave.is_empty() {
                    self.outbox.io_works();
                    self.inbox.let_go(std::mem::take(&mut self.leave));
                }
                self.shared.sends.publish();
                true
            }
            Err(error) => {
                // At the end everything is tried once more, and then left.
                let ends = self.outbox.lock().ends;
                let fewer = self.careful.map_or(FEW, |most| (most / 2).max(1));
                self.careful = (!ends).then_some(fewer);
                let mut again = Vec::new();
                for (change, wants) in changes.into_iter().zip(wants) {
                    match wants {
                        Wants::Accept(job, i, reply) => {
                            self.give_up(job);
                            reply.tell(i, Err(error.clone()));
                        }
                        Wants::Enter(sender) => {
                            let _ = sender.send(Admission::Refused(error.clone()));
                            // It may stand there all the same.
                            if let (Change::Accept(accept), true) = (change, self.store.is_remote())
                            {
                                again.push((Change::Drop { id: accept.id }, Wants::Nobody));
                            }
                        }
                        // The result is true all the same, and that bytes of it went stands there.
                        Wants::FinishDirect(receipt, _) => {
                            again.push((change, Wants::FinishDirect(receipt, None)))
                        }
                        wants => again.push((change, wants)),
                    }
                }
                let urgent = again.iter().any(|(_, wants)| !matches!(wants, Wants::Nobody));
                let membership = self.outbox.membership.load(Ordering::Relaxed);
                let again = again.into_iter();
                let mut again: Vec<_> =
                    again.map(|(change, wants)| Pending { change, wants, membership }).collect();
                let mut state = self.outbox.lock();
                again.append(&mut state.pending);
                state.pending = again;
                if !state.pending.is_empty() {
                    state.urgent |= urgent;
                    state.lazy_since.get_or_insert_with(Instant::now);
                }
                drop(state);
                self.try_to::<()>("write the outbox", |_| Err(error));
                false
            }
        }
    }

    /// A send that was not accepted after all.
    fn give_up(&self, mut job: Box<Job>) {
        drop(job.forget());
    }

    /// Room for what is to be accepted and may begin at once; what has some is in this client's hands then.
    fn slots_for(&mut self, changes: &mut [Change], wants: &[Wants]) -> Vec<Option<Slot>> {
        let sends = self.sends() && !self.stopped;
        let slot = |(change, wants): (&mut Change, &Wants)| {
            let (Change::Accept(accept), Wants::Accept(..), true) = (change, wants, sends) else {
                return None;
            };
            if accept.result.is_some()
                || accept.due_ms.is_some()
                || self.backlogs.contains(&accept.account)
            {
                return None;
            }
            let slot = self.shared.slot(&accept.account).ok();
            accept.held = slot.is_some();
            if !accept.held {
                // Those after it come after it.
                self.backlogs.insert(accept.account.clone());
            }
            slot
        };
        changes.iter_mut().zip(wants).map(slot).collect()
    }

    fn made(&mut self, change: Change, wants: Wants, applied: Applied, slot: Option<Slot>) {
        if let Change::Drop { id } = &change {
            self.direct.remove(id);
        }
        match (wants, applied) {
            (Wants::Enter(sender), applied) => {
                if let Change::Accept(accept) = change {
                    let key = accept.key.map(|(key, _)| key).unwrap_or_default();
                    self.entered(accept.id, &key, sender, applied);
                }
            }
            (Wants::FinishDirect(receipt, settled), applied) => {
                self.direct.remove(&receipt.id);
                if let Change::Finish { seq, .. } = change {
                    self.loaded.remove(&seq);
                }
                if let Applied::Done { followers, ready, due_ms }
                | Applied::Elsewhere { followers, ready, due_ms } = applied
                {
                    self.tell(followers, &receipt);
                    self.is_ready(ready, due_ms);
                }
                drop(settled);
            }
            (Wants::Accept(job, i, reply), applied) => {
                self.accepted(change, job, i, &reply, applied, slot);
            }
            (Wants::Pace(sender, by_io), Applied::Paced { wait }) => {
                self.let_go(Leave::Pace(sender, wait), by_io);
            }
            (Wants::Pace(..), _) => {}
            // It has its result already: who waits learns that nothing may go.
            (Wants::Begin(..), Applied::Missed) => {}
            (Wants::Begin(sender, by_io), _) => self.let_go(Leave::Begin(sender), by_io),
            (Wants::Finish(receipt, slot, unfinished), applied) => {
                let mut has_come_out = false;
                if let Change::Finish { seq, .. } = change {
                    self.loaded.remove(&seq);
                    has_come_out = self.ended.remove(&seq);
                }
                self.following.remove(&receipt.id);
                // What has its result is unfinished no more.
                let unfinished = unfinished.filter(|_| !has_come_out);
                if has_come_out || !self.is_own(&receipt, &applied) {
                    return self.is_others(&receipt, slot, unfinished, applied);
                }
                if let Applied::Done { followers, ready, due_ms } = applied {
                    self.tell(followers, &receipt);
                    self.is_ready(ready, due_ms);
                }
                let unfinished = unfinished.or_else(|| self.open.split());
                self.hand_out(receipt, slot, unfinished);
            }
            (Wants::Nobody, Applied::Done { ready, due_ms, .. }) => self.is_ready(ready, due_ms),
            (Wants::Nobody | Wants::Soon, _) => {}
        }
    }

    /// Gives an attempt what it has waited for; those of the I/O thread all at once, after the batch.
    fn let_go(&mut self, leave: Leave, by_io: bool) {
        match by_io {
            true => self.leave.push(leave),
            false => leave.give(),
        }
    }

    /// Tells those that followed a message its result.
    fn tell(&mut self, followers: Vec<Follower>, receipt: &Receipt) {
        for follower in followers {
            let mut copy = Receipt::clone(receipt);
            (copy.id, copy.token) = (follower.id, follower.token);
            copy.deduplicated = true;
            let this_run = self.following.remove(&copy.id);
            copy.origin = if this_run { Origin::ThisRun } else { Origin::EarlierRun };
            match self.direct.remove(&copy.id) {
                Some(waits) => say(waits, Admission::Verdict(Box::new(copy))),
                None if self.begins == Begins::All => {
                    let unfinished = self.open.split();
                    self.hand_out(Box::new(copy), None, unfinished);
                }
                None => {}
            }
        }
    }

    fn is_ready(&mut self, accounts: Vec<String>, due_ms: Option<u64>) {
        self.calls |= !accounts.is_empty();
        if self.sends() {
            self.backlogs.extend(accounts);
        }
        self.wake_at(due_ms);
    }

    fn wake_at(&mut self, at: Option<u64>) {
        self.next_time = [self.next_time, at].into_iter().flatten().min();
    }

    /// Hands a result to the host; `unfinished` counted its send as one of this run.
    fn hand_out(
        &mut self,
        mut receipt: Box<Receipt>,
        slot: Option<Slot>,
        unfinished: Option<Unfinished>,
    ) {
        if !self.shared.trace {
            receipt.trace = None;
        }
        if self.begins == Begins::Needed {
            // Its owner takes it from the file.
            drop(slot);
            return drop(unfinished);
        }
        match unfinished {
            Some(unfinished) => {
                let to = self.queues.remove(&receipt.id);
                unfinished.push(receipt, slot.unwrap_or_default(), to, true);
            }
            None => self.shared.sends.hand_out(receipt),
        }
    }

    fn spawn(&mut self, job: Box<Job>, seq: Seq) {
        self.loaded.insert(seq);
        self.outbox.io_works();
        self.inbox.begin(job);
    }

    /// The client closes: once no job is left, what is on the disk is left to a later run.
    fn leave(&mut self, failed: bool) {
        if failed {
            // The disk may never be well again: a result that it did not take is not handed out.
            let mut state = self.outbox.lock();
            for Pending { change, wants, .. } in &mut state.pending {
                let caller = match (&*change, &*wants) {
                    (_, Wants::FinishDirect(receipt, _)) => Some(&receipt.id),
                    (Change::Drop { id }, _) => Some(id),
                    _ => None,
                };
                if let Some(id) = caller {
                    self.direct.remove(id);
                }
                if let Change::Finish { seq, .. } = change {
                    self.loaded.remove(seq);
                    if let Wants::Finish(_, _, Some(unfinished)) =
                        std::mem::replace(wants, Wants::Nobody)
                    {
                        self.open.join(unfinished);
                    }
                }
            }
        }
        if self.loaded.is_empty() && self.direct.is_empty() {
            // First the number, then the news that nothing is unfinished any more.
            self.shared.cut.fetch_add(self.open.count(), Ordering::AcqRel);
            while self.open.split().is_some() {}
        }
    }
}

/// Says something to a caller, who may have gone.
fn say(waits: Option<oneshot::Sender<Admission>>, told: Admission) {
    if let Some(sender) = waits {
        let _ = sender.send(told);
    }
}
