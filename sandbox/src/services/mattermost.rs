//! Mattermost: the part of its API that bots post with, and an incoming webhook.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Attached, Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::memory::Memory;
use crate::route::{self, Handled, Params, Route};

const TOKEN: &str = "xt5b3pqm1jrn8kfz6w9yd4hgc7";
const HOOK: &str = "bywsw8zt5jgpte3nm65qjiru6h";
const BOT: &str = "b7hongyanhongyanhongyan001";
/// Channels: an id, its name, and what is answered instead of a post.
const CHANNELS: [(&str, &str, Option<&str>); 4] = [
    (TOWN_SQUARE, "town-square", None),
    ("8xyzabcdefghijklmnopqrstu1", "off-topic", None),
    (
        "8xyzabcdefghijklmnopqrstu2",
        "old",
        Some("api.post.create_post.can_not_post_to_deleted.error"),
    ),
    ("8xyzabcdefghijklmnopqrstu3", "secret", Some("api.context.permissions.app_error")),
];
const TOWN_SQUARE: &str = "4xp9fdt77pncbef59f4k1qe83o";
/// Users: an id, its name, and the channel of the direct messages to it.
const USERS: [(&str, &str, &str); 2] = [
    ("u1annaannaannaannaannaanna", "anna", "d1annaannaannaannaannaanna"),
    ("u2brunobrunobrunobrunobrun", "bruno", "d2brunobrunobrunobrunobrun"),
];
/// Code points of a post.
const LONGEST: usize = 16_383;
const MOST_FILES: usize = 10;
/// How long a `pending_post_id` is known.
const PENDING_MS: u64 = 30_000;
/// The largest file that a server takes as it comes, in bytes.
const LARGEST: usize = 100 << 20;

const ROUTES: &[Route<Mattermost>] = &[
    Route::post("/api/v4/posts", Mattermost::post),
    Route::post("/api/v4/files", Mattermost::upload),
    Route::post("/api/v4/channels/direct", Mattermost::direct),
    Route::get("/api/v4/users/me", Mattermost::me),
    Route::get("/api/v4/users/username/{name}", Mattermost::user),
    Route::post("/hooks/{id}", Mattermost::hook),
];

pub(super) struct Mattermost {
    pending: Memory<Value>,
    /// The channels of the posts that there are.
    posts: HashMap<String, String>,
    files: HashMap<String, Attached>,
    made: u64,
}

impl Default for Mattermost {
    fn default() -> Mattermost {
        Mattermost {
            pending: Memory::new(PENDING_MS),
            posts: HashMap::new(),
            files: HashMap::new(),
            made: 0,
        }
    }
}

/// An answer in JSON; clients look for exactly this type.
fn told(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json", body.to_string())
}

fn refused(status: u16, id: &str, words: &str) -> Answer {
    let body = json!({"id": id, "message": words, "detailed_error": "",
        "request_id": "r7requestrequestrequest001", "status_code": status});
    told(status, &body)
}

fn check_token(call: &Call) -> Result<(), Answer> {
    match call.credentials("Bearer") == Some(TOKEN) {
        true => Ok(()),
        false => {
            let words = "Invalid or expired session, please login again.";
            Err(refused(401, "api.context.session_expired.app_error", words))
        }
    }
}

fn object(call: &Call) -> Result<Map<String, Value>, Answer> {
    let words = "Invalid or missing post in request body.";
    call.object().map_err(|_| refused(400, "api.context.invalid_body_param.app_error", words))
}

/// The names behind each `@` that begins a word.
fn mentions(text: &str) -> Vec<String> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let places = text.match_indices('@').filter(|(at, _)| !text[..*at].ends_with(is_letter));
    let names = places.map(|(at, _)| {
        let rest = &text[at + 1..];
        &rest[..rest.find(|c| !is_letter(c)).unwrap_or(rest.len())]
    });
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn urgency(of: Option<&Value>) -> Option<String> {
    of?["priority"].as_str().filter(|word| !word.is_empty()).map(str::to_owned)
}

/// What cards say that stand in a post without a text.
fn cards(of: Option<&Value>) -> String {
    let words = |card: &Value| {
        let all = [&card["pretext"], &card["title"], &card["text"]];
        let all: Vec<_> = all.into_iter().filter_map(Value::as_str).collect();
        all.join("\n")
    };
    let cards = of.and_then(Value::as_array).into_iter().flatten();
    cards.map(words).collect::<Vec<_>>().join("\n")
}

impl Mattermost {
    fn id(&mut self, letter: char) -> String {
        self.made += 1;
        format!("{letter}{:025}", self.made)
    }

