//! Rocket.Chat, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const USER: (&str, &str) = ("X-User-Id", "YKduDE7nGbqDkPCFf");
const TOKEN: (&str, &str) = ("X-Auth-Token", "eERFofD7pHQttqDpqdDQCo9JWeKnHpXo7wMGqptNbGo");
const HOOK: &str = "64c0ffee64c0ffee64c0ffe1/yEpDsPjwnf4YhqhbXR5Mx4RFpXmjZzgWrEHkeL3ZKjeCvE3o";
const BOUND: &str = "64c0ffee64c0ffee64c0ffe2/p57YZxarjq6hE8FTixvEDzxXupw7gWycvaBhaLsHjDP4WJ2R";
const OFF: &str = "64c0ffee64c0ffee64c0ffe3/q68ZAybskr7iF9GUjywFEAyYvqx8hXzdwbCibMtIkEQ5XK3S";

fn post(sandbox: &Sandbox, body: &Value) -> Reply {
    let path = "/rocketchat/api/v1/chat.postMessage";
    request(sandbox, "POST", path, &[JSON, USER, TOKEN], &body.to_string())
}

fn hook(sandbox: &Sandbox, hook: &str, body: &Value) -> Reply {
    let path = format!("/rocketchat/hooks/{hook}");
    request(sandbox, "POST", &path, &[JSON], &body.to_string())
}

#[test]
fn rooms_are_known_by_name_and_by_id_and_users_by_name() {
    let (sandbox, _) = start();
    for (to, recipient) in [
        (json!({"channel": "#general"}), "general"),
        (json!({"channel": "#GENERAL"}), "general"),
        (json!({"roomId": "GENERAL"}), "general"),
        (json!({"channel": "@anna"}), "@anna"),
    ] {
        let mut body = json!({"text": "hi @bruno", "tmid": "t1"});
        body.as_object_mut().expect("one").extend(to.as_object().expect("one").clone());
        let reply = post(&sandbox, &body).json();
        let last = sandbox.messages().pop().expect("a message");
        assert_eq!((&last["recipient"], &last["thread"]), (&json!(recipient), &json!("t1")));
        assert_eq!((&reply["message"]["_id"], &last["mentions"]), (&last["id"], &json!(["bruno"])));
    }
}

#[test]
fn a_webhook_says_that_all_is_well_of_nothing_too() {
    let (sandbox, _) = start();
    for body in [json!({}), json!([]), json!({"words": "x"}), json!({"text": " "})] {
        let reply = hook(&sandbox, HOOK, &body);
        assert_eq!((reply.status, reply.json()), (200, json!({"success": true})), "{body}");
    }
    assert!(sandbox.messages().is_empty());
    let cards = json!({"channel": "@anna", "attachments": [{"title": "T", "text": "x"}]});
    assert_eq!(hook(&sandbox, HOOK, &cards).json(), json!({"success": true}));
    let last = &sandbox.messages()[0];
    assert_eq!((&last["recipient"], &last["text"]), (&json!("@anna"), &json!("T\nx")));
}

#[test]
fn refuses_what_rocket_chat_refuses() {
    let (sandbox, _) = start();
    let long = "😀".repeat(2501);
    for (body, code) in [
        (json!({"text": "x"}), "error-roomid-param-not-provided"),
        (json!({"text": "x", "channel": "#nowhere"}), "error-invalid-channel"),
        (json!({"text": "x", "channel": "#announcements"}), "error-not-allowed"),
        (json!({"text": long, "channel": "#general"}), "error-message-size-exceeded"),
    ] {
        let reply = post(&sandbox, &body);
        assert_eq!((reply.status, &reply.json()["errorType"]), (400, &json!(code)), "{body:.99}");
    }
    let me = request(&sandbox, "GET", "/rocketchat/api/v1/me", &[USER], "");
    assert_eq!((me.status, &me.json()["status"]), (401, &json!("error")));
    let text = json!({"text": "x", "channel": "#general"});
    for (own, status, words) in [
        ("a/b", 404, "Invalid integration id or token provided."),
        (BOUND, 400, "overriding destination channel is disabled for this integration"),
        (OFF, 503, "Service Unavailable"),
    ] {
        let reply = hook(&sandbox, own, &text);
        assert_eq!((reply.status, &reply.json()["error"]), (status, &json!(words)));
    }
    assert!(sandbox.messages().is_empty());
}

#[test]
fn the_wait_stands_in_a_sentence_and_in_milliseconds() {
    let (sandbox, clock) = start();
    let text = json!({"text": "x", "channel": "#general"});
    for _ in 0..10 {
        assert_eq!(post(&sandbox, &text).status, 200);
    }
    clock.advance(2500);
    let reply = post(&sandbox, &text);
    assert_eq!(reply.status, 429);
    let words = reply.json()["error"].as_str().expect("words").to_owned();
    assert!(words.contains("You must wait 58 seconds before"), "{words}");
    let reset = (NOW_S + 60) * 1000;
    assert_eq!(reply.header("x-ratelimit-reset"), Some(&*reset.to_string()));
    assert_eq!(reply.header("retry-after"), None);
    assert_eq!(hook(&sandbox, HOOK, &text).status, 200, "another route");
    clock.advance(57_500);
    assert_eq!(post(&sandbox, &text).status, 200);
}
