//! Twilio: text messages (SMS, MMS, and the channels that Twilio carries beside them) to one number.

mod answer;
mod body;
mod verdicts;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Inquiry, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::basic::Basic;
use super::info::{Field, FieldKind, Info, Limit};
use super::opening::Opening;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

const HOST: &str = "https://api.twilio.com";
/// What the name of an API key begins with; that of an account is `AC`.
const API_KEY: &str = "SK";

static INFO: Info = Info {
    name: "twilio",
    title: "Twilio text message",
    auth: &[Basic::AUTH],
    fields: &[
        Field::required(
            "from",
            FieldKind::Credential,
            "whom messages come from: a number of the account, a name, or the `MG…` of a messaging service",
        ),
        Field::optional(
            "account_sid",
            FieldKind::TextLike(is_sid, "AC0123456789abcdef0123456789abcdef"),
            "the account, where `username` is an API key, `SK…`",
        ),
        Field::optional("base_url", FieldKind::Base, "instead of `https://api.twilio.com`"),
    ],
    formats: &["json"],
    to: &["phone"],
    attachments: &["url"],
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text: code points", most: body::MAX_TEXT },
        Limit { what: "attachments", most: body::MAX_MEDIA },
    ],
    message_id: true,
    document: "github.com/twilio/twilio-oai, 2026, and twilio.com/docs/api/errors",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// True for what may stand in a path as the name of an account or a key.
fn is_sid(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

struct Twilio {
    auth: Basic,
    from: body::From,
    messages: Url,
    /// Where the account itself is; an API key may not ask for that.
    own: Option<Url>,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let auth = Basic::open(&mut opening)?;
    let from = body::From::of(&opening.required("from"));
    let is_key = auth.username().starts_with(API_KEY);
    let sid = match opening.text("account_sid") {
        Some(sid) => sid,
        None if is_key => {
            let words = "\"username\" is an API key: \"account_sid\" has to name its account, AC…";
            return Err(opening.error("account_sid", words));
        }
        None => auth.username().to_owned(),
    };
    if !is_sid(&sid) {
        let words = "the user name is the Account SID, AC…, of letters and digits alone";
        return Err(opening.error("auth.username", words));
    }
    let at =
        |path: &str| opening.endpoint(HOST, &format!("2010-04-01/Accounts/{sid}{path}"), false);
    let messages = at("/Messages.json")?;
    let own = if is_key { None } else { Some(at(".json")?) };
    let account = Twilio { auth, from, messages: messages.clone(), own };
    Ok(opening.opened(messages, &sid, account))
}

impl Account for Twilio {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        body::encode(message, &INFO, &self.from)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let request = draft.post(self.messages.clone());
        Exchange::commit(request.authorized(Some(self.auth.header())))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::sent(answer)
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        let request = HttpRequest::get(self.own.clone()?);
        let request = request.authorized(Some(self.auth.header()));
        Some(Inquiry::new(request, answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "20003" | "401" => {
                Some("copy the Account SID and the Auth Token from the console's first page")
            }
            "21211" => Some("write the number with + and the country code, such as +14155550100"),
            "21608" => Some("a trial account sends to numbers only that its owner has verified"),
            "21610" => Some("who has written STOP gets nothing until he writes START"),
            _ => None,
        }
    }
}
