//! DingTalk's apps, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const KEY: &str = "dinghongyan0app";
const SECRET: &str = "dingtalk-app-secret_0123456789abcdefghijklmnopqrstuv";
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn token(sandbox: &Sandbox, secret: &str) -> (u16, Value) {
    let body = json!({"appKey": KEY, "appSecret": secret}).to_string();
    let reply = request(sandbox, "POST", "/dingtalk_app/v1.0/oauth2/accessToken", &[JSON], &body);
    (reply.status, reply.json())
}

fn live(sandbox: &Sandbox) -> String {
    token(sandbox, SECRET).1["accessToken"].as_str().expect("a token").to_owned()
}

fn send(sandbox: &Sandbox, token: &str, path: &str, more: Value) -> (u16, Value) {
    let mut body = json!({"robotCode": KEY, "userIds": ["user2"], "msgKey": "sampleText",
        "msgParam": "{\"content\":\"hi\"}"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let headers = [JSON, ("x-acs-dingtalk-access-token", token)];
    let path = format!("/dingtalk_app/v1.0/robot/{path}");
    let reply = request(sandbox, "POST", &path, &headers, &body.to_string());
    (reply.status, reply.json())
}

#[test]
fn a_token_is_given_for_the_secret_and_ends() {
    let (sandbox, clock) = start();
    let (status, answer) = token(&sandbox, "x");
    assert_eq!((status, &answer["code"]), (400, &json!("invalidClientIdOrSecret")));
    let first = live(&sandbox);
    let code =
        |token: &str| send(&sandbox, token, "oToMessages/batchSend", json!({})).1["code"].clone();
    assert_eq!(code(&first), Value::Null);
    assert_eq!(code("x"), "InvalidAuthentication");
    clock.advance(7_200_000);
    assert_eq!(code(&first), "InvalidAuthentication");
    assert_eq!(code(&live(&sandbox)), Value::Null);
}

#[test]
fn tells_of_whom_it_cannot_send_to_in_lists() {
    let (sandbox, _) = start();
    let token = live(&sandbox);
    let more = json!({"userIds": ["user2", "nobody", "slowed"]});
    let (status, answer) = send(&sandbox, &token, "oToMessages/batchSend", more);
    assert_eq!(status, 200);
    assert_eq!(answer["invalidStaffIdList"], json!(["nobody"]));
    assert_eq!(answer["flowControlledStaffIdList"], json!(["slowed"]));
    let messages = sandbox.messages();
    assert_eq!((messages.len(), &messages[0]["id"]), (1, &answer["processQueryKey"]));
    let more = json!({"openConversationId": "cidHongyan0000==", "msgKey": "sampleMarkdown",
        "msgParam": "{\"title\":\"T\",\"text\":\"**b**\"}"});
    assert_eq!(send(&sandbox, &token, "groupMessages/send", more).0, 200);
    let last = &sandbox.messages()[1];
    assert_eq!((&last["title"], &last["format"]), (&json!("T"), &json!("markdown")));
}

#[test]
fn refuses_by_a_code_in_words() {
    let (sandbox, clock) = start();
    let token = live(&sandbox);
    for (path, more, code) in [
        ("oToMessages/batchSend", json!({"robotCode": ""}), "invalidParameter.robotCode.empty"),
        ("oToMessages/batchSend", json!({"robotCode": "x"}), "invalidParameter.robotCode.notExsit"),
        ("oToMessages/batchSend", json!({"userIds": []}), "invalidParameter.userIds.empty"),
        (
            "oToMessages/batchSend",
            json!({"userIds": vec!["u"; 21]}),
            "invalidParameter.userIds.overMax",
        ),
        ("oToMessages/batchSend", json!({"msgKey": "dance"}), "invalidParameter.msgKey.invalid"),
        ("oToMessages/batchSend", json!({"msgParam": "x"}), "invalidParameter.msgParam.invalid"),
        (
            "oToMessages/batchSend",
            json!({"msgParam": "x".repeat(15_001)}),
            "invalidParameter.msgParam.tooLong",
        ),
        ("groupMessages/send", json!({}), "miss.openConversationId"),
        ("groupMessages/send", json!({"openConversationId": "x"}), "invalid.openConversationId"),
    ] {
        let (status, answer) = send(&sandbox, &token, path, more.clone());
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{more}");
        assert!(answer["requestid"].is_string());
    }
    clock.advance(1000);
    let statuses: Vec<_> =
        (0..21).map(|_| send(&sandbox, &token, "oToMessages/batchSend", json!({})).0).collect();
    assert_eq!((statuses[19], statuses[20]), (200, 403));
}
