//! A service of circulars: a request takes a few recipients, its answer tells of each by itself, and a long
//! text is sent in pieces.
//!
//! It is compiled into the library's own tests only.

#[cfg(feature = "outbox")]
#[path = "circular/kept.rs"]
mod kept;

use serde::Deserialize;
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp, Verdict,
};
use super::auth::token::Token;
use super::check::{check, first_of, no_extra};
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::judge::text;
use super::opening::Opening;
use super::verdict::{Row, verdicts};
use super::wire::envelope::Envelope;
use super::wire::json::{self, members, parsed};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message, Overflow};
use crate::model::receipt::Note;
use crate::model::secret::Secret;

/// The most recipients of a request.
const MOST: usize = 5;
/// The longest text of a request, in Unicode scalars.
const LONGEST: usize = 20;

static INFO: Info = Info {
    name: "circular",
    title: "Circulars",
    auth: &[Auth { name: "bearer", fields: &[Token::FIELD], words: "A token" }],
    fields: &[Field::optional("base_url", FieldKind::Base, "instead of its own host")],
    to: &["users"],
    limits: &[Limit { what: "text: Unicode scalars a piece", most: LONGEST as u32 }],
    message_id: true,
    document: "none: it exists in these tests only",
    ..Info::PLAIN
};

static TABLE: &[Row] = verdicts! {
    "0"   => Ok Sent Never Inferred              "accepted";
    "404" => NotFound NotSent Never Inferred     "there is nobody of that name";
    "429" => RateLimited NotSent Wait Inferred   "too many messages";
    "503" => Service NotSent Backoff Inferred    "the system is busy";
    "504" => Service MaybeSent Never Inferred    "nobody knows whether it was sent";
    "401" => Auth NotSent Never Inferred         "the token is refused";
    @any  => Service NotSent Never Inferred      "unknown code, never retried";
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

/// An answer: `{"code": 0, "words": "", "results": […]}` was taken, for each of them as it says there.
const ENVELOPE: Envelope = Envelope {
    ok: ("code", &["0"]),
    code: "code",
    own: |code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()),
    text: "words",
    id: None,
    wait: None,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    to: String,
    code: u16,
    id: Option<String>,
}

struct Circulars {
    token: Token,
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let url = opening.endpoint("https://circular.example", "send", false)?;
    let identity = token.text().to_owned();
    Ok(opening.opened(url.clone(), &identity, Circulars { token, url }))
}

impl Account for Circulars {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        no_extra(message, &[])?;
        let to = first_of(message, Kind::Users, MOST);
        let names: Vec<&str> = to.iter().map(|(_, name)| name.as_str()).collect();
        if names.is_empty() {
            let words = "the recipients are missing: give \"to\": {\"users\": […]}";
            return Err(Error::new(ErrorCode::Message, words).at("to.users"));
        }
        let (texts, notes) = split(message)?;
        let mut drafts = texts.into_iter().map(|text| {
            let body = serde_json::json!({"to": names, "text": text}).to_string();
            Draft { body: body.into(), to: to.clone(), ..Draft::default() }
        });
        let first = drafts.next().unwrap_or_default();
        Ok(Draft { notes, pieces: drafts.collect(), ..first })
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let request = HttpRequest::post(self.url.clone(), json::CONTENT_TYPE, draft.body.clone());
        Exchange::commit(request.authorized(Some(self.token.header("Bearer"))))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        let reading = ENVELOPE.read(answer);
        if !matches!(reading, Reading::Sent { .. }) {
            return reading;
        }
        match results(answer) {
            Ok(results) if results.iter().all(|told| is_of(draft, &told.to)) => {
                Reading::Each(results.into_iter().map(verdict).collect())
            }
            Ok(_) => Reading::Unreadable("the answer is about somebody else".to_owned()),
            Err(why) => Reading::Unreadable(why),
        }
    }
}

fn is_of(draft: &Draft, name: &str) -> bool {
    draft.to.iter().any(|(_, own)| own == name)
}

fn results(answer: &Answer) -> std::result::Result<Vec<Told>, String> {
    let [results] = members(text(answer)?, ["results"])?;
    parsed(results)?.ok_or_else(|| "the answer tells of nobody".to_owned())
}

fn verdict(told: Told) -> Verdict {
    let reading = match told.code {
        0 => Reading::sent(told.id, None),
        code => Reading::refused(code.to_string(), ""),
    };
    Verdict { to: (Kind::Users, told.to), reading }
}

/// The text as it is sent: cut where that is wanted, or in pieces.
fn split(message: &Message) -> Result<(Vec<String>, Vec<Note>)> {
    let letters: Vec<char> = message.text.as_deref().unwrap_or_default().chars().collect();
    if letters.len() <= LONGEST {
        return Ok((vec![letters.into_iter().collect()], Vec::new()));
    }
    match message.overflow {
        Overflow::Refuse => {
            let words = format!("the text has {} characters; {LONGEST} can go", letters.len());
            Err(Error::new(ErrorCode::TooLarge, words).at("text"))
        }
        Overflow::Truncate => {
            let text: String = letters[..LONGEST - 1].iter().chain(&['…']).collect();
            let message = "the text was cut".to_owned();
            Ok((vec![text], vec![Note { name: "truncated".into(), message }]))
        }
        Overflow::Split => {
            Ok((letters.chunks(LONGEST).map(|piece| piece.iter().collect()).collect(), Vec::new()))
        }
    }
}
