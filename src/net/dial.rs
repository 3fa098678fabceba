//! New connections: the name's addresses, TCP, and who has to be at the other end.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use url::{Host, Url};

use super::{Boxed, Lookup};

/// How long an address is tried alone before the next is tried beside it.
const HEAD_START: Duration = Duration::from_millis(300);
/// A connection over which so long nothing comes is asked whether it is still there, and how often.
const ASKED_AFTER: Duration = Duration::from_secs(15);
const ASKED_TIMES: u32 = 3;
/// So long the other side may leave unacknowledged what was written.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Opens a connection of TCP to the host of a URL.
pub async fn tcp(lookup: &Arc<dyn Lookup>, url: &Url) -> io::Result<TcpStream> {
    let stream = first(addresses(lookup, url).await?).await?;
    set_up(&stream);
    Ok(stream)
}

async fn addresses(lookup: &Arc<dyn Lookup>, url: &Url) -> io::Result<Vec<SocketAddr>> {
    let port = url.port_or_known_default().unwrap_or_default();
    let at = |ip: IpAddr| SocketAddr::new(ip, port);
    match url.host() {
        Some(Host::Ipv4(ip)) => Ok(vec![at(ip.into())]),
        Some(Host::Ipv6(ip)) => Ok(vec![at(ip.into())]),
        Some(Host::Domain(name)) => {
            let found = lookup.look_up(name.to_owned()).await?;
            Ok(found.into_iter().map(|found| at(found.ip())).collect())
        }
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "the URL names no host")),
    }
}

/// The first connection that comes about, of those to these addresses; each is tried when the one before
/// has failed, or has had its time alone.
async fn first(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut left = addresses.into_iter();
    let mut dialled: Vec<Boxed<'_, io::Result<TcpStream>>> = Vec::new();
    let mut head_start = Box::pin(sleep_until(Instant::now()));
    let mut error = io::Error::new(io::ErrorKind::NotFound, "the name has no addresses");
    poll_fn(|cx| {
        loop {
            let is_due =
                dialled.is_empty() || (left.len() > 0 && head_start.as_mut().poll(cx).is_ready());
            let next = if is_due { left.next() } else { None };
            let has_begun = next.is_some();
            if let Some(address) = next {
                dialled.push(Box::pin(TcpStream::connect(address)));
                head_start.as_mut().reset(Instant::now() + HEAD_START);
            }
            let mut n = 0;
            while let Some(dial) = dialled.get_mut(n) {
                match dial.as_mut().poll(cx) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(Ok(stream)),
                    Poll::Ready(Err(e)) => {
                        error = e;
                        drop(dialled.remove(n));
                    }
                    Poll::Pending => n += 1,
                }
            }
            if dialled.is_empty() && left.len() == 0 {
                let none = io::Error::from(io::ErrorKind::NotFound);
                return Poll::Ready(Err(std::mem::replace(&mut error, none)));
            }
            if !dialled.is_empty() && !has_begun {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// What a socket is set to; one that cannot be set so works all the same.
fn set_up(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(ASKED_AFTER);
    #[cfg(not(any(target_os = "openbsd", target_os = "redox", target_os = "solaris")))]
    let keepalive = keepalive.with_interval(ASKED_AFTER).with_retries(ASKED_TIMES);
    let _ = (stream.set_nodelay(true), socket.set_tcp_keepalive(&keepalive));
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
}

/// The name that a server's certificate has to be for.
pub fn server_name(url: &Url) -> io::Result<ServerName<'static>> {
    let no_name = |e| io::Error::new(io::ErrorKind::InvalidInput, e);
    match url.host() {
        Some(Host::Ipv4(ip)) => Ok(ServerName::IpAddress(IpAddr::from(ip).into())),
        Some(Host::Ipv6(ip)) => Ok(ServerName::IpAddress(IpAddr::from(ip).into())),
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(no_name),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "the URL names no host")),
    }
}
