//! Servers that mean harm, over real sockets: bounded, never a crash, never a false `sent`.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;

use std::io::{self, Write};
use std::net::TcpStream;

use accounts::{ACCOUNTS, client, config_with, message, send, success, verdict};
use flate2::Compression;
use flate2::write::GzEncoder;
use raw::{RawServer, Then, answer, client_gone};
use serde_json::json;

/// The time-out where it is what ends the attempt, and where it must not be.
const SHORT_MS: u64 = 300;
const LONG_MS: u64 = 120_000;
const ATTEMPTS: usize = 3;

const UNREADABLE: (&str, &str) = ("maybe_sent", "protocol");
const LOST: (&str, &str) = ("maybe_sent", "network");
const TOO_SLOW: (&str, &str) = ("maybe_sent", "timeout");
const REFUSED: (&str, &str) = ("not_sent", "protocol");
const SENT: (&str, &str) = ("sent", "ok");

/// A behaviour: writes an answer around `ok`, the body of a success.
type Behave = fn(&mut TcpStream, &'static str) -> io::Result<Then>;

/// Sends through every account to a server that behaves so, and compares.
fn check(what: &str, behave: Behave, expected: (&str, &str)) {
    for (name, _) in ACCOUNTS {
        check_one(what, name, behave, expected);
    }
}

fn check_one(what: &str, name: &'static str, behave: Behave, expected: (&str, &str)) {
    let mut timeout_ms = if expected == TOO_SLOW { SHORT_MS } else { LONG_MS };
    loop {
        let server = RawServer::start(move |_, stream| behave(stream, success(name)));
        let client = client(&config_with(&server.url(), json!({"timeout_ms": timeout_ms})));
        let receipt = send(&client, &message(name));
        let attempts = receipt.attempts as usize;
        // A slow machine may not even get a request out in that time: then it gets more.
        if expected == TOO_SLOW && server.request_count() < attempts && timeout_ms < LONG_MS {
            timeout_ms *= 4;
            continue;
        }
        let words = receipt.error.as_ref().map(ToString::to_string);
        assert_eq!(verdict(&receipt), expected, "{what}, {name}: {words:?}");
        // Tencent recognises what is sent again; with Fanfou a doubt is one request.
        let resent = expected.0 == "maybe_sent" && name == "im";
        let requests = if resent { ATTEMPTS } else { 1 };
        assert_eq!(server.request_count(), requests, "requests of {what}, {name}");
        assert_eq!(attempts, requests, "attempts of {what}, {name}");
        return;
    }
}

fn close_after(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) -> io::Result<Then> {
    stream.write_all(bytes.as_ref())?;
    Ok(Then::Close)
}

fn reply(stream: &mut TcpStream, fields: &str, body: impl AsRef<[u8]>) -> io::Result<Then> {
    stream.write_all(&answer(200, fields, body))?;
    Ok(Then::Keep)
}

/// Writes for ever, which ends when the client has had enough.
fn flood(stream: &mut TcpStream, head: &str, chunk: &[u8]) -> io::Result<Then> {
    stream.write_all(head.as_bytes())?;
    loop {
        stream.write_all(chunk)?;
    }
}

/// Writes a byte now and then until the client has had enough.
fn drip(stream: &mut TcpStream, head: &str, byte: &[u8]) -> io::Result<Then> {
    stream.write_all(head.as_bytes())?;
    while !client_gone(stream)? {
        stream.write_all(byte)?;
    }
    Ok(Then::Close)
}

#[test]
fn an_endless_answer_is_cut() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    check("endless body", |s, _| flood(s, HEAD, &[b'a'; 4096]), UNREADABLE);
    check(
        "endless chunks",
        |s, _| flood(s, CHUNKED, format!("1000\r\n{}\r\n", "a".repeat(4096)).as_bytes()),
        UNREADABLE,
    );
    check(
        "endless blanks after a success",
        |s, ok| flood(s, &format!("{HEAD}{ok}"), &[b' '; 4096]),
        UNREADABLE,
    );
    check(
        "endless body of a refusal",
        |s, _| flood(s, "HTTP/1.1 418 no\r\nConnection: close\r\n\r\n", &[b'a'; 4096]),
        REFUSED,
    );
}

