//! Tests of every service at once, in every format that it can be asked for: what the words of
//! gateways are worth, and what those of the service.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::api::{Answer, Draft, Opened, Seed};
use super::judge::{is_success, judge};
use super::verdict::{Class, Outcome, Row};
use super::{SERVICES, open};
use crate::model::config::AccountConfig;
use crate::model::error::ErrorCode;
use crate::model::message::Message;
use crate::model::receipt::Delivery;
use gateways::{STATUSES, bodies, by_status};

#[path = "../../tests/gateways/list.rs"]
mod gateways;
mod letter;

/// An account of a service with a message encoded for it, and an answer that is its success.
struct Sender {
    service: &'static str,
    opened: Opened,
    table: &'static [Row],
    draft: Draft,
    success: &'static str,
    /// The bodies of gateways that are the service's own words too, where its status is one of success.
    shares: Vec<String>,
    /// Members beside which a success contradicts itself.
    contradictions: Vec<String>,
}

/// What contradicts a success in one of these formats that any service might have.
const CONTRADICTIONS: &[&str] = &[
    r#""id":1"#,
    r#""id":null"#,
    r#""\u0069d":1"#,
    r#""error":"no""#,
    r#""error":"""#,
    r#""error":{}"#,
    r#""error":[]"#,
    r#""error":false"#,
    r#""error":0"#,
    r#""error_code":0"#,
    r#""error_code":"0""#,
    r#""error_code":"""#,
    r#""error_code":false"#,
    r#""error_code":20003"#,
    r#""\u0065rror":1"#,
    r#""errors":[]"#,
    r#""message":"Bad Gateway""#,
    r#""code":502"#,
    r#""errors":[{"code":1}]"#,
    r#""error":"no","error_code":403"#,
    r#""error":"40017:Error: no","error_code":"400""#,
    r#""text":"b""#,
    r#""request":"/x","error":"no""#,
    r#""error_code":10001,"error":"System error""#,
];

impl Sender {
    fn new(service: &'static str, more: Value, message: Value, success: &'static str) -> Sender {
        let with = |mut map: Value, more: Value| {
            let (Some(map_own), Value::Object(more)) = (map.as_object_mut(), more) else {
                panic!()
            };
            map_own.extend(more);
            map
        };
        let config = with(json!({"service": service}), more);
        let config = AccountConfig::from_value(config, "account").expect("an account");
        let (own, opened) = open(config).expect("an account");
        let message = with(json!({"v": 1, "account": "a", "text": "hello"}), message);
        let message = Message::from_json(&message.to_string()).expect("a message");
        let draft = opened.account.encode(&message, Seed(7)).expect("what the service can carry");
        let contradictions = CONTRADICTIONS.iter().map(|&member| member.to_owned()).collect();
        Sender {
            service,
            table: own.table,
            opened,
            draft,
            success,
            shares: Vec::new(),
            contradictions,
        }
    }

    /// The account, the message and the success that stand in the corpus of answers.
    fn of_corpus(service: &'static str) -> Sender {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(service);
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
        let default: Value = serde_json::from_str(&read("default.json")).expect("JSON");
        let mut account = default["account"].clone();
        account["base_url"] = "http://127.0.0.1:1".into();
        let list = |name: &str| {
            let list = default[name].as_array().into_iter().flatten();
            list.map(|entry| entry.as_str().expect("text").to_owned()).collect::<Vec<_>>()
        };
        let success = read("success.body").leak();
        let sender = Sender::new(service, account, default["message"].clone(), success);
        let mut sender = Sender { shares: list("shares"), ..sender };
        if !default["contradictions"].is_null() {
            sender.contradictions = list("contradictions");
        }
        // The step that sends is the last.
        for (name, value) in default["kept"].as_object().into_iter().flatten() {
            let value = value.as_str().expect("text").to_owned();
            sender.draft.kept.push((name.clone().into(), value));
        }
        sender
    }

