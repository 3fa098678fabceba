//! Whether an attempt is repeated, and when: one rule for all services, without time or chance.

use std::sync::Arc;
use std::time::Duration;

use crate::model::config::RetryConfig;
use crate::model::receipt::Delivery;
use crate::service::verdict::{Class, Outcome};

/// The longest that anything waits because a service told it to: a message that it told more ends at
/// once, and its account is stopped for no longer.
pub const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// What is known of a message between its attempts.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Attempts begun.
    pub attempts: u32,
    /// Attempts of other requests of the message, which were begun before.
    pub before: u32,
    /// An attempt may have arrived, and nothing has cleared that up.
    pub doubt: bool,
    /// Who made the first attempt that is in doubt.
    pub doubted: Option<Arc<str>>,
    /// A signature was made anew already.
    pub re_signed: bool,
    /// A token was got anew already.
    pub reauthenticated: bool,
    /// Waits whose length nobody told.
    pub untold_waits: u32,
    /// When the bytes that are resent were first sent.
    pub first_sent: Option<Duration>,
}

impl History {
    /// Attempts of the whole message.
    pub fn all(&self) -> u32 {
        self.before + self.attempts
    }
}

/// What the signatures of an attempt are made with.
#[derive(Clone, Copy, Debug)]
pub struct Signing {
    /// The last signature was refused.
    pub renew: bool,
    /// Seconds that the service's clock is ahead of ours.
    pub skew: i64,
}

/// What the decision is made from besides the outcome.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// Now.
    pub now: Duration,
    /// When the caller's patience ends.
    pub until: Option<Duration>,
    /// How long the service recognises what is sent again.
    pub dedupe: Option<Duration>,
    /// True if "sent already" can only mean an attempt of this very message, of the sender in doubt.
    pub repeated_is_proof: bool,
    /// True if a dropped message may be made a new one to its service.
    pub renewable: bool,
    /// Between 0 and 1: the jitter of this wait.
    pub chance: f64,
}

/// What happens after an answer, or after none.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// This is the verdict.
    Done {
        /// Whether the message arrived, all attempts considered.
        delivery: Delivery,
        /// The service had it already.
        deduplicated: bool,
        /// Nothing was sent and a later try may work.
        retryable: bool,
        /// How long to wait before that try, if known.
        retry_after: Option<Duration>,
        /// The wait did not fit the caller's limit.
        deadline: bool,
    },
    /// Another attempt.
    Again {
        /// After this long.
        wait: Duration,
        /// With a new signature.
        re_sign: bool,
        /// As a new message to the service.
        renew: bool,
    },
}

/// Decides, and remembers in `history` what the next decision needs.
pub fn next(
    outcome: &Outcome,
    history: &mut History,
    config: &RetryConfig,
    at: Circumstances,
) -> Next {
    let done = |delivery, deduplicated| Next::Done {
        delivery,
        deduplicated,
        retryable: delivery == Delivery::NotSent && repeats(outcome.class),
        retry_after: outcome.told_wait,
        deadline: false,
    };
    if outcome.delivery == Delivery::Sent {
        // Some say in so many words that they have had it already.
        return done(Delivery::Sent, outcome.repeated);
    }
    if outcome.repeated && history.doubt && at.repeated_is_proof {
        return done(Delivery::Sent, true);
    }
    history.doubt |= outcome.delivery == Delivery::MaybeSent;
    let delivery = if history.doubt { Delivery::MaybeSent } else { Delivery::NotSent };
    if history.attempts >= config.max_attempts {
        return done(delivery, false);
    }

    let (mut re_sign, mut reauthenticate, mut renew) = (false, false, false);
    let in_doubt = outcome.delivery == Delivery::MaybeSent;
    let wait = match outcome.class {
        _ if outcome.dropped && (history.doubt || !at.renewable) => return done(delivery, false),
        // The caller asked for at-least-once, or the service takes care: a doubt is resent.
        Class::Never if in_doubt => {
            outcome.told_wait.unwrap_or_else(|| backoff(history, config, at.chance))
        }
        Class::Never | Class::Quota => return done(delivery, false),
        Class::Resign if history.re_signed => return done(delivery, false),
        Class::Resign => {
            re_sign = true;
            outcome.told_wait.unwrap_or_default()
        }
        Class::Reauthenticate if history.reauthenticated => return done(delivery, false),
        Class::Reauthenticate => {
            reauthenticate = true;
            outcome.told_wait.unwrap_or_default()
        }
        Class::Backoff => outcome.told_wait.unwrap_or_else(|| backoff(history, config, at.chance)),
        Class::Wait | Class::WaitFor(_) => outcome.told_wait.unwrap_or_else(|| {
            history.untold_waits += 1;
            Duration::from_secs(1 << (history.untold_waits - 1).min(32))
        }),
    };
    if outcome.dropped {
        renew = true;
    }
    if history.doubt && !config.resend_maybe_sent {
        let first = history.first_sent.unwrap_or(at.now);
        let recognised = at.dedupe.is_some_and(|window| at.now + wait <= first + window);
        if !recognised {
            return done(delivery, false);
        }
    }
    let are_new_credentials_only = (re_sign || reauthenticate) && wait.is_zero();
    if at.until.is_some_and(|until| at.now + wait >= until) && !are_new_credentials_only {
        return Next::Done {
            delivery,
            deduplicated: false,
            retryable: delivery == Delivery::NotSent,
            retry_after: Some(wait),
            deadline: true,
        };
    }
    if wait > LONGEST_WAIT {
        return done(delivery, false);
    }
    history.re_signed |= re_sign;
    history.reauthenticated |= reauthenticate;
    Next::Again { wait, re_sign, renew }
}

