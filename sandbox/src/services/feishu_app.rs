//! Feishu's and Lark's apps: the token, messages, answers and uploads.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::feishu_bot::{Shown, called, post};
use super::{About, Service};
use crate::delivered::Attached;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::memory::Memory;
use crate::multipart;
use crate::route::{self, Handled, Params, Route};
use crate::tokens::{Known, Tokens};
use crate::window::{Window, Windows};

const APP: &str = "cli_a1b2c3d4e5f60718";
const SECRET: &str = "feishu-app-secret0123456789abcdef";
/// A user by each kind of id, one who is not in the range of availability, a chat, and one without the bot.
const USER: [(&str, &str); 4] = [
    ("open_id", "ou_7d8a6e6df7621556ce0d21922b676706"),
    ("union_id", "on_cad4860e7af114fb4ff6c5d496d1dd76"),
    ("user_id", "4d7a3c6g"),
    ("email", "anna@example.com"),
];
const NOT_AVAILABLE: &str = "ou_not_available";
const CHAT: &str = "oc_a0553eda9014c201e6969b478895c230";
const NO_BOT: &str = "oc_without_the_bot";
const MAX_TEXT: usize = 150 << 10;
const MAX_POST: usize = 30 << 10;
const HOUR_MS: u64 = 3_600_000;

const ROUTES: &[Route<FeishuApp>] = &[
    Route::post("/open-apis/auth/v3/tenant_access_token/internal", FeishuApp::token),
    Route::post("/open-apis/im/v1/messages", FeishuApp::send),
    Route::post("/open-apis/im/v1/messages/{id}/reply", FeishuApp::reply),
    Route::post("/open-apis/im/v1/images", FeishuApp::image),
    Route::post("/open-apis/im/v1/files", FeishuApp::file),
];

pub(super) struct FeishuApp {
    tokens: Tokens,
    by_second: Window,
    by_minute: Window,
    to_one: Windows,
    /// The messages of an hour by their `uuid`.
    seen: Memory<Value>,
    /// Where a message is, by its id.
    sent: Memory<String>,
    files: HashMap<String, (bool, Attached)>,
    count: u64,
}

impl Default for FeishuApp {
    fn default() -> FeishuApp {
        FeishuApp {
            tokens: Tokens::new("t-", 2 * HOUR_MS, HOUR_MS / 2),
            by_second: Window::new(50, 1000),
            by_minute: Window::new(1000, 60_000),
            to_one: Windows::new(5, 1000),
            seen: Memory::new(HOUR_MS),
            sent: Memory::new(24 * HOUR_MS),
            files: HashMap::new(),
            count: 0,
        }
    }
}

fn refused(code: u64, words: &str) -> Answer {
    let body =
        json!({"code": code, "msg": words, "error": {"log_id": "20261129", "troubleshooter": ""}});
    Answer::json(400, &body)
}

fn done(data: &Value) -> Answer {
    Answer::json(200, &json!({"code": 0, "msg": "success", "data": data}))
}

impl FeishuApp {
    fn token(&mut self, call: &Call, _: &Params) -> Handled {
        let body = call.object().unwrap_or_default();
        let of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let wrong =
            |code: u64, words: &str| Err(Answer::json(200, &json!({"code": code, "msg": words})));
        if of("app_id") != APP {
            return wrong(10003, "invalid app_id");
        }
        if of("app_secret") != SECRET {
            return wrong(10014, "app secret invalid");
        }
        let (token, expire) = self.tokens.give(call.now_ms);
        let body = json!({"code": 0, "msg": "ok", "tenant_access_token": token, "expire": expire});
        Ok(Answer::json(200, &body).into())
    }

    fn enter(&mut self, call: &Call) -> Result<(), Answer> {
        let Some(token) = call.credentials("Bearer") else {
            return Err(refused(99_991_661, "Missing access token for authorization."));
        };
        if self.tokens.know(token, call.now_ms) != Known::Live {
            return Err(refused(99_991_663, "Invalid access token for authorization."));
        }
        let passed = self.by_second.pass(call.now_ms) & self.by_minute.pass(call.now_ms);
        if call.limits && !passed {
            return Err(self.rate_limited(call));
        }
        Ok(())
    }

