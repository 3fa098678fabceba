//! Matrix: messages into rooms and to users, by the client-server API of any homeserver.

mod answer;
mod body;
mod login;
mod verdicts;

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Inquiry, Method, Opened, Reading, Seed, Service,
    Session, Stamp,
};
use super::auth::token::Token;
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::opening::Opening;
use super::wire::json::CONTENT_TYPE;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;
use answer::Room;
use login::Login;

/// How long a server surely knows a `txnId`: Synapse keeps it for so long in memory.
const WINDOW: Duration = Duration::from_secs(30 * 60);
/// How long a room that is not encrypted is not asked again: anybody with the power may switch encryption on
/// at any time, and what is sent after that would be in the clear. (It is never switched off again.)
const PLAIN_FOR: Duration = Duration::from_secs(60);

static INFO: Info = Info {
    name: "matrix",
    title: "Matrix",
    auth: &[
        Auth { name: "token", fields: &[Token::FIELD], words: "The access token of a device" },
        Auth {
            name: "password",
            fields: &[
                Field::required(
                    "username",
                    FieldKind::Credential,
                    "the user, as `@name:server` or the name alone",
                ),
                Field::required("password", FieldKind::Secret, "his password"),
                Field::optional(
                    "device_id",
                    FieldKind::Credential,
                    "the device that logs in, `HONGYAN` if left out; each process needs its own",
                ),
            ],
            words: "Name and password, with which a device logs in when it is needed",
        },
    ],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "the homeserver, up to where `/_matrix` begins: it is required; http with `allow_http` only",
    )],
    to: &["room", "user"],
    parts: &["text", "mention"],
    native: &["plain", "html"],
    attachments: &["data"],
    silent: true,
    thread: true,
    reply_to: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[Limit { what: "text and its HTML: bytes in JSON", most: body::MAX_TEXT }],
    dedupe_ms: Some(WINDOW),
    message_id: true,
    self_hosted: true,
    document: "spec.matrix.org, client-server API v3, of 2026-07; Synapse 1.163",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// What stands for the account's credentials.
enum Credentials {
    Token(Token),
    Password(Login),
}

struct Client {
    credentials: Credentials,
    /// `…/_matrix/client/v3`.
    base: Url,
    upload: Url,
    /// Whose account it is, once that is known.
    me: OnceLock<String>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let base = opening.endpoint("", "_matrix/client/v3", false)?;
    let upload = opening.endpoint("", "_matrix/media/v3/upload", false)?;
    let (credentials, identity, sender) = match opening.auth() {
        "password" => {
            let login = Login::open(&mut opening, &base);
            // The server knows a message again by the device, and limits the user.
            let sender = format!("{} {}", login.username, login.device);
            let username = login.username.clone();
            (Credentials::Password(login), username, sender)
        }
        _ => {
            let token = Token::open(&mut opening);
            let text = token.text().to_owned();
            (Credentials::Token(token), text.clone(), text)
        }
    };
    let client = Client { credentials, base: base.clone(), upload, me: OnceLock::new() };
    Ok(Opened { sender, ..opening.opened(base, &identity, client) })
}

