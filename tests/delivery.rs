//! The truth about each message, over real sockets: what is repeated, and what is said of it.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use accounts::{
    ACCOUNTS, account, client, config, config_with, message, message_with, send, send_within,
    shown, submit_and_wait, verdict,
};
use hongyan::Client;
use hongyan_sandbox::{Clock, Options, Sandbox};
use raw::{RawServer, Request, Then, answer};
use serde_json::{Value, json};

const SENT: (&str, &str) = ("sent", "ok");
const OK: &str = ACCOUNTS[0].1;
const OK_IM: &str = ACCOUNTS[3].1;

fn sandbox() -> Sandbox {
    Sandbox::start(Options::default()).expect("a sandbox")
}

/// The sandbox's configuration, with short waits.
fn sandbox_client(sandbox: &Sandbox) -> Client {
    let mut config = sandbox.config();
    config["retry"] = json!({"max_attempts": 3, "initial_ms": 1, "max_ms": 2});
    client(&config)
}

/// An answer that keeps its connection.
fn kept(status: u16, fields: &str, body: &str) -> (Vec<u8>, Then) {
    (answer(status, fields, body), Then::Keep)
}

fn tencent(code: i64, more: &str) -> String {
    let status = if code == 0 { "OK" } else { "FAIL" };
    format!(
        r#"{{"ActionStatus":"{status}","ErrorCode":{code},"ErrorInfo":"why","MsgSeq":7{more}}}"#
    )
}

fn random_of(request: &Request) -> u64 {
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    body["Random"].as_u64().expect("a Random")
}

fn without_random(request: &Request) -> Value {
    let mut body: Value = serde_json::from_slice(&request.body).expect("JSON");
    body["Random"] = json!(0);
    body
}

#[test]
fn a_message_arrives_once_and_as_it_was_given() {
    let sandbox = sandbox();
    let client = sandbox_client(&sandbox);
    for name in ["fanfou-basic", "fanfou-oauth1", "tencent_im-usersig"] {
        sandbox.clear();
        let text = "你好 & <b> +%20 \u{1F468}\u{200D}\u{1F469}";
        let receipt = send(&client, &message_with(name, json!({"text": text})));
        assert_eq!(verdict(&receipt), SENT, "{name}: {:?}", receipt.error);
        let messages = sandbox.messages();
        assert_eq!(messages.len(), 1, "{name}");
        assert_eq!(messages[0]["text"], text, "{name}");
        assert_eq!(messages[0]["id"].as_str(), receipt.message_id.as_deref(), "{name}");
    }
}

#[test]
fn a_told_wait_that_does_not_fit_ends_the_send_at_once() {
    let sandbox = sandbox();
    let limited = json!({"service": "fanfou", "kind": "rate_limit", "retry_after_s": 60});
    let deadline = message_with("fanfou-basic", json!({"deadline_ms": 30_000}));
    for (message, time_out) in [(message("fanfou-basic"), 30_000), (deadline, 3_600_000)] {
        sandbox.fault(limited.clone()).expect("a fault");
        // Each by a client of its own: an account that was told to wait holds its next message.
        let receipt = send_within(&sandbox_client(&sandbox), &message, time_out);
        assert_eq!(verdict(&receipt), ("not_sent", "rate_limited"));
        let error = receipt.error.as_ref().expect("refused");
        assert_eq!((error.retry_after_ms(), error.is_retryable()), (Some(60_000), true));
        assert_eq!((receipt.deadline, receipt.attempts), (true, 1));
        assert!(receipt.elapsed_ms < 30_000, "it waited: {} ms", receipt.elapsed_ms);
    }
    assert!(sandbox.messages().is_empty());
}

#[test]
fn a_retry_after_holds_for_backoff_too_and_zero_is_untold() {
    for (status, fields, body, after) in [
        (200, "Retry-After: 60\r\n", tencent(10002, ""), 60_000),
        (200, "Retry-After: 60\r\n", tencent(10023, ""), 60_000),
        (200, "Retry-After: 0\r\n", tencent(10023, ""), 1_000),
        (200, "", tencent(10023, ""), 1_000),
        (429, "Retry-After: 60\r\n", String::new(), 60_000),
    ] {
        let server = RawServer::fixed(answer(status, fields, &body));
        let client = client(&config(&server.url()));
        // A wait as long as the caller's time cannot fit, however long the answer took.
        let receipt = send_within(&client, &message("im"), after);
        assert_eq!(
            receipt.error.as_ref().expect("refused").retry_after_ms(),
            Some(after),
            "{body}"
        );
        assert_eq!((receipt.deadline, server.request_count()), (true, 1), "{fields}{body}");
    }
}

