//! Gotify: messages of an application, by `POST /message`.

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Missed, Params, Route};

const APP: &str = "AgooseGotify4711";
const APP_NAME: &str = "goose";
/// A token that reads, and may send nothing.
const CLIENT: &str = "CgooseGotify4711";

const ROUTES: &[Route<Gotify>] = &[Route::post("/message", Gotify::message)];

#[derive(Default)]
pub(super) struct Gotify {
    made: u64,
}

fn told(status: u16, body: &Value) -> Answer {
    Answer::json(status, body)
}

fn refused(status: u16, words: &str) -> Answer {
    let name = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        _ => "Too Many Requests",
    };
    told(status, &json!({"error": name, "errorCode": status, "errorDescription": words}))
}

/// The fields of a message, in JSON or as a form.
fn fields(call: &Call) -> Result<Map<String, Value>, Answer> {
    let wrong = |words: String| refused(400, &words);
    match call.content_type().as_str() {
        "application/json" => call.object().map_err(wrong),
        _ => {
            let fields = call.fields().map_err(wrong)?;
            let names = ["title", "message", "priority"];
            let one = |name: &str| Some((name.to_owned(), fields.json(name)?));
            Ok(names.into_iter().filter_map(one).collect())
        }
    }
}

impl Gotify {
    fn message(&mut self, call: &Call, _: &Params) -> Handled {
        let query = call.query("token");
        let token = call.header("x-gotify-key").or_else(|| call.credentials("Bearer"));
        match query.as_deref().or(token) {
            Some(APP) => {}
            Some(CLIENT) => return Err(refused(403, "you are not allowed to access this api")),
            _ => {
                let words = "you need to provide a valid access token or user credentials to access \
                             this api";
                return Err(refused(401, words));
            }
        }
        let body = fields(call)?;
        let of = |name: &str| body.get(name).filter(|value| !value.is_null());
        let text = |name: &str| match of(name) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(refused(400, &format!("json: cannot unmarshal {name} into a string"))),
        };
        let message = text("message")?;
        if message.is_empty() {
            return Err(refused(400, "Field 'message' is required"));
        }
        let title = match text("title")? {
            title if title.trim().is_empty() => APP_NAME,
            title => title,
        };
        let priority = match of("priority") {
            None => 0,
            Some(value) => match value.as_i64() {
                Some(priority) => priority,
                None => return Err(refused(400, "json: cannot unmarshal priority into an int")),
            },
        };
        if of("extras").is_some_and(|extras| !extras.is_object()) {
            return Err(refused(400, "json: cannot unmarshal extras into an object"));
        }
        let extras = of("extras").cloned().unwrap_or_else(|| json!({}));
        let is_markdown = extras["client::display"]["contentType"] == "text/markdown";
        self.made += 1;
        let mut answer = json!({"id": self.made, "appid": 5, "message": message, "title": title,
            "priority": priority, "date": "2018-02-27T19:36:10.5045044+01:00"});
        if of("extras").is_some() {
            answer["extras"] = extras;
        }
        let delivered = Delivered {
            id: Some(self.made.to_string()),
            title: text("title").ok().filter(|title| !title.is_empty()).map(str::to_owned),
            format: match is_markdown {
                true => Format::Markdown(Dialect::CommonMark),
                false => Format::Plain,
            },
            priority: (priority != 0).then(|| priority.to_string()),
            ..Delivered::to(APP_NAME, "", message)
        };
        Ok(Outcome::took(told(200, &answer), delivered))
    }
}

impl Service for Gotify {
    fn name(&self) -> &'static str {
        "gotify"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(|missed| match missed {
            Missed::Path | Missed::Method(_) => refused(404, "page not found").into(),
        })
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        // It limits nothing itself; what stands before it may.
        Answer::plain(429, "Too Many Requests").retry_after(1)
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        refused(403, "you are not allowed to access this api")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "token", "token": APP});
        vec![("gotify", json!({"service": "gotify", "auth": auth}))]
    }

    fn about(&self) -> About {
        About {
            title: "Gotify",
            paths: "<code>POST /gotify/message</code>",
            auth: "<code>X-Gotify-Key: A…</code>, Bearer, or <code>?token=</code>",
            recipients: "none: the token is an application's",
            limits: "none",
            assumed: &[
                "the words of refusals of fields that have another type",
                "the date of a message is always the same",
            ],
        }
    }
}
