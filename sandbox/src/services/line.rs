//! LINE's Messaging API: the part of it that bots send with.

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::Attached;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::memory::Memory;
use crate::route::{self, Handled, Params, Route};

const TOKEN: &str = "bGluZS1ib3QtdG9rZW4tb2YtaG9uZ3lhbg==";
const BOT: &str = "U0b01b01b01b01b01b01b01b01b01b01b";
/// Whom the bot can write to: users, a group and a room.
const ANNA: &str = "U4af4980629d85f9c1d3a1b4c5e6f7a8b";
const TO: [&str; 4] = [
    ANNA,
    "U0c6a1b2c3d4e5f60718293a4b5c6d7e8",
    "C4af4980629d85f9c1d3a1b4c5e6f7a8b",
    "R4af4980629d85f9c1d3a1b4c5e6f7a8b",
];
/// Who has blocked the bot: what is sent to him is answered like any other.
const BLOCKED: &str = "Ub10c4edb10c4edb10c4edb10c4edb10c";
/// Units of UTF-16 of a text.
const LONGEST: usize = 5000;
const MOST_OBJECTS: usize = 5;
const MOST_USERS: usize = 500;
/// How long a retry key is known.
const DAY_MS: u64 = 86_400_000;

const ROUTES: &[Route<Line>] = &[
    Route::post("/v2/bot/message/push", Line::push),
    Route::post("/v2/bot/message/multicast", Line::multicast),
    Route::get("/v2/bot/info", Line::info),
];

pub(super) struct Line {
    /// By retry key: the id of the request that was accepted, and what it sent.
    accepted: Memory<(String, Option<Value>)>,
    made: u64,
}

impl Default for Line {
    fn default() -> Line {
        Line { accepted: Memory::new(DAY_MS), made: 0 }
    }
}

/// An answer in JSON; clients look for exactly this type.
fn told(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json", body.to_string())
}

fn refused(status: u16, words: &str) -> Answer {
    told(status, &json!({"message": words}))
}

/// A refusal of one property.
fn fault(property: &str, words: &str) -> Answer {
    let details = json!([{"message": words, "property": property}]);
    told(400, &json!({"message": "The request body has 1 error(s)", "details": details}))
}

fn check_token(call: &Call) -> Result<(), Answer> {
    match call.credentials("Bearer") == Some(TOKEN) {
        true => Ok(()),
        false => Err(refused(
            401,
            "Authentication failed due to the following reason: invalid token. Confirm that the access \
             token in the authorization header is valid.",
        )),
    }
}

/// True for an id as LINE makes them: a letter for its kind, and 32 digits of base 16.
fn is_id(id: &str) -> bool {
    let digits = id.strip_prefix(['U', 'C', 'R']);
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_uuid(key: &str) -> bool {
    let parts: Vec<_> = key.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|b| b.is_ascii_hexdigit());
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(is_hex)
}

/// What a reader sees of a message object.
struct Shown {
    text: String,
    mentions: Vec<String>,
    attachments: Vec<Attached>,
    quoted: Option<String>,
}

fn shown_as(object: &Value, at: &str) -> Result<Shown, Answer> {
    let of = |name: &str| object[name].as_str().unwrap_or_default();
    let mut shown = Shown {
        text: String::new(),
        mentions: Vec::new(),
        attachments: Vec::new(),
        quoted: object["quoteToken"].as_str().map(str::to_owned),
    };
    match of("type") {
        kind @ ("text" | "textV2") => {
            if of("text").is_empty() {
                return Err(fault(&format!("{at}.text"), "May not be empty"));
            }
            if of("text").encode_utf16().count() > LONGEST {
                let words = format!("Length must be between 0 and {LONGEST}");
                return Err(fault(&format!("{at}.text"), &words));
            }
            shown.text = of("text").to_owned();
            if kind == "textV2" {
                substituted(&mut shown, &object["substitution"], at)?;
            }
        }
        "image" | "video" => {
            for name in ["originalContentUrl", "previewImageUrl"] {
                if !of(name).starts_with("https://") {
                    return Err(fault(&format!("{at}.{name}"), "Must be a valid HTTPS URL"));
                }
            }
            shown.attachments.push(Attached::at(of("originalContentUrl")));
        }
        "flex" | "template" | "imagemap" if !of("altText").is_empty() => {
            shown.text = of("altText").to_owned();
        }
        "flex" | "template" | "imagemap" => {
            return Err(fault(&format!("{at}.altText"), "May not be empty"));
        }
        "sticker" | "location" | "audio" | "coupon" => shown.text = object.to_string(),
        _ => {
            let words = "Must be one of the following values: [text, textV2, sticker, image, video, audio, \
                         location, imagemap, template, flex, coupon]";
            return Err(fault(&format!("{at}.type"), words));
        }
    }
    Ok(shown)
}

