//! WeCom's apps: `gettoken`, `message/send`, `appchat/send` and `media/upload`.

use serde_json::{Map, Value, json};

use super::wecom_bot::has_escapes;
use super::{About, Service};
use crate::delivered::{Attached, Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::memory::Memory;
use crate::multipart;
use crate::route::{self, Handled, Params, Route};
use crate::shape::{Field, Kind, check, may, must};
use crate::tokens::{Known, Tokens};
use crate::window::{Window, Windows};

const CORP: &str = "ww0123456789abcdef";
const AGENT: u64 = 1_000_002;
const SECRET: &str = "wecom-app-secret_0123456789abcdefghijklm";
/// Who is in the app's range, who is in it without a licence, and what else it can send to.
const MEMBERS: [&str; 3] = ["anna", "bruno", "clara"];
const UNLICENSED: &str = "nolicence";
const PARTIES: [&str; 2] = ["2", "3"];
const TAGS: [&str; 1] = ["7"];
const CHAT: &str = "goose-group";
const MAX_TEXT: usize = 2048;
const TWO_HOURS_MS: u64 = 7_200_000;
const HOUR_MS: u64 = 3_600_000;
const THREE_DAYS_MS: u64 = 3 * 86_400_000;
/// Assumed: how many wrong secrets in an hour block the address.
const WRONG_SECRETS: usize = 20;

const ROUTES: &[Route<WeComApp>] = &[
    Route::get("/cgi-bin/gettoken", WeComApp::token),
    Route::post("/cgi-bin/message/send", WeComApp::send),
    Route::post("/cgi-bin/appchat/send", WeComApp::chat),
    Route::post("/cgi-bin/media/upload", WeComApp::upload),
];

const CONTENT: &[Field] = &[must("content", Kind::Text), may("mentioned_list", Kind::Texts)];
const MEDIA: &[Field] = &[must("media_id", Kind::Text)];
const TEXT_CARD: &[Field] = &[
    must("title", Kind::Text),
    must("description", Kind::Text),
    must("url", Kind::Text),
    may("btntxt", Kind::Text),
];
const ARTICLE: &[Field] =
    &[must("title", Kind::Text), may("url", Kind::Text), may("description", Kind::Text)];
const NEWS: &[Field] = &[must("articles", Kind::List(ARTICLE))];
const ANY: &[Field] = &[];
const TYPES: [(&str, &[Field]); 11] = [
    ("text", CONTENT),
    ("markdown", CONTENT),
    ("image", MEDIA),
    ("voice", MEDIA),
    ("video", MEDIA),
    ("file", MEDIA),
    ("textcard", TEXT_CARD),
    ("news", NEWS),
    ("mpnews", ANY),
    ("miniprogram_notice", ANY),
    ("template_card", ANY),
];

pub(super) struct WeComApp {
    tokens: Tokens,
    /// Lets wrong secrets pass, until there are too many.
    wrong: Window,
    calls: Window,
    by_minute: Windows,
    by_hour: Windows,
    /// What a member got whose request asked to look for the same.
    seen: Memory<()>,
    media: Memory<Attached>,
    uploads: usize,
    messages: u64,
}

impl Default for WeComApp {
    fn default() -> WeComApp {
        WeComApp {
            tokens: Tokens::new("wecom-", TWO_HOURS_MS, 0),
            wrong: Window::new(WRONG_SECRETS, HOUR_MS),
            calls: Window::new(10_000, 60_000),
            by_minute: Windows::new(30, 60_000),
            by_hour: Windows::new(1000, HOUR_MS),
            seen: Memory::new(HOUR_MS / 2),
            media: Memory::new(THREE_DAYS_MS),
            uploads: 0,
            messages: 4711,
        }
    }
}

fn refused(code: i64, words: &str) -> Answer {
    let more = format!("https://open.work.weixin.qq.com/devtool/query?e={code}");
    let words = format!("{words}, hint: [1], from ip: 127.0.0.1, more info at {more}");
    Answer::json(200, &json!({"errcode": code, "errmsg": words}))
}

/// A message, read: its text and whatever else its reader sees, and the whole of its content.
struct Content {
    delivered: Delivered,
    same: String,
}

impl WeComApp {
    fn token(&mut self, call: &Call, _: &Params) -> Handled {
        let secret = call.query("corpsecret").unwrap_or_default();
        if secret.is_empty() {
            return Err(refused(41004, "corpsecret missing"));
        }
        if call.query("corpid").as_deref() != Some(CORP) {
            return Err(refused(40013, "invalid corpid"));
        }
        if secret != SECRET {
            let words = match !call.limits || self.wrong.pass(call.now_ms) {
                true => (40001, "invalid credential"),
                false => (45009, "api freq out of limit: too many wrong secrets"),
            };
            return Err(refused(words.0, words.1));
        }
        let (token, lasts) = self.tokens.give(call.now_ms);
        let body =
            json!({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": lasts});
        Ok(Answer::json(200, &body).into())
    }

    fn check_token(&self, call: &Call) -> Result<(), Answer> {
        match call.query("access_token").filter(|token| !token.is_empty()) {
            None => Err(refused(41001, "access_token missing")),
            Some(token) => match self.tokens.know(&token, call.now_ms) {
                Known::Live => Ok(()),
                Known::Ended => Err(refused(42001, "access_token expired")),
                Known::Never => Err(refused(40014, "invalid access_token")),
            },
        }
    }

    fn body(&mut self, call: &Call) -> Result<Map<String, Value>, Answer> {
        self.check_token(call)?;
        if call.limits && !self.calls.pass(call.now_ms) {
            return Err(self.rate_limited(call));
        }
        if has_escapes(&call.body) {
            return Err(refused(40033, "invalid charset"));
        }
        call.object().map_err(|_| refused(47001, "data format error"))
    }

    /// Assumed: which of the codes a fault in a field has.
    fn content(&self, body: &Map<String, Value>, now_ms: u64) -> Result<Content, Answer> {
        let kind = body.get("msgtype").and_then(Value::as_str).unwrap_or_default();
        let Some((name, fields)) = TYPES.into_iter().find(|(name, _)| *name == kind) else {
            return Err(refused(40008, "invalid message type"));
        };
        let Some(Value::Object(content)) = body.get(name) else {
            return Err(refused(40035, "invalid parameter"));
        };
        check(content, fields).map_err(|words| refused(40058, &format!("{name}.{words}")))?;
        let of = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut delivered = Delivered::to(AGENT.to_string(), "", "");
        match name {
            "text" | "markdown" => {
                let text = of("content");
                if text.is_empty() {
                    return Err(refused(44004, "text content is empty"));
                }
                // Longer ones are cut, in the middle of a character if need be.
                let text = &text.as_bytes()[..text.len().min(MAX_TEXT)];
                delivered.text = String::from_utf8_lossy(text).into_owned();
                if name == "markdown" {
                    delivered.format = Format::Markdown(Dialect::CommonMark);
                }
                let called = content.get("mentioned_list").and_then(Value::as_array);
                let called = called.into_iter().flatten().filter_map(Value::as_str);
                delivered.mentions = called.map(str::to_owned).collect();
            }
            "image" | "voice" | "video" | "file" => match self.media.get(of("media_id"), now_ms) {
                Some(file) => delivered.attachments = vec![file.clone()],
                None => return Err(refused(40007, "invalid media_id")),
            },
            "news" => {
                let articles = content["articles"].as_array().into_iter().flatten();
                let titles: Vec<_> = articles.filter_map(|one| one["title"].as_str()).collect();
                if titles.len() > 8 {
                    return Err(refused(45008, "article size out of limit"));
                }
                delivered.text = titles.join("\n");
            }
            "textcard" => {
                delivered.title = Some(of("title").to_owned());
                delivered.text = of("description").to_owned();
            }
            _ => delivered.text = Value::from(content.clone()).to_string(),
        }
        Ok(Content { delivered, same: Value::from(content.clone()).to_string() })
    }

    fn send(&mut self, call: &Call, _: &Params) -> Handled {
        let body = self.body(call)?;
        if body.get("agentid").and_then(Value::as_u64) != Some(AGENT) {
            let words = "not allow operate another agent with this accesstoken";
            return Err(refused(301_002, words));
        }
        let list = |name: &str| {
            let list = body.get(name).and_then(Value::as_str).unwrap_or_default();
            list.split('|').filter(|one| !one.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let (mut users, parties, tags) = (list("touser"), list("toparty"), list("totag"));
        if users.is_empty() && parties.is_empty() && tags.is_empty() {
            return Err(refused(82001, "all touser & toparty & totag invalid"));
        }
        if users.len() > 1000 {
            return Err(refused(40031, "invalid userid list"));
        }
        if parties.len() > 100 || tags.len() > 100 {
            return Err(refused(82002, "invalid party or tag list size"));
        }
        let content = self.content(&body, call.now_ms)?;
        if users.iter().any(|user| user == "@all") {
            users = MEMBERS.map(str::to_owned).to_vec();
        }
        let looks = body.get("enable_duplicate_check").and_then(Value::as_u64) == Some(1);
        self.messages += 1;
        let id = format!("wecom-message-{}", self.messages);
        let (mut delivered, mut valid) = (Vec::new(), 0);
        let mut invalid: [Vec<String>; 4] = Default::default();
        let known = |user: &str| MEMBERS.iter().any(|own| own.eq_ignore_ascii_case(user));
        for user in &users {
            let user = user.to_ascii_lowercase();
            if user == UNLICENSED {
                invalid[3].push(user);
                continue;
            }
            if !known(&user) {
                invalid[0].push(user);
                continue;
            }
            valid += 1;
            let key = format!("{user} {}", content.same);
            if looks && self.seen.get(&key, call.now_ms).is_some() {
                continue;
            }
            if looks {
                self.seen.put(key, (), call.now_ms);
            }
            // What comes too often is dropped without a sign.
            let too_often = call.limits
                && !(self.by_minute.ask(&user, call).passed
                    && self.by_hour.ask(&user, call).passed);
            if !too_often {
                delivered.push((user, content.delivered.clone()));
            }
        }
        for (place, own, list) in [(1, &PARTIES[..], parties), (2, &TAGS[..], tags)] {
            for one in list {
                match own.contains(&&*one) {
                    false => invalid[place].push(one),
                    true => {
                        valid += 1;
                        delivered.push((one, content.delivered.clone()));
                    }
                }
            }
        }
        if valid == 0 && invalid[3].is_empty() {
            return Err(refused(81013, "user & party & tag all invalid"));
        }
        let [user, party, tag, licence] = invalid.map(|list| list.join("|"));
        let answer = json!({"errcode": 0, "errmsg": "ok", "invaliduser": user, "invalidparty": party,
            "invalidtag": tag, "unlicenseduser": licence, "msgid": id});
        let with_id = |(recipient, one): (String, Delivered)| Delivered {
            recipient,
            id: Some(id.clone()),
            ..one
        };
        let delivered = delivered.into_iter().map(with_id).collect();
        Ok(Outcome { answer: Answer::json(200, &answer), delivered })
    }

    fn chat(&mut self, call: &Call, _: &Params) -> Handled {
        let body = self.body(call)?;
        if body.get("chatid").and_then(Value::as_str) != Some(CHAT) {
            return Err(refused(86003, "invalid chatid"));
        }
        let content = self.content(&body, call.now_ms)?;
        let delivered = Delivered { recipient: CHAT.to_owned(), ..content.delivered };
        Ok(Outcome::took(Answer::json(200, &json!({"errcode": 0, "errmsg": "ok"})), delivered))
    }

    fn upload(&mut self, call: &Call, _: &Params) -> Handled {
        self.check_token(call)?;
        let kind = call.query("type").unwrap_or_default();
        let most = match &*kind {
            "image" | "video" => 10 << 20,
            "voice" => 2 << 20,
            "file" => 20 << 20,
            _ => return Err(refused(40004, "invalid media type")),
        };
        let parts = multipart::parts(call.header("content-type").unwrap_or_default(), &call.body);
        let file = parts.ok().into_iter().flatten().find(|part| part.name == "media");
        let Some(file) = file else { return Err(refused(41005, "media data missing")) };
        let Some(name) = &file.file_name else { return Err(refused(41005, "media data missing")) };
        if file.bytes.len() <= 5 {
            return Err(refused(40006, "invalid meida size"));
        }
        if file.bytes.len() > most {
            return Err(refused(45001, "media size out of limit"));
        }
        self.uploads += 1;
        let id = format!("wecom-media-{}", self.uploads);
        let attached = Attached::new(name, &file.content_type, &file.bytes);
        self.media.put(id.as_str(), attached, call.now_ms);
        let body = json!({"errcode": 0, "errmsg": "ok", "type": kind, "media_id": id,
            "created_at": call.now_s().to_string()});
        Ok(Answer::json(200, &body).into())
    }
}

impl Service for WeComApp {
    fn name(&self) -> &'static str {
        "wecom_app"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        refused(45009, "api freq out of limit")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // What it drops without a sign looks like a success; this is the nearest refusal.
        refused(60021, "user not in app visible range")
    }

    fn largest_body(&self) -> usize {
        (20 << 20) + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "app", "corp_id": CORP, "agent_id": AGENT, "secret": SECRET});
        let to = json!({"users": [MEMBERS[0]]});
        vec![("wecom_app", json!({"service": "wecom_app", "auth": auth, "to": to}))]
    }

    fn about(&self) -> About {
        About {
            title: "WeCom app",
            paths: "<code>GET /wecom_app/cgi-bin/gettoken</code>, <code>POST …/message/send</code>, \
                    <code>…/appchat/send</code>, <code>…/media/upload</code>",
            auth: "a token in the query, which holds for two hours",
            recipients: "users <code>anna</code>, <code>bruno</code>, <code>clara</code>; \
                         <code>nolicence</code> has no licence; departments <code>2</code>, <code>3</code>; \
                         the tag <code>7</code>; the group <code>goose-group</code>",
            limits: "10,000 calls a minute; 30 messages a minute and 1,000 an hour to a member, above which \
                     they are dropped without a sign; text is cut at 2,048 bytes",
            assumed: &[
                "20 wrong secrets in an hour block the address, by 45009",
                "which of its codes a fault in a field has",
                "a repeated content that it was asked to look for is answered like any other",
                "members of departments and tags are no members by name",
            ],
        }
    }
}
