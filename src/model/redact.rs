//! Takes secrets out of text that came from a service, in whatever encoding they return.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// What stands where a secret stood.
pub const MASK: &str = "***";

/// Shorter secrets are taken out only where they stand alone, or half of any answer would go.
const SHORT: usize = 5;

/// How long a needle may be that the standard library looks for in many bytes at once.
const CHEAP: usize = 32;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The forms under which some secrets are recognised: plain, percent- and base64-encoded.
#[derive(Clone, Default)]
pub struct Redactor {
    patterns: Vec<Zeroizing<String>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} patterns)", self.patterns.len())
    }
}

impl Redactor {
    /// Recognises this secret too.
    pub fn add(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let once = utf8_percent_encode(secret, UNRESERVED).to_string();
        let twice = utf8_percent_encode(&once, UNRESERVED).to_string();
        let form = once.replace("%20", "+");
        let mut forms = vec![secret.to_owned(), form, once.to_lowercase(), twice.to_lowercase()];
        forms.extend([once, twice]);
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(secret);
            forms.push(utf8_percent_encode(&encoded, UNRESERVED).to_string());
            forms.push(encoded);
        }
        let escaped: Vec<_> = forms.iter().flat_map(|form| escapes(form)).collect();
        forms.extend(escaped);
        // The longest first, and none twice.
        for form in forms.into_iter().map(Zeroizing::new) {
            let order = |other: &Zeroizing<String>| {
                form.len().cmp(&other.len()).then_with(|| other.as_str().cmp(&form))
            };
            if let Err(place) = self.patterns.binary_search_by(order) {
                self.patterns.insert(place, form);
            }
        }
    }

    /// The text with every secret masked.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for pattern in &self.patterns {
            if let Some(masked) = masked(&text, pattern) {
                text = Cow::Owned(masked);
            }
        }
        text
    }

    /// JSON text with the secrets in its strings masked and everything else as it was.
    ///
    /// Strings are compared unescaped, since a server may escape what it echoes.
    pub fn json<'a>(&self, json: &'a str) -> Cow<'a, str> {
        let mut out = String::new();
        let mut copied = 0;
        let bytes = json.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            if bytes[i] != b'"' {
                i += 1;
                continue;
            }
            let start = i;
            i += 1;
            while i < bytes.len() && bytes[i] != b'"' {
                i += if bytes[i] == b'\\' { 2 } else { 1 };
            }
            i = (i + 1).min(bytes.len());
            let literal = &json[start..i];
            let Ok(text) = serde_json::from_str::<Cow<'_, str>>(literal) else { continue };
            if let Cow::Owned(masked) = self.text(&text) {
                out.push_str(&json[copied..start]);
                out.push_str(&serde_json::Value::String(masked).to_string());
                copied = i;
            }
        }
        if copied == 0 {
            return Cow::Borrowed(json);
        }
        out.push_str(&json[copied..]);
        Cow::Owned(out)
    }
}

/// As JSON and HTML write a text: what is cut off or is no JSON is compared as it stands.
fn escapes(text: &str) -> [String; 5] {
    let json = text.replace('\\', "\\\\").replace('"', "\\\"");
    let ascii = |json: &str| {
        let mut units = [0; 2];
        json.chars()
            .map(|c| match c.is_ascii() {
                true => c.to_string(),
                false => c.encode_utf16(&mut units).iter().map(|u| format!("\\u{u:04x}")).collect(),
            })
            .collect::<String>()
    };
    let slashes = json.replace('/', "\\/");
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let html_too = html.replace('>', "&gt;").replace('\'', "&#39;");
    [ascii(&slashes), slashes, json, html, html_too]
}

/// The text with `pattern` masked, or `None` where it does not occur.
fn masked(text: &str, pattern: &str) -> Option<String> {
    // Most texts hold no secret. To look for so short a beginning is cheap, while every search for the
    // whole would study the pattern first.
    let beginning = (0..=pattern.len().min(CHEAP)).rev().find_map(|end| pattern.get(..end));
    if !text.contains(beginning.unwrap_or(pattern)) {
        return None;
    }
    let short = pattern.len() < SHORT;
    let mut out: Option<String> = None;
    let mut copied = 0;
    let mut from = 0;
    while let Some(at) = text[from..].find(pattern).map(|at| at + from) {
        let end = at + pattern.len();
        let alone = !text[..at].ends_with(char::is_alphanumeric)
            && !text[end..].starts_with(char::is_alphanumeric);
        if !short || alone {
            let out = out.get_or_insert_default();
            out.push_str(&text[copied..at]);
            out.push_str(MASK);
            copied = end;
        }
        from = end;
    }
    out.map(|mut out| {
        out.push_str(&text[copied..]);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        let mut redactor = Redactor::default();
        for secret in ["s3cr&t/=é", "pwd"] {
            redactor.add(secret);
        }
        redactor
    }

    #[test]
    fn every_encoding_of_a_secret_is_masked() {
        let r = redactor();
        for text in [
            "s3cr&t/=é",
            "s3cr%26t%2F%3D%C3%A9",
            "s3cr%26t%2f%3d%c3%a9",
            "s3cr%2526t%252F%253D%25C3%25A9",
            "czNjciZ0Lz3DqQ==",
            "czNjciZ0Lz3DqQ%3D%3D",
        ] {
            assert_eq!(r.text(&format!("a{text}b")), "a***b", "{text}");
        }
    }

    #[test]
    fn a_long_secret_is_masked_as_a_whole_only() {
        // No character ends where the beginning that is looked for first would end.
        let secret = "s".to_owned() + &"é".repeat(40);
        let mut r = Redactor::default();
        r.add(&secret);
        assert_eq!(r.text(&format!("a {secret} b {secret}")), "a *** b ***");
        let other = secret.replacen("ééé", "éée", 1);
        assert_eq!(r.text(&other), other);
        assert_eq!(r.text(&secret[..41]), secret[..41]);
    }

    #[test]
    fn a_short_secret_is_masked_only_where_it_stands_alone() {
        assert_eq!(redactor().text("pwd=pwd, cpwds"), "***=***, cpwds");
    }

    #[test]
    fn json_keeps_its_digits_and_loses_escaped_secrets() {
        let json =
            r#"{"id":12345678901234567890123,"x":1.10,"e":"a s3cr&t\/=\u00e9 \"q\"","n":"ok\n"}"#;
        assert_eq!(
            redactor().json(json),
            r#"{"id":12345678901234567890123,"x":1.10,"e":"a *** \"q\"","n":"ok\n"}"#
        );
    }
}
