//! Bad input: the error that says what to do and where, and nothing on the wire.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;

use accounts::{ACCOUNTS, account, client, config, message, message_with, take, verdict};
use hongyan::{Client, ErrorCode, Message, MessageBuilder, SendOptions, SubmitOptions};
use hongyan_sandbox::{Options, Sandbox};
use raw::{RawServer, answer};
use serde_json::{Value, json};

fn deep(n: usize) -> String {
    "[".repeat(n) + &"]".repeat(n)
}

/// A client whose requests would be counted.
fn counted() -> (RawServer, Client) {
    let server = RawServer::fixed(answer(200, "", ACCOUNTS[0].1));
    let client = client(&config(&server.url()));
    (server, client)
}

/// What is no message at all, and a word that the error has to say of it.
fn no_messages() -> Vec<(Vec<u8>, &'static str)> {
    let valid = message("ff-json").to_string();
    let within = |json: String| valid.replacen("\"hello\"", &json, 1).into_bytes();
    vec![
        (b"".to_vec(), "JSON"),
        (b"nonsense".to_vec(), "JSON"),
        (valid.as_bytes()[..valid.len() - 1].to_vec(), "JSON"),
        (format!("{valid}x").into_bytes(), "JSON"),
        (format!("{valid}\0").into_bytes(), "JSON"),
        (format!("\0{valid}").into_bytes(), "JSON"),
        (within("\"he\0llo\"".to_owned()), "JSON"),
        (within("\"\\ud800\"".to_owned()), "JSON"),
        (within("NaN".to_owned()), "JSON"),
        ([&valid.as_bytes()[..valid.len() - 1], b",\"x\":\"\xff\"}"].concat(), "UTF-8"),
        (valid.encode_utf16().flat_map(u16::to_le_bytes).collect(), "JSON"),
        (b"[]".to_vec(), "object"),
        // The values of a message without their names.
        (
            b"[1,\"ff-json\",{\"user\":\"lisztli\"},\"x\",null,null,null,null,null]".to_vec(),
            "object",
        ),
        (b"null".to_vec(), "object"),
        (b"\"text\"".to_vec(), "object"),
        ("[".repeat(100_000).into_bytes(), "64"),
        ("{\"a\":".repeat(100_000).into_bytes(), "64"),
        (within(deep(100_000)), "64"),
        (within(deep(64)), "64"),
        (within(format!("\"{}\"", "x".repeat(1 << 20))), "1048576"),
        (b"{}".to_vec(), "\"v\""),
        (valid.replacen("\"v\":1", "\"v\":2", 1).into_bytes(), "version 2"),
        (valid.replacen("\"v\":1", "\"v\":\"1\"", 1).into_bytes(), "version \"1\""),
        (valid.replacen("\"v\":1", "\"v\":1.5", 1).into_bytes(), "version 1.5"),
        (valid.replacen("\"v\":1", "\"v\":null", 1).into_bytes(), "v"),
    ]
}

#[test]
fn a_byte_order_mark_is_dropped_from_messages_and_configurations() {
    let server = RawServer::fixed(answer(200, "", ACCOUNTS[0].1));
    let marked = |json: &Value| format!("\u{feff}{json}");
    let client = Client::from_json(&marked(&config(&server.url()))).expect("a configuration");
    client.set_account("more", &marked(&account("ff-json", &server.url()))).expect("an account");
    for name in ["ff-json", "more"] {
        let mut message = message("ff-json");
        message["account"] = name.into();
        let receipt =
            client.send(marked(&message).as_bytes(), SendOptions::default()).expect("a receipt");
        assert_eq!(verdict(&receipt), ("sent", "ok"));
    }
    let twice = format!("\u{feff}{}", marked(&message("ff-json")));
    assert!(client.send(twice.as_bytes(), SendOptions::default()).is_err(), "one is enough");
}

