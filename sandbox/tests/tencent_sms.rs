//! Tencent Cloud SMS, over real sockets.

mod common;

use common::*;
use hmac::{Hmac, KeyInit, Mac};
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const ID: &str = "AKIDhongyan0123456789abcdefghijklmn";
const SECRET: &str = "tencentSmsSecret0123456789abcdef";
const JSON: &str = "application/json";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Sends a body at a time, signed for that day.
fn ask(sandbox: &Sandbox, (id, secret): (&str, &str), at: u64, day: &str, body: &str) -> Value {
    let hash = hex(&Sha256::digest(body));
    let names = "content-type;host";
    let canonical = format!("POST\n/\n\ncontent-type:{JSON}\nhost:sandbox.test\n\n{names}\n{hash}");
    let scope = format!("{day}/sms/tc3_request");
    let text = format!("TC3-HMAC-SHA256\n{at}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let key = mac(&mac(&mac(format!("TC3{secret}").as_bytes(), day), "sms"), "tc3_request");
    let signature = hex(&mac(&key, &text));
    let authorization = format!(
        "TC3-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    let at = at.to_string();
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", JSON),
        ("X-TC-Action", "SendSms"),
        ("X-TC-Version", "2021-01-11"),
        ("X-TC-Region", "ap-guangzhou"),
        ("X-TC-Timestamp", &at),
    ];
    let reply = request(sandbox, "POST", "/tencent_sms/", &headers, body);
    assert_eq!(reply.status, 200);
    reply.json()["Response"].clone()
}

fn send(sandbox: &Sandbox, more: Value) -> Value {
    let mut body = json!({"PhoneNumberSet": ["+8613800000001"], "SmsSdkAppId": "1400006666",
        "SignName": "鸿雁", "TemplateId": "1110", "TemplateParamSet": ["hi"]});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    ask(sandbox, (ID, SECRET), NOW_S, "2011-11-17", &body.to_string())
}

fn codes(response: &Value) -> Vec<&str> {
    let set = response["SendStatusSet"].as_array().expect("a list").iter();
    set.map(|one| one["Code"].as_str().expect("a code")).collect()
}

#[test]
fn each_number_is_told_of_by_itself() {
    let (sandbox, _) = start();
    let numbers = ["+8613800000001", "13800000002", "+8613800000004", "+86138"];
    let more = json!({"PhoneNumberSet": numbers, "TemplateId": "1111",
        "TemplateParamSet": ["1234", "5"], "SessionContext": "order 7"});
    let response = send(&sandbox, more);
    assert_eq!(
        codes(&response),
        [
            "Ok",
            "Ok",
            "FailedOperation.PhoneNumberInBlacklist",
            "InvalidParameterValue.IncorrectPhoneNumber",
        ]
    );
    let second = &response["SendStatusSet"][1];
    assert_eq!((&second["PhoneNumber"], &second["Fee"]), (&json!("+8613800000002"), &json!(1)));
    assert_eq!(second["SessionContext"], "order 7");
    let messages = sandbox.messages();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["text"], "您的验证码是1234，5分钟内有效。");
    assert_eq!((&messages[1]["id"], &messages[1]["title"]), (&second["SerialNo"], &json!("鸿雁")));
}

#[test]
fn a_request_is_refused_as_a_whole() {
    let (sandbox, _) = start();
    for (more, code) in [
        (json!({"PhoneNumberSet": []}), "MissingParameter.EmptyPhoneNumberSet"),
        (
            json!({"PhoneNumberSet": vec!["+8613800000001"; 201]}),
            "LimitExceeded.PhoneNumberCountLimit",
        ),
        (json!({"SmsSdkAppId": "1"}), "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
        (json!({"SignName": "雁"}), "FailedOperation.SignatureIncorrectOrUnapproved"),
        (json!({"TemplateId": "1"}), "FailedOperation.TemplateIncorrectOrUnapproved"),
        (
            json!({"TemplateParamSet": []}),
            "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
        ),
        (
            json!({"TemplateId": "1210"}),
            "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone",
        ),
        (
            json!({"PhoneNumberSet": ["+14155550100"]}),
            "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone",
        ),
        (
            json!({"PhoneNumberSet": ["+8613800000001", "+14155550100"]}),
            "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber",
        ),
        (json!({"TemplateParamSet": [1]}), "InvalidParameter"),
    ] {
        let response = send(&sandbox, more.clone());
        assert_eq!(response["Error"]["Code"], code, "{more}");
        assert_eq!(response.get("SendStatusSet"), None);
    }
    assert!(sandbox.messages().is_empty());
    let abroad = json!({"PhoneNumberSet": ["+14155550100", "+85012345678"], "TemplateId": "1210"});
    let codes_abroad = ["Ok", "LimitExceeded.AppCountryOrRegionInBlacklist"];
    assert_eq!(codes(&send(&sandbox, abroad)), codes_abroad);
}

#[test]
fn a_signature_holds_for_its_key_its_time_and_its_day() {
    let (sandbox, _) = start();
    let body = json!({"PhoneNumberSet": ["+8613800000001"]}).to_string();
    let day = "2011-11-17";
    for (key, at, day, code) in [
        (("AKIDx", SECRET), NOW_S, day, "AuthFailure.SecretIdNotFound"),
        ((ID, "x"), NOW_S, day, "AuthFailure.SignatureFailure"),
        ((ID, SECRET), NOW_S, "2011-11-18", "AuthFailure.SignatureFailure"),
        ((ID, SECRET), NOW_S - 301, day, "AuthFailure.SignatureExpire"),
        ((ID, SECRET), NOW_S + 301, day, "AuthFailure.SignatureExpire"),
        ((ID, SECRET), NOW_S - 300, day, "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
    ] {
        let response = ask(&sandbox, key, at, day, &body);
        assert_eq!(response["Error"]["Code"], code);
    }
    let bare = request(&sandbox, "POST", "/tencent_sms/", &[("Content-Type", JSON)], &body);
    assert_eq!(bare.json()["Response"]["Error"]["Code"], "AuthFailure.InvalidAuthorization");
}

#[test]
fn a_number_gets_one_in_thirty_seconds() {
    let (sandbox, clock) = start();
    assert_eq!(codes(&send(&sandbox, json!({}))), ["Ok"]);
    let soon = ["LimitExceeded.PhoneNumberThirtySecondLimit"];
    let other = json!({"PhoneNumberSet": ["13800000001"]});
    assert_eq!(codes(&send(&sandbox, other)), soon, "in whatever spelling");
    clock.advance(30_000);
    assert_eq!(codes(&send(&sandbox, json!({}))), ["Ok"]);
    sandbox.limits(false);
    assert_eq!(codes(&send(&sandbox, json!({}))), ["Ok"]);
    assert_eq!(sandbox.messages().len(), 3);
}
