//! HTTP/1.1: straight to the service over connections of our own, or by reqwest through a proxy.

mod answer;
mod connection;
mod dial;
mod direct;
mod pool;
mod proxied;
mod socket;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use self::direct::Direct;
use self::proxied::Proxied;
use super::proxy::Proxies;
use super::time_out::{before, poll_over, timed_out};
use super::tls::Tls;
use super::{Alarm, Failure, Lookup, Transport, Way};
use crate::model::config::{NetConfig, Proxy};
use crate::model::error::Result;
use crate::service::api::{Answer, Header, Headers, HttpRequest, MAX_URL, Method, Wire};
use crate::service::wire::form;

/// The transport that sends over real sockets.
pub struct Http {
    direct: Direct,
    proxied: Arc<Proxied>,
    /// Those of accounts that have proxies of their own, by what these say.
    routes: Mutex<HashMap<String, Weak<Proxied>>>,
}

/// How the requests of an account that has a proxy of its own go.
#[derive(Clone)]
pub struct Route(Arc<Proxied>);

impl Route {
    /// What of the proxy's credentials must not be shown.
    pub fn secrets(&self) -> Vec<String> {
        self.0.proxies().secrets()
    }
}

impl Http {
    /// Makes ready to connect; opens nothing yet.
    pub fn new(config: &NetConfig, tls: Arc<Tls>, lookup: Arc<dyn Lookup>) -> Result<Http> {
        let proxies = Arc::new(Proxies::new(&config.proxy)?);
        Ok(Http {
            direct: Direct::new(config, Arc::clone(&tls), Arc::clone(&lookup)),
            proxied: Arc::new(Proxied::new(config, proxies, tls, lookup)),
            routes: Mutex::default(),
        })
    }

    /// What of the proxies' credentials must not be shown.
    pub fn secrets(&self) -> Vec<String> {
        self.proxied.proxies().secrets()
    }

    /// The way through this proxy; accounts with the same one share its connections.
    pub fn route(&self, proxy: &Proxy) -> Result<Route> {
        let key = match proxy {
            Proxy::None => "none",
            Proxy::Env => "env",
            Proxy::Url(url) => url.as_str(),
        };
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = routes.get(key).and_then(Weak::upgrade) {
            return Ok(Route(known));
        }
        let proxies = Arc::new(Proxies::new(proxy)?);
        let new = Arc::new(self.proxied.through(proxies));
        routes.retain(|_, route| route.strong_count() > 0);
        routes.insert(key.to_owned(), Arc::downgrade(&new));
        Ok(Route(new))
    }

    /// Sends a request by an account's own route, or by the client's.
    pub async fn carry(
        &self,
        wire: &mut Option<Wire>,
        route: Option<&Route>,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> std::result::Result<Answer, Failure> {
        let proxied = route.map_or(&*self.proxied, |route| &*route.0);
        let is_proxied = matches!(wire, Some(Wire::Http(request)) if proxied.proxies().of(&request.url).is_some());
        match is_proxied {
            false => self.direct.send(wire, time_out, begun).await,
            true => Box::pin(proxied.send(wire, time_out, begun)).await,
        }
    }
}

impl Transport for Http {
    async fn send(
        &self,
        wire: &mut Option<Wire>,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> std::result::Result<Answer, Failure> {
        self.carry(wire, None, time_out, begun).await
    }
}

/// The request that a wire is, if HTTP can carry it.
fn request(wire: &mut Option<Wire>) -> std::result::Result<HttpRequest, Failure> {
    let Some(Wire::Http(request)) = wire.take() else {
        return Err(refused("HTTP cannot carry a message of SMTP; this is a bug in hongyan"));
    };
    // A service says where the message is at fault; nothing longer may become a network's failure.
    if request.url.as_str().len() > MAX_URL {
        let words = format!("the URL is longer than {MAX_URL} bytes");
        return Err(Failure { way: Way::TooLarge, words });
    }
    Ok(request)
}

/// The failure of a request that HTTP cannot carry.
fn refused(words: &str) -> Failure {
    Failure { way: Way::Protocol, words: words.to_owned() }
}

/// Puts the fields of a request into a header.
fn fill(headers: &mut HeaderMap, given: Headers) -> std::result::Result<(), Failure> {
    // Credentials were checked when the account was read; this is the last line of defence.
    let no_field = || refused("a credential cannot stand in a header");
    let secret = |value: String| {
        let mut value = HeaderValue::try_from(value).map_err(|_| no_field())?;
        value.set_sensitive(true);
        Ok(value)
    };
    if !given.content_type.is_empty() {
        let value = content_type(given.content_type).ok_or_else(no_field)?;
        headers.insert(CONTENT_TYPE, value);
    }
    if let Some(value) = given.authorization {
        headers.insert(AUTHORIZATION, secret(value)?);
    }
    for Header { name, value } in given.more {
        let name = HeaderName::try_from(&*name).map_err(|_| no_field())?;
        headers.insert(name, secret(value)?);
    }
    Ok(())
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

/// A method, as hyper and reqwest know it.
fn method(method: Method) -> hyper::Method {
    match method {
        Method::Get => hyper::Method::GET,
        Method::Post => hyper::Method::POST,
        Method::Put => hyper::Method::PUT,
    }
}
