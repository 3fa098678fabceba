//! The corpus of answers: `tests/corpus/SERVICE/NAME.http` holds the bytes that a server answers
//! every request with, `NAME.json` what they mean. To add a pair is to add a case. Those of `templates`
//! are cases of every service.
//!
//! The library's own tests have this file too, for the services that are compiled into them only.

#[path = "corpus/case.rs"]
mod case;
#[path = "support/mail.rs"]
mod mail;
#[path = "support/raw.rs"]
pub mod raw;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use case::{Case, Class, cases, extension, names, services};
use hongyan::{Client, Error, ErrorCode, Receipt, SendOptions};
use mail::{Act, MailServer, Said};
use raw::{GUARD, RawServer, Then};
use serde_json::{Value, json};

/// The fewest cases that a service's answers are known by.
const FEWEST: usize = 15;

/// No wait that a service asks for fits into this, so that none of them is waited out: the
/// shortest is a second, and it begins after the answer.
const NO_TIME_TO_WAIT: Duration = Duration::from_secs(1);

/// How often a case is sent again whose answer came too late.
const TRIES: usize = 20;

#[test]
fn every_answer_means_what_its_case_says() {
    for service in services() {
        check(&service);
    }
}

#[test]
fn every_case_has_its_two_files() {
    for service in services().iter().map(String::as_str).chain(["templates"]) {
        let mut meanings = names(service, "json");
        meanings.retain(|name| name != "default");
        assert_eq!(
            names(service, extension(service)),
            meanings,
            "answers and meanings of {service}"
        );
        let count = if service == "templates" { meanings.len() } else { cases(service).len() };
        assert!(count >= FEWEST, "{service} has {count} cases only");
    }
}

/// Sends every case of a service, and tells of all that mean something else than they should.
fn check(service: &str) {
    let wrong: Vec<_> = cases(service)
        .iter()
        .filter_map(|case| {
            let (expected, (got, words)) = (expected(case), got(case));
            let file = format!("{} of {service}", case.file);
            (expected != got)
                .then(|| format!("{file}\n  expected {expected}\n  got      {got}\n  {words}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn expected(case: &Case) -> Value {
    let expect = &case.expect;
    let mut expected = json!({
        "delivery": expect.delivery,
        "name": expect.name,
        "message_id": expect.message_id,
        "service_code": expect.service_code,
        "requests": expect.requests,
        "attempts": expect.requests,
        "retryable": expect.retryable,
    });
    if expect.name.is_some() {
        expected["http_status"] = json!(case.answer.status);
    }
    if let Some(after) = expect.retry_after_ms {
        expected["retry_after_ms"] = json!(after);
    }
    if let Some(time) = expect.service_time {
        expected["service_time"] = json!(time);
    }
    expected
}

/// What the library makes of the answer, and its words for it.
fn got(case: &Case) -> (Value, String) {
    let mut receipt = send(case);
    // The answer itself came too late on a busy machine, which says nothing about its meaning.
    for _ in 0..TRIES {
        let late = |error: &Error| error.code() == ErrorCode::Timeout;
        if waits(case) && receipt.0.error.as_ref().is_some_and(late) {
            receipt = send(case);
        }
    }
    let (receipt, requests) = receipt;
    let error = receipt.error.as_ref();
    let own_id = receipt.id.to_ascii_lowercase();
    let mut got = json!({
        "delivery": receipt.delivery.name(),
        "name": error.map(|error| error.code().name()),
        "message_id": receipt.message_id.as_ref().map(|id| id.replace(&own_id, "{id}")),
        "service_code": error.and_then(|error| error.service_code()),
        "requests": requests,
        "attempts": receipt.attempts,
        "retryable": error.is_some_and(|error| error.is_retryable()),
    });
    if let Some(error) = error {
        got["http_status"] = json!(error.http_status());
    }
    if case.expect.retry_after_ms.is_some() {
        got["retry_after_ms"] = json!(error.and_then(|error| error.retry_after_ms()));
    }
    if case.expect.service_time.is_some() {
        got["service_time"] = json!(receipt.service_time);
    }
    (got, error.map(ToString::to_string).unwrap_or_default())
}

/// True for an answer after which the library waits for longer than a test may.
fn waits(case: &Case) -> bool {
    case.expect.class == Class::Wait || case.expect.retry_after_ms.is_some()
}

/// Sends the message of a case to a server that answers so; tells how many requests came.
fn send(case: &Case) -> (Receipt, usize) {
    if let Some(script) = &case.script {
        return mailed(case, script.clone());
    }
    let (bytes, closes) = (case.answer.bytes.clone(), case.answer.closes);
    let prepares = case.prepares.clone();
    let prepared = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&prepared);
    let server = RawServer::start(move |request, stream| {
        let path = request.target().split('?').next().unwrap_or_default();
        if let Some(body) = prepares.get(path) {
            counted.fetch_add(1, Ordering::Relaxed);
            stream.write_all(&raw::answer(200, "content-type: application/json\r\n", body))?;
            return Ok(Then::Keep);
        }
        stream.write_all(&bytes)?;
        Ok(if closes { Then::Close } else { Then::Keep })
    });
    (delivered(case, server.url()), server.request_count() - prepared.load(Ordering::Relaxed))
}

/// The same over SMTP, where the step that the script begins with is said once a request.
fn mailed(case: &Case, script: Vec<(String, String)>) -> (Receipt, usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let server = MailServer::start(&["PIPELINING", "AUTH PLAIN"], move |said: &Said<'_>| {
        let word = said.line.split([' ', ':']).next().unwrap_or_default();
        let at = script.iter().position(|(step, _)| step == word)?;
        counted.fetch_add(usize::from(at == 0), Ordering::Relaxed);
        Some(match script[at].1.as_str() {
            "close" => Act::Close,
            reply => Act::Say(format!("{reply}\r\n")),
        })
    });
    (delivered(case, server.url()), count.load(Ordering::Relaxed))
}

/// What a client makes of it.
fn delivered(case: &Case, url: String) -> Receipt {
    let mut account = case.account.clone();
    account.insert("base_url".to_owned(), json!(url));
    // What an answer means is no matter of pace: some windows are a minute long.
    account.entry("rate").or_insert(Value::Null);
    let config = json!({"v": 1, "accounts": {"corpus": account},
        "retry": {"max_attempts": 3, "initial_ms": 1, "max_ms": 2}});
    let client = Client::from_json(&config.to_string()).expect("a valid account");
    let mut message = case.message.clone();
    message.extend([("v".to_owned(), json!(1)), ("account".to_owned(), json!("corpus"))]);
    let message = Value::from(message).to_string();
    let time_out = if waits(case) { NO_TIME_TO_WAIT } else { GUARD };
    client.send(message.as_bytes(), SendOptions::within(time_out)).expect("accepted")
}
