//! A robot like those of DingTalk, added by the steps of CONTRIBUTING.md: it posts into one chat group.
//!
//! It is compiled into the library's own tests only. Its page shows a URL to copy; where it has a secret,
//! each request is signed, and it hides its refusals in HTTP 200.

#[path = "dingtalk/sandbox.rs"]
mod sandbox;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::check::{check, no_extra};
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::pasted::UrlForm;
use super::verdict::{Row, verdicts};
use super::wire::envelope::Envelope;
use super::wire::json;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Message;
use crate::model::secret::Secret;

const HOST: &str = "oapi.dingtalk.example";
/// The URL that its page shows.
const FORMS: &[UrlForm] = &[UrlForm::new(&[HOST], "/robot/send").query(&["access_token"])];
/// The longest body, in bytes.
const MAX_BODY: u32 = 20_000;

static INFO: Info = Info {
    name: "dingtalk",
    title: "A robot in a chat group, as DingTalk has them",
    auth: &[Auth {
        name: "webhook",
        fields: &[
            Field::required("url", FieldKind::Webhook(FORMS), "the URL that its page shows"),
            Field::optional("secret", FieldKind::Secret, "what requests are signed with"),
        ],
        words: "The URL of a robot",
    }],
    fields: &[Field::optional("base_url", FieldKind::Base, "instead of the URL's own host")],
    limits: &[Limit { what: "body: bytes of JSON", most: MAX_BODY }],
    rates: &[Rate { scope: Scope::Account, count: 20, per_ms: 60_000, codes: &["130101"] }],
    document: "none: it exists in these tests only",
    ..Info::PLAIN
};

static TABLE: &[Row] = verdicts! {
    "0"      => Ok Sent Never Inferred                              "accepted";
    "430101" => Service NotSent Backoff Inferred                    "the system is busy";
    "130101" => RateLimited NotSent Wait Inferred                   "too many messages a minute";
    "310000" ["timestamp"] => Auth NotSent Resign Inferred          "the signature is too old";
    "310000" => Auth NotSent Never Inferred                         "the signature is refused";
    "300001" => Auth NotSent Never Inferred                         "there is no such robot";
    "400035" => Rejected NotSent Never Inferred                     "a parameter is wrong";
    @any     => Service NotSent Never Inferred                      "unknown code, never retried";
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

/// An answer: `{"errcode": 0, "errmsg": "ok"}` is success.
const ENVELOPE: Envelope = Envelope {
    ok: ("errcode", "0"),
    code: "errcode",
    own: |code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
    text: "errmsg",
    id: None,
    wait: None,
};

struct Robot {
    url: Url,
    secret: Option<Secret>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let url = opening.webhook("url")?;
    let secret = opening.optional_secret("secret");
    let identity = url.query().unwrap_or_default().to_owned();
    let mut origin = url.clone();
    origin.set_query(None);
    Ok(opening.opened(origin, &identity, Robot { url, secret }))
}

impl Account for Robot {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        no_extra(message, &[("msgtype", "text"), ("text", "text")])?;
        let body = serde_json::json!({"msgtype": "text", "text": {"content": message.text}});
        let body = body.to_string();
        if body.len() > MAX_BODY as usize {
            let words = format!("the body has {} bytes; the robot takes {MAX_BODY}", body.len());
            return Err(Error::new(ErrorCode::TooLarge, words).at("text"));
        }
        Ok(Draft { body: body.into(), ..Draft::default() })
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let (mut url, mut secrets) = (self.url.clone(), Vec::new());
        if let Some(secret) = &self.secret {
            let time = format!("{}000", at.unix);
            let key = secret.expose().as_bytes();
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
            mac.update(format!("{time}\n{}", secret.expose()).as_bytes());
            let sign = STANDARD.encode(mac.finalize().into_bytes());
            url.query_pairs_mut().append_pair("timestamp", &time).append_pair("sign", &sign);
            secrets.push(sign);
        }
        let request = HttpRequest::post(url, json::CONTENT_TYPE, draft.body.clone());
        Exchange::commit(request).with_secrets(secrets)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        ENVELOPE.read(answer)
    }
}
