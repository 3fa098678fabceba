//! KOOK, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const CHANNEL: &str = "/kook/api/v3/message/create";
const DIRECT: &str = "/kook/api/v3/direct-message/create";
const BOT: (&str, &str) = ("Authorization", "Bot 1/MTA0MjU=/hongyanHongyanHongyan==");
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn send(sandbox: &Sandbox, path: &str, more: Value) -> Reply {
    let mut body = json!({"target_id": "7480000000000001", "content": "hi"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    request(sandbox, "POST", path, &[JSON, BOT], &body.to_string())
}

#[test]
fn takes_messages_to_channels_and_to_users() {
    let (sandbox, _) = start();
    let met = json!({"content": "**hi** (met)2418200001(met) (met)all(met)", "nonce": "n", "quote": "m1"});
    let reply = send(&sandbox, CHANNEL, met);
    let answer = reply.json();
    assert_eq!((&answer["code"], &answer["data"]["nonce"]), (&json!(0), &json!("n")));
    assert_eq!(answer["data"]["msg_timestamp"], NOW_S * 1000);
    assert_eq!(reply.header("x-rate-limit-remaining"), Some("119"));
    let user = json!({"target_id": "2418200001", "type": 9});
    assert_eq!(send(&sandbox, DIRECT, user).json()["code"], 0);
    let card = json!({"type": 10, "content": r#"[{"type":"card","modules":[]}]"#});
    assert_eq!(send(&sandbox, CHANNEL, card).json()["code"], 0);
    let messages = sandbox.messages();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[0]["mentions"], json!(["2418200001", "all"]));
    assert_eq!(
        (&messages[0]["format"], &messages[0]["thread"]),
        (&json!("markdown"), &json!("m1"))
    );
    assert_eq!(messages[1]["recipient"], "2418200001");
    assert_eq!(messages[0]["id"], answer["data"]["msg_id"]);
}

#[test]
fn files_are_uploaded_by_the_bot_itself() {
    let (sandbox, _) = start();
    let form = ("Content-Type", "multipart/form-data; boundary=B");
    let body = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
                Content-Type: text/plain\r\n\r\nsome text\r\n--B--\r\n";
    let path = "/kook/api/v3/asset/create";
    let uploaded = request(&sandbox, "POST", path, &[form, BOT], body).json();
    let url = uploaded["data"]["url"].as_str().expect("a URL").to_owned();
    assert_eq!(send(&sandbox, CHANNEL, json!({"type": 4, "content": url})).json()["code"], 0);
    assert_eq!(sandbox.messages()[0]["attachments"][0]["name"], "a.txt");
    let other = json!({"type": 2, "content": "https://img.kookapp.cn/other.png"});
    let answer = send(&sandbox, CHANNEL, other).json();
    assert_eq!((&answer["code"], &answer["message"]), (&json!(40000), &json!("找不到资源")));
}

#[test]
fn refuses_what_kook_refuses() {
    let (sandbox, _) = start();
    for (path, more, code) in [
        (CHANNEL, json!({"target_id": "1"}), 404),
        (CHANNEL, json!({"target_id": "7480000000000003"}), 40300),
        (DIRECT, json!({"target_id": "2418200002"}), 40300),
        (CHANNEL, json!({"content": ""}), 40000),
        (CHANNEL, json!({"content": "x".repeat(8001)}), 40000),
        (CHANNEL, json!({"type": 7}), 40000),
        (CHANNEL, json!({"type": 10, "content": "{}"}), 40000),
    ] {
        let reply = send(&sandbox, path, more.clone());
        assert_eq!((reply.status, &reply.json()["code"]), (200, &json!(code)), "{more}");
    }
    let me = |token: &str| {
        request(&sandbox, "GET", "/kook/api/v3/user/me", &[("Authorization", token)], "")
    };
    assert_eq!(me(BOT.1).json()["data"]["username"], "hongyan");
    assert_eq!((me("Bot x").status, &me("Bot x").json()["code"]), (401, &json!(401)));
    assert_eq!(request(&sandbox, "GET", "/kook/api/v3/user/me", &[], "").json()["code"], 40100);
    assert_eq!(request(&sandbox, "GET", "/kook/api/v3/x", &[], "").status, 404);
    assert!(sandbox.messages().is_empty());
}

#[test]
fn a_limit_tells_in_headers_how_long_it_lasts() {
    let (sandbox, clock) = start();
    for _ in 0..120 {
        assert_eq!(send(&sandbox, CHANNEL, json!({})).status, 200);
    }
    clock.advance(46_000);
    let reply = send(&sandbox, CHANNEL, json!({}));
    assert_eq!((reply.status, &reply.json()["code"]), (429, &json!(429)));
    assert_eq!(reply.header("x-rate-limit-reset"), Some("14"));
    assert_eq!(reply.header("retry-after"), None);
    clock.advance(14_000);
    assert_eq!(send(&sandbox, CHANNEL, json!({})).status, 200);
}
