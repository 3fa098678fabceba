//! ntfy: notices to a topic, as JSON, as a text or as a file.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Attached, Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Missed, Params, Route};
use crate::shape::{Field, Kind, check, may};
use crate::window::Window;

const TOKEN: &str = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2";
const USER: &str = "goose";
const PASSWORD: &str = "ntfy-password";
/// Topics that only the user may write to, and nobody.
const OWN: &str = "private";
const READ_ONLY: &str = "announcements";
/// Names that are the server's own.
const RESERVED: [&str; 6] = ["docs", "static", "file", "app", "account", "settings"];
/// Bytes of a text; a longer one becomes a file.
const LONGEST: usize = 4096;
const LARGEST: usize = 15 << 20;
/// A bucket of 60 requests, into which one more comes every five seconds.
const BURST_MS: u64 = 60 * EACH_MS;
const EACH_MS: u64 = 5000;
const PER_DAY: usize = 250;

const NOTICE: &[Field] = &[
    may("topic", Kind::Text),
    may("message", Kind::Text),
    may("title", Kind::Text),
    may("tags", Kind::Texts),
    may("priority", Kind::Integer),
    may("actions", Kind::Array),
    may("click", Kind::Text),
    may("attach", Kind::Text),
    may("markdown", Kind::Flag),
    may("icon", Kind::Text),
    may("filename", Kind::Text),
    may("delay", Kind::Text),
    may("email", Kind::Text),
    may("call", Kind::Text),
    may("cache", Kind::Text),
    may("firebase", Kind::Text),
];

const ROUTES: &[Route<Ntfy>] = &[
    Route::post("/", Ntfy::publish_json),
    Route::new("PUT", "/", Ntfy::publish_json),
    Route::get("/v1/account", Ntfy::account),
    Route::post("/{topic}", Ntfy::publish),
    Route::new("PUT", "/{topic}", Ntfy::publish),
];

pub(super) struct Ntfy {
    day: Window,
    /// What is left in the bucket, and when that was so.
    bucket: (u64, u64),
    made: u64,
}

impl Default for Ntfy {
    fn default() -> Ntfy {
        Ntfy { day: Window::new(PER_DAY, 86_400_000), bucket: (BURST_MS, 0), made: 0 }
    }
}

fn told(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json", format!("{body}\n"))
        .with_header("access-control-allow-origin", "*")
}

fn refused(code: u32, words: &str) -> Answer {
    let status = (code / 100) as u16;
    let mut body = json!({"code": code, "http": status, "error": words});
    if matches!(status, 401 | 403) {
        body["link"] = "https://ntfy.sh/docs/publish/#authentication".into();
    }
    told(status, &body)
}

/// Whose credentials the request has; none where it has none.
fn user(call: &Call) -> Result<Option<&'static str>, Answer> {
    if call.header("authorization").is_none() {
        return Ok(None);
    }
    let known = call.credentials("Bearer") == Some(TOKEN)
        || call.basic().is_some_and(|(user, password)| user == USER && password == PASSWORD);
    match known {
        true => Ok(Some(USER)),
        false => Err(refused(40101, "unauthorized")),
    }
}

/// A parameter by one of its names: of the JSON, of a header field, or of the query.
fn param(call: &Call, body: &Map<String, Value>, names: &[&str]) -> String {
    let own = names.last().and_then(|name| body.get(*name)).map(|value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => (if *flag { "yes" } else { "" }).to_owned(),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    });
    let header = || names.iter().find_map(|name| Some(decoded(call.header(name)?)));
    let query = || names.iter().find_map(|name| call.query(name));
    let given = |text: &String| !text.is_empty();
    let found = own.filter(given).or_else(|| header().filter(given)).or_else(query);
    found.unwrap_or_default().trim().to_owned()
}

/// A header field's value, whose words may be those of RFC 2047.
fn decoded(value: &str) -> String {
    let word = |word: &str| {
        let encoded = word.strip_prefix("=?UTF-8?B?")?.strip_suffix("?=")?;
        String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
    };
    let words: Option<Vec<_>> = value.split(' ').map(word).collect();
    words.map_or_else(|| value.to_owned(), |words| words.concat())
}

