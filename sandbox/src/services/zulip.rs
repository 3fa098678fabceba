//! Zulip: the part of its API that bots send messages and files with.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{About, Service};
use crate::delivered::{Attached, Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Params, Route};
use crate::window::Window;

const BOT: &str = "hongyan-bot@acme.zulipchat.com";
const KEY: &str = "a0b1c2d3e4f5g6h7i8j9k0l1m2n3o4p5";
/// Channels: an id, its name, and whether the bot may post there.
const CHANNELS: [(u64, &str, bool); 3] =
    [(7, "general", true), (8, "off topic", true), (9, "announcements", false)];
/// Users: an id, an address, a full name, and whether the account is active.
const USERS: [(u64, &str, &str, bool); 3] = [
    (11, "anna@acme.example", "Anna Lee", true),
    (12, "bruno@acme.example", "Bruno", true),
    (13, "old@acme.example", "Old Hand", false),
];
/// Code points of a text and of a topic; what is longer is cut without a word.
const LONGEST_TEXT: usize = 10_000;
const LONGEST_TOPIC: usize = 60;
const CUT: &str = "\n[message truncated]";
/// The largest file that a server takes as it comes, in bytes.
const LARGEST: usize = 100 << 20;

const ROUTES: &[Route<Zulip>] = &[
    Route::get("/api/v1/server_settings", Zulip::settings),
    Route::post("/api/v1/register", Zulip::register),
    Route::get("/api/v1/users/me", Zulip::me),
    Route::post("/api/v1/user_uploads", Zulip::upload),
    Route::post("/api/v1/messages", Zulip::message),
];

pub(super) struct Zulip {
    window: Window,
    files: HashMap<String, Attached>,
    sent: u64,
}

impl Default for Zulip {
    fn default() -> Zulip {
        Zulip { window: Window::new(200, 60_000), files: HashMap::new(), sent: 0 }
    }
}

/// An answer of the document's form.
fn told(status: u16, result: &str, msg: &str, more: Value) -> Answer {
    let mut body = json!({"result": result, "msg": msg});
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    Answer::new(status, "application/json", body.to_string())
}

fn success(more: Value) -> Outcome {
    told(200, "success", "", more).into()
}

fn refused(status: u16, code: &str, msg: &str) -> Answer {
    told(status, "error", msg, json!({"code": code}))
}

fn bad(msg: impl AsRef<str>) -> Answer {
    refused(400, "BAD_REQUEST", msg.as_ref())
}

fn too_many(wait_ms: u64) -> Answer {
    let seconds = wait_ms as f64 / 1000.0;
    let more = json!({"code": "RATE_LIMIT_HIT", "retry-after": seconds});
    told(429, "error", "API usage exceeded rate limit", more)
        .with_header("retry-after", &seconds.to_string())
}

/// Recipients as a form carries them: JSON, or else text with commas.
fn recipients(text: &str) -> Vec<Value> {
    match serde_json::from_str(text) {
        Ok(Value::Array(list)) => list,
        Ok(own @ (Value::Number(_) | Value::String(_))) => vec![own],
        _ => text.split(',').map(|one| one.trim().into()).collect(),
    }
}

/// Whom a text mentions, by the names of the users that there are.
fn mentions(text: &str) -> Vec<String> {
    let may_precede = |c: char| c.is_whitespace() || "'\"({[/<".contains(c);
    let mut names = Vec::new();
    for (at, _) in text.match_indices("@**") {
        if !text[..at].chars().next_back().is_none_or(may_precede) {
            continue;
        }
        let Some((name, _)) = text[at + 3..].split_once("**") else { continue };
        let user = USERS.iter().find(|(id, _, full, _)| {
            name == *full || name == format!("{full}|{id}") || name == format!("|{id}")
        });
        match user {
            Some((_, _, full, _)) => names.push((*full).to_owned()),
            None if ["all", "everyone", "channel", "topic"].contains(&name) => {
                names.push(name.to_owned());
            }
            None => {}
        }
    }
    names
}

