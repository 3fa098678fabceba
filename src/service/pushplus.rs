//! PushPlus: pushes to the owner of a token, or to a group of his, by whichever way he chose.

use bytes::Bytes;
use serde_json::{Map, Value};
use url::Url;

use super::api::{
    Account, Answer, Body, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::token::Token;
use super::check::check;
use super::extra;
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::judge::{excerpt, is_success};
use super::opening::Opening;
use super::text::{Markup, Rules, Title, Unit, compose, drafts};
use super::verdict::{Code, Row, verdicts};
use super::wire::envelope::Envelope;
use super::wire::json::{self, CONTENT_TYPE, Members};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Format, Kind, Message};
use crate::model::secret::Secret;

const HOST: &str = "https://www.pushplus.plus";
/// The longest text and title, in code points.
const MAX_TEXT: u32 = 20_000;
const MAX_TITLE: u32 = 100;

static INFO: Info = Info {
    name: "pushplus",
    title: "PushPlus push",
    auth: &[Auth { name: "token", fields: &[Token::FIELD], words: "An access token" }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "instead of `https://www.pushplus.plus`",
    )],
    to: &["topic"],
    titled: true,
    native: &["plain", "markdown", "html"],
    needs_content: false,
    extra: &["template", "channel", "option", "webhook", "to", "callbackUrl", "timestamp", "pre"],
    limits: &[
        Limit { what: "title: code points", most: MAX_TITLE },
        Limit { what: "text: code points", most: MAX_TEXT },
    ],
    message_id: true,
    document: "www.pushplus.plus/doc, sending and codes; the limit of a text from other clients",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

/// What the codes mean, by the document's list.
static TABLE: &[Row] = verdicts! {
    "200" => Ok Sent Never Doc            "taken; what becomes of it is told elsewhere";
    "302" => Auth NotSent Never Doc       "not signed in";
    "401" => Auth NotSent Never Doc       "not authorised";
    "403" => Forbidden NotSent Never Doc  "this address is not authorised";
    "500" => Service MaybeSent Backoff Doc "a fault of the system";
    "600" => Rejected NotSent Never Doc   "the data are wrong";
    "805" => Forbidden NotSent Never Doc  "no right to do this";
    "888" => Quota NotSent Quota Doc      "the points are used up";
    "900" => Quota NotSent Quota Doc stops "too many requests: the account is restricted, and each further one makes it worse";
    "903" => Auth NotSent Never Doc       "the token is wrong";
    "905" => Forbidden NotSent Never Doc  "the account's owner has not proved his name";
    "907" => Rejected NotSent Never Sdk   "under review, or refused";
    "908" => Rejected NotSent Never Sdk   "under review, or refused";
    "909" => Rejected NotSent Never Sdk   "under review, or refused";
    "912" => Rejected NotSent Never Sdk   "under review, or refused";
    "999" => Rejected NotSent Never Doc   "refused, the text says why";
    @any  => Service NotSent Never Inferred "unknown code, never retried";
};

/// An answer: `{"code": 200, "msg": "…", "data": "serial number"}`.
const ENVELOPE: Envelope = Envelope {
    ok: ("code", &["200"]),
    code: "code",
    own: is_own,
    text: "msg",
    id: Some("data"),
    wait: None,
};

/// True for a code of a refusal: one of the list, or one that no status of HTTP is alike.
fn is_own(code: &str) -> bool {
    let is_number = code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit());
    let is_listed =
        |row: &Row| row.name.is_some() && matches!(row.code, Code::Is(own) if own == code);
    is_number && (code >= "600" || TABLE.iter().any(is_listed))
}

struct Pushes {
    token: Token,
    url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let url = opening.endpoint(HOST, "send", false)?;
    let identity = token.text().to_owned();
    Ok(opening.opened(url.clone(), &identity, Pushes { token, url }))
}

fn given<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    message.extra.as_ref()?.get(name).filter(|value| !value.is_null())
}

/// The members of a message but for its text, and what the text is written in.
fn common(message: &Message) -> Result<(Map<String, Value>, Markup)> {
    let (markup, template) = match message.format {
        Format::Plain => (Markup::Plain, "txt"),
        Format::Markdown => (Markup::CommonMark, "markdown"),
        Format::Html => (Markup::Html, "html"),
    };
    let mut body = Map::new();
    if let Some(title) = &message.title {
        let length = title.chars().count();
        if length > MAX_TITLE as usize {
            let words = format!("the title has {length} code points; PushPlus takes {MAX_TITLE}");
            return Err(Error::new(ErrorCode::TooLarge, words).at("title"));
        }
        body.put("title", title.as_str());
    }
    if let Some(topic) = message.to.one(Kind::Topic) {
        body.put("topic", topic);
    }
    // A plain text may be what a template of another kind is filled with: JSON, the words of an alarm.
    if message.format != Format::Plain || given(message, "template").is_none() {
        body.put("template", template);
    }
    let channel = given(message, "channel").and_then(Value::as_str);
    if channel.is_some_and(|channel| channel.contains(',')) {
        let words =
            "a message goes by one channel: send one for each, or let the owner's page choose";
        return Err(Error::new(ErrorCode::Unsupported, words).at("extra.channel"));
    }
    extra::merge(&mut body, message, &INFO)?;
    Ok((body, markup))
}

