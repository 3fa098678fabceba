//! Secure connections to a PostgreSQL database, in the modes of libpq and by the trust of the client.

#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as Secure;

use super::trust::{SYSTEM_IS_FILES, Trust};
use super::{provider, read_ca_file, trust, trusting};
use crate::model::config::postgres::TlsMode;
use crate::model::error::{self, ErrorCode, Result};

/// Makes connections to a database secure.
#[derive(Clone)]
pub struct DatabaseTls {
    /// None where no connection is: certificates are not even read then.
    config: Option<Arc<ClientConfig>>,
}

impl DatabaseTls {
    /// `config`: the file of authorities cannot be read, or there are none at all.
    pub fn new(mode: TlsMode, ca_file: Option<&str>) -> Result<DatabaseTls> {
        if mode == TlsMode::Disable {
            return Ok(DatabaseTls { config: None });
        }
        let ca = ca_file.map(read_ca_file).transpose()?;
        let is_anyone = match mode {
            TlsMode::Prefer => true,
            // As libpq: where authorities are named, one of them has to vouch for the server.
            TlsMode::Require => ca.is_none(),
            _ => false,
        };
        let provider = provider();
        let made = || {
            let verifier: Arc<dyn ServerCertVerifier> = match (is_anyone, mode) {
                (true, _) => Arc::new(Anyone(Arc::clone(&provider))),
                (false, TlsMode::VerifyFull) => {
                    Arc::new(trust(&ca.unwrap_or_default(), &provider)?)
                }
                (false, _) => Arc::new(AnyName(trust(&ca.unwrap_or_default(), &provider)?)),
            };
            trusting(Arc::clone(&provider), verifier)
        };
        let config =
            made().map_err(|why| error::Error::new(ErrorCode::Config, why).at("ca_file"))?;
        Ok(DatabaseTls { config: Some(Arc::new(config)) })
    }
}

impl<S> MakeTlsConnect<S> for DatabaseTls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = DatabaseStream<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        // A Unix socket has no name; nor has it a use for one.
        let name = ServerName::try_from(host.to_owned()).ok();
        Ok(Handshake { config: self.config.clone(), name })
    }
}

/// Makes one connection secure.
pub struct Handshake {
    config: Option<Arc<ClientConfig>>,
    name: Option<ServerName<'static>>,
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = DatabaseStream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<DatabaseStream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let no = |words| io::Error::new(io::ErrorKind::InvalidInput, words);
            let config = self.config.ok_or_else(|| no("a secure connection was not asked for"))?;
            let name = self.name.ok_or_else(|| no("a certificate cannot be for this host"))?;
            Ok(DatabaseStream(TlsConnector::from(config).connect(name, stream).await?))
        })
    }
}

/// A secure connection to a database.
pub struct DatabaseStream<S>(Secure<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for DatabaseStream<S> {
    fn channel_binding(&self) -> ChannelBinding {
        let (_, connection) = self.0.get_ref();
        let own = connection.peer_certificates().and_then(|chain| chain.first());
        match own.and_then(|certificate| end_point(certificate)) {
            Some(digest) => ChannelBinding::tls_server_end_point(digest),
            None => ChannelBinding::none(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for DatabaseStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for DatabaseStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// What a login is bound to (RFC 5929, `tls-server-end-point`): the server's certificate, under the hash
/// of its own signature. None where that signature has no hash of its own, as Ed25519.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    let (whole, _) = element(certificate, SEQUENCE)?;
    let (_, after_content) = element(whole, SEQUENCE)?;
    let (algorithm, _) = element(after_content, SEQUENCE)?;
    let (name, _) = element(algorithm, OBJECT_IDENTIFIER)?;
    let kind = name.strip_prefix(RSA).or_else(|| name.strip_prefix(ECDSA))?;
    Some(match kind {
        // SHA-256 stands for what is weaker than it.
        [4 | 5 | 11] | [1] | [3, 2] => Sha256::digest(certificate).to_vec(),
        [12] | [3, 3] => Sha384::digest(certificate).to_vec(),
        [13] | [3, 4] => Sha512::digest(certificate).to_vec(),
        _ => return None,
    })
}

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// The content of the element of DER that stands first, if it has this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&own, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    (own == tag).then_some(())?;
    rest.split_at_checked(length)
}

/// Trusts whoever holds the key of the certificate that it shows: against those who only listen.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Trusts a certificate of a trusted authority, whatever host it is for.
#[derive(Debug)]
struct AnyName(Trust);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        match self.0.verify_server_cert(server, chain, name, ocsp, now) {
            // The name is looked at last, once the authority is found to be trusted. Systems that judge by
            // rules of their own may say first what is wrong with the name: there it has to be right.
            Err(Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
                if SYSTEM_IS_FILES =>
            {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
