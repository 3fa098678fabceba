//! Floor 1: what each service is sent and what its answers mean. Pure: no I/O, no clock, no chance.
//!
//! A service is one file that implements [`Service`] and [`Account`], with its verdict table beside
//! it. A message passes through [`Account::encode`] once, [`Account::request`] once an attempt and
//! [`Account::decode`] once an answer; the engine does everything else for all services alike.

#[cfg(test)]
mod answers;
pub mod auth;
mod direct_message;
pub mod envelope;
mod fanfou;
pub mod form;
#[cfg(test)]
mod golden;
mod nul;
mod object;
mod renren;
mod sina;
mod tencent_im;
pub mod verdict;
#[cfg(test)]
#[path = "../tests/sixth_service/webhook.rs"]
mod webhook;
mod weibo;
pub mod xml;

use std::sync::Arc;
use std::time::Duration;

use once_cell::race::OnceBox;
use serde::Serialize;
use url::Url;

use crate::model::body::Body;
use crate::model::config::{AccountConfig, is_loopback};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::{Fields, quoted, word};
use crate::model::message::{Kind, Message, Part, To};
use crate::model::redact::Redactor;
use envelope::Reading;
use nul::refuse_nul;
pub use verdict::Outcome;

/// Every service that this build can send through.
static SERVICES: &[&dyn Service] = &[
    &fanfou::Fanfou,
    &sina::Sina,
    &weibo::Weibo,
    &renren::Renren,
    &tencent_im::TencentIm,
    #[cfg(test)]
    &webhook::Webhook,
];

/// A service that messages can be sent through.
pub trait Service: Sync {
    /// What it can carry, what it limits, what it calls itself.
    fn info(&self) -> &'static Info;

    /// What its codes mean.
    fn verdicts(&self) -> &'static [verdict::Row];

    /// Reads an account of this service and makes ready whatever its messages have in common.
    fn account(&self, config: AccountConfig) -> Result<Arc<dyn Account>>;
}

/// An account of a service, ready to send.
pub trait Account: Send + Sync {
    /// What the message becomes, once for all its attempts.
    fn encode(&self, message: &Message, random: u32) -> Result<Draft>;

    /// The request of one attempt, signed.
    fn request(&self, draft: &Draft, stamp: &Stamp) -> Request;

    /// Whose limits it shares: what the service knows the account, or its app, by.
    fn identity(&self) -> &str;

    /// Who sends, as far as the service tells: a message that somebody else sent is another one to it,
    /// however much the two are alike. What changes with a new password or key is no part of it.
    fn sender(&self) -> String {
        self.identity().to_owned()
    }

    /// Where requests go; only the query may differ from one to the next.
    fn url(&self) -> &Url;

    /// What an answer to that request means.
    fn decode(&self, draft: &Draft, answer: &Answer) -> Outcome;

    /// What must be masked in everything that the service says.
    fn redactor(&self) -> &Arc<Redactor>;
}

/// What a service is, for people and for `hy_services_json`.
#[derive(Debug, Serialize)]
pub struct Info {
    /// Its name in an account.
    pub name: &'static str,
    /// What it calls itself.
    pub title: &'static str,
    /// The kinds of `auth`.
    pub auth: &'static [&'static str],
    /// The values of `format`, the default first.
    pub formats: &'static [&'static str],
    /// The kinds of recipient.
    pub to: &'static [&'static str],
    /// The types of part; empty where only `text` can be sent.
    pub parts: &'static [&'static str],
    /// True if `reply_to` can be sent.
    pub reply_to: bool,
    /// True if a message needs a text or a part.
    pub needs_content: bool,
    /// The names of `extra`.
    pub extra: &'static [&'static str],
    /// What is refused locally.
    pub limits: &'static [Limit],
    /// What is paced, per scope.
    pub rates: &'static [Rate],
    /// How long the service recognises a message that is sent again; none where it does not.
    #[serde(serialize_with = "as_millis")]
    pub dedupe_ms: Option<Duration>,
    /// True if the service gives a message an id.
    pub message_id: bool,
    /// How it ended, where it is known to be gone: only what kept its interface can be reached.
    pub ended: Option<&'static str>,
    /// The document that this was made from.
    pub document: &'static str,
}

