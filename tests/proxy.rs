//! Proxies: which requests go through them, what they see, and what is told where they refuse.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;
#[path = "support/tunnel.rs"]
mod tunnel;

use std::io::Write as _;
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
