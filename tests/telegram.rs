//! Messages of a Telegram bot, through the sandbox and through answers of our own.

#[path = "support/raw.rs"]
mod raw;

use std::io::Write;

use hongyan::{Client, Delivery, ErrorCode, Receipt, SendOptions};
use hongyan_sandbox::{Options, Sandbox};
use raw::{GUARD, RawServer, Then, answer};
use serde_json::{Value, json};

const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

fn client(base_url: &str) -> Client {
    let account = json!({"service": "telegram", "base_url": base_url, "rate": null,
        "auth": {"type": "bot", "token": TOKEN}});
    let config = json!({"v": 1, "accounts": {"tg": account}});
    Client::from_json(&config.to_string()).expect("a valid account")
}

fn start() -> (Sandbox, Client) {
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    sandbox.limits(false);
    let client = client(&format!("{}/telegram", sandbox.url()));
    (sandbox, client)
}

fn send(client: &Client, chat: &str, more: Value) -> Receipt {
    let mut message = json!({"v": 1, "account": "tg", "to": {"chat": chat}});
    let more = more.as_object().expect("an object").clone();
    message.as_object_mut().expect("an object").extend(more);
    client.send(message.to_string().as_bytes(), SendOptions::within(GUARD)).expect("accepted")
}

fn refused(client: &Client, chat: &str, more: Value) -> (ErrorCode, String) {
    let receipt = send(client, chat, more);
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::NotSent, 0), "{receipt:?}");
    let error = receipt.error.expect("a refusal");
    (error.code(), error.path().unwrap_or_default().to_owned())
}

#[test]
fn a_group_that_moved_is_followed_once_and_for_all() {
    let (sandbox, client) = start();
    for n in 1..=3 {
        let receipt = send(&client, "-4001", json!({"text": n.to_string()}));
        assert_eq!(receipt.delivery, Delivery::Sent, "{receipt:?}");
        assert_eq!(receipt.attempts, 1, "the old address is no attempt that failed");
        let note = &receipt.notes[0];
        assert_eq!(note.name, "readdressed");
        assert!(note.message.contains("-1002000000001"), "{note:?}");
        assert_eq!(sandbox.messages().last().expect("it is there")["recipient"], "-1002000000001");
    }
    // Files move as well.
    let file = json!([{"name": "a.txt", "data_base64": "aGVsbG8="}]);
    let receipt = send(&client, "-4001", json!({"attachments": file}));
    assert_eq!(receipt.delivery, Delivery::Sent, "{receipt:?}");
    let other = send(&client, "4711", json!({"text": "x"}));
    assert!(other.notes.is_empty(), "{other:?}");
}

#[test]
fn later_messages_ask_the_old_address_no_more() {
    const MOVED: &str = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1001}}"#;
    const SENT: &str = r#"{"ok":true,"result":{"message_id":5}}"#;
    let server = RawServer::start(|request, stream| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let moved = body.contains("\"chat_id\":-1,");
        let (status, body) = if moved { (400, MOVED) } else { (200, SENT) };
        stream.write_all(&answer(status, "", body))?;
        Ok(Then::Keep)
    });
    let client = client(&server.url());
    for requests in [2, 3, 4] {
        let receipt = send(&client, "-1", json!({"text": "x"}));
        assert_eq!((receipt.delivery, receipt.notes.len()), (Delivery::Sent, 1), "{receipt:?}");
        assert_eq!(server.request_count(), requests);
    }
}

#[test]
fn a_chat_that_moves_for_ever_is_followed_no_further() {
    let server = RawServer::start(|request, stream| {
        let body = format!(
            "{{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: group chat was upgraded to a \
             supergroup chat\",\"parameters\":{{\"migrate_to_chat_id\":-{}}}}}",
            100 + request.number
        );
        stream.write_all(&answer(400, "", &body))?;
        Ok(Then::Keep)
    });
    let receipt = send(&client(&server.url()), "-1", json!({"text": "x"}));
    let error = receipt.error.expect("a refusal");
    assert_eq!((receipt.delivery, error.code()), (Delivery::NotSent, ErrorCode::Rejected));
    assert_eq!(server.request_count(), 2);
}

