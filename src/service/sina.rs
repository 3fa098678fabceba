//! Old Sina microblog: `direct_messages/new`, by form, with Basic or OAuth 1.0a, in JSON or XML.

mod verdicts;

use url::Url;

use super::api::{Account, Answer, Draft, Exchange, Opened, Reading, Seed, Service, Stamp};
use super::auth::basic_or_oauth1::BasicOrOAuth1;
use super::auth::hint_at_signing_url;
use super::check::{check, no_extra, numeric_id, refuse_nul};
use super::direct_message::{self, Content, Said, is_code};
use super::fingerprint::{Fingerprint, Named};
use super::info::{Field, FieldKind, Info, Limit};
use super::judge::{is_success, text};
use super::opening::Opening;
use super::text::{self, Markup, Rules, Title, Unit};
use super::wire::form;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

/// The longest text, in Unicode scalars.
const MAX_TEXT: u32 = 300;

const RULES: Rules = Rules {
    unit: Unit::CodePoints,
    most: MAX_TEXT as usize,
    markup: Markup::Plain,
    title: Title::FirstLine,
};

const HOST: &str = "http://api.t.sina.com.cn";

const FORMATS: &[&str] = &["json", "xml"];

static INFO: Info = Info {
    name: "sina",
    title: "Old Sina microblog direct message",
    auth: BasicOrOAuth1::AUTH,
    fields: &[
        Field::optional(
            "app_key",
            FieldKind::Text,
            "sent as `source`; required with Basic. With OAuth it is sent and signed when given",
        ),
        Field::optional("format", FieldKind::Choice(FORMATS), "what a success must come in"),
        Field::optional(
            "base_url",
            FieldKind::Base,
            "`http://api.t.sina.com.cn` by default: the service knew no https",
        ),
        Field::optional(
            "signing_url",
            FieldKind::Base,
            "what signatures are made from, where that is not the URL as sent",
        ),
    ],
    formats: FORMATS,
    to: &["user", "name"],
    limits: &[Limit { what: "text: Unicode scalars", most: MAX_TEXT }],
    message_id: true,
    ended: Some(
        "its end was announced for 2012, and nothing that was found says that it works today",
    ),
    document: "Sina microblog API, direct_messages/new, 2011-01-20",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct SinaAccount {
    auth: BasicOrOAuth1,
    /// Sent as `source`; Basic needs it.
    app_key: Option<String>,
    url: Url,
    signing_url: Url,
    content: Content,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let auth = BasicOrOAuth1::open(&mut opening)?;
    let (format, app_key) = (opening.word("format").unwrap_or("json"), opening.text("app_key"));
    if matches!(auth, BasicOrOAuth1::Basic(_)) && app_key.as_deref().unwrap_or("").is_empty() {
        let words = "Basic needs \"app_key\": the service knows the app by it alone";
        return Err(opening.error("app_key", words));
    }
    let path = format!("direct_messages/new.{format}");
    let url = opening.endpoint(HOST, &path, true)?;
    let signing_url = opening.signing_url(opening.base_url().map_or(HOST, Url::as_str), &path)?;
    let content = if format == "xml" { Content::Xml } else { Content::Json };
    let identity = auth.identity().to_owned();
    let account = SinaAccount { auth, app_key, url: url.clone(), signing_url, content };
    Ok(opening.opened(url, &identity, account))
}

impl SinaAccount {
    /// The draft of a piece of a message.
    fn draft(&self, message: &Message, text: &str) -> Result<Draft> {
        numeric_id(&message.to, "Sina")?;
        // A number may be somebody's nickname: the second parameter says which it is.
        let (id, which, named) = match (message.to.one(Kind::User), message.to.one(Kind::Name)) {
            (Some(user), None) => (user.to_owned(), "user_id", Named::ById),
            (None, Some(name)) => (name.to_owned(), "screen_name", Named::ByName),
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
        let fingerprint = Some(Fingerprint::new(INFO.name, named, &id, text));
        Ok(Draft { params, fingerprint, ..Draft::default() })
    }
}

impl Account for SinaAccount {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        text::plain_draft(message, &RULES, "Sina", |text| self.draft(message, text))
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let mut params = Vec::with_capacity(draft.params.len() + 1);
        params.extend(self.app_key.iter().map(|key| ("source", key.clone())));
        params.extend(draft.params.iter().cloned());
        let body = form::body(&params);
        direct_message::exchange(&self.auth, (&self.url, &self.signing_url), &params, body, at)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        read(answer, self.content)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        hint_at_signing_url(reading).filter(|_| self.auth.signs())
    }
}

/// Reads an answer.
fn read(answer: &Answer, content: Content) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    let code = |said: &Said| own_code(said, answer.status);
    direct_message::reading(answer, direct_message::read(body), content, code)
}

/// The code of an error of Sina's own, which is the number that `error` begins with:
/// `{"request": "/…", "error_code": "403", "error": "40302:Error: auth faild!"}`.
///
/// Some errors lack the number, and their code is empty. They are known by `error_code`, which repeats
/// the HTTP status of a refusal, and by the path or the first word that Sina writes.
fn own_code(said: &Said, status: u16) -> Option<String> {
    let error = said.error.as_deref()?;
    let repeated = said.code.as_deref();
    let (number, is_followed) = match error.split_once(':') {
        Some((number, _)) => (number.trim(), true),
        None => (error.trim(), false),
    };
    if is_code(number) && (is_followed || repeated.is_some()) {
        return Some(number.to_owned());
    }
    let repeated = repeated?.parse::<u16>().ok().filter(|code| (400..500).contains(code))?;
    let is_own = is_success(status) || status == repeated;
    (is_own && (said.has_request() || error.starts_with("Error:"))).then(String::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_its_own_has_its_number_or_its_shape() {
        let code = |status, body: &str| match direct_message::read(body) {
            direct_message::Found::Error(said) => own_code(&said, status),
            other => panic!("{body}: {other:?}"),
        };
        let is = |code: &str| Some(code.to_owned());
        for (status, body, own) in [
            (403, r#"{"error":"40302:Error: auth faild!","error_code":"403"}"#, is("40302")),
            (502, r#"{"error":"40302:Error: auth faild!"}"#, is("40302")),
            (400, r#"{"error":"40017","error_code":400}"#, is("40017")),
            (400, r#"{"error":"40017"}"#, None),
            (400, r#"{"error":"400:Error: x","error_code":"502","request":"/x"}"#, None),
            (400, r#"{"error":"400171:x","request":"/x"}"#, None),
            (400, r#"{"error":"Error: repeated","error_code":"400"}"#, is("")),
            (400, r#"{"error":"repeated","error_code":"400","request":"/x"}"#, is("")),
            (200, r#"{"error":"repeated","error_code":"400","request":"/x"}"#, is("")),
            (400, r#"{"error":"repeated","error_code":"400"}"#, None),
            (400, r#"{"error":"repeated","request":"/x"}"#, None),
            (502, r#"{"error":"repeated","error_code":"400","request":"/x"}"#, None),
            (502, r#"{"error":"Bad Gateway","error_code":"502","request":"/x"}"#, None),
            (200, r#"{"error":"ok","error_code":0,"request":"/x"}"#, None),
            (200, r#"{"error_code":"400","request":"/x"}"#, None),
            (200, r#"{"error":{"code":"40017:"},"error_code":"400","request":"/x"}"#, None),
        ] {
            assert_eq!(code(status, body), own, "{status} {body}");
        }
    }
}
