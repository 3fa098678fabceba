//! Feishu's custom robot, which is Lark's too: `POST /open-apis/bot/v2/hook/TOKEN`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::{About, Service};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::window::Window;

const HOOK: &str = "/open-apis/bot/v2/hook/";
const TOKEN: &str = "5d4fae2f-feishu-robot";
const SECRET: &str = "feishu-robot-secret";
/// A robot that does not sign.
const OPEN_TOKEN: &str = "8c1b7e3a-lark-robot";
const HOUR_S: u64 = 3600;
const MAX_BODY: usize = 20 << 10;

pub(super) struct FeishuBot {
    /// The calls of each robot, a second and a minute.
    calls: [(Window, Window); 2],
}

impl Default for FeishuBot {
    fn default() -> FeishuBot {
        let windows = || (Window::new(5, 1000), Window::new(100, 60_000));
        FeishuBot { calls: [windows(), windows()] }
    }
}

/// A refusal, as it is answered.
type Refused = Value;

fn refused<T>(code: u32, words: &str) -> Result<T, Refused> {
    Err(json!({"code": code, "data": {}, "msg": words}))
}

fn too_fast() -> Value {
    json!({"StatusCode": 0, "StatusMessage": "", "code": 9499, "msg": "too many request"})
}

impl FeishuBot {
    fn take(&mut self, call: &Call, token: &str) -> Result<Delivered, Refused> {
        let signs = match token {
            TOKEN => true,
            OPEN_TOKEN => false,
            _ => return refused(19001, "param invalid: incoming webhook access token invalid"),
        };
        let (second, minute) = &mut self.calls[usize::from(signs)];
        // Assumed: a call that is refused for one of the two still counts for the other.
        let passed = second.pass(call.now_ms) & minute.pass(call.now_ms);
        if call.limits && !passed {
            return Err(too_fast());
        }
        if call.body.len() > MAX_BODY {
            return refused(19036, "request body too large");
        }
        let Ok(body) = call.object() else {
            return refused(9499, "Bad Request");
        };
        if signs {
            signed(&body, call.now_s())?;
        }
        let text = content(&body)?;
        Ok(Delivered {
            title: text.title,
            mentions: text.mentions,
            ..Delivered::to(token, "", text.text)
        })
    }
}

/// Checks the time and the signature of a body.
fn signed(body: &Map<String, Value>, now_s: u64) -> Result<(), Refused> {
    let wrong =
        || refused(19021, "sign match fail or timestamp is not within one hour from current time");
    let of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let time = of("timestamp");
    if !time.parse::<u64>().is_ok_and(|time| now_s.abs_diff(time) <= HOUR_S) {
        return wrong();
    }
    let key = [time.as_bytes(), b"\n", SECRET.as_bytes()].concat();
    let mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
    let sign = STANDARD.decode(of("sign"));
    if sign.is_ok_and(|sign| mac.verify_slice(&sign).is_ok()) { Ok(()) } else { wrong() }
}

/// What a reader sees.
#[derive(Default)]
pub(super) struct Shown {
    pub title: Option<String>,
    pub text: String,
    pub mentions: Vec<String>,
}

fn content(body: &Map<String, Value>) -> Result<Shown, Refused> {
    let missing = || refused(19002, "params error, msg_type need");
    let kind = body.get("msg_type").and_then(Value::as_str).unwrap_or_default();
    let content = body.get("content").unwrap_or(&Value::Null);
    let only = |value: &Value| match value.as_str() {
        Some(text) if !text.is_empty() => Ok(Shown { text: text.to_owned(), ..Shown::default() }),
        _ => missing(),
    };
    match kind {
        "text" => Ok(Shown { mentions: called(&content["text"]), ..only(&content["text"])? }),
        "image" => only(&content["image_key"]),
        "share_chat" => only(&content["share_chat_id"]),
        "interactive" => match body.get("card").filter(|card| card.is_object()) {
            Some(card) => Ok(Shown { text: card.to_string(), ..Shown::default() }),
            None => missing(),
        },
        "post" => match content["post"].as_object().and_then(|languages| languages.values().next())
        {
            Some(post) => self::post(post),
            None => missing(),
        },
        "" => missing(),
        _ => refused(9499, "Bad Request"),
    }
}

/// Whom a text calls by its letters.
pub(super) fn called(text: &Value) -> Vec<String> {
    let calls = text.as_str().unwrap_or_default().split("<at user_id=\"").skip(1);
    calls.filter_map(|rest| rest.split_once('"')).map(|(user, _)| user.to_owned()).collect()
}

/// A post: its paragraphs as lines.
pub(super) fn post(post: &Value) -> Result<Shown, Refused> {
    let mut shown = Shown { title: post["title"].as_str().map(str::to_owned), ..Shown::default() };
    let Some(paragraphs) = post["content"].as_array() else {
        return refused(19002, "params error, content need");
    };
    let mut lines = Vec::new();
    for paragraph in paragraphs {
        let Some(elements) = paragraph.as_array() else {
            return refused(9499, "Bad Request");
        };
        let mut line = String::new();
        for element in elements {
            let of = |name: &str| element[name].as_str().unwrap_or_default();
            match of("tag") {
                "text" => line.push_str(of("text")),
                "a" if !of("href").is_empty() => line.push_str(of("text")),
                "at" if !of("user_id").is_empty() => {
                    shown.mentions.push(of("user_id").to_owned());
                    line.push_str(&format!("@{}", of("user_id")));
                }
                "img" if !of("image_key").is_empty() => line.push_str(of("image_key")),
                _ => return refused(9499, "Bad Request"),
            }
        }
        lines.push(line);
    }
    shown.text = lines.join("\n");
    Ok(shown)
}

fn answer(body: &Value) -> Answer {
    Answer::json(200, body)
}

impl Service for FeishuBot {
    fn name(&self) -> &'static str {
        "feishu_bot"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let token = call.path.strip_prefix(HOOK).filter(|_| call.method == "POST");
        let Some(token) = token.map(|token| token.strip_suffix('/').unwrap_or(token).to_owned())
        else {
            return Answer::plain(404, "404 page not found").into();
        };
        match self.take(call, &token) {
            Ok(delivered) => {
                let ok = json!({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {},
                    "msg": "success"});
                Outcome::took(answer(&ok), delivered)
            }
            Err(refused) => answer(&refused).into(),
        }
    }

    fn rate_limited(&self, _call: &Call) -> Answer {
        answer(&too_fast())
    }

    fn dropped(&self, _call: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        answer(&json!({"code": 19024, "data": {}, "msg": "Key Words Not Found"}))
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let account = |host: &str, token: &str| {
            let url = format!("https://{host}{HOOK}{token}");
            json!({"service": "feishu_bot", "auth": {"type": "webhook", "url": url}})
        };
        let mut feishu = account("open.feishu.cn", TOKEN);
        feishu["auth"]["secret"] = SECRET.into();
        vec![
            ("feishu_bot", feishu),
            ("feishu_bot-webhook-lark", account("open.larksuite.com", OPEN_TOKEN)),
        ]
    }

    fn about(&self) -> About {
        About {
            title: "Feishu and Lark custom robot",
            paths: "<code>POST /feishu_bot/open-apis/bot/v2/hook/…</code>",
            auth: "the token in the path, and a signature of the last hour in the body",
            recipients: "none: the token is a group's",
            limits: "a body of 20 KiB; 5 messages a second and 100 a minute",
            assumed: &[
                "both rates slide, and a refused message counts",
                "a slash behind the token is as good as none: Apprise sends one",
                "the body is measured before its signature is looked at",
            ],
        }
    }
}
