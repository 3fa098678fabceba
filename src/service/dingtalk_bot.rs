//! DingTalk's custom robot: it posts into one group, by the URL that its page shows.

mod body;
mod verdicts;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::judge::text;
use super::opening::Opening;
use super::pasted::UrlForm;
use super::robot;
use super::wire::envelope::Envelope;
use super::wire::json::{self, members};
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// How long a message is sent again with its `msgUuid`: the document does not say how long it is known.
const WINDOW: Duration = Duration::from_secs(60);

/// The URL of a robot. Some programs append the signature of one request to it.
const FORMS: &[UrlForm] =
    &[UrlForm::new(&["oapi.dingtalk.com"], "/robot/send").query(&["access_token"])];

static INFO: Info = Info {
    name: "dingtalk_bot",
    title: "DingTalk custom robot",
    auth: &[Auth {
        name: "webhook",
        fields: &[
            Field::required(
                "url",
                FieldKind::Webhook(FORMS),
                "the URL that the robot's page shows, whole",
            ),
            Field::optional(
                "secret",
                FieldKind::Secret,
                "`SEC…`, which the same page shows where the robot checks signatures",
            ),
        ],
        words: "The URL of a robot",
    }],
    fields: &[Field::optional("base_url", FieldKind::Base, "instead of the URL's own host")],
    parts: &["text", "mention", "link"],
    titled: true,
    native: &["plain", "markdown"],
    needs_content: false,
    extra: &["msgtype", "text", "markdown", "link", "actionCard", "feedCard", "at", "msgUuid"],
    limits: &[
        Limit { what: "body: bytes of JSON", most: body::MAX_BODY },
        Limit { what: "mentions", most: body::MAX_MENTIONS },
    ],
    rates: &[
        Rate {
            scope: Scope::Account,
            count: 20,
            per_ms: 60_000,
            codes: &["130101", "410100", "660026"],
        },
        Rate { scope: Scope::Ip, count: 10_000, per_ms: 20_000, codes: &["1111"] },
    ],
    dedupe_ms: Some(WINDOW),
    document: "DingTalk open platform, sending by a custom robot, 2026-07-14",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// An answer: `{"errcode": 0, "errmsg": "ok"}` is success, and the document's sample has the zero as text.
const ENVELOPE: Envelope = Envelope {
    ok: ("errcode", &["0", "\"0\""]),
    code: "errcode",
    own: |code| code == "-1" || is_code(code),
    text: "errmsg",
    id: None,
    wait: None,
};

fn is_code(code: &str) -> bool {
    matches!(code.len(), 5 | 6) && code.bytes().all(|b| b.is_ascii_digit())
}

struct Robot {
    url: Url,
    signer: Option<Signer>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let mut url = opening.webhook("url")?;
    let secret = opening.optional_secret("secret");
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let lasting = pairs.iter().filter(|(name, _)| !matches!(&**name, "timestamp" | "sign"));
    url.query_pairs_mut().clear().extend_pairs(lasting);
    let token = pairs.into_iter().find(|(name, _)| name == "access_token");
    let token = token.map(|(_, token)| token).unwrap_or_default();
    let mut origin = url.clone();
    origin.set_query(None);
    Ok(opening.opened(origin, &token, Robot { url, signer: secret.map(Signer::new) }))
}

impl Account for Robot {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        body::encode(message, &INFO, seed)
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let (mut url, mut secrets) = (self.url.clone(), Vec::new());
        if let Some(signer) = &self.signer {
            let time = (at.unix * 1000).to_string();
            let sign = signer.sign(&time);
            url.query_pairs_mut().append_pair("timestamp", &time).append_pair("sign", &sign);
            secrets.push(sign);
        }
        let request = HttpRequest::post(url, json::CONTENT_TYPE, draft.body.clone());
        Exchange::commit(request).with_secrets(secrets)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        match ENVELOPE.read(answer) {
            // Their words have no place in the envelope, so that only then they need be looked for.
            Reading::Unreadable(_) if is_denied(answer) => {
                Reading::refused("1111", "too many requests from this address")
            }
            reading => robot::busy_in_success(reading, answer),
        }
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        let Reading::Refused { code, text, .. } = reading else { return None };
        let of_signature = ["sign", "签名"].iter().any(|word| text.contains(word));
        (code == "310000" && of_signature && self.signer.is_none())
            .then_some("the robot checks signatures: give its SEC… as \"secret\" in \"auth\"")
    }
}

/// A secret, and the state that signing by it begins with.
struct Signer {
    secret: Secret,
    mac: Hmac<Sha256>,
}

impl Signer {
    fn new(secret: Secret) -> Signer {
        let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes());
        Signer { secret, mac: mac.expect("HMAC takes a key of any length") }
    }

    /// The signature of a moment in Unix milliseconds, as it stands in the query before that is encoded.
    fn sign(&self, time_ms: &str) -> String {
        let mut mac = self.mac.clone();
        for part in [time_ms, "\n", self.secret.expose()] {
            mac.update(part.as_bytes());
        }
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// True for the answer of the servers in front of all of DingTalk, which has no code but this status.
fn is_denied(answer: &Answer) -> bool {
    let names = ["status", "punish", "uuid", "errcode"];
    let found = text(answer).and_then(|body| members(body, names));
    matches!(found, Ok([Some("1111"), Some(punish), Some(_), None]) if punish.starts_with('"'))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn signatures_are_those_of_the_vectors() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/dingtalk_sign.json"))
                .expect("JSON");
        let vectors = vectors["vectors"].as_array().expect("a list");
        assert!(vectors.len() > 1);
        for vector in vectors {
            let input = &vector["inputs"];
            let secret = input["secret"].as_str().expect("a secret");
            let time = input["timestamp_ms"].as_u64().expect("a time");
            let signed = Signer::new(Secret::new(secret.to_owned())).sign(&time.to_string());
            assert_eq!(vector["expected"]["sign_base64"], signed, "{}", vector["name"]);
            let others = vector["must_differ"].as_object().into_iter().flatten();
            others.for_each(|(name, other)| assert_ne!(*other, signed, "{name}"));
        }
    }

    #[test]
    fn only_the_answer_of_dingtalk_s_front_servers_is_theirs() {
        let denied =
            |body: &str| is_denied(&Answer { status: 200, body: body.into(), ..Answer::default() });
        assert!(denied(r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"9f"}"#));
        for body in [
            r#"{"status":1111}"#,
            r#"{"status":1111,"punish":"deny"}"#,
            r#"{"status":1111,"punish":"deny","uuid":"9f","errcode":130101}"#,
            r#"{"status":1112,"punish":"deny","uuid":"9f"}"#,
            r#"{"status":"1111","punish":{},"uuid":"9f"}"#,
            r#"{"status":1111,"punish":"deny","uuid":"9f""#,
        ] {
            assert!(!denied(body), "{body}");
        }
    }
}
