//! WeCom's group robot: `POST /cgi-bin/webhook/send` and `/cgi-bin/webhook/upload_media`.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::{Attached, Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::form;
use crate::memory::Memory;
use crate::multipart;
use crate::shape::{Field, Kind, check, may, must};
use crate::window::Window;

const SEND: &str = "/cgi-bin/webhook/send";
const UPLOAD: &str = "/cgi-bin/webhook/upload_media";
const KEY: &str = "693a91f6-7e4a-4bc4-97a0-0ec2b1fa5aaa";
const PER_MINUTE: usize = 20;
const THREE_DAYS_MS: u64 = 3 * 86_400_000;
/// Assumed: the document tells 2,048 bytes of a text, and the service refuses more than 5,120.
const MAX_TEXT: usize = 5120;
const MAX_MARKDOWN: usize = 4096;
const MAX_IMAGE: usize = 2 << 20;
const MAX_FILE: usize = 20 << 20;
const MAX_VOICE: usize = 2 << 20;
const MAX_TITLE: usize = 128;

const TEXT: &[Field] = &[
    must("content", Kind::Text),
    may("mentioned_list", Kind::Texts),
    may("mentioned_mobile_list", Kind::Texts),
];
const MARKDOWN: &[Field] = &[must("content", Kind::Text)];
const IMAGE: &[Field] = &[must("base64", Kind::Text), must("md5", Kind::Text)];
const ARTICLE: &[Field] = &[
    must("title", Kind::Text),
    must("url", Kind::Text),
    may("description", Kind::Text),
    may("picurl", Kind::Text),
];
const NEWS: &[Field] = &[must("articles", Kind::List(ARTICLE))];
const MEDIA: &[Field] = &[must("media_id", Kind::Text)];
const ACTION: &[Field] = &[must("type", Kind::Within(0, 3)), may("url", Kind::Text)];
const CARD: &[Field] = &[
    must("card_type", Kind::Word(&["text_notice", "news_notice"])),
    must("card_action", Kind::Fields(ACTION)),
    may("main_title", Kind::Object),
    may("sub_title_text", Kind::Text),
    may("card_image", Kind::Object),
];

const TYPES: [(&str, &[Field]); 8] = [
    ("text", TEXT),
    ("markdown", MARKDOWN),
    ("markdown_v2", MARKDOWN),
    ("image", IMAGE),
    ("news", NEWS),
    ("file", MEDIA),
    ("voice", MEDIA),
    ("template_card", CARD),
];

pub(super) struct WeComBot {
    calls: Window,
    /// Uploaded files by their ids.
    media: Memory<Attached>,
    uploads: usize,
}

impl Default for WeComBot {
    fn default() -> WeComBot {
        let calls = Window::new(PER_MINUTE, 60_000);
        WeComBot { calls, media: Memory::new(THREE_DAYS_MS), uploads: 0 }
    }
}

/// A code and its words.
type Refused = (i64, String);

fn refused<T>(code: i64, words: impl Into<String>) -> Result<T, Refused> {
    Err((code, words.into()))
}

impl WeComBot {
    fn send(&mut self, call: &Call) -> Result<Delivered, Refused> {
        keyed(call)?;
        if call.limits && !self.calls.pass(call.now_ms) {
            return refused(45009, "api freq out of limit");
        }
        // Assumed: the whole body is looked through for escapes before it is read.
        if has_escapes(&call.body) {
            return refused(40033, "invalid charset");
        }
        let body = call.object().map_err(|words| (47001, format!("data format error: {words}")))?;
        self.delivered(&body, call.now_ms)
    }

