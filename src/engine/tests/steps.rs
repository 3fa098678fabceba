//! Steps that prepare: what they give, what their failures are, and that they leave no doubt.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Script, Step, World, accept, accounts, answer, body, http, name_of};
use crate::engine::attempt::deliver::deliver;
use crate::model::receipt::Delivery;
use crate::net::{Alarm, Boxed, Failure, Scripted, Way};
use crate::service::api::{Answer, HttpRequest, Wire};

fn to_user(user: &str) -> Value {
    json!({"v": 1, "account": "team", "to": {"user": user}, "text": "hello"})
}

fn made(channel: &str) -> Step {
    answer(200, &json!({"ok": true, "note": "", "id": channel}).to_string())
}

fn error(code: &str) -> Step {
    answer(200, &json!({"ok": false, "note": "no", "error": code}).to_string())
}

fn counts(world: &World) -> (usize, usize) {
    (world.requests_for("/channels").len(), world.requests_for("/messages").len())
}

fn key(request: &HttpRequest) -> Option<&str> {
    let mut fields = request.headers.iter();
    fields.find(|(name, _)| *name == "idempotency-key").map(|(_, value)| value)
}

#[test]
fn what_a_step_gave_goes_into_the_next_and_is_remembered() {
    let world = World::new([made("c1"), made("m1"), made("m2"), made("c3"), made("m3")]);
    let receipts = world.send_all([to_user("u1"), to_user("u1"), to_user("u3")]);
    let ids: Vec<_> = receipts.iter().map(|receipt| receipt.message_id.as_deref()).collect();
    assert_eq!(ids, [Some("m1"), Some("m2"), Some("m3")]);
    assert!(receipts.iter().all(|receipt| receipt.attempts == 1));
    let paths: Vec<_> = world.requests().iter().map(|r| r.url.path().to_owned()).collect();
    assert_eq!(paths, ["/channels", "/messages", "/messages", "/channels", "/messages"]);
    let sent: Vec<Value> = world
        .requests_for("/messages")
        .iter()
        .map(|request| serde_json::from_str(&body(request)).expect("JSON"))
        .collect();
    let channels: Vec<_> = sent.iter().map(|sent| sent["channel"].as_str()).collect();
    assert_eq!(channels, [Some("c1"), Some("c1"), Some("c3")]);
}

#[test]
fn a_step_that_fails_leaves_no_doubt_and_is_tried_again() {
    for (step, name) in [
        (Step::Fail { way: Way::Network, begun: true }, "network"),
        (Step::Hang { begun: true }, "timeout"),
        (answer(502, "<html>proxy</html>"), "service"),
        (answer(200, "<html>proxy</html>"), "protocol"),
        (error("fatal_error"), "service"),
    ] {
        let fails = World::new([step.clone()]);
        let receipt = fails.send(to_user("u1"));
        assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, name));
        assert_eq!((counts(&fails), receipt.attempts), ((4, 0), 4), "{name}");
        assert!(!receipt.error.expect("an error").to_string().contains("request was sent"));
        let recovers = World::new([step, made("c1"), made("m1")]);
        let receipt = recovers.send(to_user("u1"));
        assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 2), "{name}");
    }
    let refused = World::new([error("user_not_found")]);
    let receipt = refused.send(to_user("u1"));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, "not_found"));
    assert_eq!(counts(&refused), (1, 0));
}

#[test]
fn a_step_that_is_done_is_not_done_again() {
    let refused = error("rate_limited");
    let world = World::new([made("c1"), refused, made("m1")]);
    assert_eq!(world.send(to_user("u1")).delivery, Delivery::Sent);
    assert_eq!(counts(&world), (1, 2));
}

