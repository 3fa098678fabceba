//! The body of a message to Discord: JSON, or a form with its files.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Message, Part};
use crate::service::api::{Body, Draft, Seed};
use crate::service::extra;
use crate::service::info::Info;
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose};
use crate::service::wire::json::{self, CONTENT_TYPE, Members, object};
use crate::service::wire::multipart::Multipart;

/// The longest text, in code points.
pub const MAX_TEXT: u32 = 2000;
/// The most embeds of a message.
pub const MAX_EMBEDS: u32 = 10;
/// The longest text in all embeds together, in code points.
pub const MAX_EMBEDDED: u32 = 6000;
/// The most files of a message.
pub const MAX_FILES: u32 = 10;
/// The longest nonce.
const MAX_NONCE: usize = 25;
/// The flag of a message that comes without a sound.
const SILENT: u64 = 1 << 12;
/// The flag of a message of components alone.
const COMPONENTS: u64 = 1 << 15;

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 16] = [
    "embeds",
    "components",
    "poll",
    "tts",
    "flags",
    "allowed_mentions",
    "attachments",
    "message_reference",
    "sticker_ids",
    "nonce",
    "enforce_nonce",
    "username",
    "avatar_url",
    "thread_name",
    "applied_tags",
    "with_components",
];
/// Those that only messages of webhooks have.
pub const OF_WEBHOOKS: [&str; 5] =
    ["username", "avatar_url", "thread_name", "applied_tags", "with_components"];
/// Those that only messages of bots have.
pub const OF_BOTS: [&str; 4] = ["message_reference", "sticker_ids", "nonce", "enforce_nonce"];
/// What every piece of a text has that was split.
const OF_ALL: [&str; 5] = ["allowed_mentions", "flags", "tts", "username", "avatar_url"];
/// Any of which makes a message.
const CONTENTS: [&str; 5] = ["content", "embeds", "sticker_ids", "components", "poll"];

/// An id as Discord writes it: a whole number in text.
pub fn snowflake<'a>(id: &'a str, path: &str) -> Result<&'a str> {
    let is_id = (1..=20).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_digit())
        && !id.starts_with('0');
    match is_id {
        true => Ok(id),
        false => {
            let words = format!(
                "{id:?} is no id of Discord: a whole number, which Copy ID gives in the developer mode"
            );
            wrong(path, words)
        }
    }
}

fn given<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    let extra = message.extra.as_ref()?;
    extra.get(name).filter(|value| !value.is_null())
}

/// Refuses parameters that only the other kind of account has.
pub fn takes(message: &Message, others: &[&str], who: &str) -> Result<()> {
    match others.iter().find(|name| given(message, name).is_some()) {
        None => Ok(()),
        Some(name) => wrong(format!("extra.{name}"), format!("messages of {who} have no {name:?}")),
    }
}

/// The nonce that the caller chose, as JSON.
pub fn nonce(message: &Message) -> Result<Option<String>> {
    match given(message, "nonce") {
        None => Ok(None),
        Some(Value::String(nonce)) if (1..=MAX_NONCE).contains(&nonce.chars().count()) => {
            Ok(Some(json::quoted(nonce)))
        }
        Some(Value::Number(nonce)) if nonce.is_u64() => Ok(Some(nonce.to_string())),
        Some(_) => wrong("extra.nonce", "expected 1 to 25 characters, or a whole number"),
    }
}

/// The draft of a message but for where it goes; what was split follows in pieces.
pub fn encode(message: &Message, info: &Info, seed: Seed, is_bot: bool) -> Result<Draft> {
    let rules = Rules {
        unit: Unit::CodePoints,
        most: MAX_TEXT as usize,
        markup: Markup::Discord,
        title: Title::FirstLine,
    };
    let pieces = compose(message, &rules)?;
    let notes = pieces.first().map(Piece::notes).unwrap_or_default();
    let mut drafts = Vec::with_capacity(pieces.len());
    let mut first: Option<Map<String, Value>> = None;
    for piece in &pieces {
        let mut body = Map::new();
        if !piece.text.trim().is_empty() {
            body.put("content", piece.text.as_str());
        }
        match &first {
            None => {
                whole(&mut body, message, info, is_bot)?;
                let params = params(&mut body, is_bot);
                drafts.push(Draft { params, ..draft(&body, message, seed) });
                first = Some(body);
            }
            Some(first) => {
                let all = OF_ALL.iter().filter_map(|name| Some((*name, first.get(*name)?)));
                body.extend(all.map(|(name, value)| (name.to_owned(), value.clone())));
                drafts.push(Draft::json(&body));
            }
        }
    }
    if drafts.len() > 1 && given(message, "thread_name").is_some() {
        return wrong("overflow", "a text that begins a thread cannot be split");
    }
    Ok(Draft::first_of(drafts, notes).unwrap_or_default())
}

/// Adds to a text what else the first request carries.
fn whole(
    body: &mut Map<String, Value>,
    message: &Message,
    info: &Info,
    is_bot: bool,
) -> Result<()> {
    if let Some(id) = &message.reply_to {
        let id = snowflake(id, "reply_to")?;
        body.put("message_reference", object! {"message_id": id});
    }
    body.put("allowed_mentions", mentions(message)?);
    if is_bot {
        body.put("enforce_nonce", true);
    }
    extra::merge(body, message, info)?;
    // They stand before all others, once the nonce is known.
    body.shift_remove("nonce");
    body.shift_remove("enforce_nonce");
    flags(body, message)?;
    lists(body, message)?;
    if !message.attachments.is_empty() || CONTENTS.iter().any(|name| body.contains_key(*name)) {
        return Ok(());
    }
    let words = "the message is empty: give \"text\", \"parts\", files, or embeds in \"extra\"";
    wrong("text", words)
}

