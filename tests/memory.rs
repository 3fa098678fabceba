//! What a hostile answer costs in memory: at most 8 MiB, its receipt's JSON included.

#![cfg(target_os = "linux")]

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/raw.rs"]
mod raw;

use std::io::{self, Write as _};
use std::net::TcpStream;

use accounts::{ACCOUNTS, client, config_with, message, send, success, verdict};
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