#[test]
fn a_slow_answer_is_given_up() {
    check("hang", |_, _| Ok(Then::Hang), TOO_SLOW);
    check(
        "slow body",
        |s, _| drip(s, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "),
        TOO_SLOW,
    );
    check(
        "slow blanks after a success",
        |s, ok| drip(s, &format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{ok}"), b" "),
        TOO_SLOW,
    );
    check("slow fields", |s, _| drip(s, "HTTP/1.1 200 OK\r\n", b"A: b\r\n"), TOO_SLOW);
    check("slow status line", |s, _| drip(s, "HTTP/1.1 200 ", b"O"), TOO_SLOW);
    check(
        "slow chunks",
        |s, _| drip(s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        TOO_SLOW,
    );
}

#[test]
fn an_answer_that_never_becomes_final_is_given_up() {
    check("slow 100", |s, _| drip(s, "", b"HTTP/1.1 100 Continue\r\n\r\n"), TOO_SLOW);
    check(
        "endless 100",
        |s, _| flood(s, "", &b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)),
        TOO_SLOW,
    );
}

#[test]
fn an_answer_that_ends_too_early_is_not_believed() {
    check(
        "success shorter than told",
        |s, ok| {
            close_after(
                s,
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{ok}", ok.len() + 1),
            )
        },
        UNREADABLE,
    );
    check(
        "half a success",
        |s, ok| close_after(s, &answer(200, "", ok)[..answer(200, "", ok).len() - ok.len() / 2]),
        UNREADABLE,
    );
    check(
        "success without the last chunk",
        |s, ok| {
            close_after(
                s,
                format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{ok}\r\n",
                    ok.len()
                ),
            )
        },
        UNREADABLE,
    );
    check(
        "reset within the body",
        |s, ok| {
            write!(s, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{ok}", ok.len() + 1)?;
            Ok(Then::Reset)
        },
        UNREADABLE,
    );
    check("closed within the head", |s, _| close_after(s, "HTTP/1.1 200 OK\r\nContent-Le"), LOST);
    check("closed after the request", |_, _| Ok(Then::Close), LOST);
    check("reset after the request", |_, _| Ok(Then::Reset), LOST);
}

#[test]
fn an_answer_that_cannot_be_read_is_not_believed() {
    check("deep JSON", |s, _| reply(s, "", "[".repeat(100_000)), UNREADABLE);
    check(
        "deep and whole JSON",
        |s, _| reply(s, "", "[".repeat(100_000) + &"]".repeat(100_000)),
        UNREADABLE,
    );
    check(
        "a success with a deep field",
        |s, _| {
            reply(
                s,
                "",
                format!(
                    "{{\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"id\":\"a\",\"x\":{}{}}}",
                    "[".repeat(100_000),
                    "]".repeat(100_000)
                ),
            )
        },
        UNREADABLE,
    );
    check(
        "deep XML",
        |s, _| reply(s, "", "<a>".repeat(100_000) + &"</a>".repeat(100_000)),
        UNREADABLE,
    );
    check(
        "deep XML in a message",
        |s, _| {
            reply(
                s,
                "",
                format!(
                    "<direct_message><id>a</id>{}{}</direct_message>",
                    "<a>".repeat(100_000),
                    "</a>".repeat(100_000)
                ),
            )
        },
        UNREADABLE,
    );
    check("not UTF-8", |s, ok| reply(s, "", [ok.as_bytes(), b"\xff"].concat()), UNREADABLE);
    check(
        "UTF-16",
        |s, ok| reply(s, "", ok.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
        UNREADABLE,
    );
    check("nothing", |s, _| reply(s, "", ""), UNREADABLE);
    check("blanks", |s, _| reply(s, "", " \r\n\t "), UNREADABLE);
    check("204", |s, _| close_after(s, "HTTP/1.1 204 No Content\r\n\r\n"), UNREADABLE);
    check("a success twice", |s, ok| reply(s, "", format!("{ok}{ok}")), UNREADABLE);
    check(
        "gzip, never asked for",
        |s, ok| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(ok.as_bytes())?;
            reply(s, "Content-Encoding: gzip\r\n", gzip.finish()?)
        },
        UNREADABLE,
    );
}

#[test]
fn an_xml_bomb_is_not_lit() {
    fn bomb(root: &str) -> String {
        let mut bomb = format!("<!DOCTYPE {root} [<!ENTITY a0 \"ha\">");
        for n in 1..30 {
            bomb += &format!("<!ENTITY a{n} \"&a{};&a{};\">", n - 1, n - 1);
        }
        bomb + "]>"
    }
    let dm = "<direct_message><id>a</id></direct_message>";
    assert_eq!(ACCOUNTS[1].0, "ff-xml");
    check(
        "entity bomb",
        |s, _| {
            reply(
                s,
                "",
                bomb("direct_message")
                    + "<direct_message><id>a</id><text>&a29;</text></direct_message>",
            )
        },
        UNREADABLE,
    );
    check(
        "entity bomb in a feed",
        |s, _| reply(s, "", bomb("rss") + "<rss><channel><title>&a29;</title></channel></rss>"),
        UNREADABLE,
    );
    check("a DOCTYPE", |s, ok| reply(s, "", format!("<!DOCTYPE x>{ok}")), UNREADABLE);
    check(
        "an external entity",
        |s, _| {
            reply(
                s,
                "",
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\
         <direct_message><id>&e;</id></direct_message>",
            )
        },
        UNREADABLE,
    );
    check(
        "an undefined entity",
        |s, _| reply(s, "", "<direct_message><id>a</id><text>&nope;</text></direct_message>"),
        UNREADABLE,
    );
    check(
        "an undefined entity in a feed",
        |s, _| reply(s, "", "<rss><channel><title>&nope;</title></channel></rss>"),
        UNREADABLE,
    );
    // The same without the fault is sent: it is the fault that was refused.
    let server = RawServer::fixed(answer(200, "", dm));
    assert_eq!(
        verdict(&send(&client(&config_with(&server.url(), json!({}))), &message("ff-xml"))),
        SENT
    );
}

#[test]
fn what_is_no_http_is_not_understood() {
    check("garbage", |s, _| close_after(s, b"\x00\x01\xffgarbage\r\n\r\n"), UNREADABLE);
    check("another protocol", |s, _| close_after(s, "SSH-2.0-OpenSSH_9.6\r\n\r\n"), UNREADABLE);
    check("HTTP/0.9", close_after, UNREADABLE);
    check(
        "HTTP/2",
        |s, ok| close_after(s, format!("HTTP/2 200\r\nContent-Length: {}\r\n\r\n{ok}", ok.len())),
        UNREADABLE,
    );
    check("no status", |s, _| close_after(s, "HTTP/1.1 OK\r\n\r\n"), UNREADABLE);
    check(
        "two lengths",
        |s, ok| {
            close_after(
                s,
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Length: 3\r\n\r\n{ok}",
                    ok.len()
                ),
            )
        },
        UNREADABLE,
    );
    check(
        "a negative length",
        |s, ok| close_after(s, format!("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{ok}")),
        UNREADABLE,
    );
    check(
        "an immense chunk",
        |s, ok| {
            close_after(
                s,
                format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{ok}"
                ),
            )
        },
        UNREADABLE,
    );
}

