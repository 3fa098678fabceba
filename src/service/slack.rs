//! Slack: a bot's `chat.postMessage` and files, and incoming webhooks.

mod answer;
mod body;
mod upload;
mod verdicts;

use bytes::Bytes;
use url::Url;

use super::api::{
    Account, Answer, Body, Draft, Exchange, HttpRequest, Inquiry, Opened, Reading, Remember, Seed,
    Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, one_of, only};
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::pasted::UrlForm;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;
use upload::Step;

const HOST: &str = "https://slack.com";

static INFO: Info = Info {
    name: "slack",
    title: "Slack message of a bot, or by an incoming webhook",
    auth: &[
        Auth { name: "bot", fields: &[Token::FIELD], words: "The token of a bot, `xoxb-…`" },
        Auth {
            name: "webhook",
            fields: &[Field::required(
                "url",
                FieldKind::Webhook(&[UrlForm::new(
                    &["hooks.slack.com", "hooks.slack-gov.com"],
                    "/services/{}/{}/{}",
                )]),
                "the URL that the app's page shows, whole",
            )],
            words: "The URL of an incoming webhook",
        },
    ],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "instead of `https://slack.com`, or of the webhook's own host; http only for this machine",
    )],
    to: &["channel", "user"],
    parts: &["text", "mention"],
    native: &["plain"],
    attachments: &["data"],
    thread: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text: code points", most: body::MAX_TEXT },
        Limit { what: "blocks", most: body::MAX_BLOCKS },
        Limit { what: "attachments", most: body::MAX_ATTACHMENTS },
        Limit { what: "files", most: upload::MAX_FILES },
    ],
    rates: &[Rate {
        scope: Scope::Recipient,
        count: 1,
        per_ms: 1000,
        codes: &["ratelimited", "rate_limited", "429"],
    }],
    message_id: true,
    document: "docs.slack.dev, chat.postMessage, files and incoming webhooks, 2026-08-20",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// What of a direct message is remembered by the user.
const CHANNEL: &str = "channel";

/// An account of a bot.
struct Bot {
    token: Token,
    post: Url,
    open: Url,
    test: Url,
    place: Url,
    share: Url,
}

/// An account of a webhook.
struct Hook {
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    if opening.auth() == "webhook" {
        opening.takes_only(&[])?;
        let url = opening.webhook("url")?;
        let identity = url.path().to_owned();
        return Ok(opening.opened(url.clone(), &identity, Hook { url }));
    }
    let token = Token::open(&mut opening);
    let at = |method: &str| opening.endpoint(HOST, &format!("api/{method}"), false);
    let (post, open, test) = (at("chat.postMessage")?, at("conversations.open")?, at("auth.test")?);
    let (place, share) = (at("files.getUploadURLExternal")?, at("files.completeUploadExternal")?);
    let (origin, identity) = (post.clone(), token.text().to_owned());
    Ok(opening.opened(origin, &identity, Bot { token, post, open, test, place, share }))
}

/// True while it is not known which channel a user's direct messages have.
fn lacks_channel(draft: &Draft) -> bool {
    draft.lacks().next().is_some()
}

/// What all of Slack's bodies are.
const CONTENT_TYPE: &str = "application/json; charset=utf-8";

impl Account for Bot {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let kind = one_of(message, &[Kind::Channel, Kind::User])?;
        let to = message.to.one(kind).unwrap_or_default();
        let mut draft = body::encode(message, &INFO, Some((kind, to)))?;
        if kind == Kind::User {
            let remember = || vec![Remember::channel(CHANNEL, to)];
            draft.remember = remember();
            draft.pieces.iter_mut().for_each(|piece| piece.remember = remember());
        }
        Ok(draft)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let authorized =
            |request: HttpRequest| request.authorized(Some(self.token.header("Bearer")));
        let post = |url: &Url, body: Body| {
            authorized(HttpRequest {
                body,
                ..HttpRequest::post(url.clone(), CONTENT_TYPE, Vec::new())
            })
        };
        let prepares = |request: HttpRequest| Exchange::prepare(request);
        if lacks_channel(draft) {
            let user = draft.remembered_of();
            let body = serde_json::json!({"users": user}).to_string().into_bytes();
            return prepares(post(&self.open, body.into()));
        }
        if draft.rest.is_empty() {
            let body =
                body::addressed(draft, draft.kept(CHANNEL)).unwrap_or(Body::One(Bytes::new()));
            return Exchange::commit(post(&self.post, body));
        }
        match upload::step(draft) {
            Step::Place => prepares(authorized(upload::ask(draft, &self.place))),
            Step::Bytes => {
                // No token: the place was given to whoever knows its URL.
                let (request, secrets) = upload::carry(draft, &self.place);
                prepares(request).with_secrets(secrets)
            }
            Step::Share => Exchange::commit(post(&self.share, upload::shared(draft))),
        }
    }

    fn prepares(&self, draft: &Draft) -> bool {
        let has_files = !draft.rest.is_empty();
        lacks_channel(draft) || has_files && !matches!(upload::step(draft), Step::Share)
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        if lacks_channel(draft) {
            return match answer::channel(answer) {
                Ok(channel) => {
                    draft.keep(CHANNEL, channel);
                    Reading::Next
                }
                Err(reading) => reading,
            };
        }
        match draft.rest.is_empty() {
            true => answer::read(answer),
            false => upload::read(draft, answer, &self.post),
        }
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let request = HttpRequest::post(self.test.clone(), CONTENT_TYPE, b"{}".to_vec());
        Some(Inquiry::new(request.authorized(Some(self.token.header("Bearer"))), answer::tested))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "not_in_channel" => Some("invite the app: write /invite @its-name in the channel"),
            "channel_not_found" => Some(
                "give the channel's id (C…), which its details show; a private one only with the app in it",
            ),
            "missing_scope" => Some(
                "add the scope on the app's page under OAuth & Permissions, and install it anew",
            ),
            _ => None,
        }
    }
}

impl Account for Hook {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        only(message, &[], "an incoming webhook of slack")?;
        if !message.attachments.is_empty() {
            let words = "a webhook of slack cannot carry attachments: a bot can";
            return Err(Error::new(ErrorCode::Unsupported, words).at("attachments[0]"));
        }
        body::encode(message, &INFO, None)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        Exchange::commit(HttpRequest::post(self.url.clone(), CONTENT_TYPE, draft.body.clone()))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read_hook(answer)
    }
}
