//! Rows of the file, as values.

use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row as SqlRow};

use crate::engine::store::{Begin, Listed, Ready, Seq, State, StoredResult, Verdict};
use crate::model::receipt::Delivery;

/// What the ties of a message need to know of it.
pub(super) struct Row {
    pub(super) seq: Seq,
    pub(super) state: State,
    pub(super) id: String,
    pub(super) account: String,
    pub(super) line: Option<String>,
    pub(super) key: Option<String>,
    pub(super) content: Option<Vec<u8>>,
    pub(super) accepted_ms: u64,
    pub(super) due_ms: Option<u64>,
    pub(super) deadline_ms: Option<u64>,
    pub(super) delivery: Option<Delivery>,
    pub(super) message_bytes: u64,
    pub(super) receipt_bytes: u64,
    pub(super) direct: bool,
    /// The member that accepted it, and the one that has it in its hands.
    pub(super) home: i64,
    pub(super) holder: Option<i64>,
    /// Its result was handed out, and not acknowledged in time.
    pub(super) given: bool,
    /// A part of it may have been sent.
    pub(super) may_be_sent: bool,
}

macro_rules! row {
    ($by:literal) => {
        concat!(
            "SELECT seq, state, id, account, line, key, content, accepted_ms, due_ms, deadline_ms, ",
            "delivery, length(message) + coalesce(files, 0), coalesce(length(receipt), 0), ",
            "direct IS NOT NULL, home, holder, given IS NOT NULL, progress IS NOT NULL FROM messages WHERE ",
            $by,
            " = ?1"
        )
    };
}

/// The row of this number.
pub(super) fn by_seq(conn: &Connection, seq: Seq) -> Result<Option<Row>> {
    found(conn.prepare_cached(row!("seq"))?.query_row([seq], read))
}

/// The row of this id.
pub(super) fn by_id(conn: &Connection, id: &str) -> Result<Option<Row>> {
    found(conn.prepare_cached(row!("id"))?.query_row([id], read))
}

fn read(row: &SqlRow<'_>) -> Result<Row> {
    Ok(Row {
        seq: row.get(0)?,
        state: state(row, 1)?,
        id: row.get(2)?,
        account: row.get(3)?,
        line: row.get(4)?,
        key: row.get(5)?,
        content: row.get(6)?,
        accepted_ms: ms(row.get(7)?),
        due_ms: option_ms(row, 8)?,
        deadline_ms: option_ms(row, 9)?,
        delivery: delivery(row, 10)?,
        message_bytes: ms(row.get(11)?),
        receipt_bytes: ms(row.get(12)?),
        direct: row.get(13)?,
        home: row.get(14)?,
        holder: row.get(15)?,
        given: row.get(16)?,
        may_be_sent: row.get(17)?,
    })
}

/// The columns of [`ready`].
pub(super) const READY: &str = "seq, coalesce(turn, 0), id, token, message, accepted_ms, \
                                deadline_ms, attempts, first_sent_ms, body, state, due_ms, sender, \
                                account, key, direct IS NOT NULL, progress, \
                                mark, files IS NOT NULL, home";

/// A message that is to be begun, or was, as this member sees it.
pub(super) fn ready(row: &SqlRow<'_>, member: i64) -> Result<Ready> {
    let (seq, attempts) = (row.get(0)?, row.get(7)?);
    let begun = match state(row, 10)? {
        State::Begun => {
            let first_sent_ms = option_ms(row, 8)?.unwrap_or(0);
            let (sender, body, mark) = (row.get(12)?, row.get(9)?, row.get(17)?);
            Some(Begin { seq, first_sent_ms, attempts, sender, body, mark, progress: None })
        }
        _ => None,
    };
    Ok(Ready {
        seq,
        turn: row.get(1)?,
        id: row.get(2)?,
        token: token(row, 3)?,
        account: row.get(13)?,
        key: row.get(14)?,
        message: row.get(4)?,
        direct: row.get(15)?,
        has_files: row.get(18)?,
        follows: state(row, 10)? == State::Following,
        accepted_ms: ms(row.get(5)?),
        due_ms: option_ms(row, 11)?,
        deadline_ms: option_ms(row, 6)?,
        attempts,
        earlier: row.get::<_, i64>(19)? != member,
        begun,
        progress: row.get(16)?,
    })
}

/// The columns of [`kept`].
pub(super) const KEPT: &str = "seq, id, token, borrowed, delivery, receipt, home";

/// A result that was not acknowledged, as this member sees it.
pub(super) fn kept(row: &SqlRow<'_>, member: i64) -> Result<StoredResult> {
    let verdict = verdict(row, 4, 5)?.ok_or_else(|| damaged(4, "a result"))?;
    let (seq, id) = (row.get(0)?, row.get(1)?);
    let (token, follows, own) = (token(row, 2)?, row.get(3)?, row.get::<_, i64>(6)? == member);
    Ok(StoredResult { seq, id, token, follows, own, verdict })
}

/// The columns of [`listed`].
pub(super) const LISTED: &str = "seq, state, id, token, account, key, message, accepted_ms, due_ms, \
                                 deadline_ms, attempts, first_sent_ms, borrowed, delivery, receipt";

/// A row as people see it.
pub(super) fn listed(row: &SqlRow<'_>) -> Result<Listed> {
    Ok(Listed {
        seq: row.get(0)?,
        state: state(row, 1)?,
        id: row.get(2)?,
        token: token(row, 3)?,
        account: row.get(4)?,
        key: row.get(5)?,
        message: row.get(6)?,
        accepted_ms: ms(row.get(7)?),
        due_ms: option_ms(row, 8)?,
        deadline_ms: option_ms(row, 9)?,
        attempts: row.get(10)?,
        first_sent_ms: option_ms(row, 11)?,
        follows: row.get(12)?,
        verdict: verdict(row, 13, 14)?,
    })
}

/// A verdict, of these two columns.
pub(super) fn verdict(
    row: &SqlRow<'_>,
    at_delivery: usize,
    at_receipt: usize,
) -> Result<Option<Verdict>> {
    let Some(delivery) = delivery(row, at_delivery)? else { return Ok(None) };
    Ok(Some(Verdict { delivery, receipt: row.get(at_receipt)? }))
}

/// The delivery in this column.
pub(super) fn delivery(row: &SqlRow<'_>, at: usize) -> Result<Option<Delivery>> {
    match row.get::<_, Option<i32>>(at)? {
        None => Ok(None),
        Some(number) => Delivery::ALL
            .into_iter()
            .find(|delivery| delivery.number() == number)
            .map(Some)
            .ok_or_else(|| damaged(at, "a delivery")),
    }
}

/// The state in this column.
pub(super) fn state(row: &SqlRow<'_>, at: usize) -> Result<State> {
    let number: i64 = row.get(at)?;
    State::ALL.into_iter().find(|s| *s as i64 == number).ok_or_else(|| damaged(at, "a state"))
}

fn token(row: &SqlRow<'_>, at: usize) -> Result<u64> {
    Ok(row.get::<_, i64>(at)?.cast_unsigned())
}

/// A row that no owner wrote.
fn damaged(column: usize, what: &str) -> Error {
    Error::FromSqlConversionFailure(column, Type::Integer, format!("this is not {what}").into())
}

/// A row, or that there is none.
pub(super) fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(row) => Ok(Some(row)),
        Err(Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A time for the file, which knows numbers with a sign only.
pub(super) fn time(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// A time, a length or a count of the file; none is below zero.
pub(super) fn ms(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A time that may lack.
pub(super) fn option_ms(row: &SqlRow<'_>, at: usize) -> Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(at)?.map(ms))
}
