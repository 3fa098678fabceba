//! Sends through every service and way to prove oneself that the sandbox plays, all at once.
//!
//! `cargo run --example all_services [BASE_URL]`, the sandbox at http://127.0.0.1:8025 by default.

use std::process::ExitCode;
use std::time::Duration;

use hongyan::{Client, Delivery, SubmitOptions, Waited};
use serde_json::{Value, json};

/// An account, a message from it, and the format its answers come in.
struct Case {
    account: Value,
    message: Value,
}

/// An account of `service` with these credentials, and whatever else it needs.
fn account(base: &str, service: &str, auth: Value, more: Value) -> Value {
    // Mail comes in at the port behind that of HTTP.
    let (_, authority) = base.split_once("://").unwrap_or(("", base));
    let own = match (service, authority.rsplit_once(':')) {
        ("smtp", Some((host, port))) => {
            format!("smtp://{host}:{}", port.parse::<u16>().map_or(25, |port| port + 1))
        }
        _ => format!("{base}/{service}"),
    };
    let mut account = json!({"service": service, "auth": auth, "base_url": own});
    account
        .as_object_mut()
        .into_iter()
        .for_each(|own| own.extend(more.as_object().cloned().unwrap_or_default()));
    account
}

/// The sandbox's own credentials for every service and way to prove oneself.
fn cases(base: &str) -> Vec<Case> {
    let basic = || json!({"type": "basic", "username": "test", "password": "pwd"});
    let oauth1 = |service: &str| {
        let own = |name: &str| format!("{service}-{name}");
        json!({"type": "oauth1", "consumer_key": own("consumer-key"), "consumer_secret": own("consumer-secret"),
               "token": own("token"), "token_secret": own("token-secret")})
    };
    let oauth2 = |send: &str| json!({"type": "oauth2", "token": "weibo-token", "send": send});
    let bearer = || json!({"type": "bearer", "token": "renren-token"});
    let mac = || json!({"type": "mac", "token": "renren-mac-token", "mac_key": "renren-mac-key"});
    let usersig = json!({
        "type": "usersig", "sdk_app_id": 1_400_000_000, "identifier": "administrator",
        "secret_key": "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e",
    });
    let webhook = |url: &str, secret: Option<&str>| {
        let mut auth = json!({"type": "webhook", "url": url});
        secret.into_iter().for_each(|secret| auth["secret"] = secret.into());
        auth
    };
    // Old Sina and Weibo refuse the text that the recipient got last: each says its own.
    let to = |user: &str, text: &str| json!({"to": {"user": user}, "text": text});
    let talk = || {
        let extra = json!({"messageType": "TEXT", "resourceTitle": "a title"});
        json!({"to": {"users": ["123", "456"]}, "text": "鸿雁 carries letters", "extra": extra})
    };
    let parts = json!([
        {"type": "text", "text": "red "},
        {"type": "mention", "all": true},
        {"type": "mention", "user": "tommy", "name": "Tommy"},
        {"type": "face", "index": 6, "data": "abc\u{0}\u{1}"},
        {"type": "location", "latitude": 22.54, "longitude": 113.94, "address": "Shenzhen"},
        {"type": "custom", "data": "{\"packet\":1}", "desc": "a red packet"},
    ]);
    let hook = |path: &str| {
        json!({"url": format!("https://hooks.example.com/in/{path}"),
               "success": {"pointer": "/taken", "equals": true}})
    };
    let letter = || json!({"title": "letters", "text": "鸿雁 carries letters"});
    let format = |format: &str| json!({"format": format});
    let sina = |format: &str| json!({"format": format, "app_key": "1852823608"});
    [
        ("fanfou", basic(), format("json"), to("lisztli", "鸿雁 carries letters")),
        ("fanfou", basic(), format("xml"), to("lisztli", "鸿雁 carries letters")),
        ("fanfou", oauth1("fanfou"), format("json"), to("lisztli", "鸿雁 carries letters")),
        ("fanfou", oauth1("fanfou"), format("xml"), to("lisztli", "鸿雁 carries letters")),
        ("fanfou", oauth1("fanfou"), format("rss"), to("lisztli", "鸿雁 carries letters")),
        ("sina", basic(), sina("json"), to("11051", "by Basic")),
        ("sina", basic(), sina("xml"), to("11051", "by Basic, in XML")),
        ("sina", oauth1("sina"), format("json"), to("11051", "by OAuth")),
        ("sina", oauth1("sina"), format("xml"), to("11051", "by OAuth, in XML")),
        ("weibo", oauth2("form"), json!({}), to("2125034703", "by form")),
        ("weibo", oauth2("header"), json!({}), to("2125034703", "by header")),
        ("renren", bearer(), json!({"params": "query"}), talk()),
        ("renren", bearer(), json!({"params": "form"}), talk()),
        ("renren", mac(), json!({"params": "query"}), talk()),
        ("renren", mac(), json!({"params": "form"}), talk()),
        (
            "slack",
            json!({"type": "bot", "token": "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"}),
            json!({}),
            json!({"to": {"channel": "C024BE91L"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "telegram",
            json!({"type": "bot", "token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}),
            json!({}),
            json!({"to": {"chat": "4711"}, "text": "鸿雁 carries letters"}),
        ),
        ("webhook", json!({"type": "none"}), hook("plain?key=goose-4711"), letter()),
        ("webhook", json!({"type": "bearer", "token": "hook-token"}), hook("bearer"), letter()),
        ("webhook", basic(), hook("basic"), letter()),
        (
            "webhook",
            json!({"type": "header", "name": "X-Hook-Key", "value": "goose-4711"}),
            hook("header"),
            letter(),
        ),
        (
            "webhook",
            json!({"type": "standard_webhooks", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}),
            hook("signed"),
            letter(),
        ),
        (
            "tencent_im",
            usersig,
            json!({}),
            json!({"to": {"group": "@TGS#2C5SZEAEF"}, "parts": parts}),
        ),
        (
            "dingtalk_bot",
            webhook(
                "https://oapi.dingtalk.com/robot/send?access_token=dingtalkrobottoken",
                Some("SECdingtalkrobotsecret"),
            ),
            json!({}),
            json!({"title": "Disk", "text": "**90 %**", "format": "markdown"}),
        ),
        (
            "googlechat",
            webhook(
                "https://chat.googleapis.com/v1/spaces/AAAAhongyan/messages\
                 ?key=AIzaSyHongyanHongyanHongyanHongyan00000\
                 &token=hongyan-webhook-token_of-the-space0000000000%3D",
                None,
            ),
            json!({}),
            json!({"title": "Disk", "text": "**90 %**", "format": "markdown", "thread": "disks"}),
        ),
        (
            "teams",
            webhook(
                "https://prod-00.westeurope.logic.azure.com:443/workflows/\
                 8f2d1c4b5a69478e8d7c6b5a49382716/triggers/manual/paths/invoke\
                 ?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0\
                 &sig=h0ngyan_teams-sig-of-the-workflow-00000000000",
                None,
            ),
            json!({}),
            json!({"title": "Disk", "text": "**90 %**", "format": "markdown"}),
        ),
        (
            "line",
            json!({"type": "bot", "token": "bGluZS1ib3QtdG9rZW4tb2YtaG9uZ3lhbg=="}),
            json!({}),
            json!({"to": {"group": "C4af4980629d85f9c1d3a1b4c5e6f7a8b"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "mattermost",
            json!({"type": "bot", "token": "xt5b3pqm1jrn8kfz6w9yd4hgc7"}),
            json!({}),
            json!({"to": {"user": "u1annaannaannaannaannaanna"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "mattermost",
            webhook("https://chat.example.com/hooks/bywsw8zt5jgpte3nm65qjiru6h", None),
            json!({}),
            json!({"text": "hello by webhook", "priority": "urgent"}),
        ),
        (
            "rocketchat",
            json!({"type": "token", "user_id": "YKduDE7nGbqDkPCFf",
                "token": "eERFofD7pHQttqDpqdDQCo9JWeKnHpXo7wMGqptNbGo"}),
            json!({}),
            json!({"to": {"channel": "general"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "rocketchat",
            webhook(
                "https://chat.example.com/hooks/64c0ffee64c0ffee64c0ffe1/\
                 yEpDsPjwnf4YhqhbXR5Mx4RFpXmjZzgWrEHkeL3ZKjeCvE3o",
                None,
            ),
            json!({}),
            json!({"text": "hello by webhook"}),
        ),
        (
            "zulip",
            json!({"type": "basic", "username": "hongyan-bot@acme.zulipchat.com",
                "password": "a0b1c2d3e4f5g6h7i8j9k0l1m2n3o4p5"}),
            json!({}),
            json!({"to": {"users": ["anna@acme.example", "bruno@acme.example"]},
                "text": "鸿雁 carries letters"}),
        ),
        (
            "serverchan",
            json!({"type": "key", "key": "SCT1234TabcdefGHIJ"}),
            json!({}),
            json!({"text": "鸿雁 carries letters"}),
        ),
        (
            "serverchan",
            json!({"type": "key", "key": "sctp987tAbC123"}),
            json!({}),
            json!({"title": "Disk", "text": "**90 %**", "format": "markdown"}),
        ),
        (
            "pushplus",
            json!({"type": "token", "token": "be8652e98bd04139a13e1bffcd6d0f71"}),
            json!({}),
            json!({"to": {"topic": "letters"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "wxpusher",
            json!({"type": "token", "token": "AT_hongyan0123456789abcdefghijklm"}),
            json!({}),
            json!({"to": {"users": ["UID_anna"], "topics": ["1234"]}, "text": "鸿雁 carries letters"}),
        ),
        (
            "kook",
            json!({"type": "bot", "token": "1/MTA0MjU=/hongyanHongyanHongyan=="}),
            json!({}),
            json!({"to": {"user": "2418200001"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "mastodon",
            json!({"type": "token", "token": "Zx8h4nKq2vTf7LwPb3RgYd6Ms1Jc9Ua5EoXi0NkQtWz"}),
            json!({}),
            json!({"to": {"user": "anna@social.example"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "whatsapp_cloud",
            json!({"type": "token", "token": "EAAGm0PX4ZCpsBAhongyanJ7ZCcarriesZBletters2Kd9QZDZD"}),
            json!({"phone_number_id": "106540352242922"}),
            json!({"to": {"phone": "+8613800138000"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "statusnet",
            json!({"type": "oauth1", "consumer_key": "statusnet-consumer-key",
                "consumer_secret": "statusnet-consumer-secret", "token": "statusnet-token",
                "token_secret": "statusnet-token-secret"}),
            json!({"format": "xml"}),
            json!({"to": {"name": "anna"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "discord",
            json!({"type": "bot",
                "token": "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"}),
            json!({}),
            json!({"to": {"user": "80351110224678912"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "discord",
            webhook(
                "https://discord.com/api/webhooks/223704706495545344/\
                 3d89bb7572e0fb30d8128367b3b1b44fecd1726de135cbe28a41f8b2f777c372\
                 ba2939e72279b94526ff5d1bd4358d65cf11",
                None,
            ),
            json!({}),
            json!({"text": "hello by webhook"}),
        ),
        (
            "ntfy",
            json!({"type": "none"}),
            json!({}),
            json!({"to": {"topic": "alerts"}, "title": "Disk", "text": "90 %", "priority": "high"}),
        ),
        (
            "ntfy",
            json!({"type": "bearer", "token": "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"}),
            json!({}),
            json!({"to": {"topic": "private"}, "text": "**90 %**", "format": "markdown"}),
        ),
        (
            "ntfy",
            json!({"type": "basic", "username": "goose", "password": "ntfy-password"}),
            json!({}),
            json!({"to": {"topic": "private"}, "text": "without a sound", "silent": true}),
        ),
        (
            "gotify",
            json!({"type": "token", "token": "AgooseGotify4711"}),
            json!({}),
            json!({"title": "Disk", "text": "**90 %**", "format": "markdown"}),
        ),
        (
            "pushover",
            json!({"type": "token", "token": "a7goose7hongyan7pushover7token"}),
            json!({}),
            json!({"to": {"users": ["u7anna7hongyan7pushover7user77",
                "g7team7hongyan7pushover7group7"]}, "title": "Disk", "text": "90 %"}),
        ),
        (
            "bark",
            json!({"type": "key", "key": "ynJ5Ft4atkMkWeo2PAvFhF"}),
            json!({}),
            json!({"title": "Disk", "text": "90 %", "silent": true}),
        ),
        (
            "wecom_bot",
            webhook(
                "https://qyapi.weixin.qq.com/cgi-bin/webhook/send\
                 ?key=693a91f6-7e4a-4bc4-97a0-0ec2b1fa5aaa",
                None,
            ),
            json!({}),
            json!({"parts": [{"type": "link", "url": "https://example.com", "title": "an example"}]}),
        ),
        (
            "smtp",
            json!({"type": "password", "username": "goose@example.org", "password": "mail-p4ssword"}),
            json!({"from": "Goose <goose@example.org>"}),
            json!({"to": {"emails": ["anna@example.org"]}, "title": "Disk", "text": "**90 %**",
                   "format": "markdown"}),
        ),
        (
            "smtp",
            json!({"type": "xoauth2", "username": "goose@example.org", "token": "ya29.goose-mail-token"}),
            json!({"from": "goose@example.org"}),
            json!({"to": {"emails": ["ben@example.org"]}, "text": "鸿雁 carries letters"}),
        ),
        (
            "feishu_bot",
            webhook(
                "https://open.feishu.cn/open-apis/bot/v2/hook/5d4fae2f-feishu-robot",
                Some("feishu-robot-secret"),
            ),
            json!({}),
            json!({"title": "Disk", "text": "**90 %**", "format": "markdown"}),
        ),
        (
            "feishu_bot",
            webhook("https://open.larksuite.com/open-apis/bot/v2/hook/8c1b7e3a-lark-robot", None),
            json!({}),
            json!({"text": "鸿雁 carries letters"}),
        ),
        (
            "wecom_app",
            json!({"type": "app", "corp_id": "ww0123456789abcdef", "agent_id": 1_000_002,
                "secret": "wecom-app-secret_0123456789abcdefghijklm"}),
            json!({}),
            json!({"to": {"users": ["anna"]}, "text": "鸿雁 carries letters"}),
        ),
        (
            "feishu_app",
            json!({"type": "app", "id": "cli_a1b2c3d4e5f60718",
                "secret": "feishu-app-secret0123456789abcdef"}),
            json!({}),
            json!({"to": {"user": "anna@example.com"}, "title": "Disk", "text": "**90 %**",
                "format": "markdown"}),
        ),
        (
            "dingtalk_app",
            json!({"type": "app", "key": "dinghongyan0app",
                "secret": "dingtalk-app-secret_0123456789abcdefghijklmnopqrstuv"}),
            json!({"robot_code": "dinghongyan0app"}),
            json!({"to": {"group": "cidHongyan0000=="}, "text": "鸿雁 carries letters"}),
        ),
        (
            "wechat_oa",
            json!({"type": "app", "id": "wx0123456789abcdef",
                "secret": "0123456789abcdef0123456789abcdef"}),
            json!({}),
            json!({"to": {"user": "oAnna6_hongyan0123456789abcd"},
                "extra": {"template_id": "tpl-disk", "data": {"first": {"value": "90 %"}}}}),
        ),
        (
            "qq_bot",
            json!({"type": "app", "id": "102012345", "secret": "qqbotSecretHongyan0123456789abcd"}),
            json!({}),
            json!({"to": {"user": "C0FFEE00112233445566778899AABBCC"},
                "text": "鸿雁 carries letters"}),
        ),
        (
            "twilio",
            json!({"type": "basic", "username": "AC70817e64c2a14f0b9d3e5a6b7c8d9e0f",
                "password": "2f8c4e6a0b1d3f5e7a9c8b6d4e2f0a1c"}),
            json!({"from": "+15005550006"}),
            json!({"to": {"phone": "+15005550010"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "matrix",
            json!({"type": "token", "token": "syt_aG9uZ3lhbg_hongyanSandboxToken_1Zx2Yc"}),
            json!({}),
            json!({"to": {"room": "!general:localhost"}, "title": "Disk", "text": "**90 %**",
                "format": "markdown"}),
        ),
        (
            "matrix",
            json!({"type": "password", "username": "hongyan", "password": "swan-goose-7"}),
            json!({}),
            json!({"to": {"user": "@anna:localhost"}, "text": "鸿雁 carries letters"}),
        ),
        (
            "tencent_sms",
            json!({"type": "key", "id": "AKIDhongyan0123456789abcdefghijklmn",
                "secret": "tencentSmsSecret0123456789abcdef"}),
            json!({"sdk_app_id": "1400006666", "sign_name": "鸿雁"}),
            json!({"to": {"phones": ["+8613800000001", "+8613800000002"]},
                "extra": {"TemplateId": "1111", "TemplateParamSet": ["1234", "5"]}}),
        ),
        (
            "aliyun_sms",
            json!({"type": "key", "id": "LTAI5tHongyan0123456789a",
                "secret": "aliyunSmsSecret0123456789abcde"}),
            json!({"sign_name": "鸿雁"}),
            json!({"to": {"phones": ["13800000001", "13800000002"]},
                "extra": {"TemplateCode": "SMS_100000002", "TemplateParam": {"code": "1234"}}}),
        ),
    ]
    .into_iter()
    .map(|(service, auth, more, message)| Case {
        account: account(base, service, auth, more),
        message,
    })
    .collect()
}

fn main() -> ExitCode {
    let base = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8025".to_owned());
    match run(base.trim_end_matches('/')) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(base: &str) -> Result<bool, hongyan::Error> {
    let cases = cases(base);
    let names: Vec<String> = (0..cases.len()).map(|i| format!("account-{i}")).collect();
    let accounts: serde_json::Map<String, Value> =
        names.iter().cloned().zip(cases.iter().map(|case| case.account.clone())).collect();
    let client = Client::from_json(&json!({"v": 1, "accounts": accounts}).to_string())?;

    for (i, case) in cases.iter().enumerate() {
        let mut message = case.message.clone();
        message["v"] = json!(1);
        message["account"] = json!(names[i]);
        client.submit(message.to_string().as_bytes(), SubmitOptions::token(i as u64))?;
    }
    println!(
        "{:<11} {:<8} {:<6} {:<10} {:<17} attempts ms",
        "service", "auth", "format", "delivery", "message_id"
    );
    let (mut left, mut all_sent) = (cases.len(), true);
    while left > 0 {
        let Waited::Results(receipts) = client.wait(Some(Duration::from_secs(30)), 16)? else {
            return Ok(false);
        };
        left -= receipts.len();
        for receipt in receipts {
            let case = &cases[usize::try_from(receipt.token).expect("the token is an index")];
            all_sent &= receipt.delivery == Delivery::Sent;
            println!(
                "{:<11} {:<8} {:<6} {:<10} {:<17} {:<8} {}",
                receipt.service.unwrap_or("-"),
                case.account["auth"]["type"].as_str().unwrap_or("-"),
                case.account["format"].as_str().unwrap_or("json"),
                receipt.delivery.name(),
                receipt.message_id.as_deref().unwrap_or("-"),
                receipt.attempts,
                receipt.elapsed_ms
            );
            if let Some(error) = receipt.error {
                println!("    {error}");
            }
        }
    }
    client.close(Some(Duration::from_secs(10)));
    Ok(all_sent)
}