#[test]
fn the_message_of_an_error_begins_with_its_place() {
    let (server, client) = counted();
    let wrong = json!({"v": 1, "accounts": {"a.b": {"service": "fanfou", "auth": {"type": "no"}}}});
    let error = Client::from_json(&wrong.to_string()).err().expect("a wrong type");
    assert!(error.message().starts_with("accounts.a.b.auth"), "{error}");
    assert!(!error.words().contains("accounts"), "{error}");
    let mut nobody = message("ff-json");
    nobody["account"] = "nobody".into();
    let receipt =
        client.send(nobody.to_string().as_bytes(), SendOptions::default()).expect("a receipt");
    let error = receipt.error.expect("there is no such account");
    assert_eq!(error.message(), "account: there is no account \"nobody\"");
    let hint = error.hint_text().expect("the known ones are told");
    assert!(ACCOUNTS.iter().all(|(name, _)| hint.contains(name)), "{hint}");
    assert!(error.to_json().contains("\"message\":\"account: there is no account"));
    assert_eq!(server.request_count(), 0);
}

#[test]
fn what_is_no_message_is_a_failed_call() {
    let (server, client) = counted();
    for (json, word) in no_messages() {
        let shown = String::from_utf8_lossy(&json[..json.len().min(80)]).into_owned();
        for refused in [
            client.send(&json, SendOptions::default()).err(),
            client.submit(&json, SubmitOptions::token(1)).err(),
        ] {
            let error = refused.unwrap_or_else(|| panic!("accepted: {shown}"));
            assert_eq!(error.code(), ErrorCode::Argument, "{shown}: {error}");
            assert!(error.message().contains(word), "{word} is not in {error}: {shown}");
            assert!(error.message().len() < 300, "{}", error.message().len());
            assert!(!error.is_retryable(), "{error}");
        }
    }
    assert_eq!(client.flush(None), 0);
    assert_eq!(server.connections(), 0);
}

