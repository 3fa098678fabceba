//! The engine against a scripted transport, in time that passes at once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::deliver::deliver;
use super::job::Sink;
use super::runtime::TokioClock;
use super::{Given, Shared};
use crate::model::config::ClientConfig;
use crate::model::error::ErrorCode;
use crate::model::message::Message;
use crate::model::receipt::{Delivery, Receipt};
use crate::net::{Boxed, Failure, Sleep, Transport, Way};
use crate::service::verdict::{Class, Code, Row};
use crate::service::{Answer, Request, tables};

/// What the scripted transport does with one request.
#[derive(Clone)]
enum Step {
    Answer(Answer),
    Fail { way: Way, begun: bool },
    Hang { begun: bool },
}

/// A transport that follows a script, and repeats its last step.
#[derive(Clone, Default)]
struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Transport for Script {
    fn send(
        &self,
        request: Request,
        time_out: Sleep,
        begun: Arc<AtomicBool>,
    ) -> Boxed<'_, Result<Answer, Failure>> {
        self.requests.lock().expect("no test panics inside").push(request);
        let mut steps = self.steps.lock().expect("no test panics inside");
        let step = if steps.len() > 1 { steps.pop_front() } else { steps.front().cloned() };
        Box::pin(async move {
            match step.expect("a script has a step") {
                Step::Answer(answer) => {
                    begun.store(true, Ordering::Release);
                    Ok(answer)
                }
                Step::Fail { way, begun: has_begun } => {
                    begun.store(has_begun, Ordering::Release);
                    Err(Failure { way, words: "scripted".to_owned() })
                }
                Step::Hang { begun: has_begun } => {
                    begun.store(has_begun, Ordering::Release);
                    time_out.await;
                    Err(Failure { way: Way::TimedOut, words: "scripted".to_owned() })
                }
            }
        })
    }
}

fn accounts() -> Value {
    json!({
        "ff": {"service": "fanfou", "auth": {"type": "basic", "username": "u", "password": "p4ssword"}},
        "ffo": {"service": "fanfou", "auth": {"type": "oauth1", "consumer_key": "ck",
            "consumer_secret": "consumer-secret", "token": "access-token", "token_secret": "token-secret"}},
        "ffx": {"service": "fanfou", "auth": {"type": "basic", "username": "u", "password": "p4ssword"},
            "format": "xml"},
        "sina": {"service": "sina", "app_key": "k",
            "auth": {"type": "basic", "username": "u", "password": "p4ssword"}},
        "weibo": {"service": "weibo", "auth": {"type": "oauth2", "token": "weibo-token"}},
        "renren": {"service": "renren", "auth": {"type": "mac", "token": "renren-token",
            "mac_key": "renren-mac-key"}},
        "im": {"service": "tencent_im", "region": "sgp", "auth": {"type": "usersig",
            "sdk_app_id": 1, "identifier": "admin", "secret_key": "secret-key"}},
    })
}

/// A world with these steps, in which one message is sent.
struct World {
    script: Script,
    config: Value,
    patience: Option<Duration>,
}

impl World {
    fn new(steps: impl IntoIterator<Item = Step>) -> World {
        let script = Script::default();
        script.steps.lock().expect("fresh").extend(steps);
        World { script, config: json!({"v": 1, "accounts": accounts()}), patience: None }
    }

    fn with(mut self, name: &str, value: Value) -> World {
        self.config[name] = value;
        self
    }

    fn patience(mut self, ms: u64) -> World {
        self.patience = Some(Duration::from_millis(ms));
        self
    }

    fn send(&self, message: Value) -> Receipt {
        self.send_all([message]).remove(0)
    }

    /// Sends one message after the other, by one client.
    fn send_all(&self, messages: impl IntoIterator<Item = Value>) -> Vec<Receipt> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let config =
                ClientConfig::from_value(self.config.clone()).expect("a valid configuration");
            let clock = Arc::new(TokioClock::default());
            let shared = Shared::new(config, Box::new(self.script.clone()), clock, 7)
                .expect("valid accounts");
            let shared = Arc::new(shared);
            let mut receipts = Vec::new();
            for message in messages {
                let given: Given =
                    Ok(Message::from_json(&message.to_string()).expect("a valid message"));
                let job = shared.accept(given, 0, Sink::Caller, self.patience).expect("accepted");
                receipts.push(deliver(job).await.expect("the caller's receipt"));
            }
            receipts
        })
    }

    fn requests(&self) -> Vec<Request> {
        self.script.requests.lock().expect("no test panics inside").clone()
    }
}

fn fanfou(account: &str) -> Value {
    json!({"v": 1, "account": account, "to": {"user": "lisztli"}, "text": "hello"})
}

