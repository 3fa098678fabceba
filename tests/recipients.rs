//! Recipients that name nobody: refused with their path, whatever the door, and nothing on the wire.
//!
//! A service may read an empty list as "everybody", and a number that a spreadsheet has rounded as
//! somebody else.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;

use accounts::{account, client, merged, take, verdict};
use hongyan::{Client, ErrorCode, MessageBuilder, SendOptions, SubmitOptions};
use raw::{RawServer, answer};
use serde_json::{Value, json};

/// An account of every service.
fn config(url: &str) -> Value {
    let basic = json!({"type": "basic", "username": "test", "password": "p4ssword"});
    let at = |name: &str| format!("{url}/{name}");
    let params = |params: &str| {
        json!({"service": "renren", "base_url": at("rr"), "params": params,
        "auth": {"type": "bearer", "token": "renren-token"}})
    };
    json!({"v": 1, "retry": {"max_attempts": 1}, "accounts": {
        "ff": account("ff-json", url),
        "im": account("im", url),
        "sina": {"service": "sina", "base_url": at("sina"), "auth": basic, "app_key": "k"},
        "weibo": {"service": "weibo", "base_url": at("weibo"),
            "auth": {"type": "oauth2", "token": "weibo-token"}},
        "rr": params("query"),
        "rr-form": params("form"),
    }})
}

