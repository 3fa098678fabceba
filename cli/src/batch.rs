//! Many messages, one a line: sent side by side, told of as they end.

use std::io::BufRead;
use std::time::Duration;

use hongyan::{Client, ErrorCode, Waited};
use serde_json::{Map, Value};

use crate::exit::{Exit, Usage};
use crate::message::is_blank;
use crate::output::Output;
use crate::report;

/// How many messages are under way at once.
const IN_FLIGHT: usize = 256;

/// The lines that hold something, with their numbers.
struct Lines {
    source: Box<dyn BufRead>,
    number: u64,
}

impl Lines {
    fn next(&mut self) -> anyhow::Result<Option<(u64, Vec<u8>)>> {
        loop {
            let mut line = Vec::new();
            let read = self.source.read_until(b'\n', &mut line);
            if read.map_err(|e| Usage::argument(format!("cannot read on: {e}")))? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if !is_blank(&line) {
                return Ok(Some((self.number, line)));
            }
        }
    }
}

/// Does something with each message in turn.
pub fn each(
    source: Box<dyn BufRead>,
    mut act: impl FnMut(u64, &[u8]) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let mut lines = Lines { source, number: 0 };
    let mut exit = None;
    while let Some((number, line)) = lines.next()? {
        join(&mut exit, act(number, &line)?);
    }
    exit.ok_or_else(none)
}

/// Sends each message; one that fails stops no other.
pub fn send(
    client: &Client,
    source: Box<dyn BufRead>,
    time_out: Option<Duration>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let mut lines = Lines { source, number: 0 };
    let (mut exit, mut in_flight, mut waiting) = (None, 0, None);
    // Reading may break off, but what was accepted by then is waited for and told of.
    let mut broken = None;
    loop {
        while in_flight < IN_FLIGHT && broken.is_none() {
            let next = match waiting.take() {
                Some(line) => Ok(Some(line)),
                None => lines.next(),
            };
            let (number, line) = match next {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            };
            match client.submit_json(&limited(&line, time_out), number) {
                Ok(_) => in_flight += 1,
                // An account takes fewer at once than we do: first let one end.
                Err(error) if error.code() == ErrorCode::Full && in_flight > 0 => {
                    waiting = Some((number, line));
                    break;
                }
                Err(error) => {
                    report::refused(&error, Some(number), json, out)?;
                    report::explain(&error, Some(number));
                    join(&mut exit, Exit::Failed);
                }
            }
        }
        if in_flight == 0 {
            break;
        }
        if let Waited::Results(receipts) = client.wait(None, IN_FLIGHT)? {
            in_flight -= receipts.len();
            for receipt in receipts {
                report::receipt(&receipt, Some(receipt.token), json, out);
                join(&mut exit, Exit::of(&receipt));
            }
        }
    }
    match broken {
        Some(error) => Err(error),
        None => exit.ok_or_else(none),
    }
}

fn join(exit: &mut Option<Exit>, other: Exit) {
    *exit = Some(exit.map_or(other, |exit| exit.and(other)));
}

fn none() -> anyhow::Error {
    Usage::argument("the file holds no message").into()
}

/// The message with this deadline, unless it has its own.
///
/// The field goes in front of the others as text: their digits and order are the caller's.
fn limited(line: &[u8], time_out: Option<Duration>) -> Vec<u8> {
    let message = time_out.and_then(|_| serde_json::from_slice::<Map<String, Value>>(line).ok());
    let start = line.iter().position(|byte| *byte == b'{');
    match (time_out, message, start) {
        (Some(time_out), Some(message), Some(start))
            if !message.is_empty() && !message.contains_key("deadline_ms") =>
        {
            let ms = u64::try_from(time_out.as_millis()).unwrap_or(u64::MAX);
            let mut limited = format!("{{\"deadline_ms\":{ms},").into_bytes();
            limited.extend_from_slice(&line[start + 1..]);
            limited
        }
        _ => line.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_becomes_the_deadline_of_a_message_without_one() {
        let limited = |line: &str| {
            String::from_utf8(limited(line.as_bytes(), Some(Duration::from_millis(1500))))
                .expect("UTF-8")
        };
        assert_eq!(limited(" {\"v\": 1.0}\n"), "{\"deadline_ms\":1500,\"v\": 1.0}\n");
        for untouched in ["{\"deadline_ms\": 1}", "{}", "nonsense", "[1]", ""] {
            assert_eq!(limited(untouched), untouched);
        }
    }
}
