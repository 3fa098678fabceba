//! The body of a post to Mastodon, and the forms of its files.

use bytes::Bytes;
use serde_json::{Map, Value};
use sha1::{Digest as _, Sha1};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{OTHERS, TO, WINDOW};
use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Kind, Message, Part};
use crate::service::api::{Body, Dedupe, Draft, Seed};
use crate::service::check::recipient;
use crate::service::extra;
use crate::service::info::Info;
use crate::service::text::{MENTIONED, Markup, Piece, Rules, Title, Unit, compose, drafts};
use crate::service::wire::json::{self, Members as _};
use crate::service::wire::multipart::Multipart;

/// The longest post of most servers, in characters.
pub const MAX_TEXT: u32 = 500;
/// What a server may have as its limit.
pub const LEAST_TEXT: u32 = 100;
pub const MOST_TEXT: u32 = 1_000_000;
/// The most files of a post.
pub const MAX_FILES: u32 = 4;
/// How many characters a link counts, however long it is.
const LINK: usize = 23;
/// The longest name of a user, without the host, in letters.
const MAX_NAME: usize = 64;
/// What keeps a name from being a mention; it shows as nothing.
const NOTHING: char = '\u{200b}';

/// The parameters of the document that no field of a message sets alone.
pub const EXTRA: [&str; 8] = [
    "spoiler_text",
    "sensitive",
    "language",
    "poll",
    "media_ids",
    "quoted_status_id",
    "scheduled_at",
    "visibility",
];

/// The draft of a message on a server that takes posts of so many characters.
pub fn encode(message: &Message, info: &Info, most: usize, seed: Seed) -> Result<Draft> {
    let to = address(recipient(message, Kind::User)?, "to.user")?;
    let mentions_others = mentions(message)?;
    let files = &message.attachments;
    if files.len() > MAX_FILES as usize {
        let words = format!("{} files; Mastodon takes {MAX_FILES} in one post", files.len());
        return Err(Error::new(ErrorCode::TooLarge, words).at("attachments"));
    }
    let given = |name: &str| {
        message.extra.as_ref().and_then(|extra| extra.get(name)).filter(|value| !value.is_null())
    };
    if !files.is_empty() && given("media_ids").is_some() {
        return wrong("extra.media_ids", "\"media_ids\" is set by \"attachments\" already");
    }
    // A warning and the name of the recipient are a part of what counts; of the latter the host is not.
    let warning = given("spoiler_text").and_then(Value::as_str).map_or(0, length);
    let head = format!("@{to} ");
    let counted = 2 + to.split('@').next().map_or(0, str::len);
    let rules = Rules {
        unit: Unit::Own(length, "characters"),
        most: most.saturating_sub(counted + warning),
        // A text without mentions stays as it stands, blanks at the ends of lines too.
        markup: if mentions_others { Markup::Marked } else { Markup::Plain },
        title: Title::FirstLine,
    };
    let pieces = compose(message, &rules)?;
    let has_words = pieces.iter().all(|piece| !piece.text.trim().is_empty());
    let has_more = ["media_ids", "poll"].iter().any(|name| given(name).is_some());
    if !has_words && files.is_empty() && !has_more {
        return wrong("text", "the message is empty: give \"text\" or \"parts\", or files");
    }
    let mut draft = drafts(pieces, |n, piece| {
        let mut body = Map::new();
        let text = written(piece);
        body.put(
            "status",
            match text.trim().is_empty() {
                true => head.trim_end().to_owned(),
                false => [&*head, &text].concat(),
            },
        );
        body.put("visibility", "direct");
        let mut more = message.extra.clone().unwrap_or_default();
        // What stands beside a text stands beside its first piece, but for what keeps it hidden or back.
        if n > 0 {
            let all = ["spoiler_text", "sensitive", "language", "scheduled_at"];
            more.retain(|name, _| all.contains(&name.as_str()));
        }
        if let Some(answered) = message.reply_to.as_deref().filter(|_| n == 0) {
            body.put("in_reply_to_id", answered);
        }
        extra::merge(&mut body, &Message { extra: Some(more), ..Message::default() }, info)?;
        let mut draft = Draft::of(json::body(&body));
        let value = key_of(message, &to, n, &draft.body);
        // What the key is made of does not change, so that a new one would be the same.
        draft.dedupe = Some(Dedupe { value, at: None, window: WINDOW, renew: None });
        draft.keep(TO, to.clone());
        if mentions_others {
            draft.keep(OTHERS, "yes".to_owned());
        }
        Ok(draft)
    })?;
    for (n, file) in (0..).zip(files) {
        let form = Multipart::new(Seed(seed.0.wrapping_add(n))).file("file", file).finish();
        let Draft { body, rest, content_type, .. } = Draft::multipart(form);
        draft.rest.push(body);
        draft.rest.extend(rest);
        draft.params.push(("type", content_type.into_owned()));
    }
    Ok(draft)
}

