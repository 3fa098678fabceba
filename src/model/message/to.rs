//! To whom a message goes: kinds of recipient, and their names.
//!
//! Which kinds a service knows is the service's matter. No name is empty or blank, and no list of them
//! empty: services read that as "everybody", so that what was meant for a few would reach the whole group.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::model::error::{ErrorCode, Result};
use crate::model::fields::{Fields, quoted};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $list:literal;)*) => {
        /// A kind of recipient.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// Every kind, in the order in which they are read and written.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// Its name in `to`.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }

            /// True if `to` has a list of them.
            pub const fn is_list(self) -> bool {
                match self { $(Kind::$variant => $list,)* }
            }

            /// The kind of this name.
            pub fn of(name: &str) -> Option<Kind> {
                match name { $($name => Some(Kind::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    /// A user's id.
    User = "user", false;
    /// A user's screen name.
    Name = "name", false;
    /// A group's id.
    Group = "group", false;
    /// A topic's id, within a group or a chat.
    Topic = "topic", false;
    /// A chat's id.
    Chat = "chat", false;
    /// A channel's id or name.
    Channel = "channel", false;
    /// A room's id.
    Room = "room", false;
    /// A telephone number.
    Phone = "phone", false;
    /// Several users.
    Users = "users", true;
    /// Several groups.
    Groups = "groups", true;
    /// Several discussions.
    Discussions = "discussions", true;
    /// Those members of the group who alone shall see the message.
    Members = "members", true;
    /// Several topics.
    Topics = "topics", true;
    /// Several telephone numbers.
    Phones = "phones", true;
    /// Several mail addresses.
    Emails = "emails", true;
    /// Mail addresses that get a copy.
    Cc = "cc", true;
    /// Mail addresses that get a copy which the others do not see.
    Bcc = "bcc", true;
    /// Several departments.
    Departments = "departments", true;
    /// Several tags of users.
    Tags = "tags", true;
}

impl Kind {
    /// The names of the kinds that hold a list, or of those that do not.
    fn names(lists: bool) -> Vec<&'static str> {
        let of_this_sort = Kind::ALL.iter().filter(|kind| kind.is_list() == lists);
        of_this_sort.map(|kind| kind.name()).collect()
    }

    /// The kind of this name, or what is said where there is none.
    pub fn known(name: &str) -> std::result::Result<Kind, String> {
        Kind::of(name).ok_or_else(|| {
            let (single, lists) = (quoted(&Kind::names(false)), quoted(&Kind::names(true)));
            format!("{name:?} is no kind of recipient; known: {single}, {lists}")
        })
    }
}

/// To whom a message goes: any number of recipients of each list kind, and one of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct To {
    /// Ordered by kind; those of one kind in the order in which they were given.
    recipients: Vec<(Kind, String)>,
}

/// What is said of a recipient whose name is empty or blank.
pub const BLANK: &str =
    "a recipient's name is empty or blank; leave it out, or give null, for none";

impl To {
    /// Adds a recipient; a second one of a kind that is no list replaces the first.
    pub fn put(&mut self, kind: Kind, name: impl Into<String>) {
        let end = self.recipients.partition_point(|(other, _)| *other <= kind);
        let name = name.into();
        match self.recipients[..end].last_mut() {
            Some((other, old)) if *other == kind && !kind.is_list() => *old = name,
            _ => self.recipients.insert(end, (kind, name)),
        }
    }

    /// The recipient of this kind, or the first of them.
    pub fn one(&self, kind: Kind) -> Option<&str> {
        self.all(kind).next()
    }

    /// Every recipient of this kind.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let of_kind = self.recipients.iter().filter(move |(own, _)| *own == kind);
        of_kind.map(|(_, name)| name.as_str())
    }

    /// True if there is one of this kind.
    pub fn has(&self, kind: Kind) -> bool {
        self.one(kind).is_some()
    }

    /// The kinds that there are.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(|kind| self.has(*kind))
    }

    /// Every recipient, ordered by kind.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &str)> {
        self.recipients.iter().map(|(kind, name)| (*kind, name.as_str()))
    }

    /// Every recipient with the place that it has in the message, such as `to.users[1]`.
    pub fn paths(&self) -> impl Iterator<Item = (String, &str)> {
        let mut before: Option<(Kind, usize)> = None;
        self.iter().map(move |(kind, name)| {
            let n = before.filter(|(last, _)| *last == kind).map_or(0, |(_, n)| n + 1);
            before = Some((kind, n));
            let path = match kind.is_list() {
                true => format!("to.{}[{n}]", kind.name()),
                false => format!("to.{}", kind.name()),
            };
            (path, name)
        })
    }

    /// Leaves of the recipients of list kinds these only.
    pub(crate) fn retain_listed<'a>(&mut self, left: impl Iterator<Item = &'a (Kind, String)>) {
        self.recipients.retain(|(kind, _)| !kind.is_list());
        left.for_each(|(kind, name)| self.put(*kind, name.clone()));
    }

    /// True if the message names no recipient.
    pub fn is_empty(&self) -> bool {
        self.recipients.is_empty()
    }

    /// Reads `to` from JSON, and tells with its path what is wrong there.
    pub(crate) fn read(text: &str) -> Result<To> {
        match text {
            "null" => Ok(To::default()),
            _ => To::of_fields(Fields::read(text, "to", ErrorCode::Message)?),
        }
    }

    /// Reads recipients from the fields of an object, and tells with its path what is wrong there.
    pub(crate) fn of_fields(mut f: Fields) -> Result<To> {
        let mut to = To::default();
        for kind in Kind::ALL {
            if kind.is_list() {
                f.recipients(kind.name())?
                    .into_iter()
                    .flatten()
                    .for_each(|name| to.put(*kind, name));
            } else if let Some(name) = f.recipient(kind.name())? {
                to.put(*kind, name);
            }
        }
        f.finish()?;
        Ok(to)
    }

    /// As it stands in a message.
    pub(crate) fn to_json(&self) -> Value {
        let value = |kind: Kind| match kind.is_list() {
            true => self.all(kind).map(Value::from).collect(),
            false => self.one(kind).into(),
        };
        let fields = self.kinds().map(|kind| (kind.name().to_owned(), value(kind)));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

/// The usual `to`: whatever is unusual or wrong is an error without a place, and told by the reader
/// of any.
impl<'de> Deserialize<'de> for To {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<To, D::Error> {
        struct Recipients;

        impl<'de> Visitor<'de> for Recipients {
            type Value = To;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("recipients")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<To, A::Error> {
                let mut to = To::default();
                while let Some(kind) = map.next_key::<KindName>()? {
                    let unusual = || A::Error::custom("unusual");
                    if to.has(kind.0) {
                        return Err(unusual());
                    }
                    let mut put = |name: String| {
                        if is_blank(&name) {
                            return Err(unusual());
                        }
                        to.put(kind.0, name);
                        Ok(())
                    };
                    match kind.0.is_list() {
                        false => put(map.next_value()?)?,
                        true => map.next_value::<Vec<String>>()?.into_iter().try_for_each(put)?,
                    }
                    if !to.has(kind.0) {
                        return Err(unusual());
                    }
                }
                Ok(to)
            }
        }

        deserializer.deserialize_map(Recipients)
    }
}

struct KindName(Kind);

impl<'de> Deserialize<'de> for KindName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = KindName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a kind of recipient")
            }

            fn visit_str<E: serde::de::Error>(
                self,
                name: &str,
            ) -> std::result::Result<KindName, E> {
                Kind::of(name).map(KindName).ok_or_else(|| E::custom("unusual"))
            }
        }

        deserializer.deserialize_str(Name)
    }
}

