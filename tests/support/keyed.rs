//! Messages with keys and in order, and servers for them.

#![allow(dead_code, reason = "each test uses its part of it")]

use std::io::Write as _;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use hongyan::{Client, Op, SubmitOptions};
use serde_json::{Value, json};

use super::accounts::{self, ACCOUNTS, message_with};
use super::raw::{GUARD, RawServer, Then, answer};

pub const OK: &str = ACCOUNTS[0].1;
pub const OK_IM: &str = ACCOUNTS[3].1;
/// Far in the future.
pub const LATER_MS: u64 = 32_503_680_000_000;

/// A server that takes everything.
pub fn kind() -> RawServer {
    RawServer::fixed(answer(200, "", OK))
}

pub fn keyed(more: Value) -> Value {
    accounts::merged(message_with("ff-json", json!({"key": "k"})), more)
}

pub fn submit(client: &Client, token: u64, message: &Value) -> Op {
    client.submit(message.to_string().as_bytes(), SubmitOptions::token(token)).expect("accepted")
}

/// A server that answers each request when it is told to.
pub struct Gated {
    pub server: RawServer,
    gate: Sender<Vec<u8>>,
}

impl Gated {
    pub fn new() -> Gated {
        let (gate, answers): (_, Receiver<Vec<u8>>) = channel();
        let answers = Arc::new(Mutex::new(answers));
        let server = RawServer::start(move |_, stream| {
            let answer = answers.lock().expect("no panic").recv_timeout(GUARD);
            match answer {
                Ok(answer) => {
                    stream.write_all(&answer)?;
                    Ok(Then::Keep)
                }
                Err(_) => Ok(Then::Close),
            }
        });
        Gated { server, gate }
    }

    pub fn answer(&self, body: &str) {
        self.gate.send(answer(200, "", body)).expect("the server lives");
    }

    pub fn texts(&self) -> Vec<String> {
        let text =
            |body: &str| ["A", "B", "C"].into_iter().find(|t| body.contains(&format!("text {t}")));
        let requests = self.server.requests();
        requests.iter().map(|r| text(r.body_text()).unwrap_or("?").to_owned()).collect()
    }
}

pub fn ordered(text: &str, more: Value) -> Value {
    let text = format!("text {text}");
    accounts::merged(message_with("im", json!({"ordered": true, "text": text})), more)
}
