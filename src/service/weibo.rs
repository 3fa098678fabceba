//! Weibo: `2/direct_messages/send`, by form, with an OAuth 2 token, in JSON.

mod length;
mod verdicts;

use url::Url;
use zeroize::Zeroizing;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::{check, no_extra, numeric_id, refuse_nul};
use super::direct_message::{self, Content, Found, Said, is_code};
use super::fingerprint::{Fingerprint, Named};
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::judge::text;
use super::opening::Opening;
use super::text::{self, Markup, Rules, Title, Unit};
use super::wire::form;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

/// The longest text, in units of a Chinese character; half-width characters count half.
const MAX_TEXT: u32 = 300;

const RULES: Rules = Rules {
    unit: Unit::Own(length::units, "units"),
    most: MAX_TEXT as usize,
    markup: Markup::Plain,
    title: Title::FirstLine,
};

const HOST: &str = "https://c.api.weibo.com";
const PATH: &str = "2/direct_messages/send.json";

static INFO: Info = Info {
    name: "weibo",
    title: "Weibo direct message (commercial API)",
    auth: &[Auth {
        name: "oauth2",
        fields: &[
            Token::FIELD,
            Field::optional(
                "send",
                FieldKind::Choice(&["form", "header"]),
                "`form`: the token is the parameter `access_token` of the body. `header`: it is \
                 `Authorization: OAuth2 …`. It is never in the URL",
            ),
        ],
        words: "OAuth 2, the token in the form or in a header",
    }],
    fields: &[
        Field::optional(
            "app_key",
            FieldKind::Text,
            "sent as `source` when given; not needed with a token",
        ),
        Field::optional(
            "base_url",
            FieldKind::Base,
            "`https://c.api.weibo.com` by default; http only for this machine",
        ),
    ],
    to: &["user", "name"],
    limits: &[Limit { what: "text: units, half-width counts half", most: MAX_TEXT }],
    rates: &[Rate { scope: Scope::Ip, count: 50_000, per_ms: 3_600_000, codes: &["10022"] }],
    message_id: true,
    document: "Weibo API wiki, 2/direct_messages/send, 2012-05-28",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct WeiboAccount {
    token: Token,
    in_header: bool,
    /// What every form begins with: `source`, and the token where it is sent in the form.
    form: Zeroizing<Vec<u8>>,
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let in_header = opening.word("send") == Some("header");
    let url = opening.endpoint(HOST, PATH, false)?;
    let mut form = Zeroizing::new(Vec::new());
    if let Some(app_key) = opening.text("app_key") {
        form::push_pair(&mut form, "source", &app_key);
    }
    if !in_header {
        form::push_pair(&mut form, "access_token", token.text());
    }
    let identity = token.text().to_owned();
    Ok(opening.opened(url.clone(), &identity, WeiboAccount { token, in_header, form, url }))
}

impl WeiboAccount {
    /// Where a message's own pairs begin, behind those of the account.
    fn own(&self) -> usize {
        self.form.len() + usize::from(!self.form.is_empty())
    }

    /// The draft of a piece of a message.
    fn draft(&self, message: &Message, text: &str) -> Result<Draft> {
        numeric_id(&message.to, "Weibo")?;
        // The document: uid takes precedence, so the name would not be looked at.
        let recipient = match (message.to.one(Kind::User), message.to.one(Kind::Name)) {
            (Some(user), _) => ("uid", user),
            (None, Some(name)) => ("screen_name", name),
            (None, None) => {
                let words = "the recipient is missing: give \"to\": {\"user\": …} or {\"name\": …}";
                return Err(Error::new(ErrorCode::Message, words).at("to.user"));
            }
        };
        no_extra(message, &[("uid", "to"), ("screen_name", "to"), ("text", "text")])?;
        refuse_nul(message)?;
        let named = if recipient.0 == "uid" { Named::ById } else { Named::ByName };
        let fingerprint = Some(Fingerprint::new(INFO.name, named, recipient.1, text));
        let room = self.form.len() + 64 + (text.len() + recipient.1.len()) * 3;
        let mut body = Vec::with_capacity(room);
        body.extend_from_slice(&self.form);
        form::push_pair(&mut body, "text", text);
        form::push_pair(&mut body, recipient.0, recipient.1);
        Ok(Draft { body: body.into(), own: self.own(), fingerprint, ..Draft::default() })
    }
}

impl Account for WeiboAccount {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        text::plain_draft(message, &RULES, "Weibo", |text| self.draft(message, text))
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        // The account may have become another since the message was encoded.
        let body = match draft.own == self.own() && draft.body.starts_with(&self.form) {
            true => draft.body.clone(),
            false => {
                let mut body = self.form.to_vec();
                body.extend((!body.is_empty()).then_some(b'&'));
                body.extend_from_slice(&draft.body[draft.own..]);
                body.into()
            }
        };
        // The scheme's name is Weibo's own.
        let authorization = self.in_header.then(|| self.token.header("OAuth2"));
        let request = HttpRequest::post(self.url.clone(), form::CONTENT_TYPE, body);
        Exchange::commit(request.authorized(authorization))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        read(answer)
    }
}

