//! The attempts of one send: request, answer, verdict, and whether there is another.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::engine::Shared;
use crate::engine::accept::keys::{Claim, KeyOutcome};
use crate::engine::account::Entry;
use crate::engine::account::stats::Why;
use crate::engine::attempt::connections::Permit;
use crate::engine::attempt::direct::{called, enter};
use crate::engine::attempt::job::{EndReason, Job};
use crate::engine::attempt::mark::{is_elsewhere, mark, may_resend, unmark};
use crate::engine::attempt::pace::{Asked, Reservation, TooFast, Window};
use crate::engine::attempt::retry::{Circumstances, Next, Signing};
use crate::engine::attempt::steps::attempt;
use crate::engine::attempt::{lost, pace, retry};
use crate::engine::custody::Custody;
use crate::model::error::{ErrorCode, Result};
use crate::model::log::{Level, enabled, log};
use crate::model::receipt::{Delivery, Receipt};
use crate::net::Clock;
use crate::service::api::Seed;
use crate::service::verdict::Outcome;

/// A wait before an attempt that is told of in the log.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// Carries a send to its end; gives the receipt back where it does not go into the queue.
pub async fn deliver(job: &mut Job) -> Option<Box<Receipt>> {
    loop {
        if let Some(ended) = carry(job).await {
            return ended;
        }
    }
}

/// Carries a send to its end, or to where it waits for its next attempt: `None`, and whoever calls it again
/// may let it wait without a task.
pub async fn carry(job: &mut Job) -> Option<Option<Box<Receipt>>> {
    if job.is_refused() {
        return Some(job.finish_refused());
    }
    if job.completion.direct.is_some() && enter(job).await {
        return Some(job.finish());
    }
    match &job.outgoing.key {
        // What is known needs no time.
        Some(Claim::Known(first)) => {
            let first = Arc::clone(first);
            job.follow(&first);
            return Some(job.finish());
        }
        // Until the first has its verdict nobody can say that this message was not sent.
        Some(Claim::Joined(_)) => job.run.history.doubt = true,
        _ => {}
    }
    let shared = Arc::clone(&job.shared);
    let mut patience = job.outgoing.until.map(|(at, _)| {
        let scratch = job.run.scratch.get_or_insert_with(|| shared.scratch_pool.take());
        scratch.patience(&shared.clock, at)
    });
    let ended = {
        let mut ended = pin!(job.ended(patience.as_deref_mut()));
        let mut work = pin!(work(job));
        poll_fn(|cx| match ended.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending => work.as_mut().poll(cx).map(|()| None),
        })
        .await
    };
    let ended = ended.or(job.run.leaves.then_some(EndReason::Closed));
    let goes_on = ended.is_none() && job.run.again.is_some();
    let ended = match goes_on {
        true => None,
        false => {
            let has_result = ended.is_none_or(|ended| job.end(ended));
            if let Some(settled) = job.finish_direct() {
                // Dropped where the outbox ends: then nothing more can be kept.
                let _ = settled.await;
            }
            Some(if has_result { job.finish() } else { None })
        }
    };
    if let Some(scratch) = job.run.scratch.take() {
        shared.scratch_pool.give_back(scratch, patience);
    }
    ended
}

/// Finds a message's verdict, which is then in the receipt: the first's of its key, or its own.
async fn work(job: &mut Job) {
    match job.outgoing.key.take() {
        Some(Claim::Joined(waits)) => {
            let told = waits.await;
            job.run.history.doubt = false;
            match told {
                Ok(KeyOutcome::Verdict(first)) => return job.follow(&first),
                Ok(KeyOutcome::First(held)) => job.lead(held),
                Err(_) => return job.conclude(Delivery::MaybeSent, Some(lost())),
            }
        }
        first => job.outgoing.key = first,
    }
    if job.completion.direct.is_some() && called(job).await {
        return;
    }
    if job.run.again.is_none() && !admitted(job).await {
        return;
    }
    attempts(job).await;
}