/// True if a later try may work.
pub fn repeats(class: Class) -> bool {
    matches!(class, Class::Backoff | Class::Wait | Class::WaitFor(_) | Class::Quota)
}

/// Full jitter: anything up to an exponentially growing bound.
fn backoff(history: &History, config: &RetryConfig, chance: f64) -> Duration {
    let doublings = history.attempts.saturating_sub(1).min(31);
    let bound = config.initial.saturating_mul(1 << doublings).min(config.max);
    bound.mul_f64(chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::ErrorCode;

    const CONFIG: RetryConfig = RetryConfig {
        max_attempts: 4,
        initial: Duration::from_millis(500),
        max: Duration::from_millis(1500),
        resend_maybe_sent: false,
    };
    const AT: Circumstances = Circumstances {
        now: Duration::from_secs(100),
        until: None,
        dedupe: None,
        repeated_is_proof: true,
        renewable: false,
        chance: 1.0,
    };
    const DEDUPE: Option<Duration> = Some(Duration::from_secs(240));

    fn failed(delivery: Delivery, class: Class) -> Outcome {
        Outcome::failed(delivery, ErrorCode::Service, class, "")
    }

    fn begun(attempts: u32) -> History {
        History { attempts, first_sent: Some(AT.now), ..History::default() }
    }

    fn wait_of(next: Next) -> Option<Duration> {
        match next {
            Next::Again { wait, .. } => Some(wait),
            Next::Done { .. } => None,
        }
    }

    fn verdict_of(next: Next) -> (Delivery, bool) {
        match next {
            Next::Done { delivery, deduplicated, .. } => (delivery, deduplicated),
            again => panic!("{again:?}"),
        }
    }

    #[test]
    fn backoff_doubles_to_its_bound_and_ends_with_the_attempts() {
        let outcome = failed(Delivery::NotSent, Class::Backoff);
        let wait = |attempts| wait_of(next(&outcome, &mut begun(attempts), &CONFIG, AT));
        let millis = |n| Some(Duration::from_millis(n));
        assert_eq!(
            [wait(1), wait(2), wait(3), wait(4)],
            [millis(500), millis(1000), millis(1500), None]
        );
    }

    #[test]
    fn a_told_wait_is_kept_in_full_and_an_untold_one_doubles() {
        let mut outcome = failed(Delivery::NotSent, Class::Wait);
        let mut history = begun(1);
        let waits = [(); 3].map(|()| wait_of(next(&outcome, &mut history, &CONFIG, AT)));
        assert_eq!(waits, [1, 2, 4].map(|s| Some(Duration::from_secs(s))));
        outcome.told_wait = Some(Duration::from_secs(90));
        assert_eq!(wait_of(next(&outcome, &mut history, &CONFIG, AT)), outcome.told_wait);
    }

    #[test]
    fn a_wait_that_does_not_fit_ends_the_send_at_once() {
        let mut outcome = failed(Delivery::NotSent, Class::Wait);
        outcome.told_wait = Some(Duration::from_secs(90));
        let at = Circumstances { until: Some(AT.now + Duration::from_secs(60)), ..AT };
        match next(&outcome, &mut begun(1), &CONFIG, at) {
            Next::Done { retry_after, deadline, retryable, .. } => {
                assert_eq!((retry_after, deadline, retryable), (outcome.told_wait, true, true));
            }
            again => panic!("{again:?}"),
        }
    }

    #[test]
    fn a_wait_of_more_than_a_day_ends_the_send_at_once() {
        let classes =
            [Class::Wait, Class::WaitFor(60), Class::Backoff, Class::Resign, Class::Quota];
        for (class, second) in classes.iter().flat_map(|class| [(*class, 0), (*class, 1)]) {
            let mut outcome = failed(Delivery::NotSent, class);
            outcome.told_wait = Some(LONGEST_WAIT + Duration::from_secs(second));
            match next(&outcome, &mut begun(1), &CONFIG, AT) {
                Next::Done { delivery, retry_after, deadline, .. } => {
                    assert!(second == 1 || class == Class::Quota, "{class:?}");
                    assert_eq!((delivery, retry_after), (Delivery::NotSent, outcome.told_wait));
                    assert!(!deadline);
                }
                Next::Again { wait, .. } => assert_eq!((second, wait), (0, LONGEST_WAIT)),
            }
        }
    }

    #[test]
    fn no_attempt_comes_earlier_than_was_told_whatever_leads_to_it() {
        let told = Some(Duration::from_millis(1500));
        let resend = RetryConfig { resend_maybe_sent: true, ..CONFIG };
        for (delivery, class) in [
            (Delivery::NotSent, Class::Wait),
            (Delivery::NotSent, Class::Backoff),
            (Delivery::NotSent, Class::Resign),
            (Delivery::MaybeSent, Class::Backoff),
            (Delivery::MaybeSent, Class::Never),
        ] {
            let mut outcome = failed(delivery, class);
            outcome.told_wait = told;
            let at = Circumstances { chance: 0.0, ..AT };
            let wait = wait_of(next(&outcome, &mut begun(1), &resend, at));
            assert_eq!(wait, told, "{class:?}");
        }
    }

    #[test]
    fn a_signature_is_made_anew_once() {
        let outcome = failed(Delivery::NotSent, Class::Resign);
        let mut history = begun(1);
        let again = Next::Again { wait: Duration::ZERO, re_sign: true, renew: false };
        assert_eq!(next(&outcome, &mut history, &CONFIG, AT), again);
        history.attempts = 2;
        assert_eq!(
            verdict_of(next(&outcome, &mut history, &CONFIG, AT)),
            (Delivery::NotSent, false)
        );
    }

    #[test]
    fn a_token_is_got_anew_once_beside_a_signature() {
        let (mut outcome, mut history) =
            (failed(Delivery::NotSent, Class::Reauthenticate), begun(1));
        let again = |re_sign| Next::Again { wait: Duration::ZERO, re_sign, renew: false };
        assert_eq!(next(&outcome, &mut history, &CONFIG, AT), again(false));
        outcome.class = Class::Resign;
        assert_eq!(next(&outcome, &mut history, &CONFIG, AT), again(true));
        outcome.class = Class::Reauthenticate;
        let verdict = verdict_of(next(&outcome, &mut history, &CONFIG, AT));
        assert_eq!(verdict, (Delivery::NotSent, false));
    }

    #[test]
    fn a_doubt_is_resent_only_where_it_is_recognised() {
        let doubt = failed(Delivery::MaybeSent, Class::Backoff);
        assert_eq!(
            verdict_of(next(&doubt, &mut begun(1), &CONFIG, AT)),
            (Delivery::MaybeSent, false)
        );
        let dedupe = Circumstances { dedupe: DEDUPE, ..AT };
        assert!(wait_of(next(&doubt, &mut begun(1), &CONFIG, dedupe)).is_some());
        let late = Circumstances { now: AT.now + Duration::from_secs(240), ..dedupe };
        assert_eq!(
            verdict_of(next(&doubt, &mut begun(1), &CONFIG, late)),
            (Delivery::MaybeSent, false)
        );
        let resend = RetryConfig { resend_maybe_sent: true, ..CONFIG };
        assert!(wait_of(next(&doubt, &mut begun(1), &resend, AT)).is_some());
    }

    #[test]
    fn a_doubt_is_cleared_by_success_and_by_a_repeated_answer_only() {
        let at = Circumstances { dedupe: DEDUPE, ..AT };
        let doubted = || History { doubt: true, ..begun(2) };
        let refusal = failed(Delivery::NotSent, Class::Never);
        assert_eq!(
            verdict_of(next(&refusal, &mut doubted(), &CONFIG, at)),
            (Delivery::MaybeSent, false)
        );
        let sent = Outcome::sent(None, None);
        assert_eq!(verdict_of(next(&sent, &mut doubted(), &CONFIG, at)), (Delivery::Sent, false));
        let mut repeated = refusal;
        repeated.repeated = true;
        assert_eq!(
            verdict_of(next(&repeated, &mut doubted(), &CONFIG, at)),
            (Delivery::Sent, true)
        );
        assert_eq!(
            verdict_of(next(&repeated, &mut begun(1), &CONFIG, at)),
            (Delivery::NotSent, false)
        );
    }

    #[test]
    fn a_dropped_message_becomes_a_new_one_only_without_a_doubt() {
        let mut dropped = failed(Delivery::NotSent, Class::WaitFor(1));
        (dropped.dropped, dropped.told_wait) = (true, Some(Duration::from_secs(1)));
        let ours = Circumstances { renewable: true, dedupe: DEDUPE, ..AT };
        let again = Next::Again { wait: Duration::from_secs(1), re_sign: false, renew: true };
        assert_eq!(next(&dropped, &mut begun(1), &CONFIG, ours), again);
        let doubted = &mut History { doubt: true, ..begun(1) };
        assert_eq!(
            verdict_of(next(&dropped, doubted, &CONFIG, ours)),
            (Delivery::MaybeSent, false)
        );
        let callers = Circumstances { renewable: false, ..ours };
        assert_eq!(
            verdict_of(next(&dropped, &mut begun(1), &CONFIG, callers)),
            (Delivery::NotSent, false)
        );
    }
}
