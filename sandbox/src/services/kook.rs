//! KOOK: the part of its API that bots send with.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Attached, Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Params, Route};
use crate::window::{Room, Window};

const TOKEN: &str = "1/MTA0MjU=/hongyanHongyanHongyan==";
const BOT: &str = "2418200000";
/// Channels, and whether the bot may write there.
const CHANNELS: [(&str, bool); 3] =
    [("7480000000000001", true), ("7480000000000002", true), ("7480000000000003", false)];
/// Users, and whether they take messages of the bot.
const USERS: [(&str, bool); 2] = [("2418200001", true), ("2418200002", false)];
const LONGEST: usize = 8000;
const LARGEST: usize = 30 << 20;

const ROUTES: &[Route<Kook>] = &[
    Route::post("/api/v3/message/create", Kook::channel),
    Route::post("/api/v3/direct-message/create", Kook::direct),
    Route::post("/api/v3/asset/create", Kook::upload),
    Route::get("/api/v3/user/me", Kook::me),
];

pub(super) struct Kook {
    calls: Window,
    files: HashMap<String, Attached>,
    made: u64,
}

impl Default for Kook {
    fn default() -> Kook {
        Kook { calls: Window::new(120, 60_000), files: HashMap::new(), made: 0 }
    }
}

fn told(code: u32, words: &str, data: &Value) -> Answer {
    Answer::json(200, &json!({"code": code, "message": words, "data": data}))
}

fn done(data: &Value) -> Answer {
    told(0, "操作成功", data)
}

fn refused(code: u32, words: &str) -> Answer {
    told(code, words, &json!({}))
}

/// An answer with what the limit of an interface says in its headers.
fn with_room(answer: Answer, room: &Room) -> Answer {
    answer
        .with_header("x-rate-limit-limit", &room.limit.to_string())
        .with_header("x-rate-limit-remaining", &room.remaining.to_string())
        .with_header("x-rate-limit-reset", &room.reset_s().to_string())
        .with_header("x-rate-limit-bucket", "message/create")
}

fn too_fast() -> Answer {
    let body = json!({"code": 429, "message": "请求过于频繁，请稍后再试", "data": {}});
    Answer::json(429, &body)
}

fn check_token(call: &Call) -> Result<(), Answer> {
    match call.credentials("Bot") {
        None => Err(refused(40100, "缺少token")),
        Some(TOKEN) => Ok(()),
        Some(_) => Err(Answer::json(
            401,
            &json!({"code": 401, "message": "你的用户凭证不正确", "data": {}}),
        )),
    }
}

/// What stands between two marks of this name: `(met)id(met)`.
fn mentions(text: &str) -> Vec<String> {
    let ids = text.split("(met)").skip(1).step_by(2);
    ids.filter(|id| !id.is_empty() && id.len() < 24).map(str::to_owned).collect()
}

impl Kook {
    fn channel(&mut self, call: &Call, _: &Params) -> Handled {
        let may = |id: &str| CHANNELS.iter().find(|(own, _)| *own == id).map(|(_, may)| *may);
        self.send(call, may, 9)
    }

    fn direct(&mut self, call: &Call, _: &Params) -> Handled {
        let may = |id: &str| USERS.iter().find(|(own, _)| *own == id).map(|(_, may)| *may);
        self.send(call, may, 1)
    }

    fn send(&mut self, call: &Call, may: impl Fn(&str) -> Option<bool>, usual: u64) -> Handled {
        check_token(call)?;
        let room = match call.limits {
            true => self.calls.ask(call.now_ms),
            false => Room { passed: true, limit: 120, remaining: 120, reset_ms: 0 },
        };
        if !room.passed {
            return Err(with_room(too_fast(), &room));
        }
        let taken = self.take(call, &may, usual).map_err(|answer| with_room(answer, &room))?;
        self.made += 1;
        let id = format!("5f0c974c-{:012x}", self.made);
        let nonce = taken.nonce;
        let data = json!({"msg_id": id, "msg_timestamp": call.now_ms, "nonce": nonce,
            "not_permissions_mention": []});
        let delivered = Delivered { id: Some(id), ..taken.delivered };
        Ok(Outcome::took(with_room(done(&data), &room), delivered))
    }