/// False for a message of an account that its service has stopped, unless it is the one that tries
/// whether that still holds: it has its result then.
async fn admitted(job: &mut Job) -> bool {
    let is_stopped = |entry: &&Arc<Entry>| !entry.is_outdated() && entry.halt.is_halted();
    let Some(entry) = job.outgoing.entry.as_ref().filter(is_stopped) else { return true };
    // Whoever waits first would keep others from it.
    let tries = job.outgoing.not_before.is_none() && job.outgoing.ticket.is_none();
    let entry = Arc::clone(entry);
    let admitted = match entry.halt.admit(job.shared.clock.now(), tries) {
        Ok(Some(probe)) => {
            let may = may_try(Arc::clone(&job.shared), all_senders(job), &entry).await;
            may.map(|()| Some(probe))
        }
        admitted => admitted,
    };
    match admitted {
        Ok(probe) => {
            job.run.probe = probe;
            true
        }
        Err(error) => {
            job.end_gone(error);
            false
        }
    }
}

/// Asks all senders whether a message may try with a stopped account: one a minute does.
async fn may_try(
    shared: Arc<Shared>,
    outbox: Option<(Arc<dyn Custody>, i64)>,
    entry: &Entry,
) -> Result<()> {
    let Some((custody, id)) = outbox else { return Ok(()) };
    let wait = pace::ask_to_try(custody, id, &entry.name).await?;
    let now = shared.clock.now();
    match entry.halt.probe_at(now + wait).filter(|_| !wait.is_zero()) {
        Some(stopped) => Err(stopped),
        None => Ok(()),
    }
}

/// Whom to ask for leave, and by which number, where others send what the outbox of a message keeps.
fn all_senders(job: &Job) -> Option<(Arc<dyn Custody>, i64)> {
    let row = job.completion.row.as_ref()?;
    Some((Arc::clone(&row.custody), job.shared.random(|rng| rng.i64(..))))
}

