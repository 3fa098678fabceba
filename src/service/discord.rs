//! Discord: messages of a bot into channels and to users, and webhooks.

mod answer;
mod body;
mod verdicts;

use std::borrow::Cow;
use std::time::Duration;

use url::Url;

use super::api::{
    Account, Answer, Dedupe, Draft, Exchange, Header, HttpRequest, Inquiry, Opened, Reading,
    Remember, ScopeKey, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, one_of, only};
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::pasted::UrlForm;
use super::wire::json::CONTENT_TYPE;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

const HOST: &str = "https://discord.com";
/// Requests of other clients than those that call themselves so are refused.
const USER_AGENT: &str = concat!("DiscordBot (hongyan, ", env!("CARGO_PKG_VERSION"), ")");
/// How long a nonce is surely known: "the past few minutes" is all that is told.
const WINDOW: Duration = Duration::from_secs(60);
/// The channel of a direct message among what is kept.
const CHANNEL: &str = "channel";

const HOSTS: &[&str] = &["discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"];
const OPEN: &[&str] = &["wait", "thread_id", "with_components"];

static INFO: Info = Info {
    name: "discord",
    title: "Discord message of a bot, or by a webhook",
    auth: &[
        Auth { name: "bot", fields: &[Token::FIELD], words: "The token of a bot" },
        Auth {
            name: "webhook",
            fields: &[Field::required(
                "url",
                FieldKind::Webhook(&[
                    UrlForm::new(HOSTS, "/api/webhooks/*/{}").open(OPEN),
                    UrlForm::new(HOSTS, "/api/v*/webhooks/*/{}").open(OPEN),
                ]),
                "the URL that *Copy Webhook URL* gives, whole",
            )],
            words: "The URL of a webhook",
        },
    ],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "instead of `https://discord.com`; http only for this machine",
    )],
    to: &["channel", "user"],
    parts: &["text", "mention"],
    attachments: &["data"],
    silent: true,
    thread: true,
    reply_to: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text: code points", most: body::MAX_TEXT },
        Limit { what: "embeds", most: body::MAX_EMBEDS },
        Limit { what: "text in embeds: code points", most: body::MAX_EMBEDDED },
        Limit { what: "files", most: body::MAX_FILES },
    ],
    rates: &[
        // What a channel takes is not told: a wait of its own is all that this is for.
        Rate {
            scope: Scope::Recipient,
            count: 50,
            per_ms: 1000,
            codes: &["429", "20016", "20028", "20029"],
        },
        Rate { scope: Scope::App, count: 50, per_ms: 1000, codes: &["global"] },
    ],
    dedupe_ms: Some(WINDOW),
    message_id: true,
    document: "docs.discord.com/developers, API v10, 2026-08-06",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// An account of a bot.
struct Bot {
    token: Token,
    /// The URL up to what the API calls its resources.
    base: Url,
}

/// An account of a webhook.
struct Hook {
    /// Its URL, without parameters.
    url: Url,
    /// The parameters that the pasted URL had.
    query: Vec<(String, String)>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    if opening.auth() == "webhook" {
        opening.takes_only(&[])?;
        let mut url = opening.webhook("url")?;
        let pairs = url.query_pairs().filter(|(name, _)| name != "wait");
        let query = pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        url.set_query(None);
        let identity = url.path().to_owned();
        return Ok(opening.opened(url.clone(), &identity, Hook { url, query }));
    }
    let token = Token::open(&mut opening);
    let base = opening.endpoint(HOST, "api/v10/", false)?;
    // Before its first dot stands whose it is, also after it was reset.
    let identity = token.text().split_once('.').map_or(token.text(), |(bot, _)| bot).to_owned();
    Ok(opening.opened(base.clone(), &identity, Bot { token, base }))
}

/// What Discord knows a message of a bot by; each piece has its own.
fn nonce(seed: Seed) -> String {
    format!("\"{:016x}\"", seed.0)
}

/// The request as Discord wants it: it refuses clients without a name of this form.
fn named(mut request: HttpRequest) -> HttpRequest {
    let header = Header { name: Cow::Borrowed("user-agent"), value: USER_AGENT.to_owned() };
    request.headers.more.push(header);
    request
}

impl Bot {
    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.base)).unwrap_or_else(|_| self.base.clone())
    }

    fn authorized(&self, request: HttpRequest) -> HttpRequest {
        named(request.authorized(Some(self.token.header("Bot"))))
    }
}

