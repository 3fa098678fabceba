//! Which proxy a request goes through, by the configuration or by the environment.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::model::config::{Proxy, proxy_url};
use crate::model::error::{Error, ErrorCode, Result};

/// The proxies of a client.
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    direct: Vec<Direct>,
}

/// The URLs hold passwords.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [http, https] = [&self.http, &self.https].map(|url| url.as_ref().map(name));
        write!(f, "Proxies({http:?}, {https:?}, {:?})", self.direct)
    }
}

impl Proxies {
    /// What the configuration says, with the environment as it is now where it says `env`.
    pub fn new(proxy: &Proxy) -> Result<Proxies> {
        match proxy {
            Proxy::None => Ok(Proxies::default()),
            Proxy::Url(url) => {
                let url = Some(url.clone());
                Ok(Proxies { http: url.clone(), https: url, direct: Vec::new() })
            }
            Proxy::Env => Proxies::from_env(&|name| std::env::var_os(name)),
        }
    }

    /// What these variables say: upper-case names before lower-case ones, empty ones count as unset.
    fn from_env(variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Proxies> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        // In a CGI program a stranger's header field "Proxy" stands in this one.
        let is_foreign = |name: &str| name == "HTTP_PROXY" && set("REQUEST_METHOD").is_some();
        let first = |names: &[&'static str]| {
            let mut names = names.iter().filter(|name| !is_foreign(name));
            names.find_map(|name| set(name).map(|value| (*name, value)))
        };
        let read = |names: &[&'static str]| {
            let (name, value) = first(names).unzip();
            name.zip(value).map(|(name, value)| env_proxy(name, value)).transpose()
        };
        let list = first(&["NO_PROXY", "no_proxy"]).map(|(_, value)| value).unwrap_or_default();
        Ok(Proxies {
            http: read(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])?,
            https: read(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])?,
            direct: direct(&list.to_string_lossy()),
        })
    }

    /// The proxy of requests to this URL.
    pub fn of(&self, target: &Url) -> Option<&Url> {
        let proxy = if target.scheme() == "https" { &self.https } else { &self.http }.as_ref()?;
        // Elsewhere this machine's own address is another machine, which credentials are not for.
        if is_this_machine(target) && !is_this_machine(proxy) {
            return None;
        }
        let is_direct = self.direct.iter().any(|direct| direct.covers(target));
        Some(proxy).filter(|_| !is_direct)
    }

    /// What of the proxies' credentials must not be shown: the password, or the name where that is all
    /// there is, and what is sent of them.
    pub fn secrets(&self) -> Vec<String> {
        let secrets = [&self.http, &self.https].into_iter().flatten().flat_map(|url| {
            let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
            let user = decoded(url.username());
            let password = decoded(url.password().unwrap_or_default());
            let pair = STANDARD.encode(format!("{user}:{password}"));
            match (user.is_empty(), password.is_empty()) {
                (true, true) => Vec::new(),
                (false, true) => vec![pair, user],
                (_, false) => vec![pair, password],
            }
        });
        let mut secrets: Vec<_> = secrets.collect();
        secrets.sort_unstable();
        secrets.dedup();
        secrets
    }
}

/// Host and port of a proxy, for people: nothing of its credentials.
pub fn name(proxy: &Url) -> String {
    let port = proxy.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", proxy.host_str().unwrap_or_default())
}