    fn decode(&self, status: u16, body: impl AsRef<[u8]>) -> Outcome {
        let answer = Answer { status, body: body.as_ref().to_vec(), ..Answer::default() };
        let reading = self.opened.account.read(&mut self.draft.clone(), &answer);
        judge(self.table, &answer, reading)
    }

    /// What the status alone says, in full.
    fn by_status(&self, status: u16) -> Judged {
        let (delivery, name) = by_status(self.service, status);
        let class = match (delivery, name) {
            (_, "rate_limited") => Class::Wait,
            ("maybe_sent", _) if self.service == "webhook" && status == 408 => Class::Never,
            ("not_sent", "service") => Class::Backoff,
            ("maybe_sent", _) => Class::Backoff,
            _ => Class::Never,
        };
        let is_code = match self.service {
            "fanfou" => [400, 401, 403, 404].contains(&status),
            "webhook" => status >= 300,
            _ => false,
        };
        let code = is_code.then(|| status.to_string());
        (delivery, Some(name), class, code, None, false)
    }

    /// Checks that an answer with status 200 is not believed.
    fn doubts(&self, body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        let judged = judged(&self.decode(200, body));
        let words = String::from_utf8_lossy(body);
        assert_eq!(judged, self.by_status(200), "{}: {words:?}", self.service);
    }
}

/// Delivery, error, class, code, id, and whether it is proof of an earlier attempt.
type Judged = (&'static str, Option<&'static str>, Class, Option<String>, Option<String>, bool);

fn judged(outcome: &Outcome) -> Judged {
    assert!(!outcome.dropped && outcome.told_wait.is_none(), "{outcome:?}");
    let name = outcome.name.map(ErrorCode::name);
    let (code, id) = (outcome.service_code.clone(), outcome.message_id.clone());
    (outcome.delivery.name(), name, outcome.class, code, id, outcome.repeated)
}

const JSON_MESSAGE: &str = r#"{"id":"2077","created_at":"Thu Nov 17 03:45:20 +0000 2011","text":"hello","sender":{"id":"test","protected":true},"geo":null}"#;
const XML_MESSAGE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<direct_message><id>2077</id>\
                           <text>hello</text></direct_message>";
const FEED: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel>\
                    <title>hello</title></channel></rss>";

/// Every service, as its corpus has it, and in every other format that it can be asked for.
fn senders() -> Vec<Sender> {
    let basic = || json!({"type": "basic", "username": "u", "password": "p"});
    let fanfou = |format, message, success| {
        Sender::new("fanfou", json!({"auth": basic(), "format": format}), message, success)
    };
    let to_user = || json!({"to": {"user": "11051"}});
    let jsonp = json!({"to": {"user": "11051"}, "extra": {"callback": "cb"}});
    let sina = json!({"auth": basic(), "app_key": "k", "format": "xml"});
    let site = json!({"auth": basic(), "format": "xml", "base_url": "https://social.example"});
    // Nothing stands between us and a mail server that speaks HTTP.
    let over_http = SERVICES.iter().filter(|service| service.info.schemes.contains(&"http"));
    let mut senders: Vec<_> =
        over_http.map(|service| Sender::of_corpus(service.info.name)).collect();
    senders.extend([
        fanfou("json", jsonp, JSON_MESSAGE),
        fanfou("xml", to_user(), XML_MESSAGE),
        fanfou("rss", to_user(), FEED),
        Sender::new("sina", sina, to_user(), XML_MESSAGE),
        Sender::new("statusnet", site, to_user(), XML_MESSAGE),
    ]);
    senders
}

fn is_xml(body: &str) -> bool {
    body.starts_with('<')
}

