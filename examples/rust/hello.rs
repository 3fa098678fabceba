//! Sends one message and says what became of it.
//!
//! `cargo run --example hello [CONFIG.json]`; a configuration for the local sandbox comes from
//! `hongyan sandbox --print-config`.

use std::process::ExitCode;
use std::time::Duration;

use hongyan::{Client, Delivery, Message, SendOptions};

fn main() -> ExitCode {
    let path = std::env::args().nth(1).unwrap_or_else(|| "hongyan.json".to_owned());
    match hello(&path) {
        Ok(Delivery::Sent) => ExitCode::SUCCESS,
        Ok(Delivery::MaybeSent) => ExitCode::from(7),
        Ok(Delivery::PartlySent) => ExitCode::from(4),
        Ok(Delivery::NotSent) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn hello(path: &str) -> Result<Delivery, Box<dyn std::error::Error>> {
    let client = Client::from_json(&std::fs::read_to_string(path)?)?;
    let message = Message::from_json(
        r#"{"v": 1, "account": "fanfou-basic", "to": {"user": "lisztli"}, "text": "hello"}"#,
    )?;
    let receipt = client.send(message, SendOptions::within(Duration::from_secs(30)))?;
    match (&receipt.error, &receipt.message_id) {
        (None, Some(id)) => println!("sent, with the id {id}"),
        (None, None) => println!("sent"),
        (Some(error), _) => {
            println!("{}: {error}", receipt.delivery.name());
            let safe = receipt.delivery == Delivery::NotSent;
            println!("sending it again {} double it", if safe { "cannot" } else { "may" });
        }
    }
    Ok(receipt.delivery)
}