/// What is wrong with a message: its account, what is changed, the error and its path.
fn wrong_messages() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let part = |part: Value| json!({"text": null, "parts": [{"type": "text", "text": "x"}, part]});
    let many = |n: usize| vec!["u"; n];
    vec![
        ("ff-json", json!({"colour": 1}), "message", "colour"),
        ("ff-json", json!({"account": "nobody"}), "message", "account"),
        ("ff-json", json!({"account": null}), "message", "account"),
        ("ff-json", json!({"account": 7}), "message", "account"),
        ("ff-json", json!({"to": {"planet": "x"}}), "message", "to.planet"),
        ("ff-json", json!({"to": {"user": 7}}), "message", "to.user"),
        ("ff-json", json!({"to": {"user": ""}}), "message", "to.user"),
        ("ff-json", json!({"to": {"user": null}}), "message", "to.user"),
        ("ff-json", json!({"to": "lisztli"}), "message", "to"),
        ("ff-json", json!({"to": {"group": "g"}}), "unsupported", "to.group"),
        ("ff-json", json!({"text": 7}), "message", "text"),
        ("ff-json", json!({"text": ""}), "message", "text"),
        ("ff-json", json!({"text": null}), "message", "text"),
        ("ff-json", json!({"text": "a\0b"}), "message", "text"),
        ("ff-json", json!({"text": "x".repeat(141)}), "too_large", "text"),
        ("ff-json", json!({"text": "鸿".repeat(141)}), "too_large", "text"),
        ("ff-json", json!({"to": {"user": "a\0b"}}), "message", "to.user"),
        ("ff-json", json!({"reply_to": "a\0b"}), "message", "reply_to"),
        ("ff-json", part(json!({"type": "text", "text": "y"})), "unsupported", "parts[0].type"),
        ("ff-json", json!({"parts": []}), "message", "parts"),
        ("ff-json", json!({"deadline_ms": -1}), "message", "deadline_ms"),
        ("ff-json", json!({"deadline_ms": "1"}), "message", "deadline_ms"),
        ("ff-json", json!({"not_before_ms": 1.5}), "message", "not_before_ms"),
        ("ff-json", json!({"ordered": "yes"}), "message", "ordered"),
        ("ff-json", json!({"key": ""}), "message", "key"),
        ("ff-json", json!({"extra": {"colour": 1}}), "message", "extra.colour"),
        ("ff-json", json!({"extra": {"text": "x"}}), "message", "extra.text"),
        ("ff-json", json!({"extra": {"mode": "heavy"}}), "message", "extra.mode"),
        ("ff-json", json!({"extra": {"callback": "a b"}}), "message", "extra.callback"),
        ("ff-xml", json!({"extra": {"callback": "a"}}), "message", "extra.callback"),
        (
            "ff-json",
            json!({"reply_to": "1", "extra": {"in_reply_to_id": "1"}}),
            "message",
            "extra.in_reply_to_id",
        ),
        ("im", json!({"to": {"phone": "x"}}), "unsupported", "to.phone"),
        ("im", json!({"reply_to": "1"}), "unsupported", "reply_to"),
        ("im", json!({"to": {"members": many(51)}}), "message", "to.members"),
        ("im", json!({"text": "x".repeat(12_288)}), "too_large", "text"),
        ("im", part(json!({"type": "dance"})), "message", "parts[1].type"),
        ("im", part(json!({"text": "x"})), "message", "parts[1].type"),
        ("im", part(json!(7)), "message", "parts[1]"),
        ("im", part(json!({"type": "text"})), "message", "parts[1].text"),
        ("im", part(json!({"type": "text", "text": "x", "y": 1})), "message", "parts[1].y"),
        ("im", part(json!({"type": "face", "index": "1"})), "message", "parts[1].index"),
        (
            "im",
            part(json!({"type": "location", "latitude": 91, "longitude": 0})),
            "message",
            "parts[1].latitude",
        ),
        ("im", part(json!({"type": "link", "url": "u"})), "unsupported", "parts[1].type"),
        ("im", json!({"extra": {"Random": -1}}), "message", "extra.Random"),
        ("im", json!({"extra": {"Random": "7"}}), "message", "extra.Random"),
        ("im", json!({"extra": {"Random": 4_294_967_296_u64}}), "message", "extra.Random"),
        ("im", json!({"extra": {"MsgPriority": "high"}}), "message", "extra.MsgPriority"),
        (
            "im",
            json!({"extra": {"OnlineOnlyFlag": 1, "SendMsgControl": ["NoUnread"]}}),
            "message",
            "extra.SendMsgControl",
        ),
    ]
}

