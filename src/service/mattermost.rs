//! Mattermost: posts of a bot into channels and to users, and incoming webhooks.

mod answer;
mod body;
mod verdicts;

use std::sync::OnceLock;
use std::time::Duration;

use url::Url;

use super::api::{
    Account, Answer, Dedupe, Draft, Exchange, HttpRequest, Inquiry, Opened, Reading, Remember,
    ScopeKey, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, one_of, only};
use super::info::{Auth, Field, FieldKind, Info, Limit, Scope};
use super::opening::Opening;
use super::pasted::UrlForm;
use super::wire::json::CONTENT_TYPE;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

/// How long a server knows a post by its `pending_post_id`.
const WINDOW: Duration = Duration::from_secs(30);
/// What is kept: the bot's own id, the channel of a direct message, the ids of files.
const ME: &str = "me";
const CHANNEL: &str = "channel";
const FILES: &str = "files";

static INFO: Info = Info {
    name: "mattermost",
    title: "Mattermost post of a bot, or by an incoming webhook",
    auth: &[
        Auth { name: "bot", fields: &[Token::FIELD], words: "The access token of a bot or a user" },
        Auth {
            name: "webhook",
            fields: &[Field::required(
                "url",
                FieldKind::Webhook(&[UrlForm::new(UrlForm::ANY_HOST, "/hooks/{}")]),
                "the URL that the webhook's page shows, whole",
            )],
            words: "The URL of an incoming webhook",
        },
    ],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "the server, up to where `/api/v4` begins; a bot needs it; http with `allow_http` only",
    )],
    to: &["channel", "user"],
    parts: &["text", "mention"],
    native: &["plain", "markdown"],
    attachments: &["data"],
    priority: true,
    thread: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text: code points", most: body::MAX_TEXT },
        Limit { what: "files", most: body::MAX_FILES },
    ],
    dedupe_ms: Some(WINDOW),
    message_id: true,
    self_hosted: true,
    document: "developers.mattermost.com, API v4 and incoming webhooks; server code of 2026",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// An account of a bot.
struct Bot {
    token: Token,
    posts: Url,
    direct: Url,
    files: Url,
    users_me: Url,
    /// Its own id, once it is known.
    me: OnceLock<String>,
}

/// An account of a webhook.
struct Hook {
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    if opening.auth() == "webhook" {
        opening.takes_only(&[Kind::Channel])?;
        let url = opening.webhook("url")?;
        let identity = url.path().to_owned();
        return Ok(opening.opened(url.clone(), &identity, Hook { url }));
    }
    let token = Token::open(&mut opening);
    let at = |path: &str| opening.endpoint("", &format!("api/v4/{path}"), false);
    let (posts, direct) = (at("posts")?, at("channels/direct")?);
    let (files, users_me) = (at("files")?, at("users/me")?);
    let identity = token.text().to_owned();
    let origin = posts.clone();
    let bot = Bot { token, posts, direct, files, users_me, me: OnceLock::new() };
    Ok(opening.opened(origin, &identity, bot))
}

/// What a server knows a post by.
fn pending(seed: Seed) -> String {
    format!("{:016x}", seed.0)
}

/// What a draft needs next.
enum Step {
    Me,
    Channel,
    Files,
    Post,
}

impl Bot {
    fn authorized(&self, request: HttpRequest) -> HttpRequest {
        request.authorized(Some(self.token.header("Bearer")))
    }

    fn step(draft: &Draft) -> Step {
        match (draft.kept(CHANNEL), draft.kept(ME)) {
            (None, None) => Step::Me,
            (None, Some(_)) => Step::Channel,
            (Some(_), _) if draft.has_to_upload(FILES) => Step::Files,
            (Some(_), _) => Step::Post,
        }
    }
}

