//! Pushover, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const TOKEN: &str = "a7goose7hongyan7pushover7token";
const USER: &str = "u7anna7hongyan7pushover7user77";

fn post(sandbox: &Sandbox, more: Value) -> Reply {
    let mut body = json!({"token": TOKEN, "user": USER, "message": "hi"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let json = ("Content-Type", "application/json");
    request(sandbox, "POST", "/pushover/1/messages.json", &[json], &body.to_string())
}

#[test]
fn a_message_comes_as_json_as_a_form_or_with_a_file() {
    let (sandbox, _) = start();
    let reply = post(&sandbox, json!({"title": "T", "priority": -1, "html": 1}));
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!(1)));
    assert_eq!(reply.header("x-limit-app-remaining"), Some("9999"));
    let taken = &sandbox.messages()[0];
    assert_eq!((&taken["silent"], &taken["format"]), (&json!(true), &json!("html")));
    let body = format!("token={TOKEN}&user={USER}&message=a+b&priority=1");
    let path = "/pushover/1/messages.json";
    assert_eq!(request(&sandbox, "POST", path, &[("Content-Type", FORM)], &body).status, 200);
    assert_eq!(sandbox.messages()[1]["priority"], "high");
    let field = |name: &str, value: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = format!(
        "{}{}{}--B\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"a.png\"\r\n\
         Content-Type: image/png\r\n\r\nPNG\r\n--B--\r\n",
        field("token", TOKEN),
        field("user", USER),
        field("message", "look")
    );
    let form = [("Content-Type", "multipart/form-data; boundary=B")];
    assert_eq!(request(&sandbox, "POST", path, &form, &body).status, 200);
    assert_eq!(sandbox.messages()[2]["attachments"][0]["name"], "a.png");
}

#[test]
fn an_emergency_needs_to_know_how_often_and_how_long() {
    let (sandbox, _) = start();
    for more in [
        json!({"priority": 2}),
        json!({"priority": 2, "retry": 29, "expire": 60}),
        json!({"priority": 2, "retry": 30, "expire": 10_801}),
    ] {
        assert_eq!(post(&sandbox, more).status, 400);
    }
    let reply = post(&sandbox, json!({"priority": 2, "retry": 30, "expire": 10_800}));
    assert!(reply.json()["receipt"].is_string());
    assert_eq!(sandbox.messages().len(), 1);
}

#[test]
fn refuses_what_pushover_refuses() {
    let (sandbox, _) = start();
    for (more, words) in [
        (json!({"token": "x"}), "application token is invalid"),
        (json!({"user": "x"}), "user identifier"),
        (json!({"user": "u7bruno7hongyan7pushover7user7"}), "no active devices"),
        (json!({"message": " "}), "blank"),
        (json!({"message": "😀".repeat(1025)}), "too long"),
        (json!({"title": "x".repeat(251)}), "too long"),
        (json!({"priority": 3}), "priority"),
        (json!({"html": 1, "monospace": 1}), "html"),
    ] {
        let reply = post(&sandbox, more.clone());
        assert_eq!((reply.status, &reply.json()["status"]), (400, &json!(0)), "{more}");
        assert!(reply.json()["errors"][0].as_str().is_some_and(|e| e.contains(words)), "{more}");
    }
    assert!(sandbox.messages().is_empty());
    assert_eq!(post(&sandbox, json!({"message": "😀".repeat(1024)})).status, 200);
    let path = "/pushover/1/apps/limits.json?token=";
    assert_eq!(request(&sandbox, "GET", path, &[], "").status, 400);
    let path = format!("{path}{TOKEN}");
    assert_eq!(request(&sandbox, "GET", &path, &[], "").json()["limit"], 10_000);
}
