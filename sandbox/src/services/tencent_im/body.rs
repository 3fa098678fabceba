//! The fields of `send_group_msg` and of the elements in its MsgBody.

use serde_json::{Map, Value};

use super::Refused;
use crate::shape::Kind::{
    Array, Fields, Integer, List, Number, Object, Text, Texts, Within, Word, Words,
};
use crate::shape::{Field, check, may, must};

/// Bytes of serialised MsgBody; assumed: in compact UTF-8, without the rest of the request.
pub(super) const LARGEST_BODY: usize = 12 * 1024;
const MOST_MEMBERS: usize = 50;
const MOST_MENTIONS: usize = 30;

const FLAG: crate::shape::Kind = Within(0, 1);
const U32: crate::shape::Kind = Within(0, u32::MAX as i64);

const REQUEST: &[Field] = &[
    must("Random", U32),
    may("From_Account", Text),
    may("MsgPriority", Word(&["High", "Normal", "Low"])),
    may("CloudCustomData", Text),
    may("SupportMessageExtension", FLAG),
    may(
        "ForbidCallbackControl",
        Words(&["ForbidBeforeSendMsgCallback", "ForbidAfterSendMsgCallback"]),
    ),
    may("SendMsgControl", Words(&["NoLastMsg", "NoUnread", "NoMsgCheck"])),
    may("OnlineOnlyFlag", FLAG),
    may("To_Account", Texts),
    may("TopicId", Text),
    may("GroupAtInfo", Array),
    may("NeedReadReceipt", FLAG),
];

const PUSH: &[Field] = &[
    may("PushFlag", FLAG),
    may("Title", Text),
    may("Desc", Text),
    may("Ext", Text),
    may("AndroidInfo", Fields(ANDROID)),
    may("ApnsInfo", Fields(APNS)),
    may("HarmonyInfo", Object),
    may("MultiLanguageContent", Array),
    may("BadgeAddNum", Within(1, 99)),
    may("BadgeSetNum", Within(0, 999)),
    may("PushTemplateId", Text),
    may("PushTemplateParam", Object),
];

const ANDROID: &[Field] = &[
    may("Sound", Text),
    may("PushStyle", FLAG),
    may("HuaWeiChannelID", Text),
    may("HuaWeiImportance", Word(&["LOW", "NORMAL"])),
    may("HuaWeiCategory", Text),
    may("ExtAsHuaweiIntentParam", FLAG),
    may("HonorImportance", Word(&["LOW", "NORMAL"])),
    may("XiaoMiChannelID", Text),
    may("OPPOChannelID", Text),
    may("OPPOCategory", Text),
    may("OPPONotifyLevel", Integer),
    may("VIVOClassification", FLAG),
    may("VIVOCategory", Text),
    may("VIVONotifyType", Text),
    may("GoogleChannelID", Text),
    may("GooglePriority", Text),
    may("MeiZuNoticeMsgType", FLAG),
];

const APNS: &[Field] = &[
    may("Sound", Text),
    may("BadgeMode", FLAG),
    may("Title", Text),
    may("SubTitle", Text),
    may("Image", Text),
    may("MutableContent", FLAG),
    may("InterruptionLevel", Text),
    may("ContentAvailable", FLAG),
    may("IsVoipPush", FLAG),
    may("LiveActivity", Object),
];

const IMAGE: &[Field] = &[
    must("Type", Within(1, 3)),
    may("Size", Integer),
    must("Width", Integer),
    must("Height", Integer),
    must("URL", Text),
];

/// The content of each element that can be sent. Fields that only code calls required are not.
const ELEMENTS: &[(&str, &[Field])] = &[
    ("TIMTextElem", &[must("Text", Text)]),
    ("TIMLocationElem", &[must("Desc", Text), must("Latitude", Number), must("Longitude", Number)]),
    ("TIMFaceElem", &[must("Index", Number), may("Data", Text)]),
    (CUSTOM, &[must("Data", Text), may("Desc", Text), may("Ext", Text), may("Sound", Text)]),
    (
        "TIMSoundElem",
        &[
            must("Url", Text),
            must("UUID", Text),
            may("Size", Number),
            may("Second", Number),
            must("Download_Flag", Within(2, 2)),
        ],
    ),
    (
        "TIMImageElem",
        &[must("UUID", Text), may("ImageFormat", Integer), must("ImageInfoArray", List(IMAGE))],
    ),
    (
        "TIMFileElem",
        &[
            must("Url", Text),
            must("UUID", Text),
            may("FileSize", Number),
            may("FileName", Text),
            must("Download_Flag", Within(2, 2)),
        ],
    ),
    (
        "TIMVideoFileElem",
        &[
            must("VideoUrl", Text),
            must("VideoUUID", Text),
            may("VideoSize", Number),
            may("VideoSecond", Number),
            may("VideoFormat", Text),
            must("VideoDownloadFlag", Within(2, 2)),
            must("ThumbUrl", Text),
            must("ThumbUUID", Text),
            must("ThumbWidth", Number),
            must("ThumbHeight", Number),
            may("ThumbSize", Number),
            may("ThumbFormat", Text),
            must("ThumbDownloadFlag", Within(2, 2)),
        ],
    ),
    (
        "TIMRelayElem",
        &[
            may("Title", Text),
            may("MsgNum", Integer),
            may("CompatibleText", Text),
            may("AbstractList", Texts),
            may("MsgList", Array),
            may("JsonMsgKey", Text),
        ],
    ),
];

