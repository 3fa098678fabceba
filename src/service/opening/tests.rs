//! Accounts are read as their services declare them.

use serde_json::{Map, Value, json};

use super::*;
use crate::service::api::Opened;
use crate::service::{SERVICES, open};

/// A value that a field may have, and one that it may not.
fn values(kind: FieldKind) -> (Value, Value) {
    match kind {
        FieldKind::Number(least, most) => (json!(least), json!(i128::from(most) + 1)),
        FieldKind::Choice(words) | FieldKind::Either(words) => (json!(words[0]), json!("no")),
        FieldKind::Base => (json!("http://127.0.0.1:1"), json!("ftp://127.0.0.1")),
        FieldKind::Text => (json!("a text"), json!(7)),
        FieldKind::Webhook(forms) => (json!(forms[0].example()), json!("https://example.com")),
        FieldKind::Url => (json!("https://example.com/x?k=abc"), json!("ftp://example.com")),
        FieldKind::NumberOrText => (json!(1_000_002), json!(1.5)),
        FieldKind::Boolean => (json!(true), json!("yes")),
        FieldKind::List => (json!([1]), json!({})),
        FieldKind::Object => (json!({"colour": "red"}), json!([])),
        FieldKind::Credential | FieldKind::Secret => (json!("abc"), json!("a\nb")),
        FieldKind::Token => (json!("abc"), json!("a b")),
        FieldKind::TokenLike(_, example) => (json!(example), json!("abc")),
        FieldKind::TextLike(_, example) => (json!(example), json!("a b")),
        FieldKind::ObjectLike(example) => (serde_json::from_str(example).expect("JSON"), json!([])),
    }
}

fn object(fields: &[Field]) -> Map<String, Value> {
    let pairs = fields.iter().map(|field| (field.name.to_owned(), values(field.kind).0));
    pairs.collect()
}

fn opened(config: &Value) -> Result<Opened> {
    let config = AccountConfig::from_value(config.clone(), "accounts.a")?;
    open(config).map(|(_, opened)| opened)
}

#[test]
fn every_field_is_read_as_it_is_declared() {
    for service in SERVICES {
        let info = service.info;
        for auth in info.auth {
            let mut config = Value::from(object(info.fields));
            config["service"] = info.name.into();
            if !info.schemes.contains(&"http") {
                config["base_url"] = format!("{}://127.0.0.1:1", info.schemes[0]).into();
            }
            config["auth"] = object(auth.fields).into();
            config["auth"]["type"] = auth.name.into();
            opened(&config).unwrap_or_else(|e| panic!("{config}: {e}"));
            let own = info.fields.iter().map(|field| (field, "")).map(|(field, at)| (at, field));
            for (at, field) in own.chain(auth.fields.iter().map(|field| ("/auth", field))) {
                let fault = |value: Value| {
                    let mut config = config.clone();
                    let object = config.pointer_mut(at).expect("it is there");
                    object[field.name] = value;
                    let error = opened(&config).err()?;
                    assert_eq!(error.code(), ErrorCode::Config, "{config}");
                    Some(error.path().unwrap_or_default().to_owned())
                };
                let path = format!("accounts.a{}.{}", at.replace('/', "."), field.name);
                assert_eq!(fault(values(field.kind).1), Some(path.clone()), "{}", info.name);
                let missing = fault(Value::Null);
                assert!(!field.required || missing == Some(path), "{missing:?}: {}", info.name);
                let names = auth.fields.iter().chain(info.fields);
                assert_eq!(names.filter(|other| other.name == field.name).count(), 1);
            }
            config["auth"]["colour"] = 1.into();
            assert!(opened(&config).is_err_and(|e| e.path() == Some("accounts.a.auth.colour")));
        }
    }
}

fn room(more: Value) -> Result<Opened> {
    let mut config = json!({"service": "chatroom"});
    config.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    opened(&config)
}

/// Path, words and hint of what is wrong with an account.
fn fault(opened: Result<Opened>) -> (String, String, String) {
    let error = opened.err().expect("it is wrong");
    assert_eq!(error.code(), ErrorCode::Config);
    let hint = error.hint_text().unwrap_or_default().to_owned();
    (error.path().unwrap_or_default().to_owned(), error.words().to_owned(), hint)
}

