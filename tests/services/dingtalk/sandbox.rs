//! The robot as the sandbox plays it, and a message all the way through it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hongyan_sandbox::{Clock, Options, Request, Robot, Sandbox};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::Client;

const ROBOT: Robot = Robot {
    name: "dingtalk",
    path: "/robot/send",
    account: r#"{"service": "dingtalk", "auth": {"type": "webhook", "secret": "robot-secret",
        "url": "https://oapi.dingtalk.example/robot/send?access_token=robot-token"}}"#,
    verify,
    text: "/text/content",
    longest: 20_000,
    rate: (20, 60_000),
    ok: r#"{"errcode":0,"errmsg":"ok"}"#,
    refusals: &[
        ("token", 200, r#"{"errcode":300001,"errmsg":"token is not exist"}"#),
        ("time", 200, r#"{"errcode":310000,"errmsg":"invalid timestamp"}"#),
        ("sign", 200, r#"{"errcode":310000,"errmsg":"sign not match"}"#),
        ("text", 200, r#"{"errcode":400035,"errmsg":"invalid parameter"}"#),
        ("long", 200, r#"{"errcode":460101,"errmsg":"message too long"}"#),
        ("fast", 200, r#"{"errcode":130101,"errmsg":"send too fast"}"#),
    ],
};

/// The token, a time of this hour, and the signature of both.
fn verify(request: &Request) -> Result<(), &'static str> {
    if request.get("access_token") != Some("robot-token") {
        return Err("token");
    }
    let time = request.get("timestamp").ok_or("sign")?;
    let age = time.parse().map_err(|_| "time")?;
    if request.now_ms.abs_diff(age) > 3_600_000 {
        return Err("time");
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(b"robot-secret").expect("a key of any length");
    mac.update(format!("{time}\nrobot-secret").as_bytes());
    let sign = STANDARD.decode(request.get("sign").ok_or("sign")?).map_err(|_| "sign")?;
    mac.verify_slice(&sign).map_err(|_| "sign")
}

#[test]
fn a_message_goes_through_the_sandbox_s_robot() {
    let sandbox = Sandbox::start_with(Options::default(), Clock::system(), &[ROBOT]);
    let sandbox = sandbox.expect("a free port");
    let mut account: Value = serde_json::from_str(ROBOT.account).expect("JSON");
    account["base_url"] = format!("{}/{}", sandbox.url(), ROBOT.name).into();
    let mut stranger = account.clone();
    stranger["auth"]["secret"] = "another".into();
    let config = json!({"v": 1, "accounts": {"robot": account, "stranger": stranger}});
    let client = Client::from_json(&config.to_string()).expect("valid accounts");
    let send = |account: &str| {
        let message = json!({"v": 1, "account": account, "text": "鸿雁 carries letters"});
        client.send_json(message.to_string().as_bytes(), None).expect("accepted")
    };
    let sent = send("robot");
    assert_eq!(sent.delivery.name(), "sent", "{sent:?}");
    assert_eq!(sandbox.messages().len(), 1);
    let refused = send("stranger").error.expect("a refusal");
    assert_eq!((refused.code().name(), refused.service_code()), ("auth", Some("310000")));
    assert!(!refused.to_string().contains("robot-token"), "{refused}");
}
