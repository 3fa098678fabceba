//! A service, added by the steps of CONTRIBUTING.md: a robot that posts into one chat room.
//!
//! It is compiled into the library's own tests only. Like the robots of today's chat services it
//! hides its refusals in HTTP 200: `{"errcode": 0}` is success and everything else is not.

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, no_extra, scalars};
use super::info::{Auth, Info, Limit};
use super::opening::Opening;
use super::verdict::{Row, verdicts};
use super::wire::envelope::Envelope;
use super::wire::json;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

const MAX_TEXT: u32 = 2048;

static INFO: Info = Info {
    name: "chatroom",
    title: "A robot in a chat room",
    auth: &[Auth { name: "bearer", fields: &[Token::FIELD], words: "A token" }],
    limits: &[Limit { what: "text: Unicode scalars", most: MAX_TEXT }],
    document: "none: it exists in these tests only",
    ..Info::PLAIN
};

static TABLE: &[Row] = verdicts! {
    "0"      => Ok Sent Never Inferred            "accepted";
    "130101" => RateLimited NotSent Wait Inferred "too many messages a minute";
    "310000" => Auth NotSent Never Inferred       "the token or the signature is refused";
    @any     => Service NotSent Never Inferred    "unknown code, never retried";
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

struct RoomAccount {
    token: Token,
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let url = opening.endpoint("https://robot.example", "send", false)?;
    let identity = token.text().to_owned();
    Ok(opening.opened(url.clone(), &identity, RoomAccount { token, url }))
}

impl Account for RoomAccount {
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
        ENVELOPE.read(answer)
    }
}

/// An answer: `{"errcode": 0, "errmsg": "ok"}` is success.
const ENVELOPE: Envelope = Envelope {
    ok: ("errcode", "0"),
    code: "errcode",
    own: |code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
    text: "errmsg",
    id: None,
    wait: None,
};
