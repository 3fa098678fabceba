//! An account's own recipient: messages that name none go there, by whatever door they came.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/outbox_folder.rs"]
#[cfg(feature = "outbox")]
mod outbox_folder;
#[path = "support/raw.rs"]
mod raw;

use accounts::{account, client, message, send, take};
use hongyan::{Client, Message, SubmitOptions};
use raw::{RawServer, answer};
use serde_json::{Value, json};

fn server() -> RawServer {
    RawServer::fixed(answer(200, "", accounts::success("ff-json")))
}

fn own(url: &str) -> Value {
    let mut config = json!({"v": 1, "accounts": {"ff-json": account("ff-json", url)}});
    config["accounts"]["ff-json"]["to"] = json!({"user": "owner"});
    config
}

fn nobody() -> Value {
    json!({"v": 1, "account": "ff-json", "text": "hello"})
}

/// The recipients of the requests that came.
fn users(server: &RawServer) -> Vec<String> {
    let user = |body: &str| {
        let pair = body.split('&').find(|pair| pair.starts_with("user="))?;
        Some(pair["user=".len()..].to_owned())
    };
    server.requests().iter().map(|request| user(request.body_text()).expect("a user")).collect()
}

#[test]
fn a_message_without_a_recipient_goes_to_its_account_s_own() {
    let server = server();
    let client = client(&own(&server.url()));
    assert_eq!(send(&client, &nobody()).delivery.name(), "sent");
    assert_eq!(send(&client, &message("ff-json")).delivery.name(), "sent");
    let mut empty = nobody();
    empty["to"] = json!({"user": null});
    client.submit(empty.to_string().as_bytes(), SubmitOptions::token(1)).expect("accepted");
    assert_eq!(take(&client).delivery.name(), "sent");
    assert_eq!(users(&server), ["owner", "lisztli", "owner"]);
    let preview = Message::from_json(&nobody().to_string()).expect("a message");
    let preview = client.preview(preview).expect("it can be sent");
    assert!(preview.body.contains("user=owner"), "{preview:?}");
    // Another one holds for what is sent later.
    let mut other = own(&server.url())["accounts"]["ff-json"].clone();
    other["to"]["user"] = "other".into();
    client.set_account("ff-json", &other.to_string()).expect("a valid account");
    assert_eq!(send(&client, &nobody()).delivery.name(), "sent");
    assert_eq!(users(&server).pop().as_deref(), Some("other"));
}

#[test]
fn the_own_recipient_and_the_same_in_a_message_are_one() {
    let server = server();
    let client = client(&own(&server.url()));
    let mut keyed = nobody();
    keyed["key"] = "k".into();
    assert!(!send(&client, &keyed).deduplicated);
    keyed["to"] = json!({"user": "owner"});
    assert!(send(&client, &keyed).deduplicated, "it is the same message");
    keyed["to"] = json!({"user": "other"});
    let refused = send(&client, &keyed).error.expect("other content under the same key");
    assert_eq!(refused.code().name(), "message");
    assert_eq!(server.request_count(), 1);
}

#[test]
fn a_recipient_that_the_service_does_not_know_is_told_with_its_place() {
    let mut config = own("http://127.0.0.1:1");
    for (to, path) in [
        (json!({"group": "g"}), "accounts.ff-json.to.group"),
        (json!({"user": ""}), "accounts.ff-json.to.user"),
        (json!({"planet": "x"}), "accounts.ff-json.to.planet"),
        (json!({"users": []}), "accounts.ff-json.to.users"),
        (json!(["x"]), "accounts.ff-json.to"),
    ] {
        config["accounts"]["ff-json"]["to"] = to;
        let error = Client::from_json(&config.to_string()).err().expect("a wrong recipient");
        assert_eq!((error.code().name(), error.path()), ("config", Some(path)));
    }
}

#[cfg(feature = "outbox")]
#[test]
fn a_message_in_the_outbox_goes_to_the_own_recipient_too() {
    let (server, folder) = (server(), outbox_folder::Folder::new());
    let mut config = folder.config(&server.url(), json!({}));
    config["accounts"]["ff-json"]["to"] = json!({"user": "owner"});
    let client = client(&config);
    for ordered in [false, true] {
        let mut message = nobody();
        message["ordered"] = ordered.into();
        client.submit(message.to_string().as_bytes(), SubmitOptions::token(1)).expect("accepted");
        assert_eq!(take(&client).delivery.name(), "sent");
    }
    assert_eq!(users(&server), ["owner", "owner"]);
}
