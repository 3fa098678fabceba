//! The digest of outbox files of schema version 1, which was made of what Rust's `Debug` shows.
//!
//! Frozen: the types below show what those of that time showed, and nothing here follows the library.
//! It can go when no file of that version is left whose keys are alive (`key_days`).

use std::fmt;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::model::message::{self, Format, Kind, Message, Overflow, Priority};

#[derive(Debug)]
#[expect(dead_code, reason = "read by Debug")]
struct To<'a> {
    user: Option<&'a str>,
    name: Option<&'a str>,
    group: Option<&'a str>,
    topic: Option<&'a str>,
    users: Vec<&'a str>,
    groups: Vec<&'a str>,
    discussions: Vec<&'a str>,
    members: Vec<&'a str>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "read by Debug")]
struct Location<'a> {
    latitude: f64,
    longitude: f64,
    address: &'a Option<String>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "read by Debug")]
enum Part<'a> {
    Text(&'a str),
    Mention {
        user: &'a str,
        name: &'a Option<String>,
    },
    MentionAll,
    Face {
        index: i64,
        data: &'a Option<String>,
    },
    Location(Location<'a>),
    Link {
        url: &'a str,
        title: &'a Option<String>,
        description: &'a Option<String>,
        thumbnail: &'a Option<String>,
        image: &'a Option<String>,
    },
    Custom {
        data: &'a str,
        desc: &'a Option<String>,
        ext: &'a Option<String>,
        sound: &'a Option<String>,
    },
    Raw(&'a str),
}

impl<'a> Part<'a> {
    /// `None` of a part that did not exist.
    fn of(part: &'a message::Part) -> Option<Part<'a>> {
        Some(match part {
            message::Part::Text(text) => Part::Text(text),
            message::Part::Mention { user, name } => Part::Mention { user, name },
            message::Part::MentionAll => Part::MentionAll,
            message::Part::Face { index, data } => Part::Face { index: *index, data },
            message::Part::Location(message::Location { latitude, longitude, address }) => {
                let (latitude, longitude) = (*latitude, *longitude);
                Part::Location(Location { latitude, longitude, address })
            }
            message::Part::Link { url, title, description, thumbnail, image } => {
                Part::Link { url, title, description, thumbnail, image }
            }
            message::Part::Custom { data, desc, ext, sound } => {
                Part::Custom { data, desc, ext, sound }
            }
            message::Part::Raw(value) => Part::Raw(value),
        })
    }
}

struct Json<'a>(&'a Value);

impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("Null"),
            Value::Bool(value) => write!(f, "Bool({value})"),
            Value::Number(number) => write!(f, "Number({number})"),
            Value::String(text) => write!(f, "String({text:?})"),
            Value::Array(items) => {
                f.write_str("Array ")?;
                f.debug_list().entries(items.iter().map(Json)).finish()
            }
            Value::Object(map) => write!(f, "Object {:?}", Members(map)),
        }
    }
}

struct Members<'a>(&'a Map<String, Value>);

impl fmt::Debug for Members<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name, Json(value)))).finish()
    }
}

/// The kinds of recipient that there were.
const OLD_KINDS: [Kind; 8] = [
    Kind::User,
    Kind::Name,
    Kind::Group,
    Kind::Topic,
    Kind::Users,
    Kind::Groups,
    Kind::Discussions,
    Kind::Members,
];

/// The digest of a message; `None` of one that no library of that time could read.
pub fn digest(message: &Message) -> Option<[u8; 32]> {
    shown(message).map(|shown| Sha256::digest(shown).into())
}