/// An error code that means success: the message is on its way, only slowly.
const SLOW: &str = "20032";

/// Reads an answer; an error counts in any HTTP status.
fn read(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    // Weibo speaks JSON only, in whatever form its path were asked for.
    match direct_message::read_json(body) {
        Found::Error(said) if own_code(&said).as_deref() == Some(SLOW) => {
            Reading::sent(said.beside.map(|message| message.id), None)
        }
        found => direct_message::reading(answer, found, Content::Json, own_code),
    }
}

/// The code of an error of Weibo's own: `{"request": "/2/…", "error_code": 20301, "error": "…"}`.
///
/// The code has five digits, and is a number on some hosts and text on others; some leave the path out.
fn own_code(said: &Said) -> Option<String> {
    let is_whole = said.error.is_some() && said.may_have_request();
    said.code.clone().filter(|code| is_whole && is_code(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_sent_as_the_account_that_it_has_now() {
        let account = |more: serde_json::Value| {
            let mut config = serde_json::json!({"service": "weibo", "auth": {"type": "oauth2"}});
            config["auth"]["token"] = more["token"].clone();
            config["auth"]["send"] = more["send"].clone();
            config["app_key"] = more["app_key"].clone();
            let config = crate::model::config::AccountConfig::from_value(config, "a");
            crate::service::open(config.expect("an account")).expect("an account").1.account
        };
        let message = r#"{"v": 1, "account": "a", "to": {"user": "1"}, "text": "&text=x"}"#;
        let message = Message::from_json(message).expect("a message");
        let of_message = "text=%26text%3Dx&uid=1";
        let accounts = [
            (serde_json::json!({"token": "t"}), "access_token=t&"),
            (serde_json::json!({"token": "tt"}), "access_token=tt&"),
            (serde_json::json!({"token": "t", "app_key": "k"}), "source=k&access_token=t&"),
            (serde_json::json!({"token": "t", "send": "header", "app_key": "k"}), "source=k&"),
            (serde_json::json!({"token": "t", "send": "header"}), ""),
        ];
        for (was, _) in &accounts {
            let draft = account(was.clone()).encode(&message, Seed(7)).expect("it can be sent");
            for (is, form) in &accounts {
                let stamp = Stamp { unix: 0, nonce: 0, renew: false };
                let exchange = account(is.clone()).next(&draft, &stamp, None);
                let crate::service::api::Wire::Http(request) = exchange.wire else {
                    panic!("mail")
                };
                let body = format!("{form}{of_message}");
                assert_eq!(request.body.whole(), body, "{was} became {is}");
            }
        }
    }

    #[test]
    fn an_error_of_its_own_has_a_code_of_five_digits_and_words() {
        let is_own = |body: &str| match direct_message::read_json(body) {
            Found::Error(said) => own_code(&said).is_some(),
            other => panic!("{body}: {other:?}"),
        };
        for body in [
            r#"{"request":"/2/x","error_code":20301,"error":"why"}"#,
            r#"{"error_code":"10006","error":"why"}"#,
            r#"{"error_code":21325,"error":"invalid_grant","error_description":"why"}"#,
        ] {
            assert!(is_own(body), "{body}");
        }
        for body in [
            r#"{"error_code":20301}"#,
            r#"{"error_code":20301,"error":null}"#,
            r#"{"error_code":20301,"error":{}}"#,
            r#"{"error_code":20301,"error":"why","request":{}}"#,
            r#"{"error_code":502,"error":"why"}"#,
            r#"{"error_code":0,"error":"ok"}"#,
            r#"{"error_code":"","error":"ok"}"#,
            r#"{"error_code":false,"error":"ok"}"#,
            r#"{"error_code":-1,"error":"why"}"#,
            r#"{"error_code":20301.0,"error":"why"}"#,
            r#"{"error_code":"+2030","error":"why"}"#,
            r#"{"error_code":203010,"error":"why"}"#,
            r#"{"error_code":[20301],"error":"why"}"#,
            r#"{"error":"20301:why"}"#,
            r#"{"errors":[{"error_code":20301}]}"#,
        ] {
            assert!(!is_own(body), "{body}");
        }
    }
}
