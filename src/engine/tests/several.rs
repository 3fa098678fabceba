//! Several verdicts in one message: of its recipients, and of the pieces of its text.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Step, World, accept, answer, body, name_of};
use crate::engine::attempt::deliver::deliver;
use crate::model::receipt::{Delivery, Receipt};
use crate::net::Way;

/// A message to these users.
fn circular(users: &[&str], text: &str) -> Value {
    json!({"v": 1, "account": "circ", "to": {"users": users}, "text": text, "overflow": "split"})
}

/// A verdict for each of these; 0 is success.
fn told(verdicts: &[(&str, u16)]) -> Step {
    let one = |(to, code): &(&str, u16)| match code {
        0 => json!({"to": to, "code": 0, "id": format!("id-{to}")}),
        code => json!({"to": to, "code": code}),
    };
    let results: Vec<Value> = verdicts.iter().map(one).collect();
    answer(200, &json!({"code": 0, "words": "", "results": results}).to_string())
}

/// A refusal of the whole request.
fn refused(code: u16) -> Step {
    answer(200, &json!({"code": code, "words": "no"}).to_string())
}

/// Whom each request was to, and its text.
fn requests(world: &World) -> Vec<(Vec<String>, String)> {
    let read = |request| {
        let body: Value = serde_json::from_str(&body(request)).expect("JSON");
        let to = body["to"].as_array().expect("a list").iter();
        let to = to.map(|name| name.as_str().expect("text").to_owned()).collect();
        (to, body["text"].as_str().expect("text").to_owned())
    };
    world.requests().iter().map(read).collect()
}

/// Whom each request was to.
fn to(world: &World) -> Vec<String> {
    requests(world).into_iter().map(|(to, _)| to.join(" ")).collect()
}

/// Name, delivery and error of each recipient, as the result's JSON tells it.
fn recipients(receipt: &Receipt) -> Vec<String> {
    let json: Value = serde_json::from_str(&receipt.to_json()).expect("JSON");
    let one = |one: &Value| {
        let (to, delivery) = (&one["to"]["users"], &one["delivery"]);
        let error = one["error"]["name"].as_str().unwrap_or("ok");
        format!("{} {} {error}", to.as_str().expect("text"), delivery.as_str().expect("text"))
    };
    json["recipients"].as_array().expect("recipients").iter().map(one).collect()
}

/// Delivery and error of each piece.
fn pieces(receipt: &Receipt) -> Vec<String> {
    let json: Value = serde_json::from_str(&receipt.to_json()).expect("JSON");
    let one = |one: &Value| {
        let error = one["error"]["name"].as_str().unwrap_or("ok");
        format!("{} {error}", one["delivery"].as_str().expect("text"))
    };
    json["pieces"].as_array().expect("pieces").iter().map(one).collect()
}

#[test]
fn every_recipient_has_the_verdict_that_the_answer_gives_it() {
    let world = World::new([told(&[("bob", 404), ("ann", 0), ("eve", 504)])]);
    let receipt = world.send(circular(&["ann", "bob", "eve"], "hi"));
    assert_eq!(
        recipients(&receipt),
        ["ann sent ok", "bob not_sent not_found", "eve maybe_sent service"]
    );
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::MaybeSent, "service"));
    assert_eq!(receipt.message_id.as_deref(), Some("id-ann"));

    let world = World::new([told(&[("ann", 0), ("bob", 404), ("eve", 0)])]);
    let receipt = world.send(circular(&["ann", "bob", "eve"], "hi"));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::PartlySent, "not_found"));
    let error = receipt.error.clone().expect("partly sent is no success");
    assert!(error.message().starts_with("1 of 3 recipients have not got it; users \"bob\": "));
    assert!(!error.is_retryable());
    assert_eq!(receipt.message_id, None, "they have different ones");
    let ids: Vec<_> =
        receipt.recipients.iter().flatten().map(|one| one.message_id.as_deref()).collect();
    assert_eq!(ids, [Some("id-ann"), None, Some("id-eve")]);
    assert_eq!(to(&world), ["ann bob eve"]);

    let world = World::new([told(&[("ann", 0)])]);
    let receipt = world.send(circular(&["ann"], "hi"));
    assert_eq!(
        (receipt.delivery, recipients(&receipt)),
        (Delivery::Sent, vec!["ann sent ok".into()])
    );
    assert!(receipt.error.is_none() && receipt.pieces.is_none());
}

