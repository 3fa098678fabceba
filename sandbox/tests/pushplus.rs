//! PushPlus, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const TOKEN: &str = "be8652e98bd04139a13e1bffcd6d0f71";

fn send(sandbox: &Sandbox, more: Value) -> Value {
    let mut body = json!({"token": TOKEN, "title": "T", "content": "c"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let json = ("Content-Type", "application/json");
    let reply = request(sandbox, "POST", "/pushplus/send", &[json], &body.to_string());
    assert_eq!(reply.status, 200);
    reply.json()
}

#[test]
fn takes_every_template_and_a_group() {
    let (sandbox, _) = start();
    for (template, format) in
        [("html", json!("html")), ("markdown", json!("markdown")), ("txt", Value::Null)]
    {
        let answer = send(&sandbox, json!({"template": template, "topic": "letters"}));
        assert_eq!(
            (&answer["code"], answer["data"].as_str().map(str::len)),
            (&json!(200), Some(32))
        );
        let last = sandbox.messages().pop().expect("a message");
        assert_eq!((&last["format"], &last["recipient"]), (&format, &json!("letters")));
        assert_eq!(last["id"], answer["data"]);
    }
    let path = format!("/pushplus/send/{TOKEN}?content=by%20path");
    assert_eq!(request(&sandbox, "GET", &path, &[], "").json()["code"], 200);
    assert_eq!(sandbox.messages()[3]["format"], "html");
}

#[test]
fn refuses_in_a_success_of_http() {
    let (sandbox, _) = start();
    for (more, code) in [
        (json!({"token": "x"}), 903),
        (json!({"content": ""}), 999),
        (json!({"title": "x".repeat(101)}), 999),
        (json!({"content": "x".repeat(20_001)}), 999),
        (json!({"template": "dance"}), 999),
        (json!({"channel": "wechat,mail"}), 999),
        (json!({"topic": "nobody"}), 999),
    ] {
        assert_eq!(send(&sandbox, more.clone())["code"], code, "{more}");
    }
    assert!(sandbox.messages().is_empty());
}

#[test]
fn a_message_whose_time_has_passed_reaches_nobody() {
    let (sandbox, _) = start();
    assert_eq!(send(&sandbox, json!({"timestamp": NOW_S * 1000 - 1}))["code"], 200);
    assert!(sandbox.messages().is_empty());
    assert_eq!(send(&sandbox, json!({"timestamp": NOW_S * 1000}))["code"], 200);
    assert_eq!(sandbox.messages().len(), 1);
}

#[test]
fn an_account_asks_two_hundred_times_a_day() {
    let (sandbox, clock) = start();
    for _ in 0..200 {
        assert_eq!(send(&sandbox, json!({}))["code"], 200);
    }
    assert_eq!(send(&sandbox, json!({}))["code"], 900);
    clock.advance(86_400_000);
    assert_eq!(send(&sandbox, json!({}))["code"], 200);
}
