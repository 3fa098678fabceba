//! HTTP by reqwest through a proxy, with everything switched off that would act behind the engine's back.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use once_cell::sync::OnceCell;
use reqwest::{Body, Method};
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::answer::{self, Reader};
use super::connection::Pieces;
use super::pool::CLOSES_WITHIN;
use super::{before, fill, timed_out};
use crate::model::config::NetConfig;
use crate::net::failure::{self, Tunnel};
use crate::net::proxy::{self, Proxies};
use crate::net::tls::Tls;
use crate::net::{Alarm, Failure, Lookup, Transport, Way};
use crate::service::api::{Answer, Cut, HttpRequest, Wire};

/// Sends each request through the proxy that it is for.
pub struct Proxied {
    idle: Duration,
    max_connections_per_host: usize,
    proxies: Arc<Proxies>,
    user_agent: String,
    tls: Arc<Tls>,
    lookup: Arc<dyn Lookup>,
    client: OnceCell<reqwest::Client>,
    reader: Reader,
    last_answer: Mutex<Option<Instant>>,
}

impl Proxied {
    /// Makes ready to connect; opens nothing yet.
    pub fn new(
        config: &NetConfig,
        proxies: Arc<Proxies>,
        tls: Arc<Tls>,
        lookup: Arc<dyn Lookup>,
    ) -> Proxied {
        Proxied {
            idle: config.idle,
            max_connections_per_host: config.max_connections_per_host,
            proxies,
            user_agent: config.user_agent.clone(),
            tls,
            lookup,
            client: OnceCell::new(),
            reader: Reader::default(),
            last_answer: Mutex::default(),
        }
    }

    /// The same through other proxies, with connections of its own.
    pub fn through(&self, proxies: Arc<Proxies>) -> Proxied {
        Proxied {
            idle: self.idle,
            max_connections_per_host: self.max_connections_per_host,
            proxies,
            user_agent: self.user_agent.clone(),
            tls: Arc::clone(&self.tls),
            lookup: Arc::clone(&self.lookup),
            client: OnceCell::new(),
            reader: Reader::default(),
            last_answer: Mutex::default(),
        }
    }

    /// The proxies that requests go through.
    pub fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    fn client(&self) -> Result<&reqwest::Client, Failure> {
        let proxies = Arc::clone(&self.proxies);
        let through = reqwest::Proxy::custom(move |url| proxies.of(url).cloned());
        self.client.get_or_try_init(|| self.build(through))
    }

