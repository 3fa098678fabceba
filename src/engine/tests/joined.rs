//! Messages of one key: what the end of the first means for those that joined it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Step, World, accept, answer, body, name_of};
use crate::engine::Shared;
use crate::engine::attempt::deliver::deliver;
use crate::engine::attempt::job::Job;
use crate::model::config::AccountConfig;
use crate::model::receipt::{Delivery, Receipt};
use crate::net::Way;

/// Far enough for the first to be still waiting when it ends.
const LATER: u64 = 5_000;

fn keyed(more: Value) -> Value {
    let mut message =
        json!({"v": 1, "account": "ff", "to": {"user": "u"}, "text": "x", "key": "k"});
    message.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    message
}

fn sent() -> Step {
    answer(200, r#"{"id":"a"}"#)
}

/// What ends the first message, and no other.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Cancel,
    Deadline,
    Patience,
    /// Its task is thrown away.
    Drop,
    /// Its account becomes one of another service; the others came after that.
    AccountChanged,
}

const ENDS: [End; 5] = [End::Cancel, End::Deadline, End::Patience, End::Drop, End::AccountChanged];

/// A first message that waits, `more` that join it, and the end of the first; their receipts.
async fn story(shared: Arc<Shared>, end: End, first: Value, more: Vec<Value>) -> Vec<Receipt> {
    let in_ms = 100;
    let mut message = first;
    if end == End::Deadline {
        message["deadline_ms"] = json!(in_ms);
    }
    let patience = (end == End::Patience).then_some(Duration::from_millis(in_ms));
    let mut first = accept(&shared, message, patience);
    let op = first.op();
    if end == End::AccountChanged {
        let other = json!({"service": "weibo", "auth": {"type": "oauth2", "token": "weibo-token"}});
        let config = AccountConfig::from_value(other, "accounts.ff").expect("valid");
        // The first was made for what stood here before.
        let (windows, now) = (&shared.windows, shared.clock.now());
        shared.accounts.set("ff", config, windows, now).expect("valid");
    }
    let rest: Vec<Box<Job>> = more.into_iter().map(|m| accept(&shared, m, None)).collect();
    let mut tasks: Vec<_> = std::iter::once(first)
        .chain(rest)
        .map(|mut job| tokio::spawn(async move { deliver(&mut job).await }))
        .collect();
    tokio::time::sleep(Duration::from_millis(in_ms)).await;
    match end {
        End::Cancel => op.cancel(),
        End::Drop => tasks.remove(0).abort(),
        _ => {}
    }
    let mut receipts = Vec::new();
    for task in tasks {
        receipts.push(*task.await.expect("no panic").expect("the caller's receipt"));
    }
    receipts
}

#[test]
fn who_joined_goes_on_when_the_first_ends_for_itself() {
    for end in ENDS.into_iter().filter(|end| *end != End::AccountChanged) {
        let world = World::new([sent()]);
        let later = |shared: &Shared| json!({"not_before_ms": shared.clock.unix_ms() + LATER});
        let mut receipts = world.live(|shared| async move {
            let first = keyed(later(&shared));
            story(shared, end, first, vec![keyed(json!({})), keyed(json!({}))]).await
        });
        assert_eq!(world.requests().len(), 1, "{end:?}");
        if end != End::Drop {
            assert_eq!(receipts.remove(0).delivery, Delivery::NotSent, "{end:?}");
        }
        let told: Vec<_> = receipts.iter().map(|r| (r.delivery, r.deduplicated)).collect();
        assert_eq!(
            told,
            [(Delivery::Sent, false), (Delivery::Sent, true)],
            "{end:?}: one goes on, the other follows it"
        );
    }
}

