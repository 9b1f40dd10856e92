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
pub use server::{ClientCertificates, ServerOptions, ServerTls};
pub use session::{Scratch, Session};

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The versions of TLS that are spoken, in the order in which they are liked.
const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// The application protocols that are spoken, by their ALPN names (RFC 7301), the one that is liked better first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

fn names(protocols: &[&[u8]]) -> Vec<Vec<u8>> {
    protocols.iter().map(|name| name.to_vec()).collect()
}