    fn post(&mut self, call: &Call, _: &Params) -> Handled {
        check_token(call)?;
        let body = object(call)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let channel = text("channel_id");
        let of_user = USERS.iter().any(|(.., direct)| *direct == channel);
        match CHANNELS.iter().find(|(id, ..)| *id == channel) {
            Some((.., Some(error))) => return Err(refused(403, error, "You may not post there.")),
            None if !of_user => {
                let words = "You do not have the appropriate permissions.";
                return Err(refused(403, "api.context.permissions.app_error", words));
            }
            _ => {}
        }
        if text("message").chars().count() > LONGEST {
            let id = "model.post.is_valid.message_length.app_error";
            return Err(refused(400, id, "Post Message property is longer than the maximum."));
        }
        let pending = text("pending_post_id");
        if let Some(first) = self.pending.get(pending, call.now_ms).filter(|_| !pending.is_empty())
        {
            return Ok(told(201, first).into());
        }
        let root = text("root_id");
        if !root.is_empty() && self.posts.get(root).is_none_or(|own| own != channel) {
            let id = "api.post.create_post.root_id.app_error";
            return Err(refused(400, id, "Invalid RootId parameter."));
        }
        let ids = body.get("file_ids").and_then(Value::as_array).cloned().unwrap_or_default();
        let files = ids.iter().map(|id| self.files.get(id.as_str().unwrap_or_default()).cloned());
        let Some(files) = files.collect::<Option<Vec<_>>>().filter(|all| all.len() <= MOST_FILES)
        else {
            let words = "Invalid or missing file_ids in request body.";
            return Err(refused(400, "api.context.invalid_body_param.app_error", words));
        };
        let props = body.get("props").cloned().unwrap_or_else(|| json!({}));
        let mut shown = text("message").to_owned();
        if shown.is_empty() {
            shown = cards(props.get("attachments"));
        }
        if shown.trim().is_empty() && files.is_empty() {
            let words = "Invalid or missing message in request body.";
            return Err(refused(400, "api.context.invalid_body_param.app_error", words));
        }
        let id = self.id('p');
        self.posts.insert(id.clone(), channel.to_owned());
        let metadata = body.get("metadata").cloned().unwrap_or_else(|| json!({}));
        let post = json!({"id": id, "create_at": call.now_ms, "update_at": call.now_ms,
            "delete_at": 0, "user_id": BOT, "channel_id": channel, "root_id": root,
            "original_id": "", "message": text("message"), "type": "", "props": props,
            "hashtags": "", "file_ids": ids, "pending_post_id": pending, "metadata": metadata});
        if !pending.is_empty() {
            self.pending.put(pending, post.clone(), call.now_ms);
        }
        let delivered = Delivered {
            id: Some(id),
            format: Format::Markdown(Dialect::CommonMark),
            mentions: mentions(&shown),
            attachments: files,
            thread: Some(root.to_owned()).filter(|root| !root.is_empty()),
            priority: urgency(metadata.get("priority")),
            ..Delivered::to(BOT, channel, shown)
        };
        Ok(Outcome::took(told(201, &post), delivered))
    }

    fn upload(&mut self, call: &Call, _: &Params) -> Handled {
        check_token(call)?;
        let wrong = |words: &str| refused(400, "api.context.invalid_body_param.app_error", words);
        let fields = call.fields().map_err(|words| wrong(&words))?;
        let channel = fields.text("channel_id").unwrap_or_default().into_owned();
        let of_user = USERS.iter().any(|(.., direct)| *direct == channel);
        if !of_user && !CHANNELS.iter().any(|(id, ..)| *id == channel) {
            return Err(wrong("Invalid or missing channel_id in request body."));
        }
        if fields.files.is_empty() || fields.files.iter().any(|part| part.name != "files") {
            return Err(wrong("Invalid or missing files in request body."));
        }
        let mut infos = Vec::new();
        for part in &fields.files {
            let id = self.id('f');
            let name = part.file_name.as_deref().unwrap_or("file");
            let file = Attached::new(name, &part.content_type, &part.bytes);
            infos.push(json!({"id": id, "user_id": BOT, "channel_id": channel, "name": name,
                "size": file.size, "mime_type": part.content_type, "create_at": call.now_ms}));
            self.files.insert(id, file);
        }
        let body = json!({"file_infos": infos, "client_ids": []});
        Ok(told(201, &body).into())
    }

    fn direct(&mut self, call: &Call, _: &Params) -> Handled {
        check_token(call)?;
        let ids: Vec<String> = serde_json::from_slice(&call.body).unwrap_or_default();
        let [me, other] = ids.as_slice() else {
            let words = "Invalid or missing user_ids in request body.";
            return Err(refused(400, "api.context.invalid_body_param.app_error", words));
        };
        if me != BOT {
            let words = "You do not have the appropriate permissions.";
            return Err(refused(403, "api.context.permissions.app_error", words));
        }
        let Some((_, _, direct)) = USERS.iter().find(|(id, ..)| id == other) else {
            let words = "Unable to find the user.";
            return Err(refused(404, "app.user.missing_account.const", words));
        };
        let channel = json!({"id": direct, "create_at": call.now_ms, "type": "D", "team_id": "",
            "display_name": "", "name": format!("{me}__{other}"), "header": ""});
        Ok(told(201, &channel).into())
    }

