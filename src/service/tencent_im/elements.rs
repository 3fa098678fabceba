//! MsgBody: what text and parts become, and what the service's own elements must hold.

use serde_json::{Value, json};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::json::type_name;
use crate::model::message::{Format, Message, Part};
use crate::service::api::Seed;
use crate::service::text::{self, Piece, Rules};
use crate::service::wire::json::object;

/// The largest MsgBody, in bytes of its JSON.
pub const MAX_BODY: u32 = 12_288;
/// The most mentions in a message.
pub const MAX_MENTIONS: u32 = 30;

/// The JSON of MsgBody, and of the mentions in it.
pub fn encode(message: &Message) -> Result<(String, Vec<Value>)> {
    if let Some(text) = &message.text {
        return Ok((
            format!("[{}]", element("TIMTextElem", &object! {"Text": text.as_str()})),
            Vec::new(),
        ));
    }
    let mut elements: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut customs = 0;
    for (i, part) in message.parts.iter().enumerate() {
        if let Some(words) = spoken(part) {
            text.push_str(&words);
            continue;
        }
        flush(&mut text, &mut elements);
        let path = format!("parts[{i}]");
        let raw_custom = part_element(part, &path, &mut elements)?;
        customs += usize::from(raw_custom || matches!(part, Part::Custom { .. }));
        if customs > 1 {
            return Err(Error::new(
                ErrorCode::Message,
                "a message holds at most one custom element",
            )
            .at(path));
        }
    }
    flush(&mut text, &mut elements);
    Ok((format!("[{}]", elements.join(",")), mentions(&message.parts)?))
}

/// The same of a piece of text.
pub fn of_piece(piece: &Piece) -> Result<(String, Vec<Value>)> {
    let mention = |(user, name): &(String, Option<String>)| Part::Mention {
        user: user.clone(),
        name: name.clone(),
    };
    let mut called: Vec<_> = piece.mentions.iter().map(mention).collect();
    called.extend(piece.mentions_all.then_some(Part::MentionAll));
    let text = element("TIMTextElem", &object! {"Text": &*piece.text});
    Ok((format!("[{text}]"), mentions(&called)?))
}

/// The same message with plain texts and no title, where other parts stand between them.
pub fn plain(message: &Message, rules: &Rules) -> Result<Message> {
    let rules = Rules { most: usize::MAX, ..*rules };
    let mut plain = Message { title: None, format: Format::Plain, ..message.clone() };
    for part in &mut plain.parts {
        if let Part::Text(text) = part {
            let own = Message {
                text: Some(std::mem::take(text)),
                format: message.format,
                ..Message::default()
            };
            *text = text::compose(&own, &rules)?.remove(0).text;
        }
    }
    plain.parts.splice(0..0, message.title.iter().map(|title| Part::Text(format!("{title}\n"))));
    Ok(plain)
}

/// Refuses a MsgBody that is too large.
pub fn check_size(message: &Message, msg_body: &str) -> Result<()> {
    if msg_body.len() <= MAX_BODY as usize {
        return Ok(());
    }
    let words = format!("MsgBody has {} bytes; Tencent IM takes {MAX_BODY}", msg_body.len());
    let path = if message.text.is_some() { "text" } else { "parts" };
    Err(Error::new(ErrorCode::TooLarge, words).at(path))
}

/// A Random, which has 32 bits.
pub fn random_of(seed: Seed) -> String {
    (seed.0 as u32).to_string()
}

/// The mentions of a message's parts, in their order.
pub fn mentions(parts: &[Part]) -> Result<Vec<Value>> {
    let at = |part: &Part| match part {
        Part::MentionAll => Some(object! {"GroupAtAllFlag": 1}),
        Part::Mention { user, .. } => {
            Some(object! {"GroupAtAllFlag": 0, "GroupAt_Account": user.as_str()})
        }
        _ => None,
    };
    let mentions: Vec<_> = parts.iter().filter_map(at).collect();
    if mentions.len() > MAX_MENTIONS as usize {
        let words = format!("{} mentions; Tencent IM takes {MAX_MENTIONS}", mentions.len());
        return Err(Error::new(ErrorCode::Message, words).at("parts"));
    }
    Ok(mentions)
}

/// What a part adds to the text around it; `None` for a part that stands alone.
fn spoken(part: &Part) -> Option<String> {
    match part {
        Part::Text(text) => Some(text.clone()),
        Part::Mention { user, name } => Some(format!("@{} ", name.as_deref().unwrap_or(user))),
        Part::MentionAll => Some("@all ".to_owned()),
        _ => None,
    }
}

