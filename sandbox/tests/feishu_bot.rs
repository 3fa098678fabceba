//! Feishu's custom robot, over real sockets.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};
use sha2::Sha256;

const SIGNED: &str = "/feishu_bot/open-apis/bot/v2/hook/5d4fae2f-feishu-robot";
const OPEN: &str = "/feishu_bot/open-apis/bot/v2/hook/8c1b7e3a-lark-robot";
const OK: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#;

fn send(sandbox: &Sandbox, path: &str, body: &Value) -> Value {
    let json = ("Content-Type", "application/json");
    let reply = request(sandbox, "POST", path, &[json], &body.to_string());
    assert_eq!(reply.status, 200);
    reply.json()
}

/// The body with a signature of this time.
fn signed(mut body: Value, time_s: u64) -> Value {
    let key = format!("{time_s}\nfeishu-robot-secret");
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length");
    body["timestamp"] = time_s.to_string().into();
    body["sign"] = STANDARD.encode(mac.finalize().into_bytes()).into();
    body
}

fn text(text: &str) -> Value {
    json!({"msg_type": "text", "content": {"text": text}})
}

fn ok() -> Value {
    serde_json::from_str(OK).expect("JSON")
}

#[test]
fn takes_every_type_of_message() {
    let (sandbox, clock) = start();
    let paragraphs = json!([[{"tag": "text", "text": "hi "}, {"tag": "a", "text": "A", "href": "http://a"}],
        [{"tag": "at", "user_id": "ou_x"}, {"tag": "img", "image_key": "img_x"}]]);
    let bodies = [
        text(r#"hi <at user_id="all">all</at>"#),
        json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "T", "content": paragraphs}}}}),
        json!({"msg_type": "image", "content": {"image_key": "img_x"}}),
        json!({"msg_type": "share_chat", "content": {"share_chat_id": "oc_x"}}),
        json!({"msg_type": "interactive", "card": {"elements": []}}),
    ];
    for body in &bodies {
        assert_eq!(send(&sandbox, OPEN, body), ok(), "{body}");
    }
    clock.advance(1000);
    assert_eq!(send(&sandbox, SIGNED, &signed(text("hi"), NOW_S)), ok());
    let messages = sandbox.messages();
    assert_eq!(messages.len(), 6);
    assert_eq!(messages[0]["mentions"], json!(["all"]));
    assert_eq!(
        (&messages[1]["title"], &messages[1]["text"]),
        (&json!("T"), &json!("hi A\n@ou_ximg_x"))
    );
    assert_eq!(messages[1]["mentions"], json!(["ou_x"]));
}

#[test]
fn refuses_in_a_success_of_http() {
    let (sandbox, clock) = start();
    let unknown = "/feishu_bot/open-apis/bot/v2/hook/another";
    let post = |elements: Value| json!({"msg_type": "post", "content": {"post": {"zh_cn": {"content": [elements]}}}});
    for (path, body, code) in [
        (unknown, text("x"), 19001),
        (SIGNED, text("x"), 19021),
        (SIGNED, signed(text("x"), NOW_S - 4000), 19021),
        (OPEN, json!({}), 19002),
        (OPEN, text(""), 19002),
        (OPEN, json!({"msg_type": "interactive"}), 19002),
        (OPEN, json!({"msg_type": "dance", "content": {}}), 9499),
        (OPEN, post(json!([{"tag": "dance"}])), 9499),
        (OPEN, text(&"x".repeat(20 << 10)), 19036),
    ] {
        clock.advance(500);
        let answer = send(&sandbox, path, &body);
        assert_eq!((&answer["code"], &answer["data"]), (&json!(code), &json!({})), "{path}");
    }
    let reply = request(&sandbox, "GET", OPEN, &[], "");
    assert_eq!((reply.status, reply.text()), (404, "404 page not found\n"));
    assert!(sandbox.messages().is_empty());
}

#[test]
fn takes_five_a_second_and_a_hundred_a_minute() {
    let (sandbox, clock) = start();
    let fast =
        json!({"StatusCode": 0, "StatusMessage": "", "code": 9499, "msg": "too many request"});
    for _ in 0..20 {
        for _ in 0..5 {
            assert_eq!(send(&sandbox, OPEN, &text("x")), ok());
        }
        assert_eq!(send(&sandbox, SIGNED, &signed(text("x"), NOW_S)), ok(), "another robot");
        clock.advance(1000);
    }
    assert_eq!(send(&sandbox, OPEN, &text("x")), fast, "the 101st of a minute");
    clock.advance(60_000);
    for n in 0..6 {
        assert_eq!(send(&sandbox, OPEN, &text("x")), if n < 5 { ok() } else { fast.clone() });
    }
}