/// Makes attempts until there is a verdict, which is then in the receipt, or until the next has to wait for its
/// time.
async fn attempts(job: &mut Job) {
    let shared = Arc::clone(&job.shared);
    let Some(mut entry) = job.outgoing.entry.clone() else { return };
    if let Ok(now) = shared.accounts.current(&entry, job.run.probe.as_ref()) {
        // It may have waited as no task until the account was another.
        entry = now;
    }
    let mut wait = job.outgoing.not_before.map(|at| at.saturating_sub(shared.clock.now()));
    let first = Signing { renew: false, skew: entry.skew() };
    let mut signing = job.run.again.take().unwrap_or(first);
    let mut is_first = true;
    if let Some(ticket) = &job.outgoing.ticket {
        let _waiting = entry.stats.waiting(Why::Order);
        let called = {
            let turn = pin!(ticket.turn());
            let called = shared.accounts.unless_gone(&entry, job.run.probe.as_ref(), turn);
            unless_winding_down(&shared, called).await
        };
        match called {
            Some(Ok(())) => {}
            Some(Err(error)) => return job.end_gone(error),
            None => return job.run.leaves = true,
        }
    }
    loop {
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            if !is_first {
                job.outgoing.not_before = Some(shared.clock.now() + wait);
                job.run.again = Some(signing);
                return;
            }
            let _waiting = entry.stats.waiting(Why::Time);
            if job.run.history.attempts == 0 {
                waits(&job.receipt.id, wait, "time");
            }
            let mut sleep = shared.clock.sleep_until(shared.clock.now() + wait);
            let slept = shared.accounts.unless_gone(&entry, job.run.probe.as_ref(), sleep.as_mut());
            match unless_winding_down(&shared, slept).await {
                Some(Ok(())) => {}
                Some(Err(error)) => return job.end_gone(error),
                None => return job.run.leaves = true,
            }
        }
        let windows = entry.windows(&shared.windows, &job.outgoing.draft.scopes, &*shared.clock);
        let turn = turn(job, &entry, &windows, &*shared.clock);
        let (permit, reservation) = match unless_winding_down(&shared, turn).await {
            Some(Ok(Ok(turn))) => turn,
            Some(Ok(Err(wait))) => return job.end_paced(wait),
            Some(Err(error)) => return job.end_gone(error),
            None => return job.run.leaves = true,
        };
        match shared.accounts.current(&entry, job.run.probe.as_ref()) {
            Ok(now) if Arc::ptr_eq(&now, &entry) => {}
            Ok(now) => {
                // Its windows, its host and the mark of who sends are others.
                drop(permit);
                unmark(job, None);
                (entry, wait) = (now, None);
                continue;
            }
            Err(error) => return job.end_gone(error),
        }
        if !may_resend(job, &entry) {
            let error = job.receipt.error.take().unwrap_or_else(lost);
            let error = match is_elsewhere(job, &entry) {
                true => error.hint(
                    "the account was changed meanwhile: as it is now it would not be recognised, \
                     and to send it again may double it",
                ),
                // The wait for its turn was longer than the service remembers what it has seen.
                false => error,
            };
            return job.conclude(Delivery::MaybeSent, Some(error));
        }
        let started = shared.clock.now();
        job.begin_in_words(started);
        is_first = false;
        let (mut outcome, now) = attempt(job, &entry, permit, signing, started).await;
        job.run.answered = Some(now);
        let began = reservation.end(now, outcome.delivery == Delivery::Sent);

        let at = Circumstances {
            now,
            until: job.outgoing.until.map(|(at, _)| at),
            dedupe: job.outgoing.draft.window(),
            repeated_is_proof: outcome.repeated && job.is_proven_by_repeated(&entry),
            renewable: job.outgoing.draft.dedupe.as_ref().is_some_and(|dedupe| !dedupe.by_caller()),
            chance: shared.random(|rng| rng.f64()),
        };
        if let Some(each) = outcome.each.take().filter(|_| job.outgoing.progress.is_some()) {
            narrow(&shared, &outcome, &windows, began, now, outcome.told_wait.unwrap_or_default());
            if outcome.delivery == Delivery::Sent {
                entry.set_skew(signing.skew);
            }
            match job.told_each(&entry, each, at) {
                Some(next) => (wait, signing.renew) = (next, false),
                None => return,
            }
            continue;
        }
        let next = retry::next(&outcome, &mut job.run.history, &shared.retry, at);
        if job.run.history.doubt && job.run.history.doubted.is_none() {
            job.run.history.doubted = Some(Arc::clone(&entry.sender));
        }
        match next {
            Next::Done { delivery, deduplicated, retryable, retry_after, deadline } => {
                narrow(&shared, &outcome, &windows, began, now, retry_after.unwrap_or_default());
                if outcome.delivery == Delivery::Sent {
                    entry.set_skew(signing.skew);
                }
                job.receipt.deduplicated |= deduplicated;
                // With more time there would have been another attempt.
                (job.receipt.deadline, job.completion.alone) = (deadline, deadline);
                let error = (delivery != Delivery::Sent).then(|| {
                    let after = retry_after
                        .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
                    job.receipt.error.take().unwrap_or_else(lost).with_retry(retryable, after)
                });
                if job.outgoing.progress.is_some() {
                    match job.told(&entry, delivery, outcome, error) {
                        Some(next) => (wait, signing.renew) = (next, false),
                        None => return,
                    }
                    continue;
                }
                job.receipt.message_id = outcome.message_id;
                job.receipt.service_time = outcome.service_time;
                if delivery == Delivery::Sent {
                    job.receipt.notes = std::mem::take(&mut job.outgoing.draft.notes);
                    job.receipt.notes.extend(outcome.notes);
                }
                return job.conclude(delivery, error);
            }
            Next::Again { wait: next, re_sign, renew } => {
                entry.stats.retried();
                log!(
                    Info,
                    "hongyan::retry",
                    "{} attempt {} gave {}: again in {} ms",
                    job.receipt.id,
                    job.run.history.attempts,
                    outcome.name.map_or("ok", ErrorCode::name),
                    next.as_millis()
                );
                if let Some(last) = job.receipt.trace.as_mut().and_then(|trace| trace.last_mut()) {
                    last.wait_ms = u64::try_from(next.as_millis()).unwrap_or(u64::MAX);
                }
                narrow(&shared, &outcome, &windows, began, now, next);
                if renew {
                    job.outgoing.draft.renew(Seed(shared.random(|rng| rng.u64(..))));
                    job.run.history.first_sent = None;
                }
                unmark(job, Some(next));
                signing.renew = re_sign;
                if re_sign {
                    signing.skew = job.run.skew_seen.unwrap_or(signing.skew);
                }
                job.run.answered = None;
                wait = Some(next);
            }
        }
    }
}

