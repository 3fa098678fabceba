//! A long run at a documented limit, against services that count by when requests arrive.
#![expect(clippy::print_stderr, reason = "the figures, for whoever asks with --nocapture")]

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use super::{Submits, accounts, body, http};
use crate::engine::Shared;
use crate::engine::runtime::TokioClock;
use crate::model::config::ClientConfig;
use crate::model::receipt::{Delivery, Receipt};
use crate::net::{Alarm, Boxed, Carrier, Clock, Failure, Scripted};
use crate::service::api::{Answer, Wire};

const SECOND: Duration = Duration::from_secs(1);
const GROUPS: usize = 5;
/// Tencent's documented limits, by app and by group.
const PER_APP: usize = 200;
const PER_GROUP: usize = 40;

/// A way there or back that takes between `least` and `least + jitter` milliseconds.
#[derive(Clone, Copy, Debug)]
struct Way {
    least: u64,
    jitter: u64,
}

/// Tencent, which allows what `percent` of its documented limits are, by its own sliding second.
struct Service {
    clock: Arc<TokioClock>,
    way: Way,
    percent: Box<dyn Fn(Duration) -> usize + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rng: Rng,
    windows: HashMap<String, VecDeque<Duration>>,
    /// When attempts began, by our clock.
    began: Vec<Duration>,
    taken: Vec<Duration>,
    refused: Vec<Duration>,
}

impl State {
    fn delay(&mut self, way: Way) -> Duration {
        Duration::from_micros(self.rng.u64(way.least * 1000..=(way.least + way.jitter) * 1000))
    }

    /// Counts one that arrives now, or refuses it; what is refused does not count.
    fn pass(&mut self, scope: &str, count: usize, now: Duration) -> bool {
        let passed = self.windows.entry(scope.to_owned()).or_default();
        while passed.front().is_some_and(|then| *then + SECOND <= now) {
            passed.pop_front();
        }
        let passes = passed.len() < count;
        if passes {
            passed.push_back(now);
        }
        passes
    }

    fn judge(&mut self, group: &str, percent: usize, now: Duration) -> u32 {
        if !self.pass("", PER_APP * percent / 100, now) {
            self.refused.push(now);
            return 60018;
        }
        if !self.pass(group, PER_GROUP * percent / 100, now) {
            self.refused.push(now);
            return 10023;
        }
        self.taken.push(now);
        0
    }
}

impl Scripted for Arc<Service> {
    fn send<'a>(
        &'a self,
        wire: Wire,
        _time_out: &'a mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Boxed<'a, Result<Answer, Failure>> {
        begun.store(true, Ordering::Release);
        let state = || self.state.lock().expect("no panic inside");
        let body = body(&http(wire));
        let group = body.split("\"GroupId\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let group = group.expect("a group").to_owned();
        state().began.push(self.clock.now());
        Box::pin(async move {
            let there = state().delay(self.way);
            let back = state().delay(self.way);
            self.clock.sleep_until(self.clock.now() + there).await;
            let now = self.clock.now();
            let code = state().judge(&group, (self.percent)(now), now);
            self.clock.sleep_until(now + back).await;
            let status = if code == 0 { "OK" } else { "FAIL" };
            let answer = json!({"ActionStatus": status, "ErrorCode": code, "MsgSeq": 1});
            let body = answer.to_string().into_bytes();
            Ok(Answer { status: 200, body, ..Answer::default() })
        })
    }
}

/// What became of a run.
struct Run {
    state: State,
    receipts: Vec<Receipt>,
    /// From the first attempt to the last that was taken.
    took: Duration,
}

/// Sends so many messages to the groups, all at once.
fn run(
    seed: u64,
    messages: usize,
    way: Way,
    percent: impl Fn(Duration) -> usize + Send + Sync + 'static,
) -> Run {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let clock = Arc::new(TokioClock::default());
        let began = clock.now();
        let service = Arc::new(Service {
            clock: Arc::clone(&clock),
            way,
            percent: Box::new(move |now| percent(now - began)),
            state: Mutex::new(State { rng: Rng::with_seed(seed), ..State::default() }),
        });
        let config = json!({"v": 1, "accounts": accounts(), "max_in_flight": 100_000,
            // What holds a run up here is its pace alone.
            "max_connections_per_host": 256});
        let config = ClientConfig::from_value(config).expect("a valid configuration");
        let transport = Carrier::Scripted(Box::new(Arc::clone(&service)));
        let shared = Arc::new(Shared::new(config, transport, clock, seed).expect("accounts"));
        let submits = Submits::of(&shared);
        (0..messages)
            .map(|n| {
                let to = json!({"group": format!("g{}", n % GROUPS)});
                let message = json!({"v": 1, "account": "im", "to": to, "text": format!("{n}")});
                submits.submit(message, n as u64);
            })
            .for_each(drop);
        let receipts = submits.results().await.into_iter().map(|(_, receipt)| receipt).collect();
        let state = std::mem::take(&mut *service.state.lock().expect("no panic inside"));
        let took = state.taken.last().copied().unwrap_or_default() - began;
        Run { state, receipts, took }
    })
}