const CUSTOM: &str = "TIMCustomElem";

/// Checks a request's fields but for what depends on its group.
///
/// Which code a broken element gets is assumed: the documents list these codes for messages to one
/// user, and 10004 for anything wrong with a group's.
pub(super) fn check_request(request: &Map<String, Value>) -> Result<(), Refused> {
    check(request, REQUEST).map_err(|what| Refused::new(10004, what))?;
    check_elements(request.get("MsgBody"))?;
    let list = |name: &str| request.get(name).and_then(Value::as_array);
    if list("To_Account").is_some_and(|members| members.len() > MOST_MEMBERS) {
        return Err(Refused::new(10004, "To_Account has more than 50 members"));
    }
    if list("To_Account").is_some_and(|members| members.iter().any(|member| member == "")) {
        return Err(Refused::new(10004, "To_Account has an empty member"));
    }
    for mention in list("GroupAtInfo").into_iter().flatten() {
        check_mention(mention)?;
    }
    if list("GroupAtInfo").is_some_and(|mentions| mentions.len() > MOST_MENTIONS) {
        return Err(Refused::new(10053, "more than 30 mentions"));
    }
    if is_online_only(request) && request.contains_key("SendMsgControl") {
        return Err(Refused::new(10004, "SendMsgControl cannot be used with OnlineOnlyFlag 1"));
    }
    if let Some(push) = request.get("OfflinePushInfo") {
        let push = push.as_object();
        let push = push.ok_or_else(|| Refused::new(90043, "OfflinePushInfo is not an object"))?;
        let invalid = |what| Refused::new(90043, format!("OfflinePushInfo is invalid: {what}"));
        check(push, PUSH).map_err(invalid)?;
    }
    Ok(())
}

pub(super) fn is_online_only(request: &Map<String, Value>) -> bool {
    request.get("OnlineOnlyFlag").and_then(Value::as_i64) == Some(1)
}

pub(super) fn check_elements(body: Option<&Value>) -> Result<(), Refused> {
    let body = body.ok_or_else(|| Refused::new(10004, "MsgBody is required"))?;
    let elements = body.as_array().filter(|elements| !elements.is_empty());
    let elements =
        elements.ok_or_else(|| Refused::new(90002, "MsgBody is not an array with elements"))?;
    let mut customs = 0;
    for element in elements {
        let kind = element.get("MsgType").and_then(Value::as_str);
        let content = element.get("MsgContent").and_then(Value::as_object);
        let (Some(kind), Some(content)) = (kind, content) else {
            return Err(Refused::new(90010, "an element needs a MsgType and a MsgContent"));
        };
        // Assumed: what cannot be sent is as wrong as what does not exist.
        let Some((_, fields)) = ELEMENTS.iter().find(|(name, _)| *name == kind) else {
            return Err(Refused::new(90010, format!("MsgType {kind} is invalid")));
        };
        check(content, fields).map_err(|what| Refused::new(90010, format!("{kind}: {what}")))?;
        customs += usize::from(kind == CUSTOM);
    }
    if customs > 1 {
        return Err(Refused::new(10004, "more than one TIMCustomElem"));
    }
    if body.to_string().len() > LARGEST_BODY {
        return Err(Refused::new(80002, "the message is longer than 12 KB"));
    }
    Ok(())
}

fn check_mention(mention: &Value) -> Result<(), Refused> {
    let all = mention.get("GroupAtAllFlag").and_then(Value::as_i64);
    let account = mention.get("GroupAt_Account");
    match (all, account) {
        (Some(1), None) => Ok(()),
        (Some(0), Some(Value::String(account))) if !account.is_empty() => Ok(()),
        _ => Err(Refused::new(10004, "GroupAtInfo is invalid")),
    }
}

/// The text of the text elements, one after the other.
pub(super) fn text(request: &Map<String, Value>) -> String {
    let elements = request.get("MsgBody").and_then(Value::as_array);
    let text = |element: &Value| {
        let text = element.pointer("/MsgContent/Text").and_then(Value::as_str);
        text.map(str::to_owned)
    };
    elements.into_iter().flatten().filter_map(text).collect()
}
