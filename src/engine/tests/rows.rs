//! Every row of every verdict table, through an answer in every shape its service uses.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{World, accounts, answer, fanfou, name_of, tencent};
use crate::model::error::ErrorCode;
use crate::model::receipt::Delivery;
use crate::service::verdict::{Class, Code, Row};
use crate::service::{SERVICES, find, tables};

/// How many requests a message gets whose every answer is this row's.
fn expected_requests(class: Class, delivery: Delivery, dedupe: bool) -> usize {
    match (delivery, class) {
        (Delivery::MaybeSent, _) if dedupe => 4,
        (Delivery::MaybeSent | Delivery::Sent, _) | (_, Class::Never | Class::Quota) => 1,
        (_, Class::Resign | Class::Reauthenticate) => 2,
        (_, Class::Backoff | Class::Wait | Class::WaitFor(_)) => 4,
    }
}

/// A code that a row is for.
fn code_of(row: &Row) -> String {
    match row.code {
        Code::Is(code) => code.to_owned(),
        Code::Range(from, _) => from.to_string(),
        Code::Any => "999999".to_owned(),
    }
}

#[test]
fn every_row_of_tencent_s_table_is_the_verdict_of_its_code() {
    let rows = tables("tencent_im");
    assert_eq!(rows.len(), 135, "a row is missing");
    for row in rows {
        let code = code_of(row);
        let body = match code.parse::<i64>() {
            Ok(0) => json!({"ActionStatus": "OK", "ErrorCode": 0}),
            Ok(number) => {
                json!({"ActionStatus": "FAIL", "ErrorCode": number, "ErrorInfo": row.text})
            }
            Err(_) => json!({"ActionStatus": "OK", "ErrorCode": 0, "MsgDropReason": code}),
        };
        let world = World::new([answer(200, &body.to_string())]);
        let receipt = world.send(tencent(json!({})));
        let expected = row.name.map_or("ok", ErrorCode::name);
        assert_eq!((name_of(&receipt), receipt.delivery), (expected, row.delivery), "{code}");
        let requests = expected_requests(row.class, row.delivery, true);
        assert_eq!(world.requests().len(), requests, "requests for {code}");
        if row.name.is_some() {
            assert_eq!(receipt.error.as_ref().and_then(|e| e.service_code()), Some(code.as_str()));
        }
    }
}

#[test]
fn every_row_of_fanfou_s_table_is_the_verdict_of_its_status_in_every_shape() {
    let rows = tables("fanfou");
    assert_eq!(rows.len(), 14, "a row is missing");
    for row in rows {
        let status = match row.code {
            Code::Any => 418,
            _ => code_of(row).parse().expect("a status"),
        };
        let words = format!("no: {}", row.text);
        let message = |sent: bool| match sent {
            true => [
                r#"{"id":"a"}"#.to_owned(),
                "<direct_message><id>a</id></direct_message>".to_owned(),
            ],
            false => [
                json!({"request": "/x", "error": words}).to_string(),
                format!("<hash><request>/x</request><error>{words}</error></hash>"),
            ],
        };
        let sent = row.name.is_none();
        let shapes = ["ff", "ffx"]
            .into_iter()
            .flat_map(|a| message(sent).map(|body| (a, body)))
            .collect::<Vec<_>>();
        // An error comes in either format, a success in the one that was asked for.
        for (account, body) in
            shapes.into_iter().filter(|(a, body)| !sent || (*a == "ffx") == body.starts_with('<'))
        {
            let world = World::new([answer(status, &body)]);
            let receipt = world.send(fanfou(account));
            let expected = row.name.map_or("ok", ErrorCode::name);
            assert_eq!(
                (name_of(&receipt), receipt.delivery),
                (expected, row.delivery),
                "{status} {body}"
            );
            let requests = expected_requests(row.class, row.delivery, false);
            assert_eq!(world.requests().len(), requests, "requests for {status} {body}");
        }
    }
}

