//! Rocket.Chat: the part of its API that users send messages with, and incoming webhooks.

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Params, Route};
use crate::window::Windows;

const USER_ID: &str = "YKduDE7nGbqDkPCFf";
const TOKEN: &str = "eERFofD7pHQttqDpqdDQCo9JWeKnHpXo7wMGqptNbGo";
const NAME: &str = "hongyan";
/// Webhooks: an id, its token, and what is special about it.
const HOOKS: [(&str, &str, Hook); 3] = [
    ("64c0ffee64c0ffee64c0ffe1", "yEpDsPjwnf4YhqhbXR5Mx4RFpXmjZzgWrEHkeL3ZKjeCvE3o", Hook::Free),
    ("64c0ffee64c0ffee64c0ffe2", "p57YZxarjq6hE8FTixvEDzxXupw7gWycvaBhaLsHjDP4WJ2R", Hook::Bound),
    ("64c0ffee64c0ffee64c0ffe3", "q68ZAybskr7iF9GUjywFEAyYvqx8hXzdwbCibMtIkEQ5XK3S", Hook::Off),
];
/// Channels: an id, its name, and whether the user may post there.
const CHANNELS: [(&str, &str, bool); 3] = [
    ("GENERAL", "general", true),
    ("rT3offtopicChannel", "off-topic", true),
    ("rT3announcements01", "announcements", false),
];
const USERS: [&str; 2] = ["anna", "bruno"];
/// Units of UTF-16 of a text, as a server takes them that was not set otherwise.
const LONGEST: usize = 5000;

#[derive(Clone, Copy, PartialEq)]
enum Hook {
    /// It may override the channel.
    Free,
    /// It posts into its own channel only.
    Bound,
    /// It is switched off.
    Off,
}

const ROUTES: &[Route<RocketChat>] = &[
    Route::post("/api/v1/chat.postMessage", RocketChat::post),
    Route::get("/api/v1/me", RocketChat::me),
    Route::post("/hooks/{id}/{token}", RocketChat::hook),
];

pub(super) struct RocketChat {
    windows: Windows,
    sent: u64,
}

impl Default for RocketChat {
    fn default() -> RocketChat {
        RocketChat { windows: Windows::new(10, 60_000), sent: 0 }
    }
}

fn told(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json", body.to_string())
}

/// A refusal whose words end with its code.
fn refused(code: &str, words: &str) -> Answer {
    let body = json!({"success": false, "error": format!("{words} [{code}]"), "errorType": code});
    told(400, &body)
}

fn failure(status: u16, words: &str) -> Answer {
    told(status, &json!({"success": false, "error": words}))
}

fn too_many(seconds: u64, reset_ms: u64) -> Answer {
    let words = format!(
        "Error, too many requests. Please slow down. You must wait {seconds} seconds before trying \
         this endpoint again. [error-too-many-requests]"
    );
    failure(429, &words)
        .with_header("x-ratelimit-limit", "10")
        .with_header("x-ratelimit-remaining", "0")
        .with_header("x-ratelimit-reset", &reset_ms.to_string())
}