#[test]
fn whom_an_answer_leaves_out_or_contradicts_is_in_doubt() {
    let world = World::new([told(&[("ann", 0), ("eve", 0), ("eve", 404)])]);
    let receipt = world.send(circular(&["ann", "bob", "eve"], "hi"));
    assert_eq!(
        recipients(&receipt),
        ["ann sent ok", "bob maybe_sent protocol", "eve maybe_sent protocol"]
    );
    assert_eq!(receipt.delivery, Delivery::MaybeSent);
    assert_eq!(world.requests().len(), 1, "a doubt is not sent again");
}

#[test]
fn a_retry_goes_to_those_only_that_surely_have_not_got_it() {
    let world = World::new([
        told(&[("ann", 0), ("bob", 503), ("eve", 404), ("joe", 429)]),
        told(&[("joe", 0), ("bob", 503)]),
        told(&[("bob", 0)]),
    ]);
    let receipt = world.send(circular(&["ann", "bob", "eve", "joe"], "hi"));
    assert_eq!(to(&world), ["ann bob eve joe", "bob joe", "bob"]);
    assert_eq!(
        recipients(&receipt),
        ["ann sent ok", "bob sent ok", "eve not_sent not_found", "joe sent ok"]
    );
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::PartlySent, 3));

    let world = World::new([told(&[("ann", 0), ("bob", 503)]), told(&[("bob", 503)])]);
    let receipt = world.send(circular(&["ann", "bob"], "hi"));
    assert_eq!(to(&world), ["ann bob", "bob", "bob", "bob"], "as often as any message");
    assert_eq!(recipients(&receipt), ["ann sent ok", "bob not_sent service"]);
}

#[test]
fn a_request_takes_some_and_the_next_one_the_rest() {
    let users: Vec<String> = (0..12).map(|n| format!("u{n}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let all = |range: std::ops::Range<usize>| {
        told(&users[range].iter().map(|user| (*user, 0)).collect::<Vec<_>>())
    };
    let world = World::new([all(0..5), all(5..10), all(10..12)]);
    let receipt = world.send(circular(&users, "hi"));
    assert_eq!(to(&world), ["u0 u1 u2 u3 u4", "u5 u6 u7 u8 u9", "u10 u11"]);
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 3));

    // Who is sent it again waits behind those who have not had it at all.
    let first = told(&[("u0", 429), ("u1", 0), ("u2", 0), ("u3", 0), ("u4", 404)]);
    let lost = Step::Fail { way: Way::Network, begun: true };
    let world = World::new([first, lost, all(10..12), told(&[("u0", 0)])]);
    let receipt = world.send(circular(&users, "hi"));
    assert_eq!(to(&world)[2..], ["u10 u11", "u0"], "a doubt keeps nobody else from getting it");
    let told = recipients(&receipt);
    assert_eq!((&*told[0], &*told[4]), ("u0 sent ok", "u4 not_sent not_found"));
    assert!(told[5..10].iter().all(|one| one.ends_with("maybe_sent network")), "{told:?}");
    assert_eq!(receipt.delivery, Delivery::MaybeSent);

    // What is refused as a whole would fare no better with the next ones.
    let world = World::new([all(0..5), refused(401)]);
    let receipt = world.send(circular(&users, "hi"));
    assert_eq!(world.requests().len(), 2);
    let told = recipients(&receipt);
    assert!(told[5..].iter().all(|one| one.ends_with("not_sent auth")), "{told:?}");
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::PartlySent, "auth"));
}

/// Of three pieces.
const LONG: &str = "the first twenty one, then the second twenty";

#[test]
fn the_pieces_of_a_text_follow_each_other() {
    let world = World::new([
        told(&[("ann", 0)]),
        told(&[("ann", 503)]),
        Step::Fail { way: Way::Network, begun: false },
        told(&[("ann", 0)]),
    ]);
    let receipt = world.send(circular(&["ann"], LONG));
    let texts: Vec<String> = requests(&world).into_iter().map(|(_, text)| text).collect();
    let (first, second, third) = (&LONG[..20], &LONG[20..40], &LONG[40..]);
    assert_eq!(texts, [first, second, second, second, third]);
    assert_eq!(pieces(&receipt), ["sent ok"; 3]);
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 5));
    assert_eq!(recipients(&receipt), ["ann sent ok"]);
}

