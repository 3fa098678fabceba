//! Circulars in the random world: to several recipients, in several pieces, with a verdict for each.

use std::collections::HashMap;

use fastrand::Rng;
use serde_json::{Value, json};

use super::Fate;
use crate::model::receipt::{Delivery, Receipt};
use crate::net::{Failure, Way};
use crate::service::api::Answer;

/// What became of a request for one recipient and one piece.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Got {
    /// It has it, and the client was told so.
    Taken,
    /// It surely has it not.
    Nothing,
    /// The client cannot know; it has it (true) or not.
    Doubt(bool),
}

/// Message, recipient and piece.
type Cell = (usize, String, usize);

/// What became of every circular.
#[derive(Default)]
pub struct Circulars(HashMap<Cell, Vec<Got>>);

/// A request that is under way.
pub struct Request {
    number: usize,
    piece: usize,
    names: Vec<String>,
}

/// A message of one to three pieces to one to eight recipients, of whom a request takes five.
pub fn message(number: usize, rng: &mut Rng) -> Value {
    let text: String =
        (0..rng.usize(1..4)).map(|piece| format!("msg-{number:07} part-{piece}  ")).collect();
    let users: Vec<String> = (0..rng.usize(1..9)).map(|n| format!("u{n}")).collect();
    json!({"account": "circ", "to": {"users": users}, "text": text, "overflow": "split"})
}

impl Request {
    pub fn read(number: usize, body: &str) -> Request {
        let body: Value = serde_json::from_str(body).expect("JSON");
        let names = body["to"].as_array().expect("a list").iter();
        let names = names.map(|name| name.as_str().expect("text").to_owned()).collect();
        let piece = body["text"].as_str().and_then(|text| text.split("part-").nth(1));
        let piece = piece.and_then(|text| text[..1].parse().ok()).expect("a piece");
        Request { number, piece, names }
    }

    fn cell(&self, name: &str) -> Cell {
        (self.number, name.to_owned(), self.piece)
    }
}

impl Circulars {
    /// The request arrives, or does not: until its answer is there, what began is in doubt.
    pub fn begins(&mut self, request: &Request, fate: &Fate) {
        let got = match fate {
            Fate::Lost { begun: false, .. } | Fate::Hang { begun: false, .. } => Got::Nothing,
            Fate::Take | Fate::Drop => Got::Doubt(true),
            Fate::Lost { taken, .. } | Fate::Hang { taken, .. } => Got::Doubt(*taken),
            Fate::Garble { status, taken } => Got::Doubt(*taken && matches!(status, 200 | 502)),
            Fate::Refuse | Fate::Throttle => Got::Doubt(false),
        };
        for name in &request.names {
            self.0.entry(request.cell(name)).or_default().push(got);
        }
    }

    fn tell(&mut self, request: &Request, name: &str, got: Got) {
        let last = self.0.get_mut(&request.cell(name)).and_then(|all| all.last_mut());
        *last.expect("it began") = got;
    }

    /// Answers; the client learns what it says.
    pub fn answers(
        &mut self,
        request: &Request,
        fate: &Fate,
        rng: &mut Rng,
    ) -> Result<Answer, Failure> {
        let answer = |status, body: Value| {
            let body = body.to_string().into_bytes();
            Ok(Answer { status, body, ..Answer::default() })
        };
        match fate {
            Fate::Take | Fate::Drop => {
                let mut results = Vec::new();
                for name in &request.names {
                    let (got, code) = match rng.u32(0..100) {
                        0..75 => (Got::Taken, Some(0)),
                        75..80 => (Got::Nothing, Some(404)),
                        80..90 => (Got::Nothing, Some(503)),
                        90..95 => (Got::Nothing, Some(429)),
                        95..98 => (Got::Doubt(rng.bool()), Some(504)),
                        _ => (Got::Doubt(rng.bool()), None),
                    };
                    self.tell(request, name, got);
                    results.extend(code.map(|code| json!({"to": name, "code": code})));
                }
                rng.shuffle(&mut results);
                answer(200, json!({"code": 0, "words": "", "results": results}))
            }
            Fate::Refuse | Fate::Throttle => {
                let names = &request.names;
                names.iter().for_each(|name| self.tell(request, name, Got::Nothing));
                let refuses = matches!(fate, Fate::Refuse);
                let code = if refuses { [401, 404, 503][rng.usize(0..3)] } else { 429 };
                answer(200, json!({"code": code, "words": "no"}))
            }
            Fate::Garble { status, .. } => {
                if matches!(status, 302 | 404) {
                    let names = &request.names;
                    names.iter().for_each(|name| self.tell(request, name, Got::Nothing));
                }
                answer(*status, json!("proxy"))
            }
            Fate::Lost { .. } | Fate::Hang { .. } => {
                Err(Failure { way: Way::Network, words: "simulated".to_owned() })
            }
        }
    }

    /// How many requests came.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// What was told of a message is true, and nobody got anything twice or out of order.
    pub fn check(&self, number: usize, receipt: &Receipt, told: &str) {
        let recipients = receipt.recipients.as_ref().unwrap_or_else(|| panic!("{told}: nobody"));
        let count = receipt.pieces.as_ref().map_or(1, Vec::len);
        for one in recipients {
            let told = format!("{told}: {one:?}");
            let of = |piece| -> &[Got] {
                self.0.get(&(number, one.name.clone(), piece)).map_or(&[], Vec::as_slice)
            };
            let mut has = 0;
            let mut doubt = false;
            for piece in 0..count {
                let got = of(piece);
                assert!(
                    got.is_empty() || piece == has,
                    "{told}: piece {piece} without the ones before"
                );
                if let Some((last, before)) = got.split_last() {
                    assert!(
                        before.iter().all(|got| *got == Got::Nothing),
                        "{told}: doubled {got:?}"
                    );
                    has += usize::from(*last == Got::Taken);
                    doubt |= matches!(last, Got::Doubt(_));
                }
            }
            let is = match (doubt, has) {
                (true, _) => Delivery::MaybeSent,
                (_, 0) => Delivery::NotSent,
                (_, has) if has == count => Delivery::Sent,
                _ => Delivery::PartlySent,
            };
            assert_eq!(one.delivery, is, "{told}");
            assert_eq!(one.error.is_none(), is == Delivery::Sent, "{told}");
        }
        let all = |deliveries: Vec<Delivery>| Delivery::together(deliveries);
        let whole = Some(receipt.delivery);
        assert_eq!(all(recipients.iter().map(|one| one.delivery).collect()), whole, "{told}");
        if let Some(pieces) = &receipt.pieces {
            assert_eq!(all(pieces.iter().map(|one| one.delivery).collect()), whole, "{told}");
        }
    }
}
