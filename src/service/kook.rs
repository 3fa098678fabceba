//! KOOK: messages of a bot into channels and to users, in KMarkdown.

mod answer;
mod body;
mod verdicts;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Inquiry, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, one_of};
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::opening::Opening;
use super::wire::json::CONTENT_TYPE;
use crate::model::error::Result;
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

const HOST: &str = "https://www.kookapp.cn";
/// What is kept: whether the message is a direct one, and where its file lies once that is uploaded.
const DIRECT: &str = "direct";
const FILE: &str = "file";

static INFO: Info = Info {
    name: "kook",
    title: "KOOK message of a bot",
    auth: &[Auth { name: "bot", fields: &[Token::FIELD], words: "The token of a bot" }],
    fields: &[Field::optional("base_url", FieldKind::Base, "instead of `https://www.kookapp.cn`")],
    to: &["channel", "user"],
    parts: &["text", "mention"],
    attachments: &["data"],
    reply_to: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[Limit { what: "text: code points", most: body::MAX_TEXT }],
    message_id: true,
    document: "github.com/kaiheila/api-docs, 2025-02-08; codes of refusals from other clients",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Bot {
    token: Token,
    channels: Url,
    users: Url,
    files: Url,
    me: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let at = |path: &str| opening.endpoint(HOST, &format!("api/v3/{path}"), false);
    let (channels, users) = (at("message/create")?, at("direct-message/create")?);
    let (files, me) = (at("asset/create")?, at("user/me")?);
    let identity = token.text().to_owned();
    let origin = channels.clone();
    Ok(opening.opened(origin, &identity, Bot { token, channels, users, files, me }))
}

impl Bot {
    fn authorized(&self, request: HttpRequest) -> HttpRequest {
        request.authorized(Some(self.token.header("Bot")))
    }
}

impl Account for Bot {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let kind = one_of(message, &[Kind::Channel, Kind::User])?;
        let to = message.to.one(kind).unwrap_or_default();
        let mut draft = body::encode(message, &INFO, to, seed)?;
        if kind == Kind::User {
            let all = std::mem::take(&mut draft.pieces);
            let direct = |mut piece: Draft| {
                piece.keep(DIRECT, "yes".to_owned());
                piece
            };
            draft = Draft { pieces: all.into_iter().map(direct).collect(), ..direct(draft) };
        }
        Ok(draft)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        draft.has_to_upload(FILE)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        if self.prepares(draft) {
            return Exchange::prepare(self.authorized(draft.upload(self.files.clone())));
        }
        let url = if draft.kept(DIRECT).is_some() { &self.users } else { &self.channels };
        let body = body::with_file(draft, draft.kept(FILE));
        Exchange::commit(self.authorized(HttpRequest::post(url.clone(), CONTENT_TYPE, body)))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        if !self.prepares(draft) {
            return answer::message(answer);
        }
        draft.step_gave(FILE, answer::named(answer, "url"))
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let request = self.authorized(HttpRequest::get(self.me.clone()));
        Some(Inquiry::new(request, answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "401" | "40100" | "40101" | "40102" | "40103" => {
                Some("copy the bot's token anew from the page of developers")
            }
            "403" | "40300" => {
                Some("invite the bot, and give it the right to write in the channel")
            }
            "429" => Some("a bot that goes on too fast is banned: set \"rate\" of the account"),
            _ => None,
        }
    }
}