/// The names behind each `@` that begins a word.
fn mentions(text: &str) -> Vec<String> {
    let is_letter = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let places = text.match_indices('@').filter(|(at, _)| !text[..*at].ends_with(is_letter));
    let names = places.map(|(at, _)| {
        let rest = &text[at + 1..];
        &rest[..rest.find(|c| !is_letter(c)).unwrap_or(rest.len())]
    });
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// What cards say.
fn cards(of: Option<&Value>) -> String {
    let words = |card: &Value| {
        let all = [&card["pretext"], &card["title"], &card["text"]];
        let all: Vec<_> = all.into_iter().filter_map(Value::as_str).collect();
        all.join("\n")
    };
    let cards = of.and_then(Value::as_array).into_iter().flatten();
    cards.map(words).collect::<Vec<_>>().join("\n")
}

/// The room of this name or id, behind `#` or `@`.
fn room(wanted: &str) -> Result<String, Answer> {
    let unknown = || refused("error-invalid-channel", &format!("{wanted:?} is no room"));
    let channel = |name: &str| CHANNELS.iter().find(|(id, own, _)| name == *id || name == *own);
    let found = match (wanted.strip_prefix('#'), wanted.strip_prefix('@')) {
        (_, Some(user)) => USERS.contains(&user).then(|| Ok(format!("@{user}"))),
        (name, None) => channel(name.unwrap_or(wanted)).map(|(_, name, may)| match may {
            true => Ok((*name).to_owned()),
            false => Err(refused("error-not-allowed", "You may not post in this room")),
        }),
    };
    found.unwrap_or_else(|| Err(unknown()))
}

impl RocketChat {
    /// Counts a request to a route.
    fn count(&mut self, route: &str, call: &Call) -> Result<(), Answer> {
        let room = self.windows.ask(route, call);
        match room.passed {
            true => Ok(()),
            false => Err(too_many(room.reset_s(), call.now_ms + room.reset_ms)),
        }
    }

    /// Keeps a message; gives its id.
    fn keep(&mut self, from: &str, room: &str, body: &Map<String, Value>) -> (String, Delivered) {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        self.sent += 1;
        let id = format!("m{:016}", self.sent);
        let mut shown = text("text").to_owned();
        if shown.is_empty() {
            shown = cards(body.get("attachments"));
        }
        let delivered = Delivered {
            id: Some(id.clone()),
            format: Format::Markdown(Dialect::RocketChat),
            mentions: mentions(&shown),
            thread: Some(text("tmid").to_owned()).filter(|thread| !thread.is_empty()),
            ..Delivered::to(from, room, shown)
        };
        (id, delivered)
    }

    fn check_user(call: &Call) -> Result<(), Answer> {
        let both = (call.header("x-user-id"), call.header("x-auth-token"));
        match both == (Some(USER_ID), Some(TOKEN)) {
            true => Ok(()),
            false => {
                let words = "You must be logged in to do this.";
                Err(told(401, &json!({"status": "error", "message": words})))
            }
        }
    }

    fn post(&mut self, call: &Call, _: &Params) -> Handled {
        Self::check_user(call)?;
        self.count("chat.postMessage", call)?;
        let body = call.object().map_err(|words| failure(400, &words))?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let wanted = [text("channel"), text("roomId")].into_iter().find(|own| !own.is_empty());
        let Some(wanted) = wanted else {
            let words = "The required param \"roomId\" or \"channel\" is missing";
            return Err(refused("error-roomid-param-not-provided", words));
        };
        let room = room(wanted)?;
        check_text(&body)?;
        if is_empty(&body) {
            return Err(refused("error-invalid-params", "The message is empty"));
        }
        let (id, delivered) = self.keep(NAME, &room, &body);
        let message = json!({"_id": id, "rid": room, "msg": text("text"), "ts": call.now_ms,
            "u": {"_id": USER_ID, "username": NAME}});
        let answer = json!({"success": true, "ts": call.now_ms, "channel": room,
            "message": message});
        Ok(Outcome::took(told(200, &answer), delivered))
    }

    fn me(&mut self, call: &Call, _: &Params) -> Handled {
        Self::check_user(call)?;
        let me = json!({"_id": USER_ID, "username": NAME, "name": "Hongyan", "success": true});
        Ok(told(200, &me).into())
    }

    fn hook(&mut self, call: &Call, params: &Params) -> Handled {
        let (id, token) = (params.get("id"), params.get("token"));
        let hook = HOOKS.iter().find(|(own, secret, _)| (id, token) == (*own, *secret));
        let Some((.., hook)) = hook else {
            return Err(failure(404, "Invalid integration id or token provided."));
        };
        self.count(id, call)?;
        if *hook == Hook::Off {
            return Err(failure(503, "Service Unavailable"));
        }
        let body = match call.content_type().as_str() {
            "application/x-www-form-urlencoded" => {
                let pairs = call.form().unwrap_or_default();
                let payload = pairs.into_iter().find(|(name, _)| name == "payload");
                payload.and_then(|(_, text)| serde_json::from_str(&text).ok())
            }
            _ => call.object().ok(),
        };
        let taken = told(200, &json!({"success": true}));
        // An empty body is as good as any.
        let Some(body) = body.filter(|body: &Map<String, Value>| !is_empty(body)) else {
            return Ok(taken.into());
        };
        let wanted = body.get("channel").and_then(Value::as_str).filter(|own| !own.is_empty());
        if wanted.is_some() && *hook == Hook::Bound {
            let words = "overriding destination channel is disabled for this integration";
            return Err(failure(400, words));
        }
        let room = room(wanted.unwrap_or("#general"))?;
        check_text(&body)?;
        let (_, delivered) = self.keep(id, &room, &body);
        Ok(Outcome::took(taken, Delivered { id: None, ..delivered }))
    }
}

/// True for a message that says nothing.
fn is_empty(body: &Map<String, Value>) -> bool {
    let has_text = body.get("text").and_then(Value::as_str).is_some_and(|t| !t.trim().is_empty());
    let has_cards =
        body.get("attachments").and_then(Value::as_array).is_some_and(|c| !c.is_empty());
    !has_text && !has_cards
}

fn check_text(body: &Map<String, Value>) -> Result<(), Answer> {
    let text = body.get("text").and_then(Value::as_str).unwrap_or_default();
    match text.encode_utf16().count() > LONGEST {
        true => {
            let words = "Message size exceeds Message_MaxAllowedSize";
            Err(refused("error-message-size-exceeded", words))
        }
        false => Ok(()),
    }
}

impl Service for RocketChat {
    fn name(&self) -> &'static str {
        "rocketchat"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)
    }

    fn rate_limited(&self, call: &Call) -> Answer {
        too_many(1, call.now_ms + 1000)
    }

    fn dropped(&self, _: &Call) -> Answer {
        // That nothing is posted behind a success is known of a webhook's empty body alone.
        refused("error-action-not-allowed", "The message was prevented by an app")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "token", "user_id": USER_ID, "token": TOKEN});
        let to = json!({"channel": "general"});
        let user = json!({"service": "rocketchat", "auth": auth, "to": to});
        let (id, token, _) = HOOKS[0];
        let url = format!("https://chat.example.com/hooks/{id}/{token}");
        let hook = json!({"service": "rocketchat", "auth": {"type": "webhook", "url": url}});
        vec![("rocketchat", user), ("rocketchat-webhook", hook)]
    }

    fn about(&self) -> About {
        About {
            title: "Rocket.Chat",
            paths: "<code>POST /rocketchat/api/v1/chat.postMessage</code>, \
                    <code>GET /api/v1/me</code>; <code>POST /hooks/{id}/{token}</code>",
            auth: "<code>X-User-Id</code> and <code>X-Auth-Token</code>; of a webhook what stands in its path",
            recipients: "#general (GENERAL), #off-topic and #announcements, where the user may not post; \
                         @anna and @bruno. A second webhook posts into its own channel only, a third is \
                         switched off",
            limits: "5,000 units of UTF-16 a text; 10 requests a minute and route",
            assumed: &[
                "the limit of a text, which is a setting of the server, and its unit",
                "10 requests a minute, which is a setting of the server",
                "what is answered to an empty message of a user, and the words of refusals",
            ],
        }
    }
}
