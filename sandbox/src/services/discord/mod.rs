//! Discord: the part of its API that bots and webhooks send with.

mod content;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use self::content::{Content, Faults};
use super::{About, Service};
use crate::clock::Utc;
use crate::delivered::{Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::memory::Memory;
use crate::route::{self, Handled, Params, Route};
use crate::window::{Room, Windows};

const TOKEN: &str = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs";
const BOT: &str = "198622483471925248";
/// The token of the webhooks.
const SECRET: &str = "3d89bb7572e0fb30d8128367b3b1b44fecd1726de135cbe28a41f8b2f777c372ba2939e72279b94526ff5d1bd4358d65cf11";
/// The webhooks, and their channels.
const HOOKS: [(&str, &str); 2] = [("223704706495545344", GENERAL), ("223704706495545345", FORUM)];
const GENERAL: &str = "41771983423143937";
const FORUM: &str = "41771983423143939";
/// A thread of the first channel, and a post of the forum.
const THREADS: [&str; 2] = ["41771983423143940", "41771983423143941"];
/// What is answered instead of a message: status, code and words.
type Refusal = (u16, u32, &'static str);
const CHANNELS: [(&str, Option<Refusal>); 8] = [
    (GENERAL, None),
    ("41771983423143936", None),
    (THREADS[0], None),
    (THREADS[1], None),
    ("41771983423143938", Some((403, 50013, "Missing Permissions"))),
    (FORUM, Some((400, 50008, "Cannot send messages in a non-text channel"))),
    ("319674150115610528", None),
    ("319674150115610529", Some((403, 50007, "Cannot send messages to this user"))),
];
/// Users, and the channels of their direct messages.
const USERS: [(&str, &str); 2] =
    [("80351110224678912", "319674150115610528"), ("80351110224678913", "319674150115610529")];
/// How long a nonce is known; assumed: "the past few minutes".
const NONCE_MS: u64 = 300_000;
/// The first second of 2015, from which ids count.
const EPOCH_MS: u64 = 1_420_070_400_000;
/// The largest request, in bytes.
const LARGEST: usize = 25 << 20;

const ROUTES: &[Route<Discord>] = &[
    Route::post("/api/v10/channels/{channel}/messages", Discord::post),
    Route::new("DELETE", "/api/v10/channels/{channel}/messages/{message}", Discord::delete),
    Route::post("/api/v10/users/@me/channels", Discord::open),
    Route::get("/api/v10/users/@me", Discord::me),
    Route::post("/api/v10/webhooks/{id}/{token}", Discord::hook),
    Route::post("/api/webhooks/{id}/{token}", Discord::hook),
    Route::get("/api/v10/webhooks/{id}/{token}", Discord::hook_itself),
    Route::get("/api/webhooks/{id}/{token}", Discord::hook_itself),
];

pub(super) struct Discord {
    channels: Windows,
    hooks: Windows,
    bot: Windows,
    nonces: Memory<Value>,
    /// Ids of messages that are there, and of those that were.
    there: HashSet<String>,
    sent: u64,
}

impl Default for Discord {
    fn default() -> Discord {
        Discord {
            channels: Windows::new(5, 5000),
            hooks: Windows::new(5, 2000),
            bot: Windows::new(50, 1000),
            nonces: Memory::new(NONCE_MS),
            there: HashSet::new(),
            sent: 0,
        }
    }
}

/// An answer in JSON; clients look for exactly this type.
fn told(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json", body.to_string())
}

fn refused((status, code, words): Refusal) -> Answer {
    told(status, &json!({"message": words, "code": code}))
}

fn unauthorized() -> Answer {
    refused((401, 0, "401: Unauthorized"))
}

fn too_fast(wait_ms: u64, global: bool) -> Answer {
    #[allow(clippy::cast_precision_loss, reason = "a wait of minutes")]
    let seconds = wait_ms.max(1) as f64 / 1000.0;
    let body = json!({"message": "You are being rate limited.", "retry_after": seconds,
        "global": global});
    let answer = told(429, &body)
        .retry_after(wait_ms.div_ceil(1000))
        .with_header("x-ratelimit-scope", if global { "global" } else { "user" });
    match global {
        true => answer.with_header("x-ratelimit-global", "true"),
        false => answer,
    }
}

/// The header fields that tell of a limit.
fn with_room(answer: Answer, room: &Room, bucket: &str, call: &Call) -> Answer {
    let decimal = |ms: u64| format!("{}.{:03}", ms / 1000, ms % 1000);
    answer
        .with_header("x-ratelimit-limit", &room.limit.to_string())
        .with_header("x-ratelimit-remaining", &room.remaining.to_string())
        .with_header("x-ratelimit-reset", &decimal(call.now_ms + room.reset_ms))
        .with_header("x-ratelimit-reset-after", &decimal(room.reset_ms))
        .with_header("x-ratelimit-bucket", bucket)
}

/// Checks the credentials of a bot, and what it calls itself.
fn check_bot(call: &Call) -> Result<(), Answer> {
    if !call.header("user-agent").is_some_and(|name| name.starts_with("DiscordBot (")) {
        return Err(refused((403, 40333, "internal network error")));
    }
    match call.credentials("Bot") == Some(TOKEN) {
        true => Ok(()),
        false => Err(unauthorized()),
    }
}

/// The channel of a webhook, after its token was found to be right.
fn channel_of(params: &Params) -> Result<&'static str, Answer> {
    let hook = HOOKS.iter().find(|(id, _)| *id == params.get("id"));
    let Some((_, channel)) = hook else { return Err(refused((404, 10015, "Unknown Webhook"))) };
    match params.get("token") == SECRET {
        true => Ok(channel),
        false => Err(refused((401, 50027, "Invalid Webhook Token"))),
    }
}

/// Where a message goes and who sends it.
struct Place<'a> {
    channel: &'a str,
    account: &'a str,
    /// The thread that it stands in.
    thread: Option<String>,
    room: Room,
    bucket: &'static str,
}

