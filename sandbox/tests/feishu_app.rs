//! Feishu's apps, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const USER: &str = "ou_7d8a6e6df7621556ce0d21922b676706";
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn token(sandbox: &Sandbox, secret: &str) -> Value {
    let body = json!({"app_id": "cli_a1b2c3d4e5f60718", "app_secret": secret}).to_string();
    let path = "/feishu_app/open-apis/auth/v3/tenant_access_token/internal";
    request(sandbox, "POST", path, &[JSON], &body).json()
}

fn live(sandbox: &Sandbox) -> String {
    let token = token(sandbox, "feishu-app-secret0123456789abcdef");
    format!("Bearer {}", token["tenant_access_token"].as_str().expect("a token"))
}

fn send(sandbox: &Sandbox, authorization: &str, kind: &str, more: Value) -> (u16, Value) {
    let mut body = json!({"receive_id": USER, "msg_type": "text", "content": "{\"text\":\"hi\"}"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let path = format!("/feishu_app/open-apis/im/v1/messages?receive_id_type={kind}");
    let headers = [JSON, ("Authorization", authorization)];
    let reply = request(sandbox, "POST", &path, &headers, &body.to_string());
    (reply.status, reply.json())
}

#[test]
fn a_token_is_given_for_the_secret_and_ends() {
    let (sandbox, clock) = start();
    assert_eq!(token(&sandbox, "x")["code"], 10014);
    let first = live(&sandbox);
    assert_eq!(send(&sandbox, &first, "open_id", json!({})).1["code"], 0);
    let raw = first.trim_start_matches("Bearer ").to_owned();
    assert_eq!(send(&sandbox, &raw, "open_id", json!({})).1["code"], 99_991_661);
    assert_eq!(send(&sandbox, "Bearer x", "open_id", json!({})).1["code"], 99_991_663);
    clock.advance(5_400_000);
    assert_ne!(live(&sandbox), first, "with half an hour left there is a new one");
    assert_eq!(send(&sandbox, &first, "open_id", json!({})).1["code"], 0, "and both hold");
    clock.advance(1_800_000);
    assert_eq!(send(&sandbox, &first, "open_id", json!({})).1["code"], 99_991_663);
}

#[test]
fn a_message_is_known_by_its_uuid_and_can_be_answered() {
    let (sandbox, clock) = start();
    let token = live(&sandbox);
    let (status, first) = send(&sandbox, &token, "open_id", json!({"uuid": "u1"}));
    assert_eq!((status, &first["msg"]), (200, &json!("success")));
    let (_, second) = send(&sandbox, &token, "open_id", json!({"uuid": "u1"}));
    assert_eq!(first["data"]["message_id"], second["data"]["message_id"]);
    assert_eq!(sandbox.messages().len(), 1);
    let id = first["data"]["message_id"].as_str().expect("an id");
    let path = format!("/feishu_app/open-apis/im/v1/messages/{id}/reply");
    let body = json!({"msg_type": "text", "content": "{\"text\":\"yes\"}"}).to_string();
    let headers = [JSON, ("Authorization", &*token)];
    assert_eq!(request(&sandbox, "POST", &path, &headers, &body).status, 200);
    assert_eq!(sandbox.messages()[1]["thread"], id);
    let path = "/feishu_app/open-apis/im/v1/messages/om_x/reply";
    assert_eq!(request(&sandbox, "POST", path, &headers, &body).json()["code"], 230_011);
    clock.advance(3_600_000);
    send(&sandbox, &live(&sandbox), "open_id", json!({"uuid": "u1"}));
    assert_eq!(sandbox.messages().len(), 3, "after an hour it is another");
}

#[test]
fn refuses_with_an_envelope_in_400_and_too_many_in_429() {
    let (sandbox, clock) = start();
    let token = live(&sandbox);
    for (kind, more, code) in [
        ("chat_id", json!({}), 230_034),
        ("email", json!({"receive_id": "anna@example.com"}), 0),
        ("", json!({}), 99_992_402),
        ("chat_id", json!({"receive_id": "oc_without_the_bot"}), 230_002),
        ("open_id", json!({"receive_id": "ou_not_available"}), 230_013),
        ("open_id", json!({"content": {"text": "hi"}}), 230_001),
        ("open_id", json!({"msg_type": "dance"}), 230_001),
        ("open_id", json!({"msg_type": "image", "content": "{\"image_key\":\"x\"}"}), 230_017),
        ("open_id", json!({"msg_type": "post", "content": "x".repeat(31 << 10)}), 230_025),
    ] {
        clock.advance(1000);
        let (status, answer) = send(&sandbox, &token, kind, more.clone());
        assert_eq!((status, &answer["code"]), (if code == 0 { 200 } else { 400 }, &json!(code)));
    }
    clock.advance(1000);
    let codes: Vec<_> =
        (0..6).map(|_| send(&sandbox, &token, "open_id", json!({})).1["code"].clone()).collect();
    assert_eq!(codes[5], 230_020);
    let (status, answer) = (0..60)
        .map(|_| send(&sandbox, &token, "open_id", json!({})))
        .find(|(status, _)| *status == 429)
        .expect("too many");
    assert_eq!((status, &answer["code"]), (429, &json!(99_991_400)));
}
