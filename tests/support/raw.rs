//! A local server whose every byte a test decides.
//!
//! Each connection has its own thread, which ends when its client is done. Nothing here waits for
//! time to pass: what a test waits for it is told, and [`GUARD`] only ends a test that has failed.

#![allow(dead_code, reason = "each test uses its part of it")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The longest that a test waits for what must come.
pub const GUARD: Duration = Duration::from_secs(300);

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The first line and the header fields, as sent.
    pub head: String,
    pub body: Vec<u8>,
    /// Which request to this server it is, from 1.
    pub number: usize,
}

impl Request {
    /// Path and query.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub fn body_text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body is UTF-8")
    }
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Then {
    /// The next request may come.
    Keep,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
    /// Nothing more comes, until the client gives up.
    Hang,
}

#[derive(Default)]
struct State {
    connections: usize,
    closed: usize,
    requests: Vec<Request>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
    stopping: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.news.notify_all();
    }
}

/// A running server; dropping it stops it.
pub struct RawServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl RawServer {
    /// Answers each request by `respond`, which writes the answer's bytes itself.
    pub fn start<F>(respond: F) -> RawServer
    where
        F: Fn(&Request, &mut TcpStream) -> io::Result<Then> + Send + Sync + 'static,
    {
        RawServer::accept(move |stream, shared| serve(stream, shared, &respond))
    }

    /// Answers each request with these bytes and keeps the connection.
    pub fn fixed(answer: impl Into<Vec<u8>>) -> RawServer {
        let answer = answer.into();
        RawServer::start(move |_, stream| {
            stream.write_all(&answer)?;
            Ok(Then::Keep)
        })
    }

    /// Answers the requests with these, one after the other, and repeats the last.
    pub fn script(answers: Vec<(Vec<u8>, Then)>) -> RawServer {
        RawServer::start(move |request, stream| {
            let (answer, then) = &answers[(request.number - 1).min(answers.len() - 1)];
            stream.write_all(answer)?;
            Ok(*then)
        })
    }

    /// Hands each connection to `talk`, whatever is spoken over it.
    pub fn wild<F>(talk: F) -> RawServer
    where
        F: Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
    {
        RawServer::accept(move |mut stream, _| talk(&mut stream))
    }

    fn accept<F>(talk: F) -> RawServer
    where
        F: Fn(TcpStream, &Shared) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared::default());
        let (serving, talk) = (Arc::clone(&shared), Arc::new(talk));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (shared, talk) = (Arc::clone(&serving), Arc::clone(&talk));
                shared.change(|state| state.connections += 1);
                thread::spawn(move || {
                    let _ = stream.set_nodelay(true);
                    // An error means that the client is gone, which it may be.
                    drop(talk(stream, &shared));
                    shared.change(|state| state.closed += 1);
                });
            }
        });
        RawServer { address, shared, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    pub fn request_count(&self) -> usize {
        self.shared.state().requests.len()
    }

    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Waits until so many requests came.
    pub fn wait_for_requests(&self, n: usize) {
        self.wait(&format!("{n} requests"), |state| state.requests.len() >= n);
    }

    /// Waits until this server has closed so many connections.
    pub fn wait_for_closed(&self, n: usize) {
        self.wait(&format!("{n} connections closed"), |state| state.closed >= n);
    }

    fn wait(&self, what: &str, reached: impl Fn(&State) -> bool) {
        let state = self.shared.state();
        let (state, waited) = self
            .shared
            .news
            .wait_timeout_while(state, GUARD, |state| !reached(state))
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "waited in vain for {what}: {} came", state.requests.len());
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the accept.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A door that a server's answers wait at until a test opens it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// A server that gives this answer to each request, once the door is open.
    pub fn server(&self, answer: Vec<u8>) -> RawServer {
        let gate = self.clone();
        RawServer::start(move |_, stream| {
            gate.pass();
            stream.write_all(&answer)?;
            Ok(Then::Keep)
        })
    }

    pub fn open(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    pub fn pass(&self) {
        let open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.1.wait_timeout_while(open, GUARD, |open| !*open));
    }
}

fn serve<F>(mut stream: TcpStream, shared: &Shared, respond: &F) -> io::Result<()>
where
    F: Fn(&Request, &mut TcpStream) -> io::Result<Then>,
{
    while let Some(mut request) = read_request(&mut stream)? {
        {
            let mut state = shared.state();
            request.number = state.requests.len() + 1;
            state.requests.push(request.clone());
        }
        shared.news.notify_all();
        let then = respond(&request, &mut stream);
        if let Ok(Then::Reset) = then {
            // The request's last byte is still unread: closing now resets the connection.
            return Ok(());
        }
        if !request.body.is_empty() {
            stream.read_exact(&mut [0])?;
        }
        match then? {
            Then::Keep => {}
            Then::Close | Then::Reset => return Ok(()),
            Then::Hang => return io::copy(&mut stream, &mut io::sink()).map(drop),
        }
    }
    Ok(())
}

/// Reads a request, but leaves the last byte of its body in the socket; a GET has none.
fn read_request(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).map_err(io::Error::other)?;
    let mut request = Request { head, body: Vec::new(), number: 0 };
    if request.head.starts_with("GET ") {
        return Ok(Some(request));
    }
    let length = request.header("content-length").and_then(|value| value.parse().ok());
    let length: usize = length.filter(|n| *n > 0).ok_or(io::ErrorKind::InvalidData)?;
    request.body = vec![0; length];
    stream.read_exact(&mut request.body[..length - 1])?;
    stream.peek(&mut request.body[length - 1..])?;
    Ok(Some(request))
}

/// Bytes of a whole answer with a length.
pub fn answer(status: u16, fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{fields}\r\n", body.len())
            .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// True once the client has gone; waits a moment for it, which paces a server that drips.
pub fn client_gone(stream: &mut TcpStream) -> io::Result<bool> {
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    let mut byte = [0; 2];
    // One byte is the rest of the request, a second never comes.
    match stream.peek(&mut byte) {
        Ok(0) => Ok(true),
        Ok(_) => {
            stream.read_exact(&mut [0])?;
            Ok(false)
        }
        Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Ok(false)
        }
        Err(e) => Err(e),
    }
}
