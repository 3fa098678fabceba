//! WeCom's group robot, which its document calls message push: it posts into one group, by the URL that its
//! page shows.

mod body;
mod verdicts;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::pasted::UrlForm;
use super::robot;
use super::wecom::without_address;
use super::wire::envelope::Envelope;
use super::wire::json;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// The URL of a robot, whose key is all that it is known by.
const FORMS: &[UrlForm] =
    &[UrlForm::new(&["qyapi.weixin.qq.com"], "/cgi-bin/webhook/send").query(&["key"])];

static INFO: Info = Info {
    name: "wecom_bot",
    title: "WeCom group robot",
    auth: &[Auth {
        name: "webhook",
        fields: &[Field::required(
            "url",
            FieldKind::Webhook(FORMS),
            "the URL that the robot's page shows, whole",
        )],
        words: "The URL of a robot",
    }],
    fields: &[Field::optional("base_url", FieldKind::Base, "instead of the URL's own host")],
    parts: &["text", "mention", "link"],
    native: &["plain", "markdown"],
    attachments: &["data"],
    needs_content: false,
    extra: &[
        "msgtype",
        "text",
        "markdown",
        "markdown_v2",
        "image",
        "news",
        "file",
        "voice",
        "template_card",
    ],
    limits: &[
        Limit { what: "text: bytes of UTF-8", most: body::MAX_TEXT },
        Limit { what: "markdown: bytes of UTF-8", most: body::MAX_MARKDOWN },
        Limit { what: "image: bytes", most: body::MAX_IMAGE },
        Limit { what: "links", most: body::MAX_ARTICLES },
        Limit { what: "title of a link: bytes of UTF-8", most: body::MAX_TITLE },
    ],
    rates: &[Rate { scope: Scope::Account, count: 20, per_ms: 60_000, codes: &["45009"] }],
    document: "WeCom developer centre, message push (group robot), 2025-08-07",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// An answer: `{"errcode": 0, "errmsg": "ok"}` is success.
const ENVELOPE: Envelope = Envelope {
    ok: ("errcode", &["0"]),
    code: "errcode",
    own: |code| {
        code == "-1" || matches!(code.len(), 5 | 6) && code.bytes().all(|b| b.is_ascii_digit())
    },
    text: "errmsg",
    id: None,
    wait: None,
};

struct Robot {
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let url = opening.webhook("url")?;
    let key = url.query_pairs().find(|(name, _)| name == "key");
    let key = key.map(|(_, key)| key.into_owned()).unwrap_or_default();
    let mut origin = url.clone();
    origin.set_query(None);
    Ok(opening.opened(origin, &key, Robot { url }))
}

impl Account for Robot {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        body::encode(message, &INFO)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let request = HttpRequest::post(self.url.clone(), json::CONTENT_TYPE, draft.body.clone());
        Exchange::commit(request)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        match robot::busy_in_success(ENVELOPE.read(answer), answer) {
            Reading::Refused { code, text, wait } => {
                Reading::Refused { code, text: without_address(text), wait }
            }
            reading => reading,
        }
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        (reading.code() == Some("93000"))
            .then_some("copy the URL of the robot again: it was changed, or the robot was removed")
    }
}