    /// Whom a message goes to, by the kind of id that it says.
    fn recipient(&self, call: &Call, body: &Map<String, Value>) -> Result<String, Answer> {
        let id = body.get("receive_id").and_then(Value::as_str).unwrap_or_default();
        match &*call.query("receive_id_type").unwrap_or_default() {
            "chat_id" if id == CHAT => Ok(CHAT.to_owned()),
            "chat_id" if id == NO_BOT => {
                Err(refused(230_002, "Bot/User can NOT be out of the chat."))
            }
            "open_id" if id == NOT_AVAILABLE => {
                Err(refused(230_013, "Bot has NO availability to this user."))
            }
            kind if USER.contains(&(kind, id)) => Ok(USER[0].1.to_owned()),
            "chat_id" | "open_id" | "union_id" | "user_id" | "email" => {
                Err(refused(230_034, "The receive_id is invalid."))
            }
            _ => Err(refused(99_992_402, "field validation failed: receive_id_type")),
        }
    }

    fn send(&mut self, call: &Call, _: &Params) -> Handled {
        self.enter(call)?;
        let body = call.object().map_err(|_| refused(230_001, "invalid request parameter"))?;
        let recipient = self.recipient(call, &body)?;
        self.take(call, &body, recipient, None)
    }

    fn reply(&mut self, call: &Call, params: &Params) -> Handled {
        self.enter(call)?;
        let body = call.object().map_err(|_| refused(230_001, "invalid request parameter"))?;
        let id = params.get("id");
        let Some(recipient) = self.sent.get(id, call.now_ms).cloned() else {
            return Err(refused(230_011, "The message was withdrawn."));
        };
        self.take(call, &body, recipient, Some(id.to_owned()))
    }

    fn take(
        &mut self,
        call: &Call,
        body: &Map<String, Value>,
        recipient: String,
        thread: Option<String>,
    ) -> Handled {
        let of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let uuid = of("uuid");
        if uuid.chars().count() > 50 {
            return Err(refused(230_001, "uuid is too long"));
        }
        if let Some(same) = self.seen.get(uuid, call.now_ms).filter(|_| !uuid.is_empty()) {
            return Ok(done(same).into());
        }
        if call.limits && !self.to_one.ask(&recipient, call).passed {
            return Err(refused(230_020, "This operation triggers the frequency limit."));
        }
        let (shown, attachments) = self.content(of("msg_type"), of("content"), call.body.len())?;
        self.count += 1;
        let id = format!("om_{:032x}", self.count);
        let data = json!({"message_id": id, "msg_type": of("msg_type"), "root_id": thread,
            "create_time": call.now_ms.to_string(), "chat_id": CHAT, "deleted": false,
            "body": {"content": of("content")}});
        if !uuid.is_empty() {
            self.seen.put(uuid, data.clone(), call.now_ms);
        }
        self.sent.put(id.as_str(), recipient.clone(), call.now_ms);
        let delivered = Delivered {
            id: Some(id),
            title: shown.title,
            mentions: shown.mentions,
            attachments,
            thread,
            ..Delivered::to(APP, recipient, shown.text)
        };
        Ok(Outcome::took(done(&data), delivered))
    }

    fn content(
        &self,
        kind: &str,
        content: &str,
        length: usize,
    ) -> Result<(Shown, Vec<Attached>), Answer> {
        let wrong = || refused(230_001, "Your request contains an invalid request parameter.");
        if length > if kind == "text" { MAX_TEXT } else { MAX_POST } {
            return Err(refused(230_025, "The length of the message content reaches its limit."));
        }
        let content: Value = serde_json::from_str(content).map_err(|_| wrong())?;
        let file = |name: &str, image: bool| {
            let key = content[name].as_str().unwrap_or_default();
            match self.files.get(key) {
                Some((is_image, file)) if *is_image == image => Ok(vec![file.clone()]),
                Some(_) => Err(refused(230_055, "The type of file upload does not match.")),
                None => Err(refused(230_017, "Bot is NOT the owner of the file.")),
            }
        };
        let none = Shown::default;
        match kind {
            "text" => match content["text"].as_str().filter(|text| !text.is_empty()) {
                Some(text) => {
                    let mentions = called(&content["text"]);
                    Ok((Shown { text: text.to_owned(), mentions, ..none() }, Vec::new()))
                }
                None => Err(wrong()),
            },
            "post" => match content.as_object().and_then(|languages| languages.values().next()) {
                Some(own) => post(own).map(|shown| (shown, Vec::new())).map_err(|_| wrong()),
                None => Err(wrong()),
            },
            "image" => Ok((none(), file("image_key", true)?)),
            "file" | "audio" | "media" => Ok((none(), file("file_key", false)?)),
            "interactive" => Ok((Shown { text: content.to_string(), ..none() }, Vec::new())),
            "share_chat" | "share_user" => {
                Ok((Shown { text: content.to_string(), ..none() }, Vec::new()))
            }
            _ => Err(wrong()),
        }
    }