/// What a draft needs next.
enum Step<'a> {
    /// The room of an alias.
    Alias(&'a str),
    /// Who the account is,
    Me,
    /// which direct rooms it has,
    Direct,
    /// whether it and the user are in one of them,
    Members(&'a str),
    /// a new one, where there is none,
    Make(&'a str),
    /// and that this is one.
    Note(&'a str),
    /// Whether the room is encrypted.
    Encryption,
    /// To enter it first.
    Join,
    /// The file.
    Upload,
    /// The event.
    Send,
}

impl Step<'_> {
    /// The next step of a draft.
    fn of(draft: &Draft) -> Step<'_> {
        let param = |name: &str| body::param(draft, name);
        let Some(_) = draft.kept(body::ROOM) else {
            return match (param(body::ALIAS), param(body::USER)) {
                (Some(alias), _) => Step::Alias(alias),
                (None, user) => Step::to_user(draft, user.unwrap_or_default()),
            };
        };
        let is_asked = param(body::ALLOWED).is_none() && draft.kept(body::PLAIN).is_none();
        match is_asked {
            true if draft.kept(body::OUTSIDE).is_some() => Step::Join,
            true => Step::Encryption,
            false if !draft.rest.is_empty() && draft.kept(body::MEDIA).is_none() => Step::Upload,
            false => Step::Send,
        }
    }

    /// The next step towards the room that a user is alone in with the account.
    fn to_user<'a>(draft: &'a Draft, user: &'a str) -> Step<'a> {
        if draft.kept(body::ME).is_none() {
            return Step::Me;
        }
        if draft.kept(body::DIRECT).is_none() {
            return Step::Direct;
        }
        let candidate = draft.kept(body::CANDIDATES).and_then(|rooms| rooms.lines().next());
        match (candidate, draft.kept(body::MADE)) {
            (Some(room), _) => Step::Members(room),
            (None, None) => Step::Make(user),
            (None, Some(made)) => Step::Note(made),
        }
    }
}

impl Client {
    fn authorized(&self, request: HttpRequest, session: Option<&Secret>) -> HttpRequest {
        let header = match &self.credentials {
            Credentials::Token(token) => token.header("Bearer"),
            Credentials::Password(_) => {
                ["Bearer ", session.map(Secret::expose).unwrap_or_default()].concat()
            }
        };
        request.authorized(Some(header))
    }

    /// The URL of this path.
    fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }

    fn who(&self) -> HttpRequest {
        HttpRequest::get(self.at(&["account", "whoami"]))
    }

    /// Where the account keeps which of its rooms are direct ones.
    fn direct(&self, draft: &Draft) -> Url {
        let me = draft.kept(body::ME).unwrap_or_default();
        self.at(&["user", me, "account_data", "m.direct"])
    }

    fn request(&self, draft: &Draft, step: &Step) -> HttpRequest {
        let room = draft.kept(body::ROOM).unwrap_or_default();
        let post = |url: Url, body: &Value| {
            HttpRequest::post(url, CONTENT_TYPE, body.to_string().into_bytes())
        };
        let put = |request: HttpRequest| HttpRequest { method: Method::Put, ..request };
        match *step {
            Step::Alias(alias) => HttpRequest::get(self.at(&["directory", "room", alias])),
            Step::Me => self.who(),
            Step::Direct => HttpRequest::get(self.direct(draft)),
            Step::Members(room) => {
                let mut url = self.at(&["rooms", room, "members"]);
                url.query_pairs_mut().append_pair("not_membership", "leave");
                HttpRequest::get(url)
            }
            Step::Make(user) => post(self.at(&["createRoom"]), &body::new_room(user)),
            Step::Note(made) => {
                let known = draft.kept(body::DIRECT).unwrap_or_default();
                let user = body::param(draft, body::USER).unwrap_or_default();
                put(post(self.direct(draft), &body::noted(known, user, made)))
            }
            Step::Encryption => {
                HttpRequest::get(self.at(&["rooms", room, "state", "m.room.encryption"]))
            }
            Step::Join => {
                // An alias says by which servers the room can be reached.
                let name = body::param(draft, body::ALIAS).unwrap_or(room);
                post(self.at(&["join", name]), &Value::Object(serde_json::Map::new()))
            }
            Step::Upload => {
                let mut url = self.upload.clone();
                let name = body::param(draft, body::FILE).unwrap_or_default();
                url.query_pairs_mut().append_pair("filename", name);
                HttpRequest { body: body::file(draft), ..draft.post(url) }
            }
            Step::Send => {
                let txn = draft.dedupe.as_ref().map_or("", |own| &*own.value);
                let url = self.at(&["rooms", room, "send", "m.room.message", txn]);
                put(HttpRequest::post(url, CONTENT_TYPE, body::event(draft)))
            }
        }
    }
}

