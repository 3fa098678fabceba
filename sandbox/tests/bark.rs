//! Bark's server, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const DEVICE: &str = "ynJ5Ft4atkMkWeo2PAvFhF";

fn push(sandbox: &Sandbox, more: Value) -> Reply {
    let mut body = json!({"device_key": DEVICE, "body": "hi"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let json = ("Content-Type", "application/json; charset=utf-8");
    request(sandbox, "POST", "/bark/push", &[json], &body.to_string())
}

#[test]
fn a_notice_takes_the_place_of_the_same_one() {
    let (sandbox, _) = start();
    let reply = push(&sandbox, json!({"title": "T", "level": "passive", "group": "g"}));
    assert_eq!((reply.status, &reply.json()["message"]), (200, &json!("success")));
    let taken = &sandbox.messages()[0];
    assert_eq!((&taken["silent"], &taken["thread"]), (&json!(true), &json!("g")));
    for _ in 0..2 {
        assert_eq!(push(&sandbox, json!({"id": "1"})).status, 200);
    }
    assert_eq!(sandbox.messages().len(), 2);
    push(&sandbox, json!({"id": "1", "body": "other"}));
    assert_eq!(push(&sandbox, json!({"markdown": "**x**"})).status, 200);
    assert_eq!(sandbox.messages()[3]["format"], "markdown");
}

#[test]
fn refuses_what_bark_refuses() {
    let (sandbox, _) = start();
    for (more, code, words) in [
        (json!({"device_key": ""}), 400, "device key is empty"),
        (json!({"device_key": "x"}), 400, "failed to get device token"),
        (json!({"device_key": "deadF7x2PqLmNs9RtVwYz4"}), 500, "push failed: BadDeviceToken"),
        (json!({"device_key": "doubtH6b3KpQrSt8UvWxY2"}), 500, "push failed"),
        (json!({"body": "x".repeat(4096)}), 500, "push failed: PayloadTooLarge"),
        (json!({"group": 7}), 500, "interface"),
    ] {
        let reply = push(&sandbox, more.clone());
        assert_eq!((reply.status, &reply.json()["code"]), (code, &json!(code)), "{more}");
        assert!(reply.json()["message"].as_str().is_some_and(|own| own.starts_with(words)));
    }
    assert!(sandbox.messages().is_empty());
    let known =
        |key: &str| request(&sandbox, "GET", &format!("/bark/register/{key}"), &[], "").status;
    assert_eq!((known(DEVICE), known("x")), (200, 400));
    assert_eq!(request(&sandbox, "POST", "/bark/x/y", &[], "").json()["code"], 404);
    assert_eq!(request(&sandbox, "GET", "/bark/push", &[], "").json()["code"], 405);
}

#[test]
fn several_devices_have_a_code_each() {
    let (sandbox, _) = start();
    let keys = json!({"device_keys": [DEVICE, "x", "kQ3sVw8LrTzBnXc5MhYd2G"]});
    let told = push(&sandbox, keys).json();
    let codes: Vec<_> =
        told["data"].as_array().expect("a list").iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, [200, 400, 200]);
    assert_eq!(sandbox.messages().len(), 2);
}
