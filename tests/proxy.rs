//! Proxies: which requests go through them, what they see, and what is told where they refuse.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;
#[path = "support/tunnel.rs"]
mod tunnel;

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use accounts::{client, config_with, message, send, shown, success, verdict};
use hongyan::Client;
use hongyan_sandbox::{Options, Sandbox, Tls};
use raw::{RawServer, Request, Then, answer};
use serde_json::{Value, json};
use tunnel::{ESTABLISHED, tunnelling};

const CHILD: &str = "HONGYAN_TEST_CHILD";

/// A proxy for plain requests, which answers them itself.
fn forwarding() -> RawServer {
    RawServer::start(|request, stream| {
        let account = if request.target().contains("/im/") { "im" } else { "ff-json" };
        stream.write_all(&answer(200, "", success(account)))?;
        Ok(Then::Keep)
    })
}

/// A configuration of one account, whose credentials may travel over http.
fn one(url: &str, more: Value) -> Value {
    let config = json!({"v": 1, "accounts": {"ff-json": accounts::account("ff-json", url)},
        "retry": {"max_attempts": 3, "initial_ms": 1, "max_ms": 2}});
    accounts::merged(config, more)
}

fn heads(seen: &Arc<Mutex<Vec<String>>>) -> Vec<String> {
    seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Runs `sends_as_its_parent_says` in a process with these variables: the receipt, or the error.
fn in_child(variables: &[(&str, &str)], config: &Value) -> Value {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "sends_as_its_parent_says", "--nocapture", "--test-threads=1"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.env(CHILD, config.to_string()).envs(variables.iter().copied());
    let output = command.output().expect("a process");
    let told = String::from_utf8_lossy(&output.stdout);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{words}");
    let result = told.lines().find_map(|line| line.split_once("RESULT ")).expect("a result").1;
    serde_json::from_str(result).expect("JSON")
}

/// The part of the child; without an order it has nothing to do.
#[test]
fn sends_as_its_parent_says() {
    let Ok(config) = std::env::var(CHILD) else { return };
    let result = match Client::from_json(&config) {
        Ok(client) => send(&client, &message("ff-json")).to_json(),
        Err(error) => error.to_json(),
    };
    println!("\nRESULT {result}");
}

#[test]
fn the_environment_says_which_requests_go_through_which_proxy() {
    let (proxy, other, direct) = (forwarding(), forwarding(), forwarding());
    let through = [&proxy, &other].map(|server| format!("http://127.0.0.1:{}", server.port()));
    let bare = format!("127.0.0.1:{}", proxy.port());
    let config = |url: &str| config_with(url, json!({"proxy": "env"}));
    let port = direct.port();
    let localhost = format!("http://localhost:{port}");
    let host_and_port = format!("127.0.0.1:{port}");
    let other_port = "127.0.0.1:1";
    let six = "[::1]:80,::1,fe80::/10";
    for (variables, url, is_direct) in [
        (vec![("HTTP_PROXY", through[0].as_str())], direct.url(), false),
        (vec![("http_proxy", &through[0])], direct.url(), false),
        (vec![("ALL_PROXY", &through[0])], direct.url(), false),
        (vec![("all_proxy", &through[0])], direct.url(), false),
        (vec![("http_proxy", &bare)], direct.url(), false),
        (vec![("HTTP_PROXY", &through[0]), ("http_proxy", &through[1])], direct.url(), false),
        (vec![("http_proxy", &through[0]), ("ALL_PROXY", &through[1])], direct.url(), false),
        (vec![("HTTP_PROXY", ""), ("http_proxy", &through[0])], direct.url(), false),
        (vec![("https_proxy", &through[0])], direct.url(), true),
        (vec![], direct.url(), true),
        (vec![("HTTP_PROXY", &through[0]), ("REQUEST_METHOD", "POST")], direct.url(), true),
        (vec![("http_proxy", &through[0]), ("REQUEST_METHOD", "POST")], direct.url(), false),
        (vec![("HTTP_PROXY", &through[0]), ("NO_PROXY", "*")], direct.url(), true),
        (vec![("HTTP_PROXY", &through[0]), ("no_proxy", "*")], direct.url(), true),
        (vec![("HTTP_PROXY", &through[0]), ("NO_PROXY", "127.0.0.1")], direct.url(), true),
        (vec![("HTTP_PROXY", &through[0]), ("NO_PROXY", "127.0.0.0/8")], direct.url(), true),
        (vec![("HTTP_PROXY", &through[0]), ("NO_PROXY", &host_and_port)], direct.url(), true),
        (vec![("HTTP_PROXY", &through[0]), ("NO_PROXY", other_port)], direct.url(), false),
        (
            vec![("HTTP_PROXY", &through[0]), ("NO_PROXY", "a.cn, LOCALHOST.")],
            localhost.clone(),
            true,
        ),
        (vec![("HTTP_PROXY", &through[0]), ("NO_PROXY", ".localhost")], localhost.clone(), true),
        (vec![("HTTP_PROXY", &through[0]), ("NO_PROXY", "host")], localhost.clone(), false),
        (vec![("HTTP_PROXY", &through[0]), ("NO_PROXY", six)], direct.url(), false),
    ] {
        let before = (proxy.request_count(), direct.request_count());
        let receipt = in_child(&variables, &config(&url));
        assert_eq!(receipt["delivery"], "sent", "{variables:?}: {receipt}");
        let after = (proxy.request_count() - before.0, direct.request_count() - before.1);
        assert_eq!(after, if is_direct { (0, 1) } else { (1, 0) }, "{variables:?} {url}");
    }
    assert_eq!(other.request_count(), 0);
    assert!(proxy.requests().iter().all(|request| request.target().starts_with("http://")));
}

#[test]
fn a_malformed_variable_is_a_wrong_configuration_that_names_it() {
    let direct = forwarding();
    let config = config_with(&direct.url(), json!({"proxy": "env"}));
    for (name, value) in [
        ("http_proxy", "http://user:hunter2@host:hunter2"),
        ("HTTP_PROXY", "host:hunter2"),
        ("https_proxy", "socks5://user:hunter2@127.0.0.1:1080"),
        ("ALL_PROXY", "htp:/hunter2"),
    ] {
        let error = in_child(&[(name, value)], &config);
        assert_eq!(
            (&error["name"], &error["path"]),
            (&json!("config"), &json!("proxy")),
            "{error}"
        );
        let message = error["message"].as_str().expect("words");
        assert!(message.contains(name), "{message}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert_eq!(direct.request_count(), 0, "nothing goes directly instead");
    let unset = config_with(&direct.url(), json!({}));
    assert_eq!(
        in_child(&[("http_proxy", "://")], &unset)["delivery"],
        "sent",
        "nobody asked for it"
    );
}

#[test]
fn a_message_travels_through_a_tunnel_that_sees_nothing_of_it() {
    let sandbox =
        Sandbox::start(Options { tls: Tls::Good, ..Options::default() }).expect("a sandbox");
    let (proxy, seen) = tunnelling(&[ESTABLISHED]);
    let mut config = sandbox.config();
    config["proxy"] = format!("http://u:p%40ss@127.0.0.1:{}", proxy.port()).into();
    let receipt = send(&client(&config), &message("fanfou-basic"));
    assert_eq!(verdict(&receipt), ("sent", "ok"), "{:?}", receipt.error);
    assert_eq!(sandbox.messages().len(), 1);
    let heads = heads(&seen);
    let wanted = format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n", sandbox.port());
    assert!(heads.len() == 1 && heads[0].starts_with(&wanted), "{heads:?}");
    let head = heads[0].to_ascii_lowercase();
    assert!(head.contains("proxy-authorization: basic dtpwqhnz\r\n"), "{head}");
    assert!(!head.contains("\r\nauthorization"), "{head}");
}

#[test]
fn a_refused_tunnel_is_told_with_the_proxy_and_its_status() {
    for (status, userinfo, words) in [
        (403, "", "refused the tunnel: HTTP status 403"),
        (502, "u:hunter2@", "refused the tunnel: HTTP status 502"),
        (503, "", "refused the tunnel: HTTP status 503"),
        (302, "", "refused the tunnel: HTTP status 302"),
        (407, "", "wants credentials"),
        (407, "u:hunter2@", "refused its credentials"),
    ] {
        let all: Vec<&'static str> = vec![
            format!(
                "HTTP/1.1 {status} No\r\nContent-Length: 7\r\nConnection: close\r\n\r\nhunter2"
            )
            .leak(),
        ];
        let (proxy, seen) = tunnelling(all.leak());
        let config = one(
            "https://service.invalid",
            json!({"proxy": format!("http://{userinfo}127.0.0.1:{}", proxy.port())}),
        );
        let receipt = send(&client(&config), &message("ff-json"));
        assert_eq!(verdict(&receipt), ("not_sent", "network"), "{:?}", receipt.error);
        assert_eq!(receipt.attempts, 3, "retried by backoff");
        let error = receipt.error.as_ref().expect("refused");
        assert!(error.is_retryable(), "{error}");
        let name = format!("the proxy 127.0.0.1:{} ", proxy.port());
        for words in
            [words, name.as_str(), &status.to_string(), "service.invalid", "before anything"]
        {
            assert!(error.message().contains(words), "{words:?} is not in {error}");
        }
        assert!(!shown(&receipt).to_string().contains("hunter2"), "{error}");
        let heads = heads(&seen);
        assert!(
            !heads.is_empty()
                && heads.iter().all(|head| {
                    head.starts_with("CONNECT service.invalid:443 HTTP/1.1\r\n")
                        && head.contains("roxy-") != userinfo.is_empty()
                }),
            "{heads:?}"
        );
    }
}

#[test]
fn a_proxy_that_is_not_there_or_says_nothing_is_named() {
    let gone = RawServer::wild(|_| Ok(()));
    // Nobody listens there.
    let closed = 9;
    for port in [gone.port(), closed] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://service.invalid");
            let config = one(&url, json!({"proxy": format!("http://u:hunter2@127.0.0.1:{port}")}));
            let receipt = send(&client(&config), &message("ff-json"));
            let error = receipt.error.as_ref().expect("no proxy");
            assert!(error.message().contains(&format!("the proxy 127.0.0.1:{port}")), "{error}");
            assert_eq!(error.code().name(), "network", "{error}");
            if scheme == "https" || port == closed {
                assert_eq!(receipt.delivery.name(), "not_sent", "{error}");
            }
        }
    }
}