/// What a server is to know a piece by: the same for the same message and text in every process.
fn key_of(message: &Message, to: &str, piece: usize, body: &[u8]) -> String {
    let (kind, name) = match &message.key {
        Some(key) => ("key", key),
        None => ("id", &message.id),
    };
    let head = serde_json::json!([kind, name, to, piece]).to_string();
    let digest = Sha1::new_with_prefix(head).chain_update(body).finalize();
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An address, `name@host` or the name alone of the server's own; an `@` before it is none of it.
fn address(given: &str, path: &str) -> Result<String> {
    let own = given.strip_prefix('@').unwrap_or(given);
    let (name, host) = match own.split_once('@') {
        Some((name, host)) => (name, Some(host)),
        None => (own, None),
    };
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fits = |text: &str, is_letter: fn(char) -> bool| {
        text.starts_with(is_letter)
            && text.ends_with(is_letter)
            && text.chars().all(|c| is_letter(c) || c == '.' || c == '-')
    };
    let is_name = name.len() <= MAX_NAME && fits(name, is_letter);
    if is_name && host.is_none_or(|host| !host.contains("..") && fits(host, char::is_alphanumeric))
    {
        return Ok(own.to_owned());
    }
    let words = format!("{given:?} is no address of a user: name@host, as profiles show it");
    wrong(path, words)
}

/// True if others are mentioned; refuses what cannot be a mention.
fn mentions(message: &Message) -> Result<bool> {
    let mut any = false;
    for (i, part) in message.parts.iter().enumerate() {
        match part {
            Part::Mention { user, .. } => {
                address(user, &format!("parts[{i}].user"))?;
                any = true;
            }
            Part::MentionAll => {
                let words = "mastodon has no mention of everybody";
                return Err(Error::new(ErrorCode::Unsupported, words).at(format!("parts[{i}]")));
            }
            _ => {}
        }
    }
    Ok(any)
}

/// The text of a piece as it is posted: whoever is mentioned by name, and nobody besides.
///
/// A name behind an `@` would be one more reader of the post. In a URL the `@` is written by its number, among
/// words with a character behind it that shows as nothing.
fn written(piece: &Piece) -> String {
    let mut out = String::with_capacity(piece.text.len());
    let mut users = piece.mentions.iter();
    let mut rest = &*piece.text;
    let mut in_url = false;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with(MENTIONED[0])
            && let Some((user, _)) = users.next()
        {
            rest = &rest[MENTIONED[0].len()..];
            if out.chars().next_back().is_some_and(|before| !before.is_whitespace()) {
                out.push(' ');
            }
            out.push('@');
            out.push_str(user.strip_prefix('@').unwrap_or(user));
            if rest.starts_with(|next: char| !next.is_whitespace() && !",;:!?)".contains(next)) {
                out.push(' ');
            }
            in_url = false;
            continue;
        }
        in_url = !c.is_whitespace() && (in_url || begins_url(rest));
        let before = out.chars().next_back();
        rest = &rest[c.len_utf8()..];
        match c {
            '@' if !calls(before, rest) => out.push(c),
            '@' if in_url => out.push_str("%40"),
            '@' => out.extend([c, NOTHING]),
            c => out.push(c),
        }
    }
    out
}

/// True if an `@` between these would mention somebody.
fn calls(before: Option<char>, rest: &str) -> bool {
    let is_in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '/';
    !before.is_some_and(is_in_word)
        && rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
}

