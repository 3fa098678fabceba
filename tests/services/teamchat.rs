//! A chat whose messages go into channels, as Discord and Mattermost have them: the channel to a user is
//! made first.
//!
//! It is compiled into the library's own tests only. A message to a user is known by a header field.

#[path = "teamchat/sockets.rs"]
mod sockets;

use std::time::Duration;

use url::Url;

use super::api::{
    Account, Answer, Dedupe, Draft, Exchange, Header, HttpRequest, Opened, Reading, Remember,
    ScopeKey, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, no_extra};
use super::info::{Auth, Field, FieldKind, Info, Rate, Scope};
use super::opening::Opening;
use super::verdict::{Row, verdicts};
use super::wire::envelope::Envelope;
use super::wire::json;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

/// How long the service knows a message to a user again.
pub const WINDOW: Duration = Duration::from_secs(300);
/// The name of the channel among what is kept.
const CHANNEL: &str = "channel";

static INFO: Info = Info {
    name: "teamchat",
    title: "A chat with channels",
    auth: &[Auth { name: "bearer", fields: &[Token::FIELD], words: "A token" }],
    fields: &[
        Field::optional("base_url", FieldKind::Base, "instead of the service's own host"),
        Field::optional("channels_url", FieldKind::Url, "where channels are made, if elsewhere"),
    ],
    to: &["user", "channel"],
    rates: &[Rate { scope: Scope::Recipient, count: 10, per_ms: 1000, codes: &["rate_limited"] }],
    dedupe_ms: Some(WINDOW),
    message_id: true,
    document: "none: it exists in these tests only",
    ..Info::PLAIN
};

static TABLE: &[Row] = verdicts! {
    "token_revoked"     => Auth NotSent Never Inferred stops    "the token was taken back";
    "channel_not_found" => NotFound NotSent Never Inferred      "there is no such channel";
    "user_not_found"    => NotFound NotSent Never Inferred      "there is no such user";
    "rate_limited"      => RateLimited NotSent Wait Inferred    "too many messages in this channel";
    "fatal_error"       => Service MaybeSent Backoff Inferred   "the outcome is unknown";
    @any                => Service NotSent Never Inferred       "unknown code, never retried";
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

/// An answer: `{"ok": true, "note": "", "id": "m1"}` is success, of either step.
const ENVELOPE: Envelope = Envelope {
    ok: ("ok", &["true"]),
    code: "error",
    own: |code| code.contains('_') && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
    text: "note",
    id: Some("id"),
    wait: None,
};

struct Bot {
    token: Token,
    channels_url: Url,
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let channels_url = match opening.url("channels_url")? {
        Some(url) => url,
        None => opening.endpoint("https://teamchat.example", "channels", false)?,
    };
    let url = opening.endpoint("https://teamchat.example", "messages", false)?;
    let identity = token.text().to_owned();
    Ok(opening.opened(url.clone(), &identity, Bot { token, channels_url, url }))
}

impl Bot {
    fn request(&self, url: &Url, body: serde_json::Value) -> HttpRequest {
        let body = body.to_string().into_bytes();
        let request = HttpRequest::post(url.clone(), json::CONTENT_TYPE, body);
        request.authorized(Some(self.token.header("Bearer")))
    }
}

impl Account for Bot {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        no_extra(message, &[])?;
        let text = message.text.as_deref().unwrap_or_default();
        let mut draft = Draft { body: text.to_owned().into(), ..Draft::default() };
        match (message.to.one(Kind::User), message.to.one(Kind::Channel)) {
            (Some(user), None) => {
                let value = |seed: Seed| format!("{:016x}", seed.0);
                let (at, renew) = (None, Some(value as fn(Seed) -> String));
                draft.dedupe = Some(Dedupe { value: value(seed), at, window: WINDOW, renew });
                draft.remember = vec![Remember::channel(CHANNEL, user)];
                draft.scopes = vec![ScopeKey { scope: Scope::Recipient, key: user.to_owned() }];
            }
            (None, Some(channel)) => {
                draft.keep(CHANNEL, channel.to_owned());
                draft.scopes = vec![ScopeKey { scope: Scope::Recipient, key: channel.to_owned() }];
            }
            _ => {
                let words = "give \"to\": {\"user\": …} or {\"channel\": …}";
                return Err(Error::new(ErrorCode::Message, words).at("to"));
            }
        }
        Ok(draft)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        draft.kept(CHANNEL).is_none()
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let user = draft.remember.first().map(|remember| &*remember.of);
        let Some(channel) = draft.kept(CHANNEL) else {
            let request = self.request(&self.channels_url, serde_json::json!({"user": user}));
            return Exchange::prepare(request);
        };
        let text = String::from_utf8_lossy(&draft.body);
        let body = serde_json::json!({"channel": channel, "text": text});
        let mut request = self.request(&self.url, body);
        if let Some(dedupe) = &draft.dedupe {
            let (name, value) = ("idempotency-key".into(), dedupe.value.clone());
            request.headers.more.push(Header { name, value });
        }
        Exchange::commit(request)
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        match ENVELOPE.read(answer) {
            Reading::Sent { id: Some(id), .. } if self.prepares(draft) => {
                draft.keep(CHANNEL, id);
                Reading::Next
            }
            reading => reading,
        }
    }
}
