//! ServerChan: `POST /KEY.send` of Turbo, and `POST /send/KEY.send` of Server酱³.

use serde_json::{Value, json};

use super::{About, Service};
use crate::delivered::{Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Params, Route};
use crate::window::Window;

const TURBO: &str = "SCT1234TabcdefGHIJ";
/// A key of the free plan.
const FREE: &str = "SCT5TfreefreeFREE";
const SERVER3: &str = "sctp987tAbC123";
/// What the free plan sends in a day.
const A_DAY: usize = 5;
const DAY_MS: u64 = 86_400_000;
const LONGEST: usize = 32 << 10;

const ROUTES: &[Route<ServerChan>] = &[
    Route::post("/{key}.send", ServerChan::turbo),
    Route::get("/{key}.send", ServerChan::turbo),
    Route::post("/send/{key}.send", ServerChan::server3),
    Route::get("/send/{key}.send", ServerChan::server3),
];

pub(super) struct ServerChan {
    of_the_day: Window,
    pushes: u64,
}

impl Default for ServerChan {
    fn default() -> ServerChan {
        ServerChan { of_the_day: Window::new(A_DAY, DAY_MS), pushes: 27_374_050 }
    }
}

fn refused(code: u32, scode: u32, words: &str) -> Answer {
    let info = words.split_once(']').map_or(words, |(_, info)| info);
    let body =
        json!({"message": words, "code": code, "info": info, "args": [null], "scode": scode});
    Answer::json(400, &body)
}

impl ServerChan {
    fn turbo(&mut self, call: &Call, params: &Params) -> Handled {
        let key = params.get("key");
        if key != TURBO && key != FREE {
            return Err(refused(40001, 461, "[AUTH]错误的Key"));
        }
        let message = taken(call, key)?;
        if key == FREE && call.limits && !self.of_the_day.pass(call.now_ms) {
            return Err(refused(40001, 471, "[AUTH]超过当天的发送次数限制[5]"));
        }
        self.pushes += 1;
        let id = self.pushes.to_string();
        let body = json!({"code": 0, "message": "", "data": {"pushid": id,
            "readkey": format!("SCTr{id}"), "error": "SUCCESS", "errno": 0}});
        Ok(Outcome::took(Answer::json(200, &body), Delivered { id: Some(id), ..message }))
    }

    fn server3(&mut self, call: &Call, params: &Params) -> Handled {
        if params.get("key") != SERVER3 {
            return Err(refused(40001, 461, "[AUTH]错误的Key"));
        }
        let message = taken(call, SERVER3)?;
        self.pushes += 1;
        let id = self.pushes.to_string();
        let body = json!({"code": 0, "message": "SUCCESS", "data": {"pushid": id}});
        Ok(Outcome::took(Answer::json(200, &body), Delivered { id: Some(id), ..message }))
    }
}

/// The message of a request; whichever way its fields came.
fn taken(call: &Call, key: &str) -> Result<Delivered, Answer> {
    let fields = call.fields().map_err(|_| refused(40002, 460, "[INPUT]参数错误"))?;
    let field = |name: &str| fields.text(name).unwrap_or_default().into_owned();
    let title = match field("title") {
        title if title.is_empty() => field("text"),
        title => title,
    };
    if title.trim().is_empty() {
        return Err(refused(20001, 460, "[INPUT]标题不能为空"));
    }
    let text = field("desp");
    if text.len() > LONGEST {
        return Err(refused(20002, 460, "[INPUT]内容过长"));
    }
    Ok(Delivered {
        title: Some(title),
        format: Format::Markdown(Dialect::CommonMark),
        ..Delivered::to(key, "", text)
    })
}

impl Service for ServerChan {
    fn name(&self) -> &'static str {
        "serverchan"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        refused(40003, 471, "[LIMIT]发送频率过快")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        refused(40002, 460, "[INPUT]参数错误")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let account =
            |key: &str| json!({"service": "serverchan", "auth": {"type": "key", "key": key}});
        vec![("serverchan", account(TURBO)), ("serverchan-key-server3", account(SERVER3))]
    }

    fn about(&self) -> About {
        About {
            title: "ServerChan (Server酱)",
            paths: "<code>POST /serverchan/KEY.send</code>, <code>/serverchan/send/KEY.send</code>",
            auth: "the key in the path",
            recipients: "none: the key is its owner's",
            limits: "32 KiB of <code>desp</code>; with the key <code>SCT5TfreefreeFREE</code> 5 a day",
            assumed: &[
                "the words of refusals other than of a wrong key and of the day's limit",
                "the day's limit slides",
                "Server酱³ refuses as Turbo does, and its success names the push",
            ],
        }
    }
}
