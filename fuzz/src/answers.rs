//! Answers of the services: never taken for more than they say.
//!
//! The first two bytes of an input are the HTTP status: `2` and `0` are 200, `4` and `M` (`0` + 29)
//! are 429. The rest is the body. Fanfou's inputs have a letter before that, for the format.

use std::sync::LazyLock;

use hongyan::testing::{Decoded, Encoded, encode};
use hongyan::{Delivery, ErrorCode};
use serde_json::Value;

use super::success::{self, Success};

type Judge = fn(u16, &str) -> Option<Success>;

/// What is expected of a service's answers.
struct Service {
    /// A message that the answer is for.
    sent: &'static Encoded,
    /// Whether a body is this service's success, with what status.
    success: Judge,
    /// Whether a body may be in this service's envelope; all others are judged by their status.
    may_be_own: fn(&str) -> bool,
    /// What the status alone says, where it says more than HTTP itself.
    own_codes: fn(u16) -> Option<ErrorCode>,
}

fn account(service: &str, more: &str) -> String {
    format!(r#"{{"service": "{service}", {more}}}"#)
}

fn encoded(account: &str, message: &str) -> Encoded {
    let message = format!(r#"{{"v": 1, "account": "a", "text": "hello", {message}}}"#);
    encode(account, &message).expect("the account and the message are in order")
}

const BASIC: &str = r#""auth": {"type": "basic", "username": "test", "password": "pwd"}"#;

fn fanfou(format: &str, extra: &str) -> Encoded {
    let account = account("fanfou", &format!(r#"{BASIC}, "format": "{format}""#));
    encoded(&account, &format!(r#""to": {{"user": "lisztli"}}, "extra": {extra}"#))
}

/// Checks an answer of Fanfou.
pub fn decode_fanfou(data: &[u8]) {
    static JSON: LazyLock<Encoded> = LazyLock::new(|| fanfou("json", "{}"));
    static XML: LazyLock<Encoded> = LazyLock::new(|| fanfou("xml", "{}"));
    static RSS: LazyLock<Encoded> = LazyLock::new(|| fanfou("rss", "{}"));
    static JSONP: LazyLock<Encoded> = LazyLock::new(|| fanfou("json", r#"{"callback": "cb.f"}"#));
    let Some((format, rest)) = data.split_first() else { return };
    let (sent, success): (&'static Encoded, Judge) = match format {
        b'x' => (&XML, success::fanfou_xml),
        b'r' => (&RSS, success::fanfou_rss),
        b'c' => (&JSONP, success::fanfou_jsonp),
        _ => (&JSON, success::fanfou),
    };
    let own_codes = |status| match status {
        400 => Some(ErrorCode::Rejected),
        401 => Some(ErrorCode::Auth),
        403 => Some(ErrorCode::Forbidden),
        404 => Some(ErrorCode::NotFound),
        _ => None,
    };
    // A callback's answer is judged in full where it is a success.
    let may_be_own =
        |body: &str| body.trim_ascii().starts_with("cb") || success::may_be_direct_message(body);
    check(&Service { sent, success, may_be_own, own_codes }, rest);
}

fn sina(format: &str) -> Encoded {
    let account = account("sina", &format!(r#"{BASIC}, "app_key": "k", "format": "{format}""#));
    encoded(&account, r#""to": {"user": "11051"}"#)
}

/// Checks an answer of old Sina, as one to each of the formats.
pub fn decode_sina(data: &[u8]) {
    static JSON: LazyLock<Encoded> = LazyLock::new(|| sina("json"));
    static XML: LazyLock<Encoded> = LazyLock::new(|| sina("xml"));
    let may_be_own = success::may_be_direct_message;
    for (sent, success) in [(&JSON, success::sina as Judge), (&XML, success::sina_xml)] {
        check(&Service { sent, success, may_be_own, own_codes: |_| None }, data);
    }
}

/// Checks an answer of Weibo.
pub fn decode_weibo(data: &[u8]) {
    static SENT: LazyLock<Encoded> = LazyLock::new(|| {
        let account = account("weibo", r#""auth": {"type": "oauth2", "token": "t"}"#);
        encoded(&account, r#""to": {"user": "2125034703"}"#)
    });
    let (success, may_be_own) = (success::weibo, success::may_be_direct_message);
    check(&Service { sent: &SENT, success, may_be_own, own_codes: |_| None }, data);
}

/// Checks an answer of Renren.
pub fn decode_renren(data: &[u8]) {
    static SENT: LazyLock<Encoded> = LazyLock::new(|| {
        let account = account("renren", r#""auth": {"type": "bearer", "token": "t"}"#);
        encoded(&account, r#""extra": {"messageType": "m", "resourceTitle": "t"}"#)
    });
    let (success, may_be_own) = (success::renren, success::may_be_renren);
    check(&Service { sent: &SENT, success, may_be_own, own_codes: |_| None }, data);
}

/// Checks an answer of Tencent IM.
pub fn decode_tencent_im(data: &[u8]) {
    static SENT: LazyLock<Encoded> = LazyLock::new(|| {
        let auth = r#"{"type": "usersig", "sdk_app_id": 1, "identifier": "a", "secret_key": "k"}"#;
        let account = account("tencent_im", &format!(r#""region": "cn", "auth": {auth}"#));
        encoded(&account, r#""to": {"group": "g"}"#)
    });
    let (success, may_be_own) = (success::tencent_im, success::may_be_tencent_im);
    check(&Service { sent: &SENT, success, may_be_own, own_codes: |_| None }, data);
}

/// The status that two bytes stand for, from 0 to 599, and what follows them.
fn status(data: &[u8]) -> Option<(u16, &[u8])> {
    let (&[hundreds, rest], body) = data.split_first_chunk()?;
    let digit = |byte: u8, of: u8| u16::from(byte.wrapping_sub(b'0') % of);
    Some((100 * digit(hundreds, 6) + digit(rest, 100), body))
}

/// All that JSON takes for white space.
const JSON_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

fn check(service: &Service, data: &[u8]) {
    let Some((status, body)) = status(data) else { return };
    let text = std::str::from_utf8(body);
    if has_endless_number(body) {
        return;
    }
    let decoded = service.sent.decode(status, body);
    agrees_with_itself(&decoded);

    // White space around an answer says nothing, unless what must come first then comes too late.
    if !body.starts_with("\u{feff}".as_bytes()) && !body.starts_with(b"<?xml") {
        let spaced = [b" \r\n", body, b"\t\n"].concat();
        assert_eq!(service.sent.decode(status, &spaced), decoded, "with white space around it");
    }

    // A name with an escape has the whole object read by serde_json. Renren's has no other member.
    let trimmed = text.map(|text| text.trim_matches(JSON_SPACE)).unwrap_or_default();
    let inside = trimmed.strip_prefix('{').map(|inside| inside.trim_start_matches(JSON_SPACE));
    if let Some(inside) = inside.filter(|inside| inside.starts_with('"')) {
        let in_full = service.sent.decode(status, format!(r#"{{"\u0078":0,{inside}"#).as_bytes());
        let is_renren = success::renren(200, &String::from_utf8_lossy(body)).is_some();
        assert!(is_renren || in_full == decoded, "{in_full:?} by serde_json, {decoded:?} not");
    }

    if status == 206 || !text.is_ok_and(service.may_be_own) {
        assert_eq!((decoded.delivery, decoded.name), without_envelope(service, status), "{status}");
    }
    if decoded.delivery == Delivery::Sent {
        let text = text.expect("only text can be a success");
        let success = (service.success)(status, text)
            .unwrap_or_else(|| panic!("HTTP {status} was taken for a success: {text}"));
        success.agrees_with(text, decoded.message_id.as_deref());
        cut_is_never_sent(service, status, text);
    }
}

fn agrees_with_itself(decoded: &Decoded) {
    let sent = decoded.delivery == Delivery::Sent;
    assert_eq!(decoded.name.is_none(), sent, "{decoded:?}");
    assert!(sent || decoded.message_id.is_none(), "{decoded:?}");
    assert!(decoded.message_id.as_deref() != Some(""), "{decoded:?}");
}

/// True for a number that no `f64` holds: JSON it is, but more than the reading here can judge.
fn has_endless_number(body: &[u8]) -> bool {
    let read = serde_json::from_slice::<Value>(body.trim_ascii());
    read.is_err_and(|error| error.to_string().starts_with("number out of range"))
}

/// What the status says where the body says nothing.
fn without_envelope(service: &Service, status: u16) -> (Delivery, Option<ErrorCode>) {
    let (delivery, name) = match (status, (service.own_codes)(status)) {
        (_, Some(name)) => (Delivery::NotSent, name),
        (300..=399, _) => (Delivery::NotSent, ErrorCode::Protocol),
        (429, _) => (Delivery::NotSent, ErrorCode::RateLimited),
        (400..=499, _) => (Delivery::NotSent, ErrorCode::Protocol),
        (500..=599, _) => (Delivery::MaybeSent, ErrorCode::Service),
        _ => (Delivery::MaybeSent, ErrorCode::Protocol),
    };
    (delivery, Some(name))
}

/// An answer without its last character, or without its second half, is no success any more.
fn cut_is_never_sent(service: &Service, status: u16, text: &str) {
    // The semicolons behind a callback may be missing.
    let whole = text.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    let mut half = whole.len() / 2;
    while !whole.is_char_boundary(half) {
        half -= 1;
    }
    let last = whole.char_indices().next_back().map_or(0, |(at, _)| at);
    for end in [last, half] {
        let cut = service.sent.decode(status, &whole.as_bytes()[..end]);
        assert_ne!(cut.delivery, Delivery::Sent, "cut at {end} of {whole}");
        agrees_with_itself(&cut);
    }
}
