//! The rules of delivery: doubts, drops, deadlines, signatures, patience.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Step, World, answer, fanfou, name_of, tencent, tencent_answer};
use crate::model::receipt::Delivery;
use crate::net::Way;
use crate::service::api::Answer;

#[test]
fn renren_s_success_is_exactly_the_integer_1() {
    let extra = json!({"messageType": "x", "resourceTitle": "t"});
    let message = json!({"v": 1, "account": "renren", "text": "hello", "extra": extra});
    for (body, delivery) in [
        ("{\"response\": 1}", Delivery::Sent),
        (" 1\n", Delivery::Sent),
        ("{\"response\": 1.0}", Delivery::MaybeSent),
        ("{\"response\": \"1\"}", Delivery::MaybeSent),
        ("{\"response\": true}", Delivery::MaybeSent),
        ("{\"response\": 2}", Delivery::MaybeSent),
        ("{\"response\": 1, \"response\": 1}", Delivery::MaybeSent),
        ("{\"response\": 1, \"more\": 1}", Delivery::MaybeSent),
        ("{\"response\": 1, \"error\": {\"code\": \"a.b\"}}", Delivery::MaybeSent),
        ("{\"response\": 1", Delivery::MaybeSent),
        ("11", Delivery::MaybeSent),
        ("\"1\"", Delivery::MaybeSent),
        ("true", Delivery::MaybeSent),
    ] {
        let receipt = World::new([answer(200, body)]).send(message.clone());
        assert_eq!(receipt.delivery, delivery, "{body}");
    }
}