#[test]
fn a_proxy_for_plain_requests_that_wants_credentials_says_so() {
    let proxy = RawServer::fixed(answer(407, "Proxy-Authenticate: Basic\r\n", "<html>no</html>"));
    let config = one(
        "http://service.invalid",
        json!({
        "proxy": format!("http://127.0.0.1:{}", proxy.port())}),
    );
    let receipt = send(&client(&config), &message("ff-json"));
    assert_eq!(receipt.delivery.name(), "not_sent");
    let error = receipt.error.expect("refused");
    assert!(
        error.message().contains("proxy") && error.message().contains("credentials"),
        "{error}"
    );
}

#[test]
fn credentials_for_this_machine_never_pass_a_proxy_elsewhere() {
    // Nobody has this address; a request that is sent there does not come back in time.
    let elsewhere = "http://u:p@192.0.2.1:3128";
    let direct = forwarding();
    let port = direct.port();
    for host in ["127.0.0.1", "localhost", "LocalHost", "127.1", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{port}");
        let more = json!({"proxy": elsewhere, "timeout_ms": 120_000, "retry": {"max_attempts": 1}});
        let receipt = send(&client(&config_with(&url, more)), &message("ff-json"));
        assert_eq!(verdict(&receipt), ("sent", "ok"), "{host}: {:?}", receipt.error);
        let more = json!({"proxy": "env", "timeout_ms": 120_000, "retry": {"max_attempts": 1}});
        let receipt = in_child(&[("ALL_PROXY", elsewhere)], &config_with(&url, more));
        assert_eq!(receipt["delivery"], "sent", "{host}: {receipt}");
    }
    assert_eq!(direct.request_count(), 10);
    let is_plain = |request: &Request| request.header("proxy-authorization").is_none();
    assert!(direct.requests().iter().all(is_plain), "they are the proxy's own");
    // One on this machine is used.
    let proxy = forwarding();
    let more = json!({"proxy": format!("http://localhost:{}", proxy.port())});
    let receipt = send(&client(&config_with(&direct.url(), more)), &message("im"));
    assert_eq!((verdict(&receipt), proxy.request_count()), (("sent", "ok"), 1));
}

