//! StatusNet and GNU social: `direct_messages/new`, by form, with Basic or OAuth 1.0a, in JSON or XML.

use std::borrow::Cow;

use url::Url;

use super::api::{Account, Answer, Draft, Exchange, Opened, Reading, Seed, Service, Stamp};
use super::auth::basic_or_oauth1::BasicOrOAuth1;
use super::check::{check, numeric_id, one_of, refuse_nul};
use super::direct_message::{self, Content, Said};
use super::extra;
use super::info::{Field, FieldKind, Info};
use super::judge::text;
use super::opening::Opening;
use super::text::{self, Markup, Rules, Title, Unit};
use super::verdict::{Row, verdicts};
use super::wire::form;
use crate::model::error::{Result, wrong};
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

/// How long a text may be is the site's matter, which says it in its refusal only.
const RULES: Rules = Rules {
    unit: Unit::CodePoints,
    most: usize::MAX,
    markup: Markup::Plain,
    title: Title::FirstLine,
};

const FORMATS: &[&str] = &["json", "xml"];

static INFO: Info = Info {
    name: "statusnet",
    title: "StatusNet or GNU social direct message",
    auth: BasicOrOAuth1::AUTH,
    fields: &[
        Field::optional("format", FieldKind::Choice(FORMATS), "what a success must come in"),
        Field::optional(
            "base_url",
            FieldKind::Base,
            "required: the site, up to where `/api` begins; http with `allow_http` only",
        ),
    ],
    formats: FORMATS,
    to: &["user", "name"],
    extra: &["source"],
    message_id: true,
    self_hosted: true,
    document: "code of GNU social's server",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

/// What the errors of a site mean, by their status: there are no codes.
static TABLE: &[Row] = verdicts! {
    "200" => Ok Sent Never Sdk "the message was taken";
    "401" => Auth NotSent Never Inferred stops "the login was refused";
    "403" ["Recipient user not found"] => NotFound NotSent Never Sdk "the recipient is unknown";
    "403" ["aren't your friend"] => Forbidden NotSent Never Sdk "sender and recipient do not subscribe to each other";
    "403" ["yourself"] => Rejected NotSent Never Sdk "nobody sends a message to himself";
    "403" => Forbidden NotSent Never Sdk "the request is forbidden";
    "404" => Auth NotSent Never Sdk "the user who sends is unknown, or the format is";
    "406" ["too long"] => TooLarge NotSent Never Sdk "the text is too long";
    "406" => Rejected NotSent Never Sdk "the text is missing";
    500..599 => Service MaybeSent Never Inferred "no de-duplication, so never resent blindly";
    @any => Service NotSent Never Inferred "unknown status, never retried";
};

struct Site {
    auth: BasicOrOAuth1,
    url: Url,
    content: Content,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let auth = BasicOrOAuth1::open(&mut opening)?;
    let format = opening.word("format").unwrap_or("json");
    let url = opening.endpoint("", &format!("api/direct_messages/new.{format}"), false)?;
    let content = if format == "xml" { Content::Xml } else { Content::Json };
    let identity = auth.identity().to_owned();
    Ok(opening.opened(url.clone(), &identity, Site { auth, url, content }))
}

impl Account for Site {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        numeric_id(&message.to, "a site of StatusNet")?;
        // Either says what it is: a nickname may be a number.
        let (kind, name) = match one_of(message, &[Kind::User, Kind::Name])? {
            Kind::User => (Kind::User, "user_id"),
            kind => (kind, "screen_name"),
        };
        let to = message.to.one(kind).unwrap_or_default();
        text::plain_draft(message, &RULES, "StatusNet", |text| {
            if text.trim().is_empty() {
                return wrong("text", "the message is empty: give \"text\"");
            }
            let mut params = vec![(name, to.to_owned()), ("text", literal(text).into_owned())];
            let mut more = serde_json::Map::new();
            extra::merge(&mut more, message, &INFO)?;
            if let Some(source) = more.get("source") {
                let Some(source) = source.as_str() else {
                    return wrong("extra.source", "the name of an app is a text");
                };
                params.push(("source", source.to_owned()));
            }
            refuse_nul(message)?;
            Ok(Draft { body: form::body(&params).into(), params, ..Draft::default() })
        })
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let urls = (&self.url, &self.url);
        direct_message::exchange(&self.auth, urls, &draft.params, draft.body.clone(), at)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        let body = match text(answer) {
            Ok(body) => body,
            Err(why) => return Reading::Unreadable(why),
        };
        let code = |said: &Said| {
            // It knows the path of the request, as nobody before it would say it.
            let is_own = said.error.is_some() && said.code.is_none() && said.has_request();
            (is_own && answer.status >= 400).then(|| answer.status.to_string())
        };
        direct_message::reading(answer, direct_message::read(body), self.content, code)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        let Reading::Refused { code, text, .. } = reading else { return None };
        match code.as_str() {
            "403" if text.contains("friend") => Some("both have to subscribe to each other"),
            "404" => Some("base_url is the site without /api, and the user who sends is one of it"),
            _ => None,
        }
    }
}

