//! The body of a message to Slack.

use serde_json::{Map, Value};

use super::upload;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::service::api::{Body, Draft, ScopeKey};
use crate::service::extra;
use crate::service::info::{Info, Scope};
use crate::service::text::{Markup, Rules, Title, Unit, compose, drafts};
use crate::service::wire::json::{self, Members as _};

/// Beyond these Slack cuts the text, in code points.
pub const MAX_TEXT: u32 = 40_000;
/// The most blocks of a message.
pub const MAX_BLOCKS: u32 = 50;
/// The most attachments of Slack's own of a message.
pub const MAX_ATTACHMENTS: u32 = 100;
/// The longest `markdown_text`, in code points.
const MAX_MARKDOWN: usize = 12_000;

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 14] = [
    "blocks",
    "attachments",
    "markdown_text",
    "reply_broadcast",
    "unfurl_links",
    "unfurl_media",
    "mrkdwn",
    "parse",
    "link_names",
    "metadata",
    "username",
    "icon_url",
    "icon_emoji",
    "thread_ts",
];

/// What a body to a channel begins with.
const CHANNEL: &str = "{\"channel\":";

/// The draft of a message, to a channel, to a user whose channel is not known yet, or by a webhook.
pub fn encode(message: &Message, info: &Info, to: Option<(Kind, &str)>) -> Result<Draft> {
    let mut common = Map::new();
    if let Some(thread) = thread(message)? {
        common.put("thread_ts", thread);
    }
    let rules = Rules {
        unit: Unit::CodePoints,
        most: MAX_TEXT as usize,
        markup: Markup::SlackMrkdwn,
        title: Title::FirstLine,
    };
    let has_files = !message.attachments.is_empty();
    if has_files {
        upload::check(message)?;
    }
    let pieces = compose(message, &rules)?;
    drafts(pieces, |i, piece| {
        // Files stand beside the first piece.
        if let (0, true, Some(to)) = (i, has_files, to) {
            return upload::draft(message, info, piece, to);
        }
        let mut body = Map::new();
        if !piece.text.is_empty() {
            body.put("text", piece.text.as_str());
        }
        body.extend(common.clone());
        // What is nothing but words shall not be read as markup.
        let own = message.extra.as_ref().is_some_and(|extra| extra.contains_key("mrkdwn"));
        if !piece.text.is_empty() && !piece.marked && !own {
            body.put("mrkdwn", false);
        }
        // What stands beside a text stands beside its first piece.
        if i == 0 {
            extra::merge(&mut body, message, info)?;
            complete(&body)?;
        }
        Ok(draft(body, to))
    })
}

/// The thread: the time stamp of its first message, which is text and never a number.
fn thread(message: &Message) -> Result<Option<&str>> {
    let Some(thread) = &message.thread else { return Ok(None) };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if thread.split_once('.').is_some_and(|(s, us)| digits(s) && digits(us) && us.len() == 6) {
        return Ok(Some(thread));
    }
    let words = format!(
        "{thread:?} is no thread: give the ts of its first message, such as \"1503435956.000247\""
    );
    Err(Error::new(ErrorCode::Message, words).at("thread"))
}

/// Refuses what Slack would refuse, or cut.
fn complete(body: &Map<String, Value>) -> Result<()> {
    let error = |code, path: &str, words: String| Err(Error::new(code, words).at(path));
    for (name, most) in [("blocks", MAX_BLOCKS), ("attachments", MAX_ATTACHMENTS)] {
        let count = match body.get(name) {
            None => continue,
            Some(Value::Array(items)) => items.len(),
            Some(_) => {
                let words = "expected an array".to_owned();
                return error(ErrorCode::Message, &format!("extra.{name}"), words);
            }
        };
        if count > most as usize {
            let words = format!("{count} {name}; Slack takes {most}");
            return error(ErrorCode::TooLarge, &format!("extra.{name}"), words);
        }
    }
    let Some(markdown) = body.get("markdown_text") else {
        let has = |name: &str| body.contains_key(name);
        return match has("text") || has("blocks") || has("attachments") {
            true => Ok(()),
            false => error(
                ErrorCode::Message,
                "text",
                "the message is empty: give \"text\" or \"parts\", or blocks in \"extra\""
                    .to_owned(),
            ),
        };
    };
    if body.contains_key("text") || body.contains_key("blocks") {
        let words = "Slack takes markdown_text neither with a text nor with blocks".to_owned();
        return error(ErrorCode::Message, "extra.markdown_text", words);
    }
    let length = markdown.as_str().map_or(0, |text| text.chars().count());
    match length > MAX_MARKDOWN {
        true => {
            let words = format!("{length} characters; Slack takes {MAX_MARKDOWN}");
            error(ErrorCode::TooLarge, "extra.markdown_text", words)
        }
        false => Ok(()),
    }
}

fn draft(body: Map<String, Value>, to: Option<(Kind, &str)>) -> Draft {
    let rest = json::body(&body);
    let Some((kind, to)) = to else { return Draft::of(rest) };
    let scopes = vec![ScopeKey { scope: Scope::Recipient, key: to.to_owned() }];
    let head = match kind {
        Kind::Channel => [CHANNEL, &json::quoted(to)].concat(),
        // It is not known before a step has told it.
        _ => CHANNEL.to_owned(),
    };
    let own = head.len();
    let comma: &[u8] = if body.is_empty() { b"" } else { b"," };
    let body = [head.as_bytes(), comma, &rest[1..]].concat();
    Draft { own, scopes, ..Draft::of(body) }
}

/// The body of a draft, to the channel that a step told where it names none itself; none while that is
/// not known.
pub fn addressed(draft: &Draft, channel: Option<&str>) -> Option<Body> {
    if draft.own > CHANNEL.len() {
        return Some(draft.body.clone().into());
    }
    let head = [CHANNEL, &json::quoted(channel?)].concat();
    Some(Body::Several(vec![head.into(), draft.body.slice(draft.own..)]))
}
