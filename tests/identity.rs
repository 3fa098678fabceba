//! Who sent a message in doubt, and in which words: only the same sender sends it again, and only words
//! that nobody else of the client used are proven by "repeated". In one run, and over a restart.

#![cfg(feature = "outbox")]

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/outbox_folder.rs"]
#[allow(dead_code, reason = "only its configuration is needed here")]
mod outbox_folder;
#[path = "support/raw.rs"]
mod raw;

use std::io::Write as _;
use std::time::Duration;

use accounts::{ACCOUNTS, account, client, config, merged, message, message_with, take, verdict};
use hongyan::{Client, Receipt, SendOptions, SubmitOptions};
use outbox_folder::Folder;
use raw::{Gate, RawServer, Then, answer};
use serde_json::{Value, json};

const OK_IM: &str = ACCOUNTS[3].1;
const OK_WEIBO: &str = r#"{"id":1,"idstr":"1"}"#;
const REPEATED: &str = r#"{"error_code":20019,"error":"repeat content"}"#;

/// What may become of an account, as fields of it; and whether it is the same sender then.
fn changes(other: &str) -> Vec<(Value, bool)> {
    vec![
        (json!({}), true),
        (json!({"auth": {"secret_key": "another-secret-key"}}), true),
        (json!({"auth": {"expire_s": 3600}, "rate": {"count": 9, "per_ms": 1000}}), true),
        (json!({"auth": {"sdk_app_id": 1_400_000_001}}), false),
        (json!({"auth": {"identifier": "somebody"}}), false),
        (json!({"base_url": format!("{other}/im")}), false),
        (json!({"auth": {"sdk_app_id": 1_400_000_001}, "base_url": format!("{other}/im")}), false),
    ]
}

fn submit(client: &Client, message: &Value, token: u64) {
    client.submit(message.to_string().as_bytes(), SubmitOptions::token(token)).expect("accepted");
}

#[test]
fn a_doubt_is_not_resent_by_an_account_that_became_another() {
    let other = RawServer::fixed(answer(200, "", OK_IM));
    for (change, same) in changes(&other.url()) {
        for anew in [false, true] {
            let gate = Gate::default();
            let server = RawServer::start({
                let gate = gate.clone();
                move |request, stream| {
                    if request.number == 1 {
                        gate.pass();
                        return Ok(Then::Close);
                    }
                    stream.write_all(&answer(200, "", OK_IM))?;
                    Ok(Then::Keep)
                }
            });
            let client = client(&config(&server.url()));
            submit(&client, &message("im"), 1);
            server.wait_for_requests(1);
            let became = merged(account("im", &server.url()), change.clone()).to_string();
            if anew {
                client.remove_account("im").expect("it is there");
            }
            client.set_account("im", &became).expect("a valid account");
            gate.open();
            let receipt = take(&client);
            let expected = if same { ("sent", "ok") } else { ("maybe_sent", "network") };
            assert_eq!(verdict(&receipt), expected, "{change}");
            assert_eq!(server.request_count(), if same { 2 } else { 1 }, "{change}");
        }
    }
    assert_eq!(other.request_count(), 0, "it never was sent there");
}

#[test]
fn a_doubt_is_not_resent_by_another_account_of_the_run_after() {
    let other = RawServer::fixed(answer(200, "", OK_IM));
    let mut changes = changes(&other.url());
    let fanfou = json!({"service": "fanfou", "auth": {"type": "basic", "username": "u",
        "password": "a-password"}});
    changes.push((fanfou, false));
    for (change, same) in changes {
        for resend in [false, true] {
            let folder = Folder::new();
            let server = RawServer::script(vec![
                (Vec::new(), Then::Hang),
                (answer(200, "", OK_IM), Then::Keep),
            ]);
            let retry = json!({"retry": {"on_maybe_sent": if resend { "resend" } else { "stop" }}});
            let mut config = folder.config(&server.url(), retry);
            {
                let client = client(&config);
                submit(&client, &message("im"), 1);
                server.wait_for_requests(1);
                assert_eq!(client.close(Some(Duration::ZERO)), 1);
            }
            let other_service = change.get("service").is_some();
            let was = if other_service { json!({}) } else { config["accounts"]["im"].take() };
            config["accounts"]["im"] = merged(was, change.clone());
            let before = other.request_count();
            let receipt = take(&client(&config));
            assert!(receipt.recovered);
            let again = server.request_count() - 1 + other.request_count() - before;
            let expected = match same || (resend && !other_service) {
                true => (("sent", "ok"), 1),
                false => (("maybe_sent", "network"), 0),
            };
            assert_eq!((verdict(&receipt), again), expected, "{change}, resend {resend}");
        }
    }
}

