//! Whether an account's credentials work is asked of its service, and nothing is sent.

use std::io::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::raw::{RawServer, Then, answer};
use crate::{Client, ErrorCode, SendOptions};

fn config(url: &str) -> Value {
    let token = json!({"type": "bearer", "token": "room-token"});
    json!({"v": 1, "retry": {"max_attempts": 2, "initial_ms": 1, "max_ms": 1}, "accounts": {
        "room": {"service": "chatroom", "auth": token, "base_url": url,
            "rate": {"count": 1, "per_ms": 86_400_000}},
        "hook": {"service": "chatroom",
            "auth": {"type": "webhook", "url": format!("{url}/rooms/room-secret")}},
    }})
}

fn client(url: &str) -> Client {
    Client::from_json(&config(url).to_string()).expect("valid accounts")
}

fn fault(client: &Client, name: &str) -> crate::Error {
    client.check_account(name, None).expect_err("it does not work")
}

#[test]
fn credentials_that_work_are_told_by_the_service_itself() {
    let server = RawServer::fixed(answer(200, "", r#"{"errcode":0,"errmsg":"ok"}"#));
    let client = client(&server.url());
    client.check_account("room", None).expect("they work");
    let request = server.requests().remove(0);
    assert!(request.head.starts_with("GET /me HTTP/1.1"), "{}", request.head);
    assert_eq!(request.header("authorization"), Some("Bearer room-token"));
    assert!(request.body.is_empty());
    // It is no message: nothing is counted, and no rate is used up by it.
    let stats: Value = serde_json::from_str(&client.stats_json()).expect("JSON");
    assert_eq!(stats["accounts"]["room"]["accepted"], 0, "{stats}");
    let message = br#"{"v": 1, "account": "room", "text": "hi"}"#;
    let sent = client.send(message, SendOptions::default()).expect("accepted");
    assert_eq!(sent.delivery.name(), "sent", "{:?}", sent.error);
    client
        .check_account("room", Some(Duration::from_secs(60)))
        .expect("although its rate is used up");
    assert_eq!(client.flush(Some(Duration::ZERO)), 0, "nothing is left under way");
}

#[test]
fn a_refusal_is_told_in_the_service_s_words_without_its_secrets() {
    let words = r#"{"errcode":310000,"errmsg":"no such token: room-token"}"#;
    let server = RawServer::fixed(answer(200, "", words));
    let error = fault(&client(&server.url()), "room");
    assert_eq!((error.code(), error.service_code()), (ErrorCode::Auth, Some("310000")));
    assert!(error.words().contains("no such token: ***"), "{error}");
    assert_eq!((error.hint_text(), server.request_count()), (None, 1));
}

#[test]
fn what_happens_on_the_way_is_told_and_tried_again() {
    let server = RawServer::fixed(answer(502, "", "<html>no</html>"));
    let error = fault(&client(&server.url()), "room");
    assert_eq!((error.code(), server.request_count()), (ErrorCode::Service, 2), "{error}");
    let server = RawServer::fixed(answer(200, "", "<html>a portal</html>"));
    assert_eq!(fault(&client(&server.url()), "room").code(), ErrorCode::Protocol);
    // Nobody listens there.
    let error = fault(&client("http://127.0.0.1:9"), "room");
    assert_eq!(error.code(), ErrorCode::Network, "{error}");
    assert!(!error.to_string().contains("arrived"), "it is no message: {error}");
}

#[test]
fn who_cannot_be_asked_is_named_and_nothing_is_requested() {
    let server = RawServer::fixed(answer(200, "", r#"{"errcode":0,"errmsg":"ok"}"#));
    let client = client(&server.url());
    let error = fault(&client, "hook");
    assert_eq!(error.code(), ErrorCode::Unsupported);
    assert!(error.words().contains("chatroom cannot be asked"), "{error}");
    let error = fault(&client, "absent");
    assert_eq!(error.code(), ErrorCode::Config);
    assert!(error.words().contains("absent") && error.hint_text().is_some(), "{error}");
    let error = client.check_account("room", Some(Duration::ZERO)).expect_err("no time");
    assert_eq!(error.code(), ErrorCode::Timeout);
    client.close(None);
    assert_eq!(fault(&client, "room").code(), ErrorCode::Closed);
    assert_eq!(server.request_count(), 0);
}

#[test]
fn it_can_be_given_up_and_ends_with_its_client() {
    let hangs = || {
        RawServer::start(|_, stream| {
            stream.flush()?;
            Ok(Then::Hang)
        })
    };
    let server = hangs();
    let client = client(&server.url());
    let mut had_enough = || server.request_count() > 0;
    let every = Duration::from_millis(1);
    let error = client.check_account_watched("room", None, every, &mut had_enough);
    assert_eq!(error.expect_err("it was given up").code(), ErrorCode::Cancelled);
    let server = hangs();
    let client = self::client(&server.url());
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| fault(&client, "room"));
        server.wait_for_requests(1);
        client.close(Some(Duration::ZERO));
        assert_eq!(asking.join().expect("no panic").code(), ErrorCode::Closed);
    });
}