/// The first so many characters, with what shows that more were there.
fn cut(text: &str, most: usize, mark: &str) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most - mark.chars().count()).collect::<String>() + mark,
        false => text.to_owned(),
    }
}

impl Zulip {
    /// Checks who asks, and whether too often.
    fn enter(&mut self, call: &Call) -> Result<(), Answer> {
        let Some((name, key)) = call.basic() else {
            let words = "Not logged in: API authentication or user session required";
            return Err(refused(401, "UNAUTHORIZED", words));
        };
        if name != BOT || key != KEY {
            return Err(refused(401, "INVALID_API_KEY", "Invalid API key"));
        }
        if call.limits {
            let room = self.window.ask(call.now_ms);
            if !room.passed {
                return Err(too_many(room.reset_ms));
            }
        }
        Ok(())
    }

    fn settings(&mut self, _: &Call, _: &Params) -> Handled {
        Ok(success(json!({"zulip_version": "11.0", "zulip_feature_level": 421,
            "authentication_methods": {}, "push_notifications_enabled": false})))
    }

    fn register(&mut self, call: &Call, _: &Params) -> Handled {
        self.enter(call)?;
        Ok(success(json!({"queue_id": null, "max_message_length": LONGEST_TEXT,
            "max_topic_length": LONGEST_TOPIC})))
    }

    fn me(&mut self, call: &Call, _: &Params) -> Handled {
        self.enter(call)?;
        Ok(success(json!({"user_id": 10, "email": BOT, "full_name": "hongyan", "is_bot": true})))
    }

    fn upload(&mut self, call: &Call, _: &Params) -> Handled {
        self.enter(call)?;
        let fields = call.fields().map_err(bad)?;
        let [part] = fields.files.as_slice() else {
            return Err(bad(match fields.files.is_empty() {
                true => "You must specify a file to upload",
                false => "You may only upload one file at a time",
            }));
        };
        let name = part.file_name.as_deref().unwrap_or("file");
        let is_plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
        let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
        let url = format!("/user_uploads/2/{:02x}/{:024}/{plain}", 7, self.files.len());
        self.files.insert(url.clone(), Attached::new(name, &part.content_type, &part.bytes));
        Ok(success(json!({"url": url, "uri": url, "filename": name})))
    }

    fn message(&mut self, call: &Call, _: &Params) -> Handled {
        self.enter(call)?;
        let fields = call.fields().map_err(bad)?;
        let required = |name: &str| {
            let words = format!("Missing '{name}' argument");
            let more = json!({"code": "REQUEST_VARIABLE_MISSING", "var_name": name});
            fields.text(name).ok_or_else(|| told(400, "error", &words, more))
        };
        let (kind, to, content) = (required("type")?, required("to")?, required("content")?);
        let content = content.trim_end().trim_start_matches('\n');
        if content.is_empty() {
            return Err(bad("Message must not be empty"));
        }
        if content.contains('\0') {
            return Err(bad("Message must not contain null bytes"));
        }
        let text = cut(content, LONGEST_TEXT, CUT);
        let (names, topic) = match &*kind {
            "stream" | "channel" => {
                let topic = fields.text("topic").or_else(|| fields.text("subject"));
                let topic = topic.ok_or_else(|| bad("Missing topic"))?;
                let topic = match topic.trim() {
                    "" => "(no topic)",
                    topic => topic,
                };
                (vec![channel(&to)?], Some(cut(topic, LONGEST_TOPIC, "...")))
            }
            "direct" | "private" => (users(&to)?, None),
            _ => {
                let more = json!({"code": "REQUEST_VARIABLE_INVALID", "var_name": "type"});
                return Err(told(400, "error", "Invalid type", more));
            }
        };
        self.sent += 1;
        let id = self.sent;
        let named = self.files.iter().filter(|(url, _)| text.contains(&format!("]({url})")));
        let mut files: Vec<_> = named.collect();
        files.sort_by_key(|(url, _)| text.find(url.as_str()));
        let one = Delivered {
            id: Some(id.to_string()),
            format: Format::Markdown(Dialect::Zulip),
            mentions: mentions(&text),
            attachments: files.into_iter().map(|(_, file)| file.clone()).collect(),
            thread: topic,
            ..Delivered::to(BOT, "", text)
        };
        let delivered =
            names.into_iter().map(|recipient| Delivered { recipient, ..one.clone() }).collect();
        Ok(Outcome { answer: told(200, "success", "", json!({"id": id})), delivered })
    }
}