/// A client of Weibo that resends doubts, with an outbox.
fn weibo(folder: &Folder, server: &RawServer) -> Client {
    let base_url = format!("{}/weibo", server.url());
    let weibo = json!({"service": "weibo", "base_url": base_url, "rate": null,
        "auth": {"type": "oauth2", "token": "weibo-token"}});
    let mut other = weibo.clone();
    other["auth"]["send"] = json!("header");
    let more = json!({"retry": {"on_maybe_sent": "resend"},
        "accounts": {"weibo": weibo, "weibo2": other}});
    client(&folder.config(&server.url(), more))
}

fn words(account: &str, text: &str) -> Value {
    message_with(account, json!({"to": {"user": "2125034703"}, "text": text}))
}

/// What this server does with its requests, one after the other.
fn server(steps: &[&str]) -> RawServer {
    let step = |step: &&str| match *step {
        "hang" => (Vec::new(), Then::Hang),
        "lose" => (Vec::new(), Then::Close),
        "refuse" => (answer(400, "", r#"{"error_code":21327,"error":"no"}"#), Then::Keep),
        "repeated" => (answer(400, "", REPEATED), Then::Keep),
        _ => (answer(200, "", OK_WEIBO), Then::Keep),
    };
    RawServer::script(steps.iter().map(step).collect())
}

fn told(receipt: &Receipt) -> (&'static str, &'static str, bool) {
    let (delivery, name) = verdict(receipt);
    (delivery, name, receipt.deduplicated)
}

const PROVEN: (&str, &str, bool) = ("sent", "ok", true);
const OPEN: (&str, &str, bool) = ("maybe_sent", "duplicate", false);

/// How the first of two messages goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    Send,
    Outbox,
    Acknowledged,
}

fn go(client: &Client, door: Door, message: &Value) {
    if door == Door::Send {
        client.send(message.to_string().as_bytes(), SendOptions::default()).expect("accepted");
        return;
    }
    submit(client, message, 9);
    let receipt = take(client);
    if door == Door::Acknowledged {
        client.ack(&receipt).expect("an outbox");
    }
}

const DOORS: [Door; 3] = [Door::Send, Door::Outbox, Door::Acknowledged];

#[test]
fn what_went_just_before_a_restart_leaves_a_doubt() {
    for door in DOORS {
        for (before, step, expected) in [
            (words("weibo", "hello"), "take", OPEN),
            (words("weibo2", "hello"), "take", OPEN),
            (words("weibo", "hello"), "refuse", PROVEN),
            (words("weibo2", "other"), "take", PROVEN),
        ] {
            let folder = Folder::new();
            let server = server(&[step, "lose", "repeated"]);
            go(&weibo(&folder, &server), door, &before);
            let client = weibo(&folder, &server);
            submit(&client, &words("weibo", "hello"), 1);
            let receipt = loop {
                match take(&client) {
                    receipt if receipt.token == 1 => break receipt,
                    _ => continue,
                }
            };
            assert_eq!(told(&receipt), expected, "{door:?} {before} {step}");
        }
    }
}

#[test]
fn a_doubt_of_the_run_before_is_proven_only_if_it_was_alone() {
    for door in DOORS {
        for (beside, step, expected) in [
            (Some(words("weibo", "hello")), "take", OPEN),
            (Some(words("weibo2", "hello")), "take", OPEN),
            (Some(words("weibo2", "hello")), "refuse", PROVEN),
            (Some(words("weibo", "other")), "take", PROVEN),
            (None, "take", PROVEN),
        ] {
            let folder = Folder::new();
            let steps: &[&str] = match beside {
                Some(_) => &["hang", step, "repeated"],
                None => &["hang", "repeated"],
            };
            let server = server(steps);
            {
                let client = weibo(&folder, &server);
                submit(&client, &words("weibo", "hello"), 1);
                server.wait_for_requests(1);
                if let Some(beside) = &beside {
                    go(&client, door, beside);
                }
                client.close(Some(Duration::ZERO));
            }
            let client = weibo(&folder, &server);
            let receipt = loop {
                match take(&client) {
                    receipt if receipt.token == 1 => break receipt,
                    _ => continue,
                }
            };
            assert_eq!(told(&receipt), expected, "{door:?} {beside:?} {step}");
            assert!(receipt.recovered);
        }
    }
}

#[test]
fn two_in_doubt_of_one_run_prove_neither_in_the_next() {
    let folder = Folder::new();
    let server = server(&["hang", "hang", "repeated"]);
    {
        let client = weibo(&folder, &server);
        submit(&client, &words("weibo", "hello"), 1);
        submit(&client, &words("weibo2", "hello"), 2);
        server.wait_for_requests(2);
        assert_eq!(client.close(Some(Duration::ZERO)), 2);
    }
    let client = weibo(&folder, &server);
    assert_eq!([take(&client), take(&client)].each_ref().map(told), [OPEN, OPEN]);
}