/// Who may be called by what stands in the text: those whom the message mentions, and nobody else.
fn mentions(message: &Message) -> Result<Value> {
    let (mut users, mut all) = (Vec::new(), false);
    for (i, part) in message.parts.iter().enumerate() {
        match part {
            Part::Mention { user, .. } => {
                let id = snowflake(user, &format!("parts[{i}].user"))?;
                if !users.contains(&id) {
                    users.push(id);
                }
            }
            Part::MentionAll => all = true,
            _ => {}
        }
    }
    let given = given(message, "allowed_mentions").and_then(Value::as_object);
    let mut own = Map::new();
    match given.and_then(|given| given.get("parse")) {
        Some(parse) if !users.is_empty() => {
            let kinds = parse.as_array().into_iter().flatten();
            if kinds.into_iter().any(|kind| kind == "users") {
                let words = "\"users\" excludes the users whom the parts mention";
                return wrong("extra.allowed_mentions.parse", words);
            }
        }
        Some(_) => {}
        None => _ = own.insert("parse".to_owned(), json!([])),
    }
    if all {
        own.put("parse", json!(["everyone"]));
    }
    if !users.is_empty() {
        own.put("users", users);
    }
    Ok(own.into())
}

/// Adds to the flags that the caller gave.
fn flags(body: &mut Map<String, Value>, message: &Message) -> Result<()> {
    let given = match body.get("flags") {
        None => 0,
        Some(flags) => match flags.as_u64() {
            Some(flags) => flags,
            None => return wrong("extra.flags", "expected a whole number from 0 on"),
        },
    };
    if given & COMPONENTS != 0
        && let Some(name) =
            ["content", "embeds", "poll"].iter().find(|name| body.contains_key(**name))
    {
        let words = format!("a message of components alone (flag {COMPONENTS}) has no {name}");
        return wrong("extra.flags", words);
    }
    let flags = if message.silent { given | SILENT } else { given };
    if flags != 0 {
        body.put("flags", flags);
    }
    Ok(())
}

/// Refuses more than Discord takes.
fn lists(body: &Map<String, Value>, message: &Message) -> Result<()> {
    let too_large =
        |path: &str, words: String| Err(Error::new(ErrorCode::TooLarge, words).at(path.to_owned()));
    let files = message.attachments.len();
    if files > MAX_FILES as usize {
        let words = format!("{files} files; Discord takes {MAX_FILES} in one message");
        return too_large("attachments", words);
    }
    let Some(embeds) = body.get("embeds") else { return Ok(()) };
    let Some(embeds) = embeds.as_array() else {
        return wrong("extra.embeds", "expected an array of objects");
    };
    if embeds.len() > MAX_EMBEDS as usize {
        let words = format!("{} embeds; Discord takes {MAX_EMBEDS}", embeds.len());
        return too_large("extra.embeds", words);
    }
    let length: usize = embeds.iter().map(embedded).sum();
    match length > MAX_EMBEDDED as usize {
        true => {
            let words = format!(
                "the embeds have {length} characters together; Discord takes {MAX_EMBEDDED}"
            );
            too_large("extra.embeds", words)
        }
        false => Ok(()),
    }
}

/// The code points of an embed that count.
fn embedded(embed: &Value) -> usize {
    let count = |value: &Value| value.as_str().map_or(0, |text| text.trim().chars().count());
    let fields = embed["fields"].as_array().into_iter().flatten();
    let fields: usize = fields.map(|field| count(&field["name"]) + count(&field["value"])).sum();
    let own = [
        &embed["title"],
        &embed["description"],
        &embed["footer"]["text"],
        &embed["author"]["name"],
    ];
    own.into_iter().map(count).sum::<usize>() + fields
}

/// The parameters of the URL, which do not stand in the body.
fn params(body: &mut Map<String, Value>, is_bot: bool) -> Vec<(&'static str, String)> {
    let asked = body.shift_remove("with_components");
    // Without it those of a webhook are left out without a word.
    let needed = !is_bot && body.contains_key("components");
    let asked = asked.or(needed.then_some(Value::Bool(true)));
    asked.map(|asked| ("with_components", asked.to_string())).into_iter().collect()
}

fn draft(body: &Map<String, Value>, message: &Message, seed: Seed) -> Draft {
    if message.attachments.is_empty() {
        return Draft::json(body);
    }
    let text = json::body(body);
    let mut form = Multipart::new(seed).typed("payload_json", CONTENT_TYPE, text);
    for (i, file) in message.attachments.iter().enumerate() {
        form = form.file(&format!("files[{i}]"), file);
    }
    Draft::multipart(form.finish())
}

/// The body of a draft with what Discord is to know it by, as the first of its JSON.
pub fn known_by(draft: &Draft, nonce: &str) -> Body {
    let head = Bytes::from(format!("{{\"nonce\":{nonce},\"enforce_nonce\":true,"));
    match &*draft.rest {
        [] => Body::Several(vec![head, draft.body.slice(1..)]),
        [json, rest @ ..] => {
            let mut pieces = vec![draft.body.clone(), head, json.slice(1..)];
            pieces.extend_from_slice(rest);
            Body::Several(pieces)
        }
    }
}
