//! A local server that misbehaves on purpose.
//!
//! The first segment of the path says how, whatever follows it:
//!
//! | path | what a POST gets |
//! |---|---|
//! | `/count` | a Fanfou success |
//! | `/hold` | the same, once `GET /hold/_release` was asked for |
//! | `/hang` | no answer, the connection stays open |
//! | `/slow` | one byte of an endless answer each 50 ms |
//! | `/reset` | a connection reset after the request was read |
//! | `/close` | a connection closed after the request was read |
//! | `/garbage` | 200 with bytes that are no envelope |
//!
//! `GET /NAME/_n` answers how many POSTs came under that name so far. A GET ends its connection.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const SUCCESS: &str = r#"{"id":"c1","text":"x"}"#;
const DRIP: Duration = Duration::from_millis(50);

/// A running hostile server; dropping it stops it.
pub struct Hostile {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    counts: Mutex<HashMap<String, u64>>,
    released: Mutex<bool>,
    release: Condvar,
    stopping: AtomicBool,
}

struct Request {
    method: String,
    path: String,
    /// What of the body is still unread.
    left: u64,
}

impl Hostile {
    /// Listens on a free port of 127.0.0.1; each connection has its own thread.
    pub fn start() -> io::Result<Hostile> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&serving);
                // Ends by itself: when its client closes, which every client does at the latest
                // when its process ends. An error means just that.
                thread::spawn(move || drop(serve(stream, &shared)));
            }
        });
        Ok(Hostile { address, shared, thread: Some(thread) })
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.open_the_gate();
        // Wakes the accept.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    fn open_the_gate(&self) {
        *self.released.lock().expect("no panic under this lock") = true;
        self.release.notify_all();
    }

    fn wait_at_the_gate(&self) {
        let released = self.released.lock().expect("no panic under this lock");
        drop(self.release.wait_while(released, |released| !*released));
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // One byte at a time, so that `reset` can leave the last one in the socket.
    let mut reader = BufReader::with_capacity(1, stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = read_head(&mut reader)? {
        let (name, rest) = request.path.split_once('/').unwrap_or((&request.path, ""));
        if request.method == "GET" {
            let body = match rest {
                "_n" => count(shared, name, 0).to_string(),
                "_release" => {
                    shared.open_the_gate();
                    "released".to_owned()
                }
                _ => return answer(&mut writer, 404, "no such page"),
            };
            return answer(&mut writer, 200, &body);
        }

        if name == "reset" && request.left > 0 {
            read_body(&mut reader, request.left - 1)?;
            // The last byte is here but unread: closing now resets the connection.
            writer.peek(&mut [0])?;
            count(shared, name, 1);
            return Ok(());
        }
        read_body(&mut reader, request.left)?;
        count(shared, name, 1);
        match name {
            "count" => answer(&mut writer, 200, SUCCESS)?,
            "hold" => {
                shared.wait_at_the_gate();
                answer(&mut writer, 200, SUCCESS)?;
            }
            "hang" => return read_to_end(&mut reader),
            "slow" => return drip(&mut writer, shared),
            "close" => return Ok(()),
            "garbage" => answer(&mut writer, 200, "\u{1}\u{2}}{ this is no envelope")?,
            _ => answer(&mut writer, 404, "no such behaviour")?,
        }
    }
    Ok(())
}

/// Adds to what came under this name, and tells how many there are.
fn count(shared: &Shared, name: &str, more: u64) -> u64 {
    let mut counts = shared.counts.lock().expect("no panic under this lock");
    let n = counts.entry(name.to_owned()).or_default();
    *n += more;
    *n
}

/// Reads up to the empty line; `None` when the client is done.
fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default().trim_start_matches('/').to_owned();
    let mut left = 0;
    loop {
        let mut field = String::new();
        if reader.read_line(&mut field)? == 0 {
            return Ok(None);
        }
        match field.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                left = value
                    .trim()
                    .parse()
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            }
            Some(_) => {}
            None => return Ok(Some(Request { method, path, left })),
        }
    }
}

fn read_body(reader: &mut impl Read, length: u64) -> io::Result<()> {
    if io::copy(&mut reader.take(length), &mut io::sink())? == length {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn read_to_end(reader: &mut impl Read) -> io::Result<()> {
    io::copy(reader, &mut io::sink()).map(drop)
}

fn answer(writer: &mut TcpStream, status: u16, body: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    writer.write_all(format!("{head}{body}").as_bytes())
}

fn drip(writer: &mut TcpStream, shared: &Shared) -> io::Result<()> {
    writer.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n",
    )?;
    while !shared.stopping.load(Ordering::SeqCst) {
        writer.write_all(b" ")?;
        thread::sleep(DRIP);
    }
    Ok(())
}