#[test]
fn who_joined_goes_on_with_the_account_as_it_is_for_him() {
    let world = World::new([answer(200, r#"{"id":1,"idstr":"1"}"#)]);
    let receipts = world.live(|shared| async move {
        let later = json!({"not_before_ms": shared.clock.unix_ms() + LATER,
            "to": {"user": "2125034703"}});
        let second = keyed(json!({"to": {"user": "2125034703"}}));
        story(shared, End::AccountChanged, keyed(later), vec![second]).await
    });
    assert_eq!((receipts[0].delivery, name_of(&receipts[0])), (Delivery::NotSent, "config"));
    assert_eq!((receipts[1].service, world.requests().len()), (Some("weibo"), 1));
}

#[test]
fn a_time_limit_that_leaves_no_room_for_a_retry_is_the_first_s_own() {
    let refused = Step::Fail { way: Way::Network, begun: false };
    let world = World::new([refused, sent()])
        .with("retry", json!({"initial_ms": 60_000, "max_ms": 60_000}));
    let receipts = world.live(|shared| async move {
        let first = keyed(json!({}));
        story(shared, End::Deadline, first, vec![keyed(json!({}))]).await
    });
    assert_eq!((receipts[0].delivery, receipts[0].deadline), (Delivery::NotSent, true));
    assert_eq!((receipts[1].delivery, receipts[1].deduplicated), (Delivery::Sent, false));
    assert_eq!(world.requests().len(), 2);
}

#[test]
fn a_doubt_of_the_first_and_a_refusal_are_everybody_s() {
    for end in [End::Cancel, End::Deadline, End::Patience, End::Drop] {
        let world = World::new([Step::Hang { begun: true }, sent()]);
        let mut receipts = world.live(|shared| async move {
            story(shared, end, keyed(json!({})), vec![keyed(json!({})), keyed(json!({}))]).await
        });
        if end != End::Drop {
            assert_eq!(receipts.remove(0).delivery, Delivery::MaybeSent, "{end:?}");
        }
        for receipt in &receipts {
            let told = (receipt.delivery, receipt.deduplicated);
            assert_eq!(told, (Delivery::MaybeSent, true), "{end:?}");
        }
        assert_eq!(world.requests().len(), 1, "{end:?}");
    }
    for step in [
        answer(404, r#"{"request":"/x","error":"no such user"}"#),
        Step::Fail { way: Way::Network, begun: false },
    ] {
        let world = World::new([step]).with("retry", json!({"max_attempts": 1}));
        let receipts = world.send_at_once([keyed(json!({})), keyed(json!({}))]);
        assert!(receipts.iter().all(|receipt| receipt.delivery == Delivery::NotSent));
        assert_eq!(world.requests().len(), 1, "what the service refused it refuses again");
    }
}

#[test]
fn whoever_goes_on_may_end_too_and_one_of_the_rest_goes_on() {
    let world = World::new([sent()]);
    let told = world.live(|shared| async move {
        let later = json!({"not_before_ms": shared.clock.unix_ms() + LATER});
        let mut jobs: Vec<_> =
            (0..5).map(|_| accept(&shared, keyed(later.clone()), None)).collect();
        let ops: Vec<_> = jobs.iter_mut().map(|job| job.op()).collect();
        let tasks: Vec<_> = jobs
            .into_iter()
            .map(|mut job| tokio::spawn(async move { deliver(&mut job).await }))
            .collect();
        // The third while it waits, the first two while they lead.
        for n in [2, 0, 1] {
            tokio::time::sleep(Duration::from_millis(10)).await;
            ops[n].cancel();
        }
        let mut told = Vec::new();
        for task in tasks {
            let receipt = task.await.expect("no panic").expect("a receipt");
            told.push((receipt.delivery, name_of(&receipt), receipt.deduplicated));
        }
        assert_eq!(shared.keys.len(), (1, 1), "one key, and it is done");
        told
    });
    let cancelled = |delivery| (delivery, "cancelled", false);
    assert_eq!(
        told,
        [
            cancelled(Delivery::NotSent),
            cancelled(Delivery::NotSent),
            // The first was under way: nobody could say.
            cancelled(Delivery::MaybeSent),
            (Delivery::Sent, "ok", false),
            (Delivery::Sent, "ok", true),
        ]
    );
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn whoever_goes_on_keeps_its_place_among_the_ordered() {
    let world = World::new([sent()]);
    let receipts = world.live(|shared| async move {
        let later = json!({"not_before_ms": shared.clock.unix_ms() + LATER});
        let ordered = |text: &str| {
            json!({"v": 1, "account": "ff", "to": {"user": "u"},
            "text": text, "ordered": true, "not_before_ms": later["not_before_ms"]})
        };
        let more = vec![ordered("before"), keyed(json!({"ordered": true})), ordered("after")];
        let receipts = story(Arc::clone(&shared), End::Cancel, keyed(later.clone()), more).await;
        assert_eq!(shared.recipient_queues.len(), 0);
        receipts
    });
    assert!(receipts[1..].iter().all(|receipt| receipt.delivery == Delivery::Sent));
    let texts: Vec<_> = world.requests().iter().map(body).collect();
    let order = ["before", "after", "text=x"].map(|t| texts.iter().position(|b| b.contains(t)));
    assert!(order.is_sorted() && order.iter().all(Option::is_some), "{texts:?}");
}
