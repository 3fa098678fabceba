//! The attempts of one send: request, answer, verdict, and whether there is another.

use std::borrow::Cow;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use super::account::Entry;
use super::connections::Permit;
use super::direct::{called, enter};
use super::job::Job;
use super::keys::{Claim, Told};
use super::pace::{self, Passage, TooFast, Window};
use super::repeats;
use super::retry::{self, Circumstances, Next};
use super::stats::Why;
use super::store::Begin;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::log::{Level, enabled, log};
use crate::model::receipt::{AttemptTrace, Came, Delivery, Raw, Receipt};
use crate::model::redact::Redactor;
use crate::net::{Clock, Failure, Way};
use crate::service::api::{Answer, Exchange, Reading, Seed, Stamp};
use crate::service::judge::judge;
use crate::service::verdict::{Class, Outcome};

/// A wait before an attempt that is told of in the log.
const WORTH_TELLING: Duration = Duration::from_secs(1);
/// A clock that differs by more than this is worth a word, in seconds.
const SKEW_WORTH_TELLING: i64 = 60;

/// The longest message of an error, in characters.
const MAX_WORDS: usize = 600;

/// Carries a send to its end; gives the receipt back where it does not go into the queue.
pub async fn deliver(job: &mut Job) -> Option<Receipt> {
    if job.is_refused() {
        return job.finish_refused();
    }
    if job.direct.is_some() && enter(job).await {
        return job.finish();
    }
    match &job.key {
        // What is known needs no time.
        Some(Claim::Known(first)) => {
            let first = Arc::clone(first);
            job.follow(&first);
            return job.finish();
        }
        // Until the first has its verdict nobody can say that this message was not sent.
        Some(Claim::Joined(_)) => job.history.doubt = true,
        _ => {}
    }
    let shared = Arc::clone(&job.shared);
    let mut kit = shared.kits.take();
    let mut patience = job.until.map(|(at, _)| kit.patience(&shared.clock, at));
    job.kit = Some(kit);
    let ended = {
        let mut ended = pin!(job.ended(patience.as_mut()));
        let mut work = pin!(work(job));
        poll_fn(|cx| match ended.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending => work.as_mut().poll(cx).map(|()| None),
        })
        .await
    };
    let has_result = ended.is_none_or(|ended| job.end(ended));
    if let Some(settled) = job.settle() {
        // Dropped where the outbox ends: then nothing more can be kept.
        let _ = settled.await;
    }
    let receipt = if has_result { job.finish() } else { None };
    if let Some(kit) = job.kit.take() {
        shared.kits.give_back(kit, patience);
    }
    receipt
}

/// Finds a message's verdict, which is then in the receipt: the first's of its key, or its own.
async fn work(job: &mut Job) {
    match job.key.take() {
        Some(Claim::Joined(waits)) => {
            let told = waits.await;
            job.history.doubt = false;
            match told {
                Ok(Told::Verdict(first)) => return job.follow(&first),
                Ok(Told::First(held)) => job.lead(held),
                Err(_) => return job.conclude(Delivery::MaybeSent, Some(lost())),
            }
        }
        first => job.key = first,
    }
    if job.direct.is_some() && called(job).await {
        return;
    }
    attempts(job).await;
}

