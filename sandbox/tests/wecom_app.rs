//! WeCom's apps, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const SECRET: &str = "wecom-app-secret_0123456789abcdefghijklm";

fn token(sandbox: &Sandbox, corp: &str, secret: &str) -> Value {
    let path = format!("/wecom_app/cgi-bin/gettoken?corpid={corp}&corpsecret={secret}");
    request(sandbox, "GET", &path, &[], "").json()
}

fn live(sandbox: &Sandbox) -> String {
    token(sandbox, "ww0123456789abcdef", SECRET)["access_token"].as_str().expect("one").to_owned()
}

fn send(sandbox: &Sandbox, token: &str, more: Value) -> Value {
    let mut body = json!({"touser": "anna", "agentid": 1_000_002, "msgtype": "text",
        "text": {"content": "hi"}});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let json = ("Content-Type", "application/json");
    let path = format!("/wecom_app/cgi-bin/message/send?access_token={token}");
    request(sandbox, "POST", &path, &[json], &body.to_string()).json()
}

#[test]
fn a_token_is_given_for_the_secret_and_ends() {
    let (sandbox, clock) = start();
    let code = |corp, secret| token(&sandbox, corp, secret)["errcode"].clone();
    assert_eq!(code("ww0123456789abcdef", ""), json!(41004));
    assert_eq!(code("wwx", SECRET), json!(40013));
    assert_eq!(code("ww0123456789abcdef", "x"), json!(40001));
    let first = live(&sandbox);
    assert_eq!(live(&sandbox), first, "the same while it lives");
    assert_eq!(send(&sandbox, &first, json!({}))["errcode"], 0);
    assert_eq!(send(&sandbox, "", json!({}))["errcode"], 41001);
    assert_eq!(send(&sandbox, "x", json!({}))["errcode"], 40014);
    clock.advance(7_200_000);
    assert_eq!(send(&sandbox, &first, json!({}))["errcode"], 42001);
    assert_eq!(send(&sandbox, &live(&sandbox), json!({}))["errcode"], 0);
    for _ in 0..20 {
        code("ww0123456789abcdef", "x");
    }
    assert_eq!(code("ww0123456789abcdef", "x"), json!(45009), "many wrong secrets block");
}

#[test]
fn tells_of_whom_it_cannot_send_to_in_lists() {
    let (sandbox, _) = start();
    let token = live(&sandbox);
    let more = json!({"touser": "Anna|nobody|NoLicence", "toparty": "2|9", "totag": "8"});
    let answer = send(&sandbox, &token, more);
    assert_eq!(answer["errcode"], 0);
    for (list, who) in [
        ("invaliduser", "nobody"),
        ("invalidparty", "9"),
        ("invalidtag", "8"),
        ("unlicenseduser", "nolicence"),
    ] {
        assert_eq!(answer[list], who, "{list}");
    }
    let recipients: Vec<_> =
        sandbox.messages().iter().map(|one| one["recipient"].clone()).collect();
    assert_eq!(recipients, [json!("anna"), json!("2")]);
    assert_eq!(send(&sandbox, &token, json!({"touser": "nobody"}))["errcode"], 81013);
    assert_eq!(send(&sandbox, &token, json!({"touser": ""}))["errcode"], 82001);
    assert_eq!(send(&sandbox, &token, json!({"agentid": 7}))["errcode"], 301_002);
    assert_eq!(send(&sandbox, &token, json!({"msgtype": "dance"}))["errcode"], 40008);
    send(&sandbox, &token, json!({"touser": "@all"}));
    assert_eq!(sandbox.messages().len(), 5);
}

#[test]
fn what_comes_too_often_is_dropped_without_a_sign() {
    let (sandbox, clock) = start();
    let token = live(&sandbox);
    for n in 0..31 {
        let answer = send(&sandbox, &token, json!({"text": {"content": n.to_string()}}));
        assert_eq!(answer["errcode"], 0);
    }
    assert_eq!(sandbox.messages().len(), 30);
    clock.advance(60_000);
    let same = json!({"text": {"content": "same"}, "enable_duplicate_check": 1});
    for _ in 0..2 {
        assert_eq!(send(&sandbox, &token, same.clone())["errcode"], 0);
    }
    assert_eq!(sandbox.messages().len(), 31, "the same content once");
}