#[test]
fn immense_header_fields_are_refused() {
    fn padded(s: &mut TcpStream, ok: &str, fields: &str) -> io::Result<Then> {
        reply(s, fields, ok)
    }
    check("70 KiB", |s, ok| padded(s, ok, &format!("X: {}\r\n", "a".repeat(70 << 10))), UNREADABLE);
    check(
        "70 KiB of many",
        |s, ok| padded(s, ok, &format!("X: {}\r\n", "a".repeat(1000)).repeat(70)),
        UNREADABLE,
    );
    check("1 MiB", |s, ok| padded(s, ok, &format!("X: {}\r\n", "a".repeat(1 << 20))), UNREADABLE);
    check("1000 fields", |s, ok| padded(s, ok, &"X: a\r\n".repeat(1000)), UNREADABLE);
    check("endless field", |s, _| flood(s, "HTTP/1.1 200 OK\r\nX: ", &[b'a'; 4096]), UNREADABLE);
    check("endless fields", |s, _| flood(s, "HTTP/1.1 200 OK\r\n", b"X: a\r\n"), UNREADABLE);
    check("60 KiB", |s, ok| padded(s, ok, &format!("X: {}\r\n", "a".repeat(60 << 10))), SENT);
}

#[test]
fn an_answer_is_read_up_to_one_mebibyte() {
    fn padded(s: &mut TcpStream, ok: &str, length: usize) -> io::Result<Then> {
        reply(s, "", ok.to_owned() + &" ".repeat(length - ok.len()))
    }
    check("1 MiB", |s, ok| padded(s, ok, 1 << 20), SENT);
    check("1 MiB and a byte", |s, ok| padded(s, ok, (1 << 20) + 1), UNREADABLE);
    check("1.2 MiB", |s, ok| padded(s, ok, 1_258_291), UNREADABLE);
}

#[test]
fn nesting_is_read_down_to_64() {
    fn nested(s: &mut TcpStream, depth: usize) -> io::Result<Then> {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        reply(
            s,
            "",
            format!("{{\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"id\":\"a\",\"x\":{open}{close}}}"),
        )
    }
    for name in ["ff-json", "im"] {
        check_one("64 deep", name, |s, _| nested(s, 64), SENT);
        check_one("65 deep", name, |s, _| nested(s, 65), UNREADABLE);
    }
}

#[test]
fn noise_before_an_answer_is_not_the_answer() {
    check(
        "100 before",
        |s, ok| {
            s.write_all(&b"HTTP/1.1 100 Continue\r\n\r\n".repeat(3))?;
            reply(s, "", ok)
        },
        SENT,
    );
    check(
        "103 before",
        |s, ok| {
            s.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")?;
            reply(s, "", ok)
        },
        SENT,
    );
    check("success, then closed", |s, ok| close_after(s, answer(200, "", ok)), SENT);
    check(
        "success until the end of the connection",
        |s, ok| close_after(s, format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{ok}")),
        SENT,
    );
}

#[test]
fn redirects_are_never_followed() {
    let elsewhere = RawServer::fixed(answer(200, "", ACCOUNTS[0].1));
    for status in [301, 302, 303, 307, 308] {
        for location in [format!("{}/", elsewhere.url()), "/elsewhere".to_owned(), "//[".to_owned()]
        {
            for (name, _) in ACCOUNTS {
                for body in ["", "<html>moved</html>"] {
                    let fields = format!("Location: {location}\r\n");
                    let server = RawServer::fixed(answer(status, &fields, body));
                    let client = client(&config_with(&server.url(), json!({})));
                    let receipt = send(&client, &message(name));
                    assert_eq!(verdict(&receipt), REFUSED, "{status} to {location}, {name}");
                    assert_eq!(server.request_count(), 1, "{status} to {location}, {name}");
                }
            }
        }
    }
    assert_eq!(elsewhere.connections(), 0, "a redirect was followed");
}
