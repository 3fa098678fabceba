//! Sliding windows: never more attempts in any stretch of time than a service documents.

mod leave;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::net::Clock;
pub use leave::{Asked, Leave, ask, ask_to_try};
pub use window::{Limit, TooFast, Window};

/// Beyond this many windows, those that have been idle are forgotten.
const MOST_WINDOWS: usize = 10_000;

/// An attempt that went through some windows, until its answer is there or it is given up.
pub struct Reservation<'a> {
    windows: &'a [Arc<Window>],
    clock: &'a dyn Clock,
    began: Duration,
    /// When its answer came, and whether the service took the message.
    answer: Option<(Duration, bool)>,
    /// The leave of all senders of its outbox.
    leave: Option<Leave>,
}

impl Reservation<'_> {
    /// Keeps the leave of all senders until its answer is there.
    pub fn with(mut self, leave: Option<Leave>) -> Self {
        self.leave = leave;
        self
    }

    /// The answer is there: whether the service took the message; tells when the attempt began.
    pub fn end(mut self, now: Duration, taken: bool) -> Duration {
        self.answer = Some((now, taken));
        self.began
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.windows.is_empty() {
            return;
        }
        let (now, taken) = self.answer.unwrap_or_else(|| (self.clock.now(), false));
        self.windows.iter().for_each(|window| window.answered(self.began, now, taken));
        if let Some(leave) = &mut self.leave {
            leave.went = true;
        }
    }
}

/// Goes through all of these windows now, or through none.
pub fn go<'a>(windows: &'a [Arc<Window>], clock: &'a dyn Clock) -> Option<Reservation<'a>> {
    let mut reservation =
        Reservation { windows, clock, began: Duration::ZERO, answer: None, leave: None };
    if windows.is_empty() {
        return Some(reservation);
    }
    reservation.began = clock.now();
    match windows.iter().position(|window| !window.take(reservation.began)) {
        None => Some(reservation),
        Some(shut) => {
            reservation.windows = &[];
            windows[..shut].iter().for_each(|window| window.give_back());
            None
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
#[expect(clippy::manual_async_fn, reason = "what it is called with would stand in it twice")]
pub fn wait<'a>(
    windows: &'a [Arc<Window>],
    clock: &'a dyn Clock,
    until: Option<Duration>,
) -> impl Future<Output = Result<FirstPlace, Duration>> + Send + 'a {
    async move {
        if windows.is_empty() {
            return Ok(FirstPlace::new());
        }
        loop {
            let mut turnstiles = FirstPlace::with_capacity(windows.len());
            for window in windows {
                // It is never closed; were it, the wait below would still hold.
                let turnstile = window.turnstile().acquire_owned().await.ok();
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
}

/// The windows of a client, by the names of their scopes.
#[derive(Default)]
pub struct Windows(Mutex<Scopes>);

#[derive(Default)]
struct Scopes {
    windows: HashMap<Box<str>, Arc<Window>>,
    /// Until when nobody goes through these, as other senders were told; some of them are not made yet.
    blocked: HashMap<Box<str>, Duration>,
    /// How many windows were kept when those that had been idle were last forgotten.
    kept: usize,
}

impl Windows {
    /// How many windows there are, and that none remembers more than it lets through.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let scopes = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        scopes.windows.values().for_each(|window| window.check());
        scopes.windows.len()
    }

    /// Nobody goes through the window of this scope before then, whenever it is made.
    pub fn block(&self, scope: &str, until: Duration, now: Duration) {
        let mut scopes = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        scopes.windows.get(scope).into_iter().for_each(|window| window.block(until));
        scopes.blocked.retain(|_, until| *until > now);
        scopes.blocked.insert(scope.into(), until);
    }

    /// The window of a scope; made anew if its limit is another now.
    pub fn get(&self, scope: String, limit: Limit, now: Duration) -> Arc<Window> {
        let mut scopes = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let Scopes { windows, kept, blocked } = &mut *scopes;
        if let Some(window) = windows.get(scope.as_str())
            && window.is_of(limit)
        {
            return Arc::clone(window);
        }
        // Where most of them are of use, each new one would look through all others in vain.
        if windows.len() >= MOST_WINDOWS.max(*kept * 2) {
            windows.retain(|_, window| Arc::strong_count(window) > 1 || !window.is_idle(now));
            *kept = windows.len();
        }
        let window = Arc::new(Window::new(&scope, limit));
        blocked.get(scope.as_str()).into_iter().for_each(|until| window.block(*until));
        windows.insert(scope.into(), Arc::clone(&window));
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
        go(windows, clock).expect("it is its turn").end(clock.now(), true);
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
        Window::new("", Limit { count, per, codes: &[], own: true, here: false })
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
    fn idle_windows_are_forgotten_without_looking_through_the_others_each_time() {
        let windows = Windows::default();
        let get = |n: usize| windows.get(n.to_string(), Limit::NONE, Duration::ZERO);
        let looked = |at: usize| {
            let before = windows.0.lock().expect("no panic inside").kept;
            let window = get(at);
            (windows.0.lock().expect("no panic inside").kept != before, window)
        };
        let held: Vec<_> = (0..4 * MOST_WINDOWS).map(looked).collect();
        let looks = held.iter().filter(|(looked, _)| *looked).count();
        assert_eq!(looks, 2, "at the first {MOST_WINDOWS} and at twice as many");
        assert_eq!(windows.len(), held.len());
        drop(held);
        (0..MOST_WINDOWS).for_each(|n| drop(get(1_000_000 + n)));
        assert!(windows.len() <= MOST_WINDOWS, "{}", windows.len());
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
}
