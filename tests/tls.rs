//! Secure connections: trusted where they may be, and nothing sent where they may not.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/raw.rs"]
mod raw;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;

use accounts::{client, config_with, message, send, submit_and_wait, verdict};
use hongyan::{Client, ErrorCode, Receipt};
use hongyan_sandbox::{Options, Sandbox, Tls};
use raw::RawServer;
use serde_json::{Value, json};

const TLS: (&str, &str) = ("not_sent", "tls");

fn sandbox(tls: Tls) -> Sandbox {
    Sandbox::start(Options { tls, ..Options::default() }).expect("a sandbox")
}

/// The sandbox's configuration, with two quick attempts.
fn config(sandbox: &Sandbox) -> Value {
    let mut config = sandbox.config();
    config["retry"] = json!({"max_attempts": 2, "initial_ms": 1, "max_ms": 2});
    config
}

const ACCOUNTS: [&str; 3] = ["fanfou-basic", "fanfou-oauth1", "tencent_im-usersig"];

/// Every account is refused the connection, and says why in words.
fn nothing_is_sent(sandbox: &Sandbox, config: &Value, words: &str) {
    let client = client(config);
    for account in ACCOUNTS {
        for receipt in
            [send(&client, &message(account)), submit_and_wait(&client, &message(account))]
        {
            let error = receipt.error.as_ref().expect("refused");
            assert_eq!(verdict(&receipt), TLS, "{account}: {error}");
            assert_eq!(receipt.attempts, 2, "retried by backoff: {account}");
            assert!(error.is_retryable(), "{error}");
            let told = error.message().to_ascii_lowercase();
            assert!(told.contains(words), "{words:?} is not in {error}");
            assert!(told.contains("127.0.0.1"), "the host is not in {error}");
        }
    }
    assert!(sandbox.messages().is_empty(), "{:?}", sandbox.messages());
}

#[test]
fn a_known_authority_is_trusted() {
    let sandbox = sandbox(Tls::Good);
    let client = client(&config(&sandbox));
    for account in ACCOUNTS {
        assert_eq!(verdict(&send(&client, &message(account))), ("sent", "ok"), "{account}");
        assert_eq!(verdict(&submit_and_wait(&client, &message(account))), ("sent", "ok"));
    }
    assert_eq!(sandbox.messages().len(), 2 * ACCOUNTS.len());
}

#[test]
fn a_host_name_is_trusted_by_its_name() {
    let sandbox = sandbox(Tls::Good);
    let mut config = config(&sandbox);
    config["accounts"]["fanfou-basic"]["base_url"] =
        format!("https://localhost:{}/fanfou", sandbox.port()).into();
    let receipt = send(&client(&config), &message("fanfou-basic"));
    assert_eq!(verdict(&receipt), ("sent", "ok"), "{:?}", receipt.error);
}

#[test]
fn an_unknown_authority_is_refused() {
    let other = sandbox(Tls::OtherCa);
    nothing_is_sent(&other, &config(&other), "certificate");
    let untold = sandbox(Tls::Good);
    let mut config = config(&untold);
    config.as_object_mut().expect("an object").remove("ca_file");
    nothing_is_sent(&untold, &config, "certificate");
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let sandbox = sandbox(Tls::WrongHost);
    nothing_is_sent(&sandbox, &config(&sandbox), "not valid for");
}

#[test]
fn a_certificate_that_ran_out_is_refused() {
    let sandbox = sandbox(Tls::Expired);
    nothing_is_sent(&sandbox, &config(&sandbox), "expired");
}

#[test]
fn a_server_is_trusted_by_its_own_certificate() {
    for tls in [Tls::SelfSigned, Tls::SelfSignedCa, Tls::Pinned] {
        let own = sandbox(tls);
        let receipt = sent_by(&config(&own));
        assert_eq!(verdict(&receipt), ("sent", "ok"), "{tls:?}: {:?}", receipt.error);
        // Nobody else is, and it is not without being told of.
        let other = sandbox(Tls::SelfSignedCa);
        nothing_is_sent(&other, &told_of(&other, &own), "ca_file");
        own.clear();
        nothing_is_sent(&own, &untold(&own), "ca_file");
    }
}

#[test]
fn an_own_certificate_has_to_be_for_the_host_and_in_time() {
    for (tls, words) in
        [(Tls::SelfSignedWrongHost, "not valid for"), (Tls::SelfSignedExpired, "expired")]
    {
        let own = sandbox(tls);
        nothing_is_sent(&own, &config(&own), words);
    }
}

#[test]
fn http_where_https_is_spoken_is_never_sent() {
    let sandbox = sandbox(Tls::Good);
    let mut config = config(&sandbox);
    config["accounts"]["fanfou-basic"]["base_url"] =
        format!("http://127.0.0.1:{}/fanfou", sandbox.port()).into();
    let receipt = send(&client(&config), &message("fanfou-basic"));
    assert_ne!(receipt.delivery.name(), "sent");
    assert!(sandbox.messages().is_empty());
}

