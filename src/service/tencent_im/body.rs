//! The body of `send_group_msg`; its keys come in the order of the document's table.

use std::time::Duration;

use serde_json::{Value, json};

use super::elements::{MAX_BODY, MAX_MENTIONS, check_size, random_of};
use super::{elements, users};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::Fields;
use crate::model::message::{Format, Kind, Message, Overflow, Part};
use crate::service::api::{Dedupe, Draft, ScopeKey, Seed};
use crate::service::check::recipient;
use crate::service::fingerprint::{Fingerprint, Named};
use crate::service::info::Scope;
use crate::service::text::{self, Markup, Piece, Rules, Title, Unit};
use crate::service::wire::json::Object;

/// The most members that a message can be meant for.
pub const MAX_MEMBERS: u32 = 50;

/// The parameters of the documents that no field of a message sets; the last are those of messages to
/// users.
pub const EXTRA: [&str; 18] = [
    "Random",
    "MsgPriority",
    "From_Account",
    "OfflinePushInfo",
    "ForbidCallbackControl",
    "OnlineOnlyFlag",
    "SendMsgControl",
    "CloudCustomData",
    "SupportMessageExtension",
    "To_Account",
    "TopicId",
    "GroupAtInfo",
    users::EXTRA[0],
    users::EXTRA[1],
    users::EXTRA[2],
    users::EXTRA[3],
    users::EXTRA[4],
    users::EXTRA[5],
];

/// How long the service knows a Random: it says five minutes; we stop a minute before that.
pub const WINDOW: Duration = Duration::from_secs(240);

/// What stands around a text in MsgBody.
const AROUND: &str = r#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":""}}]"#;

const RULES: Rules = Rules {
    unit: Unit::Json,
    most: MAX_BODY as usize - AROUND.len(),
    markup: Markup::Plain,
    title: Title::FirstLine,
};

/// The body for a message, with the seed as its Random unless the caller gave one.
pub fn encode(message: &Message, seed: Seed) -> Result<Draft> {
    let group = recipient(message, Kind::Group)?;
    let is_written = message.title.is_some() || message.format != Format::Plain;
    if !is_written && message.overflow == Overflow::Refuse {
        return draft(message, group, seed, elements::encode(message)?);
    }
    let is_words =
        |part: &Part| matches!(part, Part::Text(_) | Part::Mention { .. } | Part::MentionAll);
    if !message.parts.iter().all(is_words) {
        let plain = elements::plain(message, &RULES)?;
        let content = elements::encode(&plain)?;
        let converted = message.format != Format::Plain;
        let notes = Piece { converted, ..Piece::default() }.notes();
        return Ok(Draft { notes, ..draft(message, group, seed, content)? });
    }
    let pieces = text::compose(message, &RULES)?;
    let has_random = message.extra.as_ref().is_some_and(|extra| extra.contains_key("Random"));
    if has_random && pieces.len() > 1 {
        let words = "the text goes in several messages, which cannot have the same Random";
        return Err(Error::new(ErrorCode::Message, words).at("extra.Random"));
    }
    text::drafts(pieces, |n, piece| {
        let seed = Seed(seed.0.wrapping_add(n as u64));
        draft(message, group, seed, elements::of_piece(piece)?)
    })
}

