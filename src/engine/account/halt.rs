//! An account that its service has stopped: nothing more is sent with it until it is set anew, but for
//! one message a minute that tries.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::error::{Error, ErrorCode, Result};

/// How long after a stop a message may try whether the account is of use again.
pub const PROBE_AFTER: Duration = Duration::from_secs(60);

/// Whether an account is stopped.
#[derive(Default)]
pub struct Halt {
    /// True while it is: a look at it costs no lock.
    halted: AtomicBool,
    state: Mutex<Option<State>>,
}

struct State {
    since: Duration,
    /// What the service said.
    why: Error,
    /// From when on a message may try.
    probe_at: Duration,
    /// A message tries now.
    probed: bool,
}

/// The right of one message to try with a stopped account; whoever drops it leaves that to another.
pub struct Probe(Arc<Halt>);

impl Drop for Probe {
    fn drop(&mut self) {
        if let Some(state) = &mut *self.0.state() {
            state.probed = false;
        }
    }
}

impl Halt {
    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// True while the account is stopped.
    pub fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Acquire)
    }

    /// Refuses whoever comes while the account is stopped, save the one who tries.
    pub fn check(self: &Arc<Self>, probe: Option<&Probe>) -> Result<()> {
        let is_probe = || probe.is_some_and(|probe| Arc::ptr_eq(&probe.0, self));
        if !self.is_halted() || is_probe() {
            return Ok(());
        }
        self.state().as_ref().map_or(Ok(()), |state| Err(state.error()))
    }

    /// The same for a message that begins: it may be the one who tries, if it is time and `tries`.
    pub fn admit(self: &Arc<Self>, now: Duration, tries: bool) -> Result<Option<Probe>> {
        if !self.is_halted() {
            return Ok(None);
        }
        match &mut *self.state() {
            None => Ok(None),
            Some(state) if tries && !state.probed && now >= state.probe_at => {
                state.probed = true;
                Ok(Some(Probe(Arc::clone(self))))
            }
            Some(state) => Err(state.error()),
        }
    }

    /// The service says that the account is of no use any more; true if that is news.
    pub fn stop(&self, why: Error, now: Duration) -> bool {
        self.stop_until(why, now, now + PROBE_AFTER)
    }

    /// The same, as another sender has heard it: a message may try from then on.
    pub fn stop_until(&self, why: Error, now: Duration, probe_at: Duration) -> bool {
        let mut state = self.state();
        let is_news = state.is_none();
        let (since, probed) = state.as_ref().map_or((now, false), |s| (s.since, s.probed));
        *state = Some(State { since, why, probe_at, probed });
        self.halted.store(true, Ordering::Release);
        is_news
    }

    /// Another sender tries, or has tried: a message may do so from then on. What those end with who come
    /// before.
    pub fn probe_at(&self, at: Duration) -> Option<Error> {
        let mut state = self.state();
        let state = state.as_mut()?;
        state.probe_at = state.probe_at.max(at);
        Some(state.error())
    }

    /// A message that tried has arrived; true if it did try.
    pub fn resume(self: &Arc<Self>, probe: Option<&Probe>) -> bool {
        let tried = probe.is_some_and(|probe| Arc::ptr_eq(&probe.0, self));
        if tried {
            self.go_on();
        }
        tried
    }

    /// The account is of use again.
    pub fn go_on(&self) {
        *self.state() = None;
        self.halted.store(false, Ordering::Release);
    }

    /// For people: since when, what the service said, and when a message may try; null while it runs.
    pub fn to_json(&self, now: Duration) -> Value {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.state().as_ref().map_or(Value::Null, |state| {
            json!({
                "for_ms": ms(now.saturating_sub(state.since)),
                "probe_in_ms": ms(state.probe_at.saturating_sub(now)),
                "service_code": state.why.service_code(),
                "message": state.why.words(),
            })
        })
    }
}

impl State {
    /// What a message ends with.
    fn error(&self) -> Error {
        let words = format!("the service has stopped this account: {}", self.why.words());
        Error::new(ErrorCode::Auth, words)
            .with_service_code(self.why.service_code().map(str::to_owned))
            .hint("set the account anew with credentials that hold; until then one message a minute tries")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn stopped() -> Arc<Halt> {
        let halt = Arc::new(Halt::default());
        assert!(halt.stop(Error::new(ErrorCode::Auth, "revoked"), SECOND));
        halt
    }

    #[test]
    fn one_message_tries_after_a_minute_and_the_next_if_that_tells_nothing() {
        let halt = stopped();
        assert!(halt.admit(SECOND * 60, true).is_err(), "a minute is not over");
        assert!(halt.admit(SECOND * 61, false).is_err(), "this one would wait before it tries");
        let probe = halt.admit(SECOND * 61, true).expect("it is time");
        assert!(halt.admit(SECOND * 62, true).is_err(), "one tries already");
        assert!(halt.check(None).is_err() && halt.check(probe.as_ref()).is_ok());
        drop(probe);
        let probe = halt.admit(SECOND * 62, true).expect("the first told nothing");
        assert!(!halt.stop(Error::new(ErrorCode::Auth, "revoked"), SECOND * 63));
        drop(probe);
        assert!(halt.admit(SECOND * 122, true).is_err(), "it was stopped anew");
        let probe = halt.admit(SECOND * 123, true).expect("a minute later");
        halt.resume(None);
        assert!(halt.check(None).is_err(), "an older message says nothing");
        halt.resume(probe.as_ref());
        assert!(halt.check(None).is_ok() && halt.to_json(SECOND).is_null());
        drop(probe);
        assert!(matches!(halt.admit(SECOND * 124, true), Ok(None)));
    }

    #[test]
    fn a_probe_of_another_account_is_none() {
        let (one, other) = (stopped(), stopped());
        let probe = one.admit(SECOND * 61, true).expect("it is time");
        assert!(other.check(probe.as_ref()).is_err());
        other.resume(probe.as_ref());
        assert!(other.check(None).is_err());
        assert_eq!(other.to_json(SECOND * 4)["for_ms"], 3000);
        assert_eq!(other.to_json(SECOND * 4)["probe_in_ms"], 57_000);
    }
}
