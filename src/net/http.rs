//! HTTP/1.1 by reqwest, with everything switched off that would act behind the engine's back.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper_util::client::legacy::connect::HttpInfo;
use once_cell::sync::OnceCell;
use reqwest::Body;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderName, HeaderValue,
};
use rustls::pki_types::CertificateDer;
use url::{Position, Url};

use super::failure::{self, Tunnel};
use super::ports::Ports;
use super::proxy::{self, Proxies};
use super::retry_after::retry_after;
use super::{Alarm, Failure, Lookup, Transport, Way, tls};
use crate::model::body::Rooms;
use crate::model::config::NetConfig;
use crate::model::error::Result;
use crate::service::api::{Answer, Cut, Header, HttpRequest, MAX_URL, Method, Wire};
use crate::service::wire::form;

/// The longest answer that is read, in bytes.
const MAX_BODY: usize = 1 << 20;
/// Room that is made for an answer when it begins, in bytes, at most.
const LIKELY_BODY: usize = 16 << 10;
/// How many `Host` headers are remembered.
const MAX_HOSTS: usize = 16;
/// The longest header block that is accepted, in bytes.
const MAX_HEADERS: usize = 64 << 10;

/// The transport that sends over real sockets.
pub struct Http {
    idle: Duration,
    max_connections_per_host: usize,
    proxies: Arc<Proxies>,
    user_agent: String,
    ca: Vec<CertificateDer<'static>>,
    lookup: Arc<dyn Lookup>,
    /// Certificates are read at the first https request only: most clients of a sandbox never do.
    plain: OnceCell<reqwest::Client>,
    /// The local ends of connections that have carried a request.
    used: Ports,
    rooms: Arc<Rooms>,
    /// The last `Date` of an answer and what it says: many answers come within a second.
    date: Mutex<Option<(HeaderValue, u64)>>,
    secure: OnceCell<reqwest::Client>,
    /// The `Host` headers of the last requests.
    hosts: Mutex<Vec<HeaderValue>>,
}

impl Http {
    /// Makes ready to connect; reads `ca_file` but opens nothing yet.
    pub fn new(config: &NetConfig, lookup: Arc<dyn Lookup>) -> Result<Http> {
        let ca = config.ca_file.as_deref().map(tls::read_ca_file).transpose()?.unwrap_or_default();
        Ok(Http {
            idle: config.idle,
            max_connections_per_host: config.max_connections_per_host,
            proxies: Arc::new(Proxies::new(&config.proxy)?),
            user_agent: config.user_agent.clone(),
            ca,
            lookup,
            used: Ports::default(),
            rooms: Arc::default(),
            date: Mutex::default(),
            plain: OnceCell::new(),
            secure: OnceCell::new(),
            hosts: Mutex::default(),
        })
    }

    /// What of the proxies' credentials must not be shown.
    pub fn secrets(&self) -> Vec<String> {
        self.proxies.secrets()
    }

    fn client(&self, secure: bool) -> std::result::Result<&reqwest::Client, Failure> {
        let needs_tls = secure || !self.proxies.is_empty();
        let made = match needs_tls {
            true => {
                self.secure.get_or_try_init(|| self.build(tls::secure(&self.ca)?, self.through()))
            }
            false => self.plain.get_or_try_init(|| self.build(tls::none()?, None)),
        };
        made.map_err(|words| Failure { way: Way::Tls, words })
    }

    /// Sends each request through the proxy that it is for.
    fn through(&self) -> Option<reqwest::Proxy> {
        let proxies = Arc::clone(&self.proxies);
        (!proxies.is_empty()).then(|| reqwest::Proxy::custom(move |url| proxies.of(url).cloned()))
    }

