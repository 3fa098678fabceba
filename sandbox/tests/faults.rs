//! Faults, the sandbox's own paths and TLS, over real sockets.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::*;
use hongyan_sandbox::{Clock, Options, Sandbox, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

const PATH: &str = "/fanfou/direct_messages/new.json";
const HEADERS: &[(&str, &str)] = &[("Authorization", BASIC), ("Content-Type", FORM)];
const BODY: &[u8] = b"user=lisztli&text=hi";

#[test]
fn latency_is_waited_for_and_the_message_taken() {
    let (sandbox, _) = start();
    fault(&sandbox, json!({"service": "fanfou", "kind": "latency", "ms": 30}));
    let before = Instant::now();
    assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 200);
    assert!(before.elapsed() >= Duration::from_millis(30));
    assert_eq!(sandbox.messages().len(), 1);
}

#[test]
fn a_status_comes_before_every_check_and_as_often_as_asked() {
    let (sandbox, _) = start();
    fault(
        &sandbox,
        json!({"service": "fanfou", "kind": "status", "status": 503, "times": 2,
               "body": "busy", "headers": {"Retry-After": "2", "Date": "Thu, 01 Jan 1970 00:00:00 GMT"}}),
    );
    assert_eq!(tencent(&sandbox, &group_message(1, "hi"))["ErrorCode"], 0, "another service");
    for _ in 0..2 {
        let reply = request(&sandbox, "POST", "/fanfou/anything", &[], "");
        assert_eq!((reply.status, reply.text()), (503, "busy"));
        assert_eq!(reply.header("retry-after"), Some("2"));
        assert_eq!(reply.header("date"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 200);
}

#[test]
fn a_reset_cuts_the_connection_before_or_after() {
    for (when, taken) in [("before", 0), ("after", 1)] {
        let (sandbox, _) = start();
        fault(&sandbox, json!({"service": "fanfou", "kind": "reset", "when": when}));
        let error = try_request(&sandbox, "POST", PATH, HEADERS, BODY).expect_err("a reset");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{when}");
        assert_eq!(sandbox.messages().len(), taken, "{when}");
        assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 200);
    }
}

#[test]
fn a_hang_answers_nothing() {
    for (when, taken) in [("before", 0), ("after", 1)] {
        let (sandbox, _) = start();
        fault(&sandbox, json!({"service": "fanfou", "kind": "hang", "when": when}));
        let mut stream = connect(&sandbox);
        stream.write_all(&bytes("POST", PATH, HEADERS, BODY)).expect("sent");
        // The fault is taken and the service asked under one lock each; then there is nothing.
        let deadline = Instant::now() + Duration::from_secs(300);
        while get(&sandbox, "/_/faults").json() != json!([]) || sandbox.messages().len() < taken {
            assert!(Instant::now() < deadline, "the fault was never met");
        }
        stream.set_nonblocking(true).expect("set");
        let error = stream.read(&mut [0]).expect_err("no byte and no end");
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{when}");
        assert_eq!(sandbox.messages().len(), taken, "{when}");
    }
}

#[test]
fn rate_limits_and_drops_are_the_services_own() {
    let (sandbox, _) = start();
    for (service, retry_after) in [("fanfou", json!(7)), ("tencent_im", Value::Null)] {
        let fault_json =
            json!({"service": service, "kind": "rate_limit", "retry_after_s": retry_after});
        fault(&sandbox, fault_json);
        fault(&sandbox, json!({"service": service, "kind": "drop"}));
    }
    let limited = fanfou(&sandbox, "user=lisztli&text=hi");
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("7")));
    assert_eq!(limited.json()["request"], PATH);
    assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 400);

    let limited = request(&sandbox, "POST", &tencent_target(), &[], "{}");
    assert_eq!((limited.status, limited.header("retry-after")), (200, None));
    assert_eq!(limited.json()["ErrorCode"], 10023);
    let dropped = tencent(&sandbox, &group_message(1, "hi"));
    assert_eq!(dropped["ActionStatus"], "OK");
    assert_eq!(dropped["ErrorCode"], 0);
    assert_eq!(dropped["MsgDropReason"], "MsgFreqCtrl");
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
}

#[test]
fn garbage_is_no_envelope() {
    let (sandbox, _) = start();
    fault(&sandbox, json!({"service": "fanfou", "kind": "garbage"}));
    let reply = fanfou(&sandbox, "user=lisztli&text=hi");
    assert_eq!(reply.status, 200);
    assert!(std::str::from_utf8(&reply.body).is_err());
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
}

