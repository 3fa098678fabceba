//! DingTalk's apps: the token, `oToMessages/batchSend`, `groupMessages/send` and the older `media/upload`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Attached, Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::multipart;
use crate::route::{self, Handled, Params, Route};
use crate::shape::{Field, Kind, check, may, must};
use crate::tokens::{Known, Tokens};
use crate::window::Window;

const KEY: &str = "dinghongyan0app";
const SECRET: &str = "dingtalk-app-secret_0123456789abcdefghijklmnopqrstuv";
const USERS: [&str; 3] = ["manager4220", "user2", "user3"];
/// Who gets too much at once.
const SLOWED: &str = "slowed";
const GROUP: &str = "cidHongyan0000==";
const MAX_PARAM: usize = 15_000;
const TWO_HOURS_MS: u64 = 7_200_000;

const ROUTES: &[Route<DingTalkApp>] = &[
    Route::post("/v1.0/oauth2/accessToken", DingTalkApp::token),
    Route::post("/v1.0/robot/oToMessages/batchSend", DingTalkApp::users),
    Route::post("/v1.0/robot/groupMessages/send", DingTalkApp::group),
    Route::post("/media/upload", DingTalkApp::upload),
];

const TITLED: &[Field] = &[must("title", Kind::Text), must("text", Kind::Text)];
const LINK: &[Field] = &[
    must("title", Kind::Text),
    must("text", Kind::Text),
    must("messageUrl", Kind::Text),
    may("picUrl", Kind::Text),
];
const FILE: &[Field] =
    &[must("mediaId", Kind::Text), must("fileName", Kind::Text), must("fileType", Kind::Text)];
const CARD: &[Field] = &[must("title", Kind::Text), must("text", Kind::Text)];
const KINDS: [(&str, &[Field]); 8] = [
    ("sampleText", &[must("content", Kind::Text)]),
    ("sampleMarkdown", TITLED),
    ("sampleImageMsg", &[must("photoURL", Kind::Text)]),
    ("sampleLink", LINK),
    ("sampleActionCard", CARD),
    ("sampleActionCard2", CARD),
    ("sampleActionCard6", CARD),
    ("sampleFile", FILE),
];

pub(super) struct DingTalkApp {
    tokens: Tokens,
    /// One an interface.
    calls: [Window; 2],
    files: HashMap<String, Attached>,
    count: u64,
}

impl Default for DingTalkApp {
    fn default() -> DingTalkApp {
        DingTalkApp {
            tokens: Tokens::new("ding", TWO_HOURS_MS, 0),
            calls: [Window::new(20, 1000), Window::new(20, 1000)],
            files: HashMap::new(),
            count: 0,
        }
    }
}

fn refused_in(status: u16, code: &str, words: &str) -> Answer {
    let id = "3F2A1D6C-0000-7000-A000-000000000001";
    Answer::json(status, &json!({"code": code, "message": words, "requestid": id}))
}

fn refused(code: &str, words: &str) -> Answer {
    refused_in(400, code, words)
}

impl DingTalkApp {
    fn token(&mut self, call: &Call, _: &Params) -> Handled {
        let body = call.object().unwrap_or_default();
        let of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        if (of("appKey"), of("appSecret")) != (KEY, SECRET) {
            return Err(refused("invalidClientIdOrSecret", "无效的clientId或者clientSecret"));
        }
        let (token, lasts) = self.tokens.give(call.now_ms);
        Ok(Answer::json(200, &json!({"accessToken": token, "expireIn": lasts})).into())
    }

