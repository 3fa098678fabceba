//! QQ's bots, API v2: the token, messages to users and groups, and files that QQ fetches.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::clock::Utc;
use crate::delivered::{Attached, Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::memory::Memory;
use crate::route::{self, Handled, Params, Route};
use crate::tokens::{Known, Tokens};
use crate::window::Windows;

const APP: &str = "102012345";
const SECRET: &str = "qqbotSecretHongyan0123456789abcd";
/// A user and a group that allow pushes, and a group that does not.
const USER: &str = "C0FFEE00112233445566778899AABBCC";
const GROUP: &str = "6007E00112233445566778899AABBCCD";
const CLOSED: &str = "C105ED00112233445566778899AABBCC";
/// A message of theirs that can be answered for ever.
const QUESTION: &str = "ROBOT1.0_question";
const TWO_HOURS_MS: u64 = 7_200_000;
const FIVE_MINUTES_MS: u64 = 300_000;

const ROUTES: &[Route<QqBot>] = &[
    Route::post("/app/getAppAccessToken", QqBot::token),
    Route::post("/v2/{kind}/{id}/messages", QqBot::send),
    Route::post("/v2/{kind}/{id}/files", QqBot::file),
];

pub(super) struct QqBot {
    tokens: Tokens,
    by_minute: Windows,
    /// The pairs of `msg_id` and `msg_seq` that were used, and how many answers a message has.
    pairs: Memory<()>,
    answers: HashMap<String, usize>,
    /// Files by what they are known by: in which path, and what.
    files: Memory<(String, Attached)>,
    count: u64,
}

impl Default for QqBot {
    fn default() -> QqBot {
        QqBot {
            tokens: Tokens::new("qq", TWO_HOURS_MS, 60_000),
            by_minute: Windows::new(20, 60_000),
            pairs: Memory::new(3_600_000),
            answers: HashMap::new(),
            files: Memory::new(FIVE_MINUTES_MS),
            count: 0,
        }
    }
}

fn refused_in(status: u16, code: u64, words: &str) -> Answer {
    let body =
        json!({"message": words, "code": code, "err_code": code, "trace_id": "hongyan0trace"});
    Answer::json(status, &body)
}

fn refused(code: u64, words: &str) -> Answer {
    refused_in(400, code, words)
}

impl QqBot {
    fn token(&mut self, call: &Call, _: &Params) -> Handled {
        let body = call.object().unwrap_or_default();
        let of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let code = match (of("appId"), of("clientSecret")) {
            (APP, SECRET) => {
                let (token, lasts) = self.tokens.give(call.now_ms);
                let body = json!({"access_token": token, "expires_in": lasts.to_string()});
                return Ok(Answer::json(200, &body).into());
            }
            ("", _) => 100_007,
            _ => 100_016,
        };
        Err(Answer::json(200, &json!({"code": code, "message": "invalid appid or secret"})))
    }

    /// The body of a request, and whom it is to.
    fn enter(&mut self, call: &Call, params: &Params) -> Result<Map<String, Value>, Answer> {
        match call.credentials("QQBot") {
            None => return Err(refused_in(401, 11241, "Authorization不存在")),
            Some(token) => match self.tokens.know(token, call.now_ms) {
                Known::Live => {}
                Known::Ended => return Err(refused_in(401, 11244, "token已过期")),
                Known::Never => return Err(refused_in(401, 11243, "token错误")),
            },
        }
        match (params.get("kind"), params.get("id")) {
            ("users", USER) | ("groups", GROUP | CLOSED) => {}
            ("users" | "groups", _) => return Err(refused(12002, "请求参数openid错误")),
            _ => return Err(Answer::not_found()),
        }
        call.object().map_err(|_| refused(40_011_000, "请求数据异常"))
    }

    fn send(&mut self, call: &Call, params: &Params) -> Handled {
        let body = self.enter(call, params)?;
        let of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let target = format!("{}/{}", params.get("kind"), params.get("id"));
        let mut delivered = self.content(&body, &target, call.now_ms)?;
        let answered = of("msg_id");
        if !answered.is_empty() {
            if answered != QUESTION {
                return Err(refused(40_034_024, "请求参数msg_id无效或越权"));
            }
            let seq = body.get("msg_seq").and_then(Value::as_u64).unwrap_or(1);
            let pair = format!("{target} {answered} {seq}");
            if self.pairs.get(&pair, call.now_ms).is_some() {
                return Err(refused(40_054_005, "消息被去重，请检查请求msgseq"));
            }
            let most = if params.get("kind") == "users" { 4 } else { 5 };
            let count = self.answers.entry(target.clone()).or_default();
            if call.limits && *count >= most {
                return Err(refused(40_034_128, "消息被限频"));
            }
            *count += 1;
            self.pairs.put(pair, (), call.now_ms);
            delivered.thread = Some(answered.to_owned());
        } else if of("event_id").is_empty() {
            if params.get("id") == CLOSED {
                return Err(refused(40_034_105, "主动消息未开启"));
            }
            if call.limits && !self.by_minute.ask(&target, call).passed {
                return Err(self.rate_limited(call));
            }
        }
        self.count += 1;
        let id = format!("ROBOT1.0_hongyan{:08}", self.count);
        let Utc { year, month, day, .. } = Utc::from_unix(call.now_s());
        let time =
            format!("{year:04}-{month:02}-{day:02}T{}+00:00", Utc::from_unix(call.now_s()).clock());
        let answer = json!({"id": id, "timestamp": time,
            "ext_info": {"ref_idx": format!("REFIDX_{}", self.count)}});
        let delivered =
            Delivered { id: Some(id), recipient: params.get("id").to_owned(), ..delivered };
        Ok(Outcome::took(Answer::json(200, &answer), delivered))
    }

    fn content(
        &self,
        body: &Map<String, Value>,
        target: &str,
        now_ms: u64,
    ) -> Result<Delivered, Answer> {
        let delivered = Delivered::to(APP, "", "");
        let wrong = || refused(50006, "消息内容为空");
        match body.get("msg_type").and_then(Value::as_u64) {
            Some(0) => match body.get("content").and_then(Value::as_str) {
                Some(text) if !text.trim().is_empty() => {
                    let called = text.split("<qqbot-at-user id=\"").skip(1);
                    let called = called.filter_map(|rest| rest.split_once('"'));
                    let mentions = called.map(|(user, _)| user.to_owned()).collect();
                    Ok(Delivered { text: text.to_owned(), mentions, ..delivered })
                }
                _ => Err(wrong()),
            },
            Some(2) => match body.get("markdown").and_then(|own| own["content"].as_str()) {
                Some(text) if !text.trim().is_empty() => Ok(Delivered {
                    text: text.to_owned(),
                    format: Format::Markdown(Dialect::CommonMark),
                    ..delivered
                }),
                _ => Err(refused(50037, "markdown参数错误")),
            },
            Some(7) => {
                let info = body.get("media").and_then(|own| own["file_info"].as_str());
                match info.and_then(|info| self.files.get(info, now_ms)) {
                    Some((own, file)) if own == target => {
                        Ok(Delivered { attachments: vec![file.clone()], ..delivered })
                    }
                    _ => Err(refused(304_080, "富媒体file_info校验失败")),
                }
            }
            _ => Err(refused(22006, "消息类型和消息内容不匹配")),
        }
    }

    fn file(&mut self, call: &Call, params: &Params) -> Handled {
        let body = self.enter(call, params)?;
        let url = body.get("url").and_then(Value::as_str).unwrap_or_default();
        let kind = body.get("file_type").and_then(Value::as_u64).unwrap_or_default();
        if !(1..=4).contains(&kind) || !url.starts_with("http") {
            return Err(refused(40_034_004, "富媒体资源拉取失败"));
        }
        self.count += 1;
        let info = format!("hongyanFileInfo{:08}==", self.count);
        let target = format!("{}/{}", params.get("kind"), params.get("id"));
        self.files.put(info.as_str(), (target, Attached::at(url)), call.now_ms);
        let body =
            json!({"file_uuid": format!("uuid-{}", self.count), "file_info": info, "ttl": 300});
        Ok(Answer::json(200, &body).into())
    }
}

impl Service for QqBot {
    fn name(&self) -> &'static str {
        "qq_bot"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        refused(40_034_100, "主动消息发送超过频控限制")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        refused(304_025, "消息内容违规")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "app", "id": APP, "secret": SECRET});
        let to = json!({"user": USER});
        vec![("qq_bot", json!({"service": "qq_bot", "auth": auth, "to": to}))]
    }

    fn about(&self) -> About {
        About {
            title: "QQ bot",
            paths: "<code>POST /qq_bot/app/getAppAccessToken</code>, \
                    <code>…/v2/users/…/messages</code>, <code>…/v2/groups/…/messages</code>, \
                    <code>…/files</code>",
            auth: "<code>QQBot</code> and a token, which holds for two hours",
            recipients: "the user <code>C0FFEE00112233445566778899AABBCC</code>, the group \
                         <code>6007E00112233445566778899AABBCCD</code>;  \
                         <code>C105ED00112233445566778899AABBCC</code> allows no pushes; the message \
                         <code>ROBOT1.0_question</code> can be answered",
            limits: "20 pushes a minute to one; four answers to a user's message, five to a group's",
            assumed: &[
                "20 in any minute, and a refused push does not count",
                "an unknown openid is 12002",
                "what is fetched from a URL is there",
            ],
        }
    }
}
