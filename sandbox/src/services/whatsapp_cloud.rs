//! WhatsApp's Cloud API: messages of a business, and the files that go with them.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::Attached;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Params, Route};
use crate::window::{Window, Windows};

const TOKEN: &str = "EAAGm0PX4ZCpsBAhongyanJ7ZCcarriesZBletters2Kd9QZDZD";
const NUMBER: &str = "106540352242922";
/// Numbers that may be written to, and whether they wrote within the last 24 hours.
const PHONES: [(&str, bool); 3] =
    [("8613800138000", true), ("16505551234", true), ("447700900123", false)];
/// Templates: a name, a language, and how many parameters the text has.
const TEMPLATES: [(&str, &str, usize); 2] =
    [("hello_world", "en_US", 0), ("disk_full", "zh_CN", 2)];
/// Characters of a text.
const LONGEST: usize = 4096;
/// The largest file, in bytes.
const LARGEST: usize = 100 << 20;
/// How long a file is kept: 30 days.
const KEPT_MS: u64 = 30 * 86_400_000;
/// Messages to one number that may come at once, and what they are borrowed from: one in six seconds.
const BURST: usize = 45;
const BURST_MS: u64 = 45 * 6000;

const ROUTES: &[Route<WhatsAppCloud>] = &[
    Route::post("/v{version}/{number}/messages", WhatsAppCloud::message),
    Route::post("/v{version}/{number}/media", WhatsAppCloud::upload),
];

pub(super) struct WhatsAppCloud {
    window: Window,
    pairs: Windows,
    /// Files by id, and when they came.
    media: HashMap<String, (u64, Attached)>,
    made: u64,
}

impl Default for WhatsAppCloud {
    fn default() -> WhatsAppCloud {
        WhatsAppCloud {
            window: Window::new(80, 1000),
            pairs: Windows::new(BURST, BURST_MS),
            media: HashMap::new(),
            made: 4_490_709_327_384_000,
        }
    }
}

fn refused(status: u16, code: u64, words: &str, details: &str) -> Answer {
    let mut error = json!({"message": format!("(#{code}) {words}"), "type": "OAuthException",
        "code": code, "fbtrace_id": "AI5Ob2z72R0JAUB5zOF-nao"});
    if !details.is_empty() {
        error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
    }
    Answer::json(status, &json!({"error": error}))
}

fn missing(name: &str) -> Answer {
    refused(400, 100, "Invalid parameter", &format!("The parameter {name} is required."))
}

fn too_fast() -> Answer {
    let details = "Message failed to send because there were too many messages sent from this phone \
                   number in a short period of time";
    refused(429, 130_429, "Rate limit hit", details)
}

/// Checks the token and the number that sends.
fn enter(call: &Call, params: &Params) -> Result<(), Answer> {
    if call.credentials("Bearer") != Some(TOKEN) {
        let error = json!({"message": "Invalid OAuth access token - Cannot parse access token",
            "type": "OAuthException", "code": 190, "fbtrace_id": "AI5Ob2z72R0JAUB5zOF-nao"});
        return Err(Answer::json(401, &json!({"error": error})));
    }
    let version = params.get("version");
    let is_version = version.split('.').all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if !is_version || params.get("number") != NUMBER {
        let number = params.get("number");
        let words = format!(
            "Unsupported post request. Object with ID '{number}' does not exist, cannot be loaded due \
             to missing permissions, or does not support this operation"
        );
        return Err(refused(400, 100, &words, ""));
    }
    Ok(())
}

fn object<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a Map<String, Value>, Answer> {
    body.get(name).and_then(Value::as_object).ok_or_else(|| missing(name))
}

