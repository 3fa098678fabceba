//! What costs memory: a hostile answer at most 8 MiB, its receipt's JSON included, and a file hardly more
//! than itself.

#![cfg(target_os = "linux")]

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/raw.rs"]
mod raw;

use std::io::{self, Write as _};
use std::net::TcpStream;

use std::path::Path;

use accounts::{ACCOUNTS, client, config_with, message, send, success, verdict};
use hongyan::{Client, SendOptions};
use raw::{RawServer, Then, answer};
use serde_json::json;

const MOST_KIB: u64 = 8 << 10;

const ENDLESS: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

/// The answers that would cost most.
const HOSTILE: [fn(&mut TcpStream) -> io::Result<Then>; 8] = [
    |stream| flood(stream, ENDLESS, &[b'a'; 4096]),
    |stream| flood(stream, ENDLESS, &[0xff; 4096]),
    |stream| flood(stream, "HTTP/1.1 200 OK\r\nX: ", &[b'a'; 4096]),
    |stream| flood(stream, "HTTP/1.1 200 OK\r\n", b"X: a\r\n"),
    |stream| whole(stream, "[".repeat(1 << 20)),
    |stream| whole(stream, "<a>".repeat((1 << 20) / 3)),
    |stream| whole(stream, format!("{{\"error\":\"{}\"}}", "\\u0000".repeat((1 << 20) / 6 - 4))),
    |stream| whole(stream, format!("[{}{{}}]", "{},".repeat((1 << 20) / 3 - 3))),
];

fn whole(stream: &mut TcpStream, body: String) -> io::Result<Then> {
    stream.write_all(&answer(200, "", body))?;
    Ok(Then::Keep)
}

fn flood(stream: &mut TcpStream, head: &str, chunk: &[u8]) -> io::Result<Then> {
    stream.write_all(head.as_bytes())?;
    loop {
        stream.write_all(chunk)?;
    }
}

/// In a process of its own: a success first, then what the server does to the second message.
fn child(url: &str, account: &str) {
    let more = json!({"timeout_ms": 120_000, "retry": {"max_attempts": 1}});
    let client = client(&config_with(url, more));
    let first = send(&client, &message(account));
    assert_eq!(verdict(&first), ("sent", "ok"), "{}", first.to_json());
    let before = memory::peak_kib();
    let receipt = send(&client, &message(account));
    assert_eq!(verdict(&receipt), ("maybe_sent", "protocol"), "{:?}", receipt.error);
    let shown = receipt.to_json().len();
    let grown = memory::peak_kib() - before;
    assert!(grown <= MOST_KIB, "{grown} KiB more than before; {shown} bytes shown");
}

#[test]
fn no_answer_costs_more_than_8_mib() {
    if let Some(argument) = memory::argument() {
        let (url, account) = argument.split_once(' ').expect("two words");
        return child(url, account);
    }
    for (n, hostile) in HOSTILE.into_iter().enumerate() {
        for (name, _) in ACCOUNTS {
            let server = RawServer::start(move |request, stream| match request.number {
                1 => {
                    stream.write_all(&answer(200, "", success(name)))?;
                    Ok(Then::Keep)
                }
                _ => hostile(stream),
            });
            let argument = format!("{} {name}", server.url());
            memory::in_child("no_answer_costs_more_than_8_mib", &argument);
            assert_eq!(server.request_count(), 2, "answer {n}, {name}");
        }
    }
}

/// A file, and the most that its send may cost beside what a client without files has.
const FILE: usize = 10_000_000;
const MOST_WITH_FILE_KIB: u64 = 12_000_000 / 1024;

const TELEGRAM: &str = r#"{"ok":true,"result":{"message_id":57,"date":1700000000,
    "chat":{"id":4711,"type":"private"}}}"#;

/// In a process of its own: a message without a file first, then one with it.
fn sender(config: &str, path: &str) {
    let client = Client::from_json(config).expect("a client");
    let sends = |attachments: serde_json::Value| {
        let json = json!({"v": 1, "account": "tg", "to": {"chat": "4711"}, "text": "hi",
            "attachments": attachments});
        let receipt =
            client.send(json.to_string().as_bytes(), SendOptions::default()).expect("accepted");
        assert_eq!(verdict(&receipt), ("sent", "ok"), "{}", receipt.to_json());
    };
    sends(json!([{"name": "a", "data_base64": "YQ=="}]));
    let before = memory::peak_kib();
    sends(json!([{"path": path}]));
    let grown = memory::peak_kib() - before;
    println!("{grown} KiB more");
    assert!(grown <= MOST_WITH_FILE_KIB, "{grown} KiB more than before");
}

#[test]
fn a_file_of_10_mb_costs_at_most_12_mb() {
    const NAME: &str = "a_file_of_10_mb_costs_at_most_12_mb";
    if let Some(argument) = memory::argument() {
        let (path, config) = argument.split_once('\n').expect("two lines");
        return sender(config, path);
    }
    let path = std::env::temp_dir().join(format!("hongyan-memory-{}", std::process::id()));
    std::fs::write(&path, vec![7; FILE]).expect("a file");
    for proxied in [false, true] {
        let server = RawServer::fixed(answer(200, "", TELEGRAM));
        let account = |base: &str| {
            json!({"service": "telegram", "base_url": base,
            "auth": {"type": "bot", "token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}})
        };
        let config = match proxied {
            false => json!({"v": 1, "accounts": {"tg": account(&server.url())}}),
            true => json!({"v": 1, "proxy": server.url(),
                "accounts": {"tg": account("http://127.0.0.1:9")}}),
        };
        memory::in_child(NAME, &format!("{}\n{config}", Path::new(&path).display()));
        assert!(server.requests()[1].body.len() > FILE);
    }
    std::fs::remove_file(path).expect("removed");
}
