//! Weibo, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const PATH: &str = "/weibo/2/direct_messages/send.json";

/// Sends with the token in the form.
fn send(sandbox: &Sandbox, form: &str) -> Reply {
    let body = format!("access_token=weibo-token&{form}");
    request(sandbox, "POST", PATH, &[("Content-Type", FORM)], &body)
}

/// The HTTP status and the code of a refusal of the usual shape.
fn refusal(reply: &Reply) -> (u16, u64) {
    assert_eq!(reply.header("content-type"), Some("application/json;charset=UTF-8"));
    let body = reply.json();
    assert_eq!(body["request"], "/2/direct_messages/send.json");
    assert!(body["error"].as_str().is_some_and(|words| !words.is_empty()));
    (reply.status, body["error_code"].as_u64().expect("a number"))
}

#[test]
fn answers_as_documented() {
    let (sandbox, _) = start();
    let reply = send(&sandbox, "uid=2125034703&text=%E7%A7%81%E4%BF%A11");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json;charset=UTF-8"));
    let mut message = reply.json();
    let mut expected: Value =
        serde_json::from_str(include_str!("vectors/weibo_message.json")).expect("JSON");
    for (name, value) in [
        ("id", json!(9_007_199_254_740_993_u64)),
        ("idstr", json!("9007199254740993")),
        ("mid", json!("9007199254740993")),
        ("created_at", json!("Thu Nov 17 11:45:20 +0800 2011")),
        ("att_ids", json!([])),
        ("status_id", json!(0)),
    ] {
        expected[name] = value;
    }
    // The sample shows the profiles of two others.
    assert_eq!(message["sender"]["id"], message["sender_id"]);
    assert_eq!(message["recipient"]["idstr"], "2125034703");
    for name in ["sender", "recipient"] {
        message[name].take();
        expected[name].take();
    }
    assert_eq!(message, expected);

    let delivered = sandbox.messages();
    assert_eq!(delivered.len(), 1);
    for (name, value) in [
        ("service", json!("weibo")),
        ("account", json!("sso20333333333")),
        ("recipient", json!("2125034703")),
        ("text", json!("私信1")),
        ("id", json!("9007199254740993")),
    ] {
        assert_eq!(delivered[0][name], value, "{name}");
    }
}

#[test]
fn no_id_is_a_double() {
    let (sandbox, _) = start();
    for at in 0..3 {
        let message = send(&sandbox, &format!("uid=2125034703&text={at}")).json();
        let id = message["id"].as_u64().expect("an id");
        assert_ne!(id as f64 as u64, id);
        assert_eq!(message["idstr"], id.to_string());
    }
}

#[test]
fn finds_recipients_and_prefers_the_uid() {
    let (sandbox, _) = start();
    let niunai = escape("牛奶_蜜豆");
    for (to, recipient) in [
        ("uid=1716448455", 1_716_448_455),
        ("screen_name=zhaoya0029", 2_125_034_703_u64),
        (&format!("screen_name={niunai}&x=1"), 1_716_448_455),
        (&format!("uid=2125034703&screen_name={niunai}"), 2_125_034_703),
        ("uid=2125034703&screen_name=nobody", 2_125_034_703),
        ("uid=&screen_name=zhaoya0029", 2_125_034_703),
    ] {
        let message = send(&sandbox, &format!("{to}&text={}", escape(to))).json();
        assert_eq!(message["recipient_id"], recipient, "{to}");
    }
    assert_eq!(refusal(&send(&sandbox, "uid=1&screen_name=zhaoya0029&text=hi")), (400, 20003));
}

#[test]
fn refuses_what_it_cannot_send() {
    let (sandbox, _) = start();
    let text = |text: &str| form(&[("uid", "2125034703"), ("text", text)]);
    for (form, code) in [
        ("text=hi", 20502),
        ("uid=&screen_name=&text=hi", 20502),
        ("uid=2125034703", 20008),
        ("uid=2125034703&text=", 20008),
        (&text(&"饭".repeat(301)), 20013),
        (&text(&"a".repeat(601)), 20013),
        ("uid=2&text=hi", 20003),
        ("screen_name=nobody&text=hi", 20003),
        ("uid=5000020301&text=hi", 20301),
        ("screen_name=stranger&text=hi", 20301),
        ("uid=4294917290&text=hi", 20301),
        ("uid=5000020508&text=hi", 20508),
        ("uid=5000020512&text=hi", 20512),
        ("uid=2125034703&text=%ff", 10008),
    ] {
        assert_eq!(refusal(&send(&sandbox, form)), (400, code), "{form}");
    }
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
    for longest in ["饭".repeat(300), "a".repeat(600)] {
        assert_eq!(send(&sandbox, &text(&longest)).status, 200);
    }
    let wrong = send(&sandbox, "uid=zhaoya0029&text=hi");
    let body = wrong.json();
    assert_eq!((wrong.status, &body["error_code"]), (400, &json!("10017")), "a string");
    assert_eq!(body["request"], "/2/direct_messages/send.json");
    assert!(body["error"].as_str().expect("words").contains("(zhaoya0029)"));
}

