//! The contract of a service, without I/O: a message becomes exchanges, an answer becomes a reading.
//!
//! A service is a static [`Service`]: what it is, what its codes mean, and how an account of it is
//! opened. A message passes through [`Account::encode`] once, through [`Account::next`] once a step of
//! an attempt, and each answer through [`Account::read`]. The engine does everything else for all
//! services alike: it sends, judges readings by the table, waits, and tries again.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

pub use super::draft::{Dedupe, Draft, Remember, ScopeKey, Seed};
use super::info::Info;
use super::opening::Opening;
pub use super::reading::{Answer, Cut, Reading, Verdict};
pub use super::request::{
    Body, Header, Headers, HttpRequest, Login, MAX_URL, Mail, MailFile, Method, Wire,
};
use super::verdict::Row;
use crate::model::error::Result;
use crate::model::message::{Message, To};
use crate::model::redact::Redactor;
use crate::model::secret::Secret;

/// A service that messages can be sent through.
pub struct Service {
    /// What it can carry, what it limits, how its accounts are written.
    pub info: &'static Info,
    /// What its codes mean.
    pub table: &'static [Row],
    /// Checks what an account of it declares as a whole, and makes ready whatever its messages have in
    /// common.
    pub open: fn(Opening) -> Result<Opened>,
}

/// An account that was read, and what the engine has to know of it.
pub struct Opened {
    /// How its messages are encoded, signed and read.
    pub account: Arc<dyn Account>,
    /// Where its messages go: the host's connections are shared, and the whole of it is a part of
    /// whom a doubt may be resent by.
    pub origin: Url,
    /// Whose limits it shares: what the service knows the account, or its app, by.
    pub identity: String,
    /// Who sends, as far as the service tells: a message that somebody else sent is another one to
    /// it, however much the two are alike. What changes with a new password or key is no part of it.
    pub sender: String,
    /// The recipient of messages that name none.
    pub to: To,
    /// True if the URL of its requests is a secret as a whole: it is shown as `https://HOST/…`.
    pub hides_url: bool,
    /// What must be masked in everything that the service says.
    pub redactor: Redactor,
}

impl Opening {
    /// The account, whose sender is told by what its limits are shared by.
    pub fn opened(self, origin: Url, identity: &str, account: impl Account + 'static) -> Opened {
        self.opened_by(origin, identity, Arc::new(account))
    }

    /// Kept out of the services, of which each would have it.
    #[inline(never)]
    fn opened_by(self, origin: Url, identity: &str, account: Arc<dyn Account>) -> Opened {
        Opened {
            account,
            origin,
            identity: identity.to_owned(),
            sender: identity.to_owned(),
            to: self.to,
            hides_url: self.hides_url,
            redactor: self.redactor,
        }
    }
}

/// An account of a service, ready to send.
pub trait Account: Send + Sync {
    /// What the message becomes, once for all its attempts.
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft>;

    /// The exchange of the draft's step, signed.
    ///
    /// Most services have one step, whose exchange commits. Where another has to come before it (an
    /// upload, a channel that is made), `draft.step` says which one this is, and `draft.kept` holds
    /// what the steps before it gave. `session` is the token, where there is a [`Session`].
    fn next(&self, draft: &Draft, at: &Stamp, session: Option<&Secret>) -> Exchange;

    /// True if the draft's next exchange is one that does not commit, for which nothing is written into
    /// an outbox.
    fn prepares(&self, _draft: &Draft) -> bool {
        false
    }

    /// What an answer says.
    ///
    /// [`Reading::Next`] asks for the next step; what that needs goes into the draft here, by
    /// [`Draft::keep`].
    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading;

    /// How the service can be asked whether the credentials work, without anything being sent; none where
    /// it cannot.
    ///
    /// It is called without a session, too, to learn whether there is such a way.
    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        None
    }

    /// How a token is got, where the account needs one before it can send.
    fn session(&self) -> Option<&dyn Session> {
        None
    }

    /// What to do about what an answer says, where its code alone does not tell.
    fn hint(&self, _answer: &Answer, _reading: &Reading) -> Option<&'static str> {
        None
    }
}

/// How an account gets the token that its exchanges carry.
///
/// The engine asks once for all who need it, keeps it in memory until it ends, and asks anew where a code of
/// the class `Reauthenticate` refuses it.
pub trait Session: Send + Sync {
    /// Whose token it is, and all that it is asked for with, secrets too: accounts of which this is the
    /// same share one. It is kept as a digest only.
    fn key(&self) -> String;

    /// The request for a token; it commits nothing.
    fn ask(&self, at: &Stamp) -> Exchange;

    /// What the answer to it says.
    fn read(&self, answer: &Answer) -> Granted;
}

/// What came of a request for a token.
pub enum Granted {
    /// A token.
    Token {
        /// What exchanges carry.
        secret: Secret,
        /// How long it holds.
        expires: Duration,
    },
    /// The service's own refusal, judged by its table.
    Refused {
        /// Its code.
        code: String,
        /// Its words.
        text: String,
        /// How long it tells to wait.
        wait: Option<Duration>,
    },
    /// Not this service's envelope.
    Unreadable(String),
}

impl From<Granted> for Reading {
    fn from(granted: Granted) -> Reading {
        match granted {
            Granted::Token { .. } => Reading::sent(None, None),
            Granted::Refused { code, text, wait } => Reading::Refused { code, text, wait },
            Granted::Unreadable(why) => Reading::Unreadable(why),
        }
    }
}

/// The question whether an account's credentials work.
pub struct Inquiry {
    /// The request, which commits nothing.
    pub exchange: Exchange,
    /// What the answer says: [`Reading::Sent`] where they work, else what is judged by the table.
    pub read: fn(&Answer) -> Reading,
}

impl Inquiry {
    /// A request that commits nothing, and how its answer is read.
    pub fn new(request: HttpRequest, read: fn(&Answer) -> Reading) -> Inquiry {
        Inquiry { exchange: Exchange::prepare(request), read }
    }
}

/// One request of a step.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What goes over the wire.
    pub wire: Wire,
    /// True if the message may have arrived once this was sent. A failure of any other is `not_sent`.
    pub commits: bool,
    /// What was made for this exchange only and must not be shown.
    pub secrets: Vec<String>,
}

impl Exchange {
    /// The request that sends the message.
    #[inline(never)]
    pub fn commit(request: HttpRequest) -> Exchange {
        Exchange { wire: Wire::Http(request), commits: true, secrets: Vec::new() }
    }

    /// A request of a step before that one, or of none: nothing is sent by it.
    #[inline(never)]
    pub fn prepare(request: HttpRequest) -> Exchange {
        Exchange { wire: Wire::Http(request), commits: false, secrets: Vec::new() }
    }

    /// The same with what must not be shown of it.
    pub fn with_secrets(self, secrets: Vec<String>) -> Exchange {
        Exchange { secrets, ..self }
    }
}

/// What one attempt is signed with.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Unix seconds, corrected by what the service said of our clock.
    pub unix: u64,
    /// A number that no other attempt has.
    pub nonce: u128,
    /// True if the last signature was refused: make a new one.
    pub renew: bool,
}
