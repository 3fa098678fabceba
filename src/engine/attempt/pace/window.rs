//! One scope's window: how many attempts it lets through in any stretch of its length.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;

/// The most that a narrowed window holds before it widens, as a shift: 64 eighths of what it allows.
const MOST_CAUTION: u32 = 6;

/// What a window lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many may go in any `per`, by document or configuration.
    pub count: usize,
    pub per: Duration,
    /// The service's codes that speak of this limit.
    pub codes: &'static [&'static str],
    /// One account's own: also meant by codes that no limit names.
    pub own: bool,
    /// Of this machine: what others send does not count.
    pub here: bool,
}

impl Limit {
    /// Nothing is counted; only a refusal stops it for a while.
    pub const NONE: Limit =
        Limit { count: usize::MAX, per: Duration::ZERO, codes: &[], own: true, here: true };
}

/// What a service said to an attempt that it found too fast.
#[derive(Clone, Copy, Debug)]
pub struct TooFast {
    /// When the attempt began, and when the answer came.
    pub began: Duration,
    pub now: Duration,
    /// How long it is waited now, and whether the service told so.
    pub wait: Duration,
    pub told: bool,
}

/// One scope's window, shared by all who share the scope.
///
/// The service counts when requests arrive, which nobody here knows: two that begin a second apart may
/// arrive closer together, and the second be one too many. An attempt therefore counts as under way until
/// its answer is there, and from then on by the latest moment at which it can have arrived.
///
/// Whoever waits for a window stands in line at the turnstile: only the first has a timer, so that
/// waiting costs no wake-up a message, and one who gives up leaves no hole.
pub struct Window {
    scope: Box<str>,
    limit: Limit,
    turnstile: OnceLock<Arc<Semaphore>>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    /// How many may go in any `per` now: fewer than the limit after the service refused some.
    allowed: usize,
    /// Attempts without an answer.
    under_way: usize,
    /// When the answered ones had arrived at the latest, oldest first; none older than `per`.
    arrived: VecDeque<Duration>,
    /// Those of them that the service found too fast.
    refused: VecDeque<Duration>,
    /// About the shortest time that an answer took, of so many.
    fastest: Duration,
    answers: usize,
    blocked_until: Duration,
    /// When it was last narrowed, and how many it allowed before.
    narrowed: Option<Duration>,
    before: usize,
    /// How many messages have to be taken before it widens again: the more, the more often it was narrowed
    /// without ever allowing clearly more.
    holds: usize,
    caution: u32,
    /// Messages taken since it last widened.
    taken: usize,
}

impl Window {
    /// A window of this limit.
    pub fn new(scope: &str, limit: Limit) -> Window {
        let limit = Limit { count: limit.count.max(1), ..limit };
        let log = Log { allowed: limit.count, ..Log::default() };
        Window { scope: scope.into(), limit, turnstile: OnceLock::new(), log: Mutex::new(log) }
    }

    /// Where those stand in line who wait for it; made for the first of them.
    pub(super) fn turnstile(&self) -> Arc<Semaphore> {
        Arc::clone(self.turnstile.get_or_init(|| Arc::new(Semaphore::new(1))))
    }

    /// True if whoever comes now has to wait, for the window or for those who stand in line.
    pub fn is_shut(&self, now: Duration) -> bool {
        let is_taken = |line: &Arc<Semaphore>| line.available_permits() == 0;
        self.free_at(now) > now || (!self.is_brake() && self.turnstile.get().is_some_and(is_taken))
    }

    /// True if it is what a window of this limit would be.
    pub fn is_of(&self, limit: Limit) -> bool {
        self.limit == Limit { count: limit.count.max(1), ..limit }
    }

    /// True if a refusal with this code speaks of this window.
    pub fn is_meant_by(&self, code: &str) -> bool {
        self.limit.codes.contains(&code)
    }

    /// True if it is one account's own.
    pub fn is_own(&self) -> bool {
        self.limit.own
    }

    /// Whose window it is, and its limit, where all senders of one outbox share it.
    pub fn shared(&self) -> Option<(&str, Limit)> {
        (!self.limit.here && !self.is_brake()).then_some((&*self.scope, self.limit))
    }

    /// Whose window it is, by a name that all senders of one outbox have for it.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Nobody goes before then.
    pub fn block(&self, until: Duration) {
        let mut log = self.log();
        log.blocked_until = log.blocked_until.max(until);
    }