fn begins_url(text: &str) -> bool {
    let behind = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    behind.is_some_and(|host| host.starts_with(char::is_alphanumeric))
}

/// How long a text with marks for mentions becomes: in what readers take for a character, a link as 23 of
/// them, and a mention as the longest that there can be.
fn length(text: &str) -> usize {
    let (mut count, mut rest) = (0, text);
    let marks = ["http", "@", MENTIONED[0]];
    while let Some(at) = marks.iter().filter_map(|mark| rest.find(mark)).min() {
        count += rest[..at].graphemes(true).count();
        rest = &rest[at..];
        let (counted, taken) = if begins_url(rest) {
            let ends = |c: char| c.is_whitespace() || MENTIONED[0].starts_with(c);
            (LINK, rest.find(ends).unwrap_or(rest.len()))
        } else if rest.starts_with(MENTIONED[0]) {
            // The `@`, and blanks around the name.
            (MAX_NAME + 3, MENTIONED[0].len())
        } else {
            // What keeps it from being a mention counts too.
            (usize::from(rest.starts_with('@')) + 1, 1)
        };
        count += counted;
        rest = &rest[taken..];
    }
    count + rest.graphemes(true).count()
}

/// The types of the forms of a draft's files.
pub fn files(draft: &Draft) -> impl Iterator<Item = &str> {
    draft.params.iter().map(|(_, content_type)| &**content_type)
}

/// The form that uploads the file of this number, and its type.
pub fn upload(draft: &Draft, n: usize) -> (String, Body) {
    let content_type = files(draft).nth(n).unwrap_or_default();
    // The form of each has as many pieces.
    let pieces = draft.rest.len() / files(draft).count().max(1);
    let form = draft.rest.chunks(pieces.max(1)).nth(n).unwrap_or_default();
    (content_type.to_owned(), Body::Several(form.to_vec()))
}

