//! A case of the corpus: the bytes that a server answers with, and what they mean.
//!
//! What every service may be answered, by a gateway or in pieces, is a template: it is a case of each,
//! with the service's own success in it (`SERVICE/success.body`). What a mail server says stands in
//! `NAME.smtp`, a step and its reply in each line.

#![allow(dead_code, reason = "each test uses its part of it")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

/// Where the meaning of an answer is known from.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The document that the service is made from.
    Seed,
    /// Another document of the service.
    Doc,
    /// Code of other clients.
    Sdk,
    /// Answers that were seen.
    Log,
    /// A conclusion of ours.
    Inferred,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Source::Seed => "seed",
            Source::Doc => "doc",
            Source::Sdk => "sdk",
            Source::Log => "log",
            Source::Inferred => "inferred",
        }
    }
}

/// Whether the library tries again by itself.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It does not.
    Never,
    /// Once, with a new signature.
    Resign,
    /// Once, with a new token.
    Reauthenticate,
    /// After an exponential wait.
    Backoff,
    /// After `retry_after_ms`.
    Wait,
    /// Not today.
    Quota,
}

/// What an answer means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub delivery: String,
    /// The error; null for `sent`.
    pub name: Option<String>,
    /// What it is called by; `{id}` is the library's own id of it, of which a Message-ID is made.
    pub message_id: Option<String>,
    pub service_code: Option<String>,
    pub class: Class,
    /// How many requests come where each is answered so, of three at most.
    pub requests: usize,
    pub retryable: bool,
    /// Compared where it is given; `wait` needs it.
    pub retry_after_ms: Option<u64>,
    /// Compared where it is given.
    pub service_time: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    why: String,
    source: Source,
    #[serde(default)]
    account: Map<String, Value>,
    #[serde(default)]
    message: Map<String, Value>,
    expect: Expect,
}

/// What holds for every case of a service.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Default {
    /// The account, where a case does not say otherwise.
    account: Map<String, Value>,
    /// The message, where a case does not say otherwise.
    message: Map<String, Value>,
    /// What the success in `success.body` tells.
    success: Success,
    /// True if the service knows a message that is sent again.
    #[serde(default)]
    recognises: bool,
    /// True if it is spoken to over SMTP.
    #[serde(default)]
    mail: bool,
    /// What the steps before the one that sends are answered, by the path that they ask for.
    #[serde(default)]
    prepares: HashMap<String, String>,
    /// What those steps give.
    #[serde(default)]
    kept: Map<String, Value>,
    /// Templates whose answers mean something else to this service.
    #[serde(default)]
    without: Vec<String>,
    /// Bodies of `tests/gateways/bodies.txt` that are this service's own words too, where its status is one
    /// of success: src/service/answers.rs reads them.
    #[serde(default)]
    shares: Vec<String>,
    /// Members beside which the success contradicts itself, for src/service/answers.rs too.
    #[serde(default)]
    contradictions: Vec<String>,
    /// How a row of the verdict table is answered: src/engine/tests/rows.rs reads it.
    #[serde(default)]
    rows: Value,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Success {
    message_id: Option<String>,
}

/// A case, as its two files tell it.
pub struct Case {
    pub name: String,
    /// Why the answer means this, in a sentence.
    pub why: String,
    pub source: Source,
    pub account: Map<String, Value>,
    pub message: Map<String, Value>,
    pub expect: Expect,
    /// What the steps before the one that sends are answered, by the path that they ask for.
    pub prepares: HashMap<String, String>,
    pub answer: Answer,
    /// What a mail server says, by the step that it says it to; the rest goes as usual.
    pub script: Option<Vec<(String, String)>>,
    /// Where its bytes stand, below `tests/corpus`.
    pub file: String,
}

/// An answer as it goes over the wire.
pub struct Answer {
    pub bytes: Vec<u8>,
    pub body: Vec<u8>,
    /// None if the head is cut, or there is nothing at all.
    pub status: Option<u16>,
    /// The connection ends after it: it says so, or it is not whole.
    pub closes: bool,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// The services of this build.
pub fn services() -> Vec<String> {
    let json: Value = serde_json::from_str(hongyan::services_json()).expect("JSON");
    let services = json["services"].as_array().expect("a list").iter();
    services.map(|service| service["name"].as_str().expect("a name").to_owned()).collect()
}

/// What the names of a service's answers end with.
pub fn extension(service: &str) -> &'static str {
    let path = folder().join(service).join("default.json");
    let is_mail = path.exists() && read::<Default>(&path).mail;
    if is_mail { "smtp" } else { "http" }
}

/// The steps of a mail server, and what it says to each.
fn script(text: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(text).expect("a script is UTF-8");
    let lines = text.lines().map(|line| line.split_once(": ").expect("a step and a reply"));
    lines.map(|(step, reply)| (step.to_owned(), reply.to_owned())).collect()
}

