//! Telegram: the Bot API, by JSON, with the token in the path.

mod answer;
mod body;
mod media;
mod rich;
mod verdicts;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use url::Url;
use zeroize::Zeroizing;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Inquiry, Opened, Reading, Seed, Service, Stamp,
};
use super::check::check;
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::receipt::Note;
use crate::model::secret::Secret;

const HOST: &str = "https://api.telegram.org";
/// What a token looks like.
const EXAMPLE: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";
/// The longest token that Telegram's server looks at, in bytes.
const MAX_TOKEN: usize = 80;

static INFO: Info = Info {
    name: "telegram",
    title: "Telegram message of a bot (Bot API)",
    auth: &[Auth {
        name: "bot",
        fields: &[Field::required(
            "token",
            FieldKind::TokenLike(|token| parts_of(token).is_some(), EXAMPLE),
            "the token of the bot, as @BotFather shows it: `123456:AA…`",
        )],
        words: "The token of a bot",
    }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "`https://api.telegram.org` by default, or a server of your own; http only for this machine",
    )],
    to: &["chat", "topic"],
    parts: &["text", "mention", "raw"],
    attachments: &["data", "url"],
    silent: true,
    thread: true,
    reply_to: true,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text: code points", most: body::MAX_TEXT },
        Limit { what: "text beside files: code points", most: media::MAX_CAPTION },
        Limit { what: "files", most: media::MOST },
        Limit { what: "a file: bytes, at Telegram's own server", most: media::MAX_FILE },
        Limit { what: "text in a markup of its own: bytes", most: rich::MAX_BYTES },
    ],
    rates: &[
        Rate { scope: Scope::Recipient, count: 1, per_ms: 1000, codes: &["429"] },
        Rate { scope: Scope::Group, count: 20, per_ms: 60_000, codes: &[] },
        Rate { scope: Scope::App, count: 30, per_ms: 1000, codes: &[] },
    ],
    message_id: true,
    document: "core.telegram.org/bots/api, 10.0",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct TelegramAccount {
    /// The URL up to the method.
    prefix: Zeroizing<String>,
    /// The URL of a text.
    text: Url,
    /// True where it is not Telegram's own server.
    own_server: bool,
    /// The chats that moved, and where to.
    moved: Mutex<HashMap<i64, i64>>,
    /// True once there are any.
    any_moved: AtomicBool,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = opening.secret("token");
    let (bot, secret) = parts_of(token.expose()).unwrap_or_default();
    opening.redactor.add(secret);
    let origin = opening.endpoint(HOST, "", false)?;
    let prefix = format!("{origin}bot{}/", token.expose());
    let text =
        opening.endpoint(HOST, &format!("bot{}/{}", token.expose(), body::SEND_MESSAGE), false)?;
    let account = TelegramAccount {
        prefix: prefix.into(),
        text,
        own_server: opening.base_url().is_some(),
        moved: Mutex::default(),
        any_moved: AtomicBool::new(false),
    };
    Ok(opening.opened(origin, bot, account))
}

/// The number of the bot and the secret behind it, if a token has the form that the server asks for.
fn parts_of(token: &str) -> Option<(&str, &str)> {
    let (bot, secret) = token.split_once(':').filter(|_| token.len() <= MAX_TOKEN)?;
    let is_bot =
        bot.bytes().all(|b| b.is_ascii_digit()) && !bot.is_empty() && !bot.starts_with('0');
    let is_secret = secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (is_bot && is_secret && !secret.is_empty()).then_some((bot, secret))
}

impl TelegramAccount {
    fn moved(&self) -> MutexGuard<'_, HashMap<i64, i64>> {
        self.moved.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// From where to where the chat of a draft has moved.
    fn moved_of(&self, draft: &Draft) -> Option<(i64, i64)> {
        if !self.any_moved.load(Ordering::Acquire) {
            return None;
        }
        let chat = body::chat_of(draft)?;
        self.moved().get(&chat).map(|new| (chat, *new))
    }

    /// Remembers that the chat of a draft has moved; false where it is there already.
    fn moves(&self, draft: &Draft, new: i64) -> bool {
        let Some(chat) = body::chat_of(draft).filter(|chat| *chat != new) else { return false };
        self.moved().insert(chat, new);
        self.any_moved.store(true, Ordering::Release);
        true
    }
}

impl Account for TelegramAccount {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        body::encode(message, seed, self.own_server)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let url = match body::method(draft) {
            body::SEND_MESSAGE => self.text.clone(),
            method => Url::parse(&format!("{}{method}", *self.prefix))
                .expect("a URL and letters behind it is a URL"),
        };
        let mut request = draft.post(url);
        if let Some((_, new)) = self.moved_of(draft) {
            request.body = body::elsewhere(draft, new);
        }
        Exchange::commit(request)
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        let answer::Read { mut reading, moved_to } = answer::read(answer);
        match (&mut reading, moved_to) {
            // It was not taken there; nothing but the address was wrong.
            (Reading::Refused { .. }, Some(new)) if draft.step == 0 && self.moves(draft, new) => {
                return Reading::Moved;
            }
            // The hosted server says no more where it does not know a method that the caller chose.
            (Reading::Refused { code, text, .. }, _) if code == "404" && body::is_raw(draft) => {
                text.push_str(": method not found, or another token");
            }
            (Reading::Sent { notes, .. }, _) => notes.extend(self.moved_of(draft).map(readdressed)),
            _ => {}
        }
        reading
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let url = Url::parse(&format!("{}getMe", *self.prefix)).ok()?;
        Some(Inquiry::new(HttpRequest::get(url), answer::of_me))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        let Reading::Refused { code, text, .. } = reading else { return None };
        match code.as_str() {
            "401" | "404" => Some("check \"token\": @BotFather shows the one that holds now"),
            "400" if text.contains("chat not found") => Some(
                "a bot can write to a person who has pressed Start, and to groups and channels that \
                 it was added to",
            ),
            _ => None,
        }
    }
}

/// Tells that a message went where its chat is now.
fn readdressed((old, new): (i64, i64)) -> Note {
    let message = format!("the group {old} became the supergroup {new}: name that one from now on");
    Note { name: "readdressed".into(), message }
}
