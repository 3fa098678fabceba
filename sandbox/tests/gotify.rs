//! Gotify, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const KEY: (&str, &str) = ("X-Gotify-Key", "AgooseGotify4711");

fn post(sandbox: &Sandbox, body: &Value) -> Reply {
    request(sandbox, "POST", "/gotify/message", &[JSON, KEY], &body.to_string())
}

#[test]
fn a_message_is_answered_as_it_is_kept() {
    let (sandbox, _) = start();
    let extras = json!({"client::display": {"contentType": "text/markdown"}});
    let body = json!({"message": "**hi**", "priority": 8, "extras": extras});
    let answer = post(&sandbox, &body).json();
    assert_eq!((&answer["id"], &answer["title"]), (&json!(1), &json!("goose")));
    let taken = &sandbox.messages()[0];
    assert_eq!((&taken["format"], &taken["priority"]), (&json!("markdown"), &json!("8")));
    let form = ("Content-Type", FORM);
    let path = "/gotify/message?token=AgooseGotify4711";
    assert_eq!(request(&sandbox, "POST", path, &[form], "message=a+b&priority=5").status, 200);
    assert_eq!(sandbox.messages()[1]["text"], "a b");
}

#[test]
fn refuses_what_gotify_refuses() {
    let (sandbox, _) = start();
    for (body, words) in [
        (json!({}), "Field 'message' is required"),
        (json!({"message": ""}), "Field 'message' is required"),
        (json!({"message": "x", "priority": "high"}), "priority"),
        (json!({"message": "x", "extras": []}), "extras"),
    ] {
        let reply = post(&sandbox, &body);
        assert_eq!((reply.status, &reply.json()["errorCode"]), (400, &json!(400)), "{body}");
        assert!(reply.text().contains(words), "{body}");
    }
    for (key, status) in [("CgooseGotify4711", 403), ("Ax", 401)] {
        let headers = [JSON, ("X-Gotify-Key", key)];
        let reply = request(&sandbox, "POST", "/gotify/message", &headers, "{\"message\":\"x\"}");
        assert_eq!((reply.status, &reply.json()["errorCode"]), (status, &json!(status)));
    }
    assert_eq!(request(&sandbox, "POST", "/gotify/x", &[KEY], "").json()["errorCode"], 404);
    assert!(sandbox.messages().is_empty());
}
