//! The contract of a service, without I/O: a message becomes exchanges, an answer becomes a reading.
//!
//! A service is a static [`Service`]: what it is, what its codes mean, and how an account of it is
//! opened. A message passes through [`Account::encode`] once, through [`Account::next`] once a step of
//! an attempt, and each answer through [`Account::read`]. The engine does everything else for all
//! services alike: it sends, judges readings by the table, waits, and tries again.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};
use url::Url;

use super::fingerprint::Fingerprint;
use super::info::{Info, Scope};
use super::opening::Opening;
pub use super::request::{
    Body, Header, Headers, HttpRequest, Login, MAX_URL, Mail, MailFile, Method, Wire,
};
use super::verdict::Row;
use super::wire::json;
use crate::model::error::{ErrorCode, Result};
use crate::model::message::{Kind, Message, To};
use crate::model::receipt::Note;
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
        let exchange = Exchange { commits: false, ..Exchange::commit(request) };
        Inquiry { exchange, read }
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

    /// The same with what must not be shown of it.
    pub fn with_secrets(self, secrets: Vec<String>) -> Exchange {
        Exchange { secrets, ..self }
    }
}

/// A message as its service will be sent it; the same bytes at every attempt.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The body of the request that commits, or its first piece; attempts share it.
    pub body: Bytes,
    /// The further pieces of the body: files, and what stands between them. They are not copied, not
    /// even into an outbox.
    pub rest: Vec<Bytes>,
    /// The type of the body, where each message has one of its own: a multipart form's boundary stands
    /// in it.
    pub content_type: Cow<'static, str>,
    /// Where in the body the message's own part begins, behind what is the account's.
    pub own: usize,
    /// What of the message its account needs again, by name: the parameters in the body that a signature
    /// covers, the addresses of a mail.
    pub params: Vec<(&'static str, String)>,
    /// Where the service recognises a message that is sent again: what it knows it by.
    pub dedupe: Option<Dedupe>,
    /// The keys of the limits that are by recipient, or by whatever else a message tells.
    pub scopes: Vec<ScopeKey>,
    /// How many steps are done. What they gave says better which comes next: an attempt that
    /// failed does not do them again, and what is remembered spares them.
    pub step: u8,
    /// What earlier steps gave, by name: ids of media, of channels.
    pub kept: Vec<(Cow<'static, str>, String)>,
    /// What of it the engine remembers, so that later messages need not ask for it.
    pub remember: Vec<Remember>,
    /// The JavaScript function that the answer will be wrapped in.
    pub callback: Option<String>,
    /// Recipient and text, where the service may call another message repeated that has the same.
    pub fingerprint: Option<Fingerprint>,
    /// Whom of the message's recipients it is to, where a request does not take them all: the message
    /// is encoded again for the others, so that all of them are checked at the first time already.
    /// Empty: all of them. See `check::first_of`.
    pub to: Vec<(Kind, String)>,
    /// The further pieces of a text that was split: they are sent in order after this one, each as a
    /// message of its own, and to the same recipients. They have no pieces themselves.
    pub pieces: Vec<Draft>,
    /// What became of the message here that is worth knowing: `truncated`, `converted`. Its receipt
    /// tells that once it was sent.
    pub notes: Vec<Note>,
}

/// What a service knows a message by that is sent again, whatever form that has.
#[derive(Clone, Debug)]
pub struct Dedupe {
    /// What it is: a number in the body, a header field, a part of the URL.
    pub value: String,
    /// Where the value stands in the body; none where [`Account::next`] puts it elsewhere.
    pub at: Option<Range<usize>>,
    /// How long the service recognises it.
    pub window: Duration,
    /// Another value, for what becomes a new message to the service; none where the caller chose it:
    /// then it is never changed.
    pub renew: Option<fn(Seed) -> String>,
}

impl Dedupe {
    /// True if the caller chose the value.
    pub fn by_caller(&self) -> bool {
        self.renew.is_none()
    }
}

/// What a step gives that is the same for every message to a recipient: the id of a channel.
#[derive(Clone, Debug)]
pub struct Remember {
    /// Its name among what is kept.
    pub name: &'static str,
    /// The recipient, as the account tells it from others.
    pub of: String,
    /// How long it holds; what is older is asked for anew before the next attempt. None: until the
    /// service says that it holds no more.
    pub lasts: Option<Duration>,
    /// The errors that say so.
    pub gone: &'static [ErrorCode],
    /// True if to ask for it twice would make two: one message asks at a time, and the others wait.
    pub alone: bool,
}

impl Remember {
    /// The id of a channel, which is the same however often it is asked for.
    pub fn channel(name: &'static str, of: &str) -> Remember {
        let gone = &[ErrorCode::NotFound];
        Remember { name, of: of.to_owned(), lasts: None, gone, alone: false }
    }
}

/// What a limit that is not the account's is counted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeKey {
    /// The limit.
    pub scope: Scope,
    /// Whose it is: a recipient.
    pub key: String,
}

