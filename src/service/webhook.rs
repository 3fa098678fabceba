//! A webhook of any kind: whatever takes a message by one request, told by its account.

mod success;
mod template;
mod verdicts;

use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::Url;

use self::success::Success;
use self::template::{Template, refuse_unused};
use super::api::{
    Account, Answer, Dedupe, Draft, Exchange, Header, Method, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::basic::Basic;
use super::auth::standard_webhooks::StandardWebhooks;
use super::auth::token::Token;
use super::check::check;
use super::info::{Auth, Field, FieldKind, Info};
use super::opening::Opening;
use super::text::{Markup, Rules, Title, Unit, compose};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::Fields;
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

/// How long a doubt is sent again under the same `webhook-id`. Receivers say nowhere for how long they know
/// one; none that keeps to the specification forgets it within the hours of its retries.
const WINDOW: Duration = Duration::from_secs(86_400);

/// Every kind of recipient: what becomes of one the body says.
const KINDS: [&str; Kind::ALL.len()] = {
    let mut names = [""; Kind::ALL.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = Kind::ALL[i].name();
        i += 1;
    }
    names
};

static INFO: Info = Info {
    name: "webhook",
    title: "Webhook of any kind",
    auth: &[
        Auth { name: "none", fields: &[], words: "Nothing, or what the URL holds" },
        Auth {
            name: "bearer",
            fields: &[Token::FIELD],
            words: "A token in `Authorization: Bearer`",
        },
        Basic::AUTH,
        Auth {
            name: "header",
            fields: &[
                Field::required(
                    "name",
                    FieldKind::TextLike(is_header, "X-Api-Key"),
                    "the header field",
                ),
                Field::required("value", FieldKind::Secret, "its value"),
            ],
            words: "A header field of any name",
        },
        StandardWebhooks::AUTH,
    ],
    fields: &[
        Field::required(
            "url",
            FieldKind::Url,
            "where requests go; a user and a password in it are sent as Basic, and they and the query are \
             never shown",
        ),
        Field::optional("method", FieldKind::Choice(&["POST", "PUT"]), "the method of requests"),
        Field::optional("headers", FieldKind::Object, "further header fields, each a text"),
        Field::optional(
            "body",
            FieldKind::ObjectLike(r#"{"json": {"text": "{{text}}"}}"#),
            "one of `json`, `form` and `text`, in whose strings `{{text}}`, `{{title}}`, `{{id}}`, `{{key}}`, \
             `{{to.KIND}}` and `{{extra.NAME}}` stand for what the message has",
        ),
        Field::optional(
            "success",
            FieldKind::ObjectLike(r#"{"status": [200, 201], "pointer": "/errcode", "equals": 0}"#),
            "`status`: `\"2xx\"` (default) or a list; `pointer` and `equals`: where in the JSON of the answer \
             which value has to stand",
        ),
        Field::optional(
            "message_id",
            FieldKind::TextLike(success::is_pointer, "/data/id"),
            "where in the JSON of the answer the id of the message stands, as a JSON pointer",
        ),
        Field::optional("base_url", FieldKind::Base, "instead of the URL's scheme, host and port"),
    ],
    to: &KINDS,
    parts: &["text", "mention"],
    titled: true,
    needs_content: false,
    message_id: true,
    self_hosted: true,
    document: "none; signatures: github.com/standard-webhooks/standard-webhooks",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// How a request proves whose it is.
enum Proof {
    None,
    Authorization(Secret),
    Header(String, Secret),
    Signed(StandardWebhooks),
}

struct WebhookAccount {
    url: Url,
    method: Method,
    proof: Proof,
    content_type: Option<String>,
    headers: Vec<Header>,
    template: Template,
    success: Success,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let Some(mut url) = opening.url("url")? else {
        return Err(opening.error("url", "the field \"url\" is required"));
    };
    url.set_fragment(None);
    let of_url = credentials_of(&mut opening, &mut url);
    if opening.base_url().is_some() {
        let mut own = opening.endpoint("", url.path().trim_start_matches('/'), false)?;
        own.set_query(url.query());
        url = own;
    }
    let proof = match (opening.auth(), of_url) {
        ("none", None) => Proof::None,
        ("none", Some(basic)) => Proof::Authorization(basic),
        (_, Some(_)) => {
            let words = "\"auth\" has credentials already: leave those in the URL out";
            return Err(opening.error("url", words));
        }
        ("bearer", _) => {
            Proof::Authorization(Secret::new(Token::open(&mut opening).header("Bearer")))
        }
        ("basic", _) => Proof::Authorization(Secret::new(Basic::open(&mut opening)?.header())),
        ("header", _) => {
            let name = opening.required("name").to_ascii_lowercase();
            if is_ours(&name) {
                return Err(opening.error("auth.name", "this field is the transport's own"));
            }
            Proof::Header(name, opening.secret("value"))
        }
        _ => Proof::Signed(StandardWebhooks::new(&opening.secret("secret"))),
    };
    let (mut headers, mut content_type) = (Vec::new(), None);
    for (name, value) in read_headers(&mut opening, &proof)? {
        match name.as_str() {
            "content-type" => content_type = Some(value),
            _ => headers.push(Header { name: name.into(), value }),
        }
    }
    let method = if opening.word("method") == Some("PUT") { Method::Put } else { Method::Post };
    let template = Template::read(opening.object("body"))?;
    let is_signed = matches!(proof, Proof::Signed(_));
    let (success, id) = (opening.object("success"), opening.text("message_id"));
    let success = Success::read(success, id, is_signed)?;
    let mut origin = url.clone();
    origin.set_query(None);
    let identity = origin.to_string();
    let account = WebhookAccount { url, method, proof, content_type, headers, template, success };
    Ok(opening.opened(origin, &identity, account))
}

/// The value of `Authorization` for the credentials that a URL holds, which are taken out of it.
fn credentials_of(opening: &mut Opening, url: &mut Url) -> Option<Secret> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
    // Of a URL of http and https neither fails.
    let _ = (url.set_username(""), url.set_password(None));
    (!user.is_empty() || !password.is_empty()).then(|| {
        let header = Basic::header_of(&user, &password);
        opening.redactor.add(header.trim_start_matches("Basic "));
        Secret::new(header)
    })
}

/// The further header fields, by their names in lower case.
fn read_headers(opening: &mut Opening, proof: &Proof) -> Result<Vec<(String, String)>> {
    let Some(mut fields) = opening.object("headers") else { return Ok(Vec::new()) };
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in fields.rest() {
        let wrong = |fields: &Fields, words: &str| Err(fields.error(&name, words));
        let own = name.to_ascii_lowercase();
        let serde_json::Value::String(value) = value else {
            return wrong(&fields, "the value of a header field is a text");
        };
        let is_proof = match proof {
            Proof::None => false,
            Proof::Authorization(_) => own == "authorization",
            Proof::Header(name, _) => own == *name,
            Proof::Signed(_) => own.starts_with("webhook-"),
        };
        if !is_header(&own) || is_ours(&own) {
            return wrong(&fields, "this is no header field that an account can set");
        }
        if is_proof {
            return wrong(&fields, "\"auth\" sets this field already");
        }
        if !value.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t')) {
            return wrong(&fields, "only printable ASCII can stand in a header field");
        }
        if headers.iter().any(|(other, _)| *other == own) {
            return wrong(&fields, "this field is set twice");
        }
        if ["auth", "token", "key", "secret", "cookie", "password", "sign"]
            .iter()
            .any(|part| own.contains(part))
        {
            opening.redactor.add(&value);
        }
        headers.push((own, value));
    }
    Ok(headers)
}

/// True for what can be the name of a header field.
fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// True for a header field that the transport sets.
fn is_ours(name: &str) -> bool {
    const OURS: [&str; 9] = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "user-agent",
    ];
    OURS.contains(&name)
}

impl Account for WebhookAccount {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        refuse_unused(&self.template, message)?;
        let title = if self.template.has("title") { Title::Own } else { Title::FirstLine };
        let rules = Rules { unit: Unit::Bytes, most: usize::MAX, markup: Markup::Plain, title };
        let piece = compose(message, &rules)?.into_iter().next().unwrap_or_default();
        let has_extra = message.extra.iter().flatten().any(|(_, value)| !value.is_null());
        if piece.text.is_empty() && self.template.has("text") && !has_extra {
            let words = "the message is empty: give \"text\" or \"parts\"";
            return Err(Error::new(ErrorCode::Message, words).at("text"));
        }
        let dedupe = match self.proof {
            Proof::Signed(_) => {
                Some(Dedupe { value: webhook_id(message)?, at: None, window: WINDOW, renew: None })
            }
            _ => None,
        };
        Ok(Draft {
            body: self.template.fill(message, &piece.text).into(),
            content_type: self.template.content_type().into(),
            notes: piece.notes(),
            dedupe,
            ..Draft::default()
        })
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let mut request = draft.post(self.url.clone());
        request.method = self.method;
        if let Some(own) = &self.content_type {
            request.headers.content_type = own.clone().into();
        }
        request.headers.more.clone_from(&self.headers);
        let mut put = |name: &'static str, value: String| {
            request.headers.more.push(Header { name: name.into(), value });
        };
        let mut secrets = Vec::new();
        match &self.proof {
            Proof::None => {}
            Proof::Authorization(value) => {
                request.headers.authorization = Some(value.expose().to_owned());
            }
            Proof::Header(name, value) => {
                let value = value.expose().to_owned();
                request.headers.more.push(Header { name: name.clone().into(), value });
            }
            Proof::Signed(keys) => {
                let id = draft.dedupe.as_ref().map(|dedupe| &*dedupe.value).unwrap_or_default();
                let signature = keys.sign(id, at.unix, &draft.body);
                put("webhook-id", id.to_owned());
                put("webhook-timestamp", at.unix.to_string());
                put("webhook-signature", signature.clone());
                secrets.push(signature);
            }
        }
        Exchange::commit(request).with_secrets(secrets)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        self.success.of(answer)
    }

    fn hint(&self, answer: &Answer, _reading: &Reading) -> Option<&'static str> {
        match answer.status {
            300..=399 => Some("the receiver is elsewhere: set \"url\" to where it is now"),
            401 => Some("check \"auth\": the receiver does not take these credentials"),
            407 => Some("a proxy on the way wants other credentials"),
            _ => None,
        }
    }
}

/// What a receiver knows the message by: its key, else its id.
fn webhook_id(message: &Message) -> Result<String> {
    let Some(key) = &message.key else { return Ok(message.id.clone()) };
    match key.bytes().all(|b| b.is_ascii_graphic() && b != b'.') {
        true => Ok(key.clone()),
        false => {
            let words =
                "the key is the webhook-id, which is printable ASCII without blanks and dots";
            Err(Error::new(ErrorCode::Message, words).at("key"))
        }
    }
}
