//! Slack: methods of the Web API that a bot sends with, and an incoming webhook.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Attached, Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::multipart;
use crate::route::{self, Handled, Params, Route};
use crate::window::{Room, Windows};

const TOKEN: &str = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy";
const HOOK: (&str, &str, &str) = ("T0001HONG", "B0001YAN", "XXXXgoosecarrieslettersX");
const BOT: &str = "B19LU7CSY";
/// Channels: an id, its name, and what is answered instead of a message.
const CHANNELS: [(&str, &str, Option<&str>); 5] = [
    ("C024BE91L", "general", None),
    ("C061EG9SL", "random", None),
    ("C0ARCHIVE", "old", Some("is_archived")),
    ("C0PRIVATE", "secret", Some("not_in_channel")),
    ("C0READONLY", "news", Some("restricted_action_read_only_channel")),
];
/// Users, and the channels of their direct messages.
const USERS: [(&str, &str); 2] = [("U2147483697", "D069C7QFK"), ("U0G9QF9C6", "D0G9QPY56")];
/// Code points beyond which a text is cut.
const LONGEST: usize = 40_000;
const MOST_BLOCKS: usize = 50;
const MOST_ATTACHMENTS: usize = 100;
const LONGEST_MARKDOWN: usize = 12_000;
/// The largest file that is kept here, in bytes.
const LARGEST: usize = 100 << 20;
/// Assumed: how many messages a channel takes in a burst; the document says one a second, with short bursts.
const BURST: usize = 5;

const ROUTES: &[Route<Slack>] = &[
    Route::post("/api/chat.postMessage", Slack::post),
    Route::post("/api/conversations.open", Slack::open),
    Route::post("/api/auth.test", Slack::test),
    Route::post("/api/files.getUploadURLExternal", Slack::place),
    Route::post("/upload/v1/{place}", Slack::upload),
    Route::post("/api/files.completeUploadExternal", Slack::share),
    Route::post("/services/{team}/{hook}/{secret}", Slack::hook),
];

/// A file: asked for, uploaded, or shared already.
enum File {
    Asked { name: String, length: usize },
    There(Attached),
    Shared,
}

pub(super) struct Slack {
    channels: Windows,
    sent: u64,
    /// By id.
    files: HashMap<String, File>,
}

impl Default for Slack {
    fn default() -> Slack {
        let channels = Windows::new(BURST, BURST as u64 * 1000);
        Slack { channels, sent: 0, files: HashMap::new() }
    }
}

fn refused(error: &str) -> Answer {
    Answer::json(200, &json!({"ok": false, "error": error}))
}

fn too_fast(room: &Room) -> Answer {
    let body = json!({"ok": false, "error": "ratelimited"});
    Answer::json(429, &body).retry_after(room.reset_s().max(1))
}

/// The arguments of a method, after the token was found to be right.
fn arguments(call: &Call) -> Result<Map<String, Value>, Answer> {
    match call.credentials("Bearer") {
        None => return Err(refused("not_authed")),
        Some(TOKEN) => {}
        Some("xoxb-revoked") => return Err(refused("token_revoked")),
        Some(_) => return Err(refused("invalid_auth")),
    }
    if call.content_type() == "application/json" {
        if call.body.is_empty() {
            return Ok(Map::new());
        }
        return call.object().map_err(|_| refused("invalid_json"));
    }
    let pairs = call.form().ok_or_else(|| refused("invalid_form_data"))?;
    // In a form, what has structure is JSON.
    let value = |text: String| match text.starts_with(['[', '{']) {
        true => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        false => Value::String(text),
    };
    Ok(pairs.into_iter().map(|(name, text)| (name, value(text))).collect())
}

