//! A socket that tells when the first byte of a request goes, and that can be looked at.

use std::io::{self, IoSlice, Read as _};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// What the owner of a connection shares with its socket, which hyper keeps to itself.
#[derive(Default)]
pub struct Wire {
    /// The flag of the request that is to be written next.
    begun: Mutex<Option<Arc<AtomicBool>>>,
    looks: AtomicBool,
}

impl Wire {
    /// The next byte that is handed to the socket raises this flag.
    pub fn set_begun(&self, flag: Option<Arc<AtomicBool>>) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = flag;
    }

    fn begin(&self) {
        if let Some(flag) = self.begun.lock().unwrap_or_else(PoisonError::into_inner).take() {
            flag.store(true, Ordering::Release);
        }
    }

    /// Has whatever reads within `act` ask the system what has come, instead of the loop, which knows
    /// only what it was told when it last waited.
    pub fn ask_system<T>(&self, act: impl FnOnce() -> T) -> T {
        self.looks.store(true, Ordering::Relaxed);
        let done = act();
        self.looks.store(false, Ordering::Relaxed);
        done
    }
}

/// A TCP connection.
pub struct Tcp {
    stream: TcpStream,
    wire: Arc<Wire>,
}

impl Tcp {
    /// What is said over `stream`.
    pub fn new(stream: TcpStream, wire: Arc<Wire>) -> Tcp {
        Tcp { stream, wire }
    }

    /// Reads what has come; pending if that is nothing, and nobody is woken then.
    fn read_now(&self, buffer: &mut ReadBuf<'_>) -> io::Result<Poll<()>> {
        let socket = SockRef::from(&self.stream);
        let read = |buffer: &mut ReadBuf<'_>| -> io::Result<Poll<()>> {
            // Asked first, since room to read into costs more to make than the question.
            socket.peek(&mut [MaybeUninit::uninit()])?;
            let length = (&*socket).read(buffer.initialize_unfilled())?;
            buffer.advance(length);
            Ok(Poll::Ready(()))
        };
        match read(buffer) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Poll::Pending),
            other => other,
        }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.wire.looks.load(Ordering::Relaxed) {
            return match self.read_now(buffer) {
                Ok(read) => read.map(Ok),
                Err(error) => Poll::Ready(Err(error)),
            };
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A connection over which HTTP is spoken.
pub struct Socket {
    stream: Stream,
    wire: Arc<Wire>,
}

enum Stream {
    Plain(Tcp),
    Secure(Box<TlsStream<Tcp>>),
}

impl Socket {
    /// HTTP in the clear.
    pub fn plain(tcp: Tcp, wire: Arc<Wire>) -> Socket {
        Socket { stream: Stream::Plain(tcp), wire }
    }

    /// HTTP over TLS, whose handshake is done.
    pub fn secure(tls: TlsStream<Tcp>, wire: Arc<Wire>) -> Socket {
        Socket { stream: Stream::Secure(Box::new(tls)), wire }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Stream::Secure(tls) => Pin::new(&mut **tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wire.begin();
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Secure(tls) => Pin::new(&mut **tls).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.wire.begin();
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bytes),
            Stream::Secure(tls) => Pin::new(&mut **tls).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Secure(tls) => Pin::new(&mut **tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Secure(tls) => Pin::new(&mut **tls).poll_shutdown(cx),
        }
    }
}
