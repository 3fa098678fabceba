//! The configuration of a client, as `hy_init` takes it.

pub mod outbox;
pub mod postgres;

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use url::{Host, Url};

use super::error::{Error, ErrorCode, Result};
use super::fields::Fields;
use super::json;
use super::message::To;
#[cfg(feature = "outbox")]
pub use outbox::Place;
#[cfg(feature = "postgres")]
pub use outbox::Postgres;
pub use outbox::{OutboxConfig, expand_outbox};

/// The largest configuration JSON, in bytes.
const MAX_CONFIG: usize = 16 << 20;

/// What a client is made from; every time is bounded, every unknown field was refused.
pub struct ClientConfig {
    pub(crate) accounts: Vec<(String, AccountConfig)>,
    pub(crate) timeout: Duration,
    pub(crate) max_in_flight: usize,
    pub(crate) retry: RetryConfig,
    pub(crate) net: NetConfig,
    pub(crate) trace: bool,
    pub(crate) outbox: Option<OutboxConfig>,
}

/// How connections are made and kept.
pub struct NetConfig {
    pub(crate) idle: Duration,
    pub(crate) max_connections_per_host: usize,
    pub(crate) proxy: Proxy,
    pub(crate) ca_file: Option<String>,
    pub(crate) user_agent: String,
}

/// Which proxy requests go through.
#[derive(Clone, PartialEq)]
pub enum Proxy {
    /// None, whatever the environment says.
    None,
    /// What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say when the client is made.
    Env,
    /// This one.
    Url(Url),
}

impl Proxy {
    fn read(f: &mut Fields) -> Result<Option<Proxy>> {
        Ok(match f.string("proxy")? {
            None => None,
            Some(text) if text == "env" => Some(Proxy::Env),
            Some(text) => Some(Proxy::Url(proxy_url(&text).map_err(|why| f.error("proxy", why))?)),
        })
    }
}

/// The URL may hold a password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Proxy::None => "None",
            Proxy::Env => "Env",
            Proxy::Url(_) => "Url(***)",
        })
    }
}

/// When and how often an attempt is repeated.
#[derive(Clone, Debug)]
pub struct RetryConfig {
    pub(crate) max_attempts: u32,
    pub(crate) initial: Duration,
    pub(crate) max: Duration,
    pub(crate) resend_maybe_sent: bool,
}

/// The pacing that an account asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// What the service documents.
    Documented,
    /// No limit at all.
    Unlimited,
    /// Never more than `count` in any `per`.
    Limit {
        /// Attempts.
        count: u64,
        /// The length of the window.
        per: Duration,
    },
}

/// What is common to the accounts of all services; the rest is read by the service itself.
pub struct AccountConfig {
    pub(crate) service: String,
    /// The recipient of messages that name none.
    pub(crate) to: To,
    /// What its requests go through, in place of the client's own.
    pub(crate) proxy: Option<Proxy>,
    pub(crate) base_url: Option<Url>,
    pub(crate) signing_url: Option<Url>,
    pub(crate) rate: Rate,
    pub(crate) max_in_flight: Option<usize>,
    /// `auth` and the service's own fields, not read yet.
    pub(crate) fields: Fields,
}

const DAY_MS: i64 = 86_400_000;

/// The value of a configuration, or of the part of one that stands at `path`.
pub fn json_value(text: &[u8], path: &str) -> Result<Value> {
    let no_json =
        |why: &str| Error::new(ErrorCode::Config, format!("the configuration is not JSON: {why}"));
    let text = json::bounded(text, MAX_CONFIG, ErrorCode::Config)?;
    json::value(text, path).map_err(|unread| unread.of_text(ErrorCode::Config, no_json))
}

impl ClientConfig {
    /// Reads a configuration in which references are already replaced.
    pub(crate) fn from_value(value: Value) -> Result<ClientConfig> {
        let mut f = Fields::new(value, "", ErrorCode::Config)?;
        match f.required("v")? {
            v if v.as_u64() == Some(1) => {}
            _ => return Err(f.error("v", "this version is unknown; this build reads 1")),
        }
        let mut accounts = Vec::new();
        for (name, value) in f.required_object("accounts")?.rest() {
            let path = format!("accounts.{name}");
            if name.is_empty() {
                return Err(Error::new(ErrorCode::Config, "an account needs a name").at("accounts"));
            }
            accounts.push((name, AccountConfig::from_value(value, path)?));
        }
        let timeout = f.integer("timeout_ms", 1..=DAY_MS)?.unwrap_or(10_000);
        let max_in_flight = f.integer("max_in_flight", 1..=10_000_000)?.unwrap_or(1024);
        let retry = RetryConfig::read(f.object("retry")?)?;
        let trace = f.boolean("trace")?.unwrap_or(false);
        let net = NetConfig::read(&mut f)?;
        let outbox = f.object("outbox")?;
        let outbox = outbox.map(|f| OutboxConfig::read(f, net.ca_file.as_deref())).transpose()?;
        f.finish()?;
        Ok(ClientConfig {
            accounts,
            timeout: Duration::from_millis(timeout.unsigned_abs()),
            max_in_flight: usize::try_from(max_in_flight).unwrap_or(usize::MAX),
            retry,
            net,
            trace,
            outbox,
        })
    }
}

