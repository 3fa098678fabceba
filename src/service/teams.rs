//! Microsoft Teams: an adaptive card into a channel or chat, by the URL of a workflow of Power Automate.

mod answer;
mod body;
mod verdicts;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::check::check;
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::judge::is_success;
use super::opening::Opening;
use super::pasted::UrlForm;
use super::wire::json::CONTENT_TYPE;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// The parameters of a workflow's URL that are no secrets.
const OPEN: &[&str] = &["api-version", "sp", "sv"];

const FORMS: &[UrlForm] = &[
    UrlForm::new(&["*.logic.azure.com"], "/workflows/*/triggers/*/paths/invoke")
        .query(&["sig"])
        .open(OPEN),
    UrlForm::new(&["*.powerplatform.com"], "/**").query(&["sig"]).open(OPEN),
];

static INFO: Info = Info {
    name: "teams",
    title: "Microsoft Teams card by a workflow",
    auth: &[Auth {
        name: "webhook",
        fields: &[Field::required(
            "url",
            FieldKind::Webhook(FORMS),
            "the URL that the workflow's trigger shows, whole",
        )],
        words: "The URL of a workflow",
    }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "instead of the URL's own host; http only for this machine",
    )],
    parts: &["text", "mention"],
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[Limit { what: "body: bytes of JSON", most: body::MOST }],
    document: "learn.microsoft.com: workflows and webhooks of Teams, Adaptive Cards, 2026",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Flow {
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let url = opening.webhook("url")?;
    let identity = url.path().to_owned();
    Ok(opening.opened(url.clone(), &identity, Flow { url }))
}

impl Account for Flow {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        body::encode(message, &INFO)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        // Without `Authorization`: beside the signature in the URL it is refused.
        Exchange::commit(HttpRequest::post(self.url.clone(), CONTENT_TYPE, draft.body.clone()))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer)
    }

    fn hint(&self, answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading {
            Reading::Unreadable(_) if is_success(answer.status) => Some(
                "let the body of the workflow's Response action be empty: only that is a success",
            ),
            Reading::Refused { text, .. } if text.contains("DirectApiAuthorizationRequired") => {
                Some(
                    "let anyone trigger the workflow: its trigger takes users of the tenant alone now",
                )
            }
            Reading::Refused { text, .. } if text.contains("WorkflowTriggerIsNotEnabled") => {
                Some("switch the workflow on again")
            }
            Reading::Refused { code, .. }
                if ["401", "403", "404", "410"].contains(&code.as_str()) =>
            {
                Some("copy the URL of the workflow's trigger again, or make a new workflow")
            }
            _ => None,
        }
    }
}