    fn upload(&mut self, call: &Call, is_image: bool) -> Handled {
        self.enter(call)?;
        let parts = multipart::parts(call.header("content-type").unwrap_or_default(), &call.body);
        let parts = parts.map_err(|_| refused(234_001, "Invalid request param."))?;
        let text = |name: &str| {
            let part = parts.iter().find(|part| part.name == name && part.file_name.is_none());
            part.map(|part| String::from_utf8_lossy(&part.bytes).into_owned()).unwrap_or_default()
        };
        let (part, most) = if is_image { ("image", 10 << 20) } else { ("file", 30 << 20) };
        // The vendor's own client gives no name of a file.
        let file = parts.iter().find(|own| own.name == part);
        let kinds = ["opus", "mp4", "pdf", "doc", "xls", "ppt", "stream"];
        let is_known = match is_image {
            true => matches!(&*text("image_type"), "message" | "avatar"),
            false => kinds.contains(&&*text("file_type")) && !text("file_name").is_empty(),
        };
        let Some(file) = file.filter(|_| is_known) else {
            return Err(refused(234_001, "Invalid request param."));
        };
        if file.bytes.is_empty() || file.bytes.len() > most {
            return Err(refused(234_006, "The file size exceed the max value."));
        }
        let name = match is_image {
            true => file.file_name.clone().unwrap_or_default(),
            false => text("file_name"),
        };
        self.count += 1;
        let key = format!("{}_v3_{}", if is_image { "img" } else { "file" }, self.count);
        self.files
            .insert(key.clone(), (is_image, Attached::new(&name, &file.content_type, &file.bytes)));
        let name = if is_image { "image_key" } else { "file_key" };
        Ok(done(&json!({name: key})).into())
    }

    fn image(&mut self, call: &Call, _: &Params) -> Handled {
        self.upload(call, true)
    }

    fn file(&mut self, call: &Call, _: &Params) -> Handled {
        self.upload(call, false)
    }
}

impl Service for FeishuApp {
    fn name(&self) -> &'static str {
        "feishu_app"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        let body = json!({"code": 99_991_400, "msg": "request trigger frequency limit"});
        Answer::json(429, &body).with_header("x-ogw-ratelimit-reset", "1")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        refused(230_022, "The content of the message contains sensitive information.")
    }

    fn largest_body(&self) -> usize {
        (30 << 20) + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "app", "id": APP, "secret": SECRET});
        let to = json!({"user": USER[0].1});
        vec![("feishu_app", json!({"service": "feishu_app", "auth": auth, "to": to}))]
    }

    fn about(&self) -> About {
        About {
            title: "Feishu or Lark app",
            paths: "<code>POST /feishu_app/open-apis/auth/v3/tenant_access_token/internal</code>, \
                    <code>…/im/v1/messages</code>, <code>…/{id}/reply</code>, <code>…/images</code>, \
                    <code>…/files</code>",
            auth: "<code>Bearer</code> and a token, which holds for two hours",
            recipients: "one user as <code>ou_7d8a6e6df7621556ce0d21922b676706</code>, \
                         <code>on_cad4860e7af114fb4ff6c5d496d1dd76</code>, <code>4d7a3c6g</code> and \
                         <code>anna@example.com</code>; <code>ou_not_available</code> is out of range; the \
                         chat <code>oc_a0553eda9014c201e6969b478895c230</code>; \
                         <code>oc_without_the_bot</code>",
            limits: "150 KiB of text, 30 KiB of a post or a card; 50 calls a second and 1,000 a minute, 5 \
                     messages a second to one",
            assumed: &[
                "a repeated uuid is answered with the message that it was of",
                "the codes of refused uploads, and that sizes are of the whole body",
                "all rates slide, and a refused call counts",
            ],
        }
    }
}