/// Walks a table: each row's code, in each shape of answer, is its row's verdict.
fn walk(service: &str, rows: usize, message: &Value, shapes: impl Fn(&Row) -> Vec<(u16, String)>) {
    walk_account(service, rows, &accounts(), message, &json!({}), shapes);
}

/// The same with other accounts, and with what the steps before the one that sends are answered.
pub fn walk_account(
    service: &str,
    rows: usize,
    accounts: &Value,
    message: &Value,
    prepares: &Value,
    shapes: impl Fn(&Row) -> Vec<(u16, String)>,
) {
    let table = tables(service);
    assert_eq!(table.len(), rows, "{service}: a row is missing, or \"count\" is wrong");
    let dedupe = find(service).is_some_and(|service| service.info.dedupe_ms.is_some());
    for row in table {
        for (status, body) in shapes(row) {
            let prepares = prepares.clone();
            let steps: Vec<_> =
                prepares.as_object().into_iter().flat_map(|p| p.keys().cloned()).collect();
            let world = World::new([answer(status, &body)])
                .with("accounts", accounts.clone())
                .replies(move |request| Some(answer(200, prepares[request.url.path()].as_str()?)));
            let receipt = world.send(message.clone());
            let expected = row.name.filter(|_| row.delivery != Delivery::Sent);
            let expected = expected.map_or("ok", ErrorCode::name);
            assert_eq!(
                (name_of(&receipt), receipt.delivery),
                (expected, row.delivery),
                "{service} {status} {body}"
            );
            let requests = expected_requests(row.class, row.delivery, dedupe);
            let steps = steps.iter().map(|path| world.requests_for(path).len()).sum::<usize>();
            assert_eq!(world.requests().len() - steps, requests, "{service}: {status} {body}");
        }
    }
}

/// Services whose answers have more shapes than data can tell: a test of their own walks their tables.
const BY_HAND: [&str; 11] = [
    "circular",
    "discord",
    "fanfou",
    "matrix",
    "mattermost",
    "renren",
    "sina",
    "slack",
    "tencent_im",
    "webhook",
    "weibo",
];

/// How the rows of a table come over the wire, as "rows" of `tests/corpus/SERVICE/default.json` tells.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Walk {
    /// How many rows the table has.
    count: usize,
    /// What comes for `@any`.
    any: Option<String>,
    /// An account and a message other than those of the corpus.
    account: Option<Value>,
    message: Option<Value>,
    shapes: Vec<Shape>,
}

/// An answer, in which `{code}` and `{text}` are the row's, and `"{number}"` is its code as a number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    /// A number, or `"{code}"`.
    status: Value,
    /// JSON, or text of another kind.
    body: Value,
    /// The only codes that come so; no other shape is for them. `500..599` is a range's, `@any` that of the rest.
    #[serde(default)]
    only: Vec<String>,
    /// Codes that do not come so.
    #[serde(default)]
    except: Vec<String>,
}

impl Walk {
    fn code(&self, row: &Row) -> String {
        match (row.code, &self.any) {
            (Code::Any, Some(any)) => any.clone(),
            _ => code_of(row),
        }
    }

    /// The answers that mean this row.
    fn answers(&self, row: &Row, success: &str) -> Vec<(u16, String)> {
        let name = match row.code {
            Code::Is(code) => code.to_owned(),
            Code::Range(from, to) => format!("{from}..{to}"),
            Code::Any => "@any".to_owned(),
        };
        let mut shapes: Vec<_> =
            self.shapes.iter().filter(|shape| shape.only.contains(&name)).collect();
        if shapes.is_empty() && row.name.is_none() {
            return vec![(200, success.to_owned())];
        }
        if shapes.is_empty() {
            let general = self.shapes.iter();
            let general = general.filter(|s| s.only.is_empty() && !s.except.contains(&name));
            shapes = general.collect();
        }
        assert!(!shapes.is_empty(), "no shape is for {name}");
        let code = self.code(row);
        let answer = |shape: &&Shape| {
            let status = match &shape.status {
                Value::Number(status) => status.to_string(),
                _ => code.clone(),
            };
            let body = match filled(&shape.body, &code, row.text) {
                Value::String(text) => text,
                body => body.to_string(),
            };
            (status.parse().expect("a status"), body)
        };
        shapes.iter().map(answer).collect()
    }
}

