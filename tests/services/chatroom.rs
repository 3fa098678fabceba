//! A service, added by the steps of CONTRIBUTING.md: a robot that posts into one chat room.
//!
//! It is compiled into the library's own tests only. Like the robots of today's chat services it
//! hides its refusals in HTTP 200: `{"errcode": 0}` is success and everything else is not. A message with
//! files is a form, any other is JSON.

#[path = "chatroom/asked.rs"]
mod asked;
#[path = "../support/raw.rs"]
#[allow(clippy::duplicate_mod, reason = "each test has its own server")]
mod raw;

use serde_json::{Map, Value};
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Inquiry, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, no_extra, one_of, only, with};
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::opening::Opening;
use super::pasted::UrlForm;
use super::text::{self, Markup, Rules, Title, Unit};
use super::verdict::{Row, verdicts};
use super::wire::envelope::Envelope;
use super::wire::json;
use super::wire::multipart::Multipart;
use crate::model::error::Result;
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

const MAX_TEXT: u32 = 2048;

/// The URL of a room, on whatever server it is.
const FORMS: &[UrlForm] = &[UrlForm::new(UrlForm::ANY_HOST, "/rooms/{}")];

static INFO: Info = Info {
    name: "chatroom",
    title: "A robot in a chat room",
    auth: &[
        Auth { name: "bearer", fields: &[Token::FIELD], words: "A token" },
        Auth {
            name: "webhook",
            fields: &[Field::required("url", FieldKind::Webhook(FORMS), "what its page shows")],
            words: "The URL of a room",
        },
    ],
    fields: &[
        Field::optional("app_id", FieldKind::NumberOrText, "the app that sends"),
        Field::optional("pings", FieldKind::Boolean, "whether everybody is called"),
        Field::optional("labels", FieldKind::List, "what is shown beside a message"),
        Field::optional("style", FieldKind::Object, "how messages look: `colour`"),
        Field::optional("report", FieldKind::Url, "where the room sends what became of it"),
        Field::optional("base_url", FieldKind::Base, "the server"),
    ],
    attachments: &["data"],
    to: &["channel", "user", "topic"],
    self_hosted: true,
    limits: &[Limit { what: "text: Unicode scalars", most: MAX_TEXT }],
    document: "none: it exists in these tests only",
    ..Info::PLAIN
};

const RULES: Rules = Rules {
    unit: Unit::CodePoints,
    most: MAX_TEXT as usize,
    markup: Markup::Plain,
    title: Title::FirstLine,
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
    token: Option<Token>,
    url: Url,
    /// What stands in the body of every message.
    more: Map<String, Value>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let mut more = Map::new();
    if let Some(id) = opening.text("app_id") {
        more.insert("app_id".to_owned(), id.into());
    }
    if let Some(pings) = opening.flag("pings") {
        more.insert("pings".to_owned(), pings.into());
    }
    if let Some(labels) = opening.list("labels") {
        more.insert("labels".to_owned(), labels.into());
    }
    if let Some(mut style) = opening.object("style") {
        more.insert("colour".to_owned(), style.required_string("colour")?.into());
        style.finish()?;
    }
    if let Some(report) = opening.url("report")? {
        more.insert("report".to_owned(), report.as_str().into());
    }
    if opening.auth() == "webhook" {
        opening.takes_only(&[])?;
        let url = opening.webhook("url")?;
        let identity = url.to_string();
        return Ok(opening.opened(url.clone(), &identity, RoomAccount { token: None, url, more }));
    }
    let token = Token::open(&mut opening);
    let url = opening.endpoint("https://robot.example", "send", false)?;
    let identity = token.text().to_owned();
    let token = Some(token);
    Ok(opening.opened(url.clone(), &identity, RoomAccount { token, url, more }))
}

impl RoomAccount {
    /// The draft of a piece of a message.
    fn draft(&self, message: &Message, seed: Seed, text: &str) -> Result<Draft> {
        if !message.attachments.is_empty() {
            let form = Multipart::new(seed).text("text", text);
            let form = message.attachments.iter().fold(form, |form, file| {
                form.file(if file.is_image() { "image" } else { "file" }, file)
            });
            return Ok(Draft::multipart(form.finish()));
        }
        let mut body = serde_json::json!({"msgtype": "text", "text": {"content": text}});
        for (name, value) in &self.more {
            body[name] = value.clone();
        }
        if self.token.is_none() {
            only(message, &[], "a webhook of the robot")?;
        } else if !message.to.is_empty() {
            let kind = one_of(message, &[Kind::Channel, Kind::User])?;
            body["to"] = message.to.one(kind).into();
            body["topic"] = with(message, Kind::Topic, Kind::Channel)?.into();
        }
        Ok(Draft { body: body.to_string().into(), ..Draft::default() })
    }
}

impl Account for RoomAccount {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        no_extra(message, &[])?;
        text::plain_draft(message, &RULES, "the robot", |text| self.draft(message, seed, text))
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let request = match draft.rest.is_empty() {
            true => HttpRequest::post(self.url.clone(), json::CONTENT_TYPE, draft.body.clone()),
            false => draft.post(self.url.clone()),
        };
        Exchange::commit(
            request.authorized(self.token.as_ref().map(|token| token.header("Bearer"))),
        )
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        ENVELOPE.read(answer)
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let token = self.token.as_ref()?;
        let mut url = self.url.clone();
        url.set_path(&url.path().replace("send", "me"));
        let request = HttpRequest::get(url).authorized(Some(token.header("Bearer")));
        Some(Inquiry::new(request, |answer| ENVELOPE.read(answer)))
    }
}

/// An answer: `{"errcode": 0, "errmsg": "ok"}` is success.
const ENVELOPE: Envelope = Envelope {
    ok: ("errcode", &["0"]),
    code: "errcode",
    own: |code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
    text: "errmsg",
    id: None,
    wait: None,
};
