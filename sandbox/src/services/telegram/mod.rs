//! Telegram's Bot API: `POST /bot{TOKEN}/{method}`, its arguments in whatever form they come.

mod chats;
mod markup;

use serde_json::{Value, json};

use self::chats::{Chat, FORUM, State, TOPICS};
use self::markup::Rich;
use super::{About, Service};
use crate::delivered::{Attached, Format, image_type};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::fields::Fields;
use crate::window::Windows;

const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const BOT: &str = "hongyan_bot";

/// Code points of a text and of a caption, after its markup is read; bytes of a text before that.
const LONGEST_TEXT: usize = 4096;
const LONGEST_CAPTION: usize = 1024;
const LONGEST_RAW: usize = 32_768;
/// Bytes of a photo and of any other file.
const LARGEST_PHOTO: usize = 10 << 20;
const LARGEST_FILE: usize = 50 << 20;
/// Assumed: how many messages a chat takes in a burst; the document says one a second, "short bursts" apart.
const BURST: usize = 5;

pub(super) struct Telegram {
    chats: Windows,
    groups: Windows,
    bot: Windows,
    sent: i64,
}

impl Default for Telegram {
    fn default() -> Telegram {
        Telegram {
            chats: Windows::new(BURST, BURST as u64 * 1000),
            groups: Windows::new(20, 60_000),
            bot: Windows::new(30, 1000),
            sent: 0,
        }
    }
}

/// A refusal: its status, its words, and what stands in `parameters`.
struct Refused(u16, String, Option<Value>);

type Result<T> = std::result::Result<T, Refused>;

fn refused<T>(status: u16, words: impl Into<String>) -> Result<T> {
    Err(Refused(status, words.into(), None))
}

fn bad<T>(words: impl AsRef<str>) -> Result<T> {
    refused(400, format!("Bad Request: {}", words.as_ref()))
}

fn too_many(seconds: u64) -> Refused {
    let words = format!("Too Many Requests: retry after {seconds}");
    Refused(429, words, Some(json!({"retry_after": seconds})))
}

impl From<Refused> for Answer {
    fn from(Refused(status, words, parameters): Refused) -> Answer {
        let mut body = json!({"ok": false, "error_code": status, "description": words});
        let wait = parameters.as_ref().and_then(|own| own["retry_after"].as_u64());
        if let Some(parameters) = parameters {
            body["parameters"] = parameters;
        }
        let answer = Answer::new(status, "application/json", body.to_string());
        match wait {
            Some(seconds) => answer.retry_after(seconds),
            None => answer,
        }
    }
}

fn ok(result: &Value) -> Answer {
    Answer::new(200, "application/json", json!({"ok": true, "result": result}).to_string())
}

/// A file of a message: how it comes in the answer, and as its reader sees it.
struct File {
    kind: &'static str,
    attached: Attached,
}

impl File {
    /// The file in the answer. Images are not decoded: each is told to be as small as the smallest copy that
    /// the service makes.
    fn to_json(&self, number: i64) -> Value {
        let (id, attached) = (format!("file-{number}"), &self.attached);
        let mut one = json!({"file_id": id, "file_unique_id": id, "file_size": attached.size});
        if self.kind == "photo" {
            (one["width"], one["height"]) = (90.into(), 90.into());
            return json!([one]);
        }
        one["file_name"] = attached.name.as_str().into();
        if !attached.content_type.is_empty() {
            one["mime_type"] = attached.content_type.as_str().into();
        }
        one
    }
}

