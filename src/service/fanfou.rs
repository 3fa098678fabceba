//! Fanfou: `direct_messages/new`, by form, with Basic or OAuth 1.0a, in JSON, XML or RSS.

mod answer;
mod verdicts;

use url::Url;

use super::api::{Account, Answer, Draft, Exchange, Opened, Reading, Seed, Service, Stamp};
use super::auth::basic_or_oauth1::BasicOrOAuth1;
use super::auth::hint_at_signing_url;
use super::check::{check, recipient, refuse_nul};
use super::direct_message;
use super::info::{Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::text::{self, Markup, Rules, Title, Unit};
use super::wire::form;
use crate::model::error::{ErrorCode, Result};
use crate::model::fields::Fields;
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

/// The longest text, in Unicode scalars. The document says "under 140"; its clients accept 140.
const MAX_TEXT: u32 = 140;

const RULES: Rules = Rules {
    unit: Unit::CodePoints,
    most: MAX_TEXT as usize,
    markup: Markup::Plain,
    title: Title::FirstLine,
};

const HOST: &str = "https://api.fanfou.com";
/// Fanfou's own host makes its base strings with http, whatever the request came by.
const SIGNING_HOST: &str = "http://api.fanfou.com";

const FORMATS: &[&str] = &["json", "xml", "rss"];

static INFO: Info = Info {
    name: "fanfou",
    title: "Fanfou direct message",
    auth: BasicOrOAuth1::AUTH,
    fields: &[
        Field::optional(
            "format",
            FieldKind::Choice(FORMATS),
            "what is asked for, and what a success must come in",
        ),
        Field::optional(
            "base_url",
            FieldKind::Base,
            "`https://api.fanfou.com` by default; `http` is taken for any host",
        ),
        Field::optional(
            "signing_url",
            FieldKind::Base,
            "what OAuth signatures are made from; see below",
        ),
    ],
    formats: FORMATS,
    to: &["user"],
    reply_to: true,
    extra: &["in_reply_to_id", "mode", "callback"],
    limits: &[Limit { what: "text: Unicode scalars", most: MAX_TEXT }],
    rates: &[Rate { scope: Scope::Account, count: 1500, per_ms: 3_600_000, codes: &[] }],
    message_id: true,
    document: "Fanfou API wiki, direct_messages/new, 2012-03-26",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct FanfouAccount {
    auth: BasicOrOAuth1,
    url: Url,
    /// The URL that signatures are made from.
    signing_url: Url,
    format: &'static str,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let auth = BasicOrOAuth1::open(&mut opening)?;
    let format = opening.word("format").unwrap_or("json");
    let path = format!("direct_messages/new.{format}");
    let url = opening.endpoint(HOST, &path, true)?;
    let signs_as = match opening.base_url() {
        Some(base) if url.host_str() != Some("api.fanfou.com") => base.as_str(),
        _ => SIGNING_HOST,
    };
    let signing_url = opening.signing_url(signs_as, &path)?;
    let identity = auth.identity().to_owned();
    Ok(opening.opened(url.clone(), &identity, FanfouAccount { auth, url, signing_url, format }))
}

impl FanfouAccount {
    /// The draft of a piece of a message.
    fn draft(&self, message: &Message, user: &str, text: &str) -> Result<Draft> {
        let mut params = vec![("user", user.to_owned()), ("text", text.to_owned())];
        let mut callback = None;
        let extra = message.extra.clone().unwrap_or_default();
        let mut f = Fields::new(extra.into(), "extra", ErrorCode::Message)?;
        for (name, by) in [("user", "to.user"), ("text", "text")] {
            if f.value(name).is_some() {
                return Err(f.error(name, format!("{name:?} is set by {by:?} already")));
            }
        }
        match (f.string("in_reply_to_id")?, &message.reply_to) {
            (Some(_), Some(_)) => {
                return Err(
                    f.error("in_reply_to_id", "\"in_reply_to_id\" is set by \"reply_to\" already")
                );
            }
            (Some(id), None) => params.push(("in_reply_to_id", id)),
            (None, Some(id)) => params.push(("in_reply_to_id", id.clone())),
            (None, None) => {}
        }
        if let Some(mode) = f.one_of("mode", &["default", "lite"])? {
            params.push(("mode", mode.to_owned()));
        }
        if let Some(name) = f.string("callback")? {
            if self.format != "json" {
                return Err(f.error(
                    "callback",
                    format!("a callback needs format json, not {}", self.format),
                ));
            }
            if !is_function_name(&name) {
                return Err(
                    f.error("callback", format!("{name:?} is no name of a JavaScript function"))
                );
            }
            params.push(("callback", name.clone()));
            callback = Some(name);
        }
        f.finish()?;
        refuse_nul(message)?;
        Ok(Draft { body: form::body(&params).into(), params, callback, ..Draft::default() })
    }
}

impl Account for FanfouAccount {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let user = recipient(message, Kind::User)?;
        text::plain_draft(message, &RULES, "Fanfou", |text| self.draft(message, user, text))
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let urls = (&self.url, &self.signing_url);
        direct_message::exchange(&self.auth, urls, &draft.params, draft.body.clone(), at)
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer, self.format, draft.callback.as_deref())
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        hint_at_signing_url(reading).filter(|_| self.auth.signs())
    }
}

/// A name, or several with dots between them, as JSONP takes them.
fn is_function_name(name: &str) -> bool {
    name.split('.').all(|part| {
        part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'$')
            && part.bytes().next().is_some_and(|b| !b.is_ascii_digit())
    })
}
