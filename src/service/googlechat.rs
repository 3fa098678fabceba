//! Google Chat: messages into one space, by the URL of an incoming webhook.

mod answer;
mod body;
mod verdicts;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::check::check;
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::pasted::UrlForm;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

const FORMS: &[UrlForm] = &[UrlForm::new(&["chat.googleapis.com"], "/v1/spaces/*/messages")
    .query(&["key", "token"])
    .open(&[body::REPLY_OPTION, "threadKey"])];

static INFO: Info = Info {
    name: "googlechat",
    title: "Google Chat message by an incoming webhook",
    auth: &[Auth {
        name: "webhook",
        fields: &[Field::required(
            "url",
            FieldKind::Webhook(FORMS),
            "the URL that the webhook's page in the space shows, whole",
        )],
        words: "The URL of an incoming webhook",
    }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "instead of the URL's own host; http only for this machine",
    )],
    parts: &["text", "mention"],
    thread: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[Limit { what: "text and cards: bytes", most: body::MOST }],
    rates: &[Rate {
        scope: Scope::Account,
        count: 60,
        per_ms: 60_000,
        codes: &["RESOURCE_EXHAUSTED"],
    }],
    message_id: true,
    document: "developers.google.com/workspace/chat: incoming webhooks, messages.create, limits, 2026",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Hook {
    /// Its URL, without parameters.
    url: Url,
    /// The parameters that the pasted URL had.
    query: Vec<(String, String)>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let mut url = opening.webhook("url")?;
    let pairs = url.query_pairs();
    let query = pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    // The limit is the space's, which all its webhooks share.
    let identity = url.path().to_owned();
    let origin = url.clone();
    url.set_query(None);
    Ok(opening.opened(origin, &identity, Hook { url, query }))
}

impl Account for Hook {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let has_option = self.query.iter().any(|(name, _)| name == body::REPLY_OPTION);
        body::encode(message, &INFO, has_option)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let mut url = self.url.clone();
        let own = |name: &str| draft.params.iter().any(|(own, _)| *own == name);
        url.query_pairs_mut()
            .extend_pairs(self.query.iter().filter(|(name, _)| !own(name)))
            .extend_pairs(&draft.params);
        Exchange::commit(HttpRequest::post(url, body::CONTENT_TYPE, draft.body.clone()))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "NOT_FOUND" | "UNAUTHENTICATED" | "PERMISSION_DENIED" => Some(
                "the webhook may be gone from its space: make a new one, and give the account its URL",
            ),
            _ => None,
        }
    }
}