impl Account for Bot {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        body::takes(message, &body::OF_WEBHOOKS, "a bot")?;
        let kind = one_of(message, &[Kind::Channel, Kind::User])?;
        let to = message.to.one(kind).unwrap_or_default();
        body::id(to, &format!("to.{}", kind.name()))?;
        let mut draft = body::post(message, &INFO, seed)?;
        let put = |draft: &mut Draft, n: u64| {
            let value = pending(Seed(seed.0.wrapping_add(n)));
            let renew = Some(pending as fn(Seed) -> String);
            draft.dedupe = Some(Dedupe { value, at: None, window: WINDOW, renew });
            draft.scopes = vec![ScopeKey { scope: Scope::Recipient, key: to.to_owned() }];
            match kind {
                Kind::User => {
                    draft.remember = vec![Remember::channel(CHANNEL, to)];
                    if let Some(me) = self.me.get() {
                        draft.keep(ME, me.clone());
                    }
                }
                _ => draft.keep(CHANNEL, to.to_owned()),
            }
        };
        put(&mut draft, 0);
        for (n, piece) in (1..).zip(&mut draft.pieces) {
            put(piece, n);
        }
        Ok(draft)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        !matches!(Bot::step(draft), Step::Post)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let kept = |name: &str| draft.kept(name).unwrap_or_default();
        let prepares = |request: HttpRequest| Exchange::prepare(self.authorized(request));
        match Bot::step(draft) {
            Step::Me => prepares(HttpRequest::get(self.users_me.clone())),
            Step::Channel => {
                let user = draft.remembered_of();
                let both = serde_json::json!([kept(ME), user]).to_string().into_bytes();
                prepares(HttpRequest::post(self.direct.clone(), CONTENT_TYPE, both))
            }
            Step::Files => {
                let mut url = self.files.clone();
                url.query_pairs_mut().append_pair("channel_id", kept(CHANNEL));
                prepares(draft.upload(url))
            }
            Step::Post => {
                let pending = draft.dedupe.as_ref().map_or("", |own| &*own.value);
                let body = body::addressed(draft, kept(CHANNEL), kept(FILES), pending);
                let request = HttpRequest::post(self.posts.clone(), CONTENT_TYPE, body);
                Exchange::commit(self.authorized(request))
            }
        }
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        let (name, found) = match Bot::step(draft) {
            Step::Post => return answer::post(answer),
            Step::Me => (ME, answer::named(answer, "username")),
            Step::Channel => (CHANNEL, answer::named(answer, "type")),
            Step::Files => (FILES, answer::files(answer)),
        };
        match found {
            Ok(id) => {
                if name == ME {
                    self.me.get_or_init(|| id.clone());
                }
                draft.keep(name, id);
                Reading::Next
            }
            Err(reading) => reading,
        }
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let request = self.authorized(HttpRequest::get(self.users_me.clone()));
        Some(Inquiry::new(request, answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "api.context.permissions.app_error" | "403" => {
                Some("add the bot to the team and to the channel")
            }
            "api.context.invalid_param.app_error" | "app.channel.get.existing.app_error" => Some(
                "give the channel's id, which View Info of the channel shows, and not its name",
            ),
            _ => None,
        }
    }
}

impl Account for Hook {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        only(message, &[Kind::Channel], "a webhook of mattermost")?;
        body::takes(message, &body::OF_BOTS, "a webhook")?;
        let unsupported = [
            (message.thread.is_some(), "thread", "cannot post into a thread"),
            (!message.attachments.is_empty(), "attachments[0]", "cannot carry attachments"),
        ];
        if let Some((_, path, what)) = unsupported.into_iter().find(|(has, ..)| *has) {
            let words = format!("a webhook of mattermost {what}");
            return Err(Error::new(ErrorCode::Unsupported, words).at(path));
        }
        body::hook(message, &INFO, seed)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        Exchange::commit(HttpRequest::post(self.url.clone(), CONTENT_TYPE, draft.body.clone()))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::hook(answer)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "web.incoming_webhook.invalid.app_error" => {
                Some("make a new webhook, and give the account its URL")
            }
            "web.incoming_webhook.channel.app_error" => Some(
                "give the channel's name as its URL has it, such as \"town-square\", or \"@user\"",
            ),
            _ => None,
        }
    }
}
