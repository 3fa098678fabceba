//! Pushover: messages of an application, by `POST /1/messages.json`.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{About, Service};
use crate::delivered::{Attached, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Missed, Params, Route};
use crate::window::Window;

const TOKEN: &str = "a7goose7hongyan7pushover7token";
const USER: &str = "u7anna7hongyan7pushover7user77";
const GROUP: &str = "g7team7hongyan7pushover7group7";
/// A user who has removed every device.
const NO_DEVICE: &str = "u7bruno7hongyan7pushover7user7";
const LONGEST: usize = 1024;
const LONGEST_TITLE: usize = 250;
const LONGEST_URL: usize = 512;
const LONGEST_URL_TITLE: usize = 100;
const LARGEST: usize = 5 << 20;
const PER_MONTH: usize = 10_000;
const MONTH_MS: u64 = 30 * 86_400_000;

const ROUTES: &[Route<Pushover>] = &[
    Route::post("/1/messages.json", Pushover::message),
    Route::get("/1/apps/limits.json", Pushover::limits),
];

pub(super) struct Pushover {
    month: Window,
    made: u64,
}

impl Default for Pushover {
    fn default() -> Pushover {
        Pushover { month: Window::new(PER_MONTH, MONTH_MS), made: 0 }
    }
}

fn told(status: u16, body: &Value) -> Answer {
    Answer::json(status, body)
}

impl Pushover {
    fn request(&mut self) -> String {
        self.made += 1;
        format!("647d2300-702c-4b38-8b2f-{:012}", self.made)
    }

    /// A refusal: a field that is wrong, how, and in words.
    fn refused(&mut self, status: u16, field: (&str, &str), words: &str) -> Answer {
        let mut body = json!({"errors": [words], "status": 0, "request": self.request()});
        if !field.0.is_empty() {
            body[field.0] = field.1.into();
        }
        told(status, &body)
    }

    fn message(&mut self, call: &Call, _: &Params) -> Handled {
        let fields = match call.fields() {
            Ok(fields) => fields,
            Err(words) => return Err(self.refused(400, ("", ""), &words)),
        };
        let text = |name: &str| fields.given(name).unwrap_or_default().into_owned();
        if text("token") != TOKEN {
            let words = "application token is invalid, see https://pushover.net/api";
            return Err(self.refused(400, ("token", "invalid"), words));
        }
        let given = text("user");
        let users: Vec<_> = given.split(',').map(str::to_owned).collect();
        if users.len() > 50 || users.iter().any(|own| ![USER, GROUP, NO_DEVICE].contains(&&**own)) {
            let words = "user identifier is not a valid user, group, or subscribed user key, see \
                         https://pushover.net/api#identifiers";
            return Err(self.refused(400, ("user", "invalid"), words));
        }
        if users.iter().any(|own| own == NO_DEVICE) {
            let words = "user is valid but has no active devices";
            return Err(self.refused(400, ("user", words), words));
        }
        let message = text("message");
        if message.trim().is_empty() {
            return Err(self.refused(
                400,
                ("message", "cannot be blank"),
                "message cannot be blank",
            ));
        }
        for (name, most) in [
            ("message", LONGEST),
            ("title", LONGEST_TITLE),
            ("url", LONGEST_URL),
            ("url_title", LONGEST_URL_TITLE),
        ] {
            if text(name).chars().count() > most {
                let words = format!("{name} is too long, maximum is {most} characters");
                return Err(self.refused(400, (name, "is too long"), &words));
            }
        }
        let priority = match text("priority") {
            none if none.is_empty() => 0,
            own => match own.parse::<i64>() {
                Ok(priority @ -2..=2) => priority,
                _ => {
                    let words = "priority is invalid";
                    return Err(self.refused(400, ("priority", "is invalid"), words));
                }
            },
        };
        if priority == 2 {
            let number = |name: &str| text(name).parse::<i64>().ok();
            for (name, fits) in [
                ("retry", number("retry").is_some_and(|retry| retry >= 30)),
                ("expire", number("expire").is_some_and(|expire| (1..=10_800).contains(&expire))),
            ] {
                if !fits {
                    let words = format!("{name} must be supplied with priority=2");
                    let how = "must be supplied with priority=2";
                    return Err(self.refused(400, (name, how), &words));
                }
            }
        }
        let file = fields.file("attachment").map(|part| {
            let name = part.file_name.as_deref().unwrap_or("file");
            Attached::new(name, &part.content_type, &part.bytes)
        });
        let inline = STANDARD.decode(text("attachment_base64")).ok().filter(|own| !own.is_empty());
        let inline = inline.map(|bytes| {
            Attached::new("attachment", &text("attachment_type"), &Bytes::from(bytes))
        });
        let file = file.or(inline);
        if file.as_ref().is_some_and(|file| file.size > LARGEST) {
            let words = "attachment is too large";
            return Err(self.refused(413, ("attachment", "is too large"), words));
        }
        let room = self.month.ask(call.now_ms);
        if call.limits && !room.passed {
            let words =
                "application is over its message limit, see https://pushover.net/api#limits";
            return Err(self.refused(429, ("", ""), words));
        }
        let (is_html, is_mono) = (fields.flag("html"), fields.flag("monospace"));
        if is_html && is_mono {
            let words = "html and monospace cannot both be set";
            return Err(self.refused(400, ("html", "is invalid"), words));
        }
        let request = self.request();
        let mut body = json!({"status": 1, "request": request});
        if priority == 2 {
            body["receipt"] = format!("r{:029}", self.made).into();
        }
        const WORDS: [&str; 5] = ["lowest", "low", "", "high", "emergency"];
        let word = usize::try_from(priority + 2).ok().and_then(|n| WORDS.get(n).copied());
        let delivered = users.into_iter().map(|user| Delivered {
            id: Some(request.clone()),
            title: Some(text("title")).filter(|title| !title.is_empty()),
            format: if is_html { Format::Html } else { Format::Plain },
            attachments: file.clone().into_iter().collect(),
            silent: priority < 0,
            priority: word.filter(|word| !word.is_empty()).map(str::to_owned),
            ..Delivered::to(TOKEN, user, message.clone())
        });
        let answer = told(200, &body)
            .with_header("x-limit-app-limit", &PER_MONTH.to_string())
            .with_header("x-limit-app-remaining", &room.remaining.to_string())
            .with_header("x-limit-app-reset", &(call.now_s() + room.reset_s()).to_string());
        Ok(Outcome { answer, delivered: delivered.collect() })
    }