#[test]
fn a_doubt_is_resent_where_this_very_message_is_recognised() {
    let doubt = || Step::Fail { way: Way::Network, begun: true };
    let world = World::new([made("c1"), doubt(), doubt(), made("m1")]);
    let receipt = world.send(to_user("u1"));
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 3));
    let sent = world.requests_for("/messages");
    let keys: Vec<_> = sent.iter().map(key).collect();
    assert!(keys.len() == 3 && keys[0].is_some() && keys.iter().all(|own| *own == keys[0]));

    let world = World::new([doubt(), made("m1")]);
    let to_channel = json!({"v": 1, "account": "team", "to": {"channel": "c1"}, "text": "hello"});
    assert_eq!(world.send(to_channel).delivery, Delivery::MaybeSent);
    assert_eq!(counts(&world), (0, 1), "the service does not know messages to channels again");
}

#[test]
fn a_remembered_channel_that_is_gone_is_made_anew() {
    let gone = || error("channel_not_found");
    let world = World::new([made("c1"), made("m1"), gone(), made("c2"), made("m2"), made("m3")]);
    let receipts = world.send_all([to_user("u1"), to_user("u1"), to_user("u1")]);
    let all: Vec<_> = receipts.iter().map(|r| (r.delivery, r.attempts)).collect();
    let sent = Delivery::Sent;
    assert_eq!(all, [(sent, 1), (sent, 2), (sent, 1)]);
    let world = World::new([made("c1"), gone()]);
    let receipt = world.send(to_user("u1"));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, "not_found"));
    assert_eq!(counts(&world), (1, 1), "one that was just made is not");
}

/// Hosts that count how many requests they have at once.
#[derive(Clone, Default)]
struct Hosts {
    at_once: Arc<Mutex<HashMap<String, usize>>>,
    most: Arc<AtomicUsize>,
    script: Script,
}

impl Scripted for Hosts {
    fn send<'a>(
        &'a self,
        wire: Wire,
        time_out: &'a mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Boxed<'a, Result<Answer, Failure>> {
        let request = http(wire);
        let host = request.url.host_str().expect("a host").to_owned();
        Box::pin(async move {
            let count = |change: isize| {
                let mut at_once = self.at_once.lock().expect("no panic");
                let own = at_once.entry(host.clone()).or_default();
                *own = own.checked_add_signed(change).expect("as many came as went");
                self.most.fetch_max(*own, Ordering::Relaxed);
            };
            count(1);
            tokio::time::sleep(Duration::from_millis(50)).await;
            let answer = self.script.send(Wire::Http(request), time_out, begun).await;
            count(-1);
            answer
        })
    }
}

#[test]
fn accounts_that_send_to_each_other_s_hosts_do_not_wait_for_each_other() {
    let mut all = accounts();
    for (name, own, other) in [("a", "one", "two"), ("b", "two", "one")] {
        all[name] = json!({"service": "teamchat", "auth": {"type": "bearer", "token": name},
            "base_url": format!("https://{own}.example"), "rate": null,
            "channels_url": format!("https://{other}.example/channels")});
    }
    let hosts = Hosts::default();
    hosts.script.steps.lock().expect("fresh").push_back(made("x"));
    let world =
        World::new([made("x")]).with("accounts", all).with("max_connections_per_host", 1.into());
    let most = Arc::clone(&hosts.most);
    let receipts = world.live_with(Box::new(hosts), |shared| async move {
        let tasks: Vec<_> = (0..40)
            .map(|n| {
                let account = if n % 2 == 0 { "a" } else { "b" };
                let mut message = to_user(&format!("u{n}"));
                message["account"] = account.into();
                let mut job = accept(&shared, message, None);
                tokio::spawn(async move { deliver(&mut job).await.expect("a receipt") })
            })
            .collect();
        let mut receipts = Vec::new();
        for task in tasks {
            receipts.push(task.await.expect("no panic"));
        }
        receipts
    });
    for receipt in receipts {
        assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 1), "{receipt:?}");
    }
    assert_eq!(most.load(Ordering::Relaxed), 1, "no host has more than its connections");
}
