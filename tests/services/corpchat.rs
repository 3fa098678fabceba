//! An app in a company's chat, as WeCom and Feishu have them: it sends with a token that ends.
//!
//! It is compiled into the library's own tests only. A message is known by a part of its URL.

use std::time::Duration;

use url::Url;

use super::api::{
    Account, Answer, Dedupe, Draft, Exchange, Granted, HttpRequest, Opened, Reading, ScopeKey,
    Seed, Service, Session, Stamp,
};
use super::auth::app;
use super::check::{check, no_extra, recipient};
use super::info::{Auth, Field, FieldKind, Info, Rate, Scope};
use super::opening::Opening;
use super::verdict::{Row, verdicts};
use super::wire::envelope::Envelope;
use super::wire::json;
use crate::model::error::Result;
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

/// How long the service knows a message again.
pub const WINDOW: Duration = Duration::from_secs(3600);

static INFO: Info = Info {
    name: "corpchat",
    title: "An app in a company's chat",
    auth: &[Auth {
        name: "app",
        fields: &[
            Field::required("id", FieldKind::Credential, "the app's id"),
            Field::required("secret", FieldKind::Secret, "the app's secret"),
        ],
        words: "An app, whose token is got and renewed",
    }],
    fields: &[Field::optional("base_url", FieldKind::Base, "instead of both hosts")],
    to: &["user"],
    rates: &[
        Rate { scope: Scope::App, count: 100, per_ms: 1000, codes: &["99991400"] },
        Rate { scope: Scope::Recipient, count: 20, per_ms: 1000, codes: &["11232001"] },
        Rate { scope: Scope::Recipient, count: 200, per_ms: 60_000, codes: &["11232001"] },
    ],
    dedupe_ms: Some(WINDOW),
    message_id: true,
    document: "none: it exists in these tests only",
    ..Info::PLAIN
};

static TABLE: &[Row] = verdicts! {
    "0"        => Ok Sent Never Inferred                       "accepted";
    "99991663" => Auth NotSent Reauthenticate Inferred         "the token has ended";
    "99991671" => Auth NotSent Reauthenticate Inferred stops   "the app was taken from the company";
    "99991662" => Auth NotSent Never Inferred stops            "the app is disabled";
    "10014000" => Auth NotSent Never Inferred                  "the app's secret is wrong";
    "99991400" => RateLimited NotSent Wait Inferred            "the app is too fast";
    "11232001" => RateLimited NotSent Wait Inferred            "too many messages to this user";
    "10013000" => NotFound NotSent Never Inferred              "there is no such user";
    "10000500" => Service MaybeSent Backoff Inferred           "the outcome is unknown";
    @any       => Service NotSent Never Inferred               "unknown code, never retried";
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

/// An answer: `{"code": 0, "msg": "ok", "message_id": "m1"}` is success.
const ENVELOPE: Envelope = Envelope {
    ok: ("code", &["0"]),
    code: "code",
    own: |code| code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit()),
    text: "msg",
    id: Some("message_id"),
    wait: Some("wait"),
};

struct App {
    id: String,
    secret: Secret,
    token_url: Url,
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let (id, secret) = (opening.required("id"), opening.secret("secret"));
    let token_url = opening.endpoint("https://login.corpchat.example", "token", false)?;
    let url = opening.endpoint("https://api.corpchat.example", "messages", false)?;
    let identity = id.clone();
    Ok(opening.opened(url.clone(), &identity, App { id, secret, token_url, url }))
}

impl Account for App {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        no_extra(message, &[])?;
        let user = recipient(message, Kind::User)?;
        let body = serde_json::json!({"to": user, "text": message.text}).to_string();
        let uuid = |seed: Seed| format!("{:016x}", seed.0);
        let dedupe = Dedupe { value: uuid(seed), at: None, window: WINDOW, renew: Some(uuid) };
        Ok(Draft {
            body: body.into(),
            dedupe: Some(dedupe),
            scopes: vec![ScopeKey { scope: Scope::Recipient, key: user.to_owned() }],
            ..Draft::default()
        })
    }

    fn next(&self, draft: &Draft, _at: &Stamp, session: Option<&Secret>) -> Exchange {
        let mut url = self.url.clone();
        let value = draft.dedupe.as_ref().map(|dedupe| &*dedupe.value).unwrap_or_default();
        url.query_pairs_mut().append_pair("uuid", value);
        let token = session.map(Secret::expose).unwrap_or_default();
        let request = HttpRequest::post(url, json::CONTENT_TYPE, draft.body.clone());
        Exchange::commit(request.authorized(Some(format!("Bearer {token}"))))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        ENVELOPE.read(answer)
    }

    fn session(&self) -> Option<&dyn Session> {
        Some(self)
    }
}

impl Session for App {
    fn key(&self) -> String {
        format!("{} {}", self.id, self.secret.expose())
    }

    fn ask(&self, _at: &Stamp) -> Exchange {
        let body = serde_json::json!({"id": self.id, "secret": self.secret.expose()}).to_string();
        Exchange::prepare(HttpRequest::post(
            self.token_url.clone(),
            json::CONTENT_TYPE,
            body.into_bytes(),
        ))
    }

    fn read(&self, answer: &Answer) -> Granted {
        app::granted(answer, ["token", "expire", "code"], |answer| ENVELOPE.read(answer))
    }
}
