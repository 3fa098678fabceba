//! The two services with tokens and with steps over real sockets, and across runs of an outbox.

#![cfg_attr(
    not(feature = "outbox"),
    allow(dead_code, unused_imports, reason = "an outbox alone needs it")
)]
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use serde_json::{Value, json};

use crate::corpus::raw::{GUARD, RawServer, Request, Then, answer};
use crate::{Client, Receipt, SendOptions, SubmitOptions, Waited};

const TOKEN: &str = r#"{"code":0,"msg":"ok","token":"corp-token","expire":7200}"#;
const TAKEN: &str = r#"{"code":0,"msg":"ok","message_id":"m1"}"#;
const MADE: &str = r#"{"ok":true,"note":"","id":"c7"}"#;

/// A folder for one test's outbox.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hongyan-steps-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn client(&self, url: &str) -> Client {
        client(url, json!({"outbox": {"path": self.0.join("outbox.db")}}))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn client(url: &str, more: Value) -> Client {
    let mut config = json!({"v": 1, "accounts": {
        "corp": {"service": "corpchat", "base_url": url,
            "auth": {"type": "app", "id": "a", "secret": "app-secret"}},
        "team": {"service": "teamchat", "base_url": url,
            "auth": {"type": "bearer", "token": "team-token"}},
    }});
    config.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    Client::from_json(&config.to_string()).expect("valid accounts")
}

fn message(account: &str, user: &str) -> Vec<u8> {
    json!({"v": 1, "account": account, "to": {"user": user}, "text": "hello"}).to_string().into()
}

fn take(client: &Client) -> Receipt {
    match client.wait(Some(GUARD), 1).expect("a result") {
        Waited::Results(mut receipts) => receipts.remove(0),
        other => panic!("{other:?}"),
    }
}

/// The requests for a path, without their queries.
fn requests_for(server: &RawServer, path: &str) -> Vec<Request> {
    let mut requests = server.requests();
    requests.retain(|request| request.target().split('?').next() == Some(path));
    requests
}

#[test]
fn many_who_send_at_once_ask_for_one_token() {
    const EACH: usize = 32;
    let all = Arc::new(Barrier::new(EACH + 2));
    let ready = Arc::clone(&all);
    let server = RawServer::start(move |request, stream| {
        let is_token = request.target() == "/token";
        if is_token {
            // Not before everybody has begun to send.
            ready.wait();
        }
        stream.write_all(&answer(200, "", if is_token { TOKEN } else { TAKEN }))?;
        Ok(Then::Keep)
    });
    let client = Arc::new(client(&server.url(), json!({"timeout_ms": 120_000})));
    for n in 0..EACH {
        let sent =
            client.submit(&message("corp", &format!("s{n}")), SubmitOptions::token(n as u64));
        sent.expect("accepted");
    }
    let threads: Vec<_> = (0..EACH)
        .map(|n| {
            let (client, all) = (Arc::clone(&client), Arc::clone(&all));
            std::thread::spawn(move || {
                all.wait();
                client
                    .send(&message("corp", &format!("b{n}")), SendOptions::within(GUARD))
                    .expect("accepted")
            })
        })
        .collect();
    all.wait();
    let blocking = threads.into_iter().map(|thread| thread.join().expect("no panic"));
    let submitted = (0..EACH).map(|_| take(&client));
    for receipt in blocking.chain(submitted).collect::<Vec<_>>() {
        assert_eq!((receipt.delivery.name(), receipt.attempts), ("sent", 1), "{receipt:?}");
    }
    assert_eq!(requests_for(&server, "/token").len(), 1);
    let sent = requests_for(&server, "/messages");
    assert_eq!(sent.len(), 2 * EACH);
    assert!(sent.iter().all(|r| r.header("authorization") == Some("Bearer corp-token")));
}

