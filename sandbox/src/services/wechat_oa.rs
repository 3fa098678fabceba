//! WeChat's official accounts: `stable_token`, `media/upload`, customer messages, templates and subscriptions.

use serde_json::{Map, Value, json};

use super::wecom_bot::has_escapes;
use super::{About, Service};
use crate::delivered::Attached;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::memory::Memory;
use crate::multipart;
use crate::route::{self, Handled, Params, Route};
use crate::shape::{Field, Kind, check, must};
use crate::tokens::{Known, Tokens};

const APP: &str = "wx0123456789abcdef";
const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// A follower who wrote lately and has subscribed, one who has not, and one who left.
const ANNA: &str = "oAnna6_hongyan0123456789abcd";
const SILENT: &str = "oSilent_hongyan0123456789abc";
const LEFT: &str = "oLeft_hongyan0123456789abcde";
const TEMPLATES: [&str; 3] = ["tpl-disk", "tpl-sub", "tpl-once"];
const TEN_MINUTES_MS: u64 = 600_000;
const TWO_HOURS_MS: u64 = 7_200_000;
const THREE_DAYS_MS: u64 = 3 * 86_400_000;

const ROUTES: &[Route<WeChatOa>] = &[
    Route::post("/cgi-bin/stable_token", WeChatOa::stable),
    Route::get("/cgi-bin/token", WeChatOa::old),
    Route::post("/cgi-bin/media/upload", WeChatOa::upload),
    Route::post("/cgi-bin/message/custom/send", WeChatOa::custom),
    Route::post("/cgi-bin/message/template/send", WeChatOa::template),
    Route::post("/cgi-bin/message/subscribe/bizsend", WeChatOa::subscription),
    Route::post("/cgi-bin/message/template/subscribe", WeChatOa::once),
];

const CONTENT: &[Field] = &[must("content", Kind::Text)];
const ARTICLE: &[Field] = &[must("title", Kind::Text), must("url", Kind::Text)];
const NEWS: &[Field] = &[must("articles", Kind::List(ARTICLE))];
const MEDIA: &[Field] = &[must("media_id", Kind::Text)];
const CARD: &[Field] = &[must("card_id", Kind::Text)];
const ANY: &[Field] = &[];
const TYPES: [(&str, &[Field]); 11] = [
    ("text", CONTENT),
    ("image", MEDIA),
    ("voice", MEDIA),
    ("video", MEDIA),
    ("music", ANY),
    ("news", NEWS),
    ("mpnews", MEDIA),
    ("mpnewsarticle", ANY),
    ("msgmenu", ANY),
    ("wxcard", CARD),
    ("miniprogrampage", ANY),
];

pub(super) struct WeChatOa {
    stable: Tokens,
    /// The older kind: each request makes a new one, and ends the one before.
    old: Option<(String, u64)>,
    /// Templates of ten minutes, by user and `client_msg_id`.
    seen: Memory<u64>,
    /// Files of three days with their types, by the id that each was given.
    media: Memory<(String, Attached)>,
    count: u64,
}

impl Default for WeChatOa {
    fn default() -> WeChatOa {
        WeChatOa {
            stable: Tokens::new("oa-", TWO_HOURS_MS, TEN_MINUTES_MS / 2),
            old: None,
            seen: Memory::new(TEN_MINUTES_MS),
            media: Memory::new(THREE_DAYS_MS),
            count: 200_228_000,
        }
    }
}

fn refused(code: i64, words: &str) -> Answer {
    let words = format!("{words} rid: 69c0ffee-1a2b3c4d-5e6f7a8b");
    Answer::json(200, &json!({"errcode": code, "errmsg": words}))
}

fn check_app(id: &str, secret: &str) -> Result<(), Answer> {
    match (id, secret) {
        ("", _) => Err(refused(41002, "appid missing")),
        (_, "") => Err(refused(41004, "appsecret missing")),
        (APP, SECRET) => Ok(()),
        (APP, _) => Err(refused(40125, "invalid appsecret")),
        _ => Err(refused(40013, "invalid appid")),
    }
}

impl WeChatOa {
    fn stable(&mut self, call: &Call, _: &Params) -> Handled {
        let body = call.object().map_err(|_| refused(47001, "data format error"))?;
        let of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        if of("grant_type") != "client_credential" {
            return Err(refused(40002, "invalid grant_type"));
        }
        check_app(of("appid"), of("secret"))?;
        let (token, lasts) = self.stable.give(call.now_ms);
        Ok(Answer::json(200, &json!({"access_token": token, "expires_in": lasts})).into())
    }