    fn build(&self, proxy: reqwest::Proxy) -> Result<reqwest::Client, Failure> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(rustls::ClientConfig::clone(&*self.tls.config()?))
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_idle_timeout(self.idle)
            .pool_max_idle_per_host(self.max_connections_per_host)
            .dns_resolver(Resolver(self.lookup.clone()))
            .user_agent(&self.user_agent)
            .no_proxy()
            .proxy(proxy);
        builder.build().map_err(|e| Failure { way: Way::Tls, words: e.without_url().to_string() })
    }

    /// Why there is no answer from `target`, in words that name the proxy on the way.
    async fn failed(
        &self,
        error: reqwest::Error,
        proxy: &Url,
        target: &str,
        time_out: &mut Alarm,
    ) -> Failure {
        let name = proxy::name(proxy);
        let has_credentials = !proxy.username().is_empty() || proxy.password().is_some();
        let status = match failure::tunnel(&error) {
            None => {
                let Failure { way, words } = Failure::of(&error, error.is_connect());
                return Failure { way, words: format!("{words}, through the proxy {name}") };
            }
            Some(Tunnel::WantsCredentials) => Some(407),
            Some(Tunnel::Refused) => self.refusal(proxy, target, time_out).await,
        };
        let words = match status {
            Some(407) if has_credentials => {
                format!("the proxy {name} refused its credentials: HTTP status 407")
            }
            Some(407) => format!(
                "the proxy {name} wants credentials, as in http://user:password@host:port: \
                 HTTP status 407"
            ),
            Some(status @ 300..) => {
                format!("the proxy {name} refused the tunnel: HTTP status {status}")
            }
            _ => format!("the proxy {name} refused the tunnel"),
        };
        Failure { way: Way::Network, words }
    }

    /// The status by which a proxy refuses a tunnel, which the HTTP client keeps to itself: it is asked
    /// for another one, through which nothing is sent.
    async fn refusal(&self, proxy: &Url, target: &str, time_out: &mut Alarm) -> Option<u16> {
        let client = self.build(reqwest::Proxy::http(proxy.as_str()).ok()?).ok()?;
        let request = reqwest::Request::new(Method::CONNECT, Url::parse(target).ok()?);
        let answer = before(time_out, pin!(client.execute(request))).await?.ok()?;
        Some(answer.status().as_u16())
    }

    /// Waits until no connection can be chosen that the other side has closed.
    ///
    /// reqwest takes no look at a connection before it writes to it, and knows of its end only once the
    /// loop has told it; a proxy that closes connections after an answer needs a moment to do so.
    async fn let_close_arrive(&self) {
        let last = *self.last_answer.lock().unwrap_or_else(PoisonError::into_inner);
        let settled_at = last.map(|last| last + CLOSES_WITHIN);
        if let Some(at) = settled_at.filter(|at| *at > Instant::now()) {
            sleep_until(at).await;
        }
        // The loop looks at its sockets, then lets the connections see what they were told. A task that
        // yields comes after that, a future that drives the loop before it.
        let mut yields = if tokio::task::try_id().is_some() { 1 } else { 2 };
        poll_fn(|cx| {
            if yields == 0 {
                return Poll::Ready(());
            }
            yields -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Reads an answer to its end, to the end of the time, or to the most that is read.
    async fn read(
        &self,
        mut response: reqwest::Response,
        time_out: &mut Alarm,
    ) -> Result<Answer, Failure> {
        let (status, length) = (response.status().as_u16(), response.content_length());
        let mut answer = self.reader.begin(status, response.headers(), length)?;
        loop {
            match before(time_out, pin!(response.chunk())).await {
                None => answer.cut = Some(Cut::TimedOut),
                Some(Err(_)) => answer.cut = Some(Cut::Ended),
                Some(Ok(Some(piece))) if !answer::add(&mut answer, &piece) => {
                    answer.cut = Some(Cut::TooLong);
                }
                Some(Ok(Some(_))) => continue,
                Some(Ok(None)) => {}
            }
            return Ok(answer);
        }
    }
}

impl Transport for Proxied {
    async fn send(
        &self,
        wire: &mut Option<Wire>,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Result<Answer, Failure> {
        let (client, request) = (self.client()?, super::request(wire)?);
        // The authority alone, which is all that a proxy is asked for: the query may hold a signature.
        let through = self.proxies.of(&request.url).map(|proxy| {
            let port = request.url.port_or_known_default().unwrap_or_default();
            (proxy, format!("http://{}:{port}", request.url.host_str().unwrap_or_default()))
        });
        before(time_out, pin!(self.let_close_arrive())).await.ok_or_else(timed_out)?;
        let sent = before(time_out, pin!(client.execute(prepared(request, begun)?))).await;
        let answer = match sent.ok_or_else(timed_out)? {
            Ok(response) => self.read(response, time_out).await?,
            Err(error) => {
                let error = error.without_url();
                return Err(match through {
                    None => Failure::of(&error, error.is_connect()),
                    Some((proxy, target)) => self.failed(error, proxy, &target, time_out).await,
                });
            }
        };
        *self.last_answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(answer)
    }
}

fn prepared(request: HttpRequest, begun: Arc<AtomicBool>) -> Result<reqwest::Request, Failure> {
    let mut prepared = reqwest::Request::new(super::method(request.method), request.url);
    fill(prepared.headers_mut(), request.headers)?;
    let pieces = Pieces::from(request.body);
    let is_empty = pieces.is_end_stream();
    *prepared.body_mut() = Some(Body::wrap(Marked { pieces, is_empty, begun }));
    Ok(prepared)
}

/// A body that tells when it is taken: in the same step its bytes go to the socket.
struct Marked {
    pieces: Pieces,
    is_empty: bool,
    begun: Arc<AtomicBool>,
}

impl http_body::Body for Marked {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.begun.store(true, Ordering::Release);
        Pin::new(&mut self.pieces).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        // An empty body is never taken: it is asked whether it ends where its request is written.
        if self.is_empty {
            self.begun.store(true, Ordering::Release);
        }
        self.pieces.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.pieces.size_hint()
    }
}

/// Our lookup, as reqwest wants it.
struct Resolver(Arc<dyn Lookup>);

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let found = self.0.look_up(name.as_str().to_owned());
        Box::pin(async move { Ok(Box::new(found.await?.into_iter()) as reqwest::dns::Addrs) })
    }
}