fn flush(text: &mut String, elements: &mut Vec<String>) {
    if !text.is_empty() {
        elements.push(element("TIMTextElem", &object! {"Text": std::mem::take(text)}));
    }
}

fn element(kind: &str, content: &Value) -> String {
    format!("{{\"MsgType\":\"{kind}\",\"MsgContent\":{content}}}")
}

/// Appends the element of a part; true if it is the service's own custom element.
fn part_element(part: &Part, path: &str, elements: &mut Vec<String>) -> Result<bool> {
    let json = match part {
        Part::Face { index, data } => element(
            "TIMFaceElem",
            &present([("Index", Some(json!(index))), ("Data", text_of(data))]),
        ),
        Part::Location(at) => {
            let desc = at.address.as_deref().unwrap_or_default();
            let content =
                object! {"Desc": desc, "Latitude": at.latitude, "Longitude": at.longitude};
            element("TIMLocationElem", &content)
        }
        Part::Custom { data, desc, ext, sound } => {
            let fields = [
                ("Data", Some(json!(data))),
                ("Desc", text_of(desc)),
                ("Ext", text_of(ext)),
                ("Sound", text_of(sound)),
            ];
            element("TIMCustomElem", &present(fields))
        }
        Part::Raw(raw) => {
            let kind = check_element(raw, &format!("{path}.value"))?;
            elements.push(raw.clone());
            return Ok(kind == "TIMCustomElem");
        }
        Part::Text(_) | Part::Mention { .. } | Part::MentionAll | Part::Link { .. } => {
            return Ok(false);
        }
    };
    elements.push(json);
    Ok(false)
}

fn text_of(text: &Option<String>) -> Option<Value> {
    text.as_ref().map(|text| json!(text))
}

fn present<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    fields
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)))
        .collect()
}

