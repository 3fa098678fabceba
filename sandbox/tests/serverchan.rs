//! ServerChan, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const TURBO: &str = "/serverchan/SCT1234TabcdefGHIJ.send";
const FREE: &str = "/serverchan/SCT5TfreefreeFREE.send";
const SERVER3: &str = "/serverchan/send/sctp987tAbC123.send";

fn send(sandbox: &Sandbox, path: &str, body: &Value) -> Reply {
    let json = ("Content-Type", "application/json");
    request(sandbox, "POST", path, &[json], &body.to_string())
}

#[test]
fn takes_a_message_by_either_key_and_in_any_form() {
    let (sandbox, _) = start();
    let message = json!({"title": "T", "desp": "**t**"});
    let turbo = send(&sandbox, TURBO, &message).json();
    assert_eq!((&turbo["code"], &turbo["data"]["errno"]), (&json!(0), &json!(0)));
    assert!(turbo["data"]["pushid"].is_string() && turbo["data"]["error"] == "SUCCESS");
    assert_eq!(send(&sandbox, SERVER3, &message).json()["code"], 0);
    let form = ("Content-Type", FORM);
    let reply = request(&sandbox, "POST", TURBO, &[form], "title=T&desp=a%20b");
    assert_eq!((reply.status, &reply.json()["code"]), (200, &json!(0)));
    let reply = request(&sandbox, "GET", &format!("{SERVER3}?text=T"), &[], "");
    assert_eq!((reply.status, &reply.json()["code"]), (200, &json!(0)));
    let messages = sandbox.messages();
    let seen = |n: usize| (&messages[n]["title"], &messages[n]["text"], &messages[n]["format"]);
    assert_eq!(seen(0), (&json!("T"), &json!("**t**"), &json!("markdown")));
    assert_eq!(messages[2]["text"], "a b");
    assert_eq!(messages.len(), 4);
}

#[test]
fn refuses_with_a_status_of_400() {
    let (sandbox, _) = start();
    let long = "x".repeat((32 << 10) + 1);
    for (path, body, code, scode) in [
        ("/serverchan/SCT0Tnobody.send", json!({"title": "T"}), 40001, 461),
        ("/serverchan/send/sctp1tnobody.send", json!({"title": "T"}), 40001, 461),
        ("/serverchan/sctp987tAbC123.send", json!({"title": "T"}), 40001, 461),
        (TURBO, json!({"title": " ", "desp": "x"}), 20001, 460),
        (TURBO, json!({"title": "T", "desp": long}), 20002, 460),
        (TURBO, json!([]), 40002, 460),
    ] {
        let reply = send(&sandbox, path, &body);
        assert_eq!((reply.status, &reply.json()["code"]), (400, &json!(code)), "{path}");
        assert_eq!(reply.json()["scode"], scode, "{path}");
    }
    assert_eq!(send(&sandbox, "/serverchan/x", &json!({})).status, 404);
    assert!(sandbox.messages().is_empty());
}

#[test]
fn the_free_plan_sends_five_a_day() {
    let (sandbox, clock) = start();
    let message = json!({"title": "T"});
    for _ in 0..5 {
        assert_eq!(send(&sandbox, FREE, &message).status, 200);
    }
    let refused = send(&sandbox, FREE, &message).json();
    assert_eq!((&refused["code"], &refused["scode"]), (&json!(40001), &json!(471)));
    assert!(refused["message"].as_str().is_some_and(|words| words.contains("次数限制[5]")));
    assert_eq!(send(&sandbox, TURBO, &message).status, 200, "another key");
    clock.advance(86_400_000);
    assert_eq!(send(&sandbox, FREE, &message).status, 200);
}