#[test]
fn no_gateway_s_body_says_more_than_its_status() {
    let bodies = bodies();
    assert!(bodies.len() > 200, "{} bodies only", bodies.len());
    let mut wrong = Vec::new();
    for sender in senders() {
        let is_shared = |name: &str| sender.shares.iter().any(|own| own == name);
        for name in &sender.shares {
            assert!(
                bodies.iter().any(|(own, _)| own == name),
                "{}: no body {name}",
                sender.service
            );
        }
        for status in STATUSES {
            let expected = sender.by_status(status);
            for (name, body) in &bodies {
                let judged = judged(&sender.decode(status, body));
                let is_own = is_success(status) && is_shared(name);
                if (judged != expected) != is_own {
                    wrong.push(format!("{} {status} {name}: {judged:?}", sender.service));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_object_of_a_gateway_s_words_says_more_than_its_status() {
    const NAMES: [&str; 14] = [
        "error",
        "errors",
        "error_code",
        "error_msg",
        "error_description",
        "code",
        "status",
        "message",
        "request",
        "path",
        "response",
        "result",
        "Response",
        "ErrorCode",
    ];
    const VALUES: [&str; 18] = [
        "0",
        "-1",
        "502",
        "\"502\"",
        "429",
        "\"0\"",
        "\"\"",
        "null",
        "true",
        "false",
        "{}",
        "[]",
        "\"Bad Gateway\"",
        "\"error\"",
        "\"upstream timed out: repeated\"",
        "\"UNAVAILABLE\"",
        r#"{"code":502,"message":"Bad Gateway"}"#,
        r#"[{"code":"E_TIMEOUT","message":"no"}]"#,
    ];
    let members = NAMES.iter().flat_map(|name| VALUES.map(|value| format!("\"{name}\":{value}")));
    let members: Vec<_> = members.collect();
    for sender in senders() {
        let statuses = [200, 404, 502, 429, 302].into_iter().cycle();
        for (n, (first, status)) in members.iter().zip(statuses).enumerate() {
            let expected = sender.by_status(status);
            for second in members.iter().skip(n % 4).step_by(4) {
                let body = format!("{{{first},{second}}}");
                let judged = judged(&sender.decode(status, &body));
                assert_eq!(judged, expected, "{} {status} {body}", sender.service);
            }
        }
    }
}

#[test]
fn a_success_is_believed_in_every_status_of_success_and_whole() {
    for sender in senders() {
        let service = sender.service;
        for status in 200..600 {
            let outcome = sender.decode(status, sender.success);
            let sent = outcome.delivery == Delivery::Sent;
            assert_eq!(sent, status < 300 && status != 206, "{service} {status}");
        }
        for (end, _) in sender.success.char_indices() {
            sender.doubts(&sender.success[..end]);
        }
    }
}

#[test]
fn a_success_with_a_status_of_refusal_is_a_doubt_where_the_message_can_be_told() {
    let tells = |sender: &&Sender| sender.service != "fanfou" && !sender.success.is_empty();
    for sender in senders().iter().filter(tells) {
        for status in [206, 302, 400, 403, 429, 500, 502] {
            let outcome = sender.decode(status, sender.success);
            assert_eq!(outcome.delivery, Delivery::MaybeSent, "{} {status}", sender.service);
        }
    }
}

#[test]
fn an_error_is_read_in_either_format() {
    for sender in senders() {
        let (json, xml) = match sender.service {
            "fanfou" => (
                r#"{"request":"/direct_messages/new.json","error":"Invalid access token"}"#,
                "<hash><request>/x</request><error>Invalid access token</error></hash>",
            ),
            "sina" => (
                r#"{"request":"/x","error_code":"401","error":"40113:Oauth Error: no!"}"#,
                "<hash><error_code>401</error_code><error>40113:Oauth Error: no!</error></hash>",
            ),
            _ => continue,
        };
        for body in [json, xml] {
            let outcome = sender.decode(401, body);
            assert_eq!(outcome.name, Some(ErrorCode::Auth), "{} {body}", sender.service);
            assert_eq!(outcome.delivery, Delivery::NotSent, "{} {body}", sender.service);
        }
    }
}
