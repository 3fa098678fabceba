//! Rocket.Chat: messages of a user's token into channels and to users, and incoming webhooks.

mod answer;
mod body;
mod verdicts;

use std::borrow::Cow;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, Header, HttpRequest, Inquiry, Opened, Reading, Seed, Service,
    Stamp,
};
use super::auth::token::Token;
use super::check::{check, one_of};
use super::info::{Auth, Field, FieldKind, Info};
use super::opening::Opening;
use super::pasted::UrlForm;
use super::wire::json::CONTENT_TYPE;
use crate::model::error::Result;
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

static INFO: Info = Info {
    name: "rocketchat",
    title: "Rocket.Chat message of a user, or by an incoming webhook",
    auth: &[
        Auth {
            name: "token",
            fields: &[
                Field::required(
                    "user_id",
                    FieldKind::Credential,
                    "the user's id, which is shown with the token",
                ),
                Field::required("token", FieldKind::Token, "a personal access token of the user"),
            ],
            words: "A personal access token of a user, and the user's id",
        },
        Auth {
            name: "webhook",
            fields: &[Field::required(
                "url",
                FieldKind::Webhook(&[UrlForm::new(UrlForm::ANY_HOST, "/hooks/{}/{}")]),
                "the URL that the webhook's page shows, whole",
            )],
            words: "The URL of an incoming webhook",
        },
    ],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "the server, up to where `/api/v1` begins; a token needs it; http with `allow_http` only",
    )],
    to: &["channel", "user"],
    parts: &["text", "mention"],
    thread: true,
    needs_content: false,
    extra: &body::EXTRA,
    message_id: true,
    self_hosted: true,
    document: "developer.rocket.chat, chat.postMessage and incoming webhooks; server code of 2025",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// An account of a user.
struct User {
    id: String,
    token: Token,
    messages: Url,
    me: Url,
}

/// An account of a webhook.
struct Hook {
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    if opening.auth() == "webhook" {
        let url = opening.webhook("url")?;
        let identity = url.path().to_owned();
        return Ok(opening.opened(url.clone(), &identity, Hook { url }));
    }
    let id = opening.required("user_id");
    let token = Token::open(&mut opening);
    let at = |path: &str| opening.endpoint("", &format!("api/v1/{path}"), false);
    let (messages, me) = (at("chat.postMessage")?, at("me")?);
    let (origin, identity) = (messages.clone(), id.clone());
    Ok(opening.opened(origin, &identity, User { id, token, messages, me }))
}

impl User {
    fn authorized(&self, mut request: HttpRequest) -> HttpRequest {
        let fields = [("x-auth-token", self.token.text()), ("x-user-id", &*self.id)];
        request.headers.more = fields
            .map(|(name, value)| Header { name: Cow::Borrowed(name), value: value.to_owned() })
            .into();
        request
    }
}

impl Account for User {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        one_of(message, &[Kind::Channel, Kind::User])?;
        body::encode(message, &INFO)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let body = draft.body.clone();
        let request = HttpRequest::post(self.messages.clone(), CONTENT_TYPE, body);
        Exchange::commit(self.authorized(request))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::message(answer)
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let request = self.authorized(HttpRequest::get(self.me.clone()));
        Some(Inquiry::new(request, answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading {
            Reading::Refused { code, .. } if code == "401" => Some(
                "make a new personal access token, and give the account it and the user id beside it",
            ),
            reading => hint(reading),
        }
    }
}

impl Account for Hook {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        if message.to.kinds().next().is_some() {
            one_of(message, &[Kind::Channel, Kind::User])?;
        }
        body::of_hook(message)?;
        body::encode(message, &INFO)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        Exchange::commit(HttpRequest::post(self.url.clone(), CONTENT_TYPE, draft.body.clone()))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::hook(answer)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "404" => Some("make a new webhook, and give the account its URL"),
            "503" => Some("switch the webhook on in its settings"),
            _ => hint(reading),
        }
    }
}

/// What to do about a refusal that both kinds of account may get.
fn hint(reading: &Reading) -> Option<&'static str> {
    let Reading::Refused { text, .. } = reading else { return None };
    if text.contains("overriding destination channel") {
        return Some("leave \"to\" out, or let the webhook's settings override the channel");
    }
    text.contains("not-allowed").then_some("add the user to the room")
}