/// True if a reader would see nothing: no character at all, or only white space, control characters
/// and characters without a width.
pub fn is_blank(name: &str) -> bool {
    name.chars().all(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
                | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
    })
}

impl Fields {
    /// The name of a recipient.
    pub fn recipient(&mut self, name: &'static str) -> Result<Option<String>> {
        match self.string(name)? {
            Some(value) if is_blank(&value) => Err(self.error(name, BLANK)),
            found => Ok(found),
        }
    }

    /// The names of several recipients; an empty list is not the same as none.
    pub fn recipients(&mut self, name: &'static str) -> Result<Option<Vec<String>>> {
        let Some(list) = self.strings(name)? else { return Ok(None) };
        if list.is_empty() {
            let words = "the list of recipients is empty; leave it out, or give null, for none";
            return Err(self.error(name, words));
        }
        match list.iter().position(|value| is_blank(value)) {
            Some(i) => Err(self.error(&format!("{name}[{i}]"), BLANK)),
            None => Ok(Some(list)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readers_read_the_same() {
        for (text, written) in [
            ("{}", "{}"),
            (r#"{"members":["b","a"],"group":"g"}"#, r#"{"group":"g","members":["b","a"]}"#),
            (
                r#"{"bcc":["x"],"emails":["y","z"],"phone":"1"}"#,
                r#"{"phone":"1","emails":["y","z"],"bcc":["x"]}"#,
            ),
        ] {
            let to = To::read(text).expect(text);
            assert_eq!(serde_json::from_str::<To>(text).ok().as_ref(), Some(&to), "{text}");
            assert_eq!(to.to_json().to_string(), written);
        }
        for wrong in [
            "[]",
            "1",
            r#"{"planet":"x"}"#,
            r#"{"user":["x"]}"#,
            r#"{"users":"x"}"#,
            r#"{"users":[]}"#,
            r#"{"user":""}"#,
            r#"{"users":["x"," "]}"#,
            r#"{"user":"x","user":"x"}"#,
            r#"{"user":1}"#,
        ] {
            assert!(
                To::read(wrong).is_err() && serde_json::from_str::<To>(wrong).is_err(),
                "{wrong}"
            );
        }
        assert_eq!(To::read(r#"{"user":null}"#), Ok(To::default()));
    }

    #[test]
    fn recipients_stand_by_kind_and_keep_their_order() {
        let mut to = To::default();
        to.put(Kind::Users, "b");
        to.put(Kind::User, "x");
        to.put(Kind::Users, "a");
        to.put(Kind::User, "y");
        let all: Vec<_> = to.iter().collect();
        assert_eq!(all, [(Kind::User, "y"), (Kind::Users, "b"), (Kind::Users, "a")]);
        assert!(Kind::ALL.iter().all(|kind| Kind::of(kind.name()) == Some(*kind)));
    }

    #[test]
    fn what_shows_nothing_is_blank() {
        for blank in [
            "",
            " ",
            "\t\r\n",
            "\u{a0}",
            "\u{3000}\u{2003}",
            "\u{200b}",
            "\u{feff} \u{2060}",
            "\u{85}",
            "\0",
            "\u{ad}",
            "\u{202e}",
            "\u{3164}",
            "\u{2800}",
            "\u{fe0f}",
            "\u{1680}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for name in ["a", " a", "0", "天", ".", "@TGS#1", "\u{200b}a\u{200b}", "👩\u{200d}👩"]
        {
            assert!(!is_blank(name), "{name:?}");
        }
    }
}