/// A limit that is checked before sending.
#[derive(Debug, Serialize)]
pub struct Limit {
    /// What is counted.
    pub what: &'static str,
    /// The most that is accepted.
    pub most: u32,
}

/// A documented rate: never more than `count` in any `per_ms`.
#[derive(Debug, Serialize)]
pub struct Rate {
    /// What shares the limit.
    pub scope: Scope,
    /// Attempts.
    pub count: u32,
    /// The length of the window.
    pub per_ms: u32,
    /// The service's codes that speak of this limit; any other speaks of the account's own.
    #[serde(skip)]
    pub codes: &'static [&'static str],
}

/// Who shares a limit, from narrow to wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The messages of an app to one group.
    Group,
    /// The messages of one account.
    Account,
    /// The messages of an app, whoever sends them.
    App,
    /// The messages of this machine.
    Ip,
}

fn as_millis<S: serde::Serializer>(
    window: &Option<Duration>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    window.map(|window| u64::try_from(window.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
}

/// A message as its service will be sent it; the same bytes at every attempt.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The body of the request.
    pub body: Vec<u8>,
    /// The parameters in the body that a signature covers.
    pub params: Vec<(&'static str, String)>,
    /// Where the service recognises a message that is sent again: by this number in the body.
    pub random: Option<Random>,
    /// The JavaScript function that the answer will be wrapped in.
    pub callback: Option<String>,
    /// The recipient, where limits are by recipient.
    pub recipient: String,
    /// Recipient and text, where the service may call another message repeated that has the same.
    pub fingerprint: Option<Fingerprint>,
}

/// The number by which a service recognises a message.
#[derive(Clone, Debug)]
pub struct Random {
    /// Where its digits stand in the body.
    pub at: std::ops::Range<usize>,
    /// True if the caller gave it: then it is never changed.
    pub by_caller: bool,
}

/// Recipient and text of a message, by which another of the same is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the recipient, and of how the service names it.
    pub recipient: u64,
    /// Of the text.
    pub text: u64,
    /// How the recipient is named.
    pub named: Named,
}

/// How a recipient is named: one by an id and one by a name may be the same, and nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// In the one way that there is.
    Uniquely,
    /// By an id, where others are named by a name.
    ById,
    /// By a name, where others are named by an id.
    ByName,
}

impl Fingerprint {
    /// The fingerprint of this text to this recipient of a service.
    pub fn new(service: &str, named: Named, recipient: &str, text: &str) -> Fingerprint {
        let service = hash(service);
        Fingerprint {
            recipient: joined(joined(service, named as u64), hash(recipient)),
            // A service may see no difference in blanks.
            text: joined(service, hash(text.trim())),
            named,
        }
    }
}

/// One number of two; their order matters.
pub fn joined(one: u64, other: u64) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let product = u128::from(one ^ ODD) * u128::from(other.rotate_left(32) ^ ODD.swap_bytes() | 1);
    (product as u64) ^ (product >> 64) as u64
}

/// A number that hardly another text has. Who makes two texts with one number gains a doubt more.
///
/// Outbox files hold what is made of it: it never changes.
fn hash(text: &str) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(ODD);
        (product as u64) ^ (product >> 64) as u64
    };
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    // The length tells a text that ends with NUL characters from one that does not.
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    mixed(words.fold(ODD, mixed), text.len() as u64)
}

