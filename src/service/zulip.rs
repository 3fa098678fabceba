//! Zulip: messages of a bot into topics of channels, and direct messages.

mod answer;
mod body;
mod verdicts;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Inquiry, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::basic::Basic;
use super::check::{check, refuse_nul};
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::opening::Opening;
use super::wire::form::CONTENT_TYPE;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// What is kept: where the files are that were uploaded, one a line.
const FILES: &str = "files";

static INFO: Info = Info {
    name: "zulip",
    title: "Zulip message of a bot",
    auth: &[Auth {
        name: "basic",
        fields: &[
            Field::required("username", FieldKind::Credential, "the e-mail address of the bot"),
            Field::required("password", FieldKind::Secret, "its API key"),
        ],
        words: "The e-mail address of a bot, and its API key",
    }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "required: the organization's URL, such as `https://acme.zulipchat.com`; http with `allow_http` only",
    )],
    to: &["channel", "topic", "users"],
    parts: &["text", "mention"],
    attachments: &["data"],
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text: code points", most: body::MAX_TEXT },
        Limit { what: "topic: code points", most: body::MAX_TOPIC },
        Limit { what: "files", most: body::MAX_FILES },
    ],
    message_id: true,
    self_hosted: true,
    document: "zulip.com/api, send-message and upload-file; server code of 2024 and 2025",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// An account: a bot of an organization.
struct Bot {
    basic: Basic,
    messages: Url,
    uploads: Url,
    me: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let basic = Basic::open(&mut opening)?;
    let at = |path: &str| opening.endpoint("", &format!("api/v1/{path}"), false);
    let (messages, uploads, me) = (at("messages")?, at("user_uploads")?, at("users/me")?);
    let (origin, identity) = (messages.clone(), basic.username().to_owned());
    Ok(opening.opened(origin, &identity, Bot { basic, messages, uploads, me }))
}

impl Bot {
    fn authorized(&self, request: HttpRequest) -> HttpRequest {
        request.authorized(Some(self.basic.header()))
    }
}

/// Where the files are that were uploaded so far.
fn uploaded(draft: &Draft) -> impl Iterator<Item = &str> {
    draft.kept(FILES).into_iter().flat_map(str::lines)
}

impl Account for Bot {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        refuse_nul(message)?;
        body::encode(message, &INFO, seed)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        uploaded(draft).count() < body::files(draft).count()
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        if let Some((content_type, form)) = body::upload(draft, uploaded(draft).count()) {
            let request = HttpRequest::post(self.uploads.clone(), "", form);
            let mut request = self.authorized(request);
            request.headers.content_type = content_type.into();
            return Exchange::prepare(request);
        }
        let whole = body::with_links(draft, uploaded(draft));
        let request = HttpRequest::post(self.messages.clone(), CONTENT_TYPE, whole);
        Exchange::commit(self.authorized(request))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        let Some((_, name)) = body::files(draft).nth(uploaded(draft).count()) else {
            return answer::message(answer);
        };
        match answer::upload(answer, body::room(name)) {
            Ok(url) => {
                let urls: Vec<_> = uploaded(draft).chain([&*url]).collect();
                let urls = urls.join("\n");
                draft.keep(FILES, urls);
                Reading::Next
            }
            Err(reading) => reading,
        }
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let request = self.authorized(HttpRequest::get(self.me.clone()));
        Some(Inquiry::new(request, answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "STREAM_DOES_NOT_EXIST" => {
                Some("give the channel's name as it is written, or its id; the bot must see it")
            }
            "INVALID_API_KEY" | "UNAUTHENTICATED_USER" | "UNAUTHORIZED" | "401" => {
                Some("copy the bot's e-mail address and API key anew from its settings")
            }
            "NONEXISTENT_SUBDOMAIN" | "404" => {
                Some("base_url is the organization's own URL, without /api")
            }
            _ => None,
        }
    }
}