/// The draft of a message with this content: MsgBody, and the mentions in it.
fn draft(
    message: &Message,
    group: &str,
    seed: Seed,
    content: (String, Vec<Value>),
) -> Result<Draft> {
    let (msg_body, mut mentions) = content;
    check_size(message, &msg_body)?;
    let mut f =
        Fields::new(message.extra.clone().unwrap_or_default().into(), "extra", ErrorCode::Message)?;
    set_already(&mut f, message, !mentions.is_empty())?;

    let own_random = f.integer("Random", 0..=i64::from(u32::MAX))?;
    let priority = f.one_of("MsgPriority", &["High", "Normal", "Low"])?;
    let from = f.string("From_Account")?;
    let push = f.value("OfflinePushInfo");
    if let Some(push) = &push {
        elements::check_push_info(push, "extra.OfflinePushInfo")?;
    }
    let callbacks = f.strings("ForbidCallbackControl")?;
    let online_only = f.integer("OnlineOnlyFlag", 0..=1)?;
    let control = f.strings("SendMsgControl")?;
    if online_only == Some(1) && control.is_some() {
        return Err(
            f.error("SendMsgControl", "SendMsgControl cannot be used with OnlineOnlyFlag 1")
        );
    }
    let custom_data = f.string("CloudCustomData")?;
    let extension = f.integer("SupportMessageExtension", 0..=1)?;
    let named = message.to.has(Kind::Members);
    let members = match named {
        true => Some(message.to.all(Kind::Members).map(str::to_owned).collect()),
        false => f.recipients("To_Account")?,
    };
    if let Some(members) =
        members.as_ref().filter(|members: &&Vec<_>| members.len() > MAX_MEMBERS as usize)
    {
        let path = if named { "to.members" } else { "extra.To_Account" };
        let words = format!("{} members; Tencent IM takes {MAX_MEMBERS}", members.len());
        return Err(Error::new(ErrorCode::Message, words).at(path));
    }
    let topic = match message.to.one(Kind::Topic) {
        Some(topic) => Some(topic.to_owned()),
        None => f.recipient("TopicId")?,
    };
    if mentions.is_empty() {
        mentions = group_at_info(&mut f)?;
    }
    f.finish()?;

    let mut object = Object::new();
    object.put("GroupId", &json!(group));
    let value = own_random.map_or_else(|| random_of(seed), |random| random.to_string());
    let at = object.put_text("Random", &value);
    object.put_some("MsgPriority", priority.map(Value::from));
    object.put_text("MsgBody", &msg_body);
    object.put_some("From_Account", from.map(Value::from));
    object.put_some("OfflinePushInfo", push);
    object.put_some("ForbidCallbackControl", callbacks.map(Value::from));
    object.put_some("OnlineOnlyFlag", online_only.map(Value::from));
    object.put_some("SendMsgControl", control.map(Value::from));
    object.put_some("CloudCustomData", custom_data.map(Value::from));
    object.put_some("SupportMessageExtension", extension.map(Value::from));
    object.put_some("To_Account", members.map(Value::from));
    object.put_some("TopicId", topic.map(Value::from));
    object.put_some("GroupAtInfo", (!mentions.is_empty()).then(|| Value::from(mentions)));
    // The service knows a message by its Random; only a caller gives two messages the same.
    let fingerprint = own_random.map(|random| {
        let known_by = format!("{group}/{random}");
        Fingerprint::new("tencent_im", Named::Uniquely, &known_by, "")
    });
    let renew: Option<fn(Seed) -> String> = match own_random {
        Some(_) => None,
        None => Some(random_of),
    };
    Ok(Draft {
        body: object.finish(),
        dedupe: Some(Dedupe { value, at: Some(at), window: WINDOW, renew }),
        scopes: vec![ScopeKey { scope: Scope::Group, key: group.to_owned() }],
        fingerprint,
        ..Draft::default()
    })
}

/// Refuses what the message's own fields set already.
fn set_already(f: &mut Fields, message: &Message, mentioned: bool) -> Result<()> {
    let body = if message.text.is_some() { "text" } else { "parts" };
    for (name, by, set) in [
        ("GroupId", "to.group", true),
        ("MsgBody", body, true),
        ("To_Account", "to.members", message.to.has(Kind::Members)),
        ("TopicId", "to.topic", message.to.has(Kind::Topic)),
        ("GroupAtInfo", "a mention", mentioned),
    ] {
        if set && f.value(name).is_some() {
            return Err(f.error(name, format!("{name:?} is set by {by} already")));
        }
    }
    Ok(())
}

/// The mentions of a text that the caller laid out himself.
fn group_at_info(f: &mut Fields) -> Result<Vec<Value>> {
    let Some(items) = f.array("GroupAtInfo")? else { return Ok(Vec::new()) };
    if items.len() > MAX_MENTIONS as usize {
        let words = format!("{} mentions; Tencent IM takes {MAX_MENTIONS}", items.len());
        return Err(f.error("GroupAtInfo", words));
    }
    for (i, item) in items.iter().enumerate() {
        let mut at =
            Fields::new(item.clone(), format!("extra.GroupAtInfo[{i}]"), ErrorCode::Message)?;
        let all = at.required_integer("GroupAtAllFlag", 0..=1)? == 1;
        if at.recipient("GroupAt_Account")?.is_some() == all {
            let words = "give GroupAt_Account where GroupAtAllFlag is 0, and there only";
            return Err(at.error("GroupAt_Account", words));
        }
        at.finish()?;
    }
    Ok(items)
}
