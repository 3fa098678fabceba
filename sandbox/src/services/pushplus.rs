//! PushPlus: `POST /send`, whose every answer has HTTP 200.

use serde_json::{Value, json};

use super::{About, Service};
use crate::delivered::{Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Params, Route};
use crate::window::Window;

const TOKEN: &str = "be8652e98bd04139a13e1bffcd6d0f71";
/// Codes of groups.
const TOPICS: [&str; 2] = ["letters", "code"];
const LONGEST_TITLE: usize = 100;
const LONGEST: usize = 20_000;
/// What an account may ask for in a day.
const A_DAY: usize = 200;
const DAY_MS: u64 = 86_400_000;
const TEMPLATES: [&str; 8] =
    ["html", "txt", "json", "markdown", "cloudMonitor", "jenkins", "route", "pay"];
const CHANNELS: [&str; 11] = [
    "wechat",
    "app",
    "extension",
    "webhook",
    "clawbot",
    "cmcc",
    "qq",
    "cp",
    "mail",
    "sms",
    "voice",
];

const ROUTES: &[Route<PushPlus>] = &[
    Route::post("/send", PushPlus::send),
    Route::get("/send", PushPlus::send),
    Route::post("/send/{token}", PushPlus::send),
    Route::get("/send/{token}", PushPlus::send),
];

pub(super) struct PushPlus {
    of_the_day: Window,
    sent: u64,
}

impl Default for PushPlus {
    fn default() -> PushPlus {
        PushPlus { of_the_day: Window::new(A_DAY, DAY_MS), sent: 0 }
    }
}

fn refused(code: u32, words: &str) -> Answer {
    Answer::json(200, &json!({"code": code, "msg": words, "data": null}))
}

impl PushPlus {
    fn send(&mut self, call: &Call, params: &Params) -> Handled {
        let fields = call.fields().map_err(|_| refused(600, "数据异常，操作失败"))?;
        let field = |name: &str| fields.text(name).unwrap_or_default().into_owned();
        let token = match field("token") {
            token if token.is_empty() => params.get("token").to_owned(),
            token => token,
        };
        if token != TOKEN {
            return Err(refused(903, "用户令牌不正确"));
        }
        // Assumed: whatever has a token counts, and what is refused for that too.
        if !self.of_the_day.pass(call.now_ms) && call.limits {
            return Err(refused(900, "用户账号使用受限，请求次数过多"));
        }
        let or = |name: &str, default: &str| match field(name) {
            value if value.is_empty() => default.to_owned(),
            value => value,
        };
        let (template, channel) = (or("template", "html"), or("channel", "wechat"));
        let (title, text, topic) = (field("title"), field("content"), field("topic"));
        if text.trim().is_empty() {
            return Err(refused(999, "消息内容不能为空"));
        }
        if title.chars().count() > LONGEST_TITLE || text.chars().count() > LONGEST {
            return Err(refused(999, "消息标题或内容过长"));
        }
        if !TEMPLATES.contains(&&*template) || !CHANNELS.contains(&&*channel) {
            return Err(refused(999, "发送模板或渠道不存在"));
        }
        if !topic.is_empty() && !TOPICS.contains(&&*topic) {
            return Err(refused(999, "群组编码不存在"));
        }
        self.sent += 1;
        let id = format!("{:032x}", self.sent);
        let answer = json!({"code": 200, "msg": "请求成功", "data": id, "count": null});
        // A message whose time has passed is taken all the same, and reaches nobody.
        let late = field("timestamp").parse::<u64>().is_ok_and(|until| until < call.now_ms);
        if late {
            return Ok(Answer::json(200, &answer).into());
        }
        let format = match &*template {
            "html" => Format::Html,
            "markdown" => Format::Markdown(Dialect::CommonMark),
            _ => Format::Plain,
        };
        let message = Delivered {
            id: Some(id),
            title: Some(title).filter(|title| !title.is_empty()),
            format,
            ..Delivered::to(TOKEN, topic, text)
        };
        Ok(Outcome::took(Answer::json(200, &answer), message))
    }
}

impl Service for PushPlus {
    fn name(&self) -> &'static str {
        "pushplus"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        refused(900, "用户账号使用受限，请求次数过多")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // What it drops, it drops later: this is the nearest refusal.
        refused(999, "服务端验证错误")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "token", "token": TOKEN});
        vec![("pushplus", json!({"service": "pushplus", "auth": auth}))]
    }

    fn about(&self) -> About {
        About {
            title: "PushPlus",
            paths: "<code>POST /pushplus/send</code>",
            auth: "<code>token</code> in the body, the query or the path",
            recipients: "none, or the group <code>letters</code> in <code>topic</code>",
            limits: "a title of 100 and a text of 20,000 code points; 200 requests a day",
            assumed: &[
                "the words of refusals, and that all of them but the token's and the day's are 999",
                "the day slides, and a refused request counts as long as the token is right",
                "an account that asked too often is free again when the day is over",
            ],
        }
    }
}
