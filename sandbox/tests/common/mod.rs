//! A client of a few lines, and signers of its own.

// Each test file uses its own part of this.
#![allow(dead_code)]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use hmac::{Hmac, KeyInit, Mac};
use hongyan_sandbox::{Clock, Options, Sandbox};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;

/// When the manual clocks start: the second of the Fanfou document's sample.
pub const NOW_S: u64 = 1_321_501_520;
pub const FORM: &str = "application/x-www-form-urlencoded";
pub const BASIC: &str = "Basic dGVzdDpwd2Q=";
pub const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";

/// An answer, read to the end of the connection.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn parse(bytes: &[u8]) -> Reply {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8(bytes[..end].to_vec()).expect("an ASCII head");
        let status = head[9..12].parse().expect("a status");
        Reply { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// A sandbox on a free port, at `NOW_S` until the clock is moved.
pub fn start() -> (Sandbox, Clock) {
    start_at(NOW_S)
}

pub fn start_at(now_s: u64) -> (Sandbox, Clock) {
    let clock = Clock::manual(now_s * 1000);
    let sandbox = Sandbox::start_with_clock(Options::default(), clock.clone()).expect("starts");
    (sandbox, clock)
}

pub fn connect(sandbox: &Sandbox) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, sandbox.port())).expect("connects");
    // A sandbox that never answers fails its test instead of stopping it.
    stream.set_read_timeout(Some(Duration::from_secs(300))).expect("a time-out");
    stream
}

/// The bytes of a request that asks for the connection to be closed.
pub fn bytes(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        head.push_str("Host: sandbox.test\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

pub fn try_request(
    sandbox: &Sandbox,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Reply> {
    let mut stream = connect(sandbox);
    stream.write_all(&bytes(method, target, headers, body))?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(Reply::parse(&answer))
}

pub fn request(
    sandbox: &Sandbox,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    try_request(sandbox, method, target, headers, body.as_bytes()).expect("an answer")
}

pub fn get(sandbox: &Sandbox, target: &str) -> Reply {
    request(sandbox, "GET", target, &[], "")
}

pub fn fault(sandbox: &Sandbox, fault: Value) {
    sandbox.fault(fault).expect("a fault that is in order");
}

/// Sends by Basic authentication to Fanfou's JSON path.
pub fn fanfou(sandbox: &Sandbox, form: &str) -> Reply {
    let headers = [("Authorization", BASIC), ("Content-Type", FORM)];
    request(sandbox, "POST", "/fanfou/direct_messages/new.json", &headers, form)
}

pub fn escape(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

pub fn form(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(k, v)| format!("{}={}", escape(k), escape(v))).collect();
    pairs.join("&")
}

/// The OAuth parameters of a request to Fanfou, signature included.
pub fn oauth1(
    method: &str,
    url: &str,
    params: &[(&str, &str)],
    nonce: &str,
    timestamp: u64,
) -> Vec<(String, String)> {
    oauth1_of("fanfou", method, url, params, nonce, timestamp)
}

/// The OAuth parameters of a request to `service`.
pub fn oauth1_of(
    service: &str,
    method: &str,
    url: &str,
    params: &[(&str, &str)],
    nonce: &str,
    timestamp: u64,
) -> Vec<(String, String)> {
    let timestamp = timestamp.to_string();
    let (consumer_key, token) = (format!("{service}-consumer-key"), format!("{service}-token"));
    let mut oauth = vec![
        ("oauth_consumer_key", consumer_key.as_str()),
        ("oauth_token", token.as_str()),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", &timestamp),
        ("oauth_nonce", nonce),
        ("oauth_version", "1.0"),
    ];
    let mut all: Vec<_> =
        oauth.iter().chain(params).map(|(k, v)| form(&[(k, v)])).collect::<Vec<_>>();
    all.sort();
    let base = format!("{method}&{}&{}", escape(url), escape(&all.join("&")));
    let key = format!("{service}-consumer-secret&{service}-token-secret");
    let signature = hmac_sha1(&key, &base);
    oauth.push(("oauth_signature", &signature));
    oauth.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// The HMAC-SHA1 of `text`, in base64.
pub fn hmac_sha1(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("any key");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

pub fn oauth1_header(params: &[(String, String)]) -> String {
    let params: Vec<_> =
        params.iter().map(|(k, v)| format!("{}=\"{}\"", escape(k), escape(v))).collect();
    format!("OAuth {}", params.join(", "))
}

/// A UserSig over the given claims.
pub fn usersig(identifier: &str, sdk_app_id: u64, key: &str, time: u64, expire: u64) -> String {
    let lines = format!(
        "TLS.identifier:{identifier}\nTLS.sdkappid:{sdk_app_id}\nTLS.time:{time}\n\
         TLS.expire:{expire}\n"
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key");
    mac.update(lines.as_bytes());
    let object = json!({
        "TLS.ver": "2.0",
        "TLS.identifier": identifier,
        "TLS.sdkappid": sdk_app_id,
        "TLS.expire": expire,
        "TLS.time": time,
        "TLS.sig": STANDARD.encode(mac.finalize().into_bytes()),
    });
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(object.to_string().as_bytes()).expect("memory");
    let text = STANDARD.encode(encoder.finish().expect("memory"));
    text.replace('+', "*").replace('/', "-").replace('=', "_")
}

pub const GROUP: &str = "@TGS#2C5SZEAEF";

/// The target of a group message by the administrator.
pub fn tencent_target() -> String {
    let usersig = usersig("administrator", 1_400_000_000, KEY, NOW_S, 604_800);
    tencent_query(&[
        ("sdkappid", "1400000000"),
        ("identifier", "administrator"),
        ("usersig", &usersig),
        ("random", "4294967295"),
        ("contenttype", "json"),
    ])
}

pub fn tencent_query(query: &[(&str, &str)]) -> String {
    format!("/tencent_im/v4/group_open_http_svc/send_group_msg?{}", form(query))
}

pub fn tencent(sandbox: &Sandbox, body: &Value) -> Value {
    let reply = request(sandbox, "POST", &tencent_target(), &[], &body.to_string());
    assert_eq!(reply.status, 200);
    reply.json()
}

/// A group message with one text.
pub fn group_message(random: u64, text: &str) -> Value {
    json!({
        "GroupId": GROUP,
        "Random": random,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}],
    })
}