impl Draft {
    /// A draft of a body. It and the next ones are kept out of the services: a draft is large to make.
    #[inline(never)]
    pub fn of(body: impl Into<Bytes>) -> Draft {
        Draft { body: body.into(), ..Draft::default() }
    }

    /// The first of several with the others as its pieces, and what its receipt is to tell; none of none.
    #[inline(never)]
    pub fn first_of(drafts: Vec<Draft>, notes: Vec<Note>) -> Option<Draft> {
        let mut drafts = drafts.into_iter();
        let first = drafts.next()?;
        Some(Draft { pieces: drafts.collect(), notes, ..first })
    }

    /// A draft of a body in JSON.
    #[inline(never)]
    pub fn json(members: &Map<String, Value>) -> Draft {
        let content_type = json::CONTENT_TYPE.into();
        Draft { body: json::body(members).into(), content_type, ..Draft::default() }
    }

    /// A draft of a form with files, as [`super::wire::multipart::Multipart::finish`] gives it.
    pub fn multipart((content_type, body): (String, Body)) -> Draft {
        let (body, rest) = match body {
            Body::One(bytes) => (bytes, Vec::new()),
            Body::Several(pieces) => {
                let mut pieces = pieces.into_iter();
                (pieces.next().unwrap_or_default(), pieces.collect())
            }
        };
        Draft { body, rest, content_type: content_type.into(), ..Draft::default() }
    }

    /// Keeps no more room than the body needs, for a message that waits.
    pub fn shrink(&mut self) {
        self.body = Bytes::copy_from_slice(&self.body);
        self.pieces.iter_mut().for_each(Draft::shrink);
    }

    /// The whole body; its pieces are shared, not copied.
    pub fn whole_body(&self) -> Body {
        match &*self.rest {
            [] => Body::One(self.body.clone()),
            rest => Body::Several([std::slice::from_ref(&self.body), rest].concat()),
        }
    }

    /// A POST of the whole body, of the draft's own type.
    pub fn post(&self, url: Url) -> HttpRequest {
        let content_type = self.content_type.clone();
        let headers = Headers { content_type, ..Headers::default() };
        HttpRequest { method: Method::Post, url, headers, body: self.whole_body() }
    }

    /// Makes a new message of it for the service, which threw the old one away for certain.
    ///
    /// False if that is not for us to decide: the caller chose himself what the message is known by.
    pub fn renew(&mut self, seed: Seed) -> bool {
        let Some(dedupe) = &mut self.dedupe else { return false };
        let Some(renew) = dedupe.renew else { return false };
        self.know_by(renew(seed));
        true
    }

    /// Puts another value in the place of what the service knows it by.
    pub(super) fn know_by(&mut self, value: String) {
        let Some(dedupe) = &mut self.dedupe else { return };
        dedupe.value = value;
        if let Some(at) = &mut dedupe.at {
            let mut body = Vec::from(std::mem::take(&mut self.body));
            body.splice(at.clone(), dedupe.value.bytes());
            (at.end, self.body) = (at.start + dedupe.value.len(), body.into());
        }
    }

    /// How long the service knows the message again; none where it does not.
    pub fn window(&self) -> Option<Duration> {
        self.dedupe.as_ref().map(|dedupe| dedupe.window)
    }

