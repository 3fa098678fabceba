//! Reads the fields that are wanted out of a JSON object, and steps over all others.
//!
//! Most of an answer are fields that nobody wants, and serde_json steps over them byte by byte. Here
//! it is done by eight bytes where it can be, and as strictly: what is read here, serde_json reads
//! too, and as the same. Whatever is not certain is an error, and has to be read by serde_json.

use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, de, forward_to_deserialize_any};
use serde_json::Error;

/// The deepest nesting that is read, the object itself included.
pub const MAX_DEPTH: usize = 64;

/// Reads a struct that ignores fields which it does not know.
pub fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    T::deserialize(Object(text))
}

/// The text of an object.
struct Object<'a>(&'a str);

impl<'de> Deserializer<'de> for Object<'de> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        wanted: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let bytes = self.0.as_bytes();
        let Some((b'{', at)) = token(bytes, 0) else { return Err(uncertain()) };
        let (first, at) = token(bytes, at + 1).ok_or_else(uncertain)?;
        let mut members = Members { text: self.0, at, is_end: first == b'}', wanted };
        let read = visitor.visit_map(&mut members)?;
        let is_whole = members.is_end && token(bytes, members.at + 1).is_none();
        if is_whole { Ok(read) } else { Err(uncertain()) }
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(uncertain())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn uncertain() -> Error {
    de::Error::custom("it is left to serde_json")
}

/// The members of an object that are wanted.
struct Members<'a> {
    text: &'a str,
    /// Where the next member begins, or its value, or where the object is closed.
    at: usize,
    is_end: bool,
    wanted: &'static [&'static str],
}

impl<'a> Members<'a> {
    /// Steps over a name, up to its value.
    fn name(&mut self) -> Option<&'a [u8]> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let end = text(bytes, start)?;
        // A name with an escape might be any.
        if bytes.get(self.at)? != &b'"' || bytes.get(end)? != &b'"' {
            return None;
        }
        self.at = colon(bytes, end + 1)?;
        bytes.get(start..end)
    }

    /// Steps over a value, up to the next member.
    fn value(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let end = value(bytes, self.at, MAX_DEPTH - 1)?;
        let value = self.text.get(self.at..end)?;
        let (first, at) = token(bytes, end)?;
        (self.is_end, self.at) = match first {
            b',' => (false, token(bytes, at + 1)?.1),
            b'}' => (true, at),
            _ => return None,
        };
        Some(value)
    }
}

impl<'de> MapAccess<'de> for &mut Members<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        while !self.is_end {
            let name = self.name().ok_or_else(uncertain)?;
            if let Some(name) = self.wanted.iter().find(|wanted| wanted.as_bytes() == name) {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
            self.value().ok_or_else(uncertain)?;
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let value = self.value().ok_or_else(uncertain)?;
        let mut reader = serde_json::Deserializer::from_str(value);
        let read = seed.deserialize(&mut reader)?;
        reader.end().map(|()| read)
    }
}

// What follows takes where something begins, and gives where it ends if it is in order.

/// A value, with arrays and objects in it that nest to a depth of `deeper`.
#[inline(always)]
fn value(bytes: &[u8], at: usize, deeper: usize) -> Option<usize> {
    let (first, at) = token(bytes, at)?;
    match first {
        b'"' => string(bytes, at + 1),
        b'{' => object(bytes, at + 1, deeper.checked_sub(1)?),
        b'[' => array(bytes, at + 1, deeper.checked_sub(1)?),
        b'-' | b'0'..=b'9' => number(bytes, at),
        b't' => word(bytes, at, b"true"),
        b'f' => word(bytes, at, b"false"),
        b'n' => word(bytes, at, b"null"),
        _ => None,
    }
}

