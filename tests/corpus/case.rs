//! A case of the corpus: the bytes that a server answers with, and what they mean.

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

/// The account and the message of every case of a service that does not say otherwise.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Default {
    account: Map<String, Value>,
    message: Map<String, Value>,
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
    pub answer: Answer,
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

/// The cases of a service, by name.
pub fn cases(service: &str) -> Vec<Case> {
    let folder = folder().join(service);
    let default: Default = read(&folder.join("default.json"));
    let named = |name: String| {
        let file: File = read(&folder.join(format!("{name}.json")));
        let with = |default: &Map<String, Value>, own: Map<String, Value>| {
            default.clone().into_iter().chain(own).collect::<Map<_, _>>()
        };
        let path = folder.join(format!("{name}.http"));
        let http = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Case {
            why: file.why,
            source: file.source,
            account: with(&default.account, file.account),
            message: with(&default.message, file.message),
            expect: file.expect,
            answer: answer(&http),
            name,
        }
    };
    names(service, "json").into_iter().filter(|name| name != "default").map(named).collect()
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