impl WhatsAppCloud {
    fn id(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn message(&mut self, call: &Call, params: &Params) -> Handled {
        enter(call, params)?;
        if call.limits && !self.window.pass(call.now_ms) {
            return Err(too_fast());
        }
        let body = call.object().map_err(|words| refused(400, 100, &words, ""))?;
        let text_of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        if text_of("messaging_product") != "whatsapp" {
            return Err(missing("messaging_product"));
        }
        if !["", "individual"].contains(&text_of("recipient_type")) {
            return Err(refused(400, 131_009, "Parameter value is not valid", "recipient_type"));
        }
        let to: String = text_of("to").chars().filter(char::is_ascii_digit).collect();
        if to.is_empty() {
            return Err(missing("to"));
        }
        let Some((phone, is_open)) = PHONES.iter().find(|(phone, _)| *phone == to) else {
            let details = "Recipient phone number not in allowed list";
            return Err(refused(400, 131_030, details, details));
        };
        if !self.pairs.ask(phone, call).passed {
            let words = "(Business Account, Consumer Account) pair rate limit hit";
            return Err(refused(400, 131_056, words, "Too many messages sent to this number"));
        }
        let kind = match text_of("type") {
            "" => "text",
            kind => kind,
        };
        let (text, file) = self.content(kind, &body, call.now_ms)?;
        if kind != "template" && !is_open {
            let details = "Message failed to send because more than 24 hours have passed since the \
                           customer last replied to this number.";
            return Err(refused(400, 131_047, "Re-engagement message", details));
        }
        let id = format!("wamid.HBgN{}{:016}", phone, self.id());
        let answer = json!({"messaging_product": "whatsapp",
            "contacts": [{"input": text_of("to"), "wa_id": phone}], "messages": [{"id": id}]});
        let answered = body.get("context").and_then(|context| context["message_id"].as_str());
        let delivered = Delivered {
            id: Some(id),
            attachments: file.into_iter().collect(),
            thread: answered.map(str::to_owned),
            ..Delivered::to(NUMBER, *phone, text)
        };
        Ok(Outcome::took(Answer::json(200, &answer), delivered))
    }

    /// What a message shows, or what is wrong with it.
    fn content(
        &self,
        kind: &str,
        body: &Map<String, Value>,
        now_ms: u64,
    ) -> Result<(String, Option<Attached>), Answer> {
        match kind {
            "text" => {
                let text = object(body, "text")?.get("body").and_then(Value::as_str);
                let text =
                    text.filter(|text| !text.is_empty()).ok_or_else(|| missing("text.body"))?;
                match text.chars().count() > LONGEST {
                    true => {
                        let details = "Param text['body'] must be at most 4096 characters long.";
                        Err(refused(400, 100, "Invalid parameter", details))
                    }
                    false => Ok((text.to_owned(), None)),
                }
            }
            "template" => template(object(body, "template")?).map(|text| (text, None)),
            "image" | "video" | "audio" | "document" | "sticker" => {
                let own = object(body, kind)?;
                let text = |name: &str| own.get(name).and_then(Value::as_str);
                let mut file = match (text("id"), text("link")) {
                    (Some(id), None) => {
                        let known = self.media.get(id);
                        let known = known.filter(|(at_ms, _)| now_ms < at_ms + KEPT_MS);
                        let details = "Media with this id is not found.";
                        let (_, file) = known.ok_or_else(|| {
                            refused(400, 131_052, "Media download error", details)
                        })?;
                        file.clone()
                    }
                    (None, Some(link)) => Attached::at(link),
                    _ => return Err(missing(&format!("{kind}.id"))),
                };
                if let Some(name) = text("filename") {
                    file.name = name.to_owned();
                }
                Ok((text("caption").unwrap_or_default().to_owned(), Some(file)))
            }
            "location" | "interactive" | "reaction" => {
                object(body, kind).map(|own| (Value::from(own.clone()).to_string(), None))
            }
            "contacts" => match body.get("contacts").and_then(Value::as_array) {
                Some(list) if !list.is_empty() => Ok((Value::from(list.clone()).to_string(), None)),
                _ => Err(missing("contacts")),
            },
            _ => Err(refused(400, 131_051, "Unsupported message type", "type")),
        }
    }

    fn upload(&mut self, call: &Call, params: &Params) -> Handled {
        enter(call, params)?;
        let fields = call.fields().map_err(|words| refused(400, 100, &words, ""))?;
        if fields.text("messaging_product").as_deref() != Some("whatsapp") {
            return Err(missing("messaging_product"));
        }
        let Some(part) = fields.file("file") else { return Err(missing("file")) };
        if part.bytes.is_empty() {
            return Err(refused(400, 131_053, "Media upload error", "The file is empty."));
        }
        let kind = fields.given("type").unwrap_or_else(|| part.content_type.as_str().into());
        let file = Attached::new(part.file_name.as_deref().unwrap_or("file"), &kind, &part.bytes);
        let id = self.id().to_string();
        self.media.insert(id.clone(), (call.now_ms, file));
        Ok(Answer::json(200, &json!({"id": id})).into())
    }
}

/// The text of a template with its parameters, or what is wrong with it.
fn template(own: &Map<String, Value>) -> Result<String, Answer> {
    let name = own.get("name").and_then(Value::as_str).ok_or_else(|| missing("template.name"))?;
    let language = own.get("language").and_then(|language| language["code"].as_str());
    let language = language.ok_or_else(|| missing("template.language"))?;
    let found = TEMPLATES.iter().find(|(known, of, _)| *known == name && *of == language);
    let Some((.., wanted)) = found else {
        let details = format!("template name ({name}) does not exist in {language}");
        return Err(refused(404, 132_001, "Template name does not exist", &details));
    };
    let components = own.get("components").and_then(Value::as_array).cloned().unwrap_or_default();
    let body = components.iter().find(|one| one["type"].as_str() == Some("body"));
    let given = body.and_then(|body| body["parameters"].as_array()).cloned().unwrap_or_default();
    let given: Vec<_> = given.iter().filter_map(|one| one["text"].as_str()).collect();
    match given.len() == *wanted {
        true => Ok([&[name], given.as_slice()].concat().join(" ")),
        false => {
            let details = format!(
                "number of localizable_params ({}) does not match the expected number of params ({wanted})",
                given.len()
            );
            Err(refused(400, 132_000, "Number of parameters does not match", &details))
        }
    }
}

impl Service for WhatsAppCloud {
    fn name(&self) -> &'static str {
        "whatsapp_cloud"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let not_found = || refused(404, 100, "Unknown path components", "");
        route::answer(self, call, ROUTES).unwrap_or_else(|_| not_found().into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        too_fast()
    }

