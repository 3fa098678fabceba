//! Messages of a LINE bot, through the sandbox and through answers of our own: each has a retry key, by which LINE
//! knows it again.

#[path = "support/raw.rs"]
mod raw;

use std::io::Write;

use hongyan::{Client, Delivery, Receipt, SendOptions};
use hongyan_sandbox::{Options, Sandbox};
use raw::{GUARD, RawServer, Then, answer};
use serde_json::{Value, json};

const TOKEN: &str = "bGluZS1ib3QtdG9rZW4tb2YtaG9uZ3lhbg==";
const ANNA: &str = "U4af4980629d85f9c1d3a1b4c5e6f7a8b";

fn client(base_url: &str) -> Client {
    let auth = json!({"type": "bot", "token": TOKEN});
    let account = json!({"service": "line", "base_url": base_url, "auth": auth});
    let retry = json!({"initial_ms": 1, "max_ms": 1});
    let config = json!({"v": 1, "accounts": {"line": account}, "retry": retry});
    Client::from_json(&config.to_string()).expect("a valid account")
}

fn send(client: &Client, more: Value) -> Receipt {
    let mut message = json!({"v": 1, "account": "line", "to": {"user": ANNA}, "text": "hi"});
    let more = more.as_object().expect("an object").clone();
    message.as_object_mut().expect("an object").extend(more);
    client.send(message.to_string().as_bytes(), SendOptions::within(GUARD)).expect("accepted")
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again_with_the_same_key() {
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    let client = client(&format!("{}/line", sandbox.url()));
    let reset = json!({"service": "line", "kind": "reset", "when": "after"});
    for (more, has_id) in [(json!({}), true), (json!({"to": {"users": [ANNA]}}), false)] {
        sandbox.clear();
        sandbox.fault(reset.clone()).expect("a fault");
        let receipt = send(&client, more);
        assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 2), "{receipt:?}");
        assert!(receipt.deduplicated && receipt.error.is_none(), "{receipt:?}");
        let messages = sandbox.messages();
        assert_eq!(messages.len(), 1, "it was sent once");
        let id = has_id.then(|| messages[0]["id"].as_str().expect("an id"));
        assert_eq!(receipt.message_id.as_deref(), id, "the id of then");
    }
}

#[test]
fn a_key_is_one_message_for_a_day_whoever_sends_it() {
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    let send = |key: &str| {
        let client = client(&format!("{}/line", sandbox.url()));
        send(&client, json!({"key": key}))
    };
    let first = send("order-4711");
    assert_eq!((first.delivery, first.deduplicated), (Delivery::Sent, false));
    assert_eq!(first.notes[0].name, "accepted_only");
    let again = send("order-4711");
    assert_eq!((again.delivery, again.deduplicated), (Delivery::Sent, true), "{again:?}");
    assert_eq!(again.message_id, first.message_id);
    assert_eq!(sandbox.messages().len(), 1);
    assert!(!send("order-4712").deduplicated);
}

/// A later request of one message must not be taken for that of another.
#[test]
fn no_two_messages_share_a_key_in_any_of_their_requests() {
    let server = RawServer::start(|_, stream| {
        stream.write_all(&answer(200, "", "{}"))?;
        Ok(Then::Keep)
    });
    let client = client(&server.url());
    let users: Vec<_> = (0..501).map(|n| format!("U{n:032x}")).collect();
    for text in ["one", "two"] {
        let receipt = send(&client, json!({"to": {"users": users}, "text": text}));
        assert_eq!(receipt.delivery, Delivery::Sent, "{receipt:?}");
    }
    let requests = server.requests();
    let keys = requests.iter().map(|own| own.header("x-line-retry-key"));
    let keys: std::collections::BTreeSet<_> = keys.collect();
    assert_eq!((requests.len(), keys.len()), (4, 4));
}

#[test]
fn each_request_of_a_message_has_a_key_of_its_own() {
    let server = RawServer::start(|request, stream| {
        let sent = r#"{"sentMessages":[{"id":"46","quoteToken":"q"}]}"#;
        let body = if request.target().ends_with("multicast") { "{}" } else { sent };
        stream.write_all(&answer(200, "", body))?;
        Ok(Then::Keep)
    });
    let client = client(&server.url());
    let users: Vec<_> = (0..501).map(|n| format!("U{n:032x}")).collect();
    let receipt = send(&client, json!({"to": {"users": users}}));
    assert_eq!(receipt.delivery, Delivery::Sent, "{receipt:?}");
    assert_eq!(receipt.recipients.map(|all| all.len()), Some(501));
    let text = "word ".repeat(1500);
    let receipt = send(&client, json!({"text": text, "overflow": "split"}));
    assert_eq!(receipt.pieces.map(|pieces| pieces.len()), Some(2));
    let requests = server.requests();
    let count = |n: usize| {
        let body: Value = serde_json::from_slice(&requests[n].body).expect("JSON");
        body["to"].as_array().map(Vec::len)
    };
    assert_eq!([count(0), count(1), count(2), count(3)], [Some(500), Some(1), None, None]);
    let mut keys: Vec<_> = requests.iter().map(|own| own.header("x-line-retry-key")).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!((keys.len(), keys[0].is_some()), (4, true));
}
