//! Certificates for the steps that speak TLS, made by openssl: of an authority that nobody trusts but those who are told to.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Context, Outcome};
use crate::command;

const LIMIT: Duration = Duration::from_secs(20);

/// What is said where it is not installed.
pub fn missing() -> Option<Outcome> {
    (!command::is_there("openssl")).then(|| Outcome::LeftOut("openssl is not installed".to_owned()))
}

/// An authority, and what it signed, in a folder: `NAME.pem` and `NAME.key`.
pub struct Authority {
    folder: PathBuf,
    name: &'static str,
}

impl Authority {
    /// A new one, of this name.
    pub fn new(context: &Context, name: &'static str) -> Result<Authority, String> {
        let authority = Authority { folder: context.folder("ci/certificates")?, name };
        let extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
        authority.request(name, &[], &extensions)?;
        Ok(authority)
    }

    /// Its own certificate.
    pub fn root(&self) -> String {
        self.file(self.name, "pem")
    }

    /// A file of what it signed.
    pub fn file(&self, name: &str, extension: &str) -> String {
        self.folder.join(format!("{name}.{extension}")).to_string_lossy().into_owned()
    }

    /// Signs a certificate for a name of DNS or an address (`DNS:a.example`, `IP:127.0.0.1`), several of them behind commas.
    pub fn sign(&self, name: &str, subjects: &str) -> Result<(), String> {
        let subjects = format!("subjectAltName={subjects}");
        let (root, key) = (self.root(), self.file(self.name, "key"));
        self.request(name, &["-CA", &root, "-CAkey", &key], &[&subjects, "basicConstraints=CA:FALSE"])
    }

    fn request(&self, name: &str, signer: &[&str], extensions: &[&str]) -> Result<(), String> {
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-days", "30", "-subj", &format!("/CN={name}")]).args(signer);
        openssl.args(["-keyout", &self.file(name, "key"), "-out", &self.file(name, "pem")]);
        for extension in extensions {
            openssl.args(["-addext", extension]);
        }
        command::run(&mut openssl, LIMIT)?.succeeded().map(|_| ()).map_err(|why| format!("{name}: {why}"))
    }

    /// A file beside them.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
