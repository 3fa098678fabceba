//! QQ's bots, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const USER: &str = "users/C0FFEE00112233445566778899AABBCC";
const GROUP: &str = "groups/6007E00112233445566778899AABBCCD";
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn token(sandbox: &Sandbox, secret: &str) -> Value {
    let body = json!({"appId": "102012345", "clientSecret": secret}).to_string();
    request(sandbox, "POST", "/qq_bot/app/getAppAccessToken", &[JSON], &body).json()
}

fn live(sandbox: &Sandbox) -> String {
    let token = token(sandbox, "qqbotSecretHongyan0123456789abcd");
    assert!(token["expires_in"].is_string(), "as the document's sample has it");
    format!("QQBot {}", token["access_token"].as_str().expect("a token"))
}

fn post(sandbox: &Sandbox, token: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = [JSON, ("Authorization", token)];
    let path = format!("/qq_bot/v2/{path}");
    let reply = request(sandbox, "POST", &path, &headers, &body.to_string());
    (reply.status, reply.json())
}

fn code(sandbox: &Sandbox, token: &str, to: &str, body: &Value) -> Value {
    post(sandbox, token, &format!("{to}/messages"), body).1["err_code"].clone()
}

#[test]
fn a_token_is_given_for_the_secret_and_ends() {
    let (sandbox, clock) = start();
    let text = json!({"msg_type": 0, "content": "hi"});
    assert_eq!(token(&sandbox, "x")["code"], 100_016);
    let first = live(&sandbox);
    assert_eq!(code(&sandbox, &first, USER, &text), Value::Null);
    assert_eq!(code(&sandbox, "QQBot x", USER, &text), 11243);
    assert_eq!(code(&sandbox, &first.replace("QQBot", "Bearer"), USER, &text), 11241);
    clock.advance(7_200_000);
    assert_eq!(code(&sandbox, &first, USER, &text), 11244);
    assert_eq!(code(&sandbox, &live(&sandbox), USER, &text), Value::Null);
}

#[test]
fn a_pair_is_used_once_and_pushes_have_to_be_allowed() {
    let (sandbox, clock) = start();
    let token = live(&sandbox);
    let answer = |seq: u64| json!({"msg_type": 0, "content": "hi", "msg_id": "ROBOT1.0_question", "msg_seq": seq});
    assert_eq!(code(&sandbox, &token, USER, &answer(7)), Value::Null);
    assert_eq!(code(&sandbox, &token, USER, &answer(7)), 40_054_005);
    for seq in 8..11 {
        assert_eq!(code(&sandbox, &token, USER, &answer(seq)), Value::Null);
    }
    assert_eq!(code(&sandbox, &token, USER, &answer(11)), 40_034_128, "four answers");
    let closed = "groups/C105ED00112233445566778899AABBCC";
    let text = json!({"msg_type": 0, "content": "hi"});
    assert_eq!(code(&sandbox, &token, closed, &text), 40_034_105);
    assert_eq!(code(&sandbox, &token, closed, &answer(1)), Value::Null);
    let codes: Vec<_> = (0..21).map(|_| code(&sandbox, &token, GROUP, &text)).collect();
    assert_eq!((&codes[19], &codes[20]), (&Value::Null, &json!(40_034_100)));
    clock.advance(60_000);
    for (body, wanted) in [
        (json!({"msg_type": 0, "content": ""}), json!(50006)),
        (json!({"msg_type": 2, "markdown": {}}), json!(50037)),
        (json!({"msg_type": 9}), json!(22006)),
        (json!({"msg_type": 7, "media": {"file_info": "x"}}), json!(304_080)),
        (json!({"msg_type": 0, "content": "x", "msg_id": "y"}), json!(40_034_024)),
    ] {
        assert_eq!(code(&sandbox, &token, GROUP, &body), wanted, "{body}");
    }
}

#[test]
fn a_file_is_of_where_it_went_up_and_ends() {
    let (sandbox, clock) = start();
    let token = live(&sandbox);
    let file = json!({"file_type": 1, "url": "https://example.com/a.png"});
    let (status, told) = post(&sandbox, &token, &format!("{USER}/files"), &file);
    assert_eq!(status, 200);
    let body = json!({"msg_type": 7, "media": {"file_info": told["file_info"]}});
    assert_eq!(code(&sandbox, &token, GROUP, &body), 304_080);
    assert_eq!(code(&sandbox, &token, USER, &body), Value::Null);
    assert_eq!(sandbox.messages()[0]["attachments"][0]["name"], "a.png");
    clock.advance(300_000);
    assert_eq!(code(&sandbox, &token, USER, &body), 304_080);
}
