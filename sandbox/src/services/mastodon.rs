//! Mastodon: the part of its API that direct messages are posted with.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{About, Service};
use crate::delivered::Attached;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::memory::Memory;
use crate::route::{self, Handled, Params, Route};
use crate::window::Window;

const TOKEN: &str = "Zx8h4nKq2vTf7LwPb3RgYd6Ms1Jc9Ua5EoXi0NkQtWz";
const ME: &str = "hongyan";
/// Users: an id, a name, and the host; none for users of this server.
const USERS: [(&str, &str, Option<&str>); 3] = [
    ("101", "anna", None),
    ("102", "bruno", Some("far.example")),
    ("103", "anna", Some("far.example")),
];
/// The host that users of this server may be written with.
const HOST: &str = "social.example";
/// Characters of a post, of which a link counts as many as this.
const LONGEST: usize = 500;
const LINK: usize = 23;
const MOST_MEDIA: usize = 4;
/// How long a post is known by its key.
const KNOWN_MS: u64 = 3_600_000;
/// The largest file, in bytes, and how many of them are processed in a millisecond.
const LARGEST: usize = 99 << 20;
const BYTES_A_MS: usize = 1 << 10;

const ROUTES: &[Route<Mastodon>] = &[
    Route::post("/api/v1/statuses", Mastodon::post),
    Route::post("/api/v2/media", Mastodon::upload),
    Route::get("/api/v1/media/{id}", Mastodon::media),
    Route::get("/api/v1/apps/verify_credentials", Mastodon::app),
    Route::get("/api/v1/accounts/verify_credentials", Mastodon::me),
    Route::get("/api/v2/instance", Mastodon::instance),
    Route::get("/api/v1/instance", Mastodon::old_instance),
    // The server does not mind a slash at the end, which clients write here.
    Route::get("/api/v2/instance/", Mastodon::instance),
    Route::get("/api/v1/instance/", Mastodon::old_instance),
];

/// A file that was uploaded, and when it is ready.
struct Media {
    file: Attached,
    ready_ms: u64,
    used: bool,
}

pub(super) struct Mastodon {
    window: Window,
    known: Memory<Value>,
    media: HashMap<String, Media>,
    posts: HashMap<String, ()>,
    made: u64,
}

impl Default for Mastodon {
    fn default() -> Mastodon {
        Mastodon {
            window: Window::new(300, 300_000),
            known: Memory::new(KNOWN_MS),
            media: HashMap::new(),
            posts: HashMap::new(),
            made: 103_254_962_155_278_000,
        }
    }
}

fn refused(status: u16, words: &str) -> Answer {
    Answer::json(status, &json!({"error": words}))
}

fn invalid(words: &str) -> Answer {
    refused(422, &format!("Validation failed: {words}"))
}

/// A time as headers and objects have it.
fn iso(at_ms: u64) -> String {
    let (days, of_day) = (at_ms / 86_400_000, at_ms % 86_400_000);
    // Counted in years that begin in March, of which four hundred are an era.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (d, m) =
        (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let y = year + era * 400 + u64::from(m <= 2);
    let (h, min, s) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
    format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}.{:03}Z", of_day % 1000)
}

fn too_many(call: &Call, wait_ms: u64) -> Answer {
    refused(429, "Too many requests")
        .with_header("x-ratelimit-limit", "300")
        .with_header("x-ratelimit-remaining", "0")
        .with_header("x-ratelimit-reset", &iso(call.now_ms + wait_ms))
}

/// The addresses behind each `@` that begins a word, as they stand.
fn addresses(text: &str) -> Vec<&str> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        if text[..at].ends_with(|c: char| in_word(c) || c == '/' || c == '=') {
            continue;
        }
        let rest = &text[at + 1..];
        let name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let end = rest.find(|c| !name(c)).unwrap_or(rest.len());
        let user = rest[..end].trim_end_matches(['.', '-']);
        if !user.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let host = rest[user.len()..].strip_prefix('@').map(|host| {
            let end = host.find(|c: char| !in_word(c) && c != '.' && c != '-');
            host[..end.unwrap_or(host.len())].trim_end_matches(['.', '-'])
        });
        let host = host.filter(|host| !host.is_empty()).map_or(0, |host| host.len() + 1);
        found.push(&rest[..user.len() + host]);
    }
    found
}