/// Makes attempts until there is a verdict, which is then in the receipt.
async fn attempts(job: &mut Job) {
    let shared = Arc::clone(&job.shared);
    let Some(mut entry) = job.entry.clone() else { return };
    let mut wait = job.not_before.map(|at| at.saturating_sub(shared.clock.now()));
    let (mut renew_signature, mut skew) = (false, entry.skew());
    if let Some(place) = &job.place {
        let _waiting = entry.stats.waiting(Why::Order);
        if let Err(error) = shared.accounts.unless_gone(&entry, place.turn()).await {
            return gone(job, error);
        }
    }
    loop {
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            let _waiting = entry.stats.waiting(Why::Time);
            if job.history.attempts == 0 {
                waits(&job.receipt.id, wait, "time");
            }
            let sleep = shared.clock.sleep_until(shared.clock.now() + wait);
            if let Err(error) = shared.accounts.unless_gone(&entry, sleep).await {
                return gone(job, error);
            }
        }
        let windows = entry.windows(&shared.windows, &job.draft.scopes, &*shared.clock);
        let (permit, passage) = match turn(job, &entry, &windows, &*shared.clock).await {
            Ok(Ok(turn)) => turn,
            Ok(Err(wait)) => return job.end_paced(wait),
            Err(error) => return gone(job, error),
        };
        match shared.accounts.current(&entry) {
            Ok(now) if Arc::ptr_eq(&now, &entry) => {}
            Ok(now) => {
                // Its windows, its host and the mark of who sends are others.
                drop(permit);
                unmark(job, None);
                (entry, wait) = (now, None);
                continue;
            }
            Err(error) => return gone(job, error),
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
        job.begin_in_words();
        let (outcome, now) = attempt(job, &entry, renew_signature, skew).await;
        job.answered = Some(now);
        drop(permit);
        let began = passage.end(now, outcome.delivery == Delivery::Sent);

        let at = Circumstances {
            now,
            until: job.until.map(|(at, _)| at),
            dedupe: entry.info.dedupe_ms,
            repeated_is_proof: outcome.repeated && job.is_proven_by_repeated(&entry),
            renewable: job.draft.dedupe.as_ref().is_some_and(|dedupe| !dedupe.by_caller()),
            chance: shared.random(|rng| rng.f64()),
        };
        let next = retry::next(&outcome, &mut job.history, &shared.retry, at);
        if job.history.doubt && job.history.doubted.is_none() {
            job.history.doubted = Some(Arc::clone(&entry.sender));
        }
        match next {
            Next::Done { delivery, deduplicated, retryable, retry_after, deadline } => {
                narrow(&outcome, &windows, began, now, retry_after.unwrap_or_default());
                if outcome.delivery == Delivery::Sent {
                    entry.set_skew(skew);
                }
                job.receipt.deduplicated = deduplicated;
                // With more time there would have been another attempt.
                (job.receipt.deadline, job.alone) = (deadline, deadline);
                job.receipt.message_id = outcome.message_id;
                job.receipt.service_time = outcome.service_time;
                if delivery == Delivery::Sent {
                    job.receipt.notes = std::mem::take(&mut job.draft.notes);
                    job.receipt.notes.extend(outcome.notes);
                }
                let error = (delivery != Delivery::Sent).then(|| {
                    let after = retry_after
                        .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
                    job.receipt.error.take().unwrap_or_else(lost).with_retry(retryable, after)
                });
                return job.conclude(delivery, error);
            }
            Next::Again { wait: next, resign, renew } => {
                entry.stats.retried();
                log!(
                    Info,
                    "hongyan::retry",
                    "{} attempt {} gave {}: again in {} ms",
                    job.receipt.id,
                    job.history.attempts,
                    outcome.name.map_or("ok", ErrorCode::name),
                    next.as_millis()
                );
                if let Some(last) = job.receipt.trace.as_mut().and_then(|trace| trace.last_mut()) {
                    last.wait_ms = u64::try_from(next.as_millis()).unwrap_or(u64::MAX);
                }
                narrow(&outcome, &windows, began, now, next);
                if renew {
                    job.draft.renew(Seed(shared.random(|rng| rng.u32(..))));
                    job.history.first_sent = None;
                }
                unmark(job, Some(next));
                if resign {
                    renew_signature = true;
                    skew = job.skew_seen.unwrap_or(skew);
                } else {
                    renew_signature = false;
                }
                job.answered = None;
                wait = Some(next);
            }
        }
    }
}

/// Tells of a wait before an attempt that a person would notice.
fn waits(id: &str, wait: Duration, what: &str) {
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
) -> Result<std::result::Result<(Permit, Passage<'a>), Duration>> {
    let shared = Arc::clone(&job.shared);
    let until = job.until.map(|(at, _)| at);
    loop {
        let first = {
            let _waiting = entry.stats.waiting(Why::Pace);
            if enabled(Level::Debug) {
                waits(&job.receipt.id, pace::free_in(windows, clock.now()), "turn within its rate");
            }
            let wait = pace::wait(windows, clock, until);
            match shared.accounts.unless_gone(entry, wait).await? {
                Ok(first) => first,
                Err(wait) => return Ok(Err(wait)),
            }
        };
        let (permit, _first) = match entry.lane.try_acquire() {
            Some(permit) => (permit, Some(first)),
            None => {
                drop(first);
                let _waiting = entry.stats.waiting(Why::Connection);
                (shared.accounts.unless_gone(entry, entry.lane.acquire()).await?, None)
            }
        };
        mark(job, entry).await?;
        if let Some(passage) = pace::go(windows, clock) {
            return Ok(Ok((permit, passage)));
        }
        unmark(job, None);
    }
}