#[test]
fn no_piece_is_tried_after_one_that_was_not_sent_or_is_in_doubt() {
    let world = World::new([told(&[("ann", 0)]), told(&[("ann", 404)])]);
    let receipt = world.send(circular(&["ann"], LONG));
    assert_eq!(world.requests().len(), 2);
    assert_eq!(pieces(&receipt), ["sent ok", "not_sent not_found", "not_sent not_found"]);
    assert_eq!(recipients(&receipt), ["ann partly_sent not_found"]);
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::PartlySent, "not_found"));
    assert_eq!(receipt.message_id.as_deref(), Some("id-ann"));
    let words = receipt.error.expect("a part is missing");
    assert!(words.message().starts_with("part 2 of 3 was not sent: "), "{words}");

    let lost = Step::Fail { way: Way::Network, begun: true };
    let world = World::new([told(&[("ann", 0)]), lost]);
    let receipt = world.send(circular(&["ann"], LONG));
    assert_eq!(world.requests().len(), 2);
    assert_eq!(pieces(&receipt), ["sent ok", "maybe_sent network", "not_sent network"]);
    assert_eq!((receipt.delivery, recipients(&receipt)), {
        (Delivery::MaybeSent, vec!["ann maybe_sent network".to_owned()])
    });

    let world = World::new([refused(401)]);
    let receipt = world.send(circular(&["ann"], LONG));
    assert_eq!(pieces(&receipt), ["not_sent auth"; 3]);
    assert_eq!((receipt.delivery, world.requests().len()), (Delivery::NotSent, 1));
}

#[test]
fn later_pieces_go_to_those_who_have_the_earlier_ones() {
    let world = World::new([
        told(&[("ann", 0), ("bob", 404), ("eve", 503)]),
        told(&[("eve", 0)]),
        told(&[("ann", 0), ("eve", 0)]),
        told(&[("ann", 0), ("eve", 504)]),
    ]);
    let receipt = world.send(circular(&["ann", "bob", "eve"], LONG));
    assert_eq!(to(&world), ["ann bob eve", "eve", "ann eve", "ann eve"]);
    assert_eq!(
        recipients(&receipt),
        ["ann sent ok", "bob not_sent not_found", "eve maybe_sent service"]
    );
    assert_eq!(
        pieces(&receipt),
        ["partly_sent not_found", "partly_sent not_found", "maybe_sent not_found"]
    );
}

#[test]
fn the_end_of_the_caller_s_time_is_true_for_each() {
    let users = ["a", "b", "c", "d", "e", "f", "g"];
    let first = || told(&[("a", 0), ("b", 0), ("c", 429), ("d", 0), ("e", 404)]);
    let world = World::new([first(), Step::Hang { begun: true }]).patience(900);
    let receipt = world.send(circular(&users, "hi"));
    assert_eq!(
        recipients(&receipt),
        [
            "a sent ok",
            "b sent ok",
            "c not_sent rate_limited",
            "d sent ok",
            "e not_sent not_found",
            "f maybe_sent timeout",
            "g maybe_sent timeout",
        ]
    );
    assert!(receipt.deadline && receipt.delivery == Delivery::MaybeSent);

    let world = World::new([first(), Step::Hang { begun: false }]).patience(900);
    let receipt = world.send(circular(&users, "hi"));
    assert_eq!(recipients(&receipt)[5..], ["f not_sent timeout", "g not_sent timeout"]);
    assert_eq!(receipt.delivery, Delivery::PartlySent);
}

#[test]
fn a_cancel_between_two_attempts_leaves_what_was_sent() {
    let world = World::new([told(&[("ann", 0), ("bob", 429)]), told(&[("bob", 0)])]);
    let receipt = world.live(|shared| async move {
        let mut job = accept(&shared, circular(&["ann", "bob"], "hi"), None);
        let op = job.op();
        let task = tokio::spawn(async move { deliver(&mut job).await });
        shared.clock.sleep_until(shared.clock.now() + Duration::from_millis(100)).await;
        op.cancel();
        task.await.expect("no panic").expect("a receipt")
    });
    assert_eq!(recipients(&receipt), ["ann sent ok", "bob not_sent cancelled"]);
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::PartlySent, "cancelled"));
}

