//! What answers for a worker over HTTP: whether it lives, whether it is ready, and its counters.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use hongyan::Client;
use serde_json::Value;

use super::metrics;

/// How long a request may take to come, and its answer to go.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest request that is read.
const LONGEST: usize = 8 << 10;

/// How many are answered at once; others are turned away.
const MOST: usize = 32;

/// What is asked about.
#[derive(Default)]
pub struct Subject {
    client: Mutex<Weak<Client>>,
    ends: AtomicBool,
}

impl Subject {
    /// The outbox is open.
    pub fn has(&self, client: &Arc<Client>) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(client);
    }

    /// Nothing more is begun.
    pub fn ends(&self) {
        self.ends.store(true, Ordering::Release);
    }

    /// Nobody asks the client any more: once this returns its owner has it alone.
    pub fn lets_go(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Weak::new();
    }

    /// The client's counters, if it is there.
    fn stats(&self) -> Option<Value> {
        // Held while it is asked, so that the last to have the client is never one who asks.
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let stats = client.upgrade()?.stats_json();
        serde_json::from_str(&stats).ok()
    }
}

/// A server of health, on a thread of its own until the process ends.
pub struct Health {
    address: SocketAddr,
}

impl Health {
    /// Listens at this address; port 0 takes a free one.
    pub fn start(at: SocketAddr, subject: Arc<Subject>) -> anyhow::Result<Health> {
        let listener = TcpListener::bind(at).with_context(|| format!("cannot listen at {at}"))?;
        let address = listener.local_addr()?;
        let answering = Arc::new(AtomicUsize::new(0));
        let serve = move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else {
                    // Too many files are open: the next may have room.
                    thread::sleep(Duration::from_millis(100));
                    continue;
                };
                if answering.fetch_add(1, Ordering::AcqRel) >= MOST {
                    answering.fetch_sub(1, Ordering::AcqRel);
                    continue;
                }
                let (subject, done) = (Arc::clone(&subject), Arc::clone(&answering));
                let answer = move || {
                    // Who asked has gone, or asked nothing.
                    let _ = answer(stream, &subject);
                    done.fetch_sub(1, Ordering::AcqRel);
                };
                let started = thread::Builder::new().name("hongyan-asked".to_owned()).spawn(answer);
                if started.is_err() {
                    answering.fetch_sub(1, Ordering::AcqRel);
                }
            }
        };
        thread::Builder::new().name("hongyan-health".to_owned()).spawn(serve)?;
        Ok(Health { address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn answer(mut stream: TcpStream, subject: &Subject) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = head(&mut stream)?;
    let words: Vec<_> = head.split(' ').collect();
    let (method, target) = match words[..] {
        [method, target, "HTTP/1.1" | "HTTP/1.0"] => (method, target),
        _ => ("", ""),
    };
    let path = target.split('?').next().unwrap_or_default();
    let (status, body) = match (method, path) {
        ("", _) => ("400 Bad Request", "this is no request of HTTP/1\n".to_owned()),
        ("GET" | "HEAD", "/healthz") => ("200 OK", "alive\n".to_owned()),
        ("GET" | "HEAD", "/readyz") => match unready(subject) {
            None => ("200 OK", "ready\n".to_owned()),
            Some(why) => ("503 Service Unavailable", format!("{why}\n")),
        },
        ("GET" | "HEAD", "/metrics") => {
            let ready = unready(subject).is_none();
            ("200 OK", metrics::text(subject.stats().as_ref(), ready))
        }
        ("GET" | "HEAD", _) => ("404 Not Found", "/healthz, /readyz or /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET and HEAD\n".to_owned()),
    };
    let kind = match path {
        "/metrics" if status == "200 OK" => "text/plain; version=0.0.4; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let length = body.len();
    let shown = if method == "HEAD" { "" } else { body.as_str() };
    let whole = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{allow}\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{shown}"
    );
    stream.write_all(whole.as_bytes())
}

/// Why the worker does not send, if it does not.
fn unready(subject: &Subject) -> Option<&'static str> {
    if subject.ends.load(Ordering::Acquire) {
        return Some("it ends");
    }
    match subject.stats() {
        None => Some("the outbox is not open yet"),
        Some(stats) if stats["outbox"]["connected"] == Value::Bool(false) => {
            Some("the database is away")
        }
        Some(_) => None,
    }
}

/// The first line of a request, once all of its head has come.
fn head(stream: &mut TcpStream) -> io::Result<String> {
    let (mut read, mut buffer) = (Vec::new(), [0; 1024]);
    while !read.windows(4).any(|four| four == b"\r\n\r\n") {
        let got = stream.read(&mut buffer)?;
        if got == 0 || read.len() + got > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        read.extend_from_slice(&buffer[..got]);
    }
    let line = read.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8(line.to_vec()).map_err(|_| io::ErrorKind::InvalidData.into())
}
