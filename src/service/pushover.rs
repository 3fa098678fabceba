//! Pushover: notices of an application to users and groups.

mod answer;
mod body;
mod html;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Inquiry, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, first_of, one_of};
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::opening::Opening;
use super::verdict::{Row, verdicts};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

const HOST: &str = "https://api.pushover.net";

static INFO: Info = Info {
    name: "pushover",
    title: "Pushover message of an application",
    auth: &[Auth {
        name: "token",
        fields: &[Field::required(
            "token",
            FieldKind::Token,
            "the API token of the application, 30 letters and digits",
        )],
        words: "The token of an application",
    }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "instead of `https://api.pushover.net`; http only for this machine",
    )],
    to: &["user", "users"],
    parts: &["text"],
    titled: true,
    attachments: &["data"],
    silent: true,
    priority: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text: code points", most: body::MAX_TEXT },
        Limit { what: "title: code points", most: body::MAX_TITLE },
        Limit { what: "files", most: 1 },
        Limit { what: "a file: bytes", most: body::MAX_FILE },
    ],
    message_id: true,
    document: "pushover.net/api; changes of 2026-04-08",
    ..Info::PLAIN
};

static TABLE: &[Row] = verdicts! {
    "400" ["application token is invalid"] => Auth NotSent Never Doc stops "the token of the application is invalid";
    "400" ["user identifier"]   => NotFound NotSent Never Doc "there is no user or group with this key";
    "400" ["no active devices"] => NotFound NotSent Never Inferred "the user has no device";
    "400" ["too long"]          => TooLarge NotSent Never Inferred "the text is too long";
    "200" => Ok Sent Never Doc                 "the message is queued";
    "429" => Quota NotSent Quota Doc           "the month's messages are used up, until the first of the next";
    400..499 => Rejected NotSent Never Doc     "the message was refused, and always would be";
    500..599 => Service MaybeSent Never Doc    "outcome unknown; nothing is recognised";
    @any  => Service NotSent Never Inferred    "unknown code, never retried";
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

struct Pushover {
    token: Token,
    messages: Url,
    limits: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let messages = opening.endpoint(HOST, "1/messages.json", false)?;
    let limits = opening.endpoint(HOST, "1/apps/limits.json", false)?;
    let identity = token.text().to_owned();
    Ok(opening.opened(messages.clone(), &identity, Pushover { token, messages, limits }))
}

/// Refuses what is no key of a user or a group; a list in one of them would hide who is meant.
fn check_keys(message: &Message) -> Result<()> {
    let is_key = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric());
    match message.to.paths().find(|(_, key)| !is_key(key)) {
        None => Ok(()),
        Some((path, _)) => {
            let words = "a key of Pushover is letters and digits, as the user's own page shows it";
            Err(Error::new(ErrorCode::Message, words).at(path))
        }
    }
}

impl Account for Pushover {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let kind = one_of(message, &[Kind::User, Kind::Users])?;
        check_keys(message)?;
        let user = message.to.one(kind).unwrap_or_default();
        let mut draft = body::encode(message, &INFO, user, seed)?;
        // Nobody tells what is said of a list in which one is wrong: each gets a request of his own.
        if kind == Kind::Users {
            draft.to = first_of(message, kind, 1);
            for piece in &mut draft.pieces {
                piece.to.clone_from(&draft.to);
            }
        }
        Ok(draft)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let mut request = draft.post(self.messages.clone());
        request.body = body::with_token(draft, self.token.text());
        Exchange::commit(request)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer)
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let mut url = self.limits.clone();
        url.query_pairs_mut().append_pair("token", self.token.text());
        Some(Inquiry::new(HttpRequest::get(url), answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        let Reading::Refused { text, .. } = reading else { return None };
        text.contains("user identifier").then_some(
            "give the key that the user's own page shows, not a name, a mail address or the token",
        )
    }
}
