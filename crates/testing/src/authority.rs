//! Certificates for tests: a root that nobody trusts, and what it signs, in files.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SignatureAlgorithm,
};
use tempfile::TempDir;

/// A root, in a folder of its own, which goes with it.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate that was signed, and its key.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The certificate's file.
    pub certificate: PathBuf,
    /// The key's.
    pub key: PathBuf,
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

impl Authority {
    /// A root of its own.
    pub fn new() -> Authority {
        Authority::with_key_of(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    /// A root of its own, with a key of another kind.
    pub fn with_key_of(kind: &'static SignatureAlgorithm) -> Authority {
        let key = new_key(kind);
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "a root of tests");
        let folder = tempfile::tempdir().expect("a folder can be made");
        let root = params.self_signed(&key).expect("it signs itself");
        let authority = Authority { folder, issuer: Issuer::new(params, key) };
        write(&authority.root(), &root.pem());
        authority
    }

    /// The root's certificate, in a file.
    pub fn root(&self) -> PathBuf {
        self.path("root.pem")
    }

    /// Where a file of this name would be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder that all this is in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Signs a certificate for these names, and writes it and its key to `NAME.pem` and `NAME.key`.
    pub fn sign(&self, name: &str, names: &[&str]) -> Signed {
        self.sign_with(name, names, |_| {})
    }

    /// The same, with a key of another kind.
    pub fn sign_with_key_of(&self, kind: &'static SignatureAlgorithm, name: &str, names: &[&str]) -> Signed {
        self.sign_all(kind, name, names, |_| {})
    }

    /// The same, with something else about it.
    pub fn sign_with(
        &self,
        name: &str,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Signed {
        self.sign_all(&rcgen::PKCS_ECDSA_P256_SHA256, name, names, change)
    }

    fn sign_all(
        &self,
        kind: &'static SignatureAlgorithm,
        name: &str,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Signed {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names that a certificate can have");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = new_key(kind);
        let certificate = params.signed_by(&key, &self.issuer).expect("the root signs");
        let signed =
            Signed { certificate: self.path(&format!("{name}.pem")), key: self.path(&format!("{name}.key")) };
        write(&signed.certificate, &certificate.pem());
        write(&signed.key, &key.serialize_pem());
        signed
    }
}

fn new_key(kind: &'static SignatureAlgorithm) -> KeyPair {
    KeyPair::generate_for(kind).expect("there are random bytes")
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).expect("the folder is ours");
}
