//! The tokens of accounts: asked for once for all who need them, kept in memory only.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::model::config::RetryConfig;
use crate::model::error::ErrorCode;
use crate::model::receipt::Delivery;
use crate::model::secret::Secret;
use crate::net::{Boxed, Clock};
use crate::service::verdict::{Class, Outcome};

/// The longest that a request for a token is not made again after one that failed, and the age up to which
/// a token that is refused had just been given.
const REMEMBERED: Duration = Duration::from_secs(5);
/// The last part of a token's life, in which it is renewed: a tenth of it, and no more than this.
const LONGEST_AHEAD: Duration = Duration::from_secs(300);

/// A token, and which one of its session it is.
#[derive(Clone)]
pub struct Token {
    pub secret: Secret,
    generation: u64,
}

/// Why there is no token.
#[derive(Clone)]
pub struct Refusal {
    pub outcome: Outcome,
    pub status: Option<u16>,
}

pub type TokenResult = Result<Token, Box<Refusal>>;

/// What a request for a token came to: the token, when it was asked for, and how long it holds from then.
pub type Grant = Result<(Secret, Duration, Duration), Box<Refusal>>;

/// The sessions of a client, by the digest of what they are asked for with.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<[u8; 32], Weak<Tokens>>>);

impl Sessions {
    /// The tokens of a session, by service, host, key and account (where that is alone in it); accounts of
    /// an app share them.
    pub fn of(&self, parts: [&str; 4]) -> Arc<Tokens> {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut sessions = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let key = hash.finalize().into();
        if let Some(known) = sessions.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        sessions.retain(|_, tokens| tokens.strong_count() > 0);
        let tokens = Arc::new(Tokens::default());
        sessions.insert(key, Arc::downgrade(&tokens));
        tokens
    }
}

/// The tokens of one session, one after the other.
#[derive(Default)]
pub struct Tokens {
    state: Mutex<State>,
    /// The request that is under way: whoever holds the lock drives it on, so that it goes on if the
    /// one who began it goes away.
    flight: tokio::sync::Mutex<Option<Boxed<'static, Grant>>>,
    /// How many wait for it.
    waiting: AtomicUsize,
    /// How many tokens in a row were refused that had just been given.
    refused_anew: AtomicU32,
}

#[derive(Default)]
struct State {
    token: Option<LiveToken>,
    /// How many tokens there have been.
    generation: u64,
    /// How many requests have come to an end, and what the last came to.
    completed: u64,
    last: Option<TokenResult>,
    /// How many in a row have failed.
    failures: u32,
    /// Why no token is asked for, and until when.
    held: Option<(Duration, Box<Refusal>)>,
}

struct LiveToken {
    token: Token,
    asked: Duration,
    /// From when on it is renewed.
    ages: Duration,
    ends: Duration,
}

/// One who waits for a token; the last to go away gives the request up.
struct Waiting<'a>(&'a Tokens);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::AcqRel) == 1
            && let Ok(mut flight) = self.0.flight.try_lock()
        {
            *flight = None;
        }
    }
}

impl Tokens {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The token, if there is one that need not be renewed yet.
    pub fn at_hand(&self, now: Duration) -> Option<Token> {
        let state = self.state();
        state.token.as_ref().filter(|live| now < live.ages).map(|live| live.token.clone())
    }

