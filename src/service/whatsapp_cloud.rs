//! WhatsApp's Cloud API: messages of a business to one number, its files uploaded first.

mod answer;
mod body;
mod verdicts;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::check;
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::wire::json::CONTENT_TYPE;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

const HOST: &str = "https://graph.facebook.com";
/// The version of the interface, which stands before every path.
const VERSION: &str = "v25.0";
/// What is kept: the id of the file that was uploaded.
const MEDIA: &str = "media";

static INFO: Info = Info {
    name: "whatsapp_cloud",
    title: "WhatsApp message of a business, by the Cloud API",
    auth: &[Auth {
        name: "token",
        fields: &[Token::FIELD],
        words: "The access token of a system user, with whatsapp_business_messaging",
    }],
    fields: &[
        Field::required(
            "phone_number_id",
            FieldKind::TextLike(is_id, "106540352242922"),
            "the id of the number that sends, which is not the number itself",
        ),
        Field::optional("base_url", FieldKind::Base, "instead of `https://graph.facebook.com`"),
    ],
    to: &["phone"],
    attachments: &["data", "url"],
    reply_to: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[Limit { what: "text: code points", most: body::MAX_TEXT }],
    rates: &[
        Rate { scope: Scope::Account, count: 80, per_ms: 1000, codes: &["130429"] },
        Rate { scope: Scope::Recipient, count: 45, per_ms: 270_000, codes: &["131056"] },
    ],
    message_id: true,
    document: "developers.facebook.com, WhatsApp Cloud API, messages, media and error codes, of 2026",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Business {
    token: Token,
    messages: Url,
    media: Url,
}

/// True for an id, which is a number.
fn is_id(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && (1..=32).contains(&text.len())
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let id = opening.text("phone_number_id").unwrap_or_default();
    let at = |path: &str| opening.endpoint(HOST, &format!("{VERSION}/{id}/{path}"), false);
    let (messages, media) = (at("messages")?, at("media")?);
    Ok(opening.opened(messages.clone(), &id, Business { token, messages, media }))
}

impl Account for Business {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        body::encode(message, &INFO, seed)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        draft.has_to_upload(MEDIA)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let authorized =
            |request: HttpRequest| request.authorized(Some(self.token.header("Bearer")));
        if self.prepares(draft) {
            return Exchange::prepare(authorized(draft.upload(self.media.clone())));
        }
        let body = body::with_media(draft, draft.kept(MEDIA));
        Exchange::commit(authorized(HttpRequest::post(self.messages.clone(), CONTENT_TYPE, body)))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        if !self.prepares(draft) {
            return answer::message(answer);
        }
        draft.step_gave(MEDIA, answer::uploaded(answer))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "131047" => Some(
                "24 hours after the recipient's last message only a template may be sent: \
                 \"extra\": {\"template\": {\"name\": …, \"language\": {\"code\": …}}}",
            ),
            "0" | "190" => Some("make a new token of a system user, which does not expire"),
            "131030" => Some("add the number to the recipients of the test number"),
            "33" | "100" => {
                Some("phone_number_id is the id that the app's page shows beside the number")
            }
            _ => None,
        }
    }
}
