//! Google Chat's incoming webhook: `POST /v1/spaces/SPACE/messages`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Params, Route};
use crate::window::Window;

const SPACE: &str = "AAAAhongyan";
const KEY: &str = "AIzaSyHongyanHongyanHongyanHongyan00000";
const TOKEN: &str = "hongyan-webhook-token_of-the-space0000000000%3D";
/// Bytes of a message with its cards.
const MOST: usize = 32_000;

const ROUTES: &[Route<GoogleChat>] =
    &[Route::post("/v1/spaces/{space}/messages", GoogleChat::create)];

pub(super) struct GoogleChat {
    /// The messages of the space, whoever sends them.
    minute: Window,
    /// The names of threads by their keys.
    threads: HashMap<String, String>,
    made: u64,
}

impl Default for GoogleChat {
    fn default() -> GoogleChat {
        GoogleChat { minute: Window::new(60, 60_000), threads: HashMap::new(), made: 0 }
    }
}

fn told(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json; charset=UTF-8", body.to_string())
}

fn refused(status: u16, name: &str, words: &str) -> Answer {
    told(status, &json!({"error": {"code": status, "message": words, "status": name}}))
}

fn invalid(words: &str) -> Answer {
    refused(400, "INVALID_ARGUMENT", words)
}

fn too_fast() -> Answer {
    refused(
        429,
        "RESOURCE_EXHAUSTED",
        "Quota exceeded for quota metric 'Space write requests' and limit 'per minute per space'.",
    )
}

/// Whom a text calls: `<users/…>`.
fn mentions(text: &str) -> Vec<String> {
    let calls = text.split("<users/").skip(1).filter_map(|rest| rest.split_once('>'));
    calls.map(|(user, _)| format!("users/{user}")).collect()
}