impl Telegram {
    fn call(&mut self, call: &Call) -> Result<Outcome> {
        let (token, method) = call
            .path
            .strip_prefix("/bot")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| Refused(404, "Not Found".to_owned(), None))?;
        let token = token.replace("%3A", ":").replace("%3a", ":");
        check_token(&token)?;
        let method = method.to_ascii_lowercase();
        if method == "getme" {
            let me = json!({"id": 110_201_543, "is_bot": true, "first_name": "Hongyan",
                "username": BOT, "can_join_groups": true, "can_read_all_group_messages": false,
                "supports_inline_queries": false});
            return Ok(ok(&me).into());
        }
        let fields = call.fields().or_else(bad)?;
        match method.as_str() {
            "sendmessage" => self.send_message(call, &fields),
            "sendphoto" => self.send_file(call, &fields, "photo"),
            "senddocument" => self.send_file(call, &fields, "document"),
            "sendmediagroup" => self.send_album(call, &fields),
            _ => refused(404, "Not Found: method not found"),
        }
    }

    fn send_message(&mut self, call: &Call, fields: &Fields) -> Result<Outcome> {
        let chat = self.chat(fields)?;
        let text = fields.text("text").unwrap_or_default();
        let rich = rich(&text, fields, "entities", LONGEST_TEXT, "message is too long")?;
        if rich.text.is_empty() {
            let words =
                if text.is_empty() { "message text is empty" } else { "text must be non-empty" };
            return bad(words);
        }
        self.deliver(call, fields, chat, vec![(rich, None)])
    }

    fn send_file(&mut self, call: &Call, fields: &Fields, kind: &'static str) -> Result<Outcome> {
        let chat = self.chat(fields)?;
        let text = fields.text("caption").unwrap_or_default();
        let words = "message caption is too long";
        let rich = rich(&text, fields, "caption_entities", LONGEST_CAPTION, words)?;
        let file = match fields.file(kind) {
            Some(part) => uploaded(part, kind)?,
            None => named(fields, &fields.given(kind).unwrap_or_default(), kind)?,
        };
        self.deliver(call, fields, chat, vec![(rich, Some(file))])
    }

    fn send_album(&mut self, call: &Call, fields: &Fields) -> Result<Outcome> {
        let chat = self.chat(fields)?;
        let media = fields.json("media").unwrap_or_default();
        let Some(media) = media.as_array().filter(|media| (2..=10).contains(&media.len())) else {
            return bad("wrong number of media: from 2 to 10 are taken");
        };
        let mut messages = Vec::new();
        for one in media {
            let kind = match one["type"].as_str() {
                Some("photo") => "photo",
                Some("document") => "document",
                _ => return bad("can't parse InputMedia: media type is wrong"),
            };
            let mode = one["parse_mode"].as_str();
            let entities = Some(one["caption_entities"].clone()).filter(|own| !own.is_null());
            let rich =
                trimmed(markup::read(one["caption"].as_str().unwrap_or_default(), mode, entities));
            let rich = rich.or_else(bad)?;
            if rich.text.chars().count() > LONGEST_CAPTION {
                return bad("message caption is too long");
            }
            let file = named(fields, one["media"].as_str().unwrap_or_default(), kind)?;
            messages.push((rich, Some(file)));
        }
        if messages.iter().flat_map(|(_, file)| file).any(|file| {
            messages.iter().flat_map(|(_, other)| other).any(|other| other.kind != file.kind)
        }) {
            return bad("documents can't be mixed with other media types");
        }
        self.deliver(call, fields, chat, messages)
    }

    /// The chat that is named, if it takes messages; where that is refused nothing is counted.
    fn chat(&self, fields: &Fields) -> Result<Chat> {
        let name = fields.given("chat_id").unwrap_or_default();
        if name.is_empty() {
            return bad("chat_id is empty");
        }
        let Some(chat) = chats::find(&name) else { return bad("chat not found") };
        match chat.state {
            State::Open => {}
            State::Refuses(status, words) => return refused(status, words),
            State::MovedTo(id) => {
                let words = "Bad Request: group chat was upgraded to a supergroup chat";
                let moved = json!({"migrate_to_chat_id": id});
                return Err(Refused(400, words.to_owned(), Some(moved)));
            }
        }
        Ok(chat)
    }

    fn deliver(
        &mut self,
        call: &Call,
        fields: &Fields,
        chat: Chat,
        messages: Vec<(Rich, Option<File>)>,
    ) -> Result<Outcome> {
        let topic = topic(fields, chat)?;
        let reply = reply(fields)?;
        if let Some(id) = reply.filter(|id| !(1..=self.sent).contains(id)) {
            // Ids are counted over all chats here, which is enough to tell known from unknown.
            let is_optional = fields.json("reply_parameters").unwrap_or_default()["allow_sending_without_reply"]
                == true;
            if !is_optional {
                return bad(format!("message to be replied not found: {id}"));
            }
        }
        let key = chat.id.to_string();
        let mut rooms = vec![self.chats.ask(&key, call)];
        if chat.id < 0 {
            rooms.push(self.groups.ask(&key, call));
        }
        rooms.push(self.bot.ask("", call));
        if let Some(full) = rooms.iter().find(|room| !room.passed) {
            return Err(too_many(full.reset_s()));
        }
        let silent = fields.flag("disable_notification");
        let thread = topic.or(reply).map(|id| id.to_string());
        let (mut results, mut delivered) = (Vec::new(), Vec::new());
        let is_album = messages.len() > 1;
        for (rich, file) in messages {
            self.sent += 1;
            let (text, field) =
                (rich.text.clone(), if file.is_some() { "caption" } else { "text" });
            let mut result = json!({"message_id": self.sent, "date": call.now_s(),
                "from": {"id": 110_201_543, "is_bot": true, "first_name": "Hongyan", "username": BOT},
                "chat": {"id": chat.id, "type": chat.kind}});
            let name = if chat.kind == "private" { "first_name" } else { "title" };
            result["chat"][name] = chat.name.into();
            if !text.is_empty() {
                result[field] = text.clone().into();
            }
            if !rich.entities.is_empty() {
                let field = if file.is_some() { "caption_entities" } else { "entities" };
                result[field] = markup::entities(&rich);
            }
            if let Some(topic) = topic {
                (result["message_thread_id"], result["is_topic_message"]) =
                    (topic.into(), true.into());
            }
            if is_album {
                result["media_group_id"] = "1".into();
            }
            if let Some(file) = &file {
                result[file.kind] = file.to_json(self.sent);
            }
            results.push(result);
            let format = match rich.entities.is_empty() {
                true => Format::Plain,
                false => Format::Entities(rich.entities),
            };
            delivered.push(Delivered {
                id: Some(self.sent.to_string()),
                format,
                mentions: rich.mentions,
                attachments: file.map(|file| file.attached).into_iter().collect(),
                thread: thread.clone(),
                silent,
                ..Delivered::to(BOT, chat.id.to_string(), text)
            });
        }
        let answer = if is_album { ok(&results.into()) } else { ok(&results[0]) };
        Ok(Outcome { answer, delivered })
    }
}

