//! What a client's sessions are made from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};

use super::server::roots;
use super::{PROTOCOLS, VERSIONS, names, provider};
use crate::{Offer, TlsError};

/// Whom a client trusts.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub enum Roots {
    /// The roots that the system trusts.
    #[default]
    System,
    /// Those in a file of PEM, and no others.
    File(PathBuf),
}

/// How a client does TLS.
#[derive(Clone, Default, Debug)]
pub struct ClientOptions {
    /// Whom it trusts.
    pub roots: Roots,
}

/// A client's TLS: made once for the process, and shared by all its connections. Cloning it shares it.
///
/// The server's certificate is verified, always. Sessions are resumed; what is kept for that is bounded by rustls (256 servers).
#[derive(Clone)]
pub struct ClientTls {
    /// One for each [`Offer`], which all resume the same sessions.
    configs: [Arc<ClientConfig>; 3],
}

impl ClientTls {
    /// Reads the roots.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn new(options: &ClientOptions) -> Result<ClientTls, TlsError> {
        let roots = match &options.roots {
            Roots::System => system_roots()?,
            Roots::File(file) => roots(file)?,
        };
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(|error| TlsError::Refused(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let configs = [&PROTOCOLS[1..], &PROTOCOLS[..1], &PROTOCOLS[..]].map(|protocols| {
            let mut config = config.clone();
            config.alpn_protocols = names(protocols);
            Arc::new(config)
        });
        Ok(ClientTls { configs })
    }

    pub(super) fn offering(&self, offer: Offer) -> Arc<ClientConfig> {
        let place = match offer {
            Offer::Http1 => 0,
            Offer::Http2 => 1,
            Offer::Either => 2,
        };
        self.configs[place].clone()
    }

    /// Whether a server can have this name: a host's or an address, without a port.
    pub fn is_server_name(name: &str) -> bool {
        ServerName::try_from(name).is_ok()
    }
}

/// Those of the system's roots that can be used: one that cannot is not the reason to trust none.
fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        let reason = if reasons.is_empty() { "none were found".to_owned() } else { reasons.join(", ") };
        return Err(TlsError::NoSystemRoots { reason });
    }
    Ok(roots)
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").finish_non_exhaustive()
    }
}
