//! The tokens of accounts: asked for once for all who need them, kept in memory only.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::model::secret::Secret;
use crate::net::{Boxed, Clock};
use crate::service::verdict::{Class, Outcome};

/// How long a request for a token that was refused is not made again.
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
}

#[derive(Default)]
struct State {
    token: Option<LiveToken>,
    /// How many tokens there have been.
    generation: u64,
    /// How many requests have come to an end, and what the last came to.
    completed: u64,
    last: Option<TokenResult>,
    /// Until when the last refusal stands for others.
    refused_until: Option<Duration>,
}

struct LiveToken {
    token: Token,
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

    /// A token that holds: asked for by `ask`, if nobody has done so.
    pub async fn get(
        &self,
        clock: &dyn Clock,
        ask: impl FnOnce() -> Boxed<'static, Grant>,
    ) -> TokenResult {
        let now = clock.now();
        let (ages, asked) = {
            let state = self.state();
            let is_refused = state.refused_until.is_some_and(|until| now < until);
            match &state.token {
                Some(live) if now < live.ages => return Ok(live.token.clone()),
                Some(live) if now < live.ends && is_refused => return Ok(live.token.clone()),
                Some(live) if now < live.ends => (Some(live.token.clone()), state.completed),
                _ => match &state.last {
                    Some(Err(refusal)) if is_refused => return Err(refusal.clone()),
                    _ => (None, state.completed),
                },
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
                self.complete(grant, clock.now())
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

    fn complete(&self, grant: Grant, now: Duration) -> TokenResult {
        let mut state = self.state();
        state.refused_until = None;
        let completed = match grant {
            Ok((secret, asked, lasts)) => {
                state.generation += 1;
                let token = Token { secret, generation: state.generation };
                let ends = asked.saturating_add(lasts);
                let ages = ends.saturating_sub((lasts / 10).min(LONGEST_AHEAD));
                state.token = Some(LiveToken { token: token.clone(), ages, ends });
                Ok(token)
            }
            Err(refusal) => {
                let Outcome { class, told_wait, .. } = &refusal.outcome;
                // What may be well in a moment is tried again as each message is.
                let stands = match class {
                    Class::Backoff => Duration::ZERO,
                    _ => told_wait.unwrap_or(REMEMBERED).min(REMEMBERED),
                };
                state.refused_until = Some(now + stands);
                Err(refusal)
            }
        };
        (state.completed, state.last) = (state.completed + 1, Some(completed.clone()));
        completed
    }

    /// The service refused this token: it is not used again.
    pub fn drop_refused(&self, token: &Token) {
        let mut state = self.state();
        state.token.take_if(|own| own.token.generation == token.generation);
    }
}
