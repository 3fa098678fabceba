//! The accounts, messages and clients of the tests.

#![allow(dead_code, reason = "each test uses its part of it")]

use std::time::Duration;

use hongyan::{Client, Message, Receipt, SendOptions, SubmitOptions, Waited};
use serde_json::{Value, json};

/// The longest that a test waits for a receipt that must come.
const GUARD: Duration = Duration::from_secs(300);

/// An account by each way to speak, and the body of its service's success.
pub const ACCOUNTS: [(&str, &str); 4] = [
    ("ff-json", r#"{"id":"wgFPBXHGdwQ","text":"hello"}"#),
    ("ff-xml", "<direct_message><id>wgFPBXHGdwQ</id><text>hello</text></direct_message>"),
    ("ff-rss", "<rss version=\"2.0\"><channel><title>hello</title></channel></rss>"),
    ("im", r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"MsgTime":1497249503,"MsgSeq":7}"#),
];

/// The success of the service that an account is of.
pub fn success(account: &str) -> &'static str {
    ACCOUNTS.iter().find(|(name, _)| *name == account).map_or(ACCOUNTS[0].1, |(_, body)| body)
}

/// An account's object, unpaced, whose requests go to `url/NAME/…`.
pub fn account(name: &str, url: &str) -> Value {
    let base_url = format!("{url}/{name}");
    let mut account = match name {
        "im" => json!({"service": "tencent_im", "base_url": base_url,
            "auth": {"type": "usersig", "sdk_app_id": 1_400_000_000,
                "identifier": "administrator", "secret_key": "a-secret-key"}}),
        "ff-oauth" => json!({"service": "fanfou", "base_url": base_url,
            "auth": {"type": "oauth1", "consumer_key": "ck", "consumer_secret": "consumer-secret",
                "token": "access-token", "token_secret": "token-secret"}}),
        _ => json!({"service": "fanfou", "base_url": base_url,
            "format": name.trim_start_matches("ff-"),
            "auth": {"type": "basic", "username": "test", "password": "p4ssword"}}),
    };
    account["rate"] = Value::Null;
    account
}

/// A configuration of every account, with short waits and three attempts.
pub fn config(url: &str) -> Value {
    let names = ACCOUNTS.iter().map(|(name, _)| *name).chain(["ff-oauth"]);
    let accounts: serde_json::Map<_, _> =
        names.map(|name| (name.to_owned(), account(name, url))).collect();
    json!({"v": 1, "accounts": accounts,
        "retry": {"max_attempts": 3, "initial_ms": 1, "max_ms": 2}})
}

/// The same with other fields.
pub fn config_with(url: &str, more: Value) -> Value {
    let mut config = config(url);
    merge(&mut config, more);
    config
}

/// One JSON object with the fields of another, at every level.
pub fn merged(mut into: Value, more: Value) -> Value {
    merge(&mut into, more);
    into
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

pub fn client(config: &Value) -> Client {
    Client::from_json(&config.to_string()).expect("a valid configuration")
}

/// A message in JSON, to the recipient that every service of the tests knows.
pub fn message(account: &str) -> Value {
    let to = match account.contains("im") {
        true => json!({"group": "@TGS#2C5SZEAEF"}),
        false => json!({"user": "lisztli"}),
    };
    json!({"v": 1, "account": account, "to": to, "text": "hello"})
}

/// The same with other fields.
pub fn message_with(account: &str, more: Value) -> Value {
    let mut message = message(account);
    merge(&mut message, more);
    message
}

/// Sends on the test's own thread.
pub fn send(client: &Client, message: &Value) -> Receipt {
    client.send(message.to_string().as_bytes(), SendOptions::default()).expect("accepted")
}

/// Sends on the test's own thread and waits at most so long.
pub fn send_within(client: &Client, message: &Value, ms: u64) -> Receipt {
    let time_out = Some(Duration::from_millis(ms));
    client.send(message.to_string().as_bytes(), SendOptions::within(time_out)).expect("accepted")
}

/// Sends by the client's thread.
pub fn submit_and_wait(client: &Client, message: &Value) -> Receipt {
    let message = Message::from_json(&message.to_string()).expect("a valid message");
    client.submit(message, SubmitOptions::token(1)).expect("accepted");
    take(client)
}

/// The next receipt of a submitted send.
pub fn take(client: &Client) -> Receipt {
    match client.wait(Some(GUARD), 1).expect("open, or with results left") {
        Waited::Results(mut receipts) => receipts.remove(0),
        Waited::Nothing => panic!("waited in vain for a receipt"),
    }
}

/// Delivery and error name, which is what a receipt says of the truth.
pub fn verdict(receipt: &Receipt) -> (&'static str, &'static str) {
    let name = receipt.error.as_ref().map_or("ok", |error| error.code().name());
    (receipt.delivery.name(), name)
}

/// The receipt as JSON.
pub fn shown(receipt: &Receipt) -> Value {
    serde_json::from_str(&receipt.to_json()).expect("a receipt is JSON")
}
