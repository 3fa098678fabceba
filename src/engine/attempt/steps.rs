//! One attempt: a token where the account needs one, the steps that prepare, and the request that sends.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::engine::account::Entry;
use crate::engine::account::channels::Turn;
use crate::engine::account::tokens::Token;
use crate::engine::attempt::connection::{HeldPermit, host};
use crate::engine::attempt::connections::Permit;
use crate::engine::attempt::failure::{failed, of_failure};
use crate::engine::attempt::job::Job;
use crate::engine::attempt::mark::{mark, may_resend};
use crate::engine::attempt::retry::Signing;
use crate::engine::attempt::session;
use crate::model::error::{Error, ErrorCode};
use crate::model::receipt::{AttemptTrace, Delivery, Raw, RawAnswer};
use crate::model::redact::Redactor;
use crate::service::api::{Answer, Exchange, Reading, Stamp, Wire};
use crate::service::judge::judge;
use crate::service::verdict::{Class, Outcome};

/// A clock that differs by more than this is worth a word, in seconds.
const SKEW_WORTH_TELLING: i64 = 60;
/// The longest message of an error, in characters.
const MAX_WORDS: usize = 600;
/// The most steps that an attempt has before the request that sends: ten files of Slack take two each.
const MOST_STEPS: u8 = 24;

/// What an attempt came to.
struct AttemptEnd {
    outcome: Outcome,
    /// The status of the last answer, and the answer itself where it is one to the message.
    status: Option<u16>,
    raw: Option<RawAnswer>,
    at: Duration,
}

/// One attempt, step by step, and when its last answer came; the error of it stands in the receipt
/// afterwards.
pub async fn attempt(
    job: &mut Job,
    entry: &Arc<Entry>,
    permit: Permit,
    signing: Signing,
    started: Duration,
) -> (Outcome, Duration) {
    let shared = Arc::clone(&job.shared);
    let unix_ms = shared.clock.unix_ms();
    job.run.history.attempts += 1;
    let mut held = HeldPermit::own(permit);
    let (mut steps, mut alone) = (0, None);
    let AttemptEnd { mut outcome, status, raw, at } = loop {
        let first = (steps == 0).then_some((unix_ms, started));
        let mut ready = match ready(job, entry, (&mut held, &mut alone), first, signing).await {
            Ok(ready) => ready,
            Err(ended) => break *ended,
        };
        match exchange(job, entry, &mut ready, steps).await {
            Some(ended) => break ended,
            None => steps += 1,
        }
    };
    drop((held, alone));
    let took = u64::try_from(at.saturating_sub(started).as_millis()).unwrap_or(u64::MAX);
    if outcome.name == Some(ErrorCode::Auth)
        && let Some(seen) = job.run.skew_seen.filter(|seen| seen.abs() > SKEW_WORTH_TELLING)
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
    let signatures = raw.as_ref().map_or(&[][..], |raw| &raw.signatures);
    let redactor = &entry.redactor;
    outcome.message_id = outcome.message_id.map(|id| shown_id(id, redactor, signatures));
    let error = |outcome: &Outcome| error_of(outcome, entry, signatures, status);
    job.receipt.error = error(&outcome);
    for told in outcome.each.iter_mut().flatten() {
        let id = told.outcome.message_id.take();
        told.outcome.message_id = id.map(|id| shown_id(id, redactor, signatures));
        told.error = error(&told.outcome);
    }
    job.receipt.raw = raw.filter(|_| status.is_some()).map(Raw::Answer);
    heed(job, entry, &outcome, at);
    (outcome, at)
}

/// Stops an account of which its service says that it is of no use any more, and lets it go on once a
/// message of it has arrived again.
fn heed(job: &mut Job, entry: &Entry, outcome: &Outcome, now: Duration) {
    if outcome.delivery == Delivery::Sent && entry.halt.resume(job.run.probe.as_ref()) {
        job.shared.tell_resumed(&entry.name);
    }
    // Where a new token may help, that is tried first.
    let may_help = outcome.class == Class::Reauthenticate && !job.run.history.reauthenticated;
    if outcome.stops
        && !may_help
        && let Some(error) = &job.receipt.error
    {
        let is_news = entry.halt.stop(error.clone(), now);
        if is_news {
            job.shared.accounts.has_changed();
        }
        if is_news || job.run.probe.is_some() {
            job.shared.tell_stop(entry, error);
        }
    }
}

