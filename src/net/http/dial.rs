//! New connections of HTTP, over TCP or TLS.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use url::Url;

use super::connection::Connection;
use super::socket::{Socket, Tcp, Wire};
use crate::net::dial::{server_name, tcp};
use crate::net::tls::Tls;
use crate::net::{Failure, Lookup};

/// Opens connections.
pub struct Dialler {
    lookup: Arc<dyn Lookup>,
    tls: Arc<Tls>,
}

impl Dialler {
    pub fn new(lookup: Arc<dyn Lookup>, tls: Arc<Tls>) -> Dialler {
        Dialler { lookup, tls }
    }

    /// Opens a connection to the host of a URL. Nothing of a request is written.
    pub async fn connect(&self, url: &Url) -> Result<Box<Connection>, Failure> {
        // Before the look-up: without certificates there is nobody to speak to.
        let tls = match url.scheme() {
            "https" => Some(self.tls.config()?),
            _ => None,
        };
        let failed = |error: &io::Error| Failure::of(error, true);
        let stream = tcp(&self.lookup, url).await.map_err(|e| failed(&e))?;
        let wire = Arc::<Wire>::default();
        let tcp = Tcp::new(stream, Arc::clone(&wire));
        let socket = match tls {
            None => Socket::plain(tcp, Arc::clone(&wire)),
            Some(config) => {
                let name = server_name(url).map_err(|e| failed(&e))?;
                let tls = TlsConnector::from(config).connect(name, tcp).await;
                Socket::secure(tls.map_err(|e| failed(&e))?, Arc::clone(&wire))
            }
        };
        let connection = Connection::new(socket, wire).await;
        Ok(Box::new(connection.map_err(|e| Failure::of(&e, true))?))
    }
}
