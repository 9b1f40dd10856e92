//! What a server's sessions are made from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{Error, RootCertStore, ServerConfig};

use super::certificates::{CertificateFiles, Certificates, chain};
use super::{PROTOCOLS, VERSIONS, names, provider};
use crate::TlsError;

/// Tickets sent after each full handshake of TLS 1.3. Each is good for one resumption; a client that opens several connections at a time
/// needs some.
const TICKETS: usize = 2;

/// How a server does TLS.
#[derive(Clone, Default, Debug)]
pub struct ServerOptions {
    /// The certificates; the first is for clients that name no host, or one that none of them is for.
    pub certificates: Vec<CertificateFiles>,
    /// Whether clients show certificates, too. By default they are not asked.
    pub clients: Option<ClientCertificates>,
    /// Offers HTTP/1.1 only, and no HTTP/2.
    pub http1_only: bool,
}

/// What certificates clients have.
#[derive(Clone, Debug)]
pub struct ClientCertificates {
    /// A file of PEM with the roots that they lead to.
    pub roots: PathBuf,
    /// Whether a client without one is refused.
    pub required: bool,
}

/// A server's TLS: made once, and shared by all whom it serves.
///
/// TLS 1.2 and 1.3 are spoken, and nothing older. Sessions are resumed by tickets, and nothing is kept of them here. Cloning it shares it.
#[derive(Clone)]
pub struct ServerTls {
    pub(super) config: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
    requires_client_certificates: bool,
}

impl ServerTls {
    /// Reads all files, and finds out whether they can be used.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn new(options: &ServerOptions) -> Result<ServerTls, TlsError> {
        let provider = provider();
        let certificates = Arc::new(Certificates::load(options.certificates.clone(), provider.clone())?);
        let refused = |error: Error| TlsError::Refused(error.to_string());
        let versions = ServerConfig::builder_with_provider(provider).with_protocol_versions(VERSIONS);
        let verifier = options.clients.as_ref().map(verifier).transpose()?;
        let builder = match verifier {
            Some(verifier) => versions.map_err(refused)?.with_client_cert_verifier(verifier),
            None => versions.map_err(refused)?.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(certificates.clone());
        config.alpn_protocols = names(&PROTOCOLS[usize::from(options.http1_only)..]);
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Ticketer::new().map_err(refused)?;
        config.send_tls13_tickets = TICKETS;
        let requires_client_certificates = options.clients.as_ref().is_some_and(|clients| clients.required);
        Ok(ServerTls { config: Arc::new(config), certificates, requires_client_certificates })
    }

    /// The same for one worker: with counts of references of its own, so that workers do not wait for each other's. The keys that
    /// tickets are encrypted with are shared, and change every six hours: a client's next connection may be another worker's.
    #[must_use]
    pub fn for_worker(&self) -> ServerTls {
        ServerTls { config: Arc::new(ServerConfig::clone(&self.config)), ..self.clone() }
    }

    /// The certificates, to be looked at again.
    pub fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }

    /// Whether a client without a certificate is refused.
    pub fn requires_client_certificates(&self) -> bool {
        self.requires_client_certificates
    }
}

fn verifier(clients: &ClientCertificates) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let roots = Arc::new(roots(&clients.roots)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    let builder = if clients.required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|error| TlsError::Refused(error.to_string()))
}

/// The roots in a file.
pub(super) fn roots(file: &std::path::Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for root in chain(file)? {
        roots
            .add(root)
            .map_err(|error| TlsError::UnusableRoot { file: file.to_owned(), reason: error.to_string() })?;
    }
    Ok(roots)
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("certificates", &self.certificates).finish_non_exhaustive()
    }
}
