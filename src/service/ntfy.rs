//! ntfy: notices to the subscribers of a topic, at ntfy.sh or a server of one's own.

mod answer;
mod body;
mod verdicts;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, Header, HttpRequest, Inquiry, Method, Opened, Reading, Seed,
    Service, Stamp,
};
use super::auth::basic::Basic;
use super::auth::token::Token;
use super::check::{check, recipient};
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::opening::Opening;
use crate::model::error::Result;
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

const HOST: &str = "https://ntfy.sh";

static INFO: Info = Info {
    name: "ntfy",
    title: "ntfy notification",
    auth: &[
        Auth { name: "none", fields: &[], words: "Nothing: who knows a topic may send to it" },
        Auth { name: "bearer", fields: &[Token::FIELD], words: "An access token, `tk_…`" },
        Basic::AUTH,
    ],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "`https://ntfy.sh` by default, or a server of your own; http with `allow_http` only",
    )],
    to: &["topic"],
    parts: &["text"],
    titled: true,
    native: &["plain", "markdown"],
    attachments: &["data", "url"],
    silent: true,
    priority: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text: bytes", most: body::MAX_TEXT },
        Limit { what: "body: bytes of JSON", most: body::MAX_BODY },
        Limit { what: "files", most: 1 },
    ],
    message_id: true,
    self_hosted: true,
    document: "docs.ntfy.sh/publish; server code of 2025-07",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Ntfy {
    /// Where notices in JSON go; the topics stand behind it.
    url: Url,
    account: Url,
    authorization: Option<Secret>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let url = opening.endpoint(HOST, "", false)?;
    let account = opening.endpoint(HOST, "v1/account", false)?;
    let (identity, authorization) = match opening.auth() {
        "bearer" => {
            let token = Token::open(&mut opening);
            (token.text().to_owned(), Some(token.header("Bearer")))
        }
        "basic" => {
            let basic = Basic::open(&mut opening)?;
            (basic.username().to_owned(), Some(basic.header()))
        }
        // The server counts by address.
        _ => (url.to_string(), None),
    };
    let ntfy = Ntfy { url: url.clone(), account, authorization: authorization.map(Secret::new) };
    Ok(opening.opened(url, &identity, ntfy))
}

impl Ntfy {
    fn authorized(&self, request: HttpRequest) -> HttpRequest {
        request.authorized(self.authorization.as_ref().map(|own| own.expose().to_owned()))
    }
}

impl Account for Ntfy {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        body::encode(message, &INFO, body::topic(recipient(message, Kind::Topic)?)?)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let mut request = draft.post(self.url.clone());
        // A file is the body, and all else stands in header fields.
        if let Some(((_, topic), headers)) = draft.params.split_first() {
            request.method = Method::Put;
            if let Ok(url) = Url::parse(&format!("{}{topic}", self.url)) {
                request.url = url;
            }
            let header = |(name, value): &(&'static str, String)| Header {
                name: (*name).into(),
                value: value.clone(),
            };
            request.headers.more = headers.iter().map(header).collect();
        }
        Exchange::commit(self.authorized(request))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer)
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        self.authorization.as_ref()?;
        let request = self.authorized(HttpRequest::get(self.account.clone()));
        Some(Inquiry::new(request, answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "40301" => {
                Some("the topic is somebody's own: give its owner's token, or another topic")
            }
            "40014" => Some("the server keeps no files: give the file's \"url\" instead"),
            _ => None,
        }
    }
}
