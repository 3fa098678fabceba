//! WxPusher: messages of an app to those who follow it, and to those who follow one of its topics.

mod answer;

use bytes::Bytes;
use serde_json::{Map, Value};
use url::Url;

use super::api::{
    Account, Answer, Body, Draft, Exchange, HttpRequest, Inquiry, Opened, Reading, Seed, Service,
    Stamp,
};
use super::auth::token::Token;
use super::check::{check, first_of};
use super::extra;
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::text::{Markup, Rules, Title, Unit, compose, drafts};
use super::verdict::{Row, verdicts};
use super::wire::json::{self, CONTENT_TYPE, Members};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Format, Kind, Message};
use crate::model::secret::Secret;

const HOST: &str = "https://wxpusher.zjiecode.com";
/// The most of each kind in a request.
const MAX_USERS: u32 = 2000;
const MAX_TOPICS: u32 = 5;
/// The longest text, summary and URL, in code points.
const MAX_TEXT: u32 = 40_000;
const MAX_SUMMARY: u32 = 100;
const MAX_URL: u32 = 1000;

static INFO: Info = Info {
    name: "wxpusher",
    title: "WxPusher message of an app",
    auth: &[Auth { name: "token", fields: &[Token::FIELD], words: "An access token" }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "instead of `https://wxpusher.zjiecode.com`",
    )],
    to: &["users", "topics"],
    titled: true,
    native: &["plain", "markdown", "html"],
    needs_content: false,
    extra: &["url", "verifyPay", "verifyPayType"],
    limits: &[
        Limit { what: "title: code points", most: MAX_SUMMARY },
        Limit { what: "text: code points", most: MAX_TEXT },
        Limit { what: "extra.url: code points", most: MAX_URL },
        Limit { what: "users of a request", most: MAX_USERS },
        Limit { what: "topics of a request", most: MAX_TOPICS },
    ],
    rates: &[Rate { scope: Scope::Account, count: 20, per_ms: 10_000, codes: &["1008"] }],
    message_id: true,
    document: "github.com/wxpusher/wxpusher-docs, 2026; the codes of refusals from other clients",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

/// What the codes mean, of an answer and of each recipient in it.
static TABLE: &[Row] = verdicts! {
    "1000" => Ok Sent Never Doc                "taken; each recipient has a code of its own";
    "1001" => Auth NotSent Never Sdk           "the token is missing";
    "1002" => Auth NotSent Never Sdk           "the token is wrong";
    "1003" => Rejected NotSent Never Sdk       "there is no text";
    "1004" => NotFound NotSent Never Sdk       "there is no such user or topic";
    "1005" => Forbidden NotSent Never Sdk      "the user does not follow the app";
    "1006" => Service MaybeSent Backoff Sdk    "a fault while sending";
    "1007" => TooLarge NotSent Never Sdk       "the text is too long";
    "1008" => RateLimited NotSent WaitFor(10) Sdk "too many requests: about 20 in 10 seconds are taken";
    "1009" => Service NotSent Never Sdk        "another fault";
    "1010" => Forbidden NotSent Never Sdk      "this address is not allowed";
    @any   => Service NotSent Never Inferred   "unknown code, never retried";
};

struct App {
    token: Token,
    url: Url,
    followers: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let url = opening.endpoint(HOST, "api/send/message", false)?;
    let mut followers = opening.endpoint(HOST, "api/fun/wxuser/v2", false)?;
    followers
        .query_pairs_mut()
        .append_pair("appToken", token.text())
        .append_pair("page", "1")
        .append_pair("pageSize", "1");
    let identity = token.text().to_owned();
    Ok(opening.opened(url.clone(), &identity, App { token, url, followers }))
}

/// The number of a topic.
fn topic(id: &str, path: &str) -> Result<Value> {
    match id.parse::<u64>().ok().filter(|number| number.to_string() == id && *number > 0) {
        Some(number) => Ok(number.into()),
        None => {
            let words = format!("{id:?} is no topic of WxPusher: a topic is a number");
            Err(Error::new(ErrorCode::Message, words).at(path))
        }
    }
}

/// Refuses what is longer than the document allows.
fn fits(text: &str, most: u32, path: &str, what: &str) -> Result<()> {
    let length = text.chars().count();
    if length <= most as usize {
        return Ok(());
    }
    let words = format!("{what} has {length} code points; WxPusher takes {most}");
    Err(Error::new(ErrorCode::TooLarge, words).at(path))
}

/// The recipients of a request, of each kind as many as one takes.
fn recipients(message: &Message) -> Result<Vec<(Kind, String)>> {
    for (path, id) in message.to.paths() {
        if path.starts_with("to.topics") {
            topic(id, &path)?;
        }
    }
    let mut to = first_of(message, Kind::Users, MAX_USERS as usize);
    to.extend(first_of(message, Kind::Topics, MAX_TOPICS as usize));
    if to.is_empty() {
        let words =
            "the recipients are missing: give \"to\": {\"users\": […]} or {\"topics\": […]}";
        return Err(Error::new(ErrorCode::Message, words).at("to.users"));
    }
    Ok(to)
}

