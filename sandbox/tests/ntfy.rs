//! ntfy, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const BEARER: (&str, &str) = ("Authorization", "Bearer tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2");

fn publish(sandbox: &Sandbox, body: &Value) -> Reply {
    let json = ("Content-Type", "application/json");
    request(sandbox, "POST", "/ntfy/", &[json], &body.to_string())
}

#[test]
fn a_notice_comes_as_json_as_a_text_or_as_a_file() {
    let (sandbox, _) = start();
    let body = json!({"topic": "alerts", "message": " hi\n", "title": "T", "priority": 2,
        "tags": ["a", "b"], "markdown": true});
    let first = publish(&sandbox, &body).json();
    assert_eq!((&first["message"], &first["event"]), (&json!("hi"), &json!("message")));
    assert_eq!(first["tags"], json!(["a", "b"]));
    let taken = &sandbox.messages()[0];
    assert_eq!((&taken["silent"], &taken["format"]), (&json!(true), &json!("markdown")));
    let title = ("X-Title", "=?UTF-8?B?6bi/?= =?UTF-8?B?6ZuB?=");
    request(&sandbox, "PUT", "/ntfy/alerts?priority=5", &[title], "plain");
    let taken = &sandbox.messages()[1];
    assert_eq!((&taken["text"], &taken["title"]), (&json!("plain"), &json!("鸿雁")));
    assert_eq!(taken["priority"], "max");
    let headers = [("X-Filename", "a.txt"), ("X-Message", "one\\ntwo")];
    request(&sandbox, "PUT", "/ntfy/alerts", &headers, "content");
    let taken = &sandbox.messages()[2];
    assert_eq!(taken["text"], "one\ntwo");
    assert_eq!(taken["attachments"][0]["name"], "a.txt");
    assert_eq!(publish(&sandbox, &json!({"topic": "alerts"})).json()["message"], "triggered");
}

#[test]
fn a_long_text_becomes_a_file() {
    let (sandbox, _) = start();
    let long = publish(&sandbox, &json!({"topic": "alerts", "message": "x".repeat(4097)})).json();
    assert_eq!(long["message"], "You received a file: attachment.txt");
    let cut = json!({"topic": "alerts", "message": "x".repeat(4097), "attach": "https://a.b/c"});
    publish(&sandbox, &cut);
    assert_eq!(sandbox.messages()[1]["text"].as_str().map(str::len), Some(4096));
    let large = publish(&sandbox, &json!({"topic": "alerts", "message": "x".repeat(8193)}));
    assert_eq!((large.status, &large.json()["code"]), (413, &json!(41303)));
}

#[test]
fn refuses_what_ntfy_refuses() {
    let (sandbox, _) = start();
    for (body, code) in [
        (json!({"topic": "a/b", "message": "x"}), 40009),
        (json!({"topic": "docs", "message": "x"}), 40010),
        (json!({"topic": "private", "message": "x"}), 40301),
        (json!({"topic": "announcements", "message": "x"}), 40301),
        (json!({"topic": "alerts", "message": 7}), 40024),
        (json!({"topic": "alerts", "priority": 6}), 40007),
        (json!({"topic": "alerts", "attach": "ftp://a"}), 40013),
        (json!([]), 40024),
    ] {
        let reply = publish(&sandbox, &body);
        assert_eq!(
            (reply.json()["code"].as_u64(), reply.status),
            (Some(code), (code / 100) as u16)
        );
    }
    let wrong = [("Authorization", "Bearer tk_x")];
    let reply = request(&sandbox, "GET", "/ntfy/v1/account", &wrong, "");
    assert_eq!((reply.status, &reply.json()["code"]), (401, &json!(40101)));
    let known = request(&sandbox, "GET", "/ntfy/v1/account", &[BEARER], "").json();
    assert_eq!(known["username"], "goose");
    assert_eq!(request(&sandbox, "POST", "/ntfy/private", &[BEARER], "x").status, 200);
    assert_eq!(request(&sandbox, "GET", "/ntfy/a/b/c", &[], "").json()["code"], 40401);
    assert_eq!(sandbox.messages().len(), 1);
}

#[test]
fn sixty_come_at_once_and_one_more_every_five_seconds() {
    let (sandbox, clock) = start();
    let send = || publish(&sandbox, &json!({"topic": "alerts", "message": "x"}));
    for _ in 0..60 {
        assert_eq!(send().status, 200);
    }
    assert_eq!(send().json()["code"], 42901);
    clock.advance(5000);
    assert_eq!(send().status, 200);
    assert_eq!(send().status, 429);
}
