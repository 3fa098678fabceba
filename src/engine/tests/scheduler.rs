//! Keys, order and pace, in time that passes at once.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Step, World, accept, answer, body, fanfou, name_of, tencent_answer};
use crate::engine::attempt::deliver::deliver;
use crate::model::receipt::Delivery;
use crate::net::Way;

fn keyed(text: &str, key: &str) -> Value {
    json!({"v": 1, "account": "ff", "to": {"user": "u"}, "text": text, "key": key})
}

fn sent() -> Step {
    answer(200, r#"{"id":"a"}"#)
}

#[test]
fn messages_of_one_key_are_one_message_while_the_first_is_under_way() {
    let world = World::new([sent()]);
    let receipts = world.send_at_once([keyed("x", "k"), keyed("x", "k"), keyed("x", "other")]);
    assert_eq!(world.requests().len(), 2);
    let told: Vec<_> = receipts.iter().map(|r| (r.delivery, r.deduplicated)).collect();
    let sent = |deduplicated| (Delivery::Sent, deduplicated);
    assert_eq!(told, [sent(false), sent(true), sent(false)]);
    assert_ne!(receipts[0].id, receipts[1].id, "each has its own id");
    assert_eq!(receipts[0].message_id, receipts[1].message_id);
}

#[test]
fn a_key_is_remembered_after_a_send_and_a_doubt_and_freed_after_a_refusal() {
    for (step, delivery, requests) in [
        (sent(), Delivery::Sent, 1),
        (Step::Fail { way: Way::Network, begun: true }, Delivery::MaybeSent, 1),
        (answer(404, "{}"), Delivery::NotSent, 2),
    ] {
        let world = World::new([step]);
        let receipts = world.send_all([keyed("x", "k"), keyed("x", "k")]);
        assert_eq!((receipts[1].delivery, world.requests().len()), (delivery, requests));
        assert_eq!(receipts[1].deduplicated, delivery != Delivery::NotSent);
    }
}

#[test]
fn other_content_under_a_live_key_is_refused_and_a_key_is_forgotten_in_time() {
    let world = World::new([sent()]);
    let receipts = world.send_all([keyed("x", "k"), keyed("y", "k")]);
    let error = receipts[1].error.as_ref().expect("refused");
    assert_eq!((name_of(&receipts[1]), error.path()), ("message", Some("key")));
    assert_eq!(world.requests().len(), 1);

    let world = World::new([sent()]);
    world.live(|shared| async move {
        deliver(&mut accept(&shared, keyed("x", "k"), None)).await;
        tokio::time::sleep(Duration::from_secs(599)).await;
        assert!(
            deliver(&mut accept(&shared, keyed("x", "k"), None)).await.expect("told").deduplicated
        );
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(
            !deliver(&mut accept(&shared, keyed("x", "k"), None)).await.expect("told").deduplicated
        );
    });
}

#[test]
fn ordered_messages_hold_back_their_own_recipient_only() {
    let ordered = |user: &str, text: &str| json!({"v": 1, "account": "ff", "to": {"user": user}, "text": text, "ordered": true});
    // The first attempt is told to wait; everything after it is taken at once.
    let world = World::new([answer(429, "{}"), sent()]);
    let messages =
        [ordered("a", "first"), ordered("a", "second"), ordered("b", "other"), fanfou("ff")];
    let receipts = world.send_at_once(messages);
    assert!(receipts.iter().all(|r| r.delivery == Delivery::Sent));
    let bodies: Vec<_> = world.requests().iter().map(body).collect();
    let place = |text: &str| bodies.iter().rposition(|body| body.contains(text)).expect("sent");
    assert!(place("first") < place("second"), "{bodies:?}");
    assert!(place("other") < place("first") && place("hello") < place("first"), "{bodies:?}");
}

#[test]
fn a_paced_account_does_not_delay_another_and_its_own_rate_replaces_the_documented_one() {
    let mut world = World::new([sent()]);
    world.config["accounts"]["ff"]["rate"] = json!({"count": 1, "per_ms": 10_000});
    let receipts = world.send_at_once([fanfou("ff"), fanfou("ff"), fanfou("ff"), fanfou("ffx")]);
    let seconds: Vec<_> = receipts.iter().map(|r| r.elapsed_ms / 1000).collect();
    assert_eq!(seconds, [0, 10, 20, 0]);

    let paced = World::new([sent()]).with("max_in_flight", json!(10_000));
    let many = (0..1501).map(|_| fanfou("ff"));
    let last = paced.send_at_once(many).into_iter().map(|r| r.elapsed_ms).max().expect("many");
    assert_eq!(last / 1000, 3600, "1,500 an hour and account, as documented");
    let mut free = World::new([sent()]).with("max_in_flight", json!(10_000));
    free.config["accounts"]["ff"]["rate"] = Value::Null;
    let many = (0..1501).map(|_| fanfou("ff"));
    assert!(free.send_at_once(many).into_iter().all(|r| r.elapsed_ms < 3_600_000));
}

#[test]
fn a_wait_for_a_turn_that_does_not_fit_is_told_at_once() {
    let mut world = World::new([sent()]).patience(5000);
    world.config["accounts"]["ff"]["rate"] = json!({"count": 1, "per_ms": 60_000});
    let receipts = world.send_all([fanfou("ff"), fanfou("ff")]);
    let error = receipts[1].error.as_ref().expect("not sent");
    assert_eq!((name_of(&receipts[1]), receipts[1].delivery), ("timeout", Delivery::NotSent));
    assert_eq!(receipts[1].elapsed_ms, 0);
    assert!(error.is_retryable() && error.retry_after_ms() > Some(50_000), "{error:?}");
}

#[test]
fn accounts_of_one_app_share_its_window() {
    let mut world = World::new([answer(200, r#"{"ActionStatus":"OK","ErrorCode":0,"MsgSeq":1}"#)]);
    let other = world.config["accounts"]["im"].clone();
    world.config["accounts"]["im2"] = other;
    let to = |account: &str, n: usize| json!({"v": 1, "account": account, "to": {"group": format!("g{n}")}, "text": "x"});
    let messages = (0..250).map(|n| to(["im", "im2"][n % 2], n));
    let slow = world.send_at_once(messages).into_iter().filter(|r| r.elapsed_ms >= 1000).count();
    assert_eq!(slow, 50, "200 a second and app, whichever account and group");
}

#[test]
fn an_account_whose_requests_hang_leaves_connections_to_the_others() {
    let xml = "<direct_message><id>a</id></direct_message>";
    let Step::Answer(answer) = answer(200, xml) else { unreachable!("an answer") };
    let mut world = World::new([Step::HangUnless { url: ".xml", answer }])
        .with("max_connections_per_host", json!(4));
    world.config["accounts"]["ff"]["rate"] = Value::Null;
    world.config["accounts"]["ffx"]["rate"] = Value::Null;
    let many = (0..40).map(|_| fanfou("ff")).chain([fanfou("ffx"), fanfou("ffx")]);
    let receipts = world.send_at_once(many);
    let (hung, others) = receipts.split_at(40);
    assert!(hung.iter().any(|r| r.elapsed_ms >= 10_000), "they did hang");
    assert!(others.iter().all(|r| r.elapsed_ms < 100), "the others had to wait");
}

#[test]
fn who_waits_for_a_connection_does_not_stand_in_the_way_of_an_account_of_another_host() {
    let hang = || Step::Hang { begun: true };
    let mut world = World::new([hang(), hang(), sent()]).with("max_connections_per_host", json!(2));
    let mut elsewhere = world.config["accounts"]["weibo"].clone();
    elsewhere["base_url"] = json!("https://elsewhere.example");
    world.config["accounts"]["elsewhere"] = elsewhere;
    let to = |account: &str| json!({"v": 1, "account": account, "to": {"user": "1"}, "text": "x"});
    let receipts = world.send_at_once([to("weibo"), to("weibo"), to("weibo"), to("elsewhere")]);
    assert!(receipts[2].elapsed_ms >= 10_000, "there were two connections");
    assert_eq!(receipts[3].elapsed_ms, 0, "both share Weibo's window of the address");
}

#[test]
fn a_refusal_slows_down_what_its_code_speaks_of() {
    let weibo =
        |account: &str| json!({"v": 1, "account": account, "to": {"user": "1"}, "text": "x"});
    let im = |account: &str, group: &str| json!({"v": 1, "account": account, "to": {"group": group}, "text": "x"});
    let weibo_ok = || answer(200, r#"{"id":1,"idstr":"1"}"#);
    let too_fast = |code: u64| answer(403, &format!(r#"{{"error":"slow","error_code":{code}}}"#));
    // Who is slowed down beside the message that was refused: its own account, then the others.
    let slow = |step: Step, ok: Step, messages: [Value; 3]| {
        let mut world = World::new([step, ok]);
        for (name, like) in [("weibo2", "weibo"), ("im2", "im")] {
            world.config["accounts"][name] = world.config["accounts"][like].clone();
        }
        let receipts = world.send_at_once(messages);
        assert!(receipts.iter().all(|r| r.delivery == Delivery::Sent));
        [receipts[1].elapsed_ms >= 1000, receipts[2].elapsed_ms >= 1000]
    };
    let weibos = || [weibo("weibo"), weibo("weibo"), weibo("weibo2")];
    assert_eq!(slow(too_fast(10022), weibo_ok(), weibos()), [true, true], "the address");
    assert_eq!(slow(too_fast(10023), weibo_ok(), weibos()), [true, false], "the user");
    let groups = || [im("im", "a"), im("im2", "a"), im("im", "b")];
    assert_eq!(
        slow(tencent_answer(10023), tencent_answer(0), groups()),
        [true, false],
        "the group"
    );
    assert_eq!(slow(tencent_answer(60018), tencent_answer(0), groups()), [true, true], "the app");
}
