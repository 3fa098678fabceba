//! Google Chat, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const HOOK: &str = "/googlechat/v1/spaces/AAAAhongyan/messages?key=AIzaSyHongyanHongyanHongyanHongyan00000&token=hongyan-webhook-token_of-the-space0000000000%3D";
const REPLY: &str = "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD";
const JSON: (&str, &str) = ("Content-Type", "application/json; charset=UTF-8");

fn post(sandbox: &Sandbox, more: &str, body: &Value) -> Reply {
    request(sandbox, "POST", &format!("{HOOK}{more}"), &[JSON], &body.to_string())
}

#[test]
fn a_thread_is_one_only_where_the_url_says_so() {
    let (sandbox, _) = start();
    let body = json!({"text": "hi", "thread": {"threadKey": "deploys"}});
    let thread = |reply: Reply| reply.json()["thread"]["name"].clone();
    assert_ne!(thread(post(&sandbox, "", &body)), thread(post(&sandbox, "", &body)));
    let fail = "&messageReplyOption=REPLY_MESSAGE_OR_FAIL";
    assert_eq!(post(&sandbox, fail, &body).status, 404);
    let first = thread(post(&sandbox, REPLY, &body));
    assert_eq!(thread(post(&sandbox, REPLY, &body)), first);
    assert_eq!(thread(post(&sandbox, fail, &body)), first);
    let named = json!({"text": "hi", "thread": {"name": first}});
    assert_eq!(thread(post(&sandbox, fail, &named)), first);
    let threads: Vec<_> = sandbox.messages().iter().map(|one| one["thread"].clone()).collect();
    assert_eq!(
        threads,
        [Value::Null, Value::Null, first.clone(), first.clone(), first.clone(), first]
    );
    assert_eq!(post(&sandbox, "&messageReplyOption=MAYBE", &body).status, 400);
}

#[test]
fn a_space_takes_sixty_messages_a_minute() {
    let (sandbox, clock) = start();
    let body = json!({"text": "hi"});
    for _ in 0..60 {
        assert_eq!(post(&sandbox, "", &body).status, 200);
    }
    let reply = post(&sandbox, "", &body);
    assert_eq!((reply.status, reply.header("retry-after")), (429, None));
    assert_eq!(reply.json()["error"]["status"], "RESOURCE_EXHAUSTED");
    clock.advance(60_000);
    assert_eq!(post(&sandbox, "", &body).status, 200);
}

#[test]
fn refuses_what_google_chat_refuses() {
    let (sandbox, _) = start();
    let name = |reply: Reply| reply.json()["error"]["status"].as_str().expect("a name").to_owned();
    for body in [
        json!({}),
        json!({"text": ""}),
        json!({"text": 7}),
        json!({"text": "x".repeat(32_001)}),
        json!({"text": "x".repeat(31_990), "cardsV2": [{"card": {"header": {"title": "x"}}}]}),
        json!({"cardsV2": {}}),
        json!({"text": "x", "colour": 1}),
    ] {
        assert_eq!(name(post(&sandbox, "", &body)), "INVALID_ARGUMENT");
    }
    let body = json!({"text": "x".repeat(32_000)});
    assert_eq!(post(&sandbox, "", &body).status, 200);
    let body = json!({"text": "hi <users/42>"}).to_string();
    let ask = |path: &str| request(&sandbox, "POST", path, &[JSON], &body);
    assert_eq!(name(ask(&HOOK.replace("AAAA", "BBBB"))), "NOT_FOUND");
    assert_eq!(name(ask(&HOOK.replace("AIza", "AIzb"))), "UNAUTHENTICATED");
    assert_eq!(name(ask(&HOOK.replace("%3D", ""))), "UNAUTHENTICATED");
    assert_eq!(ask(HOOK).status, 200);
    assert_eq!(sandbox.messages()[1]["mentions"], json!(["users/42"]));
}
