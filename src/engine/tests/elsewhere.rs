//! A doubt is never resent elsewhere: not to another app, by another sender, or to another host.

use serde_json::{Value, json};

use super::{Step, World, accept, accounts, answer, fanfou, name_of, tencent, tencent_answer};
use crate::engine::attempt::deliver::deliver;
use crate::model::config::AccountConfig;
use crate::model::receipt::{Delivery, Receipt};
use crate::net::Way;

/// What becomes of the account `im` while its message waits for its second attempt.
enum Becomes {
    /// An account with these fields, merged into what it was; `null` takes one away.
    With(Value),
    /// The same, after it was removed.
    Anew(Value),
    /// An account of another service.
    Other,
}

fn with(fields: Value) -> Value {
    let mut account = accounts()["im"].clone();
    for (name, value) in fields.as_object().expect("fields") {
        let place = match account["auth"].get(name) {
            Some(_) => &mut account["auth"],
            None => &mut account,
        };
        place[name] = value.clone();
        if value.is_null() && name == "region" {
            place.as_object_mut().expect("an object").remove(name);
        }
    }
    account
}

/// Sends a message whose first attempt is `first`, then changes its account; the receipt, and where the
/// requests went.
fn sent_across(
    becomes: &Becomes,
    first: Step,
    second: Step,
    retry: Value,
) -> (Receipt, Vec<String>) {
    let world = World::new([first, second]).with("retry", retry);
    let receipt = world.live(|shared| {
        let requests = || world.requests().len();
        async move {
            let mut job = accept(&shared, tencent(json!({})), None);
            let task = tokio::spawn(async move { deliver(&mut job).await });
            while requests() < 1 {
                tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
            let account = match becomes {
                Becomes::With(fields) => with(fields.clone()),
                Becomes::Anew(fields) => {
                    shared.accounts.remove("im").expect("it is there");
                    with(fields.clone())
                }
                Becomes::Other => accounts()["ff"].clone(),
            };
            let config = AccountConfig::from_value(account, "accounts.im").expect("an account");
            let set = shared.accounts.set("im", config, &shared.windows, shared.clock.now());
            set.expect("a valid account");
            task.await.expect("no panic").expect("the caller's receipt")
        }
    });
    let targets = world.requests().into_iter().map(|request| request.url.to_string());
    (*receipt, targets.collect())
}

fn doubts() -> [Step; 4] {
    [
        Step::Fail { way: Way::Network, begun: true },
        Step::Fail { way: Way::TimedOut, begun: true },
        answer(502, "<html>proxy</html>"),
        answer(200, "{"),
    ]
}

fn elsewhere() -> Vec<Becomes> {
    let changes = [
        json!({"sdk_app_id": 2}),
        json!({"identifier": "other"}),
        json!({"region": "usa"}),
        json!({"base_url": "https://127.0.0.1:1"}),
        json!({"base_url": "https://adminapisgp.im.qcloud.com/prefix"}),
        json!({"sdk_app_id": 2, "identifier": "other", "secret_key": "other"}),
    ];
    let set = changes.iter().cloned().map(Becomes::With);
    set.chain(changes.iter().cloned().map(Becomes::Anew)).chain([Becomes::Other]).collect()
}

#[test]
fn a_doubt_is_reported_where_the_account_became_another() {
    for becomes in elsewhere() {
        for doubt in doubts() {
            let retry = json!({"on_maybe_sent": "stop"});
            let (receipt, requests) = sent_across(&becomes, doubt, tencent_answer(0), retry);
            assert_eq!(receipt.delivery, Delivery::MaybeSent, "{requests:?}");
            assert_eq!(requests.len(), 1, "{requests:?}");
            assert!(receipt.error.is_some_and(|error| error.hint_text().is_some()));
        }
    }
}

#[test]
fn a_doubt_is_resent_where_the_account_is_who_it_was() {
    for fields in [
        json!({}),
        json!({"secret_key": "another"}),
        json!({"rate": {"count": 5, "per_ms": 1000}}),
        json!({"rate": null, "max_in_flight": 3}),
        json!({"region": null, "base_url": "https://adminapisgp.im.qcloud.com"}),
    ] {
        for becomes in [Becomes::With(fields.clone()), Becomes::Anew(fields.clone())] {
            for (second, deduplicated) in [(0, false), (10024, true)] {
                let (doubt, second) = (doubts()[0].clone(), tencent_answer(second));
                let (receipt, requests) = sent_across(&becomes, doubt, second, json!({}));
                assert_eq!(
                    (receipt.delivery, receipt.deduplicated, requests.len()),
                    (Delivery::Sent, deduplicated, 2),
                    "{fields} {requests:?}"
                );
            }
        }
    }
}

#[test]
fn what_surely_did_not_arrive_goes_on_with_the_new_account() {
    for first in [
        tencent_answer(10023),
        Step::Fail { way: Way::Network, begun: false },
        answer(200, r#"{"ActionStatus":"OK","ErrorCode":0,"MsgDropReason":"MsgFreqCtrl"}"#),
    ] {
        let becomes = Becomes::With(json!({"sdk_app_id": 2}));
        let (receipt, requests) = sent_across(&becomes, first, tencent_answer(0), json!({}));
        assert_eq!((receipt.delivery, requests.len()), (Delivery::Sent, 2));
        assert!(requests[1].contains("sdkappid=2"), "{requests:?}");
    }
}

#[test]
fn who_wants_doubts_resent_has_them_resent_and_another_app_s_repeated_is_no_proof() {
    let resend = || json!({"on_maybe_sent": "resend", "max_attempts": 2});
    for fields in [
        json!({"sdk_app_id": 2}),
        json!({"identifier": "other"}),
        json!({"base_url": "https://127.0.0.1:1"}),
    ] {
        for (second, delivery, name) in
            [(0, Delivery::Sent, "ok"), (10024, Delivery::MaybeSent, "duplicate")]
        {
            let (becomes, doubt) = (Becomes::With(fields.clone()), doubts()[0].clone());
            let (receipt, requests) =
                sent_across(&becomes, doubt, tencent_answer(second), resend());
            assert_eq!((receipt.delivery, name_of(&receipt)), (delivery, name), "{fields}");
            assert_eq!((receipt.deduplicated, requests.len()), (false, 2), "{fields}");
        }
    }
}

#[test]
fn a_random_that_two_messages_share_proves_neither() {
    let doubt = || doubts()[0].clone();
    let (mine, other) = (tencent(json!({"Random": 7})), tencent(json!({"Random": 8})));
    for (before, delivery) in [(&mine, Delivery::MaybeSent), (&other, Delivery::Sent)] {
        let world = World::new([tencent_answer(0), doubt(), tencent_answer(10024)]);
        let receipts = world.send_all([before.clone(), mine.clone()]);
        assert_eq!(receipts[0].delivery, Delivery::Sent);
        assert_eq!(receipts[1].delivery, delivery);
    }
    let world = World::new([fanfou_ok(), doubt(), tencent_answer(10024)]);
    let receipts = world.send_all([fanfou("ff"), mine]);
    assert_eq!(receipts[1].delivery, Delivery::Sent);
}

fn fanfou_ok() -> Step {
    answer(200, r#"{"id":"a"}"#)
}