/// Sends over https to a server that speaks something else.
fn over_https(server: &RawServer, timeout_ms: u64) -> Vec<(&'static str, &'static str)> {
    let url = format!("https://127.0.0.1:{}", server.port());
    let client = client(&config_with(&url, json!({"timeout_ms": timeout_ms})));
    ["ff-json", "im"].map(|name| verdict(&send(&client, &message(name)))).to_vec()
}

#[test]
fn a_byte_order_mark_before_a_certificate_is_dropped() {
    let sandbox = sandbox(Tls::Good);
    let mut config = config(&sandbox);
    let path = config["ca_file"].as_str().expect("a path").to_owned();
    let marked = format!("{path}.marked");
    let pem = std::fs::read_to_string(&path).expect("a certificate");
    std::fs::write(&marked, format!("\u{feff}{pem}")).expect("written");
    config["ca_file"] = marked.as_str().into();
    let receipt = sent_by(&config);
    std::fs::remove_file(marked).expect("removed");
    assert_eq!(verdict(&receipt), ("sent", "ok"), "{:?}", receipt.error);
}

#[test]
fn what_is_no_tls_is_never_sent() {
    for garbage in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"id\":\"abc\"}"[..],
        b"\x00\x01\x02garbage garbage garbage",
        b"\x16\x03\x03\xff\xff",
        b"\x15\x03\x03\x00\x02\x02\x28",
    ] {
        let server = RawServer::wild(move |stream| {
            stream.write_all(garbage)?;
            std::io::copy(stream, &mut std::io::sink()).map(drop)
        });
        assert_eq!(over_https(&server, 120_000), [TLS, TLS], "{garbage:?}");
        assert_eq!(server.connections(), 6, "three attempts each: {garbage:?}");
    }
}

#[test]
fn a_handshake_that_does_not_end_is_never_sent() {
    let silent = RawServer::wild(|stream| std::io::copy(stream, &mut std::io::sink()).map(drop));
    assert_eq!(over_https(&silent, 100), [("not_sent", "timeout"); 2]);
    let gone = RawServer::wild(|stream| stream.read_exact(&mut [0; 64]));
    for (delivery, name) in over_https(&gone, 120_000) {
        assert_eq!(delivery, "not_sent");
        assert!(["network", "tls"].contains(&name), "{name}");
    }
}

#[test]
fn a_file_without_certificates_is_a_wrong_configuration() {
    let file = std::env::temp_dir().join(format!("hongyan-no-ca-{}.pem", std::process::id()));
    std::fs::write(&file, "this is no certificate").expect("a file");
    for path in [file.to_str().expect("UTF-8"), "/nowhere/ca.pem"] {
        let config = json!({"v": 1, "accounts": {}, "ca_file": path});
        let error = Client::from_json(&config.to_string()).err().expect("refused");
        assert_eq!((error.code(), error.path()), (ErrorCode::Config, Some("ca_file")));
        assert!(error.message().contains(path), "{error}");
    }
    std::fs::remove_file(&file).expect("ours");
}

/// Where the environment names a file with the system's authorities.
const SYSTEM: &str = "SSL_CERT_FILE";
const CHILD: &str = "HONGYAN_TEST_CHILD";

/// Runs the test of this name again, in a process where a file that is not there yet is said to hold
/// the system's authorities: the file's path in that process, nothing in the one that runs it.
fn in_a_system_without_authorities(test: &str) -> Option<PathBuf> {
    if std::env::var_os(CHILD).is_some() {
        return std::env::var_os(SYSTEM).map(PathBuf::from);
    }
    let file = std::env::temp_dir().join(format!("hongyan-{test}-{}", std::process::id()));
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .env(SYSTEM, &file)
        .env_remove("SSL_CERT_DIR")
        .output()
        .expect("a process");
    // Not every test has written it.
    let _ = std::fs::remove_file(&file);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "no test ran: {words}");
    None
}

/// The authority of a sandbox, in PEM.
fn authority(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.ca_path().expect("with TLS")).expect("a file")
}

/// A client of one sandbox that is told of another's authority.
fn told_of(sandbox: &Sandbox, other: &Sandbox) -> Value {
    let mut config = config(sandbox);
    config["ca_file"] = other.config()["ca_file"].clone();
    config
}

/// A client that is told of no authority.
fn untold(sandbox: &Sandbox) -> Value {
    let mut config = config(sandbox);
    config.as_object_mut().expect("an object").remove("ca_file");
    config
}

fn sent_by(config: &Value) -> Receipt {
    send(&client(config), &message(ACCOUNTS[0]))
}

