//! Reads a text letter by letter, whatever escape each letter is written in.

/// A letter of a text: a byte of it, or a whole character where an escape names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// As it stands in the text, as `%7C` and `\x7C` name it, and every ASCII character.
    Byte(u8),
    /// Beyond ASCII, as `\u5929` and `&#x5929;` name it.
    Char(char),
}

/// A reading of the text at one place: the letter, and where the next one begins.
pub type Reading = (Letter, usize);

/// How many escapes deep a letter is looked for: JSON in HTML in a query that was encoded twice.
const DEPTH: usize = 4;

/// The names of HTML for characters of ASCII, in any letter case.
const ASCII_NAMES: &str = "amp& lt< gt> quot\" apos' sol/ bsol\\ plus+ equals= percnt% num# dollar$ excl! ast* \
     midast* comma, colon: semi; quest? commat@ lsqb[ lbrack[ rsqb] rbrack] hat^ lowbar_ grave` lcub{ \
     lbrace{ rcub} rbrace} verbar| vert| lpar( rpar) period.";

/// The names of HTML for the characters from U+00A0 to U+00FF.
const LATIN_NAMES: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg \
     plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave \
     Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH \
     Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave \
     aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth \
     ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/// A text to be read.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    bytes: &'a [u8],
    /// How many escapes the text has by itself, which are never read as they stand: those of a JSON
    /// string, half of which must not be taken away.
    own: usize,
    /// True if it may have been longer.
    is_cut: bool,
}

/// True if a byte may begin an escape.
pub const fn is_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&')
}

