//! What a service is: what it can carry, what it limits, how its accounts are written.

use std::time::Duration;

use serde::Serialize;

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