impl Account for Bot {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        body::takes(message, &body::OF_WEBHOOKS, "a bot")?;
        let kind = one_of(message, &[Kind::Channel, Kind::User])?;
        let to = message.to.one(kind).unwrap_or_default();
        body::snowflake(to, &format!("to.{}", kind.name()))?;
        let to = match (&message.thread, kind) {
            (None, _) => to,
            // A thread is a channel of its own.
            (Some(thread), Kind::Channel) => body::snowflake(thread, "thread")?,
            (Some(_), _) => {
                let words = "a direct message belongs to no thread";
                return Err(Error::new(ErrorCode::Message, words).at("thread"));
            }
        };
        let own = body::nonce(message)?;
        let mut draft = body::encode(message, &INFO, seed, true)?;
        let put = |draft: &mut Draft, n: u64| {
            let value = match (&own, n) {
                (Some(own), 0) => own.clone(),
                _ => nonce(Seed(seed.0.wrapping_add(n))),
            };
            let renew = match (&own, n) {
                (Some(_), 0) => None,
                _ => Some(nonce as fn(Seed) -> String),
            };
            draft.dedupe = Some(Dedupe { value, at: None, window: WINDOW, renew });
            draft.scopes = vec![ScopeKey { scope: Scope::Recipient, key: to.to_owned() }];
            match kind {
                Kind::User => {
                    draft.remember = vec![Remember::channel(CHANNEL, to)];
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
        draft.kept(CHANNEL).is_none()
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let Some(channel) = draft.kept(CHANNEL) else {
            let user = draft.remembered_of();
            let body = serde_json::json!({"recipient_id": user}).to_string().into_bytes();
            let request = HttpRequest::post(self.url("users/@me/channels"), CONTENT_TYPE, body);
            return Exchange::prepare(self.authorized(request));
        };
        let mut request = draft.post(self.url(&format!("channels/{channel}/messages")));
        if let Some(dedupe) = &draft.dedupe {
            request.body = body::known_by(draft, &dedupe.value);
        }
        Exchange::commit(self.authorized(request))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        if !self.prepares(draft) {
            return answer::message(answer);
        }
        draft.step_gave(CHANNEL, answer::named(answer))
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let request = self.authorized(HttpRequest::get(self.url("users/@me")));
        Some(Inquiry::new(request, answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        hint(reading)
    }
}

impl Account for Hook {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        only(message, &[], "a webhook of discord")?;
        body::takes(message, &body::OF_BOTS, "a webhook")?;
        if message.reply_to.is_some() {
            let words = "a webhook of discord cannot send a reply";
            return Err(Error::new(ErrorCode::Unsupported, words).at("reply_to"));
        }
        let mut draft = body::encode(message, &INFO, seed, false)?;
        if let Some(thread) = &message.thread {
            let thread = body::snowflake(thread, "thread")?;
            let put = |draft: &mut Draft| draft.params.push(("thread_id", thread.to_owned()));
            put(&mut draft);
            draft.pieces.iter_mut().for_each(put);
        }
        Ok(draft)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let mut url = self.url.clone();
        {
            let mut query = url.query_pairs_mut();
            // Without it Discord does not tell whether the message was kept.
            query.append_pair("wait", "true");
            let own = |name: &str| draft.params.iter().any(|(own, _)| *own == name);
            query.extend_pairs(self.query.iter().filter(|(name, _)| !own(name)));
            query.extend_pairs(&draft.params);
        }
        Exchange::commit(named(draft.post(url)))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::message(answer)
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        Some(Inquiry::new(named(HttpRequest::get(self.url.clone())), answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        hint(reading)
    }
}

/// What to do about a refusal.
fn hint(reading: &Reading) -> Option<&'static str> {
    match reading.code()? {
        "10003" => Some(
            "give the channel's id: switch on the developer mode, then Copy Channel ID in its menu",
        ),
        "50001" | "50013" => {
            Some("give the bot the permissions View Channel and Send Messages in this channel")
        }
        "50007" | "50278" => {
            Some("the bot needs a server in common with the user, who can block it")
        }
        "220001" => Some("a forum's webhook needs \"thread\", or \"extra\": {\"thread_name\": …}"),
        "10015" | "50027" => Some("make a new webhook, and give the account its URL"),
        _ => None,
    }
}
