//! Old Sina microblog: `direct_messages/new`, by form, with Basic or OAuth 1.0a, in JSON or XML.

mod verdicts;

use std::sync::Arc;

use url::Url;

use super::auth::basic_or_oauth1::BasicOrOAuth1;
use super::direct_message::{self, Found};
use super::envelope::{Reading, excerpt, judge, text};
use super::verdict::Row;
use super::{Account, Answer, Draft, Fingerprint, Info, Limit, Outcome, Request, Service, Stamp};
use super::{check, endpoint, form, join, no_extra, numeric_id, refuse_nul, scalars};
use crate::model::config::AccountConfig;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Message;
use crate::model::redact::Redactor;

/// The longest text, in Unicode scalars.
const MAX_TEXT: u32 = 300;

const HOST: &str = "http://api.t.sina.com.cn";

static INFO: Info = Info {
    name: "sina",
    title: "Old Sina microblog direct message",
    auth: BasicOrOAuth1::TYPES,
    formats: &["json", "xml"],
    to: &["user", "name"],
    parts: &[],
    reply_to: false,
    needs_content: true,
    extra: &[],
    limits: &[Limit { what: "text: Unicode scalars", most: MAX_TEXT }],
    rates: &[],
    dedupe_ms: None,
    message_id: true,
    ended: Some(
        "its end was announced for 2012, and nothing that was found says that it works today",
    ),
    document: "Sina microblog API, direct_messages/new, 2011-01-20",
};

/// The service.
pub struct Sina;

struct SinaAccount {
    auth: BasicOrOAuth1,
    /// Sent as `source`; Basic needs it.
    app_key: Option<String>,
    url: Url,
    signing_url: Url,
    redactor: Arc<Redactor>,
}

impl Service for Sina {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn verdicts(&self) -> &'static [Row] {
        verdicts::TABLE
    }

    fn account(&self, mut config: AccountConfig) -> Result<Arc<dyn Account>> {
        let mut redactor = Redactor::default();
        let auth = BasicOrOAuth1::read(config.fields.required_object("auth")?, &mut redactor)?;
        let format = config.fields.one_of("format", INFO.formats)?.unwrap_or("json");
        let app_key = config.fields.string("app_key")?;
        if matches!(auth, BasicOrOAuth1::Basic(_)) && app_key.as_deref().unwrap_or("").is_empty() {
            let words = "Basic needs \"app_key\": the service knows the app by it alone";
            return Err(config.fields.error("app_key", words));
        }
        let path = format!("direct_messages/new.{format}");
        let url = endpoint(&config, &INFO, HOST, &path, true)?;
        let signing_url = match &config.signing_url {
            Some(base) => {
                join(base.as_str(), &path).map_err(|why| config.fields.error("signing_url", why))?
            }
            None => url.clone(),
        };
        config.fields.finish()?;
        Ok(Arc::new(SinaAccount { auth, app_key, url, signing_url, redactor: Arc::new(redactor) }))
    }
}

impl Account for SinaAccount {
    fn encode(&self, message: &Message, _random: u32) -> Result<Draft> {
        check(message, &INFO)?;
        let text = scalars(message, MAX_TEXT, "Sina")?;
        numeric_id(&message.to, "Sina")?;
        // A number may be somebody's nickname: the second parameter says which it is.
        let (id, which) = match (&message.to.user, &message.to.name) {
            (Some(user), None) => (user.clone(), "user_id"),
            (None, Some(name)) => (name.clone(), "screen_name"),
            (Some(_), Some(_)) => {
                let words =
                    "give \"user\" or \"name\": which of them the service prefers is unknown";
                return Err(Error::new(ErrorCode::Message, words).at("to.name"));
            }
            (None, None) => {
                let words = "the recipient is missing: give \"to\": {\"user\": …} or {\"name\": …}";
                return Err(Error::new(ErrorCode::Message, words).at("to.user"));
            }
        };
        no_extra(
            message,
            &[("id", "to"), ("user_id", "to"), ("screen_name", "to"), ("text", "text")],
        )?;
        let params = vec![("id", id.clone()), ("text", text.to_owned()), (which, id.clone())];
        refuse_nul(message)?;
        let fingerprint = Some(Fingerprint::new(&id, text));
        Ok(Draft { body: form::body(&params), params, fingerprint, ..Draft::default() })
    }

    fn request(&self, draft: &Draft, stamp: &Stamp) -> Request {
        let mut params = Vec::with_capacity(draft.params.len() + 1);
        params.extend(self.app_key.iter().map(|key| ("source", key.clone())));
        params.extend(draft.params.iter().cloned());
        let (authorization, signatures) = self.auth.authorize(&self.signing_url, &params, stamp);
        Request {
            url: self.url.clone(),
            content_type: form::CONTENT_TYPE,
            authorization: Some(authorization),
            body: form::body(&params),
            signatures,
        }
    }

    fn identity(&self) -> &str {
        self.auth.identity()
    }

    fn url(&self) -> &Url {
        &self.url
    }

    fn decode(&self, _draft: &Draft, answer: &Answer) -> Outcome {
        judge(verdicts::TABLE, answer, read(answer))
    }

    fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }
}

/// Reads an answer. `error_code` only repeats the HTTP status: the code is the number that `error`
/// begins with.
fn read(answer: &Answer) -> Reading {
    let found = match text(answer) {
        Ok(body) => direct_message::read(body),
        Err(why) => return Reading::Unreadable(why),
    };
    match found {
        Found::Error { text, beside: Some(_), .. } => Reading::Contradiction(format!(
            "the service answered with a message and yet with an error: {text}"
        )),
        Found::Error { text, .. } => {
            let number = text.split(':').next().unwrap_or_default().trim();
            let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let code = if is_number { number.to_owned() } else { String::new() };
            Reading::Refused { code, text }
        }
        Found::Message { id, time } if (200..300).contains(&answer.status) => {
            Reading::Sent { id: Some(id), time }
        }
        Found::Message { .. } => Reading::Contradiction(format!(
            "the service answered with a message, but with HTTP status {}",
            answer.status
        )),
        Found::Nothing(why, _) if answer.status == 200 => Reading::Unreadable(why),
        Found::Nothing(..) => Reading::Unreadable(excerpt(&answer.body)),
    }
}