impl Account for Pushes {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let (common, markup) = common(message)?;
        let rules =
            Rules { unit: Unit::CodePoints, most: MAX_TEXT as usize, markup, title: Title::Own };
        drafts(compose(message, &rules)?, |_, piece| {
            if piece.text.trim().is_empty() {
                let words = "PushPlus takes no message without a text: give \"text\" or \"parts\"";
                return Err(Error::new(ErrorCode::Message, words).at("text"));
            }
            let mut body = common.clone();
            body.put("content", piece.text.as_str());
            Ok(Draft::of(json::body(&body)))
        })
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        // The token stands in no draft, of which an outbox keeps a copy.
        let head = json::head("token", self.token.text());
        let body = Body::Several(vec![Bytes::from(head), draft.body.slice(1..)]);
        Exchange::commit(HttpRequest::post(self.url.clone(), CONTENT_TYPE, body))
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        match ENVELOPE.read(answer) {
            Reading::Sent { id, .. } => Reading::accepted(id, "PushPlus"),
            // It refuses in a success of HTTP only: elsewhere anybody would say the same.
            Reading::Refused { .. } if !is_success(answer.status) => {
                Reading::Unreadable(excerpt(&answer.body))
            }
            reading => reading,
        }
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "900" => Some(
                "send nothing more today: over 400 requests a day lock the account for two days",
            ),
            "903" => Some("copy the token anew from the page of PushPlus"),
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

    fn account() -> Opened {
        let auth = json!({"type": "token", "token": "0123456789abcdef0123456789abcdef"});
        let config = json!({"service": "pushplus", "auth": auth});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        service::open(config).expect("an account").1
    }

    fn encoded(fields: &Value) -> Result<Draft> {
        let mut message = json!({"v": 1, "account": "a"});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        account().account.encode(&Message::from_json(&message.to_string())?, Seed(7))
    }

    #[test]
    fn what_cannot_be_sent_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, TooLarge, Unsupported};
        for (fields, code, path) in [
            (json!({}), Wrong, "text"),
            (json!({"title": "T"}), Wrong, "text"),
            (json!({"text": " "}), Wrong, "text"),
            (json!({"text": "x", "title": "x".repeat(101)}), TooLarge, "title"),
            (json!({"text": "x".repeat(20_001)}), TooLarge, "text"),
            (
                json!({"text": "x", "extra": {"channel": "wechat,mail"}}),
                Unsupported,
                "extra.channel",
            ),
            (
                json!({"text": "x", "format": "html", "extra": {"template": "json"}}),
                Wrong,
                "extra.template",
            ),
            (json!({"text": "x", "extra": {"token": "t"}}), Wrong, "extra.token"),
            (json!({"text": "x", "to": {"user": "u"}}), Unsupported, "to.user"),
        ] {
            let error = encoded(&fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields}: {error}");
        }
    }

    #[test]
    fn no_draft_has_the_token_and_each_piece_has_the_title() {
        let text = "word ".repeat(5000);
        let fields = json!({"title": "T", "text": text, "overflow": "split"});
        let draft = encoded(&fields).expect("a text that is split");
        assert_eq!(draft.pieces.len(), 1);
        for piece in draft.pieces.iter().chain([&draft]) {
            let body: Value = serde_json::from_slice(&piece.body).expect("JSON");
            assert_eq!((&body["title"], &body["token"]), (&json!("T"), &Value::Null));
        }
    }

    #[test]
    fn a_refusal_counts_in_a_success_of_http_only() {
        let is = |status: u16, body: &str| {
            let answer = Answer { status, body: body.into(), ..Answer::default() };
            match account().account.read(&mut Draft::default(), &answer) {
                Reading::Sent { id, notes, .. } => {
                    assert_eq!(&*notes[0].name, "accepted_only");
                    format!("sent {}", id.unwrap_or_default())
                }
                Reading::Refused { code, .. } => code,
                Reading::Contradiction(_) => "contradiction".to_owned(),
                _ => "unreadable".to_owned(),
            }
        };
        let ok = r#"{"code":200,"msg":"请求成功","data":"ab12","count":null}"#;
        assert_eq!(is(200, ok), "sent ab12");
        assert_eq!(is(403, ok), "contradiction");
        for (body, meant) in [
            (r#"{"code":903,"msg":"用户令牌不正确"}"#, "903"),
            (r#"{"code":500,"msg":"x","data":null}"#, "500"),
            (r#"{"code":777,"msg":"x"}"#, "777"),
            (r#"{"code":502,"msg":"x"}"#, "unreadable"),
            (r#"{"code":404,"msg":"x"}"#, "unreadable"),
            (r#"{"code":9030,"msg":"x"}"#, "unreadable"),
            (r#"{"code":200,"msg":"x","data":null}"#, "unreadable"),
            (r#"{"code":"200","msg":"x","data":"x"}"#, "unreadable"),
            (r#"{"code":200,"data":"x"}"#, "unreadable"),
            (r#"{"code":903,"message":"x"}"#, "unreadable"),
        ] {
            assert_eq!(is(200, body), meant, "{body}");
            assert_eq!(is(502, body), "unreadable", "{body}");
        }
    }
}