fn is_topic(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(is_letter)
}

impl Ntfy {
    fn publish_json(&mut self, call: &Call, _: &Params) -> Handled {
        if call.body.len() > 2 * LONGEST {
            return Err(refused(41303, "JSON body too large"));
        }
        let invalid = || refused(40024, "invalid request: request body must be valid JSON");
        let body = call.object().map_err(|_| invalid())?;
        check(&body, NOTICE).map_err(|_| invalid())?;
        let topic = body.get("topic").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !is_topic(&topic) {
            return Err(refused(40009, "invalid request: topic invalid"));
        }
        let text = body.get("message").and_then(Value::as_str).filter(|text| !text.is_empty());
        let text = Bytes::from(text.unwrap_or("triggered").to_owned());
        self.notice(call, &topic, &text, &body)
    }

    fn publish(&mut self, call: &Call, params: &Params) -> Handled {
        if !is_topic(params.get("topic")) {
            return Err(refused(40401, "page not found"));
        }
        self.notice(call, params.get("topic"), &call.body, &Map::new())
    }

    fn admit(&mut self, call: &Call, topic: &str) -> Result<(), Answer> {
        if call.limits {
            let (left, then) = self.bucket;
            let left = BURST_MS.min(left + call.now_ms.saturating_sub(then));
            if left < EACH_MS {
                return Err(refused(42901, "limit reached: too many requests"));
            }
            self.bucket = (left - EACH_MS, call.now_ms);
        }
        let user = user(call)?;
        if topic == READ_ONLY || (topic == OWN && user.is_none()) {
            return Err(refused(40301, "forbidden"));
        }
        if RESERVED.contains(&topic) {
            return Err(refused(40010, "invalid request: topic name is not allowed"));
        }
        if call.limits && !self.day.pass(call.now_ms) {
            return Err(refused(42908, "limit reached: daily message quota reached"));
        }
        Ok(())
    }