#[test]
fn a_repeated_answer_proves_a_doubt_unless_the_client_had_sent_the_same_just_before() {
    let message = json!({"v": 1, "account": "weibo", "to": {"user": "1"}, "text": "hello"});
    let resend = || json!({"on_maybe_sent": "resend", "max_attempts": 2});
    let doubt = || Step::Fail { way: Way::Network, begun: true };
    let error =
        |code: u32| answer(400, &json!({"error_code": code, "error": "repeated"}).to_string());
    let sent = || answer(200, r#"{"id":1,"idstr":"1"}"#);
    for (code, delivery) in
        [(20019, Delivery::Sent), (20306, Delivery::Sent), (20017, Delivery::MaybeSent)]
    {
        let world = World::new([doubt(), error(code)]).with("retry", resend());
        let receipt = world.send(message.clone());
        assert_eq!(
            (receipt.delivery, receipt.deduplicated),
            (delivery, delivery == Delivery::Sent),
            "{code}"
        );
    }
    let world = World::new([sent(), doubt(), error(20019)]).with("retry", resend());
    let receipts = world.send_all([message.clone(), message.clone()]);
    assert_eq!(receipts[0].delivery, Delivery::Sent);
    assert_eq!((receipts[1].delivery, name_of(&receipts[1])), (Delivery::MaybeSent, "duplicate"));
    let receipt = World::new([error(20019)]).send(message);
    assert_eq!(
        (receipt.delivery, name_of(&receipt)),
        (Delivery::NotSent, "duplicate"),
        "no doubt before"
    );
}

#[test]
fn fanfou_s_status_counts_whatever_the_content_is() {
    for (status, name) in [(400, "rejected"), (401, "auth"), (403, "forbidden"), (404, "not_found")]
    {
        for body in
            ["", "<html><title>no</title></html>", "\u{1f}\u{8b}\u{8}gzip", "{\"error\"", "null"]
        {
            let receipt = World::new([answer(status, body)]).send(fanfou("ff"));
            assert_eq!(
                (name_of(&receipt), receipt.delivery),
                (name, Delivery::NotSent),
                "{status} {body}"
            );
        }
    }
}

#[test]
fn an_answer_without_an_envelope_is_judged_by_its_status() {
    for (status, name, delivery, fanfou_requests, tencent_requests) in [
        (200, "protocol", Delivery::MaybeSent, 1, 4),
        (204, "protocol", Delivery::MaybeSent, 1, 4),
        (302, "protocol", Delivery::NotSent, 1, 1),
        (418, "protocol", Delivery::NotSent, 1, 1),
        (429, "rate_limited", Delivery::NotSent, 4, 4),
        (500, "service", Delivery::MaybeSent, 1, 4),
        (502, "service", Delivery::MaybeSent, 1, 4),
        (599, "service", Delivery::MaybeSent, 1, 4),
    ] {
        for body in
            ["", "<html>proxy</html>", "{}", "null", "\u{1f}\u{8b}\u{8}gzip", "{\"id\":\"a\""]
        {
            for (message, requests) in
                [(fanfou("ff"), fanfou_requests), (tencent(json!({})), tencent_requests)]
            {
                let world = World::new([answer(status, body)]);
                let receipt = world.send(message);
                assert_eq!(
                    (name_of(&receipt), receipt.delivery),
                    (name, delivery),
                    "{status} {body}"
                );
                assert_eq!(world.requests().len(), requests, "{status} {body}");
            }
        }
    }
}

#[test]
fn without_an_answer_it_counts_whether_the_request_had_begun() {
    for (way, name) in [
        (Way::Network, "network"),
        (Way::Tls, "tls"),
        (Way::TimedOut, "timeout"),
        (Way::Protocol, "protocol"),
    ] {
        let world = World::new([Step::Fail { way, begun: false }]);
        let receipt = world.send(fanfou("ff"));
        assert_eq!((name_of(&receipt), receipt.delivery), (name, Delivery::NotSent));
        assert_eq!(world.requests().len(), 4, "retried by backoff");
        let world = World::new([Step::Fail { way, begun: true }]);
        let receipt = world.send(fanfou("ff"));
        assert_eq!((name_of(&receipt), receipt.delivery), (name, Delivery::MaybeSent));
        assert_eq!(world.requests().len(), 1, "never resent blindly");
    }
}

#[test]
fn a_doubt_is_resent_byte_for_byte_and_a_drop_as_a_new_message() {
    let doubt = || Step::Fail { way: Way::Network, begun: true };
    let dropped =
        || answer(200, r#"{"ActionStatus":"OK","ErrorCode":0,"MsgDropReason":"MsgFreqCtrl"}"#);
    let bodies = |world: &World| world.requests().into_iter().map(|r| r.body).collect::<Vec<_>>();

    let world = World::new([doubt(), tencent_answer(0)]);
    let receipt = world.send(tencent(json!({})));
    assert_eq!((receipt.delivery, receipt.message_id.as_deref()), (Delivery::Sent, Some("5")));
    assert_eq!(bodies(&world)[0], bodies(&world)[1]);

    let world = World::new([dropped(), tencent_answer(0)]);
    assert_eq!(world.send(tencent(json!({}))).delivery, Delivery::Sent);
    assert_ne!(bodies(&world)[0], bodies(&world)[1]);

    let world = World::new([dropped(), tencent_answer(0)]);
    let receipt = world.send(tencent(json!({"Random": 9})));
    assert_eq!(
        (receipt.delivery, world.requests().len()),
        (Delivery::NotSent, 1),
        "the caller's Random"
    );

    let world = World::new([doubt(), dropped(), tencent_answer(0)]);
    let receipt = world.send(tencent(json!({})));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::MaybeSent, "dropped"));

    let world = World::new([doubt(), tencent_answer(10024)]);
    let receipt = world.send(tencent(json!({})));
    assert_eq!((receipt.delivery, receipt.deduplicated), (Delivery::Sent, true));

    let world = World::new([doubt(), tencent_answer(10010)]);
    let receipt = world.send(tencent(json!({})));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::MaybeSent, "not_found"));
}

