//! Tokens: one request for all who wait, renewed in time, got anew once where one is refused.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Step, World, accept, accounts, answer, name_of};
use crate::engine::attempt::deliver::deliver;
use crate::model::receipt::{Delivery, Receipt};
use crate::net::Way;
use crate::service::api::{Answer, HttpRequest};

const SECOND: Duration = Duration::from_secs(1);

fn message(account: &str, text: &str) -> Value {
    json!({"v": 1, "account": account, "to": {"user": text}, "text": text})
}

fn body(text: &str) -> Answer {
    Answer { status: 200, body: text.as_bytes().to_vec(), ..Answer::default() }
}

fn token(n: usize, expire: u64) -> Answer {
    body(
        &json!({"code": 0, "msg": "ok", "token": format!("token-{n}"), "expire": expire})
            .to_string(),
    )
}

fn sent() -> Step {
    answer(200, r#"{"code":0,"msg":"ok","message_id":"m1"}"#)
}

fn refused(code: u32) -> Step {
    answer(200, &json!({"code": code, "msg": "no"}).to_string())
}

/// A world that gives tokens, each with its number; `take` says what a message with one of them is
/// answered.
fn world(
    expire: u64,
    late: Duration,
    take: impl Fn(&str) -> Step + Send + Sync + 'static,
) -> World {
    let tokens = AtomicUsize::new(0);
    World::new([refused(99_999_999)]).replies(move |request| {
        Some(match request.url.path() {
            "/token" => {
                let n = tokens.fetch_add(1, Ordering::Relaxed) + 1;
                Step::Late { after: late, answer: token(n, expire) }
            }
            _ => take(carried(request)),
        })
    })
}

/// The token that a request carries.
fn carried(request: &HttpRequest) -> &str {
    let header = request.headers.authorization.as_deref().expect("a token");
    header.strip_prefix("Bearer ").expect("Bearer")
}

fn counts(world: &World) -> (usize, usize) {
    (world.requests_for("/token").len(), world.requests_for("/messages").len())
}

#[test]
fn all_who_wait_share_one_request() {
    let world = world(7200, SECOND, |_| sent());
    let receipts = world.send_at_once((0..64).map(|n| message("corp", &format!("u{n}"))));
    assert!(receipts.iter().all(|receipt| receipt.delivery == Delivery::Sent));
    assert_eq!(counts(&world), (1, 64));
    assert!(world.requests_for("/messages").iter().all(|r| carried(r) == "token-1"));
    assert!(receipts.iter().all(|receipt| receipt.attempts == 1));
}

#[test]
fn accounts_of_one_app_share_its_token_and_others_have_their_own() {
    let mut all = accounts();
    all["same"] = all["corp"].clone();
    all["other"] = all["corp"].clone();
    all["other"]["auth"]["secret"] = "another".into();
    all["elsewhere"] = all["corp"].clone();
    all["elsewhere"]["base_url"] = "https://127.0.0.1:1".into();
    let world = world(7200, SECOND, |_| sent()).with("accounts", all);
    let names = ["corp", "same", "other", "elsewhere", "same", "corp"];
    let receipts = world.send_at_once(names.map(|name| message(name, "u1")));
    assert!(receipts.iter().all(|receipt| receipt.delivery == Delivery::Sent));
    assert_eq!(counts(&world), (3, 6));
}

#[test]
fn a_refusal_is_shared_and_remembered_for_five_seconds() {
    let refuses = Arc::new(AtomicUsize::new(1));
    let asked = Arc::clone(&refuses);
    let world = World::new([sent()]).replies(move |request| {
        let refuses = request.url.path() == "/token"
            && asked
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok();
        match request.url.path() {
            "/token" if refuses => {
                let answer = body(r#"{"code":10014000,"msg":"app-secret is wrong"}"#);
                Some(Step::Late { after: SECOND, answer })
            }
            "/token" => Some(Step::Answer(token(1, 60))),
            _ => None,
        }
    });
    let receipts: Vec<Receipt> = world.live(|shared| async move {
        let send = |n: usize| {
            let mut job = accept(&shared, message("corp", &format!("u{n}")), None);
            tokio::spawn(async move { *deliver(&mut job).await.expect("the caller's receipt") })
        };
        let first: Vec<_> = (0..20).map(send).collect();
        let mut receipts = Vec::new();
        for task in first {
            receipts.push(task.await.expect("no panic"));
        }
        tokio::time::sleep(SECOND * 4).await;
        receipts.push(send(20).await.expect("no panic"));
        tokio::time::sleep(SECOND).await;
        receipts.push(send(21).await.expect("no panic"));
        receipts
    });
    for receipt in &receipts[..21] {
        assert_eq!((receipt.delivery, name_of(receipt)), (Delivery::NotSent, "auth"));
        let error = receipt.error.as_ref().expect("an error");
        assert_eq!((error.service_code(), error.http_status()), (Some("10014000"), Some(200)));
        assert!(!error.to_string().contains("app-secret"), "{error}");
    }
    assert_eq!(receipts[21].delivery, Delivery::Sent, "five seconds later it is asked again");
    assert_eq!(counts(&world), (2, 1));
}

#[test]
fn a_token_is_used_no_longer_than_it_holds_however_short_that_is() {
    for (expire, pause, tokens) in [(2, 1000, 2), (2, 2500, 4), (1, 10, 1), (0, 1, 4)] {
        let world = world(expire, Duration::ZERO, |_| sent());
        let receipts = world.live(|shared| async move {
            let mut receipts = Vec::new();
            for n in 0..4 {
                let mut job = accept(&shared, message("corp", &format!("u{n}")), None);
                receipts.push(deliver(&mut job).await.expect("the caller's receipt"));
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            receipts
        });
        assert!(receipts.iter().all(|receipt| receipt.delivery == Delivery::Sent));
        assert_eq!(counts(&world), (tokens, 4), "{expire} s, a message each {pause} ms");
    }
}

#[test]
fn a_token_is_renewed_ahead_of_its_end_and_the_others_do_not_wait_for_that() {
    for renewal in [true, false] {
        let tokens = AtomicUsize::new(0);
        let world = World::new([sent()]).replies(move |request| {
            (request.url.path() == "/token").then(|| {
                let n = tokens.fetch_add(1, Ordering::Relaxed) + 1;
                match n {
                    1 => Step::Answer(token(1, 100)),
                    _ if renewal => Step::Late { after: SECOND, answer: token(n, 100) },
                    _ => Step::Fail { way: Way::Network, begun: true },
                }
            })
        });
        let took = world.live(|shared| async move {
            let send = |n: usize| {
                let mut job = accept(&shared, message("corp", &format!("u{n}")), None);
                tokio::spawn(async move { deliver(&mut job).await.expect("the caller's receipt") })
            };
            send(0).await.expect("no panic");
            tokio::time::sleep(SECOND * 95).await;
            let mut took = Vec::new();
            for task in (1..6).map(send).collect::<Vec<_>>() {
                let receipt = task.await.expect("no panic");
                assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 1));
                took.push(receipt.elapsed_ms);
            }
            took
        });
        let waited = took.iter().filter(|took| **took >= 1000).count();
        assert_eq!(waited, usize::from(renewal), "one renews it: {took:?}");
        let carried: Vec<_> =
            world.requests_for("/messages").iter().map(|r| carried(r).to_owned()).collect();
        let new = carried.iter().filter(|token| *token == "token-2").count();
        assert_eq!(new, usize::from(renewal), "the old one holds: {carried:?}");
    }
}

#[test]
fn a_token_that_is_refused_is_got_anew_once() {
    let ends = |token: &str| if token == "token-1" { refused(99_991_663) } else { sent() };
    let one = world(7200, SECOND, ends);
    let receipts = one.send_at_once((0..10).map(|n| message("corp", &format!("u{n}"))));
    for receipt in &receipts {
        assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 2));
    }
    assert_eq!(counts(&one), (2, 20));

    let never = world(7200, SECOND, |_| refused(99_991_663));
    let receipts = never.send_at_once((0..10).map(|n| message("corp", &format!("u{n}"))));
    for receipt in &receipts {
        assert_eq!((receipt.delivery, name_of(receipt)), (Delivery::NotSent, "auth"));
    }
    assert_eq!(counts(&never), (2, 20), "never in a loop");
}