    /// A message of any type. Assumed: which of the codes a fault in a field has.
    fn delivered(&self, body: &Map<String, Value>, now_ms: u64) -> Result<Delivered, Refused> {
        let kind = body.get("msgtype").and_then(Value::as_str).unwrap_or_default();
        let Some((name, fields)) = TYPES.into_iter().find(|(name, _)| *name == kind) else {
            return refused(40008, "invalid message type");
        };
        let Some(Value::Object(content)) = body.get(name) else {
            return refused(40058, format!("invalid Request Parameter: {name}"));
        };
        let of = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default();
        match name {
            "news" => articles(content)?,
            "text" | "markdown" | "markdown_v2" if of("content").is_empty() => {
                return refused(44004, "text content is empty");
            }
            _ => {}
        }
        check(content, fields).map_err(|words| (40058, format!("{name}.{words}")))?;
        let plain = |text: String| Delivered::to(KEY, "", text);
        Ok(match name {
            "text" | "markdown" | "markdown_v2" => {
                let most = if name == "text" { MAX_TEXT } else { MAX_MARKDOWN };
                let text = of("content");
                if text.len() > most {
                    return refused(
                        40058,
                        format!(
                            "{name}.content exceed max length {most}. invalid Request Parameter"
                        ),
                    );
                }
                let lists = ["mentioned_list", "mentioned_mobile_list"];
                let lists = lists.iter().filter_map(|list| content.get(*list)?.as_array());
                let mentions = lists.flatten().filter_map(Value::as_str).map(str::to_owned);
                let format = match name {
                    "text" => Format::Plain,
                    _ => Format::Markdown(Dialect::CommonMark),
                };
                Delivered { mentions: mentions.collect(), format, ..plain(text.to_owned()) }
            }
            "image" => Delivered { attachments: vec![image(content)?], ..plain(String::new()) },
            "file" | "voice" => match self.media.get(of("media_id"), now_ms) {
                Some(file) => Delivered { attachments: vec![file.clone()], ..plain(String::new()) },
                None => return refused(40007, "invalid media_id"),
            },
            "news" => {
                let articles = content["articles"].as_array().into_iter().flatten();
                let titles: Vec<_> = articles.filter_map(|one| one["title"].as_str()).collect();
                plain(titles.join("\n"))
            }
            _ => {
                let title = content.get("main_title").and_then(|title| title["title"].as_str());
                let words = [title, content.get("sub_title_text").and_then(Value::as_str)];
                let words: Vec<_> = words.into_iter().flatten().collect();
                match words.is_empty() {
                    true => return refused(40058, "template_card.main_title is required"),
                    false => plain(words.join("\n")),
                }
            }
        })
    }

    fn upload(&mut self, call: &Call) -> Result<Value, Refused> {
        let query = form::pairs(&call.query).unwrap_or_default();
        let parts = multipart::parts(call.header("content-type").unwrap_or_default(), &call.body);
        let parts = parts.map_err(|words| (41005, format!("media data missing: {words}")))?;
        let Some(file) = parts.into_iter().find(|part| part.name == "media") else {
            return refused(41005, "media data missing");
        };
        // An empty file is refused before the key is looked at.
        if file.bytes.is_empty() {
            return refused(44001, "empty media data");
        }
        keyed(call)?;
        let kind = form::first(&query, "type").unwrap_or_default();
        let most = match kind {
            "file" => MAX_FILE,
            "voice" => MAX_VOICE,
            _ => return refused(40004, "invalid media type"),
        };
        if file.bytes.len() <= 5 {
            return refused(40006, "invalid meida size");
        }
        if file.bytes.len() > most {
            return refused(45001, "media size out of limit");
        }
        let Some(name) = &file.file_name else {
            return refused(41005, "media data missing: no file name");
        };
        self.uploads += 1;
        let id = format!("media-{}", self.uploads);
        let attached = Attached::new(name, &file.content_type, &file.bytes);
        self.media.put(id.as_str(), attached, call.now_ms);
        Ok(json!({"errcode": 0, "errmsg": "ok", "type": kind, "media_id": id,
            "created_at": call.now_s().to_string()}))
    }
}

/// True where a character is escaped by its number.
pub(super) fn has_escapes(json: &[u8]) -> bool {
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        // What follows a backslash is looked at once: a backslash may be escaped too.
        if *byte == b'\\' && bytes.next() == Some(&b'u') {
            return true;
        }
    }
    false
}