    fn old(&mut self, call: &Call, _: &Params) -> Handled {
        let of = |name: &str| call.query(name).unwrap_or_default();
        if of("grant_type") != "client_credential" {
            return Err(refused(40002, "invalid grant_type"));
        }
        check_app(&of("appid"), &of("secret"))?;
        self.count += 1;
        let token = format!("oa-old-{}", self.count);
        self.old = Some((token.clone(), call.now_ms + TWO_HOURS_MS));
        Ok(Answer::json(200, &json!({"access_token": token, "expires_in": 7200})).into())
    }

    fn check_token(&self, call: &Call) -> Result<(), Answer> {
        let token = call.query("access_token").unwrap_or_default();
        if token.is_empty() {
            return Err(refused(41001, "access_token missing"));
        }
        let is_old = |(own, ends_ms): &(String, u64)| *own == token && call.now_ms < *ends_ms;
        if !self.old.as_ref().is_some_and(is_old) {
            match self.stable.know(&token, call.now_ms) {
                Known::Live => {}
                Known::Ended => return Err(refused(42001, "access_token expired")),
                Known::Never => {
                    let words = "invalid credential, access_token is invalid or not latest";
                    return Err(refused(40001, words));
                }
            }
        }
        Ok(())
    }

    fn upload(&mut self, call: &Call, _: &Params) -> Handled {
        self.check_token(call)?;
        let kind = call.query("type").unwrap_or_default();
        let (most, endings): (usize, &[&str]) = match &*kind {
            "image" => (10 << 20, &["jpg", "jpeg", "png", "gif"]),
            "voice" => (2 << 20, &["amr", "mp3"]),
            "video" => (10 << 20, &["mp4"]),
            "thumb" => (64 << 10, &["jpg"]),
            _ => return Err(refused(40004, "invalid media type")),
        };
        let parts = multipart::parts(call.header("content-type").unwrap_or_default(), &call.body);
        let file = parts.ok().into_iter().flatten().find(|part| part.name == "media");
        let Some(file) = file else { return Err(refused(41005, "media data missing")) };
        let Some(name) = &file.file_name else { return Err(refused(41005, "media data missing")) };
        let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        if !endings.contains(&&*ending) {
            return Err(refused(40005, "invalid file type"));
        }
        if file.bytes.is_empty() {
            return Err(refused(44001, "empty media data"));
        }
        if file.bytes.len() > most {
            return Err(refused(45001, "media size out of limit"));
        }
        self.count += 1;
        let id = format!("oa-media-{}", self.count);
        let attached = Attached::new(name, &file.content_type, &file.bytes);
        self.media.put(id.as_str(), (kind.clone(), attached), call.now_ms);
        let body = json!({"errcode": 0, "errmsg": "ok", "type": kind, "media_id": id,
            "created_at": call.now_s()});
        Ok(Answer::json(200, &body).into())
    }

    /// The body of a message, and the user that it is to.
    fn enter(&mut self, call: &Call) -> Result<(Map<String, Value>, String), Answer> {
        self.check_token(call)?;
        if has_escapes(&call.body) {
            return Err(refused(
                40033,
                "invalid charset. please check your request, if include \\uxxxx",
            ));
        }
        let body = call.object().map_err(|_| refused(47001, "data format error"))?;
        let user = body.get("touser").and_then(Value::as_str).unwrap_or_default().to_owned();
        match &*user {
            ANNA | SILENT => Ok((body, user)),
            LEFT => Err(refused(43004, "require subscribe")),
            _ => Err(refused(40003, "invalid openid")),
        }
    }

    fn custom(&mut self, call: &Call, _: &Params) -> Handled {
        let (body, user) = self.enter(call)?;
        if user != ANNA {
            let words = "response out of time limit or subscription is canceled";
            return Err(refused(45015, words));
        }
        let kind = body.get("msgtype").and_then(Value::as_str).unwrap_or_default();
        let Some((name, fields)) = TYPES.into_iter().find(|(name, _)| *name == kind) else {
            return Err(refused(40008, "invalid message type"));
        };
        let Some(Value::Object(content)) = body.get(name) else {
            return Err(refused(44004, "empty content"));
        };
        check(content, fields).map_err(|words| refused(47001, &words))?;
        let mut attachments = Vec::new();
        let text = match name {
            "image" | "voice" | "video" => {
                let id = content["media_id"].as_str().unwrap_or_default();
                let own = self.media.get(id, call.now_ms).filter(|(kind, _)| kind == name);
                let Some((_, file)) = own else {
                    return Err(refused(40007, "invalid media_id"));
                };
                attachments.push(file.clone());
                String::new()
            }
            "text" => content["content"].as_str().unwrap_or_default().to_owned(),
            "news" => content["articles"][0]["title"].as_str().unwrap_or_default().to_owned(),
            _ => Value::from(content.clone()).to_string(),
        };
        if text.is_empty() && attachments.is_empty() {
            return Err(refused(44004, "empty content"));
        }
        let delivered = Delivered { attachments, ..Delivered::to(APP, user, text) };
        Ok(Outcome::took(Answer::json(200, &json!({"errcode": 0, "errmsg": "ok"})), delivered))
    }

