//! "Repeated" clears a doubt only where nobody else of the client can have sent those words.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Step, World, accept, accounts, answer, body, http, name_of};
use crate::engine::Shared;
use crate::engine::attempt::deliver::deliver;
use crate::engine::runtime::TokioClock;
use crate::model::config::{AccountConfig, ClientConfig};
use crate::model::receipt::{Delivery, Receipt};
use crate::net::{Alarm, Boxed, Carrier, Clock, Failure, Scripted, Way};
use crate::service::api::{Answer, HttpRequest, Wire};

fn resend() -> Value {
    json!({"on_maybe_sent": "resend", "max_attempts": 3, "initial_ms": 100})
}

fn text(account: &str, to: &str, text: &str) -> Value {
    json!({"v": 1, "account": account, "to": {"user": to}, "text": text})
}

fn doubt() -> Step {
    Step::Fail { way: Way::Network, begun: true }
}

fn taken() -> Step {
    answer(200, r#"{"id":1,"idstr":"1"}"#)
}

fn repeated() -> Step {
    answer(400, &json!({"error_code": 20019, "error": "repeat content"}).to_string())
}

fn refused() -> Step {
    answer(400, &json!({"error_code": 21327, "error": "expired_token"}).to_string())
}

fn told(receipt: &Receipt) -> (Delivery, &'static str, bool) {
    (receipt.delivery, name_of(receipt), receipt.deduplicated)
}

const PROVEN: (Delivery, &str, bool) = (Delivery::Sent, "ok", true);
const OPEN: (Delivery, &str, bool) = (Delivery::MaybeSent, "duplicate", false);

/// Two accounts that are one user to the service beside a third.
fn world(steps: impl IntoIterator<Item = Step>) -> World {
    let mut all = accounts();
    all["weibo2"] = all["weibo"].clone();
    all["weibo2"]["auth"]["send"] = json!("header");
    World::new(steps).with("retry", resend()).with("accounts", all)
}

#[test]
fn another_of_the_same_words_at_the_same_time_leaves_the_doubt() {
    let mine = || text("weibo", "1", "hello");
    for other in [
        mine(),
        text("weibo2", "1", "hello"),
        text("weibo2", "1", "hello \n"),
        json!({"v": 1, "account": "weibo", "to": {"name": "one"}, "text": "hello"}),
    ] {
        let world = world([taken(), doubt(), repeated()]);
        let receipts = world.send_at_once([other.clone(), mine()]);
        assert_eq!(told(&receipts[0]), (Delivery::Sent, "ok", false), "{other}");
        assert_eq!(told(&receipts[1]), OPEN, "{other}");
        // Of two in doubt nobody can say which the service means.
        let world = self::world([doubt(), doubt(), repeated()]);
        let receipts = world.send_at_once([other.clone(), mine()]);
        assert!(receipts.iter().all(|receipt| told(receipt) == OPEN), "{other}");
    }
}

#[test]
fn other_words_recipients_and_services_leave_it_proven() {
    for other in [
        text("weibo", "1", "hello!"),
        text("weibo", "2", "hello"),
        json!({"v": 1, "account": "weibo", "to": {"name": "one"}, "text": "hello!"}),
    ] {
        let world = world([taken(), doubt(), repeated()]);
        let receipts = world.send_at_once([other.clone(), text("weibo", "1", "hello")]);
        assert_eq!(told(&receipts[1]), PROVEN, "{other}");
    }
    let world = world([taken(), doubt(), repeated()]);
    let receipts = world.send_all([text("sina", "1", "hello"), text("weibo", "1", "hello")]);
    assert_eq!(told(&receipts[1]), PROVEN);
}

#[test]
fn another_that_surely_did_not_arrive_leaves_it_proven() {
    let two = || [text("weibo", "1", "hello"), text("weibo2", "1", "hello")];
    let world = self::world([refused(), doubt(), repeated()]);
    let receipts = world.send_at_once(two());
    assert_eq!((receipts[0].delivery, told(&receipts[1])), (Delivery::NotSent, PROVEN));
    let world = self::world([refused(), doubt(), repeated()]);
    let receipts = world.send_all(two());
    assert_eq!((receipts[0].delivery, told(&receipts[1])), (Delivery::NotSent, PROVEN));
}

#[test]
fn what_went_just_before_by_any_account_leaves_the_doubt() {
    let (one, two) = (text("weibo", "1", "hello"), text("weibo2", "1", "hello"));
    let between = |recipient| text("weibo", recipient, "between");
    for (before, expected) in [
        (vec![two.clone()], OPEN),
        (vec![two.clone(), between("2")], OPEN),
        (vec![two.clone(), between("1")], PROVEN),
        (vec![between("1")], PROVEN),
    ] {
        let steps = before.iter().map(|_| taken()).chain([doubt(), repeated()]);
        let world = self::world(steps);
        let receipts = world.send_all(before.into_iter().chain([one.clone()]));
        assert_eq!(receipts.last().map(told), Some(expected));
    }
}

/// One that was under way when the message came, and had its verdict before that one's first attempt.
#[test]
fn one_that_ended_while_the_message_waited_leaves_the_doubt() {
    for account in ["weibo", "weibo2"] {
        for replace in [false, true] {
            let world = self::world([taken(), taken(), doubt(), repeated()]);
            let receipt = world.live(|shared| async move {
                let later = shared.clock.unix_ms() + 2000;
                let mut mine = text("weibo", "1", "hello");
                mine["not_before_ms"] = json!(later);
                let mut job = accept(&shared, mine, None);
                let task = tokio::spawn(async move { deliver(&mut job).await });
                for message in [text(account, "1", "hello"), text(account, "1", "another")] {
                    shared.clock.sleep_until(shared.clock.now() + Duration::from_millis(100)).await;
                    let mut job = accept(&shared, message, None);
                    deliver(&mut job).await.expect("a receipt");
                }
                if replace {
                    let mut account = accounts()["weibo"].clone();
                    account["rate"] = json!({"count": 9, "per_ms": 10});
                    let config = AccountConfig::from_value(account, "accounts.weibo");
                    let config = config.expect("an account");
                    let now = shared.clock.now();
                    shared.accounts.set("weibo", config, &shared.windows, now).expect("valid");
                }
                task.await.expect("no panic").expect("a receipt")
            });
            assert_eq!(told(&receipt), OPEN);
        }
    }
}

/// A service that takes no text twice in a row, and is unwell: what it took and is not told is a doubt.
struct Picky {
    clock: Arc<TokioClock>,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    last: HashMap<String, String>,
    taken: HashMap<(String, String), usize>,
}

/// Recipient and text of a request.
fn words(request: &HttpRequest) -> (String, String) {
    let body = body(request);
    let field = |names: [&str; 2]| {
        let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(name, _)| names.contains(name));
        found.next().map(|(_, value)| value.to_owned()).expect("a field")
    };
    (field(["uid", "screen_name"]), field(["text", "text"]))
}