    /// A token that holds: asked for by `ask`, if nobody has done so. After a failure nobody asks for a
    /// while, which grows by `retry` where another try may help.
    pub async fn get(
        &self,
        clock: &dyn Clock,
        retry: &RetryConfig,
        ask: impl FnOnce() -> Boxed<'static, Grant>,
    ) -> TokenResult {
        let now = clock.now();
        let (ages, asked) = {
            let state = self.state();
            let held = state.held.as_ref().filter(|(until, _)| now < *until);
            match (&state.token, held) {
                (Some(live), _) if now < live.ages => return Ok(live.token.clone()),
                (Some(live), Some(_)) if now < live.ends => return Ok(live.token.clone()),
                (Some(live), None) if now < live.ends => {
                    (Some(live.token.clone()), state.completed)
                }
                (_, Some((until, refusal))) => {
                    return Err(Box::new(refusal.waiting(*until - now)));
                }
                (_, None) => (None, state.completed),
            }
        };
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let _waiting = Waiting(self);
        let mut flight = match &ages {
            None => self.flight.lock().await,
            // One renews it, and the others go on with it meanwhile.
            Some(token) => match self.flight.try_lock() {
                Ok(flight) => flight,
                Err(_) => return Ok(token.clone()),
            },
        };
        let completed = {
            let state = self.state();
            state.last.clone().filter(|_| state.completed > asked)
        };
        let completed = match completed {
            Some(completed) => completed,
            None => {
                let grant = flight.get_or_insert_with(ask).as_mut().await;
                *flight = None;
                self.complete(grant, clock.now(), retry)
            }
        };
        match (completed, ages) {
            (Err(_), Some(token)) if self.holds(&token, clock.now()) => Ok(token),
            (completed, _) => completed,
        }
    }

    fn holds(&self, token: &Token, now: Duration) -> bool {
        let state = self.state();
        let own = state.token.as_ref().filter(|own| own.token.generation == token.generation);
        own.is_some_and(|own| now < own.ends)
    }

    fn complete(&self, grant: Grant, now: Duration, retry: &RetryConfig) -> TokenResult {
        let mut state = self.state();
        let completed = match grant {
            Ok((secret, asked, lasts)) => {
                state.generation += 1;
                let token = Token { secret, generation: state.generation };
                let ends = asked.saturating_add(lasts);
                let ages = ends.saturating_sub((lasts / 10).min(LONGEST_AHEAD));
                state.token = Some(LiveToken { token: token.clone(), asked, ages, ends });
                (state.failures, state.held) = (0, None);
                Ok(token)
            }
            Err(refusal) => {
                let Outcome { class, told_wait, .. } = &refusal.outcome;
                let stands = match class {
                    // What may be well in a moment is tried again soon, and by one for all.
                    Class::Backoff => {
                        let grown = retry.initial.saturating_mul(1 << state.failures.min(16));
                        grown.min(retry.max).max(told_wait.unwrap_or_default())
                    }
                    _ => told_wait.unwrap_or(REMEMBERED),
                };
                let stands = stands.min(REMEMBERED);
                state.failures += 1;
                let refusal = Box::new(refusal.waiting(stands));
                state.held = Some((now + stands, refusal.clone()));
                Err(refusal)
            }
        };
        (state.completed, state.last) = (state.completed + 1, Some(completed.clone()));
        completed
    }

    /// The service refused this token: it is not used again.
    ///
    /// Where that happens to one after the other as soon as they are given, new ones help nobody: none is
    /// asked for then for a while, in which `outcome` is the answer.
    pub fn drop_refused(
        &self,
        token: &Token,
        now: Duration,
        outcome: &Outcome,
        status: Option<u16>,
    ) {
        let mut state = self.state();
        let is_own = |own: &mut LiveToken| own.token.generation == token.generation;
        let Some(refused) = state.token.take_if(is_own) else { return };
        let is_new = now.saturating_sub(refused.asked) < REMEMBERED;
        let before = self.refused_anew.load(Ordering::Acquire);
        self.refused_anew.store(if is_new { before + 1 } else { 1 }, Ordering::Release);
        if is_new && before > 0 {
            let words = format!("the service refuses each token that it gives: {}", outcome.text);
            let own = Outcome {
                service_code: outcome.service_code.clone(),
                ..Outcome::failed(Delivery::NotSent, ErrorCode::Auth, Class::Never, words)
            };
            let refusal = Refusal { outcome: own, status };
            state.held = Some((now + REMEMBERED, Box::new(refusal)));
        }
    }

    /// The service took a request with a token of this session.
    pub fn works(&self) {
        if self.refused_anew.load(Ordering::Acquire) > 0 {
            self.refused_anew.store(0, Ordering::Release);
        }
    }
}

impl Refusal {
    /// The same for one who may try again once nobody is held off any more.
    fn waiting(&self, wait: Duration) -> Refusal {
        let mut own = self.clone();
        if own.outcome.class == Class::Backoff {
            own.outcome.told_wait = own.outcome.told_wait.max(Some(wait));
        }
        own
    }
}