    /// True if it counts nothing.
    pub(super) fn is_brake(&self) -> bool {
        self.limit.count == usize::MAX
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The earliest that the next may go; in the past where it may go now.
    pub(super) fn free_at(&self, now: Duration) -> Duration {
        let (mut log, per) = (self.log(), self.limit.per);
        log.forget(now, per);
        let room = match (log.under_way + log.arrived.len()).checked_sub(log.allowed) {
            None => Duration::ZERO,
            // One that is still under way counts from its answer on.
            Some(i) => {
                per + log
                    .arrived
                    .get(i)
                    .copied()
                    .unwrap_or_else(|| now - log.way_back(self.limit).min(now))
            }
        };
        room.max(log.blocked_until)
    }

    /// Counts one that goes now, if it may.
    pub(super) fn take(&self, now: Duration) -> bool {
        let mut log = self.log();
        log.forget(now, self.limit.per);
        if log.under_way + log.arrived.len() >= log.allowed || log.blocked_until > now {
            return false;
        }
        if !self.is_brake() {
            log.under_way += 1;
        }
        true
    }

    /// Takes back one that was counted and did not go.
    pub(super) fn give_back(&self) {
        if !self.is_brake() {
            self.log().under_way -= 1;
        }
    }

    /// One that went has its answer, or is given up; a little more may go after one that was taken.
    pub(super) fn answered(&self, began: Duration, now: Duration, taken: bool) {
        if self.is_brake() {
            return;
        }
        let (mut log, took) = (self.log(), now.saturating_sub(began));
        log.under_way -= 1;
        if taken {
            log.fastest = match log.answers {
                0 => took,
                // Forgotten so slowly that a busy minute does not pass for a longer way.
                _ => took.min(log.fastest + log.fastest / 4096),
            };
            log.answers += 1;
            log.widen(self.limit.count);
        }
        let arrived = now - log.way_back(self.limit).min(took);
        let arrived = log.arrived.back().map_or(arrived, |last| arrived.max(*last));
        log.arrived.push_back(arrived);
    }

    /// The service found one too fast: only as many go from now on as it took, and none for a while if it
    /// told how long, or took far fewer.
    ///
    /// What began before the last narrowing says nothing of the pace since; it only makes that narrowing
    /// more exact.
    pub fn narrow(&self, refusal: TooFast) {
        let TooFast { began, now, wait, told } = refusal;
        let mut log = self.log();
        if told || self.is_brake() {
            log.blocked_until = log.blocked_until.max(now + wait);
        }
        if self.is_brake() {
            return;
        }
        log.forget(now, self.limit.per);
        let arrived = log.arrived.back().copied().unwrap_or(now);
        log.refused.push_back(arrived);
        if log.narrowed.is_none_or(|last| began > last) {
            log.narrowed = Some(now);
            log.before = log.allowed;
            log.caution = (log.caution + 2).min(MOST_CAUTION);
        }
        let taken = (log.under_way + log.arrived.len()).saturating_sub(log.refused.len());
        let half = log.before / 2;
        // A few refusals may be due to others, who share the limit.
        let least = if log.arrived.len() >= half { 1 } else { half };
        log.allowed = log.allowed.min(taken).clamp(least.max(1), log.before.max(2) - 1);
        (log.taken, log.holds) = (0, (log.allowed / 8).clamp(1, 8) << log.caution);
        if taken < half {
            log.blocked_until = log.blocked_until.max(now + wait);
        }
    }

    pub(super) fn is_idle(&self, now: Duration) -> bool {
        let mut log = self.log();
        log.forget(now, self.limit.per);
        let is_empty = log.under_way == 0 && log.arrived.is_empty();
        is_empty && log.blocked_until <= now && log.allowed == self.limit.count
    }

    /// Panics if it remembers more than it lets through.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let log = self.log();
        let held = log.under_way + log.arrived.len();
        assert!(held <= self.limit.count && log.refused.len() <= held + 1, "{:?}", self.limit);
    }
}

impl Log {
    fn forget(&mut self, now: Duration, per: Duration) {
        for times in [&mut self.arrived, &mut self.refused] {
            while times.front().is_some_and(|at| *at + per <= now) {
                times.pop_front();
            }
        }
    }

    /// So long before its answer an attempt had arrived for certain: what the fastest took, less some room
    /// for a way that became shorter meanwhile. Unknown until there were answers enough: the first ones of
    /// a busy start are all slow.
    fn way_back(&self, limit: Limit) -> Duration {
        match self.answers < limit.count.saturating_mul(4) {
            true => Duration::ZERO,
            false => self.fastest.saturating_sub(limit.per / 50).min(limit.per / 2),
        }
    }

