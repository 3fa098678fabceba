//! What makes two messages the same, as numbers that every version of the library finds alike.
//!
//! A [`Content`] says whether a second message under an idempotency key is the first one again; a
//! [`recipient`] names the line of ordered messages that one stands in. Outbox files hold both for
//! days, so that neither may depend on how this build happens to show a value.
//!
//! A digest is the SHA-256 of a name with a version, then of one value, written as:
//!
//! | value | bytes |
//! |---|---|
//! | text | `s`, its length in bytes (8 bytes, the highest first), its UTF-8 |
//! | whole number, or a number of a raw element as it was written | `n`, the length, its digits |
//! | other number | `d`, its IEEE 754 double (8 bytes, the highest first) |
//! | true, false, null | `t`, `f`, `0` |
//! | list | `[`, its items, `]` |
//! | object | `{`, its members by the bytes of their names: the name as text, the value; `}` |
//!
//! A field that is absent, `null` or an empty list is not written at all, so that a later version may
//! add fields and finds the same digest of messages that lack them. The order of an object's members
//! means nothing, in `extra` and in raw elements neither, although a raw element is sent in the order
//! that the caller chose. A `null` within a value of `extra` or a raw element is sent, and counts.

mod legacy;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::json;
use super::message::{Attachment, Format, Location, Message, Overflow, Part, Priority, Source, To};

/// The version of the digests that this library makes; those before it were not numbered.
const VERSION: u8 = 1;

/// What a message says, as far as it matters whether another one says the same: neither when it goes
/// nor in what order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    digest: [u8; 32],
    /// The digest that stands in older outbox files, if such a file can hold this message.
    legacy: Option<[u8; 32]>,
}

#[cfg_attr(not(feature = "outbox"), allow(dead_code, reason = "only a store compares contents"))]
impl Content {
    /// What this message says.
    pub fn of(message: &Message) -> Content {
        Content { digest: digest(message), legacy: legacy::digest(message) }
    }

    /// As it stands in an outbox file: the version, then the digest.
    pub fn stored(&self) -> [u8; 33] {
        let mut stored = [VERSION; 33];
        stored[1..].copy_from_slice(&self.digest);
        stored
    }

    /// True if this is what stands in a file. What cannot be compared counts as the same: the key was
    /// used, and the result it has is the answer that cannot send anything twice.
    pub fn is(&self, stored: &[u8]) -> bool {
        match stored {
            [VERSION, digest @ ..] if digest.len() == 32 => *digest == self.digest,
            unnumbered if unnumbered.len() == 32 => {
                self.legacy.is_some_and(|legacy| *unnumbered == legacy)
            }
            _ => true,
        }
    }
}

#[cfg(any(test, feature = "testing"))]
impl From<[u8; 32]> for Content {
    fn from(digest: [u8; 32]) -> Content {
        Content { digest, legacy: None }
    }
}

/// The digest of what a message says.
pub fn digest(message: &Message) -> [u8; 32] {
    // Without `..`: who adds a field decides here whether it is a part of what a message says.
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
    let mut hash = Hash::new(b"hongyan content 1\0");
    hash.object([
        ("to", to),
        ("text", text),
        ("parts", parts),
        ("title", title),
        ("format", &unusual(format.word(), Format::default().word())),
        ("attachments", attachments),
        ("silent", &silent.then_some(true)),
        ("priority", &unusual(priority.word(), Priority::default().word())),
        ("thread", thread),
        ("overflow", &unusual(overflow.word(), Overflow::default().word())),
        ("reply_to", reply_to),
        ("extra", &extra.as_ref().map(Extra)),
    ]);
    hash.0.finalize().into()
}

/// The name of a recipient, the same for all messages that have the same `to`.
pub fn recipient(to: &To) -> String {
    let mut hash = Hash::new(b"hongyan recipient 1\0");
    to.write(&mut hash);
    format!("{VERSION}:{}", hex(&hash.0.finalize()))
}

/// Bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A digest in the making.
struct Hash(Sha256);

impl Hash {
    fn new(what: &[u8]) -> Hash {
        Hash(Sha256::new_with_prefix(what))
    }

    fn sized(&mut self, kind: u8, bytes: &[u8]) {
        self.0.update([kind]);
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn object<const N: usize>(&mut self, mut members: [(&str, &dyn Canonical); N]) {
        members.sort_unstable_by_key(|(name, _)| *name);
        self.0.update(b"{");
        for (name, value) in members.into_iter().filter(|(_, value)| !value.is_absent()) {
            self.sized(b's', name.as_bytes());
            value.write(self);
        }
        self.0.update(b"}");
    }
}

/// A value that has one way to be written.
trait Canonical {
    fn write(&self, hash: &mut Hash);

