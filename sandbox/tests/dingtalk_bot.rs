//! DingTalk's custom robot, over real sockets.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &str = "SECdingtalkrobotsecret";
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// The path of a request that is signed at this time.
fn path(time_ms: u64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(format!("{time_ms}\n{SECRET}").as_bytes());
    let sign = STANDARD.encode(mac.finalize().into_bytes());
    let query = form(&[
        ("access_token", "dingtalkrobottoken"),
        ("timestamp", &time_ms.to_string()),
        ("sign", &sign),
    ]);
    format!("/dingtalk_bot/robot/send?{query}")
}

fn send(sandbox: &Sandbox, path: &str, body: &Value) -> (i64, String) {
    let reply = request(sandbox, "POST", path, &[JSON], &body.to_string());
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let answer = reply.json();
    let words = answer["errmsg"].as_str().expect("words").to_owned();
    (answer["errcode"].as_i64().expect("a code"), words)
}

fn text(text: &str) -> Value {
    json!({"msgtype": "text", "text": {"content": text}})
}

#[test]
fn takes_every_type_of_message() {
    let (sandbox, _) = start();
    let now = path(NOW_S * 1000);
    let bodies = [
        json!({"msgtype": "text", "text": {"content": "hi @13800138000"},
            "at": {"atMobiles": ["13800138000"], "atUserIds": [], "isAtAll": false}}),
        json!({"msgtype": "markdown", "markdown": {"title": "T", "text": "# T"}}),
        json!({"msgtype": "link", "link": {"title": "T", "text": "t", "messageUrl": "http://a", "picUrl": ""}}),
        json!({"msgtype": "actionCard", "actionCard": {"title": "T", "text": "t",
            "singleTitle": "go", "singleURL": "http://a", "btnOrientation": "0", "hideAvatar": "0"}}),
        json!({"msgtype": "actionCard", "actionCard": {"title": "T", "text": "t",
            "btns": [{"title": "yes", "actionURL": "http://a"}]}}),
        json!({"msgtype": "feedCard", "feedCard": {"links": [
            {"title": "one", "messageURL": "http://a", "picURL": "http://b"}]}}),
    ];
    for (at, body) in bodies.iter().enumerate() {
        assert_eq!(send(&sandbox, &now, body), (0, "ok".to_owned()), "{body}");
        assert_eq!(sandbox.messages().len(), at + 1);
    }
    let messages = sandbox.messages();
    assert_eq!(messages[0]["text"], "hi @13800138000");
    assert_eq!(messages[0]["mentions"], json!(["13800138000"]));
    assert_eq!((&messages[1]["title"], &messages[1]["format"]), (&json!("T"), &json!("markdown")));
    assert_eq!(messages[5]["text"], "one");
}

#[test]
fn refuses_in_a_success_of_http() {
    let (sandbox, _) = start();
    let now = NOW_S * 1000;
    let wrong_sign = path(now).replace("sign=", "sign=x");
    for (path, body, code) in [
        (path(now - 3_600_001), text("x"), 310000),
        (path(now + 3_600_001), text("x"), 310000),
        (wrong_sign, text("x"), 310000),
        (path(now).replace("robottoken", "another"), text("x"), 300005),
        ("/dingtalk_bot/robot/send".to_owned(), text("x"), 40035),
        (path(now), text(""), 40035),
        (path(now), json!({"msgtype": "image", "image": {}}), 400105),
        (path(now), json!({"msgtype": "link", "link": {"title": "T", "text": "t"}}), 40035),
        (path(now), text(&"x".repeat(20_000)), 460101),
    ] {
        assert_eq!(send(&sandbox, &path, &body).0, code, "{path} {body:.80}");
    }
    let mut crowd = text("x");
    crowd["at"] = json!({"atMobiles": vec!["1"; 51]});
    assert_eq!(send(&sandbox, &path(now), &crowd).0, 40035);
    let reply = request(&sandbox, "GET", &path(now), &[], "");
    assert_eq!(reply.json()["errcode"], 43002);
    let reply = request(&sandbox, "POST", &path(now), &[], "{}");
    assert_eq!(reply.json()["errcode"], 43004);
    assert!(sandbox.messages().is_empty());
}

#[test]
fn one_of_twenty_a_minute_too_many_blocks_the_robot_for_ten_minutes() {
    let (sandbox, clock) = start();
    let sent = |wait_ms: u64| {
        clock.advance(wait_ms);
        send(&sandbox, &path(NOW_S * 1000), &text("x")).0
    };
    for _ in 0..20 {
        assert_eq!(sent(0), 0);
    }
    assert_eq!(sent(0), 130101);
    assert_eq!(sent(599_999), 130101);
    assert_eq!(sent(1), 0);
}

#[test]
fn a_message_that_was_taken_before_is_not_taken_again() {
    let (sandbox, _) = start();
    let mut body = text("once");
    body["msgUuid"] = "u".into();
    for _ in 0..2 {
        assert_eq!(send(&sandbox, &path(NOW_S * 1000), &body).0, 0);
        assert_eq!(sandbox.messages().len(), 1);
    }
}