/// Makes durable that bytes of a kept message may go, and who sends them.
async fn mark(job: &mut Job, entry: &Entry) -> Result<()> {
    let Some(kept) = job.kept.as_ref().filter(|_| !job.marked) else { return Ok(()) };
    let (outbox, seq) = (Arc::clone(&kept.outbox), kept.seq);
    if let Some(own) = job.draft.fingerprint.filter(|_| kept.direct) {
        // A later run will not have its words.
        outbox.went(repeats::slots(own));
    }
    job.marked = true;
    let (body, mark) = (job.draft.kept_body(), job.draft.mark());
    let (first_sent_ms, attempts) = (job.shared.clock.unix_ms(), job.history.attempts + 1);
    let sender = Some(entry.sender.to_string());
    let progress = None;
    outbox.begin(Begin { seq, first_sent_ms, attempts, sender, body, mark, progress }).await
}

/// Nothing of a kept message is under way any more, and nothing of it has arrived; a wait holds for a
/// later run too.
fn unmark(job: &mut Job, wait: Option<Duration>) {
    if let Some(kept) = job.kept.as_ref().filter(|_| job.marked && !job.history.doubt) {
        let in_ms = |wait: Duration| u64::try_from(wait.as_millis() + 1).unwrap_or(u64::MAX);
        let due_ms = wait.map(|wait| job.shared.clock.unix_ms().saturating_add(in_ms(wait)));
        kept.outbox.ended(kept.seq, job.history.attempts, due_ms, None);
        job.marked = false;
    }
}

/// True if another sender than now made the attempt that is in doubt.
fn is_elsewhere(job: &Job, entry: &Entry) -> bool {
    job.history.doubted.as_ref().is_some_and(|doubted| *doubted != entry.sender)
}

/// True unless a doubt is pending that the service would no longer recognise.
fn may_resend(job: &Job, entry: &Entry) -> bool {
    if !job.history.doubt || job.shared.retry.resend_maybe_sent {
        return true;
    }
    if is_elsewhere(job, entry) {
        return false;
    }
    let (first, now) = (job.history.first_sent, job.shared.clock.now());
    first.zip(entry.info.dedupe_ms).is_some_and(|(first, window)| now <= first + window)
}

/// The service found it too fast: nobody shall go on at that pace through the window it speaks of,
/// or else through the account's own.
fn narrow(
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
    let meant = windows.iter().find(|window| window.is_meant_by(code));
    if let Some(window) = meant.or_else(|| windows.iter().find(|window| window.is_own())) {
        let (wait, told) = (wait.min(retry::LONGEST_WAIT), outcome.told_wait.is_some());
        window.narrow(TooFast { began, now, wait, told });
    }
}

/// Ends a send whose account is gone; a doubt stays a doubt.
pub fn gone(job: &mut Job, error: Error) {
    let delivery = if job.history.doubt { Delivery::MaybeSent } else { Delivery::NotSent };
    // Where there is another account of this name, others of its key may be for that one.
    job.alone = job.shared.accounts.get(&job.receipt.account).is_some();
    job.conclude(delivery, Some(error));
}

pub fn lost() -> Error {
    Error::new(ErrorCode::Internal, "a verdict without words; this is a bug in hongyan")
}

/// The most steps that an attempt has.
const MOST_STEPS: u8 = 8;