#[test]
fn an_answer_may_hide_that_the_message_was_taken() {
    let (sandbox, _) = start();
    fault(&sandbox, json!({"service": "fanfou", "kind": "answer", "body": {"id": ""}}));
    let reply = fanfou(&sandbox, "user=lisztli&text=hi");
    assert_eq!((reply.status, reply.json()), (200, json!({"id": ""})));
    assert_eq!(sandbox.messages(), [Value::Null; 0]);
    fault(
        &sandbox,
        json!({"service": "fanfou", "kind": "answer", "status": 502, "body": "<html>",
               "content_type": "text/html", "stored": true}),
    );
    let reply = fanfou(&sandbox, "user=lisztli&text=hi");
    assert_eq!((reply.status, reply.text()), (502, "<html>"));
    assert_eq!(reply.header("content-type"), Some("text/html"));
    assert_eq!(sandbox.messages().len(), 1);
}

#[test]
fn faults_and_messages_have_their_paths() {
    let (sandbox, _) = start();
    let drop = r#"{"service":"fanfou","kind":"drop","times":3}"#;
    let added = request(&sandbox, "POST", "/_/faults", &[], drop);
    let waiting = json!([{"service": "fanfou", "times": 3, "kind": "drop"}]);
    assert_eq!((added.status, added.json()), (200, waiting.clone()));
    for (body, word) in
        [("{", "JSON"), (r#"{"service":"fanfou","kind":"drop","when":"after"}"#, "when")]
    {
        let refused = request(&sandbox, "POST", "/_/faults", &[], body);
        assert_eq!(refused.status, 400);
        assert!(refused.json()["error"].as_str().expect("words").contains(word));
    }
    assert_eq!(get(&sandbox, "/_/faults").json(), waiting);
    assert_eq!(request(&sandbox, "DELETE", "/_/faults", &[], "").status, 204);
    assert_eq!(get(&sandbox, "/_/faults").json(), json!([]));

    assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 200);
    assert_eq!(get(&sandbox, "/_/messages").json(), json!(sandbox.messages()));
    assert_eq!(request(&sandbox, "DELETE", "/_/messages", &[], "").status, 204);
    assert_eq!(get(&sandbox, "/_/messages").json(), json!([]));
    assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 200);
    sandbox.clear();
    assert_eq!(sandbox.messages(), [Value::Null; 0]);

    assert_eq!(request(&sandbox, "PUT", "/_/messages", &[], "").status, 405);
    assert_eq!(request(&sandbox, "PUT", "/_/faults", &[], "").status, 405);
    assert_eq!(get(&sandbox, "/_/other").status, 404);
}