#[test]
fn a_service_that_refuses_each_token_it_gives_is_asked_for_no_more_than_one_in_five_seconds() {
    let world = world(7200, Duration::ZERO, |token| match token {
        "token-1" | "token-2" | "token-3" => {
            answer(200, &json!({"code": 99_991_663, "msg": format!("no {token}")}).to_string())
        }
        _ => sent(),
    });
    let receipts = world.live(|shared| async move {
        let mut receipts = Vec::new();
        for n in 0..23 {
            if n >= 20 {
                tokio::time::sleep(SECOND * 5).await;
            }
            let mut job = accept(&shared, message("corp", &format!("u{n}")), None);
            receipts.push(deliver(&mut job).await.expect("the caller's receipt"));
        }
        receipts
    });
    for receipt in &receipts[..21] {
        assert_eq!((receipt.delivery, name_of(receipt)), (Delivery::NotSent, "auth"));
        let error = receipt.error.as_ref().expect("an error");
        assert_eq!((error.service_code(), error.http_status()), (Some("99991663"), Some(200)));
        assert!(!error.to_string().contains("token-"), "{error}");
    }
    assert!(receipts[21..].iter().all(|receipt| receipt.delivery == Delivery::Sent));
    // Two at first, one after the next five seconds, and one that works.
    assert_eq!(counts(&world), (4, 5));
}