/// Puts what stands in the places of a text's placeholders there; two braces are one.
fn substituted(shown: &mut Shown, places: &Value, at: &str) -> Result<(), Answer> {
    let text = std::mem::take(&mut shown.text);
    let wrong = || fault(&format!("{at}.text"), "Invalid placeholder");
    let mut rest = &*text;
    while let Some(at) = rest.find(['{', '}']) {
        shown.text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            shown.text.push_str(&rest[..1]);
            rest = behind;
            continue;
        }
        let (name, behind) =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).ok_or_else(wrong)?;
        let place = places.get(name).ok_or_else(wrong)?;
        let who = &place["mentionee"];
        let who = match (place["type"].as_str(), who["type"].as_str()) {
            (Some("mention"), Some("all")) => "all",
            (Some("mention"), Some("user")) => who["userId"].as_str().ok_or_else(wrong)?,
            (Some("emoji"), _) => {
                shown.text.push('$');
                rest = behind;
                continue;
            }
            _ => return Err(wrong()),
        };
        shown.mentions.push(who.to_owned());
        shown.text.push_str(&format!("@{who}"));
        rest = behind;
    }
    shown.text.push_str(rest);
    Ok(())
}

impl Line {
    /// What every request that sends has: its body, checked, and what readers see of it.
    fn body(&self, call: &Call) -> Result<(Map<String, Value>, Vec<Shown>), Answer> {
        check_token(call)?;
        if call.content_type() != "application/json" {
            let words = format!("The content type, '{}', is not supported", call.content_type());
            return Err(refused(415, &words));
        }
        let unread = "The request body could not be parsed as JSON (line: 1, column: 1)";
        let body = call.object().map_err(|_| refused(400, unread))?;
        let objects = body.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
        if objects.is_empty() || objects.len() > MOST_OBJECTS {
            return Err(fault("messages", &format!("Size must be between 1 and {MOST_OBJECTS}")));
        }
        let shown = objects.iter().enumerate();
        let shown = shown.map(|(i, object)| shown_as(object, &format!("messages[{i}]")));
        let shown = shown.collect::<Result<_, _>>()?;
        Ok((body, shown))
    }

    /// Refuses a retry key that is none, or that was accepted before.
    fn retried(&self, call: &Call) -> Result<(), Answer> {
        let Some(key) = call.header("x-line-retry-key") else { return Ok(()) };
        if !is_uuid(key) {
            return Err(refused(
                400,
                "The property, 'X-Line-Retry-Key', in the request header is invalid",
            ));
        }
        match self.accepted.get(&key.to_ascii_lowercase(), call.now_ms) {
            None => Ok(()),
            Some((request, sent)) => {
                let mut body = json!({"message": "The retry key is already accepted"});
                if let Some(sent) = sent {
                    body["sentMessages"] = sent.clone();
                }
                Err(told(409, &body).with_header("x-line-accepted-request-id", request))
            }
        }
    }

    fn next(&mut self) -> String {
        self.made += 1;
        (461_230_966_842_064_896 + self.made).to_string()
    }