impl Scripted for Arc<Picky> {
    fn send<'a>(
        &'a self,
        wire: Wire,
        _time_out: &'a mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Boxed<'a, Result<Answer, Failure>> {
        let (world, (to, text)) = (Arc::clone(self), words(&http(wire)));
        Box::pin(async move {
            let sleep = |ms| world.clock.sleep_until(world.clock.now() + Duration::from_millis(ms));
            let (before, after) = {
                let mut state = world.state.lock().expect("no panic inside");
                (state.rng.u64(0..120), state.rng.u64(0..120))
            };
            let fails = || Err(Failure { way: Way::Network, words: "simulated".to_owned() });
            if before == 0 {
                return fails();
            }
            begun.store(true, Ordering::Release);
            sleep(before).await;
            let (answer, lost) = {
                let mut state = world.state.lock().expect("no panic inside");
                match state.rng.u32(0..10) {
                    0..3 => return fails(),
                    3 => ((400, json!({"error_code": 21327, "error": "no"})), false),
                    fate if state.last.get(&to) != Some(&text) => {
                        state.last.insert(to.clone(), text.clone());
                        *state.taken.entry((to, text)).or_default() += 1;
                        ((200, json!({"id": 1, "idstr": "1"})), fate < 6)
                    }
                    fate => ((400, json!({"error_code": 20019, "error": "repeat"})), fate < 6),
                }
            };
            sleep(after).await;
            if lost {
                return fails();
            }
            let (status, body) = (answer.0, answer.1.to_string().into_bytes());
            Ok(Answer { status, body, ..Answer::default() })
        })
    }
}

