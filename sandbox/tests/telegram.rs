//! Telegram's Bot API, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const JSON: &str = "application/json";

fn call(sandbox: &Sandbox, method: &str, kind: &str, body: &str) -> Reply {
    let path = format!("/telegram/bot{TOKEN}/{method}");
    request(sandbox, "POST", &path, &[("Content-Type", kind)], body)
}

fn send(sandbox: &Sandbox, message: &Value) -> Reply {
    call(sandbox, "sendMessage", JSON, &message.to_string())
}

/// The status and the words of a refusal.
fn refusal(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    assert_eq!(
        (&body["ok"], body["error_code"].as_u64()),
        (&json!(false), Some(reply.status.into()))
    );
    (reply.status, body["description"].as_str().expect("words").to_owned())
}

#[test]
fn arguments_are_taken_in_any_form() {
    let (sandbox, _) = start();
    let forms = [
        (JSON, json!({"chat_id": 4711, "text": "hi", "disable_notification": true}).to_string()),
        (FORM, "chat_id=4711&text=hi&disable_notification=true".to_owned()),
        (
            "multipart/form-data; boundary=b",
            ["chat_id\"\r\n\r\n4711", "text\"\r\n\r\nhi", "disable_notification\"\r\n\r\ntrue"]
                .map(|part| format!("--b\r\nContent-Disposition: form-data; name=\"{part}\r\n"))
                .concat()
                + "--b--\r\n",
        ),
    ];
    for (kind, body) in forms {
        let reply = call(&sandbox, "sendMessage", kind, &body);
        let result = reply.json()["result"].take();
        assert_eq!((reply.status, &result["text"]), (200, &json!("hi")), "{body}");
        assert_eq!(result["chat"], json!({"id": 4711, "type": "private", "first_name": "Anna"}));
        assert_eq!(sandbox.messages().last().expect("taken")["silent"], true);
    }
    // The same again is another message.
    assert_eq!(sandbox.messages().len(), 3);
    assert_eq!(call(&sandbox, "getMe", JSON, "{}").json()["result"]["username"], "hongyan_bot");
}

#[test]
fn tokens_methods_and_chats_are_known_or_not() {
    let (sandbox, _) = start();
    for (path, status) in [
        ("/telegram/bot1:x/sendMessage", 401),
        ("/telegram/bot0:x/sendMessage", 404),
        ("/telegram/botx/sendMessage", 404),
        ("/telegram/nothing", 404),
    ] {
        assert_eq!(refusal(&request(&sandbox, "POST", path, &[], "")).0, status, "{path}");
    }
    let words = refusal(&call(&sandbox, "sendNothing", JSON, "{}")).1;
    assert_eq!(words, "Not Found: method not found");
    for (chat, status, words) in [
        (json!(""), 400, "chat_id is empty"),
        (json!(1), 400, "chat not found"),
        (json!(4712), 403, "blocked by the user"),
        (json!("4713"), 403, "deactivated"),
        (json!("@not_ours"), 403, "not a member"),
        (json!(-1_002_000_000_002_i64), 400, "not enough rights"),
    ] {
        let (is, said) = refusal(&send(&sandbox, &json!({"chat_id": chat, "text": "x"})));
        assert!(is == status && said.contains(words), "{is} {said}");
    }
    let moved = send(&sandbox, &json!({"chat_id": -4001, "text": "x"})).json();
    assert_eq!(moved["parameters"]["migrate_to_chat_id"], -1_002_000_000_001_i64);
    assert!(sandbox.messages().is_empty());
}

#[test]
fn texts_are_counted_in_code_points_and_topics_are_known() {
    let (sandbox, _) = start();
    sandbox.limits(false);
    for (text, fits) in [
        ("😀".repeat(4096), true),
        (format!(" {}\n", "x".repeat(4096)), true),
        ("x".repeat(4097), false),
        (" ".repeat(40_000), false),
        (" ".to_owned(), false),
        (String::new(), false),
    ] {
        let reply = send(&sandbox, &json!({"chat_id": 4711, "text": text}));
        assert_eq!(reply.status, if fits { 200 } else { 400 }, "{text:.20}");
    }
    for (topic, words) in [(7, ""), (1, "thread not found"), (8, "TOPIC_CLOSED"), (9, "not found")]
    {
        let message =
            json!({"chat_id": -1_002_000_000_001_i64, "text": "x", "message_thread_id": topic});
        let reply = send(&sandbox, &message);
        let is_taken = words.is_empty() && reply.status == 200;
        assert!(is_taken || refusal(&reply).1.contains(words), "{topic}");
    }
    let bold = json!([{"type": "bold", "offset": 2, "length": 1}]);
    send(&sandbox, &json!({"chat_id": 4711, "text": "😀x", "entities": bold}));
    let entity = sandbox.messages().last().expect("taken")["entities"][0].clone();
    assert_eq!((&entity["start"], &entity["end"]), (&json!(1), &json!(2)));
}

#[test]
fn who_is_too_fast_is_told_for_how_long_to_wait() {
    let (sandbox, clock) = start();
    let message = json!({"chat_id": 4711, "text": "x"});
    for _ in 0..5 {
        assert_eq!(send(&sandbox, &message).status, 200);
    }
    let reply = send(&sandbox, &message);
    assert_eq!((refusal(&reply).0, reply.header("retry-after")), (429, Some("5")));
    assert_eq!(reply.json()["parameters"]["retry_after"], 5);
    clock.advance(5000);
    assert_eq!(send(&sandbox, &message).status, 200);
}
