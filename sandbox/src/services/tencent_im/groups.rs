//! The groups and accounts that exist, and what each group's type allows.

use serde_json::{Map, Value};

use super::Refused;
use super::body::is_online_only;

pub(super) const ADMIN: &str = "administrator";

/// Accounts that a message may come from; the samples' own, and one that is muted everywhere.
pub(super) const ACCOUNTS: &[&str] =
    &[ADMIN, "leckie", "tommy", "brennanli", "brennanli2", "brennanli3", MUTED];
pub(super) const MUTED: &str = "muted";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
    Work,
    Public,
    Meeting,
    AvChatRoom,
    Community,
}

/// What a group answers to a message that is in order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    Open,
    Mute,
    NoPermission,
}

struct Group {
    id: &'static str,
    kind: Type,
    rule: Rule,
    topics: &'static [&'static str],
}

const fn group(id: &'static str, kind: Type, rule: Rule) -> Group {
    Group { id, kind, rule, topics: &[] }
}

const GROUPS: &[Group] = &[
    group("@TGS#2C5SZEAEF", Type::Public, Rule::Open),
    group("@TGS#12DEVUDHQ", Type::Work, Rule::Open),
    group("@TGS#MEETING", Type::Meeting, Rule::Open),
    group("@TGS#AVCHATROOM", Type::AvChatRoom, Rule::Open),
    Group {
        id: "@TGS#_COMMUNITY",
        kind: Type::Community,
        rule: Rule::Open,
        topics: &["@TGS#_COMMUNITY@TOPIC#_T1"],
    },
    group("@TGS#MUTED", Type::Public, Rule::Mute),
    group("@TGS#FORBIDDEN", Type::Public, Rule::NoPermission),
];

/// Where a message goes, once everything that depends on the group is in order.
#[derive(Debug)]
pub(super) struct Place {
    pub group: &'static str,
    /// Group and topic: what numbers its messages.
    pub conversation: String,
}

/// Finds the group and checks what its type allows.
pub(super) fn find(request: &Map<String, Value>) -> Result<Place, Refused> {
    let id = match request.get("GroupId") {
        None => return Err(Refused::new(10004, "GroupId is required")),
        Some(Value::String(id)) if !id.is_empty() && id.len() <= 48 => id.as_str(),
        Some(_) => return Err(Refused::new(10015, "invalid group id")),
    };
    let group = GROUPS.iter().find(|group| group.id == id);
    let group = group.ok_or_else(|| Refused::new(10010, "group does not exist"))?;
    let sender = request.get("From_Account").and_then(Value::as_str).unwrap_or(ADMIN);
    if !ACCOUNTS.contains(&sender) {
        return Err(Refused::new(10019, "From_Account does not exist"));
    }
    let mut conversation = id.to_owned();
    if let Some(topic) = request.get("TopicId").and_then(Value::as_str) {
        if group.topics.is_empty() {
            return Err(Refused::new(10007, "the group has no topics"));
        }
        if !group.topics.contains(&topic) {
            return Err(Refused::new(110013, "invalid topic id"));
        }
        conversation = topic.to_owned();
    }
    if let Some(what) = not_allowed(request, group.kind) {
        return Err(Refused::new(10004, what));
    }
    if group.rule == Rule::NoPermission {
        return Err(Refused::new(10007, "no permission to send to this group"));
    }
    if group.rule == Rule::Mute || sender == MUTED {
        return Err(Refused::new(10017, "the sender is muted"));
    }
    Ok(Place { group: group.id, conversation })
}

/// The option that a group of this type does not take; assumed: it is refused, not ignored.
fn not_allowed(request: &Map<String, Value>, kind: Type) -> Option<&'static str> {
    let control = request.get("SendMsgControl").and_then(Value::as_array);
    let no_unread = control.is_some_and(|words| words.iter().any(|word| word == "NoUnread"));
    let members = request.contains_key("To_Account");
    match kind {
        Type::Meeting if no_unread => Some("NoUnread needs the unread count of meeting groups"),
        Type::AvChatRoom if no_unread => Some("NoUnread is not for AVChatRoom"),
        Type::AvChatRoom if is_online_only(request) => Some("OnlineOnlyFlag is not for AVChatRoom"),
        Type::AvChatRoom | Type::Community if members => {
            Some("To_Account is for work, public and meeting groups")
        }
        _ => None,
    }
}