#[test]
fn a_token_that_ends_after_each_message_is_got_anew_each_time() {
    let used = Mutex::new(std::collections::HashSet::new());
    let once = move |token: &str| match used.lock().expect("no panic").insert(token.to_owned()) {
        true => sent(),
        false => refused(99_991_663),
    };
    let world = world(7200, Duration::ZERO, once);
    let receipts = world.live(|shared| async move {
        let mut receipts = Vec::new();
        for n in 0..5 {
            let mut job = accept(&shared, message("corp", &format!("u{n}")), None);
            receipts.push(deliver(&mut job).await.expect("the caller's receipt"));
        }
        receipts
    });
    assert!(receipts.iter().all(|receipt| receipt.delivery == Delivery::Sent));
    assert_eq!(counts(&world), (5, 9));
}

#[test]
fn many_who_wait_for_a_service_that_is_down_ask_as_seldom_as_one() {
    let down = World::new([answer(502, "<html>proxy</html>")])
        .with("retry", json!({"max_attempts": 3, "initial_ms": 100, "max_ms": 1000}));
    let receipts = down.send_at_once((0..30).map(|n| message("corp", &format!("u{n}"))));
    for receipt in &receipts {
        assert_eq!((receipt.delivery, name_of(receipt)), (Delivery::NotSent, "service"));
        assert_eq!((receipt.attempts, receipt.elapsed_ms), (3, 300));
    }
    assert_eq!(counts(&down), (3, 0));
}

#[test]
fn a_token_that_does_not_come_is_told_as_it_is_and_nothing_is_sent() {
    let retry = || json!({"max_attempts": 3});
    for (step, name) in [
        (Step::Hang { begun: true }, "timeout"),
        (Step::Fail { way: Way::Network, begun: true }, "network"),
        (Step::Fail { way: Way::Tls, begun: false }, "tls"),
        (answer(502, "<html>proxy</html>"), "service"),
        (answer(200, "<html>proxy</html>"), "protocol"),
        (answer(200, r#"{"code":0,"msg":"ok"}"#), "protocol"),
        (answer(200, r#"{"code":0,"msg":"ok","token":7,"expire":60}"#), "protocol"),
    ] {
        let world = World::new([step]).with("retry", retry());
        let receipt = world.send(message("corp", "u1"));
        assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, name));
        assert_eq!((counts(&world), receipt.attempts), ((3, 0), 3), "{name}");
        let error = receipt.error.expect("an error");
        assert!(error.words().starts_with("no token: "), "{error}");
        assert!(!error.to_string().contains("after the request was sent"), "{error}");
    }
    let down = AtomicU64::new(0);
    let world = World::new([sent()]).replies(move |request| {
        let first = down.fetch_add(1, Ordering::Relaxed) == 0;
        (request.url.path() == "/token").then(|| match first {
            true => Step::Fail { way: Way::Network, begun: true },
            false => Step::Answer(token(1, 60)),
        })
    });
    let receipt = world.send(message("corp", "u1"));
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 2), "it is tried again");
}

#[test]
fn a_request_goes_on_when_the_one_who_began_it_goes_away() {
    let world = world(7200, SECOND * 2, |_| sent());
    let (first, second) = world.live(|shared| async move {
        let send = |patience, user| {
            let mut job = accept(&shared, message("corp", user), patience);
            tokio::spawn(async move { deliver(&mut job).await.expect("the caller's receipt") })
        };
        let first = send(Some(SECOND), "u1");
        tokio::task::yield_now().await;
        let second = send(None, "u2");
        (first.await.expect("no panic"), second.await.expect("no panic"))
    });
    assert_eq!((first.delivery, name_of(&first)), (Delivery::NotSent, "timeout"));
    assert_eq!((second.delivery, second.elapsed_ms), (Delivery::Sent, 2000));
    assert_eq!(counts(&world), (1, 1));
}

#[test]
fn a_request_that_nobody_waits_for_is_given_up() {
    let world = world(7200, SECOND * 2, |_| sent());
    let elapsed = world.live(|shared| async move {
        let mut first = accept(&shared, message("corp", "u1"), Some(SECOND));
        deliver(&mut first).await.expect("the caller's receipt");
        tokio::time::sleep(SECOND * 60).await;
        let mut second = accept(&shared, message("corp", "u2"), None);
        deliver(&mut second).await.expect("the caller's receipt").elapsed_ms
    });
    assert_eq!((counts(&world), elapsed), ((2, 1), 2000), "asked anew, with its own time");
}

#[test]
fn a_token_is_shown_by_nothing() {
    let shows = |_: &str| answer(200, r#"{"code":10013000,"msg":"no user for token-1"}"#);
    let world = world(7200, Duration::ZERO, shows);
    let receipt = world.send(message("corp", "u1"));
    assert_eq!(name_of(&receipt), "not_found");
    let shown = receipt.to_json();
    assert!(!shown.contains("token-1") && shown.contains("***"), "{shown}");
    let last = Mutex::new(receipt);
    assert!(!format!("{:?}", last.lock().expect("no panic").error).contains("token-1"));
}
