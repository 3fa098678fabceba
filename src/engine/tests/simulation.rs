//! The engine in a random world: services that fail, throttle, lie and hang; clocks that jump;
//! callers who cancel; clients that are closed. A seed decides everything, and replays exactly.
//!
//! `HY_SEEDS=200 HY_MESSAGES=10000` sets how much, `HY_SEED=n` replays one.

mod apps;
mod circulars;
mod promises;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use self::apps::Apps;
use self::circulars::Circulars;
use super::{Submits, body, http};
use crate::engine::Shared;
use crate::engine::account::stats::Why;
use crate::engine::attempt::job::{Job, Sink};
use crate::engine::runtime::TokioClock;
use crate::model::config::{AccountConfig, ClientConfig};
use crate::model::error::ErrorCode;
use crate::model::message::Message;
use crate::model::receipt::{Delivery, Receipt};
use crate::net::{Alarm, Boxed, Carrier, Clock, Failure, Scripted, Sleep, Way};
use crate::service::api::{Answer, HttpRequest, Wire};

/// A timer fires within this of its time.
const TICK: Duration = Duration::from_millis(2);
/// Weibo's window in this world.
const RATE: (usize, Duration) = (40, Duration::from_secs(1));
/// Tencent's documented windows.
const PER_GROUP: (usize, Duration) = (40, Duration::from_secs(1));
const PER_APP: (usize, Duration) = (200, Duration::from_secs(1));

/// Those of the app with tokens, by recipient and by app, and of the chat with channels by recipient.
const PER_USER: [(usize, Duration); 2] =
    [(20, Duration::from_secs(1)), (200, Duration::from_secs(60))];
const PER_CORP: (usize, Duration) = (100, Duration::from_secs(1));
const PER_CHANNEL: (usize, Duration) = (10, Duration::from_secs(1));

/// How long a key is remembered after its verdict.
const REMEMBERED: Duration = Duration::from_secs(600);

/// What a client of this world may hold at once.
const MOST: usize = 3000;

/// Simulated time, whose calendar somebody may set.
struct SimClock {
    time: TokioClock,
    jump_ms: AtomicI64,
}

impl Clock for SimClock {
    fn now(&self) -> Duration {
        self.time.now()
    }

