//! Submitted messages that wait: they are data then, and still heard of.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Step, Submits, World, answer, name_of};
use crate::engine::Shared;
use crate::engine::account::stats::Why;
use crate::model::config::AccountConfig;
use crate::model::receipt::{Delivery, Receipt};
use crate::net::Way;

const SECOND: Duration = Duration::from_secs(1);
/// More than are ever tasks because they wait.
const MANY: usize = 200;
const MOST_TASKS: usize = 64 + 2;

fn account(rate: Value) -> Value {
    json!({"service": "weibo", "auth": {"type": "oauth2", "token": "weibo-token"}, "rate": rate})
}

/// A world with an account of this rate, whose every message arrives.
fn world(rate: Value) -> World {
    World::new([answer(200, r#"{"id":1,"idstr":"1"}"#)])
        .with("accounts", json!({"a": account(rate)}))
}

fn hourly() -> Value {
    json!({"count": 1, "per_ms": 3_600_000})
}

fn message(number: usize) -> Value {
    json!({"v": 1, "account": "a", "to": {"user": "1"}, "text": format!("message {number}")})
}

/// Submits so many, and lets them come to where they wait.
async fn submit(submits: &Submits, count: usize) {
    for number in 0..count {
        submits.submit(message(number), number as u64);
    }
    pause(submits, 1).await;
}

async fn pause(submits: &Submits, ms: u64) {
    let clock = &submits.shared.clock;
    clock.sleep_until(clock.now() + Duration::from_millis(ms)).await;
}

fn waits(shared: &Shared, why: Why) -> usize {
    shared.accounts.get("a").expect("an account").stats.waits(why) as usize
}

fn is_sent((_, receipt): &(Duration, Receipt)) -> bool {
    receipt.delivery == Delivery::Sent
}

#[test]
fn what_waits_for_its_pace_is_no_task_and_goes_in_order_when_its_turn_comes() {
    world(json!({"count": 10, "per_ms": 1000})).live(|shared| async move {
        let (submits, began) = (Submits::of(&shared), shared.clock.now());
        submit(&submits, MANY).await;
        assert!(submits.tasks() <= MOST_TASKS, "{} tasks", submits.tasks());
        assert_eq!(waits(&shared, Why::Pace), MANY - 10, "all of them are counted");
        let results = submits.results().await;
        assert!(results.len() == MANY && results.iter().all(is_sent));
        let order: Vec<_> = results.iter().map(|(_, receipt)| receipt.token).collect();
        assert!(order.is_sorted(), "{order:?}");
        let took = results[MANY - 1].0 - began;
        let least = SECOND * u32::try_from(MANY / 10 - 1).expect("few");
        assert!(least <= took && took < least + SECOND, "{took:?}");
        assert_eq!(waits(&shared, Why::Pace), 0);
    });
}

#[test]
fn what_waits_for_its_time_is_no_task_and_goes_at_its_time() {
    world(Value::Null).live(|shared| async move {
        let (submits, unix_ms) = (Submits::of(&shared), shared.clock.unix_ms());
        let began = shared.clock.now();
        for number in 0..MANY {
            // The later ones are submitted first.
            let mut message = message(number);
            message["not_before_ms"] = json!(unix_ms + 60_000 - 100 * number as u64);
            submits.submit(message, number as u64);
        }
        pause(&submits, 1000).await;
        assert_eq!((submits.tasks(), waits(&shared, Why::Time)), (0, MANY));
        let results = submits.results().await;
        assert!(results.iter().all(is_sent));
        let times: Vec<u64> = results
            .iter()
            .map(|(at, receipt)| (*at - began).as_millis() as u64 + 100 * receipt.token)
            .collect();
        let is_due = |at: &u64| (59_900..60_100).contains(at);
        assert!(times.iter().all(is_due), "{times:?}");
    });
}

#[test]
fn one_that_waits_ends_at_once_when_it_is_cancelled_and_when_it_is_too_late() {
    world(hourly()).live(|shared| async move {
        let submits = Submits::of(&shared);
        submit(&submits, MANY).await;
        let mut timely = message(MANY + 1);
        timely["deadline_ms"] = json!(5000);
        let mut later = timely.clone();
        later["not_before_ms"] = json!(shared.clock.unix_ms() + 10_000);
        let op = submits.submit(message(MANY), 1000);
        submits.submit(timely, 1001);
        submits.submit(later, 1002);
        let tasks = submits.tasks();
        pause(&submits, 1).await;
        assert_eq!(submits.tasks(), tasks, "they wait, and are none");
        assert_eq!(submits.told().len(), 1, "the first has gone");

        op.cancel();
        let cancelled = shared.clock.now();
        pause(&submits, 1).await;
        let told = submits.told();
        let [(at, receipt)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((receipt.token, name_of(receipt)), (1000, "cancelled"));
        assert_eq!((*at, receipt.delivery), (cancelled, Delivery::NotSent));

        pause(&submits, 5000).await;
        let told = submits.told();
        let mut names: Vec<_> =
            told.iter().map(|(_, r)| (r.token, name_of(r), r.deadline)).collect();
        names.sort_unstable();
        assert_eq!(names, [(1001, "expired", true), (1002, "expired", true)]);
        assert_eq!(waits(&shared, Why::Pace), MANY - 1);

        // Whoever cancels before it has come to wait does so for good.
        submits.submit(message(MANY + 2), 1003).cancel();
        pause(&submits, 1).await;
        assert_eq!(name_of(&submits.told()[0].1), "cancelled");
    });
}

/// What becomes of many that wait when something happens to their account.
fn after(happens: impl FnOnce(&Shared)) -> (Vec<Receipt>, usize) {
    world(hourly()).live(|shared| async move {
        let submits = Submits::of(&shared);
        submit(&submits, MANY).await;
        drop(submits.told());
        happens(&shared);
        pause(&submits, 2).await;
        let told = submits.told().into_iter().map(|(_, receipt)| receipt).collect();
        (told, submits.tasks())
    })
}

#[test]
fn those_that_wait_end_with_their_account_and_with_their_client() {
    let (told, tasks) = after(|shared| shared.accounts.remove("a").expect("it was there"));
    assert!(told.len() == MANY - 1 && told.iter().all(|receipt| name_of(receipt) == "config"));
    assert!(tasks <= MOST_TASKS, "they end as what they are: {tasks}");
    let (told, tasks) = after(|shared| shared.stop.stop());
    assert!(told.len() == MANY - 1 && told.iter().all(|receipt| name_of(receipt) == "cancelled"));
    assert!(tasks <= MOST_TASKS, "{tasks}");
    let (told, _) = after(|shared| {
        let why = crate::model::error::Error::new(crate::model::error::ErrorCode::Auth, "revoked");
        shared.accounts.get("a").expect("an account").halt.stop(why, shared.clock.now());
        shared.accounts.has_changed();
    });
    assert!(told.len() == MANY - 1 && told.iter().all(|receipt| name_of(receipt) == "auth"));
}

#[test]
fn those_that_wait_go_at_the_pace_of_an_account_that_is_set_anew() {
    let (told, _) = after(|shared| {
        let config = AccountConfig::from_value(account(Value::Null), "accounts.a");
        let config = config.expect("an account");
        shared.accounts.set("a", config, &shared.windows, shared.clock.now()).expect("valid");
    });
    let sent = told.iter().filter(|receipt| receipt.delivery == Delivery::Sent).count();
    assert!(sent >= MANY - 1 - MOST_TASKS, "all that were no tasks yet: {sent}");
}

#[test]
fn a_recipient_whose_window_is_full_is_in_nobody_else_s_way() {
    let team = |channel: &str, number: usize| json!({"v": 1, "account": "team", "to": {"channel": channel}, "text": number.to_string()});
    World::new([answer(200, r#"{"ok":true,"note":"","id":"m1"}"#)]).live(|shared| async move {
        let submits = Submits::of(&shared);
        (0..MANY).for_each(|number| drop(submits.submit(team("n1", number), number as u64)));
        submits.submit(team("n2", MANY), MANY as u64);
        pause(&submits, 1).await;
        let told = submits.told();
        assert_eq!(
            told.len(),
            10 + 1,
            "as many as the window of a channel lets through, and the other"
        );
        assert!(told.iter().any(|(_, receipt)| receipt.token == MANY as u64));
        assert!(submits.results().await.len() == MANY - 10);
    });
}

#[test]
fn what_waits_for_a_connection_behind_many_is_no_task() {
    let late = Step::Late {
        after: SECOND,
        answer: match answer(200, r#"{"id":1,"idstr":"1"}"#) {
            Step::Answer(answer) => answer,
            _ => unreachable!("it is an answer"),
        },
    };
    let world = World::new([late]).with("accounts", json!({"a": account(Value::Null)}));
    world.with("max_connections_per_host", json!(4)).live(|shared: Arc<Shared>| async move {
        let (submits, began) = (Submits::of(&shared), shared.clock.now());
        submit(&submits, MANY).await;
        assert!(submits.tasks() <= 4 + 64 + MOST_TASKS, "{} tasks", submits.tasks());
        assert_eq!(waits(&shared, Why::Connection), MANY - 4);
        let results = submits.results().await;
        assert!(results.len() == MANY && results.iter().all(is_sent));
        let took = results[MANY - 1].0 - began;
        assert_eq!(took.as_secs(), MANY as u64 / 4, "no connection was idle");
    });
}

#[test]
fn what_waits_for_its_next_attempt_is_no_task() {
    let lost = || Step::Fail { way: Way::Network, begun: false };
    let steps = (0..MANY).map(|_| lost()).chain([answer(200, r#"{"id":1,"idstr":"1"}"#)]);
    let world = World::new(steps).with("accounts", json!({"a": account(Value::Null)}));
    world.with("retry", json!({"initial_ms": 5000, "max_ms": 5000})).live(|shared| async move {
        let submits = Submits::of(&shared);
        submit(&submits, MANY - 1).await;
        let op = submits.submit(message(MANY), MANY as u64);
        pause(&submits, 1).await;
        assert_eq!((submits.tasks(), waits(&shared, Why::Time)), (0, MANY), "each was tried once");
        op.cancel();
        pause(&submits, 1).await;
        let told = submits.told();
        let [(_, receipt)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((name_of(receipt), receipt.attempts), ("cancelled", 1));
        let results = submits.results().await;
        assert!(results.len() == MANY - 1 && results.iter().all(is_sent));
        assert!(results.iter().all(|(_, receipt)| receipt.attempts == 2));
    });
}
