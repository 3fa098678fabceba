//! HTTP over connections of our own, straight to the service.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http_body::Body as _;
use hyper::Request as Message;
use hyper::header::{ACCEPT, CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT};
use hyper::http::uri::Uri;
use tokio::time::sleep_until;
use url::Url;

use super::answer::Reader;
use super::connection::{Connection, Pieces, Sent};
use super::dial::Dialler;
use super::pool::{Host, Pool};
use super::{before, fill, method, refused, request, timed_out};
use crate::model::config::NetConfig;
use crate::net::tls::Tls;
use crate::net::{Alarm, Failure, Lookup, Transport, Way};
use crate::service::api::{Answer, Headers, HttpRequest, Wire};

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
        host: &Host,
        time_out: &mut Alarm,
    ) -> Result<Box<Connection>, Failure> {
        while let Some(mut taken) = self.pool.take(host) {
            if let Some(at) = taken.settled_at {
                let settled = before(time_out, Box::pin(sleep_until(at)).as_mut()).await;
                settled.ok_or_else(timed_out)?;
            }
            if taken.connection.is_usable() {
                return Ok(taken.connection);
            }
            host.lost();
        }
        let connected = before(time_out, Box::pin(self.dialler.connect(url)).as_mut()).await;
        connected.ok_or_else(timed_out)?
    }

    /// Fills the head of a request whose method and target are set.
    fn head(
        &self,
        message: &mut Message<Pieces>,
        host: &Host,
        given: Headers,
    ) -> Result<(), Failure> {
        let has_body = message.method() != hyper::Method::GET || !message.body().is_end_stream();
        // A body of any other length tells it itself.
        let length = message.body().size_hint().exact().filter(|_| has_body);
        let headers = message.headers_mut();
        headers.reserve(6 + given.more.len());
        headers.insert(HOST, host.name.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(USER_AGENT, self.user_agent.clone());
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, digits(length));
        }
        fill(headers, given)
    }
}

/// A number as it stands in a header field; `HeaderValue`'s own way to write it allocates twice.
fn digits(mut number: u64) -> HeaderValue {
    let mut digits = [0; 20];
    let mut first = digits.len();
    while number > 0 || first == digits.len() {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    // Digits may stand in any field.
    HeaderValue::from_bytes(&digits[first..]).unwrap_or(HeaderValue::from_static("0"))
}

impl Transport for Direct {
    async fn send(
        &self,
        wire: &mut Option<Wire>,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Result<Answer, Failure> {
        // A request is large to move: it is made where it stands.
        let HttpRequest { method, url, headers, body } = request(wire)?;
        let host = self.pool.host(&url).ok_or_else(|| refused("the URL names no host"))?;
        let target =
            host.target(&url).ok_or_else(|| refused("the URL cannot stand in a request"))?;
        let mut message = Message::new(Pieces::from(body));
        *message.method_mut() = self::method(method);
        *message.uri_mut() = Uri::from(target);
        self.head(&mut message, &host, headers)?;
        loop {
            let mut connection = self.connection(&url, &host, time_out).await?;
            let answer = pin!(connection.hand_over(message, Arc::clone(&begun)));
            match connection.answer(answer, time_out).await {
                Sent::Answered(response) => {
                    let (head, body) = response.into_parts();
                    let length = body.size_hint().exact();
                    let answer = self.reader.begin(head.status.as_u16(), &head.headers, length)?;
                    // It shares the room that the next pieces are read into.
                    drop(head);
                    let answer = connection.read(body, answer, time_out).await;
                    if answer.cut.is_none() && connection.may_be_kept() {
                        self.pool.keep(&host, connection);
                    }
                    return Ok(answer);
                }
                // It was closed in this very moment: another will do.
                Sent::Unsent(unsent) if connection.is_kept && !begun.load(Ordering::Acquire) => {
                    host.lost();
                    message = *unsent;
                }
                Sent::Unsent(_) => {
                    let words = "the connection was lost: it was closed at once".to_owned();
                    return Err(Failure { way: Way::Network, words });
                }
                Sent::Failed(error) => {
                    host.lost();
                    return Err(Failure::of(&error, false));
                }
                Sent::TimedOut => return Err(timed_out()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_written_in_digits() {
        for number in [0, 7, 10, 1_500, u64::MAX] {
            assert_eq!(digits(number), number.to_string());
        }
    }
}
