//! Connections that a handler can cut.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Cuts the connection that a request came over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cutter {
    cut: Arc<AtomicBool>,
}

impl Cutter {
    /// Resets the connection as soon as the server writes to it.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Door>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Cutter {
        stream.io().cutter.clone()
    }
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection, plain or TLS, with its cutter.
pub(crate) struct Connection {
    transport: Transport,
    cutter: Cutter,
}

impl Connection {
    fn new(transport: Transport) -> Connection {
        Connection { transport, cutter: Cutter::default() }
    }

    /// One that nothing was said over yet.
    pub(crate) fn plain(tcp: TcpStream) -> Connection {
        Connection::new(Transport::Plain(tcp))
    }

    /// Goes on over TLS.
    pub(crate) async fn secure(self, acceptor: TlsAcceptor) -> io::Result<Connection> {
        let Transport::Plain(tcp) = self.transport else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let tls = tokio::time::timeout(HANDSHAKE, acceptor.accept(tcp)).await??;
        Ok(Connection::new(Transport::Tls(Box::new(tls))))
    }

    /// Resets the connection with the next write, or as it closes.
    pub(crate) fn cut(&self) {
        self.cutter.cut();
        // It fails, and sets what has the socket reset as it is closed.
        let _ = self.check();
    }

    /// Fails a write where the connection is to be cut.
    ///
    /// With no lingering, closing the socket then sends RST instead of FIN.
    fn check(&self) -> io::Result<()> {
        if !self.cutter.cut.load(Ordering::SeqCst) {
            return Ok(());
        }
        let tcp = match &self.transport {
            Transport::Plain(tcp) => tcp,
            Transport::Tls(tls) => tls.get_ref().0,
        };
        tcp.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Transport::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        match &mut self.get_mut().transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Transport::Tls(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        match &mut self.get_mut().transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Transport::Tls(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        match &mut self.get_mut().transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Transport::Tls(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}

/// Where connections come in, ready to be read from.
///
/// Handshakes run beside each other, so that a slow one holds nobody up.
pub(crate) struct Door {
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    address: SocketAddr,
}

impl Door {
    /// Accepts from `listener` on the current runtime.
    pub(crate) fn open(listener: TcpListener, tls: Option<TlsAcceptor>) -> io::Result<Door> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(64);
        tokio::spawn(async move {
            loop {
                let Ok((tcp, peer)) = listener.accept().await else {
                    // Out of descriptors, for instance: others must be closed first.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                // Answers are small and should not wait for each other.
                let _ = tcp.set_nodelay(true);
                let sender = sender.clone();
                match tls.clone() {
                    None => {
                        let connection = Connection::new(Transport::Plain(tcp));
                        if sender.send((connection, peer)).await.is_err() {
                            return;
                        }
                    }
                    Some(acceptor) => {
                        tokio::spawn(async move {
                            let handshake = tokio::time::timeout(HANDSHAKE, acceptor.accept(tcp));
                            if let Ok(Ok(tls)) = handshake.await {
                                let connection = Connection::new(Transport::Tls(Box::new(tls)));
                                let _ = sender.send((connection, peer)).await;
                            }
                        });
                    }
                }
            }
        });
        Ok(Door { ready, address })
    }
}

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The accepting task ends with the runtime only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