impl NetConfig {
    fn read(f: &mut Fields) -> Result<NetConfig> {
        let proxy = Proxy::read(f)?.unwrap_or(Proxy::None);
        let user_agent = f
            .string("user_agent")?
            .unwrap_or_else(|| concat!("hongyan/", env!("CARGO_PKG_VERSION")).to_owned());
        if !user_agent.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Err(f.error("user_agent", "only printable ASCII can stand in a header"));
        }
        if user_agent.len() > MAX_TEXT {
            let words = format!(
                "{} bytes are too long for a header; {MAX_TEXT} are taken",
                user_agent.len()
            );
            return Err(f.error("user_agent", words));
        }
        let connections = f.integer("max_connections_per_host", 1..=65_535)?.unwrap_or(64);
        Ok(NetConfig {
            idle: Duration::from_millis(
                f.integer("idle_ms", 0..=DAY_MS)?.unwrap_or(4000).unsigned_abs(),
            ),
            max_connections_per_host: usize::try_from(connections).unwrap_or(64),
            proxy,
            ca_file: f.string("ca_file")?,
            user_agent,
        })
    }
}

impl RetryConfig {
    fn read(fields: Option<Fields>) -> Result<RetryConfig> {
        let mut retry = RetryConfig {
            max_attempts: 4,
            initial: Duration::from_millis(500),
            max: Duration::from_millis(30_000),
            resend_maybe_sent: false,
        };
        let Some(mut f) = fields else { return Ok(retry) };
        let ms = |n: i64| Duration::from_millis(n.unsigned_abs());
        if let Some(n) = f.integer("max_attempts", 1..=1000)? {
            retry.max_attempts = u32::try_from(n).unwrap_or(1000);
        }
        if let Some(n) = f.integer("initial_ms", 1..=DAY_MS)? {
            retry.initial = ms(n);
        }
        if let Some(n) = f.integer("max_ms", 1..=DAY_MS)? {
            retry.max = ms(n);
        }
        if retry.max < retry.initial {
            return Err(f.error("max_ms", "max_ms is below initial_ms"));
        }
        let words = f.one_of("on_maybe_sent", &["stop", "resend"])?;
        retry.resend_maybe_sent = words == Some("resend");
        f.finish()?;
        Ok(retry)
    }
}

impl AccountConfig {
    /// Reads the common fields of one account in which references are already replaced.
    pub(crate) fn from_value(value: Value, path: impl Into<String>) -> Result<AccountConfig> {
        let mut f = Fields::new(value, path, ErrorCode::Config)?;
        let service = f.required_string("service")?;
        let base_url = url_field(&mut f, "base_url")?;
        let signing_url = url_field(&mut f, "signing_url")?;
        let rate = match f.nullable("rate") {
            None => Rate::Documented,
            Some(None) => Rate::Unlimited,
            Some(Some(value)) => {
                let mut r = Fields::new(value, f.path("rate"), ErrorCode::Config)?;
                let count = r.required_integer("count", 1..=1_000_000_000)?.unsigned_abs();
                let per = r.required_integer("per_ms", 1..=31 * DAY_MS)?.unsigned_abs();
                r.finish()?;
                Rate::Limit { count, per: Duration::from_millis(per) }
            }
        };
        let max_in_flight = f.integer("max_in_flight", 1..=10_000_000)?;
        let to = f.object("to")?.map(To::of_fields).transpose()?.unwrap_or_default();
        Ok(AccountConfig {
            service,
            to,
            proxy: Proxy::read(&mut f)?,
            base_url,
            signing_url,
            rate,
            max_in_flight: max_in_flight.and_then(|n| usize::try_from(n).ok()),
            fields: f,
        })
    }
}

