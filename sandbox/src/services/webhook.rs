//! A receiver of webhooks of any kind: one path for each way to prove oneself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{About, Service};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::memory::Memory;
use crate::window::Window;

const TOKEN: &str = "hook-token";
const KEY: &str = "goose-4711";
/// As the specification's own library has it in its test.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How far from now a signed time may lie, in seconds.
const TOLERANCE_S: u64 = 300;
/// For how long an id is known again.
const KNOWN_MS: u64 = 3_600_000;

pub(super) struct Webhook {
    calls: Window,
    seen: Memory<String>,
    sent: u64,
}

impl Default for Webhook {
    fn default() -> Webhook {
        Webhook { calls: Window::new(100, 1000), seen: Memory::new(KNOWN_MS), sent: 0 }
    }
}

/// Status and words of a refusal.
type Refused = (u16, &'static str);

impl Webhook {
    fn take(&mut self, call: &Call) -> Result<Outcome, Refused> {
        let kind = call.path.strip_prefix("/in/").ok_or((404, "no such hook"))?;
        if !["POST", "PUT"].contains(&call.method.as_str()) {
            return Err((405, "post or put"));
        }
        let id = authenticate(kind, call)?;
        if call.limits && !self.calls.pass(call.now_ms) {
            return Err((429, "too fast"));
        }
        if let Some(own) = id.and_then(|id| self.seen.get(id, call.now_ms)) {
            return Ok(Answer::json(200, &json!({"taken": true, "id": own})).into());
        }
        let (title, text, recipient) = read(call)?;
        self.sent += 1;
        let own = format!("hook-{}", self.sent);
        if let Some(id) = id {
            self.seen.put(id, own.clone(), call.now_ms);
        }
        let answer = Answer::json(200, &json!({"taken": true, "id": own}));
        let delivered = Delivered { id: Some(own), title, ..Delivered::to(kind, recipient, text) };
        Ok(Outcome::took(answer, delivered))
    }
}

/// Checks the credentials of a path; of a signed request the id is told.
fn authenticate<'a>(kind: &str, call: &'a Call) -> Result<Option<&'a str>, Refused> {
    let is_own = match kind {
        "plain" => call.query("key").as_deref() == Some(KEY),
        "bearer" => call.credentials("Bearer") == Some(TOKEN),
        "basic" => call.basic() == Some(("test".to_owned(), "pwd".to_owned())),
        "header" => call.header("x-hook-key") == Some(KEY),
        "signed" => return signed(call).map(Some),
        _ => return Err((404, "no such hook")),
    };
    if is_own { Ok(None) } else { Err((401, "wrong credentials")) }
}

fn signed(call: &Call) -> Result<&str, Refused> {
    let field = |name| call.header(name).ok_or((401, "a header field is missing"));
    let (id, time) = (field("webhook-id")?, field("webhook-timestamp")?);
    let age = time.parse::<u64>().map_err(|_| (401, "wrong time"))?.abs_diff(call.now_s());
    if age > TOLERANCE_S {
        return Err((401, "the time is too far from now"));
    }
    let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("base64");
    let fits = field("webhook-signature")?.split(' ').any(|signature| {
        let Some(signature) = signature.strip_prefix("v1,") else { return false };
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
        mac.update(format!("{id}.{time}.").as_bytes());
        mac.update(&call.body);
        STANDARD.decode(signature).is_ok_and(|bytes| mac.verify_slice(&bytes).is_ok())
    });
    if fits { Ok(id) } else { Err((401, "the signature does not fit")) }
}

/// Title, text and recipient, from the members `title`, `text` and `to` of JSON or a form, or the whole of a text.
fn read(call: &Call) -> Result<(Option<String>, String, String), Refused> {
    if call.content_type() == "text/plain" {
        let text = String::from_utf8(call.body.to_vec()).map_err(|_| (400, "no UTF-8"))?;
        return Ok((None, text, String::new()));
    }
    let fields = call.fields().map_err(|_| (400, "a body that cannot be read"))?;
    let text = fields.given("text").ok_or((422, "\"text\" is missing"))?.into_owned();
    let own = |name| fields.given(name).map(|text| text.into_owned());
    Ok((own("title"), text, own("to").unwrap_or_default()))
}

fn answer((status, words): Refused) -> Answer {
    Answer::json(status, &json!({"taken": false, "error": words}))
}

impl Service for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        self.take(call).unwrap_or_else(|refused| answer(refused).into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        answer((429, "too fast"))
    }

    fn dropped(&self, _: &Call) -> Answer {
        answer((200, "not taken"))
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let account = |path: &str, auth: Value| {
            json!({"service": "webhook", "url": format!("https://hooks.example.com/in/{path}"),
                "auth": auth, "success": {"pointer": "/taken", "equals": true}, "message_id": "/id"})
        };
        vec![
            ("webhook-none", account("plain?key=goose-4711", json!({"type": "none"}))),
            ("webhook-bearer", account("bearer", json!({"type": "bearer", "token": TOKEN}))),
            (
                "webhook-basic",
                account("basic", json!({"type": "basic", "username": "test", "password": "pwd"})),
            ),
            (
                "webhook-header",
                account("header", json!({"type": "header", "name": "X-Hook-Key", "value": KEY})),
            ),
            (
                "webhook-standard_webhooks",
                account("signed", json!({"type": "standard_webhooks", "secret": SECRET})),
            ),
        ]
    }

    fn about(&self) -> About {
        About {
            title: "Webhook",
            paths: "<code>POST</code> or <code>PUT /webhook/in/{plain, bearer, basic, header, signed}</code>, JSON \
                    or a form with <code>text</code>, <code>title</code> and <code>to</code>, or plain text",
            auth: "<code>plain</code>: <code>?key=goose-4711</code>; <code>bearer</code>: token \
                   <code>hook-token</code>; <code>basic</code>: <code>test</code>, <code>pwd</code>; \
                   <code>header</code>: <code>X-Hook-Key: goose-4711</code>; <code>signed</code>: Standard \
                   Webhooks, <code>whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw</code>, five minutes either way",
            recipients: "whatever <code>to</code> says, or nobody",
            limits: "100 requests a second. <code>signed</code> knows a <code>webhook-id</code> for an hour \
                     and answers as it did the first time.",
            assumed: &[
                "A receiver of one's own answers as it likes: this one by <code>{\"taken\": true, \"id\": …}</code>.",
                "<code>drop</code> is 200 with <code>\"taken\": false</code>.",
            ],
        }
    }
}
