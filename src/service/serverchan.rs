//! ServerChan (Server酱): pushes to the owner of a key, of either generation of keys, which differ in their hosts.

mod answer;
mod verdicts;

use serde_json::{Map, Value};
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::check::check;
use super::extra;
use super::info::{Auth, Field, FieldKind, Info};
use super::opening::Opening;
use super::text::{Markup, Rules, Title, Unit, compose, drafts};
use super::wire::json::{self, CONTENT_TYPE, Members};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, Overflow};
use crate::model::secret::Secret;

/// The host of the older generation, Turbo.
const TURBO: &str = "https://sctapi.ftqq.com";
/// How long a title is that is made of a text, in code points: a card shows no more.
const SHORT: usize = 32;
/// The most digits of a key's number.
const MAX_DIGITS: usize = 18;

/// The parameters that only one of the generations has.
const OF_TURBO: [&str; 3] = ["noip", "channel", "openid"];
const OF_SERVER3: [&str; 1] = ["tags"];

static INFO: Info = Info {
    name: "serverchan",
    title: "ServerChan push (Server酱 Turbo and Server酱³)",
    auth: &[Auth {
        name: "key",
        fields: &[Field::required(
            "key",
            FieldKind::Token,
            "the SendKey as its page shows it; one that begins with `sctp` is of Server酱³",
        )],
        words: "A SendKey",
    }],
    fields: &[Field::optional("base_url", FieldKind::Base, "instead of the key's own host")],
    titled: true,
    native: &["plain", "markdown"],
    needs_content: false,
    extra: &["short", "noip", "channel", "openid", "tags"],
    message_id: true,
    document: "sct.ftqq.com, doc2.ft07.com and the vendor's SDK, 2024; answers that others published",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Channel {
    url: Url,
    is_server3: bool,
}

/// The digits of a key of Server酱³, which its host begins with; none for a key of Turbo.
fn number(key: &str) -> Option<&str> {
    let rest = key.strip_prefix("sctp")?;
    let (digits, _) = rest.split_once('t')?;
    let is_number = (1..=MAX_DIGITS).contains(&digits.len());
    (is_number && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// True for a key that can stand in a path, and whose host is known.
fn is_key(key: &str) -> bool {
    let is_word = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    is_word && (!key.starts_with("sctp") || number(key).is_some())
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let key = opening.secret("key").expose().to_owned();
    if !is_key(&key) {
        let words =
            "this is no SendKey: letters and digits, such as SCT1234Tabcdef, or sctp987tAbC123";
        return Err(opening.error("auth.key", words));
    }
    let (host, path) = match number(&key) {
        Some(number) => (format!("https://{number}.push.ft07.com"), format!("send/{key}.send")),
        None => (TURBO.to_owned(), format!("{key}.send")),
    };
    let url = opening.endpoint(&host, &path, false)?;
    let is_server3 = number(&key).is_some();
    Ok(opening.opened(url.clone(), &key, Channel { url, is_server3 }))
}

/// The title of a message that has none: the beginning of its text, without markup.
fn title_of(message: &Message) -> Result<String> {
    let rules =
        Rules { unit: Unit::CodePoints, most: SHORT, markup: Markup::Plain, title: Title::Own };
    let short = Message { overflow: Overflow::Truncate, ..message.clone() };
    let pieces = compose(&short, &rules)?;
    let lines = pieces.iter().flat_map(|piece| piece.text.lines());
    let first = lines.map(str::trim).find(|line| !line.is_empty());
    Ok(first.unwrap_or_default().to_owned())
}

impl Channel {
    fn body(&self, message: &Message, text: &str) -> Result<Map<String, Value>> {
        let title = match &message.title {
            Some(title) => title.clone(),
            None => title_of(message)?,
        };
        if title.trim().is_empty() {
            let words = "ServerChan needs a title, or words that it can be made of";
            return Err(Error::new(ErrorCode::Message, words).at("title"));
        }
        let (others, whose) = match self.is_server3 {
            true => (&OF_TURBO[..], "Server酱³"),
            false => (&OF_SERVER3[..], "Turbo"),
        };
        let given = message.extra.iter().flatten().filter(|(_, value)| !value.is_null());
        if let Some((name, _)) = given.clone().find(|(name, _)| others.contains(&name.as_str())) {
            let words = format!("messages of {whose} have no {name:?}");
            return Err(Error::new(ErrorCode::Message, words).at(format!("extra.{name}")));
        }
        let mut body = Map::new();
        body.put("title", title);
        if !text.trim().is_empty() {
            body.put("desp", text);
        }
        extra::merge(&mut body, message, &INFO)?;
        Ok(body)
    }
}

impl Account for Channel {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let rules = Rules {
            unit: Unit::CodePoints,
            // No document has a limit that could be relied on.
            most: usize::MAX,
            markup: Markup::CommonMark,
            title: Title::Own,
        };
        drafts(compose(message, &rules)?, |_, piece| {
            let body = json::body(&self.body(message, &piece.text)?);
            Ok(Draft::of(body))
        })
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        Exchange::commit(HttpRequest::post(self.url.clone(), CONTENT_TYPE, draft.body.clone()))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer, self.is_server3)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading {
            Reading::Refused { code, text, .. } if code == "40001" && text.contains("Key") => Some(
                "copy the SendKey anew: a key that was reset on its page is of no use any more",
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service;

    fn opened(key: &str) -> Result<Opened> {
        let config = json!({"service": "serverchan", "auth": {"type": "key", "key": key}});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        service::open(config).map(|(_, opened)| opened)
    }

    fn body(key: &str, fields: &Value) -> Result<Value> {
        let mut message = json!({"v": 1, "account": "a"});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        let message = Message::from_json(&message.to_string())?;
        let draft = opened(key)?.account.encode(&message, Seed(7))?;
        Ok(serde_json::from_slice(&draft.body).expect("JSON"))
    }

    #[test]
    fn the_host_is_told_by_the_key() {
        for (key, url) in [
            ("SCT1234TabcdefGHIJ", "https://sctapi.ftqq.com/SCT1234TabcdefGHIJ.send"),
            ("sctp987tAbC123", "https://987.push.ft07.com/send/sctp987tAbC123.send"),
            ("sctp5t7tx", "https://5.push.ft07.com/send/sctp5t7tx.send"),
        ] {
            assert_eq!(opened(key).expect(key).origin.as_str(), url);
        }
        for key in
            ["sctp", "sctptx", "sctp1.evil.example/t", "sctp-1t", "SCT1/../x", "SCT1?x", "a b"]
        {
            let error = opened(key).err().expect(key);
            assert_eq!(error.path(), Some("account.auth.key"), "{key}");
        }
    }

    #[test]
    fn a_title_is_made_of_the_text_where_there_is_none() {
        let long = "长".repeat(40);
        let cut = format!("{}…", "长".repeat(31));
        for (fields, title) in [
            (json!({"text": "disk full"}), "disk full"),
            (json!({"text": "\n \nfirst *line*\nsecond"}), "first *line*"),
            (json!({"text": "# Disk\n\n**90 %**", "format": "markdown"}), "Disk"),
            (json!({"text": long}), &*cut),
            (json!({"text": "x", "title": long}), &*long),
        ] {
            assert_eq!(body("SCT1T", &fields).expect("a body")["title"], title, "{fields}");
        }
        let titled = body("SCT1T", &json!({"title": "T"})).expect("a body");
        assert_eq!(titled, json!({"title": "T"}));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, Unsupported};
        for (key, fields, code, path) in [
            ("SCT1T", json!({}), Wrong, "title"),
            ("SCT1T", json!({"text": " \n"}), Wrong, "title"),
            ("SCT1T", json!({"title": " ", "text": "x"}), Wrong, "title"),
            ("SCT1T", json!({"text": "x", "extra": {"tags": "a"}}), Wrong, "extra.tags"),
            ("sctp1t", json!({"text": "x", "extra": {"noip": 1}}), Wrong, "extra.noip"),
            ("SCT1T", json!({"text": "x", "extra": {"title": "y"}}), Wrong, "extra.title"),
            ("SCT1T", json!({"text": "x", "to": {"user": "u"}}), Unsupported, "to.user"),
        ] {
            let error = body(key, &fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields}: {error}");
        }
    }
}