#[test]
fn refuses_the_latest_text_once_more() {
    let (sandbox, _) = start();
    for (form, status) in [
        ("uid=2125034703&text=hi", 200),
        ("uid=2125034703&text=hi", 400),
        ("screen_name=zhaoya0029&text=hi", 400),
        ("uid=1716448455&text=hi", 200),
        ("uid=2125034703&text=ho", 200),
        ("uid=2125034703&text=hi", 200),
    ] {
        let reply = send(&sandbox, form);
        assert_eq!(reply.status, status, "{form}");
        if status == 400 {
            assert_eq!(refusal(&reply), (400, 20019));
        }
    }
    // A message that was taken behind a lost answer counts.
    fault(
        &sandbox,
        json!({"service": "weibo", "kind": "answer", "stored": true, "status": 502,
                           "body": ""}),
    );
    assert_eq!(send(&sandbox, "uid=2125034703&text=lost").status, 502);
    assert_eq!(refusal(&send(&sandbox, "uid=2125034703&text=lost")), (400, 20019));
}

#[test]
fn takes_the_token_from_the_form_and_the_header_only() {
    let (sandbox, _) = start();
    let message = "uid=2125034703&text=hi";
    let send = |target: &str, header: &str, form: &str| {
        let headers = [("Content-Type", FORM), ("Authorization", header)];
        // An empty header stands for none.
        let headers = if header.is_empty() { &headers[..1] } else { &headers };
        let body = if form.is_empty() { message.to_owned() } else { format!("{form}&{message}") };
        request(&sandbox, "POST", target, headers, &body)
    };
    let null = json!({"error": "auth by Null spi!", "error_code": 21301});
    for (target, header, form) in [
        (PATH, "", ""),
        (PATH, "", "access_token="),
        (&format!("{PATH}?access_token=weibo-token"), "", ""),
        (PATH, "Bearer weibo-token", "source=1"),
    ] {
        let reply = send(target, header, form);
        assert_eq!((reply.status, reply.json()), (403, null.clone()), "{target} {header} {form}");
    }
    let reply = send(PATH, BASIC, "");
    let missing = json!({"error": "source paramter(appkey) is missing", "error_code": "10006"});
    assert_eq!((reply.status, reply.json()), (400, missing));
    for (header, form) in [
        ("", "access_token=other"),
        ("OAuth2 other", ""),
        ("OAuth2 weibo-token", "access_token=other"),
        ("OAuth2 other", "access_token=weibo-token"),
    ] {
        assert_eq!(refusal(&send(PATH, header, form)), (403, 21332), "{header} {form}");
    }
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
    assert_eq!(send(PATH, "OAuth2 weibo-token", "").status, 200);
    let both = send(PATH, "oauth2 weibo-token", "access_token=weibo-token");
    assert_eq!(refusal(&both), (400, 20019), "let in");
}

#[test]
fn knows_its_path_and_method() {
    let (sandbox, _) = start();
    for path in ["/weibo/2/direct_messages/new.json", "/weibo/direct_messages/send.json"] {
        let reply = request(&sandbox, "POST", path, &[], "");
        assert_eq!((reply.status, &reply.json()["error_code"]), (404, &json!(10020)), "{path}");
        assert_eq!(reply.json()["request"], path["/weibo".len()..]);
    }
    let reply = get(&sandbox, PATH);
    assert_eq!((refusal(&reply), reply.header("allow")), ((405, 10021), Some("POST")));
}

#[test]
fn rate_limits_and_drops_are_its_own() {
    let (sandbox, _) = start();
    let limit = json!({"service": "weibo", "kind": "rate_limit", "retry_after_s": 60});
    fault(&sandbox, limit);
    fault(&sandbox, json!({"service": "weibo", "kind": "drop"}));
    let limited = send(&sandbox, "uid=2125034703&text=hi");
    assert_eq!((refusal(&limited), limited.header("retry-after")), ((403, 10022), Some("60")));
    assert_eq!(refusal(&send(&sandbox, "uid=2125034703&text=hi")), (400, 21602));
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
}
