//! Rows of the database, as values.

use std::time::Duration;

use tokio_postgres::Row;

use crate::engine::store::{Begin, Listed, Ready, State, StoredResult, Verdict};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::receipt::Delivery;

/// The columns of [`ready`].
pub(super) const READY: &str = "seq, coalesce(turn, 0) AS turn, id, token, account, key, message, files, direct, state, \
                                accepted_ms, due_ms, deadline_ms, attempts, first_sent_ms, sender, body, mark, \
                                progress, home";

/// A message that is to be begun, or was begun by a member that is gone; of the members that are `mine`, or of
/// others. Its times are by a clock that is so much ahead of ours.
pub(super) fn ready(row: &Row, mine: &[i64], ahead_ms: i64) -> Ready {
    let ours = |at: i64| ms(at.saturating_sub(ahead_ms));
    let (seq, attempts) = (row.get("seq"), row.get::<_, i32>("attempts").cast_unsigned());
    let state = i64::from(row.get::<_, i16>("state"));
    let begun = (state == State::Begun as i64).then(|| Begin {
        seq,
        attempts,
        first_sent_ms: row.get::<_, Option<i64>>("first_sent_ms").map_or(0, ours),
        sender: row.get("sender"),
        body: row.get("body"),
        mark: row.get("mark"),
        progress: None,
    });
    let home: Option<i64> = row.get("home");
    Ready {
        seq,
        attempts,
        begun,
        turn: row.get("turn"),
        id: row.get("id"),
        token: row.get::<_, i64>("token").cast_unsigned(),
        account: row.get("account"),
        key: row.get("key"),
        message: row.get("message"),
        has_files: row.get::<_, Option<i64>>("files").is_some(),
        direct: row.get::<_, Option<bool>>("direct").is_some_and(|direct| direct),
        follows: state == State::Following as i64,
        accepted_ms: ours(row.get("accepted_ms")),
        due_ms: row.get::<_, Option<i64>>("due_ms").map(ours),
        deadline_ms: row.get::<_, Option<i64>>("deadline_ms").map(ours),
        earlier: !home.is_some_and(|home| mine.contains(&home)),
        progress: row.get("progress"),
    }
}

/// A result that this member may hand out.
pub(super) fn result(row: &Row) -> StoredResult {
    StoredResult {
        seq: row.get("seq"),
        id: row.get("id"),
        token: row.get::<_, i64>("token").cast_unsigned(),
        follows: row.get("borrowed"),
        own: row.get("own"),
        verdict: verdict(row.get("delivery"), row.get("receipt")),
    }
}

/// The id of a message that followed another, and its result.
pub(super) fn followed(row: &Row) -> (String, Verdict) {
    (row.get("id"), verdict(row.get("delivery"), row.get("receipt")))
}

/// The columns of [`listed`].
pub(super) const LISTED: &str = "seq, state, id, token, account, key, message, accepted_ms, due_ms, deadline_ms, \
                                 attempts, first_sent_ms, borrowed, delivery, receipt";

/// A row as people see it, its times by the clock of the database.
pub(super) fn listed(row: &Row, shown: &str) -> Result<Listed> {
    let number = i64::from(row.get::<_, i16>("state"));
    let state = State::ALL.into_iter().find(|state| *state as i64 == number);
    let state = state.ok_or_else(|| {
        let words = format!("the outbox {shown} has a message in a state {number} that is none");
        Error::new(ErrorCode::Storage, words)
    })?;
    let delivery: Option<i16> = row.get("delivery");
    Ok(Listed {
        seq: row.get("seq"),
        state,
        id: row.get("id"),
        token: row.get::<_, i64>("token").cast_unsigned(),
        account: row.get("account"),
        key: row.get("key"),
        message: row.get("message"),
        accepted_ms: ms(row.get("accepted_ms")),
        due_ms: row.get::<_, Option<i64>>("due_ms").map(ms),
        deadline_ms: row.get::<_, Option<i64>>("deadline_ms").map(ms),
        attempts: row.get::<_, i32>("attempts").cast_unsigned(),
        first_sent_ms: row.get::<_, Option<i64>>("first_sent_ms").map(ms),
        follows: row.get("borrowed"),
        verdict: delivery.map(|_| verdict(delivery, row.get("receipt"))),
    })
}

/// A verdict; what no version of this library wrote is in doubt, and its receipt says so when it is read.
pub(super) fn verdict(delivery: Option<i16>, receipt: Option<Vec<u8>>) -> Verdict {
    let known = Delivery::ALL.into_iter().find(|d| Some(d.number()) == delivery.map(i32::from));
    Verdict { delivery: known.unwrap_or(Delivery::MaybeSent), receipt: receipt.unwrap_or_default() }
}

/// A time or a count of the database; none is below zero.
pub(super) fn ms(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A length of time for the database.
pub(super) fn time(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A limit for the database.
pub(super) fn most(most: usize) -> i32 {
    i32::try_from(most).unwrap_or(i32::MAX)
}
