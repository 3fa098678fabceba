//! Webhooks of any kind, through the sandbox and through answers of our own.

#[path = "support/raw.rs"]
mod raw;

use std::io::Write;

use hongyan::{Client, Delivery, ErrorCode, Receipt, SendOptions};
use hongyan_sandbox::{Options, Sandbox};
use raw::{GUARD, RawServer, Then, answer};
use serde_json::{Map, Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn merged(mut value: Value, more: &Value) -> Value {
    let more = more.as_object().expect("an object").clone();
    value.as_object_mut().expect("an object").extend(more);
    value
}

/// A client of one account, which is a usual one but for these fields.
fn try_client(more: &Value) -> Result<Client, hongyan::Error> {
    let account = json!({"service": "webhook", "url": "https://hooks.example.com/in",
        "auth": {"type": "none"}});
    let accounts = json!({"hook": merged(account, more)});
    Client::from_json(&json!({"v": 1, "accounts": accounts}).to_string())
}

fn client(more: &Value) -> Client {
    try_client(more).unwrap_or_else(|e| panic!("{more}: {e}"))
}

fn send(client: &Client, more: &Value) -> Receipt {
    let message = merged(json!({"v": 1, "account": "hook"}), more);
    client.send(message.to_string().as_bytes(), SendOptions::within(GUARD)).expect("accepted")
}

#[test]
fn every_way_to_prove_oneself_is_taken_and_a_wrong_one_is_not() {
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    let config = sandbox.config();
    let accounts = config["accounts"].as_object().expect("accounts").iter();
    let hooks: Map<String, Value> = accounts
        .filter(|(name, _)| name.starts_with("webhook-"))
        .map(|(name, account)| (name.clone(), account.clone()))
        .collect();
    assert_eq!(hooks.len(), 5);
    for (name, account) in &hooks {
        let receipt = send(&client(account), &json!({"title": "T", "text": name}));
        assert_eq!(receipt.delivery, Delivery::Sent, "{receipt:?}");
        let messages = sandbox.messages();
        let last = messages.last().expect("it arrived");
        assert_eq!((&last["text"], &last["title"]), (&json!(name), &json!("T")));
        assert_eq!(last["id"].as_str(), receipt.message_id.as_deref());
        let mut wrong = account.clone();
        wrong["auth"] = json!({"type": "bearer", "token": "other-token"});
        wrong["url"] = account["url"].as_str().expect("a URL").replace("key=goose-4711", "").into();
        let error = send(&client(&wrong), &json!({"text": "x"})).error.expect("a refusal");
        assert_eq!((error.code(), error.service_code()), (ErrorCode::Auth, Some("401")));
    }
}

#[test]
fn what_is_signed_has_one_id_for_each_key() {
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    let signed = &sandbox.config()["accounts"]["webhook-standard_webhooks"];
    let message = json!({"text": "paid", "key": "order-7"});
    let ids: Vec<_> = (0..2).map(|_| send(&client(signed), &message).message_id).collect();
    assert_eq!(ids[0], ids[1], "the receiver knows it again");
    assert_eq!(sandbox.messages().len(), 1);
    let client = client(signed);
    let receipt = send(&client, &json!({"text": "no key"}));
    let request = sandbox.messages().last().expect("it arrived")["request"].clone();
    assert_eq!(request["headers"]["webhook-id"].as_str(), Some(&*receipt.id));
    let error = send(&client, &json!({"text": "x", "key": "a.b"})).error.expect("a refusal");
    assert_eq!((error.code(), error.path()), (ErrorCode::Message, Some("key")));
}

#[test]
fn a_doubt_is_sent_again_only_where_it_is_known_again() {
    let server = RawServer::start(|_, stream| {
        stream.write_all(&answer(500, "", ""))?;
        Ok(Then::Keep)
    });
    let of = |auth: Value| json!({"base_url": server.url(), "auth": auth});
    let receipt = send(&client(&of(json!({"type": "none"}))), &json!({"text": "x"}));
    assert_eq!((receipt.delivery, server.request_count()), (Delivery::MaybeSent, 1));
    let signed = of(json!({"type": "standard_webhooks", "secret": SECRET}));
    let signed = json!({"v": 1, "accounts": {"hook": merged(signed, &json!({"service": "webhook",
        "url": "https://hooks.example.com/in"}))}, "retry": {"initial_ms": 1, "max_ms": 2}});
    let signed = Client::from_json(&signed.to_string()).expect("an account");
    let receipt = send(&signed, &json!({"text": "x"}));
    assert_eq!((receipt.delivery, server.request_count()), (Delivery::MaybeSent, 5));
    let ids: Vec<_> = server.requests()[1..]
        .iter()
        .map(|request| request.header("webhook-id").map(str::to_owned))
        .collect();
    assert!(ids.iter().all(|id| id.as_deref() == Some(&*receipt.id)), "{ids:?}");
}

#[test]
fn secrets_of_the_url_and_of_headers_are_never_shown() {
    let server = RawServer::start(|request, stream| {
        let said = format!("{} {}", request.head, request.target());
        stream.write_all(&answer(404, "", said))?;
        Ok(Then::Keep)
    });
    let account = json!({"base_url": server.url(), "headers": {"X-Api-Key": "header-secret"},
        "url": "https://url-user:url-pass%40word@hooks.example.com/in/room?key=query-secret&x=other-secret"});
    let receipt = send(&client(&account), &json!({"text": "x"}));
    let head = server.requests()[0].head.clone();
    assert!(head.starts_with("POST /in/room?key=query-secret&x=other-secret HTTP/1.1"), "{head}");
    assert!(
        head.to_lowercase().contains("authorization: basic dxjslxvzzxi6dxjslxbhc3nad29yza=="),
        "{head}"
    );
    let shown = format!("{receipt:?} {}", receipt.to_json());
    for secret in
        ["url-user", "url-pass", "query-secret", "other-secret", "header-secret", "dXJsLXVz"]
    {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    assert_eq!(receipt.error.expect("a refusal").code(), ErrorCode::NotFound);
}

#[test]
fn an_account_that_cannot_work_is_refused_where_it_is_wrong() {
    let header = |name: &str| json!({"auth": {"type": "header", "name": name, "value": "v"}});
    for (more, path) in [
        (json!({"url": "ftp://hooks.example.com"}), "url"),
        (json!({"url": "http://hooks.example.com"}), "url"),
        (json!({"url": null}), "url"),
        (json!({"url": "https://u:p@h.example", "auth": {"type": "bearer", "token": "t"}}), "url"),
        (json!({"method": "GET"}), "method"),
        (json!({"headers": {"Host": "x"}}), "headers.Host"),
        (json!({"headers": {"X A": "x"}}), "headers.X A"),
        (json!({"headers": {"X-A": "a\r\nb"}}), "headers.X-A"),
        (json!({"headers": {"X-A": 1}}), "headers.X-A"),
        (json!({"headers": {"X-A": "1", "x-a": "2"}}), "headers.x-a"),
        (
            json!({"headers": {"Webhook-Id": "1"}, "auth": {"type": "standard_webhooks", "secret": SECRET}}),
            "headers.Webhook-Id",
        ),
        (json!({"auth": {"type": "standard_webhooks", "secret": "whsec_?"}}), "auth.secret"),
        (header("Content-Length"), "auth.name"),
        (header("a b"), "auth.name"),
        (json!({"body": {"json": "{{nobody}}"}}), "body"),
        (json!({"body": {"json": 1, "text": "x"}}), "body"),
        (json!({"success": {"status": [302]}}), "success.status"),
        (json!({"message_id": "id"}), "message_id"),
        (json!({"colour": 1}), "colour"),
    ] {
        let error = try_client(&more).err().unwrap_or_else(|| panic!("{more}"));
        let path = format!("accounts.hook.{path}");
        assert_eq!(
            (error.code(), error.path()),
            (ErrorCode::Config, Some(&*path)),
            "{more}: {error}"
        );
    }
    client(&json!({"url": "http://hooks.example.com", "allow_http": true}));
}

#[test]
fn what_the_body_has_no_place_for_is_refused() {
    use ErrorCode::{Message, Unsupported};
    let client = client(&json!({"body": {"json": {"t": "{{text}}", "c": "{{extra.card}}"}}}));
    for (more, code, path) in [
        (json!({}), Message, "text"),
        (json!({"text": "x", "extra": {"colour": 1}}), Message, "extra.colour"),
        (json!({"text": "x", "silent": true}), Unsupported, "silent"),
        (json!({"text": "x", "reply_to": "1"}), Unsupported, "reply_to"),
        (json!({"attachments": [{"url": "https://example.com/a"}]}), Unsupported, "attachments[0]"),
    ] {
        let error = send(&client, &more).error.expect("a refusal");
        assert_eq!((error.code(), error.path()), (code, Some(path)), "{more}");
    }
}