/// The proxy that a variable names: a URL, or host and port as other programs take them too.
fn env_proxy(name: &'static str, value: OsString) -> Result<Url> {
    let wrong = |why: &str| {
        Err(Error::new(ErrorCode::Config, format!("the environment variable {name}: {why}"))
            .at("proxy")
            .hint(format!("set {name} to http://host:port, or \"proxy\" to null for no proxy")))
    };
    let Ok(text) = value.into_string() else { return wrong("it is not UTF-8") };
    let has_scheme = text.contains("://");
    let text = if has_scheme { text } else { format!("http://{text}") };
    if text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("socks")) {
        return wrong("a SOCKS proxy is taken from \"proxy\" alone, not from the environment");
    }
    match proxy_url(&text) {
        Ok(url) if !has_scheme && (url.path() != "/" || url.query().is_some()) => {
            wrong("it is no host with a port, and no URL")
        }
        Ok(url) => Ok(url),
        Err(why) => wrong(&why),
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            // Of a SOCKS proxy an address is no more than a name.
            let ip =
                name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified());
            ip || name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost")
        }
        host => ip(host.as_ref()).is_some_and(|ip| ip.is_loopback() || ip.is_unspecified()),
    }
}

/// The address that a host is; an IPv4 address is the same within IPv6.
fn ip<S>(host: Option<&Host<S>>) -> Option<IpAddr> {
    match host? {
        Host::Domain(_) => None,
        Host::Ipv4(ip) => Some(IpAddr::V4(*ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(*ip).to_canonical()),
    }
}

/// An entry of `NO_PROXY`: hosts that are spoken to directly.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Direct {
    hosts: Hosts,
    /// All ports, where none is named.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// The name itself and whatever ends with a dot and it.
    Domain(String),
    /// The addresses that have so many first bits in common with this one.
    Network(IpAddr, u32),
}

/// The entries of a list with commas or white space between them; what can be no host is no entry.
fn direct(list: &str) -> Vec<Direct> {
    let entries = list.split(|c: char| c == ',' || c.is_whitespace());
    entries.filter(|entry| !entry.is_empty()).filter_map(Direct::read).collect()
}

