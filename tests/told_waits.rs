//! Waits that a service tells: never cut short, and never longer than a day.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;

use accounts::{ACCOUNTS, client, config_with, message, send, send_within, shown, verdict};
use raw::{RawServer, Then, answer};
use serde_json::json;

const DAY_MS: u64 = 86_400_000;
const OK_IM: &str = ACCOUNTS[3].1;

/// Tencent's own refusal that is tried again, after a while of the client's choice.
const TRY_AGAIN: &str = r#"{"ActionStatus":"FAIL","ErrorCode":80003,"ErrorInfo":"try again"}"#;

#[test]
fn an_attempt_waits_for_as_long_as_was_told_in_whatever_spelling() {
    for (fields, least_ms) in [
        ("0.05", 50),
        (".05", 50),
        ("5e-2", 50),
        ("+0.05", 50),
        ("  0.05 ", 50),
        ("0.05;why=load", 50),
        ("0.05 seconds", 50),
        ("0, 0.05", 50),
        ("0\r\nRetry-After: 0.05\r\nretry-after: soon", 50),
        ("0.0001", 1),
        ("1.", 1000),
    ] {
        let fields = format!("Retry-After: {fields}\r\n");
        let server = RawServer::script(vec![
            (answer(200, &fields, TRY_AGAIN), Then::Keep),
            (answer(200, "", OK_IM), Then::Keep),
        ]);
        let client = client(&config_with(&server.url(), json!({"trace": true})));
        let receipt = send(&client, &message("im"));
        assert_eq!(verdict(&receipt), ("sent", "ok"), "{fields}: {:?}", receipt.error);
        assert_eq!(shown(&receipt)["trace"][0]["wait_ms"], json!(least_ms), "{fields}");
        assert!(receipt.elapsed_ms >= least_ms, "{fields}: {}", receipt.elapsed_ms);
    }
}

#[test]
fn what_is_told_for_more_than_a_day_ends_at_once_and_stops_the_account_for_a_day() {
    for (value, told_ms) in [
        ("86401", Some(86_401_000)),
        ("86400.001", Some(86_400_001)),
        ("4294967296", Some(4_294_967_296_000)),
        ("18446744073709551616", Some(i64::MAX as u64)),
        ("1e30", Some(i64::MAX as u64)),
        ("1e400", Some(i64::MAX as u64)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Friday, 31-Dec-60 23:59:59 GMT", None),
        ("Fri Dec 31 23:59:59 9999", None),
        ("1\r\nRetry-After: 86401\r\nRetry-After: 2", Some(86_401_000)),
    ] {
        for account in ["ff-json", "im"] {
            let server =
                RawServer::fixed(answer(429, &format!("Retry-After: {value}\r\n"), "busy"));
            let mut config = config_with(&server.url(), json!({}));
            // At the documented pace: one without any has nothing that could be stopped.
            config["accounts"][account].as_object_mut().expect("an account").remove("rate");
            let client = client(&config);
            let receipt = send(&client, &message(account));
            assert_eq!(verdict(&receipt), ("not_sent", "rate_limited"), "{value}");
            let error = receipt.error.expect("an error");
            assert_eq!((receipt.attempts, receipt.deadline), (1, false), "{value}: {error}");
            assert!(error.is_retryable(), "{value}: {error}");
            let after = error.retry_after_ms().expect("told");
            assert!(after > DAY_MS && told_ms.is_none_or(|told| told == after), "{value}: {after}");

            let next = send_within(&client, &message(account), 60_000);
            assert_eq!(verdict(&next), ("not_sent", "timeout"), "{value}: {:?}", next.error);
            let after = next.error.and_then(|e| e.retry_after_ms()).expect("told");
            assert!((1..=DAY_MS).contains(&after), "{value}: stopped for {after} ms");
            assert_eq!(server.request_count(), 1, "{value}");
        }
    }
}