#[test]
fn a_pasted_url_goes_where_base_url_says_and_keeps_its_documented_path() {
    let ding = "https://oapi.dingtalk.com/robot/send?access_token=robot-token&x=unknown-value";
    for (service, url, base, goes) in [
        ("dingtalk_bot", ding, None, ding),
        (
            "dingtalk_bot",
            ding,
            Some("http://127.0.0.1:8025/dingtalk/"),
            "http://127.0.0.1:8025/dingtalk/robot/send?access_token=robot-token&x=unknown-value",
        ),
        (
            "chatroom",
            "https://chat.example/team/rooms/room-secret",
            Some("https://other.example/sub"),
            "https://other.example/sub/rooms/room-secret",
        ),
        (
            "chatroom",
            "https://chat.example:444/team/rooms/room-secret",
            None,
            "https://chat.example:444/team/rooms/room-secret",
        ),
        (
            "chatroom",
            "http://127.0.0.1:1/rooms/room-secret",
            None,
            "http://127.0.0.1:1/rooms/room-secret",
        ),
        (
            "chatroom",
            "http://chat.example/rooms/room-secret",
            Some("https://chat.example"),
            "https://chat.example/rooms/room-secret",
        ),
    ] {
        let mut config = json!({"service": service, "auth": {"type": "webhook", "url": url}});
        config["base_url"] = base.into();
        let opened = opened(&config).unwrap_or_else(|e| panic!("{config}: {e}"));
        assert!(opened.hides_url, "{config}");
        let message = r#"{"v": 1, "account": "a", "text": "hi"}"#;
        let message = crate::model::message::Message::from_json(message).expect("a message");
        let draft = opened.account.encode(&message, crate::service::api::Seed(1));
        let stamp = crate::service::api::Stamp { unix: 0, nonce: 0, renew: false };
        let exchange = opened.account.next(&draft.expect("a text"), &stamp, None);
        let crate::service::api::Wire::Http(request) = exchange.wire else { panic!("mail") };
        assert_eq!(request.url.as_str(), goes);
        assert!(pasted::shown(&request.url).ends_with("/…"));
        for part in ["room-secret", "robot-token", "unknown-value"] {
            assert!(
                !opened.redactor.text(&format!("said {part}")).contains(part)
                    || !goes.contains(part)
            );
        }
        let echo = format!("no such robot: {url}");
        let shown = opened.redactor.text(&echo);
        assert!(shown.contains("https://") || url.starts_with("http:"), "{shown}");
        assert!(!shown.contains("send?") && !shown.contains("rooms/"), "{shown}");
    }
}

#[test]
fn a_url_of_another_service_is_told_by_its_name_and_not_repeated() {
    let ding = "https://oapi.dingtalk.com/robot/send?access_token=robot-token";
    let wrong = |service: &str, url: &str| {
        let config = json!({"service": service, "auth": {"type": "webhook", "url": url}});
        let fault = fault(opened(&config));
        assert!(!format!("{fault:?}").contains("robot-token"), "{fault:?}");
        fault
    };
    let (path, words, hint) = wrong("chatroom", ding);
    assert_eq!(path, "accounts.a.auth.url");
    assert_eq!(words, "the URL must have the form https://HOST/rooms/…");
    assert_eq!(hint, "it is a URL of dingtalk_bot: set \"service\" to \"dingtalk_bot\"");
    let (_, words, hint) = wrong("dingtalk_bot", "https://chat.example/rooms/robot-token");
    assert!(words.contains("https://oapi.dingtalk.com/robot/send?access_token=…"), "{words}");
    assert_eq!(hint, "it is a URL of chatroom: set \"service\" to \"chatroom\"");
    let (_, _, hint) = wrong("dingtalk_bot", "https://chat.example/robot-token");
    assert_eq!(hint, "", "nobody's");
    let (_, words, _) = wrong("chatroom", "https://u:robot-token@chat.example/rooms/x");
    assert!(words.contains("credentials"), "{words}");
}

