//! What certificates are trusted, and with which cryptography; no process-wide default is touched.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::model::error::{Error, ErrorCode, Result};

fn provider() -> Arc<CryptoProvider> {
    #[cfg(feature = "tls-ring")]
    let provider = rustls::crypto::ring::default_provider();
    #[cfg(all(feature = "tls-aws-lc", not(feature = "tls-ring")))]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
    compile_error!("one of the features tls-ring and tls-aws-lc is needed");
    Arc::new(provider)
}

/// The certificates of a PEM file.
pub fn read_ca_file(path: &str) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = |why: String| Error::new(ErrorCode::Config, why).at("ca_file");
    let pem = std::fs::read(path).map_err(|e| wrong(format!("cannot read {path:?}: {e}")))?;
    let certificates = CertificateDer::pem_slice_iter(&pem)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|e| wrong(format!("{path:?} is no PEM file: {e}")))?;
    match certificates.is_empty() {
        true => Err(wrong(format!("{path:?} holds no certificate"))),
        false => Ok(certificates),
    }
}

/// Trusts what the system trusts, and these certificates.
pub fn secure(extra: &[CertificateDer<'static>]) -> std::result::Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    let config = match Verifier::new_with_extra_roots(extra.iter().cloned(), provider()) {
        Ok(verifier) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth(),
        // A system without certificates of its own is no reason not to trust the file's.
        Err(_) if !extra.is_empty() => {
            builder.with_root_certificates(store(extra)).with_no_client_auth()
        }
        Err(e) => return Err(format!("no certificates to trust: {e}; set \"ca_file\"")),
    };
    Ok(config)
}

/// Trusts nobody: for a client that speaks plain http only, and reads no certificates.
pub fn none() -> std::result::Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn store(certificates: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates.iter().cloned());
    store
}
