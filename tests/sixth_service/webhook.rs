//! A sixth service, added by the steps of CONTRIBUTING.md: a robot that posts into one chat room.
//!
//! It is compiled into the library's own tests only. Like the robots of today's chat services it
//! hides its refusals in HTTP 200: `{"errcode": 0}` is success and everything else is not.

mod verdicts;

use serde::Deserialize;
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, no_extra, scalars};
use super::info::{Auth, Info, Limit};
use super::judge::{excerpt, text};
use super::opening::Opening;
use super::wire::json;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

const MAX_TEXT: u32 = 2048;

static INFO: Info = Info {
    name: "webhook",
    title: "A robot in a chat room",
    auth: &[Auth { name: "bearer", fields: &[Token::FIELD], words: "A token" }],
    limits: &[Limit { what: "text: Unicode scalars", most: MAX_TEXT }],
    document: "none: it exists in these tests only",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct WebhookAccount {
    token: Token,
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let url = opening.endpoint("https://robot.example", "send", false)?;
    let identity = token.text().to_owned();
    Ok(opening.opened(url.clone(), &identity, WebhookAccount { token, url }))
}

impl Account for WebhookAccount {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        no_extra(message, &[])?;
        let text = scalars(message, MAX_TEXT, "the robot")?;
        let body = serde_json::json!({"msgtype": "text", "text": {"content": text}}).to_string();
        Ok(Draft { body: body.into(), ..Draft::default() })
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let request = HttpRequest::post(self.url.clone(), json::CONTENT_TYPE, draft.body.clone());
        Exchange::commit(request.authorized(Some(self.token.header("Bearer"))))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        read(answer)
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
        Ok(Envelope { errcode: 0, .. }) if answer.status == 200 => Reading::sent(None, None),
        Ok(Envelope { errcode: 0, .. }) => {
            Reading::Contradiction(format!("errcode 0, but with HTTP status {}", answer.status))
        }
        Ok(Envelope { errcode, errmsg }) => Reading::refused(errcode.to_string(), errmsg),
        Err(_) => Reading::Unreadable(excerpt(&answer.body)),
    }
}