    /// The values of a template as lines.
    fn values(&self, body: &Map<String, Value>, own: &str) -> Result<String, Answer> {
        if body.get("template_id").and_then(Value::as_str) != Some(own) {
            return Err(refused(40037, "invalid template_id"));
        }
        let Some(data) = body.get("data").and_then(Value::as_object) else {
            return Err(refused(47003, "argument invalid! data is missing"));
        };
        let line = |(name, value): (&String, &Value)| match value["value"].as_str() {
            Some(text) if !name.starts_with("thing") || text.chars().count() <= 20 => {
                Ok(text.to_owned())
            }
            _ => Err(refused(47003, &format!("argument invalid! data.{name}.value invalid"))),
        };
        Ok(data.iter().map(line).collect::<Result<Vec<_>, _>>()?.join("\n"))
    }

    fn template(&mut self, call: &Call, _: &Params) -> Handled {
        let (body, user) = self.enter(call)?;
        let text = self.values(&body, TEMPLATES[0])?;
        let own = body.get("client_msg_id").and_then(Value::as_str).unwrap_or_default();
        let key = format!("{user} {own}");
        let answer =
            |id: u64| Answer::json(200, &json!({"errcode": 0, "errmsg": "ok", "msgid": id}));
        if let Some(id) = self.seen.get(&key, call.now_ms).filter(|_| !own.is_empty()) {
            return Ok(answer(*id).into());
        }
        self.count += 1;
        if !own.is_empty() {
            self.seen.put(key, self.count, call.now_ms);
        }
        let id = Some(self.count.to_string());
        Ok(Outcome::took(answer(self.count), Delivered { id, ..Delivered::to(APP, user, text) }))
    }

    fn subscription(&mut self, call: &Call, _: &Params) -> Handled {
        let (body, user) = self.enter(call)?;
        let text = self.values(&body, TEMPLATES[1])?;
        if user != ANNA {
            return Err(refused(43101, "user refuse to accept the msg"));
        }
        let answer = Answer::json(200, &json!({"errcode": 0, "errmsg": "ok"}));
        Ok(Outcome::took(answer, Delivered::to(APP, user, text)))
    }

    fn once(&mut self, call: &Call, _: &Params) -> Handled {
        let (body, user) = self.enter(call)?;
        let text = self.values(&body, TEMPLATES[2])?;
        let title = body.get("title").and_then(Value::as_str).map(str::to_owned);
        if title.as_ref().is_some_and(|title| title.chars().count() > 15) {
            return Err(refused(45003, "title size out of limit"));
        }
        let answer = Answer::json(200, &json!({"errcode": 0, "errmsg": "ok"}));
        Ok(Outcome::took(answer, Delivered { title, ..Delivered::to(APP, user, text) }))
    }
}

impl Service for WeChatOa {
    fn name(&self) -> &'static str {
        "wechat_oa"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        refused(45011, "api minute-quota reach limit  must slower  retry next minute")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // What it drops, it drops later: this is the nearest refusal.
        refused(87014, "risky content")
    }

    fn largest_body(&self) -> usize {
        (10 << 20) + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "app", "id": APP, "secret": SECRET});
        let to = json!({"user": ANNA});
        vec![("wechat_oa", json!({"service": "wechat_oa", "auth": auth, "to": to}))]
    }

    fn about(&self) -> About {
        About {
            title: "WeChat official account",
            paths: "<code>POST /wechat_oa/cgi-bin/stable_token</code>, <code>GET …/token</code>, \
                    <code>POST …/media/upload</code>, <code>…/message/custom/send</code>, <code>…/template/send</code>, \
                    <code>…/subscribe/bizsend</code>, <code>…/template/subscribe</code>",
            auth: "a token in the query, which holds for two hours",
            recipients: "<code>oAnna6_hongyan0123456789abcd</code>, who wrote lately; \
                         <code>oSilent_hongyan0123456789abc</code>, who did not; \
                         <code>oLeft_hongyan0123456789abcde</code>; the templates <code>tpl-disk</code>, \
                         <code>tpl-sub</code> and, once, <code>tpl-once</code>",
            limits: "none of messages is counted",
            assumed: &[
                "a repeated client_msg_id is answered with the id of the first message",
                "a token of the older kind ends at once where another is made",
                "a fault in a field is 47001",
                "a file is of the type that its name ends in; one of another type is 40005",
                "a media_id is of use for messages of the type that it went up as",
            ],
        }
    }
}