impl Discord {
    fn post(&mut self, call: &Call, params: &Params) -> Handled {
        check_bot(call)?;
        let channel = params.get("channel");
        let known = CHANNELS.iter().find(|(id, _)| *id == channel);
        match known {
            None => return Err(refused((404, 10003, "Unknown Channel"))),
            Some((_, Some(refusal))) => return Err(refused(*refusal)),
            Some(_) => {}
        }
        let all = self.bot.ask("", call);
        if !all.passed {
            return Err(too_fast(all.reset_ms, true));
        }
        let room = self.channels.ask(channel, call);
        if !room.passed {
            return Err(with_room(too_fast(room.reset_ms, false), &room, "messages", call));
        }
        let content = Content::read(call)?;
        let nonce = content.body.get("nonce").filter(|nonce| !nonce.is_null()).cloned();
        let is_enforced = content.body.get("enforce_nonce") == Some(&Value::Bool(true));
        let key = nonce.filter(|_| is_enforced).map(|nonce| nonce.to_string());
        if let Some(first) = key.as_ref().and_then(|key| self.nonces.get(key, call.now_ms)) {
            let is_there = first["id"].as_str().is_some_and(|id| self.there.contains(id));
            return match is_there {
                true => Ok(with_room(told(200, first), &room, "messages", call).into()),
                false => Err(refused((404, 10008, "Unknown Message"))),
            };
        }
        // Clients write ids as numbers, too.
        let reply =
            content.body.get("message_reference").and_then(|own| match &own["message_id"] {
                Value::String(id) => Some(id.clone()),
                id => id.as_u64().map(|id| id.to_string()),
            });
        if reply.as_ref().is_some_and(|id| !self.there.contains(id))
            && content.body["message_reference"]["fail_if_not_exists"] != false
        {
            let mut faults = Faults::default();
            faults.add("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message");
            return Err(faults.answer());
        }
        let thread = THREADS.contains(&channel).then(|| channel.to_owned());
        let thread = reply.or(thread);
        let place = Place { channel, account: BOT, thread, room, bucket: "messages" };
        let (outcome, message) = self.deliver(call, content, place);
        if let Some(key) = key {
            self.nonces.put(key, message, call.now_ms);
        }
        Ok(outcome)
    }

    fn delete(&mut self, call: &Call, params: &Params) -> Handled {
        check_bot(call)?;
        match self.there.remove(params.get("message")) {
            true => Ok(Answer::new(204, "application/json", "").into()),
            false => Err(refused((404, 10008, "Unknown Message"))),
        }
    }

