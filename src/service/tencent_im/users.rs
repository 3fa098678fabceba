//! Messages to users: `openim/sendmsg` to one, `openim/batchsendmsg` to several.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{answer, elements};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::Fields;
use crate::model::message::{Kind, Message};
use crate::service::api::{Answer, Dedupe, Draft, Reading, Seed, Verdict};
use crate::service::check::first_of;
use crate::service::fingerprint::{Fingerprint, Named};
use crate::service::judge::text;
use crate::service::wire::json::{Object, members, parsed};

/// The most users of a request.
pub const MOST: usize = 500;

/// How long the service knows a message to one user: it says two minutes; we stop a while before that.
/// Nobody says that it knows one to several.
const WINDOW: Duration = Duration::from_secs(100);

/// The parameters of these documents that the group's document does not have.
pub const EXTRA: [&str; 6] =
    ["MsgRandom", "MsgSeq", "MsgTimeStamp", "MsgLifeTime", "SyncOtherMachine", "IsNeedReadReceipt"];

/// The longest that a message is kept for a user who is away, in seconds.
const LONGEST_LIFE: i64 = 604_800;

/// Refuses recipients that no one message can have together.
pub fn check_kinds(message: &Message) -> Result<()> {
    let own = [Kind::Group, Kind::User, Kind::Users];
    let mut given = own.into_iter().filter(|kind| message.to.has(*kind));
    let (first, second) = (given.next(), given.next());
    if let Some(second) = second {
        let words = "a message goes to a group, to a user, or to several users";
        return Err(Error::new(ErrorCode::Message, words).at(format!("to.{}", second.name())));
    }
    let of_group = [Kind::Topic, Kind::Members].into_iter().find(|kind| message.to.has(*kind));
    match (first, of_group) {
        (Some(Kind::User | Kind::Users), Some(kind)) => {
            let words = format!("{:?} goes with \"group\" only", kind.name());
            Err(Error::new(ErrorCode::Message, words).at(format!("to.{}", kind.name())))
        }
        _ => Ok(()),
    }
}

/// The body for a message to one user or to several.
pub fn encode(message: &Message, seed: Seed) -> Result<Draft> {
    let one = message.to.one(Kind::User);
    let to = first_of(message, Kind::Users, MOST);
    let (msg_body, mentions) = elements::encode(message)?;
    if !mentions.is_empty() {
        let words = "a mention calls somebody in a group, and this message goes to none";
        return Err(Error::new(ErrorCode::Unsupported, words).at("parts"));
    }
    elements::check_size(message, &msg_body)?;
    let mut f =
        Fields::new(message.extra.clone().unwrap_or_default().into(), "extra", ErrorCode::Message)?;
    let content = if message.text.is_some() { "text" } else { "parts" };
    let kind = if one.is_some() { "to.user" } else { "to.users" };
    for (name, by) in [("MsgBody", content), ("To_Account", kind)] {
        if f.value(name).is_some() {
            return Err(f.error(name, format!("{name:?} is set by {by} already")));
        }
    }
    let u32s = 0..=i64::from(u32::MAX);
    let own_random = f.integer("MsgRandom", u32s.clone())?;
    let own_seq = f.integer("MsgSeq", u32s.clone())?;
    let time_stamp = f.integer("MsgTimeStamp", u32s)?;
    let from = f.string("From_Account")?;
    let sync = f.integer("SyncOtherMachine", 1..=2)?;
    let life = f.integer("MsgLifeTime", 0..=LONGEST_LIFE)?;
    let online_only = f.integer("OnlineOnlyFlag", 0..=1)?;
    // No callback is called for a message to several.
    let callbacks = match one {
        Some(_) => f.strings("ForbidCallbackControl")?,
        None => None,
    };
    let control = f.strings("SendMsgControl")?;
    let custom_data = f.string("CloudCustomData")?;
    let extension = f.integer("SupportMessageExtension", 0..=1)?;
    let push = f.value("OfflinePushInfo");
    if let Some(push) = &push {
        elements::check_push_info(push, "extra.OfflinePushInfo")?;
    }
    let receipt = f.integer("IsNeedReadReceipt", 0..=1)?;
    f.finish()?;

    let mut object = Object::new();
    let names: Vec<&str> = to.iter().map(|(_, name)| name.as_str()).collect();
    object.put("To_Account", &one.map_or_else(|| json!(names), |one| json!(one)));
    let random = own_random.map_or_else(|| elements::random_of(seed), |random| random.to_string());
    let at = object.put_text("MsgRandom", &random);
    // Left out, the service would make one up at every attempt, and know none of them again.
    let seq = own_seq.map_or_else(|| (seed.0 >> 32).to_string(), |seq| seq.to_string());
    object.put_text("MsgSeq", &seq);
    object.put_some("MsgTimeStamp", time_stamp.map(Value::from));
    object.put_text("MsgBody", &msg_body);
    object.put_some("From_Account", from.map(Value::from));
    object.put_some("SyncOtherMachine", sync.map(Value::from));
    object.put_some("MsgLifeTime", life.map(Value::from));
    object.put_some("OnlineOnlyFlag", online_only.map(Value::from));
    object.put_some("ForbidCallbackControl", callbacks.map(Value::from));
    object.put_some("SendMsgControl", control.map(Value::from));
    object.put_some("CloudCustomData", custom_data.map(Value::from));
    object.put_some("SupportMessageExtension", extension.map(Value::from));
    object.put_some("OfflinePushInfo", push);
    object.put_some("IsNeedReadReceipt", receipt.map(Value::from));
    let renew: Option<fn(Seed) -> String> = match own_random {
        Some(_) => None,
        None => Some(elements::random_of),
    };
    // The service knows a message by its MsgRandom; only a caller gives two messages the same.
    let fingerprint = one.zip(own_random).map(|(one, random)| {
        Fingerprint::new("tencent_im", Named::Uniquely, &format!("user {one}/{random}"), "")
    });
    Ok(Draft {
        body: object.finish(),
        dedupe: one.map(|_| Dedupe { value: random, at: Some(at), window: WINDOW, renew }),
        to,
        fingerprint,
        ..Draft::default()
    })
}