impl<'a> Text<'a> {
    /// Any text.
    pub fn plain(text: &'a str) -> Text<'a> {
        Text { bytes: text.as_bytes(), own: 0, is_cut: false }
    }

    /// What ends where a string of JSON ends: a reading never splits an escape of it.
    pub fn json(bytes: &'a [u8]) -> Text<'a> {
        Text { bytes, own: 1, is_cut: false }
    }

    /// The same, which may have been longer.
    pub fn cut(self) -> Text<'a> {
        Text { is_cut: true, ..self }
    }

    /// True if the text was cut here, or within the escape that begins here.
    pub fn is_cut_at(&self, at: usize) -> bool {
        let rest = self.bytes.get(at..).unwrap_or_default();
        self.is_cut && (rest.is_empty() || is_escape(rest[0]) && rest.len() < 8)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What may be read at a place, from the least decoded to the most; nothing at the end.
    pub fn readings(&self, at: usize) -> impl DoubleEndedIterator<Item = Reading> + Clone {
        let mut found = [None; DEPTH + 1];
        for level in self.own..=self.own + DEPTH {
            let Some(reading) = self.read(at, level) else { break };
            found[level - self.own] = Some(reading).filter(|_| !found.contains(&Some(reading)));
            if !matches!(reading.0, Letter::Byte(byte) if is_escape(byte)) {
                break;
            }
        }
        found.into_iter().flatten()
    }

    /// The letter at a place where so many escapes are undone.
    fn read(&self, at: usize, level: usize) -> Option<Reading> {
        let Some(below) = level.checked_sub(1) else {
            return self.bytes.get(at).map(|byte| (Letter::Byte(*byte), at + 1));
        };
        let (letter, next) = self.read(at, below)?;
        let decoded = match letter {
            Letter::Byte(b'\\') => self.backslash(next, below),
            Letter::Byte(b'%') if level > self.own => self.percent(next, below),
            Letter::Byte(b'&') if level > self.own => self.entity(next, below),
            _ => None,
        };
        Some(decoded.unwrap_or((letter, next)))
    }

    /// A byte where so many escapes are undone.
    fn byte(&self, at: usize, level: usize) -> Option<(u8, usize)> {
        match self.read(at, level)? {
            (Letter::Byte(byte), next) => Some((byte, next)),
            _ => None,
        }
    }

    /// A number of so many hexadecimal digits.
    fn hex(&self, mut at: usize, digits: usize, level: usize) -> Option<(u32, usize)> {
        let mut value = 0;
        for _ in 0..digits {
            let (byte, next) = self.byte(at, level)?;
            value = value * 16 + char::from(byte).to_digit(16)?;
            at = next;
        }
        Some((value, at))
    }

    /// What stands behind `%`: two digits, or `u` and four.
    fn percent(&self, at: usize, level: usize) -> Option<Reading> {
        if let (b'u', at) = self.byte(at, level)? {
            return self.unicode(at, b'%', level);
        }
        let (value, next) = self.hex(at, 2, level)?;
        Some((Letter::Byte(u8::try_from(value).ok()?), next))
    }

    /// What stands behind `\`, in JSON and where bytes are written for people.
    fn backslash(&self, at: usize, level: usize) -> Option<Reading> {
        let (kind, at) = self.byte(at, level)?;
        let byte = match kind {
            b'u' => return self.unicode(at, b'\\', level),
            b'x' => {
                let (value, next) = self.hex(at, 2, level)?;
                return Some((Letter::Byte(u8::try_from(value).ok()?), next));
            }
            b'"' | b'\\' | b'/' | b'\'' => kind,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            _ => return None,
        };
        Some((Letter::Byte(byte), at))
    }

    /// What stands behind `\u` or `%u`: four digits, with a second escape behind half a pair; or any in
    /// braces.
    fn unicode(&self, at: usize, sign: u8, level: usize) -> Option<Reading> {
        if let (b'{', at) = self.byte(at, level)? {
            let (value, next) = self.number(at, 16, level)?;
            let (b'}', next) = self.byte(next, level)? else { return None };
            return Some((letter(char::from_u32(value)?), next));
        }
        let (first, next) = self.hex(at, 4, level)?;
        if let Some(c) = char::from_u32(first) {
            return Some((letter(c), next));
        }
        let second = || {
            let (_, at) = self.byte(next, level).filter(|(byte, _)| *byte == sign)?;
            let (b'u', at) = self.byte(at, level)? else { return None };
            let (second, next) = self.hex(at, 4, level)?;
            let pair = char::decode_utf16([first as u16, second as u16]).next()?.ok()?;
            Some((Letter::Char(pair), next))
        };
        Some(second().unwrap_or((Letter::Char(char::REPLACEMENT_CHARACTER), next)))
    }

    /// The number that stands here, of a few digits.
    fn number(&self, mut at: usize, radix: u32, level: usize) -> Option<(u32, usize)> {
        let mut value = None;
        for _ in 0..12 {
            let Some((byte, next)) = self.byte(at, level) else { break };
            let Some(digit) = char::from(byte).to_digit(radix) else { break };
            value = Some(value.unwrap_or(0u32).saturating_mul(radix).saturating_add(digit));
            at = next;
        }
        value.map(|value| (value, at))
    }

    /// What stands behind `&`: a number or a name, of which HTML lets some end without `;`.
    fn entity(&self, at: usize, level: usize) -> Option<Reading> {
        let ended =
            |at| self.byte(at, level).filter(|(byte, _)| *byte == b';').map(|(_, next)| next);
        if let (b'#', at) = self.byte(at, level)? {
            let (value, next) = match self.byte(at, level)? {
                (b'x' | b'X', at) => self.number(at, 16, level)?,
                _ => self.number(at, 10, level)?,
            };
            return Some((letter(char::from_u32(value)?), ended(next).unwrap_or(next)));
        }
        let (mut name, mut length, mut next) = ([0; 6], 0, at);
        while length < name.len()
            && let Some((byte, after)) =
                self.byte(next, level).filter(|(b, _)| b.is_ascii_alphanumeric())
        {
            name[length] = byte;
            (length, next) = (length + 1, after);
            if let Some(end) = ended(next) {
                return named(&name[..length]).map(|letter| (letter, end));
            }
            let short = matches!(
                &name[..length].to_ascii_lowercase()[..],
                b"amp" | b"lt" | b"gt" | b"quot"
            );
            if short {
                return named(&name[..length]).map(|letter| (letter, next));
            }
        }
        None
    }
}

fn letter(c: char) -> Letter {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => Letter::Byte(byte),
        _ => Letter::Char(c),
    }
}

/// The character that HTML calls so.
fn named(name: &[u8]) -> Option<Letter> {
    let ascii = ASCII_NAMES.split(' ').filter_map(|entry| entry.as_bytes().split_last());
    let ascii = ascii.into_iter().find(|(_, own)| own.eq_ignore_ascii_case(name));
    ascii.map(|(letter, _)| Letter::Byte(*letter)).or_else(|| {
        let place = LATIN_NAMES.split(' ').position(|own| own.as_bytes() == name)?;
        char::from_u32(0xA0 + u32::try_from(place).ok()?).map(Letter::Char)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letter that a whole text is at most.
    fn most(text: &str) -> Option<Letter> {
        let reading = Text::plain(text).readings(0).next_back();
        reading.filter(|(_, end)| *end == text.len()).map(|(letter, _)| letter)
    }

    #[test]
    fn every_escape_of_a_letter_is_undone() {
        for text in [
            "|",
            "%7C",
            "%7c",
            "%257C",
            "%25257c",
            "%u007C",
            "\\u007C",
            "\\u007c",
            "\\\\u007c",
            "\\x7c",
            "\\u{7C}",
            "&#124;",
            "&#124",
            "&#0000124;",
            "&#x7c;",
            "&#X7C;",
            "&verbar;",
            "&VERT;",
            "&amp;#124;",
            "&AMP;#x7C;",
            "%26%23124%3B",
            "\\u0026#124;",
            "&#37;7C",
            "&#x25;7c",
            "\\u00257C",
        ] {
            assert_eq!(most(text), Some(Letter::Byte(b'|')), "{text}");
        }
        for text in ["é", "天", "😀"] {
            let c = text.chars().next().expect("a letter");
            let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
            let scalar = u32::from(c);
            for text in [
                units,
                format!("&#{scalar};"),
                format!("&#x{scalar:x};"),
                format!("\\u{{{scalar:x}}}"),
            ] {
                assert_eq!(most(&text), Some(Letter::Char(c)), "{text}");
            }
        }
        assert_eq!(most("&eacute;"), Some(Letter::Char('é')));
        assert_eq!(most("&yuml;"), Some(Letter::Char('ÿ')));
        assert_eq!(most("\\/"), Some(Letter::Byte(b'/')));
    }

    #[test]
    fn what_is_no_escape_stands_for_itself() {
        for text in [
            "%",
            "%7",
            "%7g",
            "%%7C",
            "\\",
            "\\u12",
            "\\q",
            "&",
            "&;",
            "&#;",
            "&#x;",
            "&nosuch;",
            "&#x110000;",
        ] {
            let readings: Vec<_> = Text::plain(text).readings(0).collect();
            assert_eq!(readings, [(Letter::Byte(text.as_bytes()[0]), 1)], "{text}");
        }
        assert_eq!(Text::plain("").readings(0).count(), 0);
    }

    #[test]
    fn an_escape_of_a_json_string_is_never_split() {
        for text in ["\\\\", "\\n", "\\u0041", "\\ud83d\\ude00", "\\ud800"] {
            let all = Text::json(text.as_bytes());
            assert!(all.readings(0).all(|(_, end)| end == text.len()), "{text}");
        }
        // A backslash of JSON may begin an escape of what the string holds.
        let ends: Vec<_> = Text::json(br"\\u0041").readings(0).collect();
        assert_eq!(ends, [(Letter::Byte(b'\\'), 2), (Letter::Byte(b'A'), 7)]);
    }
}