#[test]
fn bodies_are_bounded() {
    let (sandbox, _) = start();
    let mut body = BODY.to_vec();
    body.resize(1 << 20, b'x');
    let headers = [("Authorization", BASIC), ("Content-Type", FORM)];
    let reply = try_request(&sandbox, "POST", PATH, &headers, &body).expect("an answer");
    assert_eq!(reply.json()["error"], "text is too long");
    // A length that is too large is refused before the body is read.
    let mut stream = connect(&sandbox);
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        (1 << 20) + 1
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[test]
fn the_page_tells_of_every_service_and_account() {
    let (sandbox, _) = start();
    let page = get(&sandbox, "/_/about");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let text = page.text();
    let config = sandbox.config();
    for (name, account) in config["accounts"].as_object().expect("accounts") {
        assert!(text.contains(&format!("<code>{name}</code>")), "{name}");
        // Mail has no path, but commands.
        let path = match account["service"].as_str().expect("a service") {
            "smtp" => "<code>EHLO</code>".to_owned(),
            service => format!("/{service}/"),
        };
        assert!(text.contains(&path), "{path}");
    }
    assert!(text.contains(&format!("{}/_/faults", sandbox.url())));
    assert!(!text.contains("src=") && !text.contains("@import"), "no resources from elsewhere");
}

#[test]
fn the_configuration_reaches_the_sandbox() {
    let (sandbox, _) = start();
    let config = sandbox.config();
    assert_eq!(config, hongyan_sandbox::config(&sandbox.url(), None));
    assert_eq!(config["v"], 1);
    assert_eq!(config.get("ca_file"), None);
    for account in config["accounts"].as_object().expect("accounts").values() {
        let service = account["service"].as_str().expect("a service");
        let own = match service {
            "smtp" => hongyan_sandbox::mail_url(&sandbox.url()),
            _ => format!("{}/{service}", sandbox.url()),
        };
        assert_eq!(account["base_url"], own);
    }
    let accounts = config["accounts"].as_object().expect("accounts");
    let names: Vec<_> = accounts.keys().map(String::as_str).collect();
    let first = [
        "fanfou-basic",
        "fanfou-oauth1",
        "sina-basic",
        "sina-oauth1",
        "weibo-oauth2",
        "renren-bearer",
        "renren-mac",
        "tencent_im-usersig",
    ];
    assert_eq!(names[..first.len()], first);
    for (name, account) in accounts {
        let kind = account["auth"]["type"].as_str().expect("a type");
        let service = account["service"].as_str().expect("a service");
        // A service with one account may call it as itself; what follows tells accounts of one kind apart.
        let own = *name == service;
        assert!(own || format!("{name}-").starts_with(&format!("{service}-{kind}-")), "{name}");
    }
    assert_eq!(accounts["sina-basic"]["app_key"], "1852823608");
    let trusting = hongyan_sandbox::config("https://localhost:1/", Some("/ca.pem"));
    assert_eq!(trusting["ca_file"], "/ca.pem");
    let account = &trusting["accounts"]["fanfou-basic"];
    assert_eq!(account["base_url"], "https://localhost:1/fanfou");
}

#[test]
fn connections_are_kept_and_end_with_the_sandbox() {
    let (sandbox, _) = start();
    let mut stream = connect(&sandbox);
    for _ in 0..2 {
        stream.write_all(b"DELETE /_/messages HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 204"));
    }
    let port = sandbox.port();
    drop(sandbox);
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    let again = Sandbox::start(Options { port, ..Options::default() }).expect("the port is free");
    assert_eq!(again.port(), port);
    assert!(Sandbox::start(Options { port, ..Options::default() }).is_err());
}

#[test]
fn a_service_may_be_at_the_root_of_its_port() {
    let sandbox = Sandbox::start_root("fanfou").expect("starts");
    let headers = [("Authorization", BASIC), ("Content-Type", FORM)];
    let form = "user=lisztli&text=hi";
    let path = "/direct_messages/new.json";
    assert_eq!(request(&sandbox, "POST", path, &headers, form).status, 200);
    assert_eq!(request(&sandbox, "POST", PATH, &headers, form).status, 404, "no prefix is taken");
    assert_eq!(get(&sandbox, "/").status, 404, "this is the service's own");
    assert_eq!(get(&sandbox, "/_/").status, 200);
    assert_eq!(get(&sandbox, "/_/messages").json(), json!(sandbox.messages()));
    assert_eq!(sandbox.messages().len(), 1);
    let config = sandbox.config();
    let accounts = config["accounts"].as_object().expect("accounts");
    assert_eq!(accounts.keys().collect::<Vec<_>>(), ["fanfou-basic", "fanfou-oauth1"]);
    assert_eq!(accounts["fanfou-basic"]["base_url"], sandbox.url());
    assert_eq!(config, hongyan_sandbox::root_config(&sandbox.url(), None, "fanfou"));
    assert!(Sandbox::start_root("icq").is_err());
}

fn start_tls(tls: Tls) -> Sandbox {
    let clock = Clock::manual(NOW_S * 1000);
    Sandbox::start_with_clock(Options { tls, ..Options::default() }, clock).expect("starts")
}

fn tls_request(sandbox: &Sandbox, request: &[u8]) -> std::io::Result<Reply> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(sandbox.ca_path().expect("a CA")).expect("PEM");
    roots.add(ca).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut stream = StreamOwned::new(connection, connect(sandbox));
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(Reply::parse(&answer))
}

