//! A service that keeps a ledger of every request, and notices at once what must never happen.
//!
//! It plays Fanfou, which recognises nothing, and Tencent IM, which recognises what is sent again
//! byte for byte. Each message is known by the number in its text.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use serde_json::json;

use super::raw::{RawServer, Request, Then, answer};

/// The group whose messages come in order.
pub const LINE: &str = "@line";

/// The text of a message by which the service knows it.
pub fn text(content: u64) -> String {
    format!("Q{content}Q")
}

/// The number of the message in a request.
pub fn content(body: &str) -> u64 {
    let number = body.split('Q').nth(1).and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("no text of these tests: {body}"))
}

/// When in the life of a request its sender is to die.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// The request has come, and is lost.
    Lost,
    /// The message is taken, and no answer written.
    Taken,
    /// The answer is written.
    Answered,
}

/// Whom to kill at which request from now, counted from 1.
struct Strike {
    process: u32,
    at: usize,
    moment: Moment,
}

/// What the service does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Take,
    TakeAndReset,
    TakeAndHang,
    TakeAndMumble,
    Lose,
    /// A refusal after which another attempt is made at once, where the service has such a code.
    Later,
    Refuse,
}

impl Fate {
    fn random(rng: &mut Rng) -> Fate {
        match rng.u32(0..100) {
            0..4 => Fate::TakeAndReset,
            4 => Fate::TakeAndHang,
            5..7 => Fate::TakeAndMumble,
            7..10 => Fate::Lose,
            10..14 => Fate::Later,
            14..17 => Fate::Refuse,
            _ => Fate::Take,
        }
    }
}

/// All that came of one message.
#[derive(Default)]
struct Entry {
    /// The service's ids of it, one each time that it was taken.
    ids: Vec<String>,
    /// The body of the first request that may have arrived, as far as its sender can know.
    doubtful: Option<Vec<u8>>,
}

#[derive(Default)]
struct Ledger {
    entries: HashMap<u64, Entry>,
    /// The number that the ordered line has come to.
    line: u64,
    requests: usize,
    resent: usize,
    strike: Option<Strike>,
    violations: Vec<String>,
}

/// A running service.
pub struct Service {
    ledger: Arc<Mutex<Ledger>>,
    server: RawServer,
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    pub fn start(seed: u64) -> Service {
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let (own, rng) = (Arc::clone(&ledger), Mutex::new(Rng::with_seed(seed)));
        let server = RawServer::start(move |request, stream| {
            let fate = Fate::random(&mut rng.lock().unwrap_or_else(PoisonError::into_inner));
            meet(&own, fate, request, stream)
        });
        Service { ledger, server }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Kills a process at one of the requests to come.
    pub fn strike(&self, process: u32, at: usize, moment: Moment) {
        let mut ledger = lock(&self.ledger);
        let at = ledger.requests + at;
        ledger.strike = Some(Strike { process, at, moment });
    }

    /// Kills nobody any more, and waits until what the dead have written is read.
    pub fn settle(&self) {
        lock(&self.ledger).strike = None;
        self.server.wait_for_closed(self.server.connections());
    }

    /// How often a message was taken, and as what.
    pub fn ids(&self, content: u64) -> Vec<String> {
        lock(&self.ledger).entries.get(&content).map(|entry| entry.ids.clone()).unwrap_or_default()
    }

    /// The messages that were taken more than once or against a rule, in words.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.ledger).violations.clone()
    }

    /// Requests, and how many of them came again after a doubt.
    pub fn counts(&self) -> (usize, usize) {
        let ledger = lock(&self.ledger);
        (ledger.requests, ledger.resent)
    }
}

impl Strike {
    fn fall(&self) {
        let process = i32::try_from(self.process).expect("a process number");
        // SAFETY: the process is a child that its parent has not waited for yet, so that the number
        // is still its own.
        assert_eq!(unsafe { libc::kill(process, libc::SIGKILL) }, 0, "a child");
    }
}

