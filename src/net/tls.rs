//! What certificates are trusted, and with which cryptography; no process-wide default is touched.

#[cfg(any(test, target_os = "android"))]
mod folders;
#[cfg(feature = "postgres")]
pub mod postgres;
mod trust;

use std::sync::Arc;

use once_cell::sync::OnceCell;
use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;

use self::trust::Trust;
use super::{Failure, Way};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::shown_path;
use crate::model::file::read_regular;

fn provider() -> Arc<CryptoProvider> {
    #[cfg(all(feature = "tls-aws-lc", not(feature = "tls-ring")))]
    use rustls::crypto::aws_lc_rs::default_provider;
    #[cfg(feature = "tls-ring")]
    use rustls::crypto::ring::default_provider;
    #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
    compile_error!("one of the features tls-ring and tls-aws-lc is needed");
    Arc::new(CryptoProvider { key_provider: &NoKeys, ..default_provider() })
}

/// Loads no keys: no client shows a certificate, and so the code that signs is left out.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> std::result::Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("no keys are loaded".to_owned()))
    }
}

/// The longest `ca_file`; those of whole systems have some hundred KiB.
const MAX_CA_FILE: u64 = 16 << 20;

/// The certificates of a PEM file.
fn read_ca_file(path: &str) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = |why: String| Error::new(ErrorCode::Config, why).at("ca_file");
    let shown = shown_path(path);
    let pem =
        read_regular(path, MAX_CA_FILE).map_err(|e| wrong(format!("cannot read {shown}: {e}")))?;
    let certificates = CertificateDer::pem_slice_iter(&pem)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|e| wrong(format!("{shown} is no PEM file: {e}")))?;
    match certificates.is_empty() {
        true => Err(wrong(format!("{shown} holds no certificate"))),
        false => Ok(certificates),
    }
}

/// Whom the connections of a client trust.
pub struct Tls {
    ca: Vec<CertificateDer<'static>>,
    /// Certificates are read at the first https request only: most clients of a sandbox never do.
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// Trusts what the system trusts, and the certificates of a PEM file.
    pub fn new(ca_file: Option<&str>) -> Result<Tls> {
        let ca = ca_file.map(read_ca_file).transpose()?.unwrap_or_default();
        Ok(Tls { ca, config: OnceCell::new() })
    }

    /// What connections are made with.
    pub fn config(&self) -> std::result::Result<Arc<ClientConfig>, Failure> {
        let made = self.config.get_or_try_init(|| secure(&self.ca).map(Arc::new));
        made.cloned().map_err(|words| Failure { way: Way::Tls, words })
    }
}

fn secure(extra: &[CertificateDer<'static>]) -> std::result::Result<ClientConfig, String> {
    let provider = provider();
    let trust = trust(extra, &provider)?;
    trusting(provider, Arc::new(trust))
}

fn trust(
    extra: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> std::result::Result<Trust, String> {
    Trust::new(extra, Arc::clone(provider))
        .map_err(|e| format!("no certificates to trust: {e}; set \"ca_file\""))
}

/// What connections are made with that trust so.
fn trusting(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> std::result::Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}