    fn body(&mut self, call: &Call, interface: usize) -> Result<Map<String, Value>, Answer> {
        match call.header("x-acs-dingtalk-access-token") {
            None => {
                let words = "x-acs-dingtalk-access-token is mandatory for this action";
                return Err(refused("AuthenticationFailed.MissingParameter", words));
            }
            Some(token) if self.tokens.know(token, call.now_ms) != Known::Live => {
                return Err(refused("InvalidAuthentication", "不合法的access_token"));
            }
            Some(_) => {}
        }
        if call.limits && !self.calls[interface].pass(call.now_ms) {
            return Err(self.rate_limited(call));
        }
        let body =
            call.object().map_err(|words| refused("invalidParameter.param.invalid", &words))?;
        match body.get("robotCode").and_then(Value::as_str) {
            None | Some("") => Err(refused("invalidParameter.robotCode.empty", "robotCode为空")),
            Some(KEY) => Ok(body),
            Some(_) => Err(refused("invalidParameter.robotCode.notExsit", "robotCode不存在")),
        }
    }

    fn content(&self, body: &Map<String, Value>) -> Result<Delivered, Answer> {
        let of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some((key, fields)) = KINDS.into_iter().find(|(key, _)| *key == of("msgKey")) else {
            return Err(refused("invalidParameter.msgKey.invalid", "msgKey不合法"));
        };
        let param = of("msgParam");
        if param.len() > MAX_PARAM {
            return Err(refused("invalidParameter.msgParam.tooLong", "msgParam过长"));
        }
        let Ok(Value::Object(param)) = serde_json::from_str(param) else {
            return Err(refused("invalidParameter.msgParam.invalid", "msgParam不合法"));
        };
        check(&param, fields)
            .map_err(|words| refused("invalidParameter.msgParam.invalid", &words))?;
        let value = |name: &str| param.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut delivered = Delivered::to(KEY, "", "");
        match key {
            "sampleText" => delivered.text = value("content").to_owned(),
            "sampleImageMsg" => match self.files.get(value("photoURL")) {
                Some(file) => delivered.attachments = vec![file.clone()],
                None if value("photoURL").starts_with("http") => {
                    delivered.attachments = vec![Attached::at(value("photoURL"))];
                }
                None => return Err(refused("miss.param.photoTophotoUrl", "photoURL")),
            },
            "sampleFile" => match self.files.get(value("mediaId")) {
                Some(file) => {
                    let mut file = file.clone();
                    file.name = value("fileName").to_owned();
                    delivered.attachments = vec![file];
                }
                None => return Err(refused("miss.param.file", "mediaId")),
            },
            _ => {
                delivered.title = Some(value("title").to_owned());
                delivered.text = value("text").to_owned();
                if key != "sampleLink" {
                    delivered.format = Format::Markdown(Dialect::CommonMark);
                }
            }
        }
        if delivered.text.is_empty() && delivered.attachments.is_empty() {
            return Err(refused("invalidParameter.msgParam.invalid", "content为空"));
        }
        Ok(delivered)
    }

    fn key(&mut self) -> String {
        self.count += 1;
        format!("hongyanProcessQueryKey{:08}=", self.count)
    }

