//! Sends that end from outside: cancelled, closed, their account gone, or no room for them.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;

use std::collections::BTreeSet;
use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use accounts::{
    ACCOUNTS, account, client, config, config_with, message, message_with, take, verdict,
};
use hongyan::{Client, ErrorCode, Message, SendOptions, SubmitOptions, Waited};
use raw::{GUARD, Gate, RawServer, Then, answer};
use serde_json::{Value, json};

const OK: &str = ACCOUNTS[0].1;
/// A wait that no test sees the end of.
const LATER_MS: u64 = 32_503_680_000_000;

fn submit(client: &Client, message: &Value, token: u64) -> hongyan::Op {
    client.submit(message.to_string().as_bytes(), SubmitOptions::token(token)).expect("accepted")
}

fn waiting(account: &str) -> Value {
    message_with(account, json!({"not_before_ms": LATER_MS}))
}

/// A server that never answers.
fn silent() -> RawServer {
    RawServer::script(vec![(Vec::new(), Then::Hang)])
}

#[test]
fn every_accepted_send_has_one_receipt() {
    let server = RawServer::fixed(answer(200, "", OK));
    let client = client(&config(&server.url()));
    for token in 0..100 {
        submit(&client, &message("ff-json"), token);
    }
    assert_eq!(client.flush(Some(GUARD)), 0);
    let mut tokens = BTreeSet::new();
    while tokens.len() < 100 {
        let receipt = take(&client);
        assert_eq!(verdict(&receipt), ("sent", "ok"));
        assert!(tokens.insert(receipt.token), "token {} twice", receipt.token);
    }
    assert_eq!(server.request_count(), 100);
    assert!(matches!(client.wait(Some(Duration::ZERO), 1), Ok(Waited::Nothing)));
}

#[test]
fn a_cancelled_send_says_what_became_true() {
    let server = silent();
    let client = client(&config(&server.url()));
    let begun = submit(&client, &message("ff-json"), 1);
    server.wait_for_requests(1);
    begun.cancel();
    let receipt = take(&client);
    assert_eq!((verdict(&receipt), receipt.attempts), (("maybe_sent", "cancelled"), 1));
    assert_eq!((receipt.id.as_str(), receipt.deadline), (begun.id(), false));

    let not_begun = submit(&client, &waiting("ff-json"), 2);
    not_begun.cancel();
    let receipt = take(&client);
    assert_eq!((verdict(&receipt), receipt.attempts), (("not_sent", "cancelled"), 0));
    // After the end there is nothing to cancel.
    begun.cancel();
    not_begun.cancel();
    assert!(matches!(client.wait(Some(Duration::ZERO), 1), Ok(Waited::Nothing)));
    assert_eq!(server.request_count(), 1);
}

#[test]
fn closing_cuts_what_is_under_way_and_says_how_many() {
    let server = silent();
    let client = client(&config(&server.url()));
    submit(&client, &message("ff-json"), 1);
    server.wait_for_requests(1);
    submit(&client, &waiting("ff-xml"), 2);
    assert_eq!(client.close(Some(Duration::ZERO)), 2);
    assert_eq!(client.close(None), 0, "a second close");
    let mut receipts = [take(&client), take(&client)];
    receipts.sort_by_key(|receipt| receipt.token);
    assert_eq!(verdict(&receipts[0]), ("maybe_sent", "cancelled"));
    assert_eq!(verdict(&receipts[1]), ("not_sent", "cancelled"));
    assert_eq!(client.wait(None, 1).expect_err("closed and empty").code(), ErrorCode::Closed);
    let late = message("ff-json").to_string();
    let refused = client.submit(late.as_bytes(), SubmitOptions::token(3)).err().expect("closed");
    assert_eq!(refused.code(), ErrorCode::Closed);
    let refused = client.send(late.as_bytes(), SendOptions::default()).expect_err("closed");
    assert_eq!(refused.code(), ErrorCode::Closed);
    assert_eq!(server.request_count(), 1);
}

#[test]
fn closing_waits_for_what_ends_in_time() {
    let gate = Gate::default();
    let server = gate.server(answer(200, "", OK));
    let client = client(&config(&server.url()));
    submit(&client, &message("ff-json"), 1);
    server.wait_for_requests(1);
    gate.open();
    assert_eq!(client.close(Some(GUARD)), 0);
    assert_eq!(verdict(&take(&client)), ("sent", "ok"));
}