#[test]
fn every_kind_of_message_arrives() {
    let (sandbox, client) = start();
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let photo = || json!({"name": "鸿雁.png", "data_base64": png});
    let last = |chat: &str, more: Value, count: usize| {
        sandbox.clear();
        let receipt = send(&client, chat, more);
        assert_eq!(receipt.delivery, Delivery::Sent, "{receipt:?}");
        let messages = sandbox.messages();
        assert_eq!(messages.len(), count);
        assert_eq!(messages[0]["id"].as_str(), receipt.message_id.as_deref());
        messages.into_iter().next().expect("one")
    };
    let text = last("4711", json!({"text": "*as* _it_ <stands>", "silent": true}), 1);
    assert_eq!((&text["text"], &text["silent"]), (&json!("*as* _it_ <stands>"), &json!(true)));
    let topic = last("-1002000000001", json!({"text": "x", "thread": "7", "title": "T"}), 1);
    assert_eq!((&topic["text"], &topic["thread"]), (&json!("T\nx"), &json!("7")));
    let general = last("-1002000000001", json!({"text": "x", "thread": "1"}), 1);
    assert_eq!(general["thread"], Value::Null);
    let reply = last("4711", json!({"text": "x", "reply_to": "1"}), 1);
    assert_eq!(reply["thread"], "1");
    let html = json!({"text": "<b>bold</b>", "extra": {"parse_mode": "HTML"}});
    assert_eq!(last("4711", html, 1)["text"], "bold");
    let one = last("@hongyan_news", json!({"text": "goose", "attachments": [photo()]}), 1);
    assert_eq!(
        (&one["text"], &one["attachments"][0]["name"]),
        (&json!("goose"), &json!("鸿雁.png"))
    );
    assert_eq!(one["attachments"][0]["type"], "image/png");
    let album =
        json!({"text": "two", "attachments": [photo(), {"url": "https://example.com/b.jpg"}]});
    assert_eq!(last("4711", album, 2)["text"], "two");
    // What cannot all be photos goes as documents.
    let mixed = json!({"attachments": [photo(), {"name": "a.txt", "data_base64": "aGVsbG8="}]});
    assert_eq!(last("4711", mixed, 2)["attachments"][0]["name"], "鸿雁.png");
    let raw =
        json!({"parts": [{"type": "raw", "value": {"method": "sendMessage", "text": "raw"}}]});
    assert_eq!(last("4711", raw, 1)["text"], "raw");
}

#[test]
fn what_cannot_be_sent_is_refused_where_it_stands() {
    use ErrorCode::{Message, TooLarge, Unsupported};
    let (sandbox, client) = start();
    let raw = |value: Value| json!({"parts": [{"type": "raw", "value": value}]});
    let url = json!({"url": "https://example.com/a.pdf"});
    for (chat, more, code, path) in [
        ("07", json!({"text": "x"}), Message, "to.chat"),
        ("1.5e3", json!({"text": "x"}), Message, "to.chat"),
        ("name", json!({"text": "x"}), Message, "to.chat"),
        ("@no name", json!({"text": "x"}), Message, "to.chat"),
        ("4711", json!({"text": " \n"}), Message, "text"),
        ("4711", json!({"text": "x".repeat(4097)}), TooLarge, "text"),
        ("4711", json!({"text": "😀".repeat(1025), "attachments": [url]}), TooLarge, "text"),
        ("4711", json!({"attachments": vec![&url; 11]}), TooLarge, "attachments"),
        (
            "4711",
            json!({"attachments": [{"url": "file:///etc/passwd"}]}),
            Message,
            "attachments[0].url",
        ),
        ("4711", json!({"text": "x", "reply_to": "a"}), Message, "reply_to"),
        ("4711", json!({"text": "x", "thread": "a"}), Message, "thread"),
        ("4711", json!({"text": "x", "priority": "high"}), Unsupported, "priority"),
        ("4711", json!({"text": "x", "extra": {"colour": 1}}), Message, "extra.colour"),
        (
            "4711",
            json!({"text": "x", "reply_to": "5", "extra": {"reply_parameters": {"message_id": 6}}}),
            Message,
            "extra.reply_parameters.message_id",
        ),
        ("4711", raw(json!({"text": "x"})), Message, "parts[0].value.method"),
        ("4711", raw(json!({"method": "sendChatAction"})), Message, "parts[0].value.method"),
        ("4711", raw(json!({"method": "send/../x"})), Message, "parts[0].value.method"),
        (
            "4711",
            raw(json!({"method": "sendPoll", "chat_id": 1})),
            Message,
            "parts[0].value.chat_id",
        ),
    ] {
        assert_eq!(refused(&client, chat, more.clone()), (code, path.to_owned()), "{more}");
    }
    let receipt = send(&client, "4711", json!({"text": format!(" {} ", "😀".repeat(4096))}));
    assert_eq!(receipt.delivery, Delivery::Sent, "{receipt:?}");
    assert_eq!(sandbox.messages().len(), 1);
}

