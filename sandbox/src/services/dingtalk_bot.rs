//! DingTalk's custom robot: `POST /robot/send`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::{About, Service};
use crate::delivered::{Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::form;
use crate::memory::Memory;
use crate::shape::{Field, Kind, check, may, must};
use crate::window::Window;

const PATH: &str = "/robot/send";
const TOKEN: &str = "dingtalkrobottoken";
const SECRET: &str = "SECdingtalkrobotsecret";
const HOUR_MS: u64 = 3_600_000;
const MAX_BODY: usize = 20_000;
const MAX_MENTIONS: usize = 50;
const PER_MINUTE: usize = 20;
/// How long a robot is blocked that sent too fast.
const BLOCK_MS: u64 = 600_000;
/// Assumed: how long a `msgUuid` is known; the document does not tell.
const KNOWN_MS: u64 = 3_600_000;

/// The document has words; a client that many use sends numbers.
const SWITCH: Kind = Kind::Switch;
const TEXT: &[Field] = &[must("content", Kind::Text)];
const MARKDOWN: &[Field] = &[must("title", Kind::Text), must("text", Kind::Text)];
const LINK: &[Field] = &[
    must("title", Kind::Text),
    must("text", Kind::Text),
    must("messageUrl", Kind::Text),
    may("picUrl", Kind::Text),
];
const BUTTON: &[Field] = &[must("title", Kind::Text), must("actionURL", Kind::Text)];
const CARD: &[Field] = &[
    must("title", Kind::Text),
    must("text", Kind::Text),
    may("singleTitle", Kind::Text),
    may("singleURL", Kind::Text),
    may("btnOrientation", SWITCH),
    may("hideAvatar", SWITCH),
    may("btns", Kind::List(BUTTON)),
];
const FEED_ITEM: &[Field] =
    &[must("title", Kind::Text), must("messageURL", Kind::Text), may("picURL", Kind::Text)];
const FEED: &[Field] = &[must("links", Kind::List(FEED_ITEM))];
const AT: &[Field] =
    &[may("atMobiles", Kind::Texts), may("atUserIds", Kind::Texts), may("isAtAll", Kind::Flag)];

/// The types of message, and the member of each whose text a reader sees.
const TYPES: [(&str, &[Field], &str); 5] = [
    ("text", TEXT, "content"),
    ("markdown", MARKDOWN, "text"),
    ("link", LINK, "title"),
    ("actionCard", CARD, "text"),
    ("feedCard", FEED, ""),
];

pub(super) struct DingTalkBot {
    calls: Window,
    blocked_until: u64,
    known: Memory<()>,
}

impl Default for DingTalkBot {
    fn default() -> DingTalkBot {
        let calls = Window::new(PER_MINUTE, 60_000);
        DingTalkBot { calls, blocked_until: 0, known: Memory::new(KNOWN_MS) }
    }
}

/// A code and its words.
type Refused = (u32, String);

fn refused<T>(code: u32, words: &str) -> Result<T, Refused> {
    Err((code, words.to_owned()))
}

impl DingTalkBot {
    /// A message, or none for one that was taken before.
    fn take(&mut self, call: &Call) -> Result<Option<Delivered>, Refused> {
        if call.method != "POST" {
            return refused(43002, "require http POST");
        }
        if call.content_type() != "application/json" {
            return refused(43004, "无效的HTTP HEADER Content-Type");
        }
        let query = form::pairs(&call.query).unwrap_or_default();
        match form::first(&query, "access_token") {
            None | Some("") => return refused(40035, "缺少参数 access_token"),
            Some(TOKEN) => {}
            Some(_) => return refused(300005, "token is not exist"),
        }
        if call.limits {
            self.pace(call.now_ms)?;
        }
        signed(&query, call.now_ms)?;
        if call.body.len() > MAX_BODY {
            return refused(460101, "message too long, exceed 20000 bytes");
        }
        let body = call.object().map_err(|words| (40035, format!("缺少参数 json: {words}")))?;
        let delivered = delivered(&body)?;
        if let Some(uuid) = body.get("msgUuid").and_then(Value::as_str) {
            // Assumed: what was taken before is answered as it was then.
            if self.known.get(uuid, call.now_ms).is_some() {
                return Ok(None);
            }
            self.known.put(uuid, (), call.now_ms);
        }
        Ok(Some(delivered))
    }

    /// Counts a call. Assumed: calls while the robot is blocked do not lengthen that.
    fn pace(&mut self, now_ms: u64) -> Result<(), Refused> {
        if now_ms >= self.blocked_until && self.calls.pass(now_ms) {
            return Ok(());
        }
        if now_ms >= self.blocked_until {
            self.blocked_until = now_ms + BLOCK_MS;
        }
        refused(130101, "send too fast, exceed 20 times per minute")
    }
}

/// Checks the time and the signature of a call.
fn signed(query: &[(String, String)], now_ms: u64) -> Result<(), Refused> {
    let time = form::first(query, "timestamp").unwrap_or_default();
    if !time.parse::<u64>().is_ok_and(|time| now_ms.abs_diff(time) <= HOUR_MS) {
        return refused(310000, "invalid timestamp");
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(time.as_bytes());
    mac.update(b"\n");
    mac.update(SECRET.as_bytes());
    let sign = STANDARD.decode(form::first(query, "sign").unwrap_or_default());
    match sign.is_ok_and(|sign| mac.verify_slice(&sign).is_ok()) {
        true => Ok(()),
        false => refused(310000, "sign not match"),
    }
}

/// A message of any type. Assumed: which of the codes a fault in a field has.
fn delivered(body: &Map<String, Value>) -> Result<Delivered, Refused> {
    let kind = body.get("msgtype").and_then(Value::as_str).unwrap_or_default();
    let Some((name, fields, text)) = TYPES.into_iter().find(|(name, ..)| *name == kind) else {
        return refused(400105, "description:不支持的消息类型;");
    };
    let wrong = |words: String| (40035, format!("不合法的参数 {name}: {words}"));
    let Some(Value::Object(content)) = body.get(name) else {
        return Err(wrong("is required".to_owned()));
    };
    check(content, fields).map_err(wrong)?;
    let mut mentions = Vec::new();
    if let Some(Value::Object(at)) = body.get("at") {
        check(at, AT).map_err(wrong)?;
        for list in ["atMobiles", "atUserIds"] {
            let list = at.get(list).and_then(Value::as_array).into_iter().flatten();
            mentions.extend(list.filter_map(Value::as_str).map(str::to_owned));
        }
        if mentions.len() > MAX_MENTIONS {
            return Err(wrong("at has more than 50 members".to_owned()));
        }
        let all = at.get("isAtAll").is_some_and(|all| *all == true || *all == "true");
        mentions.extend(all.then(|| "all".to_owned()));
    }
    let of = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let text = match content.get("links").and_then(Value::as_array) {
        Some(links) => links.iter().map(|link| of(link, "title")).collect::<Vec<_>>().join("\n"),
        None => of(&body[name], text),
    };
    if text.is_empty() {
        return Err(wrong("is empty".to_owned()));
    }
    let format = match name {
        "markdown" | "actionCard" => Format::Markdown(Dialect::CommonMark),
        _ => Format::Plain,
    };
    let title = content.get("title").and_then(Value::as_str).map(str::to_owned);
    Ok(Delivered { title, format, mentions, ..Delivered::to(TOKEN, "", text) })
}

fn answer(code: u32, words: &str) -> Answer {
    Answer::new(200, "application/json", json!({"errcode": code, "errmsg": words}).to_string())
}

impl Service for DingTalkBot {
    fn name(&self) -> &'static str {
        "dingtalk_bot"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        if call.path != PATH {
            return Answer::not_found().into();
        }
        match self.take(call) {
            Ok(Some(delivered)) => Outcome::took(answer(0, "ok"), delivered),
            Ok(None) => answer(0, "ok").into(),
            Err((code, words)) => answer(code, &words).into(),
        }
    }

    fn rate_limited(&self, _call: &Call) -> Answer {
        answer(130101, "send too fast, exceed 20 times per minute")
    }

    fn dropped(&self, _call: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        answer(430104, "description:机器人发送的消息内容不合适;")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let url = format!("https://oapi.dingtalk.com{PATH}?access_token={TOKEN}");
        let auth = json!({"type": "webhook", "url": url, "secret": SECRET});
        vec![("dingtalk_bot", json!({"service": "dingtalk_bot", "auth": auth}))]
    }

    fn about(&self) -> About {
        About {
            title: "DingTalk custom robot",
            paths: "<code>POST /dingtalk_bot/robot/send?access_token=…&amp;timestamp=…&amp;sign=…</code>",
            auth: "the token, and a signature of the last hour",
            recipients: "none: the token is a group's",
            limits: "20,000 bytes, 50 mentions; 20 messages a minute, then blocked for ten minutes",
            assumed: &[
                "a msgUuid that was taken before is answered with success again",
                "calls while the robot is blocked do not lengthen that",
                "the time is checked before the signature, and both before the message",
            ],
        }
    }
}