fn check_token(token: &str) -> Result<()> {
    if !token.contains(':') || token.starts_with('0') || token.len() > 80 {
        // The hosted server's front; its own server behind it would say 401.
        return refused(404, "Not Found");
    }
    match token == TOKEN {
        true => Ok(()),
        false => refused(401, "Unauthorized"),
    }
}

/// The text of a message without blanks around it, whose entities move with it.
fn trimmed(rich: std::result::Result<Rich, String>) -> std::result::Result<Rich, String> {
    let mut rich = rich?;
    let leading = rich.text.chars().take_while(|c| c.is_whitespace()).count();
    rich.text = rich.text.trim().to_owned();
    let most = rich.text.chars().count();
    for entity in &mut rich.entities {
        entity.start = entity.start.saturating_sub(leading).min(most);
        entity.end = entity.end.saturating_sub(leading).min(most);
    }
    rich.entities.retain(|entity| entity.start < entity.end);
    Ok(rich)
}

fn rich(text: &str, fields: &Fields, entities: &str, most: usize, too_long: &str) -> Result<Rich> {
    if text.len() > LONGEST_RAW {
        return bad("text is too long");
    }
    let mode = fields.given("parse_mode");
    let rich = trimmed(markup::read(text, mode.as_deref(), fields.json(entities)));
    let rich = rich.or_else(bad)?;
    match rich.text.chars().count() > most {
        true => bad(too_long),
        false => Ok(rich),
    }
}

/// The topic that is named; General, which has the number 1, is none that can be named.
fn topic(fields: &Fields, chat: Chat) -> Result<Option<i64>> {
    let Some(topic) = fields.given("message_thread_id") else { return Ok(None) };
    let topic = topic.parse::<i64>().ok().filter(|id| chat.id == FORUM && TOPICS.contains(id));
    match topic {
        None => bad("message thread not found"),
        Some(topic) if topic == TOPICS[1] => bad("TOPIC_CLOSED"),
        Some(topic) => Ok(Some(topic)),
    }
}