impl Draft {
    /// Makes a new message of it for the service, which threw the old one away for certain.
    ///
    /// False if that is not for us to decide: the caller chose the number himself.
    pub fn renew(&mut self, random: u32) -> bool {
        match &mut self.random {
            Some(own) if !own.by_caller => {
                let digits = random.to_string();
                let end = own.at.start + digits.len();
                self.body.splice(own.at.clone(), digits.into_bytes());
                own.at.end = end;
                true
            }
            _ => false,
        }
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

/// A request, whole: nothing is added but what HTTP itself needs.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where to; the method is always POST.
    pub url: Url,
    /// The type of the body.
    pub content_type: &'static str,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// What was made for this request only and must not be shown.
    pub signatures: Vec<String>,
}

/// An answer, read as far as it came.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The longest time to wait that a `Retry-After` tells, in whole milliseconds; `0` counts as untold.
    pub retry_after: Option<Duration>,
    /// What the service's clock says, in Unix seconds.
    pub date: Option<u64>,
    /// True if the connection had carried an earlier request.
    pub reused: bool,
    /// The body.
    pub body: Body,
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

/// The longest URL that the HTTP client can carry, in bytes.
pub const MAX_URL: usize = u16::MAX as usize - 1;

/// What to do where a service refuses a signature although the keys may be right.
const OTHER_SIGNING_URL: &str = "if the keys are right, the service makes its base string from another \
    URL than was signed: set \"signing_url\" to the scheme, host and port that it expects";

/// The hint of an answer that refuses a signature, which covers the URL.
fn hint_at_signing_url(reading: &Reading) -> Option<&'static str> {
    let Reading::Refused { code, text } = reading else { return None };
    let said = format!("{code} {text}").to_ascii_lowercase();
    // The method is always the one that the service documents.
    let is_meant = (said.contains("signature") || said.contains("base string"))
        && !said.contains("signature_method");
    is_meant.then_some(OTHER_SIGNING_URL)
}

/// The service of this name.
pub fn find(name: &str) -> Option<&'static dyn Service> {
    SERVICES.iter().copied().find(|service| service.info().name == name)
}

/// The verdict table of a service.
#[cfg(test)]
pub fn tables(name: &str) -> &'static [verdict::Row] {
    find(name).expect("a known service").verdicts()
}

/// Reads an account, whatever its service.
pub fn account(config: AccountConfig) -> Result<(&'static Info, Arc<dyn Account>)> {
    let Some(service) = find(&config.service) else {
        let names: Vec<_> = SERVICES.iter().map(|service| service.info().name).collect();
        let known = quoted(&names);
        let name = word(&config.service).map(|name| format!(" {name}")).unwrap_or_default();
        let words = format!("unknown service{name}; known: {known}");
        return Err(config.fields.error("service", words));
    };
    Ok((service.info(), service.account(config)?))
}

/// What this build can send, as JSON: recipients, parts, extra fields, limits, dedupe and verdicts
/// per service.
pub fn services_json() -> &'static str {
    #[derive(Serialize)]
    struct Described {
        #[serde(flatten)]
        info: &'static Info,
        verdicts: &'static [verdict::Row],
    }
    // Nobody waits for another who makes it, who would be missing after a fork.
    static JSON: OnceBox<String> = OnceBox::new();
    JSON.get_or_init(|| {
        let described = |s: &&dyn Service| Described { info: s.info(), verdicts: s.verdicts() };
        let services: Vec<_> = SERVICES.iter().map(described).collect();
        let json = serde_json::json!({ "v": 1, "services": services });
        Box::new(serde_json::to_string(&json).unwrap_or_default())
    })
}

/// The URL that requests of an account go to: its base with the documented path appended.
///
/// `plain_http`: credentials may travel over http although the host is not this machine.
fn endpoint(
    config: &AccountConfig,
    info: &Info,
    default: &str,
    path: &str,
    plain_http: bool,
) -> Result<Url> {
    let base = match &config.base_url {
        Some(base) => {
            if base.scheme() == "http" && !plain_http && !is_loopback(base) {
                return Err(config.fields.error(
                    "base_url",
                    format!("these credentials of {} travel over https only", info.name),
                ));
            }
            base.as_str()
        }
        None => default,
    };
    join(base, path).map_err(|e| config.fields.error("base_url", e))
}

/// A documented path appended to a base URL.
fn join(base: &str, path: &str) -> std::result::Result<Url, String> {
    let text = format!("{}/{path}", base.trim_end_matches('/'));
    Url::parse(&text).map_err(|e| format!("this is no URL: {e}"))
}