impl Direct {
    fn read(entry: &str) -> Option<Direct> {
        if let Some((host, bits)) = entry.split_once('/') {
            let (ip, bits) = (address(host)?, bits.parse().ok()?);
            let hosts = (bits <= width(ip)).then_some(Hosts::Network(ip, bits))?;
            return Some(Direct { hosts, port: None });
        }
        if let Some(ip) = address(entry) {
            return Some(Direct { hosts: Hosts::Network(ip, width(ip)), port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        if let Some(ip) = address(host) {
            return Some(Direct { hosts: Hosts::Network(ip, width(ip)), port });
        }
        if host == "*" {
            return Some(Direct { hosts: Hosts::All, port });
        }
        let host = host.strip_prefix('*').unwrap_or(host);
        let host = host.strip_prefix('.').unwrap_or(host).trim_end_matches('.');
        match Host::parse(host).ok()? {
            Host::Domain(name) => Some(Direct { hosts: Hosts::Domain(name), port }),
            other => {
                let ip = ip(Some(&other))?;
                Some(Direct { hosts: Hosts::Network(ip, width(ip)), port })
            }
        }
    }

    fn covers(&self, target: &Url) -> bool {
        if self.port.is_some() && self.port != target.port_or_known_default() {
            return false;
        }
        let host = target.host();
        match (&self.hosts, host.as_ref()) {
            (Hosts::All, _) => true,
            (Hosts::Domain(name), Some(Host::Domain(host))) => {
                let before = host.trim_end_matches('.').strip_suffix(name.as_str());
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            (Hosts::Network(network, bits), host) => {
                ip(host).is_some_and(|ip| is_within(ip, *network, *bits))
            }
            _ => false,
        }
    }
}

/// An address, with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inner.unwrap_or(text).parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

fn width(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn is_within(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    let differs = match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => u128::from(ip.to_bits() ^ network.to_bits()) << 96,
        (IpAddr::V6(ip), IpAddr::V6(network)) => ip.to_bits() ^ network.to_bits(),
        _ => return false,
    };
    differs.leading_zeros() >= bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(variables: &[(&str, &str)]) -> Result<Proxies> {
        Proxies::from_env(&|name| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    fn of(proxies: &Proxies, target: &str) -> Option<String> {
        proxies.of(&Url::parse(target).expect(target)).map(name)
    }

    #[test]
    fn variables_are_read_as_other_programs_read_them() {
        let p = env(&[("HTTP_PROXY", "http://a:1"), ("http_proxy", "b:2"), ("https_proxy", "c:3")]);
        let p = p.expect("three proxies");
        assert_eq!(of(&p, "http://x/").as_deref(), Some("a:1"));
        assert_eq!(of(&p, "https://x/").as_deref(), Some("c:3"));
        let p =
            env(&[("HTTP_PROXY", ""), ("http_proxy", "b"), ("all_proxy", "HTTPS://u:p@[::2]:4/")]);
        let p = p.expect("an empty one is none");
        assert_eq!(of(&p, "http://x/").as_deref(), Some("b:80"));
        assert_eq!(of(&p, "https://x/").as_deref(), Some("[::2]:4"));
        let p = env(&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil:1"), ("HTTPS_PROXY", "c:3")]);
        let p = p.expect("a CGI program");
        assert_eq!(of(&p, "http://x/"), None, "a stranger's header field");
        assert_eq!(of(&p, "https://x/").as_deref(), Some("c:3"));
        let p =
            env(&[("ALL_PROXY", "socks5://s:1"), ("HTTP_PROXY", "a:1"), ("HTTPS_PROXY", "a:1")]);
        assert!(p.is_ok(), "it would not be used");
        assert_eq!(of(&env(&[("NO_PROXY", "*")]).expect("no proxies"), "http://x/"), None);
    }

    #[test]
    fn a_malformed_variable_is_named_and_not_repeated() {
        for name in
            ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        {
            for value in [
                "http://",
                "://x",
                "http://host:99999",
                "host:hunter2",
                "http://u:hunter2@",
                "u:hunter2@h:x",
                "http:/hunter2:1",
                "http//hunter2:1",
                "htp:/hunter2",
                "ftp://hunter2",
                "socks5://u:hunter2@h:1",
                "SOCKS5H://h",
                "http://ho st",
                " http://h:1",
                "http://h:1\n",
                "http://hunter2é:1",
                ":3128",
                "@",
                "http://u:hunter2@[::1",
                "http://%",
                "https://",
                "\u{0}",
            ] {
                let error = env(&[(name, value)]).expect_err(value);
                assert_eq!(
                    (error.code(), error.path()),
                    (ErrorCode::Config, Some("proxy")),
                    "{value}"
                );
                let text = error.to_string();
                assert!(text.contains(name) && !text.contains("hunter2"), "{value}: {text}");
            }
        }
    }

    #[test]
    fn hosts_that_are_spoken_to_directly_are_told_as_everywhere() {
        for (list, target, direct) in [
            ("*", "https://a.cn/", true),
            ("*", "https://8.8.8.8/", true),
            (" * ", "https://[2001::1]/", true),
            ("b.cn,*", "https://a.cn/", true),
            ("*:443", "https://a.cn/", true),
            ("*:443", "http://a.cn/", false),
            ("a.cn", "https://a.cn/", true),
            ("A.CN", "https://a.cn/", true),
            ("a.cn", "https://A.CN./", true),
            ("a.cn.", "https://a.cn/", true),
            ("a.cn", "https://x.a.cn/", true),
            (".a.cn", "https://x.a.cn/", true),
            (".a.cn", "https://a.cn/", true),
            ("*.a.cn", "https://x.a.cn/", true),
            ("a.cn", "https://xa.cn/", false),
            ("a.cn", "https://a.cn.com/", false),
            ("x.a.cn", "https://a.cn/", false),
            ("a.cn:443", "https://a.cn/", true),
            ("a.cn:443", "http://a.cn/", false),
            ("a.cn:8080", "http://a.cn:8080/", true),
            ("a.cn:8080", "http://a.cn/", false),
            (".a.cn:80", "http://x.a.cn/", true),
            ("a.cn:x", "http://a.cn/", false),
            ("b.cn , a.cn", "http://a.cn/", true),
            ("b.cn a.cn\td.cn", "http://d.cn/", true),
            ("", "http://a.cn/", false),
            (",,", "http://a.cn/", false),
            ("10.1.2.3", "http://10.1.2.3/", true),
            ("10.1.2.3", "http://10.1.2.4/", false),
            ("10.1.2.3:80", "http://10.1.2.3/", true),
            ("10.1.2.3:81", "http://10.1.2.3/", false),
            ("1.2.3", "http://10.1.2.3/", false),
            ("10.0.0.0/8", "http://10.1.2.3/", true),
            ("10.9.9.9/8", "http://10.1.2.3/", true),
            ("10.0.0.0/16", "http://10.1.2.3/", false),
            ("10.1.2.3/32", "http://10.1.2.3/", true),
            ("0.0.0.0/0", "http://8.8.8.8/", true),
            ("0.0.0.0/0", "http://[2001::1]/", false),
            ("10.0.0.0/33", "http://10.0.0.0/", false),
            ("10.0.0.0/", "http://10.0.0.0/", false),
            ("167838211", "http://10.1.2.3/", true),
            ("0xa.1.2.3", "http://10.1.2.3/", true),
            ("2001::1", "http://[2001::1]/", true),
            ("[2001::1]", "http://[2001::1]/", true),
            ("[2001:0:0::1]:80", "http://[2001::1]/", true),
            ("[2001::1]:81", "http://[2001::1]/", false),
            ("2001::/16", "http://[2001::1]/", true),
            ("[2001::]/16", "http://[2001::1]/", true),
            ("2002::/16", "http://[2001::1]/", false),
            ("::/0", "http://[2001::1]/", true),
            ("::ffff:10.1.2.3", "http://10.1.2.3/", true),
            ("10.1.2.3", "http://[::ffff:10.1.2.3]/", true),
            ("1", "http://a1/", false),
        ] {
            let p = env(&[("ALL_PROXY", "http://proxy:1"), ("no_proxy", list)]).expect("a proxy");
            assert_eq!(of(&p, target).is_none(), direct, "{list:?} {target}");
        }
    }

    #[test]
    fn this_machine_is_never_spoken_to_through_another() {
        let p =
            |proxy| Proxies::new(&Proxy::Url(Url::parse(proxy).expect(proxy))).expect("a proxy");
        for target in [
            "http://127.0.0.1:1/",
            "http://127.9.9.9/",
            "https://localhost/",
            "http://LOCALHOST./",
            "http://[::1]:1/",
            "http://a.localhost/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
            "http://2130706433/",
        ] {
            for proxy in ["http://u:p@proxy.cn:3128", "http://10.0.0.1:1", "https://[2001::1]"] {
                assert_eq!(of(&p(proxy), target), None, "{target} through {proxy}");
            }
            for proxy in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
                assert!(of(&p(proxy), target).is_some(), "{target} through {proxy}");
            }
        }
        assert!(of(&p("http://10.0.0.1:1"), "http://10.0.0.1/").is_some());
        assert!(of(&p("http://10.0.0.1:1"), "https://localhost.cn/").is_some());
    }

    #[test]
    fn every_credential_of_a_proxy_is_a_secret() {
        let secrets = |url| {
            Proxies::new(&Proxy::Url(Url::parse(url).expect(url))).expect("a proxy").secrets()
        };
        assert_eq!(secrets("http://u:p%40ss@h:1"), ["dTpwQHNz", "p@ss"]);
        assert_eq!(secrets("http://t%20ken@h:1"), ["dCBrZW46", "t ken"]);
        assert_eq!(secrets("http://:pass@h:1"), ["OnBhc3M=", "pass"]);
        assert!(secrets("http://h:1").is_empty());
        let proxy = Proxy::Url(Url::parse("http://u:hunter2@h:1").expect("a URL"));
        let proxies = Proxies::new(&proxy).expect("a proxy");
        assert!(!format!("{proxy:?} {proxies:?}").contains("hunter2"), "{proxy:?} {proxies:?}");
    }
}
