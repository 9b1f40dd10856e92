//! The server's certificates: loaded from files, found by name, and loaded again when their files change.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use crate::TlsError;
use crate::certificate::Certificate;
use crate::pem::{self, Kind};

/// One certificate, in files of PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFiles {
    /// The certificate, and behind it those that lead to its root, but for the root itself.
    pub certificate: PathBuf,
    /// Its private key, not encrypted.
    pub key: PathBuf,
    /// An OCSP response in DER, sent along with the certificate (RFC 6066, 8).
    pub ocsp: Option<PathBuf>,
}

/// The certificates of a server. Connections that exist keep what they began with.
///
/// A client that names a host gets the certificate for it: one that has the name itself, else one with a wildcard in the place of its first label. Of
/// several for one name it gets the first that it can use (one may be of ECDSA and one of RSA). A client that names none, or
/// one that no certificate has, gets the first certificate of all: that it is for another name is the client's to judge, and it
/// learns from it more than from a connection that breaks off.
pub struct Certificates {
    files: Vec<CertificateFiles>,
    provider: Arc<CryptoProvider>,
    present: ArcSwap<Set>,
    /// What the files were when they were last looked at.
    seen: Mutex<Vec<Option<Identity>>>,
}

/// What a look at the files found.
#[derive(Debug)]
pub enum Look {
    /// Nothing has changed.
    Same,
    /// New certificates are in use.
    Renewed,
    /// The files changed, and cannot be used; the certificates are those from before.
    Refused(TlsError),
}

/// Which content a file has: another file in its place, be it by a rename or by a symbolic link that leads elsewhere, is another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Identity {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

/// What was loaded at one time.
struct Set {
    /// In the order of the files; at least one.
    keys: Vec<Arc<CertifiedKey>>,
    /// The places of those that have a name, be it a wildcard (`*.example.com`).
    by_name: HashMap<String, Vec<usize>>,
    described: Vec<Certificate>,
}

impl Certificates {
    /// Loads them, and finds out whether they can be used.
    pub(super) fn load(
        files: Vec<CertificateFiles>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Certificates, TlsError> {
        if files.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        let seen = identities(&files);
        let set = Set::load(&files, &provider)?;
        set.warn_of_nameless(&files);
        Ok(Certificates { files, provider, present: ArcSwap::from_pointee(set), seen: Mutex::new(seen) })
    }

    /// Looks whether the files have changed, and if so takes what they hold now. If that cannot be used (a key that is not the
    /// certificate's, which is also what is seen between the renewal of the one file and the other) all stays as it was.
    pub fn look(&self) -> Look {
        let mut seen = self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Before they are read: what changes while they are is found by the next look.
        let now = identities(&self.files);
        if *seen == now {
            return Look::Same;
        }
        *seen = now;
        match Set::load(&self.files, &self.provider) {
            Ok(set) => {
                set.warn_of_nameless(&self.files);
                self.present.store(Arc::new(set));
                Look::Renewed
            }
            Err(error) => Look::Refused(error),
        }
    }

    /// The subject of each, and the Unix time at which it ends.
    pub fn ends(&self) -> Vec<(String, i64)> {
        self.present.load().described.iter().map(|one| (one.subject.clone(), one.ends)).collect()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        super::session::note_server_name(hello.server_name());
        let present = self.present.load();
        let places = hello.server_name().and_then(|name| present.find(name)).unwrap_or(&[0]);
        let usable = places
            .iter()
            .find(|place| present.keys[**place].key.choose_scheme(hello.signature_schemes()).is_some());
        Some(present.keys[*usable.unwrap_or(&places[0])].clone())
    }
}

impl Set {
    fn load(files: &[CertificateFiles], provider: &CryptoProvider) -> Result<Set, TlsError> {
        let mut set = Set { keys: Vec::new(), by_name: HashMap::new(), described: Vec::new() };
        for (place, files) in files.iter().enumerate() {
            let (key, described) = load(files, provider)?;
            for name in &described.names {
                set.by_name.entry(name.clone()).or_default().push(place);
            }
            set.keys.push(Arc::new(key));
            set.described.push(described);
        }
        Ok(set)
    }