/// The users that a text mentions, each once.
fn mentioned(text: &str) -> Vec<&'static (&'static str, &'static str, Option<&'static str>)> {
    let mut users = Vec::new();
    for address in addresses(text) {
        let (name, host) = match address.split_once('@') {
            Some((name, host)) => {
                (name, Some(host).filter(|host| !host.eq_ignore_ascii_case(HOST)))
            }
            None => (address, None),
        };
        let is_it = |(_, own, at): &&(&str, &str, Option<&str>)| {
            let same_host = match (at, host) {
                (Some(at), Some(host)) => at.eq_ignore_ascii_case(host),
                (None, None) => true,
                _ => false,
            };
            own.eq_ignore_ascii_case(name) && same_host
        };
        if let Some(user) = USERS.iter().find(is_it)
            && !users.contains(&user)
        {
            users.push(user);
        }
    }
    users
}

fn acct((_, name, host): &(&str, &str, Option<&str>)) -> String {
    host.map_or_else(|| (*name).to_owned(), |host| format!("{name}@{host}"))
}

/// How long a text is: links count the same, and the hosts of addresses nothing.
fn length(text: &str) -> usize {
    let mut counted = String::new();
    for (n, word) in text.split(' ').enumerate() {
        if n > 0 {
            counted.push(' ');
        }
        match word.find("https://").or_else(|| word.find("http://")) {
            Some(at) => {
                let rest = &word[at..];
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                counted.push_str(&word[..at]);
                counted.extend(std::iter::repeat_n('x', LINK));
                counted.push_str(&rest[end..]);
            }
            None => match addresses(word).first().and_then(|own| own.split_once('@')) {
                Some((_, host)) => counted.push_str(&word.replacen(&format!("@{host}"), "", 1)),
                None => counted.push_str(word),
            },
        }
    }
    counted.graphemes(true).count()
}

/// What a request sets, whichever way it is written: JSON, or a form with `name[]` for lists.
fn params(call: &Call) -> Result<Map<String, Value>, Answer> {
    if call.content_type() == "application/json" {
        return call.object().map_err(|words| refused(400, &words));
    }
    let mut all = Map::new();
    for (name, value) in call.params().unwrap_or_default() {
        match name.strip_suffix("[]") {
            Some(list) => match all.entry(list.to_owned()).or_insert_with(|| json!([])) {
                Value::Array(list) => list.push(value.into()),
                other => *other = value.into(),
            },
            None => _ = all.insert(name, value.into()),
        }
    }
    Ok(all)
}

impl Mastodon {
    /// Checks who asks, and whether too often.
    fn enter(&mut self, call: &Call) -> Result<(), Answer> {
        match call.credentials("Bearer") {
            Some(TOKEN) => {}
            Some(_) => return Err(refused(401, "The access token is invalid")),
            None => return Err(refused(401, "This method requires an authenticated user")),
        }
        if call.limits {
            let room = self.window.ask(call.now_ms);
            if !room.passed {
                return Err(too_many(call, room.reset_ms));
            }
        }
        Ok(())
    }

    fn id(&mut self) -> String {
        self.made += 1;
        self.made.to_string()
    }

