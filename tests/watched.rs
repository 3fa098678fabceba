//! A caller that is asked while its send waits, and uses the client there: as a signal handler does.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;

use std::io::Write as _;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use accounts::{ACCOUNTS, client, config, message, verdict};
use hongyan::{Client, Receipt, SendOptions, SubmitOptions};
use raw::{GUARD, Gate, RawServer, Then, answer};

const OK: &str = ACCOUNTS[0].1;
const OFTEN: Duration = Duration::from_millis(1);

/// A server whose first answer waits for the gate, and no other.
fn first_behind(gate: &Gate) -> RawServer {
    let (gate, ok) = (gate.clone(), answer(200, "", OK));
    RawServer::start(move |request, stream| {
        if request.number == 1 {
            gate.pass();
        }
        stream.write_all(&ok)?;
        Ok(Then::Keep)
    })
}

fn send(client: &Client) -> Receipt {
    let json = message("ff-json").to_string();
    client.send(json.as_bytes(), SendOptions::within(GUARD)).expect("accepted")
}

/// Sends, and once the request has arrived has `asked` called once, in the middle of the send.
fn send_and_ask(
    client: &Arc<Client>,
    server: &Arc<RawServer>,
    asked: impl FnOnce(&Client) -> bool + Send + 'static,
) -> Receipt {
    let (client, server) = (Arc::clone(client), Arc::clone(server));
    let (sender, receiver) = mpsc::channel();
    // What hangs must not take the test with it.
    thread::spawn(move || {
        let mut asked = Some(asked);
        let json = message("ff-json").to_string();
        let receipt = client.send(
            json.as_bytes(),
            SendOptions::watched(OFTEN, &mut || {
                server.request_count() > 0 && asked.take().is_some_and(|asked| asked(&client))
            }),
        );
        drop(sender.send(receipt.expect("accepted")));
    });
    receiver.recv_timeout(GUARD).expect("the send and what it asked have ended")
}

fn start(gate: &Gate) -> (Arc<Client>, Arc<RawServer>) {
    let server = Arc::new(first_behind(gate));
    (Arc::new(client(&config(&server.url()))), server)
}

#[test]
fn a_send_within_a_send() {
    let gate = Gate::default();
    let (client, server) = start(&gate);
    let opens = gate.clone();
    let receipt = send_and_ask(&client, &server, move |client| {
        assert_eq!(verdict(&send(client)), ("sent", "ok"));
        opens.open();
        false
    });
    assert_eq!(verdict(&receipt), ("sent", "ok"));
    assert_eq!(server.request_count(), 2);
}

#[test]
fn a_close_within_a_send_ends_it() {
    let gate = Gate::default();
    let (client, server) = start(&gate);
    let receipt = send_and_ask(&client, &server, move |client| {
        assert_eq!(client.close(Some(Duration::ZERO)), 1);
        false
    });
    assert_eq!(verdict(&receipt), ("maybe_sent", "cancelled"));
    gate.open();
}

#[test]
fn a_patient_close_within_a_send_waits_for_it() {
    let gate = Gate::default();
    let (client, server) = start(&gate);
    let opens = gate.clone();
    let receipt = send_and_ask(&client, &server, move |client| {
        opens.open();
        assert_eq!(client.close(None), 0);
        false
    });
    assert_eq!(verdict(&receipt), ("sent", "ok"));
}

#[test]
fn a_submit_within_a_send_reports() {
    let gate = Gate::default();
    let (client, server) = start(&gate);
    let opens = gate.clone();
    let receipt = send_and_ask(&client, &server, move |client| {
        client
            .submit(message("ff-json").to_string().as_bytes(), SubmitOptions::token(7))
            .expect("accepted");
        let receipt = accounts::take(client);
        assert_eq!((receipt.token, verdict(&receipt)), (7, ("sent", "ok")));
        opens.open();
        false
    });
    assert_eq!(verdict(&receipt), ("sent", "ok"));
}

#[test]
fn nobody_waits_for_a_caller_that_takes_its_time() {
    let gate = Gate::default();
    let (client, server) = start(&gate);
    let others = Arc::clone(&client);
    let opens = gate.clone();
    let receipt = send_and_ask(&client, &server, move |client| {
        // Other threads' sends go on, and so does its own.
        let other = thread::spawn(move || send(&others));
        assert_eq!(verdict(&other.join().expect("it ended")), ("sent", "ok"));
        opens.open();
        assert_eq!(client.flush(Some(GUARD)), 0);
        false
    });
    assert_eq!(verdict(&receipt), ("sent", "ok"));
}

#[test]
fn a_panic_of_the_caller_leaves_the_others_alone() {
    let gate = Gate::default();
    let (client, server) = start(&gate);
    let watched = Arc::clone(&client);
    let arrived = Arc::clone(&server);
    let caught = thread::spawn(move || {
        let json = message("ff-json").to_string();
        drop(watched.send(
            json.as_bytes(),
            SendOptions::watched(OFTEN, &mut || {
                assert!(arrived.request_count() == 0, "meant");
                false
            }),
        ));
    });
    assert!(caught.join().is_err());
    assert_eq!(verdict(&send(&client)), ("sent", "ok"));
    gate.open();
    assert_eq!(client.flush(Some(GUARD)), 0, "the send itself goes on");
}

#[test]
fn senders_at_once_each_ask_their_own_caller() {
    let server = RawServer::fixed(answer(200, "", OK));
    let client = client(&config(&server.url()));
    let asked = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let json = message("ff-json").to_string();
                    let mut ask = || {
                        *asked.lock().expect("no panic") += 1;
                        drop(client.stats_json());
                        false
                    };
                    let every = Duration::from_micros(50);
                    let sent = client.send(json.as_bytes(), SendOptions::watched(every, &mut ask));
                    assert_eq!(verdict(&sent.expect("accepted")), ("sent", "ok"));
                }
            });
        }
    });
    assert_eq!(server.request_count(), 400);
}
