//! A direct message and its users.

use serde_json::{Value, json};

/// A user of the service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum User {
    /// Whom the token belongs to; the sender of the document's sample.
    Sender,
    /// The recipient of the document's sample.
    Zhaoya,
    /// The recipient whose profile the document's sample shows.
    Niunai,
    /// Does not follow the sender.
    Stranger,
    /// Takes no messages by his settings.
    Closed,
    /// Has the sender on his blacklist.
    Blacklister,
}

impl User {
    const ALL: [User; 6] =
        [User::Sender, User::Zhaoya, User::Niunai, User::Stranger, User::Closed, User::Blacklister];

    pub(super) fn by_id(id: u64) -> Option<User> {
        User::ALL.into_iter().find(|user| user.id() == id)
    }

    pub(super) fn by_screen_name(name: &str) -> Option<User> {
        User::ALL.into_iter().find(|user| user.screen_name() == name)
    }

    pub(super) fn id(self) -> u64 {
        match self {
            User::Sender => 4_294_917_290,
            User::Zhaoya => 2_125_034_703,
            User::Niunai => 1_716_448_455,
            User::Stranger => 5_000_020_301,
            User::Closed => 5_000_020_508,
            User::Blacklister => 5_000_020_512,
        }
    }

    pub(super) fn screen_name(self) -> &'static str {
        match self {
            User::Sender => "sso20333333333",
            User::Zhaoya => "zhaoya0029",
            User::Niunai => "牛奶_蜜豆",
            User::Stranger => "stranger",
            User::Closed => "closed",
            User::Blacklister => "blacklister",
        }
    }

    /// The user's fields: those of the one recipient that the document shows whole, with each
    /// user's own id and names.
    fn to_json(self) -> Value {
        let (id, name) = (self.id(), self.screen_name());
        let domain = if self == User::Niunai { "niunaimidou" } else { "" };
        json!({
            "id": id,
            "idstr": id.to_string(),
            "screen_name": name,
            "name": name,
            "province": "42",
            "city": "1",
            "location": "",
            "description": "",
            "url": "",
            "profile_image_url": "http://tp4.sinaimg.cn/1716448455/50/5625663956/0",
            "profile_url": domain,
            "domain": domain,
            "weihao": "842627130",
            "gender": "f",
            "followers_count": 227,
            "friends_count": 363,
            "statuses_count": 680,
            "favourites_count": 10,
            "created_at": "Mon Mar 22 00:00:00 +0800 2010",
            "following": false,
            "allow_all_act_msg": false,
            "geo_enabled": true,
            "verified": false,
            "verified_type": -1,
            "allow_all_comment": true,
            "avatar_large": "http://tp4.sinaimg.cn/1716448455/180/5625663956/0",
            "verified_reason": "1 90 q",
            "follow_me": self == User::Zhaoya || self == User::Niunai,
            "online_status": 0,
            "bi_followers_count": 143,
            "lang": "zh-cn",
        })
    }
}

/// A direct message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub id: u64,
    pub text: &'a str,
    pub recipient: User,
    pub created_at: String,
}

impl Message<'_> {
    /// The message; assumed: without attachments the last two fields are empty and 0.
    pub(super) fn to_json(&self) -> Value {
        let id = self.id.to_string();
        json!({
            "id": self.id,
            "idstr": id,
            "created_at": self.created_at,
            "text": self.text,
            "sender_id": User::Sender.id(),
            "recipient_id": self.recipient.id(),
            "sender_screen_name": User::Sender.screen_name(),
            "recipient_screen_name": self.recipient.screen_name(),
            "mid": id,
            "geo": null,
            "sender": User::Sender.to_json(),
            "recipient": self.recipient.to_json(),
            "att_ids": [],
            "status_id": 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_fields_of_the_documents_sample() {
        let sample = include_str!("../../../tests/vectors/weibo_message.json");
        let mut expected: Value = serde_json::from_str(sample).unwrap();
        let names =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        let message = Message {
            id: 3_332_910_801_173_380,
            text: "私信1",
            recipient: User::Zhaoya,
            created_at: "Fri Jul 08 15:48:42 +0800 2011".to_owned(),
        };
        let mut message = message.to_json();
        for whole in [&expected, &expected["sender"], &expected["recipient"]] {
            let of = if whole == &expected { &message } else { &message["sender"] };
            assert_eq!(names(of), names(whole));
        }
        // The sample's profiles are those of two other users, and it has attachments.
        let mut profile = User::Niunai.to_json();
        profile["follow_me"] = false.into();
        assert_eq!(profile, expected["recipient"]);
        for name in ["sender", "recipient", "att_ids", "status_id"] {
            message[name].take();
            expected[name].take();
        }
        assert_eq!(message, expected);
    }
}
