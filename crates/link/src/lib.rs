//! TLS: blocks of ciphertext become plaintext, and output becomes records.
//!
//! A [`Session`] is one connection's TLS, of either side. It does no I/O and keeps no buffer: what it is given it opens in the
//! memory in which it came, and what it is to send it writes into the output that goes to the engine. What a session is made from is
//! built once, at start, and everything that can be wrong with it is found then: [`ServerTls`] from certificates and
//! keys in files, [`ClientTls`] from the roots that are trusted. [`Certificates`] are looked at again while the server runs.
//!
//! One folder, `tls`, knows rustls; nothing outside it does. Without the feature `tls` it is not compiled, nor is rustls: the types that the server
//! and its client have in hand are there all the same, and nobody can have a value of one (`without.rs`).

#![forbid(unsafe_code)]

#[cfg(feature = "tls")]
mod certificate;
#[cfg(feature = "tls")]
mod error;
mod fault;
#[cfg(feature = "tls")]
mod pem;
#[cfg(feature = "tls")]
mod self_signed;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
mod without;
mod words;

#[cfg(feature = "tls")]
pub use error::TlsError;
pub use fault::{AtFault, Fault, FaultKind};
#[cfg(feature = "tls")]
pub use pem::Kind as PemKind;
#[cfg(feature = "tls")]
pub use self_signed::{SelfSigned, self_signed, self_signed_folder};
#[cfg(feature = "tls")]
pub use tls::{
    CertificateFiles, Certificates, ClientCertificates, ClientOptions, ClientTls, Look, Roots, Scratch,
    ServerOptions, ServerTls, Session,
};
#[cfg(not(feature = "tls"))]
pub use without::{Certificates, ClientTls, Look, Scratch, ServerTls, Session};
pub use words::{Offer, Opened, PeerIdentity, RECORD_BYTES};
