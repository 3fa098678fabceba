//! LINE, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const ANNA: &str = "U4af4980629d85f9c1d3a1b4c5e6f7a8b";
const BRUNO: &str = "U0c6a1b2c3d4e5f60718293a4b5c6d7e8";
const BLOCKED: &str = "Ub10c4edb10c4edb10c4edb10c4edb10c";
const BEARER: (&str, &str) = ("Authorization", "Bearer bGluZS1ib3QtdG9rZW4tb2YtaG9uZ3lhbg==");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const KEY: &str = "123e4567-e89b-12d3-a456-426614174000";

fn post(sandbox: &Sandbox, path: &str, key: Option<&str>, body: &Value) -> Reply {
    let mut headers = vec![JSON, BEARER];
    headers.extend(key.map(|key| ("X-Line-Retry-Key", key)));
    request(sandbox, "POST", &format!("/line/v2/bot/message/{path}"), &headers, &body.to_string())
}

fn text(text: &str) -> Value {
    json!({"to": ANNA, "messages": [{"type": "text", "text": text}]})
}

#[test]
fn a_retry_key_is_known_for_a_day() {
    let (sandbox, clock) = start();
    let first = post(&sandbox, "push", Some(KEY), &text("hi"));
    assert_eq!(first.status, 200);
    clock.advance(86_399_999);
    let again = post(&sandbox, "push", Some(&KEY.to_uppercase()), &text("another"));
    assert_eq!(
        (again.status, &again.json()["message"]),
        (409, &json!("The retry key is already accepted"))
    );
    assert_eq!(again.json()["sentMessages"], first.json()["sentMessages"]);
    assert_eq!(again.header("x-line-accepted-request-id"), first.header("x-line-request-id"));
    assert_eq!(sandbox.messages().len(), 1);
    clock.advance(1);
    assert_eq!(post(&sandbox, "push", Some(KEY), &text("hi")).status, 200);
    assert_eq!(post(&sandbox, "push", Some("4711"), &text("hi")).status, 400);
    // Without a key it is another message each time.
    post(&sandbox, "push", None, &text("hi"));
    post(&sandbox, "push", None, &text("hi"));
    assert_eq!(sandbox.messages().len(), 4);
}

#[test]
fn several_users_have_one_request_and_no_ids() {
    let (sandbox, _) = start();
    let body = json!({"to": [ANNA, BRUNO, BLOCKED], "messages": [{"type": "text", "text": "hi"}]});
    assert_eq!(post(&sandbox, "multicast", Some(KEY), &body).json(), json!({}));
    let to: Vec<_> = sandbox.messages().iter().map(|one| one["recipient"].clone()).collect();
    assert_eq!(to, [ANNA, BRUNO]);
    let again = post(&sandbox, "multicast", Some(KEY), &body);
    assert_eq!((again.status, again.json().get("sentMessages")), (409, None));
    let many = json!({"to": vec![ANNA; 501], "messages": [{"type": "text", "text": "hi"}]});
    assert_eq!(post(&sandbox, "multicast", None, &many).status, 400);
}

#[test]
fn who_blocked_the_bot_gets_nothing_and_nobody_is_told() {
    let (sandbox, _) = start();
    let body = json!({"to": BLOCKED, "messages": [{"type": "text", "text": "hi"}]});
    assert_eq!(post(&sandbox, "push", None, &body).status, 200);
    assert!(sandbox.messages().is_empty());
}

#[test]
fn mentions_stand_in_the_places_of_a_text() {
    let (sandbox, _) = start();
    let user = json!({"type": "mention", "mentionee": {"type": "user", "userId": ANNA}});
    let object = json!({"type": "textV2", "text": "{a} in {{b}}", "substitution": {"a": user}});
    let body = json!({"to": ANNA, "messages": [object]});
    assert_eq!(post(&sandbox, "push", None, &body).status, 200);
    let last = &sandbox.messages()[0];
    assert_eq!(
        (&last["text"], &last["mentions"]),
        (&json!(format!("@{ANNA} in {{b}}")), &json!([ANNA]))
    );
    for text in ["{b}", "{", "}", "{a"] {
        let mut body = body.clone();
        body["messages"][0]["text"] = text.into();
        assert_eq!(post(&sandbox, "push", None, &body).status, 400, "{text}");
    }
}

#[test]
fn refuses_what_line_refuses() {
    let (sandbox, _) = start();
    let no = |body: Value, words: &str| {
        let reply = post(&sandbox, "push", None, &body);
        assert_eq!((reply.status, reply.text().contains(words)), (400, true), "{}", reply.text());
    };
    no(json!({"to": "nobody", "messages": [{"type": "text", "text": "x"}]}), "'to'");
    no(
        json!({"to": "Uffffffffffffffffffffffffffffffff", "messages": [{"type": "text", "text": "x"}]}),
        "Failed to send messages",
    );
    no(text(""), "messages[0].text");
    no(text(&"😀".repeat(2501)), "5000");
    no(json!({"to": ANNA, "messages": []}), "messages");
    no(json!({"to": ANNA, "messages": vec![json!({"type": "text", "text": "x"}); 6]}), "messages");
    no(json!({"to": ANNA, "messages": [{"type": "letter"}]}), "messages[0].type");
    no(
        json!({"to": ANNA, "messages": [{"type": "image", "originalContentUrl": "http://a"}]}),
        "HTTPS",
    );
    assert_eq!(post(&sandbox, "push", None, &text(&"😀".repeat(2500))).status, 200);
    let path = "/line/v2/bot/message/push";
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(request(&sandbox, "POST", path, &[form, BEARER], "to=x").status, 415);
    let wrong = [JSON, ("Authorization", "Bearer x")];
    assert_eq!(request(&sandbox, "POST", path, &wrong, &text("x").to_string()).status, 401);
    assert_eq!(request(&sandbox, "GET", "/line/v2/bot/info", &wrong, "").status, 401);
    let me = request(&sandbox, "GET", "/line/v2/bot/info", &[BEARER], "").json();
    assert_eq!(me["basicId"], "@hongyan");
}