#[test]
fn a_token_is_checked_and_never_shown() {
    for wrong in ["x", "123", ":abc", "0123:abc", "123:", "123:a/b", "123:a?b", "12a:abc"] {
        let auth = json!({"type": "bot", "token": wrong});
        let config = json!({"v": 1, "accounts": {"a": {"service": "telegram", "auth": auth}}});
        let error = Client::from_json(&config.to_string()).err().expect("no token");
        assert_eq!(
            (error.code(), error.path()),
            (ErrorCode::Config, Some("accounts.a.auth.token"))
        );
        assert!(!error.to_string().contains(wrong) || wrong.len() < 4, "{error}");
    }
    let secret = TOKEN.split_once(':').expect("two parts").1;
    let server = RawServer::start(move |request, stream| {
        // As a front might: with the URL in what it says.
        let said = json!({"ok": false, "error_code": 404, "description":
            format!("Not Found: {} and {secret}", request.target())});
        stream.write_all(&answer(404, "", said.to_string()))?;
        Ok(Then::Keep)
    });
    let receipt = send(&client(&server.url()), "4711", json!({"text": "x"}));
    let shown = format!("{receipt:?} {}", receipt.to_json());
    assert_eq!(receipt.error.expect("a refusal").code(), ErrorCode::Auth);
    assert!(!shown.contains(secret) && shown.contains("***"), "{shown}");
}

#[test]
fn a_bot_is_asked_who_it_is() {
    let (_sandbox, client) = start();
    client.check_account("tg", Some(GUARD)).expect("the token holds");
    let server = RawServer::start(|_, stream| {
        let said = r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#;
        stream.write_all(&answer(401, "", said))?;
        Ok(Then::Keep)
    });
    let error = self::client(&server.url()).check_account("tg", Some(GUARD)).expect_err("no token");
    assert_eq!(error.code(), ErrorCode::Auth);
    assert!(server.requests()[0].target().ends_with("/getMe"));
}

#[test]
fn a_long_text_goes_in_several_messages_of_which_the_first_is_the_reply() {
    let (sandbox, client) = start();
    send(&client, "4711", json!({"text": "to be replied to"}));
    let long = format!("{}\n\n{}", "a".repeat(4000), "b".repeat(4000));
    let message = json!({"text": long, "overflow": "split", "reply_to": "1", "silent": true});
    let receipt = send(&client, "4711", message);
    assert_eq!(receipt.delivery, Delivery::Sent, "{receipt:?}");
    let messages = sandbox.messages().split_off(1);
    let texts: Vec<_> = messages.iter().map(|own| own["text"].as_str().expect("a text")).collect();
    assert_eq!(texts, [&*"a".repeat(4000), &*"b".repeat(4000)]);
    assert_eq!((&messages[0]["thread"], &messages[1]["thread"]), (&json!("1"), &Value::Null));
    assert_eq!((&messages[0]["silent"], &messages[1]["silent"]), (&json!(true), &json!(true)));
    assert_eq!(receipt.message_id.as_deref(), messages[0]["id"].as_str());
}

#[test]
fn a_person_is_mentioned_by_his_number_or_his_name() {
    let (sandbox, client) = start();
    let mention = |user: &str| {
        json!({"parts": [{"type": "mention", "user": user, "name": "Anna"},
            {"type": "text", "text": ", look"}]})
    };
    for (user, text) in [("4711", "Anna, look"), ("@anna", "@anna, look")] {
        let receipt = send(&client, "-4002", mention(user));
        assert_eq!(receipt.delivery, Delivery::Sent, "{receipt:?}");
        assert_eq!(sandbox.messages().last().expect("it arrived")["text"], text);
    }
    let wrong = (ErrorCode::Message, "parts[0].user".to_owned());
    assert_eq!(refused(&client, "-4002", mention("anna")), wrong);
    let all = json!({"parts": [{"type": "mention", "all": true}]});
    let wrong = (ErrorCode::Unsupported, "parts[0].all".to_owned());
    assert_eq!(refused(&client, "-4002", all), wrong);
}