    fn take(
        &mut self,
        call: &Call,
        may: &impl Fn(&str) -> Option<bool>,
        usual: u64,
    ) -> Result<Taken, Answer> {
        let body = call.object().map_err(|_| refused(40000, "参数错误"))?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let target = text("target_id");
        match may(target) {
            None => return Err(refused(404, "目标不存在")),
            Some(false) => return Err(refused(40300, "你没有权限")),
            Some(true) => {}
        }
        let content = text("content");
        if content.trim().is_empty() || content.chars().count() > LONGEST {
            return Err(refused(40000, "消息内容长度不正确"));
        }
        let kind = kind(&body, usual)?;
        let delivered = Delivered { thread: quote(&body), ..Delivered::to(BOT, target, "") };
        let delivered = match kind {
            1 => Delivered { text: content.to_owned(), ..delivered },
            9 => Delivered {
                text: content.to_owned(),
                format: Format::Markdown(Dialect::CommonMark),
                mentions: mentions(content),
                ..delivered
            },
            10 => match serde_json::from_str::<Value>(content) {
                Ok(Value::Array(cards)) if (1..=5).contains(&cards.len()) => {
                    Delivered { text: content.to_owned(), ..delivered }
                }
                _ => return Err(refused(40000, "卡片消息格式不正确")),
            },
            _ => {
                let file = self.files.get(content).cloned();
                let file = file.ok_or_else(|| refused(40000, "找不到资源"))?;
                Delivered { attachments: vec![file], ..delivered }
            }
        };
        Ok(Taken { delivered, nonce: text("nonce").to_owned() })
    }

    fn upload(&mut self, call: &Call, _: &Params) -> Handled {
        check_token(call)?;
        let fields = call.fields().map_err(|_| refused(40000, "参数错误"))?;
        let Some(part) = fields.file("file") else { return Err(refused(40000, "缺少文件")) };
        if part.bytes.len() > LARGEST {
            return Err(refused(40014, "文件过大"));
        }
        self.made += 1;
        let name = part.file_name.as_deref().unwrap_or("file");
        let end = name.rsplit_once('.').map_or("bin", |(_, end)| end);
        let url = format!("https://img.kookapp.cn/attachments/2026-11/{:08}.{end}", self.made);
        self.files.insert(url.clone(), Attached::new(name, &part.content_type, &part.bytes));
        Ok(done(&json!({"url": url})).into())
    }

    fn me(&mut self, call: &Call, _: &Params) -> Handled {
        check_token(call)?;
        let me = json!({"id": BOT, "username": "hongyan", "identify_num": "1670", "online": true,
            "status": 0, "bot": true});
        Ok(done(&me).into())
    }
}

/// A message that is taken.
struct Taken {
    delivered: Delivered,
    nonce: String,
}

/// The type of a message.
fn kind(body: &Map<String, Value>, usual: u64) -> Result<u64, Answer> {
    let kind = match body.get("type") {
        None | Some(Value::Null) => Some(usual),
        Some(kind) => kind.as_u64(),
    };
    let known = kind.filter(|kind| [1, 2, 3, 4, 9, 10].contains(kind));
    known.ok_or_else(|| refused(40000, "消息类型不正确"))
}

/// The message that this one answers.
fn quote(body: &Map<String, Value>) -> Option<String> {
    body.get("quote").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned)
}

impl Service for Kook {
    fn name(&self) -> &'static str {
        "kook"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(|_| {
            Answer::json(404, &json!({"code": 404, "message": "Not Found", "data": {}})).into()
        })
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        with_room(too_fast(), &Room { passed: false, limit: 120, remaining: 0, reset_ms: 1000 })
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        refused(40011, "消息内容不合规")
    }

    fn largest_body(&self) -> usize {
        LARGEST + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "bot", "token": TOKEN});
        vec![("kook", json!({"service": "kook", "auth": auth, "to": {"channel": CHANNELS[0].0}}))]
    }

    fn about(&self) -> About {
        About {
            title: "KOOK",
            paths: "<code>POST /kook/api/v3/message/create</code>, <code>/direct-message/create</code>, \
                    <code>/asset/create</code>, <code>GET /user/me</code>",
            auth: "<code>Authorization: Bot …</code>",
            recipients: "channels <code>7480000000000001</code> and <code>…2</code>, \
                         <code>…3</code> without the right to write; users <code>2418200001</code>, and \
                         <code>…2</code> who takes nothing",
            limits: "8,000 code points; files of 30 MiB, uploaded before; 120 messages a minute",
            assumed: &[
                "the numbers of the limit, which the service tells in its headers only",
                "the code of an answer with HTTP 429, and of an unknown channel or user",
                "how long a text may be, and its unit",
                "the words of refusals, but of a file that is not the bot's",
            ],
        }
    }
}