/// An exchange that may go at once.
struct ReadyExchange {
    /// Taken out by whoever carries it.
    wire: Option<Wire>,
    commits: bool,
    secrets: Vec<String>,
    token: Option<Token>,
    /// When it goes.
    begins: Duration,
}

/// Waits for whatever the draft's next exchange needs: a token, the mark that it may go, a connection to
/// its host.
async fn ready(
    job: &mut Job,
    entry: &Arc<Entry>,
    (held, alone): (&mut HeldPermit, &mut Option<Turn>),
    mut times: Option<(u64, Duration)>,
    signing: Signing,
) -> Result<ReadyExchange, Box<AttemptEnd>> {
    let shared = Arc::clone(&job.shared);
    let ended = |outcome: Outcome, status| {
        Box::new(AttemptEnd { outcome, status, raw: None, at: shared.clock.now() })
    };
    let (mut token, mut waited) = (None, false);
    loop {
        let channels = &shared.accounts.channels;
        match channels.turn(&entry.sender, &job.outgoing.draft) {
            None => *alone = None,
            Some(_) if alone.is_some() => {}
            Some(turn) => {
                held.release();
                (waited, times) = (true, None);
                *alone = Some(turn.lock_owned().await);
                // Whoever had the turn before may have got it.
                let now = shared.clock.now();
                channels.recall(&entry.sender, &mut job.outgoing.draft, now);
                continue;
            }
        }
        if let (Some(tokens), None) = (&entry.tokens, &token) {
            token = tokens.at_hand(shared.clock.now());
            if token.is_none() {
                held.release();
                (waited, times) = (true, None);
                match session::token(&shared, entry, tokens).await {
                    Ok(got) => token = Some(got),
                    Err(refusal) => return Err(ended(refusal.outcome, refusal.status)),
                }
            }
        }
        let unix = times.map_or_else(|| shared.clock.unix_ms(), |(unix_ms, _)| unix_ms) / 1000;
        let unix = unix.saturating_add_signed(signing.skew);
        let nonce = shared.random(|rng| rng.u128(..));
        let stamp = Stamp { unix, nonce, renew: signing.renew };
        let secret = token.as_ref().map(|token| &token.secret);
        let exchange = entry.account.next(&job.outgoing.draft, &stamp, secret);
        if exchange.commits && job.completion.row.is_some() && !job.run.marked {
            held.release();
            (waited, times) = (true, None);
            let marked = mark(job, entry, job.run.history.all()).await;
            marked.map_err(|error| ended(failed(error.code(), error.words()), None))?;
            continue;
        }
        match held.take(&shared, entry, &exchange.wire).await {
            Ok(false) => {}
            Ok(true) => {
                (waited, times) = (true, None);
                continue;
            }
            Err(failure) => {
                let outcome = of_failure(failure, false, host(&exchange.wire, entry));
                return Err(ended(outcome, None));
            }
        }
        if waited {
            still(job, entry).map_err(|outcome| ended(*outcome, None))?;
        }
        let begins = times.map_or_else(|| shared.clock.now(), |(_, now)| now);
        let Exchange { wire, commits, secrets } = exchange;
        return Ok(ReadyExchange { wire: Some(wire), commits, secrets, token, begins });
    }
}

/// What is true once something was waited for: the account may have become another, and a doubt be too
/// old.
fn still(job: &Job, entry: &Arc<Entry>) -> Result<(), Box<Outcome>> {
    let again = |code, words: &str| {
        // The next attempt begins with what is true then.
        Err(Box::new(Outcome { class: Class::Backoff, ..failed(code, words) }))
    };
    match job.shared.accounts.current(entry, job.run.probe.as_ref()) {
        Ok(now) if !Arc::ptr_eq(&now, entry) => {
            again(ErrorCode::Config, "the account was changed before anything was sent")
        }
        Ok(_) if may_resend(job, entry) => Ok(()),
        Ok(_) => Err(Box::new(failed(
            ErrorCode::Timeout,
            "it took longer to send it again than the service remembers what it has seen",
        ))),
        Err(error) => again(error.code(), error.words()),
    }
}