/// A template with the code and the words of a row.
fn filled(template: &Value, code: &str, words: &str) -> Value {
    match template {
        Value::String(text) if text == "{number}" => {
            code.parse::<i64>().unwrap_or_else(|_| panic!("{code} is no number")).into()
        }
        Value::String(text) => text.replace("{code}", code).replace("{text}", words).into(),
        Value::Array(list) => list.iter().map(|value| filled(value, code, words)).collect(),
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| (name.clone(), filled(value, code, words));
            Value::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn every_row_of_a_table_is_the_verdict_of_its_code_in_every_shape() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    // What mail servers say is no answer of HTTP: src/service/smtp.rs walks their table.
    let over_http = SERVICES.iter().filter(|service| service.info.schemes.contains(&"http"));
    for name in over_http.map(|service| service.info.name) {
        let read = |file: &str| fs::read_to_string(folder.join(name).join(file)).expect("a file");
        let corpus: Value = serde_json::from_str(&read("default.json")).expect("JSON");
        let by_hand = BY_HAND.contains(&name);
        assert_eq!(
            corpus["rows"].is_null(),
            by_hand,
            "tests/corpus/{name}/default.json tells in \"rows\" how a row of its table is answered"
        );
        let walks = corpus["rows"].as_array().into_iter().flatten().cloned();
        for walk in walks.map(|walk| serde_json::from_value::<Walk>(walk).expect("rows")) {
            let mut account = walk.account.as_ref().unwrap_or(&corpus["account"]).clone();
            if account["base_url"].is_null() {
                account["base_url"] = "https://service.example".into();
            }
            let mut message = walk.message.as_ref().unwrap_or(&corpus["message"]).clone();
            message["v"] = 1.into();
            message["account"] = "a".into();
            let success = read("success.body");
            let shapes = |row: &Row| walk.answers(row, &success);
            let accounts = json!({"a": account});
            walk_account(name, walk.count, &accounts, &message, &corpus["prepares"], shapes);
        }
    }
}

#[test]
fn every_row_of_sina_s_table_is_the_verdict_of_its_number_in_every_shape() {
    let message = json!({"v": 1, "account": "sina", "to": {"user": "11051"}, "text": "hello"});
    walk("sina", 68, &message, |row| {
        let number = match row.code {
            Code::Range(..) if !row.text.is_empty() => "40099".to_owned(),
            Code::Any => "49999".to_owned(),
            _ => code_of(row),
        };
        let error = format!("{number}:Error: {}!", row.text);
        let xml = format!(
            "<hash><request>/x</request><error_code>400</error_code><error>{error}</error></hash>"
        );
        let json = json!({"request": "/x", "error_code": "400", "error": error}).to_string();
        let mut shapes = vec![
            (400, json.clone()),
            (403, json.clone()),
            (200, json),
            (400, xml.clone()),
            (500, xml),
        ];
        if row.code == Code::Any {
            shapes.push((
                400,
                json!({"error_code": "400", "error": format!("Error: {}", row.text)}).to_string(),
            ));
        }
        shapes
    });
}

#[test]
fn every_row_of_weibo_s_table_is_the_verdict_of_its_code_in_every_shape() {
    let message =
        json!({"v": 1, "account": "weibo", "to": {"user": "2125034703"}, "text": "hello"});
    walk("weibo", 97, &message, |row| {
        let code = if row.code == Code::Any { "99999".to_owned() } else { code_of(row) };
        let number: u64 = code.parse().expect("a number");
        let envelope = |code: Value| {
            json!({"request": "/2/x", "error_code": code, "error": row.text}).to_string()
        };
        let (number, text) = (envelope(json!(number)), envelope(json!(code)));
        vec![
            (400, number.clone()),
            (403, text.clone()),
            (200, number.clone()),
            (200, text),
            (500, number),
        ]
    });
}

#[test]
fn every_row_of_renren_s_table_is_the_verdict_of_its_code_however_it_is_spelt() {
    const COMMON: [&str; 7] = [
        "SERVICE_UNAVAILABLE",
        "SERVICE_BUSY",
        "EXPIRED_TOKEN",
        "INVALID_TOKEN",
        "EXPIRED_TIMESTAMP",
        "INVALID_SIGNATURE",
        "NO_ACCESS",
    ];
    let extra = json!({"messageType": "x", "resourceTitle": "t"});
    let message = json!({"v": 1, "account": "renren", "text": "hello", "extra": extra});
    walk("renren", 40, &message, |row| {
        let code = code_of(row);
        let envelope = |code: &str| json!({"error": {"code": code, "message": "why"}}).to_string();
        let full = envelope(&format!("invalid_request.{code}"));
        let dashed = envelope(&format!("forbidden.{}", code.replace('_', "-").to_lowercase()));
        let mut shapes =
            vec![(400, full.clone()), (401, dashed.clone()), (500, full), (200, dashed)];
        // Without its kind a code is the service's own only where nobody else would have it.
        if row.code != Code::Any && !COMMON.contains(&&*code) {
            shapes.extend([(403, envelope(&code)), (500, envelope(&code))]);
        }
        shapes
    });
}

#[test]
fn every_row_of_the_webhook_s_table_is_the_verdict_of_its_status() {
    let message = json!({"v": 1, "account": "hook", "text": "hello"});
    for row in tables("webhook") {
        let status: u16 = match row.code {
            Code::Any => continue,
            _ => code_of(row).parse().expect("a status"),
        };
        let (account, body) = match (status, row.text) {
            (409, "") => ("signed", ""),
            (409, _) => ("hook", "no"),
            _ => ("hook", ""),
        };
        let mut message = message.clone();
        message["account"] = account.into();
        let world = World::new([answer(status, body)]);
        let receipt = world.send(message);
        // That the receiver has it already is no error.
        let expected = row.name.filter(|_| row.delivery != Delivery::Sent);
        let expected = expected.map_or("ok", ErrorCode::name);
        assert_eq!((name_of(&receipt), receipt.delivery), (expected, row.delivery), "{status}");
        assert_eq!(receipt.deduplicated, account == "signed", "{status}");
        let requests = expected_requests(row.class, row.delivery, false);
        assert_eq!(world.requests().len(), requests, "requests for {status}");
    }
}

#[test]
fn what_is_signed_is_sent_again_under_the_same_id() {
    for key in [None, Some("order-7")] {
        let message = json!({"v": 1, "account": "signed", "text": "hello", "key": key});
        let world = World::new([answer(500, ""), answer(502, ""), answer(200, "")]);
        let receipt = world.send(message);
        assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 3), "{receipt:?}");
        let id = key.unwrap_or(&receipt.id);
        for request in world.requests() {
            let header = |name: &str| {
                let found = request.headers.iter().find(|(own, _)| *own == name);
                found.map(|(_, value)| value.to_owned()).unwrap_or_default()
            };
            assert_eq!(header("webhook-id"), id);
            assert!(header("webhook-signature").starts_with("v1,"));
        }
    }
    // Nobody knows it again who is not told its id.
    let world = World::new([answer(500, "")]);
    let receipt = world.send(json!({"v": 1, "account": "hook", "text": "hello", "key": "k"}));
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::MaybeSent, 1));
}

