//! A direct message, its users and its two formats.

use serde_json::{Value, json};

use crate::exchange::Answer;
use crate::xml;

/// The format that the path's ending asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Format {
    Json,
    Xml,
}

impl Format {
    fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json;charset=UTF-8",
            // Assumed: seen is JSON's only.
            Format::Xml => "application/xml;charset=UTF-8",
        }
    }

    /// An answer whose body is `value`, in XML under a root named `root`.
    pub(super) fn answer(self, status: u16, root: &str, value: &Value) -> Answer {
        let body = match self {
            Format::Json => value.to_string(),
            Format::Xml => {
                let mut body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
                element(&mut body, 0, root, value);
                body
            }
        };
        Answer::new(status, self.content_type(), body)
    }
}

/// A user of the service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum User {
    /// Whom all credentials belong to; the sender of the document's sample.
    Sender,
    /// The recipient of the document's sample.
    OpenPlatform,
    /// Somebody whose nickname is another one's id.
    Numeric,
    /// Does not follow the sender.
    Stranger,
    /// Takes no messages by his settings.
    Closed,
}

impl User {
    const ALL: [User; 5] =
        [User::Sender, User::OpenPlatform, User::Numeric, User::Stranger, User::Closed];

    pub(super) fn by_id(id: &str) -> Option<User> {
        let id: u64 = id.parse().ok()?;
        User::ALL.into_iter().find(|user| user.id() == id)
    }

    pub(super) fn by_screen_name(name: &str) -> Option<User> {
        User::ALL.into_iter().find(|user| user.screen_name() == name)
    }

    pub(super) fn id(self) -> u64 {
        match self {
            User::Sender => 1_658_122_963,
            User::OpenPlatform => 11_051,
            User::Numeric => 1_000_011_051,
            User::Stranger => 1_000_040_017,
            User::Closed => 1_000_040_028,
        }
    }

    pub(super) fn screen_name(self) -> &'static str {
        match self {
            User::Sender => "zhangwei217245",
            User::OpenPlatform => "微博开放平台",
            User::Numeric => "11051",
            User::Stranger => "stranger",
            User::Closed => "closed",
        }
    }

    /// The user's fields; the two of the document's sample are as there, the others made up.
    fn to_json(self) -> Value {
        match self {
            User::Sender => json!({
                "id": self.id(),
                "screen_name": self.screen_name(),
                "name": self.screen_name(),
                "province": "11",
                "city": "5",
                "location": "北京 朝阳区",
                "description": "ABCDE",
                "url": "",
                "profile_image_url": "http://tp4.sinaimg.cn/1658122963/50/1282754213",
                "domain": "zhangwei217245",
                "gender": "m",
                "followers_count": 24,
                "friends_count": 44,
                "statuses_count": 118,
                "favourites_count": 3,
                "created_at": "Tue Nov 03 00:00:00 +0800 2009",
                "following": false,
                "verified": false,
                "allow_all_act_msg": false,
                "geo_enabled": true,
                "status": status(
                    4_087_921_127,
                    "Sat Dec 04 23:35:20 +0800 2010",
                    "动物丛书的由来。。。http://sinaurl.cn/hbVjvr",
                    true,
                ),
            }),
            User::OpenPlatform => json!({
                "id": self.id(),
                "screen_name": self.screen_name(),
                "name": self.screen_name(),
                "province": "11",
                "city": "8",
                "location": "北京 海淀区",
                "description":
                    "新浪微博开放平台市场推广官方账号,如有技术问题,请@微博API或者发私信给微博API",
                "url": "http://open.t.sina.com.cn/",
                "profile_image_url": "http://tp4.sinaimg.cn/11051/50/1280283165/1",
                "domain": "openapi",
                "gender": "m",
                "followers_count": 13366,
                "friends_count": 5,
                "statuses_count": 158,
                "favourites_count": 0,
                "created_at": "Wed Jan 20 00:00:00 +0800 2010",
                "following": false,
                "verified": true,
                "allow_all_act_msg": true,
                "geo_enabled": true,
                "status": status(
                    3_958_728_723,
                    "Mon Nov 29 16:08:43 +0800 2010",
                    "各位开发者,我们的论坛上线啦~http://sinaurl.cn/h4FWc7 欢迎大家的参与~另外,\
                     关于技术相关的问题,可以在论坛上提出,也可以@微博API \
                     这个官方技术支持账号哦~感谢大家对开放平台的支持~[呵呵]",
                    false,
                ),
            }),
            User::Numeric | User::Stranger | User::Closed => json!({
                "id": self.id(),
                "screen_name": self.screen_name(),
                "name": self.screen_name(),
                "province": "11",
                "city": "8",
                "location": "",
                "description": "",
                "url": "",
                "profile_image_url": "http://tp4.sinaimg.cn/11051/50/1280283165/1",
                "domain": "",
                "gender": "n",
                "followers_count": 1,
                "friends_count": 1,
                "statuses_count": 0,
                "favourites_count": 0,
                "created_at": "Wed Jan 20 00:00:00 +0800 2010",
                "following": false,
                "verified": false,
                "allow_all_act_msg": false,
                "geo_enabled": false,
            }),
        }
    }
}