#[test]
fn http_beyond_this_machine_needs_a_service_of_ones_own_and_a_word() {
    let hook = json!({"type": "webhook", "url": "http://chat.example/rooms/x"});
    let token = json!({"type": "bearer", "token": "t"});
    let (path, words, hint) = fault(room(json!({"auth": hook})));
    assert_eq!(path, "accounts.a.auth.url");
    assert!(words.contains("http") && hint.contains("allow_http"), "{words} {hint}");
    room(json!({"auth": hook, "allow_http": true})).expect("it is allowed");
    let base = "http://chat.example";
    let (path, _, hint) = fault(room(json!({"auth": token, "base_url": base})));
    assert_eq!(path, "accounts.a.base_url");
    assert!(hint.contains("allow_http"), "{hint}");
    room(json!({"auth": token, "base_url": base, "allow_http": true})).expect("it is allowed");
    room(json!({"auth": token, "base_url": "http://[::1]:1"})).expect("this machine");
    assert_eq!(
        fault(room(json!({"auth": token, "base_url": "smtp://h"}))).0,
        "accounts.a.base_url"
    );
    let weibo = json!({"service": "weibo", "auth": {"type": "oauth2", "token": "t"},
        "allow_http": true});
    let (path, words, _) = fault(opened(&weibo));
    assert_eq!(path, "accounts.a.allow_http");
    assert!(words.contains("weibo never send over http"), "{words}");
}

#[test]
fn an_account_s_own_recipient_is_checked_when_it_is_opened() {
    let token = json!({"type": "bearer", "token": "t"});
    let to = |to: Value| room(json!({"auth": token, "to": to}));
    let opened = to(json!({"channel": "c", "topic": "t"})).expect("a recipient");
    assert_eq!(opened.to.one(Kind::Channel), Some("c"));
    for (wrong, path) in [
        (json!({"group": "g"}), "accounts.a.to.group"),
        (json!({"planet": "g"}), "accounts.a.to.planet"),
        (json!({"channel": " "}), "accounts.a.to.channel"),
        (json!({"channel": 1}), "accounts.a.to.channel"),
        (json!("c"), "accounts.a.to"),
    ] {
        assert_eq!(fault(to(wrong)).0, path);
    }
    let hook = json!({"type": "webhook", "url": "https://chat.example/rooms/x"});
    let (path, words, _) = fault(room(json!({"auth": hook, "to": {"channel": "c"}})));
    assert_eq!(path, "accounts.a.to.channel");
    assert!(words.contains("takes no recipient"), "{words}");
}

#[test]
fn fields_of_every_kind_reach_their_service() {
    let more = json!({"auth": {"type": "bearer", "token": "t"}, "app_id": 1_000_002, "pings": true,
        "labels": ["x", 1], "style": {"colour": "red"}});
    let message = r#"{"v": 1, "account": "a", "text": "hi"}"#;
    let message = crate::model::message::Message::from_json(message).expect("a message");
    let account = room(more.clone()).expect("an account").account;
    let draft = account.encode(&message, crate::service::api::Seed(1)).expect("a text");
    let body: Value = serde_json::from_slice(&draft.body).expect("JSON");
    assert_eq!(body["app_id"], "1000002");
    assert_eq!((&body["pings"], &body["labels"]), (&json!(true), &json!(["x", 1])));
    assert_eq!(body["colour"], "red");
    for (name, wrong, path) in [
        ("style", json!({"colour": 1}), "accounts.a.style.colour"),
        ("style", json!({"colour": "red", "size": 1}), "accounts.a.style.size"),
        ("app_id", json!(""), "accounts.a.app_id"),
        ("app_id", json!(-1), "accounts.a.app_id"),
        ("report", json!("http://report.example"), "accounts.a.report"),
    ] {
        let mut more = more.clone();
        more[name] = wrong;
        assert_eq!(fault(room(more)).0, path);
    }
}

#[test]
fn credentials_and_query_of_any_url_are_masked() {
    let report = "https://user%2B1:pass%2B1@report.example/path?key=se%2Bcret";
    let opened = room(json!({"auth": {"type": "bearer", "token": "t"}, "report": report}));
    let redactor = opened.expect("an account").redactor;
    for part in ["user+1", "user%2B1", "pass+1", "se+cret", "key=se%2Bcret"] {
        assert_eq!(redactor.text(part), "***", "{part}");
    }
    assert_eq!(redactor.text("report.example/path"), "report.example/path");
}