    fn post(&mut self, call: &Call, _: &Params) -> Handled {
        self.enter(call)?;
        let key = call.header("idempotency-key").unwrap_or_default().to_owned();
        if let Some(first) = self.known.get(&key, call.now_ms).filter(|_| !key.is_empty()) {
            return Ok(Answer::json(200, first).into());
        }
        let params = params(call)?;
        let text_of = |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default();
        let text = text_of("status").trim();
        let ids = params.get("media_ids").and_then(Value::as_array).cloned().unwrap_or_default();
        let ids: Vec<_> = ids.iter().map(|id| id.as_str().unwrap_or_default().to_owned()).collect();
        if text.is_empty() && ids.is_empty() {
            return Err(invalid("Text can't be blank"));
        }
        let warning = text_of("spoiler_text");
        if length(text) + warning.graphemes(true).count() > LONGEST {
            let words = format!("Text character limit of {LONGEST} exceeded");
            return Err(invalid(&words));
        }
        if ids.len() > MOST_MEDIA {
            return Err(invalid("Cannot attach more than 4 files"));
        }
        let answered = text_of("in_reply_to_id");
        if !answered.is_empty() && !self.posts.contains_key(answered) {
            return Err(refused(404, "Record not found"));
        }
        if !["", "public", "unlisted", "private", "direct"].contains(&text_of("visibility")) {
            return Err(invalid("Visibility is not included in the list"));
        }
        let mut files = Vec::new();
        for id in &ids {
            match self.media.get(id) {
                Some(media) if media.used => {
                    return Err(invalid("Media is attached to another post"));
                }
                Some(media) if media.ready_ms > call.now_ms => {
                    let words = "Cannot attach files that have not finished processing. Try again \
                                 in a moment!";
                    return Err(refused(422, words));
                }
                Some(media) => files.push(media.file.clone()),
                None => return Err(refused(404, "Record not found")),
            }
        }
        for id in &ids {
            if let Some(media) = self.media.get_mut(id) {
                media.used = true;
            }
        }
        let users = mentioned(text);
        let id = self.id();
        self.posts.insert(id.clone(), ());
        let visibility = match text_of("visibility") {
            "" => "public",
            own => own,
        };
        let mentions: Vec<_> = users
            .iter()
            .map(|user| {
                json!({"id": user.0, "username": user.1, "acct": acct(user),
                "url": format!("https://{}/@{}", user.2.unwrap_or(HOST), user.1)})
            })
            .collect();
        let attachments: Vec<_> = ids.iter().map(|id| self.shown(id, call.now_ms)).collect();
        let status = json!({"id": id, "created_at": iso(call.now_ms),
            "in_reply_to_id": Some(answered).filter(|id| !id.is_empty()), "sensitive": false,
            "spoiler_text": warning, "visibility": visibility, "language": "en",
            "uri": format!("https://{HOST}/users/{ME}/statuses/{id}"),
            "url": format!("https://{HOST}/@{ME}/{id}"), "replies_count": 0, "reblogs_count": 0,
            "favourites_count": 0, "content": format!("<p>{text}</p>"), "reblog": null,
            "account": account(), "media_attachments": attachments, "mentions": mentions,
            "tags": [], "emojis": [], "card": null, "poll": null});
        if !key.is_empty() {
            self.known.put(key, status.clone(), call.now_ms);
        }
        let title = Some(warning.to_owned()).filter(|title| !title.is_empty());
        let one = Delivered {
            id: Some(id),
            title,
            mentions: users.iter().map(|user| acct(user)).collect(),
            attachments: files,
            thread: Some(answered.to_owned()).filter(|id| !id.is_empty()),
            ..Delivered::to(ME, "", text)
        };
        // Whoever is mentioned has it; a public one is everybody's.
        let recipients = match visibility {
            "direct" => users.iter().map(|user| acct(user)).collect(),
            public => vec![public.to_owned()],
        };
        let to = |recipient| Delivered { recipient, ..one.clone() };
        Ok(Outcome {
            answer: Answer::json(200, &status),
            delivered: recipients.into_iter().map(to).collect(),
        })
    }

    /// A file as answers show it: without a URL while it is being processed.
    fn shown(&self, id: &str, now_ms: u64) -> Value {
        let Some(media) = self.media.get(id) else { return Value::Null };
        let kind = media.file.content_type.split('/').next().unwrap_or_default();
        let kind = if ["image", "video", "audio"].contains(&kind) { kind } else { "unknown" };
        let url = format!("https://files.{HOST}/media_attachments/{id}/original/file");
        let url = Some(url).filter(|_| media.ready_ms <= now_ms);
        json!({"id": id, "type": kind, "url": url, "remote_url": null, "meta": {},
            "preview_url": format!("https://files.{HOST}/media_attachments/{id}/small/file"),
            "description": null, "blurhash": null})
    }

    fn upload(&mut self, call: &Call, _: &Params) -> Handled {
        self.enter(call)?;
        let fields = call.fields().map_err(|words| refused(400, &words))?;
        let Some(part) = fields.file("file") else {
            return Err(invalid("File can't be blank"));
        };
        let kind = part.content_type.split('/').next().unwrap_or_default();
        // Large kinds are processed after the answer.
        let takes_ms = match kind {
            "image" => 0,
            "video" | "audio" => (part.bytes.len() / BYTES_A_MS) as u64,
            _ => return Err(invalid("File content type is invalid, File is invalid")),
        };
        let name = part.file_name.as_deref().unwrap_or("file");
        let file = Attached::new(name, &part.content_type, &part.bytes);
        let id = self.id();
        let ready_ms = call.now_ms + takes_ms;
        self.media.insert(id.clone(), Media { file, ready_ms, used: false });
        let mut body = self.shown(&id, call.now_ms);
        if kind == "image" {
            return Ok(Answer::json(200, &body).into());
        }
        body["url"] = Value::Null;
        Ok(Answer::json(202, &body).into())
    }

