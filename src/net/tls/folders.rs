//! The authorities of a system that keeps them in folders, a file each: Android.
//!
//! Its own verifier is to be had in Java only, from a program that has handed over its virtual machine;
//! these files can be read by every program, and our own code judges by them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{Error, RootCertStore};

use crate::model::file::read_regular;

/// Where Android keeps them: since version 14 what its updates bring, before that the system's image.
#[cfg(target_os = "android")]
pub const ANDROID: [&str; 2] =
    ["/apex/com.android.conscrypt/cacerts", "/system/etc/security/cacerts"];

/// The largest file that is read: a certificate has some KiB, with its description before or after it.
const MAX_FILE: u64 = 1 << 20;

/// Trusts the authorities of the first folder that holds any, and these.
///
/// The folders are not added up: what an update has taken away still lies in the older one.
pub fn verifier(
    folders: &[impl AsRef<Path>],
    extra: impl IntoIterator<Item = CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let Some(mut roots) = folders.iter().find_map(|folder| authorities(folder.as_ref())) else {
        let names: Vec<_> = folders.iter().map(|f| f.as_ref().display().to_string()).collect();
        return Err(Error::General(format!("none lies in {}", names.join(" or "))));
    };
    roots.add_parsable_certificates(extra);
    WebPkiServerVerifier::builder_with_provider(roots.into(), provider)
        .build()
        .map_err(|error| Error::General(error.to_string()))
}

/// The authorities that lie in a folder, unless there are none: what cannot be read is passed over.
fn authorities(folder: &Path) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        let Ok(pem) = read_regular(&path, MAX_FILE) else { continue };
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
    }
    (!roots.is_empty()).then_some(roots)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::TcpStream;

    use hongyan_sandbox::{Options, Sandbox, Tls};
    use rustls::{ClientConfig, ClientConnection};

    use super::super::provider;
    use super::*;

    /// A folder of its own, which goes with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("hy-{name}-{}", std::process::id()));
            fs::remove_dir_all(&path).ok();
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Folder {
            fs::write(self.0.join(name), bytes).unwrap();
            self
        }

        /// The certificate of a sandbox's authority, between the words that Android's files have.
        fn with_authority_of(self, sandbox: &Sandbox) -> Folder {
            let pem = fs::read_to_string(sandbox.ca_path().unwrap()).unwrap();
            self.with(
                "5ed36f99.0",
                format!("Certificate:\n    Data: 版本 3\n{pem}SHA1 Fingerprint\n"),
            )
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    impl AsRef<Path> for Folder {
        fn as_ref(&self) -> &Path {
            &self.0
        }
    }

    fn sandbox(tls: Tls) -> Sandbox {
        Sandbox::start(Options { tls, ..Options::default() }).unwrap()
    }

    fn trusting(folders: &[&Folder]) -> Result<Arc<WebPkiServerVerifier>, Error> {
        verifier(folders, [], provider())
    }

    fn handshake(trust: Arc<WebPkiServerVerifier>, with: &Sandbox) -> io::Result<()> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(trust)
            .with_no_client_auth();
        let name = "localhost".try_into().unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut socket = TcpStream::connect(("127.0.0.1", with.port()))?;
        connection.complete_io(&mut socket).map(drop)
    }

    #[test]
    fn an_authority_of_the_folder_is_trusted_and_no_other() {
        let known = sandbox(Tls::Good);
        let folder = Folder::new("authority").with_authority_of(&known);
        handshake(trusting(&[&folder]).unwrap(), &known).unwrap();
        for tls in [Tls::Good, Tls::OtherCa] {
            let error = handshake(trusting(&[&folder]).unwrap(), &sandbox(tls)).unwrap_err();
            assert!(error.to_string().contains("invalid peer certificate"), "{error}");
        }
    }

    #[test]
    fn names_and_dates_are_looked_at() {
        for (tls, words) in [(Tls::WrongHost, "not valid for name"), (Tls::Expired, "expired")] {
            let server = sandbox(tls);
            let folder = Folder::new("looked-at").with_authority_of(&server);
            let error = handshake(trusting(&[&folder]).unwrap(), &server).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_passed_over() {
        let known = sandbox(Tls::Good);
        let folder = Folder::new("passed-over")
            .with("00000000.0", "no certificate")
            .with("11111111.0", b"\xff\xfe\0")
            .with("22222222.0", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
            .with("33333333.0", vec![b'#'; usize::try_from(MAX_FILE).unwrap() + 1])
            .with_authority_of(&known);
        fs::create_dir(folder.0.join("44444444.0")).unwrap();
        handshake(trusting(&[&folder]).unwrap(), &known).unwrap();
    }

    /// An authority that an update took away is not found again in the image.
    #[test]
    fn the_first_folder_that_holds_any_is_all() {
        let (removed, kept) = (sandbox(Tls::Good), sandbox(Tls::Good));
        let image = Folder::new("image").with_authority_of(&removed);
        let update = Folder::new("update").with_authority_of(&kept);
        let trust = trusting(&[&update, &image]).unwrap();
        handshake(trust.clone(), &kept).unwrap();
        handshake(trust, &removed).unwrap_err();

        let empty = Folder::new("empty");
        handshake(trusting(&[&empty, &image]).unwrap(), &removed).unwrap();
        let nowhere = Folder(empty.0.join("nowhere"));
        handshake(trusting(&[&nowhere, &image]).unwrap(), &removed).unwrap();
    }

    #[test]
    fn a_file_of_the_caller_is_trusted_besides() {
        let (system, own) = (sandbox(Tls::Good), sandbox(Tls::Good));
        let folder = Folder::new("besides").with_authority_of(&system);
        let extra = CertificateDer::from_pem_file(own.ca_path().unwrap()).unwrap();
        let trust = verifier(&[&folder], [extra], provider()).unwrap();
        handshake(trust.clone(), &system).unwrap();
        handshake(trust, &own).unwrap();
    }

    #[test]
    fn no_authority_at_all_is_an_error_that_names_the_folders() {
        let folder = Folder::new("none").with("readme", "nothing");
        let error = trusting(&[&folder]).unwrap_err().to_string();
        assert!(error.contains(&folder.0.display().to_string()), "{error}");
    }
}