fn timestamp(request: &Request) -> u64 {
    let header = request.header("authorization").expect("signed");
    let (_, rest) = header.split_once("oauth_timestamp=\"").expect("a timestamp");
    rest.split('"').next().and_then(|digits| digits.parse().ok()).expect("seconds")
}

fn date(off: i64) -> String {
    let now = SystemTime::now();
    let there = match off < 0 {
        true => now - Duration::from_secs(off.unsigned_abs()),
        false => now + Duration::from_secs(off.unsigned_abs()),
    };
    format!("Date: {}\r\n", httpdate::fmt_http_date(there))
}

#[test]
fn a_wrong_clock_is_corrected_once_and_told() {
    for (off, how) in [(312, "behind"), (-312, "ahead")] {
        let refusal = kept(401, &date(off), r#"{"request":"/x","error":"Expired timestamp"}"#);
        let server = RawServer::script(vec![refusal]);
        let receipt = send(&client(&config(&server.url())), &message("ff-oauth"));
        assert_eq!(verdict(&receipt), ("not_sent", "auth"));
        let error = receipt.error.as_ref().expect("refused");
        let told = [311, 312, 313].map(|s| format!("your clock is {s} s {how}"));
        assert!(told.iter().any(|told| error.message().contains(told)), "{error}");
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "signed anew once");
        let corrected = timestamp(&requests[1]).abs_diff(timestamp(&requests[0]));
        assert!((310..=314).contains(&corrected), "corrected by {corrected} s");
        assert_ne!(requests[0].header("authorization"), requests[1].header("authorization"));
    }
}

#[test]
fn a_correction_of_the_clock_is_kept() {
    let refusal = kept(401, &date(312), r#"{"request":"/x","error":"Expired timestamp"}"#);
    let server = RawServer::script(vec![refusal, kept(200, "", OK)]);
    let client = client(&config(&server.url()));
    for _ in 0..2 {
        assert_eq!(verdict(&send(&client, &message("ff-oauth"))), SENT);
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 3, "the second message was signed rightly at once");
    let corrected = timestamp(&requests[2]).saturating_sub(timestamp(&requests[0]));
    assert!((310..60 + 312).contains(&corrected), "{corrected}");
}

#[test]
fn the_sandbox_s_own_clock_is_followed() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let clock = Clock::manual(u64::try_from(now).expect("fits") + 400_000);
    let sandbox = Sandbox::start_with_clock(Options::default(), clock).expect("a sandbox");
    let receipt = send(&sandbox_client(&sandbox), &message("fanfou-oauth1"));
    assert_eq!((verdict(&receipt), receipt.attempts), (SENT, 2), "{:?}", receipt.error);
}

#[test]
fn a_signature_without_a_wrong_clock_is_made_anew_once() {
    let server = RawServer::fixed(answer(200, &date(0), tencent(70001, "")));
    let receipt = send(&client(&config(&server.url())), &message("im"));
    assert_eq!(verdict(&receipt), ("not_sent", "auth"));
    assert_eq!(server.request_count(), 2);
    assert!(!receipt.error.expect("refused").message().contains("clock"));
}