/// The cases of a service, by name.
pub fn cases(service: &str) -> Vec<Case> {
    let folder = folder();
    let default: Default = read(&folder.join(service).join("default.json"));
    let success = fs::read(folder.join(service).join("success.body")).expect("a success");
    let own = names(service, extension(service));
    let templates = names("templates", "http").into_iter().filter(|_| !default.mail);
    let templates = templates.filter(|name| !own.contains(name) && !default.without.contains(name));
    let templates: Vec<_> = templates.map(|name| ("templates", name)).collect();
    let own = own.iter().map(|name| (service, name.clone()));
    let named = |(of, name): (&str, String)| {
        let file = format!("{of}/{name}.{}", extension(of));
        let mut case: File = read(&folder.join(of).join(format!("{name}.json")));
        let mut http = fs::read(folder.join(&file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        if of != service {
            http = filled(&http, &success);
            case.expect.of(&default);
        }
        let with = |default: &Map<String, Value>, own: Map<String, Value>| {
            default.clone().into_iter().chain(own).collect::<Map<_, _>>()
        };
        Case {
            why: case.why,
            source: case.source,
            account: with(&default.account, case.account),
            message: with(&default.message, case.message),
            expect: case.expect,
            prepares: default.prepares.clone(),
            answer: match default.mail {
                true => {
                    Answer { bytes: http.clone(), body: http.clone(), status: None, closes: true }
                }
                false => answer(&http),
            },
            script: default.mail.then(|| script(&http)),
            name,
            file,
        }
    };
    let mut cases: Vec<_> = own.chain(templates).map(named).collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

impl Expect {
    /// What a template means to a service.
    fn of(&mut self, default: &Default) {
        match self.delivery.as_str() {
            "sent" => self.message_id = default.success.message_id.clone(),
            "maybe_sent" if default.recognises => (self.class, self.requests) = (Class::Backoff, 3),
            _ => {}
        }
    }
}

/// A template with the success of a service in it: the whole, its halves, and how long they are.
fn filled(template: &[u8], success: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(success).expect("a success is UTF-8");
    let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
    let (head, tail) = text.split_at(half);
    let (size, hex) = (|n: usize| n.to_string(), |text: &str| format!("{:x}", text.len()));
    let parts = [
        ("{{success}}", text.to_owned()),
        ("{{head}}", head.to_owned()),
        ("{{tail}}", tail.to_owned()),
        ("{{size}}", size(text.len())),
        ("{{size+1}}", size(text.len() + 1)),
        ("{{hex}}", hex(text)),
        ("{{head.hex}}", hex(head)),
        ("{{tail.hex}}", hex(tail)),
    ];
    let mut filled = Vec::new();
    let mut rest = template;
    while let Some(first) = rest.first() {
        match parts.iter().find(|(name, _)| rest.starts_with(name.as_bytes())) {
            Some((name, part)) => {
                filled.extend_from_slice(part.as_bytes());
                rest = &rest[name.len()..];
            }
            None => {
                filled.push(*first);
                rest = &rest[1..];
            }
        }
    }
    filled
}

/// The names of a service's files that end so, in order.
pub fn names(service: &str, extension: &str) -> Vec<String> {
    let files = fs::read_dir(folder().join(service)).expect("the folder of a service");
    let paths = files.map(|file| file.expect("a readable folder").path());
    let paths = paths.filter(|path| path.extension().is_some_and(|own| own == extension));
    let stem = |path: PathBuf| path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
    let mut names: Vec<_> = paths.map(|path| stem(path).expect("a name in UTF-8")).collect();
    names.sort();
    names
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Reads a file: the head's lines may end as an editor ends them, and `content-length: auto` is
/// the length of the body; the body's bytes are sent as they stand.
fn answer(http: &[u8]) -> Answer {
    let (mut head, mut rest, mut whole) = (Vec::new(), http, false);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n').filter(|_| !whole) {
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        head.push(std::str::from_utf8(line).expect("a head is UTF-8").to_owned());
        rest = &rest[end + 1..];
        whole = line.is_empty();
    }
    if !whole {
        let mut bytes = head.iter().flat_map(|line| [line.as_bytes(), b"\r\n"]).collect::<Vec<_>>();
        bytes.push(rest);
        return Answer { bytes: bytes.concat(), body: Vec::new(), status: None, closes: true };
    }
    let length = rest.len().to_string();
    for line in &mut head {
        if line.eq_ignore_ascii_case("content-length: auto") {
            *line = format!("Content-Length: {length}");
        }
    }
    let field = |name: &str| {
        head.iter().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim().to_ascii_lowercase())
        })
    };
    let status = head[0].split(' ').nth(1).and_then(|status| status.parse().ok());
    let told = field("content-length").map(|told| told.parse().expect("a length"));
    let is_whole = match (told, field("transfer-encoding"), status) {
        (Some(told), ..) => rest.len() >= told,
        (None, Some(_), _) => rest.ends_with(b"0\r\n\r\n"),
        (None, None, status) => matches!(status, Some(204 | 304)),
    };
    let closes = !is_whole || field("connection").is_some_and(|value| value == "close");
    let bytes = [(head.join("\r\n") + "\r\n").as_bytes(), rest].concat();
    Answer { bytes, body: rest.to_vec(), status, closes }
}
