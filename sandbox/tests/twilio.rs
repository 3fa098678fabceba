//! Twilio, over real sockets.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const SID: &str = "AC70817e64c2a14f0b9d3e5a6b7c8d9e0f";
const TOKEN: &str = "2f8c4e6a0b1d3f5e7a9c8b6d4e2f0a1c";
const KEY: &str = "SK5a1b3c7d9e0f2a4b6c8d0e1f3a5b7c9d";
const KEY_SECRET: &str = "hKq3VdT8sLw2ZpYc6NbR1mXj5GfA9uEo";
const FROM: &str = "+15005550006";
const TO: &str = "+15005550010";

fn ask(sandbox: &Sandbox, method: &str, path: &str, by: (&str, &str), body: &str) -> Reply {
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", by.0, by.1)));
    let headers = [("Authorization", basic.as_str()), ("Content-Type", FORM)];
    request(sandbox, method, &format!("/twilio/2010-04-01/Accounts/{path}"), &headers, body)
}

fn send(sandbox: &Sandbox, pairs: &[(&str, &str)]) -> (u16, Value) {
    let path = format!("{SID}/Messages.json");
    let reply = ask(sandbox, "POST", &path, (SID, TOKEN), &form(pairs));
    (reply.status, reply.json())
}

#[test]
fn a_message_is_made_and_shown() {
    let (sandbox, _) = start();
    let (status, made) = send(
        &sandbox,
        &[
            ("To", TO),
            ("From", FROM),
            ("Body", "鸿雁 & 90 %"),
            ("MediaUrl", "https://e.example/a.png"),
        ],
    );
    assert_eq!(
        (status, &made["status"], &made["error_code"]),
        (201, &json!("queued"), &Value::Null)
    );
    assert_eq!(made["date_created"], "Thu, 17 Nov 2011 03:45:20 +0000");
    let message = &sandbox.messages()[0];
    assert_eq!((&message["id"], &message["recipient"]), (&made["sid"], &json!(TO)));
    assert_eq!((&message["text"], &message["account"]), (&json!("鸿雁 & 90 %"), &json!(FROM)));
    assert_eq!(message["attachments"][0]["url"], "https://e.example/a.png");
    let service = "MG1f2e3d4c5b6a79880716253443526170";
    let (_, made) = send(&sandbox, &[("To", TO), ("MessagingServiceSid", service), ("Body", "x")]);
    assert_eq!((&made["status"], &made["from"]), (&json!("accepted"), &Value::Null));
    let template = [("To", TO), ("From", FROM), ("ContentSid", "HX1"), ("ContentVariables", "{}")];
    assert_eq!(send(&sandbox, &template).0, 201);
    assert_eq!(sandbox.messages()[2]["text"], "HX1 {}");
}

#[test]
fn refusals_have_a_code_and_the_status() {
    let (sandbox, _) = start();
    let long = "x".repeat(1601);
    let many: Vec<_> = [("To", TO), ("From", FROM)]
        .into_iter()
        .chain([("MediaUrl", "https://e.example/a.png"); 11])
        .collect();
    for (pairs, code) in [
        (&[("From", FROM), ("Body", "x")][..], 21604),
        (&[("To", "12"), ("From", FROM), ("Body", "x")], 21211),
        (&[("To", "+15005550001"), ("From", FROM), ("Body", "x")], 21211),
        (&[("To", "+15005550002"), ("From", FROM), ("Body", "x")], 21612),
        (&[("To", "+15005550004"), ("From", FROM), ("Body", "x")], 21610),
        (&[("To", TO), ("Body", "x")], 21603),
        (&[("To", TO), ("From", "+15005550007"), ("Body", "x")], 21606),
        (&[("To", TO), ("From", FROM)], 21602),
        (&[("To", TO), ("From", FROM), ("Body", &long)], 21617),
        (&many, 21623),
    ] {
        let (status, refused) = send(&sandbox, pairs);
        assert_eq!(
            (status, &refused["code"], &refused["status"]),
            (400, &json!(code), &json!(400))
        );
        let info = format!("https://www.twilio.com/docs/errors/{code}");
        assert_eq!(refused["more_info"], info);
    }
    assert!(sandbox.messages().is_empty());
}

#[test]
fn credentials_are_checked_and_an_account_is_its_own() {
    let (sandbox, _) = start();
    let body = form(&[("To", TO), ("From", FROM), ("Body", "x")]);
    let messages = format!("{SID}/Messages.json");
    for (path, by, status, code) in [
        (&messages, (SID, "of-another"), 401, 20003),
        (&messages, (KEY, TOKEN), 401, 20003),
        (&"ACother/Messages.json".to_owned(), (SID, TOKEN), 404, 20404),
        (&format!("{SID}/Calls.json"), (SID, TOKEN), 404, 20404),
    ] {
        let reply = ask(&sandbox, "POST", path, by, &body);
        assert_eq!((reply.status, &reply.json()["code"]), (status, &json!(code)), "{path}");
    }
    assert!(sandbox.messages().is_empty());
    assert_eq!(ask(&sandbox, "POST", &messages, (KEY, KEY_SECRET), &body).status, 201);
    let own = format!("{SID}.json");
    let account = ask(&sandbox, "GET", &own, (SID, TOKEN), "");
    assert_eq!((account.status, &account.json()["status"]), (200, &json!("active")));
    assert_eq!(ask(&sandbox, "GET", &own, (KEY, KEY_SECRET), "").status, 401);
}

#[test]
fn too_many_at_once_are_told_so() {
    let (sandbox, _) = start();
    let body = form(&[("To", TO), ("From", FROM), ("Body", "x")]);
    let basic = format!("Basic {}", STANDARD.encode(format!("{SID}:{TOKEN}")));
    let headers = [("Authorization", basic.as_str()), ("Content-Type", FORM)];
    let path = format!("/twilio/2010-04-01/Accounts/{SID}/Messages.json");
    sandbox.fault(json!({"service": "twilio", "kind": "rate_limit"})).expect("a fault");
    let reply = request(&sandbox, "POST", &path, &headers, &body);
    assert_eq!((reply.status, &reply.json()["code"]), (429, &json!(20429)));
    assert_eq!(request(&sandbox, "POST", &path, &headers, &body).status, 201);
}