#[test]
fn the_systems_authorities_are_trusted_with_and_without_a_file() {
    let name = "the_systems_authorities_are_trusted_with_and_without_a_file";
    let Some(system) = in_a_system_without_authorities(name) else { return };
    let [ours, others] = [sandbox(Tls::Good), sandbox(Tls::Good)];
    std::fs::write(system, authority(&others)).expect("written");
    for config in [config(&ours), told_of(&others, &ours), untold(&others)] {
        let receipt = sent_by(&config);
        assert_eq!(verdict(&receipt), ("sent", "ok"), "{:?}", receipt.error);
    }
    let stranger = sandbox(Tls::Good);
    nothing_is_sent(&stranger, &told_of(&stranger, &ours), "invalid peer certificate");
    ours.clear();
    nothing_is_sent(&ours, &untold(&ours), "invalid peer certificate");
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_whoever_vouches_for_it() {
    let name = "what_is_wrong_with_a_certificate_is_told_whoever_vouches_for_it";
    let Some(system) = in_a_system_without_authorities(name) else { return };
    let good = sandbox(Tls::Good);
    for (tls, words) in [(Tls::Expired, "expired"), (Tls::WrongHost, "not valid for")] {
        let bad = sandbox(tls);
        std::fs::write(&system, authority(&good)).expect("written");
        nothing_is_sent(&bad, &config(&bad), words);
        std::fs::write(&system, authority(&bad)).expect("written");
        nothing_is_sent(&bad, &told_of(&bad, &good), words);
        nothing_is_sent(&bad, &untold(&bad), words);
    }
}

#[test]
fn the_systems_authorities_are_read_for_a_server_that_the_file_does_not_vouch_for() {
    let name = "the_systems_authorities_are_read_for_a_server_that_the_file_does_not_vouch_for";
    let Some(system) = in_a_system_without_authorities(name) else { return };
    let [ours, others] = [sandbox(Tls::Good), sandbox(Tls::Good)];
    let mut config = config(&ours);
    config["accounts"]["fanfou-oauth1"] = others.config()["accounts"]["fanfou-oauth1"].clone();
    let client = client(&config);
    let verdict_of = |account| verdict(&send(&client, &message(account)));
    assert_eq!(verdict_of("fanfou-basic"), ("sent", "ok"));
    std::fs::write(system, authority(&others)).expect("written");
    assert_eq!(verdict_of("fanfou-oauth1"), ("sent", "ok"), "the file was read too early");
    assert_eq!(verdict_of("fanfou-basic"), ("sent", "ok"));
    assert_eq!(verdict_of("tencent_im-usersig"), ("sent", "ok"));
}

#[test]
fn a_system_without_authorities_leaves_those_of_the_file() {
    let name = "a_system_without_authorities_leaves_those_of_the_file";
    let Some(system) = in_a_system_without_authorities(name) else { return };
    let [ours, others] = [sandbox(Tls::Good), sandbox(Tls::Good)];
    for what in [None, Some("no certificate"), Some(UNREADABLE)] {
        if let Some(text) = what {
            std::fs::write(&system, text).expect("written");
        }
        assert_eq!(verdict(&sent_by(&config(&ours))), ("sent", "ok"), "{what:?}");
        nothing_is_sent(&others, &told_of(&others, &ours), "invalid peer certificate");
        let receipt = sent_by(&untold(&ours));
        let error = receipt.error.as_ref().expect("refused");
        assert_eq!(verdict(&receipt), TLS, "{what:?}");
        for words in ["no certificates to trust", "set \"ca_file\""] {
            assert!(error.message().contains(words), "{words:?} is not in {error}");
        }
    }
}

/// PEM, in which there is no certificate.
const UNREADABLE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

#[test]
fn an_unreadable_certificate_in_the_file_takes_no_trust_from_the_others() {
    let name = "an_unreadable_certificate_in_the_file_takes_no_trust_from_the_others";
    let Some(system) = in_a_system_without_authorities(name) else { return };
    let [ours, others] = [sandbox(Tls::Good), sandbox(Tls::Good)];
    std::fs::write(system, authority(&others)).expect("written");
    let file = ours.ca_path().expect("with TLS");
    std::fs::write(file, UNREADABLE.to_owned() + &authority(&ours)).expect("written");
    for config in [config(&ours), told_of(&others, &ours)] {
        let receipt = sent_by(&config);
        assert_eq!(verdict(&receipt), ("sent", "ok"), "{:?}", receipt.error);
    }
    std::fs::write(file, UNREADABLE).expect("written");
    assert_eq!(verdict(&sent_by(&told_of(&others, &ours))), ("sent", "ok"));
    ours.clear();
    nothing_is_sent(&ours, &config(&ours), "invalid peer certificate");
}
