//! Discord, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const GENERAL: &str = "41771983423143937";
const TOKEN: &str = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs";
const HOOK: &str = "/discord/api/webhooks/223704706495545344/3d89bb7572e0fb30d8128367b3b1b44fecd1726de135cbe28a41f8b2f777c372ba2939e72279b94526ff5d1bd4358d65cf11";

fn ask(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Reply {
    let headers = [
        ("Content-Type", "application/json"),
        ("Authorization", &*format!("Bot {TOKEN}")),
        ("User-Agent", "DiscordBot (https://example.com, 1)"),
    ];
    request(sandbox, method, &format!("/discord/api/v10{path}"), &headers, &body.to_string())
}

fn post(sandbox: &Sandbox, channel: &str, body: &Value) -> Reply {
    ask(sandbox, "POST", &format!("/channels/{channel}/messages"), body)
}

fn hook(sandbox: &Sandbox, target: &str, body: &Value) -> Reply {
    let json = ("Content-Type", "application/json");
    request(sandbox, "POST", target, &[json], &body.to_string())
}

/// The status and the code of a refusal.
fn code(reply: &Reply) -> (u16, u64) {
    (reply.status, reply.json()["code"].as_u64().expect("a code"))
}

#[test]
fn a_nonce_is_known_again_for_a_while() {
    let (sandbox, clock) = start();
    let body = json!({"content": "hi", "nonce": "a", "enforce_nonce": true});
    let first = post(&sandbox, GENERAL, &body).json();
    assert_eq!(post(&sandbox, GENERAL, &body).json(), first);
    let lax = json!({"content": "hi", "nonce": "a"});
    assert_ne!(post(&sandbox, GENERAL, &lax).json()["id"], first["id"]);
    assert_eq!(sandbox.messages().len(), 2);
    let id = first["id"].as_str().expect("an id");
    let deleted =
        ask(&sandbox, "DELETE", &format!("/channels/{GENERAL}/messages/{id}"), &json!({}));
    assert_eq!(deleted.status, 204);
    assert_eq!(code(&post(&sandbox, GENERAL, &body)), (404, 10008));
    clock.advance(300_000);
    assert_eq!(post(&sandbox, GENERAL, &body).status, 200);
    let long = json!({"content": "hi", "nonce": "x".repeat(26), "enforce_nonce": true});
    assert_eq!(code(&post(&sandbox, GENERAL, &long)), (400, 50035));
}

#[test]
fn refuses_what_discord_refuses() {
    let (sandbox, clock) = start();
    let users = json!({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}});
    let reply = json!({"content": "x", "message_reference": {"message_id": "7"}});
    for (channel, body, expected) in [
        (GENERAL, json!({}), (400, 50006)),
        (GENERAL, json!({"content": " \n"}), (400, 50006)),
        (GENERAL, json!({"content": "鸿".repeat(2001)}), (400, 50035)),
        (GENERAL, json!({"embeds": vec![json!({"title": "x"}); 11]}), (400, 50035)),
        (
            GENERAL,
            json!({"embeds": vec![json!({"description": "x".repeat(3001)}); 2]}),
            (400, 50035),
        ),
        (GENERAL, users, (400, 50035)),
        (GENERAL, reply, (400, 50035)),
        ("41771983423143938", json!({"content": "x"}), (403, 50013)),
        ("41771983423143939", json!({"content": "x"}), (400, 50008)),
        ("319674150115610529", json!({"content": "x"}), (403, 50007)),
        ("7", json!({"content": "x"}), (404, 10003)),
    ] {
        assert_eq!(code(&post(&sandbox, channel, &body)), expected, "{body}");
        clock.advance(5000);
    }
    let nobody = ask(&sandbox, "POST", "/users/@me/channels", &json!({"recipient_id": "7"}));
    assert_eq!(code(&nobody), (400, 50033));
    let wrong = [("Authorization", "Bot x"), ("User-Agent", "DiscordBot (x, 1)")];
    let path = "/discord/api/v10/users/@me";
    assert_eq!(code(&request(&sandbox, "GET", path, &wrong, "")), (401, 0));
    let right = format!("Bot {TOKEN}");
    let unnamed = [("Authorization", &*right), ("User-Agent", "curl/8")];
    assert_eq!(code(&request(&sandbox, "GET", path, &unnamed, "")), (403, 40333));
    assert!(sandbox.messages().is_empty());
    let longest = json!({"content": "😀".repeat(2000)});
    assert_eq!(post(&sandbox, GENERAL, &longest).status, 200);
}

#[test]
fn tells_of_limits_in_parts_of_seconds() {
    let (sandbox, clock) = start();
    for left in (0..5).rev() {
        let reply = post(&sandbox, GENERAL, &json!({"content": "x"}));
        assert_eq!(reply.header("x-ratelimit-remaining"), Some(&*left.to_string()));
    }
    clock.advance(1500);
    let reply = post(&sandbox, GENERAL, &json!({"content": "x"}));
    let body = reply.json();
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("4")));
    assert_eq!((&body["retry_after"], &body["global"]), (&json!(3.5), &json!(false)));
    clock.advance(3500);
    assert_eq!(post(&sandbox, GENERAL, &json!({"content": "x"})).status, 200);
}

#[test]
fn webhooks_answer_with_the_message_only_where_they_are_asked_to() {
    let (sandbox, clock) = start();
    let text = json!({"content": "hi", "username": "goose"});
    let quiet = hook(&sandbox, HOOK, &text);
    assert_eq!((quiet.status, quiet.body.len()), (204, 0));
    let told = hook(&sandbox, &format!("{HOOK}?wait=true"), &text).json();
    assert_eq!((&told["content"], &told["channel_id"]), (&json!("hi"), &json!(GENERAL)));
    assert_eq!(sandbox.messages().len(), 2);
    let thread = format!("{HOOK}?wait=true&thread_id=41771983423143940");
    assert_eq!(hook(&sandbox, &thread, &text).json()["channel_id"], "41771983423143940");
    clock.advance(2000);
    assert_eq!(code(&hook(&sandbox, &format!("{HOOK}?thread_id=7"), &text)), (404, 10003));
    assert_eq!(code(&hook(&sandbox, &HOOK.replace("3d89", "0000"), &text)), (401, 50027));
    assert_eq!(code(&hook(&sandbox, &HOOK.replace("5344", "0000"), &text)), (404, 10015));
    let forum = HOOK.replace("545344", "545345");
    assert_eq!(code(&hook(&sandbox, &forum, &text)), (400, 220_001));
    let named = json!({"content": "hi", "thread_name": "news"});
    assert_eq!(hook(&sandbox, &forum, &named).status, 204);
    assert_eq!(sandbox.messages().last().expect("a message")["thread"], "news");
    assert_eq!(code(&hook(&sandbox, HOOK, &named)), (400, 220_003));
    let clyde = json!({"content": "hi", "username": "Clyde"});
    assert_eq!(code(&hook(&sandbox, HOOK, &clyde)), (400, 50035));
}
