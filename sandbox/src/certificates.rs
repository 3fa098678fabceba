//! Throw-away certificates: good ones, and ones that a client must refuse.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Tls;
use crate::clock::{Clock, Utc};

/// The names of the sandbox's host.
const HERE: &[&str] = &["localhost", "127.0.0.1", "::1"];
/// The name of a host that the sandbox is not.
const ELSEWHERE: &[&str] = &["wrong-host.invalid"];

/// A certificate authority made for one run, and trusted by nobody who is not told to.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A server certificate with its key.
pub struct Leaf {
    certificate: CertificateDer<'static>,
    pem: String,
    key: Vec<u8>,
}

impl Authority {
    /// Makes an authority with a new key.
    pub fn new() -> io::Result<Authority> {
        let mut params = params("hongyan sandbox CA", Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let pem = params.self_signed(&key).map_err(io::Error::other)?.pem();
        Ok(Authority { issuer: Issuer::new(params, key), pem })
    }

    /// A certificate for `localhost` and the loopback addresses.
    pub fn good(&self) -> io::Result<Leaf> {
        self.leaf(HERE, false)
    }

    /// A certificate for a host that the sandbox is not.
    pub fn wrong_host(&self) -> io::Result<Leaf> {
        self.leaf(ELSEWHERE, false)
    }

    /// A certificate for the right host that ran out long ago.
    pub fn expired(&self) -> io::Result<Leaf> {
        self.leaf(HERE, true)
    }

    fn leaf(&self, names: &[&str], expired: bool) -> io::Result<Leaf> {
        let mut params = leaf_params(names, expired)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        Ok(Leaf::new(&certificate, &key))
    }
}

impl Leaf {
    fn new(certificate: &Certificate, key: &KeyPair) -> Leaf {
        let pem = certificate.pem();
        Leaf { certificate: certificate.der().clone(), pem, key: key.serialize_der() }
    }

    /// A certificate that signed itself; `is_ca`: as an authority's own.
    fn self_signed(names: &[&str], expired: bool, is_ca: bool) -> io::Result<Leaf> {
        let mut params = leaf_params(names, expired)?;
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.self_signed(&key).map_err(io::Error::other)?;
        Ok(Leaf::new(&certificate, &key))
    }
}

/// Parameters of a server's certificate, which may have run out.
fn leaf_params(names: &[&str], expired: bool) -> io::Result<CertificateParams> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = params("hongyan sandbox", names)?;
    if expired {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    }
    Ok(params)
}

/// Parameters valid from some days ago for less than the 825 days that some platforms allow.
fn params(name: &str, names: Vec<String>) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let now_s = Clock::system().now_ms() / 1000;
    let day = |seconds: u64| {
        let utc = Utc::from_unix(seconds);
        date_time_ymd(utc.year as i32, utc.month, utc.day)
    };
    params.not_before = day(now_s.saturating_sub(2 * 86_400));
    params.not_after = day(now_s + 365 * 86_400);
    Ok(params)
}

/// The server's TLS settings for `tls` and, in PEM, what the client is told to trust.
pub(crate) fn server(tls: Tls) -> io::Result<Option<(ServerConfig, String)>> {
    if tls == Tls::Off {
        return Ok(None);
    }
    let authority = Authority::new()?;
    let leaf = match tls {
        Tls::WrongHost => authority.wrong_host()?,
        Tls::Expired => authority.expired()?,
        Tls::OtherCa => Authority::new()?.good()?,
        Tls::SelfSigned => Leaf::self_signed(HERE, false, false)?,
        Tls::SelfSignedCa => Leaf::self_signed(HERE, false, true)?,
        Tls::SelfSignedWrongHost => Leaf::self_signed(ELSEWHERE, false, true)?,
        Tls::SelfSignedExpired => Leaf::self_signed(HERE, true, true)?,
        Tls::Off | Tls::Good | Tls::Pinned => authority.good()?,
    };
    let trusted = match tls {
        Tls::Off | Tls::Good | Tls::WrongHost | Tls::Expired | Tls::OtherCa => authority.pem,
        _ => leaf.pem,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.certificate],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key)),
        )
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some((config, trusted)))
}

/// A file with the certificate that a client is told of, in a fresh folder that goes with it.
#[derive(Debug)]
pub(crate) struct CaFile {
    folder: PathBuf,
    path: PathBuf,
}

impl CaFile {
    pub(crate) fn write(pem: &str) -> io::Result<CaFile> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("hongyan-sandbox-{}-{number}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            match fs::create_dir(&folder) {
                // Left over by an earlier process of the same number, or somebody else's.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
                Ok(()) => {}
            }
            let file = CaFile { path: folder.join("ca.pem"), folder };
            fs::write(&file.path, pem)?;
            return Ok(file);
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        // Only what this wrote; a folder that others wrote into stays.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_dir(&self.folder);
    }
}