/// One exchange: what the attempt came to, or none where another step follows.
async fn exchange(
    job: &mut Job,
    entry: &Arc<Entry>,
    ready: &mut ReadyExchange,
    steps: u8,
) -> Option<AttemptEnd> {
    let shared = Arc::clone(&job.shared);
    let (commits, begins, token) = (ready.commits, ready.begins, ready.token.take());
    let mut signatures = std::mem::take(&mut ready.secrets);
    signatures.extend_from_slice(&shared.secrets);
    signatures.extend(token.iter().map(|token| token.secret.expose().to_owned()));
    let scratch = job.run.scratch.get_or_insert_with(|| shared.scratch_pool.take());
    let (time_out, mut begun) = scratch.attempt(&shared.clock, begins + shared.timeout);
    match commits {
        true => _ = job.run.history.first_sent.get_or_insert(begins),
        // What commits nothing leaves no doubt, however far it came.
        false => begun = Arc::default(),
    }
    let elsewhere = ready.wire.as_ref().filter(|_| steps > 0 || !commits);
    let where_to = elsewhere.map(|wire| host(wire, entry).to_owned());
    let sent = shared.transport.send(&mut ready.wire, entry.route.as_ref(), time_out, begun).await;
    // Taken back, so that an end between two attempts is not taken for one within an attempt.
    let begun = scratch.begun.swap(false, Ordering::AcqRel);
    let at = shared.clock.now();
    let raw = |body| Some(RawAnswer { body, redactor: Arc::clone(&entry.redactor), signatures });
    let (mut outcome, status, raw) = match sent {
        Ok(answer) => {
            let lacked: Vec<_> = job.outgoing.draft.lacks().map(|own| own.name).collect();
            let reading = entry.account.read(&mut job.outgoing.draft, &answer);
            let goes_on = match reading {
                Reading::Next => !commits,
                Reading::Moved => true,
                _ => false,
            };
            if goes_on && steps < MOST_STEPS {
                job.outgoing.draft.step = job.outgoing.draft.step.saturating_add(1);
                let (sender, draft) = (&entry.sender, &job.outgoing.draft);
                shared.accounts.channels.remember(sender, draft, &lacked, begins);
                return None;
            }
            let hint = entry.account.hint(&answer, &reading);
            let outcome = Outcome { hint, ..judge(entry.table, &answer, reading) };
            if outcome.delivery != Delivery::Sent {
                job.run.skew_seen = seen_skew(&answer, shared.clock.unix_ms());
            }
            // Mail has no status.
            (outcome, Some(answer.status).filter(|status| *status > 0), raw(answer.body))
        }
        Err(failure) => {
            let own = || entry.origin.host_str().unwrap_or_default();
            let host = where_to.as_deref().unwrap_or_else(own);
            (of_failure(failure, begun, host), None, raw(Vec::new()))
        }
    };
    match (outcome.class, token, &entry.tokens) {
        (Class::Reauthenticate, Some(token), Some(tokens)) => {
            let redactor = entry.redactor.with(&[token.secret.expose().to_owned()]);
            let text = redactor.text(&outcome.text).into_owned();
            let refused = Outcome { text, ..outcome.clone() };
            tokens.drop_refused(&token, at, &refused, status);
        }
        (_, Some(_), Some(tokens)) if status.is_some() => tokens.works(),
        (Class::Reauthenticate, ..) => outcome.class = Class::Never,
        _ => {}
    }
    if !commits {
        outcome.delivery = Delivery::NotSent;
        outcome.name = outcome.name.or(Some(ErrorCode::Internal));
    }
    if let (Delivery::NotSent, Some(error)) = (outcome.delivery, outcome.name)
        && commits
        && steps == 0
        && !job.run.history.doubt
        && shared.accounts.channels.forget(&entry.sender, &mut job.outgoing.draft, error)
    {
        // What was remembered, or came of an earlier attempt, holds no more: it is asked for anew.
        (outcome.class, outcome.told_wait) = (Class::Wait, Some(Duration::ZERO));
    }
    Some(AttemptEnd { outcome, status, raw, at })
}

/// Why it is not sent, with everything masked.
fn error_of(
    outcome: &Outcome,
    entry: &Entry,
    signatures: &[String],
    status: Option<u16>,
) -> Option<Error> {
    let name = outcome.name?;
    let secrets = entry.redactor.with(signatures);
    let code = outcome.service_code.as_deref().map(|code| secrets.text(code).into_owned());
    let error = Error::new(name, shortened(&secrets.text(&outcome.text)))
        .with_account(&entry.name, Some(entry.info.name))
        .with_service_code(code)
        .with_http_status(status);
    Some(match outcome.hint {
        Some(hint) => error.hint(hint),
        None => error,
    })
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