/// What is wrong with the content of a message, and its text as it is kept: whole, or cut.
fn content(body: &Map<String, Value>) -> Result<(String, bool), &'static str> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let list = |name: &str| match body.get(name) {
        None => Ok(&[][..]),
        Some(Value::Array(items)) => Ok(items.as_slice()),
        Some(_) => Err("invalid_arguments"),
    };
    let (blocks, attachments) = (list("blocks")?, list("attachments")?);
    if blocks.iter().any(|block| block["type"].as_str().is_none()) || blocks.len() > MOST_BLOCKS {
        return Err("invalid_blocks");
    }
    if attachments.len() > MOST_ATTACHMENTS {
        return Err("too_many_attachments");
    }
    let markdown = text("markdown_text");
    if !markdown.is_empty() && (!text("text").is_empty() || !blocks.is_empty()) {
        return Err("markdown_text_conflict");
    }
    if markdown.chars().count() > LONGEST_MARKDOWN {
        return Err("msg_too_long");
    }
    let own = [text("text"), markdown].concat();
    let fallback = || {
        let of = |item: &Value| {
            let text = item.pointer("/text/text").or_else(|| item.get("text"));
            let text = text.or_else(|| item.get("fallback")).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        blocks.iter().chain(attachments).map(of).collect::<Vec<_>>().join("\n")
    };
    if own.trim().is_empty() && blocks.is_empty() && attachments.is_empty() {
        return Err("no_text");
    }
    let shown = if own.is_empty() { fallback() } else { own };
    let cut: String = shown.chars().take(LONGEST).collect();
    let is_cut = cut.len() < shown.len();
    Ok((cut, is_cut))
}

/// The message as it stands in a channel.
fn delivered(body: &Map<String, Value>, account: &str, channel: &str, text: String) -> Delivered {
    let format = match body.get("mrkdwn") {
        Some(Value::Bool(false)) => Format::Plain,
        Some(Value::String(word)) if word == "false" => Format::Plain,
        _ => Format::Markdown(Dialect::Slack),
    };
    let mentions = text.split("<@").skip(1).filter_map(|rest| rest.split(['>', '|']).next());
    let mut mentions: Vec<String> = mentions.map(str::to_owned).collect();
    for word in ["here", "channel", "everyone"] {
        mentions.extend(text.contains(&format!("<!{word}>")).then(|| word.to_owned()));
    }
    // What is no markup shows as it was written before it was escaped.
    let text = match format {
        Format::Plain => text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
        _ => text,
    };
    let thread = body.get("thread_ts").and_then(Value::as_str).map(str::to_owned);
    Delivered { format, mentions, thread, ..Delivered::to(account, channel, text) }
}

/// The id of a channel, or of that of a user's direct messages.
fn known(channel: &str) -> Result<&'static str, Answer> {
    let of_user = USERS.iter().find(|(user, direct)| *user == channel || *direct == channel);
    let known = CHANNELS.iter().find(|(id, name, _)| *id == channel || *name == channel);
    match (known, of_user) {
        (Some((_, _, Some(error))), _) => Err(refused(error)),
        (Some((id, ..)), _) => Ok(*id),
        (None, Some((_, direct))) => Ok(*direct),
        (None, None) => Err(refused("channel_not_found")),
    }
}

impl Slack {
    fn post(&mut self, call: &Call, _: &Params) -> Handled {
        let body = arguments(call)?;
        let channel = match body.get("channel").and_then(Value::as_str) {
            None | Some("") => return Err(refused("channel_not_found")),
            Some(channel) => channel.trim_start_matches('#'),
        };
        let channel = known(channel)?;
        let room = self.channels.ask(channel, call);
        if !room.passed {
            return Err(too_fast(&room));
        }
        let (text, cut) = content(&body).map_err(refused)?;
        self.sent += 1;
        let ts = format!("{}.{:06}", call.now_s(), self.sent % 1_000_000);
        let mut answer = json!({"ok": true, "channel": channel, "ts": ts, "message": {
            "type": "message", "subtype": "bot_message", "text": text, "ts": ts, "bot_id": BOT}});
        if cut {
            answer["response_metadata"] = json!({"warnings": ["message_truncated"]});
        }
        let delivered = Delivered { id: Some(ts), ..delivered(&body, BOT, channel, text) };
        Ok(Outcome::took(Answer::json(200, &answer), delivered))
    }

