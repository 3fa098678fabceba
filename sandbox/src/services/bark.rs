//! Bark's server: `POST /push`, and whether a device is known.

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Attached, Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::memory::Memory;
use crate::route::{self, Handled, Missed, Params, Route};

const DEVICE: &str = "ynJ5Ft4atkMkWeo2PAvFhF";
/// A second device; one that Apple does not know any more; and one that Apple is asked of in vain.
const SECOND: &str = "kQ3sVw8LrTzBnXc5MhYd2G";
const DEAD: &str = "deadF7x2PqLmNs9RtVwYz4";
const UNSURE: &str = "doubtH6b3KpQrSt8UvWxY2";
/// Bytes of a notification.
const MAX_PAYLOAD: usize = 4096;
/// How long a notification is on the screen, that another may take its place.
const SHOWN_MS: u64 = 86_400_000;

const ROUTES: &[Route<Bark>] = &[
    Route::post("/push", Bark::push),
    Route::get("/register/{key}", Bark::known),
    Route::get("/ping", |_, call, _| Ok(told(call, 200, "pong").into())),
];

pub(super) struct Bark {
    /// What is shown under each id.
    shown: Memory<String>,
}

impl Default for Bark {
    fn default() -> Bark {
        Bark { shown: Memory::new(SHOWN_MS) }
    }
}

fn told(call: &Call, code: u16, words: &str) -> Answer {
    Answer::new(
        code,
        "application/json",
        json!({"code": code, "message": words, "timestamp": call.now_s()}).to_string(),
    )
}

/// Bytes of JSON as the server writes it, which escapes what could be HTML.
fn length(value: &Value) -> usize {
    let text = value.to_string();
    text.len() + 5 * text.matches(['<', '>', '&']).count()
}

impl Bark {
    /// What one device gets; or a code and its words.
    fn one(
        &mut self,
        call: &Call,
        key: &str,
        body: &Map<String, Value>,
    ) -> Result<Option<Delivered>, (u16, String)> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        match key {
            "" => return Err((400, "device key is empty".to_owned())),
            DEVICE | SECOND => {}
            DEAD => return Err((500, "push failed: BadDeviceToken".to_owned())),
            UNSURE => {
                let words =
                    "push failed: Post \"https://api.push.apple.com\": context deadline exceeded";
                return Err((500, words.to_owned()));
            }
            _ => {
                let words = format!(
                    "failed to get device token: failed to get [{key}] device token from database"
                );
                return Err((400, words));
            }
        }
        if body.get("group").is_some_and(|group| !group.is_string()) {
            return Err((500, "interface conversion: interface {} is not string".to_owned()));
        }
        let (title, subtitle, words) = (text("title"), text("subtitle"), text("body"));
        let is_empty = title.is_empty() && subtitle.is_empty() && words.is_empty();
        let words = if is_empty { "Empty Message" } else { words };
        let mut payload = json!({"aps": {"alert": {"title": title, "subtitle": subtitle, "body": words},
            "sound": "1107", "category": "myNotificationCategory", "mutable-content": 1}});
        let own = ["device_key", "device_keys", "title", "subtitle", "body", "sound"];
        for (name, value) in body.iter().filter(|(name, _)| !own.contains(&name.as_str())) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            payload[name.to_lowercase()] = value.into();
        }
        if length(&payload) > MAX_PAYLOAD {
            return Err((500, "push failed: PayloadTooLarge".to_owned()));
        }
        let id = text("id");
        let content = Value::Object(body.clone()).to_string();
        let seen = format!("{key}/{id}");
        if !id.is_empty() {
            if self.shown.get(&seen, call.now_ms) == Some(&content) {
                // It takes its own place.
                return Ok(None);
            }
            self.shown.put(seen, content, call.now_ms);
        }
        let markdown = text("markdown");
        let level = text("level");
        Ok(Some(Delivered {
            title: Some(title.to_owned()).filter(|title| !title.is_empty()),
            format: match markdown.is_empty() {
                true => Format::Plain,
                false => Format::Markdown(Dialect::CommonMark),
            },
            attachments: Some(text("image"))
                .filter(|url| !url.is_empty())
                .map(Attached::at)
                .into_iter()
                .collect(),
            thread: Some(text("group").to_owned()).filter(|group| !group.is_empty()),
            silent: level == "passive",
            priority: Some(level.to_owned()).filter(|level| !level.is_empty()),
            ..Delivered::to("", key, if markdown.is_empty() { words } else { markdown })
        }))
    }

    fn push(&mut self, call: &Call, _: &Params) -> Handled {
        let body = match call.content_type().as_str() {
            "application/json" => call
                .object()
                .map_err(|words| told(call, 400, &format!("request bind failed: {words}")))?,
            _ => {
                let pairs = call.params().unwrap_or_default();
                pairs.into_iter().map(|(name, value)| (name.to_lowercase(), value.into())).collect()
            }
        };
        let keys = body.get("device_keys").and_then(Value::as_array);
        if let Some(keys) = keys.filter(|keys| !keys.is_empty()).cloned() {
            let (mut told_each, mut delivered) = (Vec::new(), Vec::new());
            for key in keys.iter().map(|key| key.as_str().unwrap_or_default()) {
                told_each.push(match self.one(call, key, &body) {
                    Ok(one) => {
                        delivered.extend(one);
                        json!({"code": 200, "device_key": key})
                    }
                    Err((code, words)) => {
                        json!({"code": code, "device_key": key, "message": words})
                    }
                });
            }
            let body = json!({"code": 200, "message": "success", "data": told_each,
                "timestamp": call.now_s()});
            let answer = Answer::new(200, "application/json", body.to_string());
            return Ok(Outcome { answer, delivered });
        }
        let key = body.get("device_key").and_then(Value::as_str).unwrap_or_default().to_owned();
        let one = self.one(call, &key, &body).map_err(|(code, words)| told(call, code, &words))?;
        let answer = told(call, 200, "success");
        Ok(Outcome { answer, delivered: one.into_iter().collect() })
    }

    fn known(&mut self, call: &Call, params: &Params) -> Handled {
        let key = params.get("key");
        match [DEVICE, SECOND, UNSURE].contains(&key) {
            true => Ok(told(call, 200, "success").into()),
            false => {
                let words = format!("failed to get [{key}] device token from database");
                Err(told(call, 400, &words))
            }
        }
    }
}

impl Service for Bark {
    fn name(&self) -> &'static str {
        "bark"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(|missed| {
            match missed {
                Missed::Path => {
                    told(call, 404, &format!("Cannot {} {}", call.method, call.full_path()))
                }
                Missed::Method(_) => told(call, 405, "Method Not Allowed"),
            }
            .into()
        })
    }

    fn rate_limited(&self, call: &Call) -> Answer {
        told(call, 500, "push failed: TooManyRequests")
    }

    fn dropped(&self, call: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        told(call, 500, "push failed: Unregistered")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "key", "key": DEVICE});
        vec![("bark", json!({"service": "bark", "auth": auth}))]
    }

    fn about(&self) -> About {
        About {
            title: "Bark",
            paths: "<code>POST /bark/push</code>, <code>GET /register/{key}</code>",
            auth: "<code>device_key</code> in the body",
            recipients: "none: the key is a device's. Apple does not know deadF7x2PqLmNs9RtVwYz4 any more, \
                         and whether doubtH6b3KpQrSt8UvWxY2 gets a notice nobody knows",
            limits: "4,096 bytes of a notification",
            assumed: &[
                "a notification is on the screen for a day, that one of the same id takes its place",
                "nobody is banned who makes many mistakes",
                "the paths with a key in them are not played",
            ],
        }
    }
}