fn most_in_any_second(times: &[Duration]) -> usize {
    let within = |i: usize| times[i..].iter().take_while(|at| **at < times[i] + SECOND).count();
    (0..times.len()).map(within).max().unwrap_or(0)
}

impl Run {
    /// What holds whatever the service does; `what` it was.
    fn check(&self, what: &str) {
        let most = most_in_any_second(&self.state.began);
        assert!(most <= PER_APP, "{what}: {most} began within a second");
        let sent = self.receipts.iter().filter(|r| r.delivery == Delivery::Sent).count();
        let told = format!("{what}: {sent} sent, {} refusals", self.state.refused.len());
        assert_eq!(sent, self.receipts.len(), "{told}");
        eprintln!("{told} in {:?}", self.took);
    }

    /// How many were taken between these times of a run.
    fn taken_within(&self, from: Duration, to: Duration) -> usize {
        let began = self.state.began[0];
        let is_within = |at: &&Duration| (began + from..began + to).contains(*at);
        self.state.taken.iter().filter(is_within).count()
    }

    /// Refusals after this time of a run, by a thousand messages taken after it.
    fn refused_in_thousand(&self, since: Duration) -> usize {
        let after = |times: &[Duration]| {
            let from = self.state.began[0] + since;
            times.iter().filter(|at| **at >= from).count()
        };
        after(&self.state.refused) * 1000 / after(&self.state.taken).max(1)
    }
}

#[test]
fn a_run_at_the_documented_limit_stays_within_a_tenth_of_it_whatever_the_jitter() {
    let ways =
        [(0, 0), (0, 3), (1, 10), (5, 20), (5, 40), (20, 20), (20, 50), (100, 40), (150, 50)];
    let messages = PER_APP * 20;
    let most = SECOND * 20 * 10 / 9;
    for (seed, (least, jitter)) in (0..).zip(ways) {
        let way = Way { least, jitter };
        let run = run(seed, messages, way, |_| 100);
        run.check(&format!("{way:?}"));
        assert!(run.took <= most, "{way:?}: {messages} messages took {:?}", run.took);
        let refused = run.refused_in_thousand(Duration::ZERO);
        assert!(refused <= 2, "{way:?}: {refused} of a thousand refused");
    }
}

#[test]
fn a_service_that_allows_less_than_documented_is_found_out_and_then_left_in_peace() {
    for percent in [80, 50, 25, 10] {
        for seed in 0..2 {
            let (rate, way) = (PER_APP * percent / 100, Way { least: 20, jitter: 20 });
            let messages = rate * 32;
            let run = run(seed, messages, way, move |_| percent);
            let what = format!("seed {seed}, {percent} %");
            run.check(&what);
            let taken = run.taken_within(SECOND * 10, SECOND * 30);
            assert!(taken >= rate * 20 * 8 / 10, "{what}: {taken} in twenty seconds");
            let refused = run.refused_in_thousand(SECOND * 10);
            eprintln!("{what}: {taken} of {}, {refused} refused", rate * 20);
            // The fewer a group gets, the more of them is one too many.
            assert!(
                refused <= 2000 / percent,
                "{what}: {refused} of a thousand refused after ten seconds"
            );
        }
    }
}

#[test]
fn a_service_that_allows_more_again_gets_it_within_a_few_windows() {
    let (messages, way) = (200 * 60, Way { least: 20, jitter: 20 });
    let run = run(7, messages, way, |since| if since < SECOND * 20 { 50 } else { 100 });
    run.check("half for twenty seconds");
    let later = run.taken_within(SECOND * 35, SECOND * 45);
    assert!(later >= PER_APP * 10 * 9 / 10, "{later} in ten seconds");
}