    /// Gives a place to a file that is told by its name and length.
    fn place(&mut self, call: &Call, _: &Params) -> Handled {
        let own = arguments(call)?;
        let pairs = call.params().unwrap_or_default();
        let text = |name: &str| {
            let of_pairs = pairs.iter().find(|(own, _)| own == name).map(|(_, text)| text.clone());
            of_pairs.or_else(|| own.get(name).map(|v| v.as_str().map_or(v.to_string(), Into::into)))
        };
        let length = text("length").and_then(|length| length.parse::<usize>().ok());
        let (Some(name), Some(length)) = (text("filename").filter(|n| !n.is_empty()), length)
        else {
            return Err(refused("invalid_arguments"));
        };
        if length == 0 || length > LARGEST {
            return Err(refused("invalid_arguments"));
        }
        self.sent += 1;
        let id = format!("F{:010}", self.sent);
        let url = format!("{}/upload/v1/{id}HONGYAN", call.base_url());
        self.files.insert(id.clone(), File::Asked { name, length });
        let body = json!({"ok": true, "upload_url": url, "file_id": id});
        Ok(Answer::json(200, &body).into())
    }

    /// Takes the bytes of a file, as they are or in a form: whoever knows the place may bring them.
    fn upload(&mut self, call: &Call, params: &Params) -> Handled {
        let id = params.get("place").strip_suffix("HONGYAN").unwrap_or_default();
        let (bytes, kind) = match call.content_type().as_str() {
            "multipart/form-data" => {
                let header = call.header("content-type").unwrap_or_default();
                let parts = multipart::parts(header, &call.body);
                let part = parts.ok().and_then(|parts| parts.into_iter().next());
                let part = part.ok_or_else(|| Answer::plain(400, "no file"))?;
                (part.bytes, part.content_type)
            }
            kind => (call.body.clone(), kind.to_owned()),
        };
        match self.files.get_mut(id) {
            Some(file) => match file {
                File::Asked { name, length } if *length == bytes.len() => {
                    *file = File::There(Attached::new(name, &kind, &bytes));
                    Ok(Answer::plain(200, &format!("OK - {}", bytes.len())).into())
                }
                File::Asked { .. } => Err(Answer::plain(400, "the length differs")),
                _ => Err(Answer::plain(410, "it is there already")),
            },
            None => Err(Answer::plain(404, "no such place")),
        }
    }

