//! HTTP over connections of our own, straight to the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http_body::Body as _;
use hyper::Request as Message;
use hyper::header::{ACCEPT, CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT};
use hyper::http::uri::{PathAndQuery, Uri};
use tokio::time::sleep_until;
use url::{Position, Url};

use super::answer::Reader;
use super::connection::{Connection, Pieces, Sent};
use super::dial::Dialler;
use super::pool::Pool;
use super::{before, fill, method, refused, request, timed_out};
use crate::model::config::NetConfig;
use crate::net::tls::Tls;
use crate::net::{Alarm, Failure, Lookup, Transport, Way};
use crate::service::api::{Answer, HttpRequest, Method, Wire};

/// Sends over hyper's connections, kept in a pool of ours.
pub struct Direct {
    dialler: Dialler,
    pool: Arc<Pool>,
    reader: Reader,
    user_agent: HeaderValue,
}

impl Direct {
    /// Makes ready to connect; opens nothing yet.
    pub fn new(config: &NetConfig, tls: Arc<Tls>, lookup: Arc<dyn Lookup>) -> Direct {
        Direct {
            dialler: Dialler::new(lookup, tls),
            pool: Pool::new(config.idle),
            reader: Reader::default(),
            // It was checked when the configuration was read.
            user_agent: HeaderValue::from_str(&config.user_agent)
                .unwrap_or(HeaderValue::from_static("hongyan")),
        }
    }

    /// A connection that can be written to at once: one that is kept, or else a new one.
    async fn connection(
        &self,
        url: &Url,
        time_out: &mut Alarm,
    ) -> Result<Box<Connection>, Failure> {
        while let Some(mut taken) = self.pool.take(url) {
            if let Some(at) = taken.settled_at {
                let settled = before(time_out, Box::pin(sleep_until(at)).as_mut()).await;
                settled.ok_or_else(timed_out)?;
            }
            if taken.connection.is_usable() {
                return Ok(taken.connection);
            }
            self.pool.lost(url);
        }
        let connected = before(time_out, Box::pin(self.dialler.connect(url)).as_mut()).await;
        connected.ok_or_else(timed_out)?
    }

    fn message(&self, request: HttpRequest) -> Result<(Url, Message<Pieces>), Failure> {
        let HttpRequest { method, url, headers: given, body } = request;
        let host = self.pool.name(&url).ok_or_else(|| refused("the URL names no host"))?;
        let target = &url[Position::BeforePath..Position::AfterQuery];
        let target = PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(target.as_bytes()))
            .map_err(|_| refused("the URL cannot stand in a request"))?;
        let body = Pieces::from(body);
        let is_empty = body.is_end_stream();
        let mut message = Message::new(body);
        *message.method_mut() = self::method(method);
        *message.uri_mut() = Uri::from(target);
        let headers = message.headers_mut();
        headers.reserve(6 + given.more.len());
        headers.insert(HOST, host);
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(USER_AGENT, self.user_agent.clone());
        // A body of any other length tells it itself.
        if is_empty && method != Method::Get {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        fill(headers, given)?;
        Ok((url, message))
    }
}

impl Transport for Direct {
    async fn send(
        &self,
        wire: Wire,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Result<Answer, Failure> {
        let (url, mut message) = self.message(request(wire)?)?;
        loop {
            let mut connection = self.connection(&url, time_out).await?;
            let sent = connection.send(message, Arc::clone(&begun), time_out).await;
            match sent {
                Sent::Answered(response) => {
                    let answer = connection.read(response, &self.reader, time_out).await?;
                    if answer.cut.is_none() && connection.may_be_kept() {
                        self.pool.keep(&url, connection);
                    }
                    return Ok(answer);
                }
                // It was closed in this very moment: another will do.
                Sent::Unsent(unsent) if connection.is_kept && !begun.load(Ordering::Acquire) => {
                    self.pool.lost(&url);
                    message = unsent;
                }
                Sent::Unsent(_) => {
                    let words = "the connection was lost: it was closed at once".to_owned();
                    return Err(Failure { way: Way::Network, words });
                }
                Sent::Failed(error) => {
                    self.pool.lost(&url);
                    return Err(Failure::of(&error, false));
                }
                Sent::TimedOut => return Err(timed_out()),
            }
        }
    }
}
