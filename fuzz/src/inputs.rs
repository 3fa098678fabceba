//! Configurations and messages: read, or refused with a reason.

use hongyan::testing::{Encoded, config, encode};
use hongyan::{Error, ErrorCode, Message};
use serde_json::{Map, Value};

/// The accounts that each message is encoded for.
const ACCOUNTS: [(&str, &str); 5] = [
    (
        "fanfou",
        r#"{"service": "fanfou", "auth": {"type": "oauth1", "consumer_key": "ck",
            "consumer_secret": "cs", "token": "t", "token_secret": "ts"}}"#,
    ),
    (
        "sina",
        r#"{"service": "sina", "app_key": "k",
            "auth": {"type": "basic", "username": "u", "password": "p"}}"#,
    ),
    ("weibo", r#"{"service": "weibo", "auth": {"type": "oauth2", "token": "t"}}"#),
    (
        "renren",
        r#"{"service": "renren", "params": "form",
            "auth": {"type": "mac", "token": "t", "mac_key": "k"}}"#,
    ),
    (
        "tencent_im",
        r#"{"service": "tencent_im", "region": "sgp",
            "auth": {"type": "usersig", "sdk_app_id": 1, "identifier": "a", "secret_key": "k"}}"#,
    ),
];

/// The error has one of these codes, and words.
pub fn refused_as(error: &Error, codes: &[ErrorCode], input: &str) {
    assert!(codes.contains(&error.code()), "{error} of {input}");
    assert!(!error.message().trim().is_empty(), "no words for {input}");
    assert!(error.path() != Some(""), "{error} of {input}");
}

/// The object that a text is, behind the byte order mark that may stand before it.
fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// How many members its objects have together.
fn members(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.len() + map.values().map(members).sum::<usize>(),
        Value::Array(items) => items.iter().map(members).sum(),
        _ => 0,
    }
}

/// How many colons of a JSON text stand outside of its strings.
fn colons(text: &str) -> usize {
    let (mut count, mut quoted, mut escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b':' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

/// Checks a configuration.
pub fn config_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = config(text);
    match &read {
        Ok(accounts) => {
            let map = object(text).expect("only an object is a configuration");
            assert_eq!(map.get("v"), Some(&Value::from(1)), "{text}");
            let given = map.get("accounts").and_then(Value::as_object).map(Map::len);
            assert_eq!(given, Some(*accounts), "{text}");
        }
        Err(error) => refused_as(error, &[ErrorCode::Config, ErrorCode::Unavailable], text),
    }
    // The layout of the JSON and the way its strings are written say nothing; a name that stands twice is
    // refused, and here only once.
    if let Ok(value) = serde_json::from_str::<Value>(text)
        && members(&value) == colons(text)
    {
        let code = |read: hongyan::Result<usize>| read.map_err(|error| error.code());
        assert_eq!(code(config(&format!("\n{value:#}"))), code(read), "{text}");
    }
}

/// Checks a message, and what it becomes at each service.
pub fn message_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let message = match Message::from_json(text) {
        Ok(message) => message,
        Err(error) => return refused_as(&error, &[ErrorCode::Argument, ErrorCode::Message], text),
    };
    let map = object(text).expect("only an object is a message");
    assert_eq!(map.get("v"), Some(&Value::from(1)), "{text}");
    assert_eq!(map.get("account").and_then(Value::as_str), Some(message.account()), "{text}");
    let to = map.get("to");
    assert!(to.is_none_or(Value::is_object), "{text}");
    for (service, account) in ACCOUNTS {
        match encode(account, text) {
            Ok(encoded) => carries_it_all(service, &map, &encoded),
            Err(error) => {
                let codes = [ErrorCode::Message, ErrorCode::Unsupported, ErrorCode::TooLarge];
                refused_as(&error, &codes, text);
            }
        }
    }
}

/// Where a service's request has what `to` names: the field of the message and the parameter.
fn recipients(service: &str) -> &'static [(&'static str, &'static str)] {
    match service {
        "fanfou" => &[("user", "user")],
        "sina" => &[("user", "user_id"), ("name", "screen_name")],
        "weibo" => &[("user", "uid"), ("name", "screen_name")],
        "renren" => &[("users", "userIds"), ("groups", "groupIds"), ("discussions", "discussIds")],
        _ => &[("group", "GroupId"), ("topic", "TopicId"), ("members", "To_Account")],
    }
}

/// The text and the recipients of a message arrive in its request as they were given.
fn carries_it_all(service: &str, message: &Map<String, Value>, encoded: &Encoded) {
    let (url, body) = encoded.request(1_300_000_000, 7);
    assert!(url.starts_with("https://") || url.starts_with("http://"), "{url}");
    let text = message.get("text").and_then(Value::as_str).filter(|text| !text.is_empty());
    let to = message.get("to").and_then(Value::as_object);
    let to = |kind: &str| to.and_then(|to| to.get(kind)).filter(|value| !is_empty(value));
    if service == "tencent_im" {
        let body = std::str::from_utf8(&body).expect("JSON is UTF-8");
        let request = object(body).unwrap_or_else(|| panic!("{body} is no JSON object"));
        if let Some(text) = text {
            assert_eq!(request["MsgBody"][0]["MsgContent"]["Text"], text, "{body}");
        }
        for (kind, name) in recipients(service) {
            assert!(to(kind).is_none_or(|value| request[*name] == *value), "{kind} in {body}");
        }
        return;
    }
    let params = pairs(&body);
    let one = |name: &str| {
        let mut values = params.iter().filter(|(own, _)| own == name).map(|(_, value)| value);
        let value = values.next().map(String::as_str);
        assert!(values.next().is_none(), "{name} twice in {params:?}");
        value
    };
    if text.is_some() {
        assert_eq!(one("text"), text);
    }
    for (kind, name) in recipients(service) {
        // Weibo looks at the id only.
        let hidden = service == "weibo" && *kind == "name" && to("user").is_some();
        let Some(value) = to(kind).filter(|_| !hidden) else { continue };
        let ids =
            |ids: &Vec<Value>| ids.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        let value =
            value.as_array().map_or_else(|| value.as_str().map(str::to_owned), |v| Some(ids(v)));
        assert_eq!(one(name).map(str::to_owned), value, "{kind}");
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        other => other.is_null(),
    }
}

/// The pairs of a form, decoded.
fn pairs(form: &[u8]) -> Vec<(String, String)> {
    let form = std::str::from_utf8(form).expect("a form is ASCII");
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').expect("every pair has a value");
        (decoded(name), decoded(value))
    };
    form.split('&').filter(|form| !form.is_empty()).map(pair).collect()
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    let digit = bytes.next().map(char::from).and_then(|c| c.to_digit(16));
                    digit.and_then(|digit| u8::try_from(digit).ok()).expect("two digits follow")
                };
                16 * digit() + digit()
            }
            other => other,
        });
    }
    String::from_utf8(out).expect("what was encoded was text")
}