/// The body of a post with its media.
pub fn with_media<'a>(draft: &'a Draft, ids: impl Iterator<Item = &'a str>) -> Body {
    let ids: Vec<_> = ids.collect();
    match ids.as_slice() {
        [] => Body::One(draft.body.clone()),
        ids => {
            let head = format!("{{\"media_ids\":{},", Value::from(ids));
            Body::Several(vec![Bytes::from(head), draft.body.slice(1..)])
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service;

    fn encoded(fields: &Value) -> Result<Draft> {
        let auth = json!({"type": "token", "token": "t"});
        let config =
            json!({"service": "mastodon", "base_url": "https://social.example", "auth": auth});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = service::open(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a", "to": {"user": "anna@far.example"}});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        let mut message = Message::from_json(&message.to_string())?;
        message.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned();
        opened.account.encode(&message, Seed(7))
    }

    fn status(fields: Value) -> String {
        let draft = encoded(&fields).expect("it can be sent");
        let body: Value = serde_json::from_slice(&draft.body).expect("JSON");
        assert_eq!(body["visibility"], "direct");
        body["status"].as_str().expect("a text").to_owned()
    }

    #[test]
    fn what_mastodon_would_refuse_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, TooLarge, Unsupported};
        let file = json!({"name": "a.png", "data_base64": ""});
        for (fields, code, path) in [
            (json!({"text": "x", "to": null}), Wrong, "to.user"),
            (json!({"text": "x", "to": {"user": "no one"}}), Wrong, "to.user"),
            (json!({"text": "x", "to": {"user": "a@b@c"}}), Wrong, "to.user"),
            (json!({"text": "x", "to": {"user": "a@b:80"}}), Wrong, "to.user"),
            (json!({"text": "x", "to": {"user": "a@b."}}), Wrong, "to.user"),
            (json!({"text": "x", "to": {"chat": "1"}}), Unsupported, "to.chat"),
            (json!({}), Wrong, "text"),
            (json!({"text": " \n"}), Wrong, "text"),
            (json!({"text": "x".repeat(495)}), TooLarge, "text"),
            (json!({"attachments": vec![file.clone(); 5]}), TooLarge, "attachments"),
            (json!({"text": "x", "extra": {"visibility": "public"}}), Wrong, "extra.visibility"),
            (json!({"text": "x", "extra": {"colour": 1}}), Wrong, "extra.colour"),
            (
                json!({"attachments": [file], "extra": {"media_ids": ["1"]}}),
                Wrong,
                "extra.media_ids",
            ),
            (json!({"parts": [{"type": "mention", "user": "a b"}]}), Wrong, "parts[0].user"),
            (json!({"parts": [{"type": "mention", "all": true}]}), Unsupported, "parts[0]"),
        ] {
            let error = encoded(&fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields:.200}: {error}");
        }
        // "@anna " counts, and its host does not.
        encoded(&json!({"text": "x".repeat(494)})).expect("as long as it may be");
    }

    #[test]
    fn a_text_calls_nobody_but_its_recipient() {
        for (text, sent) in [
            ("ask @bob", "ask @\u{200b}bob"),
            ("@bob@far.example", "@\u{200b}bob@far.example"),
            ("mail a@b.example or @ home", "mail a@b.example or @ home"),
            ("https://s.example/@bob", "https://s.example/@bob"),
            ("https://s.example/?to=@bob @a", "https://s.example/?to=%40bob @\u{200b}a"),
            ("(@@_x", "(@@\u{200b}_x"),
            ("字@bob é@bob", "字@bob é@bob"),
            ("blanks \t\n at ends \u{fdd1}u", "blanks \t\n at ends \u{fdd1}u"),
        ] {
            assert_eq!(status(json!({"text": text})), format!("@anna@far.example {sent}"));
        }
        let mention = |user: &str| json!({"type": "mention", "user": user});
        let text = |text: &str| json!({"type": "text", "text": text});
        let parts = json!([
            text("hi"),
            mention("@bob@a.example"),
            text(", and "),
            mention("eve"),
            text("of @x")
        ]);
        let sent = status(json!({"to": {"user": "@anna"}, "title": "News", "parts": parts}));
        assert_eq!(sent, "@anna News\nhi @bob@a.example, and @eve of @\u{200b}x");
    }

    #[test]
    fn a_link_counts_as_23_and_a_family_as_one() {
        for (text, count) in [
            ("", 0),
            ("http", 4),
            ("https://", 8),
            ("see https://a.example/very/long/path/indeed?x=1 now", 31),
            ("👩‍👩‍👧 e\u{301}h\u{301}", 4),
            ("@a", 3),
            ("\u{fdd1}u", 67),
        ] {
            assert_eq!(length(text), count, "{text}");
        }
        let link = format!("https://a.example/{}", "x".repeat(1000));
        encoded(&json!({"text": format!("{} {link}", "y".repeat(470))})).expect("it fits");
    }

    #[test]
    fn pieces_go_to_the_same_and_each_is_known_by_itself() {
        let text = json!({"text": "word ".repeat(200), "overflow": "split", "reply_to": "7",
            "extra": {"spoiler_text": "cw", "poll": {"options": ["a", "b"], "expires_in": 60}}});
        let draft = encoded(&text).expect("it is split");
        assert!(draft.pieces.len() > 1);
        let body = |draft: &Draft| serde_json::from_slice::<Value>(&draft.body).expect("JSON");
        let first = body(&draft);
        assert_eq!((first["in_reply_to_id"].as_str(), first["poll"]["expires_in"].as_i64()), {
            (Some("7"), Some(60))
        });
        let known = |draft: &Draft| draft.dedupe.as_ref().expect("it is known").value.clone();
        let mut keys = vec![known(&draft)];
        for piece in &draft.pieces {
            let body = body(piece);
            assert!(body["status"].as_str().is_some_and(|s| s.starts_with("@anna@far.example ")));
            assert_eq!((&body["spoiler_text"], &body["poll"]), (&json!("cw"), &Value::Null));
            keys.push(known(piece));
        }
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 1 + draft.pieces.len());
        let again = encoded(&text).expect("it is split");
        assert_eq!(known(&again), known(&draft), "by every process the same");
        let other = encoded(&json!({"text": "another"})).expect("it can be sent");
        assert_ne!(known(&other), known(&draft));
    }
}
