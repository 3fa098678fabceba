//! Takes secrets out of text, in whatever spelling a service returns them.

mod filter;
mod spelling;

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroizing;

use filter::Filter;
use spelling::{Letter, Text};

/// What stands where a secret stood.
pub const MASK: &str = "***";

/// Shorter secrets are not looked for: to take every such letter out would leave nothing to read.
const SHORTEST: usize = 3;

/// Shorter secrets are taken out only where they stand alone, or half of any answer would go.
const SHORT: usize = 5;

/// A shorter number is taken out only where it is no part of another: ids and times are long numbers.
const SHORT_NUMBER: usize = 8;

/// The beginning of a secret, if it is at least so long, is taken out at the end of a text that was cut.
const SHORT_BEGINNING: usize = 8;

/// The lowest number that is looked for among the numbers of JSON.
const LOWEST: f64 = 100.0;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How the bytes of a secret are written, before any escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Hex,
    /// In a longer text of base64, from the first digit that holds so many bits of a byte before.
    Base64 {
        skipped: usize,
    },
}

const FORMS: [Form; 5] = [
    Form::Plain,
    Form::Base64 { skipped: 0 },
    Form::Base64 { skipped: 4 },
    Form::Base64 { skipped: 2 },
    Form::Hex,
];

/// A secret, and how it is recognised.
#[derive(Clone)]
struct Needle {
    bytes: Zeroizing<Box<[u8]>>,
    is_short: bool,
    /// Its value, where it is a number.
    number: Option<f64>,
}

/// Secrets that are recognised in every spelling: as they stand, in base64 at every alignment and in
/// hexadecimal digits, each letter of these in any escape of URLs, JSON, HTML and XML.
#[derive(Clone, Default)]
pub struct Redactor {
    needles: Vec<Needle>,
}

/// The form with the fewest letters.
const TIGHTEST: Form = Form::Base64 { skipped: 4 };

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} secrets)", self.needles.len())
    }
}

impl Redactor {
    /// Recognises this secret too.
    pub fn add(&mut self, secret: &str) {
        // Whoever reads words often drops the blanks around them.
        if secret.trim() != secret {
            self.add(secret.trim());
        }
        let letters = secret.chars().count();
        let bytes = secret.as_bytes();
        if letters < SHORTEST || self.needles.iter().any(|own| **own.bytes == *bytes) {
            return;
        }
        let number = number(secret).filter(|number| *number >= LOWEST);
        let bytes = Zeroizing::new(bytes.into());
        self.needles.push(Needle { bytes, is_short: letters < SHORT, number });
    }