    fn build(
        &self,
        tls: rustls::ClientConfig,
        proxy: Option<reqwest::Proxy>,
    ) -> std::result::Result<reqwest::Client, String> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_idle_timeout(self.idle)
            .pool_max_idle_per_host(self.max_connections_per_host)
            .dns_resolver(Resolver(self.lookup.clone()))
            .user_agent(&self.user_agent)
            .no_proxy();
        let builder = match proxy {
            Some(proxy) => builder.proxy(proxy),
            None => builder,
        };
        builder.build().map_err(|e| e.without_url().to_string())
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
                let Failure { way, words } = Failure::from_reqwest(error);
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
        let proxy = reqwest::Proxy::http(proxy.as_str()).ok();
        let client = self.build(tls::secure(&self.ca).ok()?, proxy).ok()?;
        let request = reqwest::Request::new(reqwest::Method::CONNECT, Url::parse(target).ok()?);
        let answer = before(time_out, pin!(client.execute(request))).await?.ok()?;
        Some(answer.status().as_u16())
    }

    /// What the `Date` of an answer says, in Unix seconds.
    fn date(&self, headers: &HeaderMap) -> Option<u64> {
        let header = headers.get(DATE)?;
        let mut last = self.date.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match &*last {
            Some((known, unix)) if known == header => Some(*unix),
            _ => {
                let unix = date(header)?;
                // Copied: the value would keep the whole block that was read.
                let own = HeaderValue::from_bytes(header.as_bytes()).ok()?;
                *last = Some((own, unix));
                Some(unix)
            }
        }
    }

    /// The `Host` header of a URL, which the client would put together anew for each request.
    fn host(&self, url: &Url) -> Option<HeaderValue> {
        let text = &url[Position::BeforeHost..Position::AfterPort];
        let mut hosts = self.hosts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(host) = hosts.iter().find(|host| host.as_bytes() == text.as_bytes()) {
            return Some(host.clone());
        }
        let host = HeaderValue::from_str(text).ok()?;
        if hosts.len() >= MAX_HOSTS {
            hosts.clear();
        }
        hosts.push(host.clone());
        Some(host)
    }

    /// True if the connection of this answer had carried another before.
    fn has_used(&self, response: &reqwest::Response) -> bool {
        let info = response.extensions().get::<HttpInfo>();
        info.is_some_and(|info| !self.used.insert(info.local_addr().port()))
    }
}