/// The name of the channel that a message is to.
fn channel(to: &str) -> Result<String, Answer> {
    let list = recipients(to);
    let [wanted] = list.as_slice() else { return Err(bad("Expected exactly one channel")) };
    let is_it = |(id, name, _): &&(u64, &str, bool)| match wanted.as_u64() {
        Some(number) => number == *id,
        None => wanted.as_str() == Some(*name),
    };
    match CHANNELS.iter().find(is_it) {
        Some((_, name, true)) => Ok((*name).to_owned()),
        Some((_, name, false)) => Err(bad(format!("Not authorized to send to channel '{name}'"))),
        None => {
            let shown = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
            let words = format!("Channel '{shown}' does not exist");
            let more = json!({"code": "STREAM_DOES_NOT_EXIST", "stream": shown});
            Err(told(400, "error", &words, more))
        }
    }
}

/// The addresses of the users that a message is to.
fn users(to: &str) -> Result<Vec<String>, Answer> {
    let list = recipients(to);
    if list.is_empty() {
        return Err(bad("Message must have recipients"));
    }
    if list.iter().any(Value::is_u64) && !list.iter().all(Value::is_u64) {
        return Err(bad("Recipient lists may contain emails or user IDs, but not both."));
    }
    let one = |wanted: &Value| {
        let found = USERS.iter().find(|(id, mail, ..)| match wanted.as_u64() {
            Some(number) => number == *id,
            None => wanted.as_str() == Some(*mail),
        });
        match found {
            Some((_, mail, _, true)) => Ok((*mail).to_owned()),
            Some((_, mail, _, false)) => Err(bad(format!("'{mail}' is no longer using Zulip."))),
            None if wanted.is_u64() => Err(bad(format!("Invalid user ID {wanted}"))),
            None => {
                let mail = wanted.as_str().unwrap_or_default();
                Err(bad(format!("Invalid email '{mail}'")))
            }
        }
    };
    list.iter().map(one).collect()
}

impl Service for Zulip {
    fn name(&self) -> &'static str {
        "zulip"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let not_found = || refused(404, "BAD_REQUEST", "Not found");
        route::answer(self, call, ROUTES).unwrap_or_else(|_| not_found().into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        too_many(1000)
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        bad("Message must not be empty")
    }

    fn largest_body(&self) -> usize {
        LARGEST + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "basic", "username": BOT, "password": KEY});
        let to = json!({"channel": "general", "topic": "hongyan"});
        vec![("zulip", json!({"service": "zulip", "auth": auth, "to": to}))]
    }

    fn about(&self) -> About {
        About {
            title: "Zulip",
            paths: "<code>POST /zulip/api/v1/messages</code>, <code>/api/v1/user_uploads</code>, \
                    <code>/api/v1/register</code>; <code>GET /api/v1/users/me</code>, \
                    <code>/api/v1/server_settings</code>",
            auth: "Basic: the bot's address and its API key",
            recipients: "channels general (7), off topic (8) and announcements (9), where the bot may not \
                         post; users anna@acme.example (11) and bruno@acme.example (12); \
                         old@acme.example (13) is deactivated",
            limits: "10,000 characters a text and 60 a topic, beyond which both are cut without a word; \
                     200 requests a minute",
            assumed: &[
                "200 requests a minute and user, in one window",
                "the words of refusals, but for those that clients look for",
                "where in its path a file's URL has its name",
            ],
        }
    }
}