/// So many bytes of a stream.
fn bytes(stream: &mut TcpStream, count: u8) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(count)];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A text with its length before it.
fn counted(stream: &mut TcpStream) -> io::Result<String> {
    let length = bytes(stream, 1)?[0];
    Ok(String::from_utf8(bytes(stream, length)?).expect("UTF-8"))
}

/// A SOCKS 5 proxy that answers the requests itself: what it was asked for, credentials before the address.
fn socks(credentials: Option<&'static str>) -> (RawServer, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let server = RawServer::wild(move |stream| {
        let count = bytes(stream, 2)?[1];
        let (methods, method) = (bytes(stream, count)?, if credentials.is_some() { 2 } else { 0 });
        assert!(methods.contains(&method), "{methods:?}");
        stream.write_all(&[5, method])?;
        let mut who = String::new();
        if let Some(own) = credentials {
            bytes(stream, 1)?;
            let given = format!("{}:{}", counted(stream)?, counted(stream)?);
            stream.write_all(&[1, u8::from(given != own)])?;
            if given != own {
                return Ok(());
            }
            who = format!("{given}@");
        }
        let host = match bytes(stream, 4)?[3] {
            1 => bytes(stream, 4)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
            _ => counted(stream)?,
        };
        let port = bytes(stream, 2)?;
        let port = u16::from_be_bytes([port[0], port[1]]);
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{who}{host}:{port}"));
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.extend(bytes(stream, 1)?);
        }
        let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        for _ in 0..length.and_then(|length| length.parse().ok()).unwrap_or(0) {
            bytes(stream, 1)?;
        }
        stream.write_all(&answer(200, "Connection: close\r\n", success("ff-json")))
    });
    (server, asked)
}