/// Refuses what the service cannot carry at all and what every message of it needs.
fn check(message: &Message, info: &Info) -> Result<()> {
    let unsupported =
        |path: String, words: String| Err(Error::new(ErrorCode::Unsupported, words).at(path));
    let name = info.name;
    if let Some(kind) = message.to.kinds().map(Kind::name).find(|kind| !info.to.contains(kind)) {
        let words = format!("{name} cannot send to {kind:?}; it knows {}", quoted(info.to));
        return unsupported(format!("to.{kind}"), words);
    }
    for (i, part) in message.parts.iter().enumerate() {
        let kind = part.kind();
        if !info.parts.contains(&kind) {
            let words = match info.parts {
                [] => format!("{name} cannot carry {kind:?}: it takes \"text\" only"),
                parts => format!("{name} cannot carry {kind:?}; it knows {}", quoted(parts)),
            };
            return unsupported(format!("parts[{i}].type"), words);
        }
    }
    if message.reply_to.is_some() && !info.reply_to {
        return unsupported("reply_to".to_owned(), format!("{name} cannot send a reply"));
    }
    if info.needs_content
        && message.parts.is_empty()
        && message.text.as_deref().unwrap_or("").is_empty()
    {
        let words = "the message is empty: give \"text\" or \"parts\"";
        return Err(Error::new(ErrorCode::Message, words).at("text"));
    }
    Ok(())
}

/// The text of a message, of at most `most` Unicode scalars.
fn scalars<'a>(message: &'a Message, most: u32, title: &str) -> Result<&'a str> {
    let text = message.text.as_deref().unwrap_or_default();
    let length = text.chars().count();
    if length > most as usize {
        let words = format!("the text has {length} characters; {title} takes {most}");
        return Err(Error::new(ErrorCode::TooLarge, words).at("text"));
    }
    Ok(text)
}

/// Refuses every `extra` of a service whose parameters are all set by a message's own fields.
fn no_extra(message: &Message, set: &[(&'static str, &str)]) -> Result<()> {
    let Some(extra) = &message.extra else { return Ok(()) };
    let mut f = Fields::new(extra.clone().into(), "extra", ErrorCode::Message)?;
    for (name, by) in set {
        if f.value(name).is_some() {
            return Err(f.error(name, format!("{name:?} is set by {by:?} already")));
        }
    }
    f.finish()
}

/// The one recipient that a message of this service needs.
fn recipient(message: &Message, kind: Kind) -> Result<&str> {
    message.to.one(kind).ok_or_else(|| {
        let kind = kind.name();
        let words = format!("the recipient is missing: give \"to\": {{{kind:?}: …}}");
        Error::new(ErrorCode::Message, words).at(format!("to.{kind}"))
    })
}

/// Refuses a user's id that is no whole number as the service writes it: one that a spreadsheet has
/// rounded (`2.125E+09`) or spaced would be read as somebody else's, or as a nickname.
fn numeric_id(to: &To, title: &str) -> Result<()> {
    let Some(id) = to.one(Kind::User) else { return Ok(()) };
    let is_number = id.bytes().all(|b| b.is_ascii_digit()) && !id.starts_with('0');
    if is_number && id.parse::<i64>().is_ok() {
        return Ok(());
    }
    let words = format!(
        "{id:?} is no user id of {title}: a whole number in the digits 0 to 9, without blanks, \
         exponent or leading zeros; a screen name goes into \"to\": {{\"name\": …}}"
    );
    Err(Error::new(ErrorCode::Message, words).at("to.user"))
}

impl Part {
    /// The `type` of the part.
    fn kind(&self) -> &'static str {
        match self {
            Part::Text(_) => "text",
            Part::Mention { .. } | Part::MentionAll => "mention",
            Part::Face { .. } => "face",
            Part::Location(_) => "location",
            Part::Link { .. } => "link",
            Part::Custom { .. } => "custom",
            Part::Raw(_) => "raw",
        }
    }
}