#[test]
fn a_dropped_future_cancels_its_send() {
    let server = silent();
    let client = client(&config(&server.url()));
    let message = Message::from_json(&message("ff-json").to_string()).expect("valid");
    {
        let mut send = pin!(client.send_async(message));
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(send.as_mut().poll(&mut context), Poll::Pending));
        server.wait_for_requests(1);
    }
    assert_eq!(client.flush(Some(GUARD)), 0, "it went on");
    server.wait_for_closed(1);
}

#[test]
fn a_removed_account_ends_what_waits_for_it() {
    let server = silent();
    let client = client(&config(&server.url()));
    submit(&client, &waiting("ff-json"), 1);
    submit(&client, &message("ff-xml"), 2);
    server.wait_for_requests(1);
    client.remove_account("ff-json").expect("known");
    let receipt = take(&client);
    assert_eq!((receipt.token, verdict(&receipt)), (1, ("not_sent", "config")));
    assert!(receipt.error.expect("gone").message().contains("ff-json"));
    let again = client.remove_account("ff-json").expect_err("gone already");
    assert_eq!(again.code(), ErrorCode::Config);
    submit(&client, &message("ff-json"), 3);
    let receipt = take(&client);
    assert_eq!((receipt.token, verdict(&receipt)), (3, ("not_sent", "message")));
    assert_eq!(server.request_count(), 1);
}

#[test]
fn a_removed_account_leaves_a_doubt_a_doubt() {
    let server = RawServer::script(vec![(answer(503, "Retry-After: 200\r\n", ""), Then::Keep)]);
    let client = client(&config(&server.url()));
    submit(&client, &message("im"), 1);
    server.wait_for_requests(1);
    client.remove_account("im").expect("known");
    assert_eq!(verdict(&take(&client)), ("maybe_sent", "config"));
}

#[test]
fn a_replaced_account_holds_for_attempts_begun_later() {
    let gate = Gate::default();
    let (old, new) = (gate.server(answer(200, "", OK)), RawServer::fixed(answer(200, "", OK)));
    let client = client(&config_with(&old.url(), json!({"max_connections_per_host": 1})));
    submit(&client, &message("ff-json"), 1);
    old.wait_for_requests(1);
    // The only connection is taken: this one waits.
    submit(&client, &message("ff-json"), 2);
    let replacement = account("ff-json", &new.url()).to_string();
    client.set_account("ff-json", &replacement).expect("valid");
    gate.open();
    for _ in 0..2 {
        assert_eq!(verdict(&take(&client)), ("sent", "ok"));
    }
    assert_eq!((old.request_count(), new.request_count()), (1, 1));

    let tencent = account("im", &new.url()).to_string();
    submit(&client, &waiting("ff-json"), 3);
    client.set_account("ff-json", &tencent).expect("valid");
    let receipt = take(&client);
    assert_eq!(verdict(&receipt), ("not_sent", "config"), "{:?}", receipt.error);
}

#[test]
fn a_full_client_says_whose_limit_it_is() {
    let one = message("ff-json");
    let accounts = |most: u64| json!({"ff-json": {"max_in_flight": most}});
    for (more, words) in [
        (json!({"max_in_flight": 1, "accounts": accounts(9)}), "the client"),
        (json!({"accounts": accounts(1)}), "\"ff-json\""),
    ] {
        let server = silent();
        let client = client(&config_with(&server.url(), more));
        let op = submit(&client, &one, 1);
        for refused in [
            client.submit(one.to_string().as_bytes(), SubmitOptions::token(2)).err(),
            client.send(one.to_string().as_bytes(), SendOptions::default()).err(),
        ] {
            let error = refused.expect("full");
            assert_eq!((error.code(), error.is_retryable()), (ErrorCode::Full, true));
            assert!(error.message().contains(words) && error.hint_text().is_some(), "{error}");
        }
        server.wait_for_requests(1);
        op.cancel();
        assert_eq!(client.flush(Some(GUARD)), 0);
        // The place is free once the result is taken, not before.
        assert!(client.submit(one.to_string().as_bytes(), SubmitOptions::token(2)).is_err());
        assert_eq!(take(&client).token, 1);
        submit(&client, &one, 3).cancel();
        assert_eq!(take(&client).token, 3);
    }
}

#[test]
fn an_interrupted_wait_brings_nothing() {
    let client = client(&json!({"v": 1, "accounts": {}}));
    client.interrupt();
    assert!(matches!(client.wait(None, 1), Ok(Waited::Nothing)), "it is sticky");
    std::thread::scope(|scope| {
        let wait = scope.spawn(|| client.wait(None, 1));
        client.interrupt();
        assert!(matches!(wait.join().expect("no panic"), Ok(Waited::Nothing)));
    });
}