/// The text as it has to be sent: the server reads entities of HTML in it, so that what looks like one is written
/// as one.
fn literal(text: &str) -> Cow<'_, str> {
    let is_entity = |rest: &str| {
        let name = rest.split(';').next().unwrap_or_default();
        let is_name = |b: u8| b.is_ascii_alphanumeric();
        name.len() < rest.len()
            && !name.is_empty()
            && name.strip_prefix('#').unwrap_or(name).bytes().all(is_name)
    };
    if !text.match_indices('&').any(|(at, _)| is_entity(&text[at + 1..])) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        match c {
            '&' if is_entity(&text[at + 1..]) => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::model::error::ErrorCode;
    use crate::service;

    fn encoded(fields: &Value) -> Result<Vec<(&'static str, String)>> {
        let auth = json!({"type": "basic", "username": "u", "password": "p"});
        let config =
            json!({"service": "statusnet", "base_url": "https://quitter.example", "auth": auth});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = service::open(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a", "text": "hi", "to": {"name": "anna"}});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        let message = Message::from_json(&message.to_string())?;
        Ok(opened.account.encode(&message, Seed(7))?.params)
    }

    #[test]
    fn what_a_site_would_refuse_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, Unsupported};
        for (fields, code, path) in [
            (json!({"text": ""}), Wrong, "text"),
            (json!({"text": " \n"}), Wrong, "text"),
            (json!({"text": "x\0"}), Wrong, "text"),
            (json!({"to": null}), Wrong, "to.user"),
            (json!({"to": {"user": "anna"}}), Wrong, "to.user"),
            (json!({"to": {"user": "7", "name": "anna"}}), Wrong, "to.name"),
            (json!({"to": {"channel": "c"}}), Unsupported, "to.channel"),
            (json!({"extra": {"source": 7}}), Wrong, "extra.source"),
            (json!({"extra": {"user": "7"}}), Wrong, "extra.user"),
            (json!({"reply_to": "7"}), Unsupported, "reply_to"),
        ] {
            let error = encoded(&fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields}: {error}");
        }
        encoded(&json!({"text": "字".repeat(10_000)})).expect("the site says how much it takes");
    }

    #[test]
    fn a_recipient_is_told_by_what_it_is_and_a_text_stays_as_it_is() {
        let own = |name: &'static str, value: &str| (name, value.to_owned());
        let sent = encoded(&json!({"to": {"user": "7"}, "extra": {"source": "geese"}}));
        let all = [own("user_id", "7"), own("text", "hi"), own("source", "geese")];
        assert_eq!(sent.expect("a message"), all);
        for (text, sent) in [
            ("a & b &c; &#7; &lt;", "a & b &amp;c; &amp;#7; &amp;lt;"),
            ("AT&T; <b>", "AT&amp;T; <b>"),
            ("&; & x; &#", "&; & x; &#"),
        ] {
            let params = encoded(&json!({"text": text})).expect("a message");
            assert_eq!(params, [own("screen_name", "anna"), own("text", sent)]);
        }
    }
}