#[test]
fn every_row_of_slack_s_table_is_the_verdict_of_its_word() {
    let status = |row: &Row| match row.code {
        Code::Is("429") => 429,
        Code::Range(..) => 503,
        _ => 200,
    };
    let word = |row: &Row| match row.code {
        Code::Is("429") | Code::Range(..) => None,
        Code::Any => Some("goose_not_found".to_owned()),
        Code::Is(word) => Some(word.to_owned()),
    };
    let message = json!({"v": 1, "account": "slack", "to": {"channel": "C1"}, "text": "hello"});
    walk("slack", 107, &message, |row| match word(row) {
        Some(word) => vec![(status(row), json!({"ok": false, "error": word}).to_string())],
        None => vec![(status(row), "<html></html>".to_owned())],
    });
    let message = json!({"v": 1, "account": "slack_hook", "text": "hello"});
    walk("slack", 107, &message, |row| match word(row) {
        Some(word) => vec![(400, word)],
        None => vec![(status(row), "<html></html>".to_owned())],
    });
}

#[test]
fn every_row_of_discord_s_table_is_the_verdict_of_its_code() {
    let shapes = |row: &Row| match row.code {
        Code::Is("200") => vec![(200, r#"{"id":"1","channel_id":"2"}"#.to_owned())],
        Code::Is(code @ ("429" | "global")) => {
            let is_global = code == "global";
            let body = json!({"message": "no", "retry_after": 0.5, "global": is_global});
            vec![(429, body.to_string())]
        }
        Code::Is(status) if status.len() == 3 => {
            let words = format!("{status}: no");
            let body = json!({"message": words, "code": 0}).to_string();
            vec![(status.parse().expect("a status"), body)]
        }
        Code::Range(..) => vec![(500, r#"{"message":"500: no","code":0}"#.to_owned())],
        _ => {
            let code: u32 = code_of(row).parse().expect("a number");
            let body = json!({"code": code, "message": "no"}).to_string();
            vec![(400, body.clone()), (429, body.clone()), (502, body)]
        }
    };
    let message = json!({"v": 1, "account": "discord", "to": {"channel": "2"}, "text": "hello"});
    walk("discord", 87, &message, shapes);
    // A webhook has nothing that a message is known by.
    let message = json!({"v": 1, "account": "discord_hook", "text": "hello"});
    let world = World::new([answer(500, r#"{"message":"500: no","code":0}"#)]);
    assert_eq!(world.send(message).delivery, Delivery::MaybeSent);
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn every_row_of_mattermost_s_table_is_the_verdict_of_its_id() {
    const ID: &str = "8xyzabcdefghijklmnopqrstu1";
    let fault = |id: &str, status: u16| {
        let body = json!({"id": id, "message": "no", "detailed_error": "", "request_id": ID,
            "status_code": status});
        (status, body.to_string())
    };
    let shapes = |row: &Row| match row.code {
        Code::Is("200" | "201") => {
            vec![(201, json!({"id": ID, "channel_id": ID, "create_at": 1}).to_string())]
        }
        Code::Is(id) if id.contains('.') => vec![fault(id, 400), fault(id, 500)],
        Code::Any => vec![fault("api.something.app_error", 418)],
        _ => vec![fault("api.something.app_error", code_of(row).parse().expect("a status"))],
    };
    let message = json!({"v": 1, "account": "mattermost", "to": {"channel": ID}, "text": "hello"});
    walk("mattermost", 36, &message, shapes);
    // Nothing is known again of what a webhook sent.
    let message = json!({"v": 1, "account": "mattermost_hook", "text": "hello"});
    let (status, body) = fault("api.something.app_error", 500);
    let world = World::new([answer(status, &body)]);
    assert_eq!(world.send(message.clone()).delivery, Delivery::MaybeSent);
    assert_eq!(world.requests().len(), 1);
    assert_eq!(World::new([answer(200, "ok")]).send(message).delivery, Delivery::Sent);
}