/// The members of a message but for its text, and what that is written in.
fn common(message: &Message, to: &[(Kind, String)]) -> Result<(Map<String, Value>, Markup)> {
    let (markup, content_type) = match message.format {
        Format::Plain => (Markup::Plain, 1),
        Format::Html => (Markup::Html, 2),
        Format::Markdown => (Markup::CommonMark, 3),
    };
    let of = |kind: Kind| to.iter().filter(move |(own, _)| *own == kind).map(|(_, id)| id.as_str());
    let mut body = Map::new();
    body.put("contentType", content_type);
    if let Some(title) = &message.title {
        fits(title, MAX_SUMMARY, "title", "the title")?;
        body.put("summary", title.as_str());
    }
    let users: Vec<_> = of(Kind::Users).collect();
    if !users.is_empty() {
        body.put("uids", users);
    }
    let topics = of(Kind::Topics).map(|id| topic(id, "to.topics")).collect::<Result<Vec<_>>>()?;
    if !topics.is_empty() {
        body.put("topicIds", topics);
    }
    if let Some(url) = message.extra.as_ref().and_then(|extra| extra.get("url")?.as_str()) {
        fits(url, MAX_URL, "extra.url", "the URL")?;
    }
    extra::merge(&mut body, message, &INFO)?;
    Ok((body, markup))
}

impl Account for App {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let to = recipients(message)?;
        let (common, markup) = common(message, &to)?;
        let rules =
            Rules { unit: Unit::CodePoints, most: MAX_TEXT as usize, markup, title: Title::Own };
        drafts(compose(message, &rules)?, |_, piece| {
            if piece.text.trim().is_empty() {
                let words = "WxPusher takes no message without a text: give \"text\" or \"parts\"";
                return Err(Error::new(ErrorCode::Message, words).at("text"));
            }
            let mut body = common.clone();
            body.put("content", piece.text.as_str());
            let body = json::body(&body);
            Ok(Draft { to: to.clone(), ..Draft::of(body) })
        })
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        // The token stands in no draft, of which an outbox keeps a copy.
        let head = json::head("appToken", self.token.text());
        let body = Body::Several(vec![Bytes::from(head), draft.body.slice(1..)]);
        Exchange::commit(HttpRequest::post(self.url.clone(), CONTENT_TYPE, body))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        answer::read(answer, &draft.to)
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        Some(Inquiry::new(HttpRequest::get(self.followers.clone()), answer::known))
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "1001" | "1002" => Some("copy the appToken of the app, which begins with AT_"),
            "1004" | "1005" => {
                Some("users are named by their UID_…, and have to follow the app first")
            }
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

    fn encoded(fields: &Value) -> Result<Draft> {
        let config = json!({"service": "wxpusher", "auth": {"type": "token", "token": "AT_t"}});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = service::open(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a"});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        opened.account.encode(&Message::from_json(&message.to_string())?, Seed(7))
    }

    #[test]
    fn what_cannot_be_sent_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, TooLarge, Unsupported};
        let to = json!({"users": ["UID_a"]});
        for (fields, code, path) in [
            (json!({"text": "x"}), Wrong, "to.users"),
            (json!({"to": {"topics": ["1", "x"]}, "text": "x"}), Wrong, "to.topics[1]"),
            (json!({"to": {"topics": ["01"]}, "text": "x"}), Wrong, "to.topics[0]"),
            (json!({"to": {"topics": ["0"]}, "text": "x"}), Wrong, "to.topics[0]"),
            (json!({"to": {"topic": "1"}, "text": "x"}), Unsupported, "to.topic"),
            (json!({"to": to}), Wrong, "text"),
            (json!({"to": to, "text": "x", "title": "x".repeat(101)}), TooLarge, "title"),
            (json!({"to": to, "text": "x".repeat(40_001)}), TooLarge, "text"),
            (
                json!({"to": to, "text": "x", "extra": {"url": "x".repeat(1001)}}),
                TooLarge,
                "extra.url",
            ),
            (json!({"to": to, "text": "x", "extra": {"uids": ["UID_b"]}}), Wrong, "extra.uids"),
        ] {
            let error = encoded(&fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields}: {error}");
        }
    }

    #[test]
    fn a_request_takes_some_of_many_and_each_piece_is_for_the_same() {
        let users: Vec<_> = (0..2001).map(|n| format!("UID_{n}")).collect();
        let topics: Vec<_> = (1..=6).map(|n| n.to_string()).collect();
        let to = json!({"users": users, "topics": topics});
        let text = "word ".repeat(10_000);
        let fields = json!({"to": to, "text": text, "overflow": "split"});
        let draft = encoded(&fields).expect("a text that is split");
        assert_eq!(draft.pieces.len(), 1);
        for piece in draft.pieces.iter().chain([&draft]) {
            assert_eq!(piece.to.len(), 2005);
            let body: Value = serde_json::from_slice(&piece.body).expect("JSON");
            assert_eq!(body["uids"].as_array().map(Vec::len), Some(2000));
            assert_eq!(
                (&body["topicIds"], &body["appToken"]),
                (&json!([1, 2, 3, 4, 5]), &Value::Null)
            );
        }
    }
}