    /// What an earlier step gave, or is remembered of another message.
    pub fn kept(&self, name: &str) -> Option<&str> {
        self.kept.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// What of that which is remembered it still lacks.
    pub fn lacks(&self) -> impl Iterator<Item = &Remember> {
        self.remember.iter().filter(|own| self.kept(own.name).is_none())
    }

    /// The recipient that something is remembered of.
    pub fn remembered_of(&self) -> &str {
        self.remember.first().map_or("", |own| &own.of)
    }

    /// Lets go of what a step gave.
    pub fn let_go(&mut self, name: &str) {
        self.kept.retain(|(own, _)| own != name);
    }

    /// Ends a step that gave this, and asks for the next; or says why it gave nothing.
    #[inline(never)]
    pub fn step_gave(
        &mut self,
        name: &'static str,
        given: std::result::Result<String, Reading>,
    ) -> Reading {
        match given {
            Ok(value) => {
                self.keep(name, value);
                Reading::Next
            }
            Err(reading) => reading,
        }
    }

    /// Keeps what a step gave for those after it.
    pub fn keep(&mut self, name: &'static str, value: String) {
        self.let_go(name);
        self.kept.push((name.into(), value));
    }
}

/// The chance in a message: what the service is to know it by.
///
/// A service that takes 32 bits takes the lower ones.
#[derive(Clone, Copy, Debug)]
pub struct Seed(pub u64);

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

/// An answer, read as far as it came.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The longest time to wait that a `Retry-After` tells or, in a 429 without one, a header that says when
    /// the limit begins anew, in whole milliseconds; `0` counts as untold.
    pub retry_after: Option<Duration>,
    /// What the service's clock says, in Unix seconds.
    pub date: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
    /// Why the body is not whole, if it is not.
    pub cut: Option<Cut>,
}

/// Why a body is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The connection ended too early.
    Ended,
    /// The time ran out.
    TimedOut,
    /// It was longer than anything a service sends.
    TooLong,
}

impl Cut {
    /// What happened to the answer, for people.
    pub fn words(self) -> &'static str {
        match self {
            Cut::Ended => "the answer ended too early",
            Cut::TimedOut => "the answer did not end in time",
            Cut::TooLong => "the answer is larger than 1 MiB",
        }
    }
}

/// What a service's reader found in an answer.
#[derive(Debug)]
pub enum Reading {
    /// The service's own success, whole and without contradiction.
    Sent {
        /// The service's id of the message.
        id: Option<String>,
        /// When the service took it, in Unix seconds.
        time: Option<i64>,
        /// What is worth knowing about it.
        notes: Vec<Note>,
    },
    /// One verdict for each recipient that the draft is to; who has none is in doubt.
    Each(Vec<Verdict>),
    /// This step is done; the next one follows at once, within the same attempt.
    Next,
    /// It was not taken, for certain, since it is to go elsewhere; the draft knows where. That exchange
    /// follows at once, within the same attempt.
    Moved,
    /// The service's own refusal.
    Refused {
        /// Its code; what kind of code it is may stand before it, with a dot.
        code: String,
        /// Its words.
        text: String,
        /// How long it tells to wait, elsewhere than in a `Retry-After`.
        wait: Option<Duration>,
    },
    /// The service says that it took this very message before; the table says what its code means.
    Known {
        /// Its code.
        code: String,
        /// Its words.
        text: String,
        /// The id that it gave the message then.
        id: Option<String>,
    },
    /// The service says OK, but that it threw the message away.
    Dropped(String),
    /// The service's own envelope, and yet no verdict can be told from it.
    Contradiction(String),
    /// Not this service's envelope.
    Unreadable(String),
}

impl Reading {
    /// A success of which nothing more is to be told.
    #[inline(never)]
    pub fn sent(id: Option<String>, time: Option<i64>) -> Reading {
        Reading::Sent { id, time, notes: Vec::new() }
    }

    /// A success that says no more than that the service took the message: what becomes of it then, it
    /// does not tell here.
    #[inline(never)]
    pub fn accepted(id: Option<String>, title: &str) -> Reading {
        let message = format!("{title} took the message, and does not say whether it arrives");
        let notes = vec![Note { name: "accepted_only".into(), message }];
        Reading::Sent { id, time: None, notes }
    }

    /// The code of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Reading::Refused { code, .. } | Reading::Known { code, .. } => Some(code),
            _ => None,
        }
    }

    /// A refusal that tells no time to wait.
    #[cold]
    #[inline(never)]
    pub fn refused(code: impl Into<String>, text: impl Into<String>) -> Reading {
        Reading::Refused { code: code.into(), text: text.into(), wait: None }
    }
}

/// What an answer says of one recipient.
#[derive(Debug)]
pub struct Verdict {
    /// The recipient, as the message names it.
    pub to: (Kind, String),
    /// Sent, refused, dropped or unreadable.
    pub reading: Reading,
}