fn reply(fields: &Fields) -> Result<Option<i64>> {
    let Some(reply) = fields.json("reply_parameters") else {
        return Ok(fields.given("reply_to_message_id").and_then(|id| id.parse().ok()));
    };
    match reply["message_id"].as_i64() {
        Some(id) => Ok(Some(id)),
        None => bad("can't parse reply parameters JSON object"),
    }
}

/// A file that came in a part of its own, or lies at a URL, or is known by its id.
fn named(fields: &Fields, name: &str, kind: &'static str) -> Result<File> {
    if let Some(part) = name.strip_prefix("attach://") {
        return match fields.file(part) {
            Some(part) => uploaded(part, kind),
            None => bad("wrong file identifier/HTTP URL specified"),
        };
    }
    let is_url = name.starts_with("http://") || name.starts_with("https://");
    match is_url && !name.contains("unreachable") {
        true => Ok(File { kind, attached: Attached::at(name) }),
        false if is_url => bad("failed to get HTTP URL content"),
        false => bad("wrong file identifier/HTTP URL specified"),
    }
}

fn uploaded(part: &crate::multipart::Part, kind: &'static str) -> Result<File> {
    let name = part.file_name.as_deref().unwrap_or("file");
    let attached = Attached::new(name, &part.content_type, &part.bytes);
    if part.bytes.is_empty() {
        return bad("file must be non-empty");
    }
    if kind == "photo" && part.bytes.len() > LARGEST_PHOTO {
        return bad("file is too big");
    }
    if kind == "photo" && image_type(&part.bytes).is_none() {
        return bad("PHOTO_INVALID_DIMENSIONS");
    }
    Ok(File { kind, attached })
}

impl Service for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        if call.body.len() > LARGEST_FILE + (1 << 20) {
            return Answer::from(Refused(413, "Request Entity Too Large".to_owned(), None)).into();
        }
        self.call(call).unwrap_or_else(|refused| Answer::from(refused).into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        too_many(35).into()
    }

    fn dropped(&self, _: &Call) -> Answer {
        let words = "Forbidden: bot was kicked from the supergroup chat";
        Refused(403, words.to_owned(), None).into()
    }

    fn largest_body(&self) -> usize {
        LARGEST_FILE + (2 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "bot", "token": TOKEN});
        vec![("telegram", json!({"service": "telegram", "auth": auth}))]
    }

    fn about(&self) -> About {
        About {
            title: "Telegram (Bot API)",
            paths: "<code>POST /telegram/bot{TOKEN}/{method}</code>: <code>getMe</code>, \
                    <code>sendMessage</code>, <code>sendPhoto</code>, <code>sendDocument</code>, \
                    <code>sendMediaGroup</code>; arguments in the query, as a form, as JSON or in parts",
            auth: "the token <code>110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw</code> in the path",
            recipients: "<code>4711</code> (a person), <code>-4002</code> (a group), \
                         <code>-1002000000001</code> (a forum with the topics 7 and 8, the second \
                         closed), <code>@hongyan_news</code> (a channel) take messages. \
                         <code>-4001</code> has become the forum. <code>4712</code> has blocked the \
                         bot, <code>4713</code> is deleted, <code>4714</code> never wrote to it; \
                         <code>-4003</code> has kicked it, <code>-1002000000002</code> lets it send \
                         nothing, <code>@not_ours</code> does not know it. Any other is not found.",
            limits: "4,096 code points of text and 1,024 beside a file, blanks around them apart; \
                     32,768 bytes before the markup is read; 100 entities, the rest is ignored; one \
                     message a second and chat, 20 a minute and group, 30 a second in all.",
            assumed: &[
                "A chat takes five messages in five seconds: how long the documented \"short bursts\" \
                 are is told nowhere.",
                "The same text twice is two messages: there is no memory for repeated ones.",
                "Ids of messages are counted over all chats.",
                "A token that has not the form of one is 404, as at the hosted server; one of another \
                 bot is 401.",
            ],
        }
    }
}
