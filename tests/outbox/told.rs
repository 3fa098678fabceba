//! What a service tells one sender and what holds for all of them: waits, and stopped accounts.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hongyan::{Client, SubmitOptions};
use serde_json::{Value, json};

use super::accounts::{ACCOUNTS, client, message, message_with, take, verdict};
use super::place::Folder;
use super::raw::{GUARD, RawServer, Then, answer};
use super::tables;

const OK: &str = ACCOUNTS[0].1;
const GOTIFY_OK: &str =
    r#"{"id":25,"appid":3,"message":"hello","date":"2026-07-26T12:00:00.000000000+02:00"}"#;
const GOTIFY_STOPS: &str =
    r#"{"error":"Unauthorized","errorCode":401,"errorDescription":"you need a valid token"}"#;

fn submit(client: &Client, message: &Value) {
    client.submit(message.to_string().as_bytes(), SubmitOptions::token(1)).expect("accepted");
}

/// Waits until the outbox says so, as one who looks at its tables sees it.
fn wait_for(folder: &Folder, sql: &str) {
    let started = Instant::now();
    while !tables::say(folder, sql) {
        assert!(started.elapsed() < GUARD, "waited in vain for {sql}");
    }
}

#[test]
fn a_told_wait_holds_for_all_senders_and_outlives_the_one_who_was_told() {
    const WAIT: Duration = Duration::from_secs(3);
    let answered = Arc::<Mutex<Vec<Instant>>>::default();
    let server = {
        let answered = Arc::clone(&answered);
        RawServer::start(move |request, stream| {
            answered.lock().expect("unbroken").push(Instant::now());
            let wait = format!("Retry-After: {}\r\n", WAIT.as_secs());
            match request.number {
                1 => stream.write_all(&answer(429, &wait, "busy"))?,
                _ => stream.write_all(&answer(200, "", OK))?,
            }
            Ok(Then::Keep)
        })
    };
    let folder = Folder::new();
    let mut config = folder.config(&server.url(), json!({}));
    // At the documented pace: one without any has nothing that could be stopped.
    config["accounts"]["ff-json"].as_object_mut().expect("an account").remove("rate");
    let (first, second) = (client(&config), client(&config));
    submit(&first, &message("ff-json"));
    wait_for(&folder, "SELECT count(*) > 0 FROM told");
    // Who was told is gone; the others know it, and so does who comes.
    drop(first);
    submit(&second, &message_with("ff-json", json!({"text": "second"})));
    drop(second);
    let third = client(&config);
    submit(&third, &message_with("ff-json", json!({"text": "third"})));
    (0..3).for_each(|_| assert_eq!(verdict(&take(&third)), ("sent", "ok")));
    let answered = answered.lock().expect("unbroken");
    assert_eq!(answered.len(), 4);
    for at in &answered[1..] {
        let after = *at - answered[0];
        assert!(after >= WAIT, "a request {after:?} after the answer that told {WAIT:?}");
    }
}

/// Answers by the token of each request, and counts those that it stops.
fn gotify(good: &'static str) -> (RawServer, Arc<AtomicUsize>) {
    let stopped = Arc::<AtomicUsize>::default();
    let counts = Arc::clone(&stopped);
    let server = RawServer::start(move |request, stream| {
        let bytes = match request.head.contains(good) {
            true => answer(200, "", GOTIFY_OK),
            false => {
                counts.fetch_add(1, Ordering::SeqCst);
                answer(401, "", GOTIFY_STOPS)
            }
        };
        stream.write_all(&bytes)?;
        Ok(Then::Keep)
    });
    (server, stopped)
}

/// A client whose account has this token.
fn with_token(folder: &Folder, server: &RawServer, token: &str) -> Client {
    client(&folder.config(&server.url(), json!({"accounts": {"app": account(server, token)}})))
}

fn account(server: &RawServer, token: &str) -> Value {
    json!({"service": "gotify", "base_url": server.url(), "auth": {"type": "token", "token": token}})
}

fn text(text: &str) -> Value {
    json!({"v": 1, "account": "app", "text": text})
}

fn sends(client: &Client) -> (&'static str, &'static str) {
    submit(client, &text("hello"));
    verdict(&take(client))
}

const SENT: (&str, &str) = ("sent", "ok");
const STOPPED: (&str, &str) = ("not_sent", "auth");

#[test]
fn a_stopped_account_is_stopped_for_all_senders_with_its_credentials_until_it_is_set_anew() {
    let folder = Folder::new();
    let (server, stopped) = gotify("Agood");
    let clients: Vec<_> = (0..3).map(|_| with_token(&folder, &server, "Abad")).collect();
    let other = with_token(&folder, &server, "Agood");
    assert_eq!(sends(&clients[0]), STOPPED);
    for client in &clients {
        assert_eq!(sends(client), STOPPED);
    }
    assert_eq!(stopped.load(Ordering::SeqCst), 1, "one request told it all of them");
    let later = with_token(&folder, &server, "Abad");
    assert_eq!(sends(&later), STOPPED);
    assert_eq!(stopped.load(Ordering::SeqCst), 1, "and who came later");
    assert_eq!(sends(&other), SENT, "its credentials are others");

    let set = |token: &str| {
        let account = account(&server, token).to_string();
        clients[0].set_account("app", &account).expect("set");
    };
    set("Agood");
    assert_eq!(sends(&clients[0]), SENT);
    // One of the others may try now, and tells the rest.
    wait_for(&folder, "SELECT words = 'null' FROM told");
    let started = Instant::now();
    while stopped.load(Ordering::SeqCst) == 1 {
        assert_eq!(sends(&clients[1]), STOPPED);
        assert!(started.elapsed() < GUARD, "it tries");
    }
    assert_eq!(sends(&clients[0]), SENT);
    assert_eq!(stopped.load(Ordering::SeqCst), 2);
}

#[test]
fn of_all_senders_one_message_tries_whether_a_stopped_account_works_again() {
    let folder = Folder::new();
    let (server, stopped) = gotify("none is good");
    let clients: Vec<_> = (0..3).map(|_| with_token(&folder, &server, "Abad")).collect();
    assert_eq!(sends(&clients[0]), STOPPED);
    wait_for(&folder, "SELECT count(*) > 0 FROM told");
    tables::forget_what_was_told(&folder);
    let started = Instant::now();
    while stopped.load(Ordering::SeqCst) == 1 {
        clients.iter().for_each(|client| assert_eq!(sends(client), STOPPED));
        assert!(started.elapsed() < GUARD, "one tries");
    }
    clients.iter().for_each(|client| assert_eq!(sends(client), STOPPED));
    assert_eq!(stopped.load(Ordering::SeqCst), 2, "one alone");
}