impl Transport for Http {
    async fn send(
        &self,
        wire: Wire,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> std::result::Result<Answer, Failure> {
        let Wire::Http(request) = wire else {
            let words = "HTTP cannot carry a message of SMTP; this is a bug in hongyan".to_owned();
            return Err(Failure { way: Way::Protocol, words });
        };
        let client = self.client(request.url.scheme() == "https")?;
        let host = self.host(&request.url);
        // The authority alone, which is all that a proxy is asked for: the query may hold a signature.
        let through = self.proxies.of(&request.url).map(|proxy| {
            let port = request.url.port_or_known_default().unwrap_or_default();
            (proxy, format!("http://{}:{port}", request.url.host_str().unwrap_or_default()))
        });
        let sent = before(time_out, pin!(client.execute(prepared(request, host, begun)?))).await;
        let response = match sent {
            Some(Ok(response)) => response,
            Some(Err(error)) => {
                let error = error.without_url();
                return Err(match through {
                    None => Failure::from_reqwest(error),
                    Some((proxy, target)) => {
                        Box::pin(self.failed(error, proxy, &target, time_out)).await
                    }
                });
            }
            None => {
                return Err(Failure { way: Way::TimedOut, words: "no answer in time".to_owned() });
            }
        };
        let reused = self.has_used(&response);
        let date = self.date(response.headers());
        let mut answer = read(response, date, time_out, &self.rooms).await?;
        answer.reused = reused;
        Ok(answer)
    }
}

fn prepared(
    request: HttpRequest,
    host: Option<HeaderValue>,
    begun: Arc<AtomicBool>,
) -> std::result::Result<reqwest::Request, Failure> {
    // A service says where the message is at fault; nothing longer may become a network's failure.
    if request.url.as_str().len() > MAX_URL {
        let words = format!("the URL is longer than {MAX_URL} bytes");
        return Err(Failure { way: Way::TooLarge, words });
    }
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
    };
    let mut prepared = reqwest::Request::new(method, request.url);
    let headers = prepared.headers_mut();
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
    let (given, refused) = (request.headers, || Failure {
        way: Way::Protocol,
        words: "a credential cannot stand in a header".to_owned(),
    });
    if !given.content_type.is_empty() {
        headers.insert(CONTENT_TYPE, content_type(given.content_type).ok_or_else(refused)?);
    }
    if let Some(value) = given.authorization {
        // Credentials were checked when the account was read; this is the last line of defence.
        let mut value = HeaderValue::try_from(value).map_err(|_| refused())?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    for Header { name, value } in given.more {
        let name = HeaderName::try_from(&*name).map_err(|_| refused())?;
        let mut value = HeaderValue::try_from(value).map_err(|_| refused())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let bytes = Some(request.body.whole());
    *prepared.body_mut() = Some(Body::wrap(Marked { bytes, begun }));
    Ok(prepared)
}

/// The header of a body's type; that of most bodies is checked when this is compiled.
fn content_type(text: Cow<'static, str>) -> Option<HeaderValue> {
    const FORM: HeaderValue = HeaderValue::from_static(form::CONTENT_TYPE);
    match text {
        Cow::Borrowed(form::CONTENT_TYPE) => Some(FORM),
        Cow::Borrowed(text) => Some(HeaderValue::from_static(text)),
        Cow::Owned(text) => HeaderValue::try_from(text).ok(),
    }
}

/// Reads an answer to its end, to the end of the time, or to the most that is read.
async fn read(
    mut response: reqwest::Response,
    date: Option<u64>,
    time_out: &mut Alarm,
    rooms: &Arc<Rooms>,
) -> std::result::Result<Answer, Failure> {
    let headers = response.headers();
    if headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
        > MAX_HEADERS
    {
        let words = format!("the answer's headers are larger than {MAX_HEADERS} bytes");
        return Err(Failure { way: Way::Protocol, words });
    }
    // What is promised is made room for, as far as it is likely.
    let length = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut answer = Answer {
        status: response.status().as_u16(),
        retry_after: retry_after(headers, date),
        date,
        body: rooms.take(length.unwrap_or_default().min(LIKELY_BODY)),
        ..Answer::default()
    };
    loop {
        match before(time_out, pin!(response.chunk())).await {
            None => answer.cut = Some(Cut::TimedOut),
            Some(Err(_)) => answer.cut = Some(Cut::Ended),
            Some(Ok(Some(chunk))) if answer.body.len() + chunk.len() > MAX_BODY => {
                answer.cut = Some(Cut::TooLong);
            }
            Some(Ok(Some(chunk))) => {
                answer.body.push(&chunk);
                continue;
            }
            Some(Ok(None)) => {}
        }
        return Ok(answer);
    }
}

/// Unix seconds of an HTTP date.
fn date(header: &HeaderValue) -> Option<u64> {
    let time = httpdate::parse_http_date(header.to_str().ok()?).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// The outcome of a future, or `None` once the time is over.
///
/// Pinned by its caller: it is large to move.
async fn before<F: Future>(time_out: &mut Alarm, mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Pin::new(&mut *time_out).poll(cx).map(|()| None),
    })
    .await
}

/// A body that tells when it is taken: in the same step its bytes go to the socket.
struct Marked {
    bytes: Option<Bytes>,
    begun: Arc<AtomicBool>,
}

impl http_body::Body for Marked {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Self::Error>>> {
        self.begun.store(true, Ordering::Release);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        // An empty body is never taken: it is asked whether it ends where its request is written.
        if self.bytes.as_ref().is_some_and(Bytes::is_empty) {
            self.begun.store(true, Ordering::Release);
            return true;
        }
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;

    use serde_json::json;

    use super::*;
    use crate::model::config::ClientConfig;
    use crate::net::Boxed;

    struct Nowhere;

    impl Lookup for Nowhere {
        fn look_up(&self, host: String) -> Boxed<'static, io::Result<Vec<SocketAddr>>> {
            panic!("{host} is looked up, and nothing is sent")
        }
    }

    #[test]
    fn a_request_names_its_host_as_its_url_does() {
        let config = json!({"v": 1, "accounts": {}});
        let config = ClientConfig::from_value(config).expect("a configuration").net;
        let http = Http::new(&config, Arc::new(Nowhere)).expect("no ca_file");
        let host = |url: &str| http.host(&Url::parse(url).expect(url)).expect(url);
        for _ in 0..2 {
            for (url, named) in [
                ("https://c.api.weibo.com/2/x.json", "c.api.weibo.com"),
                ("https://h:443/", "h"),
                ("http://h:443/?a@b:1", "h:443"),
                ("http://[::1]:8080/x", "[::1]:8080"),
                ("http://127.0.0.1:1/", "127.0.0.1:1"),
            ] {
                assert_eq!(host(url), named, "{url}");
            }
        }
        (0..MAX_HOSTS * 3)
            .for_each(|n| assert_eq!(host(&format!("http://h{n}/")), format!("h{n}")));
        assert!(http.hosts.lock().expect("nobody panics").len() <= MAX_HOSTS);
    }
}
