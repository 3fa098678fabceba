//! Doors for fuzzing and property tests; no released build has this feature.

use serde_json::Value;

use crate::model::config::{AccountConfig, ClientConfig};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Message;
use crate::model::receipt::Delivery;
use crate::service::{self, Answer, Draft, Stamp};

/// An account with one message encoded for it.
pub struct Encoded {
    account: std::sync::Arc<dyn service::Account>,
    draft: Draft,
}

/// What an answer was taken for.
#[derive(Debug, PartialEq)]
pub struct Decoded {
    /// Whether the message arrived.
    pub delivery: Delivery,
    /// Why not.
    pub name: Option<ErrorCode>,
    /// The service's id of it.
    pub message_id: Option<String>,
}

/// Encodes a message for an account, both as JSON.
pub fn encode(account: &str, message: &str) -> Result<Encoded> {
    let (_, account) = service::account(AccountConfig::from_value(value(account)?, "account")?)?;
    let draft = account.encode(&Message::from_json(message)?, 7)?;
    Ok(Encoded { account, draft })
}

impl Encoded {
    /// The URL and the body of an attempt.
    pub fn request(&self, unix: u64, nonce: u128) -> (String, Vec<u8>) {
        let request = self.account.request(&self.draft, &Stamp { unix, nonce, renew: false });
        (request.url.into(), request.body)
    }

    /// What an answer means.
    pub fn decode(&self, status: u16, body: &[u8]) -> Decoded {
        let answer = Answer { status, body: body.to_vec().into(), ..Answer::default() };
        let outcome = self.account.decode(&self.draft, &answer);
        Decoded { delivery: outcome.delivery, name: outcome.name, message_id: outcome.message_id }
    }
}

/// Reads a configuration, its accounts included.
pub fn config(json: &str) -> Result<usize> {
    let config = ClientConfig::from_value(value(json)?)?;
    let accounts = config.accounts.into_iter().map(|(_, account)| service::account(account));
    accounts.collect::<Result<Vec<_>>>().map(|accounts| accounts.len())
}

fn value(json: &str) -> Result<Value> {
    let text = crate::model::json::bounded(json.as_bytes(), 1 << 20, ErrorCode::Config)?;
    serde_json::from_str(text).map_err(|e| Error::new(ErrorCode::Config, e.to_string()))
}

/// The store of an outbox, without the outbox.
#[cfg(feature = "outbox")]
pub mod outbox {
    pub use crate::engine::store::sqlite::{Options, Reader, Sqlite};
    pub use crate::engine::store::{
        Accept, Applied, Begin, Change, Follower, Kept, Listed, Ready, Seq, State, Store, Turn,
        Verdict,
    };
}