    fn notice(
        &mut self,
        call: &Call,
        topic: &str,
        body: &Bytes,
        of: &Map<String, Value>,
    ) -> Handled {
        self.admit(call, topic)?;
        let param = |names: &[&str]| param(call, of, names);
        let (title, click) = (param(&["x-title", "t", "title"]), param(&["x-click", "click"]));
        let file_name = param(&["x-filename", "f", "file", "filename"]);
        let attach = param(&["x-attach", "a", "attach"]);
        if !attach.is_empty() && !attach.starts_with("http://") && !attach.starts_with("https://") {
            return Err(refused(40013, "invalid request: attachment URL is invalid"));
        }
        let priority = match &*param(&["x-priority", "prio", "p", "priority"]) {
            "" => 0,
            "1" | "min" => 1,
            "2" | "low" => 2,
            "3" | "default" => 3,
            "4" | "high" => 4,
            "5" | "max" | "urgent" => 5,
            _ => return Err(refused(40007, "invalid priority parameter")),
        };
        let tags = param(&["x-tags", "ta", "tag", "tags"]);
        let is_set = |text: String| matches!(&*text.to_lowercase(), "1" | "yes" | "true");
        let markdown = is_set(param(&["x-markdown", "md", "markdown"]))
            || call.content_type() == "text/markdown";
        let (mut file, mut text) = (None, String::new());
        let as_text = std::str::from_utf8(body).ok().map(str::trim);
        let is_file = attach.is_empty() && (!file_name.is_empty() || body.len() > LONGEST);
        match (as_text, is_file) {
            (Some(own), false) => {
                let mut end = own.len().min(LONGEST);
                while !own.is_char_boundary(end) {
                    end -= 1;
                }
                text = own[..end].to_owned();
            }
            (None, false) => {
                return Err(refused(40011, "invalid request: message must be UTF-8 encoded"));
            }
            _ if body.len() > LARGEST => {
                return Err(refused(41301, "attachment too large, or bandwidth limit reached"));
            }
            _ => {
                let name = if file_name.is_empty() { "attachment.txt" } else { &*file_name };
                file = Some(Attached::new(name, "", body));
            }
        }
        // Those of JSON are the body itself.
        let own = if of.is_empty() { param(&["x-message", "m", "message"]) } else { String::new() };
        if text.is_empty() && !own.is_empty() {
            text = own.replace("\\n", "\n");
        }
        if !attach.is_empty() {
            let mut own = Attached::at(&attach);
            if !file_name.is_empty() {
                own.name.clone_from(&file_name);
            }
            file = Some(own);
        }
        if text.is_empty() {
            text = match &file {
                Some(file) => format!("You received a file: {}", file.name),
                None => "triggered".to_owned(),
            };
        }
        self.made += 1;
        let id = format!("n{:011}", self.made);
        let mut answer = json!({"id": id, "time": call.now_s(), "expires": call.now_s() + 43_200,
            "event": "message", "topic": topic});
        if !title.is_empty() {
            answer["title"] = title.as_str().into();
        }
        answer["message"] = text.as_str().into();
        if priority > 0 {
            answer["priority"] = priority.into();
        }
        if !tags.is_empty() {
            answer["tags"] = tags.split(',').map(str::trim).collect();
        }
        if !click.is_empty() {
            answer["click"] = click.into();
        }
        if let Some(file) = &file {
            answer["attachment"] = json!({"name": file.name, "size": file.size});
        }
        if markdown {
            answer["content_type"] = "text/markdown".into();
        }
        const WORDS: [&str; 6] = ["", "min", "low", "default", "high", "max"];
        let word = WORDS.get(priority).copied().unwrap_or_default();
        let delivered = Delivered {
            id: Some(id),
            title: Some(title).filter(|title| !title.is_empty()),
            format: if markdown { Format::Markdown(Dialect::CommonMark) } else { Format::Plain },
            attachments: file.into_iter().collect(),
            silent: matches!(priority, 1 | 2),
            priority: Some(word.to_owned()).filter(|word| !word.is_empty()),
            ..Delivered::to(user(call)?.unwrap_or_default(), topic, text)
        };
        Ok(Outcome::took(told(200, &answer), delivered))
    }

    fn account(&mut self, call: &Call, _: &Params) -> Handled {
        let body = match user(call)? {
            Some(user) => json!({"username": user, "role": "user"}),
            None => json!({"username": "*", "role": "anonymous"}),
        };
        Ok(told(200, &body).into())
    }
}

impl Service for Ntfy {
    fn name(&self) -> &'static str {
        "ntfy"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(|missed| match missed {
            Missed::Path | Missed::Method(_) => refused(40401, "page not found").into(),
        })
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        refused(42901, "limit reached: too many requests")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        refused(40301, "forbidden")
    }

    fn largest_body(&self) -> usize {
        LARGEST + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let account = |auth: Value, topic: &str| json!({"service": "ntfy", "auth": auth, "to": {"topic": topic}});
        let basic = json!({"type": "basic", "username": USER, "password": PASSWORD});
        vec![
            ("ntfy-none", account(json!({"type": "none"}), "alerts")),
            ("ntfy-bearer", account(json!({"type": "bearer", "token": TOKEN}), OWN)),
            ("ntfy-basic", account(basic, OWN)),
        ]
    }

    fn about(&self) -> About {
        About {
            title: "ntfy",
            paths: "<code>POST /ntfy/</code> (JSON), <code>POST</code> or <code>PUT /ntfy/{topic}</code> \
                    (a text or a file), <code>GET /ntfy/v1/account</code>",
            auth: "<code>Authorization: Bearer tk_…</code>, Basic, or none",
            recipients: "any topic; private wants the user's credentials, and announcements takes nothing",
            limits: "4,096 bytes of text, of which a longer one becomes a file; 8,192 of JSON; 60 requests at \
                     once and one more every 5 seconds; 250 notices a day",
            assumed: &[
                "the server knows no sequence ids: what is sent again is there twice",
                "all requests come from one address",
                "a file may have 15 MiB",
                "which of the server's own names are reserved",
            ],
        }
    }
}
