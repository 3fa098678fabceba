//! Sliding windows: never more attempts in any stretch of time than a service documents.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::net::Clock;

/// Beyond this many windows, those that have been idle are forgotten.
const MOST_WINDOWS: usize = 10_000;

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
}

impl Limit {
    /// Nothing is counted; only a refusal stops it for a while.
    pub const NONE: Limit = Limit { count: usize::MAX, per: Duration::ZERO, codes: &[], own: true };
}

/// One scope's window, shared by all who share the scope.
///
/// Who waits for it stands in line at the turnstile: only the first has a timer, so that waiting
/// costs no wake-up a message, and one who gives up leaves no hole.
pub struct Window {
    limit: Limit,
    turnstile: Arc<Semaphore>,
    log: Mutex<Log>,
}

struct Log {
    /// How many may go now: fewer after the service refused one.
    allowed: usize,
    /// When the last ones went, oldest first; none older than `per`.
    went: VecDeque<Duration>,
    blocked_until: Duration,
}

impl Window {
    /// A window of this limit.
    pub fn new(limit: Limit) -> Window {
        let limit = Limit { count: limit.count.max(1), ..limit };
        let log =
            Log { allowed: limit.count, went: VecDeque::new(), blocked_until: Duration::ZERO };
        Window { limit, turnstile: Arc::new(Semaphore::new(1)), log: Mutex::new(log) }
    }

    /// True if a refusal with this code speaks of this window.
    pub fn is_meant_by(&self, code: &str) -> bool {
        self.limit.codes.contains(&code)
    }

    /// True if it is one account's own.
    pub fn is_own(&self) -> bool {
        self.limit.own
    }