#[test]
fn what_is_wrong_with_a_message_is_a_receipt_that_says_where() {
    let (server, client) = counted();
    for (account, change, name, path) in wrong_messages() {
        let json = message_with(account, change.clone()).to_string();
        let sent = client.send(json.as_bytes(), SendOptions::default()).expect("accepted");
        let op = client.submit(json.as_bytes(), SubmitOptions::token(7)).expect("accepted");
        let submitted = take(&client);
        assert_eq!((submitted.token, submitted.id.as_str()), (7, op.id()), "{change}");
        for receipt in [sent, submitted] {
            let error = receipt.error.as_ref().unwrap_or_else(|| panic!("sent: {change}"));
            assert_eq!(verdict(&receipt), ("not_sent", name), "{change}: {error}");
            assert_eq!(error.path(), Some(path), "{change}: {error}");
            assert_eq!((receipt.attempts, error.is_retryable()), (0, false), "{change}");
            assert!((10..300).contains(&error.message().len()), "{change}: {error}");
        }
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn what_is_just_within_the_limits_is_sent() {
    let (server, client) = counted();
    for text in ["x".repeat(140), "鸿".repeat(140), "a\r\nb\t\u{1}".to_owned()] {
        let json = message_with("ff-json", json!({"text": text})).to_string();
        let receipt = client.send(json.as_bytes(), SendOptions::default()).expect("accepted");
        assert_eq!(verdict(&receipt), ("sent", "ok"), "{:?}", receipt.error);
    }
    assert_eq!(server.request_count(), 3);
}

/// What is wrong with an account: what is changed, and the path below the account.
fn wrong_accounts() -> Vec<(Value, &'static str)> {
    let mut wrong = vec![
        (json!({"service": "telegraph"}), "service"),
        (json!({"service": null}), "service"),
        (json!({"service": 7}), "service"),
        (json!({"colour": 1}), "colour"),
        (json!({"format": "yaml"}), "format"),
        (json!({"auth": null}), "auth"),
        (json!({"auth": "p4ssword"}), "auth"),
        (json!({"auth": {"type": "usersig"}}), "auth.type"),
        (json!({"auth": {"type": null}}), "auth.type"),
        (json!({"auth": {"pasword": "x"}}), "auth.pasword"),
        (json!({"auth": {"password": null}}), "auth.password"),
        (json!({"auth": {"password": 7}}), "auth.password"),
        (json!({"auth": {"password": ""}}), "auth.password"),
        (json!({"auth": {"username": "a:b"}}), "auth.username"),
        (json!({"auth": {"password": "${env:HONGYAN_IS_NOT_SET}"}}), "auth.password"),
        (json!({"auth": {"password": "${file:/nowhere/secret}"}}), "auth.password"),
        (json!({"auth": {"password": "${vault:x}"}}), "auth.password"),
        (json!({"auth": {"password": "${env:X"}}), "auth.password"),
        (json!({"max_in_flight": 0}), "max_in_flight"),
        (json!({"rate": {"count": 0, "per_ms": 1}}), "rate.count"),
        (json!({"rate": {"count": 1}}), "rate.per_ms"),
    ];
    for base_url in [
        "",
        "nonsense",
        "/path",
        "//host",
        "ftp://host",
        "file:///etc/passwd",
        "http://",
        "https://",
        "http://host:99999",
        "http://ho st",
        "http://host/?q=1",
        "http://host/#x",
        "http://user:p4ssword@host",
        "javascript:alert(1)",
        "http://[::1",
        "http://a\0b",
    ] {
        wrong.push((json!({"base_url": base_url}), "base_url"));
    }
    wrong.push((json!({"base_url": 7}), "base_url"));
    for credential in ["a\r\nX-Evil: 1", "a\rb", "a\nb", "a\0b", "\u{7f}", "a\u{85}b"] {
        wrong.push((json!({"auth": {"password": credential}}), "auth.password"));
        wrong.push((json!({"auth": {"username": credential}}), "auth.username"));
    }
    wrong
}

#[test]
fn a_wrong_account_is_told_with_its_path() {
    let (server, client) = counted();
    for (change, path) in wrong_accounts() {
        let mut object = json!({"accounts": {"ff-json": account("ff-json", &server.url())}});
        let changed = json!({"accounts": {"ff-json": change}});
        object = accounts::merged(object, changed);
        object["v"] = json!(1);
        let refused = [
            Client::from_json(&object.to_string()).err(),
            client.set_account("ff-json", &object["accounts"]["ff-json"].to_string()).err(),
        ];
        for error in refused {
            let error = error.unwrap_or_else(|| panic!("accepted: {change}"));
            assert_eq!(error.code(), ErrorCode::Config, "{change}: {error}");
            assert_eq!(error.path(), Some(format!("accounts.ff-json.{path}").as_str()), "{change}");
            // The longest lists every service.
            assert!((10..800).contains(&error.message().len()), "{change}: {error}");
            assert!(!error.to_string().contains("p4ssword"), "{change}: {error}");
        }
    }
    let oauth = ["consumer_key", "consumer_secret", "token", "token_secret"];
    for (name, fields) in [("ff-oauth", &oauth[..]), ("im", &["identifier", "secret_key"])] {
        for field in fields {
            let mut object = account(name, &server.url());
            object["auth"][field] = json!("a\r\nb");
            let error = client.set_account("x", &object.to_string()).expect_err("refused");
            assert_eq!(error.code(), ErrorCode::Config, "{name} {field}");
            assert_eq!(error.path(), Some(format!("accounts.x.auth.{field}").as_str()));
        }
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_wrong_configuration_is_told_with_its_path() {
    let with = |name: &str, value: Value| {
        let mut config = json!({"v": 1, "accounts": {}});
        config[name] = value;
        config.to_string()
    };
    for (json, path) in [
        (String::new(), None),
        ("nonsense".to_owned(), None),
        ("{\"v\":1,\"accounts\":{}".to_owned(), None),
        ("{\"v\":1,\"accounts\":{\"a\0\":{}}}".to_owned(), None),
        ("[]".to_owned(), None),
        ("[".repeat(100_000), None),
        (with("x", serde_json::from_str(&deep(64)).expect("JSON")), None),
        ("{\"accounts\":{}}".to_owned(), Some("v")),
        (with("v", json!(2)), Some("v")),
        (with("v", json!("1")), Some("v")),
        ("{\"v\":1}".to_owned(), Some("accounts")),
        (with("accounts", json!([])), Some("accounts")),
        (with("accounts", json!({"": {}})), Some("accounts")),
        (with("accounts", json!({"a": 7})), Some("accounts.a")),
        (with("colour", json!(1)), Some("colour")),
        (with("timeout_ms", json!("10")), Some("timeout_ms")),
        (with("timeout_ms", json!(-1)), Some("timeout_ms")),
        (with("timeout_ms", json!(1.5)), Some("timeout_ms")),
        (with("timeout_ms", json!(1e300)), Some("timeout_ms")),
        (with("max_in_flight", json!(0)), Some("max_in_flight")),
        (with("retry", json!([])), Some("retry")),
        (with("retry", json!({"max_attempts": 0})), Some("retry.max_attempts")),
        (with("retry", json!({"initial_ms": 9, "max_ms": 8})), Some("retry.max_ms")),
        (with("retry", json!({"on_maybe_sent": "hope"})), Some("retry.on_maybe_sent")),
        (with("retry", json!({"colour": 1})), Some("retry.colour")),
        (with("proxy", json!("nowhere")), Some("proxy")),
        (with("user_agent", json!("a\r\nX-Evil: 1")), Some("user_agent")),
        (with("ca_file", json!("/nowhere/ca.pem")), Some("ca_file")),
        (with("ca_file", json!("a\0b")), Some("ca_file")),
        (with("trace", json!("yes")), Some("trace")),
    ] {
        let shown: String = json.chars().take(80).collect();
        let error = Client::from_json(&json).err().unwrap_or_else(|| panic!("accepted: {shown}"));
        assert_eq!((error.code(), error.path()), (ErrorCode::Config, path), "{shown}: {error}");
        assert!((10..400).contains(&error.message().len()), "{shown}: {error}");
    }
}

#[test]
fn a_tencent_account_never_goes_over_plain_http_to_another_machine() {
    let error = Client::from_json(
        &json!({"v": 1, "accounts": {
        "im": account("im", "http://192.0.2.1")}})
        .to_string(),
    );
    let error = error.err().expect("refused");
    assert_eq!((error.code(), error.path()), (ErrorCode::Config, Some("accounts.im.base_url")));
    assert!(error.message().contains("https"), "{error}");
}

#[test]
fn a_message_in_the_making_refuses_at_once_what_it_can() {
    let mut builder = MessageBuilder::new("ff-json");
    builder.to("user", "lisztli").expect("a kind");
    let twice = builder.to("user", "test").expect_err("there can be only one");
    assert_eq!((twice.code(), twice.path()), (ErrorCode::Message, Some("to.user")));
    let unknown = builder.to("planet", "x").expect_err("unknown");
    assert_eq!((unknown.code(), unknown.path()), (ErrorCode::Message, Some("to.planet")));
    for json in [&b""[..], b"nonsense", b"\xff", b"{}x", "[".repeat(100_000).as_bytes()] {
        assert_eq!(
            builder.field_json("extra", json).expect_err("no JSON").code(),
            ErrorCode::Argument
        );
        assert_eq!(builder.part_json(json).expect_err("no JSON").code(), ErrorCode::Argument);
    }
    assert_eq!(builder.field_json("colour", b"1").expect_err("unknown").path(), Some("colour"));
    builder.text("hello");
    // What was refused left no trace.
    Message::from_json(&builder.to_json()).expect("still valid");
}

#[test]
fn what_no_url_can_carry_is_too_large_and_says_the_way_out() {
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    let mut config = sandbox.config();
    config["accounts"]["form"] = config["accounts"]["renren-bearer"].clone();
    config["accounts"]["form"]["params"] = json!("form");
    let client = client(&config);
    let send = |account: &str, more: Value| {
        let right = json!({"v": 1, "account": account, "to": {"users": ["1"]},
            "extra": {"messageType": "1", "resourceTitle": "t"}});
        let json = accounts::merged(right, more).to_string();
        client.send(json.as_bytes(), SendOptions::default()).expect("accepted")
    };
    let long = "长".repeat(7300);
    let ids = vec!["12345678901"; 6000];
    let part = json!([{"type": "link", "url": "http://a", "description": long}]);
    for (change, path) in [
        (json!({"text": long}), "text"),
        (json!({"text": "x".repeat(65_535)}), "text"),
        (json!({"to": {"users": ids}}), "to.users"),
        (json!({"parts": part, "extra": {"resourceTitle": "t"}}), "parts"),
        (json!({"extra": {"gameExtInfo": long}}), "extra.gameExtInfo"),
    ] {
        for account in ["renren-bearer", "renren-mac"] {
            let receipt = send(account, change.clone());
            let error = receipt.error.as_ref().expect("refused");
            assert_eq!(verdict(&receipt), ("not_sent", "too_large"), "{path}: {error}");
            assert_eq!((receipt.attempts, error.path()), (0, Some(path)), "{error}");
            assert!(error.to_json().contains(r#"\"params\": \"form\""#), "{}", error.to_json());
            assert!(error.message().contains("65534"), "{error}");
        }
        let receipt = send("form", change);
        assert_eq!(verdict(&receipt), ("sent", "ok"), "{path}: {:?}", receipt.error);
    }
    // To the last byte: the rest of the URL is the same for each length.
    let fits = |length: usize| send("renren-bearer", json!({"text": "x".repeat(length)}));
    let longest = (65_000..65_534).rev().find(|n| fits(*n).attempts > 0).expect("some fit");
    assert_eq!(verdict(&fits(longest)), ("sent", "ok"), "{longest}");
    assert_eq!(verdict(&fits(longest + 1)), ("not_sent", "too_large"));
}

#[test]
fn a_configuration_that_no_header_or_url_can_carry_is_refused_with_its_path() {
    let (server, client) = counted();
    let long = "x".repeat(8193);
    for (name, field) in [
        ("ff-json", "username"),
        ("ff-json", "password"),
        ("ff-oauth", "token"),
        ("ff-oauth", "consumer_key"),
        ("im", "identifier"),
        ("im", "secret_key"),
    ] {
        let mut object = account(name, &server.url());
        object["auth"][field] = json!(long);
        let error = client.set_account("x", &object.to_string()).expect_err("refused");
        assert_eq!(
            (error.code(), error.path()),
            (ErrorCode::Config, Some(format!("accounts.x.auth.{field}").as_str()))
        );
        assert!(error.message().len() < 200, "{error}");
    }
    for field in ["base_url", "signing_url"] {
        let mut object = account("ff-oauth", &server.url());
        object[field] = json!(format!("{}/{long}", server.url()));
        let error = client.set_account("x", &object.to_string()).expect_err("refused");
        assert_eq!(error.path(), Some(format!("accounts.x.{field}").as_str()));
        assert!(error.message().len() < 200, "{error}");
    }
    let config = json!({"v": 1, "accounts": {}, "user_agent": long});
    let error = Client::from_json(&config.to_string()).err().expect("refused");
    assert_eq!((error.code(), error.path()), (ErrorCode::Config, Some("user_agent")));
}
