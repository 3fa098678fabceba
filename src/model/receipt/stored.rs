//! A receipt as JSON and back: what an outbox keeps, and what it tells in a later run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{AttemptTrace, Delivery, Note, PieceResult, Raw, Receipt, RecipientResult};
use crate::model::error::{Error, ErrorCode};
use crate::model::message::Kind;

/// A receipt as it was written, without what is told of it elsewhere.
#[derive(Deserialize)]
struct Stored {
    id: String,
    token: u64,
    key: Option<String>,
    account: String,
    service: Option<String>,
    delivery: String,
    message_id: Option<String>,
    service_time: Option<i64>,
    deduplicated: bool,
    recovered: bool,
    deadline: bool,
    attempts: u32,
    elapsed_ms: u64,
    error: Option<StoredError>,
    #[serde(default)]
    recipients: Option<Vec<StoredRecipient>>,
    #[serde(default)]
    pieces: Option<Vec<StoredPiece>>,
    #[serde(default)]
    notes: Vec<StoredNote>,
    raw: Option<Box<RawValue>>,
    trace: Option<Vec<StoredAttempt>>,
}

/// An error as it was written, without what is told of its account elsewhere.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct StoredError {
    name: String,
    message: String,
    service_code: Option<String>,
    http_status: Option<u16>,
    path: Option<String>,
    attempts: u32,
    retryable: bool,
    retry_after_ms: Option<u64>,
    hint: Option<String>,
}

#[derive(Deserialize)]
struct StoredRecipient {
    to: BTreeMap<String, String>,
    delivery: String,
    message_id: Option<String>,
    error: Option<StoredError>,
}

#[derive(Deserialize)]
struct StoredPiece {
    delivery: String,
    message_id: Option<String>,
    error: Option<StoredError>,
}

/// A note as it was written.
#[derive(Deserialize, Serialize)]
pub(crate) struct StoredNote {
    name: String,
    message: String,
}

#[derive(Deserialize)]
struct StoredAttempt {
    at_ms: u64,
    ms: u64,
    http_status: Option<u16>,
    name: String,
    delivery: String,
    wait_ms: u64,
}

impl Receipt {
    /// A receipt that was written by [`Receipt::to_json`]; `service` finds the name of a service that
    /// this build knows.
    pub(crate) fn from_json(
        json: &[u8],
        service: impl Fn(&str) -> Option<&'static str>,
    ) -> Result<Receipt, String> {
        let stored: Stored = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        let service = stored.service.as_deref().and_then(service);
        let account = stored.account;
        let error = stored.error.map(|error| error.restore(&account, service));
        let restored = |one: StoredRecipient| one.restore(&account, service);
        let recipients =
            stored.recipients.map(|all| all.into_iter().map(restored).collect::<Result<_, _>>());
        let piece = |one: StoredPiece| {
            let error = one.error.map(|error| error.restore(&account, service)).transpose()?;
            let (delivery, message_id) = (delivery(&one.delivery)?, one.message_id);
            Ok::<_, String>(PieceResult { delivery, message_id, error })
        };
        let pieces = stored.pieces.map(|all| all.into_iter().map(piece).collect::<Result<_, _>>());
        Ok(Receipt {
            token: stored.token,
            id: stored.id,
            key: stored.key,
            service,
            delivery: delivery(&stored.delivery)?,
            message_id: stored.message_id,
            service_time: stored.service_time,
            deduplicated: stored.deduplicated,
            recovered: stored.recovered,
            deadline: stored.deadline,
            attempts: stored.attempts,
            elapsed_ms: stored.elapsed_ms,
            error: error.transpose()?,
            recipients: recipients.transpose()?,
            pieces: pieces.transpose()?,
            notes: stored.notes.into_iter().map(StoredNote::restore).collect(),
            raw: stored.raw.filter(|raw| raw.get() != "null").map(Raw::Shown),
            trace: stored
                .trace
                .map(|trace| trace.into_iter().map(StoredAttempt::restore).collect())
                .transpose()?,
            account,
            ..Receipt::nothing()
        })
    }
}

fn delivery(name: &str) -> Result<Delivery, String> {
    Delivery::of(name).ok_or_else(|| format!("unknown delivery {name:?}"))
}

fn code(name: &str) -> Result<ErrorCode, String> {
    ErrorCode::from_name(name).ok_or_else(|| format!("unknown error {name:?}"))
}

impl StoredNote {
    pub(crate) fn of(note: &Note) -> StoredNote {
        StoredNote { name: note.name.clone().into_owned(), message: note.message.clone() }
    }