/// One attempt, step by step, and when its last answer came; the error of it stands in the receipt
/// afterwards.
async fn attempt(job: &mut Job, entry: &Entry, renew: bool, skew: i64) -> (Outcome, Duration) {
    let shared = Arc::clone(&job.shared);
    let unix_ms = shared.clock.unix_ms();
    let unix = (unix_ms / 1000).saturating_add_signed(skew);
    let started = shared.clock.now();
    job.history.attempts += 1;
    let redactor = &entry.redactor;
    let (mut outcome, status, raw, ended, took) = loop {
        let stamp = Stamp { unix, nonce: shared.random(|rng| rng.u128(..)), renew };
        let exchange = entry.account.next(&job.draft, &stamp, None);
        let Exchange { wire, commits, secrets: mut signatures } = exchange;
        signatures.extend_from_slice(&shared.secrets);
        let kit = job.kit.get_or_insert_default();
        let (time_out, mut begun) = kit.attempt(&shared.clock, shared.clock.now() + shared.timeout);
        match commits {
            true => _ = job.history.first_sent.get_or_insert(started),
            // What commits nothing leaves no doubt, however far it came.
            false => begun = Arc::default(),
        }
        let sent = shared.transport.send(wire, entry.route.as_ref(), time_out, begun).await;
        // Taken back, so that an end between two attempts is not taken for one within an attempt.
        let begun = kit.begun.swap(false, Ordering::AcqRel);
        let ended = shared.clock.now();
        let took = u64::try_from(ended.saturating_sub(started).as_millis()).unwrap_or(u64::MAX);
        let raw = |body| Came { body, redactor: Arc::clone(redactor), signatures };
        match sent {
            Ok(answer) => {
                job.skew_seen = seen_skew(&answer, unix_ms.saturating_add(took));
                let reading = entry.account.read(&mut job.draft, &answer);
                if matches!(reading, Reading::Next) && job.draft.step < MOST_STEPS {
                    job.draft.step += 1;
                    continue;
                }
                let hint = entry.account.hint(&answer, &reading);
                let mut outcome = Outcome { hint, ..judge(entry.table, &answer, reading) };
                if !commits {
                    outcome.delivery = Delivery::NotSent;
                }
                break (outcome, Some(answer.status), raw(answer.body), ended, took);
            }
            Err(failure) => {
                let outcome = from_failure(failure, begun, entry);
                break (outcome, None, raw(Vec::new()), ended, took);
            }
        }
    };
    if outcome.name == Some(ErrorCode::Auth)
        && let Some(seen) = job.skew_seen.filter(|seen| seen.abs() > SKEW_WORTH_TELLING)
    {
        let (by, how) = (seen.unsigned_abs(), if seen < 0 { "ahead" } else { "behind" });
        outcome.text.push_str(&format!("; your clock is {by} s {how}"));
    }
    job.trace(AttemptTrace {
        at_ms: unix_ms,
        ms: took,
        http_status: status,
        name: outcome.name.map_or("ok", ErrorCode::name),
        delivery: outcome.delivery.name(),
        wait_ms: 0,
    });
    outcome.message_id = outcome.message_id.map(|id| shown_id(id, redactor, &raw.signatures));
    job.receipt.error = outcome.name.map(|name| {
        let secrets = redactor.with(&raw.signatures);
        let error = Error::new(name, shortened(&secrets.text(&outcome.text)))
            .with_account(&entry.name, Some(entry.info.name))
            .with_service_code(
                outcome.service_code.as_deref().map(|code| secrets.text(code).into_owned()),
            )
            .with_http_status(status);
        match outcome.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    });
    job.receipt.raw = status.map(|_| Raw::Came(raw));
    (outcome, ended)
}

/// The service's id of a message, which is anything it likes: what it was sent, too.
fn shown_id(id: String, redactor: &Redactor, signatures: &[String]) -> String {
    // No spelling of a signature is shorter than it is itself, and hardly an id is as long.
    let may_be_signature = signatures.iter().any(|signature| signature.len() <= id.len());
    let secrets = redactor.with(if may_be_signature { signatures } else { &[] });
    if let Cow::Owned(masked) = secrets.text(&id) {
        return masked;
    }
    id
}

/// Words of a service, after their secrets are masked: on one line, and not longer than a person reads.
fn shortened(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Seconds that the service's clock is ahead of ours, by its `Date`.
fn seen_skew(answer: &Answer, unix_ms: u64) -> Option<i64> {
    let theirs = i64::try_from(answer.date?).ok()?;
    let ours = i64::try_from(unix_ms / 1000).ok()?;
    Some(theirs - ours)
}

/// No answer: what is true depends on whether the request had begun.
fn from_failure(failure: Failure, begun: bool, entry: &Entry) -> Outcome {
    let name = match failure.way {
        Way::Network => ErrorCode::Network,
        Way::Tls => ErrorCode::Tls,
        Way::TimedOut => ErrorCode::Timeout,
        Way::Protocol => ErrorCode::Protocol,
        Way::TooLarge => ErrorCode::TooLarge,
        Way::Resources => ErrorCode::Internal,
    };
    let delivery = if begun { Delivery::MaybeSent } else { Delivery::NotSent };
    let host = entry.origin.host_str().unwrap_or_default().to_owned();
    let stage = if begun { "after the request was sent" } else { "before anything was sent" };
    let class = match failure.way {
        Way::TooLarge => Class::Never,
        _ => Class::Backoff,
    };
    Outcome::failed(delivery, name, class, format!("{host}: {} ({stage})", failure.words))
}

/// The longest time that is waited for anything: far enough to mean for ever.
pub const FAR: Duration = Duration::from_secs(10 * 365 * 86_400);