    fn open(&mut self, call: &Call, _: &Params) -> Handled {
        check_bot(call)?;
        let body = call.object().map_err(|_| refused((400, 50109, "Invalid JSON")))?;
        let user = body.get("recipient_id").and_then(Value::as_str).unwrap_or_default();
        let Some((_, channel)) = USERS.iter().find(|(id, _)| *id == user) else {
            return Err(refused((400, 50033, "Invalid Recipient(s)")));
        };
        let recipient = json!({"id": user, "username": "anna", "avatar": null,
            "discriminator": "0", "global_name": "Anna"});
        let channel = json!({"id": channel, "type": 1, "last_message_id": null, "flags": 0,
            "recipients": [recipient]});
        Ok(told(200, &channel).into())
    }

    fn me(&mut self, call: &Call, _: &Params) -> Handled {
        check_bot(call)?;
        let mut me = author(BOT, "hongyan");
        me["verified"] = true.into();
        me["mfa_enabled"] = false.into();
        Ok(told(200, &me).into())
    }

    fn hook_itself(&mut self, _: &Call, params: &Params) -> Handled {
        let channel = channel_of(params)?;
        let hook = json!({"id": params.get("id"), "type": 1, "name": "hongyan", "avatar": null,
            "channel_id": channel, "guild_id": "197038439483310086", "token": SECRET,
            "application_id": null});
        Ok(told(200, &hook).into())
    }

    fn hook(&mut self, call: &Call, params: &Params) -> Handled {
        let channel = channel_of(params)?;
        let room = self.hooks.ask(params.get("id"), call);
        if !room.passed {
            return Err(with_room(too_fast(room.reset_ms, false), &room, "hooks", call));
        }
        let content = Content::read(call)?;
        let text = |name: &str| content.body.get(name).and_then(Value::as_str);
        let name = text("username").unwrap_or_default().to_lowercase();
        if ["clyde", "discord"].iter().any(|word| name.contains(word)) || name.chars().count() > 80
        {
            let mut faults = Faults::default();
            faults.add("username", "USERNAME_INVALID_CONTAINS", "Username cannot contain this");
            return Err(faults.answer());
        }
        let thread = call.query("thread_id");
        if thread.as_ref().is_some_and(|id| !THREADS.contains(&&**id)) {
            return Err(refused((404, 10003, "Unknown Channel")));
        }
        let begun = text("thread_name").map(str::to_owned);
        if channel == FORUM && thread.is_none() && begun.is_none() {
            let words = "Webhooks posted to forum channels must have a thread_name or thread_id";
            return Err(refused((400, 220_001, words)));
        }
        if channel != FORUM && begun.is_some() {
            let words = "Webhooks can only create threads in forum channels";
            return Err(refused((400, 220_003, words)));
        }
        let waits = call.query("wait").is_some_and(|wait| matches!(&*wait, "true" | "1" | "True"));
        let own = thread.clone().unwrap_or_else(|| channel.to_owned());
        let thread = thread.or(begun);
        let place =
            Place { channel: &own, account: params.get("id"), thread, room, bucket: "hooks" };
        let (mut outcome, _) = self.deliver(call, content, place);
        if !waits {
            outcome.answer = Answer::new(204, "application/json", "");
        }
        Ok(outcome)
    }

    fn deliver(&mut self, call: &Call, content: Content, place: Place) -> (Outcome, Value) {
        self.sent += 1;
        let id =
            ((call.now_ms.saturating_sub(EPOCH_MS) << 22) | (self.sent & 0x3f_ffff)).to_string();
        self.there.insert(id.clone());
        let message = message(&id, &content.body, call, &content, &place);
        let delivered = Delivered {
            id: Some(id),
            format: Format::Markdown(Dialect::Discord),
            mentions: content.mentions(place.account != BOT),
            thread: place.thread,
            silent: content.flags() & (1 << 12) != 0,
            attachments: content.files.iter().map(content::attached).collect(),
            ..Delivered::to(place.account, place.channel, content.shown())
        };
        let answer = with_room(told(200, &message), &place.room, place.bucket, call);
        (Outcome::took(answer, delivered), message)
    }
}

