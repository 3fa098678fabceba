//! Messages to many telephone numbers: each number once, and a verdict for each place that it has in the
//! message.

use std::collections::BTreeSet;

use hongyan::{Client, Delivery, ErrorCode, Receipt, SendOptions};
use hongyan_sandbox::{Options, Sandbox};
use serde_json::{Value, json};

/// A sandbox, and a client that does not pace by itself.
fn start(service: &str) -> (Sandbox, Client) {
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    let mut account = sandbox.config()["accounts"][service].clone();
    account["rate"] = Value::Null;
    let config = json!({"v": 1, "retry": {"max_attempts": 1}, "accounts": {"a": account}});
    let client = Client::from_json(&config.to_string()).expect("a client");
    (sandbox, client)
}

fn send(client: &Client, phones: &[String]) -> Receipt {
    let message = json!({"v": 1, "account": "a", "to": {"phones": phones}, "text": "hello"});
    client.send(message.to_string().as_bytes(), SendOptions::default()).expect("accepted")
}

/// Each recipient with its delivery.
fn each(receipt: &Receipt) -> Vec<(&str, Delivery)> {
    let all = receipt.recipients.as_ref().expect("recipients").iter();
    all.map(|one| (one.name.as_str(), one.delivery)).collect()
}

/// The bodies of the requests that brought what arrived, each once.
fn requests(sandbox: &Sandbox) -> BTreeSet<String> {
    let body = |message: &Value| message["request"]["body"].as_str().expect("a body").to_owned();
    sandbox.messages().iter().map(body).collect()
}

#[test]
fn ten_thousand_numbers_have_a_verdict_each() {
    let (sandbox, client) = start("tencent_sms");
    let blocked = "+8613800000004";
    let mut phones: Vec<_> = (0..9_999).map(|n| format!("+86139{n:08}")).collect();
    phones.insert(5000, blocked.to_owned());
    let receipt = send(&client, &phones);
    assert_eq!(receipt.delivery, Delivery::PartlySent, "{:?}", receipt.error);
    let told = each(&receipt);
    assert_eq!(told.len(), 10_000);
    for ((name, delivery), own) in told.iter().zip(&phones) {
        assert_eq!(name, own);
        assert_eq!(*delivery == Delivery::Sent, name != &blocked, "{name}");
    }
    let all = receipt.recipients.as_ref().expect("recipients");
    assert_eq!(all[5000].error.as_ref().map(hongyan::Error::code), Some(ErrorCode::Forbidden));
    let ids: BTreeSet<_> = all.iter().filter_map(|one| one.message_id.as_deref()).collect();
    assert_eq!(ids.len(), 9_999, "an id of its own for each");
    assert_eq!(sandbox.messages().len(), 9_999);
    assert_eq!(requests(&sandbox).len(), 50, "of 200 numbers each");
}

#[test]
fn a_number_that_stands_twice_gets_it_once() {
    for (service, shown) in [("tencent_sms", "+8613900000001"), ("aliyun_sms", "13900000001")] {
        let (sandbox, client) = start(service);
        let phones = ["13900000001", "+8613900000002", "+8613900000001", "13900000001"];
        let receipt = send(&client, &phones.map(str::to_owned));
        assert_eq!(receipt.delivery, Delivery::Sent, "{:?}", receipt.error);
        assert_eq!(each(&receipt), phones.map(|phone| (phone, Delivery::Sent)));
        let messages = sandbox.messages();
        assert_eq!(messages.len(), 2, "{service}");
        assert_eq!(messages[0]["recipient"], shown);
    }
}

#[test]
fn numbers_within_china_and_abroad_go_in_requests_of_their_own() {
    let (sandbox, client) = start("tencent_sms");
    let phones = ["+14155550100", "+8613900000001", "13900000002", "+8613800000004"];
    let receipt = send(&client, &phones.map(str::to_owned));
    // The template is for numbers within China: those abroad are told so, and stop nobody.
    let (sent, not_sent) = (Delivery::Sent, Delivery::NotSent);
    let told: Vec<_> = each(&receipt).into_iter().map(|(_, delivery)| delivery).collect();
    assert_eq!(told, [not_sent, sent, sent, not_sent], "{receipt:?}");
    assert_eq!(receipt.delivery, Delivery::PartlySent);
    let all = receipt.recipients.as_ref().expect("recipients");
    let code = |i: usize| all[i].error.as_ref().and_then(|error| error.service_code());
    assert_eq!(code(0), Some("UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone"));
    assert_eq!(code(3), Some("FailedOperation.PhoneNumberInBlacklist"));
    assert_eq!(sandbox.messages().len(), 2);
}

#[test]
fn one_verdict_is_that_of_all_numbers_of_its_request() {
    let (sandbox, client) = start("aliyun_sms");
    let phones = ["13900000001", "+861390000", "13900000002"].map(str::to_owned);
    let receipt = send(&client, &phones);
    assert_eq!(receipt.delivery, Delivery::NotSent);
    assert!(each(&receipt).iter().all(|(_, delivery)| *delivery == Delivery::NotSent));
    assert!(sandbox.messages().is_empty());
    let receipt = send(&client, &phones[..1]);
    assert_eq!((receipt.delivery, each(&receipt).len()), (Delivery::Sent, 1));
    assert_eq!(sandbox.messages()[0]["id"].as_str(), receipt.message_id.as_deref());
}

#[test]
fn whoever_had_one_too_soon_waits_alone() {
    let (sandbox, client) = start("tencent_sms");
    let phones = |numbers: &[&str]| numbers.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    assert_eq!(send(&client, &phones(&["+8613900000001"])).delivery, Delivery::Sent);
    let receipt = send(&client, &phones(&["+8613900000001", "+8613900000002"]));
    assert_eq!(receipt.delivery, Delivery::PartlySent);
    let first = &receipt.recipients.as_ref().expect("recipients")[0];
    let error = first.error.as_ref().expect("an error");
    assert_eq!((error.code(), error.is_retryable()), (ErrorCode::RateLimited, true));
    assert_eq!(error.retry_after_ms(), Some(30_000));
    assert_eq!(sandbox.messages().len(), 2);
}
