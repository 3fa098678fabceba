//! What a message to Discord consists of, and what is wrong with it.

use serde_json::{Map, Value, json};

use super::told;
use crate::delivered::Attached;
use crate::exchange::{Answer, Call};
use crate::multipart::Part;

const LONGEST: usize = 2000;
const MOST_EMBEDS: usize = 10;
const LONGEST_EMBEDS: usize = 6000;
const MOST_FILES: usize = 10;
const LONGEST_NONCE: usize = 25;
/// The lists of `allowed_mentions`, and the kind that excludes each.
const LISTS: [&str; 2] = ["users", "roles"];

/// The body of a message, and the files beside it.
pub(super) struct Content {
    pub body: Map<String, Value>,
    pub files: Vec<Part>,
}

/// What is wrong, field by field.
#[derive(Default)]
pub(super) struct Faults(Map<String, Value>);

impl Faults {
    /// Adds what is wrong with a field.
    pub(super) fn add(&mut self, field: &str, code: &str, words: &str) {
        let own = json!({"_errors": [{"code": code, "message": words}]});
        self.0.insert(field.to_owned(), own);
    }

    /// The answer that tells of them.
    pub(super) fn answer(self) -> Answer {
        let body = json!({"message": "Invalid Form Body", "code": 50035, "errors": self.0});
        told(400, &body)
    }
}

/// A file as its reader gets it.
pub(super) fn attached(file: &Part) -> Attached {
    Attached::new(file.file_name.as_deref().unwrap_or("file"), &file.content_type, &file.bytes)
}

impl Content {
    /// Reads the body of a request, and checks it.
    pub(super) fn read(call: &Call) -> Result<Content, Answer> {
        let malformed =
            |code: u32, words: &str| told(400, &json!({"message": words, "code": code}));
        let invalid = |_| malformed(50109, "The request body contains invalid JSON.");
        let content = match call.content_type().as_str() {
            "application/json" => {
                Content { body: call.object().map_err(invalid)?, files: Vec::new() }
            }
            "multipart/form-data" => {
                let fields = call.fields().map_err(invalid)?;
                let body = match fields.json("payload_json") {
                    None => Map::new(),
                    Some(Value::Object(body)) => body,
                    Some(_) => return Err(invalid(String::new())),
                };
                Content { body, files: fields.files }
            }
            _ => {
                let words = "Expected \"Content-Type\" header to be one of {'application/json'}.";
                return Err(malformed(50035, words));
            }
        };
        content.check()?;
        Ok(content)
    }

    fn text(&self) -> &str {
        self.body.get("content").and_then(Value::as_str).unwrap_or_default()
    }

    fn list(&self, name: &str) -> &[Value] {
        self.body.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The flags of the message.
    pub(super) fn flags(&self) -> u64 {
        self.body.get("flags").and_then(Value::as_u64).unwrap_or_default()
    }

    fn check(&self) -> Result<(), Answer> {
        let mut faults = Faults::default();
        if self.text().chars().count() > LONGEST {
            let words = "Must be 2000 or fewer in length.";
            faults.add("content", "BASE_TYPE_MAX_LENGTH", words);
        }
        if self.list("embeds").len() > MOST_EMBEDS {
            faults.add("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.");
        }
        if self.list("embeds").iter().map(embedded).sum::<usize>() > LONGEST_EMBEDS {
            let words = "Embed size exceeds maximum size of 6000";
            faults.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", words);
        }
        let allowed = self.body.get("allowed_mentions").cloned().unwrap_or_default();
        for list in LISTS {
            let parse = allowed["parse"].as_array();
            let is_parsed = parse.is_some_and(|kinds| kinds.iter().any(|kind| kind == list));
            if is_parsed && allowed[list].as_array().is_some_and(|list| !list.is_empty()) {
                let words =
                    format!("parse:[\"{list}\"] and {list}: [ids...] are mutually exclusive.");
                faults.add("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", &words);
            }
        }
        match self.body.get("nonce") {
            Some(Value::String(nonce)) if nonce.chars().count() > LONGEST_NONCE => {
                let words = "Must be 25 or fewer in length.";
                faults.add("nonce", "NONCE_TYPE_TOO_LONG", words);
            }
            _ => {}
        }
        if self.files.len() > MOST_FILES {
            faults.add("attachments", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.");
        }
        let named = |file: &Part| file.name.starts_with("files[") || file.name.starts_with("file");
        if !self.files.iter().all(named) {
            faults.add("files", "BASE_TYPE_REQUIRED", "This field is required");
        }
        if self.flags() & (1 << 15) != 0 && !self.text().is_empty() {
            let words =
                "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2";
            faults.add("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", words);
        }
        if !faults.0.is_empty() {
            return Err(faults.answer());
        }
        let lists = ["embeds", "sticker_ids", "components"];
        let is_empty = self.text().trim().is_empty()
            && self.files.is_empty()
            && lists.iter().all(|name| self.list(name).is_empty())
            && self.body.get("poll").is_none_or(Value::is_null);
        match is_empty {
            true => {
                let body = json!({"message": "Cannot send an empty message", "code": 50006});
                Err(told(400, &body))
            }
            false => Ok(()),
        }
    }

    /// The text, or what its embeds say.
    pub(super) fn shown(&self) -> String {
        if !self.text().is_empty() {
            return self.text().to_owned();
        }
        let words = |embed: &Value| {
            let both = [&embed["title"], &embed["description"]];
            let both: Vec<_> = both.into_iter().filter_map(Value::as_str).collect();
            both.join("\n")
        };
        self.list("embeds").iter().map(words).collect::<Vec<_>>().join("\n")
    }

    /// Who is called: those whom the text names and who may be called.
    pub(super) fn mentions(&self, is_hook: bool) -> Vec<String> {
        let default = match is_hook {
            true => json!({"parse": ["users"]}),
            false => json!({"parse": ["users", "roles", "everyone"]}),
        };
        let allowed = self.body.get("allowed_mentions").cloned().unwrap_or(default);
        let has = |list: &str, id: &str| {
            allowed[list].as_array().is_some_and(|ids| ids.iter().any(|own| own == id))
        };
        let named = self.text().split('<').skip(1).filter_map(|rest| rest.split_once('>'));
        let named = named.filter_map(|(inner, _)| inner.strip_prefix('@'));
        let mut called: Vec<String> = named
            .filter(|id| match id.strip_prefix('&') {
                Some(role) => has("parse", "roles") || has("roles", role),
                None => has("parse", "users") || has("users", id.trim_start_matches('!')),
            })
            .map(str::to_owned)
            .collect();
        for word in ["everyone", "here"] {
            let is_named = self.text().contains(&format!("@{word}"));
            called.extend((is_named && has("parse", "everyone")).then(|| word.to_owned()));
        }
        called
    }
}

/// The characters of an embed that count.
fn embedded(embed: &Value) -> usize {
    let count = |text: &Value| text.as_str().map_or(0, |text| text.trim().chars().count());
    let fields = embed["fields"].as_array().into_iter().flatten();
    let fields: usize = fields.map(|field| count(&field["name"]) + count(&field["value"])).sum();
    let own = ["/title", "/description", "/footer/text", "/author/name"];
    own.iter().filter_map(|at| embed.pointer(at)).map(count).sum::<usize>() + fields
}