#[test]
fn who_joins_a_key_has_the_verdicts_of_its_first() {
    let world = World::new([told(&[("ann", 0), ("bob", 404)])]);
    let mut message = circular(&["ann", "bob"], "hi");
    message["key"] = "k".into();
    let receipts = world.send_at_once([message.clone(), message.clone()]);
    for receipt in receipts.iter().chain([&world.send(message)]) {
        assert_eq!(recipients(receipt), ["ann sent ok", "bob not_sent not_found"]);
    }
    assert_eq!(receipts.iter().filter(|receipt| receipt.deduplicated).count(), 1);
}

#[test]
fn what_encoding_has_changed_is_noted_of_what_was_sent() {
    let world = World::new([told(&[("ann", 0), ("bob", 404)])]);
    let mut message = circular(&["ann", "bob"], LONG);
    message["overflow"] = "truncate".into();
    let receipt = world.send(message.clone());
    let names: Vec<_> = receipt.notes.iter().map(|note| &*note.name).collect();
    assert_eq!((receipt.delivery, names), (Delivery::PartlySent, vec!["truncated"]));

    let receipt = World::new([told(&[("ann", 404), ("bob", 404)])]).send(message);
    assert_eq!((receipt.delivery, receipt.notes.len()), (Delivery::NotSent, 0));
}

#[test]
fn the_pace_counts_every_request() {
    let limit = json!({"count": 1, "per_ms": 1000});
    let steps = || [told(&[("ann", 0)])];
    let mut world = World::new(steps());
    world.config["accounts"]["circ"]["rate"] = limit;
    let receipt = world.send(circular(&["ann"], LONG));
    assert!((2000..3000).contains(&receipt.elapsed_ms), "{} ms", receipt.elapsed_ms);
    assert_eq!(receipt.delivery, Delivery::Sent);
}

#[test]
fn users_of_tencent_im_are_told_of_one_by_one_and_500_at_once() {
    let answered = |more: Value| {
        let mut body = json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        answer(200, &body.to_string())
    };
    let message = |to: Value| json!({"v": 1, "account": "im", "to": to, "text": "hi"});
    let users: Vec<String> = (0..1200).map(|n| format!("u{n}")).collect();
    let missing = json!({"ErrorList": [{"To_Account": "u700", "ErrorCode": 70107}]});
    let world = World::new([answered(json!({})), answered(missing), answered(json!({}))]);
    let receipt = world.send(message(json!({"users": users})));
    let sizes: Vec<usize> = world
        .requests()
        .iter()
        .map(|request| {
            assert!(request.url.path().ends_with("/v4/openim/batchsendmsg"), "{}", request.url);
            let body: Value = serde_json::from_str(&body(request)).expect("JSON");
            body["To_Account"].as_array().expect("a list").len()
        })
        .collect();
    assert_eq!(sizes, [500, 500, 200]);
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::PartlySent, "not_found"));
    let told = recipients(&receipt);
    assert_eq!((told.len(), &*told[700]), (1200, "u700 not_sent not_found"));
    assert_eq!(told.iter().filter(|one| one.ends_with("sent ok")).count(), 1199);

    // To one user a doubt is sent again byte for byte; to several it is not.
    let lost = || Step::Fail { way: Way::Network, begun: true };
    let world = World::new([lost(), answered(json!({"MsgKey": "9_7_1", "MsgTime": 1}))]);
    let receipt = world.send(message(json!({"user": "ann"})));
    let bodies: Vec<_> = world.requests().iter().map(body).collect();
    assert_eq!((bodies.len(), &bodies[0]), (2, &bodies[1]));
    assert!(world.requests()[0].url.path().ends_with("/v4/openim/sendmsg"));
    assert_eq!((receipt.delivery, receipt.message_id.as_deref()), (Delivery::Sent, Some("9_7_1")));
    assert!(receipt.recipients.is_none());
    let world = World::new([lost()]);
    let receipt = world.send(message(json!({"users": ["ann"]})));
    assert_eq!((receipt.delivery, world.requests().len()), (Delivery::MaybeSent, 1));

    for (to, path) in [
        (json!({"user": "ann", "group": "g"}), "to.user"),
        (json!({"user": "ann", "users": ["bob"]}), "to.users"),
        (json!({"users": ["bob"], "members": ["ann"]}), "to.members"),
    ] {
        let receipt = World::new([lost()]).send(message(to));
        let error = receipt.error.expect("refused");
        assert_eq!((error.code().name(), error.path()), ("message", Some(path)));
    }
}
