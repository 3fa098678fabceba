//! Whom a server's certificate has to be from.

use std::sync::Arc;

use once_cell::sync::OnceCell;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
#[cfg(not(target_os = "android"))]
use rustls_platform_verifier::Verifier as System;

#[cfg(target_os = "android")]
use super::folders;

/// True where the system's authorities are files, and judged by the same code as our own.
///
/// Other systems have rules of their own, for authorities that we add too: there they are asked at
/// once, which reads no file.
pub(super) const SYSTEM_IS_FILES: bool = cfg!(all(unix, not(target_vendor = "apple")));

#[cfg(target_os = "android")]
type System = Arc<WebPkiServerVerifier>;

/// Trusts the authorities of `ca_file` and those of the system, and servers whose own certificate stands
/// in `ca_file`, if it is for their name and has not run out.
///
/// The system's are read when the file's do not vouch for a server: reading them takes longer than
/// all the rest of a first message, and who names a file rarely needs them.
#[derive(Debug)]
pub struct Trust {
    provider: Arc<CryptoProvider>,
    /// Every certificate of the file: a server that shows one of them needs no authority.
    given: Vec<CertificateDer<'static>>,
    /// The file's authorities, of those that can be read.
    extra: Vec<CertificateDer<'static>>,
    file: Option<Arc<WebPkiServerVerifier>>,
    /// Trusts the file's authorities as well, so that its refusal speaks of all.
    system: OnceCell<System>,
}

impl Trust {
    /// Trusts the system's authorities and these; fails where there are none at all.
    pub fn new(
        extra: &[CertificateDer<'static>],
        provider: Arc<CryptoProvider>,
    ) -> Result<Trust, Error> {
        let mut roots = RootCertStore::empty();
        let mut readable = Vec::new();
        for certificate in extra {
            if roots.add(certificate.clone()).is_ok() {
                readable.push(certificate.clone());
            }
        }
        let builder = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone());
        // It refuses to be built of nothing.
        let file = builder.build().ok();
        let given = extra.to_vec();
        let trust = Trust { provider, given, extra: readable, file, system: OnceCell::new() };
        if trust.file.is_none() {
            trust.system()?;
        }
        Ok(trust)
    }

    fn system(&self) -> Result<&System, Error> {
        let extra = || self.extra.iter().cloned();
        self.system.get_or_try_init(|| system(extra(), self.provider.clone()))
    }
}

#[cfg(not(target_os = "android"))]
fn system(
    extra: impl IntoIterator<Item = CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<System, Error> {
    System::new_with_extra_roots(extra, provider)
}

#[cfg(target_os = "android")]
fn system(
    extra: impl IntoIterator<Item = CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<System, Error> {
    folders::verifier(&folders::ANDROID, extra, provider)
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(file) = &self.file
            && SYSTEM_IS_FILES
            && let Ok(verified) = file.verify_server_cert(server, chain, name, ocsp, now)
        {
            return Ok(verified);
        }
        if let Some(file) = &self.file
            && self.given.iter().any(|own| own == server)
            && let Err(error) = file.verify_server_cert(server, chain, name, ocsp, now)
            && lacks_only_an_authority(&error)
        {
            verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        match (self.system(), &self.file) {
            (Ok(system), _) => system.verify_server_cert(server, chain, name, ocsp, now),
            // A system without certificates of its own is no reason not to trust the file's.
            (Err(_), Some(file)) => file.verify_server_cert(server, chain, name, ocsp, now),
            (Err(error), None) => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// True if nothing but its issuer is wrong with a certificate: its dates are looked at before.
///
/// An authority's own certificate is refused as a server's (`CaUsedAsEndEntity`), although openssl makes
/// nothing else by default where one is to sign itself.
fn lacks_only_an_authority(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        Error::InvalidCertificate(CertificateError::Other(OtherError(why))) => {
            why.to_string() == "CaUsedAsEndEntity"
        }
        _ => false,
    }
}
