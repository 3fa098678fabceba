//! Floor 2: the way there and back. hyper, reqwest and rustls live here and nowhere else.

pub mod clock;
mod dial;
mod failure;
pub mod http;
mod proxy;
mod retry_after;
#[cfg(feature = "service-smtp")]
mod smtp;
mod time_out;
mod tls;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use clock::{Alarm, Clock, Sleep};
pub use failure::{Failure, NoResources, Way};
use http::Http;
pub use http::Route;
use tls::Tls;
#[cfg(feature = "postgres")]
pub use tls::postgres::DatabaseTls;

use crate::model::config::{NetConfig, Proxy};
use crate::model::error::Result;
use crate::service::api::{Answer, Wire};

/// A future that may be kept and sent to another thread.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Carries one request to its service and the answer back.
pub trait Transport: Send + Sync {
    /// Sends a request and reads its answer, until `time_out` is over.
    ///
    /// `wire` is taken out by whoever carries it: it would be large to hand on.
    /// `begun` becomes true just before the first byte is handed to the socket: from then on
    /// nobody can say that nothing was sent. Dropping the future gives the attempt up.
    fn send(
        &self,
        wire: &mut Option<Wire>,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> impl Future<Output = std::result::Result<Answer, Failure>> + Send;
}

/// Real sockets: HTTP, and SMTP for mail.
pub struct Sockets {
    http: Http,
    #[cfg(feature = "service-smtp")]
    smtp: smtp::Smtp,
}

impl Sockets {
    /// Makes ready to connect; reads `ca_file` but opens nothing yet.
    pub fn new(config: &NetConfig, lookup: Arc<dyn Lookup>) -> Result<Sockets> {
        let tls = Arc::new(Tls::new(config.ca_file.as_deref())?);
        #[cfg(feature = "service-smtp")]
        let smtp = smtp::Smtp::new(config.idle, Arc::clone(&tls), Arc::clone(&lookup));
        Ok(Sockets {
            http: Http::new(config, tls, lookup)?,
            #[cfg(feature = "service-smtp")]
            smtp,
        })
    }

    /// What of the proxies' credentials must not be shown.
    pub fn secrets(&self) -> Vec<String> {
        self.http.secrets()
    }

    async fn send(
        &self,
        wire: &mut Option<Wire>,
        route: Option<&Route>,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> std::result::Result<Answer, Failure> {
        #[cfg(feature = "service-smtp")]
        if let Some(Wire::Mail(mail)) = wire.take_if(|wire| matches!(wire, Wire::Mail(_))) {
            return Box::pin(self.smtp.send(*mail, time_out, begun)).await;
        }
        self.http.carry(wire, route, time_out, begun).await
    }
}

/// The transport of an engine; a type and no `dyn`, so that no attempt has to be boxed.
pub enum Carrier {
    /// Real sockets.
    Sockets(Box<Sockets>),
    /// What a test brings instead.
    #[cfg(test)]
    Scripted(Box<dyn Scripted>),
}

impl Carrier {
    /// The way through an account's own proxy.
    pub fn route(&self, proxy: &Proxy) -> Result<Option<Route>> {
        match self {
            Carrier::Sockets(sockets) => sockets.http.route(proxy).map(Some),
            #[cfg(test)]
            Carrier::Scripted(_) => Ok(None),
        }
    }

    /// Sends a request by an account's own route, or by the client's: see [`Transport::send`].
    pub async fn send(
        &self,
        wire: &mut Option<Wire>,
        route: Option<&Route>,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> std::result::Result<Answer, Failure> {
        match self {
            Carrier::Sockets(sockets) => sockets.send(wire, route, time_out, begun).await,
            #[cfg(test)]
            Carrier::Scripted(script) => {
                script.send(wire.take().expect("a request"), time_out, begun).await
            }
        }
    }
}

/// A transport that follows a script; see [`Transport::send`].
#[cfg(test)]
pub trait Scripted: Send + Sync {
    fn send<'a>(
        &'a self,
        wire: Wire,
        time_out: &'a mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Boxed<'a, std::result::Result<Answer, Failure>>;
}

/// Finds the addresses of a host.
pub trait Lookup: Send + Sync {
    /// The addresses of `host`, in the order to try them.
    fn look_up(&self, host: String) -> Boxed<'static, io::Result<Vec<SocketAddr>>>;
}