/// Checks the key, which has the shape of a UUID.
fn keyed(call: &Call) -> Result<(), Refused> {
    let query = form::pairs(&call.query).unwrap_or_default();
    let unknown = || {
        let more = "more info at https://open.work.weixin.qq.com/devtool/query?e=93000";
        refused(93000, format!("invalid webhook url, hint: [1], from ip: 127.0.0.1, {more}"))
    };
    match form::first(&query, "key") {
        Some(KEY) => Ok(()),
        None => unknown(),
        Some(key) => {
            let is_uuid = key.len() == 36
                && key.bytes().enumerate().all(|(at, byte)| match at {
                    8 | 13 | 18 | 23 => byte == b'-',
                    _ => byte.is_ascii_hexdigit(),
                });
            if is_uuid { unknown() } else { refused(40058, "invalid param 'key'") }
        }
    }
}

/// Checks how many articles there are, and their titles.
fn articles(content: &Map<String, Value>) -> Result<(), Refused> {
    let articles = content.get("articles").and_then(Value::as_array);
    if !articles.is_some_and(|articles| (1..=8).contains(&articles.len())) {
        return refused(45008, "article size out of limit");
    }
    for article in articles.into_iter().flatten() {
        match article["title"].as_str() {
            None | Some("") => return refused(41016, "missing title"),
            Some(title) if title.len() > MAX_TITLE => {
                return refused(40058, "news.articles.title exceed max length 128");
            }
            Some(_) => {}
        }
        if article["url"].as_str().is_none_or(str::is_empty) {
            return refused(41010, "missing url");
        }
    }
    Ok(())
}

fn image(content: &Map<String, Value>) -> Result<Attached, Refused> {
    let of = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default();
    let Ok(bytes) = STANDARD.decode(of("base64")) else {
        return refused(40058, "image.base64 is invalid");
    };
    if bytes.len() > MAX_IMAGE {
        return refused(40009, "invalid image size");
    }
    let md5: String = Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if md5 != of("md5") {
        return refused(40058, "image.md5 does not match");
    }
    let image = Attached::new("image", "", &Bytes::from(bytes));
    match &image.image {
        Some(("image/png" | "image/jpeg", _)) => Ok(image),
        _ => refused(40123, "invalid image format"),
    }
}

fn answer(code: i64, words: &str) -> Answer {
    let body = json!({"errcode": code, "errmsg": words});
    Answer::json(200, &body).with_header("error-code", &code.to_string())
}

impl Service for WeComBot {
    fn name(&self) -> &'static str {
        "wecom_bot"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let is_known = call.method == "POST" && [SEND, UPLOAD].contains(&&*call.path);
        if !is_known {
            return Answer::new(404, "text/plain", "").into();
        }
        let outcome = match call.path == SEND {
            true => self.send(call).map(|delivered| Outcome::took(answer(0, "ok"), delivered)),
            false => self.upload(call).map(|body| Answer::json(200, &body).into()),
        };
        outcome.unwrap_or_else(|(code, words)| answer(code, &words).into())
    }

    fn rate_limited(&self, _call: &Call) -> Answer {
        answer(45009, "api freq out of limit")
    }

    fn dropped(&self, _call: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        answer(93008, "robot is not in the group")
    }

    fn largest_body(&self) -> usize {
        MAX_FILE + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let url = format!("https://qyapi.weixin.qq.com{SEND}?key={KEY}");
        let auth = json!({"type": "webhook", "url": url});
        vec![("wecom_bot", json!({"service": "wecom_bot", "auth": auth}))]
    }

    fn about(&self) -> About {
        About {
            title: "WeCom group robot",
            paths: "<code>POST /wecom_bot/cgi-bin/webhook/send?key=…</code>, <code>/upload_media</code>",
            auth: "the key",
            recipients: "none: the key is a group's",
            limits: "text of 5,120 bytes, Markdown of 4,096, images of 2 MiB, 8 articles; 20 a minute",
            assumed: &[
                "the minute of the rate slides",
                "text is refused above 5,120 bytes, as the service's own words have it",
                "which of its codes a fault in a field has",
            ],
        }
    }
}
