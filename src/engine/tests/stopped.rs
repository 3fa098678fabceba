//! Accounts that their service stops.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Step, World, accept, accounts, answer, name_of};
use crate::engine::Shared;
use crate::engine::attempt::deliver::deliver;
use crate::engine::runtime::stats;
use crate::model::config::AccountConfig;
use crate::model::receipt::{Delivery, Receipt};
use crate::net::Way;

const SECOND: Duration = Duration::from_secs(1);

fn message(user: &str) -> Value {
    json!({"v": 1, "account": "team", "to": {"channel": user}, "text": "hello"})
}

fn revoked() -> Step {
    answer(200, r#"{"ok":false,"note":"gone","error":"token_revoked"}"#)
}

fn sent() -> Step {
    answer(200, r#"{"ok":true,"note":"","id":"m1"}"#)
}

async fn send(shared: &std::sync::Arc<Shared>, message: Value) -> Receipt {
    let mut job = accept(shared, message, None);
    *deliver(&mut job).await.expect("the caller's receipt")
}

fn stopped(shared: &Shared) -> Value {
    let stats: Value = serde_json::from_str(&stats::to_json(shared)).expect("JSON");
    stats["accounts"]["team"]["stopped"].clone()
}

fn verdict(receipt: &Receipt) -> (Delivery, &'static str, u32) {
    (receipt.delivery, name_of(receipt), receipt.attempts)
}

const ENDED: (Delivery, &str, u32) = (Delivery::NotSent, "auth", 0);

#[test]
fn what_waits_and_what_comes_ends_at_once() {
    let mut all = accounts();
    all["team"]["rate"] = json!({"count": 1, "per_ms": 10_000});
    let world = World::new([revoked(), sent()]).with("accounts", all);
    world.live(|shared| async move {
        assert_eq!(stopped(&shared), Value::Null);
        let mut waiting: Vec<_> = (0..5).map(|n| message(&format!("c{n}"))).collect();
        waiting[3]["not_before_ms"] = json!(4_000_000_000_000_u64);
        let tasks: Vec<_> = waiting
            .into_iter()
            .map(|message| {
                let mut job = accept(&shared, message, None);
                tokio::spawn(async move { deliver(&mut job).await.expect("a receipt") })
            })
            .collect();
        let mut receipts = Vec::new();
        for task in tasks {
            receipts.push(task.await.expect("no panic"));
        }
        assert_eq!(verdict(&receipts[0]), (Delivery::NotSent, "auth", 1));
        for receipt in &receipts[1..] {
            assert_eq!((verdict(receipt), receipt.elapsed_ms), (ENDED, 0));
            let error = receipt.error.as_ref().expect("an error");
            assert_eq!(error.service_code(), Some("token_revoked"));
            assert!(error.hint_text().is_some_and(|hint| hint.contains("set the account anew")));
        }
        tokio::time::sleep(SECOND * 59).await;
        assert_eq!(verdict(&send(&shared, message("c9")).await), ENDED);
        let told = stopped(&shared);
        assert_eq!((&told["for_ms"], &told["probe_in_ms"]), (&json!(59_000), &json!(1000)));
        assert_eq!(told["service_code"], "token_revoked");
        let config = AccountConfig::from_value(accounts()["team"].clone(), "accounts.team");
        let set = shared.accounts.set(
            "team",
            config.expect("an account"),
            &shared.windows,
            shared.clock.now(),
        );
        set.expect("a valid account");
        assert_eq!(send(&shared, message("c9")).await.delivery, Delivery::Sent);
        assert_eq!(stopped(&shared), Value::Null);
    });
    assert_eq!(world.requests().len(), 2);
}

#[test]
fn a_minute_later_one_message_tries() {
    let late = |step| match step {
        Step::Answer(answer) => Step::Late { after: SECOND, answer },
        step => step,
    };
    let world = World::new([revoked(), late(revoked()), late(sent()), sent()]);
    world.live(|shared| async move {
        let both = async |first: &str, second: &str| {
            let mut jobs =
                [first, second].map(|user| accept(&shared, message(user), None)).into_iter();
            let mut next = || {
                let mut job = jobs.next().expect("two");
                tokio::spawn(async move { deliver(&mut job).await.expect("a receipt") })
            };
            let (one, other) = (next(), next());
            let (one, other) = (one.await.expect("no panic"), other.await.expect("no panic"));
            (verdict(&one), verdict(&other))
        };
        send(&shared, message("c0")).await;
        tokio::time::sleep(SECOND * 60).await;
        let (one, other) = both("c1", "c2").await;
        assert_eq!((one, other), ((Delivery::NotSent, "auth", 1), ENDED), "only one tries");
        tokio::time::sleep(SECOND * 59).await;
        assert_eq!(verdict(&send(&shared, message("c3")).await), ENDED, "stopped anew");
        tokio::time::sleep(SECOND).await;
        let (one, other) = both("c4", "c5").await;
        assert_eq!((one, other), ((Delivery::Sent, "ok", 1), ENDED));
        assert_eq!(send(&shared, message("c6")).await.delivery, Delivery::Sent);
    });
    assert_eq!(world.requests().len(), 4);
}

#[test]
fn a_try_that_tells_nothing_leaves_the_next_one_to_another() {
    let lost = Step::Fail { way: Way::Network, begun: true };
    let world = World::new([revoked(), lost, sent()]);
    world.live(|shared| async move {
        send(&shared, message("c0")).await;
        tokio::time::sleep(SECOND * 60).await;
        assert_eq!(send(&shared, message("c1")).await.delivery, Delivery::MaybeSent);
        assert_eq!(send(&shared, message("c2")).await.delivery, Delivery::Sent);
    });
}

#[test]
fn a_doubt_stays_one_when_the_account_is_stopped() {
    let doubt = Step::Fail { way: Way::Network, begun: true };
    let ok = |id: &str| answer(200, &json!({"ok": true, "note": "", "id": id}).to_string());
    let world = World::new([ok("c1"), doubt, revoked()])
        .with("retry", json!({"initial_ms": 1000, "max_ms": 1000}));
    world.live(|shared| async move {
        let mut to_user = message("u1");
        to_user["to"] = json!({"user": "u1"});
        let mut job = accept(&shared, to_user, None);
        let doubted = tokio::spawn(async move { deliver(&mut job).await.expect("a receipt") });
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        assert_eq!(name_of(&send(&shared, message("c2")).await), "auth");
        let doubted = doubted.await.expect("no panic");
        assert_eq!((doubted.delivery, name_of(&doubted)), (Delivery::MaybeSent, "auth"));
    });
}

#[test]
fn a_new_token_is_tried_before_an_account_is_stopped() {
    let world =
        World::new([answer(200, r#"{"code":99991671,"msg":"taken"}"#)]).replies(|request| {
            let token = r#"{"code":0,"msg":"ok","token":"t","expire":7200}"#;
            (request.url.path() == "/token").then(|| answer(200, token))
        });
    let message = json!({"v": 1, "account": "corp", "to": {"user": "u1"}, "text": "hello"});
    let receipts = world.send_all([message.clone(), message]);
    let verdicts: Vec<_> = receipts.iter().map(verdict).collect();
    assert_eq!(verdicts, [(Delivery::NotSent, "auth", 2), ENDED]);
    assert_eq!(world.requests_for("/messages").len(), 2);
}
