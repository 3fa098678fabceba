//! A direct message and its three formats.

use serde_json::{Map, Value, json};

use crate::exchange::Answer;
use crate::xml;

/// The format that the path's ending asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Format {
    Json,
    Xml,
    Rss,
}

/// The users that the document's sample shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum User {
    Test,
    Lisztli,
}

impl User {
    pub(super) fn find(id: &str) -> Option<User> {
        [User::Test, User::Lisztli].into_iter().find(|user| user.id() == id)
    }

    pub(super) fn id(self) -> &'static str {
        match self {
            User::Test => "test",
            User::Lisztli => "lisztli",
        }
    }

    fn screen_name(self) -> &'static str {
        match self {
            User::Test => "测试昵称",
            User::Lisztli => "LisztLi",
        }
    }

    fn to_json(self, lite: bool) -> Value {
        let mut user = match self {
            User::Test => json!({
                "id": "test",
                "name": "测试昵称",
                "screen_name": "测试昵称",
                "location": "北京 海淀区",
                "gender": "男",
                "birthday": "2105-03-11",
                "description": "测试帐号",
                "profile_image_url": "http://avatar3.fanfou.com/s0/00/5n/sk.jpg?1320913295",
                "profile_image_url_large": "http://avatar3.fanfou.com/l0/00/5n/sk.jpg?1320913295",
                "url": "http://fanfou.com/test",
                "protected": true,
                "followers_count": 6,
                "friends_count": 12,
                "favourites_count": 25,
                "statuses_count": 134,
                "following": false,
                "notifications": false,
                "created_at": "Sat Jun 09 23:56:33 +0000 2007",
                "utc_offset": 28800,
                "profile_background_color": "#ffffe5",
                "profile_text_color": "#004040",
                "profile_link_color": "#ff0000",
                "profile_sidebar_fill_color": "#ffefbf",
                "profile_sidebar_border_color": "#ffac80",
                "profile_background_image_url": "http://avatar.fanfou.com/b0/00/5n/sk_1321293707.jpg",
                "profile_background_tile": true,
            }),
            User::Lisztli => json!({
                "id": "lisztli",
                "name": "LisztLi",
                "screen_name": "LisztLi",
                "location": "北京 海淀区",
                "gender": "男",
                "birthday": "1986-02-07",
                "description": "",
                "profile_image_url": "http://avatar3.fanfou.com/s0/00/3z/3k.jpg?1308030845",
                "profile_image_url_large": "http://avatar3.fanfou.com/l0/00/3z/3k.jpg?1308030845",
                "url": "",
                "protected": false,
                "followers_count": 162,
                "friends_count": 143,
                "favourites_count": 12,
                "statuses_count": 2668,
                "following": false,
                "notifications": false,
                "created_at": "Wed Sep 05 01:11:07 +0000 2007",
                "utc_offset": 28800,
                "profile_background_color": "#acdae5",
                "profile_text_color": "#222222",
                "profile_link_color": "#0066cc",
                "profile_sidebar_fill_color": "#e2f2da",
                "profile_sidebar_border_color": "#b2d1a3",
                "profile_background_image_url": "http://avatar.fanfou.com/b0/00/3z/3k_1308411449.jpg",
                "profile_background_tile": true,
            }),
        };
        if lite && let Value::Object(fields) = &mut user {
            fields.retain(|name, _| !name.starts_with("profile_"));
        }
        user
    }
}

/// A direct message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub id: String,
    pub text: String,
    pub sender: User,
    pub recipient: User,
    pub created_at: String,
    pub in_reply_to: Option<Box<Message>>,
}

impl Message {
    /// The message as another one replies to it.
    pub(super) fn without_original(&self) -> Message {
        Message { in_reply_to: None, ..self.clone() }
    }

    pub(super) fn to_answer(&self, format: Format, lite: bool, callback: Option<&str>) -> Answer {
        let json = self.to_json(lite);
        match (format, callback) {
            (Format::Json, None) => {
                Answer::new(200, "application/json; charset=utf-8", ascii(&json))
            }
            // Assumed: no space, a semicolon, and a script's content type.
            (Format::Json, Some(name)) => Answer::new(
                200,
                "text/javascript; charset=utf-8",
                format!("{name}({});", ascii(&json)),
            ),
            (Format::Xml, _) => {
                let mut body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
                xml_element(&mut body, "direct_message", &json);
                Answer::new(200, "application/xml; charset=utf-8", body)
            }
            (Format::Rss, _) => {
                Answer::new(200, "application/rss+xml; charset=utf-8", self.to_rss())
            }
        }
    }

    fn to_json(&self, lite: bool) -> Value {
        let mut message = json!({
            "id": self.id,
            "text": self.text,
            "sender_id": self.sender.id(),
            "recipient_id": self.recipient.id(),
            "created_at": self.created_at,
            "sender_screen_name": self.sender.screen_name(),
            "recipient_screen_name": self.recipient.screen_name(),
            "sender": self.sender.to_json(lite),
            "recipient": self.recipient.to_json(lite),
        });
        if let Some(original) = &self.in_reply_to {
            message["in_reply_to"] = original.to_json(lite);
        }
        message
    }

    /// Assumed: a channel with one item, as in the family's other feeds.
    fn to_rss(&self) -> String {
        let (text, sender) = (xml::text(&self.text), xml::text(self.sender.screen_name()));
        let recipient = xml::text(self.recipient.screen_name());
        let (id, created_at) = (xml::text(&self.id), xml::text(&self.created_at));
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\">\n<channel>\n\
             <title>饭否 / {sender} 的私信</title>\n<link>http://fanfou.com/privatemsg</link>\n\
             <description>{sender} 发给 {recipient} 的私信</description>\n<language>zh-cn</language>\n\
             <item>\n<title>{text}</title>\n<description>{text}</description>\n\
             <pubDate>{created_at}</pubDate>\n<guid isPermaLink=\"false\">{id}</guid>\n\
             <link>http://fanfou.com/privatemsg</link>\n</item>\n</channel>\n</rss>\n"
        )
    }
}

/// JSON as the document's sample has it: everything beyond ASCII as escapes.
pub(super) fn ascii(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn xml_element(out: &mut String, name: &str, value: &Value) {
    let object = |out: &mut String, fields: &Map<String, Value>| {
        out.push('\n');
        for (name, value) in fields {
            xml_element(out, name, value);
        }
    };
    out.push_str(&format!("<{name}>"));
    match value {
        Value::Object(fields) => object(out, fields),
        Value::String(text) => out.push_str(&xml::text(text)),
        other => out.push_str(&other.to_string()),
    }
    out.push_str(&format!("</{name}>\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_ascii() {
        let value = json!({"text": "饭😀\"\n"});
        assert_eq!(ascii(&value), r#"{"text":"\u996d\ud83d\ude00\"\n"}"#);
        let back: Value = serde_json::from_str(&ascii(&value)).unwrap();
        assert_eq!(back, value);
    }
}