    /// True if it says no more than if its field were not there.
    fn is_absent(&self) -> bool {
        false
    }
}

impl Canonical for &str {
    fn write(&self, hash: &mut Hash) {
        hash.sized(b's', self.as_bytes());
    }
}

impl Canonical for String {
    fn write(&self, hash: &mut Hash) {
        self.as_str().write(hash);
    }
}

impl Canonical for i64 {
    fn write(&self, hash: &mut Hash) {
        hash.sized(b'n', self.to_string().as_bytes());
    }
}

impl Canonical for f64 {
    fn write(&self, hash: &mut Hash) {
        hash.0.update(b"d");
        hash.0.update(self.to_bits().to_be_bytes());
    }
}

impl Canonical for bool {
    fn write(&self, hash: &mut Hash) {
        hash.0.update(if *self { b"t" } else { b"f" });
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn write(&self, hash: &mut Hash) {
        match self {
            Some(value) => value.write(hash),
            None => hash.0.update(b"0"),
        }
    }

    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(Canonical::is_absent)
    }
}

impl<T: Canonical> Canonical for Vec<T> {
    fn write(&self, hash: &mut Hash) {
        hash.0.update(b"[");
        self.iter().for_each(|item| item.write(hash));
        hash.0.update(b"]");
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Canonical for To {
    fn write(&self, hash: &mut Hash) {
        let mut kinds: Vec<_> = self.kinds().collect();
        kinds.sort_unstable_by_key(|kind| kind.name());
        hash.0.update(b"{");
        for kind in kinds {
            hash.sized(b's', kind.name().as_bytes());
            let names: Vec<&str> = self.all(kind).collect();
            match kind.is_list() {
                true => names.write(hash),
                false => names.iter().for_each(|name| name.write(hash)),
            }
        }
        hash.0.update(b"}");
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// A word, unless it is the one that goes without saying.
fn unusual(word: &'static str, usual: &'static str) -> Option<&'static str> {
    Some(word).filter(|word| *word != usual)
}

impl Canonical for Attachment {
    fn write(&self, hash: &mut Hash) {
        let (path, digest, url) = match &self.source {
            Source::Path(path) => (Some(path), None, None),
            Source::Bytes(bytes) => (None, Some(hex(&Sha256::digest(bytes))), None),
            Source::Url(url) => (None, None, Some(url)),
            // Of what an outbox keeps the digest stands beside it.
            Source::Kept(_) => (None, None, None),
        };
        hash.object([
            ("name", &self.name),
            ("type", &self.mime),
            ("path", &path),
            ("sha256", &digest),
            ("url", &url),
        ]);
    }
}

impl Canonical for Part {
    fn write(&self, hash: &mut Hash) {
        match self {
            Part::Text(text) => hash.object([("type", &"text"), ("text", text)]),
            Part::Mention { user, name } => {
                hash.object([("type", &"mention"), ("user", user), ("name", name)]);
            }
            Part::MentionAll => hash.object([("type", &"mention"), ("all", &true)]),
            Part::Face { index, data } => {
                hash.object([("type", &"face"), ("index", index), ("data", data)]);
            }
            Part::Location(Location { latitude, longitude, address }) => hash.object([
                ("type", &"location"),
                ("latitude", latitude),
                ("longitude", longitude),
                ("address", address),
            ]),
            Part::Link { url, title, description, thumbnail, image } => hash.object([
                ("type", &"link"),
                ("url", url),
                ("title", title),
                ("description", description),
                ("thumbnail", thumbnail),
                ("image", image),
            ]),
            Part::Custom { data, desc, ext, sound } => hash.object([
                ("type", &"custom"),
                ("data", data),
                ("desc", desc),
                ("ext", ext),
                ("sound", sound),
            ]),
            Part::Raw(value) => hash.object([("type", &"raw"), ("value", &Raw(value))]),
        }
    }
}

/// The parameters of `extra`, of which those that are `null` are not sent.
struct Extra<'a>(&'a Map<String, Value>);

impl Canonical for Extra<'_> {
    fn write(&self, hash: &mut Hash) {
        members(hash, self.0.iter().filter(|(_, value)| !value.is_null()));
    }

    fn is_absent(&self) -> bool {
        self.0.values().all(Value::is_null)
    }
}

impl Canonical for Value {
    fn write(&self, hash: &mut Hash) {
        match self {
            Value::Null => hash.0.update(b"0"),
            Value::Bool(value) => value.write(hash),
            Value::Number(number) if number.is_f64() => {
                number.as_f64().unwrap_or_default().write(hash);
            }
            Value::Number(number) => hash.sized(b'n', number.to_string().as_bytes()),
            Value::String(text) => text.write(hash),
            Value::Array(items) => items.write(hash),
            Value::Object(map) => members(hash, map.iter()),
        }
    }
}

/// The members of an object; of two with one name the first stays the first.
fn members<K: AsRef<str>, V: Canonical>(hash: &mut Hash, members: impl Iterator<Item = (K, V)>) {
    let mut members: Vec<_> = members.collect();
    members.sort_by(|(one, _), (other, _)| one.as_ref().cmp(other.as_ref()));
    hash.0.update(b"{");
    for (name, value) in members {
        name.as_ref().write(hash);
        value.write(hash);
    }
    hash.0.update(b"}");
}

impl<T: Canonical> Canonical for &T {
    fn write(&self, hash: &mut Hash) {
        (*self).write(hash);
    }
}

/// JSON text without white space, whose numbers have more digits than a [`Value`] would keep.
struct Raw<'a>(&'a str);

impl Canonical for Raw<'_> {
    fn write(&self, hash: &mut Hash) {
        match self.0.as_bytes().first() {
            Some(b'{') => {
                let found = json::members(self.0).unwrap_or_default();
                members(hash, found.iter().map(|(name, value)| (name, Raw(value.get()))));
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(self.0).unwrap_or_default();
                items.into_iter().map(|item| Raw(item.get())).collect::<Vec<_>>().write(hash);
            }
            Some(b'"') => match serde_json::from_str::<String>(self.0) {
                Ok(text) => text.write(hash),
                // Half of a character, which has no UTF-8: as it was written.
                Err(_) => hash.sized(b'r', self.0.as_bytes()),
            },
            Some(b't') => true.write(hash),
            Some(b'f') => false.write(hash),
            Some(b'n') => hash.0.update(b"0"),
            _ => hash.sized(b'n', self.0.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests;
