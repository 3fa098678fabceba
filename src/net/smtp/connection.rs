//! One connection to a mail server: greeted, made secure, logged in.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, BufWriter, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

use super::extensions::Extensions;
use super::reply::{self, Reply, protocol};
use crate::model::config::is_loopback;
use crate::net::dial::{server_name, tcp};
use crate::net::tls::Tls;
use crate::net::{Failure, Lookup, Way};
use crate::service::api::{Login, Mail};
use crate::service::wire::transcript::{Fate, Stage};

/// How long one that was idle may take to say that it is still there.
const STILL_THERE: Duration = Duration::from_secs(2);
/// What is read and written at once, in bytes.
const BUFFER: usize = 16 << 10;

/// A connection that can carry mail.
pub struct Connection {
    stream: BufReader<BufWriter<Stream>>,
    /// What the server can do.
    pub extensions: Extensions,
    /// Who has logged in.
    pub login: Option<Arc<Login>>,
}

/// What is spoken over.
enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Opens a connection for a mail, or tells what the server refuses it with, which is the fate of all
    /// recipients then. `at` is what is waited for.
    pub async fn open(
        lookup: &Arc<dyn Lookup>,
        tls: &Tls,
        mail: &Mail,
        at: &mut Stage,
    ) -> Result<Result<Connection, Fate>, Failure> {
        let url = &mail.server;
        let starts_secure = url.scheme() == "smtps";
        let is_local = is_loopback(url);
        // Before the look-up: without certificates there is nobody to speak to.
        let config = if starts_secure || !is_local { Some(tls.config()?) } else { None };
        let stream = tcp(lookup, url).await.map_err(|e| Failure::of(&e, true))?;
        let name = own_name(stream.local_addr());
        let stream = match &config {
            Some(config) if starts_secure => secure(Arc::clone(config), url, stream).await?,
            _ => Stream::Plain(stream),
        };
        let stream = buffered(stream);
        let mut connection = Connection { stream, extensions: Extensions::default(), login: None };
        let greeting = connection.reply().await?;
        if !greeting.is_positive() {
            return Ok(Err(greeting.fate(Stage::Connect)));
        }
        if let Err(fate) = connection.greet(&name, at).await? {
            return Ok(Err(fate));
        }
        if !starts_secure {
            connection = match connection.start_tls(tls, url, is_local, &name, at).await? {
                Ok(secured) => secured,
                Err(fate) => return Ok(Err(fate)),
            };
        }
        if let Some(login) = &mail.login {
            *at = Stage::Auth;
            if let Err(fate) = connection.log_in(login).await? {
                return Ok(Err(fate));
            }
            connection.login = Some(Arc::clone(login));
        }
        Ok(Ok(connection))
    }

    /// Says who we are, and hears what the server can do.
    async fn greet(&mut self, name: &str, at: &mut Stage) -> Result<Result<(), Fate>, Failure> {
        *at = Stage::Ehlo;
        let mut reply = self.command(&format!("EHLO {name}")).await?;
        if matches!(reply.code, 500 | 502 | 504) {
            // It speaks SMTP as of 1982, without extensions.
            reply = self.command(&format!("HELO {name}")).await?;
            self.extensions = Extensions::default();
        } else {
            self.extensions = Extensions::of(&reply);
        }
        Ok(if reply.is_positive() { Ok(()) } else { Err(reply.fate(Stage::Ehlo)) })
    }

    /// Goes on over TLS. A server that cannot is refused, save on this machine: nobody on the way may keep us
    /// from it by leaving the word out.
    async fn start_tls(
        mut self,
        tls: &Tls,
        url: &Url,
        is_local: bool,
        name: &str,
        at: &mut Stage,
    ) -> Result<Result<Connection, Fate>, Failure> {
        if !self.extensions.starttls {
            if is_local {
                return Ok(Ok(self));
            }
            let words = "the server offers no STARTTLS, and nothing is sent in the clear; if it speaks \
                         TLS at another port, write smtps:// and that port";
            return Err(Failure { way: Way::Tls, words: words.to_owned() });
        }
        *at = Stage::Starttls;
        let reply = self.command("STARTTLS").await?;
        if !reply.is_positive() {
            return Ok(Err(reply.fate(Stage::Starttls)));
        }
        if !self.stream.buffer().is_empty() {
            return Err(protocol("something stood behind the reply to STARTTLS, in the clear"));
        }
        let Stream::Plain(plain) = self.stream.into_inner().into_inner() else {
            return Err(protocol("TLS was begun twice; this is a bug in hongyan"));
        };
        let stream = secure(tls.config()?, url, plain).await?;
        let stream = buffered(stream);
        // What was said before holds no more.
        let mut connection = Connection { stream, extensions: Extensions::default(), login: None };
        Ok(connection.greet(name, at).await?.map(|()| connection))
    }

    /// Logs in, or tells why not.
    async fn log_in(&mut self, login: &Login) -> Result<Result<(), Fate>, Failure> {
        let secret = login.secret.expose();
        let (extensions, encode) = (&self.extensions, |text: String| STANDARD.encode(text));
        let reply = if login.is_token && extensions.logs_in_by("XOAUTH2") {
            let words = encode(format!("user={}\x01auth=Bearer {secret}\x01\x01", login.username));
            let reply = self.command(&format!("AUTH XOAUTH2 {words}")).await?;
            // What is wrong stands in a question; the code comes with the answer to that.
            if reply.code == 334 { self.command("").await? } else { reply }
        } else if !login.is_token && extensions.logs_in_by("PLAIN") {
            let words = encode(format!("\0{}\0{secret}", login.username));
            self.command(&format!("AUTH PLAIN {words}")).await?
        } else if !login.is_token && extensions.logs_in_by("LOGIN") {
            let mut reply = self.command("AUTH LOGIN").await?;
            for answer in [login.username.clone(), secret.to_owned()] {
                if reply.code == 334 {
                    reply = self.command(&encode(answer)).await?;
                }
            }
            reply
        } else {
            let wanted = if login.is_token { "XOAUTH2" } else { "PLAIN or LOGIN" };
            let offered = match &*extensions.auth {
                [] => "no way to log in".to_owned(),
                ways => ways.join(", "),
            };
            let text = format!("the server offers {offered}; {wanted} is needed");
            return Ok(Err(Fate { to: Stage::Auth, code: Some(504), text }));
        };
        Ok(if reply.is_positive() { Ok(()) } else { Err(reply.fate(Stage::Auth)) })
    }

    /// True if the server still answers; one that was idle may have been left long ago.
    pub async fn is_alive(&mut self) -> bool {
        let answer = timeout(STILL_THERE, self.command("NOOP")).await;
        matches!(answer, Ok(Ok(reply)) if reply.is_positive())
    }

    /// Says good-bye; what the server says to that is not waited for.
    pub async fn close(mut self) {
        let bye = async {
            self.write("QUIT").await?;
            self.flush().await
        };
        let _ = timeout(STILL_THERE, bye).await;
    }

    /// Says something, and reads what the server says to that.
    pub async fn command(&mut self, line: &str) -> Result<Reply, Failure> {
        self.write(line).await?;
        self.flush().await?;
        self.reply().await
    }

    /// Writes a command, which goes with the next flush.
    pub async fn write(&mut self, line: &str) -> Result<(), Failure> {
        let lost = |e: io::Error| Failure::of_mail(&e);
        self.stream.write_all(line.as_bytes()).await.map_err(lost)?;
        self.stream.write_all(b"\r\n").await.map_err(lost)
    }

    /// Hands what was written to the system.
    pub async fn flush(&mut self) -> Result<(), Failure> {
        self.stream.flush().await.map_err(|e| Failure::of_mail(&e))
    }

    /// Reads the next reply.
    pub async fn reply(&mut self) -> Result<Reply, Failure> {
        reply::read(&mut self.stream).await
    }

    /// Writes the text of a mail, up to where only its dot lacks.
    pub async fn text(&mut self, mail: &Mail) -> Result<(), Failure> {
        super::text::write(&mut self.stream, mail).await.map_err(|e| Failure::of_mail(&e))?;
        self.flush().await
    }
}

fn buffered(stream: Stream) -> BufReader<BufWriter<Stream>> {
    BufReader::with_capacity(BUFFER, BufWriter::with_capacity(BUFFER, stream))
}

/// What we call ourselves: our address, since most machines have no name that others know.
fn own_name(address: io::Result<SocketAddr>) -> String {
    match address {
        Ok(SocketAddr::V4(address)) => format!("[{}]", address.ip()),
        Ok(SocketAddr::V6(address)) => format!("[IPv6:{}]", address.ip()),
        Err(_) => "[127.0.0.1]".to_owned(),
    }
}

async fn secure(
    config: Arc<rustls::ClientConfig>,
    url: &Url,
    stream: TcpStream,
) -> Result<Stream, Failure> {
    let name = server_name(url).map_err(|e| Failure::of(&e, true))?;
    let stream = TlsConnector::from(config).connect(name, stream).await;
    Ok(Stream::Secure(Box::new(stream.map_err(|e| Failure::of(&e, true))?)))
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Secure(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Secure(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