    fn me(&mut self, call: &Call, _: &Params) -> Handled {
        check_token(call)?;
        let me = json!({"id": BOT, "create_at": 1, "username": "hongyan", "email": "",
            "roles": "system_user", "is_bot": true});
        Ok(told(200, &me).into())
    }

    fn user(&mut self, call: &Call, params: &Params) -> Handled {
        check_token(call)?;
        match USERS.iter().find(|(_, name, _)| *name == params.get("name")) {
            Some((id, name, _)) => {
                let user = json!({"id": id, "create_at": 1, "username": name});
                Ok(told(200, &user).into())
            }
            None => {
                let words = "Unable to find the user.";
                Err(refused(404, "app.user.missing_account.const", words))
            }
        }
    }

    fn hook(&mut self, call: &Call, params: &Params) -> Handled {
        if params.get("id") != HOOK {
            let id = "web.incoming_webhook.invalid.app_error";
            return Err(refused(400, id, "Invalid webhook."));
        }
        let body = match call.content_type().as_str() {
            "application/x-www-form-urlencoded" => {
                let pairs = call.form().unwrap_or_default();
                let payload = pairs.into_iter().find(|(name, _)| name == "payload");
                payload.and_then(|(_, text)| serde_json::from_str(&text).ok())
            }
            _ => call.object().ok(),
        };
        let Some(body) = body else {
            let id = "web.incoming_webhook.parse.app_error";
            return Err(refused(400, id, "Unable to parse incoming data."));
        };
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let channel = match text("channel") {
            "" => "town-square",
            named => {
                let user = named.strip_prefix('@');
                let is_user = USERS.iter().any(|(_, name, _)| Some(*name) == user);
                let is_known = CHANNELS.iter().any(|(_, name, _)| *name == named);
                if !is_user && !is_known {
                    let id = "web.incoming_webhook.channel.app_error";
                    return Err(refused(404, id, "Couldn't find the channel."));
                }
                named
            }
        };
        let mut shown = text("text").to_owned();
        if shown.is_empty() {
            shown = cards(body.get("attachments"));
        }
        if shown.trim().is_empty() {
            let id = "web.incoming_webhook.text.app_error";
            return Err(refused(400, id, "No text specified."));
        }
        // What is too long for a post becomes several.
        let letters: Vec<char> = shown.chars().collect();
        let posts = letters.chunks(LONGEST).map(|some| {
            let text: String = some.iter().collect();
            Delivered {
                format: Format::Markdown(Dialect::CommonMark),
                mentions: mentions(&text),
                priority: urgency(body.get("priority")),
                ..Delivered::to(HOOK, channel, text)
            }
        });
        let answer = Answer::new(200, "text/plain", "ok");
        Ok(Outcome { answer, delivered: posts.collect() })
    }
}

impl Service for Mattermost {
    fn name(&self) -> &'static str {
        "mattermost"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let not_found =
            || refused(404, "api.context.404.app_error", "Sorry, we could not find it.");
        route::answer(self, call, ROUTES).unwrap_or_else(|_| not_found().into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        Answer::plain(429, "limit exceeded").retry_after(1).with_header("x-ratelimit-reset", "1")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        refused(400, "api.context.invalid_body_param.app_error", "Post rejected by plugin.")
    }

    fn largest_body(&self) -> usize {
        LARGEST + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "bot", "token": TOKEN});
        let bot = json!({"service": "mattermost", "auth": auth, "to": {"channel": TOWN_SQUARE}});
        let url = format!("https://chat.example.com/hooks/{HOOK}");
        let hook = json!({"service": "mattermost", "auth": {"type": "webhook", "url": url}});
        vec![("mattermost", bot), ("mattermost-webhook", hook)]
    }

    fn about(&self) -> About {
        About {
            title: "Mattermost",
            paths: "<code>POST /mattermost/api/v4/posts</code>, <code>/api/v4/files</code>, \
                    <code>/api/v4/channels/direct</code>; <code>GET /api/v4/users/me</code>; \
                    <code>POST /hooks/{id}</code>",
            auth: "<code>Authorization: Bearer …</code>; of a webhook the id in its path",
            recipients: "channels 4xp9fdt77pncbef59f4k1qe83o (town-square) and \
                         8xyzabcdefghijklmnopqrstu1 (off-topic), users u1annaannaannaannaannaanna and \
                         u2brunobrunobrunobrunobrun; 8xyzabcdefghijklmnopqrstu2 is archived, the bot \
                         is not in 8xyzabcdefghijklmnopqrstu3",
            limits: "16,383 characters a post, of which a webhook's text becomes several; ten files",
            assumed: &[
                "a post is never still being saved when its copy comes",
                "the ids of channels, users and posts",
            ],
        }
    }
}