/// What an answer says; of several users it names those that did not get it.
pub fn read(draft: &Draft, answer: &Answer) -> Reading {
    let time = match answer::read(answer) {
        Reading::Sent { time, .. } => time,
        other => return other,
    };
    let found = text(answer).and_then(|body| members(body, ["MsgKey", "ErrorList"]));
    let [key, errors] = match found {
        Ok(found) => found,
        Err(why) => return Reading::Unreadable(why),
    };
    if draft.to.is_empty() {
        // Of another shape it is none, and the message is sent all the same.
        let key = parsed::<String>(key).ok().flatten().filter(|key| !key.is_empty());
        return Reading::sent(key, time);
    }
    match parsed::<Vec<Failed>>(errors) {
        Ok(failed) => each(draft, failed.unwrap_or_default(), time),
        Err(why) => Reading::Contradiction(format!("the answer's ErrorList cannot be read: {why}")),
    }
}

/// Of one user why the message is not for him.
#[derive(Deserialize)]
struct Failed {
    #[serde(rename = "To_Account")]
    to: String,
    #[serde(rename = "ErrorCode")]
    code: i64,
}

fn each(draft: &Draft, failed: Vec<Failed>, time: Option<i64>) -> Reading {
    if let Some(other) = failed.iter().find(|f| draft.to.iter().all(|(_, name)| *name != f.to)) {
        let words = format!("the answer's ErrorList has {:?}, whom nothing was sent to", other.to);
        return Reading::Contradiction(words);
    }
    let verdict = |to: &(Kind, String)| {
        let reading = match failed.iter().find(|failed| failed.to == to.1) {
            None => Reading::sent(None, time),
            Some(failed) if failed.code == 0 => {
                Reading::Contradiction("an error of the answer has the code 0".to_owned())
            }
            Some(failed) => Reading::refused(failed.code.to_string(), ""),
        };
        Verdict { to: to.clone(), reading }
    };
    Reading::Each(draft.to.iter().map(verdict).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(users: &[&str]) -> Draft {
        let to = users.iter().map(|user| (Kind::Users, (*user).to_owned())).collect();
        Draft { to, ..Draft::default() }
    }

    fn read_body(draft: &Draft, more: &str) -> Reading {
        let body = format!(r#"{{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0{more}}}"#);
        let answer = Answer { status: 200, body: body.into_bytes(), ..Answer::default() };
        read(draft, &answer)
    }

    #[test]
    fn one_user_s_message_has_a_key() {
        let read = |more| match read_body(&to(&[]), more) {
            Reading::Sent { id, time, .. } => (id, time),
            other => panic!("{other:?}"),
        };
        let key = r#","MsgTime":7,"MsgKey":"89541_2574206_1572870301""#;
        assert_eq!(read(key), (Some("89541_2574206_1572870301".to_owned()), Some(7)));
        assert_eq!(read(""), (None, None));
    }

    #[test]
    fn of_several_users_the_answer_names_those_without_the_message() {
        let users = to(&["ann", "bob", "eve"]);
        let codes = |more| match read_body(&users, more) {
            Reading::Each(verdicts) => {
                let code = |verdict: &Verdict| verdict.reading.code().map(str::to_owned);
                verdicts.iter().map(code).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(codes(""), [None, None, None]);
        assert_eq!(codes(r#","MsgKey":"k","ErrorList":[]"#), [None, None, None]);
        let bob = r#","ErrorList":[{"To_Account":"bob","ErrorCode":70107}]"#;
        assert_eq!(codes(bob), [None, Some("70107".to_owned()), None]);
    }

    #[test]
    fn an_error_list_that_cannot_be_understood_is_a_doubt_of_all() {
        for more in [
            r#","ErrorList":{}"#,
            r#","ErrorList":"no""#,
            r#","ErrorList":[{"To_Account":"bob"}]"#,
            r#","ErrorList":[{"To_Account":"bob","ErrorCode":"70107"}]"#,
            r#","ErrorList":[{"To_Account":"joe","ErrorCode":70107}]"#,
        ] {
            let reading = read_body(&to(&["ann", "bob"]), more);
            assert!(matches!(reading, Reading::Contradiction(_)), "{more}: {reading:?}");
        }
    }
}