    /// The secrets that it recognises.
    pub fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        self.needles.iter().map(|needle| &**needle.bytes)
    }

    /// Gives back room that no secret needs: nothing is added any more.
    pub fn shrink(&mut self) {
        self.needles.shrink_to_fit();
    }

    /// Recognises these secrets too.
    pub fn with<'a>(&'a self, secrets: &[String]) -> Cow<'a, Redactor> {
        if secrets.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut all = self.clone();
        secrets.iter().for_each(|secret| all.add(secret));
        Cow::Owned(all)
    }

    /// The text with every secret masked.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.has_room_in(text) {
            return Cow::Borrowed(text);
        }
        let mut masked = Masked::new(text);
        self.mask(Text::plain(text), 0, &self.filter(), &mut masked);
        masked.finish()
    }

    /// The same of a text that may end in the middle of a secret.
    pub fn cut_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Masked::new(text);
        self.mask(Text::plain(text).cut(), 0, &self.filter(), &mut masked);
        masked.finish()
    }

    /// JSON text with the secrets in its strings and among its numbers masked and everything else as it
    /// was.
    pub fn json<'a>(&self, json: &'a str) -> Cow<'a, str> {
        let (bytes, filter) = (json.as_bytes(), self.filter());
        let has_numbers = self.needles.iter().any(|needle| needle.number.is_some());
        // What no string of it holds, the whole may hold, but not the other way round.
        if !has_numbers && self.first(Text::json(bytes), 0, &filter).is_none() {
            return Cow::Borrowed(json);
        }
        let mut masked = Masked::new(json);
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            match bytes[at] {
                b'"' => {
                    at += 1;
                    while at < bytes.len() && bytes[at] != b'"' {
                        at += if bytes[at] == b'\\' { 2 } else { 1 };
                    }
                    let end = at.min(bytes.len());
                    self.mask(Text::json(&bytes[..end]), start + 1, &filter, &mut masked);
                }
                b'-' | b'0'..=b'9' => {
                    let is_part = |b: &u8| b.is_ascii_digit() || b"+-.eE".contains(b);
                    at += bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                    if self.has_number(&json[start..at]) {
                        masked.replace(start, at, "\"***\"");
                    }
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        masked.finish()
    }

    /// What finds the places at which a secret may begin.
    fn filter(&self) -> Filter {
        let mut filter = Filter::default();
        for (n, (needle, form)) in self.forms().enumerate() {
            filter.add(n, std::array::from_fn(|at| needle.letter(form, at)));
        }
        filter
    }

    /// What is looked for.
    fn forms(&self) -> impl Iterator<Item = (&Needle, Form)> {
        let forms = |needle| FORMS.into_iter().map(move |form| (needle, form));
        self.needles.iter().flat_map(forms).filter(|(needle, form)| needle.has(*form))
    }

    /// False for a text in which no secret has room, in any spelling: ids of messages are mostly shorter.
    fn has_room_in(&self, text: &str) -> bool {
        let shortest = |needle: &Needle| needle.bytes.len().min(needle.len(TIGHTEST));
        self.needles.iter().any(|needle| shortest(needle) <= text.len())
    }

    /// True if a number is a secret, however it is written.
    fn has_number(&self, text: &str) -> bool {
        let mut numbers = self.needles.iter().filter(|needle| needle.number.is_some()).peekable();
        numbers.peek().is_some()
            && number(text).is_some_and(|value| numbers.any(|needle| needle.number == Some(value)))
    }

    /// Masks what of `text` stands behind `from`; what overlaps is masked as one.
    fn mask(&self, text: Text<'_>, from: usize, filter: &Filter, masked: &mut Masked<'_>) {
        let mut open: Option<(usize, usize)> = None;
        let mut at = from;
        while let Some(found) = self.first(text, at, filter) {
            open = match open {
                Some((start, old)) if found.start < old => Some((start, found.end.max(old))),
                _ => {
                    open.inspect(|(start, end)| masked.replace(*start, *end, MASK));
                    Some((found.start, found.end))
                }
            };
            at = found.next;
        }
        open.inspect(|(start, end)| masked.replace(*start, *end, MASK));
    }

    /// The first secret that stands behind `from`; of those that begin there the longest.
    fn first(&self, text: Text<'_>, from: usize, filter: &Filter) -> Option<Found> {
        let mut at = from;
        while let Some(start) = filter.next(text.bytes(), at) {
            let next = match spelling::is_escape(text.bytes()[start]) {
                true => text.readings(start).next().map_or(start + 1, |(_, end)| end),
                false => start + 1,
            };
            if let Some(end) = self.end(text, start) {
                return Some(Found { start, end, next });
            }
            at = next;
        }
        None
    }

    /// The end of the longest secret that begins at a place.
    fn end(&self, text: Text<'_>, at: usize) -> Option<usize> {
        let end = |(needle, form): (&Needle, Form)| {
            let end = needle.end(text, at, form, 0)?;
            needle.may_stand(form, text.bytes(), at, end).then_some(end)
        };
        self.forms().filter_map(end).max()
    }
}

/// A secret in a text.
struct Found {
    start: usize,
    end: usize,
    /// Where the next may begin: the two may overlap.
    next: usize,
}

impl Needle {
    /// True if it is looked for in this form: a part of a short one would be found by chance.
    fn has(&self, form: Form) -> bool {
        !self.is_short || matches!(form, Form::Plain | Form::Base64 { skipped: 0 })
    }

    /// How many digits or bytes the form has that are the secret's alone.
    fn len(&self, form: Form) -> usize {
        match form {
            Form::Plain => self.bytes.len(),
            Form::Hex => self.bytes.len() * 2,
            Form::Base64 { skipped } => (self.bytes.len() * 8 - skipped) / 6,
        }
    }

    /// The bytes that this letter of the form may be; every form has two.
    fn letter(&self, form: Form, at: usize) -> [u8; 2] {
        match form {
            Form::Plain if self.bytes[at] == b' ' => [b' ', b'+'],
            Form::Plain => {
                [self.bytes[at].to_ascii_lowercase(), self.bytes[at].to_ascii_uppercase()]
            }
            Form::Hex => [b"0123456789abcdef", b"0123456789ABCDEF"]
                .map(|digits| digits[usize::from(self.hex(at))]),
            Form::Base64 { skipped } => {
                [BASE64, BASE64_URL].map(|digits| digits[usize::from(self.bits(skipped + at * 6))])
            }
        }
    }

    /// How many of the bytes or digits from `done` on a letter is; none if it is another.
    fn accepts(&self, form: Form, done: usize, letter: Letter) -> usize {
        let fits = match (form, letter) {
            (Form::Plain, Letter::Byte(byte)) => match self.bytes[done] {
                // A form writes a space so.
                b' ' => matches!(byte, b' ' | b'+'),
                own if self.is_short => own == byte,
                own => own.eq_ignore_ascii_case(&byte),
            },
            (Form::Plain, Letter::Char(c)) => {
                let mut buffer = [0; 4];
                let bytes = c.encode_utf8(&mut buffer).as_bytes();
                return if self.bytes[done..].starts_with(bytes) { bytes.len() } else { 0 };
            }
            (Form::Hex, Letter::Byte(byte)) => {
                char::from(byte).to_digit(16) == Some(u32::from(self.hex(done)))
            }
            (Form::Base64 { skipped }, Letter::Byte(byte)) => {
                digit(byte) == Some(self.bits(skipped + done * 6))
            }
            _ => false,
        };
        usize::from(fits)
    }

