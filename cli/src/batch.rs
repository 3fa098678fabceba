//! Many messages, one a line: sent side by side, told of as they end.

use std::collections::VecDeque;
use std::io::BufRead;
use std::time::Duration;

use hongyan::{Client, Error, ErrorCode, Receipt, Waited};
use serde_json::{Map, Value};

use crate::exit::{Exit, Usage};
use crate::interrupt::{Interrupt, LOOK};
use crate::message::is_blank;
use crate::output::{Output, count, diagnose};
use crate::report;

/// How many messages are under way at once.
pub const IN_FLIGHT: usize = 256;

/// A message by the number of its line.
pub struct Item {
    pub line: u64,
    pub message: Vec<u8>,
}

/// Messages, and who wants to know what becomes of them.
pub trait Batch {
    /// The next message.
    fn next(&mut self) -> anyhow::Result<Option<Item>>;

    /// These messages were accepted.
    fn accepted(&mut self, _items: &[Item]) {}

    /// What became of one; true if it is of this batch.
    fn receipt(&mut self, client: &Client, receipt: &Receipt) -> anyhow::Result<bool>;

    /// One was not even accepted.
    fn refused(&mut self, line: u64, error: &Error) -> anyhow::Result<()>;

    /// How long nothing may happen before [`Batch::is_over`] is asked.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// True if no more results will come for now, although some lack: those are not waited for.
    fn is_over(&mut self) -> anyhow::Result<bool> {
        Ok(false)
    }
}

/// Sends what there is, at most `window` messages at once; `in_flight` were accepted before. False if
/// it was interrupted: the client is closed then.
///
/// Reading or telling may break off, but what was accepted by then is waited for.
pub fn run(
    client: &Client,
    window: usize,
    mut in_flight: usize,
    batch: &mut dyn Batch,
) -> anyhow::Result<bool> {
    let interrupt = Interrupt::watch();
    let mut waiting = VecDeque::new();
    let (mut ended, mut broken, mut step) = (false, Ok(()), IN_FLIGHT);
    // How long nothing has come.
    let mut quiet = Duration::ZERO;
    loop {
        let at = Filling { window, in_flight: &mut in_flight, step: &mut step, ended: &mut ended };
        let filled = fill(client, at, &mut waiting, batch);
        if let Err(error) = filled {
            broken = broken.and(Err(error));
            ended = true;
            waiting.clear();
        }
        if in_flight == 0 {
            return broken.map(|()| true);
        }
        if interrupt.asked() {
            interrupt.settle(client);
            while let Ok(Waited::Results(receipts)) = client.wait(Some(Duration::ZERO), IN_FLIGHT) {
                for receipt in receipts {
                    broken = broken.and(batch.receipt(client, &receipt).map(|_| ()));
                }
            }
            return broken.map(|()| false);
        }
        quiet += LOOK;
        match client.wait(Some(LOOK), IN_FLIGHT)? {
            Waited::Results(receipts) => {
                quiet = Duration::ZERO;
                for receipt in receipts {
                    match batch.receipt(client, &receipt) {
                        Ok(own) => in_flight = in_flight.saturating_sub(usize::from(own)),
                        Err(error) => {
                            broken = broken.and(Err(error));
                            ended = true;
                            waiting.clear();
                            in_flight = in_flight.saturating_sub(1);
                        }
                    }
                }
            }
            Waited::Nothing => {
                let patient = batch.patience().is_none_or(|patience| quiet < patience);
                if !patient && batch.is_over()? {
                    in_flight = 0;
                }
            }
        }
    }
}

/// How far the submitting is.
struct Filling<'a> {
    window: usize,
    in_flight: &'a mut usize,
    /// How many are submitted at once: few after one was refused for want of room.
    step: &'a mut usize,
    ended: &'a mut bool,
}