    /// Shares files that are there in a channel, or leaves them to the bot alone.
    fn share(&mut self, call: &Call, _: &Params) -> Handled {
        let body = arguments(call)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let list = body.get("files").and_then(Value::as_array).filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| refused("invalid_arguments"))?;
        let mut files = Vec::new();
        for own in list {
            match self.files.get(own["id"].as_str().unwrap_or_default()) {
                Some(File::There(file)) => {
                    let mut file = file.clone();
                    if let Some(title) = own["title"].as_str() {
                        file.name = title.to_owned();
                    }
                    files.push(file);
                }
                _ => return Err(refused("file_not_found")),
            }
        }
        let channel = match text("channel_id") {
            "" => None,
            channel => Some(known(channel)?),
        };
        if let Some(channel) = channel {
            let room = self.channels.ask(channel, call);
            if !room.passed {
                return Err(too_fast(&room));
            }
        }
        let mut shown = body.clone();
        shown.insert("text".to_owned(), text("initial_comment").into());
        let words = match text("initial_comment").is_empty() && !shown.contains_key("blocks") {
            true => String::new(),
            false => content(&shown).map_err(refused)?.0,
        };
        for own in list {
            self.files.insert(own["id"].as_str().unwrap_or_default().to_owned(), File::Shared);
        }
        let answer = json!({"ok": true, "files": list.iter().map(|own| {
            json!({"id": own["id"], "title": own["title"]})
        }).collect::<Vec<_>>()});
        let answer = Answer::json(200, &answer);
        // The message comes after the answer, which does not name it.
        let Some(channel) = channel else { return Ok(answer.into()) };
        let one = Delivered { attachments: files, ..delivered(&body, BOT, channel, words) };
        Ok(Outcome::took(answer, one))
    }

    fn open(&mut self, call: &Call, _: &Params) -> Handled {
        let body = arguments(call)?;
        let users = body.get("users").and_then(Value::as_str).unwrap_or_default();
        if users.is_empty() {
            return Err(refused("users_list_not_supplied"));
        }
        let found = USERS.iter().find(|(user, _)| *user == users);
        let Some((_, direct)) = found else { return Err(refused("user_not_found")) };
        Ok(Answer::json(200, &json!({"ok": true, "channel": {"id": direct}})).into())
    }

    fn test(&mut self, call: &Call, _: &Params) -> Handled {
        arguments(call)?;
        let me = json!({"ok": true, "url": "https://hongyan.slack.com/", "team": "Hongyan",
            "user": "hongyan", "team_id": HOOK.0, "user_id": "U0HONGYAN", "bot_id": BOT});
        Ok(Answer::json(200, &me).into())
    }

    fn hook(&mut self, call: &Call, params: &Params) -> Handled {
        let word = |status, word: &str| Answer::new(status, "text/html", word.to_owned());
        if params.get("team") != HOOK.0 || params.get("hook") != HOOK.1 {
            return Err(word(404, "no_service"));
        }
        if params.get("secret") != HOOK.2 {
            return Err(word(403, "invalid_token"));
        }
        let body = match call.content_type().as_str() {
            "application/x-www-form-urlencoded" => {
                let pairs = call.form().unwrap_or_default();
                let payload = pairs.into_iter().find(|(name, _)| name == "payload");
                payload.and_then(|(_, text)| serde_json::from_str(&text).ok())
            }
            _ => call.object().ok(),
        };
        let Some(body) = body else { return Err(word(400, "invalid_payload")) };
        let room = self.channels.ask(HOOK.1, call);
        if !room.passed {
            return Err(word(429, "rate_limited").retry_after(room.reset_s().max(1)));
        }
        let (text, _) = content(&body).map_err(|error| word(400, error))?;
        Ok(Outcome::took(word(200, "ok"), delivered(&body, HOOK.1, "", text)))
    }
}

impl Service for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, call: &Call) -> Answer {
        match call.path.starts_with("/services/") {
            true => Answer::new(429, "text/html", "rate_limited").retry_after(1),
            false => {
                let body = json!({"ok": false, "error": "ratelimited"});
                Answer::json(429, &body).retry_after(1)
            }
        }
    }

    fn dropped(&self, call: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        match call.path.starts_with("/services/") {
            true => Answer::new(403, "text/html", "action_prohibited"),
            false => refused("restricted_action"),
        }
    }

    fn largest_body(&self) -> usize {
        LARGEST + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let (team, hook, secret) = HOOK;
        let url = format!("https://hooks.slack.com/services/{team}/{hook}/{secret}");
        let auth = json!({"type": "bot", "token": TOKEN});
        let bot = json!({"service": "slack", "auth": auth, "to": {"channel": CHANNELS[0].0}});
        let hook = json!({"service": "slack", "auth": {"type": "webhook", "url": url}});
        vec![("slack", bot), ("slack-webhook", hook)]
    }

    fn about(&self) -> About {
        About {
            title: "Slack",
            paths: "<code>POST /slack/api/chat.postMessage</code>, <code>/api/conversations.open</code>, \
                    <code>/api/auth.test</code>, <code>/api/files.getUploadURLExternal</code>, \
                    <code>/upload/v1/…</code>, <code>/api/files.completeUploadExternal</code>; \
                    <code>POST /services/T…/B…/X…</code>",
            auth: "<code>Authorization: Bearer xoxb-…</code>; of a webhook the three parts of its path",
            recipients: "channels C024BE91L (general) and C061EG9SL (random), users U2147483697 and \
                         U0G9QF9C6; C0ARCHIVE is archived, the bot is not in C0PRIVATE, C0READONLY is \
                         read-only",
            limits: "a text is cut at 40,000 characters, 50 blocks, 100 attachments; five messages in \
                     five seconds a channel",
            assumed: &[
                "how many messages a channel takes in a burst",
                "a place for a file takes it once, of the length that was told",
                "a webhook takes mrkdwn as chat.postMessage does",
                "the ids of channels and users that it knows",
            ],
        }
    }
}