fn url_field(f: &mut Fields, name: &'static str) -> Result<Option<Url>> {
    let Some(text) = f.string(name)? else { return Ok(None) };
    base_url(&text).map(Some).map_err(|why| f.error(name, why))
}

/// The longest base URL and name of a client, in bytes.
const MAX_TEXT: usize = 8192;

/// The schemes of a base URL; which of them a service speaks is its own matter.
const BASE_SCHEMES: &[&str] = &["http", "https", "smtp", "smtps"];

/// Scheme, host, optional port and path prefix: what a documented path can be appended to.
///
/// The text is not repeated: credentials, or a query with a key in it, may have been put there.
fn base_url(text: &str) -> std::result::Result<Url, String> {
    let url = no_credentials(text, url(text, BASE_SCHEMES))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("a URL must not have a query or a fragment here".to_owned());
    }
    Ok(url)
}

/// A URL of http or https without credentials in it; the text is not repeated where it is wrong.
pub fn web_url(text: &str) -> std::result::Result<Url, String> {
    no_credentials(text, any_web_url(text))
}

/// A URL of http or https; the text is not repeated where it is wrong.
pub fn any_web_url(text: &str) -> std::result::Result<Url, String> {
    url(text, &["http", "https"])
}

/// Refuses a URL with credentials, even where they make it none.
fn no_credentials(
    text: &str,
    url: std::result::Result<Url, String>,
) -> std::result::Result<Url, String> {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = authority.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let has = |url: &Url| !url.username().is_empty() || url.password().is_some();
    if authority.contains('@') || url.as_ref().is_ok_and(has) {
        return Err("credentials belong into \"auth\", not into a URL".to_owned());
    }
    url
}

fn url(text: &str, schemes: &[&str]) -> std::result::Result<Url, String> {
    let wrong = |words: &str| Err(words.to_owned());
    if text.len() > MAX_TEXT {
        return Err(format!("a URL of {} bytes is too long; {MAX_TEXT} are taken", text.len()));
    }
    // The parser would quietly drop what it takes for a slip of the pen.
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return wrong("a URL must not hold white space or line breaks");
    }
    let Some(host) = host(text, schemes) else {
        return wrong("a URL must begin with http:// or https:// and a host");
    };
    if !is_ascii_host(host) {
        return wrong("a URL must name its host in ASCII, as DNS does: xn--…");
    }
    Url::parse(text).map_err(|e| format!("this is no URL: {e}"))
}

/// Where a SOCKS proxy listens that names no port.
const SOCKS_PORT: u16 = 1080;

/// The URL of a proxy; the text is not repeated, since it may hold a password.
pub fn proxy_url(text: &str) -> std::result::Result<Url, String> {
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("the proxy must not hold white space or line breaks".to_owned());
    }
    let Some(host) = host(text, &["http", "https", "socks5", "socks5h"]) else {
        return Err(
            "a proxy is \"env\" or a URL of the form http://host:port or socks5://host:port"
                .to_owned(),
        );
    };
    if !is_ascii_host(host) {
        return Err("the proxy must name its host in ASCII, as DNS does: xn--…".to_owned());
    }
    let mut url = Url::parse(text).map_err(|e| format!("the proxy is no URL: {e}"))?;
    if url.port_or_known_default().is_none() {
        let _ = url.set_port(Some(SOCKS_PORT));
    }
    Ok(url)
}

