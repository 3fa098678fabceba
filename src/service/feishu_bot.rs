//! The custom robot of Feishu, and of Lark, which differs in its host alone: it posts into one group, by the
//! URL that its page shows.

mod answer;
mod body;
mod verdicts;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::pasted::UrlForm;
use super::wire::json;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

static INFO: Info = Info {
    name: "feishu_bot",
    title: "Feishu or Lark custom robot",
    auth: &[Auth {
        name: "webhook",
        fields: &[
            Field::required(
                "url",
                FieldKind::Webhook(&[UrlForm::new(
                    &["open.feishu.cn", "open.larksuite.com"],
                    "/open-apis/bot/v2/hook/{}",
                )]),
                "the URL that the robot's page shows, whole: Feishu's or Lark's",
            ),
            Field::optional(
                "secret",
                FieldKind::Secret,
                "which the same page shows where the robot checks signatures",
            ),
        ],
        words: "The URL of a robot",
    }],
    fields: &[Field::optional("base_url", FieldKind::Base, "instead of the URL's own host")],
    parts: &["text", "mention", "link", "raw"],
    titled: true,
    needs_content: false,
    extra: &["msg_type", "content", "card"],
    limits: &[Limit { what: "body: bytes of JSON", most: body::MAX_BODY }],
    rates: &[
        Rate { scope: Scope::Account, count: 5, per_ms: 1000, codes: &["9499"] },
        Rate {
            scope: Scope::Account,
            count: 100,
            per_ms: 60_000,
            codes: &["9499", "11233", "11247"],
        },
    ],
    document: "Feishu open platform, guide to custom robots",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Robot {
    url: Url,
    secret: Option<Secret>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let url = opening.webhook("url")?;
    let secret = opening.optional_secret("secret");
    let token = url.path_segments().and_then(|mut segments| segments.next_back());
    let token = token.unwrap_or_default().to_owned();
    Ok(opening.opened(url.clone(), &token, Robot { url, secret }))
}

impl Account for Robot {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        let signed = self.secret.is_some().then(|| Signed::at(0, "").members().len());
        body::encode(message, &INFO, signed.unwrap_or_default())
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let (mut body, mut secrets) = (draft.body.clone(), Vec::new());
        if let Some(secret) = &self.secret {
            let signed = Signed::at(at.unix, secret.expose());
            body = [signed.members().as_bytes(), &body[1..]].concat().into();
            secrets.push(signed.sign);
        }
        let request = HttpRequest::post(self.url.clone(), json::CONTENT_TYPE, body);
        Exchange::commit(request).with_secrets(secrets)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        (reading.code() == Some("19021") && self.secret.is_none())
            .then_some("the robot checks signatures: give its secret as \"secret\" in \"auth\"")
    }
}

/// A moment and its signature.
struct Signed {
    unix: u64,
    sign: String,
}

impl Signed {
    /// The signature of a moment in Unix seconds: the key is what others would sign, and nothing is signed.
    fn at(unix: u64, secret: &str) -> Signed {
        let key = format!("{unix}\n{secret}");
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
        let mac = mac.expect("HMAC takes a key of any length");
        Signed { unix, sign: STANDARD.encode(mac.finalize().into_bytes()) }
    }

    /// How a signed body begins.
    fn members(&self) -> String {
        format!("{{\"timestamp\":\"{:010}\",\"sign\":\"{}\",", self.unix, self.sign)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn signatures_are_those_of_the_vectors() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/feishu_sign.json"))
                .expect("JSON");
        let vectors = vectors["vectors"].as_array().expect("a list");
        assert!(vectors.len() > 1);
        for vector in vectors {
            let input = &vector["inputs"];
            let secret = input["secret"].as_str().expect("a secret");
            let signed = Signed::at(input["timestamp_s"].as_u64().expect("a time"), secret);
            let expected = &vector["expected"];
            assert_eq!(expected["sign_base64"], signed.sign, "{}", vector["name"]);
            if let Some(body) = expected["body"].as_str() {
                assert!(body.starts_with(&signed.members()), "{}", vector["name"]);
            }
            let others = vector["must_differ"].as_object().into_iter().flatten();
            others.for_each(|(name, other)| assert_ne!(*other, signed.sign, "{name}"));
        }
    }
}
