//! A message as its service will be sent it, and what its steps have given so far.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};
use url::Url;

use super::fingerprint::Fingerprint;
use super::info::Scope;
use super::reading::Reading;
use super::request::{Body, Headers, HttpRequest, Method};
use super::wire::json;
use crate::model::error::ErrorCode;
use crate::model::message::Kind;
use crate::model::receipt::Note;

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
    /// Where the value stands in the body; none where [`Account::next`](super::api::Account::next) puts it elsewhere.
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