#[cfg(feature = "outbox")]
#[test]
fn a_later_run_sends_what_the_service_knows_a_message_by() {
    let (folder, hangs) = (Folder::new(), Arc::new(AtomicUsize::new(2)));
    let server = RawServer::start(move |request, stream| {
        let path = request.target().split('?').next().unwrap_or_default();
        let hung = |n: usize| n.checked_sub(1);
        let sends = path == "/messages";
        if sends && hangs.fetch_update(Ordering::SeqCst, Ordering::SeqCst, hung).is_ok() {
            return Ok(Then::Hang);
        }
        let is_team = request.header("authorization") == Some("Bearer team-token");
        let body = match path {
            "/token" => TOKEN,
            "/channels" => MADE,
            _ if is_team => r#"{"ok":true,"note":"","id":"m1"}"#,
            _ => TAKEN,
        };
        stream.write_all(&answer(200, "", body))?;
        Ok(Then::Keep)
    });
    {
        let client = folder.client(&server.url());
        for (n, account) in ["corp", "team"].into_iter().enumerate() {
            client
                .submit(&message(account, "u1"), SubmitOptions::token(n as u64))
                .expect("accepted");
        }
        // A token, a channel, and both messages.
        server.wait_for_requests(4);
        assert_eq!(client.close(Some(Duration::ZERO)), 2);
    }
    let client = folder.client(&server.url());
    for receipt in [take(&client), take(&client)] {
        assert_eq!((receipt.delivery.name(), receipt.recovered), ("sent", true), "{receipt:?}");
    }
    let sent = requests_for(&server, "/messages");
    let (corp, team): (Vec<_>, Vec<_>) =
        sent.iter().partition(|request| request.target().contains("uuid="));
    assert_eq!(corp.iter().map(|r| r.target()).collect::<Vec<_>>(), [corp[0].target(); 2]);
    let known: Vec<_> = team.iter().map(|r| (r.header("idempotency-key"), &r.body)).collect();
    assert!(known.len() == 2 && known[0] == known[1] && known[0].0.is_some(), "{known:?}");
    assert_eq!(requests_for(&server, "/channels").len(), 1, "the channel was kept");
    assert_eq!(requests_for(&server, "/token").len(), 2, "a token never is");
}

#[cfg(feature = "outbox")]
#[test]
fn what_only_prepared_is_no_doubt_in_a_later_run() {
    let (folder, first) = (Folder::new(), AtomicUsize::new(1));
    let server = RawServer::start(move |_, stream| {
        if first.swap(0, Ordering::SeqCst) == 1 {
            return Ok(Then::Hang);
        }
        stream.write_all(&answer(200, "", MADE))?;
        Ok(Then::Keep)
    });
    {
        let client = folder.client(&server.url());
        client.submit(&message("team", "u1"), SubmitOptions::token(7)).expect("accepted");
        server.wait_for_requests(1);
        assert_eq!(client.close(Some(Duration::ZERO)), 1);
    }
    let client = folder.client(&server.url());
    let receipt = take(&client);
    assert_eq!((receipt.delivery.name(), receipt.recovered), ("sent", false), "{receipt:?}");
    assert_eq!(requests_for(&server, "/channels").len(), 2);
    assert_eq!(requests_for(&server, "/messages").len(), 1);
}

#[test]
fn credentials_go_nowhere_but_where_the_exchange_says() {
    let elsewhere = RawServer::fixed(answer(200, "", MADE));
    let moved = format!("location: {}/stolen\r\n", elsewhere.url());
    let server = RawServer::fixed(answer(307, &moved, ""));
    let mut account = json!({"service": "teamchat", "base_url": server.url(),
        "auth": {"type": "bearer", "token": "team-token"}});
    let send = |account: &Value| {
        let config = json!({"v": 1, "accounts": {"team": account}, "retry": {"max_attempts": 1}});
        let client = Client::from_json(&config.to_string()).expect("a valid account");
        client.send(&message("team", "u1"), SendOptions::within(GUARD)).expect("accepted")
    };
    assert_eq!(send(&account).delivery.name(), "not_sent");
    assert_eq!((server.request_count(), elsewhere.request_count()), (1, 0), "never followed");
    account["channels_url"] = format!("{}/channels", elsewhere.url()).into();
    assert_eq!(send(&account).delivery.name(), "not_sent");
    assert_eq!((server.request_count(), elsewhere.request_count()), (2, 1));
    let targets: Vec<_> = elsewhere.requests().iter().map(|r| r.target().to_owned()).collect();
    assert_eq!(targets, ["/channels"]);
}