    fn media(&mut self, call: &Call, params: &Params) -> Handled {
        self.enter(call)?;
        let id = params.get("id");
        match self.media.get(id) {
            None => Err(refused(404, "Record not found")),
            Some(media) if media.used => Err(refused(404, "Record not found")),
            Some(media) => {
                let status = if media.ready_ms > call.now_ms { 206 } else { 200 };
                Ok(Answer::json(status, &self.shown(id, call.now_ms)).into())
            }
        }
    }

    fn app(&mut self, call: &Call, _: &Params) -> Handled {
        self.enter(call)?;
        let app = json!({"id": "1", "name": "hongyan", "website": null, "scopes": ["write"]});
        Ok(Answer::json(200, &app).into())
    }

    fn me(&mut self, call: &Call, _: &Params) -> Handled {
        self.enter(call)?;
        Ok(Answer::json(200, &account()).into())
    }

    fn instance(&mut self, _: &Call, _: &Params) -> Handled {
        let statuses = json!({"max_characters": LONGEST, "max_media_attachments": MOST_MEDIA,
            "characters_reserved_per_url": LINK});
        let instance = json!({"domain": HOST, "title": "social", "version": "4.5.0",
            "source_url": "https://github.com/mastodon/mastodon", "description": "",
            "api_versions": {"mastodon": 7}, "languages": ["en"], "rules": [],
            "configuration": {"statuses": statuses}});
        Ok(Answer::json(200, &instance).into())
    }

    fn old_instance(&mut self, _: &Call, _: &Params) -> Handled {
        let instance = json!({"uri": HOST, "title": "social", "version": "4.5.0",
            "description": "", "languages": ["en"], "rules": [],
            "configuration": {"statuses": {"max_characters": LONGEST}}});
        Ok(Answer::json(200, &instance).into())
    }
}

fn account() -> Value {
    json!({"id": "100", "username": ME, "acct": ME, "display_name": "hongyan", "bot": true,
        "url": format!("https://{HOST}/@{ME}")})
}

impl Service for Mastodon {
    fn name(&self) -> &'static str {
        "mastodon"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let not_found = || refused(404, "Record not found");
        route::answer(self, call, ROUTES).unwrap_or_else(|_| not_found().into())
    }

    fn rate_limited(&self, call: &Call) -> Answer {
        too_many(call, 1000)
    }

    fn dropped(&self, _: &Call) -> Answer {
        // A post that mentions nobody is seen by nobody.
        let status =
            json!({"id": "1", "created_at": iso(0), "visibility": "direct", "mentions": []});
        Answer::json(200, &status)
    }

    fn largest_body(&self) -> usize {
        LARGEST + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({"type": "token", "token": TOKEN});
        let to = json!({"user": "anna@social.example"});
        vec![("mastodon", json!({"service": "mastodon", "auth": auth, "to": to}))]
    }

    fn about(&self) -> About {
        About {
            title: "Mastodon",
            paths: "<code>POST /mastodon/api/v1/statuses</code>, <code>/api/v2/media</code>; \
                    <code>GET /api/v1/media/{id}</code>, <code>/api/v1/apps/verify_credentials</code>, \
                    <code>/api/v1/accounts/verify_credentials</code>, <code>/api/v2/instance</code>",
            auth: "<code>Authorization: Bearer …</code>",
            recipients: "anna (of this server, social.example), bruno@far.example and anna@far.example; \
                         a direct post that mentions none of them is taken, and reaches nobody",
            limits: "500 characters a post, of which a link counts 23 and the host of an address none; \
                     four files; a post is known for an hour by its Idempotency-Key; 300 requests in five \
                     minutes, with X-RateLimit-Reset as a time",
            assumed: &[
                "how long audio and video are processed: a millisecond for each KiB",
                "files of other types are refused",
            ],
        }
    }
}