fn author(id: &str, name: &str) -> Value {
    json!({"id": id, "username": name, "avatar": null, "discriminator": "0", "bot": true,
        "global_name": null, "public_flags": 0, "flags": 0})
}

/// A message as the API tells it.
fn message(
    id: &str,
    body: &Map<String, Value>,
    call: &Call,
    content: &Content,
    place: &Place,
) -> Value {
    let given = |name: &str, default: Value| body.get(name).cloned().unwrap_or(default);
    let name = body.get("username").and_then(Value::as_str).unwrap_or("hongyan");
    let files = content.files.iter().enumerate().map(|(n, file)| {
        let name = file.file_name.as_deref().unwrap_or("file");
        let url = format!("{}/attachments/{}/{n}/{name}", call.base_url(), place.channel);
        json!({"id": n.to_string(), "filename": name, "size": file.bytes.len(), "url": url,
            "proxy_url": url, "content_type": file.content_type})
    });
    let files: Vec<Value> = files.collect();
    let mut message = json!({"id": id, "type": 0, "channel_id": place.channel,
        "content": given("content", "".into()), "author": author(place.account, name),
        "attachments": files, "embeds": given("embeds", json!([])), "mentions": [],
        "mention_roles": [], "mention_everyone": false, "pinned": false,
        "tts": given("tts", false.into()), "timestamp": timestamp(call.now_ms),
        "edited_timestamp": null, "flags": content.flags(),
        "components": given("components", json!([]))});
    if let Some(nonce) = body.get("nonce") {
        message["nonce"] = nonce.clone();
    }
    if place.account != BOT {
        message["webhook_id"] = place.account.into();
    }
    message
}

/// A time as ISO 8601 writes it.
fn timestamp(ms: u64) -> String {
    let Utc { year, month, day, .. } = Utc::from_unix(ms / 1000);
    let clock = Utc::from_unix(ms / 1000).clock();
    format!("{year}-{month:02}-{day:02}T{clock}.{:03}000+00:00", ms % 1000)
}

impl Service for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        if call.body.len() > LARGEST {
            let words = "Request entity too large";
            return refused((413, 40005, words)).into();
        }
        route::answer(self, call, ROUTES).unwrap_or_else(|missed| match missed {
            route::Missed::Path => refused((404, 0, "404: Not Found")).into(),
            route::Missed::Method(_) => refused((405, 0, "405: Method Not Allowed")).into(),
        })
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        too_fast(64_570, false)
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        refused((400, 200_000, "Message was blocked by automatic moderation"))
    }

    fn largest_body(&self) -> usize {
        LARGEST + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let url = format!("https://discord.com/api/webhooks/{}/{SECRET}", HOOKS[0].0);
        let auth = json!({"type": "bot", "token": TOKEN});
        let bot = json!({"service": "discord", "auth": auth, "to": {"channel": GENERAL}});
        let hook = json!({"service": "discord", "auth": {"type": "webhook", "url": url}});
        vec![("discord", bot), ("discord-webhook", hook)]
    }

    fn about(&self) -> About {
        About {
            title: "Discord",
            paths: "<code>POST /discord/api/v10/channels/{id}/messages</code>, \
                    <code>/api/v10/users/@me/channels</code>, \
                    <code>/api/webhooks/{id}/{token}?wait=true</code>; <code>GET /api/v10/users/@me</code>",
            auth: "<code>Authorization: Bot …</code> and a User-Agent <code>DiscordBot (…)</code>; of a \
                   webhook the token in its path",
            recipients: "channels 41771983423143936 and 41771983423143937, users 80351110224678912 and \
                         80351110224678913, who takes no messages; nobody may write in \
                         41771983423143938, and 41771983423143939 is a forum, of webhook \
                         223704706495545345; threads 41771983423143940 and 41771983423143941",
            limits: "2,000 characters, 10 embeds with 6,000 together, 10 files, 25 MiB a request; 50 \
                     requests a second and bot, 5 in 5 s a channel, 5 in 2 s a webhook",
            assumed: &[
                "how many messages a channel and a webhook take",
                "a nonce is known for five minutes",
                "a webhook is answered whatever its client calls itself",
                "blanks around a text are kept",
            ],
        }
    }
}
