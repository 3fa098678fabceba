//! Percent-encoding and form bodies, written apart from any client's.

/// Decodes `application/x-www-form-urlencoded` pairs; `None` where an escape or UTF-8 is broken.
pub(crate) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescape(name, true)?, unescape(value, true)?))
        })
        .collect()
}

/// Decodes percent escapes, and `+` as a space where `plus` says so.
pub(crate) fn unescape(text: &str, plus: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' if plus => b' ',
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

/// Encodes everything but the unreserved characters of RFC 3986, with upper-case digits.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    out
}

/// The first value under `name`.
pub(crate) fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_pairs() {
        let pairs = pairs("a=b+c%2Bd&e&=f&g=h=i&%E4%BD%A0=~").expect("well-formed");
        let expected = [("a", "b c+d"), ("e", ""), ("", "f"), ("g", "h=i"), ("你", "~")];
        assert_eq!(pairs, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(first(&pairs, "g"), Some("h=i"));
        assert_eq!(first(&pairs, "x"), None);
    }

    #[test]
    fn refuses_broken_escapes() {
        for broken in ["a=%", "a=%4", "a=%zz", "a=%ff", "%E4%BD=1"] {
            assert_eq!(pairs(broken), None, "{broken}");
        }
    }

    #[test]
    fn escapes_all_but_unreserved() {
        assert_eq!(escape("aZ09-._~ +&=%你"), "aZ09-._~%20%2B%26%3D%25%E4%BD%A0");
    }
}
