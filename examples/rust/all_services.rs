//! Sends through every service and way to prove oneself that the sandbox plays, all at once.
//!
//! `cargo run --example all_services [BASE_URL]`, the sandbox at http://127.0.0.1:8025 by default.

use std::process::ExitCode;
use std::time::Duration;

use hongyan::{Client, Delivery, Waited};
use serde_json::{Value, json};

/// An account, a message from it, and what to call them in the table.
struct Case {
    account: Value,
    format: &'static str,
    message: Value,
}

fn cases(base: &str) -> Vec<Case> {
    let fanfou = |auth: Value, format| json!({"service": "fanfou", "auth": auth, "format": format, "base_url": format!("{base}/fanfou")});
    let basic = json!({"type": "basic", "username": "test", "password": "pwd"});
    let oauth1 = json!({
        "type": "oauth1", "consumer_key": "fanfou-consumer-key", "consumer_secret": "fanfou-consumer-secret",
        "token": "fanfou-token", "token_secret": "fanfou-token-secret",
    });
    let tencent = json!({
        "service": "tencent_im", "base_url": format!("{base}/tencent_im"),
        "auth": {"type": "usersig", "sdk_app_id": 1400000000, "identifier": "administrator",
                 "secret_key": "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"},
    });
    let to_user = json!({"to": {"user": "lisztli"}, "text": "鸿雁 carries letters"});
    let parts = json!([
        {"type": "text", "text": "red "},
        {"type": "mention", "all": true},
        {"type": "mention", "user": "tommy", "name": "Tommy"},
        {"type": "face", "index": 6, "data": "abc\u{0}\u{1}"},
        {"type": "location", "latitude": 22.54, "longitude": 113.94, "address": "Shenzhen"},
        {"type": "custom", "data": "{\"packet\":1}", "desc": "a red packet"},
    ]);
    let to_group = |parts: &Value| json!({"to": {"group": "@TGS#2C5SZEAEF"}, "parts": parts});
    vec![
        Case { account: fanfou(basic.clone(), "json"), format: "json", message: to_user.clone() },
        Case { account: fanfou(basic, "xml"), format: "xml", message: to_user.clone() },
        Case { account: fanfou(oauth1.clone(), "json"), format: "json", message: to_user.clone() },
        Case { account: fanfou(oauth1.clone(), "xml"), format: "xml", message: to_user.clone() },
        Case { account: fanfou(oauth1, "rss"), format: "rss", message: to_user },
        Case { account: tencent, format: "json", message: to_group(&parts) },
    ]
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
        client.submit_json(message.to_string().as_bytes(), i as u64)?;
    }
    println!(
        "{:<11} {:<8} {:<6} {:<10} {:<12} attempts ms",
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
                "{:<11} {:<8} {:<6} {:<10} {:<12} {:<8} {}",
                receipt.service.unwrap_or("-"),
                case.account["auth"]["type"].as_str().unwrap_or("-"),
                case.format,
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