    /// The value of this hexadecimal digit of the secret.
    fn hex(&self, at: usize) -> u8 {
        let byte = self.bytes[at / 2];
        if at.is_multiple_of(2) { byte >> 4 } else { byte & 15 }
    }

    /// Six bits of the secret from this one on; what is behind its end is 0.
    fn bits(&self, at: usize) -> u8 {
        let byte = |n: usize| u16::from(self.bytes.get(n).copied().unwrap_or_default());
        let pair = byte(at / 8) << 8 | byte(at / 8 + 1);
        (pair >> (10 - at % 8) & 63) as u8
    }

    /// Where this form ends that begins at `at`, if it does.
    fn end(&self, text: Text<'_>, mut at: usize, form: Form, mut done: usize) -> Option<usize> {
        while done < self.len(form) {
            // Most letters stand for themselves.
            if let Some(byte) = text.bytes().get(at).filter(|byte| !spelling::is_escape(**byte)) {
                match self.accepts(form, done, Letter::Byte(*byte)) {
                    0 => return None,
                    more => (at, done) = (at + 1, done + more),
                }
                continue;
            }
            // The reading that undoes the most comes first, so that the whole escape goes.
            let fits = |(letter, next)| match self.accepts(form, done, letter) {
                0 => None,
                more => Some((next, done + more)),
            };
            let mut readings = text.readings(at).rev().filter_map(fits);
            let Some(first) = readings.next() else {
                let is_beginning = form == Form::Plain && done >= SHORT_BEGINNING;
                return (is_beginning && text.is_cut_at(at)).then_some(text.bytes().len());
            };
            if readings.clone().next().is_some() {
                return [first]
                    .into_iter()
                    .chain(readings)
                    .find_map(|(at, done)| self.end(text, at, form, done));
            }
            (at, done) = first;
        }
        if let Form::Base64 { skipped } = form {
            at = self.tail(text, at, skipped + done * 6);
        }
        Some(at)
    }

    /// Where base64 ends that has the secret's last bits at this place, with its padding.
    fn tail(&self, text: Text<'_>, mut at: usize, bit: usize) -> usize {
        let next = |at, fits: &dyn Fn(u8) -> bool| {
            text.readings(at).rev().find_map(|(letter, next)| match letter {
                Letter::Byte(byte) if fits(byte) => Some(next),
                _ => None,
            })
        };
        let known = self.bytes.len() * 8 - bit;
        if known > 0 {
            let own = self.bits(bit) >> (6 - known);
            match next(at, &|byte| digit(byte).is_some_and(|digit| digit >> (6 - known) == own)) {
                Some(end) => at = end,
                None => return at,
            }
        }
        for _ in 0..2 {
            at = next(at, &|byte| byte == b'=').unwrap_or(at);
        }
        at
    }

    /// True unless it is so short that what stands around it may have made it by chance.
    fn may_stand(&self, form: Form, text: &[u8], start: usize, end: usize) -> bool {
        let is_number = || self.bytes.iter().all(u8::is_ascii_digit);
        let is_part: fn(&u8) -> bool = match form {
            _ if self.is_short => u8::is_ascii_alphanumeric,
            Form::Plain if self.bytes.len() < SHORT_NUMBER && is_number() => u8::is_ascii_digit,
            _ => return true,
        };
        let before = start.checked_sub(1).and_then(|last| text.get(last)).is_some_and(is_part);
        let behind = text.get(end).is_some_and(is_part);
        !behind && (!before || ends_with_escape(&text[..start]))
    }
}

/// True if the last letter of a text may be the end of an escape, whatever that stands for.
fn ends_with_escape(text: &[u8]) -> bool {
    let tail = &text[text.len().saturating_sub(8)..];
    let Some(at) = tail.iter().rposition(|byte| matches!(byte, b'%' | b'\\')) else { return false };
    match (tail[at], &tail[at + 1..]) {
        (b'%', digits) => digits.len() >= 2 && digits.iter().all(u8::is_ascii_hexdigit),
        (_, [_]) => true,
        (_, [kind, ..]) => matches!(kind, b'u' | b'x'),
        _ => false,
    }
}

/// The value of a digit of base64, standard or URL-safe.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// The size of a number in decimal digits.
fn number(text: &str) -> Option<f64> {
    let is_decimal = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let value = text.parse::<f64>().ok().filter(|value| is_decimal && value.is_finite())?;
    Some(value.abs())
}

/// A text of which parts are replaced, from its beginning to its end.
struct Masked<'a> {
    text: &'a str,
    out: String,
    copied: usize,
}

impl<'a> Masked<'a> {
    fn new(text: &'a str) -> Masked<'a> {
        Masked { text, out: String::new(), copied: 0 }
    }

    fn replace(&mut self, start: usize, end: usize, by: &str) {
        self.out.push_str(&self.text[self.copied..start]);
        self.out.push_str(by);
        self.copied = end;
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.text);
        }
        self.out.push_str(&self.text[self.copied..]);
        Cow::Owned(self.out)
    }
}

#[cfg(test)]
mod tests;
