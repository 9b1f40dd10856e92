//! What knows rustls: this folder, and nothing else in the project (`cargo xtask tidy` looks). Its provider of cryptography is
//! aws-lc-rs, always passed explicitly, so that no other part of a program decides what this server encrypts with.

mod certificates;
mod client;
mod fault;
mod machine;
mod server;
mod session;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use certificates::{CertificateFiles, Certificates, Look};
pub use client::{ClientOptions, ClientTls, Roots};
pub use fault::{AtFault, Fault, FaultKind};
pub use server::{ClientCertificates, ServerOptions, ServerTls};
pub use session::{Opened, PeerIdentity, RECORD_BYTES, Scratch, Session};

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The versions of TLS that are spoken, in the order in which they are liked.
const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// The application protocols that the server speaks, by their ALPN names (RFC 7301), the one it would rather speak first.
fn server_protocols() -> Vec<Vec<u8>> {
    [&b"h2"[..], b"http/1.1"].map(<[u8]>::to_vec).to_vec()
}

/// Those that the client speaks.
fn client_protocols() -> Vec<Vec<u8>> {
    vec![b"http/1.1".to_vec()]
}