/// Waits for what has to come before an attempt; `None` once nothing more is to be begun.
///
/// That wakes the task, since it waits for the end of its client as well.
async fn unless_winding_down<T>(shared: &Shared, wait: impl Future<Output = T>) -> Option<T> {
    let mut wait = pin!(wait);
    poll_fn(|cx| match shared.stop.winds_down() {
        true => Poll::Ready(None),
        false => wait.as_mut().poll(cx).map(Some),
    })
    .await
}

/// Tells of a wait before an attempt that a person would notice.
pub fn waits(id: &str, wait: Duration, what: &str) {
    if wait >= WORTH_TELLING {
        log!(Debug, "hongyan::wait", "{id} waits {} ms for its {what}", wait.as_millis());
    }
}

/// Waits until the pace allows one more and a connection is free for it, and counts it.
///
/// Who waits for a connection lets others through the windows meanwhile: they may be of another
/// account, which has connections left.
async fn turn<'a>(
    job: &mut Job,
    entry: &Arc<Entry>,
    windows: &'a [Arc<Window>],
    clock: &'a dyn Clock,
) -> Result<std::result::Result<(Permit, Reservation<'a>), Duration>> {
    let shared = Arc::clone(&job.shared);
    let until = job.outgoing.until.map(|(at, _)| at);
    shared.accounts.channels.recall(&entry.sender, &mut job.outgoing.draft, clock.now());
    // Nobody waits behind one who has to wait elsewhere first.
    drop(job.run.called.take_if(|called| !called.is_next(windows, clock.now())));
    loop {
        let first = {
            let _waiting = entry.stats.waiting(Why::Pace);
            if enabled(Level::Debug) {
                waits(&job.receipt.id, pace::free_in(windows, clock.now()), "turn within its rate");
            }
            let wait = pin!(pace::wait(windows, clock, until));
            match shared.accounts.unless_gone(entry, job.run.probe.as_ref(), wait).await? {
                Ok(first) => first,
                Err(wait) => return Ok(Err(wait)),
            }
        };
        drop(job.run.called.take_if(|called| called.is_for_pace()));
        let (permit, _first) = match entry.permits.try_acquire() {
            Some(permit) => (permit, Some(first)),
            None => {
                drop(first);
                let _waiting = entry.stats.waiting(Why::Connection);
                let permit = pin!(entry.permits.acquire());
                let probe = job.run.probe.as_ref();
                (shared.accounts.unless_gone(entry, probe, permit).await?, None)
            }
        };
        job.run.called = None;
        let leave = match pace::ask(all_senders(job), windows).await? {
            Asked::Go(leave) => leave,
            Asked::Wait(wait) => {
                // For whoever else stands here, too.
                let until = clock.now() + wait;
                let windows = windows.iter().filter(|window| window.shared().is_some());
                windows.for_each(|window| window.block(until));
                continue;
            }
        };
        // What only prepares needs no mark.
        if !entry.account.prepares(&job.outgoing.draft) {
            mark(job, entry, job.run.history.all() + 1).await?;
        }
        if let Some(reservation) = pace::go(windows, clock) {
            return Ok(Ok((permit, reservation.with(leave))));
        }
        unmark(job, None);
    }
}

/// The service found it too fast: nobody shall go on at that pace through the window it speaks of,
/// or else through the account's own.
fn narrow(
    shared: &Shared,
    outcome: &Outcome,
    windows: &[Arc<Window>],
    began: Duration,
    now: Duration,
    wait: Duration,
) {
    if outcome.name != Some(ErrorCode::RateLimited) {
        return;
    }
    let code = outcome.service_code.as_deref().unwrap_or_default();
    let (wait, told) = (wait.min(retry::LONGEST_WAIT), outcome.told_wait.is_some());
    let too_fast = TooFast { began, now, wait, told };
    let mut meant = windows.iter().filter(|window| window.is_meant_by(code)).peekable();
    let slows = |window: &Arc<Window>| {
        window.narrow(too_fast);
        if told {
            shared.tell_wait(window, wait);
        }
    };
    match meant.peek() {
        // A told wait holds for whatever the code may speak of.
        Some(_) if told => meant.for_each(slows),
        Some(window) => slows(window),
        None => windows.iter().find(|window| window.is_own()).into_iter().for_each(slows),
    }
}