impl Ledger {
    /// Checks that a request may come: after a doubt nothing may, save what is recognised.
    fn arrived(&mut self, content: u64, im: bool, request: &Request) {
        self.requests += 1;
        let entry = self.entries.entry(content).or_default();
        let wrong = match &entry.doubtful {
            Some(body) if im && *body == request.body => {
                self.resent += 1;
                None
            }
            Some(_) if im => Some("came again with other bytes"),
            Some(_) => Some("came again after a doubt"),
            None => None,
        };
        self.violations.extend(wrong.map(|what| format!("{content} {what}")));
        if request.body_text().contains(LINE) {
            if content < self.line {
                self.violations.push(format!("{content} came after {}", self.line));
            }
            self.line = content;
        }
    }

    /// Takes a message, unless it is recognised; gives the success.
    fn take(&mut self, content: u64, im: bool, request: &Request) -> Vec<u8> {
        let id = self.requests.to_string();
        let entry = self.entries.entry(content).or_default();
        let known =
            entry.ids.first().filter(|_| im && entry.doubtful.as_ref() == Some(&request.body));
        let id = match known {
            Some(known) => known.clone(),
            None => {
                entry.ids.push(id.clone());
                id
            }
        };
        if entry.ids.len() > 1 {
            self.violations.push(format!("{content} was taken {} times", entry.ids.len()));
        }
        success(im, &id)
    }
}

fn success(im: bool, id: &str) -> Vec<u8> {
    let body = match im {
        true => format!(
            r#"{{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"MsgTime":1497249503,"MsgSeq":{id}}}"#
        ),
        false => format!(r#"{{"id":"{id}","text":"hello"}}"#),
    };
    answer(200, "", body)
}

fn refusal(im: bool, fate: Fate) -> Vec<u8> {
    match im {
        true => {
            let code = if fate == Fate::Later { 10002 } else { 80001 };
            let body = json!({"ActionStatus": "FAIL", "ErrorInfo": "no", "ErrorCode": code});
            answer(200, "", body.to_string())
        }
        false => answer(403, "", r#"{"request":"/direct_messages/new.json","error":"no"}"#),
    }
}

fn meet(
    ledger: &Mutex<Ledger>,
    fate: Fate,
    request: &Request,
    stream: &mut TcpStream,
) -> io::Result<Then> {
    let (content, im) = (content(request.body_text()), request.target().starts_with("/im/"));
    // Held until the answer is written: who has settled knows that nobody is killed any more.
    let mut ledger = lock(ledger);
    ledger.arrived(content, im, request);
    let now = ledger.requests;
    let strike = ledger.strike.take_if(|strike| strike.at == now);
    let moment = strike.as_ref().map(|strike| strike.moment);
    let strike_at =
        |own| strike.iter().filter(|strike| strike.moment == own).for_each(Strike::fall);
    let fate = match moment {
        Some(Moment::Lost) => Fate::Lose,
        Some(_) => Fate::Take,
        // Fanfou has no such code.
        None if fate == Fate::Later && !im => Fate::Refuse,
        None => fate,
    };
    let words = match fate {
        Fate::Lose => Vec::new(),
        Fate::Later | Fate::Refuse => refusal(im, fate),
        _ => ledger.take(content, im, request),
    };
    if !matches!(fate, Fate::Later | Fate::Refuse) {
        let entry = ledger.entries.entry(content).or_default();
        entry.doubtful.get_or_insert_with(|| request.body.clone());
    }
    strike_at(Moment::Lost);
    strike_at(Moment::Taken);
    let then = match fate {
        Fate::Lose | Fate::TakeAndReset => return Ok(Then::Reset),
        Fate::TakeAndHang => return Ok(Then::Hang),
        Fate::TakeAndMumble => stream.write_all(&answer(200, "", "{\"id\": ")),
        Fate::Take | Fate::Later | Fate::Refuse => stream.write_all(&words),
    };
    strike_at(Moment::Answered);
    // Who has died does not hear it.
    then.map(|()| Then::Keep)
}
