//! No error of a configuration repeats a value of it, whatever stands in the wrong field.

#[path = "support/needles.rs"]
mod needles;

use hongyan::Client;
use needles::Needles;
use serde_json::{Value, json};

#[test]
fn a_wrong_configuration_is_told_without_them() {
    let needles = Needles::new(&["hunter2-hunter2"]);
    let with = |account: Value| json!({"v": 1, "accounts": {"a": account}});
    let auth = |auth: Value| with(json!({"service": "fanfou", "auth": auth}));
    let at = |base_url: &str| {
        with(json!({"service": "fanfou", "base_url": base_url,
            "auth": {"type": "basic", "username": "u", "password": "hunter2-hunter2"}}))
    };
    let proxied = |proxy: &str| json!({"v": 1, "accounts": {}, "proxy": proxy});
    for config in [
        auth(json!("hunter2-hunter2")),
        auth(json!(["hunter2-hunter2"])),
        auth(json!({"type": "basic", "username": "u", "password": "hunter2-hunter2\r\n"})),
        auth(json!({"type": "basic", "username": "u", "password": ["hunter2-hunter2"]})),
        auth(json!({"type": "basic", "username": "u", "pasword": "hunter2-hunter2"})),
        auth(json!({"type": "basic", "username": "u", "password": "${hunter2-hunter2"})),
        at("http://u:hunter2-hunter2@host"),
        at("http://u:hunter2-hunter2@host:99999"),
        at("http://u:hunter2-hunter2@"),
        at("http://u:hunter2-hunter2@ho st"),
        at("ftp://u:hunter2-hunter2@host"),
        at("http://u:hunter2-hunter2@host/?q"),
        at("u:hunter2-hunter2@host"),
        proxied("http://u:hunter2-hunter2@host:99999"),
        proxied("socks4://u:hunter2-hunter2@host"),
        proxied("socks5://u:hunter2-hunter2@host:99999"),
        proxied("u:hunter2-hunter2@host"),
        proxied("http://u:hunter2-hunter2@"),
    ] {
        let error = Client::from_json(&config.to_string()).err();
        let error = error.unwrap_or_else(|| panic!("accepted: {config}"));
        for text in [error.to_string(), error.to_json(), format!("{error:?}")] {
            needles.assert_absent("the error", &text);
        }
    }
}

/// Every place of a JSON value.
fn pointers(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| pointers(value, &format!("{path}/{name}"), found));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, value)| pointers(value, &format!("{path}/{i}"), found));
        }
        _ => {}
    }
}

#[test]
fn a_secret_in_the_wrong_field_of_a_configuration_is_not_repeated() {
    const SECRET: &str = "Hunter2.Hunter2";
    let needles = Needles::new(&[SECRET, "1234567890123"]);
    let url = "http://127.0.0.1:9";
    let config = json!({"v": 1, "timeout_ms": 1, "max_in_flight": 1, "trace": false,
        "retry": {"max_attempts": 1, "initial_ms": 1, "max_ms": 1, "on_maybe_sent": "stop"},
        "idle_ms": 1, "max_connections_per_host": 1, "proxy": "env", "ca_file": "x.pem",
        "user_agent": "x", "outbox": {"path": "/nowhere/outbox", "max_messages": 1, "max_bytes": 1,
            "key_days": 1, "shared": false},
        "accounts": {
            "a": {"service": "fanfou", "base_url": url, "signing_url": url, "format": "json",
                "rate": {"count": 1, "per_ms": 1}, "max_in_flight": 1,
                "auth": {"type": "basic", "username": "u", "password": "p"}},
            "b": {"service": "sina", "base_url": url, "app_key": "k",
                "auth": {"type": "oauth1", "consumer_key": "a", "consumer_secret": "b", "token": "c",
                    "token_secret": "d"}},
            "c": {"service": "weibo", "base_url": url, "app_key": "k",
                "auth": {"type": "oauth2", "token": "t", "send": "form"}},
            "d": {"service": "renren", "base_url": url, "params": "form",
                "auth": {"type": "mac", "token": "t", "mac_key": "k"}},
            "e": {"service": "tencent_im", "base_url": url, "region": "cn",
                "auth": {"type": "usersig", "sdk_app_id": 1, "identifier": "i", "secret_key": "k",
                    "expire_s": 1, "userbuf": "u"}}}});
    let mut places = Vec::new();
    pointers(&config, "", &mut places);
    let mut refused = 0;
    for place in &places {
        for wrong in [
            json!(SECRET),
            json!(format!("{SECRET}\r\n")),
            json!(format!("http://127.0.0.1/{SECRET}")),
            json!(format!("http://127.0.0.1/?key={SECRET}")),
            json!(format!("http://127.0.0.1/#{SECRET}")),
            json!(format!("http://{SECRET}@127.0.0.1/")),
            json!(format!("ftp://127.0.0.1/{SECRET}")),
            json!(format!("http://微博.中国/{SECRET}")),
            json!(format!("http://h:{SECRET}/")),
            json!(format!("http:{SECRET}")),
            json!(format!("${{{SECRET}}}")),
            json!(format!("{{\"password\": \"{SECRET}\"}}")),
            json!(1_234_567_890_123_u64),
            json!(-1_234_567_890_123_i64),
            json!(1_234_567_890_123.5),
            json!([SECRET]),
            json!({"type": SECRET}),
            json!({"service": SECRET, "path": SECRET, "count": SECRET}),
        ] {
            let is_path = |text: &str| !text.contains(['{', '\n']);
            let wrong_is_path = wrong.as_str().is_some_and(is_path);
            let mut config = config.clone();
            *config.pointer_mut(place).expect("a place") = wrong;
            // No file of theirs: they are about something else.
            for name in ["ca_file", "outbox"] {
                if !place.starts_with(&format!("/{name}")) && config.is_object() {
                    config[name] = Value::Null;
                }
            }
            // A path that cannot be opened is told.
            if place == "/outbox/path" || place == "/ca_file" && wrong_is_path {
                continue;
            }
            let Err(error) = Client::from_json(&config.to_string()) else { continue };
            refused += 1;
            for text in [error.to_string(), error.to_json(), format!("{error:?}")] {
                needles.assert_absent(&format!("the error of {place}"), &text);
            }
        }
    }
    assert!(refused > places.len() * 8, "{refused} were refused only");
}