impl Account for Client {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        let mut draft = body::encode(message, &INFO, seed)?;
        if let Some(me) = self.me.get() {
            for one in &mut draft.pieces {
                one.keep(body::ME, me.clone());
            }
            draft.keep(body::ME, me.clone());
        }
        Ok(draft)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        !matches!(Step::of(draft), Step::Send)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, session: Option<&Secret>) -> Exchange {
        let step = Step::of(draft);
        let request = self.authorized(self.request(draft, &step), session);
        let commits = matches!(step, Step::Send);
        Exchange { commits, ..Exchange::commit(request) }
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        let read = match Step::of(draft) {
            Step::Send => return answer::sent(answer),
            Step::Alias(_) => answer::room(answer).map(|room| draft.keep(body::ROOM, room)),
            Step::Me => answer::user(answer).map(|me| {
                self.me.get_or_init(|| me.clone());
                draft.keep(body::ME, me);
            }),
            Step::Direct => answer::direct(answer).map(|known| {
                let user = body::param(draft, body::USER).unwrap_or_default();
                let candidates = body::candidates(&known, user);
                draft.keep(body::CANDIDATES, candidates);
                draft.keep(body::DIRECT, known);
            }),
            Step::Members(room) => {
                let me = draft.kept(body::ME).unwrap_or_default();
                let user = body::param(draft, body::USER).unwrap_or_default();
                let (are_in, room) = (answer::are_in(answer, me, user), room.to_owned());
                are_in.map(|are_in| match are_in {
                    true => body::found(draft, room),
                    false => body::pass_over(draft),
                })
            }
            Step::Make(_) => answer::room(answer).map(|room| draft.keep(body::MADE, room)),
            Step::Note(_) => answer::done(answer).map(|()| {
                let made = draft.kept(body::MADE).unwrap_or_default().to_owned();
                body::found(draft, made);
            }),
            Step::Encryption => answer::encryption(answer).and_then(|room| match room {
                Room::Plain => {
                    draft.keep(body::PLAIN, "plain".to_owned());
                    Ok(())
                }
                Room::Encrypted => Err(Reading::refused(verdicts::ENCRYPTED, "")),
                // It was entered, and yet it is not: there is no other way in.
                Room::Outside(refusal) if draft.kept(body::JOINED).is_some() => Err(refusal),
                Room::Outside(_) => {
                    draft.keep(body::OUTSIDE, "outside".to_owned());
                    Ok(())
                }
            }),
            Step::Join => answer::room(answer).map(|_| {
                draft.let_go(body::OUTSIDE);
                draft.keep(body::JOINED, "joined".to_owned());
            }),
            Step::Upload => answer::media(answer).map(|uri| draft.keep(body::MEDIA, uri)),
        };
        match read {
            Ok(()) => Reading::Next,
            Err(reading) => reading,
        }
    }

    fn session(&self) -> Option<&dyn Session> {
        match &self.credentials {
            Credentials::Password(login) => Some(login),
            Credentials::Token(_) => None,
        }
    }

    fn probe(&self, _at: &Stamp, session: Option<&Secret>) -> Option<Inquiry> {
        Some(Inquiry::new(self.authorized(self.who(), session), answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            verdicts::ENCRYPTED => Some(
                "\"extra\": {\"allow_unencrypted\": true} sends it into the room in the clear all the same",
            ),
            "M_FORBIDDEN" | "403" => {
                Some("invite the account to the room, and let its power suffice to write there")
            }
            "M_NOT_FOUND" | "404" => Some(
                "give the room's id, which its settings show, or an alias that the server knows",
            ),
            "M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN" => {
                Some("log in anew, or have the account log in itself by \"type\": \"password\"")
            }
            "M_UNRECOGNIZED" => Some("\"base_url\" is the homeserver, up to where /_matrix begins"),
            _ => None,
        }
    }
}