/// An object, from behind its bracket on.
fn object(bytes: &[u8], at: usize, deeper: usize) -> Option<usize> {
    let (mut first, mut at) = token(bytes, at)?;
    if first == b'}' {
        return Some(at + 1);
    }
    while first == b'"' {
        at = value(bytes, colon(bytes, string(bytes, at + 1)?)?, deeper)?;
        (first, at) = token(bytes, at)?;
        match first {
            b',' => (first, at) = token(bytes, at + 1)?,
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
    None
}

/// An array, from behind its bracket on.
fn array(bytes: &[u8], at: usize, deeper: usize) -> Option<usize> {
    let (first, mut at) = token(bytes, at)?;
    if first == b']' {
        return Some(at + 1);
    }
    loop {
        let (next, end) = token(bytes, value(bytes, at, deeper)?)?;
        at = end + 1;
        match next {
            b',' => {}
            b']' => return Some(at),
            _ => return None,
        }
    }
}

/// A colon, after white space.
fn colon(bytes: &[u8], at: usize) -> Option<usize> {
    let (colon, at) = token(bytes, at)?;
    (colon == b':').then_some(at + 1)
}

/// A string, from behind its quote on.
#[inline(always)]
fn string(bytes: &[u8], at: usize) -> Option<usize> {
    let at = text(bytes, at)?;
    if *bytes.get(at)? == b'"' { Some(at + 1) } else { escaped(bytes, at) }
}

/// The rest of a string, from an escape on; which characters make a pair is not looked at.
#[inline(never)]
fn escaped(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let end = match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'"', _) => return Some(at + 1),
            (b'\\', Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => at + 2,
            (b'\\', Some(b'u')) => {
                let digits = bytes.get(at + 2..at + 6)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 6)?
            }
            _ => return None,
        };
        at = text(bytes, end)?;
    }
}

/// A number, from its sign or first digit on.
#[inline(always)]
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let start = at + usize::from(bytes.get(at) == Some(&b'-'));
    let end = digits(bytes, start)?;
    match bytes.get(end) {
        _ if bytes.get(start) == Some(&b'0') && end > start + 1 => None,
        Some(b'.') => exponent(bytes, digits(bytes, end + 1)?),
        Some(b'e' | b'E') => exponent(bytes, end),
        _ => Some(end),
    }
}

/// An exponent, if there is one.
fn exponent(bytes: &[u8], at: usize) -> Option<usize> {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'e' | b'E'), Some(b'+' | b'-')) => digits(bytes, at + 2),
        (Some(b'e' | b'E'), _) => digits(bytes, at + 1),
        _ => Some(at),
    }
}

/// One digit or more.
#[inline(always)]
fn digits(bytes: &[u8], at: usize) -> Option<usize> {
    run(bytes, at, no_digits, |byte| !byte.is_ascii_digit()).filter(|end| *end > at)
}

/// A literal.
fn word(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// The next byte that is no white space, and where it stands.
#[inline(always)]
fn token(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    match *bytes.get(at)? {
        byte if byte > b' ' => Some((byte, at)),
        _ => token_after_space(bytes, at),
    }
}

#[cold]
fn token_after_space(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    while let b' ' | b'\n' | b'\r' | b'\t' = bytes.get(at)? {
        at += 1;
    }
    Some((*bytes.get(at)?, at))
}

/// Bytes up to a quote, a backslash or a control character.
#[inline(never)]
fn text(bytes: &[u8], at: usize) -> Option<usize> {
    run(bytes, at, no_text, |byte| matches!(byte, b'"' | b'\\' | ..0x20))
}

/// Bytes up to the first that is marked by `marks` among eight, or by `ends` where less are left.
#[inline(always)]
fn run(
    bytes: &[u8],
    mut at: usize,
    marks: impl Fn(u64) -> u64,
    ends: impl Fn(&u8) -> bool,
) -> Option<usize> {
    let (chunks, rest) = bytes.get(at..)?.as_chunks();
    for chunk in chunks {
        let marks = marks(u64::from_le_bytes(*chunk));
        if marks != 0 {
            return Some(at + marks.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    rest.iter().position(ends).map(|n| at + n)
}

/// Each of eight bytes, as one number.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Marks quotes, backslashes and control characters; what is behind the first may be wrong.
fn no_text(bytes: u64) -> u64 {
    // What is less than is taken away goes below zero, and borrows only from what is behind it.
    // A quote and the space are 0x20 and 0x22 here, so that the quote follows the controls.
    let quotes = (bytes ^ each(b'"' ^ b' ')).wrapping_sub(each(b' ' + 1));
    let backslashes = (bytes ^ each(b'\\')).wrapping_sub(each(1));
    (quotes | backslashes) & !bytes & each(0x80)
}

/// Marks whatever is no digit; what is behind the first may be wrong.
fn no_digits(bytes: u64) -> u64 {
    // This makes 0 to 9 of the digits, and 0x0a to 0xff of all other bytes.
    let values = bytes ^ each(b'0');
    (values.wrapping_add(each(0x80 - 10)) | values) & each(0x80)
}
