//! Mastodon, and servers that speak its API: direct messages, which are posts that only the mentioned see.

mod answer;
mod body;
mod verdicts;

use std::borrow::Cow;
use std::time::Duration;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, Header, HttpRequest, Inquiry, Opened, Reading, Seed, Service,
    Stamp,
};
use super::auth::token::Token;
use super::check::check;
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::wire::json::CONTENT_TYPE;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// How long a server knows a post by its key.
const KNOWN: Duration = Duration::from_secs(3600);
/// How long a doubt is resent: the key is put down after the post, not when its request comes.
const WINDOW: Duration = Duration::from_secs(50 * 60);

static INFO: Info = Info {
    name: "mastodon",
    title: "Mastodon direct message",
    auth: &[Auth {
        name: "token",
        fields: &[Token::FIELD],
        words: "The access token of an app, with the scopes write:statuses and write:media",
    }],
    fields: &[
        Field::optional(
            "base_url",
            FieldKind::Base,
            "required: the server, such as `https://mastodon.social`; http with `allow_http` only",
        ),
        Field::optional(
            "max_characters",
            FieldKind::Number(body::LEAST_TEXT as i64, body::MOST_TEXT as i64),
            "the longest post that the server takes, where that is not 500: `GET /api/v2/instance` tells it",
        ),
    ],
    to: &["user"],
    parts: &["text", "mention"],
    attachments: &["data"],
    reply_to: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text: characters, of which a link counts 23", most: body::MAX_TEXT },
        Limit { what: "files", most: body::MAX_FILES },
    ],
    rates: &[Rate { scope: Scope::Account, count: 300, per_ms: 300_000, codes: &["429"] }],
    dedupe_ms: Some(KNOWN),
    message_id: true,
    self_hosted: true,
    document: "docs.joinmastodon.org, statuses and media, of 2026; server code where it is silent",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// What is kept: whom a message is to, whether it mentions others, the ids of media that are ready, one a
/// line, and that of one which is not.
const TO: &str = "to";
const OTHERS: &str = "others";
const MEDIA: &str = "media";
const PENDING: &str = "pending";

struct User {
    token: Token,
    statuses: Url,
    upload: Url,
    media: Url,
    app: Url,
    most: usize,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let at = |path: &str| opening.endpoint("", &format!("api/{path}"), false);
    let (statuses, upload, media) = (at("v1/statuses")?, at("v2/media")?, at("v1/media")?);
    let app = at("v1/apps/verify_credentials")?;
    let most = opening.number("max_characters");
    let most = most.map_or(body::MAX_TEXT as usize, |most| most.unsigned_abs() as usize);
    let (origin, identity) = (statuses.clone(), token.text().to_owned());
    Ok(opening.opened(origin, &identity, User { token, statuses, upload, media, app, most }))
}

/// What a draft needs next.
enum Step {
    /// The next file goes up.
    Upload,
    /// The last one is looked after.
    Look,
    Post,
}

/// The ids of the media that are ready.
fn ready(draft: &Draft) -> impl Iterator<Item = &str> {
    draft.kept(MEDIA).into_iter().flat_map(str::lines)
}

impl User {
    fn step(draft: &Draft) -> Step {
        match draft.kept(PENDING) {
            Some(_) => Step::Look,
            None if ready(draft).count() < body::files(draft).count() => Step::Upload,
            None => Step::Post,
        }
    }

    fn authorized(&self, request: HttpRequest) -> HttpRequest {
        request.authorized(Some(self.token.header("Bearer")))
    }
}

impl Account for User {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        body::encode(message, &INFO, self.most, seed)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        !matches!(User::step(draft), Step::Post)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let request = match User::step(draft) {
            Step::Upload => {
                let (content_type, form) = body::upload(draft, ready(draft).count());
                let mut request = HttpRequest::post(self.upload.clone(), "", form);
                request.headers.content_type = content_type.into();
                request
            }
            Step::Look => {
                let mut url = self.media.clone();
                if let Ok(mut path) = url.path_segments_mut() {
                    path.push(draft.kept(PENDING).unwrap_or_default());
                }
                HttpRequest::get(url)
            }
            Step::Post => {
                let body = body::with_media(draft, ready(draft));
                let request = HttpRequest::post(self.statuses.clone(), CONTENT_TYPE, body);
                let mut request = self.authorized(request);
                let value = draft.dedupe.as_ref().map(|own| own.value.clone()).unwrap_or_default();
                let name = Cow::Borrowed("idempotency-key");
                request.headers.more.push(Header { name, value });
                return Exchange::commit(request);
            }
        };
        Exchange::prepare(self.authorized(request))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        let found = match User::step(draft) {
            Step::Post => {
                let to = draft.kept(TO).unwrap_or_default();
                return answer::post(answer, to, draft.kept(OTHERS).is_some());
            }
            Step::Upload => answer::uploaded(answer),
            Step::Look => answer::looked_after(answer),
        };
        match found {
            Ok(answer::Media { id, ready: true }) => {
                let ids: Vec<_> = ready(draft).chain([&*id]).collect();
                let ids = ids.join("\n");
                draft.kept.retain(|(name, _)| name != PENDING);
                draft.keep(MEDIA, ids);
                Reading::Next
            }
            Ok(answer::Media { id, ready: false }) => {
                draft.keep(PENDING, id);
                Reading::Next
            }
            Err(reading) => reading,
        }
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let request = self.authorized(HttpRequest::get(self.app.clone()));
        Some(Inquiry::new(request, answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "unmentioned" => Some(
                "give the whole address, name@host; whoever blocks the sender cannot be mentioned either",
            ),
            "401" => Some("make a new token under Preferences, Development, and give that"),
            "403" => Some("the app needs the scopes write:statuses, and for files write:media"),
            _ => None,
        }
    }
}
