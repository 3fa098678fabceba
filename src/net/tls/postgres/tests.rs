//! Against a PostgreSQL of its own: what libpq's modes let pass, and whom the login is bound to.

#[path = "../../../../tests/support/cluster.rs"]
mod cluster;

use std::net::{IpAddr, Ipv4Addr};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslMode};

use super::*;
use cluster::{Cluster, PASSWORD};

/// An authority's certificate, and a certificate and key that it gave `localhost`.
fn authority() -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let own = params.self_signed(&key).expect("a certificate").pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let leaf = params.signed_by(&key, &issuer).expect("a certificate");
    (own, leaf.pem(), key.serialize_pem())
}

/// How it is connected: the host's name is what a certificate is for, wherever the address leads.
struct Way<'a> {
    mode: TlsMode,
    ca_file: Option<&'a str>,
    host: &'a str,
    binding: ChannelBinding,
}

/// True of a secure connection, false of one that is not, or why there is none.
async fn connects(cluster: &Cluster, way: &Way<'_>) -> std::result::Result<bool, String> {
    let tls = DatabaseTls::new(way.mode, way.ca_file).map_err(|e| e.to_string())?;
    let mut config = Config::new();
    config.host(way.host).hostaddr(IpAddr::V4(Ipv4Addr::LOCALHOST)).port(cluster.port());
    config.user("postgres").password(PASSWORD).dbname("postgres");
    config.channel_binding(way.binding).ssl_mode(match way.mode {
        TlsMode::Disable => SslMode::Disable,
        TlsMode::Prefer => SslMode::Prefer,
        _ => SslMode::Require,
    });
    let in_words = |error: tokio_postgres::Error| format!("{error}: {error:?}");
    let (client, connection) = config.connect(tls).await.map_err(in_words)?;
    let driven = tokio::spawn(connection);
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let row = client.query_one(sql, &[]).await.map_err(in_words)?;
    drop(client);
    driven.await.expect("it ends").map_err(in_words)?;
    Ok(row.get(0))
}

#[test]
fn a_database_is_reached_as_libpq_reaches_it() {
    let (own, certificate, key) = authority();
    let other = authority().0;
    let cluster = Cluster::start(
        &["ssl=on", "ssl_cert_file=../server.crt", "ssl_key_file=../server.key"],
        &[("server.crt", &certificate), ("server.key", &key), ("own", &own), ("other", &other)],
    );
    let file = |name: &str| cluster.socket().join(name).display().to_string();
    let (own, other) = (file("own"), file("other"));
    let (own, other) = (Some(own.as_str()), Some(other.as_str()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let connects = |mode, ca_file, host, binding| {
        runtime.block_on(connects(&cluster, &Way { mode, ca_file, host, binding }))
    };
    use ChannelBinding::{Disable, Prefer, Require};
    let (here, there) = ("localhost", "elsewhere.example");
    for (mode, ca_file, host, binding) in [
        (TlsMode::Prefer, None, there, Prefer),
        // Whom it would trust is of no matter to one who only prefers.
        (TlsMode::Prefer, other, there, Disable),
        (TlsMode::Require, None, there, Prefer),
        (TlsMode::Require, None, here, Require),
        (TlsMode::Require, own, there, Prefer),
        (TlsMode::VerifyCa, own, there, Prefer),
        (TlsMode::VerifyFull, own, here, Disable),
        (TlsMode::VerifyFull, own, here, Require),
    ] {
        let told = connects(mode, ca_file, host, binding);
        assert_eq!(told, Ok(true), "{mode:?} {ca_file:?} {host} {binding:?}");
    }
    assert_eq!(connects(TlsMode::Disable, None, here, Prefer), Ok(false));
    assert!(connects(TlsMode::Disable, None, here, Require).is_err(), "nothing to be bound to");
    for (mode, ca_file, host) in [
        (TlsMode::Require, other, here),
        (TlsMode::VerifyCa, other, here),
        (TlsMode::VerifyFull, own, there),
        (TlsMode::VerifyFull, other, here),
    ] {
        let why = connects(mode, ca_file, host, Prefer).expect_err("nobody to trust");
        assert!(why.contains("ertificate"), "{mode:?} {ca_file:?} {host}: {why}");
    }
    let error = DatabaseTls::new(TlsMode::VerifyFull, Some("/nowhere")).err().expect("no file");
    assert_eq!((error.code(), error.path()), (ErrorCode::Config, Some("ca_file")));
}

#[test]
fn a_server_that_offers_no_tls_is_reached_by_who_only_prefers_it() {
    let cluster = Cluster::shared();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let connects = |mode| {
        let (host, binding) = ("localhost", ChannelBinding::Prefer);
        runtime.block_on(connects(cluster, &Way { mode, ca_file: None, host, binding }))
    };
    assert_eq!(connects(TlsMode::Prefer), Ok(false));
    let why = connects(TlsMode::Require).expect_err("it is required");
    assert!(why.contains("TLS"), "{why}");
}
