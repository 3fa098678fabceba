//! WxPusher, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const TOKEN: &str = "AT_hongyan0123456789abcdefghijklm";

fn send(sandbox: &Sandbox, more: Value) -> Value {
    let mut body = json!({"appToken": TOKEN, "content": "c", "uids": ["UID_anna"]});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let json = ("Content-Type", "application/json");
    let reply = request(sandbox, "POST", "/wxpusher/api/send/message", &[json], &body.to_string());
    assert_eq!(reply.status, 200);
    reply.json()
}

#[test]
fn each_recipient_is_told_of_by_itself() {
    let (sandbox, _) = start();
    let more = json!({"uids": ["UID_anna", "UID_left", "UID_x"], "topicIds": [1234, 1],
        "summary": "T", "contentType": 3});
    let answer = send(&sandbox, more);
    assert_eq!((&answer["code"], &answer["success"]), (&json!(1000), &json!(true)));
    let told: Vec<_> = answer["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["uid"].clone(), one["topicId"].clone(), one["code"].clone()))
        .collect();
    let own = |uid: Value, topic: Value, code: u32| (uid, topic, json!(code));
    assert_eq!(
        told,
        [
            own(json!("UID_anna"), Value::Null, 1000),
            own(json!("UID_left"), Value::Null, 1005),
            own(json!("UID_x"), Value::Null, 1004),
            own(Value::Null, json!(1234), 1000),
            own(Value::Null, json!(1), 1004),
        ]
    );
    let messages = sandbox.messages();
    assert_eq!(messages.len(), 2);
    assert_eq!(
        (&messages[0]["recipient"], &messages[1]["recipient"]),
        (&json!("UID_anna"), &json!("1234"))
    );
    assert_eq!((&messages[0]["title"], &messages[0]["format"]), (&json!("T"), &json!("markdown")));
    let id = &answer["data"][0]["sendRecordId"];
    let path = format!("/wxpusher/api/send/query/status?sendRecordId={id}");
    assert_eq!(request(&sandbox, "GET", &path, &[], "").json()["code"], 1000);
}

#[test]
fn refuses_in_a_success_of_http() {
    let (sandbox, _) = start();
    for (more, code) in [
        (json!({"appToken": null}), 1001),
        (json!({"appToken": "AT_x"}), 1002),
        (json!({"content": ""}), 1003),
        (json!({"content": "x".repeat(40_001)}), 1007),
        (json!({"summary": "x".repeat(101)}), 1007),
        (json!({"uids": []}), 1009),
        (json!({"uids": vec!["UID_anna"; 2001]}), 1009),
        (json!({"topicIds": [1, 2, 3, 4, 5, 6]}), 1009),
        (json!({"contentType": 4}), 1009),
    ] {
        let answer = send(&sandbox, more.clone());
        assert_eq!((&answer["code"], &answer["success"]), (&json!(code), &json!(false)));
    }
    assert!(sandbox.messages().is_empty());
    let followers = |token: &str| {
        let path = format!("/wxpusher/api/fun/wxuser/v2?appToken={token}&page=1&pageSize=1");
        request(&sandbox, "GET", &path, &[], "").json()["code"].clone()
    };
    assert_eq!((followers(TOKEN), followers("AT_x")), (json!(1000), json!(1002)));
}

#[test]
fn takes_twenty_calls_in_ten_seconds() {
    let (sandbox, clock) = start();
    for _ in 0..20 {
        assert_eq!(send(&sandbox, json!({}))["code"], 1000);
    }
    assert_eq!(send(&sandbox, json!({}))["code"], 1008);
    clock.advance(10_000);
    assert_eq!(send(&sandbox, json!({}))["code"], 1000);
}
