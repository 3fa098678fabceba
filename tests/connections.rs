//! Kept connections: used again, and noticed when the other side is done with them.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;
#[path = "support/tunnel.rs"]
mod tunnel;

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use accounts::{ACCOUNTS, client, config, merged, message, send, submit_and_wait, verdict};
use hongyan::{SubmitOptions, Waited};
use hongyan_sandbox::{Options, Sandbox, Tls};
use raw::{RawServer, Then, answer};
use serde_json::json;

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

/// Writes the last bytes of a connection so that its end travels with them, in one segment.
#[cfg(target_os = "linux")]
fn write_and_end(stream: &std::net::TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::fd::AsRawFd as _;
    // SAFETY: the descriptor is open for as long as `stream` is borrowed, and the buffer is as long
    // as it says.
    let sent = unsafe {
        libc::send(stream.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_MORE)
    };
    // A short answer fits into the socket's buffer whole.
    if sent != bytes.len() as isize {
        return Err(std::io::Error::last_os_error());
    }
    stream.shutdown(std::net::Shutdown::Write)
}

#[cfg(target_os = "linux")]
#[test]
fn an_end_that_comes_with_the_answer_is_noticed_at_once() {
    for submitted in [false, true] {
        let ok = answer(200, "", ACCOUNTS[0].1);
        let server = RawServer::start(move |_, stream| {
            write_and_end(stream, &ok)?;
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

/// Connections that are open now, and the most that ever were at once.
#[derive(Default)]
struct Open {
    now: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

/// Carries connections to a sandbox, and counts them.
fn counted(port: u16) -> (RawServer, Arc<Open>) {
    let open = Arc::<Open>::default();
    let counts = Arc::clone(&open);
    let server = RawServer::wild(move |stream| {
        let now = counts.now.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most.fetch_max(now, Ordering::SeqCst);
        counts.all.fetch_add(1, Ordering::SeqCst);
        let done = TcpStream::connect(("127.0.0.1", port))
            .and_then(|other| tunnel::splice(stream, &other));
        counts.now.fetch_sub(1, Ordering::SeqCst);
        done
    });
    (server, open)
}

#[test]
fn no_host_ever_gets_more_connections_than_it_may() {
    const MOST: usize = 6;
    for tls in [Tls::Off, Tls::Good] {
        let sandbox = Sandbox::start(Options { tls, ..Options::default() }).expect("a sandbox");
        sandbox.limits(false);
        let (server, open) = counted(sandbox.port());
        let mut config = sandbox.config();
        for account in config["accounts"].as_object_mut().expect("accounts").values_mut() {
            let url = account["base_url"].as_str().expect("a URL").to_owned();
            account["base_url"] =
                url.replace(&sandbox.port().to_string(), &server.port().to_string()).into();
            account["rate"] = json!(null);
        }
        let more = json!({"max_connections_per_host": MOST, "idle_ms": 600_000,
            "retry": {"max_attempts": 1}});
        let client = client(&merged(config, more));
        let names = ["fanfou-basic", "fanfou-oauth1", "tencent_im-usersig"];
        for n in 0..300_u64 {
            let mut message = message(names[n as usize % 3]);
            message["text"] = format!("message {n}").into();
            client
                .submit(message.to_string().as_bytes(), SubmitOptions::token(n))
                .expect("accepted");
        }
        let mut sent = 0;
        while sent < 300 {
            let waited = client.wait(Some(Duration::from_secs(60)), 64).expect("open");
            let Waited::Results(results) = waited else { panic!("{sent} of 300 came") };
            for receipt in results {
                assert_eq!(verdict(&receipt), SENT, "{tls:?}: {:?}", receipt.error);
                sent += 1;
            }
        }
        let most = open.most.load(Ordering::SeqCst);
        assert!(most <= MOST, "{tls:?}: {most} at once");
        assert_eq!(open.all.load(Ordering::SeqCst), most, "{tls:?}: none was opened anew");
    }
}
