//! A mail server that answers as a script says, over real sockets and in the clear.

#![allow(dead_code, reason = "each test uses its part of it")]

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What the server does when it is spoken to.
#[derive(Clone, Debug)]
pub enum Act {
    /// It says these lines as they are, each with its end.
    Say(String),
    /// It says nothing, and keeps the connection.
    Hang,
    /// It closes the connection.
    Close,
    /// It says this, and closes.
    SayAndClose(String),
}

/// A reply.
pub fn say(text: &str) -> Option<Act> {
    Some(Act::Say(format!("{text}\r\n")))
}

/// A mail that the server took.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    /// Its text, without the doubled dots.
    pub text: String,
}

/// What a script is asked about.
pub struct Said<'a> {
    /// Which connection it is, from 0.
    pub connection: usize,
    /// `CONNECT`, a command as it came, or `.` for the end of a text.
    pub line: &'a str,
}

type Script = dyn Fn(&Said<'_>) -> Option<Act> + Send + Sync;

/// The server.
pub struct MailServer {
    port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    extensions: Vec<String>,
    script: Box<Script>,
    lines: Mutex<Vec<String>>,
    taken: Mutex<Vec<Taken>>,
    connections: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl MailServer {
    /// A server with these extensions; what the script leaves open is answered as usual.
    pub fn start(
        extensions: &[&str],
        script: impl Fn(&Said<'_>) -> Option<Act> + Send + Sync + 'static,
    ) -> MailServer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let inner = Arc::new(Inner {
            extensions: extensions.iter().map(|&own| own.to_owned()).collect(),
            script: Box::new(script),
            lines: Mutex::default(),
            taken: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: Mutex::default(),
        });
        let serving = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let number = serving.connections.fetch_add(1, Ordering::SeqCst);
                let inner = Arc::clone(&serving);
                std::thread::spawn(move || {
                    let _ = inner.serve(stream, number);
                });
            }
        });
        MailServer { port, inner }
    }

    /// A server that takes everything, with the extensions that most have.
    pub fn usual() -> MailServer {
        MailServer::start(&["PIPELINING", "SIZE 10485760", "8BITMIME", "SMTPUTF8"], |_| None)
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Every line that was said to it, texts of mails left out.
    pub fn lines(&self) -> Vec<String> {
        self.inner.lines.lock().expect("no panic inside").clone()
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.inner.taken.lock().expect("no panic inside").clone()
    }

    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// Closes every connection that is open.
    pub fn close_all(&self) {
        for stream in self.inner.open.lock().expect("no panic inside").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Inner {
    fn act(&self, stream: &mut TcpStream, number: usize, line: &str, usual: &str) -> Option<u16> {
        let said = Said { connection: number, line };
        let act = (self.script)(&said).unwrap_or_else(|| Act::Say(format!("{usual}\r\n")));
        let text = match act {
            Act::Say(text) => text,
            Act::Hang => return Some(0),
            Act::Close => return None,
            Act::SayAndClose(text) => {
                let _ = stream.write_all(text.as_bytes());
                return None;
            }
        };
        stream.write_all(text.as_bytes()).ok()?;
        Some(text.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0))
    }

    fn serve(&self, mut stream: TcpStream, number: usize) -> Option<()> {
        self.open.lock().expect("no panic inside").push(stream.try_clone().ok()?);
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let done = self.talk(&mut stream, &mut reader, number);
        let _ = stream.shutdown(Shutdown::Both);
        done
    }

    fn talk(
        &self,
        stream: &mut TcpStream,
        reader: &mut BufReader<TcpStream>,
        number: usize,
    ) -> Option<()> {
        self.act(stream, number, "CONNECT", "220 mx.example ESMTP")?;
        let mut mail = Taken { from: String::new(), to: Vec::new(), text: String::new() };
        loop {
            let line = line(reader)?;
            self.lines.lock().expect("no panic inside").push(line.clone());
            let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let usual = match word.as_str() {
                "EHLO" => {
                    let all = self.extensions.iter().map(String::as_str);
                    let all: Vec<_> = ["mx.example"].into_iter().chain(all).collect();
                    let last = all.len() - 1;
                    let lines = all
                        .iter()
                        .enumerate()
                        .map(|(i, text)| format!("250{}{text}", if i == last { ' ' } else { '-' }));
                    lines.collect::<Vec<_>>().join("\r\n")
                }
                "DATA" if mail.to.is_empty() => "503 5.5.1 no recipients".to_owned(),
                "DATA" => "354 go on".to_owned(),
                "AUTH" => "235 2.7.0 welcome".to_owned(),
                "QUIT" => "221 2.0.0 bye".to_owned(),
                _ => "250 2.0.0 ok".to_owned(),
            };
            let code = self.act(stream, number, &line, &usual)?;
            let address = || {
                let (_, rest) = line.split_once('<')?;
                rest.split_once('>').map(|(address, _)| address.to_owned())
            };
            match (word.as_str(), code) {
                ("MAIL", 250) => {
                    mail = Taken { from: address()?, to: Vec::new(), text: String::new() };
                }
                ("RCPT", 250 | 251) => mail.to.push(address()?),
                ("RSET", 250) => mail.to.clear(),
                ("QUIT", _) => return None,
                ("DATA", 354) => {
                    mail.text = text(reader)?;
                    self.taken.lock().expect("no panic inside").push(mail.clone());
                    let code = self.act(stream, number, ".", "250 2.0.0 queued");
                    if code.is_some_and(|code| code >= 300) {
                        self.taken.lock().expect("no panic inside").pop();
                    }
                    mail.to.clear();
                    code?;
                }
                _ => {}
            }
        }
    }
}

fn line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok().filter(|count| *count > 0)?;
    let line = String::from_utf8(line).expect("UTF-8");
    let line = line.strip_suffix("\r\n").expect("a line ends with CR and LF");
    Some(line.to_owned())
}

/// Reads the text of a mail up to its dot; lines as RFC 5321 has them.
fn text(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let line = line(reader)?;
        if line == "." {
            return Some(text);
        }
        assert!(line.len() <= 998, "a line of {} bytes", line.len());
        assert!(!line.contains(['\r', '\n', '\0']), "a bare end of a line: {line:?}");
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push_str("\r\n");
    }
}