    fn users(&mut self, call: &Call, _: &Params) -> Handled {
        let body = self.body(call, 0)?;
        let users = body.get("userIds").and_then(Value::as_array).cloned().unwrap_or_default();
        let users: Vec<_> = users.iter().filter_map(Value::as_str).collect();
        if users.is_empty() {
            return Err(refused("invalidParameter.userIds.empty", "userIds为空"));
        }
        if users.len() > 20 {
            return Err(refused("invalidParameter.userIds.overMax", "userIds数量超过限制"));
        }
        let content = self.content(&body)?;
        let key = self.key();
        let (mut invalid, mut slowed, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
        for user in users {
            match user {
                SLOWED => slowed.push(user),
                user if USERS.contains(&user) => delivered.push(Delivered {
                    recipient: user.to_owned(),
                    id: Some(key.clone()),
                    ..content.clone()
                }),
                user => invalid.push(user),
            }
        }
        let answer = json!({"processQueryKey": key, "invalidStaffIdList": invalid,
            "flowControlledStaffIdList": slowed});
        Ok(Outcome { answer: Answer::json(200, &answer), delivered })
    }

    fn group(&mut self, call: &Call, _: &Params) -> Handled {
        let body = self.body(call, 1)?;
        match body.get("openConversationId").and_then(Value::as_str) {
            None | Some("") => {
                return Err(refused("miss.openConversationId", "缺少openConversationId"));
            }
            Some(GROUP) => {}
            Some(_) => {
                return Err(refused("invalid.openConversationId", "无效的openConversationId"));
            }
        }
        let content = self.content(&body)?;
        let key = self.key();
        let answer = Answer::json(200, &json!({"processQueryKey": key}));
        let delivered = Delivered { recipient: GROUP.to_owned(), id: Some(key), ..content };
        Ok(Outcome::took(answer, delivered))
    }

    fn upload(&mut self, call: &Call, _: &Params) -> Handled {
        let old =
            |code: u32, words: &str| Answer::json(200, &json!({"errcode": code, "errmsg": words}));
        let token = call.query("access_token").unwrap_or_default();
        if self.tokens.know(&token, call.now_ms) != Known::Live {
            let words = "ding talk error[subcode=40014,submsg=不合法的access_token]";
            let body = json!({"errcode": 88, "sub_code": "40014", "sub_msg": "不合法的access_token",
                "errmsg": words});
            return Err(Answer::json(200, &body));
        }
        let parts = multipart::parts(call.header("content-type").unwrap_or_default(), &call.body);
        let parts = parts.map_err(|_| old(41005, "缺少多媒体文件数据"))?;
        let kind = parts.iter().find(|part| part.name == "type").map(|part| part.bytes.to_vec());
        if !matches!(kind.as_deref(), Some(b"image" | b"voice" | b"video" | b"file")) {
            return Err(old(40004, "不合法的媒体文件类型"));
        }
        let file = parts.iter().find(|part| part.name == "media" && part.file_name.is_some());
        let Some(file) = file.filter(|file| !file.bytes.is_empty()) else {
            return Err(old(44001, "空白的二进制数据"));
        };
        if file.bytes.len() > 20 << 20 {
            return Err(old(40006, "不合法的文件大小"));
        }
        self.count += 1;
        let id = format!("@hongyanMedia{}", self.count);
        let name = file.file_name.as_deref().unwrap_or_default();
        self.files.insert(id.clone(), Attached::new(name, &file.content_type, &file.bytes));
        let body = json!({"errcode": 0, "errmsg": "ok", "media_id": id, "type": "file",
            "created_at": call.now_ms});
        Ok(Answer::json(200, &body).into())
    }
}

impl Service for DingTalkApp {
    fn name(&self) -> &'static str {
        "dingtalk_app"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        let code = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi";
        refused_in(403, code, "触发了接口的流控")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // What it drops, it drops later: this is the nearest refusal.
        refused("contain.notAllowed.content", "内容不合法")
    }

    fn largest_body(&self) -> usize {
        (20 << 20) + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "app", "key": KEY, "secret": SECRET});
        let to = json!({"users": [USERS[0]]});
        let account = json!({"service": "dingtalk_app", "auth": auth, "robot_code": KEY, "to": to});
        vec![("dingtalk_app", account)]
    }

    fn about(&self) -> About {
        About {
            title: "DingTalk app",
            paths: "<code>POST /dingtalk_app/v1.0/oauth2/accessToken</code>, \
                    <code>…/robot/oToMessages/batchSend</code>, <code>…/robot/groupMessages/send</code>, \
                    <code>…/media/upload</code>",
            auth: "a token in <code>x-acs-dingtalk-access-token</code>, which holds for two hours; in the \
                   query of an upload",
            recipients: "users <code>manager4220</code>, <code>user2</code>, <code>user3</code>; \
                         <code>slowed</code> gets too much; the group <code>cidHongyan0000==</code>",
            limits: "20 users; 15,000 bytes of msgParam; 20 calls a second and interface",
            assumed: &[
                "a message to unknown users alone is answered by the list of them",
                "the token of the newer interfaces holds for uploads too",
                "the rate slides, and a refused call does not count",
            ],
        }
    }
}
