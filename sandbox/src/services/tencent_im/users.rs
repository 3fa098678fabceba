//! Messages to users: `POST /v4/openim/sendmsg` to one, `POST /v4/openim/batchsendmsg` to several.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::groups::{ACCOUNTS, ADMIN, MUTED};
use super::{Refused, body, envelope};
use crate::exchange::{Call, Delivered, Outcome};

/// How long a message to one user is known by sender, MsgSeq, MsgRandom and content.
const SAME_MS: u64 = 120 * 1000;
/// The most users of one request.
const MOST: usize = 500;
/// The longest life of a message, in seconds.
const LONGEST_LIFE: i64 = 604_800;

/// A message that a later one may repeat, and its key.
struct Earlier {
    own: [u8; 32],
    at_ms: u64,
    answer: Value,
}

/// The messages to users.
#[derive(Default)]
pub(super) struct Users {
    earlier: VecDeque<Earlier>,
}

fn whole(request: &Map<String, Value>, name: &str) -> Option<Result<u32, ()>> {
    let number = request.get(name)?;
    Some(number.as_u64().and_then(|number| u32::try_from(number).ok()).ok_or(()))
}

/// Checks what both kinds of message have; which code a wrong field gets is the documents' own.
fn check(request: &Map<String, Value>) -> Result<(), Refused> {
    match whole(request, "MsgRandom") {
        Some(Ok(_)) => {}
        _ => return Err(Refused::new(90005, "MsgRandom is missing or no 32-bit number")),
    }
    if whole(request, "MsgSeq").is_some_and(|seq| seq.is_err()) {
        return Err(Refused::new(90001, "MsgSeq is no 32-bit number"));
    }
    if let Some(life) = request.get("MsgLifeTime") {
        let life = life.as_i64().ok_or_else(|| Refused::new(90044, "MsgLifeTime is no integer"))?;
        if !(0..=LONGEST_LIFE).contains(&life) {
            return Err(Refused::new(90026, "MsgLifeTime is more than 7 days"));
        }
    }
    if request.get("SyncOtherMachine").is_some_and(|sync| sync != 1 && sync != 2) {
        return Err(Refused::new(90031, "SyncOtherMachine is neither 1 nor 2"));
    }
    body::check_elements(request.get("MsgBody"))?;
    let sender = request.get("From_Account").and_then(Value::as_str).unwrap_or(ADMIN);
    match sender {
        _ if !ACCOUNTS.contains(&sender) => Err(Refused::new(90048, "From_Account does not exist")),
        MUTED => Err(Refused::new(20012, "the sender is muted")),
        _ => Ok(()),
    }
}

impl Users {
    /// To one user; assumed: a message that is known is answered like the first.
    pub(super) fn one(
        &mut self,
        call: &Call,
        request: &Map<String, Value>,
    ) -> Result<Outcome, Refused> {
        let to = request.get("To_Account").and_then(Value::as_str).filter(|to| !to.is_empty());
        let to = to.ok_or_else(|| Refused::new(90003, "To_Account is missing or no text"))?;
        check(request)?;
        if !ACCOUNTS.contains(&to) {
            return Err(Refused::new(90012, "To_Account is not registered"));
        }
        while self.earlier.front().is_some_and(|first| call.now_ms >= first.at_ms + SAME_MS) {
            self.earlier.pop_front();
        }
        let known_by = ["From_Account", "To_Account", "MsgSeq", "MsgRandom", "MsgBody"];
        // Without a MsgSeq each message gets one of its own.
        let own = request.get("MsgSeq").map(|_| {
            let all = known_by.map(|name| request.get(name).cloned().unwrap_or_default());
            Sha256::digest(Value::from(all.to_vec()).to_string()).into()
        });
        let known = self.earlier.iter().find(|earlier| Some(earlier.own) == own);
        if let Some(known) = known {
            return Ok(envelope(&known.answer).into());
        }
        let number = |name| request.get(name).and_then(Value::as_u64).unwrap_or_default();
        let key = format!("{}_{}_{}", number("MsgSeq"), number("MsgRandom"), call.now_s());
        let answer = json!({
            "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0,
            "MsgTime": call.now_s(), "MsgKey": key,
        });
        let earlier = |own| Earlier { own, at_ms: call.now_ms, answer: answer.clone() };
        self.earlier.extend(own.map(earlier));
        let delivered =
            Delivered { id: Some(key), ..Delivered::to(ADMIN, to, body::text(request)) };
        Ok(Outcome::took(envelope(&answer), delivered))
    }

    /// To several: those that are not registered are named in an answer that says OK.
    pub(super) fn several(
        &self,
        call: &Call,
        request: &Map<String, Value>,
    ) -> Result<Outcome, Refused> {
        let to = match request.get("To_Account") {
            None => return Err(Refused::new(90003, "To_Account is missing")),
            Some(Value::Array(to)) if to.is_empty() => {
                return Err(Refused::new(90029, "To_Account is empty"));
            }
            Some(Value::Array(to)) if to.len() > MOST => {
                return Err(Refused::new(90011, "To_Account has more than 500 accounts"));
            }
            Some(Value::Array(to)) => to.iter().map(|one| one.as_str().unwrap_or_default()),
            Some(_) => return Err(Refused::new(90028, "To_Account is not an array")),
        };
        check(request)?;
        let (known, unknown): (Vec<&str>, Vec<&str>) = to.partition(|one| ACCOUNTS.contains(one));
        let mut answer = json!({
            "ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "MsgKey": call.now_s().to_string(),
        });
        if !unknown.is_empty() {
            let failed = |one| json!({"To_Account": one, "ErrorCode": 70107});
            answer["ErrorList"] = unknown.into_iter().map(failed).collect();
        }
        let text = body::text(request);
        let delivered = known.into_iter().map(|one| Delivered::to(ADMIN, one, text.clone()));
        Ok(Outcome { answer: envelope(&answer), delivered: delivered.collect() })
    }
}