#[test]
fn serves_https_and_takes_its_certificate_along() {
    let sandbox = start_tls(Tls::Good);
    assert!(sandbox.url().starts_with("https://127.0.0.1:"));
    let ca_path = sandbox.ca_path().expect("a CA").to_owned();
    assert_eq!(sandbox.config()["ca_file"], ca_path.to_string_lossy().as_ref());
    let host = format!("127.0.0.1:{}", sandbox.port());
    let params = [("user", "lisztli"), ("text", "hi")];
    // The service signs as http; who signs what was sent is let in too.
    for (nonce, scheme) in [("n1", "http"), ("n2", "https")] {
        let url = format!("{scheme}://{host}{PATH}");
        let header = oauth1_header(&oauth1("POST", &url, &params, nonce, NOW_S));
        let headers = [("Authorization", header.as_str()), ("Content-Type", FORM), ("Host", &host)];
        let request = bytes("POST", PATH, &headers, form(&params).as_bytes());
        assert_eq!(tls_request(&sandbox, &request).expect("an answer").status, 200, "{scheme}");
    }
    fault(&sandbox, json!({"service": "fanfou", "kind": "reset"}));
    let request = bytes("POST", PATH, HEADERS, BODY);
    let error = tls_request(&sandbox, &request).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(sandbox.messages().len(), 2);
    drop(sandbox);
    assert!(!ca_path.exists() && !ca_path.parent().expect("a folder").exists());
}

#[test]
fn serves_certificates_that_must_be_refused() {
    for tls in [Tls::WrongHost, Tls::Expired, Tls::OtherCa] {
        let sandbox = start_tls(tls);
        let error = tls_request(&sandbox, &bytes("GET", "/", &[], b"")).expect_err("a refusal");
        let error = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
        let Some(rustls::Error::InvalidCertificate(what)) = error else {
            panic!("{tls:?}: {error:?}");
        };
        let expected = match tls {
            Tls::WrongHost => matches!(what, CertificateError::NotValidForNameContext { .. }),
            Tls::Expired => matches!(what, CertificateError::ExpiredContext { .. }),
            _ => matches!(what, CertificateError::UnknownIssuer | CertificateError::BadSignature),
        };
        assert!(expected, "{tls:?}: {what:?}");
    }
}

#[test]
fn a_hold_lets_go_when_it_is_told_to() {
    for (when, taken) in [("before", 0), ("after", 1)] {
        let (sandbox, _) = start();
        assert_eq!(get(&sandbox, "/_/held?count=0").json(), json!({"held": 0}));
        fault(&sandbox, json!({"service": "fanfou", "kind": "hold", "when": when}));
        let mut stream = connect(&sandbox);
        stream.write_all(&bytes("POST", PATH, HEADERS, BODY)).expect("sent");
        assert_eq!(get(&sandbox, "/_/held?count=1").json(), json!({"held": 1}));
        let seen = get(&sandbox, "/_/seen").json();
        assert_eq!(seen["requests"], 1, "{when}");
        assert_eq!(seen["messages"].as_array().map(Vec::len), Some(taken), "{when}");
        let release = || request(&sandbox, "POST", "/_/release", &[], "").json();
        assert_eq!(release(), json!({"released": 1}));
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        assert_eq!(Reply::parse(&answer).status, 200, "{when}");
        assert_eq!(sandbox.messages().len(), 1, "{when}");
        assert_eq!(release(), json!({"released": 0}));
    }
}

#[test]
fn a_client_that_leaves_is_held_no_longer_and_its_message_never_taken() {
    let (sandbox, _) = start();
    fault(&sandbox, json!({"service": "fanfou", "kind": "hold"}));
    let mut stream = connect(&sandbox);
    stream.write_all(&bytes("POST", PATH, HEADERS, BODY)).expect("sent");
    get(&sandbox, "/_/held?count=1");
    drop(stream);
    let deadline = Instant::now() + Duration::from_secs(300);
    while get(&sandbox, "/_/held?count=0").json() != json!({"held": 0}) {
        assert!(Instant::now() < deadline, "it is held for ever");
    }
    assert_eq!(sandbox.messages().len(), 0);
}

#[test]
fn a_reset_of_all_forgets_and_cuts() {
    let (sandbox, _) = start();
    assert_eq!(fanfou(&sandbox, "user=lisztli&text=hi").status, 200);
    fault(&sandbox, json!({"service": "fanfou", "kind": "hold", "times": 2}));
    let mut stream = connect(&sandbox);
    stream.write_all(&bytes("POST", PATH, HEADERS, b"user=lisztli&text=again")).expect("sent");
    get(&sandbox, "/_/held?count=1");
    assert_eq!(request(&sandbox, "POST", "/_/reset", &[], "").status, 200);
    let error = stream.read(&mut [0]).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(get(&sandbox, "/_/faults").json(), json!([]));
    assert_eq!(get(&sandbox, "/_/seen").json(), json!({"requests": 0, "messages": []}));
}