    fn dropped(&self, _: &Call) -> Answer {
        // What is dropped later is told by a callback only; this is its code.
        let words = "This message was not delivered to maintain healthy ecosystem engagement.";
        refused(400, 131_049, words, words)
    }

    fn largest_body(&self) -> usize {
        LARGEST + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "token", "token": TOKEN});
        let account = json!({"service": "whatsapp_cloud", "phone_number_id": NUMBER, "auth": auth,
            "to": {"phone": "+8613800138000"}});
        vec![("whatsapp_cloud", account)]
    }

    fn about(&self) -> About {
        About {
            title: "WhatsApp Cloud API",
            paths: "<code>POST /whatsapp_cloud/v25.0/106540352242922/messages</code>, <code>…/media</code>",
            auth: "<code>Authorization: Bearer …</code>",
            recipients: "+8613800138000 and +16505551234; +447700900123 wrote more than 24 hours ago, and \
                         takes the templates hello_world (en_US) and disk_full (zh_CN, two parameters) only",
            limits: "4096 characters a text; 80 messages a second; one in six seconds a recipient, of which 45 \
                     may come at once; a file is kept for 30 days",
            assumed: &[
                "a closed window and an unknown number are told at once; WhatsApp often tells them by a \
                 callback only",
                "the status of HTTP of each code",
                "any version in the path is taken",
            ],
        }
    }
}