#[test]
fn an_account_goes_through_its_own_proxy_and_no_other() {
    let (clients, own, direct) = (forwarding(), forwarding(), forwarding());
    let through = |server: &RawServer| format!("http://u:hunter2@127.0.0.1:{}", server.port());
    let mut config = config_with(&direct.url(), json!({"proxy": through(&clients)}));
    config["accounts"]["im"]["proxy"] = through(&own).into();
    let client = client(&config);
    assert_eq!(verdict(&send(&client, &message("im"))), ("sent", "ok"));
    assert_eq!((clients.request_count(), own.request_count()), (0, 1));
    assert_eq!(verdict(&send(&client, &message("ff-json"))), ("sent", "ok"));
    assert_eq!((clients.request_count(), own.request_count()), (1, 1));
    // It changes with its account.
    let mut account = config["accounts"]["im"].clone();
    account["proxy"] = Value::Null;
    client.set_account("im", &account.to_string()).expect("a valid account");
    assert_eq!(verdict(&send(&client, &message("im"))), ("sent", "ok"));
    assert_eq!((clients.request_count(), own.request_count()), (2, 1));
    assert_eq!(direct.request_count(), 0);
}

#[test]
fn what_an_account_s_proxy_echoes_of_its_credentials_is_masked() {
    let proxy = RawServer::fixed(answer(502, "", "no way for u with hunter2 (dTpodW50ZXIy)"));
    let mut config = one("http://service.invalid", json!({"retry": {"max_attempts": 1}}));
    config["accounts"]["ff-json"]["proxy"] =
        format!("http://u:hunter2@127.0.0.1:{}", proxy.port()).into();
    let receipt = send(&client(&config), &message("ff-json"));
    let shown = shown(&receipt).to_string();
    assert!(shown.contains("no way for u with"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("dTpodW50ZXIy"), "{shown}");
    for (wrong, words) in [
        ("socks4://u:hunter2@h:1", "socks5://host:port"),
        ("hunter2", "\"env\" or a URL"),
        ("http://u:hunter2@h é", "white space"),
    ] {
        config["accounts"]["ff-json"]["proxy"] = wrong.into();
        let error = Client::from_json(&config.to_string()).err().expect("no proxy");
        assert_eq!(error.path(), Some("accounts.ff-json.proxy"));
        assert!(error.message().contains(words) && !error.to_string().contains("hunter2"));
    }
    config["accounts"]["ff-json"]["proxy"] = "env".into();
    let error = in_child(&[("http_proxy", "://hunter2")], &config);
    assert_eq!(error["path"], "accounts.ff-json.proxy", "{error}");
}

#[test]
fn a_socks_proxy_is_told_a_name_or_an_address_and_its_credentials() {
    for (userinfo, credentials) in [("", None), ("u:p%40ss@", Some("u:p@ss"))] {
        let (proxy, asked) = socks(credentials);
        let who = credentials.map(|own| format!("{own}@")).unwrap_or_default();
        for (scheme, host, told) in [
            ("socks5", "localhost:7", "127.0.0.1:7"),
            ("socks5h", "service.invalid", "service.invalid:80"),
        ] {
            let mut config = one(&format!("http://{host}"), json!({"retry": {"max_attempts": 1}}));
            let url = format!("{scheme}://{userinfo}127.0.0.1:{}", proxy.port());
            config["accounts"]["ff-json"]["proxy"] = url.clone().into();
            let receipt = send(&client(&config), &message("ff-json"));
            assert_eq!(verdict(&receipt), ("sent", "ok"), "{url}: {:?}", receipt.error);
            assert_eq!(heads(&asked).pop(), Some(format!("{who}{told}")));
            // At the top it is the client's.
            config["accounts"]["ff-json"]["proxy"] = Value::Null;
            config["proxy"] = url.into();
            assert_eq!(verdict(&send(&client(&config), &message("ff-json"))), ("sent", "ok"));
        }
        assert_eq!(heads(&asked).len(), 4);
    }
}

#[test]
fn a_socks_proxy_that_refuses_is_named_and_nothing_was_sent() {
    let (proxy, asked) = socks(Some("u:right"));
    let mut config = one("http://service.invalid", json!({"retry": {"max_attempts": 1}}));
    config["accounts"]["ff-json"]["proxy"] =
        format!("socks5h://u:hunter2@127.0.0.1:{}", proxy.port()).into();
    let receipt = send(&client(&config), &message("ff-json"));
    assert_eq!(verdict(&receipt), ("not_sent", "network"), "{:?}", receipt.error);
    let words = shown(&receipt).to_string();
    assert!(words.contains(&format!("the proxy 127.0.0.1:{}", proxy.port())), "{words}");
    assert!(!words.contains("hunter2") && heads(&asked).is_empty(), "{words}");
}