/// So many messages of few words to few people, by two accounts that are one user.
async fn live(seed: u64, messages: usize) -> (HashMap<(String, String), Vec<Receipt>>, State) {
    let mut rng = Rng::with_seed(seed);
    let clock = Arc::new(TokioClock::default());
    let state = State { rng: rng.fork(), last: HashMap::new(), taken: HashMap::new() };
    let world = Arc::new(Picky { clock: Arc::clone(&clock), state: Mutex::new(state) });
    let account = |send| {
        json!({"service": "weibo", "rate": null,
        "auth": {"type": "oauth2", "token": "weibo-token", "send": send}})
    };
    let config = json!({"v": 1, "retry": resend(), "max_in_flight": 1000,
        "accounts": {"a": account("form"), "b": account("header")}});
    let config = ClientConfig::from_value(config).expect("a valid configuration");
    let transport = Carrier::Scripted(Box::new(Arc::clone(&world)));
    let shared = Shared::new(config, transport, clock.clone(), rng.u64(..));
    let shared = Arc::new(shared.expect("valid accounts"));
    let mut tasks = Vec::new();
    for _ in 0..messages {
        let (to, words) = (rng.u32(0..3).to_string(), rng.u32(0..4).to_string());
        let message = text(if rng.bool() { "a" } else { "b" }, &to, &words);
        let mut job = accept(&shared, message, None);
        tasks.push(((to, words), tokio::spawn(async move { deliver(&mut job).await })));
        if rng.u32(0..30) == 0 {
            let account = account(if rng.bool() { "form" } else { "header" });
            let config = AccountConfig::from_value(account, "accounts.a").expect("an account");
            shared.accounts.set("a", config, &shared.windows, clock.now()).expect("valid");
        }
        clock.sleep_until(clock.now() + Duration::from_millis(rng.u64(0..400))).await;
    }
    let mut told: HashMap<_, Vec<Receipt>> = HashMap::new();
    for (words, task) in tasks {
        let receipt = task.await.expect("no panic").expect("the caller's receipt");
        told.entry(words).or_default().push(*receipt);
    }
    let mut state = world.state.lock().expect("no panic inside");
    let rng = state.rng.clone();
    let state =
        std::mem::replace(&mut *state, State { rng, last: HashMap::new(), taken: HashMap::new() });
    (told, state)
}

#[test]
fn no_more_are_told_sent_than_the_service_took() {
    let mut proven = 0;
    for seed in 0..60 {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
        let (told, state) = runtime.block_on(live(seed, 60));
        for (words, receipts) in told {
            let of = |delivery| receipts.iter().filter(|r| r.delivery == delivery).count();
            let sent = of(Delivery::Sent);
            let taken = state.taken.get(&words).copied().unwrap_or(0);
            assert!(sent <= taken, "seed {seed}, {words:?}: {sent} are sent, {taken} were taken");
            proven += receipts.iter().filter(|r| r.deduplicated).count();
        }
    }
    assert!(proven > 20, "{proven}: the world proves nothing");
}