fn counted() -> (RawServer, Client) {
    let server = RawServer::fixed(answer(200, "", r#"{"response": 1}"#));
    let client = client(&config(&server.url()));
    (server, client)
}

/// A right message of an account, with other fields.
fn message_with(account: &str, more: Value) -> Value {
    let right = match account {
        "im" => json!({"to": {"group": "@TGS#2C5SZEAEF"}}),
        "rr" | "rr-form" => json!({"to": {"users": ["222209506"]},
            "extra": {"messageType": "1", "resourceTitle": "t"}}),
        "weibo" => json!({"to": {"user": "2125034703"}}),
        "sina" => json!({"to": {"user": "11051"}}),
        _ => json!({"to": {"user": "lisztli"}}),
    };
    let message = json!({"v": 1, "account": account, "text": "hello"});
    merged(merged(message, right), more)
}

const BLANKS: [&str; 12] = [
    "",
    " ",
    "\t",
    "\n",
    "\r\n ",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "\u{feff}",
    "\u{2003}\u{2060}",
    "\u{ad}",
    "\0",
];

/// Messages, and the path of what is wrong with each.
fn wrong() -> Vec<(&'static str, Value, String)> {
    let mut wrong = Vec::new();
    let mut add = |account, change: Value, path: &str| {
        wrong.push((account, change, path.to_owned()));
    };
    // Whether the service knows the kind or not.
    for account in ["ff", "im", "sina", "weibo", "rr", "rr-form"] {
        for kind in ["user", "name", "group", "topic"] {
            for blank in BLANKS {
                add(account, json!({"to": {kind: blank}}), &format!("to.{kind}"));
            }
        }
        for kind in ["users", "groups", "discussions", "members"] {
            add(account, json!({"to": {kind: []}}), &format!("to.{kind}"));
            for blank in BLANKS {
                add(account, json!({"to": {kind: [blank]}}), &format!("to.{kind}[0]"));
                add(account, json!({"to": {kind: ["1", blank]}}), &format!("to.{kind}[1]"));
            }
            add(account, json!({"to": {kind: [null]}}), &format!("to.{kind}[0]"));
        }
    }
    // Parameters that name recipients.
    add("im", json!({"extra": {"To_Account": []}}), "extra.To_Account");
    for blank in BLANKS {
        add("im", json!({"extra": {"To_Account": ["a", blank]}}), "extra.To_Account[1]");
        add("im", json!({"extra": {"TopicId": blank}}), "extra.TopicId");
        let at = json!([{"GroupAtAllFlag": 0, "GroupAt_Account": blank}]);
        add("im", json!({"extra": {"GroupAtInfo": at}}), "extra.GroupAtInfo[0].GroupAt_Account");
        let mention = json!([{"type": "mention", "user": blank}]);
        add("im", json!({"text": null, "parts": mention}), "parts[0].user");
        for account in ["rr", "rr-form"] {
            for name in ["userIds", "groupIds", "discussIds"] {
                for ids in [blank.to_owned(), format!("1,{blank},2"), format!("1,{blank}")] {
                    let change = json!({"to": null, "extra": {name: ids}});
                    add(account, change, &format!("extra.{name}"));
                }
            }
        }
    }
    // What is no number of a user: a nickname may be one.
    for account in ["weibo", "sina"] {
        for id in [
            "2.125E+09",
            "2.125034703E9",
            "2125034703.0",
            "2125034703.",
            "2,125,034,703",
            " 2125034703",
            "2125034703 ",
            "2125 034703",
            "2125034703\n",
            "+2125034703",
            "-1",
            "0",
            "007",
            "0x10",
            "２１２５０３４７０３",
            "٢١٢",
            "2125034703\u{200b}",
            "zhaoya0029",
            "1_000",
            "1e3",
            "NaN",
            "9223372036854775808",
            "99999999999999999999999",
        ] {
            add(account, json!({"to": {"user": id}}), "to.user");
        }
    }
    wrong
}

#[test]
fn who_is_nobody_is_refused_with_the_path() {
    let (server, client) = counted();
    for (account, change, path) in wrong() {
        let json = message_with(account, change.clone()).to_string();
        let sent = client.send(json.as_bytes(), SendOptions::default()).expect("accepted");
        client.submit(json.as_bytes(), SubmitOptions::token(7)).expect("accepted");
        for receipt in [sent, take(&client)] {
            let error =
                receipt.error.as_ref().unwrap_or_else(|| panic!("{account} sent: {change}"));
            assert_eq!(verdict(&receipt), ("not_sent", "message"), "{account} {change}: {error}");
            assert_eq!(error.path(), Some(path.as_str()), "{account} {change}: {error}");
        }
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_message_in_the_making_takes_no_blank_recipient() {
    for kind in ["user", "name", "group", "topic", "users", "groups", "discussions", "members"] {
        for blank in BLANKS {
            let mut builder = MessageBuilder::new("im");
            let error = builder.to(kind, blank).expect_err("nobody");
            let path = format!("to.{kind}");
            assert_eq!((error.code(), error.path()), (ErrorCode::Message, Some(path.as_str())));
            assert!(!builder.to_json().contains(kind), "it left no trace");
        }
    }
}

#[test]
fn null_and_absent_are_alike_and_what_names_somebody_goes_out() {
    let (server, client) = counted();
    let right = [
        ("rr-form", json!({"to": null})),
        ("rr-form", json!({"to": {}})),
        (
            "rr-form",
            json!({"to": {"users": null, "groups": null, "discussions": null, "user": null}}),
        ),
        ("rr-form", json!({"to": {"groups": ["a b", "天"]}})),
        ("rr-form", json!({"to": null, "extra": {"userIds": "1,2", "groupIds": null}})),
        ("im", json!({"to": {"members": null, "topic": null}})),
        ("im", json!({"extra": {"To_Account": null, "TopicId": null}})),
        ("im", json!({"to": {"members": ["0", "a b"]}})),
        ("ff", json!({"to": {"user": "~a", "name": null}})),
        ("weibo", json!({"to": {"user": "1"}})),
        ("weibo", json!({"to": {"user": "9223372036854775807"}})),
        ("weibo", json!({"to": {"user": null, "name": "2.125E+09"}})),
        ("sina", json!({"to": {"user": null, "name": " 007"}})),
    ];
    for (account, change) in &right {
        let json = message_with(account, change.clone()).to_string();
        let receipt = client.send(json.as_bytes(), SendOptions::default()).expect("accepted");
        assert_eq!(receipt.attempts, 1, "{account} {change}: {:?}", receipt.error);
    }
    assert_eq!(server.request_count(), right.len());
}
