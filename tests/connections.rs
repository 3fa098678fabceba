//! Kept connections: used again, and noticed when the other side is done with them.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use accounts::{ACCOUNTS, client, config, message, send, submit_and_wait, verdict};
use raw::{RawServer, Then, answer};

const SENT: (&str, &str) = ("sent", "ok");

#[test]
fn an_answer_that_nobody_asked_for_is_nobody_s_answer() {
    for (name, ok) in ACCOUNTS {
        let refusal = match name {
            "im" => answer(200, "", r#"{"ActionStatus":"FAIL","ErrorInfo":"","ErrorCode":10010}"#),
            _ => answer(404, "", ""),
        };
        let ok = answer(200, "", ok);
        // Two answers to the first request; the second request has its own.
        let server =
            RawServer::script(vec![([ok.clone(), ok].concat(), Then::Keep), (refusal, Then::Keep)]);
        let client = client(&config(&server.url()));
        assert_eq!(verdict(&send(&client, &message(name))), SENT, "{name}");
        assert_eq!(verdict(&send(&client, &message(name))), ("not_sent", "not_found"), "{name}");
    }
}

#[test]
fn a_server_that_closes_idle_connections_loses_no_message() {
    for (name, ok) in ACCOUNTS {
        for submitted in [false, true] {
            let ok = answer(200, "", ok);
            let server = RawServer::start(move |_, stream| {
                stream.write_all(&ok)?;
                Ok(Then::Close)
            });
            let client = client(&config(&server.url()));
            for n in 1..=200 {
                let receipt = match submitted {
                    true => submit_and_wait(&client, &message(name)),
                    false => send(&client, &message(name)),
                };
                assert_eq!(verdict(&receipt), SENT, "send {n}, {name}: {:?}", receipt.error);
                server.wait_for_closed(n);
            }
            assert_eq!((server.request_count(), server.connections()), (200, 200), "{name}");
        }
    }
}

#[test]
fn a_server_that_closes_a_proven_connection_loses_no_message() {
    for submitted in [false, true] {
        let (name, ok) = ACCOUNTS[0];
        let (ok, answers) = (answer(200, "", ok), AtomicUsize::new(0));
        // Each connection is kept for eight answers, and then closed without a word.
        let server = RawServer::start(move |_, stream| {
            stream.write_all(&ok)?;
            let last = answers.fetch_add(1, Ordering::Relaxed) % 8 == 7;
            Ok(if last { Then::Close } else { Then::Keep })
        });
        let client = client(&config(&server.url()));
        for n in 1..=200 {
            let receipt = match submitted {
                true => submit_and_wait(&client, &message(name)),
                false => send(&client, &message(name)),
            };
            assert_eq!(verdict(&receipt), SENT, "send {n}: {:?}", receipt.error);
            if n % 8 == 0 {
                server.wait_for_closed(n / 8);
            }
        }
        assert_eq!((server.request_count(), server.connections()), (200, 25));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_end_that_comes_with_the_answer_is_noticed_at_once() {
    for submitted in [false, true] {
        let ok = answer(200, "", ACCOUNTS[0].1);
        let server = RawServer::start(move |_, stream| {
            raw::write_and_end(stream, &ok)?;
            Ok(Then::Close)
        });
        let client = client(&config(&server.url()));
        for n in 1..=200 {
            let receipt = match submitted {
                true => submit_and_wait(&client, &message("ff-json")),
                false => send(&client, &message("ff-json")),
            };
            assert_eq!(verdict(&receipt), SENT, "send {n}: {:?}", receipt.error);
        }
        assert_eq!((server.request_count(), server.connections()), (200, 200));
    }
}

#[test]
fn a_kept_connection_is_used_again() {
    for (name, ok) in ACCOUNTS {
        let server = RawServer::fixed(answer(200, "", ok));
        let client = client(&config(&server.url()));
        for _ in 0..5 {
            assert_eq!(verdict(&send(&client, &message(name))), SENT);
        }
        assert_eq!((server.request_count(), server.connections()), (5, 1), "{name}");
    }
}