/// Submits messages until there are none, or no room for them.
fn fill(
    client: &Client,
    at: Filling<'_>,
    waiting: &mut VecDeque<Item>,
    batch: &mut dyn Batch,
) -> anyhow::Result<()> {
    loop {
        let room = at.window.saturating_sub(*at.in_flight).min(*at.step);
        while waiting.len() < room && !*at.ended {
            match batch.next()? {
                Some(item) => waiting.push_back(item),
                None => *at.ended = true,
            }
        }
        if room == 0 || waiting.is_empty() {
            return Ok(());
        }
        let count = waiting.len().min(room);
        let many = waiting.iter().take(count).map(|item| (&item.message[..], item.line));
        let (accepted, refused) = match client.submit_many(many) {
            Ok(()) => (count, None),
            Err((accepted, error)) => (accepted, Some(error)),
        };
        let items: Vec<_> = waiting.drain(..accepted).collect();
        batch.accepted(&items);
        *at.in_flight += accepted;
        match refused {
            None => *at.step = (*at.step * 2).min(IN_FLIGHT),
            // An account takes fewer at once than we do: first let one end.
            Some(error) if error.code() == ErrorCode::Full && *at.in_flight > 0 => {
                *at.step = 1;
                return Ok(());
            }
            Some(error) => {
                if let Some(item) = waiting.pop_front() {
                    batch.refused(item.line, &error)?;
                }
            }
        }
    }
}

/// The lines that hold something, with their numbers.
pub struct Lines {
    source: Box<dyn BufRead>,
    number: u64,
}

impl Lines {
    /// The lines of this source.
    pub fn new(source: Box<dyn BufRead>) -> Lines {
        Lines { source, number: 0 }
    }

    /// The next of them.
    pub fn next(&mut self) -> anyhow::Result<Option<(u64, Vec<u8>)>> {
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
    let mut lines = Lines::new(source);
    let mut exit = None;
    while let Some((number, line)) = lines.next()? {
        Exit::join(&mut exit, act(number, &line)?);
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
    let mut told = Told { lines: Lines::new(source), time_out, json, out, exit: None };
    if !run(client, IN_FLIGHT, 0, &mut told)? {
        let rest = std::iter::from_fn(|| told.lines.next().ok().flatten()).count();
        if rest > 0 {
            diagnose(&format!("hongyan: {} not begun", count(rest as u64, "message")));
            Exit::join(&mut told.exit, Exit::Failed);
        }
    }
    told.exit.ok_or_else(none)
}

/// Messages whose results are told one by one.
struct Told<'a> {
    lines: Lines,
    time_out: Option<Duration>,
    json: bool,
    out: &'a mut Output,
    exit: Option<Exit>,
}

impl Batch for Told<'_> {
    fn next(&mut self) -> anyhow::Result<Option<Item>> {
        let line = self.lines.next()?;
        Ok(line.map(|(line, text)| Item { line, message: limited(&text, self.time_out) }))
    }

    fn receipt(&mut self, _: &Client, receipt: &Receipt) -> anyhow::Result<bool> {
        report::receipt(receipt, Some(receipt.token), self.json, self.out)?;
        Exit::join(&mut self.exit, Exit::of(receipt));
        Ok(true)
    }

    fn refused(&mut self, line: u64, error: &Error) -> anyhow::Result<()> {
        report::refused(error, Some(line), self.json, self.out)?;
        report::explain(error, Some(line));
        Exit::join(&mut self.exit, Exit::of_error(error));
        Ok(())
    }
}

/// A file without a message.
pub fn none() -> anyhow::Error {
    Usage::argument("the file holds no message").into()
}

/// The message with this deadline, unless it has its own.
fn limited(line: &[u8], time_out: Option<Duration>) -> Vec<u8> {
    let ms = time_out.map(|time_out| u64::try_from(time_out.as_millis()).unwrap_or(u64::MAX));
    let fields: Vec<_> = ms.into_iter().map(|ms| ("deadline_ms", Value::from(ms))).collect();
    with_fields(line, &fields)
}

/// The message with these fields, save where it has its own; what is no message stays as it is.
///
/// They go in front of the others as text: their digits and order are the caller's.
pub fn with_fields(line: &[u8], fields: &[(&str, Value)]) -> Vec<u8> {
    let message = serde_json::from_slice::<Map<String, Value>>(line).ok();
    let start = line.iter().position(|byte| *byte == b'{');
    let (Some(message), Some(start)) = (message.filter(|message| !message.is_empty()), start)
    else {
        return line.to_vec();
    };
    let mut whole = b"{".to_vec();
    for (name, value) in fields.iter().filter(|(name, _)| !message.contains_key(*name)) {
        whole.extend_from_slice(format!("\"{name}\":{value},").as_bytes());
    }
    if whole.len() == 1 {
        return line.to_vec();
    }
    whole.extend_from_slice(&line[start + 1..]);
    whole
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
