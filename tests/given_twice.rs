//! A name that stands twice in JSON: refused with its path, at any depth and in any spelling.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;

use accounts::{ACCOUNTS, account, client, config, verdict};
use hongyan::{Client, ErrorCode, MessageBuilder, SendOptions};
use raw::{RawServer, answer};
use serde_json::{Value, json};

/// A client whose requests would be counted.
fn counted() -> (RawServer, Client) {
    let server = RawServer::fixed(answer(200, "", ACCOUNTS[0].1));
    let client = client(&config(&server.url()));
    (server, client)
}

/// Each object in some JSON: how a first member of it could be given twice, and the path of that.
fn given_twice(json: &Value, path: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let at = |step: &str| match path.is_empty() {
        true => step.to_owned(),
        false => format!("{path}.{step}"),
    };
    match json {
        Value::Object(map) => {
            let all: Vec<_> = map.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
            for (name, value) in map {
                let escaped = format!("\"\\u{:04x}{}\"", u32::from(name.as_bytes()[0]), &name[1..]);
                for again in [format!("{name:?}"), escaped] {
                    for other in [value.to_string(), "null".to_owned(), "{}".to_owned()] {
                        let mut members = all.clone();
                        members.push(format!("{again} : {other}"));
                        found.push((format!("{{{}}}", members.join(",")), at(name)));
                    }
                }
                for (inner, place) in given_twice(value, &at(name)) {
                    let with = |(own, value): (&String, &Value)| match own == name {
                        true => format!("{own:?}:{inner}"),
                        false => format!("{own:?}:{value}"),
                    };
                    let members: Vec<_> = map.iter().map(with).collect();
                    found.push((format!("{{{}}}", members.join(",")), place));
                }
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                for (inner, place) in given_twice(item, &format!("{path}[{i}]")) {
                    let mut all: Vec<_> = items.iter().map(Value::to_string).collect();
                    all[i] = inner;
                    found.push((format!("[{}]", all.join(",")), place));
                }
            }
        }
        _ => {}
    }
    found
}

#[test]
fn a_name_given_twice_in_a_configuration_is_refused_with_its_path() {
    let (server, client) = counted();
    let whole = json!({"v": 1, "timeout_ms": 5000, "retry": {"max_attempts": 2, "initial_ms": 1},
        "outbox": {"path": "nowhere.db"},
        "accounts": {"a": {"service": "fanfou", "rate": {"count": 1, "per_ms": 1},
            "auth": {"type": "basic", "username": "u", "password": "p4ssword"}}, "b": {}}});
    let cases = given_twice(&whole, "");
    assert!(cases.len() > 100, "{}", cases.len());
    for (json, path) in cases {
        let error = Client::from_json(&json).err().unwrap_or_else(|| panic!("accepted: {json}"));
        assert_eq!(
            (error.code(), error.path()),
            (ErrorCode::Config, Some(path.as_str())),
            "{json}"
        );
        assert!(error.message().contains("twice"), "{error}");
        assert!(!error.to_string().contains("p4ssword"), "{error}");
        #[cfg(feature = "outbox")]
        {
            let error = hongyan::OutboxFile::of_config(&json).expect_err("refused there too");
            assert_eq!((error.code(), error.path()), (ErrorCode::Config, Some(path.as_str())));
        }
    }
    let account = account("ff-json", &server.url());
    for (json, path) in given_twice(&account, "accounts.x") {
        let error = client.set_account("x", &json).expect_err("refused");
        assert_eq!(
            (error.code(), error.path()),
            (ErrorCode::Config, Some(path.as_str())),
            "{json}"
        );
    }
}

#[test]
fn a_name_given_twice_in_a_message_is_refused_with_its_path() {
    let (server, client) = counted();
    let whole = json!({"v": 1, "account": "im", "to": {"group": "@TGS#2C5SZEAEF", "members": ["a"]},
        "parts": [{"type": "text", "text": "x"}, {"type": "raw", "value": {"MsgType": "New",
            "MsgContent": {"list": [{"a": {"b": 1}}]}}}, {"type": "mention", "user": "u"}],
        "key": "k", "ordered": true,
        "extra": {"Random": 7, "OfflinePushInfo": {"Ext": "e", "ApnsInfo": {"Sound": "s"}},
            "SendMsgControl": ["NoUnread"]}});
    client.send(whole.to_string().as_bytes(), SendOptions::default()).expect("accepted");
    let requests = server.request_count();
    assert!(requests > 0, "as it stands it is sent");
    let cases = given_twice(&whole, "");
    assert!(cases.len() > 100, "{}", cases.len());
    for (json, path) in cases {
        let receipt = match client.send(json.as_bytes(), SendOptions::default()) {
            Ok(receipt) => receipt,
            Err(error) => panic!("{json}: {error}"),
        };
        let error = receipt.error.as_ref().unwrap_or_else(|| panic!("sent: {json}"));
        assert_eq!(verdict(&receipt), ("not_sent", "message"), "{json}: {error}");
        assert_eq!(error.path(), Some(path.as_str()), "{json}: {error}");
        assert!(error.message().contains("twice"), "{error}");
    }
    for (field, place) in [("extra", "extra"), ("to", "to"), ("parts", "parts")] {
        for (json, path) in given_twice(&whole[field], place) {
            let refused = MessageBuilder::new("im").field_json(field, json.as_bytes()).err();
            let error = refused.unwrap_or_else(|| panic!("taken: {json}"));
            assert_eq!((error.code(), error.path()), (ErrorCode::Message, Some(path.as_str())));
        }
    }
    for (json, path) in given_twice(&whole["parts"][1], "parts[0]") {
        let error = MessageBuilder::new("im").part_json(json.as_bytes()).err();
        let error = error.unwrap_or_else(|| panic!("taken: {json}"));
        assert_eq!((error.code(), error.path()), (ErrorCode::Message, Some(path.as_str())));
    }
    assert_eq!(server.request_count(), requests);
}