    fn limits(&mut self, call: &Call, _: &Params) -> Handled {
        if call.query("token").as_deref() != Some(TOKEN) {
            let words = "application token is invalid, see https://pushover.net/api";
            return Err(self.refused(400, ("token", "invalid"), words));
        }
        let body = json!({"limit": PER_MONTH, "remaining": PER_MONTH, "reset": call.now_s() + 1,
            "status": 1, "request": self.request()});
        Ok(told(200, &body).into())
    }
}

impl Service for Pushover {
    fn name(&self) -> &'static str {
        "pushover"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(|missed| match missed {
            Missed::Path | Missed::Method(_) => {
                self.refused(404, ("", ""), "no such method").into()
            }
        })
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        let words = "application is over its message limit, see https://pushover.net/api#limits";
        let body = json!({"errors": [words], "status": 0, "request": "647d2300-702c-4b38-8b2f-0"});
        told(429, &body)
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        let words = "user is valid but has no active devices";
        let body = json!({"errors": [words], "status": 0, "request": "647d2300-702c-4b38-8b2f-0"});
        told(400, &body)
    }

    fn largest_body(&self) -> usize {
        LARGEST + (2 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "token", "token": TOKEN});
        let to = json!({"user": USER});
        vec![("pushover", json!({"service": "pushover", "auth": auth, "to": to}))]
    }

    fn about(&self) -> About {
        About {
            title: "Pushover",
            paths: "<code>POST /pushover/1/messages.json</code>, <code>GET /1/apps/limits.json</code>",
            auth: "<code>token</code> among the parameters",
            recipients: "the user u7anna7hongyan7pushover7user77 and the group \
                         g7team7hongyan7pushover7group7; u7bruno7hongyan7pushover7user7 has no device",
            limits: "1,024 characters, 250 of a title, one file of 5 MiB; 10,000 messages in 30 days",
            assumed: &[
                "a month has 30 days, and slides",
                "the words of refusals, save for those of the token and of the user",
                "of a list of users none gets a message where one is wrong",
                "marks of HTML count as characters",
                "a file of any type is taken",
            ],
        }
    }
}
