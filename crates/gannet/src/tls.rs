//! TLS of an application.

use std::path::PathBuf;

use gannet_link::{
    CertificateFiles, ClientCertificates, ServerOptions, ServerTls, TlsError, self_signed, self_signed_folder,
};

/// How an application speaks TLS: [`App::tls`](crate::App::tls) takes it.
///
/// Files are of PEM. They are read at start, and whatever is wrong with them is found then; later they are watched, and what replaces
/// them is used without a restart.
#[derive(Clone, Debug)]
pub struct Tls {
    options: ServerOptions,
    /// For these names, too, by an authority of our own.
    self_signed: Option<Vec<String>>,
}

impl Tls {
    /// By a certificate, with those that lead to its root behind it, and its private key.
    pub fn files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Tls {
        Tls::without_certificates().and_files(certificate, key)
    }

    /// To be given [certificates](Tls::and_files); without any it is a mistake.
    pub fn without_certificates() -> Tls {
        Tls { options: ServerOptions::default(), self_signed: None }
    }

    /// For development: by a certificate for this machine (`localhost`, `127.0.0.1`, `::1`, its host name) and these names, of an authority of
    /// this user's own. That is made once, in `$XDG_DATA_HOME/gannet` or `~/.local/share/gannet`, and the log says how to trust it.
    pub fn self_signed(names: impl IntoIterator<Item = impl Into<String>>) -> Tls {
        let names = names.into_iter().map(Into::into).collect();
        Tls { self_signed: Some(names), ..Tls::without_certificates() }
    }

    /// By another certificate, too. Clients get that which is for the host that they ask for (SNI), be it by a wildcard, and the first of
    /// all where none is.
    #[must_use]
    pub fn and_files(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Tls {
        let (certificate, key) = (certificate.into(), key.into());
        self.options.certificates.push(CertificateFiles { certificate, key, ocsp: None });
        self
    }

    /// Sends this OCSP response, in DER, along with the certificate that was named last (RFC 6066, 8).
    #[must_use]
    pub fn ocsp(mut self, file: impl Into<PathBuf>) -> Tls {
        if let Some(last) = self.options.certificates.last_mut() {
            last.ocsp = Some(file.into());
        }
        self
    }

    /// Refuses clients without a certificate that leads to a root in this file. Handlers see it as
    /// [`Request::client_certificate`](crate::Request::client_certificate).
    #[must_use]
    pub fn require_client_certificates(self, roots: impl Into<PathBuf>) -> Tls {
        self.clients(roots, true)
    }

    /// Asks clients for a certificate that leads to a root in this file, and serves those without, too.
    #[must_use]
    pub fn ask_for_client_certificates(self, roots: impl Into<PathBuf>) -> Tls {
        self.clients(roots, false)
    }

    fn clients(mut self, roots: impl Into<PathBuf>, required: bool) -> Tls {
        self.options.clients = Some(ClientCertificates { roots: roots.into(), required });
        self
    }

    /// Reads the files.
    pub(crate) fn build(mut self, http1_only: bool) -> Result<ServerTls, TlsError> {
        if let Some(names) = &self.self_signed {
            let made = self_signed(&self_signed_folder()?, names)?;
            let authority = made.authority.display();
            if made.is_new {
                tracing::warn!(
                    %authority,
                    "an authority for development was made, which nobody trusts yet: have clients trust this file (curl --cacert, a browser's settings), and nobody else read its key"
                );
            } else {
                tracing::info!(%authority, "the certificate is by the authority for development: clients are to trust this file");
            }
            self.options.certificates.push(made.files);
        }
        self.options.http1_only = http1_only;
        ServerTls::new(&self.options)
    }
}