fn tencent(extra: Value) -> Value {
    json!({"v": 1, "account": "im", "to": {"group": "g"}, "text": "hello", "extra": extra})
}

fn answer(status: u16, body: &str) -> Step {
    Step::Answer(Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() })
}

fn tencent_answer(code: i64) -> Step {
    let status = if code == 0 { "OK" } else { "FAIL" };
    answer(
        200,
        &json!({"ActionStatus": status, "ErrorCode": code, "ErrorInfo": "why", "MsgSeq": 5})
            .to_string(),
    )
}

fn name_of(receipt: &Receipt) -> &'static str {
    receipt.error.as_ref().map_or("ok", |error| error.code().name())
}

/// How many requests a message gets whose every answer is this row's.
fn expected_requests(class: Class, delivery: Delivery, dedupe: bool) -> usize {
    match (delivery, class) {
        (Delivery::MaybeSent, _) if dedupe => 4,
        (Delivery::MaybeSent | Delivery::Sent, _) | (_, Class::Never | Class::Quota) => 1,
        (_, Class::Resign) => 2,
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
        for (account, body) in ["ff", "ffx"]
            .into_iter()
            .flat_map(|a| message(row.name.is_none()).map(|body| (a, body)))
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
    let table = tables(service);
    assert_eq!(table.len(), rows, "a row is missing");
    for row in table {
        for (status, body) in shapes(row) {
            let world = World::new([answer(status, &body)]);
            let receipt = world.send(message.clone());
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
        let code = code_of(row);
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
    let extra = json!({"messageType": "x", "resourceTitle": "t"});
    let message = json!({"v": 1, "account": "renren", "text": "hello", "extra": extra});
    walk("renren", 40, &message, |row| {
        let code = code_of(row);
        let envelope = |code: &str| json!({"error": {"code": code, "message": "why"}}).to_string();
        let full = envelope(&format!("invalid_request.{code}"));
        let dashed = envelope(&format!("forbidden.{}", code.replace('_', "-").to_lowercase()));
        vec![
            (400, full.clone()),
            (401, dashed.clone()),
            (403, envelope(&code)),
            (500, full),
            (200, dashed),
        ]
    });
}

#[test]
fn renren_s_success_is_exactly_the_integer_1() {
    let extra = json!({"messageType": "x", "resourceTitle": "t"});
    let message = json!({"v": 1, "account": "renren", "text": "hello", "extra": extra});
    for (body, delivery) in [
        ("{\"response\": 1}", Delivery::Sent),
        (" 1\n", Delivery::Sent),
        ("{\"response\": 1.0}", Delivery::MaybeSent),
        ("{\"response\": \"1\"}", Delivery::MaybeSent),
        ("{\"response\": true}", Delivery::MaybeSent),
        ("{\"response\": 2}", Delivery::MaybeSent),
        ("{\"response\": 1, \"response\": 1}", Delivery::MaybeSent),
        ("{\"response\": 1, \"more\": 1}", Delivery::MaybeSent),
        ("{\"response\": 1, \"error\": {\"code\": \"a.b\"}}", Delivery::MaybeSent),
        ("{\"response\": 1", Delivery::MaybeSent),
        ("11", Delivery::MaybeSent),
        ("\"1\"", Delivery::MaybeSent),
        ("true", Delivery::MaybeSent),
    ] {
        let receipt = World::new([answer(200, body)]).send(message.clone());
        assert_eq!(receipt.delivery, delivery, "{body}");
    }
}

#[test]
fn a_repeated_answer_proves_a_doubt_unless_the_client_had_sent_the_same_just_before() {
    let message = json!({"v": 1, "account": "weibo", "to": {"user": "1"}, "text": "hello"});
    let resend = || json!({"on_maybe_sent": "resend", "max_attempts": 2});
    let doubt = || Step::Fail { way: Way::Network, begun: true };
    let error =
        |code: u32| answer(400, &json!({"error_code": code, "error": "repeated"}).to_string());
    let sent = || answer(200, r#"{"id":1,"idstr":"1"}"#);
    for (code, delivery) in
        [(20019, Delivery::Sent), (20306, Delivery::Sent), (20017, Delivery::MaybeSent)]
    {
        let world = World::new([doubt(), error(code)]).with("retry", resend());
        let receipt = world.send(message.clone());
        assert_eq!(
            (receipt.delivery, receipt.deduplicated),
            (delivery, delivery == Delivery::Sent),
            "{code}"
        );
    }
    let world = World::new([sent(), doubt(), error(20019)]).with("retry", resend());
    let receipts = world.send_all([message.clone(), message.clone()]);
    assert_eq!(receipts[0].delivery, Delivery::Sent);
    assert_eq!((receipts[1].delivery, name_of(&receipts[1])), (Delivery::MaybeSent, "duplicate"));
    let receipt = World::new([error(20019)]).send(message);
    assert_eq!(
        (receipt.delivery, name_of(&receipt)),
        (Delivery::NotSent, "duplicate"),
        "no doubt before"
    );
}

#[test]
fn fanfou_s_status_counts_whatever_the_content_is() {
    for (status, name) in [(400, "rejected"), (401, "auth"), (403, "forbidden"), (404, "not_found")]
    {
        for body in
            ["", "<html><title>no</title></html>", "\u{1f}\u{8b}\u{8}gzip", "{\"error\"", "null"]
        {
            let receipt = World::new([answer(status, body)]).send(fanfou("ff"));
            assert_eq!(
                (name_of(&receipt), receipt.delivery),
                (name, Delivery::NotSent),
                "{status} {body}"
            );
        }
    }
}

#[test]
fn an_answer_without_an_envelope_is_judged_by_its_status() {
    for (status, name, delivery, fanfou_requests, tencent_requests) in [
        (200, "protocol", Delivery::MaybeSent, 1, 4),
        (204, "protocol", Delivery::MaybeSent, 1, 4),
        (302, "protocol", Delivery::NotSent, 1, 1),
        (418, "protocol", Delivery::NotSent, 1, 1),
        (429, "rate_limited", Delivery::NotSent, 4, 4),
        (500, "service", Delivery::MaybeSent, 1, 4),
        (502, "service", Delivery::MaybeSent, 1, 4),
        (599, "service", Delivery::MaybeSent, 1, 4),
    ] {
        for body in
            ["", "<html>proxy</html>", "{}", "null", "\u{1f}\u{8b}\u{8}gzip", "{\"id\":\"a\""]
        {
            for (message, requests) in
                [(fanfou("ff"), fanfou_requests), (tencent(json!({})), tencent_requests)]
            {
                let world = World::new([answer(status, body)]);
                let receipt = world.send(message);
                assert_eq!(
                    (name_of(&receipt), receipt.delivery),
                    (name, delivery),
                    "{status} {body}"
                );
                assert_eq!(world.requests().len(), requests, "{status} {body}");
            }
        }
    }
}

#[test]
fn without_an_answer_it_counts_whether_the_request_had_begun() {
    for (way, name) in [
        (Way::Network, "network"),
        (Way::Tls, "tls"),
        (Way::TimedOut, "timeout"),
        (Way::Protocol, "protocol"),
    ] {
        let world = World::new([Step::Fail { way, begun: false }]);
        let receipt = world.send(fanfou("ff"));
        assert_eq!((name_of(&receipt), receipt.delivery), (name, Delivery::NotSent));
        assert_eq!(world.requests().len(), 4, "retried by backoff");
        let world = World::new([Step::Fail { way, begun: true }]);
        let receipt = world.send(fanfou("ff"));
        assert_eq!((name_of(&receipt), receipt.delivery), (name, Delivery::MaybeSent));
        assert_eq!(world.requests().len(), 1, "never resent blindly");
    }
}

#[test]
fn a_doubt_is_resent_byte_for_byte_and_a_drop_as_a_new_message() {
    let doubt = || Step::Fail { way: Way::Network, begun: true };
    let dropped =
        || answer(200, r#"{"ActionStatus":"OK","ErrorCode":0,"MsgDropReason":"MsgFreqCtrl"}"#);
    let bodies = |world: &World| world.requests().into_iter().map(|r| r.body).collect::<Vec<_>>();

    let world = World::new([doubt(), tencent_answer(0)]);
    let receipt = world.send(tencent(json!({})));
    assert_eq!((receipt.delivery, receipt.message_id.as_deref()), (Delivery::Sent, Some("5")));
    assert_eq!(bodies(&world)[0], bodies(&world)[1]);

    let world = World::new([dropped(), tencent_answer(0)]);
    assert_eq!(world.send(tencent(json!({}))).delivery, Delivery::Sent);
    assert_ne!(bodies(&world)[0], bodies(&world)[1]);

    let world = World::new([dropped(), tencent_answer(0)]);
    let receipt = world.send(tencent(json!({"Random": 9})));
    assert_eq!(
        (receipt.delivery, world.requests().len()),
        (Delivery::NotSent, 1),
        "the caller's Random"
    );

    let world = World::new([doubt(), dropped(), tencent_answer(0)]);
    let receipt = world.send(tencent(json!({})));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::MaybeSent, "dropped"));

    let world = World::new([doubt(), tencent_answer(10024)]);
    let receipt = world.send(tencent(json!({})));
    assert_eq!((receipt.delivery, receipt.deduplicated), (Delivery::Sent, true));

    let world = World::new([doubt(), tencent_answer(10010)]);
    let receipt = world.send(tencent(json!({})));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::MaybeSent, "not_found"));
}

#[test]
fn a_clock_that_is_wrong_is_told_and_corrected_once() {
    let unix = || {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970")
            .as_secs()
    };
    let refused = || {
        let body = br#"{"request":"/x","error":"Expired timestamp"}"#.to_vec();
        Step::Answer(Answer { status: 401, body, date: Some(unix() + 312), ..Answer::default() })
    };
    let world = World::new([refused()]);
    let receipt = world.send(fanfou("ffo"));
    let error = receipt.error.expect("refused");
    assert!(error.message().contains("your clock is 31"), "{error}");
    assert!(error.message().ends_with("s behind"), "{error}");
    assert_eq!(world.requests().len(), 2);
    let timestamp = |i: usize| {
        let header = world.requests()[i].authorization.clone().expect("signed");
        let at = header.find("oauth_timestamp=\"").expect("a timestamp") + 17;
        header[at..at + 10].parse::<u64>().expect("seconds")
    };
    assert!(timestamp(1) - timestamp(0) >= 311, "signed with the service's time");

    let world = World::new([refused(), answer(200, r#"{"id":"a"}"#)]);
    assert_eq!(world.send(fanfou("ffo")).delivery, Delivery::Sent);
}

#[test]
fn the_caller_s_patience_ends_a_send_with_what_is_true() {
    let world = World::new([Step::Hang { begun: true }]).patience(300);
    let receipt = world.send(fanfou("ff"));
    assert_eq!(
        (receipt.delivery, name_of(&receipt), receipt.deadline),
        (Delivery::MaybeSent, "timeout", true)
    );
    let world = World::new([Step::Hang { begun: false }]).patience(300);
    let receipt = world.send(fanfou("ff"));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, "timeout"));
    let world = World::new([answer(200, r#"{"id":"a"}"#)]).patience(0);
    let receipt = world.send(fanfou("ff"));
    assert_eq!(
        (receipt.delivery, name_of(&receipt), receipt.attempts),
        (Delivery::NotSent, "timeout", 0)
    );
    assert!(world.requests().is_empty(), "a time-out of 0 makes no request");
}

#[test]
fn a_wait_that_does_not_fit_ends_at_once_and_says_how_long() {
    let body = br#"{"error":"slow"}"#.to_vec();
    let retry_after = Some(Duration::from_secs(60));
    let limited = Step::Answer(Answer { status: 429, body, retry_after, ..Answer::default() });
    let world = World::new([limited]).patience(30_000);
    let receipt = world.send(fanfou("ff"));
    let error = receipt.error.as_ref().expect("refused");
    assert_eq!((name_of(&receipt), error.retry_after_ms()), ("rate_limited", Some(60_000)));
    assert!(error.is_retryable() && receipt.deadline);
    assert_eq!((world.requests().len(), receipt.elapsed_ms), (1, 0));
}

#[test]
fn a_deadline_is_expired_only_if_nothing_was_ever_sent() {
    let message = |deadline: u64, later: u64| {
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let mut message = fanfou("ff");
        message["deadline_ms"] = json!(deadline);
        message["not_before_ms"] = json!(u64::try_from(now.as_millis()).expect("fits") + later);
        message
    };
    let world = World::new([answer(200, r#"{"id":"a"}"#)]);
    let receipt = world.send(message(1000, 60_000));
    assert_eq!(
        (name_of(&receipt), receipt.delivery, receipt.attempts),
        ("expired", Delivery::NotSent, 0)
    );
    let receipt = world.send(message(60_000, 1000));
    assert_eq!(receipt.delivery, Delivery::Sent);
    let world = World::new([Step::Hang { begun: true }]);
    let receipt = world.send(message(1000, 0));
    assert_eq!((name_of(&receipt), receipt.delivery), ("timeout", Delivery::MaybeSent));
}

#[test]
fn a_trace_has_one_entry_an_attempt() {
    let world =
        World::new([answer(429, ""), answer(200, r#"{"id":"a"}"#)]).with("trace", json!(true));
    let shown: Value = serde_json::from_str(&world.send(fanfou("ff")).to_json()).expect("JSON");
    let names: Vec<_> =
        shown["trace"].as_array().expect("a trace").iter().map(|a| a["name"].clone()).collect();
    assert_eq!(names, ["rate_limited", "ok"]);
    assert_eq!((&shown["trace"][0]["wait_ms"], &shown["attempts"]), (&json!(1000), &json!(2)));
}