/// What a field of the service's own element holds.
#[derive(Clone, Copy)]
enum Holds {
    Text,
    Number,
    Whole,
    List,
    Object,
    /// This number and no other.
    Exactly(i64),
    /// Items that each hold these fields.
    Items(&'static [Field]),
    /// An object that holds these fields.
    Fields(&'static [Field]),
}

/// A field: its name, what it holds, and whether it must be there.
type Field = (&'static str, Holds, bool);

use Holds::{Exactly, Fields as Sub, Items, List, Number, Object, Text, Whole};

const IMAGE_INFO: &[Field] = &[
    ("Type", Whole, true),
    ("Size", Whole, false),
    ("Width", Whole, true),
    ("Height", Whole, true),
    ("URL", Text, true),
];

/// The elements that the service's documents describe; whatever else there is passes through.
const ELEMENTS: &[(&str, &[Field])] = &[
    ("TIMTextElem", &[("Text", Text, true)]),
    (
        "TIMLocationElem",
        &[("Desc", Text, true), ("Latitude", Number, true), ("Longitude", Number, true)],
    ),
    ("TIMFaceElem", &[("Index", Whole, true), ("Data", Text, false)]),
    (
        "TIMCustomElem",
        &[
            ("Data", Text, true),
            ("Desc", Text, false),
            ("Ext", Text, false),
            ("Sound", Text, false),
        ],
    ),
    (
        "TIMSoundElem",
        &[
            ("Url", Text, true),
            ("UUID", Text, true),
            ("Size", Whole, false),
            ("Second", Whole, false),
            ("Download_Flag", Exactly(2), true),
        ],
    ),
    (
        "TIMImageElem",
        &[
            ("UUID", Text, true),
            ("ImageFormat", Whole, false),
            ("ImageInfoArray", Items(IMAGE_INFO), true),
        ],
    ),
    (
        "TIMFileElem",
        &[
            ("Url", Text, true),
            ("UUID", Text, true),
            ("FileSize", Whole, false),
            ("FileName", Text, false),
            ("Download_Flag", Exactly(2), true),
        ],
    ),
    (
        "TIMVideoFileElem",
        &[
            ("VideoUrl", Text, true),
            ("VideoUUID", Text, true),
            ("VideoSize", Whole, false),
            ("VideoSecond", Whole, false),
            ("VideoFormat", Text, false),
            ("VideoDownloadFlag", Exactly(2), true),
            ("ThumbUrl", Text, true),
            ("ThumbUUID", Text, true),
            ("ThumbSize", Whole, false),
            ("ThumbWidth", Whole, true),
            ("ThumbHeight", Whole, true),
            ("ThumbFormat", Text, false),
            ("ThumbDownloadFlag", Exactly(2), true),
        ],
    ),
    (
        "TIMRelayElem",
        &[
            ("Title", Text, false),
            ("MsgNum", Whole, false),
            ("CompatibleText", Text, false),
            ("AbstractList", List, false),
            ("MsgList", List, false),
            ("JsonMsgKey", Text, false),
        ],
    ),
];

const ANDROID_INFO: &[Field] = &[
    ("Sound", Text, false),
    ("PushStyle", Whole, false),
    ("HuaWeiChannelID", Text, false),
    ("HuaWeiImportance", Text, false),
    ("HuaWeiCategory", Text, false),
    ("HuaWeiImage", Text, false),
    ("ExtAsHuaweiIntentParam", Whole, false),
    ("HonorImportance", Text, false),
    ("HonorImage", Text, false),
    ("XiaoMiChannelID", Text, false),
    ("OPPOChannelID", Text, false),
    ("OPPOCategory", Text, false),
    ("OPPONotifyLevel", Whole, false),
    ("VIVOClassification", Whole, false),
    ("VIVOCategory", Text, false),
    ("GoogleChannelID", Text, false),
    ("GoogleImage", Text, false),
    ("GooglePriority", Text, false),
    ("MeiZuNoticeMsgType", Whole, false),
];

const APNS_INFO: &[Field] = &[
    ("Sound", Text, false),
    ("BadgeMode", Whole, false),
    ("Title", Text, false),
    ("SubTitle", Text, false),
    ("Image", Text, false),
    ("MutableContent", Whole, false),
    ("InterruptionLevel", Text, false),
    ("ContentAvailable", Whole, false),
    ("IsVoipPush", Whole, false),
    ("LiveActivity", Object, false),
];

const PUSH_INFO: &[Field] = &[
    ("PushFlag", Whole, false),
    ("Title", Text, false),
    ("Desc", Text, false),
    ("Ext", Text, false),
    ("AndroidInfo", Sub(ANDROID_INFO), false),
    ("ApnsInfo", Sub(APNS_INFO), false),
    ("HarmonyInfo", Object, false),
    ("MultiLanguageContent", List, false),
    ("BadgeAddNum", Whole, false),
    ("BadgeSetNum", Whole, false),
    ("PushTemplateId", Text, false),
    ("PushTemplateParam", Object, false),
];

/// Checks the fields of OfflinePushInfo that the documents describe; others pass through.
pub fn check_push_info(value: &Value, path: &str) -> Result<()> {
    check_holds(Some(value), Sub(PUSH_INFO), path)
}

/// Checks an element of the service's own, field by field; tells its MsgType.
fn check_element(raw: &str, path: &str) -> Result<String> {
    let value: Value = serde_json::from_str(raw)
        .map_err(|e| Error::new(ErrorCode::Message, e.to_string()).at(path.to_owned()))?;
    check_fields(&value, &[("MsgType", Text, true), ("MsgContent", Object, true)], path)?;
    let kind = value["MsgType"].as_str().unwrap_or_default();
    if let Some((_, fields)) = ELEMENTS.iter().find(|(name, _)| *name == kind) {
        check_fields(&value["MsgContent"], fields, &format!("{path}.MsgContent"))?;
    }
    Ok(kind.to_owned())
}

fn check_fields(value: &Value, fields: &[Field], path: &str) -> Result<()> {
    for (name, holds, required) in fields {
        let path = format!("{path}.{name}");
        match value.get(name) {
            None if *required => {
                return Err(Error::new(
                    ErrorCode::Message,
                    format!("the field {name:?} is required"),
                )
                .at(path));
            }
            found => check_holds(found, *holds, &path)?,
        }
    }
    Ok(())
}

fn check_holds(found: Option<&Value>, holds: Holds, path: &str) -> Result<()> {
    let Some(value) = found else { return Ok(()) };
    let (fits, wanted) = match holds {
        Text => (value.is_string(), "a string".to_owned()),
        Number => (value.is_number(), "a number".to_owned()),
        Whole => (value.is_i64() || value.is_u64(), "a whole number".to_owned()),
        List | Items(_) => (value.is_array(), "an array".to_owned()),
        Object | Sub(_) => (value.is_object(), "an object".to_owned()),
        Exactly(number) => (value.as_i64() == Some(number), format!("the number {number}")),
    };
    if !fits {
        let found = if matches!(holds, Exactly(_)) {
            value.to_string()
        } else {
            type_name(value).to_owned()
        };
        let words = format!("expected {wanted}, found {found}");
        return Err(Error::new(ErrorCode::Message, words).at(path.to_owned()));
    }
    match holds {
        Sub(fields) => check_fields(value, fields, path),
        Items(fields) => {
            value.as_array().into_iter().flatten().enumerate().try_for_each(|(i, item)| {
                let path = format!("{path}[{i}]");
                check_holds(Some(item), Object, &path)?;
                check_fields(item, fields, &path)
            })
        }
        _ => Ok(()),
    }
}
