//! Files at Slack, over real sockets: a place, the bytes, and one request that shares them.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

fn ask(sandbox: &Sandbox, method: &str, kind: &str, body: &str) -> Value {
    let token = &sandbox.config()["accounts"]["slack"]["auth"]["token"];
    let bearer = format!("Bearer {}", token.as_str().expect("text"));
    let headers = [("Content-Type", kind), ("Authorization", &*bearer)];
    request(sandbox, "POST", &format!("/slack/api/{method}"), &headers, body).json()
}

fn place(sandbox: &Sandbox, name: &str, length: &str) -> Value {
    let body = form(&[("filename", name), ("length", length)]);
    ask(sandbox, "files.getUploadURLExternal", FORM, &body)
}

/// Brings bytes to a place, as anybody can who knows it.
fn bring(sandbox: &Sandbox, place: &Value, bytes: &str) -> u16 {
    let url = place["upload_url"].as_str().expect("a URL");
    let path = &url[url.find("/slack/").expect("a path of Slack")..];
    let headers = [("Content-Type", "application/octet-stream")];
    request(sandbox, "POST", path, &headers, bytes).status
}

fn share(sandbox: &Sandbox, message: Value) -> Value {
    let kind = "application/json; charset=utf-8";
    ask(sandbox, "files.completeUploadExternal", kind, &message.to_string())
}

#[test]
fn files_are_shared_once_they_are_there() {
    let (sandbox, _) = start();
    let own = place(&sandbox, "a.txt", "2");
    let files = json!([{"id": own["file_id"], "title": "A"}]);
    let message = json!({"files": files, "channel_id": "C024BE91L", "initial_comment": "look *here*",
        "thread_ts": "1503435956.000247"});
    assert_eq!(share(&sandbox, message.clone())["error"], "file_not_found");
    assert_eq!(bring(&sandbox, &own, "longer"), 400, "another length");
    assert_eq!(bring(&sandbox, &own, "hi"), 200);
    assert_eq!(bring(&sandbox, &own, "hi"), 410, "a place takes a file once");
    assert_eq!(share(&sandbox, message.clone())["ok"], true);
    let last = &sandbox.messages()[0];
    assert_eq!(last["text"], "look *here*");
    assert_eq!(
        (&last["recipient"], &last["thread"]),
        (&message["channel_id"], &message["thread_ts"])
    );
    assert_eq!(last["attachments"][0]["name"], "A");
    assert_eq!(share(&sandbox, message)["error"], "file_not_found", "it was shared already");
}

#[test]
fn refuses_files_that_slack_refuses() {
    let (sandbox, _) = start();
    for (name, length) in [("", "2"), ("a", "0"), ("a", "many"), ("a", "999999999999")] {
        assert_eq!(place(&sandbox, name, length)["error"], "invalid_arguments", "{name} {length}");
    }
    let own = place(&sandbox, "a.txt", "2");
    assert_eq!(bring(&sandbox, &own, "hi"), 200);
    let files = json!([{"id": own["file_id"]}]);
    for (message, error) in [
        (json!({}), "invalid_arguments"),
        (json!({"files": []}), "invalid_arguments"),
        (json!({"files": files, "channel_id": "C0NOWHERE"}), "channel_not_found"),
        (json!({"files": files, "channel_id": "C0PRIVATE"}), "not_in_channel"),
    ] {
        assert_eq!(share(&sandbox, message)["error"], error);
    }
    assert_eq!(share(&sandbox, json!({"files": files}))["ok"], true);
    assert!(sandbox.messages().is_empty(), "shared in no channel");
}
