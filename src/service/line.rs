//! LINE: messages of a bot to users, groups and rooms, by the Messaging API.

mod answer;
mod body;
mod verdicts;

use std::borrow::Cow;
use std::time::Duration;

use sha1::{Digest as _, Sha1};
use url::Url;

use super::api::{
    Account, Answer, Dedupe, Draft, Exchange, Header, HttpRequest, Inquiry, Opened, Reading, Seed,
    Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, first_of, one_of};
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::opening::Opening;
use super::wire::json::CONTENT_TYPE;
use crate::model::error::Result;
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

const HOST: &str = "https://api.line.me";
/// How long LINE knows a message by its retry key.
const KNOWN: Duration = Duration::from_secs(86_400);
/// For how much of that a doubt is sent again: the rest is for the way there, and for clocks that differ.
const WINDOW: Duration = Duration::from_secs(82_800);
/// The most users of a request.
const MOST: usize = 500;

static INFO: Info = Info {
    name: "line",
    title: "LINE message of a bot",
    auth: &[Auth {
        name: "bot",
        fields: &[Token::FIELD],
        words: "The channel access token of a bot",
    }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "instead of `https://api.line.me`; http only for this machine",
    )],
    to: &["user", "group", "room", "users"],
    parts: &["text", "mention"],
    attachments: &["url"],
    silent: true,
    reply_to: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text: UTF-16 units", most: body::MAX_TEXT },
        Limit { what: "message objects", most: body::MAX_OBJECTS },
    ],
    dedupe_ms: Some(KNOWN),
    message_id: true,
    document: "developers.line.biz, Messaging API, and line-openapi, 2026",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// An account of a bot.
struct Bot {
    token: Token,
    push: Url,
    multicast: Url,
    info: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let at = |path: &str| opening.endpoint(HOST, &format!("v2/bot/{path}"), false);
    let (push, multicast, info) = (at("message/push")?, at("message/multicast")?, at("info")?);
    let identity = token.text().to_owned();
    Ok(opening.opened(push.clone(), &identity, Bot { token, push, multicast, info }))
}

/// The retry key of a request to these recipients, or to the one of the message: the same for the same message
/// and piece in every process, so that nobody has to remember it.
fn retry_key(message: &Message, to: &[(Kind, String)], piece: usize) -> String {
    /// The name space of these names.
    const SPACE: [u8; 16] = 0x5f1c_a87e_920d_4b36_a483_6e21_d759_f01b_u128.to_be_bytes();
    let (kind, name) = match &message.key {
        Some(key) => ("key", key),
        None => ("id", &message.id),
    };
    let to: Vec<_> = match to {
        [] => message.to.iter().map(|(kind, name)| (kind.name(), name)).collect(),
        to => to.iter().map(|(kind, name)| (kind.name(), name.as_str())).collect(),
    };
    let name = serde_json::json!([kind, name, piece, to]).to_string();
    let digest = Sha1::new_with_prefix(SPACE).chain_update(name).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // Version 5: made of a name.
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

impl Bot {
    fn authorized(&self, request: HttpRequest) -> HttpRequest {
        request.authorized(Some(self.token.header("Bearer")))
    }
}

impl Account for Bot {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let kind = one_of(message, &[Kind::User, Kind::Group, Kind::Room, Kind::Users])?;
        let to = first_of(message, Kind::Users, MOST);
        let mut draft = body::encode(message, &INFO, kind, &to)?;
        let put = |draft: &mut Draft, piece: usize| {
            let value = retry_key(message, &to, piece);
            // What the key is made of does not change, so that a new one would be the same.
            draft.dedupe = Some(Dedupe { value, at: None, window: WINDOW, renew: None });
            draft.to.clone_from(&to);
        };
        put(&mut draft, 0);
        for (n, piece) in (1..).zip(&mut draft.pieces) {
            put(piece, n);
        }
        Ok(draft)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let url = if draft.to.is_empty() { &self.push } else { &self.multicast };
        let request = HttpRequest::post(url.clone(), CONTENT_TYPE, draft.body.clone());
        let mut request = self.authorized(request);
        if let Some(dedupe) = &draft.dedupe {
            let (name, value) = (Cow::Borrowed("x-line-retry-key"), dedupe.value.clone());
            request.headers.more.push(Header { name, value });
        }
        Exchange::commit(request)
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer, !draft.to.is_empty())
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let request = self.authorized(HttpRequest::get(self.info.clone()));
        Some(Inquiry::new(request, answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        let Reading::Refused { code, text, .. } = reading else { return None };
        match code.as_str() {
            "401" => Some("issue a channel access token on the channel's page, and give that"),
            "400" if text.contains("'to'") || text.contains("Failed to send") => Some(
                "give the id that events of this very bot's webhook tell: another provider's bots have others",
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn key_of(more: Value, piece: usize) -> String {
        let mut message = json!({"v": 1, "account": "a", "to": {"user": "U1"}, "text": "x"});
        message.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        let mut message = Message::from_json(&message.to_string()).expect("a message");
        message.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned();
        let to = first_of(&message, Kind::Users, 1);
        retry_key(&message, &to, piece)
    }

    #[test]
    fn a_retry_key_is_the_message_s_and_nobody_else_s() {
        let own = key_of(json!({}), 0);
        assert_eq!(own, key_of(json!({"text": "another"}), 0));
        let parts: Vec<_> = own.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!((&own[14..15], own[19..20].contains(['8', '9', 'a', 'b'])), ("5", true));
        assert_ne!(own, key_of(json!({}), 1), "a piece has its own");
        assert_ne!(own, key_of(json!({"to": {"group": "U1"}}), 0));
        assert_ne!(own, key_of(json!({"key": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}), 0));
        let users = |users: Value| key_of(json!({"key": "k", "to": {"users": users}}), 0);
        assert_eq!(users(json!(["a", "b"])), users(json!(["a"])));
        assert_ne!(users(json!(["a"])), users(json!(["b"])), "the next request has its own");
    }
}