#[test]
fn a_clock_that_is_wrong_is_told_and_corrected_once() {
    let unix = || {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970")
            .as_secs()
    };
    let refused = || {
        let body = br#"{"request":"/x","error":"Expired timestamp"}"#.to_vec();
        Step::Answer(Answer { status: 401, body, date: Some(unix() + 312), ..Answer::default() })
    };
    let world = World::new([refused()]);
    let receipt = world.send(fanfou("ffo"));
    let error = receipt.error.expect("refused");
    assert!(error.message().contains("your clock is 31"), "{error}");
    assert!(error.message().ends_with("s behind"), "{error}");
    assert_eq!(world.requests().len(), 2);
    let timestamp = |i: usize| {
        let header = world.requests()[i].headers.authorization.clone().expect("signed");
        let at = header.find("oauth_timestamp=\"").expect("a timestamp") + 17;
        header[at..at + 10].parse::<u64>().expect("seconds")
    };
    assert!(timestamp(1) - timestamp(0) >= 311, "signed with the service's time");

    let world = World::new([refused(), answer(200, r#"{"id":"a"}"#)]);
    assert_eq!(world.send(fanfou("ffo")).delivery, Delivery::Sent);
}

#[test]
fn the_caller_s_patience_ends_a_send_with_what_is_true() {
    let world = World::new([Step::Hang { begun: true }]).patience(300);
    let receipt = world.send(fanfou("ff"));
    assert_eq!(
        (receipt.delivery, name_of(&receipt), receipt.deadline),
        (Delivery::MaybeSent, "timeout", true)
    );
    let world = World::new([Step::Hang { begun: false }]).patience(300);
    let receipt = world.send(fanfou("ff"));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, "timeout"));
    let world = World::new([answer(200, r#"{"id":"a"}"#)]).patience(0);
    let receipt = world.send(fanfou("ff"));
    assert_eq!(
        (receipt.delivery, name_of(&receipt), receipt.attempts),
        (Delivery::NotSent, "timeout", 0)
    );
    assert!(world.requests().is_empty(), "a time-out of 0 makes no request");
}

#[test]
fn a_wait_that_does_not_fit_ends_at_once_and_says_how_long() {
    let body = br#"{"error":"slow"}"#.to_vec();
    let retry_after = Some(Duration::from_secs(60));
    let limited = Step::Answer(Answer { status: 429, body, retry_after, ..Answer::default() });
    let world = World::new([limited]).patience(30_000);
    let receipt = world.send(fanfou("ff"));
    let error = receipt.error.as_ref().expect("refused");
    assert_eq!((name_of(&receipt), error.retry_after_ms()), ("rate_limited", Some(60_000)));
    assert!(error.is_retryable() && receipt.deadline);
    assert_eq!((world.requests().len(), receipt.elapsed_ms), (1, 0));
}

#[test]
fn a_deadline_is_expired_only_if_nothing_was_ever_sent() {
    let message = |deadline: u64, later: u64| {
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let mut message = fanfou("ff");
        message["deadline_ms"] = json!(deadline);
        message["not_before_ms"] = json!(u64::try_from(now.as_millis()).expect("fits") + later);
        message
    };
    let world = World::new([answer(200, r#"{"id":"a"}"#)]);
    let receipt = world.send(message(1000, 60_000));
    assert_eq!(
        (name_of(&receipt), receipt.delivery, receipt.attempts),
        ("expired", Delivery::NotSent, 0)
    );
    let receipt = world.send(message(60_000, 1000));
    assert_eq!(receipt.delivery, Delivery::Sent);
    let world = World::new([Step::Hang { begun: true }]);
    let receipt = world.send(message(1000, 0));
    assert_eq!((name_of(&receipt), receipt.delivery), ("timeout", Delivery::MaybeSent));
}

#[test]
fn a_trace_has_one_entry_an_attempt() {
    let world =
        World::new([answer(429, ""), answer(200, r#"{"id":"a"}"#)]).with("trace", json!(true));
    let shown: Value = serde_json::from_str(&world.send(fanfou("ff")).to_json()).expect("JSON");
    let names: Vec<_> =
        shown["trace"].as_array().expect("a trace").iter().map(|a| a["name"].clone()).collect();
    assert_eq!(names, ["rate_limited", "ok"]);
    assert_eq!((&shown["trace"][0]["wait_ms"], &shown["attempts"]), (&json!(1000), &json!(2)));
}
