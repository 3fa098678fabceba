//! A sixth service, added by the steps of CONTRIBUTING.md: a robot that posts into one chat room.
//!
//! It is compiled into the library's own tests only. Like the robots of today's chat services it
//! hides its refusals in HTTP 200: `{"errcode": 0}` is success and everything else is not.

mod verdicts;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::auth::token::Token;
use super::envelope::{Reading, excerpt, judge, text};
use super::verdict::Row;
use super::{Account, Answer, Draft, Info, Limit, Outcome, Request, Service, Stamp};
use super::{check, endpoint, no_extra, scalars};
use crate::model::config::AccountConfig;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::redact::Redactor;

const MAX_TEXT: u32 = 2048;

static INFO: Info = Info {
    name: "webhook",
    title: "A robot in a chat room",
    auth: &["bearer"],
    formats: &["json"],
    to: &[],
    parts: &[],
    reply_to: false,
    needs_content: true,
    extra: &[],
    limits: &[Limit { what: "text: Unicode scalars", most: MAX_TEXT }],
    rates: &[],
    dedupe_ms: None,
    message_id: false,
    ended: None,
    document: "none: it exists in these tests only",
};

/// The service.
pub struct Webhook;

struct WebhookAccount {
    token: Token,
    url: Url,
    redactor: Arc<Redactor>,
}

impl Service for Webhook {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn verdicts(&self) -> &'static [Row] {
        verdicts::TABLE
    }

    fn account(&self, mut config: AccountConfig) -> Result<Arc<dyn Account>> {
        let mut redactor = Redactor::default();
        let mut auth = config.fields.required_object("auth")?;
        auth.one_of("type", INFO.auth)?;
        let token = Token::read(&mut auth, &mut redactor)?;
        auth.finish()?;
        let url = endpoint(&config, &INFO, "https://robot.example", "send", false)?;
        config.fields.finish()?;
        Ok(Arc::new(WebhookAccount { token, url, redactor: Arc::new(redactor) }))
    }
}

impl Account for WebhookAccount {
    fn encode(&self, message: &Message, _random: u32) -> Result<Draft> {
        check(message, &INFO)?;
        no_extra(message, &[])?;
        let text = scalars(message, MAX_TEXT, "the robot")?;
        let body = json!({"msgtype": "text", "text": {"content": text}}).to_string();
        Ok(Draft { body: body.into_bytes(), ..Draft::default() })
    }

    fn request(&self, draft: &Draft, _stamp: &Stamp) -> Request {
        Request {
            url: self.url.clone(),
            content_type: "application/json",
            authorization: Some(self.token.header("Bearer")),
            body: draft.body.clone(),
            signatures: Vec::new(),
        }
    }

    fn identity(&self) -> &str {
        self.token.text()
    }

    fn url(&self) -> &Url {
        &self.url
    }

    fn decode(&self, _draft: &Draft, answer: &Answer) -> Outcome {
        judge(verdicts::TABLE, answer, read(answer))
    }

    fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }
}

fn read(answer: &Answer) -> Reading {
    #[derive(Deserialize)]
    struct Envelope {
        errcode: i64,
        #[serde(default)]
        errmsg: String,
    }
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    match serde_json::from_str::<Envelope>(body) {
        Ok(Envelope { errcode: 0, .. }) if answer.status == 200 => {
            Reading::Sent { id: None, time: None }
        }
        Ok(Envelope { errcode: 0, .. }) => {
            Reading::Contradiction(format!("errcode 0, but with HTTP status {}", answer.status))
        }
        Ok(Envelope { errcode, errmsg }) => {
            Reading::Refused { code: errcode.to_string(), text: errmsg }
        }
        Err(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}