fn shown(message: &Message) -> Option<String> {
    // Without `..`, here and above: what is new was not said then, and has no such digest.
    let Message {
        id: _,
        account: _,
        everyone: _,
        to,
        text,
        parts,
        title,
        format,
        attachments,
        silent,
        priority,
        thread,
        overflow,
        reply_to,
        key: _,
        deadline_ms: _,
        not_before_ms: _,
        ordered: _,
        extra,
    } = message;
    let is_new = title.is_some()
        || *format != Format::default()
        || !attachments.is_empty()
        || *silent
        || *priority != Priority::default()
        || thread.is_some()
        || *overflow != Overflow::default();
    if is_new || to.kinds().any(|kind| !OLD_KINDS.contains(&kind)) {
        return None;
    }
    let all = |kind| to.all(kind).collect();
    let to = To {
        user: to.one(Kind::User),
        name: to.one(Kind::Name),
        group: to.one(Kind::Group),
        topic: to.one(Kind::Topic),
        users: all(Kind::Users),
        groups: all(Kind::Groups),
        discussions: all(Kind::Discussions),
        members: all(Kind::Members),
    };
    let parts: Vec<Part<'_>> = parts.iter().map(Part::of).collect::<Option<_>>()?;
    let extra = extra.as_ref().map(Members);
    Some(format!("{to:?}\n{text:?}\n{parts:?}\n{reply_to:?}\n{extra:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages, what the library of that time showed of them, and the SHA-256 that it kept.
    const RECORDED: [(&str, &str, &str); 5] = [
        (
            r#"{"v":1,"account":"ff","to":{"user":"lisztli"},"text":"hi"}"#,
            r#"To { user: Some("lisztli"), name: None, group: None, topic: None, users: [], groups: [], discussions: [], members: [] }
Some("hi")
[]
None
None"#,
            "ffd8743da0769ff3a4a11ccfb05a399a217783bec0243cbfb88d37ea9afe68a4",
        ),
        (
            r#"{"v":1,"account":"ff","to":{"user":"lisztli","name":"b"},"text":"\"引号\" \\ \n \u0000 é e\u0301 \u200b","reply_to":"x","extra":{"mode":"lite"}}"#,
            r#"To { user: Some("lisztli"), name: Some("b"), group: None, topic: None, users: [], groups: [], discussions: [], members: [] }
Some("\"引号\" \\ \n \0 é e\u{301} \u{200b}")
[]
Some("x")
Some({"mode": String("lite")})"#,
            "da0c452c994397759543170f701640741536b0826631d629f3ca70311f7e6a21",
        ),
        (
            r#"{"v":1,"account":"im","to":{"group":"@TGS#1","topic":"t","members":["a","b"]},"parts":[{"type":"text","text":"a"},{"type":"mention","user":"u"},{"type":"mention","user":"u","name":"n"},{"type":"mention","all":true},{"type":"face","index":-3,"data":"d"},{"type":"face","index":1},{"type":"location","latitude":0.1,"longitude":-120.25,"address":"x"},{"type":"location","latitude":1,"longitude":-0.0},{"type":"custom","data":"x","sound":"s"},{"type":"custom","data":"x","desc":"d","ext":"e"},{"type":"raw","value":{"b":1.10,"a":[123456789012345678901234,"\u4e2d",null,true]}}],"extra":{"Random":4294967295,"OfflinePushInfo":{"PushFlag":0,"Ext":null,"x":-1,"y":1.5,"z":1e300,"l":[],"o":{},"q":"\"","b":false}}}"#,
            r#"To { user: None, name: None, group: Some("@TGS#1"), topic: Some("t"), users: [], groups: [], discussions: [], members: ["a", "b"] }
None
[Text("a"), Mention { user: "u", name: None }, Mention { user: "u", name: Some("n") }, MentionAll, Face { index: -3, data: Some("d") }, Face { index: 1, data: None }, Location(Location { latitude: 0.1, longitude: -120.25, address: Some("x") }), Location(Location { latitude: 1.0, longitude: -0.0, address: None }), Custom { data: "x", desc: None, ext: None, sound: Some("s") }, Custom { data: "x", desc: Some("d"), ext: Some("e"), sound: None }, Raw("{\"b\":1.10,\"a\":[123456789012345678901234,\"\\u4e2d\",null,true]}")]
None
Some({"Random": Number(4294967295), "OfflinePushInfo": Object {"PushFlag": Number(0), "Ext": Null, "x": Number(-1), "y": Number(1.5), "z": Number(1e+300), "l": Array [], "o": Object {}, "q": String("\""), "b": Bool(false)}})"#,
            "78b8f92260f696a2af1386c0336b6bd866c060d2dfeec0287b775e9a1383da99",
        ),
        (
            r#"{"v":1,"account":"rr","to":{"users":["1"],"groups":["2","3"],"discussions":["4"]},"parts":[{"type":"link","url":"http://a","title":"t"},{"type":"link","url":"http://a","description":"d","thumbnail":"th","image":"i"}],"extra":{}}"#,
            r#"To { user: None, name: None, group: None, topic: None, users: ["1"], groups: ["2", "3"], discussions: ["4"], members: [] }
None
[Link { url: "http://a", title: Some("t"), description: None, thumbnail: None, image: None }, Link { url: "http://a", title: None, description: Some("d"), thumbnail: Some("th"), image: Some("i") }]
None
Some({})"#,
            "ef717853a87a8d6036d677b17a22aaae3ce437f83a214c0153bc2f4f120f3dce",
        ),
        (
            r#"{"v":1,"account":"rr","extra":{"messageType":"x","resourceTitle":"t","n":18446744073709551615}}"#,
            r#"To { user: None, name: None, group: None, topic: None, users: [], groups: [], discussions: [], members: [] }
None
[]
None
Some({"messageType": String("x"), "resourceTitle": String("t"), "n": Number(18446744073709551615)})"#,
            "3a32238e41e46ada83e61dd80991c272ce14b9a687f3378fe10dcb8f8f2ea631",
        ),
    ];

    #[test]
    fn it_is_what_the_library_of_that_time_made() {
        for (json, expected, hex) in RECORDED {
            let message = Message::from_json(json).expect(json);
            assert_eq!(shown(&message).as_deref(), Some(expected));
            let digest = digest(&message).expect(json);
            assert_eq!(digest.map(|byte| format!("{byte:02x}")).concat(), hex, "{json}");
        }
    }
}
