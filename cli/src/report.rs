//! What became of a message, for people and for programs.

use std::io::{self, Write};

use hongyan::{Delivery, Error, Receipt};
use serde_json::{Value, json};

use crate::output::{Output, diagnose, line};

/// Tells what became of a message: one line on stdout, and on stderr why it was not sent.
pub fn receipt(
    receipt: &Receipt,
    number: Option<u64>,
    json: bool,
    out: &mut Output,
) -> io::Result<()> {
    if json {
        return writeln!(out, "{}", receipt.to_json());
    }
    writeln!(out, "{}{}", place(number), line(&outcome(receipt)))?;
    if let Some(error) = &receipt.error {
        explain(error, number);
        shares(receipt);
        diagnose(&format!("  again: {}", again(receipt.delivery, error)));
    }
    Ok(())
}

/// How many recipients, or parts, are named.
const NAMED: usize = 10;

/// Says on stderr which recipients, and which parts, have not arrived, where others have.
fn shares(receipt: &Receipt) {
    let recipients = receipt
        .recipients
        .iter()
        .flatten()
        .map(|one| (format!("{} {:?}", one.kind.name(), one.name), one.delivery, &one.error));
    let pieces = receipt.pieces.iter().flatten().enumerate();
    let pieces = pieces.map(|(i, one)| (format!("part {}", i + 1), one.delivery, &one.error));
    let all: Vec<_> = recipients.chain(pieces).collect();
    if all.iter().all(|(_, delivery, _)| *delivery == receipt.delivery) {
        return;
    }
    let rest: Vec<_> = all.iter().filter(|(_, one, _)| *one != Delivery::Sent).collect();
    for (what, delivery, error) in rest.iter().take(NAMED) {
        let why = error.as_ref().map(|error| format!(": {}", error.code().name()));
        let words = format!("  {what}: {}{}", delivery.name(), why.unwrap_or_default());
        diagnose(&line(&words));
    }
    if rest.len() > NAMED {
        diagnose(&format!("  … and {} more", rest.len() - NAMED));
    }
}

/// Tells on stdout that a message was not even accepted; [`explain`] tells why.
pub fn refused(error: &Error, number: Option<u64>, json: bool, out: &mut Output) -> io::Result<()> {
    if !json {
        return writeln!(out, "{}not_sent: refused as {}", place(number), error.code().name());
    }
    let error: Value = serde_json::from_str(&error.to_json()).unwrap_or_default();
    let mut refused = json!({"v": 1, "delivery": "not_sent", "error": error});
    if let Some(number) = number {
        refused["token"] = number.into();
    }
    writeln!(out, "{}", refused)
}

/// Says on stderr what was wrong, where, and what to do about it.
pub fn explain(error: &Error, number: Option<u64>) {
    explain_at(error, &place(number));
}

/// Like [`explain`], with the place it is about in front.
pub fn explain_at(error: &Error, place: &str) {
    let name = error.code().name();
    let mut words = format!("{place}error: {name}: {}", line(error.words()));
    let code = error.service_code().map(|code| format!("service code {code}"));
    let status = error.http_status().map(|status| format!("HTTP status {status}"));
    let answer: Vec<String> = code.into_iter().chain(status).collect();
    let facts = [
        ("answer", Some(answer.join(", ")).filter(|answer| !answer.is_empty())),
        ("path", error.path().map(str::to_owned)),
        ("hint", error.hint_text().map(str::to_owned)),
    ];
    for (name, fact) in facts {
        if let Some(fact) = fact {
            words.push_str(&format!("\n  {name}: {}", line(&fact)));
        }
    }
    diagnose(&words);
}

fn place(number: Option<u64>) -> String {
    number.map(|number| format!("line {number}: ")).unwrap_or_default()
}

fn outcome(receipt: &Receipt) -> String {
    let mut words = format!("{}: account {}", receipt.delivery.name(), receipt.account);
    if let Some(service) = receipt.service {
        words.push_str(&format!(" ({service})"));
    }
    if let Some(id) = &receipt.message_id {
        words.push_str(&format!(", message id {id}"));
    }
    let attempts = match receipt.attempts {
        1 => "1 attempt".to_owned(),
        n => format!("{n} attempts"),
    };
    words.push_str(&format!(", id {}, {attempts}, {} ms", receipt.id, receipt.elapsed_ms));
    if receipt.deduplicated {
        words.push_str(match receipt.delivery {
            Delivery::Sent => ", deduplicated: sent earlier and not twice",
            _ => ", deduplicated: this is what became of the earlier message of its key",
        });
    }
    words
}

/// Whether to send it again.
fn again(delivery: Delivery, error: &Error) -> String {
    match delivery {
        Delivery::Sent => "not needed".to_owned(),
        Delivery::MaybeSent => "may deliver it twice; look before you send it again".to_owned(),
        Delivery::PartlySent => {
            "only what has not arrived: --json tells it, in \"recipients\" and \"pieces\""
                .to_owned()
        }
        Delivery::NotSent if !error.is_retryable() => {
            "safe, since nothing was sent, but it will fail the same way until something changes"
                .to_owned()
        }
        Delivery::NotSent => match error.retry_after_ms() {
            Some(ms) => format!("safe, since nothing was sent; in {} s", ms.div_ceil(1000)),
            None => "safe, since nothing was sent, and it may work".to_owned(),
        },
    }
}