    fn find(&self, name: &str) -> Option<&[usize]> {
        let name = name.to_ascii_lowercase();
        if let Some(places) = self.by_name.get(&name) {
            return Some(places);
        }
        let (_, parent) = name.split_once('.')?;
        self.by_name.get(&format!("*.{parent}")).map(Vec::as_slice)
    }

    fn warn_of_nameless(&self, files: &[CertificateFiles]) {
        for (described, files) in self.described.iter().zip(files) {
            if described.names.is_empty() {
                tracing::warn!(
                    file = %files.certificate.display(),
                    subject = described.subject,
                    "a certificate has no alternative names (subjectAltName), without which no client of today accepts it for any host (RFC 9525)"
                );
            }
        }
    }
}

fn load(
    files: &CertificateFiles,
    provider: &CryptoProvider,
) -> Result<(CertifiedKey, Certificate), TlsError> {
    let chain = chain(&files.certificate)?;
    let described = Certificate::read_valid(&chain[0], &files.certificate)?;
    let key = private_key(&files.key)?;
    let unusable =
        |error: Error| TlsError::UnusableKey { file: files.key.clone(), reason: error.to_string() };
    let key = provider.key_provider.load_private_key(key).map_err(unusable)?;
    let mut certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(Error::InconsistentKeys(_)) => {
            return Err(TlsError::Mismatch {
                certificate: files.certificate.clone(),
                subject: described.subject,
                key: files.key.clone(),
            });
        }
        Err(error) => {
            let (file, wanted) = (files.certificate.clone(), Kind::Certificate);
            return Err(TlsError::Damaged { file, wanted, reason: error.to_string() });
        }
    }
    certified.ocsp = files.ocsp.as_deref().map(staple).transpose()?;
    Ok((certified, described))
}

/// All certificates of a file.
pub(super) fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = pem::read(file)?;
    pem::count(file, &text, Kind::Certificate)?;
    let damaged =
        |reason: String| TlsError::Damaged { file: file.to_owned(), wanted: Kind::Certificate, reason };
    let chain = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| damaged(error.to_string()))?;
    if chain.is_empty() { Err(damaged("its section does not end".to_owned())) } else { Ok(chain) }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = pem::read(file)?;
    match pem::count(file, &text, Kind::PrivateKey)? {
        1 => PrivateKeyDer::from_pem_slice(&text).map_err(|error| TlsError::Damaged {
            file: file.to_owned(),
            wanted: Kind::PrivateKey,
            reason: error.to_string(),
        }),
        count => Err(TlsError::SeveralKeys { file: file.to_owned(), count }),
    }
}

/// An OCSP response that is a response (RFC 6960, 4.2.1: its first element is `successful`).
fn staple(file: &Path) -> Result<Vec<u8>, TlsError> {
    let response = pem::read(file)?;
    let content = match response.get(..2) {
        Some([0x30, length @ 0..=0x7f]) => {
            response.get(2..).filter(|rest| rest.len() == usize::from(*length))
        }
        Some([0x30, 0x81]) => response.get(3..),
        Some([0x30, 0x82]) => response.get(4..),
        _ => None,
    };
    match content {
        Some([0x0a, 0x01, 0x00, ..]) => Ok(response),
        _ => Err(TlsError::NoStaple { file: file.to_owned() }),
    }
}

fn identities(files: &[CertificateFiles]) -> Vec<Option<Identity>> {
    files
        .iter()
        .flat_map(|files| [Some(&files.certificate), Some(&files.key), files.ocsp.as_ref()])
        .flatten()
        .map(|file| identity(file))
        .collect()
}

/// That of the file a symbolic link leads to.
fn identity(file: &Path) -> Option<Identity> {
    let metadata = fs::metadata(file).ok()?;
    Some(Identity {
        device: metadata.dev(),
        inode: metadata.ino(),
        bytes: metadata.size(),
        changed: (metadata.mtime(), metadata.mtime_nsec()),
    })
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.present.load().described).finish()
    }
}
