//! WxPusher: `POST /api/send/message`, which answers of each recipient by itself.

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Params, Route};
use crate::window::Window;

const TOKEN: &str = "AT_hongyan0123456789abcdefghijklm";
/// Who follows the app, and who has left it.
const FOLLOWERS: [&str; 3] = ["UID_anna", "UID_bruno", "UID_clara"];
const LEFT: &str = "UID_left";
const TOPICS: [u64; 2] = [1234, 5678];
const MAX_TEXT: usize = 40_000;
const MAX_SUMMARY: usize = 100;
const MAX_USERS: usize = 2000;
const MAX_TOPICS: usize = 5;

const ROUTES: &[Route<WxPusher>] = &[
    Route::post("/api/send/message", WxPusher::send),
    Route::get("/api/send/query/status", WxPusher::status),
    Route::get("/api/fun/wxuser/v2", WxPusher::followers),
];

pub(super) struct WxPusher {
    calls: Window,
    records: u64,
}

impl Default for WxPusher {
    fn default() -> WxPusher {
        WxPusher { calls: Window::new(20, 10_000), records: 4100 }
    }
}

fn refused(code: u32, words: &str) -> Answer {
    Answer::json(200, &json!({"code": code, "msg": words, "data": null, "success": false}))
}

fn done(data: &Value) -> Answer {
    Answer::json(200, &json!({"code": 1000, "msg": "处理成功", "data": data, "success": true}))
}

fn check_token(token: &str) -> Result<(), Answer> {
    match token {
        TOKEN => Ok(()),
        "" => Err(refused(1001, "appToken不能为空")),
        _ => Err(refused(1002, "appToken不正确")),
    }
}

/// The list of this name; none where it is left out.
fn list(body: &Map<String, Value>, name: &str) -> Result<Vec<Value>, Answer> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => Ok(list.clone()),
        Some(_) => Err(refused(1009, "参数错误")),
    }
}

impl WxPusher {
    fn send(&mut self, call: &Call, _: &Params) -> Handled {
        let body = call.object().map_err(|_| refused(1009, "参数错误"))?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        check_token(text("appToken"))?;
        if call.limits && !self.calls.pass(call.now_ms) {
            return Err(self.rate_limited(call));
        }
        let (content, summary) = (text("content"), text("summary"));
        if content.trim().is_empty() {
            return Err(refused(1003, "消息内容不能为空"));
        }
        if content.chars().count() > MAX_TEXT || summary.chars().count() > MAX_SUMMARY {
            return Err(refused(1007, "消息内容过长"));
        }
        let format = match body.get("contentType").and_then(Value::as_u64).unwrap_or(1) {
            1 => Format::Plain,
            2 => Format::Html,
            3 => Format::Markdown(Dialect::CommonMark),
            _ => return Err(refused(1009, "contentType不支持")),
        };
        let (users, topics) = (list(&body, "uids")?, list(&body, "topicIds")?);
        if users.len() > MAX_USERS || topics.len() > MAX_TOPICS || users.len() + topics.len() == 0 {
            return Err(refused(1009, "接收者数量不正确"));
        }
        let (mut told, mut delivered) = (Vec::new(), Vec::new());
        for (recipient, is_topic) in
            users.iter().map(|user| (user, false)).chain(topics.iter().map(|topic| (topic, true)))
        {
            let name = recipient.as_str().map_or_else(|| recipient.to_string(), str::to_owned);
            let (code, status) = match is_topic {
                true if recipient.as_u64().is_some_and(|own| TOPICS.contains(&own)) => (1000, ""),
                true => (1004, "主题不存在"),
                false if FOLLOWERS.contains(&&*name) => (1000, ""),
                false if name == LEFT => (1005, "用户没有关注应用"),
                false => (1004, "用户不存在"),
            };
            let mut one = json!({"uid": null, "topicId": null, "messageId": null,
                "messageContentId": null, "sendRecordId": null, "code": code, "status": status});
            one[if is_topic { "topicId" } else { "uid" }] = recipient.clone();
            if code == 1000 {
                self.records += 1;
                let id = self.records;
                one["sendRecordId"] = id.into();
                one["messageContentId"] = (id / 10).into();
                one["status"] = "创建发送任务成功".into();
                delivered.push(Delivered {
                    id: Some(id.to_string()),
                    title: Some(summary.to_owned()).filter(|title| !title.is_empty()),
                    format: format.clone(),
                    ..Delivered::to(TOKEN, name, content)
                });
            }
            told.push(one);
        }
        Ok(Outcome { answer: done(&told.into()), delivered })
    }

    fn status(&mut self, call: &Call, _: &Params) -> Handled {
        let id = call.query("sendRecordId").unwrap_or_default();
        match id.parse::<u64>().is_ok_and(|id| (4101..=self.records).contains(&id)) {
            true => Ok(done(&json!(2)).into()),
            false => Err(refused(1009, "消息不存在")),
        }
    }

    fn followers(&mut self, call: &Call, _: &Params) -> Handled {
        check_token(&call.query("appToken").unwrap_or_default())?;
        let record = |uid: &&str| json!({"uid": uid, "reject": false, "type": 0});
        let records: Vec<_> = FOLLOWERS.iter().map(record).collect();
        let page = json!({"total": records.len(), "page": 1, "pageSize": 20, "records": records});
        Ok(done(&page).into())
    }
}

impl Service for WxPusher {
    fn name(&self) -> &'static str {
        "wxpusher"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        refused(1008, "接口调用频率过快")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // What it drops, it drops later: this is the nearest refusal.
        refused(1009, "消息处理失败")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "token", "token": TOKEN});
        let to = json!({"users": [FOLLOWERS[0]]});
        vec![("wxpusher", json!({"service": "wxpusher", "auth": auth, "to": to}))]
    }

    fn about(&self) -> About {
        About {
            title: "WxPusher",
            paths: "<code>POST /wxpusher/api/send/message</code>, <code>/api/fun/wxuser/v2</code>, \
                    <code>/api/send/query/status</code>",
            auth: "<code>appToken</code> in the body",
            recipients: "users <code>UID_anna</code>, <code>UID_bruno</code>, <code>UID_clara</code>; \
                         <code>UID_left</code> has left; topics <code>1234</code>, <code>5678</code>",
            limits: "40,000 code points and 100 of the summary; 2,000 users and 5 topics; 20 calls in 10 \
                     seconds",
            assumed: &[
                "a recipient that is unknown or has left is told of in its own place, by 1004 or 1005",
                "the words of refusals, and 1009 for what no code is known of",
                "the rate slides, and a refused call does not count",
                "lengths count code points",
            ],
        }
    }
}
