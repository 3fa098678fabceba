//! Doors for fuzzing and property tests; no released build has this feature.

use crate::model::config::{AccountConfig, ClientConfig, json_value};
use crate::model::error::{ErrorCode, Result};
use crate::model::message::Message;
use crate::model::receipt::Delivery;
use crate::service;
use crate::service::api::{Answer, Draft, Opened, Seed, Service, Stamp, Wire};
use crate::service::judge::judge;
use crate::service::text::{self, ALL, Piece, Rules, Title, Unit};

/// An account with one message encoded for it.
pub struct Encoded {
    service: &'static Service,
    opened: Opened,
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
    let (service, opened) = service::open(AccountConfig::from_value(
        json_value(account.as_bytes(), "account")?,
        "account",
    )?)?;
    let draft = opened.account.encode(&Message::from_json(message)?, Seed(7))?;
    Ok(Encoded { service, opened, draft })
}

impl Encoded {
    /// The URL and the body of an attempt.
    pub fn request(&self, unix: u64, nonce: u128) -> (String, Vec<u8>) {
        let stamp = Stamp { unix, nonce, renew: false };
        match self.opened.account.next(&self.draft, &stamp, None).wire {
            Wire::Http(request) => (request.url.into(), request.body.whole().into()),
            Wire::Mail(mail) => (mail.from, mail.text.into()),
        }
    }

    /// What an answer means.
    pub fn decode(&self, status: u16, body: &[u8]) -> Decoded {
        let answer = Answer { status, body: body.to_vec(), ..Answer::default() };
        let reading = self.opened.account.read(&mut self.draft.clone(), &answer);
        let outcome = judge(self.service.table, &answer, reading);
        Decoded { delivery: outcome.delivery, name: outcome.name, message_id: outcome.message_id }
    }
}

/// What a request carries of a text.
pub struct Composed {
    /// The text in the markup.
    pub text: String,
    /// The same without, where the markup is HTML.
    pub plain: String,
    /// True if some of it is gone.
    pub truncated: bool,
}

/// How many markups there are; the first is none at all.
pub const MARKUPS: usize = ALL.len();

/// What a message's text becomes in a markup, by its number, with a limit in units of this letter: `c`
/// characters, `u` units of UTF-16, `j` bytes in JSON, any other bytes.
pub fn compose(message: &Message, markup: usize, unit: u8, most: usize) -> Result<Vec<Composed>> {
    let unit = match unit {
        b'c' => Unit::CodePoints,
        b'u' => Unit::Utf16,
        b'j' => Unit::Json,
        _ => Unit::Bytes,
    };
    let rules = Rules { unit, most, markup: ALL[markup], title: Title::FirstLine };
    let pieces = text::compose(message, &rules)?;
    let piece = |Piece { text, plain, truncated, .. }| Composed { text, plain, truncated };
    Ok(pieces.into_iter().map(piece).collect())
}

/// Reads a configuration, its accounts included.
pub fn config(json: &str) -> Result<usize> {
    let config = ClientConfig::from_value(json_value(json.as_bytes(), "")?)?;
    let accounts = config.accounts.into_iter().map(|(_, account)| service::open(account));
    accounts.collect::<Result<Vec<_>>>().map(|accounts| accounts.len())
}

/// The store of an outbox, without the outbox.
#[cfg(feature = "outbox")]
pub mod outbox {
    use std::cell::RefCell;

    type Room = Box<dyn Fn(u64) -> bool>;

    thread_local! {
        static ROOM: RefCell<Option<Room>> = const { RefCell::new(None) };
    }

    /// Whether the disk under a store of this thread has room for a reserve of so many bytes is what
    /// this says from now on.
    pub fn limit_room(room: Option<Room>) {
        ROOM.set(room);
    }

    pub(crate) fn has_room(bytes: u64) -> bool {
        ROOM.with_borrow(|room| room.as_ref().is_none_or(|room| room(bytes)))
    }

    /// The outbox in the database of a configuration, its schema made where there is none.
    #[cfg(feature = "postgres")]
    pub fn open_database(config: &str) -> crate::Result<Box<dyn Store>> {
        let outbox = crate::OutboxFile::of_config(config)?.expect("an outbox");
        outbox.make_schema()?;
        crate::engine::open_store_of(&outbox.file.config)
    }

    pub use crate::engine::store::sqlite::{Options, Reader, Sqlite, ticks, unix_ms};
    pub use crate::engine::store::{
        Accept, Applied, Begin, Change, Follower, Listed, News, RateLimit, Ready, Seq, State,
        Store, StoredResult, Turn, Verdict,
    };
}