    /// True if it counts nothing.
    fn is_brake(&self) -> bool {
        self.limit.count == usize::MAX
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// When the next may go; in the past where it may go now.
    fn free_at(&self, now: Duration) -> Duration {
        let mut log = self.log();
        log.forget(now, self.limit.per);
        let room = match log.went.len().checked_sub(log.allowed) {
            None => Duration::ZERO,
            Some(i) => log.went[i] + self.limit.per,
        };
        room.max(log.blocked_until)
    }

    /// Counts one that goes now, if it may.
    fn take(&self, now: Duration) -> bool {
        let mut log = self.log();
        log.forget(now, self.limit.per);
        if log.went.len() >= log.allowed || log.blocked_until > now {
            return false;
        }
        if !self.is_brake() {
            log.went.push_back(now);
        }
        true
    }

    /// Takes back the one that was counted last.
    fn give_back(&self) {
        if !self.is_brake() {
            self.log().went.pop_back();
        }
    }

    /// The service found it too fast: half as many from now on, and none at all for a while.
    pub fn narrow(&self, now: Duration, wait: Duration) {
        let mut log = self.log();
        if !self.is_brake() {
            log.allowed = (log.allowed / 2).max(1);
        }
        log.blocked_until = log.blocked_until.max(now + wait);
    }

    /// The service took one: a little more from now on, up to the documented number.
    pub fn widen(&self) {
        let mut log = self.log();
        log.allowed = log.allowed.saturating_add(1).min(self.limit.count);
    }

    fn is_idle(&self, now: Duration) -> bool {
        let mut log = self.log();
        log.forget(now, self.limit.per);
        log.went.is_empty() && log.blocked_until <= now && log.allowed == self.limit.count
    }
}

impl Log {
    fn forget(&mut self, now: Duration, per: Duration) {
        while self.went.front().is_some_and(|went| *went + per <= now) {
            self.went.pop_front();
        }
    }
}

/// Goes through all of these windows now, or through none.
pub fn go(windows: &[Arc<Window>], clock: &dyn Clock) -> bool {
    if windows.is_empty() {
        return true;
    }
    let now = clock.now();
    match windows.iter().position(|window| !window.take(now)) {
        None => true,
        Some(shut) => {
            windows[..shut].iter().for_each(|window| window.give_back());
            false
        }
    }
}

/// How long nobody may go through all of these windows.
pub fn free_in(windows: &[Arc<Window>], now: Duration) -> Duration {
    let free_at = windows.iter().map(|window| window.free_at(now)).max();
    free_at.unwrap_or_default().saturating_sub(now)
}

/// The first place in the queues of some windows, until it is dropped.
pub type FirstPlace = Vec<OwnedSemaphorePermit>;

/// Waits until one more may go through all of these windows, which come from narrow to wide.
///
/// Everybody queues in that order, so that nobody waits in a circle, and one recipient's queue
/// never stands in the way of another's.
///
/// `Err`: nobody can go before the caller's patience ends; how long it would have been.
pub async fn wait(
    windows: &[Arc<Window>],
    clock: &dyn Clock,
    until: Option<Duration>,
) -> Result<FirstPlace, Duration> {
    if windows.is_empty() {
        return Ok(FirstPlace::new());
    }
    loop {
        let mut turnstiles = FirstPlace::with_capacity(windows.len());
        for window in windows {
            // It is never closed; were it, the wait below would still hold.
            let turnstile = Arc::clone(&window.turnstile).acquire_owned().await.ok();
            loop {
                let (now, free_at) = (clock.now(), window.free_at(clock.now()));
                if free_at <= now {
                    break;
                }
                if until.is_some_and(|until| free_at >= until) {
                    return Err(free_at - now);
                }
                clock.sleep_until(free_at).await;
            }
            // A brake lets everybody through who waits behind it.
            if !window.is_brake() {
                turnstiles.extend(turnstile);
            }
        }
        // A brake may have been put on while it waited for what comes after it.
        let now = clock.now();
        if windows.iter().all(|window| window.free_at(now) <= now) {
            return Ok(turnstiles);
        }
    }
}

/// The windows of a client, by the names of their scopes.
#[derive(Default)]
pub struct Windows(Mutex<HashMap<String, Arc<Window>>>);

impl Windows {
    /// How many windows there are, and that none remembers more than it lets through.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let windows = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for window in windows.values() {
            assert!(window.log().went.len() <= window.limit.count, "{:?}", window.limit);
        }
        windows.len()
    }

    /// The window of a scope; made anew if its limit is another now.
    pub fn get(&self, scope: String, limit: Limit, now: Duration) -> Arc<Window> {
        let mut windows = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(window) = windows.get(&scope)
            && window.limit == (Limit { count: limit.count.max(1), ..limit })
        {
            return Arc::clone(window);
        }
        if windows.len() >= MOST_WINDOWS {
            windows.retain(|_, window| Arc::strong_count(window) > 1 || !window.is_idle(now));
        }
        let window = Arc::new(Window::new(limit));
        windows.insert(scope, Arc::clone(&window));
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::runtime::TokioClock;

    fn paused<F: Future>(future: F) -> F::Output {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().expect("a runtime").block_on(future)
    }

    async fn go_patiently(windows: &[Arc<Window>], clock: &TokioClock) {
        let _first = wait(windows, clock, None).await.expect("patient");
        assert!(go(windows, clock), "it is its turn");
    }

    /// When each of `n` goes through, all of them waiting at once.
    async fn times(windows: Vec<Arc<Window>>, n: usize) -> Vec<Duration> {
        let clock = Arc::new(TokioClock::default());
        let went = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..n)
            .map(|_| {
                let (windows, clock, went) =
                    (windows.clone(), Arc::clone(&clock), Arc::clone(&went));
                tokio::spawn(async move {
                    go_patiently(&windows, &clock).await;
                    went.lock().expect("no panic inside").push(clock.now());
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic inside");
        }
        std::mem::take(&mut *went.lock().expect("no panic inside"))
    }

    fn window(count: usize, per: Duration) -> Window {
        Window::new(Limit { count, per, codes: &[], own: true })
    }

    fn most_in_any(went: &[Duration], per: Duration) -> usize {
        let within = |i: usize| went[i..].iter().take_while(|t| **t < went[i] + per).count();
        (0..went.len()).map(within).max().unwrap_or(0)
    }

    #[test]
    fn no_stretch_of_time_has_more_than_its_window_allows() {
        let second = Duration::from_secs(1);
        let wide = Arc::new(window(30, second));
        let narrow = Arc::new(window(7, second));
        let went = paused(times(vec![narrow, wide], 100));
        assert_eq!(went.len(), 100);
        assert_eq!(most_in_any(&went, second), 7);
        let took = went[99] - went[0];
        assert!(took < second * 15, "and no slower than it must be: {took:?}");
    }

    #[test]
    fn who_gives_up_in_the_line_leaves_no_hole() {
        let window = [Arc::new(window(1, Duration::from_secs(10)))];
        paused(async {
            let clock = TokioClock::default();
            let begin = clock.now();
            go_patiently(&window, &clock).await;
            for _ in 0..100 {
                let gives_up =
                    tokio::time::timeout(Duration::from_millis(1), wait(&window, &clock, None));
                assert!(gives_up.await.is_err());
            }
            go_patiently(&window, &clock).await;
            assert_eq!((clock.now() - begin).as_secs(), 10);
            let hasty = wait(&window, &clock, Some(begin + Duration::from_secs(15))).await;
            assert_eq!(hasty.err().map(|wait| wait.as_secs()), Some(10), "told at once");
        });
    }

    #[test]
    fn a_refusal_narrows_a_window_until_the_service_takes_messages_again() {
        let second = Duration::from_secs(1);
        let window = window(8, second);
        window.narrow(Duration::ZERO, second * 3);
        assert_eq!(window.free_at(Duration::ZERO), second * 3, "none for as long as was told");
        assert!((0..4).all(|_| window.take(second * 3)));
        assert_eq!(window.free_at(second * 3), second * 4, "then half as many");
        (0..4).for_each(|_| window.widen());
        assert!(window.free_at(second * 3) <= second * 3, "and all of them again");
    }
}