/// What the cards of a message say.
fn cards(body: &Map<String, Value>) -> Result<String, Answer> {
    let Some(all) = body.get("cardsV2") else { return Ok(String::new()) };
    let all = all.as_array().ok_or_else(|| invalid("Invalid value at 'message.cards_v2'"))?;
    let words = |card: &Value| match &card["card"] {
        Value::Object(card) => {
            let title = card.get("header").and_then(|header| header["title"].as_str());
            let sections = card.get("sections").cloned().unwrap_or_default();
            let widgets = sections.as_array().into_iter().flatten();
            let widgets =
                widgets.flat_map(|one| one["widgets"].as_array().cloned().unwrap_or_default());
            let texts = widgets
                .filter_map(|widget| widget["textParagraph"]["text"].as_str().map(str::to_owned));
            let all: Vec<_> = title.map(str::to_owned).into_iter().chain(texts).collect();
            Ok(all.join("\n"))
        }
        _ => Err(invalid("Invalid value at 'message.cards_v2[0].card'")),
    };
    Ok(all.iter().map(words).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

impl GoogleChat {
    /// The name of the thread of a message, and whether it was asked for.
    fn thread(&mut self, call: &Call, body: &Map<String, Value>) -> Result<(String, bool), Answer> {
        let own = format!("spaces/{SPACE}/threads/T{}", self.made);
        let option = call.query("messageReplyOption").unwrap_or_default();
        let is_reply = match option.as_str() {
            "" | "MESSAGE_REPLY_OPTION_UNSPECIFIED" => return Ok((own, false)),
            "REPLY_MESSAGE_OR_FAIL" => true,
            "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD" => false,
            _ => return Err(invalid("Invalid value at 'message_reply_option'")),
        };
        let thread = body.get("thread").cloned().unwrap_or_default();
        let of = |name: &str| thread[name].as_str().map(str::to_owned);
        let gone = || refused(404, "NOT_FOUND", "Thread not found.");
        match (of("name"), of("threadKey").or_else(|| of("thread_key"))) {
            (Some(name), _) if self.threads.values().any(|own| *own == name) => Ok((name, true)),
            (Some(_), _) if is_reply => Err(gone()),
            (None, Some(key)) => match self.threads.get(&key) {
                Some(name) => Ok((name.clone(), true)),
                None if is_reply => Err(gone()),
                None => {
                    self.threads.insert(key, own.clone());
                    Ok((own, true))
                }
            },
            _ => Ok((own, false)),
        }
    }

    fn create(&mut self, call: &Call, params: &Params) -> Handled {
        let is = |name: &str, own: &str| call.query(name).as_deref() == Some(own);
        if !is("key", KEY) || !is("token", &TOKEN.replace("%3D", "=")) {
            let words = "Request had invalid authentication credentials.";
            return Err(refused(401, "UNAUTHENTICATED", words));
        }
        if params.get("space") != SPACE {
            return Err(refused(404, "NOT_FOUND", "Space not found."));
        }
        if call.limits && !self.minute.pass(call.now_ms) {
            return Err(too_fast());
        }
        let mut body = call.object().map_err(|_| invalid("Invalid JSON payload received."))?;
        // Either spelling of a name is taken, as everywhere in Google's APIs.
        for (own, camel) in [("cards_v2", "cardsV2"), ("fallback_text", "fallbackText")] {
            if let Some(value) = body.remove(own) {
                body.insert(camel.to_owned(), value);
            }
        }
        let text = match body.get("text") {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text,
            Some(_) => return Err(invalid("Invalid value at 'message.text' (TYPE_STRING)")),
        };
        const KNOWN: [&str; 7] = [
            "text",
            "cards",
            "cardsV2",
            "thread",
            "fallbackText",
            "accessoryWidgets",
            "annotations",
        ];
        if let Some(name) = body.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            let words =
                format!("Invalid JSON payload received. Unknown name \"{name}\" at 'message'");
            return Err(invalid(&words));
        }
        let shown = cards(&body)?;
        if text.trim().is_empty() && body.get("cardsV2").is_none() {
            return Err(invalid("Message cannot be empty. Discarding empty message."));
        }
        let sized = ["cardsV2", "accessoryWidgets"].iter().filter_map(|name| body.get(*name));
        let size = text.len() + sized.map(|value| value.to_string().len()).sum::<usize>();
        if size > MOST {
            return Err(invalid("Message too long. Please limit it to 32000 bytes."));
        }
        self.made += 1;
        let (thread, in_thread) = self.thread(call, &body)?;
        let name = format!("spaces/{SPACE}/messages/M{}.M{}", self.made, self.made);
        let shown = if text.trim().is_empty() { shown } else { text.to_owned() };
        let mut made = json!({"name": name,
            "sender": {"name": "users/114022495153014004089", "displayName": "hongyan", "type": "BOT"},
            "text": text, "thread": {"name": thread}, "space": {"name": format!("spaces/{SPACE}")},
            "createTime": "2026-01-01T00:00:00.260305Z", "formattedText": text});
        if let Some(cards) = body.get("cardsV2") {
            made["cardsV2"] = cards.clone();
        }
        let delivered = Delivered {
            id: Some(name),
            format: Format::Markdown(Dialect::Slack),
            mentions: mentions(&shown),
            thread: in_thread.then_some(thread),
            ..Delivered::to("hongyan", SPACE, shown)
        };
        Ok(Outcome::took(told(200, &made), delivered))
    }
}

impl Service for GoogleChat {
    fn name(&self) -> &'static str {
        "googlechat"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let not_found = || refused(404, "NOT_FOUND", "Method not found.");
        route::answer(self, call, ROUTES).unwrap_or_else(|_| not_found().into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        too_fast()
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        refused(400, "FAILED_PRECONDITION", "The space does not take messages.")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let url = format!(
            "https://chat.googleapis.com/v1/spaces/{SPACE}/messages?key={KEY}&token={TOKEN}"
        );
        let auth = json!({"type": "webhook", "url": url});
        vec![("googlechat", json!({"service": "googlechat", "auth": auth}))]
    }

    fn about(&self) -> About {
        About {
            title: "Google Chat",
            paths: "<code>POST /googlechat/v1/spaces/AAAAhongyan/messages</code>",
            auth: "the key and the token in the query",
            recipients: "none: the webhook is a space's",
            limits: "32,000 bytes with cards; 60 messages a minute into the space",
            assumed: &[
                "a wrong key or token is answered with UNAUTHENTICATED",
                "the limit slides, and counts what is refused for another reason",
                "a text counts by its bytes, cards by those of their JSON",
                "requestId and messageId change nothing",
            ],
        }
    }
}