    /// Takes a message to these recipients.
    fn take(
        &mut self,
        call: &Call,
        to: &[&str],
        body: &Map<String, Value>,
        all: Vec<Shown>,
    ) -> Outcome {
        let silent = body.get("notificationDisabled") == Some(&Value::Bool(true));
        let (mut sent, mut delivered) = (Vec::new(), Vec::new());
        for one in all {
            let id = self.next();
            sent.push(json!({"id": id, "quoteToken": format!("q{id}")}));
            delivered.extend(to.iter().filter(|to| **to != BLOCKED).map(|to| Delivered {
                id: Some(id.clone()),
                mentions: one.mentions.clone(),
                attachments: one.attachments.clone(),
                thread: one.quoted.clone(),
                silent,
                ..Delivered::to(BOT, *to, one.text.clone())
            }));
        }
        let sent = call.path.ends_with("push").then_some(Value::from(sent));
        let request = format!("00000000-0000-4000-8000-{:012x}", self.made);
        if let Some(key) = call.header("x-line-retry-key") {
            let value = (request.clone(), sent.clone());
            self.accepted.put(key.to_ascii_lowercase(), value, call.now_ms);
        }
        let body = sent.map_or_else(|| json!({}), |sent| json!({"sentMessages": sent}));
        let answer = told(200, &body).with_header("x-line-request-id", &request);
        Outcome { answer, delivered }
    }

    fn push(&mut self, call: &Call, _: &Params) -> Handled {
        let (body, shown) = self.body(call)?;
        let to = body.get("to").and_then(Value::as_str).unwrap_or_default();
        if !is_id(to) {
            let words = "The property, 'to', in the request body is invalid (line: -, column: -)";
            return Err(refused(400, words));
        }
        if !TO.contains(&to) && to != BLOCKED {
            return Err(refused(400, "Failed to send messages"));
        }
        self.retried(call)?;
        Ok(self.take(call, &[to], &body, shown))
    }

    fn multicast(&mut self, call: &Call, _: &Params) -> Handled {
        let (body, shown) = self.body(call)?;
        let to = body.get("to").and_then(Value::as_array).into_iter().flatten();
        let to: Option<Vec<_>> = to.map(Value::as_str).collect();
        let to = to.unwrap_or_default();
        if to.is_empty() || to.len() > MOST_USERS {
            return Err(fault("to", &format!("Size must be between 1 and {MOST_USERS}")));
        }
        if !to.iter().all(|to| is_id(to) && to.starts_with('U')) {
            let words = "The property, 'to', in the request body is invalid (line: -, column: -)";
            return Err(refused(400, words));
        }
        self.retried(call)?;
        // Whom it does not know it leaves out, and tells nothing of that.
        let known: Vec<_> = to.into_iter().filter(|to| TO.contains(to)).collect();
        Ok(self.take(call, &known, &body, shown))
    }

    fn info(&mut self, call: &Call, _: &Params) -> Handled {
        check_token(call)?;
        let me = json!({"userId": BOT, "basicId": "@hongyan", "displayName": "hongyan",
            "chatMode": "bot", "markAsReadMode": "auto"});
        Ok(told(200, &me).into())
    }
}

impl Service for Line {
    fn name(&self) -> &'static str {
        "line"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let not_found = || refused(404, "Not found");
        route::answer(self, call, ROUTES).unwrap_or_else(|_| not_found().into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        refused(429, "The API rate limit has been exceeded. Try again later.")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // What a user who blocked the bot is sent is answered as any other; this is the nearest refusal.
        refused(400, "Failed to send messages")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "bot", "token": TOKEN});
        vec![("line", json!({"service": "line", "auth": auth, "to": {"user": ANNA}}))]
    }

    fn about(&self) -> About {
        About {
            title: "LINE",
            paths: "<code>POST /line/v2/bot/message/push</code>, \
                    <code>/v2/bot/message/multicast</code>; <code>GET /v2/bot/info</code>",
            auth: "<code>Authorization: Bearer …</code>",
            recipients: "users U4af4980629d85f9c1d3a1b4c5e6f7a8b and U0c6a1b2c3d4e5f60718293a4b5c6d7e8, \
                         group C4af4980629d85f9c1d3a1b4c5e6f7a8b, room \
                         R4af4980629d85f9c1d3a1b4c5e6f7a8b; Ub10c4edb10c4edb10c4edb10c4edb10c has \
                         blocked the bot, which no answer tells",
            limits: "5 message objects, 5,000 UTF-16 units a text, 500 users; a retry key is known for a \
                     day",
            assumed: &[
                "a retry key is known whatever stands in the request",
                "two braces in a text with placeholders are one",
                "whom a message to several does not reach is left out without a word",
            ],
        }
    }
}
