//! WhatsApp's Cloud API, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const PATH: &str = "/whatsapp_cloud/v25.0/106540352242922";

fn bearer(sandbox: &Sandbox) -> String {
    let token = &sandbox.config()["accounts"]["whatsapp_cloud"]["auth"]["token"];
    format!("Bearer {}", token.as_str().expect("text"))
}

fn post(sandbox: &Sandbox, message: Value) -> Reply {
    let bearer = bearer(sandbox);
    let headers = [("Content-Type", "application/json"), ("Authorization", &*bearer)];
    request(sandbox, "POST", &format!("{PATH}/messages"), &headers, &message.to_string())
}

fn message(to: &str, more: Value) -> Value {
    let mut own = json!({"messaging_product": "whatsapp", "to": to});
    own.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    own
}

fn text(to: &str, body: &str) -> Value {
    message(to, json!({"type": "text", "text": {"body": body}}))
}

fn upload(sandbox: &Sandbox, product: &str, content: &str) -> Reply {
    let bearer = bearer(sandbox);
    let headers =
        [("Content-Type", "multipart/form-data; boundary=B"), ("Authorization", &*bearer)];
    let body = format!(
        "--B\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\n{product}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\ntext/plain\r\n\
         --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n{content}\r\n--B--\r\n"
    );
    request(sandbox, "POST", &format!("{PATH}/media"), &headers, &body)
}

fn code(reply: &Reply) -> Value {
    reply.json()["error"]["code"].clone()
}

#[test]
fn a_number_is_known_with_and_without_a_plus() {
    let (sandbox, _) = start();
    for to in ["+8613800138000", "8613800138000", "+86 138-0013-8000"] {
        let reply = post(&sandbox, text(to, "hi"));
        let body = reply.json();
        assert_eq!((reply.status, &body["contacts"][0]["wa_id"]), (200, &json!("8613800138000")));
        assert_eq!(body["contacts"][0]["input"], to);
        let last = sandbox.messages().pop().expect("a message");
        assert_eq!(last["id"], body["messages"][0]["id"]);
        assert_eq!(last["recipient"], "8613800138000");
    }
}

#[test]
fn who_is_silent_for_a_day_gets_templates_only() {
    let (sandbox, _) = start();
    let silent = "+447700900123";
    assert_eq!(code(&post(&sandbox, text(silent, "hi"))), 131_047);
    let template = |name: &str, language: &str, parameters: Value| {
        let body = json!({"type": "body", "parameters": parameters});
        let own = json!({"name": name, "language": {"code": language}, "components": [body]});
        post(&sandbox, message(silent, json!({"type": "template", "template": own})))
    };
    assert_eq!(template("hello_world", "en_US", json!([])).status, 200);
    let two = json!([{"type": "text", "text": "sda1"}, {"type": "text", "text": "90 %"}]);
    assert_eq!(template("disk_full", "zh_CN", two.clone()).status, 200);
    assert_eq!(sandbox.messages()[1]["text"], "disk_full sda1 90 %");
    assert_eq!(code(&template("disk_full", "zh_CN", json!([]))), 132_000);
    assert_eq!(code(&template("disk_full", "en_US", two)), 132_001);
}

#[test]
fn a_file_is_sent_by_the_id_of_its_upload() {
    let (sandbox, clock) = start();
    let id = upload(&sandbox, "whatsapp", "hi").json()["id"].clone();
    let file = |own: Value| message("+8613800138000", json!({"type": "document", "document": own}));
    assert_eq!(post(&sandbox, file(json!({"id": id, "filename": "a.txt"}))).status, 200);
    let kept = &sandbox.messages()[0]["attachments"][0];
    assert_eq!((&kept["name"], &kept["type"]), (&json!("a.txt"), &json!("text/plain")));
    assert_eq!(post(&sandbox, file(json!({"link": "https://x.example/b.pdf"}))).status, 200);
    assert_eq!(code(&post(&sandbox, file(json!({"id": "1"})))), 131_052);
    assert_eq!(code(&post(&sandbox, file(json!({})))), 100);
    assert_eq!(code(&upload(&sandbox, "whatsapp", "")), 131_053);
    assert_eq!(code(&upload(&sandbox, "other", "hi")), 100);
    clock.advance(30 * 86_400_000);
    assert_eq!(code(&post(&sandbox, file(json!({"id": id})))), 131_052, "after 30 days it is gone");
}

#[test]
fn refuses_what_whatsapp_refuses() {
    let (sandbox, _) = start();
    let to = "+8613800138000";
    for (message, is) in [
        (json!({"to": to, "type": "text", "text": {"body": "hi"}}), 100),
        (message(to, json!({"type": "text"})), 100),
        (text(to, ""), 100),
        (text(to, &"字".repeat(4097)), 100),
        (text("+4915100000000", "hi"), 131_030),
        (message(to, json!({"type": "dance", "dance": {}})), 131_051),
        (message(to, json!({"recipient_type": "group", "type": "text"})), 131_009),
    ] {
        assert_eq!(code(&post(&sandbox, message.clone())), is, "{message:.200}");
    }
    assert_eq!(post(&sandbox, text(to, &"字".repeat(4096))).status, 200);
    let no = request(&sandbox, "POST", &format!("{PATH}/messages"), &[], "{}");
    assert_eq!((no.status, code(&no)), (401, json!(190)));
    let bearer = bearer(&sandbox);
    let other = "/whatsapp_cloud/v25.0/7/messages";
    let no = request(&sandbox, "POST", other, &[("Authorization", &bearer)], "{}");
    assert_eq!((no.status, code(&no)), (400, json!(100)));
    assert_eq!(sandbox.messages().len(), 1);
}

#[test]
fn one_number_gets_a_burst_and_then_one_in_six_seconds() {
    let (sandbox, clock) = start();
    for _ in 0..45 {
        assert_eq!(post(&sandbox, text("+8613800138000", "hi")).status, 200);
        clock.advance(100);
    }
    assert_eq!(code(&post(&sandbox, text("+8613800138000", "hi"))), 131_056);
    assert_eq!(post(&sandbox, text("+16505551234", "hi")).status, 200);
    clock.advance(270_000 - 4500);
    assert_eq!(post(&sandbox, text("+8613800138000", "hi")).status, 200);
}
