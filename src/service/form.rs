//! Percent-encoding of forms, queries and signature base strings.

/// The type of a form.
pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// What stands for a byte: itself, or `%XX`. RFC 3986 unreserved bytes stay.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

fn push_percent(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

/// Appends the text percent-encoded by RFC 3986: what OAuth 1.0a signs and queries carry.
pub fn push_encoded(out: &mut Vec<u8>, text: &str) {
    for &byte in text.as_bytes() {
        if is_unreserved(byte) { out.push(byte) } else { push_percent(out, byte) }
    }
}

/// The text percent-encoded by RFC 3986.
pub fn encoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() * 3 / 2);
    push_encoded(&mut out, text);
    out.into_iter().map(char::from).collect()
}

/// A body of type `application/x-www-form-urlencoded`: spaces become `+`.
pub fn body(params: &[(&str, String)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(params.iter().map(|(k, v)| k.len() + v.len() * 3 + 2).sum());
    for (name, value) in params {
        if !out.is_empty() {
            out.push(b'&');
        }
        push_form(&mut out, name);
        out.push(b'=');
        push_form(&mut out, value);
    }
    out
}

fn push_form(out: &mut Vec<u8>, text: &str) {
    for &byte in text.as_bytes() {
        match byte {
            b' ' => out.push(b'+'),
            byte if is_unreserved(byte) => out.push(byte),
            byte => push_percent(out, byte),
        }
    }
}
