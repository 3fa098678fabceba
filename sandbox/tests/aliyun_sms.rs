//! Alibaba Cloud SMS, over real sockets.

mod common;

use common::*;
use hmac::{Hmac, KeyInit, Mac};
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const ID: &str = "LTAI5tHongyan0123456789a";
const SECRET: &str = "aliyunSmsSecret0123456789abcde";
const DATE: &str = "2011-11-17T03:45:20Z";
/// The order of the signed fields.
const NAMES: [&str; 7] = [
    "content-type",
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends parameters in the body or the query, signed with this nonce.
fn ask(
    sandbox: &Sandbox,
    (id, secret): (&str, &str),
    date: &str,
    nonce: &str,
    (query, body): (&str, &str),
) -> (u16, Value) {
    let hash = hex(&Sha256::digest(body));
    let values = [FORM, "sandbox.test", "SendSms", &hash, date, nonce, "2017-05-25"];
    let fields: Vec<_> = NAMES.into_iter().zip(values).collect();
    let lines: String = fields.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names = NAMES.join(";");
    let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{hash}");
    let text = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(text.as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    let authorization =
        format!("ACS3-HMAC-SHA256 Credential={id},SignedHeaders={names},Signature={signature}");
    let mut headers: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "host").collect();
    headers.push(("authorization", &authorization));
    let target = format!("/aliyun_sms/?{query}");
    let reply = request(sandbox, "POST", target.trim_end_matches('?'), &headers, body);
    (reply.status, reply.json())
}

fn message(more: &[(&str, &str)]) -> String {
    let usual = [
        ("PhoneNumbers", "13800000001"),
        ("SignName", "鸿雁"),
        ("TemplateCode", "SMS_100000001"),
        ("TemplateParam", r#"{"content":"hi"}"#),
    ];
    let other = |name: &str| more.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
    form(&usual.map(|(name, value)| (name, other(name).unwrap_or(value))))
}

fn send(sandbox: &Sandbox, nonce: &str, more: &[(&str, &str)]) -> (u16, Value) {
    ask(sandbox, (ID, SECRET), DATE, nonce, ("", &message(more)))
}

#[test]
fn all_numbers_have_one_answer() {
    let (sandbox, _) = start();
    let more = [
        ("PhoneNumbers", "13800000001,+8613800000002"),
        ("TemplateCode", "SMS_100000002"),
        ("TemplateParam", r#"{"code":"1234"}"#),
    ];
    let (status, told) = send(&sandbox, "1", &more);
    assert_eq!((status, &told["Code"], &told["Message"]), (200, &json!("OK"), &json!("OK")));
    let messages = sandbox.messages();
    assert_eq!(messages.len(), 2);
    for (message, number) in messages.iter().zip(["13800000001", "13800000002"]) {
        assert_eq!((&message["id"], &message["recipient"]), (&told["BizId"], &json!(number)));
        assert_eq!(message["text"], "您的验证码是1234，请勿泄露。");
    }
    let query = "PhoneNumbers=13800000003&SignName=%E9%B8%BF%E9%9B%81&TemplateCode=SMS_100000003";
    let (_, told) = ask(&sandbox, (ID, SECRET), DATE, "2", (query, ""));
    assert_eq!(told["Code"], "OK", "in the query, too");
}

#[test]
fn refusals_of_a_message_come_in_a_success_of_http() {
    let (sandbox, _) = start();
    let many = vec!["13800000001"; 1001].join(",");
    for (n, (name, value, code)) in [
        ("PhoneNumbers", "", "isv.MOBILE_NUMBER_ILLEGAL"),
        ("PhoneNumbers", "13800000001,8613", "isv.MOBILE_NUMBER_ILLEGAL"),
        ("PhoneNumbers", &many, "isv.MOBILE_COUNT_OVER_LIMIT"),
        ("PhoneNumbers", "85212345678", "isv.DOMESTIC_NUMBER_NOT_SUPPORTED"),
        ("SignName", "雁", "isv.SMS_SIGNATURE_ILLEGAL"),
        ("TemplateCode", "SMS_1", "isv.SMS_TEMPLATE_ILLEGAL"),
        ("TemplateParam", "{}", "isv.TEMPLATE_MISSING_PARAMETERS"),
        ("TemplateParam", "x", "isv.INVALID_JSON_PARAM"),
        ("TemplateParam", r#"{"content":"https://example.com"}"#, "isv.PARAM_NOT_SUPPORT_URL"),
    ]
    .into_iter()
    .enumerate()
    {
        let (status, told) = send(&sandbox, &n.to_string(), &[(name, value)]);
        assert_eq!((status, &told["Code"]), (200, &json!(code)), "{name} {value:.20}");
    }
    assert!(sandbox.messages().is_empty());
}

#[test]
fn a_signature_holds_once_for_its_key_and_its_time() {
    let (sandbox, _) = start();
    let body = message(&[]);
    for (key, date, status, code) in [
        (("LTAIx", SECRET), DATE, 404, "InvalidAccessKeyId.NotFound"),
        ((ID, "x"), DATE, 400, "SignatureDoesNotMatch"),
        ((ID, SECRET), "2011-11-17T03:40:19Z", 400, "InvalidTimeStamp.Expired"),
        ((ID, SECRET), "yesterday", 400, "IncompleteSignature"),
    ] {
        let (own, told) = ask(&sandbox, key, date, "1", ("", &body));
        assert_eq!((own, &told["Code"]), (status, &json!(code)));
        assert_eq!(told["HostId"], "sandbox.test");
    }
    assert_eq!(send(&sandbox, "1", &[]).1["Code"], "OK", "what was refused has used no nonce up");
    assert_eq!(send(&sandbox, "1", &[]).1["Code"], "SignatureNonceUsed");
    assert_eq!(sandbox.messages().len(), 1);
}

#[test]
fn a_number_has_limits_of_a_minute_an_hour_and_a_day() {
    let (sandbox, _) = start();
    assert_eq!(send(&sandbox, "1", &[]).1["Code"], "OK");
    let (_, told) = send(&sandbox, "2", &[("PhoneNumbers", "+8613800000001")]);
    assert_eq!(told["Code"], "isv.BUSINESS_LIMIT_CONTROL");
    assert_eq!(told["Message"], "触发分钟级流控Permits:1");
    assert_eq!(send(&sandbox, "3", &[("PhoneNumbers", "13800000002")]).1["Code"], "OK");
    sandbox.limits(false);
    assert_eq!(send(&sandbox, "4", &[]).1["Code"], "OK");
}
