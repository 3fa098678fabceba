//! Whatever answers in the place of a service, the status alone decides, from end to end.

#[path = "gateways/list.rs"]
mod list;
#[path = "support/raw.rs"]
mod raw;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hongyan::{Client, SendOptions};
use list::{STATUSES, bodies, by_status};
use raw::{GUARD, RawServer, Then, answer};
use serde_json::{Value, json};

/// Every service in every format that it can be asked for: its account, and what to send.
fn accounts() -> Vec<(&'static str, Value, Value)> {
    let basic = json!({"type": "basic", "username": "u", "password": "p"});
    let usersig = json!({"type": "usersig", "sdk_app_id": 1, "identifier": "a", "secret_key": "k"});
    let to_user = json!({"to": {"user": "11051"}});
    let talk = json!({"extra": {"messageType": "m", "resourceTitle": "t"}});
    let with_format = |service: &'static str, format: &str| {
        let account = json!({"auth": basic.clone(), "format": format});
        (service, account, to_user.clone())
    };
    let mut accounts = vec![
        with_format("fanfou", "json"),
        with_format("fanfou", "xml"),
        with_format("fanfou", "rss"),
        with_format("sina", "json"),
        with_format("sina", "xml"),
        ("weibo", json!({"auth": {"type": "oauth2", "token": "t"}}), to_user.clone()),
        ("renren", json!({"auth": {"type": "bearer", "token": "t"}, "params": "form"}), talk),
        ("tencent_im", json!({"auth": usersig}), json!({"to": {"group": "g"}})),
        (
            "webhook",
            json!({"auth": {"type": "none"}, "url": "https://hooks.example.com/in",
                "success": {"pointer": "/receipt/state", "equals": "taken"}}),
            json!({}),
        ),
        (
            "googlechat",
            json!({"auth": {"type": "webhook",
                "url": "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t"}}),
            json!({}),
        ),
        (
            "line",
            json!({"auth": {"type": "bot", "token": "t"}}),
            json!({"to": {"user": "U4af4980629d85f9c1d3a1b4c5e6f7a8b"}}),
        ),
        (
            "mattermost",
            json!({"auth": {"type": "bot", "token": "t"}}),
            json!({"to": {"channel": "4xp9fdt77pncbef59f4k1qe83o"}}),
        ),
        (
            "mastodon",
            json!({"auth": {"type": "token", "token": "t"}}),
            json!({"to": {"user": "anna@far.example"}}),
        ),
        (
            "whatsapp_cloud",
            json!({"auth": {"type": "token", "token": "t"}, "phone_number_id": "1"}),
            json!({"to": {"phone": "+8613800138000"}}),
        ),
        ("statusnet", json!({"auth": basic.clone()}), json!({"to": {"name": "anna"}})),
        ("pushplus", json!({"auth": {"type": "token", "token": "t"}}), json!({})),
        (
            "wxpusher",
            json!({"auth": {"type": "token", "token": "t"}}),
            json!({"to": {"users": ["UID_a"]}}),
        ),
        ("kook", json!({"auth": {"type": "bot", "token": "t"}}), json!({"to": {"channel": "1"}})),
        ("serverchan", json!({"auth": {"type": "key", "key": "SCT1T"}}), json!({})),
        (
            "rocketchat",
            json!({"auth": {"type": "token", "user_id": "u", "token": "t"}}),
            json!({"to": {"channel": "general"}}),
        ),
        (
            "zulip",
            json!({"auth": basic.clone()}),
            json!({"to": {"channel": "general", "topic": "t"}}),
        ),
        (
            "slack",
            json!({"auth": {"type": "bot", "token": "xoxb-1"}}),
            json!({"to": {"channel": "C024BE91L"}}),
        ),
        (
            "discord",
            json!({"auth": {"type": "bot", "token": "MTk4.Cl2FMQ.secret"}}),
            json!({"to": {"channel": "41771983423143937"}}),
        ),
        (
            "ntfy",
            json!({"auth": {"type": "bearer", "token": "tk_1"}}),
            json!({"to": {"topic": "alerts"}}),
        ),
        ("gotify", json!({"auth": {"type": "token", "token": "A1"}}), json!({})),
        (
            "pushover",
            json!({"auth": {"type": "token", "token": "a1"}}),
            json!({"to": {"user": "u1"}}),
        ),
        ("bark", json!({"auth": {"type": "key", "key": "k1"}}), json!({})),
        (
            "telegram",
            json!({"auth": {"type": "bot", "token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}}),
            json!({"to": {"chat": "4711"}}),
        ),
        (
            "feishu_app",
            json!({"auth": {"type": "app", "id": "cli_1", "secret": "s"}}),
            json!({"to": {"user": "ou_1"}}),
        ),
        (
            "qq_bot",
            json!({"auth": {"type": "app", "id": "1", "secret": "s"}}),
            json!({"to": {"user": "U1"}}),
        ),
        (
            "twilio",
            json!({"auth": basic.clone(), "from": "+15005550006"}),
            json!({"to": {"phone": "+15005550010"}}),
        ),
        (
            "matrix",
            json!({"auth": {"type": "token", "token": "syt_1"}}),
            json!({"to": {"room": "!r:hs"}, "extra": {"allow_unencrypted": true}}),
        ),
        (
            "tencent_sms",
            json!({"auth": {"type": "key", "id": "AKID", "secret": "s"}, "sdk_app_id": 1,
                "template": 1}),
            json!({"to": {"phones": ["+8613800000001"]}}),
        ),
        (
            "aliyun_sms",
            json!({"auth": {"type": "key", "id": "LTAI", "secret": "s"}, "sign_name": "s",
                "template": "SMS_1", "text_param": "t"}),
            json!({"to": {"phones": ["13800000001"]}}),
        ),
    ];
    for (service, account, _) in &mut accounts {
        account["service"] = json!(*service);
        if *service == "sina" {
            account["app_key"] = json!("k");
        }
    }
    accounts
}

/// Where a service is asked for a token first, and what it is answered: no gateway stands there.
fn token(service: &str) -> Option<(&'static str, &'static str)> {
    match service {
        "feishu_app" => Some((
            "/open-apis/auth/v3/tenant_access_token/internal",
            r#"{"code":0,"msg":"ok","tenant_access_token":"t","expire":7200}"#,
        )),
        "qq_bot" => Some(("/app/getAppAccessToken", r#"{"access_token":"t","expires_in":"7200"}"#)),
        _ => None,
    }
}

#[test]
fn no_gateway_s_body_says_more_than_its_status_over_sockets() {
    const TYPES: [&str; 4] = [
        "Content-Type: application/json\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
        "Content-Type: application/xml\r\n",
        "",
    ];
    // Each body meets each account, the statuses in turn.
    let bodies = bodies();
    let cases = bodies.len();
    let at = move |n: usize| (STATUSES[n % STATUSES.len()], bodies[n % bodies.len()]);
    let mut wrong = Vec::new();
    for (place, (service, mut account, message)) in accounts().into_iter().enumerate() {
        let (answers, token) = (at.clone(), token(service));
        let sends = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sends);
        let server = RawServer::start(move |request, stream| {
            if let Some((_, body)) = token.filter(|(path, _)| *path == request.target()) {
                stream.write_all(&answer(200, TYPES[0], body))?;
                return Ok(Then::Keep);
            }
            let number = counted.fetch_add(1, Ordering::Relaxed);
            let (status, (_, body)) = answers(number + place * cases);
            stream.write_all(&answer(status, TYPES[number % TYPES.len()], body))?;
            Ok(Then::Keep)
        });
        account["base_url"] = json!(server.url());
        let config = json!({"v": 1, "accounts": {"a": account}, "retry": {"max_attempts": 1}});
        let config = config.to_string();
        let mut message = message;
        message["v"] = json!(1);
        message["account"] = json!("a");
        message["text"] = json!("hello");
        let message = message.to_string();
        for n in 0..cases {
            // A client waits after "too many requests", and a new one knows nothing of it.
            let client = Client::from_json(&config).expect("an account");
            let receipt =
                client.send(message.as_bytes(), SendOptions::within(GUARD)).expect("accepted");
            let (status, (name, _)) = at(n + place * cases);
            let got = (receipt.delivery.name(), receipt.error.as_ref().map(|e| e.code().name()));
            let (delivery, error) = by_status(service, status);
            if got != (delivery, Some(error)) {
                wrong.push(format!("{service} {status} {name}: {got:?}"));
            }
        }
        assert_eq!(sends.load(Ordering::Relaxed), cases, "{service}");
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
