//! WeCom's group robot, over real sockets.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use hongyan_sandbox::Sandbox;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

const KEY: &str = "693a91f6-7e4a-4bc4-97a0-0ec2b1fa5aaa";
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn path(key: &str) -> String {
    format!("/wecom_bot/cgi-bin/webhook/send?key={key}")
}

fn send(sandbox: &Sandbox, path: &str, body: &Value) -> (i64, String) {
    let reply = request(sandbox, "POST", path, &[JSON], &body.to_string());
    assert_eq!(reply.status, 200);
    let answer = reply.json();
    let words = answer["errmsg"].as_str().expect("words").to_owned();
    (answer["errcode"].as_i64().expect("a code"), words)
}

fn text(text: &str) -> Value {
    json!({"msgtype": "text", "text": {"content": text}})
}

fn image(bytes: &[u8]) -> Value {
    let md5: String = Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"msgtype": "image", "image": {"base64": STANDARD.encode(bytes), "md5": md5}})
}

#[test]
fn takes_every_type_of_message() {
    let (sandbox, _) = start();
    let upload = format!("/wecom_bot/cgi-bin/webhook/upload_media?key={KEY}&type=file");
    let form = ("Content-Type", "multipart/form-data; boundary=B");
    let body = "--B\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.txt\"\r\n\
                Content-Type: text/plain\r\n\r\nsome text\r\n--B--\r\n";
    let uploaded = request(&sandbox, "POST", &upload, &[form], body).json();
    assert_eq!((&uploaded["errcode"], &uploaded["type"]), (&json!(0), &json!("file")));
    assert!(uploaded["created_at"].is_string());
    let bodies = [
        json!({"msgtype": "text", "text": {"content": "hi", "mentioned_list": ["a", "@all"],
            "mentioned_mobile_list": ["13800138000"]}}),
        json!({"msgtype": "markdown", "markdown": {"content": "**hi** <@a>"}}),
        json!({"msgtype": "markdown_v2", "markdown_v2": {"content": "- hi"}}),
        json!({"msgtype": "news", "news": {"articles": [
            {"title": "T", "url": "http://a", "description": "d", "picurl": "http://b"}]}}),
        image(b"\x89PNG\r\n\x1a\n"),
        json!({"msgtype": "file", "file": {"media_id": uploaded["media_id"]}}),
        json!({"msgtype": "template_card", "template_card": {"card_type": "text_notice",
            "main_title": {"title": "T"}, "card_action": {"type": 1, "url": "http://a"}}}),
    ];
    for (at, body) in bodies.iter().enumerate() {
        assert_eq!(send(&sandbox, &path(KEY), body), (0, "ok".to_owned()), "{body}");
        assert_eq!(sandbox.messages().len(), at + 1);
    }
    let messages = sandbox.messages();
    assert_eq!(messages[0]["mentions"], json!(["a", "@all", "13800138000"]));
    assert_eq!((&messages[3]["text"], &messages[6]["text"]), (&json!("T"), &json!("T")));
    assert_eq!(messages[5]["attachments"][0]["name"], "a.txt");
}

#[test]
fn refuses_in_a_success_of_http() {
    let (sandbox, clock) = start();
    let mut wrong_md5 = image(b"\x89PNG\r\n\x1a\n");
    wrong_md5["image"]["md5"] = "0".into();
    let article = json!({"title": "T", "url": "http://a"});
    let news = |articles: Vec<Value>| json!({"msgtype": "news", "news": {"articles": articles}});
    for (path, body, code) in [
        (path("wrong"), text("x"), 40058),
        (path("00000000-0000-0000-0000-000000000000"), text("x"), 93000),
        ("/wecom_bot/cgi-bin/webhook/send".to_owned(), text("x"), 93000),
        (path(KEY), text(""), 44004),
        (path(KEY), json!({"msgtype": "dance"}), 40008),
        (path(KEY), text(&"x".repeat(5121)), 40058),
        (
            path(KEY),
            json!({"msgtype": "markdown", "markdown": {"content": "中".repeat(1366)}}),
            40058,
        ),
        (path(KEY), text("\u{1}"), 40033),
        (path(KEY), wrong_md5, 40058),
        (path(KEY), image(b"GIF89a"), 40123),
        (path(KEY), image(&vec![0; (2 << 20) + 1]), 40009),
        (path(KEY), news(vec![]), 45008),
        (path(KEY), news(vec![article.clone(); 9]), 45008),
        (path(KEY), news(vec![json!({"url": "http://a"})]), 41016),
        (path(KEY), news(vec![json!({"title": "T"})]), 41010),
        (path(KEY), json!({"msgtype": "file", "file": {"media_id": "none"}}), 40007),
        (
            path(KEY),
            json!({"msgtype": "template_card", "template_card": {"card_type": "text_notice"}}),
            40058,
        ),
    ] {
        clock.advance(4_000);
        let (got, words) = send(&sandbox, &path, &body);
        assert_eq!(got, code, "{path} {words}");
    }
    assert!(sandbox.messages().is_empty());
    let reply = request(&sandbox, "GET", &path(KEY), &[], "");
    assert_eq!((reply.status, reply.text()), (404, ""));
}

#[test]
fn takes_twenty_a_minute() {
    let (sandbox, clock) = start();
    for _ in 0..20 {
        assert_eq!(send(&sandbox, &path(KEY), &text("x")).0, 0);
    }
    clock.advance(59_999);
    assert_eq!(send(&sandbox, &path(KEY), &text("x")).0, 45009);
    clock.advance(1);
    assert_eq!(send(&sandbox, &path(KEY), &text("x")).0, 0);
}
