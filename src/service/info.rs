//! What a service is: what it can carry, what it limits, how its accounts are written.

use std::time::Duration;

use serde::Serialize;

use super::pasted::UrlForm;

/// What a service is, for people and for `hy_services_json`.
#[derive(Debug, Serialize)]
pub struct Info {
    /// Its name in an account.
    pub name: &'static str,
    /// What it calls itself.
    pub title: &'static str,
    /// The kinds of `auth`.
    #[serde(serialize_with = "names")]
    pub auth: &'static [Auth],
    /// The fields of an account beside those that all have.
    #[serde(skip)]
    pub fields: &'static [Field],
    /// The values of `format`, the default first.
    pub formats: &'static [&'static str],
    /// The kinds of recipient.
    pub to: &'static [&'static str],
    /// The types of part; empty where only `text` can be sent.
    pub parts: &'static [&'static str],
    /// True if it has a title of its own; else a title is the first line of the text.
    pub titled: bool,
    /// The ways of `format` that it takes as they are; a text in any other is converted.
    pub native: &'static [&'static str],
    /// The sources of attachments that it can carry, of `data` and `url`; empty where it carries none.
    pub attachments: &'static [&'static str],
    /// True if a message can come without a sound.
    pub silent: bool,
    /// True if a message can be more or less urgent than others.
    pub priority: bool,
    /// True if a message can belong to a thread.
    pub thread: bool,
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
    /// How long the service recognises a message that is sent again, for people: what holds for a message
    /// stands in its draft. None where it does not.
    #[serde(serialize_with = "as_millis")]
    pub dedupe_ms: Option<Duration>,
    /// True if the service gives a message an id.
    pub message_id: bool,
    /// The schemes of `base_url`.
    #[serde(skip)]
    pub schemes: &'static [&'static str],
    /// True if people run it on servers of their own: its accounts may say `"allow_http": true`.
    pub self_hosted: bool,
    /// How it ended, where it is known to be gone: only what kept its interface can be reached.
    pub ended: Option<&'static str>,
    /// The document that this was made from.
    pub document: &'static str,
}

impl Info {
    /// What a service has where it does not say more: plain texts in JSON, and no limits.
    pub const PLAIN: Info = Info {
        name: "",
        title: "",
        auth: &[],
        fields: &[],
        formats: &["json"],
        to: &[],
        parts: &[],
        titled: false,
        native: &["plain"],
        attachments: &[],
        silent: false,
        priority: false,
        thread: false,
        reply_to: false,
        needs_content: true,
        extra: &[],
        limits: &[],
        rates: &[],
        dedupe_ms: None,
        message_id: false,
        schemes: &["https", "http"],
        self_hosted: false,
        ended: None,
        document: "",
    };
}

/// A kind of credentials: what stands in `auth`.
#[derive(Debug)]
pub struct Auth {
    /// The value of `type`.
    pub name: &'static str,
    /// The fields beside it.
    pub fields: &'static [Field],
    /// What it is.
    pub words: &'static str,
}

/// A field of an account, from which its reading, its schema and its documentation come.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: FieldKind,
    /// True if it must be there.
    pub required: bool,
    /// What it means.
    pub words: &'static str,
}

impl Field {
    /// A field that must be there.
    pub const fn required(name: &'static str, kind: FieldKind, words: &'static str) -> Field {
        Field { name, kind, required: true, words }
    }

    /// A field that may be left out.
    pub const fn optional(name: &'static str, kind: FieldKind, words: &'static str) -> Field {
        Field { name, kind, required: false, words }
    }
}

/// What the value of a field may be.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(test),
    allow(dead_code, reason = "some kinds are of services of the test tree alone")
)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// A text that travels in a header or a signature: not empty, and without control characters.
    Credential,
    /// The same in a form that this tells, and an example of it.
    TextLike(fn(&str) -> bool, &'static str),
    /// The same, and never shown.
    Secret,
    /// The same of printable ASCII without blanks.
    Token,
    /// The same in a form that the service documents: what tells it, and an example.
    TokenLike(fn(&str) -> bool, &'static str),
    /// A whole number between two others.
    Number(i64, i64),
    /// One of these; the first where it is left out.
    Choice(&'static [&'static str]),
    /// One of these, or none.
    Either(&'static [&'static str]),
    /// A whole number from 0 on, or any text: [`Opening::text`](super::opening::Opening::text).
    NumberOrText,
    /// `true` or `false`.
    Boolean,
    /// A list of anything; what its items may be is for the service to check.
    List,
    /// An object; what may stand in it is for the service to check.
    Object,
    /// An object with members of its own, which are for the service to check; an example of it, as JSON.
    ObjectLike(&'static str),
    /// A URL that the service shows to be copied, of one of these forms. It is never shown.
    Webhook(&'static [UrlForm]),
    /// Any URL of http or https, whose credentials and query are never shown.
    Url,
    /// A URL up to where a documented path begins: `base_url` or `signing_url`.
    Base,
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
    /// The messages of an account or an app to one recipient, whatever kind that is.
    Recipient,
    /// The messages of one account.
    Account,
    /// The messages of an app, whoever sends them.
    App,
    /// The messages of this machine.
    Ip,
}

fn names<S: serde::Serializer>(auth: &&[Auth], s: S) -> std::result::Result<S::Ok, S::Error> {
    s.collect_seq(auth.iter().map(|auth| auth.name))
}

fn as_millis<S: serde::Serializer>(
    window: &Option<Duration>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    window.map(|window| u64::try_from(window.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
}