/// The host and port of a URL that is written out, as `http://` and a host. The parser also takes
/// `http:/host` and `http:host`, whose host nobody who looks at them would find.
fn host<'a>(url: &'a str, schemes: &[&str]) -> Option<&'a str> {
    let (scheme, rest) = url.split_once("://")?;
    let is_known = schemes.iter().any(|own| scheme.eq_ignore_ascii_case(own));
    let authority = rest.split(['/', '\\', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    (is_known && !host.is_empty()).then_some(host)
}

/// True if the host is written in ASCII: the tables that translate other scripts would make up 4 % of
/// the library.
fn is_ascii_host(host: &str) -> bool {
    // An escape would be another way to write them.
    host.is_ascii() && !host.contains('%')
}

/// True if the URL's host is this machine itself.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // Of other schemes than http an address is no more than a name.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path_of(value: Value) -> (ErrorCode, String) {
        match ClientConfig::from_value(value) {
            Ok(_) => panic!("it was accepted"),
            Err(e) => (e.code(), e.path().unwrap_or("").to_owned()),
        }
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let config = ClientConfig::from_value(json!({"v": 1, "accounts": {}})).expect("minimal");
        assert_eq!(config.timeout, Duration::from_secs(10));
        assert_eq!(config.net.idle, Duration::from_secs(4));
        assert_eq!(config.net.max_connections_per_host, 64);
        assert_eq!((config.max_in_flight, config.retry.max_attempts), (1024, 4));
        assert_eq!(config.net.proxy, Proxy::None);
    }

    #[test]
    fn a_host_of_another_script_is_named_as_dns_names_it() {
        for (text, host) in [
            ("https://xn--9kr62p.xn--fiqs8s/微", "xn--9kr62p.xn--fiqs8s"),
            ("http://API.Cn", "api.cn"),
        ] {
            assert_eq!(base_url(text).expect(text).host_str(), Some(host));
        }
        let error = base_url("https://微博.中国").expect_err("a name that DNS does not know");
        assert!(error.contains("xn--"), "{error}");
        assert!(proxy_url("http://é:é@localhost:1").is_ok(), "credentials are no host");
        for hidden in [
            "http:/é.fr",
            "http:é.fr",
            "http:\\\\é.fr",
            "http:///é.fr",
            "https:/h",
            "http:h",
            "HTTP:////h",
            "http://@/h",
            "http:/u:p@é.fr:1",
            "ftp://h",
            "//h",
            "h",
        ] {
            assert!(base_url(hidden).is_err() && proxy_url(hidden).is_err(), "{hidden}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_path() {
        let account = |more: Value| {
            let mut account = json!({"service": "fanfou", "auth": {}});
            account
                .as_object_mut()
                .expect("object")
                .extend(more.as_object().expect("object").clone());
            json!({"v": 1, "accounts": {"a": account}})
        };
        for (value, path) in [
            (json!([]), ""),
            (json!({"accounts": {}}), "v"),
            (json!({"v": 2, "accounts": {}}), "v"),
            (json!({"v": 1}), "accounts"),
            (json!({"v": 1, "accounts": {}, "colour": 1}), "colour"),
            (json!({"v": 1, "accounts": {}, "timeout_ms": "1"}), "timeout_ms"),
            (json!({"v": 1, "accounts": {}, "timeout_ms": 0}), "timeout_ms"),
            (
                json!({"v": 1, "accounts": {}, "retry": {"on_maybe_sent": "x"}}),
                "retry.on_maybe_sent",
            ),
            (json!({"v": 1, "accounts": {}, "user_agent": "a\r\nb"}), "user_agent"),
            (json!({"v": 1, "accounts": {}, "proxy": "nowhere"}), "proxy"),
            (json!({"v": 1, "accounts": {}, "proxy": "http://é:é@é.fr:1"}), "proxy"),
            (json!({"v": 1, "accounts": {"a": {}}}), "accounts.a.service"),
            (account(json!({"base_url": "not a url"})), "accounts.a.base_url"),
            (account(json!({"base_url": "https://h/\r\nX"})), "accounts.a.base_url"),
            (account(json!({"base_url": "https://微博.中国"})), "accounts.a.base_url"),
            (account(json!({"base_url": "https://%E5%BE%AE.cn"})), "accounts.a.base_url"),
            (account(json!({"base_url": "ftp://h"})), "accounts.a.base_url"),
            (account(json!({"base_url": "https://u:p@h"})), "accounts.a.base_url"),
            (account(json!({"base_url": "https://h/?q"})), "accounts.a.base_url"),
            (account(json!({"rate": {"count": 0, "per_ms": 1}})), "accounts.a.rate.count"),
        ] {
            assert_eq!(path_of(value), (ErrorCode::Config, path.to_owned()));
        }
        let outbox = |outbox: Value| path_of(json!({"v": 1, "accounts": {}, "outbox": outbox}));
        if cfg!(feature = "outbox") {
            for (value, path) in [
                (json!({}), "outbox.path"),
                (json!({"path": ""}), "outbox.path"),
                (json!({"path": "x", "max_messages": 0}), "outbox.max_messages"),
                (json!({"path": "x", "max_bytes": "many"}), "outbox.max_bytes"),
                (json!({"path": "x", "key_days": -1}), "outbox.key_days"),
                (json!({"path": "x", "share": true}), "outbox.share"),
            ] {
                assert_eq!(outbox(value), (ErrorCode::Config, path.to_owned()));
            }
        } else {
            let unavailable = (ErrorCode::Unavailable, "outbox".to_owned());
            assert_eq!(outbox(json!({"path": "x"})), unavailable);
        }
    }
}