#[test]
fn a_dropped_message_becomes_a_new_one() {
    let dropped = tencent(0, r#","MsgDropReason":"MsgFreqCtrl""#);
    let server = RawServer::script(vec![kept(200, "", &dropped), kept(200, "", OK_IM)]);
    let receipt = send(&client(&config(&server.url())), &message("im"));
    assert_eq!((verdict(&receipt), receipt.attempts), (SENT, 2));
    let requests = server.requests();
    assert_ne!(random_of(&requests[0]), random_of(&requests[1]));
    assert_eq!(without_random(&requests[0]), without_random(&requests[1]));
}

#[test]
fn a_dropped_message_with_the_caller_s_random_stays_dropped() {
    let dropped = tencent(0, r#","MsgDropReason":"MsgFreqCtrl""#);
    let server = RawServer::fixed(answer(200, "", &dropped));
    let own = message_with("im", json!({"extra": {"Random": 4_294_967_295_u32}}));
    let receipt = send(&client(&config(&server.url())), &own);
    assert_eq!(verdict(&receipt), ("not_sent", "dropped"));
    let requests = server.requests();
    assert_eq!((requests.len(), random_of(&requests[0])), (1, 4_294_967_295));
    let code = receipt.error.as_ref().and_then(|error| error.service_code());
    assert_eq!(code, Some("MsgFreqCtrl"));
}

#[test]
fn a_reason_that_nobody_knows_is_a_drop_for_good() {
    let dropped = tencent(0, r#","MsgDropReason":"SomethingNew""#);
    let server = RawServer::fixed(answer(200, "", &dropped));
    let receipt = send(&client(&config(&server.url())), &message("im"));
    assert_eq!((verdict(&receipt), server.request_count()), (("not_sent", "dropped"), 1));
}

#[test]
fn a_doubt_is_resent_byte_for_byte_where_it_is_recognised() {
    let server = RawServer::script(vec![(Vec::new(), Then::Reset), kept(200, "", OK_IM)]);
    let client = client(&config(&server.url()));
    for own in [json!({}), json!({"extra": {"Random": 9}})] {
        let before = server.request_count();
        assert_eq!(verdict(&send(&client, &message_with("im", own))), SENT);
        let requests = server.requests();
        if before == 0 {
            assert_eq!(requests.len(), 2);
            assert_eq!(requests[0].body, requests[1].body);
        }
    }

    let sandbox = sandbox();
    let reset = json!({"service": "tencent_im", "kind": "reset", "when": "after"});
    sandbox.fault(reset).expect("a fault");
    let receipt = send(&sandbox_client(&sandbox), &message("tencent_im-usersig"));
    assert_eq!((verdict(&receipt), receipt.attempts), (SENT, 2), "{:?}", receipt.error);
    assert_eq!(sandbox.messages().len(), 1, "one message although two requests came");
}

#[test]
fn a_repeated_answer_to_a_doubt_is_sent() {
    let repeated = tencent(10024, "");
    let server = RawServer::script(vec![(Vec::new(), Then::Close), kept(200, "", &repeated)]);
    let receipt = send(&client(&config(&server.url())), &message("im"));
    assert_eq!((verdict(&receipt), receipt.deduplicated), (SENT, true));
    // Without a doubt it is somebody else's message.
    let server = RawServer::fixed(answer(200, "", &repeated));
    let receipt = send(&client(&config(&server.url())), &message("im"));
    assert_eq!(verdict(&receipt), ("not_sent", "duplicate"));
    assert_eq!((receipt.deduplicated, server.request_count()), (false, 1));
}

#[test]
fn a_doubt_is_one_request_where_nobody_would_recognise_another() {
    for (when, arrived) in [("before", 0), ("after", 1)] {
        let sandbox = sandbox();
        sandbox
            .fault(json!({"service": "fanfou", "kind": "reset", "when": when, "times": 9}))
            .expect("a fault");
        let receipt = send(&sandbox_client(&sandbox), &message("fanfou-basic"));
        assert_eq!(verdict(&receipt), ("maybe_sent", "network"), "{when}");
        assert_eq!((receipt.attempts, sandbox.messages().len()), (1, arrived), "{when}");
        let error = receipt.error.expect("in doubt");
        assert!(!error.is_retryable() && error.hint_text().is_some(), "{error:?}");
    }
    let server = RawServer::script(vec![(Vec::new(), Then::Reset)]);
    let receipt = submit_and_wait(&client(&config(&server.url())), &message("ff-xml"));
    assert_eq!(verdict(&receipt), ("maybe_sent", "network"));
    assert_eq!(server.request_count(), 1);
}

fn resending(url: &str) -> Client {
    client(&config_with(url, json!({"retry": {"on_maybe_sent": "resend"}})))
}

#[test]
fn a_caller_may_ask_for_at_least_once() {
    let server = RawServer::script(vec![(Vec::new(), Then::Reset), kept(200, "", OK)]);
    let receipt = send(&resending(&server.url()), &message("ff-json"));
    assert_eq!((verdict(&receipt), receipt.attempts, server.request_count()), (SENT, 2, 2));
    let server = RawServer::script(vec![kept(503, "", ""), kept(200, "", OK)]);
    let receipt = send(&resending(&server.url()), &message("ff-json"));
    assert_eq!((verdict(&receipt), server.request_count()), (SENT, 2));
}

#[test]
fn no_later_refusal_clears_a_doubt() {
    let reset = || (Vec::new(), Then::Reset);
    for (status, name) in [(403, "forbidden"), (404, "not_found"), (418, "protocol")] {
        let server = RawServer::script(vec![reset(), kept(status, "", "")]);
        let receipt = send(&resending(&server.url()), &message("ff-json"));
        assert_eq!(verdict(&receipt), ("maybe_sent", name), "{status}");
        assert!(!receipt.error.expect("in doubt").is_retryable(), "{status}");
    }
    let server = RawServer::script(vec![reset(), kept(200, "", &tencent(10010, ""))]);
    let receipt = send(&client(&config(&server.url())), &message("im"));
    assert_eq!(verdict(&receipt), ("maybe_sent", "not_found"));
    let dropped = tencent(0, r#","MsgDropReason":"MsgFreqCtrl""#);
    let server = RawServer::script(vec![reset(), kept(200, "", &dropped), kept(200, "", OK_IM)]);
    let receipt = send(&client(&config(&server.url())), &message("im"));
    assert_eq!((verdict(&receipt), server.request_count()), (("maybe_sent", "dropped"), 2));
}

#[test]
fn a_deadline_that_passes_first_makes_no_request() {
    let server = RawServer::fixed(answer(200, "", OK));
    let client = client(&config(&server.url()));
    let late = json!({"deadline_ms": 20, "not_before_ms": 32_503_680_000_000_u64});
    let receipt = submit_and_wait(&client, &message_with("ff-json", late));
    assert_eq!(verdict(&receipt), ("not_sent", "expired"));
    assert_eq!((receipt.attempts, receipt.deadline, server.connections()), (0, true, 0));
    assert!(!receipt.error.expect("expired").is_retryable());
}

#[test]
fn a_time_out_of_zero_makes_no_request() {
    let server = RawServer::fixed(answer(200, "", OK));
    let client = client(&config(&server.url()));
    let receipt = send_within(&client, &message("ff-json"), 0);
    assert_eq!(verdict(&receipt), ("not_sent", "timeout"));
    assert_eq!((receipt.attempts, receipt.deadline, server.connections()), (0, true, 0));
}

#[test]
fn the_caller_s_time_out_cuts_an_attempt_and_says_what_is_true() {
    let server = RawServer::script(vec![(Vec::new(), Then::Hang)]);
    let client = client(&config(&server.url()));
    for name in ["ff-json", "im"] {
        // A slow machine may not even get the request out in that time: then it gets more.
        let cut = (0..10).map(|n| 100 << n).find_map(|ms| {
            let receipt = send_within(&client, &message(name), ms);
            assert!(receipt.deadline && receipt.elapsed_ms >= ms, "{receipt:?}");
            (verdict(&receipt) != ("not_sent", "timeout")).then_some(receipt)
        });
        assert_eq!(verdict(&cut.expect("it went")), ("maybe_sent", "timeout"), "{name}");
    }
}

#[test]
fn ids_are_exact_to_the_last_digit() {
    let body =
        r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"MsgSeq":18446744073709551615}"#;
    let server = RawServer::fixed(answer(200, "", body));
    let receipt = send(&client(&config(&server.url())), &message("im"));
    assert_eq!(receipt.message_id.as_deref(), Some("18446744073709551615"));
    assert!(receipt.to_json().contains("\"MsgSeq\":18446744073709551615"), "{}", receipt.to_json());
    assert_eq!(shown(&receipt)["message_id"], "18446744073709551615");
    for (given, id) in [
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("\"00071\"", "00071"),
        ("\"~a\\u00e9\"", "~aé"),
    ] {
        let server = RawServer::fixed(answer(200, "", format!("{{\"id\":{given}}}")));
        let receipt = send(&client(&config(&server.url())), &message("ff-json"));
        assert_eq!(receipt.message_id.as_deref(), Some(id));
    }
}

#[test]
fn a_trace_tells_of_each_attempt() {
    let server = RawServer::script(vec![kept(200, "", &tencent(10002, "")), kept(200, "", OK_IM)]);
    let client = client(&config_with(&server.url(), json!({"trace": true})));
    let shown = shown(&send(&client, &message("im")));
    let trace = shown["trace"].as_array().expect("a trace");
    let told = |field: &str| trace.iter().map(|one| one[field].clone()).collect::<Vec<_>>();
    assert_eq!(told("name"), [json!("service"), json!("ok")]);
    assert_eq!(told("delivery"), [json!("not_sent"), json!("sent")]);
    assert_eq!(told("http_status"), [json!(200), json!(200)]);
    assert!(told("wait_ms")[0].as_u64().is_some_and(|ms| ms <= 2), "{trace:?}");
    assert!(told("at_ms")[0].as_u64() <= told("at_ms")[1].as_u64() && told("ms")[0].is_u64());
}

#[test]
fn where_nobody_listens_nothing_is_sent_and_it_is_tried_again() {
    let nobody = {
        let server = RawServer::fixed("");
        server.url()
    };
    let client = client(&config(&nobody));
    for name in ["ff-json", "im"] {
        let receipt = send(&client, &message(name));
        assert_eq!((verdict(&receipt), receipt.attempts), (("not_sent", "network"), 3), "{name}");
        let error = receipt.error.expect("refused");
        assert!(error.is_retryable() && error.message().contains("127.0.0.1"), "{error}");
    }
}

#[test]
fn a_host_that_does_not_exist_is_never_sent_to() {
    let account = account("ff-json", "http://does-not-exist.invalid");
    let config = json!({"v": 1, "accounts": {"ff-json": account},
        "retry": {"max_attempts": 2, "initial_ms": 1, "max_ms": 2}});
    let receipt = send(&client(&config), &message("ff-json"));
    assert_eq!((verdict(&receipt), receipt.attempts), (("not_sent", "network"), 2));
    let error = receipt.error.expect("refused");
    assert!(error.message().contains("does-not-exist.invalid"), "{error}");
}

#[test]
fn a_signature_over_another_url_hints_at_the_signing_url() {
    let expected = "Invalid signature. Expected basestring is POST&http%3A%2F%2Fapi.example";
    let oauth1 = json!({"type": "oauth1", "consumer_key": "ck", "consumer_secret": "cs",
        "token": "t", "token_secret": "ts"});
    let basic = json!({"type": "basic", "username": "u", "password": "p4ssword"});
    let mac = json!({"type": "mac", "token": "t", "mac_key": "key"});
    let bearer = json!({"type": "bearer", "token": "t"});
    let fanfou = |words: &str| json!({"request": "/x.json", "error": words}).to_string();
    let xml = format!("<hash><request>x</request><error>{expected}</error></hash>");
    let sina = |words: &str| json!({"error_code": "401", "error": words}).to_string();
    let renren = |code: &str| json!({"error": {"code": code, "message": "why"}}).to_string();
    for (service, auth, body, hints) in [
        ("fanfou", &oauth1, fanfou(expected), true),
        ("fanfou", &oauth1, xml, true),
        ("fanfou", &oauth1, format!("<title>{expected}</title>"), true),
        ("fanfou", &oauth1, fanfou("Invalid access token"), false),
        ("fanfou", &oauth1, fanfou("Expired timestamp"), false),
        ("fanfou", &basic, fanfou(expected), false),
        ("sina", &oauth1, sina("40107:Oauth Error: signature_invalid!"), true),
        ("sina", &oauth1, sina("40106:Oauth Error: signature_method_rejected!"), false),
        ("sina", &oauth1, sina("40113:Oauth Error: token_rejected!"), false),
        ("renren", &mac, renren("invalid_authorization.INVALID-SIGNATURE"), true),
        ("renren", &mac, renren("invalid_authorization.INVALID_TOKEN"), false),
        ("renren", &bearer, renren("invalid_authorization.INVALID-SIGNATURE"), false),
    ] {
        let server = RawServer::fixed(answer(401, "", &body));
        let mut account = json!({"service": service, "auth": auth, "base_url": server.url()});
        let (mut extra, mut to) = (json!({}), json!({"user": "1"}));
        match service {
            "renren" => {
                account["params"] = json!("form");
                extra = json!({"messageType": "1", "resourceTitle": "t"});
                to = json!({"users": ["1"]});
            }
            "sina" => account["app_key"] = json!("k"),
            _ => {}
        }
        let client = client(&json!({"v": 1, "accounts": {"a": account}}));
        let message = json!({"v": 1, "account": "a", "to": to, "text": "x", "extra": extra});
        let receipt = send(&client, &message);
        assert_eq!(verdict(&receipt), ("not_sent", "auth"), "{service} {body}");
        let hint = shown(&receipt)["error"]["hint"].as_str().unwrap_or_default().to_owned();
        assert_eq!(hint.contains("\"signing_url\""), hints, "{service} {auth} {body}: {hint}");
    }
}