    pub(crate) fn restore(self) -> Note {
        Note { name: self.name.into(), message: self.message }
    }
}

impl StoredError {
    pub(crate) fn of(error: &Error) -> StoredError {
        StoredError {
            name: error.code().name().to_owned(),
            message: error.message().to_owned(),
            service_code: error.service_code().map(str::to_owned),
            http_status: error.http_status(),
            path: error.path().map(str::to_owned),
            attempts: error.attempts(),
            retryable: error.is_retryable(),
            retry_after_ms: error.retry_after_ms(),
            hint: error.hint_text().map(str::to_owned),
        }
    }

    pub(crate) fn restore(
        self,
        account: &str,
        service: Option<&'static str>,
    ) -> Result<Error, String> {
        let place = self.path.as_deref().unwrap_or_default();
        // The message begins with its place, which the error adds anew.
        let words = self.message.strip_prefix(place).and_then(|rest| rest.strip_prefix(": "));
        let words = words.filter(|_| !place.is_empty()).unwrap_or(&self.message);
        let error = Error::new(code(&self.name)?, words)
            .with_account(account, service)
            .with_service_code(self.service_code)
            .with_http_status(self.http_status)
            .with_attempts(self.attempts)
            .with_retry(self.retryable, self.retry_after_ms);
        let error = match self.path {
            Some(path) => error.at(path),
            None => error,
        };
        Ok(match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }
}

impl StoredRecipient {
    fn restore(
        self,
        account: &str,
        service: Option<&'static str>,
    ) -> Result<RecipientResult, String> {
        let (kind, name) = self.to.into_iter().next().ok_or("a recipient without a name")?;
        Ok(RecipientResult {
            kind: Kind::of(&kind).ok_or_else(|| format!("unknown kind of recipient {kind:?}"))?,
            name,
            delivery: delivery(&self.delivery)?,
            message_id: self.message_id,
            error: self.error.map(|error| error.restore(account, service)).transpose()?,
        })
    }
}

impl StoredAttempt {
    fn restore(self) -> Result<AttemptTrace, String> {
        Ok(AttemptTrace {
            at_ms: self.at_ms,
            ms: self.ms,
            http_status: self.http_status,
            name: if self.name == "ok" { "ok" } else { code(&self.name)?.name() },
            delivery: delivery(&self.delivery)?.name(),
            wait_ms: self.wait_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_that_is_read_again_says_the_same() {
        for json in [
            r#"{"v":1,"id":"01J","token":18446744073709551615,"key":"k","account":"a","service":"weibo","delivery":"maybe_sent","message_id":null,"service_time":null,"deduplicated":false,"recovered":true,"deadline":true,"attempts":3,"elapsed_ms":12,"error":{"code":203,"name":"rate_limited","message":"m","account":"a","service":"weibo","service_code":"10023","http_status":200,"path":null,"attempts":3,"retryable":false,"retry_after_ms":1000,"hint":"h"},"recipients":null,"pieces":null,"notes":[],"raw":{"a":1.10},"trace":[{"at_ms":1,"ms":2,"http_status":200,"name":"rate_limited","delivery":"not_sent","wait_ms":3}]}"#,
            r#"{"v":1,"id":"01J","token":7,"key":null,"account":"a","service":"weibo","delivery":"not_sent","message_id":null,"service_time":null,"deduplicated":false,"recovered":false,"deadline":false,"attempts":0,"elapsed_ms":0,"error":{"code":10,"name":"message","message":"to.user: words","account":"a","service":"weibo","service_code":null,"http_status":null,"path":"to.user","attempts":0,"retryable":false,"retry_after_ms":null,"hint":null},"recipients":[{"to":{"users":"x"},"delivery":"not_sent","message_id":null,"error":null}],"pieces":[{"delivery":"sent","message_id":"1","error":null},{"delivery":"not_sent","message_id":null,"error":null}],"notes":[{"name":"converted","message":"m"}],"raw":null}"#,
            r#"{"v":1,"id":"01J","token":0,"key":null,"account":"a","service":null,"delivery":"sent","message_id":"9","service_time":7,"deduplicated":true,"recovered":false,"deadline":false,"attempts":1,"elapsed_ms":0,"error":null,"recipients":null,"pieces":null,"notes":[],"raw":null}"#,
        ] {
            let known = |name: &str| (name == "weibo").then_some("weibo");
            let receipt = Receipt::from_json(json.as_bytes(), known).expect("it reads");
            assert_eq!(receipt.to_json(), json);
        }
    }
}
