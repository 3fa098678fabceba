//! Tencent IM: `send_group_msg`, by JSON, with a UserSig, and errors inside HTTP 200.

mod answer;
mod body;
mod elements;
mod verdicts;

use std::sync::Arc;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::usersig::UserSig;
use super::check::{check, endpoint};
use super::info::{Info, Limit, Rate, Scope};
use super::wire::{form, json};
use crate::model::config::AccountConfig;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::redact::Redactor;
use crate::model::secret::Secret;

/// The codes that say that the whole app is too fast.
const APP_TOO_FAST: [&str; 6] = ["10006", "60007", "60011", "60018", "60019", "90057"];

const PATH: &str = "v4/group_open_http_svc/send_group_msg";

/// Where the app's data lies: the key in an account and the host of that data centre.
const REGIONS: [(&str, &str); 9] = [
    ("cn", "https://console.tim.qq.com"),
    ("sgp", "https://adminapisgp.im.qcloud.com"),
    ("kr", "https://adminapikr.im.qcloud.com"),
    ("jpn", "https://adminapijpn.im.qcloud.com"),
    ("ger", "https://adminapiger.im.qcloud.com"),
    ("usa", "https://adminapiusa.im.qcloud.com"),
    ("idn", "https://adminapiidn.im.qcloud.com"),
    // No longer on the pages about sending, but never withdrawn.
    ("ind", "https://adminapiind.im.qcloud.com"),
    // Seen in code only, in no document.
    ("ksa", "https://adminapiksa.im.qcloud.com"),
];

static INFO: Info = Info {
    name: "tencent_im",
    title: "Tencent IM group message",
    auth: &["usersig"],
    formats: &["json"],
    to: &["group", "topic", "members"],
    parts: &["text", "mention", "face", "location", "custom", "raw"],
    reply_to: false,
    needs_content: true,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "MsgBody: bytes of JSON", most: body::MAX_BODY },
        Limit { what: "members", most: body::MAX_MEMBERS },
        Limit { what: "mentions", most: body::MAX_MENTIONS },
        Limit { what: "custom elements", most: 1 },
    ],
    rates: &[
        Rate { scope: Scope::App, count: 200, per_ms: 1000, codes: &APP_TOO_FAST },
        Rate { scope: Scope::Group, count: 40, per_ms: 1000, codes: &["10023"] },
    ],
    dedupe_ms: Some(body::WINDOW),
    message_id: true,
    ended: None,
    document: "Tencent Cloud Chat, RESTful API, send_group_msg",
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct TencentAccount {
    signer: UserSig,
    /// The URL up to the signature.
    prefix: String,
}

/// Reads an account.
fn open(mut config: AccountConfig) -> Result<Opened> {
    let mut redactor = Redactor::default();
    let mut auth = config.fields.required_object("auth")?;
    if auth.one_of("type", INFO.auth)?.is_none() {
        return Err(auth.error("type", "the field \"type\" is required: \"usersig\""));
    }
    let signer = UserSig::read(&mut auth, &mut redactor)?;
    auth.finish()?;
    let region = config.fields.one_of("region", &REGIONS.map(|(key, _)| key))?;
    let host = REGIONS.iter().find(|(key, _)| Some(*key) == region).map(|(_, host)| *host);
    if host.is_none() && config.base_url.is_none() {
        let why = "\"region\" or \"base_url\" is required: it cannot be guessed from the app";
        return Err(config.fields.error("region", why));
    }
    if config.signing_url.is_some() {
        return Err(config.fields.error("signing_url", "a UserSig does not cover the URL"));
    }
    let url = endpoint(&config, &INFO, host.unwrap_or_default(), PATH, false)?;
    config.fields.finish()?;
    let (app, identifier) = (signer.sdk_app_id, form::encoded(&signer.identifier));
    let prefix = format!("{url}?sdkappid={app}&identifier={identifier}&usersig=");
    Ok(Opened {
        origin: url,
        identity: app.to_string(),
        sender: format!("{app}/{}", signer.identifier),
        redactor,
        account: Arc::new(TencentAccount { signer, prefix }),
    })
}

impl Account for TencentAccount {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        body::encode(message, seed)
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let usersig = self.signer.at(at.unix, at.renew);
        // Another number than the message's own Random: it names the request, not the message.
        let random = (at.nonce & u128::from(u32::MAX)) as u32;
        let text = format!("{}{usersig}&random={random}&contenttype=json", self.prefix);
        let url = Url::parse(&text).expect("a URL with a query of safe characters is a URL");
        let request = HttpRequest::post(url, json::CONTENT_TYPE, draft.body.clone());
        Exchange::commit(request).with_secrets(vec![usersig])
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code() {
            Some("60026" | "70020" | "70016" | "60006") => {
                Some("check \"region\": it must be where the app was created")
            }
            _ => None,
        }
    }
}