    fn unix_ms(&self) -> u64 {
        let now = 1_790_000_000_000 + u64::try_from(self.now().as_millis()).expect("fits");
        now.saturating_add_signed(self.jump_ms.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        self.time.sleep_until(at)
    }
}

/// One request as the world saw it.
struct Seen {
    at: Duration,
    message: usize,
    service: &'static str,
    app: String,
    group: String,
    body: String,
    /// What the service knows it by, where it does.
    known: Option<String>,
    /// It was, or may have been, taken and the client was not told so.
    doubt: bool,
}

#[derive(Default)]
struct Record {
    seen: Vec<Seen>,
    /// How often each message was taken.
    taken: HashMap<usize, usize>,
    /// What each app of a de-duplicating service has taken, and when.
    bodies: HashMap<(String, String), Duration>,
    circulars: Circulars,
    apps: Apps,
}

struct World {
    clock: Arc<SimClock>,
    rng: Mutex<Rng>,
    record: Mutex<Record>,
}

/// What the world does with a request.
enum Fate {
    Take,
    Refuse,
    Throttle,
    Drop,
    Lost { begun: bool, taken: bool },
    Hang { begun: bool, taken: bool },
    Garble { status: u16, taken: bool },
}

fn fate(rng: &mut Rng) -> Fate {
    match rng.u32(0..100) {
        0..70 => Fate::Take,
        70..74 => Fate::Refuse,
        74..79 => Fate::Throttle,
        79..82 => Fate::Drop,
        82..89 => Fate::Lost { begun: rng.bool(), taken: rng.bool() },
        89..94 => Fate::Hang { begun: rng.bool(), taken: rng.bool() },
        _ => Fate::Garble { status: [200, 302, 404, 502][rng.usize(0..4)], taken: rng.bool() },
    }
}

/// The number of the message in a request.
fn number(request: &HttpRequest) -> usize {
    let body = body(request);
    let at = body.find("msg-").expect("every text has its number") + 4;
    body[at..at + 7].parse().expect("seven digits")
}

/// The app that a request is for, where its service has apps.
fn app(request: &HttpRequest) -> String {
    let mut pairs = request.url.query_pairs();
    pairs.find(|(name, _)| name == "sdkappid").map(|(_, app)| app.into_owned()).unwrap_or_default()
}

/// What a service knows a message by, where it does, and for how long.
fn known(request: &HttpRequest, service: &str) -> Option<(String, Duration)> {
    let query = |name| {
        let mut pairs = request.url.query_pairs();
        pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    };
    let field = |name| {
        let mut fields = request.headers.iter();
        fields.find(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
    };
    let seconds = Duration::from_secs;
    match service {
        "tencent_im" => Some((body(request), seconds(300))),
        "corpchat" => Some((query("uuid").expect("each has one"), seconds(3600))),
        "teamchat" => field("idempotency-key").map(|key| (key, seconds(300))),
        _ => None,
    }
}

impl World {
    fn lock(&self) -> std::sync::MutexGuard<'_, Record> {
        self.record.lock().expect("no panic inside")
    }

    /// The service takes a message; one that recognises it does not take it twice.
    fn take(&self, request: &HttpRequest, service: &str) {
        let (mut record, now) = (self.lock(), self.clock.now());
        let own = known(request, service);
        let own = own.map(|(value, window)| {
            // The values of two messages may be alike by chance, which is nobody's mistake here.
            ((service.to_owned() + &app(request), value + &body(request)), window)
        });
        let is_known = own.as_ref().is_some_and(|(own, window)| {
            record.bodies.get(own).is_some_and(|at| *at + *window > now)
        });
        if !is_known {
            own.into_iter().for_each(|(own, _)| _ = record.bodies.insert(own, now));
            *record.taken.entry(number(request)).or_default() += 1;
        }
    }

    fn success(service: &str) -> Answer {
        let body = match service {
            "tencent_im" => json!({"ActionStatus": "OK", "ErrorCode": 0, "MsgSeq": 1}),
            "corpchat" => json!({"code": 0, "msg": "ok", "message_id": "m1"}),
            "teamchat" => json!({"ok": true, "note": "", "id": "m1"}),
            _ => json!({"id": 1, "idstr": "1"}),
        };
        Answer { status: 200, body: body.to_string().into_bytes(), ..Answer::default() }
    }

    fn refusal(service: &str, throttle: bool, rng: &mut Rng) -> Answer {
        let (status, body) = match (service, throttle) {
            ("tencent_im", true) => {
                (200, json!({"ActionStatus": "FAIL", "ErrorCode": 10023, "ErrorInfo": "slow"}))
            }
            ("tencent_im", false) => {
                let code = [10010, 10002, 60004, 80001, 60008][rng.usize(0..5)];
                (200, json!({"ActionStatus": "FAIL", "ErrorCode": code, "ErrorInfo": "no"}))
            }
            ("corpchat", true) => {
                let code = [99_991_400, 11_232_001][rng.usize(0..2)];
                (429, json!({"code": code, "msg": "slow"}))
            }
            ("corpchat", false) => {
                let code = [10_013_000, 99_991_663, 99_999_999, 10_000_500][rng.usize(0..4)];
                (200, json!({"code": code, "msg": "no"}))
            }
            ("teamchat", true) => (429, json!({"ok": false, "note": "", "error": "rate_limited"})),
            ("teamchat", false) => {
                let code = ["channel_not_found", "fatal_error", "no_way"][rng.usize(0..3)];
                (200, json!({"ok": false, "note": "", "error": code}))
            }
            ("weibo", true) => (403, json!({"error_code": 10023, "error": "slow"})),
            ("weibo", false) => {
                let code = [20301, 10001, 10010, 21307][rng.usize(0..4)];
                (400, json!({"error_code": code, "error": "no"}))
            }

            (_, true) => (429, json!({"error": "slow"})),
            (_, false) => {
                ([400, 401, 403, 404][rng.usize(0..4)], json!({"error": "Expired timestamp"}))
            }
        };
        let retry_after = (throttle && rng.bool()).then(|| Duration::from_secs(rng.u64(0..20)));
        Answer { status, body: body.to_string().into_bytes(), retry_after, ..Answer::default() }
    }
}

impl Scripted for Arc<World> {
    fn send<'a>(
        &'a self,
        wire: Wire,
        time_out: &'a mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Boxed<'a, Result<Answer, Failure>> {
        let (world, request) = (Arc::clone(self), http(wire));
        Box::pin(async move {
            if ["/token", "/channels"].contains(&request.url.path()) {
                return world.prepare(request, time_out, begun).await;
            }
            let host = request.url.host_str().unwrap_or_default();
            let services = ["weibo", "fanfou", "corpchat", "teamchat"];
            let service = services.into_iter().find(|s| host.contains(s)).unwrap_or("tencent_im");
            let barred = (service == "corpchat").then(|| {
                let mut rng = world.rng.lock().expect("no panic inside").fork();
                world.barred(&request, &mut rng)
            });
            let (fate, latency, mut rng) = {
                let mut rng = world.rng.lock().expect("no panic inside");
                (fate(&mut rng), Duration::from_millis(rng.u64(0..400)), rng.fork())
            };
            let body = body(&request);
            if host.contains("circular") {
                let request = circulars::Request::read(number(&request), &body);
                let silent = matches!(fate, Fate::Hang { .. });
                let begins = !matches!(
                    fate,
                    Fate::Lost { begun: false, .. } | Fate::Hang { begun: false, .. }
                );
                begun.store(begins, Ordering::Release);
                world.lock().circulars.begins(&request, &fate);
                match silent {
                    true => time_out.await,
                    false => world.clock.sleep_until(world.clock.now() + latency).await,
                }
                return world.lock().circulars.answers(&request, &fate, &mut rng);
            }
            let group = ["\"GroupId\":\"", "\"to\":\"", "\"channel\":\""]
                .into_iter()
                .find_map(|before| body.split(before).nth(1)?.split('"').next());
            let index = {
                let mut record = world.lock();
                record.seen.push(Seen {
                    at: world.clock.now(),
                    message: number(&request),
                    service,
                    app: app(&request),
                    group: group.unwrap_or_default().to_owned(),
                    body: body.clone(),
                    known: known(&request, service).map(|(value, _)| value),
                    doubt: false,
                });
                record.seen.len() - 1
            };
            if let Some(answer) = barred.flatten() {
                begun.store(true, Ordering::Release);
                world.clock.sleep_until(world.clock.now() + latency).await;
                if answer.body.windows(8).any(|w| w == b"99991662") {
                    let now = world.clock.now();
                    let mut record = world.lock();
                    let began = record.seen[index].at;
                    record.apps.disabled.push((began, now));
                }
                return Ok(answer);
            }
            let doubt = || world.lock().seen[index].doubt = true;
            let will_begin =
                !matches!(fate, Fate::Lost { begun: false, .. } | Fate::Hang { begun: false, .. });
            begun.store(will_begin, Ordering::Release);
            if will_begin {
                // Until its answer is there, a request is in doubt: its caller may go away.
                doubt();
            }
            if matches!(&fate, Fate::Take)
                || matches!(
                    fate,
                    Fate::Lost { begun: true, taken: true }
                        | Fate::Hang { begun: true, taken: true }
                        | Fate::Garble { status: 200 | 502, taken: true }
                )
            {
                world.take(&request, service);
            }
            world.clock.sleep_until(world.clock.now() + latency).await;
            let clear = || world.lock().seen[index].doubt = false;
            let lost = |way| Err(Failure { way, words: "simulated".to_owned() });
            match fate {
                Fate::Take => {
                    clear();
                    Ok(World::success(service))
                }
                Fate::Refuse | Fate::Throttle => {
                    let answer = World::refusal(service, matches!(fate, Fate::Throttle), &mut rng);
                    let is_unknown = [&b"10000500"[..], b"fatal_error"]
                        .iter()
                        .any(|code| answer.body.windows(code.len()).any(|w| w == *code));
                    let says_maybe = is_unknown
                        || [&b"60008"[..], b"10010"]
                            .iter()
                            .any(|code| answer.body.windows(5).any(|w| w == *code))
                            && !(service == "tencent_im"
                                && answer.body.windows(5).any(|w| w == b"10010"));
                    if !says_maybe {
                        clear();
                    }
                    Ok(answer)
                }
                Fate::Drop if service == "tencent_im" => {
                    clear();
                    let body = json!({"ActionStatus": "OK", "ErrorCode": 0, "MsgDropReason": "MsgFreqCtrl"});
                    Ok(Answer {
                        status: 200,
                        body: body.to_string().into_bytes(),
                        ..Answer::default()
                    })
                }
                Fate::Drop | Fate::Lost { .. } => lost(Way::Network),
                Fate::Hang { .. } => {
                    time_out.await;
                    lost(Way::TimedOut)
                }
                Fate::Garble { status, .. } => {
                    if matches!(status, 302 | 404) {
                        clear();
                    }
                    Ok(Answer { status, body: b"<html>proxy</html>".to_vec(), ..Answer::default() })
                }
            }
        })
    }
}

fn config() -> Value {
    json!({"v": 1, "max_in_flight": MOST, "timeout_ms": 3000, "max_connections_per_host": 64,
    "accounts": {
        "ff": {"service": "fanfou", "rate": null,
            "auth": {"type": "basic", "username": "u", "password": "password"}},
        "wb": {"service": "weibo", "auth": {"type": "oauth2", "token": "token"},
            "rate": {"count": RATE.0, "per_ms": RATE.1.as_millis() as u64}},
        "im": {"service": "tencent_im", "region": "sgp", "auth": {"type": "usersig",
            "sdk_app_id": 1, "identifier": "admin", "secret_key": "secret-key"}},
        "im2": {"service": "tencent_im", "region": "sgp", "auth": {"type": "usersig",
            "sdk_app_id": 1, "identifier": "admin2", "secret_key": "secret-key"}},
        "circ": {"service": "circular", "auth": {"type": "bearer", "token": "circular-token"}},
        "corp": {"service": "corpchat", "auth": {"type": "app", "id": "a", "secret": "app-secret"}},
        "team": {"service": "teamchat", "auth": {"type": "bearer", "token": "team-token"}},
    }})
}

/// A message; those with a key share their number with an earlier one now and then.
fn message(n: usize, rng: &mut Rng, clock: &SimClock) -> (usize, Value) {
    let twin = rng.u32(0..20) == 0 && n > 10;
    let number = if twin { n - n % 10 } else { n };
    let text = format!("msg-{number:07}");
    let keyed = twin || n.is_multiple_of(10);
    let mut message = match if keyed { 0 } else { rng.u32(0..7) } {
        0 => json!({"account": "ff", "to": {"user": "u"}, "text": text}),
        1 => json!({"account": "wb", "to": {"user": rng.u32(0..20).to_string()}, "text": text}),
        6 => circulars::message(number, rng),
        4 => {
            json!({"account": "corp", "to": {"user": format!("c{}", rng.u32(0..4))}, "text": text})
        }
        5 => {
            let (kind, to) = [("user", "t"), ("channel", "n")][rng.usize(0..2)];
            json!({"account": "team", "to": {kind: format!("{to}{}", rng.u32(0..3))}, "text": text})
        }
        k => {
            let account = if k == 2 { "im" } else { "im2" };
            json!({"account": account, "to": {"group": format!("g{}", rng.u32(0..4))}, "text": text})
        }
    };
    message["v"] = json!(1);
    if keyed {
        message["key"] = json!(format!("k{number}"));
    }
    if rng.u32(0..10) == 0 {
        message["deadline_ms"] = json!(rng.u64(0..60_000));
    }
    if rng.u32(0..20) == 0 {
        message["not_before_ms"] = json!(clock.unix_ms() + rng.u64(0..30_000));
    }
    if rng.u32(0..10) == 0 {
        message["ordered"] = json!(true);
    }
    (number, message)
}

/// What a caller knows of each of his messages.
struct Sent {
    number: usize,
    accepted: Duration,
    deadline: Option<Duration>,
    is_circular: bool,
}

/// Accepts a message, once there is room; `None` from a closed client.
async fn accept(shared: &Arc<Shared>, message: &Message, token: u64) -> Option<Box<Job>> {
    loop {
        assert!(shared.in_flight.load(Ordering::Relaxed) <= MOST, "more is held than may be");
        match shared.accept(Ok(message.clone()), token, Sink::Queue(None), None) {
            Ok(job) => return Some(job),
            Err(error) if error.code() == ErrorCode::Full => {
                shared.clock.sleep_until(shared.clock.now() + Duration::from_millis(50)).await;
            }
            Err(_) => return None,
        }
    }
}

/// Once every message has its result, nothing of them is left.
fn nothing_is_left(shared: &Shared) {
    assert_eq!(shared.in_flight.load(Ordering::Relaxed), 0, "a place was never given back");
    assert_eq!((shared.sends.unfinished(), shared.recipient_queues.len()), (0, 0));
    let (keys, done) = shared.keys.len();
    assert_eq!(keys, done, "a key without a message");
    assert!(keys <= 100_001, "{keys} keys are remembered");
    // One of each account or app, of each group and recipient, and of the address.
    assert!(shared.windows.len() <= 16 + 2 * 4 + 6 + 4, "{} windows", shared.windows.len());
    for entry in shared.accounts.all() {
        let waits = [Why::Time, Why::Key, Why::Order, Why::Pace, Why::Connection];
        assert!(waits.iter().all(|why| entry.stats.waits(*why) == 0), "who waits?");
        assert_eq!((entry.in_flight.load(Ordering::Relaxed), entry.permits.in_use()), (0, 0));
    }
}

async fn live(seed: u64, messages: usize) -> (Vec<Sent>, Vec<(Duration, Receipt)>, Record) {
    let mut rng = Rng::with_seed(seed);
    let clock = Arc::new(SimClock { time: TokioClock::default(), jump_ms: AtomicI64::new(0) });
    let world = Arc::new(World {
        clock: Arc::clone(&clock),
        rng: Mutex::new(rng.fork()),
        record: Mutex::default(),
    });
    let config = ClientConfig::from_value(config()).expect("a valid configuration");
    let transport = Carrier::Scripted(Box::new(Arc::clone(&world)));
    let shared = Shared::new(config, transport, clock.clone(), rng.u64(..));
    let shared = Arc::new(shared.expect("valid accounts"));
    let close_at = (rng.u32(0..4) == 0).then(|| rng.usize(0..messages));
    let (mut sent, submits) = (Vec::new(), Submits::of(&shared));
    for n in 0..messages {
        if close_at == Some(n) {
            shared.sends.refuse();
            shared.stop.stop();
        }
        if rng.u32(0..50) == 0 {
            clock.jump_ms.store(rng.i64(-10_000_000..10_000_000), Ordering::Relaxed);
        }
        if rng.u32(0..100) == 0 {
            // The account becomes another, or again the one that it was.
            let mut account = self::config()["accounts"]["im2"].take();
            account["auth"]["sdk_app_id"] = json!(rng.u32(1..3));
            let config = AccountConfig::from_value(account, "accounts.im2").expect("an account");
            shared.accounts.set("im2", config, &shared.windows, clock.now()).expect("valid");
        }
        if rng.u32(0..200) == 0 {
            let account = self::config()["accounts"]["corp"].take();
            let config = AccountConfig::from_value(account, "accounts.corp").expect("an account");
            shared.accounts.set("corp", config, &shared.windows, clock.now()).expect("valid");
            world.lock().apps.set.push(clock.now());
        }
        if rng.u32(0..8) == 0 {
            let pause = Duration::from_millis(rng.u64(0..40));
            clock.sleep_until(clock.now() + pause).await;
        }
        let (number, message) = message(n, &mut rng, &clock);
        let built = Message::from_json(&message.to_string()).expect("a valid message");
        let Some(mut job) = accept(&shared, &built, sent.len() as u64).await else {
            assert!(close_at.is_some_and(|at| n >= at), "only a closed client refuses");
            continue;
        };
        let deadline = message["deadline_ms"].as_u64().map(Duration::from_millis);
        let is_circular = message["account"] == "circ";
        sent.push(Sent { number, accepted: clock.now(), deadline, is_circular });
        if rng.u32(0..30) == 0 {
            let (op, clock) = (job.op(), Arc::clone(&clock));
            let after = Duration::from_millis(rng.u64(0..5000));
            tokio::spawn(async move {
                clock.sleep_until(clock.now() + after).await;
                op.cancel();
            });
        }
        submits.begin(job);
    }
    let results = submits.results().await;
    nothing_is_left(&shared);
    let record = std::mem::take(&mut *world.lock());
    (sent, results, record)
}

fn run(seed: u64, messages: usize) -> (usize, usize) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
    let ever = Duration::from_secs(30 * 86_400);
    let lived = runtime.block_on(async { tokio::time::timeout(ever, live(seed, messages)).await });
    let (sent, results, record) =
        lived.unwrap_or_else(|_| panic!("seed {seed}: something waits for ever"));
    promises::check(seed, &sent, &results, &record);
    (results.len(), record.seen.len() + record.circulars.len())
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

#[test]
fn a_random_world_never_breaks_a_promise() {
    let messages = usize::try_from(setting("HY_MESSAGES").unwrap_or(1000)).expect("fits");
    let seeds: Vec<u64> = match setting("HY_SEED") {
        Some(seed) => vec![seed],
        None => (0..setting("HY_SEEDS").unwrap_or(4)).collect(),
    };
    let next = std::sync::atomic::AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let (results, requests) = std::thread::scope(|scope| {
        let work = || {
            let mut total = (0, 0);
            while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (results, requests) = run(*seed, messages);
                total = (total.0 + results, total.1 + requests);
            }
            total
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let totals = handles.into_iter().map(|handle| match handle.join() {
            Ok(total) => total,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        totals.fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    });
    assert!(results > 0 && requests > results / 2, "the world was empty");
}

#[test]
fn a_seed_replays_exactly() {
    let story = |seed| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
        let (_, results, record) = runtime.block_on(live(seed, 300));
        let told = results.iter().map(|(at, r)| (*at, r.id.clone(), r.delivery.name(), r.attempts));
        let mut told: Vec<_> = told.collect();
        // Those who follow one key are told at once, in no order.
        told.sort();
        let requests: Vec<_> =
            record.seen.into_iter().map(|seen| (seen.at, seen.body.clone())).collect();
        (told, requests)
    };
    let (one, other) = (story(7), story(7));
    for (i, pair) in one.1.iter().zip(&other.1).enumerate() {
        assert_eq!(pair.0, pair.1, "request {i}");
    }
    assert_eq!(one.0, other.0);
    assert_ne!(story(7).1, story(8).1);
}