/// A user's latest post.
fn status(id: u64, created_at: &str, text: &str, annotated: bool) -> Value {
    let mut status = json!({
        "created_at": created_at,
        "id": id,
        "text": text,
        "source": "<a href=\"http://t.sina.com.cn\" rel=\"nofollow\">新浪微博</a>",
        "favorited": false,
        "truncated": false,
        "geo": null,
        "in_reply_to_status_id": "",
        "in_reply_to_user_id": "",
        "in_reply_to_screen_name": "",
    });
    if annotated {
        status["annotations"] = json!([]);
    }
    status
}

/// A direct message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub id: u64,
    pub text: String,
    pub recipient: User,
    pub created_at: String,
}

impl Message {
    pub(super) fn to_answer(&self, format: Format) -> Answer {
        let (sender, recipient) = (User::Sender, self.recipient);
        // In the order of the document's XML.
        let message = json!({
            "created_at": self.created_at,
            "id": self.id,
            "text": self.text,
            "sender_id": sender.id(),
            "recipient_id": recipient.id(),
            "sender_screen_name": sender.screen_name(),
            "recipient_screen_name": recipient.screen_name(),
            "sender": sender.to_json(),
            "recipient": recipient.to_json(),
        });
        format.answer(200, "direct_message", &message)
    }
}

/// Writes an element the way the document's sample has it.
fn element(out: &mut String, depth: usize, name: &str, value: &Value) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            out.push_str(&format!("{indent}<{name}>\n"));
            for (name, value) in fields {
                element(out, depth + 1, name, value);
            }
            out.push_str(&format!("{indent}</{name}>\n"));
        }
        // A post's source is markup: nested in XML, and without the attribute that JSON has.
        Value::String(markup) if name == "source" => {
            let markup = markup.replace(" rel=\"nofollow\"", "");
            out.push_str(&format!("{indent}<{name}>\n{indent}  {markup}\n{indent}</{name}>\n"));
        }
        Value::String(text) if !text.is_empty() => {
            out.push_str(&format!("{indent}<{name}>{}</{name}>\n", xml::text(text)));
        }
        Value::Bool(_) | Value::Number(_) => {
            out.push_str(&format!("{indent}<{name}>{value}</{name}>\n"));
        }
        Value::Null | Value::String(_) | Value::Array(_) => {
            out.push_str(&format!("{indent}<{name}/>\n"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_documents_samples() {
        let mut message = Message {
            id: 722_704_713,
            text: "Congratulations!".to_owned(),
            recipient: User::OpenPlatform,
            created_at: "Mon Dec 06 11:19:09 +0800 2010".to_owned(),
        };
        let xml = message.to_answer(Format::Xml).body;
        let expected = include_str!("../../../tests/vectors/sina_message.xml");
        assert_eq!(String::from_utf8(xml).unwrap(), expected);

        message.id = 722_715_041;
        message.text = "Wow~~~Congratulations!".to_owned();
        message.created_at = "Mon Dec 06 11:21:31 +0800 2010".to_owned();
        let json: Value = serde_json::from_slice(&message.to_answer(Format::Json).body).unwrap();
        let expected = include_str!("../../../tests/vectors/sina_message.json");
        assert_eq!(json, serde_json::from_str::<Value>(expected).unwrap());
    }
}