    /// One more for each eighth message that is taken, so that it grows by an eighth in a window; once it
    /// has held for long enough.
    fn widen(&mut self, count: usize) {
        if self.allowed >= count {
            return;
        }
        if self.holds > 0 {
            self.holds -= 1;
            return;
        }
        self.taken += 1;
        if self.taken >= self.allowed.min(8) {
            self.taken = 0;
            self.allowed += 1;
            if self.allowed > self.before + self.before / 8 || self.allowed == count {
                self.caution = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn window(count: usize) -> Window {
        Window::new("", Limit { count, per: SECOND, codes: &[], own: true, here: false })
    }

    /// How many may go now.
    fn room(window: &Window, now: Duration) -> usize {
        let taken = std::iter::repeat_with(|| window.take(now)).take_while(|taken| *taken).count();
        (0..taken).for_each(|_| window.give_back());
        taken
    }

    /// So many go at once; of their answers so many take it, and the others are "too fast".
    fn burst(window: &Window, now: Duration, all: usize, taken: usize) {
        assert!((0..all).all(|_| window.take(now)), "{all} may go at {now:?}");
        for i in 0..all {
            window.answered(now, now + ms(1), i < taken);
            if i >= taken {
                let wait = SECOND;
                window.narrow(TooFast { began: now, now: now + ms(1), wait, told: false });
            }
        }
    }

    #[test]
    fn one_that_is_under_way_counts_until_it_has_arrived_for_certain() {
        let window = window(1);
        let mut now = SECOND;
        for took in [400, 500, 600, 700] {
            assert!(window.take(now));
            assert_eq!(window.free_at(now + ms(300)), now + ms(1300), "it may arrive now");
            window.answered(now, now + ms(took), true);
            now = window.free_at(now);
        }
        // Once there were answers enough: of the 400 ms at least that they take, 20 are kept.
        assert!(window.take(now));
        window.answered(now, now + ms(1000), true);
        let late = window.free_at(now + ms(1000));
        assert!((now + ms(1615)..now + ms(1625)).contains(&late), "{:?}", late - now);
        // One that is given up may have arrived when it was.
        assert!(window.take(late));
        window.answered(late, late + ms(5), false);
        assert_eq!(window.free_at(late + ms(5)), late + SECOND);
    }

    #[test]
    fn a_refusal_of_one_too_many_costs_no_more_than_one() {
        let window = window(200);
        burst(&window, SECOND, 200, 199);
        assert_eq!(window.free_at(SECOND + ms(1)), SECOND * 2 + ms(1), "and nothing is stopped");
        assert_eq!(room(&window, SECOND * 2 + ms(1)), 199);
        burst(&window, SECOND * 3, 40, 40);
        assert_eq!(room(&window, SECOND * 5), 200, "the next ones that are taken widen it again");
    }

    #[test]
    fn the_refusals_of_one_burst_narrow_once_to_what_was_taken() {
        for taken in [150, 100, 40, 5, 1] {
            let window = window(200);
            burst(&window, SECOND, 200, taken);
            assert_eq!(room(&window, SECOND * 4), taken);
            let stops = window.free_at(SECOND + ms(2)) > SECOND * 2;
            assert_eq!(stops, taken < 100, "far fewer than half: it pauses, too");
        }
    }

    #[test]
    fn a_lower_limit_is_tried_more_and_more_rarely_and_a_higher_one_is_found() {
        let window = window(200);
        let (mut now, mut refused) = (SECOND, Vec::new());
        let mut live = |allows: usize, windows: usize| {
            refused.clear();
            for _ in 0..windows {
                now += SECOND * 2;
                let all = room(&window, now);
                burst(&window, now, all, all.min(allows));
                refused.push(all.saturating_sub(allows));
            }
            (refused.iter().sum::<usize>(), room(&window, now + SECOND * 2))
        };
        let (at_first, _) = live(100, 30);
        let (later, allowed) = live(100, 60);
        assert!(at_first < 300, "{at_first} of about 3000 were refused");
        assert!(later <= 150, "{later} of about 6000 were refused");
        assert!((90..=115).contains(&allowed), "{allowed}");
        assert_eq!(live(200, 20), (0, 200), "and once the service takes more, all of them go");
    }

    #[test]
    fn the_first_of_all_being_refused_halves_it_and_stops_for_the_wait() {
        let window = window(8);
        burst(&window, SECOND, 1, 0);
        assert_eq!(window.free_at(SECOND * 2), SECOND * 2 + ms(1));
        assert_eq!(room(&window, SECOND * 4), 4);
    }

    #[test]
    fn a_told_wait_is_kept_whatever_was_taken() {
        let window = window(8);
        assert!((0..8).all(|_| window.take(SECOND)));
        (0..8).for_each(|_| window.answered(SECOND, SECOND, true));
        let (began, now) = (SECOND, SECOND);
        window.narrow(TooFast { began, now, wait: SECOND * 30, told: true });
        assert_eq!(window.free_at(SECOND * 2), SECOND * 31);
        assert!(!window.take(SECOND * 30) && window.take(SECOND * 31));
    }

    #[test]
    fn a_brake_counts_nothing_and_stops_for_the_wait() {
        let window = Window::new("", Limit::NONE);
        assert_eq!(window.free_at(SECOND), Duration::ZERO);
        let refusal = TooFast { began: SECOND, now: SECOND, wait: SECOND * 3, told: false };
        window.narrow(refusal);
        assert!(!window.take(SECOND * 3) && window.take(SECOND * 4));
        window.answered(SECOND * 4, SECOND * 4, true);
        assert!(window.is_idle(SECOND * 4));
    }
}
